package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/imob-data/airbyte-connectors/integration/judge"
)

// The exit codes.
const (
	exitPassed = 0
	exitFailed = 1 // a check failed, or could not be made
	exitUsage  = 2 // the command line or a file is wrong: nothing was judged
)

// run returns the whole command. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	code := exitPassed
	app := &cli.App{
		Name:      "acceptance",
		Usage:     "judges a connector for Airbyte: an image or an executable, in any language",
		UsageText: "acceptance [--config FILE] (--image IMAGE | --binary FILE) [options]",
		Description: "It runs the connector as the platform does and checks what it says. The configuration is an acceptance-test-config.yml as\n" +
			"Airbyte's connectors have it. It exits with 0 where every check passed or was skipped, with 1 where one failed, and with 2\n" +
			"where the command line or the configuration is wrong.",
		Writer: stdout, ErrWriter: stderr, HideVersion: true, HideHelpCommand: true,
		Flags: flags(),
		Action: func(c *cli.Context) error {
			var err error
			code, err = act(c, stdout, stderr)
			return err
		},
		ExitErrHandler: func(*cli.Context, error) {}, // it is said below
	}
	if err := app.RunContext(ctx, bare(args)); err != nil {
		_, _ = fmt.Fprintln(stderr, "acceptance:", err) // nobody is left to tell
		if code == exitPassed {
			code = exitUsage
		}
	}
	return code
}

// bare returns a command line in which --json without a file is one to stdout.
func bare(args []string) []string {
	args = slices.Clone(args)
	for i, argument := range args {
		if (argument == "--json" || argument == "-json") && (i+1 == len(args) || strings.HasPrefix(args[i+1], "-") && args[i+1] != "-") {
			args[i] = "--json=-"
		}
	}
	return args
}

