// Package harness runs connectors as the Airbyte platform does, from the outside: a command, files, two streams of bytes, an exit code.
//
// A test is written once against [Runner], which has three implementations: [Binary] starts the connector's binary, [Image] its container, and
// [Platform] its container as the platform does. [Run] starts a command, reads its output while it runs and collects a [Result]. [Result.Problems]
// are violations of what the Airbyte protocol and this project require of every run, whatever is tested.
package harness

import (
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// The names under which a [Command] passes its files to the connector.
const (
	ConfigFile  = "config.json"
	CatalogFile = "catalog.json"
	StateFile   = "state.json"
)

// Full reports whether FULL=1 requires the tests to cover all that is promised, as CI does: sizes, platforms, and numbers of repetitions.
func Full() bool { return os.Getenv("FULL") == "1" }

// Command is one call of a connector.
type Command struct {
	// Args are the arguments. "{name}" stands for the path of the file of that name. If Files lacks the name, the path is that of a missing file.
	Args []string
	// Files are written where the connector can read them, by name.
	Files map[string][]byte
	// Env is added to the environment, as "NAME=value".
	Env []string
	// Stdin is the standard input, through a pipe that is closed at its end; nil means no input. It is read once.
	Stdin io.Reader
	// Text says that the output is text for a reader, as with --help, and not the protocol.
	Text bool
}

// Spec returns the command for the specification.
func Spec() Command { return Command{Args: []string{"spec"}} }

// Check returns the command that checks whether the configuration works.
func Check(config []byte) Command {
	return Command{Args: []string{"check", "--config", "{" + ConfigFile + "}"}, Files: map[string][]byte{ConfigFile: config}}
}

// Discover returns the command for the catalog.
func Discover(config []byte) Command {
	return Command{Args: []string{"discover", "--config", "{" + ConfigFile + "}"}, Files: map[string][]byte{ConfigFile: config}}
}

// Read returns the command that reads the records of a configured catalog. A nil state means none.
func Read(config, catalog, state []byte) Command {
	c := Command{
		Args:  []string{"read", "--config", "{" + ConfigFile + "}", "--catalog", "{" + CatalogFile + "}"},
		Files: map[string][]byte{ConfigFile: config, CatalogFile: catalog},
	}
	if state != nil {
		c.Args = append(c.Args, "--state", "{"+StateFile+"}")
		c.Files[StateFile] = state
	}
	return c
}

// Write returns the command that writes messages, one per line, to a destination.
func Write(config, catalog []byte, messages io.Reader) Command {
	return Command{
		Args:  []string{"write", "--config", "{" + ConfigFile + "}", "--catalog", "{" + CatalogFile + "}"},
		Files: map[string][]byte{ConfigFile: config, CatalogFile: catalog},
		Stdin: messages,
	}
}

// writes reports whether c is the command of a destination.
func (c Command) writes() bool { return len(c.Args) > 0 && c.Args[0] == "write" }

// With returns a copy of c with more arguments.
func (c Command) With(args ...string) Command {
	c.Args = slices.Concat(c.Args, args)
	return c
}

// arguments returns c's arguments with the files' names replaced by their paths in a folder.
func (c Command) arguments(folder string) []string {
	args := slices.Clone(c.Args)
	for i, a := range args {
		if m := placeholder.FindStringSubmatch(a); m != nil {
			args[i] = filepath.Join(folder, m[1])
		}
	}
	return args
}

// names returns the names of c's files, sorted.
func (c Command) names() []string { return slices.Sorted(maps.Keys(c.Files)) }

var placeholder = regexp.MustCompile(`^\{([^{}]+)\}$`)

// Runner starts connectors. Safe for concurrent use.
type Runner interface {
	// Start starts a command. The process is killed when ctx ends.
	Start(ctx context.Context, c Command) (Process, error)
	// String returns the runner's name in the output of tests.
	String() string
}

// Process is a started connector.
type Process interface {
	// Stdout is the connector's output as it comes. It must be read to its end or closed. A binary whose output was closed gets a broken pipe.
	Stdout() io.ReadCloser
	// Signal sends a signal. os.Kill cannot be caught.
	Signal(s os.Signal) error
	// Wait waits for the end, after Stdout was read or closed, and releases the process's resources. It must be called once.
	Wait() (Exit, error)
}

// Exit is how a process ended and which resources it used.
type Exit struct {
	Code   int    // as a shell shows it: 128 plus the signal's number if a signal ended it
	Stderr []byte // all of it
	Wall   time.Duration
	CPU    time.Duration // user and system; 0 if unknown
	MaxRSS int64         // bytes at the peak; 0 if unknown
}
