// Package harness runs connectors as the Airbyte platform does, from the outside: a command, files, two streams of bytes, an exit code.
//
// A test is written once against [Runner], which has two implementations: [Binary] starts the connector's binary, [Image] its container.
// [Run] starts a command, reads its output while it runs and collects a [Result]; [Result.Problems] is what the Airbyte protocol and this
// project ask of every run, whatever was tested.
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

// The names under which a [Command] hands its files to the connector.
const (
	ConfigFile  = "config.json"
	CatalogFile = "catalog.json"
	StateFile   = "state.json"
)

// Full reports whether FULL=1 asks the tests for all that is promised, as CI does: sizes, platforms, and how often something is done.
func Full() bool { return os.Getenv("FULL") == "1" }

// Command is one call of a connector.
type Command struct {
	// Args are the arguments. "{name}" stands for the path of the file of that name, which need not be among Files: then it is the path of
	// a file that does not exist.
	Args []string
	// Files are put where the connector can read them, by name.
	Files map[string][]byte
	// Env is added to the environment, as "NAME=value".
	Env []string
	// Stdin is what comes on standard input, through a pipe that is closed at its end; nil is no input at all. It is read once.
	Stdin io.Reader
	// Text says that the output is text for a reader, as with --help, and no protocol.
	Text bool
}

// Spec asks for the specification.
func Spec() Command { return Command{Args: []string{"spec"}} }

// Check asks whether the configuration works.
func Check(config []byte) Command {
	return Command{Args: []string{"check", "--config", "{" + ConfigFile + "}"}, Files: map[string][]byte{ConfigFile: config}}
}

// Discover asks for the catalog.
func Discover(config []byte) Command {
	return Command{Args: []string{"discover", "--config", "{" + ConfigFile + "}"}, Files: map[string][]byte{ConfigFile: config}}
}

// Read asks for the records of a configured catalog; a nil state is none.
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

// Write hands messages, one a line, to a destination.
func Write(config, catalog []byte, messages io.Reader) Command {
	return Command{
		Args:  []string{"write", "--config", "{" + ConfigFile + "}", "--catalog", "{" + CatalogFile + "}"},
		Files: map[string][]byte{ConfigFile: config, CatalogFile: catalog},
		Stdin: messages,
	}
}

// writes tells whether c is the command of a destination.
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
	// String names the runner in the output of tests.
	String() string
}

// Process is a started connector.
type Process interface {
	// Stdout is the connector's output as it comes. It must be read to its end or closed; a binary whose output was closed finds its pipe
	// broken.
	Stdout() io.ReadCloser
	// Signal sends a signal; os.Kill cannot be caught.
	Signal(s os.Signal) error
	// Wait waits for the end, after Stdout was read or closed, and frees what the process had. It is called once.
	Wait() (Exit, error)
}

// Exit is how a process ended and what it took.
type Exit struct {
	Code   int    // what the shell would show: 128 and the signal's number where a signal ended it
	Stderr []byte // all of it
	Wall   time.Duration
	CPU    time.Duration // user and system; 0 where it is unknown
	MaxRSS int64         // bytes at the peak; 0 where it is unknown
}
