package dwv

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// tree is the names of an object's fields; those of objects and of arrays of objects have trees themselves, the others nil.
type tree map[string]tree

// leaves returns a tree of plain fields, with branches.
func leaves(names string, branches tree) tree {
	t := tree{}
	for name := range strings.FieldsSeq(names) {
		t[name] = nil
	}
	maps.Copy(t, branches)
	return t
}

// names returns the fields of the object itself.
func (t tree) names() []string { return slices.Sorted(maps.Keys(t)) }

// propertyFields returns the documented fields of a property.
func propertyFields() tree {
	images := leaves("url", tree{"sizes": leaves("small medium large circle xfullhd xlarge xmedium xmediumhd", nil)})
	address := leaves("street_name street_number neighborhood complement zip_code city state country latitude longitude", nil)
	features := leaves("type tags", nil)
	payments := leaves("title value", tree{"operator": leaves("title type", nil)})
	return leaves("id title description advertisement_title advertisement_description status construction_stage construction_stage_raw "+
		"rent deleted address_display_type last_updated_at", tree{
		"unit": leaves("id title price type parking_spaces dorms suites bathroom private_area util_area total_area cover rent "+
			"construction_stage", tree{
			"floor_plan":           {"category": leaves("title tag", nil)},
			"section":              leaves("name", nil),
			"payment_conditions":   payments,
			"additional_galleries": leaves("title", tree{"files": images}),
		}),
		"building": leaves("id title video tour_360 text_address incorporation delivery_date", tree{
			"gallery": images, "architectural_plans": images, "cover": images, "features": features, "address": address,
			"videos":      leaves("id url name", nil),
			"description": leaves("title", tree{"items": leaves("item", nil)}),
		}),
		"third_party_property": leaves("id title price type unit_info dorms text_address private_area util_area total_area suites bathroom "+
			"parking_spaces rent", tree{
			"address": address, "gallery": images, "cover": images, "features": features, "payment_conditions": payments,
		}),
		"construction_company": leaves("title site whatsapp instagram email", tree{
			"business_contacts":    leaves("responsible phone_number", nil),
			"additionals_contacts": leaves("responsible whatsapp", nil),
			"logo":                 images,
		}),
	})
}

// selection is the value of the parameter fields: names in their order, each with the selection below it, or nil.
type selection struct {
	names []string
	below map[string]*selection
}

// parseSelection reads ["id",{"building":["title"]}]. Refused are unknown names, objects without children, and children of what is
// no object.
func parseSelection(value string, known tree) (*selection, error) {
	var entries []json.RawMessage
	if err := json.Unmarshal([]byte(value), &entries); err != nil || len(entries) == 0 {
		return nil, errors.New(`deve ser uma lista JSON como ["id",{"building":["title"]}]`)
	}
	found := &selection{below: map[string]*selection{}}
	add := func(name string, below *selection) {
		found.names = append(found.names, name)
		found.below[name] = below
	}
	for _, entry := range entries {
		var name string
		if json.Unmarshal(entry, &name) == nil {
			if children, ok := known[name]; !ok || children != nil {
				return nil, fmt.Errorf("campo desconhecido ou sem seus campos: %s", name)
			}
			add(name, nil)
			continue
		}
		var nested map[string]json.RawMessage
		if json.Unmarshal(entry, &nested) != nil || len(nested) == 0 {
			return nil, errors.New("deve conter textos e objetos")
		}
		for _, name := range slices.Sorted(maps.Keys(nested)) {
			if known[name] == nil {
				return nil, fmt.Errorf("campo desconhecido ou sem campos: %s", name)
			}
			below, err := parseSelection(string(nested[name]), known[name])
			if err != nil {
				return nil, err
			}
			add(name, below)
		}
	}
	return found, nil
}

// project returns the selected part of a value; nil selects all. Lists are projected item by item.
func (s *selection) project(value any) any {
	switch value := value.(type) {
	case sim.Object:
		if s == nil {
			return value
		}
		part := sim.Object{}
		for _, name := range s.names {
			if field, ok := value[name]; ok {
				part[name] = s.below[name].project(field)
			}
		}
		return part
	case []any:
		items := make([]any, len(value))
		for i, item := range value {
			items[i] = s.project(item)
		}
		return items
	}
	return value
}
