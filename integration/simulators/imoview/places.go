package imoview

import (
	"maps"
	"slices"
	"strconv"
)

// spot is a city, a neighbourhood or a region, and the purposes for which properties are offered there.
type spot struct {
	code       int
	rent, sale bool
	row        object
}

// cities returns those of the neighbourhoods, of which the first one has nothing for sale and the last one nothing for rent.
func (s *Simulator) cities() []spot {
	found := map[int]spot{}
	for _, p := range s.stock.places {
		found[p.cityCode] = spot{p.cityCode, p.cityCode != 12, p.cityCode != 10, object{"nome": p.city, "estado": p.state}}
	}
	return sorted(found)
}

func (s *Simulator) hoods() []spot {
	found := map[int]spot{}
	for i, p := range s.stock.places {
		found[p.hoodCode] = spot{p.hoodCode, i%3 != 0, i%3 != 1, object{
			"nome": p.hood, "cidade": p.city, "estado": p.state, "regiao": regionName(p.region), "subregiao": "",
		}}
	}
	return sorted(found)
}

// regions returns of the agency's own, and belong to a city.
func regions() []spot {
	var all []spot
	for code := 1; code < 5; code++ {
		all = append(all, spot{code, code < 4, code > 1, object{"nome": regionName(code), "cidade": "Belo Horizonte", "ordem": code}})
	}
	return all
}

func regionName(code int) string {
	if code == 0 {
		return ""
	}
	return "Região " + strconv.Itoa(code)
}

func sorted(found map[int]spot) []spot {
	return slices.SortedFunc(maps.Values(found), func(a, b spot) int { return a.code - b.code })
}

func (s *Simulator) listCities(p *params) listing {
	p.absent("codigotipo", "codigounidade", "opcaoimovel", "estado")
	return s.spots(p, s.cities())
}

// listHoods returns all neighbourhoods, or those of a city.
func (s *Simulator) listHoods(p *params) listing {
	p.absent("codigotipo", "codigounidade", "opcaoimovel", "codigoregiao", "codigosubregiao")
	city := p.number("codigocidade")
	return s.spots(p, slices.DeleteFunc(s.hoods(), func(h spot) bool {
		return city != 0 && !slices.ContainsFunc(s.stock.places, func(p *place) bool { return p.hoodCode == h.code && p.cityCode == city })
	}))
}

func (s *Simulator) listRegions(p *params) listing {
	p.absent("codigocidade")
	if s.with.RegionsGet && p.values["finalidade"] == "" {
		return spotList(regions())
	}
	return s.spots(p, regions())
}

// spots returns those where properties are offered for the purpose that is asked for, which must be one: without it all are returned, and refused.
func (s *Simulator) spots(p *params, all []spot) listing {
	purpose := p.choice("finalidade", sale)
	if purpose == 0 {
		p.refuse("Finalidade não informada!")
	}
	return spotList(slices.DeleteFunc(all, func(s spot) bool { return purpose == rent && !s.rent || purpose == sale && !s.sale }))
}

func spotList(spots []spot) listing {
	return listing{rows: first(len(spots)), row: func(i int) any {
		row := object{"codigo": spots[i].code}
		row.Add(spots[i].row)
		return row
	}}
}

// listExtraFields returns the fields that the account added. Their codes are numbers and texts.
func (s *Simulator) listExtraFields(*params) listing {
	fields := extraFields()
	return listing{rows: first(len(fields)), row: func(i int) any {
		row := object{"codigo": fields[i].code, "nome": fields[i].name, "tipo": "Sim/Não", "grupo": object{"codigo": 1}}
		if i%2 == 1 {
			row["codigo"] = strconv.Itoa(fields[i].code)
		}
		return row
	}}
}

func extraFields() []entry {
	return []entry{{12, "Piscina aquecida"}, {13, "Vista para a serra"}, {20, `Sala "íntima"`}, {31, "Energia solar"}}
}

func keyPlaces() []entry {
	return []entry{{1, "Imobiliária"}, {2, "Proprietário"}, {3, "Portaria"}, {4, "No Local"}, {5, "Locatário"}}
}
