package judge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// all returns the principal configuration and every stream that is discovered with it.
func (t *Trial) all(ctx context.Context) (test Common, streams []harness.Stream, ok bool, err error) {
	path, err := t.principal()
	if err != nil {
		return test, nil, false, err
	}
	test = Common{ConfigPath: path}
	catalog, ok, err := t.catalog(ctx, test)
	return test, catalog.Streams, ok, err
}

// whole returns the read of all streams from the beginning, made once, with which others are compared.
func (t *Trial) whole(ctx context.Context) (*Run, error) {
	test, streams, ok, err := t.all(ctx)
	if !ok {
		return &Run{Result: &harness.Result{}, Label: "a read without a catalog", Late: true}, err
	}
	return t.first(ctx, test, streams)
}

// afresh returns a check that reads again and compares with the whole read, which must be complete.
func afresh(check func(ctx context.Context, t *Trial, test Common, streams []harness.Stream, whole *Run) error) func(context.Context, *Trial) error {
	return func(ctx context.Context, t *Trial) error {
		test, streams, ok, err := t.all(ctx)
		if !ok {
			return err
		}
		whole, err := t.whole(ctx)
		if err != nil {
			return err
		}
		if fault := whole.complete(); fault != "" {
			t.fail("a read that ends with 0", fault, "")
			return nil
		}
		return check(ctx, t, test, streams, whole)
	}
}

// complete reports rows of the whole read that none of some runs brought. If the last of the runs did not succeed, it only reports that.
func (t *Trial) complete(expected string, whole *Run, streams []harness.Stream, runs ...*Run) {
	if fault := runs[len(runs)-1].complete(); fault != "" {
		t.fail(expected, fault, "")
		return
	}
	for _, s := range streams {
		came := map[string]bool{}
		for _, r := range runs {
			maps.Copy(came, r.keys(s.Called()))
		}
		var missing []string
		for key := range whole.keys(s.Called()) {
			if !came[key] {
				missing = append(missing, key)
			}
		}
		slices.Sort(missing)
		if len(missing) > 0 {
			t.fail(expected, fmt.Sprintf("%s: %d of %d rows of %s are missing, as %s", runs[len(runs)-1].Label, len(missing),
				len(whole.keys(s.Called())), s.Called(), missing[0]), "")
		}
	}
}

// ofEveryRun returns a check of all runs that were made for violations of some rules. It makes the usual runs itself if no other check did.
func ofEveryRun(expected string, rules ...harness.Rule) func(context.Context, *Trial) error {
	return func(ctx context.Context, t *Trial) error {
		if err := t.usual(ctx); err != nil {
			return err
		}
		t.mu.Lock()
		runs := slices.Clone(t.runs)
		t.mu.Unlock()
		for _, r := range runs {
			t.against(expected, r, rules...)
		}
		return nil
	}
}

// usual makes the runs of all commands that belong to the connector's normal life. Other checks judge their outcome.
func (t *Trial) usual(ctx context.Context) error {
	aside := &Trial{Subject: t.Subject, verdict: &Verdict{}}
	if _, err := t.specRun(ctx); err != nil {
		return err
	}
	for _, test := range t.Config.Tests.Connection.Tests {
		if _, err := t.checkRun(ctx, test); ctx.Err() != nil {
			return err
		}
	}
	if t.Writes() {
		_, _, err := aside.written(ctx)
		return err
	}
	test, streams, ok, err := aside.all(ctx)
	if !ok {
		return err
	}
	whole, err := aside.whole(ctx)
	if err != nil {
		return err
	}
	for _, test := range t.Config.Tests.BasicRead.Tests {
		if _, _, err := aside.basic(ctx, test); err != nil {
			return err
		}
	}
	_, err = memo(t.Subject, "read from the whole read's last state", func() (*Run, error) {
		return t.read(ctx, readOrder{
			label: "read from the last state", test: test, mode: harness.Incremental, streams: streams, state: whole.State(), limit: 20 * time.Minute,
		})
	})
	return err
}

