package imoview

import (
	"strconv"
	"time"
)

// listMovements are all, or those open (1) or paid (2), of a client, of a contract, or due between two days; the last filter is a loose
// one: it lets some days more through.
func (s *Simulator) listMovements(p *params) listing {
	const slack = 3 * day
	state, client, contract := p.choice("situacaoconta", 2), p.number("codigocliente"), p.number("codigocontratoaluguel")
	from, to := p.time("datavencimentoinicial", dayOnly), p.time("datavencimentofinal", dayOnly)
	p.absent("codigoimovel", "codigocontratovenda")
	fit := func(i int) bool {
		m := s.bill(i)
		return (state == 0 || m.paid == (state == 2)) && (client == 0 || m.client == client) && (contract == 0 || m.contract == contract) &&
			(from == 0 || m.due >= from-slack) && (to == 0 || m.due <= to+slack)
	}
	return listing{rows: s.matching(s.movements, p, fit, nil), write: s.movement}
}

// bill is what a movement can be filtered by.
type bill struct {
	client, contract int // codes; 0: no contract
	due              int64
	paid             bool
}

func (s *Simulator) bill(index int) bill {
	d := s.dice(s.movements, index, 7)
	m := bill{client: s.users.code(d.N(len(s.users.rows))), due: date(2018) + int64(d.N(8*365))*day, paid: d.Once(2)}
	if n := len(s.contracts.rows); n > 0 && index%9 != 0 {
		at := d.N(n)
		m.contract, m.client = s.contracts.code(at), s.users.code(int(s.leases[at].tenants[0]))
	}
	return m
}

func (s *Simulator) movement(w *writer, index int) {
	t, m := s.movements, s.bill(index)
	w.d = s.dice(t, index, 6)
	cents := 50_000 + w.d.N(500_000) + int(t.rows[index].version)
	w.Raw("{")
	s.codigo(w, t, index)
	w.empty("codigoauxiliar")
	w.code("unidadecodigo", 1)
	w.Text("unidade", "Matriz")
	w.number("modulo", 2)
	w.Text("tipocliente", "Locatário")
	w.code("codigocliente", m.client)
	w.Text("nomecliente", "Cliente Exemplo")
	w.code("codigocontratoaluguel", m.contract)
	w.code("codigocontratovenda", 0)
	w.code("codigoimovel", s.properties.code(w.d.N(len(s.properties.rows))))
	w.some("numerodocumento", strconv.Itoa(100+index))
	w.Text("historico", "Aluguel "+time.Unix(m.due, 0).UTC().Format("01/2006"))
	w.empty("linhadigitavel")
	s.included(w, "datahorainclusao")
	s.updated(w, "datahoraultimaalteracao", t, index)
	w.date("datavencimento", m.due)
	if m.paid {
		w.date("datapagamento", m.due+int64(w.d.N(20))*day)
	} else {
		w.empty("datapagamento")
	}
	w.rate("saldo", cents)
	w.Name("detalhes")
	w.Raw(`[{"codigodetalhe":1,"codigoplanoconta":10,"nomeplanoconta":"Aluguel","codigocontabilplanoconta":"","descricao":"","observacao":""`)
	w.rate("valor", cents)
	w.Raw(`,"deduzirir":false}]`)
	w.Is("repasses", [...]string{
		"[]", `[{"tipocliente":"Locador","datapagamento":"","datavencimento":"10/07/2026","detalhes":[]}]`,
	}[w.d.N(2)])
	w.Raw("}")
}
