package acceptance

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// within returns the keys of those rows of a stream, out of rows, that come again with the next sync; see [harness.Stream.Margin].
func (f fixture) within(t *testing.T, stream string, state []byte, rows []harness.Row) map[string]bool {
	t.Helper()
	s, _ := f.catalog.Stream(stream[strings.Index(stream, ".")+1:])
	keys, err := s.Margin(state, rows)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// moment returns a time as records and states have it.
func moment(text string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339Nano, text)
	return at, err == nil
}

// following holds a run that went on from state, a --state file, against what the sync after a complete one must bring of the named streams,
// or of all: that, and of what they have no more than the rows within the margin before their marks.
func (f fixture) following(t *testing.T, a *api, state []byte, res *harness.Result, streams ...string) {
	t.Helper()
	want, all := next(a), full(a)
	maps.DeleteFunc(want, func(stream string, _ sim.Keys) bool { return len(streams) > 0 && !slices.Contains(streams, stream) })
	for stream, blob := range blobs(t, state) {
		keys, there := want[stream], all[stream]
		if keys.Must == nil {
			continue
		}
		keys.May = maps.Clone(keys.May)
		if keys.May == nil {
			keys.May = map[string]bool{}
		}
		for key := range f.within(t, stream, []byte(blob), res.Of(stream)) {
			if there.Must[key] || there.May[key] {
				keys.May[key] = true
			}
		}
		want[stream] = keys
	}
	compare(t, want, res)
}