// stateAt returns the --state file of a run if it had ended after its state i.
func stateAt(r *Run, i int) []byte {
	return (&harness.Result{Command: r.Command, States: r.States[:i+1]}).State()
}

// settled returns a run up to its state i.
func settled(r *Run, i int) *Run {
	return &Run{Result: r.Result, Label: r.Label, rows: r.rows[:min(r.States[i].Rows, len(r.rows))]}
}

func resumeFromStates(ctx context.Context, t *Trial) error {
	test, streams, ok, err := t.all(ctx)
	if !ok {
		return err
	}
	whole, a, err := t.long(ctx, test, streams)
	if err != nil {
		return err
	}
	if fault := whole.complete(); fault != "" {
		t.fail("a read that ends with 0", fault, "")
		return nil
	}
	indexes := make([]int, len(whole.States))
	for i := range indexes {
		indexes[i] = i
	}
	for _, i := range evenly(indexes, t.options.States) {
		r, err := t.read(ctx, readOrder{
			label: fmt.Sprintf("read from state %d of %d", i+1, len(indexes)), test: test, mode: harness.Incremental, streams: streams, api: a,
			state: stateAt(whole, i), limit: 20 * time.Minute,
		})
		if err != nil {
			return err
		}
		t.complete("every row, before the state or from it", whole, streams, settled(whole, i), r)
	}
	return nil
}

func resumeAfterKill(ctx context.Context, t *Trial, test Common, streams []harness.Stream, whole *Run) error {
	random := rand.New(rand.NewPCG(t.options.Seed, 1))
	for range t.options.Kills {
		moment := 1 + random.IntN(max(1, whole.Lines))
		var lines atomic.Int64
		killed, err := t.read(ctx, readOrder{
			label: fmt.Sprintf("read killed after line %d", moment), test: test, mode: harness.Incremental, streams: streams, limit: 20 * time.Minute,
			options: harness.Options{Each: func(_ harness.Message, c *harness.Control) {
				if lines.Add(1) == int64(moment) {
					_ = c.Signal(os.Kill) // it may have ended by itself
				}
			}},
		})
		if err != nil {
			return err
		}
		r, err := t.read(ctx, readOrder{
			label: fmt.Sprintf("read after one that was killed after line %d", moment), test: test, mode: harness.Incremental, streams: streams,
			state: killed.State(), limit: 20 * time.Minute,
		})
		if err != nil {
			return err
		}
		t.complete("every row, before the kill or after it", whole, streams, killed, r)
	}
	return nil
}

// latency delays each answer if a read must not end by itself before it is stopped.
const latency = 20 * time.Millisecond

// much is a simulator with much to read, at two speeds. Both are nil without a simulator.
type much struct{ slow, quick *api }

// much returns the simulator with much to read, which is made once.
func (t *Trial) much() (much, error) {
	if t.api == nil {
		return much{}, nil
	}
	return memo(t.Subject, "much", func() (much, error) {
		quick, err := t.simulate(t.options.Much)
		if err != nil {
			return much{}, err
		}
		slow, err := t.serve(quick.simulator, sim.Behaviour{Latency: latency})
		return much{slow, quick}, err
	})
}

// long returns a read from the beginning that has states in the middle of streams, made once, and what it reads from. With a simulator it reads much,
// and its output is read so slowly that a connector has time for states, because many connectors emit one after some time and not after some records.
func (t *Trial) long(ctx context.Context, test Common, streams []harness.Stream) (*Run, *api, error) {
	much, err := t.much()
	if err != nil || much.quick == nil {
		r, err2 := t.first(ctx, test, streams)
		return r, nil, errors.Join(err, err2)
	}
	names := make([]string, len(streams))
	for i, s := range streams {
		names[i] = s.Called()
	}
	r, err := memo(t.Subject, "read of much: "+strings.Join(names, " "), func() (*Run, error) {
		o := readOrder{label: "read of much", test: test, mode: harness.Incremental, streams: streams, api: much.quick, limit: 20 * time.Minute}
		r, err := t.read(ctx, o)
		if err != nil || r.complete() != "" || r.Bytes == 0 {
			return r, err
		}
		o.label, o.runner = "read of much, slowly", t.directly()
		o.options.Tee = &slowWriter{ctx: ctx, most: r.Bytes, all: t.options.Spread}
		return t.read(ctx, o)
	})
	return r, much.quick, err
}

