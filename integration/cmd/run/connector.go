package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tidwall/gjson"
)

// patience is how long a connector that was asked to end is given. A destination needs 27 seconds at the most.
const patience = 40 * time.Second

// connector is a program that speaks Airbyte's protocol: a binary, or an image that docker runs.
type connector struct {
	ref    string
	image  bool
	config string // path
	run    *session
	failed []string // what its TRACE ERRORs say
}

// connect finds a connector by what the command line says of it.
func (s *session) connect(ref, config string) (*connector, error) {
	c := &connector{ref: ref, run: s}
	var err error
	if c.config, err = filepath.Abs(config); err != nil {
		return nil, fmt.Errorf("finding %s: %w", config, err)
	}
	info, err := os.Stat(config)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("finding the configuration: the file %s does not exist", config)
	}
	if err != nil {
		return nil, fmt.Errorf("finding the configuration: %w", err)
	}
	if !info.Mode().IsRegular() { // each command reads it
		return nil, fmt.Errorf("finding the configuration: %s is no file; a pipe could be read only once", config)
	}
	info, err = os.Stat(ref)
	switch {
	case err == nil && info.Mode().IsRegular():
		c.ref, err = filepath.Abs(ref)
		return c, err
	case strings.HasPrefix(ref, "/"), strings.HasPrefix(ref, "."), !strings.ContainsAny(ref, "/:"):
		return nil, fmt.Errorf("finding the connector: there is no binary %s, and an image has a colon or a slash in its name "+
			"(make run CONNECTOR=%s builds a connector of the repository)", ref, path.Base(ref))
	}
	if _, err := exec.LookPath("docker"); err != nil {
		return nil, fmt.Errorf("%s is no file, so it is an image, and images need docker: %w", ref, err)
	}
	c.image = true
	return c, nil
}

// name returns the connector's name, whether it comes as a binary or an image of any version; "" for nil.
func (c *connector) name() string {
	if c == nil {
		return ""
	}
	name, _, _ := strings.Cut(path.Base(c.ref), "@")
	if c.image {
		name, _, _ = strings.Cut(name, ":")
	}
	return name
}

// process is a connector at work.
type process struct {
	*connector

	cmd       *exec.Cmd
	stdout    *os.File
	stderr    bytes.Buffer
	container string // "" for a binary
	stopped   func() // asks it to end
}

// start starts a command with its configuration and with files, by the flags that name them. When ctx ends, the process is asked to end, and
// killed where it does not.
func (c *connector) start(ctx context.Context, command string, files map[string][]byte, stdin io.Reader) (*process, error) {
	ctx, stop := context.WithCancel(ctx)
	p := &process{connector: c, stopped: stop}
	if err := p.start(ctx, command, files, stdin); err != nil {
		stop()
		if errors.Is(err, context.Canceled) {
			err = errStopped
		}
		return nil, fmt.Errorf("starting %s: %w", c.name(), errors.Join(err, p.remove()))
	}
	return p, nil
}

func (p *process) start(ctx context.Context, command string, files map[string][]byte, stdin io.Reader) (err error) {
	name := p.ref
	var args []string
	if p.image {
		name = "docker"
		args, err = p.contain(ctx, command, files, stdin != nil)
	} else {
		args, err = p.arguments(command, files)
	}
	if err != nil {
		return err
	}
	p.cmd = exec.CommandContext(ctx, name, args...)
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = patience
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for this process alone, which passes one SIGTERM on
	p.cmd.ExtraFiles = []*os.File{p.run.lock.file}
	p.cmd.Stdin, p.cmd.Stderr = stdin, &p.stderr
	reading, writing, err := os.Pipe()
	if err != nil {
		return err
	}
	p.stdout, p.cmd.Stdout = reading, writing
	return errors.Join(p.cmd.Start(), writing.Close())
}

// arguments returns those of a binary. The configuration is read where it lies; it is copied nowhere.
func (p *process) arguments(command string, files map[string][]byte) ([]string, error) {
	args := []string{command}
	if command != "spec" {
		args = append(args, "--config", p.config)
	}
	for _, flag := range sorted(slices.Collect(maps.Keys(files))) {
		at := filepath.Join(p.run.out, hidden, p.name()+"-"+flag+".json")
		if err := os.WriteFile(at, files[flag], 0o644); err != nil {
			return nil, err
		}
		args = append(args, "--"+flag, at)
	}
	return args, nil
}

// contain makes a container for a command, with its files in it, and returns the arguments for docker that start it. The files are copied, not
// mounted, so that an engine on another machine, or outside of the container that this runs in, will do as well.
func (p *process) contain(ctx context.Context, command string, files map[string][]byte, stdin bool) ([]string, error) {
	const folder = "/connector-files"
	var archive bytes.Buffer
	packed := tar.NewWriter(&archive)
	args := []string{command}
	all := map[string][]byte{}
	maps.Copy(all, files)
	if command != "spec" {
		config, err := os.ReadFile(p.config)
		if err != nil {
			return nil, err
		}
		all["config"] = config
	}
	err := packed.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: folder[1:] + "/", Mode: 0o755})
	for _, flag := range sorted(slices.Collect(maps.Keys(all))) {
		header := &tar.Header{Name: folder[1:] + "/" + flag + ".json", Mode: 0o644, Size: int64(len(all[flag]))}
		if err = errors.Join(err, packed.WriteHeader(header)); err == nil {
			_, err = packed.Write(all[flag])
		}
		args = append(args, "--"+flag, folder+"/"+flag+".json")
	}
	if err = errors.Join(err, packed.Close()); err != nil {
		return nil, fmt.Errorf("packing its files: %w", err)
	}
	container := "run-" + strings.ToLower(rand.Text())
	if err := p.run.lock.starts(container); err != nil {
		return nil, err
	}
	p.container = container
	create := slices.Concat([]string{"create", "--name", container, "--network", "host", fmt.Sprintf("--interactive=%v", stdin)},
		p.run.docker, []string{p.ref}, args)
	if err := docker(ctx, nil, create...); err != nil {
		return nil, err
	}
	if err := docker(ctx, &archive, "cp", "-", container+":/"); err != nil {
		return nil, err
	}
	return []string{"start", "--attach", fmt.Sprintf("--interactive=%v", stdin), container}, nil
}

