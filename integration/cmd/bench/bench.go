package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators"
)

// options are the command's flags.
type options struct {
	size, rounds int
	connector    string
	types        bool
}

// bench measures the chosen connectors.
func bench(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.size, "size", 100_000, "`rows` of the simulator's largest stream")
	flags.IntVar(&o.rounds, "rounds", 3, "`rounds`, each of one read by the connector and one by the relay; the medians count")
	flags.StringVar(&o.connector, "connector", "", "`name` of the one connector to measure (default all)")
	flags.BoolVar(&o.types, "types", false, "also read with a connector that does not bring columns into their types, to see what that costs")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if o.rounds < 1 || o.size < 1 {
		return errors.New("-rounds and -size have to be at least 1")
	}
	connectors, err := harness.Connectors()
	if err != nil {
		return err
	}
	measured := 0
	for _, c := range connectors {
		if o.connector != "" && o.connector != c.Name || c.Writes() { // what a destination costs is its API's affair: it waits for every call
			continue
		}
		measured++
		if err := measure(ctx, c, o, stdout, stderr); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	if measured == 0 {
		return fmt.Errorf("there is no source %q in connectors/", o.connector)
	}
	return nil
}

// cost is what one run took.
type cost struct {
	wall, cpu time.Duration
	rss       int64
	bytes     int64
}

func measure(ctx context.Context, c harness.Connector, o options, stdout, stderr io.Writer) (err error) {
	path, err := c.Build(ctx)
	if err != nil {
		return err
	}
	s, err := startSimulator(ctx, simulators.Name(c.Name), o.size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the relay: %w", err)
	}
	connector, relayer := harness.Binary{Path: path}, harness.Binary{Path: self}

	// The first read is not measured. It is checked in full, and the relay is told to do what it did.
	_, _ = fmt.Fprintf(stderr, "%s: a first read of %d rows\n", c.Name, o.size)
	read, records, err := rehearse(ctx, connector, c, s)
	if err != nil {
		return err
	}
	t, err := s.traffic()
	if err != nil {
		return err
	}
	body, err := json.Marshal(plan{URL: s.URL, Requests: t.Requests, AtOnce: t.AtOnce})
	if err != nil {
		return fmt.Errorf("writing the relay's plan: %w", err)
	}
	relayed := harness.Command{Args: []string{relayCommand, "{plan.json}"}, Files: map[string][]byte{"plan.json": body}}

	untyped := ""
	if o.types {
		if untyped, err = buildUntyped(ctx, c); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(filepath.Dir(untyped))) }()
	}

	var ours, plain, bare []cost
	for round := range o.rounds {
		_, _ = fmt.Fprintf(stderr, "%s: round %d of %d\n", c.Name, round+1, o.rounds)
		a, err := drained(ctx, connector, read)
		if err != nil {
			return err
		}
		b, err := drained(ctx, relayer, relayed)
		if err != nil {
			return err
		}
		ours, plain = append(ours, a), append(plain, b)
		if untyped != "" {
			k, err := drained(ctx, harness.Binary{Path: untyped}, read)
			if err != nil {
				return err
			}
			bare = append(bare, k)
		}
	}
	_, _ = fmt.Fprintf(stdout, "%s: %d records in %d requests, %d at a time; medians of %d rounds\n",
		c.Name, records, len(t.Requests), t.AtOnce, o.rounds)
	table(stdout, median(ours), median(plain), records)
	if untyped != "" {
		on, off, relay := least(ours).Seconds(), least(bare).Seconds(), least(plain).Seconds()
		_, _ = fmt.Fprintf(stdout, "types: %.3f s of CPU with, %.3f s without, %.3f of the relay, the least of all rounds: the difference is %.2f of the "+
			"relay's\n", on, off, relay, (on-off)/relay)
	}
	return nil
}

// untypedColumns is common/rest/columns.go for a connector that does not bring columns into their types.
const untypedColumns = `package rest

import (
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/spec"
)

func (s *Stream) columns(*spec.Spec) ([]record.Edit, error) { return nil, nil }
`

// buildUntyped builds a connector that does not bring columns into their types, alone in a folder of its own.
func buildUntyped(ctx context.Context, c harness.Connector) (path string, err error) {
	root, err := harness.Root()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return "", fmt.Errorf("building %s without types: %w", c.Name, err)
	}
	file, overlay := filepath.Join(dir, "columns.go"), filepath.Join(dir, "overlay.json")
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "common", "rest", "columns.go"): file}})
	if err == nil {
		err = errors.Join(os.WriteFile(file, []byte(untypedColumns), 0o600), os.WriteFile(overlay, replaced, 0o600))
	}
	if err != nil {
		return "", fmt.Errorf("building %s without types: %w", c.Name, err)
	}
	path = filepath.Join(dir, c.Name)
	build := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(root, "connectors", c.Name), "-overlay", overlay, "-trimpath",
		"-ldflags=-s -w", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s without types: %w\n%s", c.Name, err, said)
	}
	return path, nil
}

