package state_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
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
		{name: "documents are not judged, only those that are decoded",
			in:   `[{"stream":{"stream_descriptor":{"name":"x"},"stream_state":[1]}},{"stream":{"stream_descriptor":{"name":"y"},"stream_state":7}}]`,
			want: map[string]string{"x": `[1]`, "y": `7`}},
		{name: "two namespaces of one stream",
			in: `[{"stream":{"stream_descriptor":{"name":"x","namespace":"a"},"stream_state":{"t":1}}},
				{"stream":{"stream_descriptor":{"name":"x","namespace":null},"stream_state":{"t":2}}},
				{"stream":{"stream_descriptor":{"name":"x","namespace":"b"},"stream_state":null}}]`,
			want: map[string]string{"a.x": `{"t":1}`, "x": `{"t":2}`}},
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
			for d, doc := range in {
				got[strings.TrimPrefix(d.Namespace+"."+d.Name, ".")] = string(doc)
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
	if err := (state.Input{{Name: "b", Namespace: "n"}: nil, {Name: "gone"}: nil}).Foreign(known); err != nil {
		t.Error("a stream that does not exist any more is no error:", err)
	}
	wantConfig(t, state.Input{{Name: "issues"}: nil}.Foreign(known))
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
	const mark, start = `"t":"2026-03-01T10:00:00-03:00"`, `"start":"2026-03-01T13:00:00Z"`
	tests := []struct {
		doc    state.Doc
		cursor string
		want   string
	}{
		{state.Doc{}, "t", `{"t":null}`},
		{state.Doc{}, "", `{"__ab_no_cursor_state_message":true}`},
		{state.Doc{Mark: at}, "t", `{` + mark + `}`},
		{state.Doc{Mark: at.Add(3 * time.Millisecond), Removed: removed}, "t", `{"removed":"1-3,9","t":"2026-03-01T10:00:00.003-03:00"}`},
		{state.Doc{Mark: at, Cycle: &state.Cycle{Start: at, Max: at, Slices: []string{"b", "a"}, Done: done, Records: 7}}, "t",
			`{"cycle":{` + start + `,"max":"2026-03-01T13:00:00Z","slices":["a","b"],"done":"1-3,9","records":7},` + mark + `}`},
		{state.Doc{Cycle: &state.Cycle{Mode: "full_refresh", Start: at, Place: &state.Place{Of: "x", At: "0:k7", Rows: 8}, Records: 7}}, "t",
			`{"cycle":{"mode":"full_refresh",` + start + `,"place":{"of":"x","at":"0:k7","rows":8},"records":7},"t":null}`},
		{state.Doc{Cycle: &state.Cycle{Mode: "incremental", From: at, StartDate: at, Start: at, Late: at.In(brazil)}}, "t",
			`{"cycle":{"mode":"incremental","from":"2026-03-01T13:00:00Z","start_date":"2026-03-01T13:00:00Z",` + start +
				`,"late":"2026-03-01T13:00:00Z","records":0},"t":null}`},
		{state.Doc{Mark: at, Parents: &state.Set{}}, "t", `{"parents":"",` + mark + `}`},
		{state.Doc{Mark: at, Parents: done}, "t", `{"parents":"1-3,9",` + mark + `}`},
		{state.Doc{Mark: at, Choice: "id,title"}, "t", `{"choice":"id,title",` + mark + `}`},
		{state.Doc{Mark: at}, "a.b", `{"a.b":"2026-03-01T10:00:00-03:00"}`},
		{state.Doc{Mark: time.Date(1900, 1, 1, 0, 0, 0, 0, brazil)}, "t", `{"t":"1900-01-01T03:06:28Z"}`},
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
		if (doc.Parents == nil) != (tt.doc.Parents == nil) {
			t.Errorf("%s has the parents %v, want %v", raw, doc.Parents, tt.doc.Parents)
		}
		again, err := doc.Encode(tt.cursor, brazil)
		if err != nil || tt.cursor != "" && !bytes.Equal(raw, again) {
			t.Errorf("encoded again %s, %v, want %s", again, err, raw)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, doc := range []string{
		`[1]`, `7`, `"x"`, `null`, `{`, `{"updated_at":"2020-01-01"}`, `{"t":17}`, `{"t":"yesterday"}`, `{"t":{}}`, `{"t":"2020-01-01","removed":"1-x"}`,
		`{"t":null,"cycle":"x"}`, `{"t":null,"cycle":{"place":3}}`, `{"t":null,"removed":"5-1"}`, `{"t":null,"removed":"1-99999999999999999999"}`,
		`{"t":null,"removed":"1-9223372036854775807"}`,
		`{"t":null,"removed":"1-3000000000,2-3000000001"}`, `{"t":null,"removed":{"bitmap":"AAAA"}}`, `{"t":null,"removed":{"bitmap":7}}`,
		`{"t":null,"removed":[1]}`, `{"t":null,"removed":[["1"]]}`, `{"t":null,"removed":{"texts":{}}}`, `{"t":null,"parents":true}`,
		// no mark, and no null in its place
		`{"__ab_no_cursor_state_message":true}`, `{"__ab_full_refresh_sync_complete":true}`, `{"removed":"1"}`, `{"parents":""}`,
		`{"cycle":{}}`, `{"cycle":{"mode":"incremental","start":"2026-01-01T00:00:00Z"}}`, `{"T":"2020-01-01"}`,
	} {
		if d, err := state.Decode("s", json.RawMessage(doc), "t", nil, time.UTC); err == nil {
			t.Errorf("%s was taken for %+v", doc, d)
		} else {
			wantConfig(t, err)
		}
	}
	for _, doc := range []string{
		``, `{}`, ` { } `, `{"t":null}`, `{"t":""}`, `{"t":null,"more":[1]}`, `{"cycle":{"start":"2026-01-01T00:00:00Z","done":"1-4","records":4}}`,
	} {
		if d, err := state.Decode("s", json.RawMessage(doc), "t", nil, time.UTC); err != nil || !d.Mark.IsZero() {
			t.Errorf("%s was taken for %+v, %v", doc, d, err)
		}
	}
	for _, doc := range []string{``, `{}`, `{"__ab_no_cursor_state_message":true}`, `{"__ab_full_refresh_sync_complete":true}`} {
		if _, err := state.Decode("s", json.RawMessage(doc), "", nil, time.UTC); err != nil {
			t.Errorf("%s of a stream without a cursor: %v", doc, err)
		}
	}
	_, err := state.Decode("s", json.RawMessage(`{"t":"2020-01-01"}`), "", nil, time.UTC)
	wantConfig(t, err)
}

func TestContinues(t *testing.T) {
	at := time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)
	c := &state.Cycle{Mode: protocol.Incremental, From: at, StartDate: at.Add(-time.Hour)}
	if !c.Continues(protocol.Incremental, at.In(time.FixedZone("", 3600)), at.Add(-time.Hour)) {
		t.Error("the same pass does not continue")
	}
	if c.Continues(protocol.FullRefresh, c.From, c.StartDate) || c.Continues(c.Mode, time.Time{}, c.StartDate) || c.Continues(c.Mode, c.From, time.Time{}) ||
		(*state.Cycle)(nil).Continues("", time.Time{}, time.Time{}) || (&state.Cycle{Start: at}).Continues(protocol.FullRefresh, time.Time{}, time.Time{}) {
		t.Error("another pass continues")
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
		{[]string{"9223372036854775807", "9223372036854775806", "9007199254740991"},
			`{"numbers":"9007199254740991","texts":["9223372036854775806","9223372036854775807"]}`},
		{[]string{"9223372036854775807", "-9223372036854775808"}, `["-9223372036854775808","9223372036854775807"]`},
		{[]string{"9223372036854775808", "+1", ""}, `["","+1","9223372036854775808"]`},
		{[]string{"a0X", "07", "1", "2"}, `{"numbers":"1-2","texts":["07","a0X"]}`},
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
		if err := json.Unmarshal(raw, &again); err != nil || again.Len() != int64(len(tt.keys)) {
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
	for _, want := range []string{`{"bitmap":"`, `"texts":["a"]`} {
		raw, err := json.Marshal(s)
		if err != nil || len(raw) > 30_000 || !strings.Contains(string(raw), want) {
			t.Errorf("10,000 scattered keys take %d bytes, %v: %.100s", len(raw), err, raw)
		}
		var again state.Set
		if err := json.Unmarshal(raw, &again); err != nil || again.Len() != s.Len() || !again.Has("657193") || again.Has("657194") {
			t.Errorf("they became %d keys, %v", again.Len(), err)
		}
		s.Add("a")
	}
}

// TestSetsOfOthers checks that a state costs little, however many keys it has.
func TestSetsOfOthers(t *testing.T) {
	for _, tt := range []struct {
		in       string
		has, not []string
		len      int64
		out      string
	}{
		{`"1-9999999"`, []string{"1", "5000", "9999999"}, []string{"0", "10000000", "x"}, 9_999_999, `"1-9999999"`},
		{`"0-4000000000"`, []string{"0", "3999999999"}, []string{"00", "-1"}, 4_000_000_001, `"0-4000000000"`},
		{`"9007199254740990-9007199254740993,5"`, []string{"5", "9007199254740991", "9007199254740992"}, []string{"9007199254740994"}, 5,
			`{"numbers":"5,9007199254740990-9007199254740991","texts":["9007199254740992","9007199254740993"]}`},
		{`"2024000000001-2024002000000"`, []string{"2024000000001", "2024002000000"}, []string{"2024002000001"}, 2_000_000, `"2024000000001-2024002000000"`},
		{`"7-9,1-3,2-5,4,8,-3--2"`, []string{"-3", "1", "5", "9"}, []string{"-1", "0", "6", "10"}, 10, `"-3--2,1-5,7-9"`},
		{`["2","1","a","3","07","1"]`, []string{"1", "a", "07"}, []string{"7"}, 5, `{"numbers":"1-3","texts":["07","a"]}`},
		{`{"numbers":"1-9999999","texts":["a"]}`, []string{"a", "77"}, nil, 10_000_000, `{"numbers":"1-9999999","texts":["a"]}`},
		{`null`, nil, []string{"", "null"}, 0, `""`},
	} {
		var s state.Set
		if err := json.Unmarshal([]byte(tt.in), &s); err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		for _, key := range append(tt.has, tt.not...) {
			if s.Has(key) != slices.Contains(tt.has, key) {
				t.Errorf("%s has %q: %v", tt.in, key, s.Has(key))
			}
		}
		all := &state.Set{}
		all.AddAll(&s)
		all.AddAll(&s)
		if out, err := json.Marshal(all); err != nil || string(out) != tt.out || s.Len() != tt.len || all.Len() != tt.len {
			t.Errorf("%s became %s of %d and %d keys, %v", tt.in, out, s.Len(), all.Len(), err)
		}
	}
}

// orders yields a hundred thousand keys in various orders.
func orders() map[string]func(i int) int {
	random := rand.New(rand.NewPCG(1, 2))
	shuffled := random.Perm(100_000)
	return map[string]func(i int) int{
		"in order":  func(i int) int { return i },
		"backwards": func(i int) int { return -i },
		"shuffled":  func(i int) int { return shuffled[i] },
		"scattered": func(i int) int { return shuffled[i] * 7 },
	}
}

func TestSetTakesKeysInAnyOrder(t *testing.T) {
	for name, key := range orders() {
		s, n := &state.Set{}, 20_000
		for i := range n {
			s.Add(strconv.Itoa(key(i)))
		}
		for i := range n {
			if !s.Has(strconv.Itoa(key(i))) || s.Has(strconv.Itoa(key(i))+"0000000") {
				t.Fatalf("%s: key %d is not as it was added", name, key(i))
			}
		}
		if s.Len() != int64(n) {
			t.Errorf("%s: %d keys of %d", name, s.Len(), n)
		}
	}
}

func BenchmarkSetAdd(b *testing.B) {
	for name, key := range orders() {
		keys := make([]string, 100_000)
		for i := range keys {
			keys[i] = strconv.Itoa(key(i))
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s := &state.Set{}
				for _, k := range keys {
					s.Add(k)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(keys)), "ns/key")
		})
	}
}

// FuzzSet compares a set with a map. The input is keys separated by commas. Keys with a dash in the middle are ranges.
func FuzzSet(f *testing.F) {
	f.Add("1,2,3,07,x,-1,9223372036854775807", "5-9,2,-3--1")
	f.Add("", "7-9,1-3,2-5,4")
	f.Fuzz(func(t *testing.T, added, read string) {
		var s state.Set
		quoted, err := json.Marshal(read)
		if err != nil || json.Unmarshal(quoted, &s) != nil || s.Len() > 1000 {
			s = state.Set{}
		}
		model := map[string]bool{}
		if text, err := json.Marshal(&s); err != nil {
			t.Fatal(err)
		} else if s.Len() > 0 {
			for _, r := range regexp.MustCompile(`(-?\d+)(?:-(-?\d+))?`).FindAllSubmatch(text, -1) {
				from, _ := strconv.ParseInt(string(r[1]), 10, 64)
				to, err := strconv.ParseInt(string(r[2]), 10, 64)
				if err != nil {
					to = from
				}
				for n := from; ; n++ {
					if model[strconv.FormatInt(n, 10)] = true; n == to {
						break
					}
				}
			}
		}
		for key := range strings.SplitSeq(strings.ToValidUTF8(added, ""), ",") {
			if s.Has(key) != model[key] {
				t.Fatalf("it has %q: %v", key, s.Has(key))
			}
			s.Add(key)
			model[key] = true
		}
		raw, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		var again state.Set
		if err := json.Unmarshal(raw, &again); err != nil {
			t.Fatalf("%s, which was written here, is refused: %v", raw, err)
		}
		if s.Len() != int64(len(model)) || again.Len() != s.Len() {
			t.Errorf("%d keys, %d after reading %s, want %d", s.Len(), again.Len(), raw, len(model))
		}
		for key := range model {
			if !s.Has(key) || !again.Has(key) {
				t.Errorf("%q is missing in %s", key, raw)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`[{"type":"STREAM","stream":{"stream_descriptor":{"name":"p"},"stream_state":{"t":"2020-01-01","cycle":{"done":"1-3"}}}}]`))
	f.Add([]byte(`{"type":"STATE","state":{}}`))
	f.Add([]byte(`[{"stream":{"stream_descriptor":{"name":"p","namespace":"n"},"stream_state":{"t":null,"parents":"","removed":["a","1"],` +
		`"cycle":{"mode":"incremental","from":"2020-01-01T00:00:00-03:00","late":"2020-01-01T00:00:00Z","start":"2020-01-01T00:00:00Z"}}}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		in, err := state.Parse(data)
		if !bytes.Equal(before, data) {
			t.Error("the input was changed")
		}
		if err != nil {
			wantConfig(t, err)
		}
		for descriptor, doc := range in {
			name := descriptor.Name
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
				continue // a year that JSON times cannot have
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
