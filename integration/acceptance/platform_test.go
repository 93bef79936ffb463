package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/moby/api/types/container"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// largest is how large an image may be, in bytes.
const largest = 20 << 20

// TestImageItself looks at each connector's image without running a connector's command in it, but for spec.
func TestImageItself(t *testing.T) {
	eachImage(t, func(t *testing.T, c harness.Connector) {
		var images []struct {
			Size         int64
			Architecture string
			Config       struct {
				User       string
				Env        []string
				Entrypoint []string
				Cmd        []string
				WorkingDir string
				Labels     map[string]string
			}
		}
		if err := json.Unmarshal(docker(t, "image", "inspect", c.Image()), &images); err != nil {
			t.Fatal(err)
		}
		i := images[0]
		if i.Size > largest {
			t.Errorf("the image has %d bytes, more than %d", i.Size, largest)
		}
		t.Logf("%d bytes, %s", i.Size, i.Architecture)
		if name, version := i.Config.Labels["io.airbyte.name"], i.Config.Labels["io.airbyte.version"]; name != c.Repository || version != c.Tag {
			t.Errorf("the labels say %s:%s, metadata.yaml says %s:%s", name, version, c.Repository, c.Tag)
		}
		entrypoint := strings.Join(i.Config.Entrypoint, " ")
		if !slices.Contains(i.Config.Env, "AIRBYTE_ENTRYPOINT="+entrypoint) || !strings.HasPrefix(entrypoint, "/") {
			t.Errorf("the entrypoint is %q, the environment is %v", entrypoint, i.Config.Env)
		}
		if i.Config.User != "airbyte" && i.Config.User != "1000" && i.Config.User != "1000:1000" {
			t.Errorf("the user is %q", i.Config.User)
		}
		who := strings.Fields(string(docker(t, "run", "--rm", "--entrypoint", "sh", c.Image(), "-c",
			`echo "$(id -u) $(id -g) $(id -un)"; touch /airbyte/x && echo writable; for tool in sleep mv kill; do type $tool >/dev/null || echo no $tool; done`)))
		if want := []string{"1000", "1000", "airbyte", "writable"}; !slices.Equal(who, want) {
			t.Errorf("inside it is %v, not %v", who, want)
		}
		if spec := docker(t, "run", "--rm", c.Image(), "spec"); !strings.HasPrefix(string(spec), `{"type":"SPEC"`) {
			t.Errorf("docker run IMAGE spec said %s", spec)
		}
	})
}

// eachImage builds each connector's image and calls test.
func eachImage(t *testing.T, test func(t *testing.T, c harness.Connector)) {
	t.Helper()
	needDocker(t)
	connectors, err := harness.Connectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range connectors {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.BuildImage(t.Context()); err != nil {
				t.Fatal(err)
			}
			test(t, c)
		})
	}
}

// docker runs a docker command and is its stdout.
func docker(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "docker", args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker %v: %v\n%s", args, err, stderr.String())
	}
	return out
}

// script is how Airbyte's platform starts a connector for a sync: a shell of the image's own evaluates AIRBYTE_ENTRYPOINT, with the
// configuration of the sync in the working directory, a destination's stdin from a named pipe, stdout and stderr into named pipes, and the
// exit code into a file. A loop beside it waits for a file that asks it to end. Written after the platform's ContainerCommandFactory; only
// the loop's pause is shorter. In a shell's script, DIR is the working directory, COMMAND the command and INPUT where its stdin comes from.
const script = `
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

// platform is a runner for reads and writes that starts containers as the platform does: script in the image's shell, uid and gid 1000, no
// capabilities, no new privileges, nothing writable but the working directory, and the output read from named pipes by this process, which
// stands for the platform's.
type platform struct{ image string }

func (platform) String() string { return "platform" }

func (p platform) Start(ctx context.Context, c harness.Command) (harness.Process, error) {
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
		"connectorConfig.json": harness.ConfigFile, "catalog.json": harness.CatalogFile, "inputState.json": harness.StateFile,
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
	started, err := harness.Image{
		Ref: p.image, Shell: true, User: "1000:1000", Binds: []string{dir + ":" + work},
		Host: func(h *container.HostConfig) {
			h.CapDrop = []string{"ALL"}
			h.SecurityOpt = []string{"no-new-privileges"}
			h.ReadonlyRootfs = true
		},
	}.Start(ctx, harness.Command{
		Args: []string{strings.NewReplacer("DIR", work, "COMMAND", command, "INPUT", input).Replace(script)},
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &sync{Process: started, dir: dir, ended: make(chan struct{}), shell: make(chan []byte, 1), said: make(chan []byte, 1)}
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

// fifo opens a named pipe for reading. It has an end only once done was called: until then it is open for writing as well, so that a reader
// neither ends before the first writer came nor waits for ever where none comes.
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

// sync is a container at work for the platform.
type sync struct {
	harness.Process

	dir         string
	stdout      *os.File
	said, shell chan []byte
	ended       chan struct{}
	exit        harness.Exit
	err         error
}

// feed writes a destination's input into its pipe, once it is opened at the other end.
func (s *sync) feed(input io.Reader) {
	pipe, err := os.OpenFile(filepath.Join(s.dir, "stdin"), os.O_WRONLY, 0)
	if err != nil {
		return // the container ended before it looked
	}
	defer pipe.Close()
	_, _ = io.Copy(pipe, input) // what is not taken is not taken
}

func (s *sync) drain(r io.Reader, into chan<- []byte) {
	body, err := io.ReadAll(r)
	if err != nil {
		body = append(body, err.Error()...)
	}
	into <- body
}

// Stdout reads the named pipe.
func (s *sync) Stdout() io.ReadCloser { return s.stdout }

// Wait waits for the shell, and puts what came through the other ways into stderr: the shell itself has nothing to say.
func (s *sync) Wait() (harness.Exit, error) {
	<-s.ended
	e, err := s.exit, s.err
	code, readErr := os.ReadFile(filepath.Join(s.dir, "exitCode.txt"))
	if strings.TrimSpace(string(code)) != fmt.Sprint(e.Code) {
		err = errors.Join(err, fmt.Errorf("the shell exited with %d and wrote %q", e.Code, code))
	}
	e.Stderr = slices.Concat(<-s.said, <-s.shell, e.Stderr)
	return e, errors.Join(err, readErr, os.RemoveAll(s.dir))
}

// TestPlatform reads twice the platform's own way: whole, and from the state after some rows changed.
func TestPlatform(t *testing.T) {
	eachImage(t, func(t *testing.T, c harness.Connector) {
		if c.Writes() {
			return // see TestDestinationPlatform
		}
		f := fixture{connector: c, open: simulators.All()[simulators.Name(c.Name)], runner: harness.Image{Ref: c.Image()}}
		f.catalog = f.discover(t)
		f.runner = platform{image: c.Image()}
		a := f.start(t, sim.Options{Size: small}, sim.Behaviour{})
		first := f.succeed(t, a, f.read(t, a, nil))
		compare(t, full(a), first)
		once(t, first)
		a.simulator.Change(10, 3)
		f.following(t, a, first.State(), f.succeed(t, a, f.read(t, a, first.State())))

		failed := f.run(t, a, harness.Read([]byte(`{}`), f.catalog.Configure(harness.Incremental), nil))
		if failed.Code != 1 || len(failed.Failures) != 1 {
			t.Errorf("without a configuration: %s", failed)
		}
	})
}
