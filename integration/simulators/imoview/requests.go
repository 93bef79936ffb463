package imoview

import (
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// requestParams returns all that the service requests can be asked by. The API wants every one of them, 0 or empty where it does not matter.
func requestParams() []string {
	return []string{
		"numeropagina", "numeroregistros", "finalidade", "situacao", "fase", "opcaoatendimento", "codigounidade", "codigocliente",
		"codigocorretor", "codigomql", "codigomidia", "codigotipo", "datainicial", "datafinal", "datahorainicialultimaalteracao",
		"datahorafinalultimaalteracao",
	}
}

// request is what a service request can be filtered by.
type request struct {
	purpose, situation, phase, client, broker int
	branch                                    entry
	included                                  int64
}

func (s *Simulator) lead(index int) request {
	d := s.dice(s.requests, index, 7)
	return request{
		purpose: 1 + d.N(2), situation: d.N(4), phase: d.N(8), client: s.users.code(d.N(len(s.users.Rows))), broker: 1 + d.N(30),
		branch: sim.Pick(d, branches()), included: date(2015) + int64(d.N(10*365*day)),
	}
}

// listRequests returns the service requests, leads and deals. 0 stands for all.
func (s *Simulator) listRequests(p *params) listing {
	purpose, situation, phase := p.choice("finalidade", sale), p.choice("situacao", 3), p.choice("fase", 7)
	branch, client, broker := p.number("codigounidade"), p.number("codigocliente"), p.number("codigocorretor")
	begun, until := p.time("datainicial", dayOnly), p.time("datafinal", dayOnly)
	from := p.time("datahorainicialultimaalteracao", withSeconds, withMinutes, dayOnly)
	to := p.time("datahorafinalultimaalteracao", withSeconds, withMinutes, dayOnly)
	p.choice("opcaoatendimento", 2) // what 1 and 2 stand for is not known
	p.absent("codigomql", "codigomidia", "codigotipo")
	fit := func(i int) bool {
		r, changed := s.lead(i), s.requests.Rows[i].Time
		return fits(purpose, r.purpose) && fits(situation, r.situation) && fits(phase, r.phase) && fits(branch, r.branch.code) &&
			fits(client, r.client) && fits(broker, r.broker) && onDays(r.included, begun, until) && s.changedWithin(requestsPath, changed, from, to)
	}
	return listing{rows: s.matching(s.requests, "", p, fit, nil), table: s.requests, row: s.request}
}

func (s *Simulator) request(index int) any {
	t, r, d := s.requests, s.lead(index), s.forms(s.requests, index)
	deal := func() any {
		return d.of(list{}, list{}, list{object{"codigo": 100, "valornegocio": 1500.5, "datanegocio": "05/06/2025"}})
	}
	row := object{
		"codigo": s.codigo(t, index), "situacao": [...]string{"Em atendimento", "Descartado", "Fechado", "Pausado"}[r.situation],
		"finalidade": purposes()[r.purpose-1].name, "fase": "Fase " + strconv.Itoa(r.phase), "funil": d.some("Padrão"),
		"corretor": d.some("Corretor Exemplo"), "corretorcodigo": d.code(r.broker), "unidadenome": r.branch.name, "midia": d.some("Site"),
		"campanha": d.some(""), "tipo": d.some("Lead"), "termometro": d.some("Quente"), "datahorainclusao": clock(r.included, toSecond),
		"datahoraentradalead": d.moment(r.included - 600), "datahoraultimainteracao": s.updated(t, index), "datafechamento": "",
		"lead":            object{"codigo": d.code(r.client), "nome": "Lead Exemplo", "telefone1": "", "email": ""},
		"perfil":          d.of(object{}, object{"finalidade": "Aluguel", "valorate": "R$ 2.000,00"}, nil),
		"imoveiscarrinho": deal(), "imoveisvisita": deal(), "imoveisproposta": deal(), "imoveisnegocio": deal(),
	}
	talks := list{}
	for range 1 + t.Rows[index].Version {
		talks = append(talks, object{"descricao": `Ligação: "não atende"`, "datahora": "05/06/2025 08:30:00"})
	}
	row["interacoes"] = talks
	return row
}
