// Package ratelimit spaces out requests within a quota, and holds all requests until a time that the server gave.
package ratelimit

import (
	"context"
	"slices"
	"sync"
	"time"
)

// noticeable is the shortest wait that the caller is told of.
const noticeable = time.Second

// Limiter admits requests in the order in which they ask. A nil Limiter admits all at once and cannot hold. A Limiter is safe for concurrent use.
type Limiter struct {
	window time.Duration // of a documented quota; 0 if there is none
	slots  int           // of a documented quota
	gap    time.Duration // between two starts; 0 if there is none

	mu      sync.Mutex
	queue   []*waiter
	held    time.Time   // no request is admitted before this time
	next    time.Time   // no request is admitted before this time, for even spacing
	idle    int         // how many slots may be taken now
	cooling []time.Time // when each slot whose request was counted may be taken again, in ascending order
}

// waiter is one Wait in the queue. Only the first has a timer. The others sleep until something happens that concerns them.
type waiter struct {
	wake  chan struct{} // holds at most one token, which means: look again
	first bool          // it was the first in the queue when it last looked
}

func (w *waiter) nudge() {
	select {
	case w.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Every returns a Limiter for a documented quota: n requests in any window of length per, less a margin of 2 % (n/50). If n is below 1, it is 1. If
// per is 0 or less, there is no quota.
//
// The whole quota may be used at once. The slot of a request is free again per after its done was called. Because the server counted the request
// before that, it never counts more than n in a window of that length, wherever the window begins and however slowly the server answers. The cost is
// one latency per window.
func Every(per time.Duration, n int) *Limiter {
	n = max(n, 1)
	if per <= 0 {
		return Unlimited()
	}
	return &Limiter{window: per, slots: n - n/50, idle: n - n/50}
}

// Spaced returns a Limiter for an API that only throttles: n requests per window, less a margin of 2 %. Each request starts at least per/n plus that
// margin after the one before, so that there are not too many if one is late and the next is not. Unused time is not saved up. If n is below 1, it is
// 1. If per is 0 or less, there is no quota.
func Spaced(per time.Duration, n int) *Limiter {
	gap := max(per, 0) / time.Duration(max(n, 1))
	return &Limiter{gap: gap + gap/50}
}

// Unlimited returns a Limiter that admits all requests at once, except during a Hold.
func Unlimited() *Limiter { return &Limiter{} }

// Window returns the length of the quota's window, or 0 if there is none (spaced or unlimited).
func (l *Limiter) Window() time.Duration {
	if l == nil {
		return 0
	}
	return l.window
}

// Hold makes every request wait at least until then, including requests that already wait. It never shortens a longer Hold.
//
// It neither takes slots of a quota nor gives any back. A slot that was taken before stays taken for its window, so the requests after a Hold never
// exceed the quota. What was free before is free again when it ends. After a Hold, Spaced goes on evenly, without a burst.
func (l *Limiter) Hold(until time.Time) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !until.After(l.held) {
		return
	}
	l.held = until
	for _, w := range l.queue {
		w.nudge() // each may have to tell its caller
	}
}

// Wait blocks until a request may be sent or ctx ends. The caller must call done when the server has certainly counted the request (its answer began,
// or it failed). Further calls of done do nothing.
//
// If the wait will be a second or more because of the quota or a Hold (not because of even spacing), Wait calls waiting once, outside all locks, with
// the time at which the wait is expected to end; waiting may be nil. The error is ctx's; then nothing is taken.
func (l *Limiter) Wait(ctx context.Context, waiting func(until time.Time)) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if l == nil {
		return func() {}, nil
	}
	w := &waiter{wake: make(chan struct{}, 1)}
	l.mu.Lock()
	l.queue = append(l.queue, w)
	l.mu.Unlock()
	defer func() {
		if done == nil { // after an error, or a panic in waiting
			l.leave(w)
		}
	}()
	for {
		start, limited, admitted := l.look(w)
		if admitted {
			return l.release(), nil
		}
		if waiting != nil && limited {
			waiting(start)
			waiting = nil
			continue // the call took time
		}
		if err := w.sleep(ctx, start); err != nil {
			return nil, err
		}
	}
}

// sleep waits until it is worth looking again: when w is nudged, and at start if w is the first in the queue.
func (w *waiter) sleep(ctx context.Context, start time.Time) error {
	var alarm <-chan time.Time
	if w.first {
		timer := time.NewTimer(time.Until(start))
		defer timer.Stop()
		alarm = timer.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.wake:
		return nil
	case <-alarm:
		return nil
	}
}

// look admits w if it is its turn. Otherwise it returns when that is expected, and whether the caller should be told.
func (l *Limiter) look(w *waiter) (start time.Time, limited, admitted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.warm(now)
	place := slices.Index(l.queue, w)
	w.first = place == 0
	due := l.due(now, place)
	if start = later(due, l.next); w.first && !start.After(now) {
		if l.slots > 0 {
			l.idle--
		}
		l.next = now.Add(l.gap)
		l.drop(0)
		return start, false, true
	}
	return start, due.Sub(now) >= noticeable, false
}

// due returns when the quota and Hold are expected to admit the waiter at place, as if the requests in flight were counted now.
func (l *Limiter) due(now time.Time, place int) time.Time {
	due := l.held
	if place -= l.idle; l.slots > 0 && place >= 0 {
		rounds, slot := place/l.slots, place%l.slots
		free := now.Add(l.window)
		if slot < len(l.cooling) {
			free = l.cooling[slot]
		}
		due = later(due, free.Add(time.Duration(rounds)*l.window))
	}
	return due
}

// warm makes slots idle whose window is over.
func (l *Limiter) warm(now time.Time) {
	n := 0
	for n < len(l.cooling) && !l.cooling[n].After(now) {
		n++
	}
	l.cooling = l.cooling[n:]
	l.idle += n
}

// release returns the done function of a request that was just admitted.
func (l *Limiter) release() func() {
	if l.slots == 0 {
		return func() {}
	}
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.cooling = append(l.cooling, time.Now().Add(l.window)) // ascending, because the clock is read under the lock
		l.nudgeFirst()
	})
}

// leave removes w, which gave up, from the queue.
func (l *Limiter) leave(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop(slices.Index(l.queue, w))
}

func (l *Limiter) drop(place int) {
	l.queue = slices.Delete(l.queue, place, place+1)
	if place == 0 {
		l.nudgeFirst()
	}
}

func (l *Limiter) nudgeFirst() {
	if len(l.queue) > 0 {
		l.queue[0].nudge()
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
