package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/progress"
)

// options are the command's flags.
type options struct {
	connector, config, out         string
	streams, catalog               string
	destination, destinationConfig string
	docker                         []string
	every                          time.Duration
	verbose                        bool
}

const usage = `run reads the streams of a source into files, a line of JSON for each record, or into a destination.

  run -connector CONNECTOR -config FILE -out FOLDER [-streams a,b] [-destination CONNECTOR -destination-config FILE]

A CONNECTOR is the path of a binary, or an image, which docker runs. What is in FOLDER afterwards:

  STREAM.jsonl  the records. A stream that is read incrementally grows with each run, and what comes again in a later line is newer; one that is
                read whole is replaced when all of it is there
  state.json    the states, which the next run goes on from. Without it, all is read anew. A connector takes it as --state too
  catalog.json  how the streams were read: a configured catalog, to be edited and given back with -catalog

A state is kept once all before it is on the disk, or once the destination gave it back. So a run that ended in whatever way is simply started again.

Exit codes: 0 all of every stream came; 1 it did not, and the last lines say why; 2 the flags are wrong.

Flags:
`

// parse understands the flags; the error is flag.ErrHelp where only help was wanted.
func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.connector, "connector", "", "the source: the path of its `binary`, or an image")
	flags.StringVar(&o.config, "config", "", "the source's configuration, a JSON `file`")
	flags.StringVar(&o.out, "out", "", "the `folder` for records and states; made where it is missing")
	flags.StringVar(&o.streams, "streams", "", "the `names` of the streams to read, separated by commas (default all)")
	flags.StringVar(&o.catalog, "catalog", "", "a configured catalog, a JSON `file`, instead of what the source discovers")
	flags.StringVar(&o.destination, "destination", "", "where the records go instead of files: the path of a destination's `binary`, or an image")
	flags.StringVar(&o.destinationConfig, "destination-config", "", "the destination's configuration, a JSON `file`")
	flags.Func("docker", "more `arguments` for docker create, as in -docker '--memory 512m'; repeatable", func(text string) error {
		o.docker = append(o.docker, strings.Fields(text)...)
		return nil
	})
	flags.DurationVar(&o.every, "every", time.Second, "how often states are kept at the most; each time, what is before them is written to the disk")
	flags.BoolVar(&o.verbose, "verbose", false, "print all that the connectors log, not only warnings and errors")
	flags.Usage = func() {
		_, _ = fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var missing, settings []string // of the command, and of make run
	for _, flag := range []struct{ name, setting, value string }{
		{"-config", "CONFIG", o.config}, {"-connector", "CONNECTOR", o.connector}, {"-out", "OUT", o.out},
	} {
		if flag.value == "" {
			missing, settings = append(missing, flag.name), append(settings, flag.setting)
		}
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("there is no argument %q; all are flags", flags.Arg(0))
	case len(missing) > 0:
		return o, fmt.Errorf("these are missing: %s (of make run: %s)", strings.Join(missing, ", "), strings.Join(settings, ", "))
	case (o.destination == "") != (o.destinationConfig == ""):
		return o, errors.New("-destination and -destination-config belong together (of make run: DESTINATION and DESTINATION_CONFIG)")
	case o.streams != "" && o.catalog != "":
		return o, errors.New("-streams and -catalog (of make run: STREAMS and CATALOG) exclude each other: a catalog names its streams")
	}
	return o, nil
}

// run returns the whole command and returns the exit code.
//
// Each record of a run that ends with 0 is in the files, or was taken by the destination, and so are those of the runs before it since the
// states began. A state is kept only when all that came before it is durable. Whatever ends a run, this process or a connector being killed or
// a disk that is full, the next one goes on from the last state that was kept; what the files hold beyond it is cut off first, so no record comes
// twice because a run was ended. Two runs never share a folder: the second one fails.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "run: %v; run -help says what there is\n", err)
		return 2
	}
	s := &session{options: o, bar: progress.New(stderr, 15*time.Second), started: time.Now(), disk: local{}}
	err = s.sync(ctx)
	s.bar.Done()
	for _, line := range s.report() {
		_, _ = fmt.Fprintln(stdout, line)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "run: %v\n", err)
		return 1
	}
	return 0
}

// session is one run.
type session struct {
	options

	bar     *progress.Bar
	started time.Time
	disk    disk

	lock    *lock
	source  *connector
	target  *connector // nil: files
	memory  *memory
	streams []*stream
	ended   bool // all of every stream came
}

// sync opens the folder and does what there is to do in it.
func (s *session) sync(ctx context.Context) (err error) {
	if s.out, err = filepath.Abs(s.out); err != nil {
		return fmt.Errorf("finding the folder: %w", err)
	}
	if s.lock, err = acquire(ctx, s.out); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.lock.release()) }()
	if s.source, err = s.connect(s.connector, s.config); err != nil {
		return err
	}
	if s.destination != "" {
		if s.target, err = s.connect(s.destination, s.destinationConfig); err != nil {
			return err
		}
	}
	if s.memory, err = remember(s.disk, s.out); err != nil {
		return err
	}
	if err = s.memory.belongs(s.source.name(), s.target.name()); err != nil {
		return err
	}
	if err = s.check(ctx); err != nil {
		return err
	}
	if err = s.plan(ctx); err != nil {
		return err
	}
	return s.transfer(ctx)
}

// check tries the configurations before the first run in a folder. Later ones are not spent requests on: they failed, or worked.
func (s *session) check(ctx context.Context) error {
	if len(s.memory.entries) > 0 {
		return nil
	}
	for _, c := range []*connector{s.source, s.target} {
		if c == nil {
			continue
		}
		if err := c.check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// report returns what the run did, a line for each stream and one for all.
func (s *session) report() []string {
	if len(s.streams) == 0 {
		return nil
	}
	width, total := len("stream"), int64(0)
	for _, one := range s.streams {
		width, total = max(width, len(one.name)), total+one.records
	}
	lines := []string{fmt.Sprintf("%-*s  %11s  %-12s  %s", width, "stream", "records", "mode", "status")}
	for _, one := range s.streams {
		status := "complete"
		if !one.complete {
			status = "NOT COMPLETE"
		}
		lines = append(lines, fmt.Sprintf("%-*s  %11d  %-12s  %s", width, one.name, one.records, one.mode, status))
	}
	how, where := "Complete", s.out
	if !s.ended {
		how = "Not complete"
	}
	if s.target != nil {
		where = s.target.name()
	}
	last := fmt.Sprintf("%s: %d records of %d streams into %s in %v.", how, total, len(s.streams), where, time.Since(s.started).Round(time.Millisecond))
	if len(s.memory.entries) > 0 {
		last += " The states are in " + s.memory.path + "."
	}
	return append(lines, "", last)
}