// docker runs a command of docker; its words are the error's.
func docker(ctx context.Context, stdin io.Reader, args ...string) error {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Stdin = stdin
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("docker %s: %w: %s", args[0], err, bytes.TrimSpace(out))
	}
	return nil
}

// remove removes the process's container, if it has one.
func (p *process) remove() error {
	if p.container == "" {
		return nil
	}
	return p.run.lock.removed(context.Background(), p.container) // also when the run was stopped
}

// wait waits for the end, after stdout was read or closed. The error is what the connector says of its failure, or else how it ended.
func (p *process) wait() error {
	err := p.cmd.Wait()
	p.stopped()
	err = errors.Join(err, p.remove())
	_ = p.stdout.Close() // was read to its end, or nobody wants the rest
	switch {
	case err == nil:
		return nil
	case len(p.failed) > 0:
		return errors.New(strings.Join(p.failed, "\n"))
	}
	said := strings.TrimSpace(p.stderr.String())
	if state := p.cmd.ProcessState; state != nil && state.ExitCode() == 137 {
		said = strings.TrimSpace(said + " (killed; perhaps for want of memory)")
	}
	return fmt.Errorf("%s ended with %w and without a reason %s", p.name(), err, said)
}

// message is a line of a connector.
type message struct {
	kind, stream string // the stream as it is called here: with its namespace
	line         []byte // without its end; valid until the next one
	body         gjson.Result
}

// messages calls do for each message until the output ends or do fails. What the connector logs and what it says of failures is told on the
// way. A last line without an end, which a connector leaves that was killed, is none; a line that is not JSON is a warning.
func (p *process) messages(do func(message) error) error {
	lines := bufio.NewReaderSize(p.stdout, 256<<10)
	var long []byte
	for {
		part, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			continue
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("reading what %s says: %w", p.name(), err)
		}
		line := part[:len(part)-1]
		if len(long) > 0 {
			line = append(long, line...)
			long = line[:0]
		}
		if err := p.message(line, do); err != nil {
			return err
		}
	}
}

// message understands a line and hands it on.
func (p *process) message(line []byte, do func(message) error) error {
	m := message{line: line}
	if !gjson.ValidBytes(line) {
		p.run.bar.Say("%s: a line that is no message: %s", p.name(), clip(line))
		return nil
	}
	all := gjson.ParseBytes(line)
	switch m.kind = all.Get("type").Str; m.kind {
	case "RECORD":
		m.body = all.Get("record")
		m.stream = called(m.body.Get("namespace").Str, m.body.Get("stream").Str)
	case "STATE":
		m.body = all.Get("state")
		m.stream = described(m.body.Get("stream.stream_descriptor"))
	case "CATALOG":
		m.body = all.Get("catalog")
	case "SPEC":
		m.body = all.Get("spec")
	case "CONNECTION_STATUS":
		m.body = all.Get("connectionStatus")
	case "TRACE":
		m.body = all.Get("trace")
		m.stream = described(m.body.Get("stream_status.stream_descriptor"))
		if e := m.body.Get("error"); e.Exists() {
			p.failed = append(p.failed, fmt.Sprintf("%s: %s (%s)", p.name(), e.Get("message").Str, e.Get("failure_type").Str))
		}
	case "LOG":
		level, text := all.Get("log.level").Str, all.Get("log.message").Str
		if p.run.verbose || level == "WARN" || level == "ERROR" || level == "FATAL" {
			p.run.bar.Say("%s: %s %s", p.name(), level, text)
		}
	}
	return do(m)
}

// ask runs a command that answers with one message of a kind.
func (c *connector) ask(ctx context.Context, command, kind string) (gjson.Result, error) {
	p, err := c.start(ctx, command, nil, nil)
	if err != nil {
		return gjson.Result{}, err
	}
	var answer gjson.Result
	err = p.messages(func(m message) error {
		if m.kind == kind {
			answer = gjson.Parse(strings.Clone(m.body.Raw))
		}
		return nil
	})
	if err = errors.Join(err, p.wait()); err != nil {
		return answer, err
	}
	if !answer.Exists() {
		return answer, fmt.Errorf("%s said no %s", c.name(), kind)
	}
	return answer, nil
}

// check asks whether the configuration works.
func (c *connector) check(ctx context.Context) error {
	c.run.bar.Step("%s: checking the configuration", c.name())
	answer, err := c.ask(ctx, "check", "CONNECTION_STATUS")
	if err == nil && answer.Get("status").Str != "SUCCEEDED" {
		err = fmt.Errorf("%s: %s", c.name(), answer.Get("message").Str)
	}
	return err
}

// called returns what a stream is called: its name, behind its namespace where it has one.
func called(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "." + name
}

// described returns what the stream of a descriptor is called.
func described(descriptor gjson.Result) string {
	return called(descriptor.Get("namespace").Str, descriptor.Get("name").Str)
}

// clip returns enough of a line to know it by.
func clip(line []byte) string { return strings.ToValidUTF8(string(line[:min(len(line), 200)]), "�") }

// sorted sorts texts and returns them.
func sorted(texts []string) []string {
	slices.Sort(texts)
	return texts
}
