package listing

import (
	"slices"

	"github.com/imob-data/airbyte-connectors/common/internal/numbers"
)

// history is the rows that came, by a number of each. The zero value is empty. Not safe for concurrent use.
type history struct {
	now     numbers.Set // those that came in this reading
	earlier numbers.Set // in a reading of this listing before
	before  numbers.Set // in a listing before
	timed   details     // their times of change
	times   int         // how many are kept
	summed  details     // hashes of their bytes
	sums    int         // how many are kept
}

// exact is how many times of change are kept before it counts how old one is, and how many hashes of rows are kept at the most: 5 bytes each.
const exact = 1 << 16

func (w *history) listing() {
	w.begin()
	w.before.Join(&w.earlier)
}

func (w *history) begin() { w.earlier.Join(&w.now) }

// note notes that a row came, and returns where it did before. at is its time of change in milliseconds, 0 without one; recent is whether it may
// have changed since the sync began; sum is a hash of its bytes, nil where there is none.
//
// Of a time the last bits are kept, which two times of one row share that lie a multiple of 49 days apart to the millisecond. Once there are many,
// only recent ones are: a row whose time is not, and that changes during the sync, comes again with a recent one. The first hashes alone are kept.
func (w *history) note(n, at int64, recent bool, sum *uint32) (c came) {
	c.reading = w.now.Has(n)
	c.listing = c.reading || w.earlier.Has(n)
	c.ever = c.listing || w.before.Has(n)
	if !c.reading {
		w.now.Add(n)
	}
	keep := recent || w.times < exact // with fewer, a row of which none is kept had none
	switch {
	case at == 0:
	case c.ever:
		had, kept := w.timed.get(n)
		c.later = kept && had != uint32(at) || !kept && keep
	case keep:
		w.timed.put(n, uint32(at))
		w.times++
	}
	switch {
	case sum == nil:
	case c.ever:
		had, kept := w.summed.get(n)
		c.compared, c.same = kept, kept && had == *sum
	case w.sums < exact:
		w.summed.put(n, *sum)
		w.sums++
	}
	return c
}

// details is a value for each of some whole numbers, by the bits that those have in common which follow one another.
type details map[int64]block

// block is the values of numbers that differ in their last bits alone, which are in order.
type block struct {
	bits   []uint8
	values []uint32
}

func (d details) get(n int64) (value uint32, ok bool) {
	b := d[n>>8]
	i, ok := slices.BinarySearch(b.bits, uint8(n))
	if !ok {
		return 0, false
	}
	return b.values[i], true
}

// put sets the value of a number that has none.
func (d *details) put(n int64, value uint32) {
	if *d == nil {
		*d = details{}
	}
	b := (*d)[n>>8]
	i, _ := slices.BinarySearch(b.bits, uint8(n))
	(*d)[n>>8] = block{slices.Insert(b.bits, i, uint8(n)), slices.Insert(b.values, i, value)}
}
