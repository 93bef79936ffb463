// Package numbers is sets of the whole numbers by which rows are known.
package numbers

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"
)

// Set is a set of whole numbers that Parse takes, as Roaring bitmaps: a number costs a quarter of a byte where they lie close together, 2 to 7
// where they are some thousands apart, 60 beyond that, and 250 beyond 2^28. The zero value and nil are empty sets; nil cannot be added to. Not
// safe for concurrent use.
type Set struct {
	parts map[int64]*roaring.Bitmap // the lower bits of the numbers, by the others; none is empty
}

// Range is the whole numbers from the one to the other, both included.
type Range struct{ From, To int64 }

// Least and Most are the smallest and the largest number that can be in a Set. Larger ones are seldom close together: each would need a bitmap of its
// own, of 250 bytes.
const (
	Least = -1 << 53
	Most  = 1<<53 - 1
)

// width is how many bits of a number are in its bitmap. With all 32 that it could have, one that falls among a million far apart would take 10 µs.
const width = 28

// split returns which bitmap a number is in, and what it is there.
func split(n int64) (high int64, low uint32) { return n >> width, uint32(n & (1<<width - 1)) }

// Parse returns text as a number that can be in a Set, when it is written as numbers are: "07", "+7" and "-0" are none.
func Parse(text string) (n int64, ok bool) {
	digits := text
	if len(text) > 1 && text[0] == '-' {
		digits = text[1:]
	}
	if len(digits) == 0 || len(digits) > len("9007199254740992") || digits[0] == '0' && len(text) > 1 {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && Range{n, n}.Fits()
}

// Fits reports whether the numbers of r can be in a Set.
func (r Range) Fits() bool { return Least <= r.From && r.To <= Most }

// Len returns how many numbers there are.
func (s *Set) Len() (count int64) {
	if s == nil {
		return 0
	}
	for _, part := range s.parts {
		count += int64(part.GetCardinality())
	}
	return count
}

// Has reports whether n, which Parse gave, is in the set.
func (s *Set) Has(n int64) bool {
	if s == nil {
		return false
	}
	high, low := split(n)
	part := s.parts[high]
	return part != nil && part.Contains(low)
}

// Add puts n, which Parse gave, into the set.
func (s *Set) Add(n int64) {
	high, low := split(n)
	s.part(high).Add(low)
}

// Remove takes n, which Parse gave, out of the set.
func (s *Set) Remove(n int64) {
	high, low := split(n)
	part := s.parts[high]
	if part == nil {
		return
	}
	if part.Remove(low); part.IsEmpty() {
		delete(s.parts, high)
	}
}

// part returns the bitmap of a part, which is to get a number.
func (s *Set) part(high int64) *roaring.Bitmap {
	part := s.parts[high]
	if part == nil {
		if s.parts == nil {
			s.parts = map[int64]*roaring.Bitmap{}
		}
		part = roaring.New()
		s.parts[high] = part
	}
	return part
}

// AddRange puts a range that Fits, and does not end before it begins, into the set. It costs 60 bytes for each 65,536 numbers.
func (s *Set) AddRange(r Range) {
	const short = 1024 // of fewer, the library is faster with one after the other
	if r.To-r.From < short {
		for n := r.From; n <= r.To; n++ {
			s.Add(n)
		}
		return
	}
	for high := r.From >> width; high <= r.To>>width; high++ {
		first := high << width
		from, to := max(r.From, first)-first, min(r.To-first, 1<<width-1)
		s.part(high).AddRange(uint64(from), uint64(to+1))
	}
}

// AddAll puts all of other, which may be nil and stays as it is, into the set.
func (s *Set) AddAll(other *Set) {
	if other == nil {
		return
	}
	for high, part := range other.parts {
		s.part(high).Or(part)
	}
}

// RemoveAll takes all of other, which stays as it is, out of the set.
func (s *Set) RemoveAll(other *Set) {
	for high, part := range other.parts {
		if own := s.parts[high]; own != nil {
			if own.AndNot(part); own.IsEmpty() {
				delete(s.parts, high)
			}
		}
	}
}

// Join puts all of other into the set. other is empty then.
func (s *Set) Join(other *Set) {
	if len(s.parts) == 0 {
		s.parts = other.parts
	} else {
		s.AddAll(other)
	}
	*other = Set{}
}

// Ranges yields the numbers as ranges, in order, of which none touches another.
func (s *Set) Ranges() iter.Seq[Range] {
	return func(yield func(Range) bool) {
		if s == nil {
			return
		}
		var last Range // which the next one may touch
		began := false
		for _, high := range slices.Sorted(maps.Keys(s.parts)) {
			first := high << width
			for from, end := range s.parts[high].Ranges() {
				next := Range{first + int64(from), first + int64(end) - 1}
				if began && next.From == last.To+1 {
					next.From = last.From
				} else if began && !yield(last) {
					return
				}
				last, began = next, true
			}
		}
		if began {
			yield(last)
		}
	}
}

// MarshalBinary returns, for each bitmap, what its numbers have above their lower 28 bits, how long it is (both as varints), and itself in the form
// that all libraries for Roaring bitmaps know. The same numbers give the same bytes.
func (s *Set) MarshalBinary() ([]byte, error) {
	var all []byte
	for _, high := range slices.Sorted(maps.Keys(s.parts)) {
		part := s.parts[high]
		part.RunOptimize()
		data, err := part.MarshalBinary()
		if err != nil {
			return nil, err
		}
		all = binary.AppendUvarint(binary.AppendVarint(all, high), uint64(len(data)))
		all = append(all, data...)
	}
	return all, nil
}

// UnmarshalBinary reads what MarshalBinary wrote. Anything else is an error.
func (s *Set) UnmarshalBinary(data []byte) (err error) {
	defer func() { // the library trusts what it reads
		if failure := recover(); failure != nil {
			err = fmt.Errorf("%v", failure)
		}
	}()
	var all Set
	for last := int64(math.MinInt64); len(data) > 0; {
		high, n := binary.Varint(data)
		length, m := binary.Uvarint(data[max(n, 0):])
		if n <= 0 || m <= 0 || length > uint64(len(data)-n-m) {
			return errors.New("it is cut off")
		}
		if high <= last || high < Least>>width || high > Most>>width {
			return errors.New("its parts are not in order, or of numbers that are too large")
		}
		data = data[n+m:]
		if err := all.read(high, data[:length]); err != nil {
			return err
		}
		data, last = data[length:], high
	}
	*s = all
	return nil
}

// read adds the numbers of a bitmap in the form that MarshalBinary wrote. They are added one range after the other, since the library's own look at
// whether a bitmap is one takes minutes for some megabytes that are none.
func (s *Set) read(high int64, data []byte) error {
	part := roaring.New()
	if n, err := part.ReadFrom(bytes.NewReader(data)); err != nil {
		return err
	} else if n != int64(len(data)) {
		return errors.New("there is more in it")
	}
	next, first := uint64(0), high<<width
	for from, end := range part.Ranges() {
		if uint64(from) < next || uint64(from) >= end || end > 1<<width {
			return errors.New("its numbers are not in order")
		}
		s.AddRange(Range{first + int64(from), first + int64(end) - 1})
		next = end + 1
	}
	if next == 0 || s.parts[high].GetCardinality() != part.GetCardinality() {
		return errors.New("it has other numbers than it says")
	}
	return nil
}
