package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/imob-data/airbyte-connectors/integration/judge"
)

// progress tells on a terminal, in one line that changes, which check has begun and how many are done; elsewhere it tells nothing. Safe for
// concurrent use.
type progress struct {
	mu           sync.Mutex
	w            io.Writer // nil where there is no terminal
	all          int
	made, failed int
}

func newProgress(w io.Writer, all int) *progress {
	p := &progress{all: all}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.w = w
		}
	}
	return p
}

func (p *progress) began(c judge.Check) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.show(c.Full())
}

func (p *progress) done(v judge.Verdict) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made++
	if v.Status == judge.Failed || v.Status == judge.Broken {
		p.failed++
	}
	p.show(v.Check.Full())
}

func (p *progress) show(name string) {
	if p.w != nil {
		_, _ = fmt.Fprintf(p.w, "\r\x1b[K%d of %d checks, %d failed: %s", p.made, p.all, p.failed, name) // nobody is left to tell
	}
}

// end takes the line away.
func (p *progress) end() {
	if p.w != nil {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
	}
}
