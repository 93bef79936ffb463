package harness

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Options say what else happens with a run's output, and what it must not contain. The zero value adds nothing.
type Options struct {
	// Secrets must not be in the output, in any form of a secret; see [Forms].
	Secrets []string
	// Phrases are secrets made of words, such as an example's. They must not be in the output as a whole, but their words may.
	Phrases []string
	// Learnt returns more secrets, those that come up while the connector runs. It is called before each line is scanned.
	Learnt func() []string
	// Keyless says that records may lack their primary key, because the API's rows do. The key of such a record is a hash of its data, and the record is
	// not checked against its schema, which requires the key.
	Keyless bool
	// Schemas keeps compiled schemas for further runs. A nil Schemas keeps nothing.
	Schemas *Schemas
	// Tee gets stdout as it comes.
	Tee io.Writer
	// Each is called for every line that is a message, while the connector runs. The test is responsible for what it does to the process through the
	// Control. It is called from one goroutine.
	Each func(m Message, control *Control)
	// Started is called once the process runs, before its output is read. It may keep the Control and use it from other goroutines.
	Started func(control *Control)
}

// Control lets a test control a running connector. Safe for concurrent use.
type Control struct {
	process Process
	killed  chan struct{}
	unread  chan struct{}
	asked   chan struct{}
}

// Signal sends a signal. A run that os.Kill ended may stop in the middle of a line. The end of a run that os.Kill or SIGTERM ended is not checked.
func (c *Control) Signal(s os.Signal) error {
	if kill(s) {
		mark(c.killed)
	} else {
		mark(c.asked)
	}
	return c.process.Signal(s)
}

// CloseStdout closes the reading end of the connector's output, as the platform does when it gives up.
func (c *Control) CloseStdout() error {
	mark(c.unread)
	return c.process.Stdout().Close()
}

// Run runs a command to its end and collects its output. An error is the harness's or the test's own. A connector that fails has a Result that says
// so.
func Run(ctx context.Context, r Runner, c Command, o Options) (*Result, error) {
	messages, err := o.Schemas.get(protocolMessages, messageSchema)
	if err != nil {
		return nil, err
	}
	col := newCollector(r, c, o, messages.schema)
	p, err := r.Start(ctx, c)
	if err != nil {
		return nil, err
	}
	control := &Control{process: p, killed: make(chan struct{}, 1), unread: make(chan struct{}, 1), asked: make(chan struct{}, 1)}
	if o.Started != nil {
		o.Started(control)
	}
	readErr := col.read(p.Stdout(), control)
	exit, waitErr := p.Wait()
	res := col.result
	res.Exit = exit
	res.Killed, res.Unread, res.Asked = len(control.killed) > 0, len(control.unread) > 0, len(control.asked) > 0
	if res.Unread && errors.Is(readErr, os.ErrClosed) {
		readErr = nil
	}
	if err := errors.Join(readErr, waitErr, ctx.Err()); err != nil {
		return res, fmt.Errorf("running %v: %w", c.Args, err)
	}
	col.finish()
	return res, nil
}

// read reads stdout line by line until its end.
func (c *collector) read(stdout io.Reader, control *Control) error {
	if c.options.Tee != nil {
		stdout = io.TeeReader(stdout, c.options.Tee)
	}
	if c.result.Command.Text {
		body, err := io.ReadAll(stdout)
		c.result.Output, c.result.Bytes = body, int64(len(body))
		c.secrets.scan(body, "stdout", c.result)
		return err
	}
	lines := bufio.NewReaderSize(stdout, 64<<10)
	var long []byte
	for {
		part, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, part...)
			continue
		}
		line := part
		if len(long) > 0 {
			long = append(long, part...)
			line = long
		}
		if len(line) > 0 {
			c.result.Bytes += int64(len(line))
			c.line(line, err != nil, control)
		}
		long = long[:0]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading stdout: %w", err)
		}
	}
}

// mark sets a flag that another goroutine can read.
func mark(flag chan struct{}) {
	select {
	case flag <- struct{}{}:
	default:
	}
}

// now returns the time in the form of emitted_at.
func now() int64 { return time.Now().UnixMilli() }
