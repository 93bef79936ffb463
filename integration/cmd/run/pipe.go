package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/tidwall/gjson"
)

// pipe hands records to a destination, and keeps the states that it gives back.
type pipe struct {
	*session

	process *process
	stdin   *os.File
	text    *bufio.Writer
	waiting *checkpoints
	over    chan error // how the destination's output ended
}

// openPipe starts the destination. It is not stopped together with the source, but ends when the source did, after all that came.
func (s *session) openPipe(ctx context.Context, catalog []byte) (*pipe, error) {
	reading, writing, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.target.name(), err)
	}
	p := &pipe{session: s, stdin: writing, text: bufio.NewWriterSize(writing, 64<<10), waiting: s.checkpoints(), over: make(chan error, 1)}
	p.process, err = s.target.start(context.WithoutCancel(ctx), "write", map[string][]byte{"catalog": catalog}, reading)
	if err = errors.Join(err, reading.Close()); err != nil {
		return nil, errors.Join(err, writing.Close())
	}
	go func() { p.over <- p.process.messages(p.echo) }()
	return p, nil
}

// echo takes what the destination says. It is called by its own goroutine, which nobody else shares the states with before it ended.
func (p *pipe) echo(m message) error {
	if m.kind != "STATE" {
		return nil
	}
	p.waiting.add(p.entry(p.stream(m.stream), m))
	if p.waiting.due() {
		return p.waiting.keep(taken)
	}
	return nil
}

// taken returns the proof that what is before a state is durable: the destination gave it back.
func taken([]entry) error { return nil }

func (p *pipe) record(_ *stream, m message) error { return p.line(m.line) }

func (p *pipe) state(_ *stream, m message) error {
	if err := p.line(m.line); err != nil {
		return err
	}
	return p.flush()
}

func (p *pipe) line(line []byte) error {
	_, err := p.text.Write(line)
	if err == nil {
		err = p.text.WriteByte('\n')
	}
	return p.broken(err)
}

func (p *pipe) flush() error { return p.broken(p.text.Flush()) }

// broken returns an error of the pipe.
func (p *pipe) broken(err error) error {
	if err != nil {
		return fmt.Errorf("handing records to %s: %w", p.target.name(), err)
	}
	return nil
}

// end tells the destination that all came, where it did, and waits for what it still has to do.
func (p *pipe) end(failure error) error {
	var err error
	for _, one := range p.streams {
		if failure == nil {
			err = errors.Join(err, p.line(completed(one)))
		}
	}
	err = errors.Join(err, p.flush(), p.stdin.Close())
	echoErr := <-p.over
	if echoErr != nil { // the states cannot be kept
		p.process.stopped()
	}
	if waitErr := p.process.wait(); waitErr != nil {
		err = waitErr // says why the pipe broke, if it did
	}
	err = errors.Join(echoErr, err)
	p.judge(errors.Join(failure, err))
	if keepErr := p.waiting.keep(taken); keepErr != nil {
		return errors.Join(err, keepErr)
	}
	p.forget()
	return errors.Join(err, p.memory.write())
}

func (p *pipe) close() {
	_ = p.stdin.Close() // is closed in good order before
}

// completed returns the message by which the platform tells a destination that all of a stream came.
func completed(one *stream) []byte {
	stream := gjson.ParseBytes(one.configured["stream"])
	descriptor := map[string]string{"name": stream.Get("name").Str}
	if namespace := stream.Get("namespace").Str; namespace != "" {
		descriptor["namespace"] = namespace
	}
	text, err := marshal(map[string]any{"type": "TRACE", "trace": map[string]any{
		"type": "STREAM_STATUS", "emitted_at": float64(time.Now().UnixMilli()),
		"stream_status": map[string]any{"stream_descriptor": descriptor, "status": "COMPLETE"},
	}}, nil)
	if err != nil {
		panic(err) // texts and numbers always marshal
	}
	return text
}
