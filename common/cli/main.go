package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

const (
	// grace is how long a run may take to end once it has to. Together with listen it stays within two seconds.
	grace = 1700 * time.Millisecond
	// writeGrace is the same for a destination, which may still have to wait for the outcome of calls in flight. It is shorter than the default time
	// that a stopped container gets (30 s in Kubernetes).
	writeGrace = 27 * time.Second
	// listen is how often the process checks whether the output is still read, in case nothing is written.
	listen = 200 * time.Millisecond
	// resumes ends the message that a signal stopped a read.
	resumes = "; it can go on from its last state"
)

// Main runs the command that the process was started with, and ends the process; it never returns. metadata is metadata.yaml.
//
// SIGTERM, SIGINT and SIGHUP stop the run: ctx is cancelled. A second signal ends the process at once. A closed output stops the run too. Main finds
// it by writing or, if the output is a pipe or a socket, by polling it. SIGPIPE does not kill the process. If there was no output from the start,
// read and write end with 1 before they do anything. Even if something hangs, the process ends with 1 soon after it was stopped. LOG_LEVEL=debug in
// the environment has the same effect as --debug.
//
// The garbage collector runs at a pace that suits a read, unless GOGC or GOMEMLIMIT is set.
func Main(src Source, metadata []byte) {
	runProcess(program{commands: sourceCommands(src), spec: src.Spec, metadata: metadata}, grace, resumes)
}

// MainDestination is Main for a destination. A stopped run has 27 seconds to end instead of two, so that calls in flight can come to an outcome; see
// [Destination].
func MainDestination(dst Destination, metadata []byte) {
	// Whether it can go on depends on the outcome of the calls, which is reported separately.
	runProcess(program{commands: destinationCommands(dst), spec: dst.Spec, metadata: metadata}, writeGrace, "")
}

// runProcess runs p with what belongs to the process. then ends the message that a signal stopped the run.
func runProcess(p program, grace time.Duration, then string) {
	p.mute = outputMissing()
	widenOutput()
	paceCollector()
	// net/http writes unrequested data of a server to the process's default log. Nothing redacts that, and standard error is for people.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	signal.Ignore(syscall.SIGPIPE) // so that a write to a closed output returns EPIPE instead of killing the process
	ctx, stop := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, stopping()...) // before anything that a signal could interrupt
	go watchSignals(signals, stop, then)
	go watchOutput(stop)
	p.args, p.stdin, p.stdout, p.stderr = os.Args[1:], os.Stdin, os.Stdout, os.Stderr
	p.debug = strings.EqualFold(os.Getenv("LOG_LEVEL"), "debug")
	p.online = trustRoots
	p.stopping = func() { time.AfterFunc(grace, func() { os.Exit(1) }) }
	os.Exit(run(ctx, p))
}

// outputMissing reports whether the process may have been started without a standard output. Go's runtime then opens the null device for reading and
// writing in its place, so that writing never fails. A shell opens it for writing only. Both discard all output, but only the latter was asked for.
// Programs that start others open it as the runtime does, and cannot be told from it.
func outputMissing() bool {
	flags, err := unix.FcntlInt(uintptr(unix.Stdout), unix.F_GETFL, 0)
	var out, null unix.Stat_t
	if err = errors.Join(err, unix.Fstat(unix.Stdout, &out), unix.Stat(os.DevNull, &null)); err != nil {
		return true
	}
	return flags&unix.O_ACCMODE == unix.O_RDWR && out.Mode&unix.S_IFMT == unix.S_IFCHR && out.Rdev == null.Rdev
}

// stopping returns the signals that stop a run. SIGHUP, which a closed terminal sends, is not one of them if the process was started to ignore it
// (nohup).
func stopping() []os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return []os.Signal{syscall.SIGTERM, syscall.SIGINT}
	}
	return []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}
}

// watchSignals stops the run at the first of these signals and ends the process at the second.
func watchSignals(signals <-chan os.Signal, stop context.CancelCauseFunc, then string) {
	first, _ := (<-signals).(syscall.Signal)
	stop(fault.Transientf("The run was stopped by %s before it was complete%s.", unix.SignalName(first), then))
	<-signals
	os.Exit(1)
}

// watchOutput stops the run when nobody reads standard output any more.
func watchOutput(stop context.CancelCauseFunc) {
	info, err := os.Stdout.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return
	}
	for range time.Tick(listen) {
		fds := []unix.PollFd{{Fd: int32(unix.Stdout)}} // poll reports errors and hang-ups even if no events are requested
		if n, err := unix.Poll(fds, 0); err == nil && n > 0 && fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0 {
			stop(fmt.Errorf("polling the output: %w", protocol.ErrClosed))
			return
		}
	}
}
