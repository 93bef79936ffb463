package harness

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Schemas keeps the JSON Schemas that were compiled for a run for those after it, and which records fit them: the next run may bring the same
// ones. The zero value is empty. Safe for concurrent use.
type Schemas struct {
	compiled sync.Map // by the text of a stream's schema, or protocolMessages
	fitting  sync.Map // of fitting
}

// fitting is a record, by what hash makes of it, that fits a schema.
type fitting struct {
	schema *jsonschema.Schema
	record string
}

// fit returns what is wrong with a record that is held against a schema, or nil.
func (s *Schemas) fit(schema *jsonschema.Schema, record []byte) error {
	if s == nil {
		return validate(schema, record)
	}
	key := fitting{schema, hash(record)}
	if _, known := s.fitting.Load(key); known {
		return nil
	}
	err := validate(schema, record)
	if err == nil {
		s.fitting.Store(key, true)
	}
	return err
}

// protocolMessages is what the schema of the protocol's messages is kept under. It is no JSON, so no stream's schema.
const protocolMessages = "messages of the protocol"

// compiled is a JSON Schema that was read, as the library has it, and what it says of values; both are nil where there is no schema.
type compiled struct {
	schema *jsonschema.Schema
	form   *form
}

// get returns what was kept for text, or else what compile makes of it. A nil Schemas keeps nothing.
func (s *Schemas) get(text string, compile func() (compiled, error)) (compiled, error) {
	if s == nil {
		return compile()
	}
	if found, ok := s.compiled.Load(text); ok {
		return found.(compiled), nil //nolint:forcetypeassert // nothing else is stored
	}
	made, err := compile()
	if err == nil {
		s.compiled.Store(text, made)
	}
	return made, err
}

// message is the JSON Schema of one message of the protocol: a copy of specs/protocol/message.json, which a module that is installed by
// itself must have in it.
//
//go:generate cp ../../specs/protocol/message.json message.json
//go:embed message.json
var message string

// messageSchema compiles the JSON Schema of the protocol's messages.
func messageSchema() (compiled, error) {
	s, err := jsonschema.CompileString("message.json", message)
	if err != nil {
		return compiled{}, fmt.Errorf("compiling the protocol's schema: %w", err)
	}
	return compiled{schema: s}, nil
}

