package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/progress"
	"github.com/imob-data/airbyte-connectors/integration/simulators"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// options are the command's flags.
type options struct {
	image            bool
	size             int
	changed, deleted int
	out              string
}

// run returns the whole command. It returns the exit code: 0 when every connector did what its simulator expects, 1 when not, 2 for wrong flags.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.image, "image", false, "run the connectors' images (docker run) instead of their binaries; builds the images")
	flags.IntVar(&o.size, "size", 3000, "`rows` of each simulator's largest stream")
	flags.IntVar(&o.changed, "changed", 25, "`rows` of each stream that change before the second sync")
	flags.IntVar(&o.deleted, "deleted", 5, "`rows` that are deleted before the second sync, where the API knows deletion")
	flags.StringVar(&o.out, "out", "", "`folder` for the output, a folder per connector in it (default build/demo)")
	flags.Usage = func() {
		_, _ = fmt.Fprintf(stderr, "demo runs spec, check, discover, a full read and a second read after some rows changed, of every source, and spec,\n"+
			"check, discover and a write of orders, twice with one journal, of every destination,\n"+
			"each against the simulator of its API on this machine, and holds what came against what the simulator has.\n\nFlags:\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	d := demo{options: o, page: page{When: time.Now()}, progress: progress.New(stderr, 3*time.Second)}
	err := d.all(ctx)
	d.progress.Done()
	if len(d.rows) > 0 {
		err = errors.Join(err, d.finish(err))
		d.table(stdout)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// demo is the command at work.
type demo struct {
	options

	progress *progress.Bar
	rows     []row
	page     page
}

// row is a line of the table.
type row struct {
	connector, stream string
	records           int
	bytes             int64
	took              time.Duration
	second            int
	incremental       bool
	writes            bool // second is what a second attempt sent again
}

// finish writes the page.
func (d *demo) finish(failed error) error {
	d.page.Took, d.page.Out = time.Since(d.page.When).Round(time.Second), d.out
	if failed != nil {
		d.page.Failed = failed.Error()
	}
	return d.page.write(filepath.Join(d.out, pageName))
}

// pageName is the page's file.
const pageName = "index.html"

func (d *demo) all(ctx context.Context) error {
	root, err := harness.Root()
	if err != nil {
		return err
	}
	if d.out == "" {
		d.out = filepath.Join(root, "build", "demo")
	}
	if d.out, err = filepath.Abs(d.out); err != nil {
		return fmt.Errorf("finding the output's folder: %w", err)
	}
	connectors, err := harness.Connectors()
	if err != nil {
		return err
	}
	if len(connectors) == 0 {
		return errors.New("there is no connector in connectors/")
	}
	var failed []error
	for _, c := range connectors {
		if err := d.connector(ctx, c); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", c.Name, err))
		}
	}
	return errors.Join(failed...)
}

// connector shows one connector.
func (d *demo) connector(ctx context.Context, c harness.Connector) error {
	d.progress.Step("%s: building", c.Name)
	runner, err := d.runner(ctx, c)
	if err != nil {
		return err
	}
	if c.Writes() {
		return d.destination(ctx, c, runner)
	}
	simulator, err := d.open(c, sim.Options{Size: d.size})
	if err != nil {
		return err
	}
	server, err := sim.Start(simulator, "", sim.Behaviour{})
	if err != nil {
		return err
	}
	defer server.Close()
	config, err := json.Marshal(server.Config())
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	s, discovered, err := d.introduce(ctx, c, runner, simulator, config)
	if err != nil {
		return err
	}
	catalog := discovered.Catalogs[0]
	configured := catalog.Configure(harness.Incremental)

	first, err := s.run(ctx, "read", harness.Read(config, configured, nil))
	if err != nil {
		return err
	}
	times := maps.Clone(s.times)
	off := compare("read", simulator.Expect(), first, func(e sim.Expectation) sim.Keys { return e.Full })
	simulator.Change(d.changed, d.deleted)
	second, err := s.run(ctx, "second", harness.Read(config, configured, first.State()))
	if err != nil {
		return err
	}
	next := simulator.Expect()
	for _, stream := range catalog.Streams {
		again, err := stream.Margin(lastState(first, stream.Name), first.Of(stream.Name))
		if err != nil {
			return err
		}
		e := next[stream.Name]
		maps.Copy(again, e.Next.May)
		e.Next.May = again
		next[stream.Name] = e
	}
	off = errors.Join(off, compare("second read", next, second, func(e sim.Expectation) sim.Keys { return e.Next }))
	var rows []row
	for _, stream := range catalog.Streams {
		rows = append(rows, row{
			connector: c.Name, stream: stream.Name, records: len(first.Of(stream.Name)), bytes: first.Size(stream.Name), took: times[stream.Name],
			second: len(second.Of(stream.Name)), incremental: stream.Incremental(),
		})
	}
	d.rows = append(d.rows, rows...)
	return errors.Join(off, d.show(c, catalog, rows, first, second))
}

func (*demo) open(c harness.Connector, o sim.Options) (sim.Simulator, error) {
	open := simulators.All()[simulators.Name(c.Name)]
	if open == nil {
		return nil, fmt.Errorf("there is no simulator %q", simulators.Name(c.Name))
	}
	return open(o)
}

// introduce shows what a connector says of itself: spec, check and discover.
func (d *demo) introduce(ctx context.Context, c harness.Connector, runner harness.Runner, simulator sim.Simulator, config []byte,
) (*show, *harness.Result, error) {
	s := &show{
		demo: d, name: c.Name, runner: runner, dir: filepath.Join(d.out, c.Name), secrets: simulator.Secrets(),
		times: map[string]time.Duration{}, started: map[string]time.Time{},
	}
	if confidant, ok := simulator.(sim.Confidant); ok {
		s.learnt = confidant.Learnt
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, nil, fmt.Errorf("making the output's folder: %w", err)
	}
	if _, err := s.run(ctx, "spec", harness.Spec()); err != nil {
		return nil, nil, err
	}
	checked, err := s.run(ctx, "check", harness.Check(config))
	if err != nil {
		return nil, nil, err
	}
	if status := checked.Checks[0]; status.Status != "SUCCEEDED" {
		return nil, nil, fmt.Errorf("check: %s %s", status.Status, status.Message)
	}
	discovered, err := s.run(ctx, "discover", harness.Discover(config))
	return s, discovered, err
}

func (d *demo) runner(ctx context.Context, c harness.Connector) (harness.Runner, error) {
	if d.image {
		if err := harness.Docker(ctx); err != nil {
			return nil, fmt.Errorf("no Docker engine answers (make docker installs and starts one): %w", err)
		}
		return harness.Image{Ref: c.Image()}, c.BuildImage(ctx)
	}
	path, err := c.Build(ctx)
	return harness.Binary{Path: path}, err
}

// lastState returns a stream's last state of a run; nil where it has none.
func lastState(res *harness.Result, stream string) []byte {
	for _, s := range slices.Backward(res.States) {
		if s.Stream == stream {
			return s.Blob
		}
	}
	return nil
}

// compare holds the rows of a run against what each stream had to bring.
func compare(what string, want map[string]sim.Expectation, got *harness.Result, keys func(sim.Expectation) sim.Keys) error {
	var off []error
	for _, stream := range slices.Sorted(maps.Keys(want)) {
		if err := keys(want[stream]).Compare(got.Keys(stream)); err != nil {
			off = append(off, fmt.Errorf("%s of %s: %w", what, stream, err))
		}
	}
	return errors.Join(off...)
}

// show is one connector's runs.
type show struct {
	*demo

	name    string
	runner  harness.Runner
	dir     string
	secrets []string
	learnt  func() []string
	started map[string]time.Time // by stream
	times   map[string]time.Duration
}

// run runs a command, keeps its output in a file of the step's name, and fails unless the run did nothing that no run may do.
func (s *show) run(ctx context.Context, step string, c harness.Command) (res *harness.Result, err error) {
	file, err := os.Create(filepath.Join(s.dir, step+".jsonl"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", step, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out := bufio.NewWriterSize(file, 1<<20)
	records := 0
	s.progress.Step("%s: %s", s.name, step)
	each := func(m harness.Message, _ *harness.Control) {
		switch {
		case m.Type == "RECORD":
			if records++; records%100 == 0 {
				s.progress.Tick("%s: %s, %d records", s.name, step, records)
			}
		case m.Trace == "STREAM_STATUS" && s.started[m.Stream].IsZero():
			s.started[m.Stream] = time.Now()
		case m.Trace == "STREAM_STATUS" && strings.Contains(string(m.Line), `"COMPLETE"`):
			s.times[m.Stream] = time.Since(s.started[m.Stream])
		}
	}
	res, err = harness.Run(ctx, s.runner, c, harness.Options{Secrets: s.secrets, Learnt: s.learnt, Tee: out, Each: each})
	if err = errors.Join(err, out.Flush()); err != nil {
		return nil, fmt.Errorf("%s: %w", step, err)
	}
	s.progress.Step("%s: %s, %d records in %v", s.name, step, records, res.Wall.Round(time.Millisecond))
	problems := res.Problems()
	if res.Code != 0 {
		problems = append([]string{res.String()}, problems...)
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("%s: %s", step, strings.Join(problems, "\n  "))
	}
	return res, nil
}

// table shows what was read.
func (d *demo) table(stdout io.Writer) {
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	// An AlignRight cell ends with its tab; the first two columns are text and padded by hand.
	widths := [2]int{len("connector"), len("stream")}
	for _, r := range d.rows {
		widths[0], widths[1] = max(widths[0], len(r.connector)), max(widths[1], len(r.stream))
	}
	line := func(connector, stream string, rest ...string) {
		_, _ = fmt.Fprintf(w, "%-*s  %-*s\t%s\t\n", widths[0], connector, widths[1], stream, strings.Join(rest, "\t"))
	}
	line("connector", "stream", "records", "bytes", "records/s", "second sync")
	for _, r := range d.rows {
		second := fmt.Sprint(r.second)
		switch {
		case r.writes:
			second += " (again)"
		case !r.incremental:
			second += " (whole)"
		}
		line(r.connector, r.stream, fmt.Sprint(r.records), fmt.Sprint(r.bytes), r.Rate(), second)
	}
	_ = w.Flush() // stdout that is gone is its reader's affair
	_, _ = fmt.Fprintf(stdout, "\nThe messages are in %s/<connector>/{spec,check,discover,read|write,second}.jsonl.\n"+
		"The same to look at, with the rows: %s\n", d.out, filepath.Join(d.out, pageName))
}
