package imoview

import (
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// requestParams are all that the service requests can be asked by. The API wants every one of them, 0 or empty where it does not matter.
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
		purpose: 1 + d.N(2), situation: d.N(4), phase: d.N(8), client: s.users.code(d.N(len(s.users.rows))), broker: 1 + d.N(30),
		branch: sim.Pick(&d, branches()), included: date(2015) + int64(d.N(10*365*day)),
	}
}

// listRequests are the service requests, leads and deals. 0 stands for all.
func (s *Simulator) listRequests(p *params) listing {
	purpose, situation, phase := p.choice("finalidade", sale), p.choice("situacao", 3), p.choice("fase", 7)
	branch, client, broker := p.number("codigounidade"), p.number("codigocliente"), p.number("codigocorretor")
	begun, until := p.time("datainicial", dayOnly), p.time("datafinal", dayOnly)
	from := p.time("datahorainicialultimaalteracao", withSeconds, withMinutes, dayOnly)
	to := p.time("datahorafinalultimaalteracao", withSeconds, withMinutes, dayOnly)
	p.choice("opcaoatendimento", 2) // what 1 and 2 stand for is not known
	p.absent("codigomql", "codigomidia", "codigotipo")
	fit := func(i int) bool {
		r, changed := s.lead(i), s.requests.rows[i].time
		return (purpose == 0 || r.purpose == purpose) && (situation == 0 || r.situation == situation) && (phase == 0 || r.phase == phase) &&
			(branch == 0 || r.branch.code == branch) && (client == 0 || r.client == client) && (broker == 0 || r.broker == broker) &&
			(begun == 0 || r.included >= begun) && (until == 0 || r.included < until+day) &&
			s.after(requestsPath, changed, from) && s.before(requestsPath, changed, to)
	}
	return listing{rows: s.matching(s.requests, p, fit, nil), write: s.request}
}

func (s *Simulator) request(w *writer, index int) {
	t, r := s.requests, s.lead(index)
	w.d = s.dice(t, index, 6)
	w.Raw("{")
	s.codigo(w, t, index)
	w.Text("situacao", [...]string{"Em atendimento", "Descartado", "Fechado", "Pausado"}[r.situation])
	w.Text("finalidade", purposes()[r.purpose-1].name)
	w.Text("fase", "Fase "+strconv.Itoa(r.phase))
	w.some("funil", "Padrão")
	w.some("corretor", "Corretor Exemplo")
	w.code("corretorcodigo", r.broker)
	w.Text("unidadenome", r.branch.name)
	w.some("midia", "Site")
	w.some("campanha", "")
	w.some("tipo", "Lead")
	w.some("termometro", "Quente")
	w.stamp("datahorainclusao", r.included, toSecond)
	w.moment("datahoraentradalead", r.included-600)
	s.updated(w, "datahoraultimainteracao", t, index)
	w.empty("datafechamento")
	w.Name("lead")
	w.Raw("{")
	w.code("codigo", r.client)
	w.Text("nome", "Lead Exemplo")
	w.Raw(`,"telefone1":"","email":""}`)
	w.Is("perfil", [...]string{`{}`, `{"finalidade":"Aluguel","valorate":"R$ 2.000,00"}`, "null"}[w.d.N(3)])
	w.Name("interacoes")
	w.Raw("[")
	for range 1 + t.rows[index].version {
		w.Next()
		w.Raw(`{"descricao":"Ligação: \"não atende\"","datahora":"05/06/2025 08:30:00"}`)
	}
	w.Raw("]")
	deal := `[{"codigo":100,"valornegocio":1500.5,"datanegocio":"05/06/2025"}]`
	for _, name := range []string{"imoveiscarrinho", "imoveisvisita", "imoveisproposta", "imoveisnegocio"} {
		w.Is(name, [...]string{"[]", "[]", deal}[w.d.N(3)])
	}
	w.Raw("}")
}
