package destination

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// call is a record, checked, as it is carried out.
type call struct {
	operation *Operation
	body      map[string]any
	about     string // what it is about, for people: "id_externo 42244"; "" where the record does not say
	order     string // calls with the same one go one after the other
	identity  string // equal for two calls that ask the same
}

// call checks r. An error is a sentence for the user without its end; the call has its about all the same.
func (o *Operation) call(r record.Record) (*call, error) {
	c := &call{operation: o, order: o.Wrap}
	fields, given := map[string]any{}, map[string]bool{}
	var wrong, about []string
	for _, f := range o.Fields {
		value, err := f.read(r)
		switch {
		case err != nil:
			wrong = append(wrong, f.Name+" "+err.Error())
			given[f.Name] = true // something was
		case value == "" && f.Required:
			wrong = append(wrong, f.Name+" is missing")
		case value == "" && f.Blank:
			fields[f.As] = ""
		case value != "":
			fields[f.As], given[f.Name] = value, true
			if f.Key {
				about = append(about, f.Name+" "+short(value))
				c.order += "\n" + f.As + "\n" + value
			}
		}
	}
	has := func(name string) bool { return given[name] }
	if n := count(o.One, has); len(o.One) > 0 && n != 1 {
		problem := " is missing"
		if n > 1 {
			problem = ": only one may be given"
		}
		wrong = append(wrong, strings.Join(o.One, " or ")+problem)
	}
	if len(o.Some) > 0 && count(o.Some, has) == 0 {
		wrong = append(wrong, "at least one of "+strings.Join(o.Some, ", ")+" is needed")
	}
	c.about = strings.Join(about, ", ")
	if o.Serial {
		c.order = o.Wrap
	}
	if len(wrong) > 0 {
		return c, errors.New(strings.Join(wrong, "; "))
	}
	c.body = map[string]any{o.Wrap: fields}
	canonical, err := json.Marshal(c.body) // in the order of the names
	if err != nil {
		return c, fmt.Errorf("it cannot be written as JSON: %w", err)
	}
	sum := sha256.Sum256(canonical)
	c.identity = o.Name + " " + base64.RawStdEncoding.EncodeToString(sum[:])
	return c, nil
}

// read is the field's text in r, "" where it has none.
func (f Field) read(r record.Record) (string, error) {
	v := r.Get(f.Name)
	if other := r.Get(f.As); f.As != f.Name && !blank(other) {
		if !blank(v) {
			return "", fmt.Errorf("is given twice, as %s too", f.As)
		}
		v = other
	}
	if blank(v) {
		return "", nil
	}
	return f.Kind.Read(v)
}

func blank(v record.Value) bool {
	return v.IsNull() || v.Raw()[0] == '"' && strings.TrimSpace(v.Text()) == ""
}

func count(names []string, has func(string) bool) (n int) {
	for _, name := range names {
		if has(name) {
			n++
		}
	}
	return n
}

// short keeps a text of a record, or of the API, readable: one line, not too long.
func short(s string) string {
	const limit = 300
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return s
}

// strangers is the names of a record's members that no field has.
func (o *Operation) strangers(r record.Record) []string {
	var members map[string]json.RawMessage
	if json.Unmarshal(r, &members) != nil {
		return nil
	}
	for _, f := range o.Fields {
		delete(members, f.Name)
		delete(members, f.As)
	}
	return slices.Sorted(maps.Keys(members))
}

// schema is the JSON Schema of the operation's records, by the fields' friendly names.
func (o *Operation) schema() (json.RawMessage, error) {
	properties, required := map[string]any{}, []string{}
	for _, f := range o.Fields {
		p := map[string]any{}
		maps.Copy(p, f.Kind.Schema)
		p["description"] = f.Description
		if f.As != f.Name {
			p["description"] = f.Description + " The record may call it " + f.As + " instead."
		}
		properties[f.Name] = p
		if f.Required {
			required = append(required, f.Name)
		}
	}
	schema := map[string]any{
		"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "description": o.Description,
		"properties": properties, "required": required, "additionalProperties": true,
	}
	alternatives := func(names []string) (each []any) {
		for _, name := range names {
			each = append(each, map[string]any{"required": []string{name}})
		}
		return each
	}
	if len(o.One) > 0 {
		schema["oneOf"] = alternatives(o.One)
	}
	if len(o.Some) > 0 {
		schema["anyOf"] = alternatives(o.Some)
	}
	document, err := json.Marshal(schema)
	if err != nil {
		return nil, fmt.Errorf("describing %s: %w", o.Name, err)
	}
	return document, nil
}
