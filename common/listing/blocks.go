package listing

import (
	"math/bits"
	"slices"
)

// blocks is the rows that came whose keys are whole numbers, 64 numbers that follow one another in each block. The zero value is empty. Not safe
// for concurrent use.
type blocks struct {
	all    map[int64]*block // by the bits that their numbers have in common
	last   *block           // the one that was asked for last: most keys lie near the one before
	common int64            // the bits that its numbers have in common
}

const (
	blockBits = 6
	blockSize = 1 << blockBits
)

// block is 64 whole numbers. What times and sums have of the numbers that came is in the order of these numbers.
type block struct {
	before, earlier, now uint64   // one bit for each that came in a listing before, in an earlier reading of this one, in this reading
	times                []uint32 // the first time of each, see note; nil while none has any
	sums                 []uint32 // the hash of each one's bytes; nil where that is not told
}

// of returns the block of n, and n's bit in it.
func (b *blocks) of(n int64) (*block, uint64) {
	if common := n >> blockBits; b.last == nil || b.common != common {
		if b.all == nil {
			b.all = map[int64]*block{}
		}
		if b.last, b.common = b.all[common], common; b.last == nil {
			b.last = new(block)
			b.all[common] = b.last
		}
	}
	return b.last, 1 << (n & (blockSize - 1))
}

// listing begins a listing.
func (b *blocks) listing() {
	for _, one := range b.all {
		one.before |= one.earlier | one.now
		one.earlier, one.now = 0, 0
	}
}

// begin begins a reading.
func (b *blocks) begin() {
	for _, one := range b.all {
		one.earlier |= one.now
		one.now = 0
	}
}

// note notes that a row came, and returns where it did before. Of a time in milliseconds the last bits are kept, by which two times of one row
// can be told apart, but for those that lie a multiple of 49 days apart to the millisecond. sum is a hash of its bytes, nil where there is none.
func (b *blocks) note(n, at int64, sum *uint32) (c came) {
	one, bit := b.of(n)
	ever := one.before | one.earlier | one.now
	rank, count := bits.OnesCount64(ever&(bit-1)), bits.OnesCount64(ever)
	c.reading = one.now&bit != 0
	c.listing = c.reading || one.earlier&bit != 0
	c.ever = ever&bit != 0
	one.now |= bit
	if c.ever {
		c.later = at != 0 && (one.times == nil || one.times[rank] != uint32(at))
		c.same = sum != nil && one.sums[rank] == *sum
		return c
	}
	if at != 0 && one.times == nil {
		one.times = grown(count)[:count]
	}
	if one.times != nil {
		one.times = inserted(one.times, rank, uint32(at))
	}
	if sum != nil {
		one.sums = inserted(one.sums, rank, *sum)
	}
	return c
}

// inserted returns values, which may be nil, with one more at a rank.
func inserted(values []uint32, rank int, value uint32) []uint32 {
	if count := len(values); count == cap(values) {
		values = append(grown(count), values...)
	}
	return slices.Insert(values, rank, value)
}

// grown returns an empty list with room for more than count values. There are few sizes, since most blocks are nearly empty or nearly full.
func grown(count int) []uint32 {
	switch {
	case count < 4:
		return make([]uint32, 0, 4)
	case count < 24:
		return make([]uint32, 0, 24)
	}
	return make([]uint32, 0, blockSize)
}
