package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

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
	c.Draft = jsonschema.Draft7
	if err := c.AddResource("stream.json", bytes.NewReader(s.JSONSchema)); err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", s.Name, err)
	}
	compiled, err := c.Compile("stream.json")
	if err != nil {
		return nil, fmt.Errorf("compiling the schema of %s: %w", s.Name, err)
	}
	return compiled, nil
}

// misformed is the top-level fields of which err, a schema's, says only that their text is not of the format that the schema gives. A source
// may send such a text as it came if it warns of it. It is empty when err says anything else.
func misformed(err error) (fields []string) {
	violation, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return nil
	}
	if len(violation.Causes) == 0 {
		if !strings.HasSuffix(violation.KeywordLocation, "/format") {
			return nil
		}
		field, _, _ := strings.Cut(strings.TrimPrefix(violation.InstanceLocation, "/"), "/")
		return []string{field}
	}
	for _, cause := range violation.Causes {
		below := misformed(cause)
		if below == nil {
			return nil
		}
		fields = append(fields, below...)
	}
	return fields
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
