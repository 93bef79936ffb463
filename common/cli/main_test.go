package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imob-data/airbyte-connectors/common/protocol"
)

const (
	// scenario in the environment makes the test binary a connector. Its value selects how a read behaves.
	scenario = "CLI_TEST_SCENARIO"
	// unhurried, in addition, gives a stopped run an hour. A run that ends sooner ended by itself, however slow the machine is.
	unhurried = "CLI_TEST_UNHURRIED=1"
	// guard is after what time a process is killed that should have ended long before.
	guard = 5 * time.Minute
)

func TestMain(m *testing.M) {
	if name, ok := os.LookupEnv(scenario); ok {
		src := fake{read: scenarios()[name]}
		if slices.Contains(os.Environ(), unhurried) {
			runProcess(program{commands: sourceCommands(src), spec: src.Spec, metadata: []byte(metadata)}, time.Hour, resumes)
		}
		Main(src, []byte(metadata))
	}
	os.Exit(m.Run())
}

func scenarios() map[string]func(context.Context, *protocol.ConfiguredCatalog, []byte, *protocol.Emitter) error {
	// end is what a source does when it is stopped.
	end := func(ctx context.Context, out *protocol.Emitter, n int) error {
		return errors.Join(out.Checkpoint(deals, fmt.Appendf(nil, `{"n":%d}`, n)), out.Status(deals, protocol.Incomplete), ctx.Err())
	}
	return map[string]func(context.Context, *protocol.ConfiguredCatalog, []byte, *protocol.Emitter) error{
		"endless": func(ctx context.Context, _ *protocol.ConfiguredCatalog, _ []byte, out *protocol.Emitter) error {
			n := 0
			for ; ctx.Err() == nil; n++ {
				if err := out.Record(deals, fmt.Appendf(nil, `{"n":%d,"text":"%0100d"}`, n, n)); err != nil {
					return err
				}
			}
			return end(ctx, out, n)
		},
		"idle": func(ctx context.Context, _ *protocol.ConfiguredCatalog, _ []byte, out *protocol.Emitter) error {
			if err := out.Status(deals, protocol.Running); err != nil {
				return err
			}
			<-ctx.Done()
			return end(ctx, out, 0)
		},
		"deaf": func(_ context.Context, _ *protocol.ConfiguredCatalog, _ []byte, out *protocol.Emitter) error {
			if err := out.Status(deals, protocol.Running); err != nil {
				return err
			}
			select {}
		},
		"slow": func(ctx context.Context, _ *protocol.ConfiguredCatalog, _ []byte, out *protocol.Emitter) error {
			protocol.Logger(ctx).Debug("debugging")
			if err := out.Record(deals, []byte(`{"n":1}`)); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
			case <-time.After(1500 * time.Millisecond):
			}
			return out.Status(deals, protocol.Complete)
		},
		"noisy": func(context.Context, *protocol.ConfiguredCatalog, []byte, *protocol.Emitter) error {
			log.Print("Unsolicited response: a-secret") //nolint:forbidigo // as net/http does
			return nil
		},
		"large": large,
	}
}