// ended reads and does something to the connector after some records. early says why nothing could be done: the connector had ended too early.
func (t *Trial) ended(ctx context.Context, label string, runner harness.Runner, do func(*harness.Control) error) (
	r *Run, went time.Duration, early string, err error,
) {
	test, streams, ok, err := t.all(ctx)
	if !ok {
		return nil, 0, "there is no catalog", err
	}
	much, err := t.much()
	if err != nil {
		return nil, 0, "", err
	}
	var at atomic.Pointer[time.Time]
	records := 0
	r, err = t.read(ctx, readOrder{
		label: label, test: test, mode: harness.Incremental, streams: streams, api: much.slow, runner: runner, limit: 20 * time.Minute,
		options: harness.Options{Each: func(m harness.Message, c *harness.Control) {
			if m.Type == "RECORD" {
				records++
			}
			if at.Load() == nil && records == 3 {
				now := time.Now()
				at.Store(&now)
				_ = do(c) // it may have ended by itself
			}
		}},
	})
	switch {
	case err != nil:
		return nil, 0, "", err
	case at.Load() == nil:
		return r, 0, "the read had fewer than three records", nil
	}
	return r, r.Started.Add(r.Wall).Sub(*at.Load()), "", nil
}

// prompt reports a connector that went on for too long.
func (t *Trial) prompt(r *Run, went time.Duration) {
	if r.Late || went > t.options.StopLimit {
		t.failf(fmt.Sprintf("an end within %v (--stop-limit)", t.options.StopLimit), "it went on for %v; %s", went.Round(time.Millisecond), r)
	}
}

func sigterm(ctx context.Context, t *Trial) error {
	r, went, early, err := t.ended(ctx, "read that is asked to stop", nil, func(c *harness.Control) error { return c.Signal(syscall.SIGTERM) })
	if early != "" {
		t.skip("%s", early)
	}
	if err != nil || early != "" {
		return err
	}
	t.prompt(r, went)
	complete := 0
	for _, s := range r.Statuses {
		if s.Status == "COMPLETE" {
			complete++
		}
	}
	test, streams, ok, err := t.all(ctx)
	if !ok {
		return err
	}
	if r.Code == 0 && complete < len(streams) {
		t.fail("an exit code that is not 0", r.String(), "")
		return nil
	}
	whole, a, err := t.long(ctx, test, streams)
	if err != nil {
		return err
	}
	rest, err := t.read(ctx, readOrder{
		label: "read after one that was asked to stop", test: test, mode: harness.Incremental, streams: streams, api: a, state: r.State(),
		limit: 20 * time.Minute,
	})
	if err == nil {
		t.complete("every row, before the stop or after it", whole, streams, r, rest)
	}
	return err
}

// piped is how much of an output the engine and the pipe may hold before the writer notices that nobody reads.
const piped = 512 << 10

func brokenPipe(ctx context.Context, t *Trial) error {
	r, went, early, err := t.ended(ctx, "read that nobody reads", t.directly(), (*harness.Control).CloseStdout)
	if early != "" {
		t.skip("%s", early)
	}
	if err != nil || early != "" {
		return err
	}
	t.prompt(r, went)
	if r.Code != 0 {
		return nil
	}
	test, streams, ok, err := t.all(ctx)
	if !ok {
		return err
	}
	switch whole, _, err := t.long(ctx, test, streams); {
	case err != nil:
		return err
	case whole.Bytes < piped: // it may have written everything before the reader went away
		t.skip("all that there is to read fits into a pipe")
	default:
		t.fail("an exit code that is not 0", r.String(), "")
	}
	return nil
}

