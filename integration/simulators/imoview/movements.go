package imoview

import (
	"strconv"
	"time"
)

// listMovements returns all, or those open (1) or paid (2), of a client, of a contract, or due between two days; the last filter is a loose
// one: it lets some days more through.
func (s *Simulator) listMovements(p *params) listing {
	const slack = 3 * day
	state, client, contract := p.choice("situacaoconta", 2), p.number("codigocliente"), p.number("codigocontratoaluguel")
	from, to := p.time("datavencimentoinicial", dayOnly), p.time("datavencimentofinal", dayOnly)
	p.absent("codigoimovel", "codigocontratovenda")
	fit := func(i int) bool {
		m := s.bill(i)
		return (state == 0 || m.paid == (state == 2)) && fits(client, m.client) && fits(contract, m.contract) &&
			(from == 0 || m.due >= from-slack) && (to == 0 || m.due <= to+slack)
	}
	return listing{rows: s.matching(s.movements, "", p, fit, nil), table: s.movements, row: s.movement}
}

// bill is what a movement can be filtered by.
type bill struct {
	client, contract int // codes; 0: no contract
	due              int64
	paid             bool
}

func (s *Simulator) bill(index int) bill {
	d := s.dice(s.movements, index, 7)
	m := bill{client: s.users.code(d.N(len(s.users.Rows))), due: date(2018) + int64(d.N(8*365))*day, paid: d.Once(2)}
	if n := len(s.contracts.Rows); n > 0 && index%9 != 0 {
		at := d.N(n)
		m.contract, m.client = s.contracts.code(at), s.users.code(s.leases[at].tenants[0])
	}
	return m
}

func (s *Simulator) movement(index int) any {
	t, m, d := s.movements, s.bill(index), s.forms(s.movements, index)
	cents := 50_000 + d.N(500_000) + int(t.Rows[index].Version)
	row := object{
		"codigo": s.codigo(t, index), "codigoauxiliar": "", "unidadecodigo": d.code(1), "unidade": "Matriz", "modulo": d.number(2),
		"tipocliente": "Locatário", "codigocliente": d.code(m.client), "nomecliente": "Cliente Exemplo",
		"codigocontratoaluguel": d.code(m.contract), "codigocontratovenda": d.code(0),
		"codigoimovel": d.code(s.properties.code(d.N(len(s.properties.Rows)))), "numerodocumento": d.some(strconv.Itoa(100 + index)),
		"historico": "Aluguel " + time.Unix(m.due, 0).UTC().Format("01/2006"), "linhadigitavel": "", "datahorainclusao": d.included(),
		"datahoraultimaalteracao": s.updated(t, index), "datavencimento": d.date(m.due), "datapagamento": "", "saldo": decimal(cents),
		"detalhes": list{object{
			"codigodetalhe": 1, "codigoplanoconta": 10, "nomeplanoconta": "Aluguel", "codigocontabilplanoconta": "", "descricao": "",
			"observacao": "", "valor": decimal(cents), "deduzirir": false,
		}},
	}
	if m.paid {
		row["datapagamento"] = d.date(m.due + int64(d.N(20))*day)
	}
	row["repasses"] = d.of(list{}, list{
		object{"tipocliente": "Locador", "datapagamento": "", "datavencimento": "10/07/2026", "detalhes": list{}},
	})
	return row
}
