package dwv

import (
	"maps"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// filters returns the parameters of the list of properties: sixteen in 1.0.1, three more in 1.0.2, where construction_stage takes labels.
func (s *Simulator) filters() map[string]parameter {
	raw, label := func(f facts) string { return f.stage.raw }, func(f facts) string { return f.stage.label }
	known := paged()
	maps.Copy(known, map[string]parameter{
		"search": text(contains, func(i int) []string {
			f := s.facts(i)
			return []string{s.title(i, f), s.development(f), s.stock.companies[f.company].title}
		}),
		"address":             text(contains, func(i int) []string { return []string{s.stock.places[s.facts(i).place].text} }),
		"city":                text(strings.EqualFold, func(i int) []string { return []string{s.stock.cities[s.facts(i).city].name} }),
		"state":               text(strings.EqualFold, func(i int) []string { return []string{s.stock.cities[s.facts(i).city].uf} }),
		"bedrooms":            s.quantity(func(f facts) int { return f.dorms }),
		"unit_suites":         s.quantity(func(f facts) int { return f.suites }),
		"unit_parking_spaces": s.quantity(func(f facts) int { return f.parking }),
		"property_condition":  s.one(func(f facts) string { return map[bool]string{true: "used", false: "new"}[f.third] }, "new", "used"),
		"types":               s.one(func(f facts) string { return f.kind.Tag }, tags(types())...),
		"last_updates":        s.updates,
		"status":              s.one(func(f facts) string { return f.status }, "active", "inactive", "auto_inactive"),
		"deleted":             oneOf(func(_ int, r sim.Row) string { return strconv.FormatBool(r.State == removed) }, "true", "false"),
		"rent":                s.one(func(f facts) string { return strconv.FormatBool(f.rent) }, "true", "false"),
	})
	if s.with.Version == Version101 {
		known["construction_stage"] = s.one(raw, "used", "under construction", "new")
		return known
	}
	known["construction_stage_raw"] = s.one(raw, "pre-market", "under construction", "new", "used")
	known["construction_stage"] = s.one(label, "Pré-lançamento", "Em construção", "Lançamento", "Usado")
	known["incorporation"] = text(contains, func(i int) []string {
		f := s.facts(i)
		if f.third {
			return nil
		}
		return []string{s.stock.incorporation(f.building)}
	})
	known["fields"] = func(q *query, value string) (err error) {
		q.fields, err = parseSelection(value, propertyFields())
		return err
	}
	return known
}

// development returns the name of the one that a property is a unit of, "" where it is of none.
func (s *Simulator) development(f facts) string {
	if f.third {
		return ""
	}
	return s.stock.buildings[f.building].title
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
