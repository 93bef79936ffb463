// Package cli is the command line of a connector: the commands and flags that Airbyte passes, the files that they name, exit codes, signals, a closed
// output, panics, and progress on a terminal. [Main] is all that a connector's main function needs.
//
// Exit codes: 0 if everything was done and written; 1 if not, with a TRACE ERROR that says why unless the output was closed; 2 if a mistake in the
// connector made it panic.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"syscall"
	"time"

	_ "time/tzdata" // API-local times must be understood in an image without a time zone database

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/redact"
	"github.com/imob-data/airbyte-connectors/common/spec"
)

// checkLimit ends a check that its source did not end before.
const checkLimit = 30 * time.Second

// Source is a source connector, as the commands need it. Config is a JSON object and otherwise as the user gave it. State is JSON as the platform
// gave it, or nil if it gave none.
//
// A method returns soon after ctx is done; Read emits the state of every stream and INCOMPLETE before it does. Errors are told apart with [fault.Of].
// If one of the source's goroutines panics, the source must recover. The error that [fault.Recovered] makes of it, if returned, is treated as a
// panic.
type Source interface {
	// Spec returns the ConnectorSpecification.
	Spec() (json.RawMessage, error)
	// Check returns nil if config works. A [fault.Config] error is shown to the user as the answer.
	Check(ctx context.Context, config []byte) error
	// Discover returns the streams that config gives access to.
	Discover(ctx context.Context, config []byte) (*protocol.Catalog, error)
	// Read emits the streams of cat. It returns nil only if all of every stream was emitted. It emits failures of single streams itself.
	Read(ctx context.Context, config []byte, cat *protocol.ConfiguredCatalog, state []byte, out *protocol.Emitter) error
}

// Run runs one command and returns the process's exit code. args are the arguments after the program's name. metadata is metadata.yaml, which gives
// the connector its name and version. Run touches nothing of the process but the files that args name. It returns soon after ctx is done, provided
// that src does, and names ctx's cause as the reason. stdout gets only protocol messages, except with --help and --version. stderr gets progress if
// it is a terminal; otherwise it gets nothing but the reason why stdout could not be written.
func Run(ctx context.Context, src Source, metadata []byte, args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	return run(ctx, program{
		commands: sourceCommands(src), spec: src.Spec, metadata: metadata, args: args, stdin: stdin, stdout: stdout, stderr: stderr,
	})
}

// program is what a run needs from outside.
type program struct {
	commands       []command
	spec           func() (json.RawMessage, error)
	metadata       []byte
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	debug          bool   // log debug messages even without --debug
	mute           bool   // stdout leads nowhere, which may be unintended
	stopping       func() // called once if the run has to end early; may be nil
	online         func() // called before a command that may call the API; may be nil
}

// session is one run of a command.
type session struct {
	program
	asked    invocation
	out      *protocol.Emitter
	redactor *redact.Redactor // the run's Redactor, which ctx carries too
}

func run(ctx context.Context, p program) (code int) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if p.stopping != nil {
		defer context.AfterFunc(ctx, p.stopping)()
	}
	s := &session{program: p, out: protocol.NewEmitter(p.stdout), redactor: redact.New()}
	s.out.Redact(s.redactor)
	ctx = redact.With(ctx, s.redactor)
	ended := make(chan struct{})
	defer close(ended)
	go func() { // finds a closed output even if nothing is being emitted
		select {
		case <-s.out.Broken():
			cancel(protocol.ErrClosed)
		case <-ended:
		}
	}()
	defer func() { // also if fail itself panics
		if v := recover(); v != nil {
			code = s.fail(ctx, fault.Recovered(v))
		}
		if err := s.out.Close(); err != nil {
			code = max(code, 1)
			s.unwritten(err)
		}
	}()
	if err := s.perform(ctx); err != nil {
		return s.fail(ctx, err)
	}
	return 0
}

// perform parses the arguments and runs the command.
func (s *session) perform(ctx context.Context) error {
	self, err := parseMetadata(s.metadata)
	if err != nil {
		return err
	}
	if s.asked, err = parseArgs(self, s.commands, s.args); err != nil {
		return err
	}
	if s.asked.command == nil {
		if _, err := io.WriteString(s.stdout, s.asked.text); err != nil {
			return fmt.Errorf("printing help: %w", protocol.ErrClosed)
		}
		return nil
	}
	level := slog.LevelInfo
	if s.debug || s.asked.debug {
		level = slog.LevelDebug
	}
	ctx = protocol.WithLogger(ctx, slog.New(protocol.NewLogHandler(s.out, level)))
	return s.asked.command.run(ctx, s)
}

// unwritten says on standard error why the output could not be written, unless the reason is that nobody reads it any more.
func (s *session) unwritten(err error) {
	if why, ok := errors.AsType[syscall.Errno](err); ok && why != syscall.EPIPE {
		_, _ = fmt.Fprintf(s.stderr, "The output could not be written: %v.\n", why)
	}
}

// fail reports why the run failed and returns the exit code. If ctx is done, that is the reason. Any other error is reported as well, unless it is
// Transient and so only a consequence of the stop.
func (s *session) fail(ctx context.Context, err error) int {
	if cause := context.Cause(ctx); cause != nil {
		if fault.Of(err).Kind == fault.Transient {
			err = cause
		}
		defer func() { _ = s.out.Failure(cause, nil) }()
	}
	_ = s.out.Failure(err, nil) // fails if the output is closed, and then there is nobody to tell
	if _, ok := errors.AsType[*fault.Panic](err); ok {
		return 2
	}
	return 1
}

