package harness

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
)

// Image runs a connector's image on the host's network, so that a simulator on the host's loopback is on the connector's loopback too.
//
// Output comes through the Docker client's attachment, which keeps stdout and stderr separate (the logs of testcontainers merge them). A connector in
// a container does not notice when Stdout is closed, because the engine goes on reading.
type Image struct {
	Ref string
	Env []string // added to the environment of every run
	// User, Binds and Host change how the container is set up. All are optional.
	User  string
	Binds []string
	Host  func(*container.HostConfig)
	// Script is run by the image's shell instead of its entrypoint. It gets the command's arguments in "$@".
	Script string
}

// String names the runner.
func (Image) String() string { return "image" }

// NeedDocker skips a test with a clear message if no Docker engine answers. If REQUIRE_DOCKER=1 is set, it fails the test instead.
func NeedDocker(t interface {
	tester
	Context() context.Context
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
},
) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a missing engine is noticed at once; a busy one takes seconds
	defer cancel()
	err := Docker(ctx)
	switch {
	case err == nil:
	case os.Getenv("REQUIRE_DOCKER") == "1":
		t.Fatalf("REQUIRE_DOCKER=1, but no Docker engine answers: %v", err)
	default:
		t.Skipf("*** No Docker engine answers, so nothing is tested in containers (make docker installs and starts one): %v ***", err)
	}
}

// Docker returns the reason why no container can be started here, or nil.
func Docker(ctx context.Context) error {
	c, err := newDocker(ctx)
	if err != nil {
		return fmt.Errorf("asking for Docker: %w", err)
	}
	defer c.Close()
	if _, err := c.Ping(ctx, client.PingOptions{}); err != nil {
		return fmt.Errorf("asking for Docker: %w", err)
	}
	return nil
}

// Pull pulls the image unless the engine already has it.
func (i Image) Pull(ctx context.Context) error {
	c, err := newDocker(ctx)
	if err != nil {
		return fmt.Errorf("pulling %s: %w", i.Ref, err)
	}
	defer c.Close()
	if _, err := c.ImageInspect(ctx, i.Ref); err == nil {
		return nil
	}
	answer, err := c.ImagePull(ctx, i.Ref, client.ImagePullOptions{})
	if err != nil {
		return fmt.Errorf("pulling %s: %w", i.Ref, err)
	}
	defer answer.Close()
	if err := answer.Wait(ctx); err != nil {
		return fmt.Errorf("pulling %s: %w", i.Ref, err)
	}
	return nil
}

// Description is an image's metadata.
type Description struct {
	Size       int64 // bytes
	User       string
	Entrypoint []string
	Env        []string
	Labels     map[string]string
}

// Describe asks the engine for the image's metadata.
func (i Image) Describe(ctx context.Context) (Description, error) {
	c, err := newDocker(ctx)
	if err != nil {
		return Description{}, fmt.Errorf("inspecting %s: %w", i.Ref, err)
	}
	defer c.Close()
	said, err := c.ImageInspect(ctx, i.Ref)
	if err != nil {
		return Description{}, fmt.Errorf("inspecting %s: %w", i.Ref, err)
	}
	d := Description{Size: said.Size}
	if said.Config != nil {
		d.User, d.Entrypoint, d.Env, d.Labels = said.Config.User, said.Config.Entrypoint, said.Config.Env, said.Config.Labels
	}
	return d, nil
}

// newDocker returns a client of the engine. testcontainers' reaper is switched off, because its image cannot be pulled without a registry, and
// because every container here is removed by the Wait of its process.
func newDocker(ctx context.Context) (*testcontainers.DockerClient, error) {
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		return nil, err
	}
	tclog.SetDefault(tclog.NewNoopLogger()) // otherwise it writes to stderr which engine it found
	return testcontainers.NewDockerClientWithOpts(ctx)
}

// files is the folder of a container's files. Docker creates it.
const files = "/harness"

// Start starts a container.
func (i Image) Start(ctx context.Context, c Command) (Process, error) {
	p, err := i.start(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("starting a container of %s: %w", i.Ref, err)
	}
	return p, nil
}

