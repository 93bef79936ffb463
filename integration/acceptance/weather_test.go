package acceptance

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// weather returns the scenarios of an API that fails, throttles or lies.
func weather() []scenario {
	all := []scenario{
		{name: "quota", run: quotaKept},
		{name: "throttled early", run: throttled, image: harness.Full()},
		{name: "throttled early, told a date", run: throttledDate},
		{name: "all faults at once", run: allFaults},
		{name: "an API that only fails", run: onlyFaults},
	}
	for _, fault := range []sim.Fault{sim.Echo, sim.EchoRefused} {
		for _, of := range []string{"check", "check --debug", "discover --debug", "read --debug"} {
			all = append(all, scenario{name: "secrets in error bodies, " + string(fault) + ", " + of,
				run: func(t *testing.T, f fixture) { echoes(t, f, fault, strings.Fields(of)...) }})
		}
	}
	for _, fault := range sim.AllFaults() {
		name := "fault " + string(fault)
		// so many rows that faults meet pages which are fetched ahead; all faults at once meet what is asked for each row, too
		all = append(all, scenario{name: name, run: func(t *testing.T, f fixture) { oftenWrong(t, f, fault, 1500, f.light()...) }})
		if harness.Full() {
			all = append(all, scenario{name: name + ", every stream", run: func(t *testing.T, f fixture) { oftenWrong(t, f, fault, f.portion(small)) }})
		}
	}
	return append(all, scenario{name: "check of an API that fails", run: checkFaults})
}

// passing returns the faults that a reader has to get over by asking again; after the others it may give up, saying so.
func passing(fault sim.Fault) bool {
	switch fault {
	case sim.Unauthorized, sim.EchoRefused, sim.Redirect, sim.WrongPage:
		return false
	default:
		return true
	}
}

// oftenWrong reads from an API in which three requests of ten go wrong in one way; no streams are all.
func oftenWrong(t *testing.T, f fixture, fault sim.Fault, size int, streams ...string) {
	a := f.start(t, sim.Options{Size: size}, often(fault))
	res := f.run(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, streams...), nil).With("--debug"))
	gotOver(t, a, res, fault, streams...)
	if n := a.Stats().Faults[fault]; n == 0 || passing(fault) && n < 5 {
		t.Errorf("only %d of %d requests went wrong", n, a.Stats().Requests)
	}
}

// often lets three requests of ten go wrong in one way, two dozen at most where not everything is asked for: each costs a wait.
func often(fault sim.Fault) sim.Behaviour {
	return sim.Behaviour{Faults: sim.Faults{
		Rate: 0.3, Kinds: []sim.Fault{fault}, Seed: 7, Limit: scaled(0, 24), Delay: 20 * time.Millisecond, Stall: 50 * time.Millisecond,
	}}
}

// gotOver tells that a read had the outcome that is due after a fault.
func gotOver(t *testing.T, a *api, res *harness.Result, fault sim.Fault, streams ...string) {
	t.Helper()
	outcome(t, a, res, streams...)
	if passing(fault) && res.Code != 0 {
		t.Errorf("the read should have got over it: %s", res)
	}
}

// outcome tells that a read came to all rows, or said that it did not: never exit 0 with a row missing.
func outcome(t *testing.T, a *api, res *harness.Result, streams ...string) {
	t.Helper()
	stats := a.Stats()
	if stats.Strays > 0 {
		t.Errorf("%d requests followed a redirect to another host", stats.Strays)
	}
	once(t, res)
	if res.Code == 0 {
		compare(t, full(a, streams...), res)
	} else if len(res.Failures) == 0 {
		t.Errorf("it failed without a word: %s", res)
	}
	for _, failure := range res.Failures {
		readable(t, failure.Message)
	}
	t.Logf("%d requests, faults %v: %s", stats.Requests, stats.Faults, res)
}

func allFaults(t *testing.T, f fixture) {
	faults := sim.Faults{Rate: 0.2, Seed: 3, Delay: 20 * time.Millisecond}
	a := f.start(t, sim.Options{Size: f.portion(small)}, sim.Behaviour{Faults: faults, Gzip: true})
	outcome(t, a, f.run(t, a, f.read(t, a, nil)))
}

// onlyFaults reads from an API that refuses whatever it is asked. A connector must not try that for ever.
func onlyFaults(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{Faults: sim.Faults{Every: 1, Kinds: []sim.Fault{sim.EchoRefused}}})
	res := f.run(t, a, f.read(t, a, nil))
	if res.Code != 1 {
		t.Errorf("exit 1 was due: %s", res)
	}
}

// echoes lets the API print the credentials in its error bodies, in all forms, and looks for them in everything that a command says about that.
func echoes(t *testing.T, f fixture, fault sim.Fault, command ...string) {
	size, faults := 1, sim.Faults{Every: 1, Kinds: []sim.Fault{fault}}
	if command[0] == "read" {
		size, faults.Every, faults.Limit = small/4, 3, scaled(0, 24)
	}
	a := f.start(t, sim.Options{Size: size}, sim.Behaviour{Faults: faults})
	c := f.read(t, a, nil)
	switch command[0] {
	case "check":
		c = harness.Check(a.json(t, nil))
	case "discover":
		c = harness.Discover(a.json(t, nil))
	}
	f.run(t, a, c.With(command[1:]...))
	if a.Stats().Faults[fault] == 0 && command[0] != "discover" {
		t.Error("no secret was printed")
	}
}

