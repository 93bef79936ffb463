package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/progress"
	"github.com/imob-data/airbyte-connectors/integration/simulators"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// bench is a folder, and a source that reads into it.
type bench struct {
	t                           *testing.T
	source, config, out, log    string
	target, targetConfig, taken string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir := t.TempDir()
	return &bench{t: t, source: as(t, "source-fake", roleSource), config: filepath.Join(dir, "config.json"), out: filepath.Join(dir, "out"),
		log: filepath.Join(dir, "log")}
}

// into makes a destination of the bench's.
func (b *bench) into(f fake) {
	b.target, b.targetConfig = as(b.t, "destination-fake", roleTarget), filepath.Join(filepath.Dir(b.config), "target.json")
	f.Log = b.log + "-target"
	b.taken = f.Log + ".taken"
	b.save(b.targetConfig, f)
}

func (b *bench) save(path string, f fake) {
	b.t.Helper()
	text, err := json.Marshal(f)
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// runs runs with a source that is so, and holds what it says and how it ends.
func (b *bench) runs(f fake, code int, says string, more ...string) string {
	b.t.Helper()
	f.Log = b.log
	b.save(b.config, f)
	args := append([]string{"-connector", b.source, "-config", b.config, "-out", b.out, "-every", "0"}, more...)
	if b.target != "" {
		args = append(args, "-destination", b.target, "-destination-config", b.targetConfig)
	}
	var stdout, stderr bytes.Buffer
	if got := run(b.t.Context(), args, &stdout, &stderr); got != code || !strings.Contains(stdout.String()+stderr.String(), says) {
		b.t.Errorf("%v: exit %d, want %d and %q\n%s%s", more, got, code, says, &stdout, &stderr)
	}
	return stdout.String() + stderr.String()
}

func (b *bench) file(name string) string { return filepath.Join(b.out, name) }

// last returns the last command that the source was given, with its state.
func (b *bench) last() string {
	all := lines(b.t, b.log)
	return all[len(all)-1]
}

func TestIncremental(t *testing.T) {
	b := newBench(t)
	cars := fakeStream{Name: "cars", Incremental: true, Rows: 35}
	b.runs(fake{Streams: []fakeStream{cars}}, 0, "Complete: 35 records of 1 streams into "+b.out)
	wantRows(t, b.file("cars.jsonl"), 35)
	cars.Rows = 40
	b.runs(fake{Streams: []fakeStream{cars}}, 0, "Complete: 5 records")
	wantRows(t, b.file("cars.jsonl"), 40)
	if !strings.Contains(b.last(), `"done":35`) || strings.Contains(b.last(), `"run"`) {
		t.Errorf("the source was given %s", b.last())
	}
	if line := lines(t, b.file("cars.jsonl"))[0]; line != `{"id":1,"text":"é <b> x"}` {
		t.Errorf("a row is not as it came: %s", line)
	}
	// Without the states all is read anew, into the place of what is there once it is complete.
	if err := os.Remove(b.file(stateFile)); err != nil {
		t.Fatal(err)
	}
	cars.Rows, cars.Fail = 50, 45
	b.runs(fake{Streams: []fakeStream{cars}}, 1, "NOT COMPLETE")
	wantRows(t, b.file("cars.jsonl"), 40)
	cars.Fail = 0
	b.runs(fake{Streams: []fakeStream{cars}}, 0, "Complete: 10 records")
	wantRows(t, b.file("cars.jsonl"), 50)
	b.runs(fake{Streams: []fakeStream{cars}}, 0, "Complete: 0 records")
	wantRows(t, b.file("cars.jsonl"), 50)
}

func TestWhole(t *testing.T) {
	b := newBench(t)
	cars := fakeStream{Name: "cars", Rows: 35}
	for range 2 {
		b.runs(fake{Streams: []fakeStream{cars}}, 0, "Complete: 35 records")
		wantRows(t, b.file("cars.jsonl"), 35)
	}
	// What was read before stays until all is there, and a reading that was interrupted is gone on with.
	cars.Rows, cars.Fail = 60, 55
	b.runs(fake{Streams: []fakeStream{cars}, Message: "The API is tired."}, 1, "run: source-fake: The API is tired. (transient_error)")
	wantRows(t, b.file("cars.jsonl"), 35)
	cars.Fail = 0
	b.runs(fake{Streams: []fakeStream{cars}}, 0, "Complete: 20 records")
	if !strings.Contains(b.last(), `"done":40`) { // of the states 10 to 50 the last one may have been the end
		t.Errorf("the source was given %s", b.last())
	}
	wantRows(t, b.file("cars.jsonl"), 60)
}

// One stream that fails keeps no other from being complete.
func TestStreamsFailOneByOne(t *testing.T) {
	b := newBench(t)
	streams := []fakeStream{{Name: "a", Rows: 25}, {Name: "b", Incremental: true, Rows: 25, Fail: 15}}
	b.runs(fake{Streams: streams}, 1, "ended with exit status 1 and without a reason")
	wantRows(t, b.file("a.jsonl"), 25)
	streams[1].Fail = 0
	b.runs(fake{Streams: streams}, 0, "Complete: 40 records of 2 streams")
	wantRows(t, b.file("a.jsonl"), 25)
	wantRows(t, b.file("b.jsonl"), 25)
	streams[1].Incomplete = true
	b.runs(fake{Streams: streams}, 1, "source-fake ended with 0, but said that these are incomplete: b")
}

func TestGlobalState(t *testing.T) {
	b := newBench(t)
	a := fakeStream{Name: "a", Incremental: true, Global: true, Rows: 25, Fail: 24}
	b.runs(fake{Streams: []fakeStream{a}}, 1, "")
	a.Fail = 0
	b.runs(fake{Streams: []fakeStream{a}}, 0, "Complete: 5 records")
	wantRows(t, b.file("a.jsonl"), 25)
}

func TestCatalogChanges(t *testing.T) {
	b := newBench(t)
	a, c := fakeStream{Name: "a", Incremental: true, Rows: 25}, fakeStream{Name: "sub/c d", Incremental: true, Rows: 12}
	b.runs(fake{Streams: []fakeStream{a, c}}, 0, "Complete: 37 records")
	wantRows(t, b.file("sub%2Fc d.jsonl"), 12)
	// A stream that is not read keeps its state.
	b.runs(fake{Streams: []fakeStream{a}}, 0, "Complete: 0 records of 1 streams")
	if strings.Contains(b.last(), "sub/c d") {
		t.Errorf("the source was given %s", b.last())
	}
	b.runs(fake{Streams: []fakeStream{a, c}}, 0, "Complete: 0 records of 2 streams")
	b.runs(fake{Streams: []fakeStream{a, c}}, 0, "Complete: 0 records of 1 streams", "-streams", " sub/c d,sub/c d,")
	b.runs(fake{Streams: []fakeStream{a, c}}, 1, `source-fake has no stream "x"; it has a, sub/c d`, "-streams", "a,x")
	// A stream that is read in another mode begins anew, and one that came is read.
	a.Incremental = false
	b.runs(fake{Streams: []fakeStream{a, {Name: "n", Rows: 3}}}, 0, "Complete: 28 records of 2 streams")
	wantRows(t, b.file("a.jsonl"), 25)
	a.Incremental = true
	b.runs(fake{Streams: []fakeStream{a}}, 0, "Complete: 25 records of 1 streams")
	wantRows(t, b.file("a.jsonl"), 25)
	// The catalog of a run can be given back.
	given := filepath.Join(t.TempDir(), "catalog.json")
	text, err := os.ReadFile(b.file(catalogFile))
	if err == nil {
		err = os.WriteFile(given, bytes.Replace(text, []byte(`"sync_mode":"incremental"`), []byte(`"sync_mode":"full_refresh"`), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.runs(fake{Streams: []fakeStream{a}}, 0, "full_refresh  complete", "-catalog", given)
	wantRows(t, b.file("a.jsonl"), 25)
	if err := os.WriteFile(given, []byte(`{"streams":[{"name":"a"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	b.runs(fake{Streams: []fakeStream{a}}, 1, "stream 1 has no member stream", "-catalog", given)
}

func TestFilesThatWereMoved(t *testing.T) {
	b := newBench(t)
	a := fakeStream{Name: "a", Incremental: true, Rows: 25}
	b.runs(fake{Streams: []fakeStream{a}}, 0, "")
	if err := os.Rename(b.file("a.jsonl"), b.file("old")); err != nil {
		t.Fatal(err)
	}
	a.Rows = 30
	b.runs(fake{Streams: []fakeStream{a}}, 0, "a.jsonl is not there any more; what is new goes into a new one")
	if got := ids(t, b.file("a.jsonl")); len(got) != 5 {
		t.Errorf("the new file has %v", got)
	}
	if err := os.Truncate(b.file("a.jsonl"), 3); err != nil {
		t.Fatal(err)
	}
	b.runs(fake{Streams: []fakeStream{a}}, 1, "a.jsonl has 3 bytes, but had ")
	// States from elsewhere are taken, and what a file has stays.
	if err := os.WriteFile(b.file(stateFile), []byte(`[{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"done":28}}}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.file("a.jsonl"), []byte("{\"id\":1}\n{\"id\""), 0o600); err != nil {
		t.Fatal(err)
	}
	b.runs(fake{Streams: []fakeStream{a}}, 0, "Complete: 2 records")
	if got := ids(t, b.file("a.jsonl")); got[1] != 1 || got[29] != 1 || got[30] != 1 || len(got) != 3 {
		t.Errorf("the file has %v", got)
	}
	if err := os.WriteFile(b.file(stateFile), []byte(`{`), 0o600); err != nil {
		t.Fatal(err)
	}
	b.runs(fake{Streams: []fakeStream{a}}, 1, "state.json is no list of state messages")
}

func TestMistakes(t *testing.T) {
	b := newBench(t)
	b.runs(fake{Refuse: true, Message: "The token is wrong."}, 1, "run: source-fake: The token is wrong.")
	b.runs(fake{}, 1, "the catalog has no streams")
	a := fakeStream{Name: "a", Incremental: true, Rows: 25}
	b.runs(fake{Streams: []fakeStream{a}}, 0, "")
	other := *b
	other.source = as(t, "source-other", roleSource)
	other.runs(fake{Streams: []fakeStream{a}}, 1, "state.json holds states of source-fake; use another folder for source-other")
	b.into(fake{})
	b.runs(fake{Streams: []fakeStream{a}}, 1, "state.json holds states of records that went into files; use another folder for another destination")
	for says, args := range map[string][]string{
		"these are missing: -config, -connector, -out (of make run: CONFIG, CONNECTOR, OUT)": nil,
		"these are missing: -config (of make run: CONFIG)":                                   {"-connector", "a", "-out", "c"},
		"flag provided but not defined: -no":                                                 {"-no"},
		`there is no argument "x"`:                                                           {"-connector", "a", "-config", "b", "-out", "c", "x"},
		"-destination and -destination-config belong together":                               {"-connector", "a", "-config", "b", "-out", "c", "-destination", "d"},
		"-streams and -catalog (of make run: STREAMS and CATALOG) exclude each other":        {"-connector", "a", "-config", "b", "-out", "c", "-streams", "d", "-catalog", "e"},
	} {
		var stderr bytes.Buffer
		if code := run(t.Context(), args, &stderr, &stderr); code != 2 || !strings.Contains(stderr.String(), says) {
			t.Errorf("%v: exit %d, want 2 and %q: %s", args, code, says, &stderr)
		}
	}
	for says, connector := range map[string]string{
		"there is no binary source-dwv, and an image has a colon or a slash": "source-dwv", "there is no binary ./x/y": "./x/y",
	} {
		var stderr bytes.Buffer
		if code := run(t.Context(), []string{"-connector", connector, "-config", b.config, "-out", t.TempDir()}, &stderr, &stderr); code != 1 ||
			!strings.Contains(stderr.String(), says) {
			t.Errorf("%s: exit %d, want 1 and %q: %s", connector, code, says, &stderr)
		}
	}
	for config, says := range map[string]string{"/dev/null": "/dev/null is no file; a pipe could be read only once", "/nowhere/c": "the file /nowhere/c does not exist"} {
		var stderr bytes.Buffer
		if code := run(t.Context(), []string{"-connector", b.source, "-config", config, "-out", t.TempDir()}, &stderr, &stderr); code != 1 ||
			!strings.Contains(stderr.String(), says) {
			t.Errorf("%s: exit %d: %s", config, code, &stderr)
		}
	}
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"-help"}, &stderr, &stderr); code != 0 || !strings.Contains(stderr.String(), "state.json") {
		t.Errorf("-help: exit %d: %s", code, &stderr)
	}
}

func TestDestination(t *testing.T) {
	b := newBench(t)
	b.into(fake{})
	streams := []fakeStream{{Name: "a", Incremental: true, Rows: 25}, {Name: "b", Rows: 15}}
	b.runs(fake{Streams: streams}, 0, "Complete: 40 records of 2 streams into destination-fake")
	count := func(want map[string]int) {
		t.Helper()
		got := map[string]int{}
		for _, line := range lines(t, b.taken) {
			got[gjson.Get(line, "type").Str+" "+gjson.Get(line, "record.stream").Str+gjson.Get(line, "trace.stream_status.status").Str]++
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the destination took %v, want %v", got, want)
		}
	}
	count(map[string]int{"RECORD a": 25, "RECORD b": 15, "TRACE COMPLETE": 2})
	catalog := strings.Join(lines(t, b.file(catalogFile)), "")
	generation := func(n int) int64 { return gjson.Get(catalog, fmt.Sprintf("streams.%d.generation_id", n)).Int() }
	if got := gjson.Get(catalog, "streams.#.destination_sync_mode").Raw; got != `["append","overwrite"]` {
		t.Errorf("the destination is to write %s", got)
	}
	if got := gjson.Get(catalog, "streams.#.minimum_generation_id").Array(); got[0].Int() != 0 || got[1].Int() != generation(1) || got[1].Int() == 0 {
		t.Errorf("the generations are from %v", got)
	}
	// What the destination did not take comes again, and a source that failed is not told to be complete.
	streams[0].Rows, streams[1].Fail = 60, 12
	b.into(fake{Die: 20})
	b.runs(fake{Streams: streams}, 1, "destination-fake ended with exit status 3 and without a reason")
	b.into(fake{})
	b.runs(fake{Streams: streams, Message: "No more."}, 1, "run: source-fake: No more. (transient_error)")
	streams[1].Fail = 0
	b.runs(fake{Streams: streams}, 0, "Complete")
	got := map[string]bool{}
	for _, line := range lines(t, b.taken) {
		got[gjson.Get(line, "record.stream").Str+gjson.Get(line, "record.data.id").Raw] = true
	}
	if len(got) != 60+15+1 { // and what is no record
		t.Errorf("the destination has %d different records", len(got))
	}
	b.into(fake{Refuse: true, Message: "No such table."})
	if err := os.Remove(b.file(stateFile)); err != nil {
		t.Fatal(err)
	}
	b.runs(fake{Streams: streams}, 1, "run: destination-fake: No such table.")
}

func TestTwoRunsAreKeptApart(t *testing.T) {
	b := newBench(t)
	held, err := acquire(t.Context(), b.out)
	if err != nil {
		t.Fatal(err)
	}
	a := fake{Streams: []fakeStream{{Name: "a", Rows: 5}}}
	b.runs(a, 1, "run: another run is under way in "+b.out)
	// A run that was killed, whose connector still runs for a moment.
	held.held.PID = 1 << 30
	if err := held.write(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(300*time.Millisecond, func() { _ = held.release() })
	b.runs(a, 0, "Complete: 5 records")
}

// brittle is a disk that fails at one of its operations, and at all after it.
type brittle struct {
	local

	left int
}

func (d *brittle) fails() error {
	if d.left--; d.left < 0 {
		return syscall.ENOSPC
	}
	return nil
}

func (d *brittle) open(path string, at int64) (file, error) {
	if err := d.fails(); err != nil {
		return nil, err
	}
	f, err := d.local.open(path, at)
	return &brittleFile{f, d}, err
}

func (d *brittle) replace(path string, data []byte) error {
	if err := d.fails(); err != nil {
		return err
	}
	return d.local.replace(path, data)
}

func (d *brittle) rename(from, to string) error {
	if err := d.fails(); err != nil {
		return err
	}
	return d.local.rename(from, to)
}

type brittleFile struct {
	file

	disk *brittle
}

func (f *brittleFile) Write(b []byte) (int, error) {
	if err := f.disk.fails(); err != nil {
		n, _ := f.file.Write(b[:len(b)/2])
		return n, err
	}
	return f.file.Write(b)
}

func (f *brittleFile) Sync() error {
	if err := f.disk.fails(); err != nil {
		return err
	}
	return f.file.Sync()
}

// Wherever the disk fails, the run says so, and the one after it brings what is missing.
func TestBrokenDisk(t *testing.T) {
	f := fake{Streams: []fakeStream{{Name: "a", Incremental: true, Rows: 25}, {Name: "b", Rows: 25}}}
	for at := 0; ; at++ {
		b := newBench(t)
		f.Streams[0].Rows, f.Streams[1].Rows = 15, 15
		b.runs(f, 0, "")
		f.Streams[0].Rows, f.Streams[1].Rows = 45, 45
		f.Log = b.log
		b.save(b.config, f)
		s := &session{options: options{connector: b.source, config: b.config, out: b.out}, bar: progress.New(&bytes.Buffer{}, time.Hour),
			started: time.Now(), disk: &brittle{left: at}}
		err := s.sync(t.Context())
		if err == nil {
			if at < 20 {
				t.Errorf("the disk was used %d times", at)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) || s.ended || strings.Count(err.Error(), "space") != 1 {
			t.Errorf("operation %d: %v", at, err)
		}
		for _, one := range s.streams {
			if one.complete {
				t.Errorf("operation %d: %s is called complete", at, one.name)
			}
		}
		if got := ids(t, b.file("b.jsonl")); len(got) != 15 && len(got) != 45 {
			t.Errorf("operation %d: a half of the new rows is in the old one's place: %d", at, len(got))
		}
		b.runs(f, 0, "Complete")
		wantRows(t, b.file("a.jsonl"), 45)
		wantRows(t, b.file("b.jsonl"), 45)
	}
}

// Whatever is killed and when, all rows are there in the end, and no state is ever ahead of them.
func TestKilledAnywhere(t *testing.T) {
	latency := sim.Behaviour{Latency: 3 * time.Millisecond}
	sources := serve(t, latency)
	requests := map[string]int{} // of a whole run, by source
	for _, c := range sources {
		_, ended := startRun(t, "-connector", c.binary, "-config", c.config, "-out", c.out)
		<-ended
		requests[c.Name] = c.server.Stats().Requests
	}
	for _, test := range []struct {
		name, victim string
		into         bool // a destination, and not files
	}{
		{"run", "run", false}, {"connector", "connector", false}, {"run into a destination", "run", true}, {"both connectors", "connector", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range sources {
				c.begin(t, latency)
				var b *bench
				if test.into {
					b = newBench(t)
					b.into(fake{})
				}
				killed(t, c, test.victim, requests[c.Name], b)
			}
		})
	}
}

// served is a source, built, whose API is simulated, with its configuration in a file.
type served struct {
	harness.Connector

	binary, config, out string
	api                 sim.Simulator
	server              *sim.Server
}

// serve makes each source one.
func serve(t *testing.T, with sim.Behaviour) (all []served) {
	t.Helper()
	if testing.Short() {
		t.Skip("it runs every connector; make test does")
	}
	connectors, err := harness.Connectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range connectors {
		if c.Writes() {
			continue
		}
		s := served{Connector: c}
		if s.binary, err = c.Build(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.begin(t, with)
		all = append(all, s)
	}
	return all
}

// begin gives the source an API and folders of which nothing was read yet.
func (s *served) begin(t *testing.T, with sim.Behaviour) {
	t.Helper()
	dir := t.TempDir()
	s.config, s.out = filepath.Join(dir, "config.json"), filepath.Join(dir, "out")
	var err error
	if s.api, err = simulators.All()[simulators.Name(s.Name)](sim.Options{Size: 150}); err != nil {
		t.Fatal(err)
	}
	s.serve(t, with)
}

// serve starts the API's server, and writes the configuration that reads from it.
func (s *served) serve(t *testing.T, with sim.Behaviour) {
	t.Helper()
	var err error
	if s.server, err = sim.Start(s.api, "", with); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.server.Close() })
	text, err := json.Marshal(s.server.Config())
	if err == nil {
		err = os.WriteFile(s.config, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// killed runs a source into files, or into the destination of b, and kills what is at work a few times, at any of the requests that a run makes.
func killed(t *testing.T, c served, victim string, requests int, b *bench) {
	args := []string{"-connector", c.binary, "-config", c.config}
	if b != nil {
		args = append(args, "-destination", b.target, "-destination-config", b.targetConfig)
	}
	seed := uint64(time.Now().UnixNano())
	dice := rand.New(rand.NewPCG(seed, 0))
	hit, resumed := 0, 0
	for range 3 {
		cmd, ended := startRun(t, append(args, "-out", c.out, "-every", "0")...)
		moment := c.server.Stats().Requests + 1 + dice.IntN(max(1, requests-1))
		for over := false; !over && c.server.Stats().Requests < moment; {
			select {
			case <-ended:
				over = true
			case <-time.After(time.Millisecond):
			}
		}
		hit += kill(cmd.Process.Pid, victim)
		<-ended
		resumed += holds(t, c.out)
	}
	if t.Logf("%s, seed %d: killed %d times, %d states were gone on with", c.Name, seed, hit, resumed); hit == 0 {
		t.Errorf("%s, seed %d: nothing was ever killed", c.Name, seed)
	}
	cmd, ended := startRun(t, append(args, "-out", c.out)...)
	if <-ended; cmd.ProcessState.ExitCode() != 0 {
		t.Fatalf("%s, seed %d: the last run ended with %v", c.Name, seed, cmd.ProcessState)
	}
	holds(t, c.out)
	catalog := strings.Join(lines(t, filepath.Join(c.out, catalogFile)), "")
	var taken map[string][]gjson.Result
	if b != nil {
		taken = records(t, b.taken)
	}
	expected := c.api.Expect()
	for _, stream := range gjson.Get(catalog, "streams").Array() {
		name := stream.Get("stream.name").Str
		rows := taken[name]
		if b == nil {
			for _, line := range lines(t, filepath.Join(c.out, name+".jsonl")) {
				rows = append(rows, gjson.Parse(line))
			}
		}
		if err := expected[name].Full.Compare(keys(rows, stream)); err != nil {
			t.Errorf("%s, seed %d: %s: %v", c.Name, seed, name, err)
		}
	}
}

// records returns the rows that a destination took, by stream.
func records(t *testing.T, path string) map[string][]gjson.Result {
	t.Helper()
	rows := map[string][]gjson.Result{}
	for _, line := range lines(t, path) {
		if !gjson.Valid(line) { // a killed destination left it in the middle: no state was given back after it
			continue
		}
		if record := gjson.Get(line, "record"); record.Exists() {
			name := record.Get("stream").Str
			rows[name] = append(rows[name], record.Get("data"))
		}
	}
	return rows
}

// keys returns those of the rows of a configured stream, and how often each is there.
func keys(rows []gjson.Result, stream gjson.Result) map[string]int {
	all := map[string]int{}
	for _, row := range rows {
		var key []string
		for _, path := range stream.Get("primary_key").Array() {
			key = append(key, row.Get(path.Get("0").Str).String())
		}
		all[strings.Join(key, ",")]++
	}
	return all
}

// startRun starts run as a process of its own; ended is closed when it has.
func startRun(t *testing.T, args ...string) (cmd *exec.Cmd, ended chan struct{}) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), role+"="+roleRun)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended = make(chan struct{})
	go func() {
		_ = cmd.Wait() // it may have been killed
		close(ended)
	}()
	return cmd, ended
}

// kill kills a process, or the one that it started, and returns how many that were.
func kill(pid int, victim string) (n int) {
	pids := []string{strconv.Itoa(pid)}
	if victim == "connector" {
		pids = nil
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is a good one
		for _, task := range tasks {
			children, _ := os.ReadFile(task) // one that ended has none
			pids = append(pids, strings.Fields(string(children))...)
		}
	}
	for _, text := range pids {
		if pid, err := strconv.Atoi(text); err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
			n++
		}
	}
	return n
}

// holds holds that the rows that the states speak for are there, whole, and returns how many states there are.
func holds(t *testing.T, out string) int {
	t.Helper()
	text, err := local{}.read(filepath.Join(out, stateFile))
	if err != nil || text != nil && !gjson.ValidBytes(text) {
		t.Fatalf("%v: state.json is %.300s", err, text)
	}
	for _, p := range gjson.GetBytes(text, "#.run.files|@flatten").Array() {
		rows, err := local{}.read(filepath.Join(out, p.Get("name").Str))
		end := int(p.Get("bytes").Int())
		if err != nil || len(rows) < end || end > 0 && rows[end-1] != '\n' {
			t.Errorf("%v: a state speaks for %d bytes of %s, which has %d", err, end, p.Get("name").Str, len(rows))
			continue
		}
		for line := range bytes.Lines(rows[:end]) {
			if !gjson.ValidBytes(line) {
				t.Errorf("%s has the line %q", p.Get("name").Str, line)
			}
		}
	}
	return int(gjson.GetBytes(text, "#").Int())
}

// Images are run as binaries are, by docker, and what a killed run leaves running is ended by the next.
func TestImages(t *testing.T) {
	harness.NeedDocker(t)
	c := serve(t, sim.Behaviour{Faults: sim.Faults{Kinds: []sim.Fault{sim.Stall}, Rate: 1, Stall: time.Hour}})[0]
	if err := c.BuildImage(t.Context()); err != nil {
		t.Fatal(err)
	}
	args := []string{"-connector", c.Image(), "-config", c.config, "-out", c.out} // the configuration is one that the container's user may not read
	cmd, ended := startRun(t, args...)
	for c.server.Stats().Requests == 0 {
		select {
		case <-ended:
			t.Fatalf("it ended with %v before it asked for anything", cmd.ProcessState)
		case <-time.After(10 * time.Millisecond):
		}
	}
	if kill(cmd.Process.Pid, "run") != 1 {
		t.Fatal("the run is not there to be killed")
	}
	<-ended
	left := gjson.Get(strings.Join(lines(t, filepath.Join(c.out, hidden, "lock")), ""), "containers.0").Str
	there := func() bool { return exec.CommandContext(t.Context(), "docker", "inspect", left).Run() == nil }
	if !there() {
		t.Fatalf("there is no container %q of the run that was killed", left)
	}
	c.serve(t, sim.Behaviour{})
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s%s", code, &stdout, &stderr)
	}
	if there() {
		t.Error("the container of the run that was killed is still there")
	}
	holds(t, c.out)
	for name, want := range c.api.Expect() {
		if got := lines(t, filepath.Join(c.out, name+".jsonl")); len(got) < len(want.Full.Must) {
			t.Errorf("%s has %d rows, want %d", name, len(got), len(want.Full.Must))
		}
	}
	lock, err := os.ReadFile(filepath.Join(c.out, hidden, "lock"))
	if err != nil || bytes.Contains(lock, []byte("containers")) {
		t.Errorf("%v: the lock is %s", err, lock)
	}
}