func (i Image) start(ctx context.Context, c Command) (*imageProcess, error) {
	docker, err := newDocker(ctx)
	if err != nil {
		return nil, err
	}
	req := testcontainers.ContainerRequest{
		Image: i.Ref, Cmd: c.arguments(files), Env: map[string]string{},
		HostConfigModifier: func(h *container.HostConfig) {
			h.NetworkMode = "host"
			h.LogConfig = container.LogConfig{Type: "none"} // otherwise the engine also keeps the output in a file of its own
			h.Binds = append(h.Binds, i.Binds...)
			if i.Host != nil {
				i.Host(h)
			}
		},
		ConfigModifier: func(cfg *container.Config) {
			cfg.User = i.User
			cfg.OpenStdin, cfg.StdinOnce = c.Stdin != nil, c.Stdin != nil
		},
	}
	if i.Script != "" {
		req.Entrypoint = []string{"sh", "-c", i.Script, "connector"}
	}
	for _, e := range append(i.Env, c.Env...) {
		name, value, _ := strings.Cut(e, "=")
		req.Env[name] = value
	}
	made, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		ContainerRequest: req, Logger: tclog.NewNoopLogger(),
	})
	p := &imageProcess{ctx: ctx, docker: docker, container: made, copied: make(chan error, 1), peak: newPeak()}
	if err != nil {
		return nil, errors.Join(err, p.remove())
	}
	id := made.GetContainerID()
	if err := p.give(ctx, c); err != nil {
		return nil, errors.Join(err, p.remove())
	}
	attached, err := docker.ContainerAttach(ctx, id, client.ContainerAttachOptions{
		Stream: true, Stdin: c.Stdin != nil, Stdout: true, Stderr: true,
	})
	if err != nil {
		return nil, errors.Join(err, p.remove())
	}
	p.wait = docker.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	r, w := io.Pipe()
	p.stdout = r
	go func() {
		defer attached.Close()
		_, err := stdcopy.StdCopy(w, &p.stderr, attached.Reader)
		p.copied <- err
		_ = w.CloseWithError(err) // never fails
	}()
	if c.Stdin != nil {
		go func() {
			_, _ = io.Copy(attached.Conn, c.Stdin) // a container that has ended takes no more
			_ = attached.CloseWrite()
		}()
	}
	p.started = time.Now()
	if _, err := docker.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		return nil, errors.Join(err, p.remove())
	}
	go p.watch(ctx, id)
	p.stop = context.AfterFunc(ctx, func() { _ = p.signal(context.WithoutCancel(ctx), syscall.SIGKILL) }) // Wait removes it in any case
	return p, nil
}

// give copies a command's files into the container, all in one archive, because the engine starts a process for each archive. (testcontainers sends
// one archive per file.)
func (p *imageProcess) give(ctx context.Context, c Command) error {
	if len(c.Files) == 0 {
		return nil
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, name := range c.names() {
		if err := w.WriteHeader(&tar.Header{Name: files + "/" + name, Mode: 0o644, Size: int64(len(c.Files[name]))}); err != nil {
			return err
		}
		if _, err := w.Write(c.Files[name]); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, err := p.docker.CopyToContainer(ctx, p.container.GetContainerID(), client.CopyToContainerOptions{DestinationPath: "/", Content: &archive})
	return err
}

type imageProcess struct {
	ctx       context.Context // for the process's lifetime: the process is killed when it ends
	docker    *testcontainers.DockerClient
	container testcontainers.Container
	wait      client.ContainerWaitResult
	stdout    *io.PipeReader
	stderr    bytes.Buffer
	copied    chan error
	started   time.Time
	peak      *peak
	stop      func() bool
}

func (p *imageProcess) Stdout() io.ReadCloser { return p.stdout }

func (p *imageProcess) Signal(s os.Signal) error {
	number, ok := s.(syscall.Signal)
	if !ok {
		return fmt.Errorf("sending a signal to a container: %v is none", s)
	}
	return p.signal(p.ctx, number)
}

func (p *imageProcess) signal(ctx context.Context, number syscall.Signal) error {
	_, err := p.docker.ContainerKill(ctx, p.container.GetContainerID(), client.ContainerKillOptions{Signal: fmt.Sprint(int(number))})
	return err
}

func (p *imageProcess) Wait() (e Exit, err error) {
	defer func() { err = errors.Join(err, p.remove()) }()
	defer p.stop()
	select {
	case res := <-p.wait.Result:
		e.Code = int(res.StatusCode)
		if res.Error != nil {
			err = errors.New(res.Error.Message)
		}
	case err = <-p.wait.Error:
	}
	e.Wall = time.Since(p.started)
	e.MaxRSS = p.peak.end()
	if copyErr := <-p.copied; !errors.Is(copyErr, io.ErrClosedPipe) {
		err = errors.Join(err, copyErr)
	}
	e.Stderr = p.stderr.Bytes()
	if err != nil {
		err = fmt.Errorf("waiting for a container: %w", err)
	}
	return e, err
}

// watch records the peak of memory of the container's first process, if the engine's processes run on this machine.
func (p *imageProcess) watch(ctx context.Context, id string) {
	inspected, err := p.docker.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil || inspected.Container.State == nil || inspected.Container.State.Pid == 0 {
		return
	}
	pid := inspected.Container.State.Pid
	if groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid)); err == nil && bytes.Contains(groups, []byte(id)) {
		if p.peak.begin(pid) {
			p.peak.watch()
		}
	}
}

// remove removes the container, even if the run's context has ended.
func (p *imageProcess) remove() error {
	ctx := context.WithoutCancel(p.ctx)
	var err error
	if p.container != nil {
		err = p.container.Terminate(ctx, testcontainers.StopTimeout(0))
	}
	return errors.Join(err, p.docker.Close())
}