// TestQuota reads more pages than two minutes' quota allows, in real time: without a single refusal, and hardly slower than the quota makes it.
// One reader of each kind is enough: one that uses the quota up at once, one that logs in as well, and one that spaces its requests. All wait
// in the same ways, which common/ratelimit tests, and "quota" has every connector begin to.
func TestQuota(t *testing.T) {
	t.Parallel()
	const least, most = 88, 110 // requests
	for _, name := range []string{"source-dwv", sourceSnap, "source-imoview"} {
		t.Run("in real time "+name, func(t *testing.T) {
			t.Parallel()
			f := one(t, name)
			limit := sim.Quota{Requests: 40, Window: time.Minute}
			size, free := f.sized(t, least, most)
			a := f.start(t, sim.Options{Size: size}, sim.Behaviour{Quota: limit})
			res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, f.light()...), nil))
			compare(t, full(a, f.light()...), res)
			stats := a.Stats()
			if stats.Throttled > 0 {
				t.Errorf("%d of %d requests were over the quota", stats.Throttled, stats.Requests)
			}
			if stats.Requests < least {
				t.Errorf("only %d requests were made", stats.Requests)
			}
			pace := time.Duration(1.03 * float64(stats.Requests) / float64(limit.Requests) * float64(limit.Window))
			if most := pace + 4*free; res.Wall > most {
				t.Errorf("%d requests took %v, more than %v for the quota and four times the %v that they take without one",
					stats.Requests, res.Wall, pace, free)
			}
			t.Logf("%d requests in %v", stats.Requests, res.Wall)
		})
	}
}

// sized returns the size of a data set that takes from least to most requests to read, and how long that takes.
func (f fixture) sized(t *testing.T, least, most int) (size int, free time.Duration) {
	t.Helper()
	size = 600
	for range 8 {
		a := f.start(t, sim.Options{Size: size}, sim.Behaviour{})
		res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, f.light()...), nil))
		n := a.Stats().Requests
		if n >= least && n <= most {
			return size, res.Wall
		}
		size = size*(least+most)/2/n + 1
	}
	t.Fatalf("no size is found that takes %d to %d requests", least, most)
	return 0, 0
}

// quotaKept reads for a while from an API with a minute's quota. A connector that uses it up at once asks for that much, but for the margin,
// and no more, and says that the rest waits for the minute's end; one that spaces its requests evenly has made no more than the time allows
// some seconds later. Then it is killed. TestQuota goes on.
func quotaKept(t *testing.T, f fixture) {
	const least, watched = 3, 10 * time.Second
	limit := sim.Quota{Requests: 40, Window: time.Minute}
	a := f.start(t, sim.Options{Size: 9000}, sim.Behaviour{Quota: limit})
	began := time.Now()
	even := func() int { return 1 + int(time.Since(began)*time.Duration(limit.Requests)/limit.Window) }
	told, ended := false, make(chan struct{})
	options := harness.Options{Started: func(c *harness.Control) {
		go func() {
			for { // until it is seen to space its requests; one that does not ends when it tells that it waits, or by what waits for it
				select {
				case <-ended:
					return
				case <-time.After(watched / 10):
				}
				took, n := time.Since(began), a.Stats().Requests
				if took > watched && n >= least && n <= even() || took > patience {
					_ = c.Signal(os.Kill) // it may have ended by itself
				}
			}
		}()
	}}
	options.Each = func(m harness.Message, c *harness.Control) {
		if !told && limited(m, 0) {
			told = true
			time.AfterFunc(300*time.Millisecond, func() { _ = c.Signal(os.Kill) }) // time for a request that should not be
		}
	}
	res := f.run(t, a, f.read(t, a, nil), options)
	close(ended)
	stats := a.Stats()
	fewest, most := limit.Requests*9/10, limit.Requests
	if !told {
		fewest, most = least, even()+1 // one may have come late, right before the next
	}
	if n := stats.Requests; stats.Throttled > 0 || n > most || n < fewest {
		t.Errorf("%d requests were made, %d to %d were due, and %d were over the quota: %s", n, fewest, most, stats.Throttled, res)
	}
	for _, s := range res.Statuses {
		if reset := time.UnixMilli(s.QuotaReset); s.RateLimited && (reset.Before(began.Add(limit.Window)) || reset.After(time.Now().Add(limit.Window))) {
			t.Errorf("the quota is said to be back at %v, in a read that began at %v", reset, began)
		}
	}
}

func throttled(t *testing.T, f fixture) { throttledEarly(t, f, sim.RetryAfterSeconds) }

func throttledDate(t *testing.T, f fixture) { throttledEarly(t, f, sim.RetryAfterDate) }

// throttledEarly reads from an API that refuses requests before its quota is used up, and says when to come back.
func throttledEarly(t *testing.T, f fixture, form sim.RetryAfter) {
	early := sim.Quota{Early: []int{3, 6}, Hold: 2500 * time.Millisecond, RetryAfter: form}
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{Quota: early})
	began := time.Now().UnixMilli()
	res := f.succeed(t, a, f.read(t, a, nil))
	ended := time.Now().UnixMilli() // the start of a container counts in no Wall
	compare(t, full(a), res)
	once(t, res)
	said := 0
	for _, s := range res.Statuses {
		if s.RateLimited {
			said++
			if s.QuotaReset < began || s.QuotaReset > ended+5000 {
				t.Errorf("the quota is said to be back at %d, in a read from %d to %d", s.QuotaReset, began, ended)
			}
		}
	}
	if said == 0 {
		t.Errorf("nobody was told of the wait: %s", res)
	}
	if n := a.Stats().Throttled; n < 2 {
		t.Errorf("only %d requests were refused", n)
	}
}

func contains(line []byte, part string) bool { return bytes.Contains(line, []byte(part)) }