// rehearse reads once and checks all that came. It returns the command for reading again and the number of records.
func rehearse(ctx context.Context, connector harness.Runner, c harness.Connector, s *simulator) (read harness.Command, records int, err error) {
	discovered, err := harness.Run(ctx, connector, harness.Discover(s.Config), harness.Options{Secrets: s.Secrets})
	if err != nil {
		return read, 0, err
	}
	if len(discovered.Catalogs) != 1 {
		return read, 0, fmt.Errorf("discovering: %s", discovered)
	}
	// Streams that cost a request for each record would measure requests, not records: they are not suggested.
	read = harness.Read(s.Config, discovered.Catalogs[0].Configure(harness.FullRefresh, c.Suggested...), nil)
	res, err := harness.Run(ctx, connector, read, harness.Options{Secrets: s.Secrets})
	if err != nil {
		return read, 0, err
	}
	if problems := res.Problems(); res.Code != 0 || len(problems) > 0 {
		return read, 0, fmt.Errorf("reading: %s %v", res, problems)
	}
	return read, len(res.Rows), nil
}

// drained runs a command whose output is read as fast as it comes, and thrown away.
func drained(ctx context.Context, r harness.Runner, c harness.Command) (cost, error) {
	p, err := r.Start(ctx, c)
	if err != nil {
		return cost{}, err
	}
	var k cost
	buffer := make([]byte, 1<<20)
	for err == nil {
		var n int
		n, err = p.Stdout().Read(buffer)
		k.bytes += int64(n)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	e, waitErr := p.Wait()
	if err = errors.Join(err, waitErr); err != nil {
		return k, err
	}
	if e.Code != 0 {
		return k, fmt.Errorf("%v exited with %d: %s", c.Args, e.Code, e.Stderr)
	}
	k.wall, k.cpu, k.rss = e.Wall, e.CPU, e.MaxRSS
	return k, nil
}

// median is the median of each cost by itself.
func median(costs []cost) cost {
	return cost{
		wall:  middle(costs, func(c cost) time.Duration { return c.wall }),
		cpu:   middle(costs, func(c cost) time.Duration { return c.cpu }),
		rss:   middle(costs, func(c cost) int64 { return c.rss }),
		bytes: middle(costs, func(c cost) int64 { return c.bytes }),
	}
}

// least is the least CPU time: other processes only add to it.
func least(costs []cost) time.Duration {
	return slices.MinFunc(costs, func(a, b cost) int { return cmp.Compare(a.cpu, b.cpu) }).cpu
}

func middle[T ~int64](costs []cost, of func(cost) T) T {
	var values []T
	for _, c := range costs {
		values = append(values, of(c))
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

func table(stdout io.Writer, ours, plain cost, records int) {
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(what, a, b, ratio string) { _, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", what, a, b, ratio) }
	per := func(a, b float64) string { return fmt.Sprintf("%.2f", a/b) }
	rate := func(c cost) float64 { return float64(records) / c.wall.Seconds() }
	line("", "connector", "relay", "ratio")
	line("wall s", fmt.Sprintf("%.2f", ours.wall.Seconds()), fmt.Sprintf("%.2f", plain.wall.Seconds()), per(ours.wall.Seconds(), plain.wall.Seconds()))
	line("CPU s", fmt.Sprintf("%.2f", ours.cpu.Seconds()), fmt.Sprintf("%.2f", plain.cpu.Seconds()), per(ours.cpu.Seconds(), plain.cpu.Seconds()))
	line("peak RSS MiB", fmt.Sprintf("%.1f", mib(ours.rss)), fmt.Sprintf("%.1f", mib(plain.rss)), per(mib(ours.rss), mib(plain.rss)))
	written := [2]float64{float64(ours.bytes) / 1e6, float64(plain.bytes) / 1e6}
	line("output MB", fmt.Sprintf("%.1f", written[0]), fmt.Sprintf("%.1f", written[1]), per(written[0], written[1]))
	line("records/s", fmt.Sprintf("%.0f", rate(ours)), fmt.Sprintf("%.0f", rate(plain)), per(rate(ours), rate(plain)))
	_ = w.Flush() // stdout that is gone is its reader's affair
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