func cursorAndState(ctx context.Context, t *Trial, _ Common, streams []harness.Stream, whole *Run) error {
	for _, s := range incrementals(streams) {
		if len(s.DefaultCursorField) != 1 {
			continue
		}
		newest, last := "", ""
		for i, row := range whole.Result.Rows {
			if row.Stream != s.Called() || row.Mark == "" {
				continue
			}
			if newest == "" || later(row.Mark, newest) {
				newest = row.Mark
			}
			for _, state := range whole.States {
				mark, alone := markOf(state, s.DefaultCursorField[0])
				if state.Stream == s.Called() && state.Rows <= i && alone && later(mark, row.Mark) {
					t.fail("no record behind a state that lies before its mark", fmt.Sprintf("%s %s is of %s, and a state before it says %s",
						s.Called(), row.Key, row.Mark, mark), "")
					break
				}
			}
		}
		for _, state := range whole.States {
			if mark, _ := markOf(state, s.DefaultCursorField[0]); state.Stream == s.Called() && mark != "" {
				last = mark
			}
		}
		began := whole.Spoke.UTC().Format(time.RFC3339) // not whole.Started: a container takes a while to start
		if newest != "" && later(last, newest) && later(last, began) {
			t.failf("a last state no later than the last record of "+s.Called()+", "+newest+", and than the beginning of the read, "+began, "%s", last)
		}
	}
	return nil
}

// markOf returns the value of the cursor in a state, or "" if it is not at the top level, and whether the state holds nothing else.
func markOf(s harness.State, cursor string) (mark string, alone bool) {
	var blob map[string]any
	if decode(s.Blob, &blob) != nil || blob[cursor] == nil {
		return "", false
	}
	return fmt.Sprint(blob[cursor]), len(blob) == 1
}

// later reports whether one cursor value is after another, as times, days or numbers. It is false if they are none of these.
func later(a, b string) bool {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		one, err := time.Parse(layout, a)
		if err != nil {
			continue
		}
		for _, other := range []string{layout, time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
			if two, err := time.Parse(other, b); err == nil {
				return one.After(two)
			}
		}
	}
	one, err := strconv.ParseFloat(a, 64)
	two, err2 := strconv.ParseFloat(b, 64)
	return err == nil && err2 == nil && one > two
}

// simulatedRows reads from a simulator of its own, twice, and compares the rows with those that the simulator has.
func simulatedRows(ctx context.Context, t *Trial) error {
	if t.api == nil {
		t.skip("it is for --simulator")
		return nil
	}
	test, streams, ok, err := t.all(ctx)
	if !ok {
		return err
	}
	a, err := t.simulate(t.options.SimulatorSize)
	if err != nil {
		return err
	}
	first, err := t.read(ctx, readOrder{
		label: "first sync", test: test, mode: harness.Incremental, streams: streams, api: a, bare: true, limit: 20 * time.Minute,
	})
	if err != nil {
		return err
	}
	t.expect(first, a.simulator.Expect(), func(e sim.Expectation) sim.Keys { return e.Full }, true)
	a.simulator.Change(10, 3)
	second, err := t.read(ctx, readOrder{
		label: "second sync", test: test, mode: harness.Incremental, streams: streams, api: a, bare: true, state: first.State(),
		limit: 20 * time.Minute,
	})
	if err == nil {
		t.expect(second, a.simulator.Expect(), func(e sim.Expectation) sim.Keys { return e.Next }, false)
	}
	return err
}

