package cli

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"

	"github.com/imob-data/airbyte-connectors/common/protocol"
)

// TestByteOrderMarks checks that a file is read as editors and shells of Windows write it.
func TestByteOrderMarks(t *testing.T) {
	const text = `{"token":"ção 🌊","site":"x"}`
	wide := func(order binary.AppendByteOrder) []byte {
		var b []byte
		for _, unit := range utf16.Encode([]rune("\uFEFF" + text)) {
			b = order.AppendUint16(b, unit)
		}
		return b
	}
	for name, content := range map[string][]byte{
		"none": []byte(text), "UTF-8": []byte("\uFEFF" + text), "UTF-16, little end first": wide(binary.LittleEndian),
		"UTF-16, big end first": wide(binary.BigEndian),
	} {
		var seen []byte
		got := play(t, t.Context(), fake{config: func(config []byte) { seen = config }}, "check", "--config", write(t, "f", string(content)))
		if got.code != 0 || string(seen) != text {
			t.Errorf("%s: exit %d, the source saw %q: %s", name, got.code, seen, got.stdout)
		}
		catalogPath := write(t, "c", strings.Replace(string(content), text, catalog, 1))
		if name == "UTF-8" || name == "none" {
			if got := play(t, t.Context(), fake{}, "read", "--config", config(t), "--catalog", catalogPath); got.code != 0 {
				t.Errorf("%s: a catalog: %s", name, got.stdout)
			}
		}
	}
	for _, mark := range []string{"\uFEFF", "\xFF\xFE", "\xFE\xFF"} {
		path := write(t, "f", mark)
		wantFailed(t, "a mark alone", play(t, t.Context(), fake{}, "check", "--config", path), "The file "+path+" (--config) is empty.")
	}
}

// TestForbidden checks that a user who may not read a file is told who may.
func TestForbidden(t *testing.T) {
	path := write(t, "config.json", "{}")
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("may not be read by this user (uid %[1]d): it belongs to uid %[1]d and has the mode 0600; chmod o+r makes it readable, or "+
		"docker run --user %[1]d:%[2]d runs the container as its owner", os.Getuid(), os.Getgid())
	if got := forbidden(path); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := forbidden(path + "/missing"); !strings.HasSuffix(got, ": one of the folders above it may not be entered") {
		t.Errorf("got %s", got)
	}
}

// TestFilesWithoutEnd checks that a file without an end is refused, whichever flag names it.
func TestFilesWithoutEnd(t *testing.T) {
	good, goodCatalog := config(t), write(t, "catalog.json", catalog)
	const want = "The file /dev/zero (--%s) is larger than 64 MiB."
	wantFailed(t, "config", play(t, t.Context(), fake{}, "check", "--config", "/dev/zero"), fmt.Sprintf(want, "config"))
	for flag, args := range map[string][]string{
		"config":  {"read", "--config", "/dev/zero", "--catalog", goodCatalog},
		"catalog": {"read", "--config", good, "--catalog", "/dev/zero"},
		"state":   {"read", "--config", good, "--catalog", goodCatalog, "--state", "/dev/zero"},
	} {
		wantFailure(t, flag, play(t, t.Context(), fake{}, args...), 1, "config_error", fmt.Sprintf(want, flag))
	}
	large := write(t, "large.json", `{"_note":"`+strings.Repeat("x", maxFile-len(`{"_note":""}`))+`"}`)
	if got := play(t, t.Context(), fake{}, "check", "--config", large); got.code != 0 || got.messages[0].ConnectionStatus.Status != "SUCCEEDED" {
		t.Errorf("a file of 64 MiB: %.300s", got.stdout)
	}
}

// TestNamedPipes checks that all three files may be named pipes.
func TestNamedPipes(t *testing.T) {
	dir := t.TempDir()
	pipe := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		go func() {
			if err := os.WriteFile(path, []byte(content), 0); err != nil { // waits for the reader
				t.Error(err)
			}
		}()
		return path
	}
	var state []byte
	src := fake{read: func(_ context.Context, _ *protocol.ConfiguredCatalog, given []byte, _ *protocol.Emitter) error {
		state = given
		return nil
	}}
	want := "[" + strings.Repeat(" ", 300<<10) + "]" // more than a pipe holds
	got := play(t, t.Context(), src, "read", "--config", pipe("config", `{"token":"x"}`), "--catalog", pipe("catalog", catalog),
		"--state", pipe("state", want))
	if got.code != 0 || string(state) != want {
		t.Errorf("exit %d with %s and a state of %d bytes", got.code, got.stdout, len(state))
	}
}

// tap is a pipe that delivers a piece at regular intervals.
type tap struct {
	piece string
	every time.Duration
}

func (p tap) Read(b []byte) (int, error) {
	time.Sleep(p.every)
	return copy(b, p.piece), nil
}

func (tap) Close() error { return nil }

func TestPipesThatNeverEnd(t *testing.T) {
	stop := errors.New("stopped")
	for name, test := range map[string]struct {
		open  func(ctx context.Context) (io.ReadCloser, error)
		want  error
		after time.Duration
	}{
		"never opened": {func(ctx context.Context) (io.ReadCloser, error) { <-ctx.Done(); return nil, ctx.Err() }, errSilent, silence},
		"silent": {func(ctx context.Context) (io.ReadCloser, error) {
			reading, _ := io.Pipe()
			context.AfterFunc(ctx, func() { _ = reading.Close() })
			return reading, nil
		}, errSilent, silence},
		"a trickle": {func(context.Context) (io.ReadCloser, error) { return tap{" ", time.Second}, nil }, errEndless, patience},
		"a flood": {func(context.Context) (io.ReadCloser, error) {
			return tap{strings.Repeat("\x00", 64<<10), time.Millisecond}, nil
		}, errTooLarge, 1025 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context()) // ends the goroutine that is left behind
			began := time.Now()
			_, err := readWhole(t.Context(), func() (io.ReadCloser, error) { return test.open(ctx) })
			if took := time.Since(began); !errors.Is(err, test.want) || took != test.after {
				t.Errorf("%s: %v after %v; want %v after %v", name, err, took, test.want, test.after)
			}
			cancel()
			time.Sleep(2 * time.Second) // for the goroutine that is left behind to end
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(stop) })
		began := time.Now()
		_, err := readWhole(ctx, func() (io.ReadCloser, error) { <-ctx.Done(); return nil, io.EOF })
		if !errors.Is(err, stop) || time.Since(began) != time.Second {
			t.Errorf("stopped: %v after %v", err, time.Since(began))
		}
	})
	pieces := []string{`{"a"`, `:`, `1}`}
	got, err := readWhole(t.Context(), func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(pieces[0]), strings.NewReader(pieces[1]), bytes.NewReader([]byte(pieces[2])))), nil
	})
	if err != nil || string(got) != strings.Join(pieces, "") {
		t.Errorf("in pieces: %q, %v", got, err)
	}
}
