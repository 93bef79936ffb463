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
// alone; see numbers.Set. A time of change that is kept costs 5 bytes more, 100 where it is alone: those of the first exact rows are, and of the
// rows that changed within lateness before the sync. Any other key costs 24 bytes and its part of a map's free room, 55 bytes at the most. Where
// bytes are compared, the first exact rows cost 5 bytes more, 100 where their keys are whole numbers that are alone, and 20 to 45 where they are
// texts.
type Seen struct {
	numbers      wholes            // keys that are whole numbers
	rows         map[digest]mark   // other keys
	reading      uint32            // the number of the running reading, from 1
	firstReading uint32            // that of the listing's first one
	sums         map[digest]uint32 // the hashes of their bytes; nil: it is not told whether a row's bytes are the same
	seed         maphash.Seed
	since        int64 // the earliest time of change, in milliseconds, of a row that changes during the sync; none where times are not those of changes
	alike        bool  // a row came again with the same bytes
	unlike       bool  // one came with others
}

// mark is what is known of a row that came: its time of change in milliseconds, 0 without one, and the last reading that it came in. It is one
// number, since there is one for each row of a listing.
type mark int64

// readingBits are the bits of a mark that hold the number of a reading: as many as times before the year 10000 leave. There are some readings for
// each set of parameters.
const readingBits = 15

func (m mark) at() int64 { return int64(m) >> readingBits }

func (m mark) reading() uint32 { return uint32(m & (1<<readingBits - 1)) }

// in is m in another reading.
func (m mark) in(reading uint32) mark {
	return m>>readingBits<<readingBits | mark(reading&(1<<readingBits-1))
}

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
	k.number, k.whole = numbers.Parse(text)
	switch {
	case k.whole:
	case len(text) < len(k.digest):
		copy(k.digest[1:], text)
		k.digest[0] = byte(len(text)) // 0 to 15: never the first byte of a hash, see below
	default:
		k.digest = hashOf([]byte(text), 0)
	}
	return k
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
	s := &Seen{rows: map[digest]mark{}, seed: maphash.MakeSeed(), since: math.MinInt64}
	if bytes {
		s.sums = map[digest]uint32{}
	}
	return s
}

// listing begins a listing.
func (s *Seen) listing() {
	s.numbers.listing()
	s.firstReading = s.reading + 1
}

// begin begins a reading.
func (s *Seen) begin() {
	s.numbers.begin()
	s.reading++
}

// came is where a row came before, and how.
type came struct {
	ever, listing, reading bool // at all, in this listing, in this reading
	later                  bool // with an earlier time of change; where the key is a whole number with another one, or see wholes.later
	same                   bool // with the same bytes
	compared               bool // it is known whether with the same bytes
}

// note notes that a row came, and returns where it did before. Of a row whose bytes are not compared, because there are many, it says that they are
// the same where all those were that are: then the API does not know what the listings differ in.
func (s *Seen) note(k key, row *Row) came {
	var at int64
	if !row.Time.IsZero() {
		at = row.Time.UnixMilli()
	}
	var sum *uint32
	if s.sums != nil {
		half := uint32(maphash.Bytes(s.seed, row.Data.Raw())) // half of a hash is one too
		sum = &half
	}
	var c came
	if k.whole {
		c = s.numbers.note(k.number, at, at >= s.since, sum)
	} else {
		c = s.noteDigest(k.digest, at, sum)
	}
	switch {
	case sum == nil || !c.ever:
	case c.compared:
		s.alike, s.unlike = s.alike || c.same, s.unlike || !c.same
	default:
		c.same = s.alike && !s.unlike
	}
	return c
}

// noteDigest is wholes.note for a key that is no whole number.
func (s *Seen) noteDigest(d digest, at int64, sum *uint32) (c came) {
	before, ever := s.rows[d]
	c.ever, c.listing, c.reading = ever, ever && before.reading() >= s.firstReading, ever && before.reading() == s.reading
	c.later = ever && at != 0 && at > before.at()
	if !ever {
		before = mark(at << readingBits)
	}
	s.rows[d] = before.in(s.reading)
	if sum != nil {
		had, summed := s.sums[d]
		if c.compared, c.same = summed, summed && had == *sum; !ever && len(s.sums) < exact {
			s.sums[d] = *sum
		}
	}
	return c
}
