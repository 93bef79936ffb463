package httpclient

import (
	"context"
	"slices"
	"sync"
)

// Budget bounds the bytes of answers in memory at the same time, over all clients and listings of a process. A nil Budget counts nothing. A Budget is
// safe for concurrent use.
//
// A caller takes a Share before it asks for something, in the order in which answers will be used, and releases it after it has used the answer.
// Reading an answer takes its length from the budget: at once if Content-Length tells it, and otherwise as the bytes arrive. If the budget is used
// up, reading waits until older shares have given enough back. Meanwhile the connection stays open and no time limit runs.
//
// Two kinds of share never wait, so that every answer is eventually read:
//
//   - The oldest share of each level that is not released. It may take more than is left.
//   - A share that finds nothing taken at all. An answer may be larger than the whole budget.
//
// Memory therefore holds no more than the budget and one answer for each level (up to four times what has arrived while reading an answer whose
// length is not told). There is no deadlock if the oldest share of a level can be used up and released without any younger share of its own level or
// of a lower one. The levels say what waits for what: a page of a listing (level 0) may wait for requests for its rows (level 1), which wait for
// nothing. So a caller must not take a share and then wait for something that a younger share holds. A request that waits for bytes holds neither a
// turn in the quota nor new credentials that others wait for. Limits of the caller's own, such as a number of concurrent requests, must not be shared
// by two levels.
type Budget struct {
	bytes int64

	mu      sync.Mutex
	changed chan struct{} // closed when one of the following fields changes; nil while nobody waits
	taken   int64         // by all shares; more than bytes if the oldest took more than was left
	levels  map[int][]*Share
}

// NewBudget returns a Budget of the given number of bytes.
func NewBudget(bytes int64) *Budget {
	return &Budget{bytes: bytes, levels: map[int][]*Share{}}
}

// Take returns the next share of a level: 0 for pages of listings, 1 for requests for a row. It does not wait, and takes no bytes yet. The caller
// must call Release on every path.
func (b *Budget) Take(level int) *Share {
	if b == nil {
		return nil
	}
	s := &Share{budget: b, level: level}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.levels[level] = append(b.levels[level], s)
	return s
}

// Share is what the answers to one or more requests take from a Budget: see Request.Share. A nil Share takes nothing. A Share is safe for concurrent
// use.
type Share struct {
	budget *Budget
	level  int

	// Guarded by budget.mu.
	taken    int64
	waiting  int // how many readers wait for bytes
	released bool
}

// Release gives the bytes back and takes the share out of the order. An answer that is read later is not counted. Further calls do nothing.
func (s *Share) Release() {
	if s == nil {
		return
	}
	s.budget.change(func() {
		if s.released {
			return
		}
		s.released = true
		s.budget.taken -= s.taken
		s.taken = 0
		queue := s.budget.levels[s.level]
		i := slices.Index(queue, s)
		s.budget.levels[s.level] = slices.Delete(queue, i, i+1)
	})
}

// Reset gives the bytes back and keeps the place in the order, for an answer that is dropped because it will be asked for again.
func (s *Share) Reset() {
	if s == nil {
		return
	}
	s.budget.change(func() {
		s.budget.taken -= s.taken
		s.taken = 0
	})
}

// take takes n bytes. It waits until they are available or ctx ends.
func (s *Share) take(ctx context.Context, n int64) error {
	s.wait(+1)
	defer s.wait(-1)
	for {
		changed := s.budget.watch()
		if s.try(n) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// try takes n bytes if they are available now.
func (s *Share) try(n int64) bool {
	if s == nil || n <= 0 {
		return true
	}
	b := s.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.released {
		return true
	}
	queue := b.levels[s.level]
	if queue[0] != s && b.taken > 0 && (b.taken+n > b.bytes || olderWaits(queue, s)) {
		return false
	}
	b.taken += n
	s.taken += n
	return true
}

// olderWaits reports whether an older share than s waits. It goes first, because a large answer would otherwise never find room between small ones.
func olderWaits(queue []*Share, s *Share) bool {
	for _, older := range queue {
		if older == s {
			break
		}
		if older.waiting > 0 {
			return true
		}
	}
	return false
}

// give gives n bytes back.
func (s *Share) give(n int64) {
	if s == nil || n <= 0 {
		return
	}
	s.budget.change(func() {
		n = min(n, s.taken) // the share may have been released or reset in the meantime
		s.taken -= n
		s.budget.taken -= n
	})
}

// wait adds one, which is 1 or -1, to the number of waiting readers.
func (s *Share) wait(one int) {
	s.budget.change(func() { s.waiting += one })
}

// change calls do under the lock and wakes all waiting goroutines.
func (b *Budget) change(do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do()
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// watch returns a channel that is closed at the next change.
func (b *Budget) watch() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.changed
}
