package protocol

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestEcho checks that a state comes back unchanged, whatever it contains, except for the destination's counts.
func TestEcho(t *testing.T) {
	for in, want := range map[string]string{
		`{"type":"STREAM","stream":{"stream_descriptor":{"name":"deals"},"stream_state":{"n":1.50,"t":"\u00e9<&>"}},"id":7,"sourceStats":{"recordCount":3.0},"x" : [1, 2]}`: `{"type":"STREAM","stream":{"stream_descriptor":{"name":"deals"},"stream_state":{"n":1.50,"t":"\u00e9<&>"}},"id":7,"sourceStats":{"recordCount":3.0},"x" : [1, 2],` +
			`"destinationStats":{"recordCount":3.0,"rejectedRecordCount":1.0}}`,
		`{"type":"GLOBAL","destinationStats":{"recordCount":9.0},"global":{"shared_state":{"a":1},"stream_states":[]}}`: `{"type":"GLOBAL",` +
			`"destinationStats":{"recordCount":3.0,"rejectedRecordCount":1.0},"global":{"shared_state":{"a":1},"stream_states":[]}}`,
		`{"data":{"legacy":true}}`: `{"data":{"legacy":true},"destinationStats":{"recordCount":3.0,"rejectedRecordCount":1.0}}`,
	} {
		for m, err := range Read(strings.NewReader(`{"type":"STATE","state":` + in + `}`)) {
			must(t, err)
			got := emitted(t, func(t *testing.T, e *Emitter) {
				t.Helper()
				must(t, e.Echo(m.State, StateStats{RecordCount: 3, RejectedRecordCount: 1}))
			})
			if len(got) != 1 || got[0] != `{"type":"STATE","state":`+want+`}` {
				t.Errorf("got %q, want %s", got, want)
			}
		}
	}
}

func TestDestinationCatalog(t *testing.T) {
	got := emitted(t, func(t *testing.T, e *Emitter) {
		t.Helper()
		must(t, e.DestinationCatalog(&DestinationCatalog{Operations: []DestinationOperation{
			{ObjectName: "cancel", SyncMode: "update", JSONSchema: json.RawMessage(`{}`), MatchingKeys: [][]string{{"id"}}}, {ObjectName: "add"},
		}}))
	})
	const want = `{"type":"DESTINATION_CATALOG","destination_catalog":{"operations":[{"object_name":"cancel","sync_mode":"update",` +
		`"json_schema":{},"matching_keys":[["id"]]},{"object_name":"add","sync_mode":"","json_schema":null}]}}`
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %s", got, want)
	}
}
