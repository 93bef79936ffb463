// Package state holds what one sync leaves for the next: the state handed in by the platform, and one document for each stream.
package state

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// Input is the state that a sync begins from: the document of each stream, as it came. Parse does not check the documents; Decode does, so that a
// broken document of a stream that is not configured does no harm. The zero value is a first sync.
type Input map[protocol.Descriptor]json.RawMessage

// Parse reads the platform's state file: an array of state messages of type STREAM (or one of type GLOBAL, whose shared part is ignored), or a single
// message. Each may be inside its protocol envelope {"type":"STATE","state":…}, as in a connector's own output. No bytes, null, [] and {} mean a
// first sync. Anything else, including the protocol's legacy form, is a config error, because treating it as a first sync would silently send
// everything again. If one stream has several documents, the last one is used. Streams with one name in two namespaces are different streams.
func Parse(data []byte) (Input, error) {
	in := Input{}
	if len(bytes.TrimSpace(data)) == 0 {
		return in, nil
	}
	page, _, err := record.Clean(bytes.Clone(data))
	if err != nil {
		return nil, broken("is not valid JSON", err)
	}
	if text := page.String(); text == "null" || text == "{}" || text == "[]" {
		return in, nil
	}
	messages, err := record.Cut(page, "")
	if err != nil {
		return nil, broken("is not a list of state messages", err)
	}
	for i, m := range messages {
		if inner := m.Get("state"); inner.Exists() && m.Get("type").Text() == "STATE" {
			m = inner
		}
		if err := in.add(m, i); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func broken(how string, cause error) error {
	return &fault.Error{
		Kind: fault.Config, Message: "The state " + how + ". Pass the state file as the platform wrote it, or reset the connection's state.",
		Err: cause,
	}
}

func (in Input) add(m record.Value, i int) error {
	switch {
	case m.Get("stream").Exists():
		return in.stream(m.Get("stream"), i)
	case m.Get("global").Exists():
		states := m.Get("global.stream_states").Array()
		if shared := m.Get("global.shared_state"); len(states) == 0 && !shared.IsNull() && string(shared.Raw()) != "{}" {
			return fault.Configf("State message %d has a shared state and none of single streams: it was written by another connector. "+
				"Reset the connection's state.", i+1)
		}
		for _, s := range states {
			if err := in.stream(s, i); err != nil {
				return err
			}
		}
		return nil
	default:
		return fault.Configf("State message %d is neither of type STREAM nor GLOBAL: it was written by another connector or in the legacy format. "+
			"Reset the connection's state.", i+1)
	}
}

func (in Input) stream(s record.Value, i int) error {
	d := protocol.Descriptor{Name: s.Get("stream_descriptor.name").Text(), Namespace: s.Get("stream_descriptor.namespace").Text()}
	if d.Name == "" {
		return fault.Configf("State message %d does not name its stream. Reset the connection's state.", i+1)
	}
	doc := bytes.TrimSpace(s.Get("stream_state").Raw())
	if in[d] = json.RawMessage(doc); len(doc) == 0 || string(doc) == "null" {
		delete(in, d)
	}
	return nil
}

// Foreign returns a config error if in is not empty and all its documents are for streams other than known, the streams of this connector. Such a
// state belongs to another connector. Documents of some streams that no longer exist are not an error.
func (in Input) Foreign(known []string) error {
	for d := range in {
		if slices.Contains(known, d.Name) {
			return nil
		}
	}
	if len(in) == 0 {
		return nil
	}
	return fault.Configf("The state is of other streams than this connector has (%s). Reset the connection's state.", strings.Join(known, ", "))
}
