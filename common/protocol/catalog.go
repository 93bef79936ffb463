package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// SyncMode is how a source reads a stream.
type SyncMode string

// The sync modes of a source.
const (
	FullRefresh SyncMode = "full_refresh"
	Incremental SyncMode = "incremental"
)

// Descriptor names a stream. It is comparable and serves as a map key.
type Descriptor struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
}

// Stream is an AirbyteStream, which describes a stream of a source.
type Stream struct {
	Name                    string          `json:"name"`
	Namespace               string          `json:"namespace,omitempty"`
	JSONSchema              json.RawMessage `json:"json_schema"`
	SupportedSyncModes      []SyncMode      `json:"supported_sync_modes"`
	SourceDefinedCursor     bool            `json:"source_defined_cursor,omitempty"`
	DefaultCursorField      []string        `json:"default_cursor_field,omitempty"`
	SourceDefinedPrimaryKey [][]string      `json:"source_defined_primary_key,omitempty"`
	IsResumable             bool            `json:"is_resumable"`
}

// Catalog is an AirbyteCatalog, the answer to discover.
type Catalog struct {
	Streams []Stream `json:"streams"`
}

// ConfiguredStream is a ConfiguredAirbyteStream, which says how the user wants a stream to be read.
type ConfiguredStream struct {
	Stream                Stream     `json:"stream"`
	SyncMode              SyncMode   `json:"sync_mode"`
	CursorField           []string   `json:"cursor_field,omitempty"`
	DestinationSyncMode   string     `json:"destination_sync_mode"`
	DestinationObjectName string     `json:"destination_object_name,omitempty"`
	PrimaryKey            [][]string `json:"primary_key,omitempty"`
	GenerationID          *int64     `json:"generation_id,omitempty"`
	MinimumGenerationID   *int64     `json:"minimum_generation_id,omitempty"`
	SyncID                *int64     `json:"sync_id,omitempty"`
}

// Descriptor returns the name and namespace of the stream.
func (s ConfiguredStream) Descriptor() Descriptor {
	return Descriptor{Name: s.Stream.Name, Namespace: s.Stream.Namespace}
}

// ConfiguredCatalog is a ConfiguredAirbyteCatalog, the input of read and write.
type ConfiguredCatalog struct {
	Streams []ConfiguredStream `json:"streams"`
}

// DestinationCatalog is a destination's answer to discover.
type DestinationCatalog struct {
	Operations []DestinationOperation `json:"operations"`
}

// DestinationOperation says what a destination does with the records of a stream whose destination_object_name is ObjectName.
type DestinationOperation struct {
	ObjectName   string          `json:"object_name"`
	SyncMode     string          `json:"sync_mode"`
	JSONSchema   json.RawMessage `json:"json_schema"`
	MatchingKeys [][]string      `json:"matching_keys,omitempty"`
}

// howToConfigure is a command that turns the output of discover into a configured catalog.
const howToConfigure = `jq -s '{streams: [.[] | (.catalog // .) | .streams[]? | ` +
	`{stream: ., sync_mode: .supported_sync_modes[-1], destination_sync_mode: "append"}]}'`

// ParseCatalog reads a configured catalog. A fault of the catalog as a whole is a [fault.Config] error: broken JSON, no list of streams, a stream
// without a name, a stream twice, or a catalog as discover prints it, which does not say how streams are read. The error names streams and positions,
// and nothing else of the catalog. Unknown keys are tolerated. A sync mode is kept even if it is unknown, because it is checked when the stream is
// read, so that one bad stream does not stop the others.
func ParseCatalog(data []byte) (*ConfiguredCatalog, error) {
	var cat ConfiguredCatalog
	if err := json.Unmarshal(data, &cat); err != nil {
		return nil, catalogFault(data, err)
	}
	if discovered(data) {
		return nil, fault.Configf("The catalog is one as discover prints it, which does not say how its streams are to be read. "+
			"%s makes a configured catalog of discover's output.", howToConfigure)
	}
	if cat.Streams == nil {
		return nil, fault.Configf(`The configured catalog has no list "streams".`)
	}
	seen := make(map[Descriptor]bool, len(cat.Streams))
	for i, s := range cat.Streams {
		d := s.Descriptor()
		switch {
		case d.Name == "":
			return nil, fault.Configf("Stream %d of the configured catalog has no name.", i+1)
		case seen[d]:
			return nil, fault.Configf("The configured catalog has the stream %q twice.", d.Name)
		}
		seen[d] = true
	}
	return &cat, nil
}

// discovered reports whether data is the answer to discover, with or without its message.
func discovered(data []byte) bool {
	var answer struct {
		Catalog json.RawMessage `json:"catalog"`
		Streams []struct {
			Name   string          `json:"name"`
			Schema json.RawMessage `json:"json_schema"`
			Stream json.RawMessage `json:"stream"`
		} `json:"streams"`
	}
	if json.Unmarshal(data, &answer) != nil {
		return false
	}
	if len(answer.Streams) == 0 {
		return answer.Catalog != nil
	}
	first := answer.Streams[0]
	return first.Stream == nil && first.Name != "" && first.Schema != nil
}

func catalogFault(data []byte, err error) error {
	if where, broken := Broken(data, err); broken {
		return &fault.Error{Kind: fault.Config, Message: "The configured catalog is broken JSON at " + where + "."}
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && kind.Field != "" {
		return fault.Configf("The configured catalog has the wrong type of value at %q (%s).", kind.Field, where(data, kind.Offset))
	}
	return fault.Configf("The configured catalog is not a JSON object.")
}

// Broken returns the position in data of the syntax error err from encoding/json, in words. broken is false for any other error. The text of err is
// not for users, because it quotes the data.
func Broken(data []byte, err error) (position string, broken bool) {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return "", false
	}
	return where(data, syntax.Offset), true
}

// where returns an offset as a line and a column, both counted from 1. encoding/json counts an offset to one past the byte in question.
func where(data []byte, offset int64) string {
	before := data[:max(0, min(int(offset), len(data))-1)]
	line := 1 + bytes.Count(before, []byte{'\n'})
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("line %d, column %d", line, column)
}
