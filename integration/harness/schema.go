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

// Schemas keeps the compiled JSON Schemas of a run for later runs, and which records fit them, because the next run may bring the same records. The
// zero value is empty. Safe for concurrent use.
type Schemas struct {
	compiled sync.Map // by the text of a stream's schema, or protocolMessages
	fitting  sync.Map // set of fitting values
}

// fitting is a record, identified by its hash, that fits a schema.
type fitting struct {
	schema *jsonschema.Schema
	record string
}

// fit returns an error if a record does not fit a schema, and nil otherwise.
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

// protocolMessages is the key of the schema of the protocol's messages. It is not JSON, so it cannot be a stream's schema.
const protocolMessages = "messages of the protocol"

// compiled is a compiled JSON Schema, and what it says about values. Both are nil if there is no schema.
type compiled struct {
	schema *jsonschema.Schema
	form   *form
}

// get returns what is kept for text, or else the result of compile. A nil Schemas keeps nothing.
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

// message is the JSON Schema of one message of the protocol. It is a copy of specs/protocol/message.json, because a module that is installed by
// itself must contain it.
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

// recordSchema compiles the schema of a stream's records.
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

// validate validates JSON against a schema. A nil schema accepts everything.
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

// Mismatch returns where a document does not fit a JSON Schema, and what the schema requires there: the text of the deepest cause of an error of
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

// form is what a stream's schema says about a value, as far as the schemas of connectors go: its type and format, its members and elements. Every
// record is checked against it, because a library for JSON Schema is too slow for that. Some records are also checked against the schema by the
// library. form accepts any value if the schema uses what it does not know, such as alternatives.
type form struct {
	Type   kinds            `json:"type"`
	Format string           `json:"format"`
	Exact  string           `json:"airbyte_type"`
	Fields map[string]*form `json:"properties"`
	Items  *form            `json:"items"`
}

// UnmarshalJSON reads a schema. A schema that is true, or a list of schemas, says nothing about a value.
func (f *form) UnmarshalJSON(data []byte) error {
	if data[0] != '{' {
		return nil
	}
	type plain form
	return json.Unmarshal(data, (*plain)(f))
}

// kinds is a schema's types, whether it has one or several. It is empty if any value is accepted.
type kinds []string

func (k *kinds) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*k = kinds{""}
		return json.Unmarshal(data, &(*k)[0])
	}
	return json.Unmarshal(data, (*[]string)(k))
}

// fault returns what is wrong with a value and the rule that it violates, or "" if the value fits.
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

// field returns what is said about a member, or nil if nothing is, and whether the member is known.
func (f *form) field(key []byte) (field *form, known bool) {
	if f == nil {
		return nil, false
	}
	field, known = f.Fields[string(key)]
	return field, known
}

// mistyped returns what is wrong with a value's type, in the form of fault.
func (f *form) mistyped(value []byte) (Rule, string) {
	if f == nil || len(value) == 0 || len(f.Type) == 0 || slices.ContainsFunc(f.Type, func(kind string) bool { return is(value, kind) }) {
		return "", ""
	}
	return Types, fmt.Sprintf("%s is not %v", clip(value), f.Type)
}

// is reports whether a JSON value is of a type of JSON Schema. A whole number is one without a fraction or an exponent, within 64 bits.
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

// formed returns the rule that a text violates by not being in the form's format, or "". A time must also be in UTC here, so that times sort as
// texts.
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

// changes checks the changes in a record's meta against the protocol and against the record: a field that was made null must be null.
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

// reason matches the reasons that the protocol allows for a change.
var reason = regexp.MustCompile(`^((SOURCE|DESTINATION|PLATFORM)_(RECORD_SIZE_LIMITATION|FIELD_SIZE_LIMITATION|SERIALIZATION_ERROR)` +
	`|SOURCE_RETRIEVAL_ERROR|DESTINATION_TYPECAST_ERROR)$`)

// kept checks that the changes in a record's meta match the values that the record keeps because they did not fit their columns. The error names the
// mismatch.
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
