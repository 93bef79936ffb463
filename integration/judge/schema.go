package judge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// node is a schema inside a schema.
type node struct {
	at       string // its path: the names of the properties that lead to it, joined by dots
	name     string // of the property; "" if it is none
	property bool   // it is a property, not a variant, an element or the like
	schema   map[string]any
}

// nodes yields every schema inside a schema, itself first, in a fixed order. It does not take names of properties for keywords, nor anything in
// values.
func nodes(schema map[string]any) iter.Seq[node] {
	return func(yield func(node) bool) {
		var walk func(n node) bool
		walk = func(n node) bool {
			if !yield(n) {
				return false
			}
			for _, keyword := range slices.Sorted(maps.Keys(n.schema)) {
				switch keyword {
				case "enum", "const", "default", "examples", "required":
					continue
				case "properties", "patternProperties", "definitions", "$defs", "dependentSchemas":
					for _, name := range slices.Sorted(maps.Keys(mapOf(n.schema[keyword]))) {
						below, ok := mapOf(n.schema[keyword])[name].(map[string]any)
						if ok && !walk(node{join(n.at, name), name, keyword == "properties", below}) {
							return false
						}
					}
					continue
				}
				if below, ok := n.schema[keyword].(map[string]any); ok && !walk(node{at: join(n.at, "("+keyword+")"), schema: below}) {
					return false
				}
				for i, element := range listOf(n.schema[keyword]) {
					below, ok := element.(map[string]any)
					if ok && !walk(node{at: join(n.at, fmt.Sprintf("(%s %d)", keyword, i)), schema: below}) {
						return false
					}
				}
			}
			return true
		}
		walk(node{schema: schema})
	}
}

func join(at, name string) string { return strings.TrimPrefix(at+"."+name, ".") }

// typesOf returns a schema's types, without null and sorted, and whether null is one of them. There are none if the schema names none.
func typesOf(schema map[string]any) (types []string, nullable bool) {
	switch t := schema["type"].(type) {
	case string:
		types = []string{t}
	case []any:
		for _, one := range t {
			if text, ok := one.(string); ok {
				types = append(types, text)
			}
		}
	}
	nullable = slices.Contains(types, "null")
	types = slices.DeleteFunc(types, func(t string) bool { return t == "null" })
	slices.Sort(types)
	return types, nullable
}

// find returns the schema at a path of property names, or nil. It looks into the variants of a oneOf or anyOf.
func find(schema map[string]any, path []string) map[string]any {
	if len(path) == 0 {
		return schema
	}
	if below, ok := mapOf(schema["properties"])[path[0]].(map[string]any); ok {
		return find(below, path[1:])
	}
	for _, keyword := range []string{"oneOf", "anyOf"} {
		for _, variant := range listOf(schema[keyword]) {
			if found := find(mapOf(variant), path); found != nil {
				return found
			}
		}
	}
	return nil
}

// compile makes a draft-07 schema of a document.
func compile(name string, document any) (*jsonschema.Schema, error) {
	body, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft7
	if err := c.AddResource(name, bytes.NewReader(body)); err != nil {
		return nil, err
	}
	return c.Compile(name)
}

// short returns the beginning of a value's JSON.
func short(value any) string {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	if len(body) > 200 {
		return string(body[:200]) + "…"
	}
	return string(body)
}

// decode decodes JSON, with numbers as they are written.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	return d.Decode(into)
}