// recordSchema compiles what a stream's catalog says of its records.
func recordSchema(s Stream) (compiled, error) {
	if len(s.JSONSchema) == 0 {
		return compiled{}, nil
	}
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft7
	if err := c.AddResource("stream.json", bytes.NewReader(s.JSONSchema)); err != nil {
		return compiled{}, fmt.Errorf("reading the schema of %s: %w", s.Name, err)
	}
	schema, err := c.Compile("stream.json")
	if err != nil {
		return compiled{}, fmt.Errorf("compiling the schema of %s: %w", s.Name, err)
	}
	made := compiled{schema: schema, form: &form{}}
	if err := json.Unmarshal(s.JSONSchema, made.form); err != nil {
		return compiled{}, fmt.Errorf("reading the types in the schema of %s: %w", s.Name, err)
	}
	return made, nil
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

// Mismatch returns where a document does not fit a JSON Schema, and what the schema asks for there: the text of the deepest cause of an error of
// [jsonschema.Schema.Validate], without the schema's own address.
func Mismatch(err error) string {
	cause := (*jsonschema.ValidationError)(nil)
	if !errors.As(err, &cause) {
		return err.Error()
	}
	for len(cause.Causes) > 0 {
		cause = cause.Causes[0]
	}
	if cause.InstanceLocation == "" {
		return cause.Message
	}
	return cause.InstanceLocation + ": " + cause.Message
}

// form is what a stream's schema says of a value, as far as the schemas of connectors go: its type and format, its members and elements. Every
// record is held against it, which a library for JSON Schema is too slow for; some are held against the schema by the library as well.
// What it does not know, as alternatives, takes any value.
type form struct {
	Type   kinds            `json:"type"`
	Format string           `json:"format"`
	Exact  string           `json:"airbyte_type"`
	Fields map[string]*form `json:"properties"`
	Items  *form            `json:"items"`
}

// UnmarshalJSON reads a schema; one that is true, or a list of schemas, says nothing of a value.
func (f *form) UnmarshalJSON(data []byte) error {
	if data[0] != '{' {
		return nil
	}
	type plain form
	return json.Unmarshal(data, (*plain)(f))
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

// fault returns what is wrong with a value and the rule that it is against, and "" where it fits.
func (f *form) fault(value []byte) (Rule, string) {
	if f == nil || len(value) == 0 {
		return "", ""
	}
	if rule, fault := f.mistyped(value); fault != "" {
		return rule, fault
	}
	switch value[0] {
	case '{':
		for key, member := range members(value) {
			field, _ := f.field(key)
			if rule, fault := field.fault(member); fault != "" {
				return rule, string(key) + ": " + fault
			}
		}
	case '[':
		if f.Items == nil {
			return "", ""
		}
		for element := range elements(value) {
			if rule, fault := f.Items.fault(element); fault != "" {
				return rule, "an element: " + fault
			}
		}
	case '"':
		if rule := f.formed(text(value)); rule != "" {
			return rule, fmt.Sprintf("%s is no %s", clip(value), f.Format)
		}
	default:
		if f.Exact == "integer" && is(value, "number") && !is(value, "integer") {
			return Types, fmt.Sprintf("%s is not written as a whole number", clip(value))
		}
	}
	return "", ""
}

// field returns what is said of a member, nil where that is nothing, and whether the member is known.
func (f *form) field(key []byte) (field *form, known bool) {
	if f == nil {
		return nil, false
	}
	field, known = f.Fields[string(key)]
	return field, known
}

// mistyped returns what is wrong with a value's type, as fault has it.
func (f *form) mistyped(value []byte) (Rule, string) {
	if f == nil || len(value) == 0 || len(f.Type) == 0 || slices.ContainsFunc(f.Type, func(kind string) bool { return is(value, kind) }) {
		return "", ""
	}
	return Types, fmt.Sprintf("%s is not %v", clip(value), f.Type)
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

// formed returns the rule that a text is against which is not of the form's format, or "". Here, a moment is in UTC, so that moments sort as texts.
func (f *form) formed(text string) Rule {
	text = strings.TrimSuffix(text, " BC")
	var layouts []string
	switch f.Format {
	case "date":
		layouts = []string{time.DateOnly}
	case "date-time":
		switch f.Exact {
		case "timestamp_without_timezone":
			layouts = []string{"2006-01-02T15:04:05"}
		case "timestamp_with_timezone":
			layouts = []string{time.RFC3339}
		default:
			layouts = []string{time.RFC3339, "2006-01-02T15:04:05"}
		}
	case "time":
		layouts = []string{"15:04:05", "15:04:05Z07:00"}
	default:
		return ""
	}
	if !slices.ContainsFunc(layouts, func(layout string) bool { _, err := time.Parse(layout, text); return err == nil }) {
		return Types
	}
	if f.Format == "date-time" && f.Exact != "timestamp_without_timezone" && !strings.HasSuffix(text, "Z") {
		return House
	}
	return ""
}

// changes holds what a record's meta tells of changes against the protocol, and against the record: a field that was made null is null.
func (c *collector) changes(meta []byte) error {
	for change := range elements(lookup(meta, "changes")) {
		field, how := text(lookup(change, "field")), text(lookup(change, "change"))
		if field == "" || how != "NULLED" && how != "TRUNCATED" || !reason.MatchString(text(lookup(change, "reason"))) ||
			how == "NULLED" && !null(c.field([]string{field})) {
			return fmt.Errorf("a change that is none: %s", change)
		}
	}
	return nil
}

// reason is what the protocol takes for the reason of a change.
var reason = regexp.MustCompile(`^((SOURCE|DESTINATION|PLATFORM)_(RECORD_SIZE_LIMITATION|FIELD_SIZE_LIMITATION|SERIALIZATION_ERROR)` +
	`|SOURCE_RETRIEVAL_ERROR|DESTINATION_TYPECAST_ERROR)$`)

// kept holds the changes that a record's meta tells against what the record keeps of values that did not fit their columns: one belongs to
// the other. The error says which does not.
func (c *collector) kept(meta []byte) error {
	unparsed := map[string]bool{}
	for key := range members(c.field([]string{"_unparsed"})) {
		unparsed[string(key)] = true
	}
	for change := range elements(lookup(meta, "changes")) {
		field := text(lookup(change, "field"))
		if !unparsed[field] || text(lookup(change, "change")) != "NULLED" || text(lookup(change, "reason")) != "SOURCE_SERIALIZATION_ERROR" {
			return fmt.Errorf("a change that is none: %s", change)
		}
		delete(unparsed, field)
	}
	if len(unparsed) > 0 {
		return fmt.Errorf("no change for what is kept of %v", slices.Sorted(maps.Keys(unparsed)))
	}
	return nil
}
