// Package form draws a connector's specification as the form that Airbyte makes of it: fields in their order, groups as cards, what is not required
// behind "Optional fields", forms of a oneOf as a choice. The drawing is for looking at what users see; it is no part of a connector.
package form

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
)

//go:embed form.html
var page string

// schema is what of a specification a form shows.
type schema struct {
	Title       string
	Description string
	Type        any
	Properties  map[string]*schema
	Required    []string
	OneOf       []*schema
	Items       *schema
	Enum        []any
	Const       any
	Default     any
	Examples    []any
	Format      string
	Pattern     string `json:"pattern_descriptor"`
	Order       *int
	Group       string
	Groups      []group
	Secret      bool `json:"airbyte_secret"`
	Hidden      bool `json:"airbyte_hidden"`
	AlwaysShow  bool `json:"always_show"`
	Multiline   bool
}

type group struct{ ID, Title string }

// card is a group of fields.
type card struct {
	Title     string
	Plain     []field // those that are always seen
	Collapsed []field // those behind "Optional fields"
}

// field is one field as it is drawn.
type field struct {
	Title, Description, Kind, Value, Hint string
	Required                              bool
	Choices                               []string // of an enumeration, or the titles of the forms
	Forms                                 []form
	Fields                                []field // of an object
}

// form is one of several forms of a field.
type form struct {
	Title  string
	Fields []field
}

// Draw returns the form of a specification (spec.json) as a page without anything from outside.
func Draw(name string, specification []byte) ([]byte, error) {
	var whole struct {
		ConnectionSpecification schema
	}
	if err := json.Unmarshal(specification, &whole); err != nil {
		return nil, fmt.Errorf("drawing the form of %s: %w", name, err)
	}
	root := whole.ConnectionSpecification
	if len(root.Properties) == 0 {
		return nil, fmt.Errorf("drawing the form of %s: %w", name, errors.New("it has no fields"))
	}
	t, err := template.New("form").Parse(page)
	if err != nil {
		return nil, fmt.Errorf("drawing the form of %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, map[string]any{"Name": name, "Title": root.Title, "Cards": cards(root)}); err != nil {
		return nil, fmt.Errorf("drawing the form of %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// Sum returns a short text that is another one where a specification is drawn otherwise.
func Sum(name string, specification []byte) (string, error) {
	drawn, err := Draw(name, specification)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(drawn)
	return hex.EncodeToString(sum[:8]), nil
}

// cards returns the groups in their order, those fields first that have none.
func cards(root schema) (all []card) {
	for _, g := range append([]group{{}}, root.Groups...) {
		c := card{Title: g.Title}
		for _, name := range ordered(root.Properties) {
			p := root.Properties[name]
			if p.Group != g.ID || p.Hidden {
				continue
			}
			f := draw(name, p, slices.Contains(root.Required, name))
			if f.Required || p.AlwaysShow {
				c.Plain = append(c.Plain, f)
			} else {
				c.Collapsed = append(c.Collapsed, f)
			}
		}
		if len(c.Plain)+len(c.Collapsed) > 0 {
			all = append(all, c)
		}
	}
	return all
}

// ordered returns the names of properties by their order, then by name.
func ordered(properties map[string]*schema) []string {
	place := func(name string) int {
		if o := properties[name].Order; o != nil {
			return *o
		}
		return 1 << 30
	}
	names := slices.Sorted(maps.Keys(properties))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(place(a), place(b)) })
	return names
}

func draw(name string, s *schema, required bool) field {
	f := field{
		Title: cmp.Or(s.Title, name), Description: s.Description, Required: required, Kind: fmt.Sprint(s.Type), Hint: s.Pattern, Value: text(s.Default),
	}
	if f.Hint == "" && len(s.Examples) > 0 {
		f.Hint = text(s.Examples[0])
	}
	switch {
	case len(s.OneOf) > 0:
		f.Kind = "forms"
		for _, o := range s.OneOf {
			f.Forms = append(f.Forms, form{o.Title, fields(o)})
		}
	case len(s.Enum) > 0:
		f.Kind = "enum"
		for _, e := range s.Enum {
			f.Choices = append(f.Choices, text(e))
		}
	case s.Secret:
		f.Kind = "secret"
	case len(s.Properties) > 0:
		f.Kind, f.Fields = "fields", fields(s)
	case s.Format == "date" || s.Format == "date-time":
		f.Kind = "date"
	}
	return f
}

// fields returns the fields of an object, without those that only tell forms apart.
func fields(s *schema) (all []field) {
	for _, name := range ordered(s.Properties) {
		if p := s.Properties[name]; p.Const == nil && !p.Hidden {
			all = append(all, draw(name, p, slices.Contains(s.Required, name)))
		}
	}
	return all
}

// text returns a value as a form shows it.
func text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, text(e))
		}
		return strings.Join(parts, ", ")
	default:
		return fmt.Sprint(v)
	}
}