// config reads the configuration. From then on its secrets are blanked in all output.
func (s *session) config(ctx context.Context) ([]byte, error) {
	if s.online != nil {
		s.online()
	}
	specification, err := s.spec()
	if err != nil {
		return nil, err
	}
	data, err := readFile(ctx, "config", s.asked.files["config"])
	if err != nil {
		return nil, err
	}
	s.redactor.Add(spec.Secrets(specification, data)...)
	passwords, err := proxySecrets()
	if err != nil {
		return nil, err
	}
	s.redactor.Add(passwords...)
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil || object == nil {
		return nil, fault.Configf("The configuration (--config %s) is not a JSON object.", s.asked.files["config"])
	}
	for _, extra := range spec.Extra(specification, data) {
		if extra.Meant != nil {
			return nil, fault.Configf("The configuration has an option that is spelled in another way: it is written %s.", strings.Join(extra.Meant, ", "))
		}
		what := "The configuration has more than the options of this connector"
		if extra.In != "" {
			what = fmt.Sprintf("The configuration has more in %q than the options there", extra.In)
		}
		protocol.Logger(ctx).Warn(what + ", which are " + strings.Join(extra.Options, ", ") + ".")
	}
	return data, nil
}

// configured reads the configuration and the configured catalog of a command whose output must not be lost.
func (s *session) configured(ctx context.Context) (config []byte, catalog *protocol.ConfiguredCatalog, err error) {
	if s.mute {
		const why = "There is no standard output, or it is the null device opened for reading and writing: what comes would be lost."
		_, _ = io.WriteString(s.stderr, why+" Give it a pipe or a file, or open the null device for writing alone.\n")
		return nil, nil, fault.Configf(why)
	}
	if config, err = s.config(ctx); err != nil {
		return nil, nil, err
	}
	data, err := readFile(ctx, "catalog", s.asked.files["catalog"])
	if err != nil {
		return nil, nil, err
	}
	if catalog, err = protocol.ParseCatalog(data); err == nil && len(catalog.Streams) == 0 {
		protocol.Logger(ctx).Warn("The configured catalog names no stream: there is nothing to do.")
	}
	return config, catalog, err
}

// sourceCommands returns the commands of a source, in the order in which help shows them.
func sourceCommands(src Source) []command {
	state := file{"state", "continue from the state in `FILE`", false}
	return []command{
		specCommand(),
		checkCommand(src.Check),
		{
			name:  "discover",
			usage: "list the streams that a configuration gives access to",
			files: []file{configFile()},
			run: func(ctx context.Context, s *session) error {
				config, err := s.config(ctx)
				if err != nil {
					return err
				}
				catalog, err := src.Discover(ctx, config)
				if err != nil {
					return err
				}
				return s.out.Catalog(catalog)
			},
		}, {
			name:  "read",
			usage: "read the streams of a catalog",
			files: []file{configFile(), catalogFile(), state},
			run:   func(ctx context.Context, s *session) error { return s.read(ctx, src) },
		},
	}
}

func configFile() file { return file{"config", "read the configuration from `FILE`", true} }

func catalogFile() file { return file{"catalog", "read the configured catalog from `FILE`", true} }

func specCommand() command {
	return command{
		name:  "spec",
		usage: "say how this connector is configured",
		run: func(_ context.Context, s *session) error {
			specification, err := s.spec()
			if err != nil {
				return err
			}
			return s.out.Spec(specification)
		},
	}
}

func checkCommand(check func(ctx context.Context, config []byte) error) command {
	return command{
		name:  "check",
		usage: "try whether a configuration works",
		files: []file{configFile()},
		run:   func(ctx context.Context, s *session) error { return s.check(ctx, check) },
	}
}

func (s *session) check(ctx context.Context, check func(ctx context.Context, config []byte) error) error {
	config, err := s.config(ctx)
	if err == nil {
		err = limited(ctx, config, check)
	}
	switch f := fault.Of(err); {
	case f == nil:
		return s.out.ConnectionStatus(true, "")
	case f.Kind == fault.Config:
		return s.out.ConnectionStatus(false, f.Message)
	default:
		return err
	}
}

// limited calls check within checkLimit.
func limited(ctx context.Context, config []byte, check func(context.Context, []byte) error) error {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	err := check(ctx, config)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) && fault.Of(err).Kind != fault.Config {
		return &fault.Error{Kind: fault.Transient, Message: "The API did not answer within 30 seconds.", Err: err}
	}
	return err
}

func (s *session) read(ctx context.Context, src Source) error {
	config, catalog, err := s.configured(ctx)
	if err != nil {
		return err
	}
	var state []byte
	if path := s.asked.files["state"]; path != "" {
		if state, err = readFile(ctx, "state", path); err != nil {
			return err
		}
	}
	s.out.Configure(catalog)
	complete, progress := false, watch(s)
	defer func() { progress.stop(complete) }() // also if the source panics
	err = src.Read(ctx, config, catalog, state, s.out)
	complete = err == nil
	return err
}