// A run that is asked to end lets the connector end, and keeps the states that it leaves.
func TestStopped(t *testing.T) {
	for _, c := range serve(t, sim.Behaviour{Latency: 50 * time.Millisecond}) {
		ctx, cancel := context.WithCancel(t.Context())
		var stdout, stderr bytes.Buffer
		ended := make(chan int, 1)
		go func() {
			ended <- run(ctx, []string{"-connector", c.binary, "-config", c.config, "-out", c.out}, &stdout, &stderr)
		}()
		for len(lines(t, filepath.Join(c.out, catalogFile))) == 0 || c.server.Stats().Requests < 3 {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
		if code := <-ended; code != 1 || !strings.Contains(stderr.String(), "was stopped") {
			t.Errorf("%s: exit %d: %s%s", c.Name, code, &stdout, &stderr)
		}
		holds(t, c.out)
	}
}

// A run that is asked to end before a connector is started says so too.
func TestStoppedBeforeAConnectorIsStarted(t *testing.T) {
	c := serve(t, sim.Behaviour{})[0]
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"-connector", c.binary, "-config", c.config, "-out", c.out}, &stdout, &stderr)
	if code != 1 || !strings.Contains(stderr.String(), "was stopped") || strings.Contains(stderr.String(), "canceled") {
		t.Errorf("exit %d: %s%s", code, &stdout, &stderr)
	}
}

