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
	numbers  history           // rows by their keys, where those are whole numbers
	others   history           // the others, by the order in which they came
	ordinals map[digest]uint32 // that order
	bytes    bool              // it is told whether a row's bytes are the same
	seed     maphash.Seed
	since    int64 // the earliest time of change, in milliseconds, of a row that changes during the sync; none where times are not those of changes
	alike    bool  // a row came again with the same bytes
	unlike   bool  // one came with others
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
	return &Seen{ordinals: map[digest]uint32{}, bytes: bytes, seed: maphash.MakeSeed(), since: math.MinInt64}
}

// listing begins a listing, and begin a reading of it.
func (s *Seen) listing() {
	s.numbers.listing()
	s.others.listing()
}

func (s *Seen) begin() {
	s.numbers.begin()
	s.others.begin()
}

// came is where a row came before, and how.
type came struct {
	ever, listing, reading bool // at all, in this listing, in this reading
	later                  bool // with another time of change, which is later for all that is known; see history.note
	same                   bool // with the same bytes
	compared               bool // it is known whether with the same bytes
}

// note notes that a row came, and returns where it did before. Of a row whose bytes are not compared, because there are many, it says that they are
// the same where all those were that are: then the API does not know what the listings differ in.
func (s *Seen) note(k key, row *Row) came {
	rows, n := &s.numbers, k.number
	if !k.whole {
		ordinal, ok := s.ordinals[k.digest]
		if !ok {
			ordinal = uint32(len(s.ordinals))
			s.ordinals[k.digest] = ordinal
		}
		rows, n = &s.others, int64(ordinal)
	}
	var at int64
	if !row.Time.IsZero() {
		at = row.Time.UnixMilli()
	}
	var sum *uint32
	if s.bytes {
		half := uint32(maphash.Bytes(s.seed, row.Data.Raw())) // half of a hash is one too
		sum = &half
	}
	c := rows.note(n, at, at >= s.since || !k.whole, sum)
	switch {
	case sum == nil || !c.ever:
	case c.compared:
		s.alike, s.unlike = s.alike || c.same, s.unlike || !c.same
	default:
		c.same = s.alike && !s.unlike
	}
	return c
}