func flags() []cli.Flag {
	o := judge.Options{}.Defaults()
	const what, how, limits, report, others = "What is judged:", "How:", "Limits:", "Report:", "Other files:"
	return []cli.Flag{
		&cli.StringFlag{Category: what, Name: "config", Usage: "`FILE` that says which configurations and expectations there are", Value: o.Config},
		&cli.StringFlag{Category: what, Name: "image", Usage: "the connector's `IMAGE`; without it and --binary, the configuration's connector_image"},
		&cli.StringFlag{Category: what, Name: "binary", Usage: "the connector as an executable `FILE`"},
		&cli.StringFlag{Category: what, Name: "previous", Usage: "the version before: an `IMAGE`, or a folder with spec.json and catalog.json"},
		&cli.StringFlag{Category: what, Name: "write-catalog", Usage: "the configured catalog that a destination is given, a `FILE`"},
		&cli.StringFlag{Category: what, Name: "write-messages", Usage: "the records that a destination is given, a `FILE` of messages"},

		&cli.StringSliceFlag{Category: how, Name: "only", Usage: "run these checks or suites alone: `NAMES`, separated by commas; repeatable"},
		&cli.StringSliceFlag{Category: how, Name: "skip", Usage: "leave these checks or suites out: `NAMES`, separated by commas; repeatable"},
		&cli.BoolFlag{Category: how, Name: "list", Usage: "print the table of checks and end"},
		&cli.StringFlag{Category: how, Name: "simulator", Usage: "start the built-in simulator `NAME` and point the configurations at it"},
		&cli.IntFlag{Category: how, Name: "simulator-size", Usage: "`ROWS` of the simulator's largest stream", Value: o.SimulatorSize},
		&cli.IntFlag{Category: how, Name: "simulator-much", Usage: "`ROWS` of it for reads that are ended, or resumed from the middle", Value: o.Much},
		&cli.StringSliceFlag{Category: how, Name: "simulator-set", Usage: "an option of the simulator, `NAME=VALUE`; repeatable"},
		&cli.BoolFlag{Category: how, Name: "faults", Usage: "also let the API's answers go wrong in every way that a proxy can make: the suite faults"},
		&cli.StringFlag{Category: how, Name: "http-record", Usage: "write the API's answers into `FILE`, without secrets"},
		&cli.StringFlag{Category: how, Name: "http-replay", Usage: "give the answers of `FILE` in the place of the API's"},
		&cli.StringFlag{Category: how, Name: "base-url-field", Usage: "the configuration's `FIELD` with the API's address, where a proxy stands; " +
			"without it, the connector is told of the proxy by HTTPS_PROXY and the like"},
		&cli.BoolFlag{Category: how, Name: "online", Usage: "also ask for the documentation's links"},
		&cli.Uint64Flag{Category: how, Name: "seed", Usage: "seed of what is drawn: configurations, moments, data", Value: o.Seed},
		&cli.IntFlag{Category: how, Name: "jobs", Usage: "checks at a time", Value: o.Jobs},
		&cli.IntFlag{Category: how, Name: "states", Usage: "how many states are resumed from at most", Value: o.States},
		&cli.DurationFlag{Category: how, Name: "spread", Usage: "`TIME` that the read of a simulator takes whose states are resumed from", Value: o.Spread},
		&cli.IntFlag{Category: how, Name: "kills", Usage: "how many reads are killed and resumed", Value: o.Kills},

		&cli.DurationFlag{Category: limits, Name: "spec-limit", Usage: "`TIME` that spec may take", Value: o.SpecLimit},
		&cli.DurationFlag{Category: limits, Name: "check-limit", Usage: "`TIME` that check may take", Value: o.CheckLimit},
		&cli.DurationFlag{Category: limits, Name: "stop-limit", Usage: "`TIME` that a connector may go on after it was asked to stop", Value: o.StopLimit},
		&cli.DurationFlag{Category: limits, Name: "heartbeat", Usage: "`TIME` that may pass without a record or a state", Value: o.Heartbeat},
		&cli.DurationFlag{Category: limits, Name: "run-limit", Usage: "`TIME` that any run may take; otherwise what the configuration says, or is usual"},
		&cli.IntFlag{Category: limits, Name: "memory", Usage: "`MIB` of memory that a read may take", Value: int(o.Memory >> 20)},
		&cli.IntFlag{Category: limits, Name: "image-size", Usage: "`MIB` that the image may have", Value: int(o.ImageSize >> 20)},

		&cli.StringFlag{Category: report, Name: "junit", Usage: "write a report in JUnit's XML to `FILE`"},
		&cli.StringFlag{Category: report, Name: "json", Usage: "write a report in JSON to `FILE`, or, without one, to stdout in the place of the text"},
		&cli.StringFlag{Category: report, Name: "summary", Usage: "append a summary in Markdown to `FILE`", EnvVars: []string{"GITHUB_STEP_SUMMARY"}},
		&cli.BoolFlag{Category: report, Name: "verbose", Aliases: []string{"v"}, Usage: "also tell of each run, and why checks were skipped"},

		&cli.StringFlag{Category: others, Name: "cdk-config", Usage: "write the configuration to `FILE` without what the tests of Airbyte's CDK refuse"},
		&cli.BoolFlag{Category: others, Name: "write-expected", Usage: "read, and write the first record of each stream where expect_records says"},
		&cli.StringFlag{Category: others, Name: "save", Usage: "write spec.json and catalog.json to `FOLDER`, for --previous of later versions"},
	}
}

// options returns those of the command line.
func options(c *cli.Context, stderr io.Writer) (judge.Options, error) {
	o := judge.Options{
		Config: c.String("config"), Image: c.String("image"), Binary: c.String("binary"), Previous: c.String("previous"),
		WriteCatalog: c.String("write-catalog"), WriteMessages: c.String("write-messages"),
		Only: c.StringSlice("only"), Skip: c.StringSlice("skip"),
		Simulator: c.String("simulator"), SimulatorSize: c.Int("simulator-size"), Much: c.Int("simulator-much"), SimulatorSet: map[string]string{},
		Faults: c.Bool("faults"), Record: c.String("http-record"), Replay: c.String("http-replay"), BaseURLField: c.String("base-url-field"),
		Online: c.Bool("online"), Seed: c.Uint64("seed"), Jobs: c.Int("jobs"), States: c.Int("states"), Kills: c.Int("kills"), Spread: c.Duration("spread"),
		SpecLimit: c.Duration("spec-limit"), CheckLimit: c.Duration("check-limit"), StopLimit: c.Duration("stop-limit"),
		Heartbeat: c.Duration("heartbeat"), RunLimit: c.Duration("run-limit"),
		Memory: int64(c.Int("memory")) << 20, ImageSize: int64(c.Int("image-size")) << 20,
	}
	for _, pair := range c.StringSlice("simulator-set") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return o, fmt.Errorf("reading the command line: --simulator-set wants NAME=VALUE, not %q", pair)
		}
		o.SimulatorSet[name] = value
	}
	if c.Bool("verbose") {
		o.Log = stderr
	}
	return o, known(o)
}

