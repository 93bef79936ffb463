// Package numbers is sets of whole numbers: as ranges, for what is written down, and as blocks, for what is only held in memory.
package numbers

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// Set is a set of whole numbers. Those that lie close together cost 16 bytes for all of them, however many they are. The zero value and nil are
// empty sets; nil cannot be added to. Not safe for concurrent use.
//
// Numbers that are added wait unsorted until they are a quarter of the ranges, and at least 1,024; then they are sorted and put among the
// ranges in one pass. So adding costs O(log n) on average, in whatever order the numbers come, and looking up is a binary search.
type Set struct {
	ranges []Range            // sorted; between two of them at least one number is missing
	count  int64              // how many there are in ranges, or the largest int64 where there are more
	loose  map[int64]struct{} // numbers that came since and are in no range
}

// Range is the whole numbers from the one to the other, both included.
type Range struct{ From, To int64 }

// minLoose is how many numbers may wait to be put among the ranges, however few these are.
const minLoose = 1024

// Len returns how many numbers there are, or the largest int64 where there are more.
func (s *Set) Len() int64 {
	if s == nil {
		return 0
	}
	return sum(s.count, int64(len(s.loose)))
}

// Has reports whether n is in the set.
func (s *Set) Has(n int64) bool {
	if s == nil {
		return false
	}
	_, has := s.loose[n]
	return has || s.ranged(n)
}

// Add puts n into the set.
func (s *Set) Add(n int64) {
	if s.ranged(n) {
		return
	}
	if s.loose == nil {
		s.loose = map[int64]struct{}{}
	}
	if s.loose[n] = struct{}{}; len(s.loose) >= s.patience() {
		s.settle(nil)
	}
}

// AddRanges puts ranges, in whatever order, into the set. It costs as much as there are ranges in both.
func (s *Set) AddRanges(ranges ...Range) { s.settle(slices.Clone(ranges)) }

// AddAll puts all of other, which may be nil and stays as it is, into the set. It costs as much as there are ranges in both.
func (s *Set) AddAll(other *Set) {
	if other != nil {
		s.settle(append(single(other.loose), other.ranges...))
	}
}

// Ranges returns the numbers as ranges, sorted, of which none touches another. They are not to be changed.
func (s *Set) Ranges() []Range {
	if s == nil {
		return nil
	}
	s.settle(nil)
	return s.ranges
}

// Parse returns text as a number when it is written as numbers are: "07", "+7" and "-0" are none.
func Parse(text string) (n int64, ok bool) {
	digits := text
	if len(text) > 1 && text[0] == '-' {
		digits = text[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && len(text) > 1 {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// ranged reports whether n is in one of the ranges.
func (s *Set) ranged(n int64) bool {
	i, exact := slices.BinarySearchFunc(s.ranges, n, func(r Range, n int64) int { return cmp.Compare(r.From, n) })
	return exact || i > 0 && n <= s.ranges[i-1].To
}

// patience returns how many numbers wait before they are put among the ranges.
func (s *Set) patience() int { return max(minLoose, len(s.ranges)/4) }

// settle puts more, in any order, and the numbers that wait among the ranges.
func (s *Set) settle(more []Range) {
	if len(more)+len(s.loose) == 0 {
		return
	}
	more = append(more, single(s.loose)...)
	slices.SortFunc(more, func(a, b Range) int { return cmp.Compare(a.From, b.From) })
	s.ranges, s.count = merge(s.ranges, more), 0
	clear(s.loose)
	for _, r := range s.ranges {
		s.count = sum(s.count, r.size())
	}
}

// merge returns the ranges of a and b, each sorted by where its ranges begin, with those that touch or overlap made one.
func merge(a, b []Range) []Range {
	all := make([]Range, 0, len(a)+len(b))
	for len(a)+len(b) > 0 {
		if len(a) == 0 || len(b) > 0 && b[0].From < a[0].From {
			a, b = b, a
		}
		next := a[0]
		a = a[1:]
		if len(all) > 0 {
			if last := &all[len(all)-1]; last.To == math.MaxInt64 || next.From <= last.To+1 {
				last.To = max(last.To, next.To)
				continue
			}
		}
		all = append(all, next)
	}
	if len(all) < cap(all)/2 {
		return slices.Clone(all) // what is kept does not hold what was needed on the way
	}
	return all
}

// single returns numbers as ranges of one number each.
func single(numbers map[int64]struct{}) []Range {
	all := make([]Range, 0, len(numbers))
	for n := range numbers {
		all = append(all, Range{n, n})
	}
	return all
}

// size returns how many numbers there are in r, or the largest int64 where there are more.
func (r Range) size() int64 {
	if n := uint64(r.To) - uint64(r.From); n < math.MaxInt64 {
		return int64(n) + 1
	}
	return math.MaxInt64
}

// sum returns a + b, neither of them negative, or the largest int64 where that is less.
func sum(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
