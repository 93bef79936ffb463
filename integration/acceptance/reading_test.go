package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// reading returns the scenarios of reads that nothing goes wrong with, and of states.
func reading() []scenario {
	return []scenario{
		{name: "big read", run: bigRead, alone: true},
		{name: "full read", run: fullRead, image: harness.Full()},
		{name: "each stream alone", run: eachAlone},
		{name: "no rows", run: noRows},
		{name: "second sync", run: secondSync, image: true},
		{name: "chain of syncs", run: chain},
		{name: "full refresh with a state", run: fullRefresh},
		{name: "unknown stream", run: unknownStream, image: harness.Full()},
		{name: "state that cannot be used", run: badState},
		{name: "state in the future", run: futureState},
		{name: "rows that move while they are read", run: moving},
	}
}

// memory is what a read of any size may take at its peak.
const memory = 56 << 20

// bigRead reads so many rows that a connector which keeps them takes more memory than it may. How memory grows up to ten million is make bench's.
func bigRead(t *testing.T, f fixture) {
	size := scaled(100_000, 12_000)
	a := f.start(t, sim.Options{Size: size}, sim.Behaviour{})
	streams := f.light()
	res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, streams...), nil))
	compare(t, full(a, streams...), res)
	once(t, res)
	if len(res.Rows) < size {
		t.Errorf("only %d rows came", len(res.Rows))
	}
	if res.MaxRSS > memory {
		t.Errorf("the read took %.1f MiB, more than %d", float64(res.MaxRSS)/(1<<20), memory>>20)
	}
	t.Logf("%d rows, %d bytes in %v, CPU %v, peak of memory %.1f MiB", len(res.Rows), res.Bytes, res.Wall, res.CPU, float64(res.MaxRSS)/(1<<20))
}

func fullRead(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{Gzip: true})
	for _, mode := range []string{harness.Incremental, harness.FullRefresh} {
		res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(mode), nil))
		compare(t, full(a), res)
		once(t, res)
		for stream, rows := range res.Estimate {
			if n := len(res.Of(stream)); int64(n) > 2*rows || int64(n)*2 < rows {
				t.Errorf("%s was estimated at %d rows and had %d", stream, rows, n)
			}
		}
	}
}

// eachAlone reads every stream by itself: a stream that is made from another one's rows must not bring those along.
func eachAlone(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small/2, f.portion(small/2))}, sim.Behaviour{})
	for _, stream := range f.catalog.Names() {
		res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, stream), nil))
		compare(t, full(a, stream), res)
		once(t, res)
	}
}

// noRows reads from a date on after which there is nothing: streams without rows have their statuses and states all the same.
func noRows(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{})
	config := a.json(t, map[string]any{"start_date": "2099-01-01"})
	for _, mode := range []string{harness.Incremental, harness.FullRefresh} {
		res := f.run(t, a, harness.Read(config, f.catalog.Configure(mode), nil))
		for _, stream := range f.catalog.Incremental() {
			for _, row := range res.Of(stream) {
				if times.MatchString(row.Mark) {
					t.Errorf("%s has a row of %s", stream, row.Mark)
				}
			}
			if res.Last(stream) != "COMPLETE" {
				t.Errorf("the status of %s is %q: %s", stream, res.Last(stream), res)
			}
		}
	}
}

func secondSync(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(3*small))}, sim.Behaviour{})
	first := f.succeed(t, a, f.read(t, a, nil))
	a.simulator.Change(0, 0)
	second := f.succeed(t, a, f.read(t, a, first.State()))
	f.following(t, a, first.State(), second)
	allowed := next(a)
	for _, s := range f.catalog.Streams {
		if s.Incremental() {
			f.atMark(t, s.Name, first, second, allowed[s.Name].May)
		}
	}

	a.simulator.Change(10, 3)
	third := f.succeed(t, a, f.read(t, a, second.State()))
	f.following(t, a, second.State(), third)
	changed := next(a)
	for _, s := range f.catalog.Streams {
		if must := len(changed[s.Name].Must); s.Incremental() && must < 10 {
			t.Errorf("the simulator changed only %d rows of %s", must, s.Name)
		}
	}
}

// atMark tells that of a stream a run brought only rows that the run before it had at its mark, within the margin before it, or without any
// time, or that the simulator knows to come in any sync.
func (f fixture) atMark(t *testing.T, stream string, before, after *harness.Result, may map[string]bool) {
	t.Helper()
	rows := before.Of(stream)
	mark := highest(rows)
	allowed := f.within(t, stream, last(before, stream).Blob, rows)
	for _, row := range rows {
		if row.Mark == mark || row.Mark == "" || may[row.Key] {
			allowed[row.Key] = true
		}
	}
	for key := range after.Keys(stream) {
		if !allowed[key] {
			t.Errorf("%s %s came again, and is neither at the mark %s nor within the margin before it", stream, key, mark)
		}
	}
}