// known tells which name of --only or --skip is none.
func known(o judge.Options) error {
	names := map[string]bool{}
	for _, check := range judge.Checks() {
		names[check.Full()], names[check.Suite], names[check.Name] = true, true, true
	}
	for _, name := range slices.Concat(o.Only, o.Skip) {
		if !names[name] {
			return fmt.Errorf("reading the command line: there is no check and no suite %q; --list prints all", name)
		}
	}
	return nil
}

func act(c *cli.Context, stdout, stderr io.Writer) (int, error) {
	if c.NArg() > 0 {
		return exitUsage, fmt.Errorf("reading the command line: %q is no option", c.Args().First())
	}
	if c.Bool("list") {
		return exitPassed, list(stdout)
	}
	o, err := options(c, stderr)
	if err != nil {
		return exitUsage, err
	}
	if file := c.String("cdk-config"); file != "" {
		return exitPassed, cdkConfig(o.Config, file)
	}
	s, err := judge.Open(c.Context, o)
	if err != nil {
		return exitUsage, err
	}
	code, err := judged(c, s, o, stdout, stderr)
	return code, errors.Join(err, s.Close())
}

// judged does with an opened connector what the command line asks for.
func judged(c *cli.Context, s *judge.Subject, o judge.Options, stdout, stderr io.Writer) (int, error) {
	switch {
	case c.Bool("write-expected"):
		return exitPassed, s.WriteExpected(c.Context)
	case c.String("save") != "":
		return exitPassed, s.Save(c.Context, c.String("save"))
	}
	p := newProgress(stderr, len(s.Chosen()))
	began := time.Now()
	verdicts := s.Judge(c.Context, p.began, p.done)
	p.end()
	for _, request := range s.Unknown() {
		_, _ = fmt.Fprintln(stderr, "acceptance: the recording does not have the request", request) // nobody is left to tell
	}
	if err := c.Context.Err(); err != nil {
		return exitFailed, errors.New("it was stopped before every check was made")
	}
	report := judge.Report{Connector: cmp.Or(o.Binary, o.Image, s.Config.Image), Verdicts: verdicts, Took: time.Since(began)}
	code := exitPassed
	if report.Failed() {
		code = exitFailed
	}
	return code, publish(c, report, stdout)
}

// publish writes the reports that are asked for.
func publish(c *cli.Context, report judge.Report, stdout io.Writer) error {
	var all []error
	if c.String("json") == "-" {
		all = append(all, report.JSON(stdout))
	} else {
		all = append(all, report.Text(stdout, c.Bool("verbose")))
		all = append(all, written(c.String("json"), os.O_TRUNC, report.JSON))
	}
	all = append(all, written(c.String("junit"), os.O_TRUNC, report.JUnit), written(c.String("summary"), os.O_APPEND, report.Markdown))
	return errors.Join(all...)
}

// written writes a file, where there is a name for it.
func written(file string, how int, write func(io.Writer) error) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|how, 0o644)
	if err != nil {
		return fmt.Errorf("writing a report: %w", err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return fmt.Errorf("writing a report: %w", err)
	}
	return nil
}

func list(w io.Writer) error {
	var b strings.Builder
	suite := ""
	for _, check := range judge.Checks() {
		if check.Suite != suite {
			suite = check.Suite
			fmt.Fprintf(&b, "%s\n", suite)
		}
		fmt.Fprintf(&b, "  %-40s %s\n", check.Full(), check.Why)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func cdkConfig(from, to string) error {
	body, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	variant, err := judge.CDKConfig(body)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, variant, 0o644); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return nil
}
