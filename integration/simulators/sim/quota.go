package sim

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Quota is how many requests are answered in any window of a given length. The window slides and is exact: a request is one too many if Requests
// others were answered in the Window before its arrival. From then on all requests are refused with 429 for Hold. Refused requests neither count nor
// prolong this. The zero Quota has no limit.
type Quota struct {
	Requests   int
	Window     time.Duration
	Hold       time.Duration // how long requests are refused; 0 means Window
	RetryAfter RetryAfter    // whether and how a 429 says when to come back
	Early      []int         // numbers of requests, from 1, that are refused although the quota is not used up
}

// RetryAfter is the form of the header Retry-After.
type RetryAfter string

// The forms of Retry-After. The empty one means no header.
const (
	NoRetryAfter      RetryAfter = ""
	RetryAfterSeconds RetryAfter = "seconds" // rounded up
	RetryAfterDate    RetryAfter = "date"    // an HTTP date, rounded up to the second
)

// PerMinute returns how many requests in any minute stay within the quota, for readers that count this way: at least one, and a million if there is
// no limit.
func (q Quota) PerMinute() int {
	if q.Requests <= 0 || q.Window <= 0 {
		return 1_000_000
	}
	return int(max(1, math.Floor(float64(q.Requests)*float64(time.Minute)/float64(q.Window))))
}

// header writes the header for a wait of left from now on.
func (f RetryAfter) header(h http.Header, now time.Time, left time.Duration) {
	switch f {
	case RetryAfterSeconds:
		h.Set("Retry-After", fmt.Sprint(int(math.Ceil(left.Seconds()))))
	case RetryAfterDate:
		until := now.Add(left + time.Second - time.Nanosecond).Truncate(time.Second)
		h.Set("Retry-After", until.UTC().Format(http.TimeFormat))
	}
}

// window is the state of a Quota.
type window struct {
	quota Quota
	mu    sync.Mutex
	past  []time.Time // arrivals of the last Requests requests that were answered, as a ring
	next  int         // position of the oldest of them
	until time.Time   // requests before this time are refused
}

func newWindow(q Quota) *window {
	if q.Hold == 0 {
		q.Hold = q.Window
	}
	return &window{quota: q, past: make([]time.Time, max(q.Requests, 0))}
}

// admit judges the number-th request, which arrives now. If it is refused, left is the time until one would be answered again.
func (w *window) admit(number int) (now time.Time, left time.Duration, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now = time.Now()
	if now.Before(w.until) {
		return now, w.until.Sub(now), false
	}
	over := len(w.past) > 0 && !w.past[w.next].IsZero() && now.Sub(w.past[w.next]) < w.quota.Window
	if over || slices.Contains(w.quota.Early, number) {
		w.until = now.Add(w.quota.Hold)
		return now, w.quota.Hold, false
	}
	if len(w.past) > 0 {
		w.past[w.next] = now
		w.next = (w.next + 1) % len(w.past)
	}
	return now, 0, true
}
