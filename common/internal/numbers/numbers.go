// Package numbers is sets of the whole numbers by which rows are known.
package numbers

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"
)

// Set is a set of whole numbers that Parse takes, as Roaring bitmaps: a number costs a quarter of a byte where they lie close together, 2 to 7
// where they are some thousands apart, and 60 beyond that. The zero value and nil are empty sets; nil cannot be added to. Not safe for
// concurrent use.
type Set struct {
	parts map[int64]*roaring.Bitmap // the lower 32 bits of the numbers, by the others; none is empty
}

// Range is the whole numbers from the one to the other, both included.
type Range struct{ From, To int64 }

// Least and Most are the smallest and the largest number that can be in a Set. Larger ones are seldom close together: each would need a bitmap of its
// own.
const (
	Least = -1 << 40
	Most  = 1<<40 - 1
)

// width is how many bits of a number are in its bitmap.
const width = 32

// Parse returns text as a number that can be in a Set, when it is written as numbers are: "07", "+7" and "-0" are none.
func Parse(text string) (n int64, ok bool) {
	digits := text
	if len(text) > 1 && text[0] == '-' {
		digits = text[1:]
	}
	if len(digits) == 0 || len(digits) > len("1099511627776") || digits[0] == '0' && len(text) > 1 {
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
	part := s.parts[n>>width]
	return part != nil && part.Contains(uint32(n))
}

// Add puts n, which Parse gave, into the set.
func (s *Set) Add(n int64) { s.part(n >> width).Add(uint32(n)) }

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

// MarshalBinary returns, for each part of the numbers, what they have above their lower 32 bits, how long the rest is (both as varints), and the
// rest in the form that all libraries for Roaring bitmaps know. The same numbers give the same bytes.
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
	all := Set{parts: map[int64]*roaring.Bitmap{}}
	for len(data) > 0 {
		high, n := binary.Varint(data)
		length, m := binary.Uvarint(data[max(n, 0):])
		if n <= 0 || m <= 0 || length > uint64(len(data)-n-m) {
			return errors.New("it is cut off")
		}
		part := roaring.New()
		if err := part.UnmarshalBinary(data[n+m:][:length]); err != nil {
			return err
		}
		if err := part.Validate(); err != nil {
			return err
		}
		if part.IsEmpty() || high < Least>>width || high > Most>>width || all.parts[high] != nil {
			return errors.New("it has a part that is not to be there")
		}
		all.parts[high] = part
		data = data[n+m+int(length):]
	}
	*s = all
	return nil
}
