package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns a new terminal of 80 by 24: the side of its watchers, and the side of its writers.
func openTerminal() (watcher, terminal *os.File, err error) {
	watcher, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("opening a terminal: %w", err)
	}
	fd := int(watcher.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})
	}
	if err == nil {
		terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		watcher.Close()
		return nil, nil, fmt.Errorf("setting up a terminal: %w", err)
	}
	return watcher, terminal, nil
}

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	cmd := start(t, "endless", func(c *exec.Cmd) { c.Stdout = full })
	exits(t, cmd, 1)
}

// TestNowhereToWrite checks that a run whose output cannot be delivered does not succeed. A null device that may stand for a missing output is
// accepted for commands of which nothing is lost, because only their exit code may be needed.
func TestNowhereToWrite(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"--config", config(t), "--catalog", write(t, "catalog.json", catalog)}
	for output, want := range map[string]struct{ code, loses int }{
		">/dev/full": {1, 1}, "</dev/null >&0": {1, 1}, ">/dev/null": {0, 0}, "1<>/dev/null": {0, 1}, ">&-": {0, 1}, "2>/dev/null >&- <&-": {0, 1},
	} {
		for _, args := range [][]string{
			{"spec"}, append([]string{"check"}, files[:2]...), append([]string{"discover"}, files[:2]...), append([]string{"read"}, files...),
			{"--help"}, {"--version"}, {"read", "--help"},
		} {
			t.Run(strings.Join(args[:1], " ")+" "+output, func(t *testing.T) {
				cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `exec "$0" "$@" ` + output, binary}, args...)...)
				cmd.Env = append(os.Environ(), scenario+"=nothing", "GORACE=atexit_sleep_ms=0")
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				err := cmd.Run()
				code, said := want.code, ""
				if len(args) == len(files)+1 {
					code = want.loses
				}
				switch {
				case output == ">/dev/full":
					said = "The output could not be written: no space left on device.\n"
				case output == "</dev/null >&0":
					said = "The output could not be written: bad file descriptor.\n"
				case code > want.code && !strings.Contains(output, "2>"):
					said = "There is no standard output, or it is the null device opened for reading and writing: what comes would be lost." +
						" Give it a pipe or a file, or open the null device for writing alone.\n"
				}
				if got := cmd.ProcessState.ExitCode(); got != code || stderr.String() != said {
					t.Errorf("ended with %d (%v), want %d; on stderr %q, want %q", got, err, code, &stderr, said)
				}
			})
		}
	}
}

// TestRoomOfTheOutput checks that a pipe gets more room than it has by default, and keeps its room if it has even more.
func TestRoomOfTheOutput(t *testing.T) {
	for before, want := range map[int]int{64 << 10: outputRoom, 512 << 10: 512 << 10} {
		reading, writing, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err = unix.FcntlInt(writing.Fd(), unix.F_SETPIPE_SZ, before); err != nil {
			t.Fatal(err)
		}
		cmd := start(t, "nothing", func(c *exec.Cmd) { c.Stdout = writing })
		exits(t, cmd, 0)
		if got, err := unix.FcntlInt(reading.Fd(), unix.F_GETPIPE_SZ, 0); err != nil || got != want {
			t.Errorf("the pipe has room for %d bytes (%v), want %d", got, err, want)
		}
		writing.Close()
		reading.Close()
	}
}

func TestOnATerminal(t *testing.T) {
	for _, both := range []bool{false, true} {
		t.Run(fmt.Sprint("stdout too: ", both), func(t *testing.T) {
			t.Parallel()
			watcher, terminal, err := openTerminal()
			if err != nil {
				t.Fatal(err)
			}
			defer watcher.Close()
			var stdout bytes.Buffer
			cmd := start(t, "slow", func(c *exec.Cmd) {
				c.Stdout, c.Stderr = &stdout, terminal
				if both {
					c.Stdout = terminal
				}
			})
			terminal.Close()
			seen := make(chan string)
			go func() {
				text, _ := io.ReadAll(watcher) // ends with EIO when the last descriptor of the terminal is closed
				seen <- string(text)
			}()
			exits(t, cmd, 0)
			text := <-seen
			if both { // nothing may come between the messages
				for line := range strings.Lines(text) {
					if !json.Valid([]byte(line)) {
						t.Errorf("the line %q is no message", line)
					}
				}
				return
			}
			if !regexp.MustCompile(`Complete: 1 of 1 streams, 1 records, 0\.0 MB in [1-9]\d*s`).MatchString(text) {
				t.Errorf("no summary in %q", text)
			}
			if redrawn := strings.Contains(text, "\x1b[2A"); !redrawn {
				t.Errorf("redrawn: %v, in %q", redrawn, text)
			}
			if strings.Contains(text, "RECORD") || !strings.Contains(stdout.String(), "RECORD") {
				t.Errorf("stdout has %s and stderr %s", &stdout, text)
			}
		})
	}
}
