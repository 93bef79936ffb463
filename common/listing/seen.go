package listing

import (
	"crypto/sha256"
	"hash/maphash"
	"math"
	"slices"
	"strconv"

	"github.com/imob-data/airbyte-connectors/common/internal/numbers"
)

// Seen is the set of rows that came in one or more listings, by key, for later listings that leave out what earlier ones brought. NewSeen makes one.
// It is not safe for concurrent use.
//
// A whole-number key costs half a byte if it lies close to others, 2 to 7 bytes if the keys are some thousands apart, and 60 bytes if it is alone;
// see numbers.Set. Any other key costs 20 bytes plus its share of a map's free room, 50 bytes at most. A time of change costs 5 bytes more, or 110 if
// a whole-number key is alone. It is kept for any other key, for the first exact rows, and for rows that changed no more than lateness before the
// sync. If bytes are compared, the first exact rows cost as much once more.
type Seen struct {
	now      numbers.Set // rows of this reading, by their keys if those are whole numbers, or else by ordinal
	earlier  numbers.Set // rows of earlier readings of this listing
	before   numbers.Set // rows of earlier listings
	timed    details     // their times of change
	summed   details     // hashes of their bytes
	ordinals map[digest]uint32
	bytes    bool // whether to tell if a row's bytes are the same
	seed     maphash.Seed
	since    int64 // the earliest time of change, in milliseconds, of a row that changes during the sync; MinInt64 if times are not those of changes
	alike    bool  // a row came again with the same bytes
	unlike   bool  // a row came again with other bytes
}

// exact is how many times of change are kept regardless of their age, and how many hashes of rows are kept at most: 5 bytes each.
const exact = 1 << 16

// digest is a key: the key itself if it is short, or else its hash.
type digest [16]byte

// hashOf returns the digest of data, and of times if that is not 0.
func hashOf(data []byte, times int) (d digest) {
	if times > 0 {
		data = strconv.AppendInt(slices.Clip(data), int64(times), 10)
	}
	sum := sha256.Sum256(data)
	copy(d[:], sum[:])
	d[0] |= 0x80
	return d
}

// NewSeen returns a Seen without rows. If bytes is true, it tells whether a row of an earlier listing came again with the same bytes.
func NewSeen(bytes bool) *Seen {
	return &Seen{ordinals: map[digest]uint32{}, bytes: bytes, seed: maphash.MakeSeed(), since: math.MinInt64}
}

// listing begins a listing, and begin begins a reading of it.
func (s *Seen) listing() {
	s.begin()
	s.before.Join(&s.earlier)
}

func (s *Seen) begin() { s.earlier.Join(&s.now) }

// came says where a row came before, and how.
type came struct {
	ever, listing, reading bool // at all, in this listing, in this reading
	later                  bool // with another time of change, which is assumed to be later; see Seen.note
	same                   bool // with the same bytes
}

// keyed returns the number that stands for the key with the given text: the text itself if it is a whole number.
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

// ordinal returns the number of a key that is no number. These numbers follow all whole-number keys, in the order in which such keys come.
func (s *Seen) ordinal(d digest) int64 {
	n, ok := s.ordinals[d]
	if !ok {
		n = uint32(len(s.ordinals))
		s.ordinals[d] = n
	}
	return numbers.Most + 1 + int64(n)
}

// note records that the row with key number n came, and returns where it came before.
//
// Only the low 32 bits of a time are kept, which two times of one row share if they lie a multiple of 2^32 milliseconds (49 days) apart. Once there
// are many times of whole-number keys, only recent ones are kept: a row with an older time that changes during the sync comes again with a recent
// one. Only the first hashes are kept. A row without one came with the same bytes if every row with one did, because then the API ignores what the
// listings differ in.
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
	keep := at >= s.since || n > numbers.Most || s.timed.count < exact // while fewer are kept, a row without a kept time had none
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
	sum := uint32(maphash.Bytes(s.seed, row.Data.Raw())) // half of a hash is a hash too
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

// details maps some whole numbers to a value each, in blocks of consecutive numbers that share their leading bits.
type details struct {
	blocks map[int64]block
	count  int
}

// block holds the values of numbers that differ only in their last bits, in the order of these bits.
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

// put sets the value of a number that has none yet.
func (d *details) put(n int64, value uint32) {
	if d.blocks == nil {
		d.blocks = map[int64]block{}
	}
	b := d.blocks[n>>8]
	i, _ := slices.BinarySearch(b.bits, uint8(n))
	d.blocks[n>>8] = block{slices.Insert(b.bits, i, uint8(n)), slices.Insert(b.values, i, value)}
	d.count++
}
