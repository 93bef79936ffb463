package listing

import (
	"math/bits"
	"slices"
)

// blocks is the rows that came whose keys are whole numbers, 256 numbers that follow one another in each block. The zero value is empty. Not safe
// for concurrent use.
type blocks struct {
	all    map[int64]*block // by the bits that their numbers have in common
	last   *block           // the one that was asked for last: most keys lie near the one before
	common int64            // the bits that its numbers have in common
	times  int              // how many times of change are kept
	sums   int              // how many hashes of rows are
}

const (
	blockBits = 8
	blockSize = 1 << blockBits

	// exact is how many times of change are kept before it counts how old one is, and how many hashes of rows are kept at the most: 4 bytes each.
	exact = 1 << 16
)

// block is 256 whole numbers.
type block struct {
	now  bitmap   // those that came in this reading
	was  *history // those that came before; nil: none did
	more *details // nil: no time and no hash is kept
}

// history is which numbers of a block came in a listing before, and in an earlier reading of this one.
type history struct{ before, earlier bitmap }

// details is the times of change and the hashes of some numbers of a block, in the order of these numbers.
type details struct {
	timed, summed bitmap
	times, sums   []uint32
}

// bitmap is one bit for each number of a block.
type bitmap [blockSize / 64]uint64

func (m *bitmap) has(i int) bool { return m[i>>6]&(1<<(i&63)) != 0 }

func (m *bitmap) set(i int) { m[i>>6] |= 1 << (i & 63) }

// add sets the bits of other.
func (m *bitmap) add(other *bitmap) {
	for i, word := range other {
		m[i] |= word
	}
}

// rank returns how many bits are set before bit i.
func (m *bitmap) rank(i int) int {
	n := bits.OnesCount64(m[i>>6] & (1<<(i&63) - 1))
	for _, word := range m[:i>>6] {
		n += bits.OnesCount64(word)
	}
	return n
}

// of returns the block of n, and n's place in it.
func (b *blocks) of(n int64) (*block, int) {
	if common := n >> blockBits; b.last == nil || b.common != common {
		if b.all == nil {
			b.all = map[int64]*block{}
		}
		if b.last, b.common = b.all[common], common; b.last == nil {
			b.last = new(block)
			b.all[common] = b.last
		}
	}
	return b.last, int(n & (blockSize - 1))
}

// listing begins a listing.
func (b *blocks) listing() {
	b.begin()
	for _, one := range b.all {
		one.was.before.add(&one.was.earlier)
		one.was.earlier = bitmap{}
	}
}

// begin begins a reading.
func (b *blocks) begin() {
	for _, one := range b.all {
		if one.was == nil {
			one.was = new(history)
		}
		one.was.earlier.add(&one.now)
		one.now = bitmap{}
	}
}

// note notes that a row came, and returns where it did before. at is its time of change in milliseconds, 0 without one; recent is whether it may
// have changed since the sync began; sum is a hash of its bytes, nil where there is none.
//
// Of a time the last bits are kept, by which two times of one row can be told apart, but for those that lie a multiple of 49 days apart to the
// millisecond. Once there are many, only recent ones are kept: a row whose time is not, and that changes during the sync, comes again with a
// recent one. Of hashes the first ones alone are kept.
func (b *blocks) note(n, at int64, recent bool, sum *uint32) (c came) {
	one, i := b.of(n)
	c.reading = one.now.has(i)
	c.listing = c.reading || one.was != nil && one.was.earlier.has(i)
	c.ever = c.listing || one.was != nil && one.was.before.has(i)
	one.now.set(i)
	if c.ever {
		c.later = at != 0 && b.later(one.more, i, at, recent)
		if c.compared = sum != nil && one.more != nil && one.more.summed.has(i); c.compared {
			c.same = one.more.sums[one.more.summed.rank(i)] == *sum
		}
		return c
	}
	timed, summed := at != 0 && (recent || b.times < exact), sum != nil && b.sums < exact
	if (timed || summed) && one.more == nil {
		one.more = new(details)
	}
	if timed {
		one.more.times = insert(one.more.times, &one.more.timed, i, uint32(at))
		b.times++
	}
	if summed {
		one.more.sums = insert(one.more.sums, &one.more.summed, i, *sum)
		b.sums++
	}
	return c
}

// later reports whether a row that came before has another time of change than it had or, where that was not kept, a recent one.
func (b *blocks) later(more *details, i int, at int64, recent bool) bool {
	if more != nil && more.timed.has(i) {
		return more.times[more.timed.rank(i)] != uint32(at)
	}
	return recent || b.times < exact // with fewer, it had none
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

// grown returns an empty list with room for more than count values. There are few sizes, since most blocks are nearly empty or nearly full.
func grown(count int) []uint32 {
	for _, size := range []int{4, 24, 64, 128} {
		if count < size {
			return make([]uint32, 0, size)
		}
	}
	return make([]uint32, 0, blockSize)
}
