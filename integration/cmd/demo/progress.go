package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress tells what is going on: on a terminal in one line that changes, elsewhere in a line per step.
type progress struct {
	w        io.Writer
	terminal bool
	last     time.Time
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			p.terminal = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return p
}

// say tells of a step.
func (p *progress) say(format string, args ...any) {
	p.last = time.Time{}
	if p.terminal {
		p.tick(format, args...)
		return
	}
	_, _ = fmt.Fprintf(p.w, format+"\n", args...) // nobody is left to tell
}

// tick tells how far a step is, on a terminal a few times a second and elsewhere every few seconds.
func (p *progress) tick(format string, args ...any) {
	pause := 3 * time.Second
	if p.terminal {
		pause = 200 * time.Millisecond
	}
	if time.Since(p.last) < pause {
		return
	}
	first := p.last.IsZero()
	p.last = time.Now()
	switch {
	case p.terminal:
		_, _ = fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
	case !first:
		_, _ = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// done takes the changing line away.
func (p *progress) done() {
	if p.terminal {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
	}
}
