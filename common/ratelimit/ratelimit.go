// Package ratelimit spaces out requests within a quota and holds all of them until a time the server gave.
package ratelimit

import (
	"context"
	"slices"
	"sync"
	"time"
)

// noticeable is how long a wait must be for its caller to be told of it.
const noticeable = time.Second

// Limiter admits requests in the order in which they ask. A nil Limiter admits all at once but cannot hold. Safe for concurrent use.
type Limiter struct {
	window time.Duration // of a documented quota; 0 where there is none
	slots  int           // of a documented quota
	gap    time.Duration // between two starts; 0 where there is none

	mu      sync.Mutex
	queue   []*waiter
	held    time.Time   // nobody is admitted before
	next    time.Time   // nobody is admitted before, for even spacing
	idle    int         // slots that may be taken now
	cooling []time.Time // when each slot whose request was counted may be taken again, ascending
}

// waiter is one Wait in the queue. Only the first has a timer; the others sleep until something that concerns them happens.
type waiter struct {
	wake  chan struct{} // holds at most one token: look again
	first bool          // of the queue, when it looked last
}

func (w *waiter) nudge() {
	select {
	case w.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Every returns a documented quota: n requests in any window of length per, less a margin of 2 % (n/50). An n below 1 is 1; a per of 0 or less
// is no quota.
//
// All of it may go at once. What one request takes is free again per after its done was called: the server counted it before, so in no
// window of that length, wherever the server begins it, does it count more than n, however slow it answers. The price is one latency a
// window.
func Every(per time.Duration, n int) *Limiter {
	n = max(n, 1)
	if per <= 0 {
		return Unlimited()
	}
	return &Limiter{window: per, slots: n - n/50, idle: n - n/50}
}

// Spaced is for a vendor that only throttles: n requests per window, less a margin of 2 %, each starting per/n and that margin after the one
// before or later, so that none is too many where one comes late and the next does not; nothing is saved up. An n below 1 is 1; a per of 0
// or less is no quota.
func Spaced(per time.Duration, n int) *Limiter {
	gap := max(per, 0) / time.Duration(max(n, 1))
	return &Limiter{gap: gap + gap/50}
}

// Unlimited admits all at once, but for Hold.
func Unlimited() *Limiter { return &Limiter{} }

// Window returns the length of the quota's window, or 0 where there is none (spaced or unlimited).
func (l *Limiter) Window() time.Duration {
	if l == nil {
		return 0
	}
	return l.window
}

// Hold makes every request wait until then at least, those included that wait already; it never shortens a Hold that lasts longer.
//
// It neither takes slots of a quota nor gives any back: a slot taken before stays taken for its window, so what follows a Hold is never
// more than the quota allows, and what was free before is free again at the reset. After a Hold, Spaced goes on evenly, without a burst.
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

// Wait blocks until a request may be sent or ctx ends; done must be called when the server has certainly counted the request
// (its answer began, or it failed). Calling done again does nothing.
//
// When the wait will be a second or more because the quota is used up or because of a Hold (not for even spacing), waiting is told once,
// outside all locks, when it is expected to end; waiting may be nil. The error is ctx's; nothing is taken then.
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
		if done == nil { // an error, or a panic in waiting
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
			continue // telling took time
		}
		if err := w.sleep(ctx, start); err != nil {
			return nil, err
		}
	}
}

// sleep waits until it is worth looking again: when nudged, and at start for the first of the queue.
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

// look admits w if it is its turn, or says when that is expected and whether the caller should hear of it.
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

// due returns when quota and Hold are expected to let the waiter at place go, as if what is in flight was counted now.
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

// warm makes the slots idle whose window is over.
func (l *Limiter) warm(now time.Time) {
	n := 0
	for n < len(l.cooling) && !l.cooling[n].After(now) {
		n++
	}
	l.cooling = l.cooling[n:]
	l.idle += n
}

// release returns the done of a request that was just admitted.
func (l *Limiter) release() func() {
	if l.slots == 0 {
		return func() {}
	}
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.cooling = append(l.cooling, time.Now().Add(l.window)) // ascending, as the clock is read under the lock
		l.nudgeFirst()
	})
}

// leave takes w, which gave up, out of the queue.
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
