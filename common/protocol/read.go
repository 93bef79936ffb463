package protocol

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// maxLine is the longest line that Read accepts. The platform warns at 20 million characters. A longer line than maxLine is not a message.
const maxLine = 64 << 20

// LineError is the error for a line that is not a message. It never quotes the line, which may contain anything.
type LineError struct {
	Line int // counted from 1, empty lines included
	Err  error
}

// Error returns the line number and the reason.
func (e *LineError) Error() string { return fmt.Sprintf("reading line %d: %v", e.Line, e.Err) }

// Unwrap returns the reason.
func (e *LineError) Unwrap() error { return e.Err }

// Read reads messages, one on each line. Lines may end in CRLF, the last one needs no line end, and empty ones are skipped. Unknown types and keys
// are not errors, with these exceptions: a type that differs from a known one only in case, an unknown type of a message with a record or a state,
// and an unknown type of a state.
//
// If a line is not a message, Read yields a [*LineError] with an empty Message and goes on with the next line. The destination decides whether to
// report the error or to stop. A line is not a message if it is not JSON, has no type, is longer than 64 MiB, is nested too deeply, lacks what its
// type needs, has a member known to the protocol twice, or is a state with invalid text. For a last line that is not JSON and has no line end, the
// reason is [ErrCut]. Any other error comes from r and ends the sequence. Messages share no memory with each other.
func Read(r io.Reader) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		lines := bufio.NewReaderSize(r, bufferSize)
		for number := 1; ; number++ {
			line, err := readLine(lines)
			switch {
			case errors.Is(err, errTooLong):
				if !yield(Message{}, &LineError{number, err}) {
					return
				}
				continue
			case err == io.EOF && len(line) == 0: //nolint:errorlint // bufio returns a reader's io.EOF bare
				return
			case err != nil && err != io.EOF: //nolint:errorlint // see above
				yield(Message{}, fmt.Errorf("reading messages: %w", err))
				return
			}
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			message, broken := parse(line)
			if err == io.EOF && errors.Is(broken, errNotJSON) { //nolint:errorlint // see above
				broken = ErrCut
			}
			if broken != nil {
				message, broken = Message{}, &LineError{number, broken}
			}
			if !yield(message, broken) {
				return
			}
		}
	}
}

// ErrCut means that the input ended in the middle of a line.
var ErrCut = errors.New("the input ended in the middle of the line")

var (
	errTooLong = fmt.Errorf("the line is longer than %d MiB", maxLine>>20)
	errNotJSON = errors.New("the line is not JSON")
)

// readLine returns the next line with its line end, in its own memory. With io.EOF it returns the rest of the input. A line that is too long is read
// to its end and discarded.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		part, err := r.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > maxLine; tooLong {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case tooLong && (err == nil || err == io.EOF):
			return nil, errTooLong
		default:
			return line, err
		}
	}
}

// parse turns a line into a message.
func parse(line []byte) (Message, error) {
	clean, mended, err := record.Clean(line)
	switch {
	case errors.Is(err, record.ErrTooDeep):
		return Message{}, record.ErrTooDeep
	case err != nil:
		return Message{}, errNotJSON
	}
	m := Message{Type: Type(clean.Get("type").Text()), Raw: clean.Raw()}
	if m.Type == "" {
		return Message{}, errors.New("the line has no type")
	}
	if hasTwice(clean, "type", "record", "state", "log", "spec", "connectionStatus", "catalog", "trace", "control") {
		return Message{}, errors.New("the message has a member twice")
	}
	switch m.Type {
	case TypeRecord:
		m.Record, err = parseRecord(clean.Get("record"))
	case TypeState:
		if mended != (record.Mended{}) {
			return Message{}, errors.New("the state has characters that cannot be given back as they came")
		}
		m.State, err = parseState(clean.Get("state"))
	case TypeLog:
		m.Log, err = decode[Log](clean, "log")
	case TypeSpec:
		if m.Spec = clean.Get("spec").Raw(); m.Spec == nil {
			err = errors.New(`the message has no "spec"`)
		}
	case TypeConnectionStatus:
		m.ConnectionStatus, err = decode[ConnectionStatus](clean, "connectionStatus")
	case TypeCatalog:
		m.Catalog, err = decode[Catalog](clean, "catalog")
	case TypeTrace:
		m.Trace, err = decode[Trace](clean, "trace")
	case TypeControl:
		m.Control, err = decode[Control](clean, "control")
	case TypeDestinationCatalog:
	default:
		err = misspelt(m.Type, clean)
	}
	return m, err
}

