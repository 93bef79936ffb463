package listing

import (
	"crypto/sha256"
	"hash/maphash"
	"math"
	"slices"
	"strconv"

	"github.com/imob-data/airbyte-connectors/common/internal/numbers"
)

// Seen is the rows that came in one or several listings, by key: for listings of which the later ones leave out what the earlier ones brought.
// NewSeen makes one. Not safe for concurrent use.
//
// Keys that are whole numbers cost half a byte where they lie close together, 2 to 7 where they are some thousands apart, and 60 where they are
// alone; see numbers.Set. Any other key costs 20 bytes and its part of a map's free room, 50 bytes at the most. A time of change that is kept costs
// 5 bytes more, 110 where a whole number is alone: that of any other key is, and those of the first exact rows and of rows that changed within
// lateness before the sync. Where bytes are compared, the first exact rows cost as much once more.
type Seen struct {
	now      numbers.Set // those that came in this reading, by their keys where those are whole numbers, and else by ordinal
	earlier  numbers.Set // in a reading of this listing before
	before   numbers.Set // in a listing before
	timed    details     // their times of change
	summed   details     // hashes of their bytes
	ordinals map[digest]uint32
	bytes    bool // it is told whether a row's bytes are the same
	seed     maphash.Seed
	since    int64 // the earliest time of change, in milliseconds, of a row that changes during the sync; none where times are not those of changes
	alike    bool  // a row came again with the same bytes
	unlike   bool  // one came with others
}

// exact is how many times of change are kept before it counts how old one is, and how many hashes of rows are kept at the most: 5 bytes each.
const exact = 1 << 16

// digest is a key: itself where it is short, its hash where it is not.
type digest [16]byte

// hashOf returns the digest of bytes, and of how often they came.
func hashOf(data []byte, times int) (d digest) {
	if times > 0 {
		data = strconv.AppendInt(slices.Clip(data), int64(times), 10)
	}
	sum := sha256.Sum256(data)
	copy(d[:], sum[:])
	d[0] |= 0x80
	return d
}

// NewSeen returns a Seen without rows. With bytes it tells, of a row that came in an earlier listing, whether it came with the same bytes.
func NewSeen(bytes bool) *Seen {
	return &Seen{ordinals: map[digest]uint32{}, bytes: bytes, seed: maphash.MakeSeed(), since: math.MinInt64}
}

// listing begins a listing, and begin a reading of it.
func (s *Seen) listing() {
	s.begin()
	s.before.Join(&s.earlier)
}

func (s *Seen) begin() { s.earlier.Join(&s.now) }

// came is where a row came before, and how.
type came struct {
	ever, listing, reading bool // at all, in this listing, in this reading
	later                  bool // with another time of change, which is later for all that is known; see Seen.note
	same                   bool // with the same bytes
}

// keyed returns the number that stands for the key with a text: the text itself where it is a whole number.
func (s *Seen) keyed(text string) int64 {
	if n, whole := numbers.Parse(text); whole {
		return n
	}
	var d digest
	if len(text) >= len(d) {
		return s.ordinal(hashOf([]byte(text), 0))
	}
	copy(d[1:], text)
	d[0] = byte(len(text)) // 0 to 15: never the first byte of a hash
	return s.ordinal(d)
}

// ordinal returns the number of a key that is none itself: behind those that are, in the order in which such keys come.
func (s *Seen) ordinal(d digest) int64 {
	n, ok := s.ordinals[d]
	if !ok {
		n = uint32(len(s.ordinals))
		s.ordinals[d] = n
	}
	return numbers.Most + 1 + int64(n)
}

// note notes that the row with key number n came, and returns where it did before.
//
// Of a time the last bits are kept, which two times of one row share that lie a multiple of 49 days apart to the millisecond. Once there are many of
// whole numbers, only recent ones are: a row whose time is not, and that changes during the sync, comes again with a recent one. The first hashes
// alone are kept: a row of which none is came with the same bytes where all those did of which one is, since the API does not know what the listings
// differ in.
func (s *Seen) note(n int64, row *Row) (c came) {
	c.reading = s.now.Has(n)
	c.listing = c.reading || s.earlier.Has(n)
	c.ever = c.listing || s.before.Has(n)
	if !c.reading {
		s.now.Add(n)
	}
	var at int64
	if !row.Time.IsZero() {
		at = row.Time.UnixMilli()
	}
	keep := at >= s.since || n > numbers.Most || s.timed.count < exact // with fewer, a row of which none is kept had none
	switch {
	case at == 0:
	case c.ever:
		had, known := s.timed.get(n)
		c.later = known && had != uint32(at) || !known && keep
	case keep:
		s.timed.put(n, uint32(at))
	}
	if !s.bytes {
		return c
	}
	sum := uint32(maphash.Bytes(s.seed, row.Data.Raw())) // half of a hash is one too
	had, known := s.summed.get(n)
	switch {
	case known:
		c.same = had == sum
		s.alike, s.unlike = s.alike || c.same, s.unlike || !c.same
	case c.ever:
		c.same = s.alike && !s.unlike
	case s.summed.count < exact:
		s.summed.put(n, sum)
	}
	return c
}

// details is a value for each of some whole numbers, by the bits that those have in common which follow one another.
type details struct {
	blocks map[int64]block
	count  int
}

// block is the values of numbers that differ in their last bits alone, which are in order.
type block struct {
	bits   []uint8
	values []uint32
}

func (d *details) get(n int64) (value uint32, ok bool) {
	b := d.blocks[n>>8]
	i, ok := slices.BinarySearch(b.bits, uint8(n))
	if !ok {
		return 0, false
	}
	return b.values[i], true
}

// put sets the value of a number that has none.
func (d *details) put(n int64, value uint32) {
	if d.blocks == nil {
		d.blocks = map[int64]block{}
	}
	b := d.blocks[n>>8]
	i, _ := slices.BinarySearch(b.bits, uint8(n))
	d.blocks[n>>8] = block{slices.Insert(b.bits, i, uint8(n)), slices.Insert(b.values, i, value)}
	d.count++
}
