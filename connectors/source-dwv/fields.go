package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// fieldsParam is the parameter of the list of properties that chooses the fields of each, in document 1.0.2.
const fieldsParam = "fields"

// tree is the fields of an object by name: those of an object, or of a list of objects, have a tree, and the others nil.
type tree map[string]tree

// object returns a tree of plain fields, whose names are separated by blanks, and of objects.
func object(plain string, objects tree) tree {
	t := tree{}
	for name := range strings.FieldsSeq(plain) {
		t[name] = nil
	}
	maps.Copy(t, objects)
	return t
}

// property returns the fields of a property: those that document 1.0.2 has, and at the top those that were seen besides. Inside of objects DWV
// refuses names that it does not know, so that what only its samples show is not there.
func property() tree {
	image := object("url", tree{"sizes": object("small medium large circle xfullhd xlarge xmedium xmediumhd", nil)})
	place := object("street_name street_number neighborhood complement zip_code city state country latitude longitude", nil)
	features := object("type tags", nil)
	conditions := object("title value", tree{"operator": object("title type", nil)})
	const home = "id title price type parking_spaces dorms suites bathroom private_area util_area total_area "
	return object("id title description advertisement_title advertisement_description status construction_stage construction_stage_raw rent "+
		"deleted address_display_type last_updated_at description_text inserted_at selected_photos", tree{
		"unit": object(home+"cover", tree{
			"floor_plan": {"category": object("title tag", nil)}, "section": object("name", nil), "payment_conditions": conditions,
			"additional_galleries": object("title", tree{"files": image}),
		}),
		"building": object("id title video tour_360 text_address incorporation delivery_date", tree{
			"gallery": image, "architectural_plans": image, "cover": image, "address": place, "features": features,
			"videos": object("id url name", nil), "description": object("title", tree{"items": object("item", nil)}),
		}),
		"third_party_property": object(home+"unit_info text_address", tree{
			"address": place, "gallery": image, "cover": image, "features": features, "payment_conditions": conditions,
		}),
		"construction_company": object("title site whatsapp instagram email", tree{
			"business_contacts": object("responsible phone_number", nil), "additionals_contacts": object("responsible whatsapp", nil), "logo": image,
		}),
	})
}

// choose adds the field at a dotted path to t, and with an object all of its fields, as far as known has them.
func (t tree) choose(path string, known tree) {
	name, rest, inside := strings.Cut(path, ".")
	below := t[name]
	switch known = known[name]; {
	case inside:
		if below == nil {
			below = tree{}
		}
		below.choose(rest, known)
	case known != nil:
		if below == nil {
			below = tree{}
		}
		for child := range known {
			below.choose(child, known)
		}
	}
	t[name] = below
}

// MarshalJSON writes t as DWV has it: ["id",{"building":["title"]}].
func (t tree) MarshalJSON() ([]byte, error) {
	list := make([]any, 0, len(t))
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if t[name] == nil {
			list = append(list, name)
		} else {
			list = append(list, map[string]tree{name: t[name]})
		}
	}
	return json.Marshal(list)
}

// chosen is the configured fields of a property: names with a dot between an object and its field. None are all fields.
type chosen []string

// tree returns what is asked for, which are the chosen fields and those that a sync cannot do without; nil: all.
func (c chosen) tree() tree {
	if len(c) == 0 {
		return nil
	}
	asked := tree{}
	for _, name := range slices.Concat(c, []string{"id", "deleted", "last_updated_at"}) {
		asked.choose(name, property())
	}
	return asked
}

// query adds to q what asks for the chosen fields.
func (c chosen) query(q url.Values) url.Values {
	if asked := c.tree(); asked != nil {
		text, _ := json.Marshal(asked) // names can be written
		q.Set(fieldsParam, string(text))
	}
	return q
}

// left returns the columns that were not chosen. DWV may send them all the same: hosts of document 1.0.1 may not know the parameter.
func (c chosen) left() (columns []string) {
	asked := c.tree()
	if asked == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(property())) {
		if _, ok := asked[name]; !ok {
			columns = append(columns, name)
		}
	}
	return columns
}

// choice returns the chosen fields in one form, for states.
func (c chosen) choice() string {
	names := slices.Sorted(slices.Values(c))
	return strings.Join(slices.Compact(names), ",")
}

// gone reports whether an answer says that DWV does not know a property's code, which it does with 404 or, without chosen fields for certain, 400.
func (c chosen) gone(r *httpclient.Response) bool {
	return len(c) == 0 && r.Status == http.StatusBadRequest
}

// judge says what a refusal means where fields were chosen.
func (c chosen) judge(r *httpclient.Response) httpclient.Verdict {
	if len(c) == 0 || r.Status != http.StatusBadRequest {
		return httpclient.Verdict{}
	}
	return httpclient.Fail(fault.Configf("DWV refused a request (400): %s. It may not know one of the names in \"fields\", or no such choice at all, "+
		"as hosts of version 1.0.1 of the API. The stream available_fields has the names that it knows. Mend or remove \"fields\".", r.Words()))
}