// start starts this test binary as a connector.
func start(t *testing.T, name string, configure func(*exec.Cmd)) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, "read", "--config", config(t), "--catalog", write(t, "catalog.json", catalog))
	cmd.Env = append(os.Environ(), scenario+"="+name, "GORACE=atexit_sleep_ms=0") // otherwise the race detector adds a second to every end
	configure(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// exits waits for cmd and checks that it ends with code.
func exits(t *testing.T, cmd *exec.Cmd, code int) {
	t.Helper()
	err := cmd.Wait()
	if cmd.ProcessState.ExitCode() != code { // -1 if a signal ended it
		t.Errorf("ended with %v (%v), want exit code %d", cmd.ProcessState, err, code)
	}
}

// TestLogOfTheProcess checks that the standard library's own log is discarded, because nothing redacts it.
func TestLogOfTheProcess(t *testing.T) {
	var stderr, stdout bytes.Buffer
	exits(t, start(t, "noisy", func(c *exec.Cmd) { c.Stdout, c.Stderr = &stdout, &stderr }), 0)
	if got := stderr.String() + stdout.String(); strings.Contains(got, "a-secret") {
		t.Error(got)
	}
}

// stopped starts a connector, sends it signals once it reads, checks that it ends with 1, and returns its messages.
func stopped(t *testing.T, name string, configure func(*exec.Cmd), signals ...syscall.Signal) (all []protocol.Message) {
	t.Helper()
	reading, writing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	cmd := start(t, name, func(c *exec.Cmd) {
		c.Stdout, c.Env = writing, append(c.Env, unhurried)
		configure(c)
	})
	writing.Close()
	for m, err := range protocol.Read(reading) {
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, m); len(all) == 2 { // STARTED and RUNNING
			for _, sent := range signals {
				if err := cmd.Process.Signal(sent); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	exits(t, cmd, 1)
	return all
}

// TestHangupIgnored checks that a process that was started to ignore SIGHUP goes on after its terminal is closed.
func TestHangupIgnored(t *testing.T) {
	t.Parallel()
	all := stopped(t, "idle", func(c *exec.Cmd) {
		c.Path, c.Args = "/bin/sh", append([]string{"sh", "-c", `trap "" HUP; exec "$0" "$@"`}, c.Args...)
	}, syscall.SIGHUP, syscall.SIGTERM)
	if f := (result{messages: all}).errors(); len(f) != 1 || !strings.HasPrefix(f[0].Message, "The run was stopped by SIGTERM ") {
		t.Errorf("got %+v", f)
	}
}

func TestSignals(t *testing.T) {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP) // otherwise a process that ignores SIGHUP, such as one under nohup, passes that on to its children
	t.Cleanup(func() { signal.Stop(heard) })
	for _, sent := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		for _, name := range []string{"endless", "idle"} {
			t.Run(fmt.Sprint(name, " ", sent), func(t *testing.T) {
				t.Parallel()
				var stderr bytes.Buffer
				all := stopped(t, name, func(c *exec.Cmd) { c.Stderr = &stderr }, sent)
				if stderr.Len() > 0 {
					t.Errorf("on stderr: %s", &stderr)
				}
				if len(all) < 5 {
					t.Fatalf("got %+v", all)
				}
				last := all[len(all)-3:]
				if last[0].State == nil || last[1].Trace == nil || last[1].Trace.StreamStatus.Status != protocol.Incomplete {
					t.Fatalf("got %s and %s, want a state and INCOMPLETE", last[0].Raw, last[1].Raw)
				}
				want := "The run was stopped by SIG" + map[syscall.Signal]string{syscall.SIGTERM: "TERM", syscall.SIGINT: "INT", syscall.SIGHUP: "HUP"}[sent] +
					" before it was complete; it can go on from its last state."
				if f := (result{messages: all}).errors(); len(f) != 1 || f[0].FailureType != "transient_error" || f[0].Message != want {
					t.Errorf("got %+v", f)
				}
				var blob struct{ N int }
				if err := json.Unmarshal(last[0].State.Blob, &blob); err != nil || int(last[0].State.SourceStats.RecordCount) != blob.N {
					t.Errorf("the state counts %d records, %d were made", last[0].State.SourceStats.RecordCount, blob.N)
				}
			})
		}
	}
}

func TestAProcessThatHangsEnds(t *testing.T) {
	if most := 2 * time.Second; grace+listen >= most {
		t.Errorf("a run that has to end may take %v until it is asked and %v more; at most %v is promised", listen, grace, most)
	}
	for _, test := range []struct {
		name, source, env string
		again             bool          // whether more signals follow the first
		least             time.Duration // the least time that it has to end by itself
	}{
		{"a source that does not listen", "deaf", "", false, grace},
		{"a second signal", "deaf", unhurried, true, 0},
		{"an output that nobody reads", "endless", "", false, grace},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			reading, writing, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer reading.Close()
			defer writing.Close()
			cmd := start(t, test.source, func(c *exec.Cmd) { c.Stdout, c.Env = writing, append(c.Env, test.env) })
			if _, err := reading.Read(make([]byte, 1)); err != nil { // the process is running
				t.Fatal(err)
			}
			for test.source == "endless" && writable(t, writing) { // until it waits for a reader
				time.Sleep(10 * time.Millisecond)
			}
			began := time.Now()
			go func() { // pending signals of one kind are merged, so more are sent until the process is gone
				for cmd.Process.Signal(syscall.SIGTERM) == nil && test.again {
					time.Sleep(50 * time.Millisecond)
				}
			}()
			exits(t, cmd, 1)
			if took := time.Since(began); took < test.least {
				t.Errorf("it was ended after %v, sooner than %v", took, test.least)
			}
		})
	}
}

// writable reports whether a pipe has room.
func writable(t *testing.T, pipe *os.File) bool {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(pipe.Fd()), Events: unix.POLLOUT}}
	n, err := unix.Poll(fds, 0)
	if err != nil && !errors.Is(err, unix.EINTR) {
		t.Fatal(err)
	}
	return n > 0 || err != nil
}

// TestClosedOutput checks that a closed output ends the process silently and with 1, and not by SIGPIPE, as if head -1 had read it.
func TestClosedOutput(t *testing.T) {
	for _, name := range []string{"endless", "idle", "deaf"} {
		for kind, connect := range map[string]func() (reading, writing *os.File, err error){"pipe": os.Pipe, "socket": socketPair} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				var stderr bytes.Buffer
				reading, writing, err := connect()
				if err != nil {
					t.Fatal(err)
				}
				cmd := start(t, name, func(c *exec.Cmd) {
					if c.Stdout, c.Stderr = writing, &stderr; name != "deaf" {
						c.Env = append(c.Env, unhurried)
					}
				})
				writing.Close()
				lines := bufio.NewReader(reading)
				for _, want := range []string{"STARTED", "RUNNING"} {
					if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, want) {
						t.Fatalf("got %q, %v", line, err)
					}
				}
				reading.Close()
				exits(t, cmd, 1)
				if stderr.Len() > 0 {
					t.Errorf("on stderr: %s", &stderr)
				}
			})
		}
	}
}

func socketPair() (reading, writing *os.File, err error) {
	syscall.ForkLock.RLock() // no process may inherit the sockets before they are marked
	defer syscall.ForkLock.RUnlock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("making a socket pair: %w", err)
	}
	for _, fd := range fds {
		syscall.CloseOnExec(fd)
	}
	return os.NewFile(uintptr(fds[0]), "reading"), os.NewFile(uintptr(fds[1]), "writing"), nil
}

func TestMainToTheEnd(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	cmd := start(t, "slow", func(c *exec.Cmd) {
		c.Stdout, c.Stderr = &stdout, &stderr
		c.Env = append(c.Env, "LOG_LEVEL=DEBUG")
	})
	exits(t, cmd, 0)
	if stderr.Len() > 0 || !strings.Contains(stdout.String(), "COMPLETE") || !strings.Contains(stdout.String(), "debugging") {
		t.Errorf("on stdout: %s on stderr: %s", &stdout, &stderr)
	}
}
