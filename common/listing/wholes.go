package listing

import (
	"math/bits"
	"slices"

	"github.com/imob-data/airbyte-connectors/common/internal/numbers"
)

// wholes is the rows that came whose keys are whole numbers. The zero value is empty. Not safe for concurrent use.
type wholes struct {
	now     numbers.Set        // those that came in this reading
	earlier numbers.Set        // in a reading of this listing before
	before  numbers.Set        // in a listing before
	more    map[int64]*details // by the bits that their numbers have in common
	times   int                // how many times of change are kept
	sums    int                // how many hashes of rows are
}

const (
	detailBits = 8
	detailSize = 1 << detailBits

	// exact is how many times of change are kept before it counts how old one is, and how many hashes of rows are kept at the most: 4 bytes each.
	exact = 1 << 16
)

// details is the times of change and the hashes of some of the 256 numbers that follow one another, in the order of these numbers.
type details struct {
	timed, summed bitmap
	times, sums   []uint32
}

// bitmap is one bit for each number that details may be of.
type bitmap [detailSize / 64]uint64

func (m *bitmap) has(i int) bool { return m[i>>6]&(1<<(i&63)) != 0 }

func (m *bitmap) set(i int) { m[i>>6] |= 1 << (i & 63) }

// rank returns how many bits are set before bit i.
func (m *bitmap) rank(i int) int {
	n := bits.OnesCount64(m[i>>6] & (1<<(i&63) - 1))
	for _, word := range m[:i>>6] {
		n += bits.OnesCount64(word)
	}
	return n
}

// listing begins a listing.
func (w *wholes) listing() {
	w.begin()
	w.before.Join(&w.earlier)
}

// begin begins a reading.
func (w *wholes) begin() { w.earlier.Join(&w.now) }

// note notes that a row came, and returns where it did before. at is its time of change in milliseconds, 0 without one; recent is whether it may
// have changed since the sync began; sum is a hash of its bytes, nil where there is none.
//
// Of a time the last bits are kept, by which two times of one row can be told apart, but for those that lie a multiple of 49 days apart to the
// millisecond. Once there are many, only recent ones are kept: a row whose time is not, and that changes during the sync, comes again with a
// recent one. Of hashes the first ones alone are kept.
func (w *wholes) note(n, at int64, recent bool, sum *uint32) (c came) {
	c.reading = w.now.Has(n)
	c.listing = c.reading || w.earlier.Has(n)
	c.ever = c.listing || w.before.Has(n)
	if !c.reading {
		w.now.Add(n)
	}
	if at == 0 && sum == nil {
		return c
	}
	more, i := w.more[n>>detailBits], int(n&(detailSize-1))
	if c.ever {
		c.later = at != 0 && w.later(more, i, at, recent)
		if c.compared = sum != nil && more != nil && more.summed.has(i); c.compared {
			c.same = more.sums[more.summed.rank(i)] == *sum
		}
		return c
	}
	timed, summed := at != 0 && (recent || w.times < exact), sum != nil && w.sums < exact
	if (timed || summed) && more == nil {
		if w.more == nil {
			w.more = map[int64]*details{}
		}
		more = new(details)
		w.more[n>>detailBits] = more
	}
	if timed {
		more.times = insert(more.times, &more.timed, i, uint32(at))
		w.times++
	}
	if summed {
		more.sums = insert(more.sums, &more.summed, i, *sum)
		w.sums++
	}
	return c
}

// later reports whether a row that came before has another time of change than it had or, where that was not kept, a recent one.
func (w *wholes) later(more *details, i int, at int64, recent bool) bool {
	if more != nil && more.timed.has(i) {
		return more.times[more.timed.rank(i)] != uint32(at)
	}
	return recent || w.times < exact // with fewer, it had none
}

// insert returns values, which may be nil, with one for number i in its place among those of which has a bit, and sets that of i.
func insert(values []uint32, of *bitmap, i int, value uint32) []uint32 {
	if count := len(values); count == cap(values) {
		values = append(grown(count), values...)
	}
	values = slices.Insert(values, of.rank(i), value)
	of.set(i)
	return values
}

// grown returns an empty list with room for more than count values. There are few sizes, since most of them are nearly empty or nearly full.
func grown(count int) []uint32 {
	for _, size := range []int{4, 24, 64, 128} {
		if count < size {
			return make([]uint32, 0, size)
		}
	}
	return make([]uint32, 0, detailSize)
}