// highest returns the highest mark of rows; marks are times in one zone, which sort as text.
func highest(rows []harness.Row) (mark string) {
	for _, row := range rows {
		mark = max(mark, row.Mark)
	}
	return mark
}

// chain goes on for some syncs, each from the one before, with rows that change before each.
func chain(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{})
	res := f.succeed(t, a, f.read(t, a, nil))
	for i := range 4 {
		a.simulator.Change(5+i, i%2)
		before := res.State()
		res = f.succeed(t, a, f.read(t, a, before))
		f.following(t, a, before, res)
	}
}

// fullRefresh kills a full refresh after its second state and resumes it; a resumable stream goes on, any other is read again.
func fullRefresh(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{})
	catalog := f.catalog.Configure(harness.FullRefresh)
	states := 0
	cut := f.run(t, a, harness.Read(a.json(t, nil), catalog, nil), harness.Options{Each: func(m harness.Message, c *harness.Control) {
		if m.Type == "STATE" {
			if states++; states == 2 {
				_ = c.Signal(os.Kill) // it may have ended by itself
			}
		}
	}})
	rest := f.succeed(t, a, harness.Read(a.json(t, nil), catalog, cut.State()))
	compare(t, full(a), cut, rest)
	again, all := f.succeed(t, a, harness.Read(a.json(t, nil), catalog, rest.State())), full(a)
	for _, res := range []*harness.Result{rest, again} {
		for _, s := range f.catalog.Streams {
			if !s.IsResumable && len(res.Keys(s.Name)) < len(all[s.Name].Must) {
				t.Errorf("%s is not resumable and was not read whole", s.Name)
			}
		}
	}
}

func unknownStream(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{})
	const unknown = "no_such_stream"
	for _, names := range [][]string{append(f.catalog.Names(), unknown), append([]string{unknown}, f.catalog.Names()...)} {
		res := f.refused(t, a, "config_error", harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, names...), nil))
		compare(t, full(a), res)
		for _, name := range f.catalog.Names() {
			if res.Last(name) != "COMPLETE" {
				t.Errorf("the status of %s is %q", name, res.Last(name))
			}
		}
		if len(res.Failures) > 0 && !bytes.Contains([]byte(res.Failures[0].Message), []byte(unknown)) {
			t.Errorf("the error does not name the stream: %s", res)
		}
	}
}

func badState(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{})
	first := f.succeed(t, a, f.read(t, a, nil))
	blob := func(stream, state string) json.RawMessage {
		return json.RawMessage(`{"type":"STREAM","stream":{"stream_descriptor":{"name":"` + stream + `"},"stream_state":` + state + `}}`)
	}
	states := map[string]json.RawMessage{
		"empty file": {}, "broken": first.State()[:len(first.State())/2], "text": json.RawMessage(`"` + marker + `"`), "a number": json.RawMessage("7"),
		"an array of texts": json.RawMessage(`["` + marker + `"]`),
		"legacy":            json.RawMessage(`{"properties":{"updated":"` + marker + `"}}`),
		"another source's":  json.RawMessage("[" + string(blob("gone", `{"x":1}`)) + "]"),
		"global":            json.RawMessage(`[{"type":"GLOBAL","global":{"shared_state":{"a":1},"stream_states":[]}}]`),
	}
	alone := map[string][]string{} // the stream that is read with a state of its own, by the state's name
	for i, stream := range f.catalog.Incremental() {
		for k, unusable := range []struct {
			name  string
			state []byte
		}{
			{"another shape of ", blob(stream, `{"another":{"shape":"`+marker+`"}}`)}, {"a list of ", blob(stream, `["`+marker+`"]`)},
			{"no times of ", times.ReplaceAll(stateOf(first, stream), []byte(marker))},
		} {
			if harness.Full() || i%3 == k {
				states[unusable.name+stream] = json.RawMessage("[" + string(unusable.state) + "]")
				alone[unusable.name+stream] = []string{stream}
			}
		}
	}
	for name, state := range states {
		t.Run(name, func(t *testing.T) {
			// Not silently read from the beginning: an error that says so, or a warning.
			res := f.run(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, alone[name]...), state))
			if res.Code == 0 {
				if !slices.ContainsFunc(res.Logs, func(l harness.Log) bool { return l.Level == "WARN" }) {
					t.Errorf("nothing was said about the state: %s", res)
				}
				return
			}
			for _, failure := range res.Failures {
				readable(t, failure.Message)
				if failure.Type != "config_error" {
					t.Errorf("the error is no config_error: %s", res)
				}
			}
		})
	}
	// No states are no state, and a stream that there was once is nobody's business.
	for _, state := range []string{"[]", "{}"} {
		compare(t, full(a), f.succeed(t, a, f.read(t, a, []byte(state))))
	}
	a.simulator.Change(0, 0)
	grown := slices.Concat(bytes.TrimSuffix(first.State(), []byte("]")), []byte(","), blob("gone", `{"x":1}`), []byte("]"))
	f.following(t, a, first.State(), f.succeed(t, a, f.read(t, a, grown)))
}

