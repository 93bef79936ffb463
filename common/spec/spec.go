// Package spec handles a connector's JSON files: it compiles them, validates configurations without quoting them, and returns schemas.
package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Spec is a connector's compiled spec.json, and its streams/*.json. It is read-only and safe for concurrent use.
type Spec struct {
	json    json.RawMessage
	config  *Schema // of spec.json's connectionSpecification
	streams map[string]json.RawMessage
}

// Load reads spec.json (a ConnectorSpecification), which it compiles, and streams/<name>.json (optional, one JSON Schema each), which it does not
// parse: a running connector validates nothing against them, and parsing large ones would take most of a command's start-up time. A fault in
// spec.json is an error that names it. It is a programming error that connectortest finds, as it finds a stream schema that is not JSON or does not
// compile.
func Load(files fs.FS) (*Spec, error) {
	data, err := fs.ReadFile(files, "spec.json")
	if err != nil {
		return nil, fmt.Errorf("reading spec.json: %w", err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return nil, fmt.Errorf("reading spec.json: %w", err)
	}
	document := compact.Bytes()
	var parts struct {
		Connection json.RawMessage `json:"connectionSpecification"`
	}
	if err := json.Unmarshal(document, &parts); err != nil || parts.Connection == nil {
		return nil, errors.New("reading spec.json: it is not an object with a connectionSpecification")
	}
	config, err := CompileConfig("spec.json", parts.Connection)
	if err != nil {
		return nil, err
	}

	names, err := fs.Glob(files, "streams/*.json")
	if err != nil {
		return nil, fmt.Errorf("listing the stream schemas: %w", err)
	}
	streams := make(map[string]json.RawMessage, len(names))
	for _, name := range names {
		schema, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		streams[strings.TrimSuffix(path.Base(name), ".json")] = schema
	}
	return &Spec{json: document, config: config, streams: streams}, nil
}

// JSON returns spec.json, compact. The caller must not change it.
func (s *Spec) JSON() json.RawMessage { return s.json }

// Schema returns the JSON Schema of a stream as in its file. ok says whether there is one. The caller must not change it.
func (s *Spec) Schema(stream string) (schema json.RawMessage, ok bool) {
	schema, ok = s.streams[stream]
	return schema, ok
}

// Streams returns the names of the streams with a schema, sorted.
func (s *Spec) Streams() []string { return slices.Sorted(maps.Keys(s.streams)) }
