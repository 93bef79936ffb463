package dwv

import (
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// filters returns the parameters of the list of properties: sixteen in 1.0.1, three more in 1.0.2, where construction_stage takes labels.
func (s *Simulator) filters() map[string]parameter {
	known := paged()
	known["search"] = text(func(i int, value string) bool {
		f := s.facts(i)
		return contains(s.title(i, f), value) || !f.third && contains(s.stock.buildings[f.building].title, value) ||
			contains(s.stock.companies[f.company].title, value)
	})
	known["address"] = text(func(i int, value string) bool { return contains(s.stock.places[s.facts(i).place].text, value) })
	known["city"] = text(func(i int, value string) bool { return strings.EqualFold(s.stock.cities[s.facts(i).city].name, value) })
	known["state"] = text(func(i int, value string) bool { return strings.EqualFold(s.stock.cities[s.facts(i).city].uf, value) })
	known["bedrooms"] = quantity(func(i int) int { return s.facts(i).dorms })
	known["unit_suites"] = quantity(func(i int) int { return s.facts(i).suites })
	known["unit_parking_spaces"] = quantity(func(i int) int { return s.facts(i).parking })
	known["property_condition"] = one(func(i int, _ sim.Row, value string) bool { return s.facts(i).third == (value == "used") }, "new", "used")
	known["types"] = one(func(i int, _ sim.Row, value string) bool { return s.facts(i).kind.Tag == value }, tags(types())...)
	known["last_updates"] = s.updates
	known["status"] = one(func(i int, _ sim.Row, value string) bool { return s.facts(i).status == value }, "active", "inactive", "auto_inactive")
	known["deleted"] = one(func(_ int, r sim.Row, value string) bool { return strconv.FormatBool(r.State == removed) == value }, "true", "false")
	known["rent"] = one(func(i int, _ sim.Row, value string) bool { return strconv.FormatBool(s.facts(i).rent) == value }, "true", "false")

	raw := func(i int, _ sim.Row, value string) bool { return s.facts(i).stage.raw == value }
	if s.with.Version == Version101 {
		known["construction_stage"] = one(raw, "used", "under construction", "new")
		return known
	}
	known["construction_stage_raw"] = one(raw, "pre-market", "under construction", "new", "used")
	known["construction_stage"] = one(func(i int, _ sim.Row, value string) bool { return s.facts(i).stage.label == value },
		"Pré-lançamento", "Em construção", "Lançamento", "Usado")
	known["incorporation"] = text(func(i int, value string) bool {
		f := s.facts(i)
		return !f.third && contains(s.stock.incorporation(f.building), value)
	})
	known["fields"] = func(q *query, value string) (err error) {
		q.fields, err = parseSelection(value, propertyFields())
		return err
	}
	return known
}

// contains looks for a text whatever its case.
func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

func tags(list []label) []string {
	names := make([]string, len(list))
	for i, l := range list {
		names[i] = l.Tag
	}
	return names
}

// conditions returns the values of property_condition.
func conditions() []label {
	return []label{{Name: "Novo", Tag: "new"}, {Name: "Usado", Tag: "used"}}
}

// types returns the values of the parameter types.
func types() []label {
	return []label{
		{Name: "Apartamento", Tag: "apartment"}, {Name: "Sala comercial", Tag: "comercialRoom"}, {Name: "Garden", Tag: "garden"},
		{Name: "Cobertura", Tag: "penthouse"}, {Name: "Diferenciado", Tag: "differentiated"}, {Name: "Showroom", Tag: "showroom"},
		{Name: "Decorado", Tag: "decorated"}, {Name: "Rooftop", Tag: "roof"}, {Name: "Mobiliado", Tag: "furnished"},
		{Name: "Duplex", Tag: "duplex"}, {Name: "Sítio", Tag: "smallFarm"}, {Name: "Casa", Tag: "house"}, {Name: "Hotel", Tag: "hotel"},
		{Name: "Terreno", Tag: "land"}, {Name: "Galpão", Tag: "warehouse"},
	}
}

// stage is a stage of the works, as 1.0.2 filters by it and as it writes it.
type stage struct{ raw, label string }

func stages() []stage {
	return []stage{{"under construction", "Em construção"}, {"new", "Lançamento"}, {"pre-market", "Pré-lançamento"}, {"used", "Usado"}}
}