// times are the times within a state.
var times = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(Z|[+-][0-9:]+)?`)

func futureState(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{})
	streams := f.catalog.Incremental()
	catalog := f.catalog.Configure(harness.Incremental, streams...)
	first := f.succeed(t, a, harness.Read(a.json(t, nil), catalog, nil))
	future := times.ReplaceAllFunc(first.State(), func(found []byte) []byte { return append([]byte("2999"), found[4:]...) })
	if bytes.Equal(future, first.State()) {
		t.Fatalf("the state has no time in it: %s", future)
	}
	began := time.Now().Truncate(time.Second) // as precise as the mark
	res := f.succeed(t, a, harness.Read(a.json(t, nil), catalog, future))
	ended := time.Now()
	if len(res.Rows) > 0 {
		t.Errorf("%d rows came: %v", len(res.Rows), res.Rows[0])
	}
	for _, stream := range streams {
		warned := func(l harness.Log) bool {
			return l.Level == "WARN" && strings.HasPrefix(l.Message, stream+": ") && strings.Contains(l.Message, "missing")
		}
		if !slices.ContainsFunc(res.Logs, warned) || res.Last(stream) != "COMPLETE" {
			t.Errorf("%s has no warning, or is not complete: %s", stream, res)
		}
	}
	for stream, blob := range blobs(t, res.State()) {
		s, _ := f.catalog.Stream(stream)
		var members map[string]any
		if err := json.Unmarshal([]byte(blob), &members); err != nil {
			t.Fatal(err)
		}
		mark, _ := moment(fmt.Sprint(members[s.DefaultCursorField[0]]))
		if mark.Before(began) || mark.After(ended) || members["cycle"] != nil {
			t.Errorf("the state of %s does not hold the beginning of the sync, %v: %s", stream, began, blob)
		}
	}
}

// blobs returns the states of the streams in a --state file, without their white space.
func blobs(t *testing.T, file []byte) map[string]string {
	t.Helper()
	var states []struct {
		Stream struct {
			Descriptor struct {
				Name string `json:"name"`
			} `json:"stream_descriptor"`
			State any `json:"stream_state"`
		} `json:"stream"`
	}
	if err := json.Unmarshal(file, &states); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, s := range states {
		body, err := json.Marshal(s.Stream.State)
		if err != nil {
			t.Fatal(err)
		}
		all[s.Stream.Descriptor.Name] = string(body)
	}
	return all
}

// moving reads listings whose rows come, go or move while they are read, for example towards the end, as they do where it is sorted by the
// time of change. Of a simulator whose rows stay where they are there is nothing to read.
func moving(t *testing.T, f fixture) {
	drifter, ok := f.start(t, sim.Options{Size: 1}, sim.Behaviour{}).simulator.(sim.Drifter)
	if !ok {
		return
	}
	for _, set := range drifter.Drifts() {
		a := f.start(t, sim.Options{Size: 1000, Set: set}, sim.Behaviour{})
		res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, f.light()...), nil))
		once(t, res)
		compare(t, full(a, f.light()...), res)
	}
}

// shuffled returns n numbers in [1, limit] that differ from one test to the next of a seed only.
func shuffled(seed uint64, n, limit int) []int {
	random := rand.New(rand.NewPCG(seed, 0))
	moments := make([]int, n)
	for i := range moments {
		moments[i] = 1 + random.IntN(max(1, limit))
	}
	return moments
}

// stateOf returns a stream's last state message of a run.
func stateOf(res *harness.Result, stream string) []byte {
	if s := last(res, stream); s.Message != nil {
		return s.Message
	}
	return []byte("{}")
}

// last returns a stream's last state of a run, or the zero State.
func last(res *harness.Result, stream string) harness.State {
	for _, s := range slices.Backward(res.States) {
		if s.Stream == stream {
			return s
		}
	}
	return harness.State{}
}
