package listing

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// Seen is the rows that came in one or several listings, by key: for listings of which the later ones leave out what the earlier ones brought.
// NewSeen makes one. Not safe for concurrent use.
type Seen struct {
	rows    map[digest]mark
	sums    map[digest]uint32 // of their bytes; nil where that is not told
	reading uint32            // the number of the running reading, from 1
	seed    maphash.Seed
}

// mark is what is known of a row that came: its time of change in milliseconds, 0 without one, and the last reading that it came in. It is one
// number, since there is one for each row of a listing.
type mark int64

// readingBits are the bits of a mark that hold the number of a reading, of which there are three for each set of parameters at the most.
const readingBits = 12

func newMark(at time.Time, reading uint32) mark {
	if at.IsZero() {
		return mark(reading)
	}
	return mark(at.UnixMilli()<<readingBits | int64(reading))
}

func (m mark) at() int64 { return int64(m) >> readingBits }

func (m mark) reading() uint32 { return uint32(m & (1<<readingBits - 1)) }

// in is m in another reading.
func (m mark) in(reading uint32) mark { return m>>readingBits<<readingBits | mark(reading) }

// digest is a key: itself where it is short, its hash where it is not.
type digest [16]byte

// NewSeen returns a Seen without rows. With bytes it tells, of a row that came in an earlier listing, whether it came with the same bytes.
func NewSeen(bytes bool) *Seen {
	s := &Seen{rows: map[digest]mark{}, seed: maphash.MakeSeed()}
	if bytes {
		s.sums = map[digest]uint32{}
	}
	return s
}

// rows reads the key and the time of the rows of one listing, and drops those that came before: rows move to other pages while a listing is
// read, and what is read again comes again.
type rows struct {
	clock  *Clock
	keys   int // how many of the values picked are the key; the time comes after them
	picker record.Picker
	seen   *Seen
	first  uint32         // the listing's first reading
	times  map[string]int // how often a key came; nil: it comes once
	again  bool           // see Listing.Again
	out    []Row
	counts
	all  int64     // different rows that came in all readings of the listing
	late time.Time // see End.Late
}

// counts is what came in one reading.
type counts struct {
	began time.Time // on the server's clock, in whole seconds
	sync  time.Time // when the sync began, on the same clock
	came  int64     // different rows
	young int64     // those of them that changed since it began
	fresh int       // different rows of the last page that did not come in this reading before
	found int64     // rows that no reading before brought
	old   int64     // those of them that a later sync need not bring: they are older than this one
	twice bool      // a row came on two pages, so that rows moved
	newer int64     // those of them that came into being, or changed, after the reading began
}

func newRows(l *Listing) *rows {
	u := &rows{clock: l.Clock, seen: l.Seen, keys: len(l.Key), again: l.Again}
	if u.seen == nil {
		u.seen = NewSeen(false)
	}
	paths := l.Key
	if l.Clock != nil {
		paths = append(slices.Clip(paths), l.Clock.Field)
	}
	u.picker = record.NewPicker(paths...)
	u.first = u.seen.reading + 1
	if l.Repeats {
		u.times = map[string]int{}
	}
	return u
}

// begin begins a reading.
func (u *rows) begin() {
	u.seen.reading++
	u.counts = counts{}
	clear(u.times)
}

// clocked notes when the reading and the sync began on the server's clock, as its first page tells.
func (u *rows) clocked(p *fetched, began time.Time) {
	now := time.Now()
	u.began, u.sync = now, began
	if at := served(p.Header); !at.IsZero() {
		u.began = at
		u.sync = began.Add(min(0, at.Sub(now.Truncate(time.Second))))
	}
	u.began, u.sync = u.began.Truncate(time.Second), u.sync.Truncate(time.Second)
}

// take returns the rows of a page that did not come before, valid until the next call.
func (u *rows) take(p *fetched) []Row {
	u.out, u.fresh = u.out[:0], 0
	width := u.width()
	var bare map[digest]int // how often rows without a key came in this page, by their bytes
	for i, data := range p.Records {
		values := p.picked[i*width : (i+1)*width]
		row := Row{Data: data, Key: keyOf(values[:u.keys])}
		if u.clock != nil {
			row.At = values[u.keys]
			row.clock(row.At.Text(), u.clock)
			row.Open = u.clock.Open != "" && data.Get(u.clock.Open).Text() == ""
		}
		d := digestOf(row.Key)
		switch {
		case u.times != nil:
			d = u.repeat(&row, values[:u.keys])
		case row.Key == "": // it is new once for each time that its bytes stand in one page
			if bare == nil {
				bare = map[digest]int{}
			}
			d = hashOf(data.Raw(), 0)
			bare[d]++
			d = hashOf(d[:], bare[d])
		}
		if u.isNew(d, &row) {
			u.out = append(u.out, row)
		}
	}
	return u.out
}

// repeat counts row among those with its key, which may lack parts, and returns what tells it from the others.
func (u *rows) repeat(row *Row, parts []record.Value) digest {
	key := ""
	for _, part := range parts {
		key += part.Text() + "\x00"
	}
	row.Repeat = u.times[key]
	u.times[key]++
	return hashOf([]byte(key), u.times[key])
}

