package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Binary runs a connector's binary. Each run has a folder of its own for its files.
type Binary struct {
	Path string
	Args []string // before the arguments of every command
	Env  []string // added to the environment of every run
}

// String names the runner.
func (Binary) String() string { return "binary" }

// Start starts the binary.
func (b Binary) Start(ctx context.Context, c Command) (Process, error) {
	dir, err := os.MkdirTemp("", "connector-")
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", b.Path, err)
	}
	p, err := b.start(ctx, c, dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", b.Path, err), os.RemoveAll(dir))
	}
	return p, nil
}

func (b Binary) start(ctx context.Context, c Command, dir string) (*binaryProcess, error) {
	for name, body := range c.Files {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			return nil, err
		}
	}
	p := &binaryProcess{cmd: exec.CommandContext(ctx, b.Path, slices.Concat(b.Args, c.arguments(dir))...), dir: dir, peak: newPeak()}
	p.cmd.Dir = dir
	p.cmd.Env = append(append(os.Environ(), b.Env...), c.Env...)
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = 10 * time.Second
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that a script's children are killed with it
	p.cmd.Cancel = func() error { return p.Signal(os.Kill) }
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.stdout, p.cmd.Stdout = r, w
	feed, err := p.input(c.Stdin)
	if err != nil {
		return nil, errors.Join(err, r.Close(), w.Close())
	}
	p.started = time.Now()
	err = p.cmd.Start()
	feed(err)
	if err != nil {
		return nil, errors.Join(err, r.Close(), w.Close())
	}
	if p.peak.begin(p.cmd.Process.Pid) {
		go p.peak.watch()
	}
	return p, w.Close()
}

// input gives the process a pipe for its input. The caller must call feed with the error of starting the process: feed feeds the pipe, or closes it
// if there was an error. With a pipe of the exec package, Wait would wait for an input that does not end, even if nobody reads it any more.
func (p *binaryProcess) input(from io.Reader) (feed func(error), err error) {
	if from == nil {
		return func(error) {}, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdin, p.stdin = r, w
	return func(err error) {
		_ = r.Close() // the process has its own
		if err != nil {
			_ = w.Close()
			return
		}
		go func() {
			_, _ = io.Copy(w, from) // a process that has ended takes no more
			_ = w.Close()
		}()
	}, nil
}

type binaryProcess struct {
	stdin   *os.File // the end for writing; nil without an input
	cmd     *exec.Cmd
	dir     string
	stdout  *os.File
	stderr  bytes.Buffer
	started time.Time
	peak    *peak
}

func (p *binaryProcess) Stdout() io.ReadCloser { return p.stdout }

// Signal sends a signal to the process. os.Kill also kills everything that the process has started.
func (p *binaryProcess) Signal(s os.Signal) error {
	if kill(s) {
		if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
			return err
		}
		return os.ErrProcessDone
	}
	return p.cmd.Process.Signal(s)
}

func (p *binaryProcess) Wait() (Exit, error) {
	err := p.cmd.Wait()
	wall := time.Since(p.started)
	most := p.peak.end()
	if exited := (*exec.ExitError)(nil); errors.As(err, &exited) {
		err = nil
	}
	if p.stdin != nil {
		_ = p.stdin.Close() // it may be closed already
	}
	err = errors.Join(err, closed(p.stdout.Close()), os.RemoveAll(p.dir))
	state := p.cmd.ProcessState
	e := Exit{Code: state.ExitCode(), Stderr: p.stderr.Bytes(), Wall: wall, CPU: state.UserTime() + state.SystemTime(), MaxRSS: most}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.Code = 128 + int(status.Signal())
	}
	if err != nil {
		return e, fmt.Errorf("waiting for %s: %w", p.cmd.Path, err)
	}
	return e, nil
}

// closed returns err, or nil if it only says that the file is already closed.
func closed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
