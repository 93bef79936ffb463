package acceptance

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// margin is how long before a state's mark the rows may have changed that the next sync sends again: any of them may have become visible late.
const margin = 15 * time.Minute

// within are the keys of those rows of a stream, out of rows, whose times lie within the margin before the mark of state, a document of
// that stream; a time that shows no seconds, or only the day, stands for all that it may mean. There are none where state has no mark.
func (f fixture) within(t *testing.T, stream string, state []byte, rows []harness.Row) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	s, _ := f.catalog.Stream(stream[strings.Index(stream, ".")+1:])
	if len(s.DefaultCursorField) == 0 || len(state) == 0 {
		return keys
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(state, &members); err != nil {
		t.Fatal(err)
	}
	mark, ok := moment(strings.Trim(string(members[s.DefaultCursorField[0]]), `"`))
	if !ok {
		return keys
	}
	for _, row := range rows {
		at, ok := moment(row.Mark)
		if !ok || at.After(mark) {
			continue
		}
		until := at
		switch clock := row.Mark[len("2006-01-02T"):]; {
		case strings.HasPrefix(clock, "00:00:00"):
			until = at.AddDate(0, 0, 1).Add(-1)
		case clock[len("15:04:"):][:2] == "00":
			until = at.Add(time.Minute - 1)
		}
		if !until.Before(mark.Add(-margin)) {
			keys[row.Key] = true
		}
	}
	return keys
}

// moment is a time as records and states have it.
func moment(text string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339Nano, text)
	return at, err == nil
}

// following holds a run that went on from state, a --state file, against what the sync after a complete one must bring of the named streams,
// or of all: that, and of what they have no more than the rows within the margin before their marks.
func (f fixture) following(t *testing.T, a *api, state []byte, res *harness.Result, streams ...string) {
	t.Helper()
	want := next(a)
	maps.DeleteFunc(want, func(stream string, _ sim.Keys) bool { return len(streams) > 0 && !slices.Contains(streams, stream) })
	for stream, blob := range blobs(t, state) {
		keys, there := want[stream], full(a)[stream]
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
