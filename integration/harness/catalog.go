package harness

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The sync modes.
const (
	FullRefresh = "full_refresh"
	Incremental = "incremental"
)

// Catalog is the answer to discover.
type Catalog struct {
	Streams []Stream `json:"streams"`
}

// Stream is a stream of a catalog.
type Stream struct {
	Name                    string          `json:"name"`
	Namespace               string          `json:"namespace,omitempty"`
	JSONSchema              json.RawMessage `json:"json_schema"`
	SupportedSyncModes      []string        `json:"supported_sync_modes"`
	SourceDefinedCursor     bool            `json:"source_defined_cursor,omitempty"`
	DefaultCursorField      []string        `json:"default_cursor_field,omitempty"`
	SourceDefinedPrimaryKey [][]string      `json:"source_defined_primary_key,omitempty"`
	IsResumable             bool            `json:"is_resumable,omitempty"`
}

// Incremental reports whether the stream can be read from a mark.
func (s Stream) Incremental() bool { return slices.Contains(s.SupportedSyncModes, Incremental) }

// Called returns the stream's name in a [Result].
func (s Stream) Called() string { return called(s.Namespace, s.Name) }

// called returns a stream's name in a Result.
func called(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "." + name
}

// described returns the name of the stream with that stream_descriptor.
func described(descriptor []byte) string {
	return called(text(lookup(descriptor, "namespace")), text(lookup(descriptor, "name")))
}

// Operation is what a destination can do with the records of a stream.
type Operation struct {
	ObjectName   string          `json:"object_name"`
	SyncMode     string          `json:"sync_mode"`
	JSONSchema   json.RawMessage `json:"json_schema"`
	MatchingKeys [][]string      `json:"matching_keys"`
}

// configuredStream is a stream of a configured catalog.
type configuredStream struct {
	Stream              Stream     `json:"stream"`
	SyncMode            string     `json:"sync_mode"`
	CursorField         []string   `json:"cursor_field,omitempty"`
	DestinationSyncMode string     `json:"destination_sync_mode"`
	PrimaryKey          [][]string `json:"primary_key,omitempty"`
}

// Names returns the streams' names, in the catalog's order.
func (c Catalog) Names() []string {
	var names []string
	for _, s := range c.Streams {
		names = append(names, s.Name)
	}
	return names
}

// Incremental returns the names of the streams that can be read from a mark, in the catalog's order.
func (c Catalog) Incremental() []string {
	var names []string
	for _, s := range c.Streams {
		if s.Incremental() {
			names = append(names, s.Name)
		}
	}
	return names
}

// Stream returns the stream called name.
func (c Catalog) Stream(name string) (Stream, bool) {
	i := slices.IndexFunc(c.Streams, func(s Stream) bool { return s.Name == name })
	if i < 0 {
		return Stream{}, false
	}
	return c.Streams[i], true
}

// Configure returns a configured catalog of the named streams, or of all if no name is given. A stream has the given mode if it supports that, and
// its other mode otherwise. A name that the catalog lacks is configured all the same, as a stream with the key "id". "namespace.name" is the
// catalog's stream of that name, in that namespace.
func (c Catalog) Configure(mode string, names ...string) []byte {
	if len(names) == 0 {
		names = c.Names()
	}
	var streams []Stream
	for _, name := range names {
		namespace, own, spaced := strings.Cut(name, ".")
		if !spaced {
			namespace, own = "", name
		}
		s, ok := c.Stream(own)
		s.Namespace = namespace
		if !ok {
			s = Stream{
				Name: name, JSONSchema: json.RawMessage(`{"type":"object","properties":{"id":{"type":"integer"}}}`),
				SupportedSyncModes: []string{FullRefresh}, SourceDefinedPrimaryKey: [][]string{{"id"}},
			}
		}
		streams = append(streams, s)
	}
	return Configured(mode, streams...)
}

// Configured returns a configured catalog of streams. A stream has the given mode if it supports that, and its first mode otherwise. It is
// deduplicated if it has a primary key.
func Configured(mode string, streams ...Stream) []byte {
	configured := struct {
		Streams []configuredStream `json:"streams"`
	}{[]configuredStream{}}
	for _, s := range streams {
		cs := configuredStream{
			Stream: s, SyncMode: mode, CursorField: s.DefaultCursorField,
			DestinationSyncMode: "append_dedup", PrimaryKey: s.SourceDefinedPrimaryKey,
		}
		if !slices.Contains(s.SupportedSyncModes, mode) && len(s.SupportedSyncModes) > 0 {
			cs.SyncMode = s.SupportedSyncModes[0]
		}
		if len(s.SourceDefinedPrimaryKey) == 0 {
			cs.DestinationSyncMode = "append"
		}
		configured.Streams = append(configured.Streams, cs)
	}
	body, err := json.Marshal(configured)
	if err != nil { // a schema that was read from a line is valid JSON
		panic(fmt.Sprintf("configuring a catalog: %v", err))
	}
	return body
}
