package acceptance

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// stopping returns the scenarios in which a read is ended from the outside.
func stopping() []scenario {
	return []scenario{
		{name: "kill after a state in mid-listing", run: func(t *testing.T, f fixture) { killedMidway(t, f, f.light(), scaled(5000, 3000), time.Second) }},
		{name: "kill after a state, every stream", run: func(t *testing.T, f fixture) {
			if len(f.light()) < len(f.catalog.Names()) { // otherwise it is the one above
				killedMidway(t, f, f.catalog.Names(), f.portion(800), 300*time.Millisecond)
			}
		}},
		{name: "SIGTERM while reading", run: terminated, image: true},
		{name: "SIGTERM while waiting for a quota", run: terminatedWaiting},
		{name: "stdout closed while writing", run: closedWriting},
		{name: "stdout closed while idle", run: closedIdle},
		{name: "kill at any moment", run: killed},
	}
}

// promptly is how soon a connector has to be gone, on a machine that has other things to do. It has two seconds, then it is ended without a
// word (see common/cli): one that says goodbye was sooner.
const promptly = time.Minute

// underWay is how many requests may still arrive after a connector was stopped: those that it had begun.
const underWay = 40

// kills returns how many moments are tried.
func kills() int { return scaled(20, 8) }

// killed ends reads with kill -9, each at a moment of its own, and resumes each from the last state that it printed.
func killed(t *testing.T, f fixture) {
	whole := f.start(t, sim.Options{Size: f.portion(small)}, sim.Behaviour{})
	lines := f.succeed(t, whole, f.read(t, whole, nil)).Lines
	whole.simulator.Change(0, 0)
	want, following := full(whole), next(whole)
	for i, moment := range shuffled(1, kills(), lines) {
		t.Run(fmt.Sprintf("after line %d", moment), func(t *testing.T) {
			a := f.serve(t, whole.simulator, sim.Behaviour{})
			if i%2 == 1 { // let the reader be ahead of its output, or behind
				a = f.serve(t, whole.simulator, sim.Behaviour{Latency: 5 * time.Millisecond})
			}
			seen := 0
			first := f.run(t, a, f.read(t, a, nil), harness.Options{Each: func(_ harness.Message, c *harness.Control) {
				if seen++; seen == moment {
					_ = c.Signal(os.Kill) // it may have ended by itself
				}
			}})
			second := f.succeed(t, a, f.read(t, a, first.State()))
			compare(t, want, first, second)
			for _, s := range f.catalog.Streams {
				if s.Incremental() && !endsWithState(first, s.Name) {
					f.unrepeated(t, s.Name, first, second, following[s.Name])
				}
			}
		})
	}
}

// endsWithState reports whether a run ended with the state of a stream: a stream that is made of the same answers may have none yet, so that all
// of them are asked for again.
func endsWithState(res *harness.Result, stream string) bool {
	n := len(res.States)
	return n > 0 && res.States[n-1].Stream == stream && res.States[n-1].Rows == len(res.Rows)
}

// killedMidway ends slow reads right after a state that is not a stream's last one, so that much of the stream is still to come. A read may be
// over by the time that its state is seen here, on a machine that has other things to do: then a slower API is read.
func killedMidway(t *testing.T, f fixture, streams []string, size int, latency time.Duration) {
	a := f.start(t, sim.Options{Size: size}, sim.Behaviour{Latency: latency})
	a.simulator.Change(0, 0)
	catalog := f.catalog.Configure(harness.Incremental, streams...)
	first := f.killedAtState(t, a, catalog)
	for slower := 2 * latency; first.Code == 0 && len(streams) > 1 && slower <= 8*latency; slower *= 2 {
		first = f.killedAtState(t, f.serve(t, a.simulator, sim.Behaviour{Latency: slower}), catalog)
	}
	if first.Code == 0 && len(streams) == 1 { // of one listing whose pages are counted there is no state before its end
		compare(t, full(a, streams...), first)
		return
	}
	if first.Code == 0 {
		t.Fatalf("the read ended before there was a state in mid-listing: %s", first)
	}
	quick := f.serve(t, a.simulator, sim.Behaviour{})
	second := f.succeed(t, quick, harness.Read(quick.json(t, nil), catalog, first.State()))
	compare(t, full(quick, streams...), first, second)
	following := next(quick)
	for _, name := range streams {
		if s, _ := f.catalog.Stream(name); s.Incremental() {
			f.unrepeated(t, name, first, second, following[name])
		}
	}
	t.Logf("killed: %s\nresumed: %s", first, second)
}

// killedAtState reads from an API, and ends that with kill -9 once there is a state of a stream which had rows.
func (f fixture) killedAtState(t *testing.T, a *api, catalog []byte) *harness.Result {
	t.Helper()
	rows := map[string]int{}
	return f.run(t, a, harness.Read(a.json(t, nil), catalog, nil), harness.Options{Each: func(m harness.Message, c *harness.Control) {
		stream, _ := f.catalog.Stream(m.Stream)
		switch {
		case m.Type == "RECORD":
			rows[m.Stream]++
		case m.Type == "STATE" && stream.Incremental() && rows[m.Stream] > 0:
			_ = c.Signal(os.Kill) // it may have ended by itself
		}
	}})
}

