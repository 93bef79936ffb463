// Package numbers implements sets of the whole numbers that identify rows.
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

// Set is a set of whole numbers that Parse accepts, stored as Roaring bitmaps. A number takes a quarter of a byte if the numbers are close together,
// 2 to 7 bytes if they are some thousands apart, 60 beyond that, and 250 beyond 2^28. The zero value and nil are empty sets. Nothing can be added to
// nil. Not safe for concurrent use.
type Set struct {
	parts map[int64]*roaring.Bitmap // the lower bits of the numbers, by the higher bits; no bitmap is empty
}

// Range is the whole numbers from From to To, both included.
type Range struct{ From, To int64 }

// Least and Most are the smallest and the largest number that can be in a Set. Larger numbers are seldom close together, so each would need a bitmap
// of its own, of 250 bytes.
const (
	Least = -1 << 53
	Most  = 1<<53 - 1
)

// width is how many bits of a number are in its bitmap. With all 32 possible bits, inserting a number among a million far apart would take 10 µs.
const width = 28

// split returns the bitmap that a number is in, and its value there.
func split(n int64) (high int64, low uint32) { return n >> width, uint32(n & (1<<width - 1)) }

// Parse returns text as a number that can be in a Set. ok is false for other numbers and other ways of writing one, such as "07", "+7" and "-0".
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

// Len returns the number of elements.
func (s *Set) Len() (count int64) {
	if s == nil {
		return 0
	}
	for _, part := range s.parts {
		count += int64(part.GetCardinality())
	}
	return count
}

// Has reports whether n, which Parse must accept, is in the set.
func (s *Set) Has(n int64) bool {
	if s == nil {
		return false
	}
	high, low := split(n)
	part := s.parts[high]
	return part != nil && part.Contains(low)
}

// Add adds n, which Parse must accept, to the set.
func (s *Set) Add(n int64) {
	high, low := split(n)
	s.part(high).Add(low)
}

// Remove removes n, which Parse must accept, from the set.
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

// part returns the bitmap for the higher bits high, and creates it if it is missing. The caller must add a number to it.
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

// AddRange adds a range to the set. The range must fit and must not end before it begins. It takes 60 bytes for each 65,536 numbers.
func (s *Set) AddRange(r Range) {
	const short = 1024 // the library is faster one by one for fewer numbers
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

// AddAll adds all of other to the set. other may be nil and is not changed.
func (s *Set) AddAll(other *Set) {
	if other == nil {
		return
	}
	for high, part := range other.parts {
		s.part(high).Or(part)
	}
}

// RemoveAll removes all of other from the set. other is not changed.
func (s *Set) RemoveAll(other *Set) {
	for high, part := range other.parts {
		if own := s.parts[high]; own != nil {
			if own.AndNot(part); own.IsEmpty() {
				delete(s.parts, high)
			}
		}
	}
}

// Join adds all of other to the set and empties other.
func (s *Set) Join(other *Set) {
	if len(s.parts) == 0 {
		s.parts = other.parts
	} else {
		s.AddAll(other)
	}
	*other = Set{}
}

// Ranges yields the numbers as ranges, in order. No two ranges touch.
func (s *Set) Ranges() iter.Seq[Range] {
	return func(yield func(Range) bool) {
		if s == nil {
			return
		}
		var last Range // the next range may touch it
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

// MarshalBinary returns, for each bitmap, the bits above the lower 28 of its numbers and its length (both as varints), and the bitmap in the form
// that all Roaring libraries know. Equal sets give equal bytes.
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
	defer func() { // the library trusts its input
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

// read adds the numbers of a bitmap in the form that MarshalBinary wrote. It adds them range by range, because the library's own validation takes
// minutes for some megabytes that are not a bitmap.
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