// hasTwice reports whether an object has one of the known members of the protocol more than once, because readers may then use different ones. Other
// repeated members do not matter; PyAirbyte sends states with such.
func hasTwice(object record.Value, known ...string) bool {
	seen := map[string]bool{}
	for name := range object.Members() {
		if seen[name] && slices.Contains(known, name) {
			return true
		}
		seen[name] = true
	}
	return false
}

// misspelt returns an error for a message of unknown type that seems to have a misspelt known type, because it must not be skipped.
func misspelt(t Type, message record.Value) error {
	switch Type(strings.ToUpper(string(t))) {
	case TypeRecord, TypeState, TypeLog, TypeSpec, TypeConnectionStatus, TypeCatalog, TypeTrace, TypeControl, TypeDestinationCatalog:
		return errors.New("the type of the message is not in capitals")
	}
	for name := range message.Members() {
		if strings.EqualFold(name, "record") || strings.EqualFold(name, "state") {
			return errors.New("the message has a record or a state, and another type")
		}
	}
	return nil
}

// decode reads the object at key, which is required.
func decode[T any](message record.Value, key string) (*T, error) {
	raw := message.Get(key).Raw()
	if len(raw) == 0 || raw[0] != '{' {
		return nil, fmt.Errorf("the message has no object %q", key)
	}
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, fmt.Errorf("the message's %q has a value of the wrong type", key)
	}
	return &v, nil
}

func parseRecord(raw record.Value) (*RecordMessage, error) {
	m := RecordMessage{
		Descriptor: Descriptor{Name: raw.Get("stream").Text(), Namespace: raw.Get("namespace").Text()},
		Data:       raw.Get("data").Raw(),
	}
	m.EmittedAt, _ = raw.Get("emitted_at").Int()
	var err error
	switch m.Changes, err = parseChanges(raw.Get("meta")); {
	case hasTwice(raw, "stream", "namespace", "data", "emitted_at", "meta"):
		return nil, errors.New("the record has a member twice")
	case err != nil:
		return nil, err
	case m.Name == "":
		return nil, errors.New("the record has no stream")
	case len(m.Data) == 0 || m.Data[0] != '{':
		return nil, errors.New("the record has no data that is an object")
	}
	return &m, nil
}

// parseChanges reads the changes in a record's meta. It returns an error if a change does not name its field.
func parseChanges(meta record.Value) ([]Change, error) {
	if meta.IsNull() {
		return nil, nil
	}
	var wire struct {
		Changes []Change `json:"changes"`
	}
	_, twice := meta.TwiceAnywhere()
	if err := json.Unmarshal(meta.Raw(), &wire); err != nil || twice ||
		slices.ContainsFunc(wire.Changes, func(c Change) bool { return c.Field == "" }) {
		return nil, errors.New("the record's meta does not say which fields were changed")
	}
	return wire.Changes, nil
}

func parseState(value record.Value) (*State, error) {
	raw := value.Raw()
	var wire struct {
		Type   StateType `json:"type"`
		Stream struct {
			Descriptor Descriptor      `json:"stream_descriptor"`
			Blob       json.RawMessage `json:"stream_state"`
		} `json:"stream"`
		SourceStats      *StateStats `json:"sourceStats"`
		DestinationStats *StateStats `json:"destinationStats"`
	}
	if len(raw) == 0 || raw[0] != '{' {
		return nil, errors.New(`the message has no object "state"`)
	}
	if err := json.Unmarshal(raw, &wire); err != nil {
		return nil, errors.New(`the message's "state" has a value of the wrong type`)
	}
	if hasTwice(value, "type", "stream", "global", "data", "sourceStats", "destinationStats") ||
		hasTwice(value.Get("stream"), "stream_descriptor", "stream_state") ||
		hasTwice(value.Get("stream.stream_descriptor"), "name", "namespace") ||
		hasTwice(value.Get("global"), "shared_state", "stream_states") {
		return nil, errors.New("the state has a member twice")
	}
	s := &State{Type: wire.Type, SourceStats: wire.SourceStats, DestinationStats: wire.DestinationStats, Raw: raw}
	switch wire.Type {
	case "":
		s.Type = StateLegacy
	case StateGlobal, StateLegacy:
	case StateStream:
		s.Descriptor, s.Blob = wire.Stream.Descriptor, wire.Stream.Blob
		if s.Descriptor.Name == "" {
			return nil, errors.New("the state of a stream does not say which")
		}
	default:
		return nil, errors.New("the state has an unknown type")
	}
	return s, nil
}
