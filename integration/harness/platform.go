package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/moby/moby/api/types/container"
)

// platformScript is how Airbyte's platform starts a connector for a sync. A shell of the image evaluates AIRBYTE_ENTRYPOINT. The configuration of the
// sync is in the working directory, a destination's stdin comes from a named pipe, stdout and stderr go to named pipes, and the exit code goes to a
// file. A loop beside it waits for a file that requests the end. The script follows the platform's ContainerCommandFactory; only the loop's pause is
// shorter. In the script, DIR is the working directory, COMMAND the command and INPUT the redirection of its stdin.
const platformScript = `
if [ -z "$AIRBYTE_ENTRYPOINT" ]; then
  echo "Entrypoint was not set! AIRBYTE_ENTRYPOINT must be set in the container."
  exit 127
fi
STATE=""
if [ -f DIR/inputState.json ]; then
  STATE="--state DIR/inputState.json"
fi
(eval "$AIRBYTE_ENTRYPOINT COMMAND --config DIR/connectorConfig.json --catalog DIR/catalog.json $STATE" 2>DIR/stderr >DIR/stdout INPUT) &
CHILD_PID=$!
(while true; do if [ -f DIR/TERMINATED ]; then kill $CHILD_PID; exit 0; fi; sleep 1; done) &
LOOP_PID=$!
wait $CHILD_PID
EXIT_CODE=$?
echo $EXIT_CODE >DIR/exitCode.tmp
mv DIR/exitCode.tmp DIR/exitCode.txt
kill $LOOP_PID
exit $EXIT_CODE
`

// Platform is a runner for reads and writes that starts containers as the platform does: with a script in the image's shell, uid and gid 1000, no
// capabilities, no new privileges, and named pipes for the output. This process reads the pipes in place of the platform's process.
type Platform struct {
	Ref string
	Env []string // added to the environment of every run
	// ReadOnly makes everything read-only except the working directory.
	ReadOnly bool
}

// String returns the runner's name.
func (Platform) String() string { return "platform" }

// Start starts a container. The stderr of its process is everything that came through any way but the pipe of stdout.
func (p Platform) Start(ctx context.Context, c Command) (Process, error) {
	work, command, input := "/source", "read", ""
	pipes := []string{"stdout", "stderr"}
	if c.Stdin != nil {
		work, command, input = "/dest", "write", "</dest/stdin"
		pipes = append(pipes, "stdin")
	}
	dir, err := os.MkdirTemp("", "platform-")
	if err != nil {
		return nil, err
	}
	for as, name := range map[string]string{
		"connectorConfig.json": ConfigFile, "catalog.json": CatalogFile, "inputState.json": StateFile,
	} {
		if body, ok := c.Files[name]; ok {
			if err := os.WriteFile(filepath.Join(dir, as), body, 0o644); err != nil {
				return nil, err
			}
		}
	}
	for _, pipe := range pipes {
		path := filepath.Join(dir, pipe)
		if err := errors.Join(syscall.Mkfifo(path, 0o666), os.Chmod(path, 0o666)); err != nil {
			return nil, err
		}
	}
	if err := os.Chmod(dir, 0o777); err != nil { // the platform's volume belongs to the group 1000
		return nil, err
	}
	started, err := Image{
		Ref: p.Ref, Env: slices.Concat(p.Env, c.Env), User: "1000:1000", Binds: []string{dir + ":" + work},
		Host: func(h *container.HostConfig) {
			h.CapDrop = []string{"ALL"}
			h.SecurityOpt = []string{"no-new-privileges"}
			h.ReadonlyRootfs = p.ReadOnly
		},
		Script: strings.NewReplacer("DIR", work, "COMMAND", command, "INPUT", input).Replace(platformScript),
	}.Start(ctx, Command{})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &pipedProcess{Process: started, dir: dir, ended: make(chan struct{}), shell: make(chan []byte, 1), said: make(chan []byte, 1)}
	stdout, closeStdout, err := fifo(filepath.Join(dir, "stdout"))
	if err != nil {
		return nil, err
	}
	stderr, closeStderr, err := fifo(filepath.Join(dir, "stderr"))
	if err != nil {
		return nil, err
	}
	s.stdout = stdout
	if c.Stdin != nil {
		go s.feed(c.Stdin)
	}
	go s.drain(stderr, s.said)
	go s.drain(started.Stdout(), s.shell)
	go func() {
		defer close(s.ended)
		s.exit, s.err = started.Wait()
		s.err = errors.Join(s.err, closeStdout(), closeStderr())
	}()
	return s, nil
}

// fifo opens a named pipe for reading. Until done is called, the pipe is open for writing as well. So a reader neither sees the end before the first
// writer came, nor waits for ever if none comes.
func fifo(path string) (r *os.File, done func() error, err error) {
	if r, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
		return nil, nil, err
	}
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, nil, err
	}
	return r, w.Close, nil
}

// pipedProcess is a container running for the platform.
type pipedProcess struct {
	Process

	dir         string
	stdout      *os.File
	said, shell chan []byte
	ended       chan struct{}
	exit        Exit
	err         error
}

// feed writes a destination's input into its pipe, once the other end is opened.
func (s *pipedProcess) feed(input io.Reader) {
	pipe, err := os.OpenFile(filepath.Join(s.dir, "stdin"), os.O_WRONLY, 0)
	if err != nil {
		return // the container ended before it opened the pipe
	}
	defer pipe.Close()
	_, _ = io.Copy(pipe, input) // input that is not read is lost
}

func (s *pipedProcess) drain(r io.Reader, into chan<- []byte) {
	body, err := io.ReadAll(r)
	if err != nil {
		body = append(body, err.Error()...)
	}
	into <- body
}

// Stdout returns the reading end of the named pipe.
func (s *pipedProcess) Stdout() io.ReadCloser { return s.stdout }

// Wait waits for the shell. It adds to stderr what came through the other ways, because the shell itself should write nothing.
func (s *pipedProcess) Wait() (Exit, error) {
	<-s.ended
	e, err := s.exit, s.err
	code, readErr := os.ReadFile(filepath.Join(s.dir, "exitCode.txt"))
	if strings.TrimSpace(string(code)) != fmt.Sprint(e.Code) {
		err = errors.Join(err, fmt.Errorf("the shell exited with %d and wrote %q", e.Code, code))
	}
	e.Stderr = slices.Concat(<-s.said, <-s.shell, e.Stderr)
	return e, errors.Join(err, readErr, os.RemoveAll(s.dir))
}
