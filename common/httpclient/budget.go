package httpclient

import (
	"context"
	"slices"
	"sync"
)

// Budget bounds the bytes of answers that are in memory at the same time, over all clients and listings of a process. A nil Budget counts
// nothing. Safe for concurrent use.
//
// Whoever asks for something takes a Share first, in the order in which the answers will be used, and releases it when the answer is used
// up. Reading an answer takes its length out of the budget: at once where Content-Length says it, else as the bytes arrive. What finds the
// budget used up waits until older shares have given enough back; the connection stays open meanwhile, and no time limit runs.
//
// Two kinds of share never wait, so that all of them come to their end:
//
//   - The oldest share of each level that is not released. It may take more than is left.
//   - A share that finds nothing taken at all. An answer may be larger than the whole budget.
//
// So there is no more in memory than the budget and one answer for each level (while one is read whose length is not told, up to four times what
// came of it), and there is no deadlock as long as the oldest share of a level can be used up, and is released then, without any younger share of
// its own level or of a lower one. The levels say what waits for what: a page of a listing (level 0) may wait for what is asked for its rows (level
// 1), which waits for nobody. It follows that a share must not be taken by somebody who then waits for something that a younger share holds. A
// request that waits for bytes holds neither a place in the quota nor new credentials that others wait for; places of the caller's own, such as a
// number of requests at once, must not be shared by two levels.
type Budget struct {
	bytes int64

	mu      sync.Mutex
	changed chan struct{} // closed when something of what follows changes; nil while nobody waits for that
	taken   int64         // by all shares; more than bytes where the oldest took more than was left
	levels  map[int][]*Share
}

// NewBudget returns a Budget of so many bytes.
func NewBudget(bytes int64) *Budget {
	return &Budget{bytes: bytes, levels: map[int][]*Share{}}
}

// Take returns the next share at a level: 0 for the pages of listings, 1 for what is asked for a row. It does not wait and takes no bytes yet.
// Release must be called on every path.
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

// Share is what the answers to one or several requests take of a Budget: see Request.Share. A nil Share takes nothing. Safe for concurrent
// use.
type Share struct {
	budget *Budget
	level  int

	// Under the lock of the budget.
	taken    int64
	waiting  int // how many readers wait for bytes
	released bool
}

// Release gives the bytes back and takes the share out of the order. An answer that is read after it is not counted. Calling it again does
// nothing.
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

// Reset gives the bytes back and keeps the place in the order: for an answer that is not kept because it will be asked for once more.
func (s *Share) Reset() {
	if s == nil {
		return
	}
	s.budget.change(func() {
		s.budget.taken -= s.taken
		s.taken = 0
	})
}

// take takes n bytes and waits until they are to be had, or ctx ends.
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

// try takes n bytes if that is possible now.
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

// olderWaits reports whether a share before s waits: it comes first, or a large answer would never find room between small ones.
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
		n = min(n, s.taken) // the share may have been released or reset meanwhile
		s.taken -= n
		s.budget.taken -= n
	})
}

// wait notes that one reader more waits, or one less.
func (s *Share) wait(one int) {
	s.budget.change(func() { s.waiting += one })
}

// change does what it is given under the lock and wakes all who wait.
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