// expect reports rows that a run had to bring and did not. With only, it also reports rows that the simulator does not expect.
func (t *Trial) expect(r *Run, expected map[string]sim.Expectation, of func(sim.Expectation) sim.Keys, only bool) {
	if fault := r.complete(); fault != "" {
		t.fail("a read that ends with 0", fault, "")
		return
	}
	for _, stream := range slices.Sorted(maps.Keys(expected)) {
		if len(r.Of(stream)) == 0 && !r.asked(stream) {
			t.warn("the simulator has rows of %s, and the connector has no such stream", stream)
			continue
		}
		keys, came := of(expected[stream]), r.Keys(stream)
		if !only {
			for key := range came {
				if !keys.Must[key] {
					delete(came, key)
				}
			}
		}
		if err := keys.Compare(came); err != nil {
			t.fail("the rows of "+stream+" that the simulator has", r.Label+": "+err.Error(), "")
		}
	}
}

// asPlatform returns a check that reads as the platform does.
func asPlatform(readOnly bool) func(context.Context, *Trial) error {
	return afresh(func(ctx context.Context, t *Trial, test Common, streams []harness.Stream, whole *Run) error {
		label := "read started the platform's way"
		if readOnly {
			label += ", with a read-only root"
		}
		r, err := t.read(ctx, readOrder{
			label: label, test: test, mode: harness.Incremental, streams: streams, limit: 20 * time.Minute,
			runner: harness.Platform{Ref: t.image, ReadOnly: readOnly},
		})
		if err != nil {
			t.failf("a container that starts as the platform starts it", "%v", err)
			return nil
		}
		t.complete("the same rows as otherwise", whole, streams, r)
		return nil
	})
}

// tries is how often a measurement is tried. The best time counts, because the machine may be busy with other things.
const tries = 3

func checkTime(ctx context.Context, t *Trial) error {
	path, err := t.principal()
	if err != nil {
		return err
	}
	config, err := t.config(path, true)
	if err != nil {
		return err
	}
	return t.within(ctx, "check", harness.Check(config), t.options.CheckLimit)
}

func specTime(ctx context.Context, t *Trial) error {
	return t.within(ctx, "spec", harness.Spec(), t.options.SpecLimit)
}

// within runs a command several times and reports if no run was quick enough.
func (t *Trial) within(ctx context.Context, label string, command harness.Command, limit time.Duration) error {
	best := time.Duration(0)
	for i := range tries {
		r, err := t.run(ctx, order{label: label + ", timed", command: command, limit: max(limit*10, time.Minute)})
		if err != nil {
			return err
		}
		if i == 0 || r.Wall < best {
			best = r.Wall
		}
		if best <= limit {
			return nil
		}
	}
	t.failf(fmt.Sprintf("at most %v", limit), "%v, the best of %d", best.Round(time.Millisecond), tries)
	return nil
}

func memory(ctx context.Context, t *Trial) error {
	test, streams, ok, err := t.all(ctx)
	if !ok {
		return err
	}
	much, err := t.much()
	if err != nil {
		return err
	}
	r, err := t.read(ctx, readOrder{
		label: "read, its memory measured", test: test, mode: harness.Incremental, streams: streams, api: much.quick, limit: 20 * time.Minute,
	})
	switch {
	case err != nil:
		return err
	case r.MaxRSS == 0:
		t.skip("this machine does not tell how much memory it took")
	case r.MaxRSS > t.options.Memory:
		t.failf(fmt.Sprintf("at most %d MiB (--memory)", t.options.Memory>>20), "%d MiB", r.MaxRSS>>20)
	}
	return nil
}

func heartbeat(ctx context.Context, t *Trial, _ Common, _ []harness.Stream, whole *Run) error {
	limit := t.options.Heartbeat
	if t.Metadata != nil && t.Metadata.Silence > 0 {
		limit = min(limit, time.Duration(t.Metadata.Silence)*time.Second)
	}
	if whole.gap > limit {
		t.fail(fmt.Sprintf("a record or a state every %v", limit), fmt.Sprintf("nothing for %v", whole.gap.Round(time.Millisecond)), whole.after)
	}
	return ctx.Err()
}

