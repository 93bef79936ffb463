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

// Options say what else is to be done with a run's output, and what must not be in it. The zero value does nothing else.
type Options struct {
	// Secrets must not be in the output, in none of the forms of a secret; see [Forms].
	Secrets []string
	// Phrases are secrets of words, as an example's: they must not be in the output as a whole, but their words may.
	Phrases []string
	// Learnt are more secrets, those that come up while the connector runs; it is asked for them before each line is looked into.
	Learnt func() []string
	// Keyless says that records may lack their primary key, since the API's rows do; such a record's key is a hash of its data,
	// and its schema, which wants the key, is not asked.
	Keyless bool
	// Schemas keeps what is compiled, where more runs follow; nil keeps nothing.
	Schemas *Schemas
	// Tee gets stdout as it comes.
	Tee io.Writer
	// Each is called for every line that is a message, while the connector runs; what it does to the process through the Control belongs
	// to the test. It is called from one goroutine.
	Each func(m Message, control *Control)
	// Started is called once the process runs, before its output is read. It may keep the Control and use it from other goroutines.
	Started func(control *Control)
}

// Control is a test's hand on a running connector. Safe for concurrent use.
type Control struct {
	process Process
	killed  chan struct{}
	unread  chan struct{}
	asked   chan struct{}
}

// Signal sends a signal. What a run says that os.Kill ended is not held against it, nor what one does not say that SIGTERM ended.
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

// Run runs a command to its end and collects what it said. An error is the harness's or the test's own: a connector that fails has a
// Result that says so.
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

// mark sets a flag that can be read from another goroutine.
func mark(flag chan struct{}) {
	select {
	case flag <- struct{}{}:
	default:
	}
}

// now returns the time as emitted_at has it.
func now() int64 { return time.Now().UnixMilli() }