// A destination may be an image as well: what comes is handed to its standard input, and the states that it gives back are kept.
func TestDestinationImage(t *testing.T) {
	harness.NeedDocker(t)
	c := serve(t, sim.Behaviour{})[0]
	if err := c.BuildImage(t.Context()); err != nil {
		t.Fatal(err)
	}
	const image = "imob-data/test-destination:dev"
	script := `case $1 in
spec) echo '{"type":"SPEC","spec":{"supported_destination_sync_modes":["append"],"connectionSpecification":{}}}' ;;
check) grep -q ok $3 && echo '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}' ;;
write) grep '^{"type":"STATE"' ;;
esac`
	entrypoint, err := json.Marshal([]string{"sh", "-c", script, "connector"})
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "docker", "build", "--quiet", "--tag", image, "-")
	build.Env = append(os.Environ(), "DOCKER_BUILDKIT=0")
	build.Stdin = strings.NewReader(fmt.Sprintf("FROM %s\nENTRYPOINT %s\n", c.Image(), entrypoint))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "--force", image).Run() })
	config := filepath.Join(t.TempDir(), "target.json")
	if err := os.WriteFile(config, []byte(`{"is":"ok"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-connector", c.Image(), "-config", c.config, "-out", c.out, "-destination", image, "-destination-config", config}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), "into test-destination in") {
		t.Fatalf("exit %d: %s%s", code, &stdout, &stderr)
	}
	states := strings.Join(lines(t, filepath.Join(c.out, stateFile)), "")
	if n := gjson.Get(states, "#").Int(); n == 0 || gjson.Get(states, "0.run.destination").Str != "test-destination" {
		t.Errorf("the states are %.500s", states)
	}
}
