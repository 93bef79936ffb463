// Package progress tells whoever runs one of the commands of integration/cmd what it is at.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// Bar tells what is going on: on a terminal in one line that changes, elsewhere in a line per step and one now and then while a step takes long.
// Safe for concurrent use.
type Bar struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	pause    time.Duration
	last     time.Time
}

// New makes a Bar on w, which is taken for a terminal if it is one. Elsewhere Tick is heard every so often.
func New(w io.Writer, every time.Duration) *Bar {
	b := &Bar{w: w, pause: every}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		b.terminal, b.pause = true, 200*time.Millisecond
	}
	return b
}

// Step tells of a step that begins or ended: what the changing line shows from then on.
func (b *Bar) Step(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = time.Time{}
	if b.terminal {
		b.tick(format, args...)
		return
	}
	_, _ = fmt.Fprintf(b.w, format+"\n", args...) // nobody is left to tell
}

// Say tells something that stays, above the changing line.
func (b *Bar) Say(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done()
	_, _ = fmt.Fprintf(b.w, format+"\n", args...)
}

// Tick tells how far a step is, as often as that is of use.
func (b *Bar) Tick(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick(format, args...)
}

func (b *Bar) tick(format string, args ...any) {
	if time.Since(b.last) < b.pause {
		return
	}
	first := b.last.IsZero()
	b.last = time.Now()
	switch {
	case b.terminal:
		_, _ = fmt.Fprintf(b.w, "\r\x1b[K"+format, args...)
	case !first:
		_, _ = fmt.Fprintf(b.w, format+"\n", args...)
	}
}

// Done takes the changing line away.
func (b *Bar) Done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done()
}

func (b *Bar) done() {
	if b.terminal {
		_, _ = fmt.Fprint(b.w, "\r\x1b[K")
	}
}
