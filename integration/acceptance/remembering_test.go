package acceptance

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// remembering returns the scenarios of what a later sync makes of an earlier one's state.
func remembering() []scenario {
	return []scenario{
		{name: "rows that become visible late", run: visibleLate},
		{name: "marks a day after now", run: dayAhead},
		{name: "full refresh with a mark after now", run: fullRefreshAhead},
		{name: "two namespaces of one stream", run: twoNamespaces},
		{name: "full refresh from the middle of an incremental sync", run: otherMode},
		{name: "states of streams that are not configured", run: passedOver},
		{name: "state that names more than there is", run: namesAll},
	}
}

// drifting starts a simulator whose clock is off by what is stored.
func (f fixture) drifting(t *testing.T) (*api, *atomic.Int64) {
	t.Helper()
	off := &atomic.Int64{}
	now := func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
	return f.start(t, sim.Options{Size: scaled(small, f.portion(3*small)), Now: now}, sim.Behaviour{}), off
}

// visibleLate syncs when the newest rows are of this moment, and again when others are there with times ten minutes before it, as if the
// transactions in which they changed had taken that long to end.
func visibleLate(t *testing.T, f fixture) {
	a, off := f.drifting(t)
	first := f.succeed(t, a, f.read(t, a, nil))
	a.simulator.Change(10, 2)
	second := f.succeed(t, a, f.read(t, a, first.State()))
	off.Store(int64(-10 * time.Minute))
	a.simulator.Change(10, 2)
	changed := next(a)
	for _, s := range f.catalog.Streams {
		if must := len(changed[s.Name].Must); s.Incremental() && must == 0 {
			t.Errorf("the simulator changed no rows of %s", s.Name)
		}
	}
	f.following(t, a, second.State(), f.succeed(t, a, f.read(t, a, second.State())))
}

// shifted returns a --state file with all of its times later.
func shifted(t *testing.T, state []byte, by time.Duration) []byte {
	t.Helper()
	return times.ReplaceAllFunc(state, func(found []byte) []byte {
		at, ok := moment(string(found))
		if !ok {
			t.Fatalf("%s in a state is no time", found)
		}
		return []byte(at.Add(by).Format(time.RFC3339Nano))
	})
}

// ahead returns a --state file whose marks are a day after now, made from the one of a run; it holds no stream that has no mark.
func ahead(t *testing.T, first *harness.Result) []byte {
	t.Helper()
	return times.ReplaceAll(first.State(), []byte(time.Now().Add(24*time.Hour).UTC().Format(time.RFC3339)))
}

// marked counts the rows of a run that are of streams with a mark.
func (f fixture) marked(res *harness.Result) (rows int) {
	for _, stream := range f.catalog.Incremental() {
		rows += len(res.Of(stream))
	}
	return rows
}

// dayAhead goes on from marks that are a day after now, as an API makes them whose clock is ahead, or a machine whose clock went back. What
// changed an hour later still, and a minute before, comes.
func dayAhead(t *testing.T, f fixture) {
	for _, after := range []time.Duration{25 * time.Hour, 24*time.Hour - 5*time.Minute} {
		a, off := f.drifting(t)
		state := ahead(t, f.succeed(t, a, f.read(t, a, nil)))
		off.Store(int64(after))
		a.simulator.Change(10, 2)
		res := f.succeed(t, a, f.read(t, a, state))
		for stream, keys := range next(a) {
			came := res.Keys(stream)
			for key := range keys.Must {
				if came[key] == 0 {
					t.Errorf("%s %s changed %v after now and did not come", stream, key, after)
				}
			}
		}
		if got, want := f.marked(res), f.marked(f.succeed(t, a, f.read(t, a, nil))); got > want/2 {
			t.Errorf("%d of %d rows came of the streams that have a mark", got, want)
		}
	}
}

// fullRefreshAhead hands such a state, and one with marks that no clock made, to a full refresh, which has no use for either.
func fullRefreshAhead(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{})
	first := f.succeed(t, a, f.read(t, a, nil))
	for _, state := range [][]byte{ahead(t, first), shifted(t, first.State(), 20*365*24*time.Hour)} {
		res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.FullRefresh), state))
		compare(t, full(a), res)
		for _, found := range times.FindAll(res.State(), -1) {
			if at, ok := moment(string(found)); ok && at.After(time.Now()) {
				t.Errorf("a full refresh keeps the mark %s", found)
			}
		}
	}
}

