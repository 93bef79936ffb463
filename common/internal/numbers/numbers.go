// Package numbers is sets of the whole numbers by which rows are known.
package numbers

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
)

// Set is a set of whole numbers that Parse takes, as a Roaring bitmap: a number costs a quarter of a byte where they lie close together, 2 to 7
// where they are some thousands apart, and 60 beyond that. The zero value and nil are empty sets; nil cannot be added to. Not safe for
// concurrent use.
type Set struct{ bits roaring64.Bitmap }

// Range is the whole numbers from the one to the other, both included.
type Range struct{ From, To int64 }

// Most is the largest number that can be in a Set, and -Most the smallest one. Larger ones are seldom close together: each would need a bitmap of
// its own.
const Most = 1<<40 - 1

// bias is what makes a number one of the bitmap's, which has no negative ones.
const bias = 1 << 40

// Parse returns text as a number that can be in a Set, when it is written as numbers are: "07", "+7" and "-0" are none.
func Parse(text string) (n int64, ok bool) {
	digits := text
	if len(text) > 1 && text[0] == '-' {
		digits = text[1:]
	}
	if len(digits) == 0 || len(digits) > len("1099511627775") || digits[0] == '0' && len(text) > 1 {
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
func (r Range) Fits() bool { return -Most <= r.From && r.To <= Most }

// Len returns how many numbers there are.
func (s *Set) Len() int64 {
	if s == nil {
		return 0
	}
	return int64(s.bits.GetCardinality())
}

// Has reports whether n, which Parse gave, is in the set.
func (s *Set) Has(n int64) bool { return s != nil && s.bits.Contains(uint64(n+bias)) }

// Add puts n, which Parse gave, into the set.
func (s *Set) Add(n int64) { s.bits.Add(uint64(n + bias)) }

// AddRange puts a range that Fits into the set. It costs 60 bytes for each 65,536 numbers.
func (s *Set) AddRange(r Range) { s.bits.AddRange(uint64(r.From+bias), uint64(r.To+bias+1)) }

// AddAll puts all of other, which may be nil and stays as it is, into the set.
func (s *Set) AddAll(other *Set) {
	if other != nil {
		s.bits.Or(&other.bits)
	}
}

// Join puts all of other into the set. other is empty then.
func (s *Set) Join(other *Set) {
	if s.bits.IsEmpty() {
		*s, *other = *other, Set{}
		return
	}
	s.AddAll(other)
	*other = Set{}
}

// Ranges yields the numbers as ranges, in order, of which none touches another.
func (s *Set) Ranges() iter.Seq[Range] {
	return func(yield func(Range) bool) {
		if s == nil || s.bits.IsEmpty() {
			return
		}
		some := make([]uint64, 1024)
		first := int64(s.bits.Minimum()) - bias
		r := Range{first, first}
		for all := s.bits.ManyIterator(); ; {
			came := all.NextMany(some)
			if came == 0 {
				yield(r)
				return
			}
			for _, bit := range some[:came] {
				n := int64(bit) - bias
				if n > r.To+1 {
					if !yield(r) {
						return
					}
					r.From = n
				}
				r.To = n
			}
		}
	}
}

// MarshalBinary returns the set in the 64-bit form that all libraries for Roaring bitmaps know, with 2^40 added to each number.
func (s *Set) MarshalBinary() ([]byte, error) {
	s.bits.RunOptimize()
	return s.bits.MarshalBinary()
}

// UnmarshalBinary reads what MarshalBinary wrote. Anything else is an error.
func (s *Set) UnmarshalBinary(data []byte) (err error) {
	const head, least = 8, 12 // bytes: of the number of parts, and of a part
	if len(data) < head || binary.LittleEndian.Uint64(data) > uint64(len(data)-head)/least {
		return errors.New("it is cut off")
	}
	defer func() { // the library trusts what it reads
		if failure := recover(); failure != nil {
			err = fmt.Errorf("%v", failure)
		}
	}()
	var bits roaring64.Bitmap
	if err := bits.UnmarshalBinary(data); err != nil {
		return err
	}
	if bits.IsEmpty() {
		*s = Set{}
		return nil
	}
	if err := bits.Validate(); err != nil {
		return err
	}
	if bits.Minimum() < bias-Most || bits.Maximum() > bias+Most {
		return errors.New("its numbers are too large")
	}
	s.bits = bits
	return nil
}
