package imoview

import (
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// listCondominiums returns all, or those of a city, of a neighbourhood, with units for a purpose.
func (s *Simulator) listCondominiums(p *params) listing {
	city, hood, purpose := p.number("codigocidade"), p.number("codigobairro"), p.choice("finalidade", sale)
	reduced := p.truth("retornoreduzido")
	fit := func(i int) bool {
		at := s.placeOf(s.condominiums, i)
		return fits(city, at.cityCode) && fits(hood, at.hoodCode) && fits(purpose, 1+i%2)
	}
	rows := s.matching(s.condominiums, "", p, fit, nil)
	return listing{rows: rows, table: s.condominiums, show: reduced, row: func(i int) any { return s.condominium(i, reduced) }}
}

func (s *Simulator) placeOf(t *table, index int) *place {
	return sim.Pick(s.dice(t, index, 7), s.stock.places)
}

func condominiumName(index int) string { return "Condomínio Exemplo " + strconv.Itoa(index) }

func (s *Simulator) condominium(index int, reduced bool) object {
	t, r, d, at := s.condominiums, s.condominiums.Rows[index], s.forms(s.condominiums, index), s.placeOf(s.condominiums, index)
	row := object{
		"codigo": s.codigo(t, index), "nome": condominiumName(index), "datahoraultimaalteracao": s.updated(t, index),
	}
	if reduced {
		return row
	}
	row.Add(object{
		"codigodestinacao": d.code(1), "destinacao": "Residencial", "tipo": d.of("Vertical", "Horizontal"), "formacobranca": d.some("Boleto"),
		"construtora": d.some("Construtora Exemplo"), "anoconstrucao": d.of("2015", 1998, "", "0"), "arealote": d.area(0, 0),
		"datahoracadastro": d.included(), "descricao": d.some(sim.Pick(&d.Dice, s.stock.texts)),
	})
	row.Add(s.where(d, at))
	row.Add(object{
		"codigosubregiao": d.code(0), "subregiao": "", "pontoreferencia": d.some("Próximo à praça"), "melhoracesso": d.some(""),
	})
	for _, name := range []string{
		"numerovagavisitante", "numeroelevador", "numerotorres", "numeroandares", "unidadesporandar", "totalunidades",
	} {
		if d.Once(12) {
			row[name] = d.N(8)
		} else {
			row[name] = d.count(d.N(8))
		}
	}
	row["cartorio"] = d.some("1º Ofício")
	row.Put("", "tipovagavisitante", "matriculacartorio", "livrocartorio", "folhacartorio", "urlfotoprincipal", "urlvideo")
	price := 20_000_000 + d.N(90_000_000)
	units := func() any {
		return d.of(object{"disponiveis": list{}}, object{"disponiveis": list{object{"tipo": "Apartamento", "quantidade": 2}}}, list{})
	}
	row.Add(object{
		"valorcondominio": d.money(10_000 + d.N(90_000) + int(r.Version)), "valorfundoreserva": d.money(0), "valoraluguel": d.monies(0, 0),
		"valoralugado": "R$ 0,00 até R$ 0,00", "valorvenda": d.monies(price, price+d.N(2)*15_000_000), "valorvendido": d.monies(0, 0),
		"areainterna": d.area(5000, 5000+d.N(2)*3000), "areaexterna": d.area(0, 0), "numeroquartos": d.counts(2, 2+d.N(2)),
		"numerobanhos": d.counts(1, 1+d.N(3)), "numerosuites": d.counts(0, d.N(2)), "numerovagas": d.counts(1, 1+d.N(2)),
		"primeiroquartilaluguel": d.money(0), "medianaquartilaluguel": d.money(0), "terceiroquartilaluguel": d.money(0),
		"primeiroquartilvenda": d.money(price + 100_000), "medianaquartilvenda": d.money(price + 500_000),
		"terceiroquartilvenda": d.money(price + 900_000),
	})
	row.Add(sim.Pick(&d.Dice, s.stock.comforts))
	row.Add(object{
		"fotos": list{}, "fotos360": d.of(nil, list{}, ""), "extras": list{}, "extras2": d.extras(), "unidadesaluguel": units(),
		"unidadesvenda": units(),
	})
	return row
}

// extras returns truths by name, one of them as a text.
func (d *forms) extras() any {
	return d.of(list{}, list{object{"nome": "Piscina", "valor": true}, object{"nome": "Sauna", "valor": "true"}})
}

// where returns a place, as properties and condominiums have it.
func (s *Simulator) where(d *forms, at *place) object {
	return object{
		"codigobairro": d.code(at.hoodCode), "bairro": at.hood, "codigocidade": d.code(at.cityCode), "cidade": at.city, "estado": at.state,
		"codigoregiao": d.code(at.region), "regiao": regionName(at.region), "cep": d.some("30000-000"), "endereco": sim.Pick(&d.Dice, s.stock.streets),
		"numero": d.of("10", "S/N", "1.204", ""), "complemento": "", "latitude": d.of("-19.93", "-19,93", ""),
		"longitude": d.of("-43.94", "-43,94", nil),
	}
}
