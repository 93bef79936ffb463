package httpclient

import (
	"context"
	"sync"
	"time"
)

// A doubtful answer is retried this many times, with this pause in between.
const (
	doubtTries = 2
	doubtPause = 2 * time.Second
)

// warmUp is the state of a client until its first good answer.
type warmUp struct {
	careful bool
	turn    chan struct{} // holds a token while a request of a careful client is under way

	mu      sync.Mutex
	passed  bool
	failure error // the error that ended a doubt, for later requests
}

// over reports whether there has been a good answer.
func (w *warmUp) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.passed
}

// finish records a good answer.
func (w *warmUp) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.passed, w.failure = true, nil
}

// enter waits for r's turn; leave must be called when r has its answer. A login does not wait, because another request waits for it.
func (w *warmUp) enter(ctx context.Context, r Request) (leave func(), err error) {
	leave = func() {}
	if !w.careful || r.Unsigned || w.over() {
		return leave, nil
	}
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return leave, ctx.Err()
	}
	w.mu.Lock()
	passed, failure := w.passed, w.failure
	w.mu.Unlock()
	if passed || failure != nil {
		<-w.turn
		return leave, failure
	}
	return func() { <-w.turn }, nil
}

// failAll returns err, which ends a doubt. All requests fail with it from then on, until one succeeds.
func (w *warmUp) failAll(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failure = err
	return err
}
