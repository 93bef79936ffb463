package imoview

import (
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// listCondominiums are all, or those of a city, of a neighbourhood, with units for a purpose.
func (s *Simulator) listCondominiums(p *params) listing {
	city, hood, purpose := p.number("codigocidade"), p.number("codigobairro"), p.choice("finalidade", sale)
	reduced := p.truth("retornoreduzido")
	fit := func(i int) bool {
		at := s.placeOf(s.condominiums, i)
		return (city == 0 || at.cityCode == city) && (hood == 0 || at.hoodCode == hood) && (purpose == 0 || i%2 == purpose-1)
	}
	return listing{rows: s.matching(s.condominiums, p, fit, nil), write: func(w *writer, i int) { s.condominium(w, i, reduced) }}
}

func (s *Simulator) placeOf(t *table, index int) *place {
	d := s.dice(t, index, 7)
	return &s.stock.places[d.N(len(s.stock.places))]
}

func (s *Simulator) condominium(w *writer, index int, reduced bool) {
	t, r := s.condominiums, s.condominiums.rows[index]
	w.d = s.dice(t, index, 6)
	at := s.placeOf(t, index)
	w.Raw("{")
	s.codigo(w, t, index)
	w.Text("nome", "Condomínio Exemplo "+strconv.Itoa(index))
	s.updated(w, "datahoraultimaalteracao", t, index)
	if reduced {
		w.Raw("}")
		return
	}
	w.code("codigodestinacao", 1)
	w.Text("destinacao", "Residencial")
	w.Text("tipo", [...]string{"Vertical", "Horizontal"}[w.d.N(2)])
	w.some("formacobranca", "Boleto")
	w.some("construtora", "Construtora Exemplo")
	w.Is("anoconstrucao", [...]string{`"2015"`, "1998", `""`, `"0"`}[w.d.N(4)])
	w.area("arealote", 0, 0)
	s.included(w, "datahoracadastro")
	w.some("descricao", sim.Pick(&w.d, s.stock.texts))
	s.where(w, at)
	w.code("codigosubregiao", 0)
	w.empty("subregiao")
	w.some("pontoreferencia", "Próximo à praça")
	w.some("melhoracesso", "")
	for _, name := range []string{
		"numerovagavisitante", "numeroelevador", "numerotorres", "numeroandares", "unidadesporandar", "totalunidades",
	} {
		if w.d.Once(12) {
			w.Int(name, w.d.N(8))
		} else {
			w.count(name, w.d.N(8))
		}
	}
	w.empty("tipovagavisitante")
	w.some("cartorio", "1º Ofício")
	w.empty("matriculacartorio", "livrocartorio", "folhacartorio")
	price := 20_000_000 + w.d.N(90_000_000)
	w.money("valorcondominio", 10_000+w.d.N(90_000)+int(r.version))
	w.money("valorfundoreserva", 0)
	w.monies("valoraluguel", 0, 0)
	w.Is("valoralugado", `"R$ 0,00 até R$ 0,00"`)
	w.monies("valorvenda", price, price+w.d.N(2)*15_000_000)
	w.monies("valorvendido", 0, 0)
	w.area("areainterna", 5000, 5000+w.d.N(2)*3000)
	w.area("areaexterna", 0, 0)
	w.counts("numeroquartos", 2, 2+w.d.N(2))
	w.counts("numerobanhos", 1, 1+w.d.N(3))
	w.counts("numerosuites", 0, w.d.N(2))
	w.counts("numerovagas", 1, 1+w.d.N(2))
	for _, name := range []string{"primeiroquartilaluguel", "medianaquartilaluguel", "terceiroquartilaluguel"} {
		w.money(name, 0)
	}
	w.money("primeiroquartilvenda", price+100_000)
	w.money("medianaquartilvenda", price+500_000)
	w.money("terceiroquartilvenda", price+900_000)
	w.Next()
	w.B = append(w.B, sim.Pick(&w.d, s.stock.comforts)...)
	w.empty("urlfotoprincipal", "urlvideo")
	w.Is("fotos", "[]")
	w.Is("fotos360", [...]string{"null", "[]", `""`}[w.d.N(3)])
	w.Is("extras", "[]")
	w.Is("extras2", [...]string{"[]", `[{"nome":"Piscina","valor":true},{"nome":"Sauna","valor":"true"}]`}[w.d.N(2)])
	units := [...]string{`{"disponiveis":[]}`, `{"disponiveis":[{"tipo":"Apartamento","quantidade":2}]}`, "[]"}
	w.Is("unidadesaluguel", units[w.d.N(3)])
	w.Is("unidadesvenda", units[w.d.N(3)])
	w.Raw("}")
}

// where is a place, as properties and condominiums have it.
func (s *Simulator) where(w *writer, at *place) {
	w.code("codigobairro", at.hoodCode)
	w.Text("bairro", at.hood)
	w.code("codigocidade", at.cityCode)
	w.Text("cidade", at.city)
	w.Text("estado", at.state)
	w.code("codigoregiao", at.region)
	if at.region == 0 {
		w.empty("regiao")
	} else {
		w.Text("regiao", "Região "+strconv.Itoa(at.region))
	}
	w.some("cep", "30000-000")
	w.Text("endereco", sim.Pick(&w.d, s.stock.streets))
	w.Text("numero", [...]string{"10", "S/N", "1.204", ""}[w.d.N(4)])
	w.empty("complemento")
	w.Is("latitude", [...]string{`"-19.93"`, `"-19,93"`, `""`}[w.d.N(3)])
	w.Is("longitude", [...]string{`"-43.94"`, `"-43,94"`, "null"}[w.d.N(3)])
}
