package acceptance

import (
	"context"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// TestMain lets more tests run at a time than there are cores: most of them wait, for a quota or for the end of a backoff. First come the tests
// that are not parallel, since they measure. With -short there are none.
//
// A test whose name begins with a connector's, after Test and without what kind of connector it is, belongs to that connector, and so does
// what is run under a name that begins with the connector's: that is what make acceptance chooses by.
func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		_, _ = os.Stdout.WriteString("The acceptance suite takes minutes: it is skipped with -short.\n")
		return
	}
	if !given("test.parallel") {
		if err := flag.Set("test.parallel", "24"); err != nil {
			panic(err)
		}
	}
	debug.SetGCPercent(400) // the rows that simulators keep are most of the memory, and are not garbage
	debug.SetMemoryLimit(3 << 30)
	os.Exit(m.Run())
}

// scaled returns how many rows are read, or how often something is done: as many as a connector is promised to bear where that is asked for, and
// otherwise so few that it is still shown.
func scaled(promised, few int) int {
	if harness.Full() {
		return promised
	}
	return few
}

func given(name string) (found bool) {
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// scenario is one test of any connector.
type scenario struct {
	name string
	run  func(t *testing.T, f fixture)
	// alone says that nothing else may run meanwhile, since the scenario measures.
	alone bool
	// image says that the scenario is run on the image too.
	image bool
}

// scenarios returns all scenarios, those that wait for long in the end: of parallel tests that are let go together the last begin first.
func scenarios() []scenario {
	return slices.Concat(types(), remembering(), reading(), contract(), weather(), stopping())
}

// TestBinariesAlone runs the scenarios that measure on every connector's binary, and nothing beside them.
func TestBinariesAlone(t *testing.T) {
	each(t, binary, func(s scenario) bool { return s.alone })
}

// TestBinaries runs every other scenario on every connector's binary.
func TestBinaries(t *testing.T) {
	t.Parallel()
	each(t, binary, func(s scenario) bool { return !s.alone })
}

// TestImages runs the scenarios that have to do with how a connector is started on every connector's image. The binary in it is the one that
// TestBinaries runs all of them on, so that two of them are enough where not everything is asked for.
func TestImages(t *testing.T) {
	t.Parallel()
	harness.NeedDocker(t)
	each(t, func(t *testing.T, c harness.Connector) harness.Runner {
		if err := c.BuildImage(t.Context()); err != nil {
			t.Fatal(err)
		}
		return harness.Image{Ref: c.Image()}
	}, func(s scenario) bool { return s.image })
}

// each runs the chosen scenarios on every source that is found: all together, or one by one where they measure.
func each(t *testing.T, runner func(*testing.T, harness.Connector) harness.Runner, choose func(scenario) bool) {
	t.Helper()
	connectors, err := harness.Connectors()
	if err != nil {
		t.Fatal(err)
	}
	if len(connectors) == 0 {
		t.Fatal("No connector was found in connectors/.")
	}
	chosen := slices.DeleteFunc(scenarios(), func(s scenario) bool { return !choose(s) })
	alone := slices.ContainsFunc(chosen, func(s scenario) bool { return s.alone })
	connectors = slices.DeleteFunc(connectors, harness.Connector.Writes) // for those that write see destination_test.go
	for _, c := range connectors {
		t.Run(c.Name, func(t *testing.T) {
			if !alone {
				t.Parallel()
			}
			f := prepare(t, c, runner)
			for _, s := range chosen {
				t.Run(s.name, func(t *testing.T) {
					if !alone {
						t.Parallel()
					}
					s.run(t, f)
				})
			}
		})
	}
}

// allConnectors returns the connectors of the repository.
var allConnectors = sync.OnceValues(harness.Connectors)

// one returns the connector with that name, as a binary, for tests of what is peculiar to it.
func one(t *testing.T, name string) fixture {
	t.Helper()
	connectors, err := allConnectors()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(connectors, func(c harness.Connector) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("There is no connector %q.", name)
	}
	return prepare(t, connectors[i], binary)
}

// builds are the binaries of connectors by the connector's name, each a func() (string, error) that builds it once and is the path.
var builds sync.Map

// built returns the path of a connector's binary, which is built for the first test that asks for it.
func built(t *testing.T, c harness.Connector) string {
	t.Helper()
	kept, _ := builds.LoadOrStore(c.Name, sync.OnceValues(func() (string, error) { return c.Build(context.Background()) }))
	path, err := kept.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// binary runs a connector's binary.
func binary(t *testing.T, c harness.Connector) harness.Runner {
	t.Helper()
	return harness.Binary{Path: built(t, c)}
}

// prepare makes a connector ready and finds its simulator.
func prepare(t *testing.T, c harness.Connector, runner func(*testing.T, harness.Connector) harness.Runner) fixture {
	t.Helper()
	kept, ok := shared()[simulators.Name(c.Name)]
	if !ok {
		t.Fatalf("There is no simulator %q; simulators are found in integration/simulators.", simulators.Name(c.Name))
	}
	f := fixture{connector: c, runner: runner(t, c), common: kept}
	f.asked.Do(func() { *f.discovered = f.discover(t) })
	if f.catalog = *f.discovered; len(f.catalog.Streams) == 0 {
		t.Fatalf("%s could not be asked for its catalog.", c.Name)
	}
	return f
}

// idle are tests that wait far more than they work.
type idle []test

type test struct {
	name string
	run  func(t *testing.T)
}

// together runs them side by side in the one turn that t has among parallel tests, so that none of them waits for a turn as well. It returns
// when all have ended.
func (tests idle) together(t *testing.T) {
	t.Helper()
	var group sync.WaitGroup
	for _, test := range tests {
		group.Go(func() { t.Run(test.name, test.run) })
	}
	group.Wait()
}

// common is what all tests of one connector use.
type common struct {
	rows       *sim.Rendered // that its simulators wrote
	open       sim.Open
	schemas    *harness.Schemas
	asked      *sync.Once // for the catalog
	discovered *harness.Catalog
}

// shared is what is common, by the simulator's name.
var shared = sync.OnceValue(func() map[string]common {
	all := map[string]common{}
	for name, open := range simulators.All() {
		rows := &sim.Rendered{Most: 128 << 20}
		all[name] = common{rows, sim.Sharing(open, rows), &harness.Schemas{}, &sync.Once{}, &harness.Catalog{}}
	}
	return all
})

// fixture is a connector ready to be tested. A value; scenarios share nothing else.
type fixture struct {
	common

	connector harness.Connector
	runner    harness.Runner
	catalog   harness.Catalog
}

// api is a simulator at work and the configuration for reading from it.
type api struct {
	*sim.Server

	simulator sim.Simulator
	config    map[string]any
	secrets   []string
}

// small is the size of a data set for tests that only need some pages of it.
const small = 230

// portion returns n where no row costs a request of its own, and few where some do: for reads whose requests wait, or are many.
func (f fixture) portion(n int) int {
	if len(f.light()) < len(f.catalog.Names()) {
		return max(n/10, small/8)
	}
	return n
}

// start starts a simulator for one test.
func (f fixture) start(t *testing.T, o sim.Options, with sim.Behaviour) *api {
	t.Helper()
	s, err := f.open(o)
	if err != nil {
		t.Fatal(err)
	}
	return f.serve(t, s, with)
}

// serve puts a simulator, which may have been read before, behind a gate of its own.
func (f fixture) serve(t *testing.T, s sim.Simulator, with sim.Behaviour) *api {
	t.Helper()
	server, err := sim.Start(s, "", with)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return &api{Server: server, simulator: s, config: server.Config(), secrets: s.Secrets()}
}

// json returns the configuration with some members replaced; a nil value leaves one out.
func (a *api) json(t *testing.T, changes map[string]any) []byte {
	t.Helper()
	config := maps.Clone(a.config)
	for k, v := range changes {
		if config[k] = v; v == nil {
			delete(config, k)
		}
	}
	body, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// run runs a command, and holds it against what is asked of every run.
func (f fixture) run(t *testing.T, a *api, c harness.Command, options ...harness.Options) *harness.Result {
	t.Helper()
	var o harness.Options
	if len(options) > 0 {
		o = options[0]
	}
	o.Secrets, o.Schemas = append(o.Secrets, a.secrets...), f.schemas
	if s, ok := a.simulator.(sim.Confidant); ok {
		o.Learnt = s.Learnt
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute) // a read that takes seconds where nothing else runs
	defer cancel()
	res, err := harness.Run(ctx, f.runner, c, o)
	if err != nil {
		t.Fatal(err, res)
	}
	res.Check(t)
	return res
}

// succeed is run for a command that has to end with 0.
func (f fixture) succeed(t *testing.T, a *api, c harness.Command, options ...harness.Options) *harness.Result {
	t.Helper()
	res := f.run(t, a, c, options...)
	if res.Code != 0 {
		t.Fatalf("the exit code is not 0: %s", res)
	}
	return res
}

// refused is run for a command that has to end with 1 and one error of a kind.
func (f fixture) refused(t *testing.T, a *api, kind string, c harness.Command, options ...harness.Options) *harness.Result {
	t.Helper()
	res := f.run(t, a, c, options...)
	if res.Code != 1 || len(res.Failures) != 1 {
		t.Errorf("exit 1 and one TRACE ERROR were due: %s", res)
	}
	for _, failure := range res.Failures {
		if failure.Type != kind {
			t.Errorf("the error is no %s: %s", kind, res)
		}
		readable(t, failure.Message)
	}
	return res
}

// discover asks for the catalog, against a simulator of its own.
func (f fixture) discover(t *testing.T) harness.Catalog {
	t.Helper()
	a := f.start(t, sim.Options{Size: 1}, sim.Behaviour{})
	return f.succeed(t, a, harness.Discover(a.json(t, nil))).Catalogs[0]
}

// read returns the command that reads all streams incrementally where they can be.
func (f fixture) read(t *testing.T, a *api, state []byte) harness.Command {
	t.Helper()
	return harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental), state)
}

// light returns the streams that the connector suggests: those that do not cost a request for each record.
func (f fixture) light() []string {
	if len(f.connector.Suggested) > 0 {
		return f.connector.Suggested
	}
	return f.catalog.Names()
}

// compare holds the rows of some runs together against what the streams must have brought.
func compare(t *testing.T, want map[string]sim.Keys, runs ...*harness.Result) {
	t.Helper()
	came := map[string]map[string]int{}
	for stream, keys := range want {
		came[stream] = make(map[string]int, len(keys.Must))
	}
	for _, res := range runs {
		for _, row := range res.Rows {
			if keys := came[row.Stream]; keys != nil {
				keys[row.Key]++
			}
		}
	}
	for _, stream := range slices.Sorted(maps.Keys(want)) {
		if err := want[stream].Compare(came[stream]); err != nil {
			t.Errorf("%s: %v", stream, err)
		}
	}
}

// once tells that no row of a run came twice.
func once(t *testing.T, res *harness.Result) {
	t.Helper()
	seen := make(map[[2]string]bool, len(res.Rows))
	repeated := 0
	for _, row := range res.Rows {
		id := [2]string{row.Stream, row.Key}
		if seen[id] {
			repeated++
		}
		seen[id] = true
	}
	if repeated > 0 {
		t.Errorf("%d of %d rows came more than once", repeated, len(res.Rows))
	}
}

// full returns what a full read of the named streams, or of all, must bring.
func full(a *api, streams ...string) map[string]sim.Keys {
	want := map[string]sim.Keys{}
	for stream, e := range a.simulator.Expect() {
		if len(streams) == 0 || slices.Contains(streams, stream) {
			want[stream] = e.Full
		}
	}
	return want
}

// next returns what a sync after a complete one must bring.
func next(a *api) map[string]sim.Keys {
	want := map[string]sim.Keys{}
	for stream, e := range a.simulator.Expect() {
		want[stream] = e.Next
	}
	return want
}

// readable tells that a sentence is one for a user.
func readable(t *testing.T, sentence string) {
	t.Helper()
	for _, jargon := range []string{"goroutine", "panic", "nil pointer", "json:", "strconv.", "*url.Error", "unmarshal", "%!", "0x", "<nil>"} {
		if strings.Contains(sentence, jargon) {
			t.Errorf("%q is in a sentence for the user: %s", jargon, sentence)
		}
	}
	if len(sentence) < 10 {
		t.Errorf("a sentence for the user tells nothing: %q", sentence)
	}
}
