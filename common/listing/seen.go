package listing

import (
	"crypto/sha256"
	"hash/maphash"
	"slices"
	"strconv"

	"github.com/imob-data/airbyte-connectors/common/internal/numbers"
)

// Seen is the rows that came in one or several listings, by key: for listings of which the later ones leave out what the earlier ones brought.
// NewSeen makes one. Not safe for concurrent use.
//
// A key that is a whole number costs 4 bytes where many others lie close to it, and up to 130 where it is alone. Any other key costs 24 bytes and
// its part of a map's free room, 55 bytes at the most. Where bytes are compared, whole numbers cost as much again, and others 20 to 45 bytes more.
type Seen struct {
	before, earlier, now numbers.Set     // keys that came in a listing before, in an earlier reading of this one, in this reading
	times                times           // of those
	rows                 map[digest]mark // other keys
	reading              uint32          // the number of the running reading, from 1
	first                uint32          // that of the listing's first one
	sums                 *sums           // of their bytes; nil where that is not told
	seed                 maphash.Seed
}

// mark is what is known of a row that came: its time of change in milliseconds, 0 without one, and the last reading that it came in. It is one
// number, since there is one for each row of a listing.
type mark int64

// readingBits are the bits of a mark that hold the number of a reading, of which there are three for each set of parameters at the most.
const readingBits = 12

func (m mark) at() int64 { return int64(m) >> readingBits }

func (m mark) reading() uint32 { return uint32(m & (1<<readingBits - 1)) }

// in is m in another reading.
func (m mark) in(reading uint32) mark { return m>>readingBits<<readingBits | mark(reading) }

// key is a row's key, as it is kept.
type key struct {
	number int64
	whole  bool // it is number, and else digest
	digest digest
}

// digest is a key: itself where it is short, its hash where it is not.
type digest [16]byte

// keyed returns the key with a text.
func keyed(text string) (k key) {
	if k.number, k.whole = numbers.Parse(text); !k.whole {
		k.digest = digestOf(text)
	}
	return k
}

func digestOf(text string) (d digest) {
	if len(text) < len(d) {
		copy(d[1:], text)
		d[0] = byte(len(text)) // 0 to 15: never the first byte of a hash, see below
		return d
	}
	return hashOf([]byte(text), 0)
}

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
	s := &Seen{rows: map[digest]mark{}, times: newTimes(), seed: maphash.MakeSeed()}
	if bytes {
		s.sums = &sums{newTimes(), map[digest]uint32{}}
	}
	return s
}

// listing begins a listing.
func (s *Seen) listing() {
	s.before.AddAll(&s.earlier)
	s.before.AddAll(&s.now)
	s.earlier, s.now = numbers.Set{}, numbers.Set{}
	s.first = s.reading + 1
}

// begin begins a reading.
func (s *Seen) begin() {
	s.earlier.AddAll(&s.now)
	s.now = numbers.Set{}
	s.reading++
}

// came is where a row came before, and how.
type came struct {
	ever, listing, reading bool // at all, in this listing, in this reading
	later                  bool // with an earlier time of change, or, where the key is a whole number, with another one
	same                   bool // with the same bytes, as far as that is noted
}

// note notes that a row came, and returns where it did before.
func (s *Seen) note(k key, row *Row) (c came) {
	var at int64
	if !row.Time.IsZero() {
		at = row.Time.UnixMilli()
	}
	if k.whole {
		c = s.number(k.number, at)
	} else {
		before, ever := s.rows[k.digest]
		c = came{ever, ever && before.reading() >= s.first, ever && before.reading() == s.reading, ever && at > before.at(), false}
		if !ever {
			before = mark(at << readingBits)
		}
		s.rows[k.digest] = before.in(s.reading)
	}
	if s.sums == nil {
		return c
	}
	sum := uint32(maphash.Bytes(s.seed, row.Data.Raw())) // half of a hash is one too
	if c.same = c.ever && s.sums.of(k) == sum; !c.ever {
		s.sums.set(k, sum)
	}
	return c
}

// number is note for a key that is a whole number.
func (s *Seen) number(n, at int64) (c came) {
	c.reading = s.now.Has(n)
	c.listing = c.reading || s.earlier.Has(n)
	c.ever = c.listing || s.before.Has(n)
	if c.ever {
		c.later = at != 0 && s.times.of(n) != uint32(at)
	} else {
		s.times.set(n, uint32(at))
	}
	s.now.Add(n)
	return c
}

// sums is a hash of the bytes of each of many rows, by their keys.
type sums struct {
	numbers times // of keys that are whole numbers
	others  map[digest]uint32
}

func (s *sums) of(k key) uint32 {
	if k.whole {
		return s.numbers.of(k.number)
	}
	return s.others[k.digest]
}

// set sets the sum of a key, which has none yet.
func (s *sums) set(k key, sum uint32) {
	if k.whole {
		s.numbers.set(k.number, sum)
	} else {
		s.others[k.digest] = sum
	}
}

// times is a number of 32 bits for each of many whole numbers: of a time in milliseconds the last bits, by which two times of one row can be
// told apart, but for those that lie a multiple of 49 days apart to the millisecond.
type times struct {
	blocks map[int64]*[blockSize]uint32 // by the number of the block
	lone   map[int64]uint32             // of numbers in no block
	count  map[int64]int                // how many of these lie where a block would be
}

const (
	blockBits = 8
	blockSize = 1 << blockBits // whole numbers that share a block
	crowd     = 32             // how many of them make one
)

func newTimes() times {
	return times{map[int64]*[blockSize]uint32{}, map[int64]uint32{}, map[int64]int{}}
}

// of returns the time of n, which is 0 where none was set.
func (t *times) of(n int64) uint32 {
	if block := t.blocks[n>>blockBits]; block != nil {
		return block[n&(blockSize-1)]
	}
	return t.lone[n]
}

// set sets the time of n, which has none yet.
func (t *times) set(n int64, at uint32) {
	number := n >> blockBits
	block := t.blocks[number]
	if block == nil {
		t.lone[n] = at
		if t.count[number]++; t.count[number] < crowd {
			return
		}
		block = new([blockSize]uint32)
		for i := range block {
			one := number<<blockBits + int64(i)
			block[i] = t.lone[one]
			delete(t.lone, one)
		}
		delete(t.count, number)
		t.blocks[number] = block
	}
	block[n&(blockSize-1)] = at
}