// twoNamespaces reads each stream in two namespaces, one of which has a state.
func twoNamespaces(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{})
	first := f.succeed(t, a, f.read(t, a, nil))
	a.simulator.Change(10, 2)
	state := bytes.ReplaceAll(first.State(), []byte(`"stream_descriptor":{`), []byte(`"stream_descriptor":{"namespace":"b",`))
	var names []string
	for _, name := range f.catalog.Names() {
		names = append(names, "a."+name, "b."+name)
	}
	res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, names...), state))
	want := map[string]sim.Keys{}
	for stream, keys := range full(a) {
		want["a."+stream] = keys
	}
	compare(t, want, res)
	second := *res
	second.Rows = nil
	for _, row := range res.Rows {
		if name, ok := strings.CutPrefix(row.Stream, "b."); ok {
			row.Stream = name
			second.Rows = append(second.Rows, row)
		}
	}
	f.following(t, a, first.State(), &second)
}

// otherMode kills an incremental sync after some of its states and hands these to a full refresh, which is no part of it.
func otherMode(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{})
	first := f.succeed(t, a, f.read(t, a, nil))
	a.simulator.Change(20, 2)
	for _, moment := range shuffled(7, 4, len(first.States)) {
		states := 0
		cut := f.run(t, a, f.read(t, a, first.State()), harness.Options{Each: func(m harness.Message, c *harness.Control) {
			if m.Type == "STATE" {
				if states++; states == moment {
					_ = c.Signal(os.Kill) // it may have ended by itself
				}
			}
		}})
		compare(t, full(a), f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.FullRefresh), cut.State())))
	}
}

// passedOver reads one stream with the states of all, which are broken, or another connector's, but for its own.
func passedOver(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small/2, f.portion(small/2))}, sim.Behaviour{})
	first := f.succeed(t, a, f.read(t, a, nil))
	a.simulator.Change(0, 0)
	for _, stream := range f.catalog.Incremental() {
		state := []byte{'['}
		for _, other := range f.catalog.Names() {
			if other != stream {
				state = append(state, `{"type":"STREAM","stream":{"stream_descriptor":{"name":"`+other+`"},"stream_state":["broken"]}},`...)
			}
		}
		state = append(append(state, stateOf(first, stream)...), ']')
		res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, stream), state))
		f.following(t, a, first.State(), res, stream)
	}
	// What a stream was read with that had no mark, or by the Airbyte CDK. Those that have none now are read together.
	for k, doc := range []string{`{"__ab_no_cursor_state_message":true}`, `{"__ab_full_refresh_sync_complete":true}`} {
		state := func(stream string) string {
			return `{"type":"STREAM","stream":{"stream_descriptor":{"name":"` + stream + `"},"stream_state":` + doc + `}}`
		}
		for i, stream := range f.catalog.Incremental() {
			if harness.Full() || i%2 == k {
				f.refused(t, a, "config_error", harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, stream), []byte("["+state(stream)+"]")))
			}
		}
		var unmarked, states []string
		for _, s := range f.catalog.Streams {
			if !s.Incremental() {
				unmarked, states = append(unmarked, s.Name), append(states, state(s.Name))
			}
		}
		if len(unmarked) > 0 {
			state := []byte("[" + strings.Join(states, ",") + "]")
			f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, unmarked...), state))
		}
	}
}

// namesAll goes on from states that say, in a few characters, that a hundred million rows more were sent as removed: none of those that are
// listed, which would be back.
func namesAll(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{})
	first := f.succeed(t, a, f.read(t, a, nil))
	a.simulator.Change(0, 0)
	var states []map[string]any
	if err := json.Unmarshal(first.State(), &states); err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		if stream, ok := s["stream"].(map[string]any); ok {
			if doc, ok := stream["stream_state"].(map[string]any); ok {
				own, _ := doc["removed"].(string)
				doc["removed"] = strings.TrimPrefix(own+",900000-99999999,3-7,-50000000-500000", ",")
			}
		}
	}
	state, err := json.Marshal(states)
	if err != nil {
		t.Fatal(err)
	}
	res := f.succeed(t, a, f.read(t, a, state))
	f.following(t, a, first.State(), res)
	if res.MaxRSS > memory {
		t.Errorf("the read took %.1f MiB, more than %d", float64(res.MaxRSS)/(1<<20), memory>>20)
	}
}
