package state_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/state"
)

func TestParse(t *testing.T) {
	stream := `{"type":"STREAM","stream":{"stream_descriptor":{"name":"properties"},"stream_state":{"a":1}}}`
	tests := []struct {
		name, in string
		want     map[string]string
		bad      bool
	}{
		{name: "nothing", in: " \n"},
		{name: "null", in: `null`},
		{name: "empty list", in: `[]`},
		{name: "empty object", in: ` {} `},
		{name: "one stream", in: `[` + stream + `]`, want: map[string]string{"properties": `{"a":1}`}},
		{name: "a message alone", in: stream, want: map[string]string{"properties": `{"a":1}`}},
		{name: "a connector's own line", in: `[{"type":"STATE","state":` + stream + `}]`, want: map[string]string{"properties": `{"a":1}`}},
		{name: "the last one counts", in: `[` + stream + `,{"stream":{"stream_descriptor":{"name":"properties"},"stream_state":{"a":2}}}]`,
			want: map[string]string{"properties": `{"a":2}`}},
		{name: "no document", in: `[{"stream":{"stream_descriptor":{"name":"properties"},"stream_state":null}}]`},
		{name: "global", in: `[{"type":"GLOBAL","global":{"stream_states":[{"stream_descriptor":{"name":"x"},"stream_state":{}}]}}]`,
			want: map[string]string{"x": `{}`}},
		{name: "global of another connector", in: `[{"type":"GLOBAL","global":{"shared_state":{"lsn":7},"stream_states":[]}}]`, bad: true},
		{name: "global and empty", in: `[{"type":"GLOBAL","global":{"shared_state":{},"stream_states":[]}}]`},
		{name: "legacy", in: `{"properties":{"last_updated_at":"2020-01-01"}}`, bad: true},
		{name: "broken", in: `[{`, bad: true},
		{name: "text", in: `"x"`, bad: true},
		{name: "numbers", in: `[1]`, bad: true},
		{name: "no name", in: `[{"stream":{"stream_state":{}}}]`, bad: true},
		{name: "a document that is no object", in: `[{"stream":{"stream_descriptor":{"name":"x"},"stream_state":[1]}}]`, bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, err := state.Parse([]byte(tt.in))
			if tt.bad {
				wantConfig(t, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for name, doc := range in {
				got[name] = string(doc)
			}
			if !maps.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func wantConfig(t *testing.T, err error) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Config {
		t.Fatalf("got %v, want a config error", err)
	}
}

func TestForeign(t *testing.T) {
	known := []string{"a", "b"}
	if err := (state.Input{}).Foreign(known); err != nil {
		t.Error(err)
	}
	if err := (state.Input{"b": nil, "gone": nil}).Foreign(known); err != nil {
		t.Error("a stream that does not exist any more is no error:", err)
	}
	wantConfig(t, state.Input{"issues": nil}.Foreign(known))
}

func TestDocRoundTrip(t *testing.T) {
	brazil, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	removed, done := &state.Set{}, &state.Set{}
	for _, k := range []string{"3", "1", "2", "9"} {
		removed.Add(k)
		done.Add(k)
	}
	at := time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)
	tests := []struct {
		doc    state.Doc
		cursor string
		want   string
	}{
		{state.Doc{}, "t", `{"t":null}`},
		{state.Doc{}, "", `{"__ab_no_cursor_state_message":true}`},
		{state.Doc{Mark: at}, "t", `{"t":"2026-03-01T10:00:00-03:00"}`},
		{state.Doc{Mark: at.Add(3 * time.Millisecond), Removed: removed}, "t", `{"removed":"1-3,9","t":"2026-03-01T10:00:00.003-03:00"}`},
		{state.Doc{Mark: at, Cycle: &state.Cycle{Start: at, Max: at, Slices: []string{"b", "a"}, Done: done, Records: 7}}, "t",
			`{"cycle":{"start":"2026-03-01T13:00:00Z","max":"2026-03-01T13:00:00Z","slices":["a","b"],"done":"1-3,9","records":7},` +
				`"t":"2026-03-01T10:00:00-03:00"}`},
		{state.Doc{Cycle: &state.Cycle{Start: at, Place: &state.Place{Of: "x", At: "0:k7", Rows: 8}, Records: 7}}, "t",
			`{"cycle":{"start":"2026-03-01T13:00:00Z","place":{"of":"x","at":"0:k7","rows":8},"records":7}}`},
	}
	for _, tt := range tests {
		raw, err := tt.doc.Encode(tt.cursor, brazil)
		if err != nil || string(raw) != tt.want {
			t.Errorf("encoded %s, %v, want %s", raw, err, tt.want)
		}
		doc, err := state.Decode("s", raw, tt.cursor, nil, brazil)
		if err != nil {
			t.Errorf("decoding %s: %v", raw, err)
		}
		again, err := doc.Encode(tt.cursor, brazil)
		if err != nil || tt.cursor != "" && !bytes.Equal(raw, again) {
			t.Errorf("encoded again %s, %v, want %s", again, err, raw)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, doc := range []string{
		`{"updated_at":"2020-01-01"}`, `{"t":17}`, `{"t":"yesterday"}`, `{"t":"2020-01-01","removed":"1-x"}`, `{"cycle":"x"}`,
		`{"cycle":{"place":3}}`, `{"removed":"5-1"}`,
		`{"removed":"1-99999999999999"}`,
	} {
		if d, err := state.Decode("s", json.RawMessage(doc), "t", nil, time.UTC); err == nil {
			t.Errorf("%s was taken for %+v", doc, d)
		} else {
			wantConfig(t, err)
		}
	}
	for _, doc := range []string{``, `{}`, `{"t":null}`, `{"t":""}`, `{"__ab_no_cursor_state_message":true}`, `{"__ab_full_refresh_sync_complete":true}`} {
		if d, err := state.Decode("s", json.RawMessage(doc), "t", nil, time.UTC); err != nil || !d.Mark.IsZero() {
			t.Errorf("%s was taken for %+v, %v", doc, d, err)
		}
	}
}

func TestSet(t *testing.T) {
	tests := []struct {
		keys []string
		want string
	}{
		{nil, `""`},
		{[]string{"5"}, `"5"`},
		{[]string{"-2", "-1", "0", "7"}, `"-2-0,7"`},
		{[]string{"9223372036854775807", "9223372036854775806"}, `"9223372036854775806-9223372036854775807"`},
		{[]string{"a0X", "07", "1"}, `["07","1","a0X"]`},
	}
	for _, tt := range tests {
		s := &state.Set{}
		for _, k := range tt.keys {
			s.Add(k)
			s.Add(k)
		}
		raw, err := json.Marshal(s)
		if err != nil || string(raw) != tt.want {
			t.Errorf("%v became %s, %v, want %s", tt.keys, raw, err, tt.want)
		}
		var again state.Set
		if err := json.Unmarshal(raw, &again); err != nil || again.Len() != len(tt.keys) {
			t.Errorf("%s became a set of %d, %v", raw, again.Len(), err)
		}
		if !slices.ContainsFunc(append(tt.keys, "x"), func(k string) bool { return again.Has(k) == (k == "x") }) {
			continue
		}
		t.Errorf("%s lost a key", raw)
	}
	if (*state.Set)(nil).Has("1") || (*state.Set)(nil).Len() != 0 {
		t.Error("the nil set is not empty")
	}
}

func TestSetStaysSmall(t *testing.T) {
	s := &state.Set{}
	for i := range 10_000 {
		s.Add(strconv.Itoa(587_200 + i*7))
	}
	raw, err := json.Marshal(s)
	if err != nil || len(raw) > 80_000 {
		t.Errorf("10,000 scattered keys take %d bytes, %v", len(raw), err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"type":"STREAM","stream":{"stream_descriptor":{"name":"p"},"stream_state":{"t":"2020-01-01","cycle":{"done":"1-3"}}}}]`))
	f.Add([]byte(`{"type":"STATE","state":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		in, err := state.Parse(data)
		if !bytes.Equal(before, data) {
			t.Error("the input was changed")
		}
		if err != nil {
			wantConfig(t, err)
		}
		for name, doc := range in {
			if !json.Valid(doc) {
				t.Errorf("the document of %q is not JSON: %q", name, doc)
			}
			d, err := state.Decode(name, doc, "t", nil, time.UTC)
			if err != nil {
				wantConfig(t, err)
				continue
			}
			first, err := d.Encode("t", time.UTC)
			if err != nil {
				continue // a year beyond what JSON's times can write
			}
			d, err = state.Decode(name, first, "t", nil, time.UTC)
			if err != nil {
				t.Fatalf("%s, which was written here, is refused: %v", first, err)
			}
			if second, err := d.Encode("t", time.UTC); err != nil || !bytes.Equal(first, second) {
				t.Errorf("%s became %s, %v", first, second, err)
			}
		}
	})
}
