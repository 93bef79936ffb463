package httpclient

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// A doubtful answer is asked for again this often, this far apart.
const (
	doubtTries = 2
	doubtPause = 2 * time.Second
)

// Doubt says that the answer has two causes that cannot be told apart, one of which passes: the request is asked again twice within five
// seconds, and then err is the failure, of this request and of all that follow on this client until one succeeds. It is for Careful clients
// and for answers that come before the first good one; see Response.Answered.
func Doubt(err error) error { return &doubt{err: cmp.Or(err, errUnsaid)} }

type doubt struct{ err error }

func (d *doubt) Error() string { return d.err.Error() }
func (d *doubt) Unwrap() error { return d.err }

// probation is the time of a client until its first good answer.
type probation struct {
	careful bool
	turn    chan struct{} // holds a token while a request of a careful client is under way

	mu      sync.Mutex
	passed  bool
	verdict error // what ended the doubt, for those that come after
}

// over is whether there was a good answer.
func (p *probation) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passed
}

// pass ends the probation.
func (p *probation) pass() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed, p.verdict = true, nil
}

// enter waits for r's turn; leave must be called when r has its answer. A login goes past the others, since one of them waits for it.
func (p *probation) enter(ctx context.Context, r Request) (leave func(), err error) {
	leave = func() {}
	if !p.careful || r.Unsigned || p.over() {
		return leave, nil
	}
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return leave, ctx.Err()
	}
	p.mu.Lock()
	passed, verdict := p.passed, p.verdict
	p.mu.Unlock()
	if passed || verdict != nil {
		<-p.turn
		return leave, verdict
	}
	return func() { <-p.turn }, nil
}

// condemn is err, the end of a doubt, which all that follows ends with too.
func (p *probation) condemn(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.verdict = err
	return err
}
