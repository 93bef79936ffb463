package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Schemas keeps the JSON Schemas that were compiled for a run for those after it. The zero value is empty. Safe for concurrent use.
type Schemas struct{ compiled sync.Map } // by the text of a stream's schema, or protocolMessages

// protocolMessages is what the schema of the protocol's messages is kept under. It is no JSON, so no stream's schema.
const protocolMessages = "messages of the protocol"

// get is the schema that was kept for text, or else what compile makes of it. A nil Schemas keeps nothing.
func (s *Schemas) get(text string, compile func() (*jsonschema.Schema, error)) (*jsonschema.Schema, error) {
	if s == nil {
		return compile()
	}
	if found, ok := s.compiled.Load(text); ok {
		return found.(*jsonschema.Schema), nil //nolint:forcetypeassert // nothing else is stored
	}
	schema, err := compile()
	if err == nil {
		s.compiled.Store(text, schema)
	}
	return schema, err
}

// messageSchema compiles the repository's JSON Schema of the protocol's messages.
func messageSchema() (*jsonschema.Schema, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft7
	s, err := c.Compile("file://" + filepath.ToSlash(filepath.Join(root, "specs", "protocol", "message.json")))
	if err != nil {
		return nil, fmt.Errorf("compiling the protocol's schema: %w", err)
	}
	return s, nil
}

// recordSchema compiles what a stream's catalog says of its records; nil where it says nothing.
func recordSchema(s Stream) (*jsonschema.Schema, error) {
	if len(s.JSONSchema) == 0 {
		return nil, nil
	}
	c := jsonschema.NewCompiler()
	c.Draft, c.AssertFormat = jsonschema.Draft7, true
	if err := c.AddResource("stream.json", bytes.NewReader(s.JSONSchema)); err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", s.Name, err)
	}
	compiled, err := c.Compile("stream.json")
	if err != nil {
		return nil, fmt.Errorf("compiling the schema of %s: %w", s.Name, err)
	}
	return compiled, nil
}

// validate holds JSON against a schema; a nil schema accepts all.
func validate(s *jsonschema.Schema, document []byte) error {
	if s == nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	return s.Validate(value)
}

// form is what a stream's schema says of a value, as far as the schemas of connectors go: its type and format, its members and elements. Every
// record is held against it, which a library for JSON Schema is too slow for; some are held against the schema by the library as well.
type form struct {
	Type   kinds            `json:"type"`
	Format string           `json:"format"`
	Whole  string           `json:"airbyte_type"`
	Fields map[string]*form `json:"properties"`
	Items  *form            `json:"items"`
}

// kinds is a schema's types, whether it has one or several; none where it takes any value.
type kinds []string

func (k *kinds) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*k = kinds{""}
		return json.Unmarshal(data, &(*k)[0])
	}
	return json.Unmarshal(data, (*[]string)(k))
}

// fault is what is wrong with a value, and "" where it fits.
func (f *form) fault(value []byte) string {
	if f == nil || len(value) == 0 {
		return ""
	}
	if len(f.Type) > 0 && !slices.ContainsFunc(f.Type, func(kind string) bool { return is(value, kind) }) {
		return fmt.Sprintf("%s is not %v", clip(value), f.Type)
	}
	switch value[0] {
	case '{':
		for key, member := range members(value) {
			if fault := f.Fields[string(key)].fault(member); fault != "" {
				return string(key) + ": " + fault
			}
		}
	case '[':
		if f.Items == nil {
			return ""
		}
		for element := range elements(value) {
			if fault := f.Items.fault(element); fault != "" {
				return "an element: " + fault
			}
		}
	case '"':
		if !f.formed(text(value)) {
			return fmt.Sprintf("%s is no %s", clip(value), f.Format)
		}
	default:
		if f.Whole == "integer" && is(value, "number") && !is(value, "integer") {
			return fmt.Sprintf("%s is not written as a whole number", clip(value))
		}
	}
	return ""
}

// is whether a JSON value is of a type of JSON Schema. A whole number is one that is written so, within 64 bits.
func is(value []byte, kind string) bool {
	c := value[0]
	switch kind {
	case "null":
		return c == 'n'
	case "boolean":
		return c == 't' || c == 'f'
	case "string":
		return c == '"'
	case "object":
		return c == '{'
	case "array":
		return c == '['
	case "integer":
		_, err := strconv.ParseInt(string(value), 10, 64)
		return err == nil
	case "number":
		return c == '-' || '0' <= c && c <= '9'
	}
	return false
}

// formed is whether a text is of the form's format. A time is in UTC, so that times sort as texts.
func (f *form) formed(text string) bool {
	switch f.Format {
	case "date":
		_, err := time.Parse(time.DateOnly, text)
		return err == nil
	case "date-time":
		_, err := time.Parse("2006-01-02T15:04:05Z", text)
		return err == nil
	}
	return true
}

// changes holds the changes that a record's meta tells against what the record keeps of values that did not fit their columns: one belongs to
// the other, and the columns are null. The error says which does not.
func changes(data, meta []byte) error {
	kept := map[string]bool{}
	for key := range members(lookup(data, "_unparsed")) {
		kept[string(key)] = true
	}
	for change := range elements(lookup(meta, "changes")) {
		field := text(lookup(change, "field"))
		if !kept[field] || !null(lookup(data, field)) || text(lookup(change, "change")) != "NULLED" ||
			text(lookup(change, "reason")) != "SOURCE_SERIALIZATION_ERROR" {
			return fmt.Errorf("a change that is none: %s", change)
		}
		delete(kept, field)
	}
	if len(kept) > 0 {
		return fmt.Errorf("no change for what is kept of %v", slices.Sorted(maps.Keys(kept)))
	}
	return nil
}
