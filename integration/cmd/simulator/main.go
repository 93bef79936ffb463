// Command simulator serves one of the API simulators, to try a connector by hand or from a container:
//
//	go run ./cmd/simulator dwv --size 1000 --faults 0.2 --config /tmp/config.json
//
// It prints where it listens and a configuration of the connector that reads from it, then takes commands, one a line:
// "change 10 3" changes ten rows of each stream and deletes three, "expect" prints the keys of the rows that a full read must bring and may
// bring, "stats" prints the counters, "quit" ends it, as Ctrl-C does.
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
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

// settings are the command line.
type settings struct {
	options                 sim.Options
	behaviour               sim.Behaviour
	kinds, retryAfter       string
	addr, config, publicURL string
	record                  string
}

func (c *settings) flags(stderr io.Writer) *flag.FlagSet {
	c.options.Set = map[string]string{}
	flags := flag.NewFlagSet("simulator NAME", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:0", "where to listen; 0.0.0.0:PORT to be reached from containers")
	flags.StringVar(&c.publicURL, "public-url", "", "the base URL for the configuration, where it is not the one listened at")
	flags.StringVar(&c.config, "config", "", "also write the configuration to this file")
	flags.StringVar(&c.record, "record", "", "write each request and the answer to it, if that is a good one, to this file, a line of JSON each")
	flags.IntVar(&c.options.Size, "size", 1000, "rows of the largest stream")
	flags.Uint64Var(&c.options.Seed, "seed", 1, "seed of the data and of the faults")
	flags.Func("set", "an option of the simulator, name=value; repeatable", func(pair string) error {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return errors.New("want name=value")
		}
		c.options.Set[name] = value
		return nil
	})
	flags.Float64Var(&c.behaviour.Faults.Rate, "faults", 0, "share of requests that go wrong, 0 to 1")
	flags.StringVar(&c.kinds, "fault-kinds", "passing", fmt.Sprintf("passing, all, or some of %v, separated by commas", sim.AllFaults()))
	flags.IntVar(&c.behaviour.Faults.Limit, "fault-limit", 0, "no more faults than this; 0 means no limit")
	flags.DurationVar(&c.behaviour.Faults.Stall, "stall", 0, "how long the stalling faults last; 0 means 90s")
	flags.IntVar(&c.behaviour.Quota.Requests, "quota", 0, "requests answered in a window; 0 means no limit")
	flags.DurationVar(&c.behaviour.Quota.Window, "window", time.Minute, "the window of the quota")
	flags.StringVar(&c.retryAfter, "retry-after", "", "form of Retry-After on a 429: seconds, date, or none when empty")
	flags.Func("early", "a request (1, 2, …) refused with 429 although the quota is not used up; repeatable", func(number string) error {
		var n int
		_, err := fmt.Sscan(number, &n)
		c.behaviour.Quota.Early = append(c.behaviour.Quota.Early, n)
		return err
	})
	flags.DurationVar(&c.behaviour.Latency, "latency", 0, "how much later every answer comes")
	flags.BoolVar(&c.behaviour.Gzip, "gzip", false, "compress answers for those who accept it")
	return flags
}

// run serves until ctx ends or a line of stdin says quit; the end of stdin is no reason to stop.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var c settings
	flags := c.flags(stderr)
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		if err := flags.Parse(args); err != nil { // --help is one
			return err
		}
		return fmt.Errorf("reading the command line: first comes the name of a simulator: %s", strings.Join(names(), ", "))
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	open, ok := simulators.All()[simulators.Name(args[0])]
	if !ok || flags.NArg() > 0 {
		return fmt.Errorf("reading the command line: %q is not one of %s", append(args[:1:1], flags.Args()...), strings.Join(names(), ", "))
	}
	var err error
	if c.behaviour.Faults.Kinds, err = sim.ParseFaults(c.kinds); err != nil {
		return err
	}
	c.behaviour.Faults.Seed = c.options.Seed
	c.behaviour.Quota.RetryAfter = sim.RetryAfter(c.retryAfter)
	simulator, err := open(c.options)
	if err != nil {
		return err
	}
	served := simulator
	if c.record != "" {
		book, err := os.Create(c.record)
		if err != nil {
			return fmt.Errorf("recording: %w", err)
		}
		defer book.Close()
		served = &recorder{Simulator: simulator, book: book}
	}
	server, err := sim.Start(served, c.addr, c.behaviour)
	if err != nil {
		return err
	}
	defer server.Close()
	config := simulator.Config
	if s, ok := simulator.(interface {
		DestinationConfig(baseURL string, quota sim.Quota) map[string]any
	}); ok && strings.HasPrefix(args[0], "destination-") {
		config = s.DestinationConfig
	}
	if err := announce(c, config, server, stdout); err != nil {
		return err
	}
	return obey(ctx, simulator, server, stdin, stdout)
}

func names() []string { return slices.Sorted(maps.Keys(simulators.All())) }

// announce prints where the simulator is and the configuration, on one line of JSON at the end.
func announce(c settings, configOf func(baseURL string, quota sim.Quota) map[string]any, server *sim.Server, stdout io.Writer) error {
	url := server.URL
	if c.publicURL != "" {
		url = c.publicURL
	}
	config, err := json.Marshal(configOf(url, c.behaviour.Quota))
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	if c.config != "" {
		if err := os.WriteFile(c.config, append(config, '\n'), 0o600); err != nil {
			return fmt.Errorf("writing the configuration: %w", err)
		}
		_, _ = fmt.Fprintln(stdout, "configuration in", c.config)
	}
	_, err = fmt.Fprintf(stdout, "listening at %s\n%s\n", url, config)
	return err
}

// obey does what the lines of stdin say.
func obey(ctx context.Context, simulator sim.Simulator, server *sim.Server, stdin io.Reader, stdout io.Writer) error {
	lines := make(chan string)
	go func() {
		for scanner := bufio.NewScanner(stdin); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line := <-lines:
			var changed, deleted int
			switch n, _ := fmt.Sscanf(line, "change %d %d", &changed, &deleted); { // what does not fit is shown below
			case n > 0:
				simulator.Change(changed, deleted)
				_, _ = fmt.Fprintf(stdout, "changed %d, deleted %d\n", changed, deleted)
			case line == "expect":
				if err := expect(simulator, stdout); err != nil {
					return err
				}
			case line == "stats":
				s := server.Stats()
				_, _ = fmt.Fprintf(stdout, "requests %d, repeated %d, refused by quota %d, at most %d at once, %d bytes, faults %v\n",
					s.Requests, len(s.Repeats), s.Throttled, s.MaxConcurrent, s.Bytes, s.Faults)
			case line == "quit":
				return nil
			case line != "":
				_, _ = fmt.Fprintf(stdout, "%q is none of: change CHANGED [DELETED], expect, stats, quit\n", line)
			}
		}
	}
}
