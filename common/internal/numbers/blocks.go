package numbers

import (
	"slices"
	"sort"
)

// span is how many whole numbers are in one block: a multiple of the small numbers, so that keys which follow one another at a fixed
// distance, as they often do, make blocks that are alike.
const span = 480

// Blocks is a set of whole numbers that are not asked for in their order, as a Set's are. Numbers at a fixed distance cost next to nothing, however
// many they are, half a byte each where every other one is missing by chance, and 90 bytes where they are far apart: what is kept is a bit
// for each number, in blocks, and blocks that are alike and stand side by side are kept once. The zero value is empty. Not safe for concurrent use.
type Blocks struct {
	blocks map[int64]*block // by their place, which is the first number divided by span
	runs   []run            // in order; a place is in one of them or in blocks
	last   *block           // the one of blocks that got a number last; nil: none did
	at     int64            // its place
}

// block is which numbers of a place are in a set.
type block [(span + 63) / 64]uint64

// run is places that follow one another and whose blocks are alike.
type run struct {
	from, to int64
	block    block
}

func (b *block) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }

func (b *block) set(i int) { b[i>>6] |= 1 << (i & 63) }

// or returns the numbers of both.
func (b block) or(other *block) block {
	for i, word := range other {
		b[i] |= word
	}
	return b
}

// place returns the place of a number, and which of its block it is.
func place(n int64) (at int64, i int) {
	at, i = n/span, int(n%span)
	if i < 0 {
		return at - 1, i + span
	}
	return at, i
}

// Empty reports whether there is no number.
func (s *Blocks) Empty() bool { return len(s.blocks) == 0 && len(s.runs) == 0 }

// Has reports whether n is one of the numbers.
func (s *Blocks) Has(n int64) bool {
	at, i := place(n)
	if s.last != nil && s.at == at {
		return s.last.has(i)
	}
	b := s.find(at)
	return b != nil && b.has(i)
}

// find returns the block at a place, which may be that of a run; nil: there is none.
func (s *Blocks) find(at int64) *block {
	if b := s.blocks[at]; b != nil {
		return b
	}
	if r := s.run(at); r < len(s.runs) && s.runs[r].from <= at {
		return &s.runs[r].block
	}
	return nil
}

// run returns the first of the runs that does not end before a place.
func (s *Blocks) run(at int64) int {
	return sort.Search(len(s.runs), func(r int) bool { return s.runs[r].to >= at })
}

// Add adds a number.
func (s *Blocks) Add(n int64) {
	at, i := place(n)
	if s.last == nil || s.at != at {
		if b := s.find(at); b != nil && b.has(i) {
			return
		}
		s.open(at)
	}
	s.last.set(i)
}

// Join adds all numbers of another set, which is empty then.
func (s *Blocks) Join(other *Blocks) {
	if s.Empty() {
		*s, *other = *other, Blocks{}
		return
	}
	for at, b := range other.blocks {
		s.joinBlock(at, b)
	}
	for r := range other.runs {
		for at := other.runs[r].from; at <= other.runs[r].to; at++ {
			s.joinBlock(at, &other.runs[r].block)
		}
	}
	*other = Blocks{}
}

// joinBlock adds the numbers of a block at a place.
func (s *Blocks) joinBlock(at int64, b *block) {
	if had := s.find(at); had != nil && had.or(b) == *had {
		return
	}
	s.open(at)
	*s.last = s.last.or(b)
}

// open makes the block at a place the last one, which may get numbers: it leaves its run, and the one before may come into one.
func (s *Blocks) open(at int64) {
	s.settle()
	if s.blocks == nil {
		s.blocks = map[int64]*block{}
	}
	b := s.blocks[at]
	if b == nil {
		b = new(block)
		s.blocks[at] = b
		if r := s.run(at); r < len(s.runs) && s.runs[r].from <= at {
			*b = s.runs[r].block
			s.leave(r, at)
		}
	}
	s.last, s.at = b, at
}

// leave takes a place out of run number r.
func (s *Blocks) leave(r int, at int64) {
	behind := s.runs[r]
	behind.from = at + 1
	s.runs[r].to = at - 1
	rest := []run{s.runs[r], behind}
	if behind.from > behind.to {
		rest = rest[:1]
	}
	if s.runs[r].from > s.runs[r].to {
		rest = rest[1:]
	}
	s.runs = slices.Replace(s.runs, r, r+1, rest...)
}

// settle puts the last block into a run with those beside it that are like it.
func (s *Blocks) settle() {
	if s.last == nil {
		return
	}
	b, at := *s.last, s.at
	r := s.run(at) // where its run would be
	low, high := r, r
	whole := run{at, at, b}
	if r > 0 && s.runs[r-1].to == at-1 && s.runs[r-1].block == b {
		low, whole.from = r-1, s.runs[r-1].from
	} else if beside := s.blocks[at-1]; beside != nil && *beside == b {
		delete(s.blocks, at-1)
		whole.from--
	}
	if r < len(s.runs) && s.runs[r].from == at+1 && s.runs[r].block == b {
		high, whole.to = r+1, s.runs[r].to
	} else if beside := s.blocks[at+1]; beside != nil && *beside == b {
		delete(s.blocks, at+1)
		whole.to++
	}
	if s.last = nil; whole.from < whole.to {
		delete(s.blocks, at)
		s.runs = slices.Replace(s.runs, low, high, whole)
	}
}