// unrepeated tells that of the rows that a stream had printed before its last state, the run that resumed from that state brought none but
// those at the mark and within the margin before the state's, those without a time, and those that come in the next sync of a stream that
// was complete by then.
func (f fixture) unrepeated(t *testing.T, stream string, first, second *harness.Result, following sim.Keys) {
	t.Helper()
	last := slices.IndexFunc(first.States, func(s harness.State) bool { return s.Stream == stream })
	if last < 0 {
		return
	}
	for i, s := range first.States {
		if s.Stream == stream {
			last = i
		}
	}
	settled := &harness.Result{Rows: first.Rows[:first.States[last].Rows]}
	mark, again := highest(settled.Of(stream)), second.Keys(stream)
	within := f.within(t, stream, first.States[last].Blob, settled.Of(stream))
	repeated := 0
	for _, row := range settled.Of(stream) {
		if row.Mark != mark && row.Mark != "" && !within[row.Key] && again[row.Key] > 0 && !following.Must[row.Key] && !following.May[row.Key] {
			repeated++
		}
	}
	if repeated > 0 {
		t.Errorf("%d of %d rows that %s had before its last state came again, and are not at its mark; the state was %s",
			repeated, len(settled.Of(stream)), stream, first.States[last].Blob)
	}
}

// ended runs a read, of all streams or of these, and does something to it at the first record; it tells how long the connector went on after
// that.
func (f fixture) ended(t *testing.T, a *api, do func(c *harness.Control) error, when func(m harness.Message, seen int) bool, delay time.Duration,
	streams ...string,
) (*harness.Result, time.Duration) {
	t.Helper()
	var at atomic.Pointer[time.Time]
	var asked atomic.Int64
	done := make(chan struct{}) // when it was done, and asked is known
	records := 0
	read := harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, streams...), nil)
	res := f.run(t, a, read, harness.Options{Each: func(m harness.Message, c *harness.Control) {
		if m.Type == "RECORD" {
			records++
		}
		if at.Load() != nil || !when(m, records) {
			return
		}
		now := time.Now().Add(delay)
		at.Store(&now)
		time.AfterFunc(delay, func() {
			defer close(done)
			if err := do(c); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
			asked.Store(int64(a.Stats().Requests))
		})
	}})
	if at.Load() == nil {
		t.Fatalf("the read ended before anything could be done to it: %s", res)
	}
	<-done
	if n := int64(a.Stats().Requests) - asked.Load(); n > underWay {
		t.Errorf("%d requests were made after it was stopped: %s", n, res)
	}
	return res, res.Started.Add(res.Wall).Sub(*at.Load())
}

func sigterm(c *harness.Control) error { return c.Signal(syscall.SIGTERM) }

func some(n int) func(m harness.Message, seen int) bool {
	return func(_ harness.Message, seen int) bool { return seen >= n }
}

func terminated(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: f.portion(1600)}, sim.Behaviour{Latency: 150 * time.Millisecond})
	res, took := f.ended(t, a, sigterm, some(20), 0)
	farewell(t, res, took)

	quick := f.serve(t, a.simulator, sim.Behaviour{})
	rest := f.succeed(t, quick, f.read(t, quick, res.State()))
	compare(t, full(quick), res, rest)
}

// waiting refuses requests for long after the first few, so that a reader has nothing to do but wait.
func waiting() sim.Behaviour {
	return sim.Behaviour{Quota: sim.Quota{Early: []int{4}, Hold: 5 * time.Minute, RetryAfter: sim.RetryAfterSeconds}}
}

// limited returns the moment at which a reader says that it waits for a quota.
func limited(m harness.Message, _ int) bool {
	return m.Trace == "STREAM_STATUS" && contains(m.Line, "RATE_LIMITED")
}

func terminatedWaiting(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: 1500}, waiting())
	res, took := f.ended(t, a, sigterm, limited, 300*time.Millisecond)
	farewell(t, res, took)
}

// farewell tells that a read which was asked to stop did so in time and as the protocol wants it.
func farewell(t *testing.T, res *harness.Result, took time.Duration) {
	t.Helper()
	if took > promptly {
		t.Errorf("it went on for %v after SIGTERM", took)
	}
	if res.Code != 1 || len(res.Failures) == 0 {
		t.Errorf("exit 1 and a TRACE ERROR were due: %s", res)
	}
	for _, failure := range res.Failures {
		if failure.Type != "transient_error" {
			t.Errorf("the error is no transient_error: %s", res)
		}
		readable(t, failure.Message)
	}
	incomplete := 0
	last := map[string]string{}
	for _, s := range res.Statuses {
		last[s.Stream] = s.Status
	}
	for stream, status := range last {
		if status != "INCOMPLETE" {
			continue
		}
		incomplete++
		if n := len(res.Of(stream)); n > 0 && !slices.ContainsFunc(res.States, func(s harness.State) bool { return s.Stream == stream }) {
			t.Errorf("%s printed %d rows and no state", stream, n)
		}
	}
	if incomplete == 0 {
		t.Errorf("no stream is INCOMPLETE: %v", last)
	}
}

func closeStdout(c *harness.Control) error { return c.CloseStdout() }

// silent tells that a read whose output nobody reads any more was gone in time, with exit 1.
func silent(t *testing.T, res *harness.Result, took time.Duration) {
	t.Helper()
	if took > promptly || res.Code != 1 {
		t.Errorf("it went on for %v after its stdout was closed, and ended with %d", took, res.Code)
	}
}

// closedWriting closes the stdout of a read whose answers all have many rows: that it is closed is seen when a buffer that is full is written, and
// answers of a row or two fill it slowly.
func closedWriting(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: 3000}, sim.Behaviour{})
	res, took := f.ended(t, a, closeStdout, some(200), 0, f.light()...)
	silent(t, res, took)
}

func closedIdle(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: 1500}, waiting())
	res, took := f.ended(t, a, closeStdout, limited, 500*time.Millisecond)
	silent(t, res, took)
}
