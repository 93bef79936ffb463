// Command connector is a source and a destination that a library might have, for the tests of the judge. It is healthy by itself. If the
// environment's BROKEN is the name of one of the judge's checks, it is broken in one way. Each break is where on is called with that name.
//
// As a source it reads books, page by page and incrementally, and genres, from the API of the test's simulator. As a destination it writes there
// which books came back. BROKEN_DIR is a folder in which breaks that differ from run to run count the runs.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// connector is one run.
type connector struct {
	out     *bufio.Writer
	broken  string
	client  *client
	unheard bool // its reader let it wait too long
}

// on reports whether the connector is broken in one of the given ways.
func (c *connector) on(checks ...string) bool {
	return slices.Contains(checks, c.broken)
}

// failure is an error with the message and the failure_type that a user sees.
type failure struct {
	kind, message string
	cause         error
}

func (f failure) Error() string { return f.message + ": " + fmt.Sprint(f.cause) }
func (f failure) Unwrap() error { return f.cause }

func main() {
	c := &connector{out: bufio.NewWriterSize(os.Stdout, 64<<10), broken: os.Getenv("BROKEN")}
	if nowhere() && !c.on("beyond.closed_stdout") {
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	if c.on("beyond.broken_pipe") {
		signal.Ignore(syscall.SIGPIPE)
	}
	err := c.run(ctx, os.Args[1:])
	stopped := ctx.Err() != nil
	stop()
	os.Exit(c.end(stopped, err))
}

// nowhere reports whether there was no stdout. Go then opens /dev/null for reading and writing in its place, which nobody else does.
func nowhere() bool {
	var out, null syscall.Stat_t
	if syscall.Fstat(1, &out) != nil || syscall.Stat(os.DevNull, &null) != nil || out.Rdev != null.Rdev || out.Mode != null.Mode {
		return false
	}
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, 1, syscall.F_GETFL, 0)
	return errno == 0 && flags&syscall.O_ACCMODE == syscall.O_RDWR
}

// end reports what went wrong and returns the exit code.
func (c *connector) end(stopped bool, err error) int {
	silent := stopped && c.on("beyond.sigterm", "write.sigterm")
	if err != nil && !silent {
		f := failure{kind: "system_error", message: "Something unexpected happened."}
		if !errors.As(err, &f) && stopped {
			f = failure{kind: "transient_error", message: "The run was asked to stop."}
		}
		c.trace("ERROR", "error", map[string]any{"message": f.message, "internal_message": c.hide(err.Error()), "failure_type": f.kind})
		if c.on("beyond.exit_codes") {
			err = nil
		}
	}
	if flushed := c.flush(); (err != nil || flushed != nil) && !silent {
		return 1
	}
	return 0
}

// crash ends the run as a bug does, without a message.
func crash() { os.Exit(2) }

// pause waits.
func pause(d time.Duration) { <-time.After(d) }

// hide removes credentials from a text.
func (c *connector) hide(text string) string {
	if c.client != nil && c.client.token != "" {
		text = strings.ReplaceAll(text, c.client.token, "***")
	}
	return text
}

// arguments are a command's options.
type arguments struct{ config, catalog, state string }

func (c *connector) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("a command is wanted")
	}
	var a arguments
	for i := 1; i+1 < len(args); i += 2 {
		switch args[i] {
		case "--config":
			a.config = args[i+1]
		case "--catalog":
			a.catalog = args[i+1]
		case "--state":
			a.state = args[i+1]
		default:
			return fmt.Errorf("there is no option %s", args[i])
		}
	}
	if c.on("beyond.stderr_is_empty") {
		fmt.Fprintln(os.Stderr, "warming up")
	}
	if c.on("beyond.stdout_is_protocol") {
		_, _ = c.out.WriteString("Welcome to the library!\n")
	}
	switch args[0] {
	case "spec":
		return c.spec()
	case "check":
		return c.check(ctx, a)
	case "discover":
		return c.discover(a)
	case "read":
		return c.read(ctx, a)
	case "write":
		return c.write(ctx, a)
	}
	return fmt.Errorf("there is no command %s", args[0])
}

// nth returns the number of this run among those that called it, from 1.
func (c *connector) nth() int {
	for n := 1; ; n++ {
		file, err := os.OpenFile(filepath.Join(os.Getenv("BROKEN_DIR"), fmt.Sprint("run-", n)), os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, os.ErrExist) {
			_ = file.Close() // nothing was written
			return n
		}
	}
}

// say writes a message.
func (c *connector) say(kind, member string, body any) {
	line, err := json.Marshal(map[string]any{"type": kind, member: body})
	if err != nil {
		panic(err)
	}
	_, _ = c.out.Write(append(line, '\n')) // the next flush returns the error again
}

func (c *connector) trace(kind, member string, body any) {
	c.say("TRACE", "trace", map[string]any{"type": kind, "emitted_at": time.Now().UnixMilli(), member: body})
}

func (c *connector) log(message string) {
	c.say("LOG", "log", map[string]any{"level": "INFO", "message": message})
}

// flush writes the buffered messages.
func (c *connector) flush() error {
	err := c.out.Flush()
	if c.on("beyond.broken_pipe", "beyond.full_device") {
		c.out.Reset(os.Stdout) // clears the error too
		return nil
	}
	return err
}

// decode reads a JSON file.
func decode(file string, into any) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return failure{"config_error", "A file that the command line names cannot be read.", err}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return failure{"config_error", "A file that the command line names is not JSON.", err}
	}
	return nil
}

// drained discards the rest of a body, so that its connection can be used again.
func drained(body io.ReadCloser) {
	_, _ = io.Copy(io.Discard, body)
	_ = body.Close()
}