// redirected returns the subject's runner with its stdout redirected by a shell.
func (t *Trial) redirected(where string) harness.Runner {
	if r, ok := t.runner.(harness.Binary); ok {
		return harness.Binary{Path: "/bin/sh", Args: []string{"-c", `exec "$0" "$@" ` + where, r.Path}, Env: r.Env}
	}
	return harness.Image{Ref: t.image, Script: `eval "$AIRBYTE_ENTRYPOINT \"\$@\"" ` + where}
}

// unheard returns a check that a connector does not succeed if its stdout goes nowhere. where is the redirection. The check runs commands, and for a
// source also a read.
func unheard(where string, commands ...harness.Command) func(context.Context, *Trial) error {
	return func(ctx context.Context, t *Trial) error {
		commands := slices.Clone(commands)
		if !t.Writes() {
			test, streams, ok, err := t.all(ctx)
			if !ok {
				return err
			}
			config, err := t.config(test.ConfigPath, true)
			if err != nil {
				return err
			}
			commands = append(commands, harness.Read(config, harness.Configured(harness.Incremental, streams...), nil))
		}
		for _, command := range commands {
			command.Text = true
			r, err := t.run(ctx, order{
				label: command.Args[0] + " with stdout " + where, command: command, runner: t.redirected(where), limit: 10 * time.Minute, apart: true,
			})
			if err != nil {
				return err
			}
			if r.Late || r.Code == 0 {
				t.fail("an end, and an exit code that is not 0", r.String(), "")
			}
		}
		return nil
	}
}

// directly returns a runner whose output this process reads itself, so that a connector notices how it is read. The engine reads the output of an
// attached container, and discards the rest soon after the container's end; with a named pipe it does neither. The runner is nil if the subject's own
// will do.
func (t *Trial) directly() harness.Runner {
	if t.image == "" {
		return nil
	}
	return harness.Platform{Ref: t.image, Env: t.proxied}
}

// slowWriter takes so long for each byte that most bytes take all the time.
type slowWriter struct {
	ctx  context.Context // ends its pauses
	most int64
	all  time.Duration
	owed time.Duration
}

func (w *slowWriter) Write(p []byte) (int, error) {
	w.owed += time.Duration(float64(w.all) * float64(len(p)) / float64(w.most))
	if w.owed < 10*time.Millisecond {
		return len(p), nil
	}
	timer := time.NewTimer(w.owed)
	defer timer.Stop()
	w.owed = 0
	select {
	case <-timer.C:
	case <-w.ctx.Done():
	}
	return len(p), nil
}

// pausingWriter pauses once, after that many bytes.
type pausingWriter struct {
	ctx   context.Context // ends its pause
	after int64
	pause time.Duration
}

func (w *pausingWriter) Write(p []byte) (int, error) {
	before := w.after
	if w.after -= int64(len(p)); before < 0 || w.after >= 0 {
		return len(p), nil
	}
	timer := time.NewTimer(w.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.ctx.Done():
	}
	return len(p), nil
}

// slowReader stops reading for long enough to fill every pipe, and compares.
func slowReader(ctx context.Context, t *Trial, test Common, streams []harness.Stream, whole *Run) error {
	r, err := t.read(ctx, readOrder{
		label: "read by a slow reader", runner: t.directly(), test: test, mode: harness.Incremental, streams: streams, limit: 20 * time.Minute,
		options: harness.Options{Tee: &pausingWriter{ctx: ctx, after: whole.Bytes / 4, pause: 4 * time.Second}},
	})
	if err == nil {
		t.complete("the same rows as otherwise", whole, streams, r)
	}
	return err
}

// plain returns a text for a table, without line breaks.
func plain(text string) string { return strings.Join(strings.Fields(text), " ") }
