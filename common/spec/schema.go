package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Schema is a compiled JSON Schema (draft-07 unless its $schema says otherwise). It asserts formats and takes "integer" literally: 1.0 is not an
// integer. It is safe for concurrent use.
type Schema struct {
	compiled *jsonschema.Schema
	raw      any
}

// Compile returns a Schema. Errors refer to it by name. References to other documents are errors.
func Compile(name string, schema json.RawMessage) (*Schema, error) {
	raw, err := decode(schema)
	if err != nil {
		return nil, fmt.Errorf("compiling %s: %w", name, err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.Draft = jsonschema.Draft7
	compiler.AssertFormat = true
	compiler.LoadURL = func(string) (io.ReadCloser, error) {
		return nil, errors.New("references to other documents are not resolved")
	}
	const address = "file:///schema.json" // never fetched; with an absolute URL the library ignores the working directory
	if err := compiler.AddResource(address, bytes.NewReader(schema)); err != nil {
		return nil, fmt.Errorf("compiling %s: %w", name, err)
	}
	compiled, err := compiler.Compile(address)
	if err != nil {
		return nil, fmt.Errorf("compiling %s: %w", name, err)
	}
	return &Schema{compiled: compiled, raw: raw}, nil
}

// CompileConfig returns a Schema for configurations. It ignores the format of a field with a pattern. Such a format only chooses what the platform
// shows, such as a calendar, and the pattern decides what is valid, so that a field may accept both dates and times.
func CompileConfig(name string, schema json.RawMessage) (*Schema, error) {
	root, err := decode(schema)
	if err != nil {
		return nil, fmt.Errorf("compiling %s: %w", name, err)
	}
	var walk func(node any)
	walk = func(node any) {
		switch n := node.(type) {
		case map[string]any:
			if _, has := n["pattern"].(string); has {
				delete(n, "format")
			}
			for _, below := range n {
				walk(below)
			}
		case []any:
			for _, below := range n {
				walk(below)
			}
		}
	}
	walk(root)
	if schema, err = json.Marshal(root); err != nil {
		return nil, fmt.Errorf("compiling %s: %w", name, err)
	}
	return Compile(name, schema)
}

// Validate returns the faults of a document, one on each line. The text may quote the document, so it is for tests and not for users.
func (s *Schema) Validate(document []byte) error {
	value, err := decode(document)
	if err != nil {
		return err
	}
	var lines []string
	if err := s.compiled.Validate(presentable(value)); err != nil {
		var failed *jsonschema.ValidationError
		if !errors.As(err, &failed) {
			return err
		}
		for leaf := range leaves(failed) {
			lines = append(lines, fmt.Sprintf("at %q: %s (%s)", leaf.InstanceLocation, leaf.Message, fragment(leaf.AbsoluteKeywordLocation)))
		}
	}
	for at := range notWhole(s.raw, value) {
		lines = append(lines, fmt.Sprintf("at %q: it is not written as a whole number", "/"+strings.Join(at, "/")))
	}
	if len(lines) == 0 {
		return nil
	}
	slices.Sort(lines)
	return errors.New(strings.Join(lines, "\n"))
}

// leaves yields the faults that have no further cause.
func leaves(failed *jsonschema.ValidationError) iter.Seq[*jsonschema.ValidationError] {
	return func(yield func(*jsonschema.ValidationError) bool) {
		var walk func(*jsonschema.ValidationError) bool
		walk = func(e *jsonschema.ValidationError) bool {
			if len(e.Causes) == 0 {
				return yield(e)
			}
			for _, cause := range e.Causes {
				if !walk(cause) {
					return false
				}
			}
			return true
		}
		walk(failed)
	}
}

// decode reads exactly one JSON value. Numbers keep their digits.
func decode(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the end of the JSON value")
	}
	return value, nil
}

// presentable returns value with an empty list in place of each number whose exponent is too large for the library, which would panic. An empty list
// fits no schema of a number.
func presentable(value any) any {
	switch v := value.(type) {
	case map[string]any:
		clean := make(map[string]any, len(v))
		for key, member := range v {
			clean[key] = presentable(member)
		}
		return clean
	case []any:
		clean := make([]any, len(v))
		for i, element := range v {
			clean[i] = presentable(element)
		}
		return clean
	case json.Number:
		if _, ok := new(big.Rat).SetString(v.String()); !ok {
			return []any{}
		}
	}
	return value
}

// notWhole yields the places of numbers in value that should be integers but are not written as such, or do not fit into 64 bits. It follows
// properties, items and variants. A number is skipped if the schema also allows other numbers.
func notWhole(schema, value any) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		var walk func(nodes []map[string]any, value any, at []string) bool
		walk = func(nodes []map[string]any, value any, at []string) bool {
			switch v := value.(type) {
			case map[string]any:
				for key, member := range v {
					var next []map[string]any
					for node := range reachable(nodes) {
						next = append(next, object(object(node["properties"])[key]))
					}
					if !walk(next, member, append(slices.Clip(at), key)) {
						return false
					}
				}
			case []any:
				var next []map[string]any
				for node := range reachable(nodes) {
					next = append(next, object(node["items"]))
				}
				for i, element := range v {
					if !walk(next, element, append(slices.Clip(at), strconv.Itoa(i))) {
						return false
					}
				}
			case json.Number:
				var types []string
				for node := range reachable(nodes) {
					types = append(types, typesOf(node)...)
				}
				if !slices.Contains(types, "integer") || slices.Contains(types, "number") {
					return true
				}
				if _, err := v.Int64(); err != nil {
					return yield(at)
				}
			}
			return true
		}
		walk([]map[string]any{object(schema)}, value, nil)
	}
}

// reachable yields the nodes and all variants in them, which describe the same value.
func reachable(nodes []map[string]any) iter.Seq[map[string]any] {
	return func(yield func(map[string]any) bool) {
		queue := slices.Clone(nodes)
		for len(queue) > 0 {
			node := queue[0]
			queue = queue[1:]
			if !yield(node) {
				return
			}
			for _, keyword := range []string{"oneOf", "anyOf", "allOf"} {
				variants, _ := node[keyword].([]any)
				for _, variant := range variants {
					queue = append(queue, object(variant))
				}
			}
		}
	}
}

// typesOf returns the types that a schema allows: one, several, or none.
func typesOf(node map[string]any) []string {
	switch t := node["type"].(type) {
	case string:
		return []string{t}
	case []any:
		types := make([]string, 0, len(t))
		for _, one := range t {
			if name, ok := one.(string); ok {
				types = append(types, name)
			}
		}
		return types
	default:
		return nil
	}
}