// width returns how many values are picked of each row: its key and its time.
func (u *rows) width() int {
	if u.clock == nil {
		return u.keys
	}
	return u.keys + 1
}

// changed returns when a row changed, or zero where that is not known.
func (u *rows) changed(row *Row) time.Time {
	if u.clock == nil || u.clock.Loose {
		return time.Time{}
	}
	return row.Time
}

// drop lets go of the rows that take gave.
func (u *rows) drop() {
	clear(u.out)
	u.out = u.out[:0]
}

// isNew reports whether the row is to be handed out, and notes that it came.
func (u *rows) isNew(d digest, row *Row) bool {
	now := newMark(row.Time, u.seen.reading)
	before, again := u.seen.rows[d]
	here := again && before.reading() >= u.first // in this reading or in one before
	if !here || before.reading() != now.reading() {
		u.came++
		u.fresh++
		if changed := u.changed(row); !changed.IsZero() && !changed.Before(u.began) {
			u.young++
		}
	} else {
		u.twice = true
	}
	if !here {
		u.all++
		u.found++
		changed := u.changed(row)
		if changed.IsZero() || changed.Before(u.sync) {
			u.old++
		}
		if changed.After(u.began) {
			u.newer++
		}
	}
	same := false
	if u.seen.sums != nil {
		sum := uint32(maphash.Bytes(u.seen.seed, row.Data.Raw())) // half of a hash is one too
		if same = again && u.seen.sums[d] == sum; !again {
			u.seen.sums[d] = sum
		}
	}
	if !again {
		u.seen.rows[d] = now
		return true
	}
	if now.at() > before.at() && (u.late.IsZero() || row.Time.Before(u.late)) {
		u.late = row.Time
	}
	row.Same = u.again && same
	u.seen.rows[d] = before.in(now.reading())
	return u.again && !here
}

// clock sets the times of r from the text of its time of change, if that can be read.
func (r *Row) clock(text string, c *Clock) {
	if text == "" {
		return
	}
	r.Time, _ = record.ParseTime(text, c.Layouts, c.Zone)
	if r.Time.IsZero() {
		return
	}
	r.Until = r.Time
	switch strings.Count(text, ":") { // an offset has one more; what it follows has two, or is read too precisely
	case 0:
		r.Until = r.Time.AddDate(0, 0, 1).Add(-1)
	case 1:
		r.Until = r.Time.Add(time.Minute - 1)
	}
}

// keyText returns the key of a row, as Row.Key is.
func keyText(row record.Value, paths []string) string {
	return keyOf(record.NewPicker(paths...).Pick(row, nil))
}

// keyOf returns the text of a key, or "" when a part of it is missing.
func keyOf(parts []record.Value) string {
	if len(parts) == 1 {
		return parts[0].Text()
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		if p.IsNull() {
			return ""
		}
		texts[i] = string(p.Raw())
	}
	return strings.Join(texts, ",")
}

func digestOf(key string) (d digest) {
	if len(key) < len(d) {
		copy(d[1:], key)
		d[0] = byte(len(key)) // 0 to 15: never the first byte of a hash, see below
		return d
	}
	return hashOf([]byte(key), 0)
}

// hashOf returns the digest of bytes, and of how often they came.
func hashOf(data []byte, times int) (d digest) {
	h := sha256.New()
	_, _ = h.Write(data)
	if times > 0 {
		_, _ = h.Write([]byte(strconv.Itoa(times)))
	}
	copy(d[:], h.Sum(nil))
	d[0] |= 0x80
	return d
}

// note adds the rows of p to those that came, and returns how many are new.
func (u *rows) note(came map[digest]bool, p *fetched) (fresh int) {
	width := u.width()
	for i, data := range p.Records {
		key := keyOf(p.picked[i*width : i*width+u.keys])
		d := digestOf(key)
		if key == "" || u.times != nil {
			d = hashOf(data.Raw(), 0)
		}
		if !came[d] {
			came[d] = true
			fresh++
		}
	}
	return fresh
}

// different returns how many different rows there are in pages.
func (u *rows) different(pages []fetched) int {
	came := map[digest]bool{}
	for i := range pages {
		u.note(came, &pages[i])
	}
	return len(came)
}

// alike returns a hash of the keys of a page's rows in their order, or of the bytes of those that a key does not tell apart: two pages that are
// alike are one page under two numbers.
func (u *rows) alike(p *fetched) uint64 {
	var h maphash.Hash
	h.SetSeed(u.seen.seed)
	width := u.width()
	for i, data := range p.Records {
		key := keyOf(p.picked[i*width : i*width+u.keys])
		if key == "" || u.times != nil {
			key = data.String()
		}
		_, _ = h.WriteString(key)
		_ = h.WriteByte(0)
	}
	_, _ = h.Write(binary.AppendVarint(nil, int64(len(p.Records))))
	return h.Sum64()
}
