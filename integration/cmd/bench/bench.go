package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// options are the command's flags.
type options struct {
	size, rounds int
	connector    string
	growth       int
	latency      time.Duration
	peer, types  bool
	profile      bool
	write        string
}

// bench measures the chosen connectors.
func bench(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.size, "size", 100_000, "`rows` of the simulator's largest stream")
	flags.IntVar(&o.rounds, "rounds", 5, "`rounds`, each a read by the connector, one by the relay and one that throws the answers away")
	flags.StringVar(&o.connector, "connector", "", "`name` of the one connector to measure (default all)")
	flags.IntVar(&o.growth, "growth", 0, "1: time and memory at 10,000 to 10,000,000 records instead; another number is the most records")
	flags.DurationVar(&o.latency, "latency", 0, "how much of the waiting each stream hides where every answer comes later by this `time`, instead")
	flags.BoolVar(&o.peer, "peer", false, "a stream of source-dwv beside Airbyte's Python CDK instead")
	flags.BoolVar(&o.types, "types", false, "what it costs to bring columns into their types, beside a connector that does not, instead")
	flags.BoolVar(&o.profile, "profile", false, "write where the sources' CPU goes to "+profile+", for the compiler, instead")
	flags.StringVar(&o.write, "write", "", "`folder` for the tables and the chart, where all connectors are measured")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if o.rounds < 1 || o.size < 1 {
		return errors.New("-rounds and -size have to be at least 1")
	}
	sources, err := chosen(o.connector)
	if err != nil {
		return err
	}
	b := &bencher{options: o, sources: sources, stderr: stderr}
	measure := b.ratios
	switch {
	case o.growth > 0:
		measure = b.growing
	case o.latency > 0:
		measure = b.waiting
	case o.peer:
		measure = b.beside
	case o.types:
		measure = b.typing
	case o.profile:
		measure = b.profiling
	}
	found, err := measure(ctx)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(stdout, found.markdown()); err != nil {
		return fmt.Errorf("writing the tables: %w", err)
	}
	if o.write == "" || o.connector != "" {
		return nil
	}
	return found.write(o.write)
}

// bencher measures sources.
type bencher struct {
	options

	sources []harness.Connector
	stderr  io.Writer
}

// say tells what is being done.
func (b *bencher) say(format string, args ...any) { _, _ = fmt.Fprintf(b.stderr, format+"\n", args...) }

// chosen returns the sources; what a destination costs is its API's affair: it waits for every call.
func chosen(name string) (sources []harness.Connector, err error) {
	all, err := harness.Connectors()
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if !c.Writes() && (name == "" || name == c.Name) {
			sources = append(sources, c)
		}
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("there is no source %q in connectors/", name)
	}
	return sources, nil
}
