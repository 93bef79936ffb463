package listing

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// rows reads the key and time of each row of a listing, and drops rows that came before, on a page that they moved from or in another reading.
type rows struct {
	*Listing
	keys    int // how many of a row's picked values are its key; the time follows them, and then Listing.Picks
	width   int // how many values are picked of each row
	picker  record.Picker
	seen    *Seen
	times   map[digest]int // with Listing.Repeats, how often a key came in the reading; else how often the bytes of a row without a key came in the page
	out     []Row
	index   map[string]int // the first indexed of out, by key; filled only if a row of the page came before
	indexed int
	text    []byte // the keys and times of the rows of a page, one after another
	ends    []int  // a zero, and where each of them ends
	counts
	all  int64     // different rows that came in all readings of the listing
	late time.Time // see End.Late
}

// counts holds what came in one reading.
type counts struct {
	began time.Time // on the server's clock, in whole seconds
	sync  time.Time // when the sync began, on the same clock
	came  int64     // how many different rows came
	young int64     // of came: rows that may have been created or changed since began
	fresh int       // rows of the last page that did not come in this reading before
	found int64     // rows that no reading before brought
	old   int64     // of found: rows older than this sync, or without a time of change, which the next sync need not bring
	twice bool      // a row came twice, so rows moved
	newer int64     // of found: rows created or changed after the reading began
}

func newRows(l *Listing) *rows {
	u := &rows{Listing: l, seen: cmp.Or(l.Seen, NewSeen(false)), keys: len(l.Key), times: map[digest]int{}, index: map[string]int{}}
	paths := l.Key
	if l.Clock != nil {
		paths = append(slices.Clip(paths), l.Clock.Field)
	}
	paths = append(slices.Clip(paths), l.Picks...)
	u.width, u.picker = len(paths), record.NewPicker(paths...)
	u.seen.listing()
	return u
}

func (u *rows) begin() {
	u.seen.begin()
	u.counts = counts{}
	clear(u.times)
}

// lateness is how far an API's times of change may be behind its server's clock: because of a wrong zone, or because they are dates.
const lateness = 48 * time.Hour

// clocked notes when the reading and the sync began by the server's clock, which the first page tells.
func (u *rows) clocked(p *fetched, began time.Time) {
	now := time.Now()
	at := cmp.Or(served(p.Header), now)
	behind := min(0, at.Sub(now.Truncate(time.Second)))
	u.began, u.sync = at.Truncate(time.Second), began.Add(behind).Truncate(time.Second)
	if u.Clock.sharp() {
		u.seen.since = max(u.seen.since, u.sync.Add(-lateness).UnixMilli()) // a time that is no longer recent does not become recent again
	}
}

// take returns the rows of a page that did not come before. They are valid until the next call.
func (u *rows) take(p *fetched) []Row {
	u.out, u.fresh, u.indexed = u.out[:0], 0, 0
	clear(u.index)
	if !u.Repeats {
		clear(u.times)
	}
	all := u.texts(p)
	for i, data := range p.Records {
		picked := p.picked[i*u.width : (i+1)*u.width : (i+1)*u.width]
		ends := u.ends[2*i : 2*i+3]
		row := Row{Data: data, Key: all[ends[0]:ends[1]], Picked: picked[u.width-len(u.Picks):]}
		if u.Clock != nil {
			row.At = picked[u.keys]
			row.clock(all[ends[1]:ends[2]], u.Clock)
			row.Open = u.Clock.Open != "" && data.Get(u.Clock.Open).Text() == ""
		}
		var number int64
		if u.Repeats || row.Key == "" {
			number = u.seen.ordinal(u.nth(&row, picked[:u.keys]))
		} else {
			number = u.seen.keyed(row.Key)
		}
		if u.isNew(number, &row) {
			u.out = append(u.out, row)
		} else if u.twin(&row) {
			p.mended.Twins++
		}
	}
	return u.out
}

// twin reports whether row, which is not new, has the key of a new row of its page and different content.
func (u *rows) twin(row *Row) bool {
	for ; u.indexed < len(u.out); u.indexed++ {
		u.index[u.out[u.indexed].Key] = u.indexed
	}
	i, ok := u.index[row.Key]
	return ok && row.Key != "" && !bytes.Equal(u.out[i].Data.Raw(), row.Data.Raw())
}

// texts returns the key and the time of each row of a page, one after another, in one allocation. It sets u.ends to a zero and their ends.
func (u *rows) texts(p *fetched) string {
	u.text, u.ends = u.text[:0], append(u.ends[:0], 0)
	for i := range p.Records {
		values := p.picked[i*u.width:]
		u.text = appendKey(u.text, values[:u.keys])
		u.ends = append(u.ends, len(u.text))
		if u.Clock != nil {
			u.text = values[u.keys].AppendText(u.text)
		}
		u.ends = append(u.ends, len(u.text))
	}
	return string(u.text)
}

// nth counts row among those with its key, which may lack parts, or without Repeats among those with its bytes, and returns what tells it from the
// others. A row without a key is new once for each time that its bytes occur in one page.
func (u *rows) nth(row *Row, parts []record.Value) digest {
	text := row.Data.Raw()
	if u.Repeats {
		text = u.text[:0]
		for _, part := range parts {
			text = append(part.AppendText(text), 0)
		}
		u.text = text
	}
	d := hashOf(text, 0)
	row.Repeat = u.times[d]
	u.times[d]++
	return hashOf(d[:], u.times[d])
}

// settling is how long after its time of change a row may still appear in a listing: a server may be writing it, or use another clock.
const settling = time.Minute

// isNew reports whether to hand out the row with this key number, and notes that it came.
func (u *rows) isNew(number int64, row *Row) bool {
	var changed time.Time // zero: unknown
	if u.Clock.sharp() {
		changed = row.Time
	}
	came := u.seen.note(number, row)
	if came.reading {
		u.twice = true
	} else {
		u.came++
		u.fresh++
		latest := row.Time
		if !came.listing { // no reading before showed that the row existed
			latest = row.Until.Add(settling)
		}
		if !changed.IsZero() && !latest.Before(u.began) {
			u.young++
		}
	}
	if !came.listing {
		u.all++
		u.found++
		if changed.IsZero() || changed.Before(u.sync) {
			u.old++
		}
		if changed.After(u.began) {
			u.newer++
		}
	}
	if !came.ever {
		return true
	}
	if came.later && (u.late.IsZero() || row.Time.Before(u.late)) {
		u.late = row.Time
	}
	row.Same = u.Again && came.same
	return u.Again && !came.listing
}

// clock sets the times of r from the text of its time of change, if that can be parsed.
func (r *Row) clock(text string, c *Clock) {
	if text == "" {
		return
	}
	r.Time, _ = record.ParseTime(text, c.Layouts, c.Zone)
	if r.Time.IsZero() {
		return
	}
	r.Until = r.Time
	if n := len(text) - len("-03:00"); n > 0 && (text[n] == '-' || text[n] == '+') && text[n+3] == ':' {
		text = text[:n]
	}
	switch strings.Count(text, ":") {
	case 0:
		r.Until = r.Time.AddDate(0, 0, 1).Add(-1)
	case 1:
		r.Until = r.Time.Add(time.Minute - 1)
	}
}

// keyText returns the key of a row in the form of Row.Key.
func keyText(row record.Value, paths []string) string {
	return string(appendKey(nil, record.NewPicker(paths...).Pick(row, nil)))
}

// appendKey appends the text of a key, or nothing if a part of it is blank.
func appendKey(dst []byte, parts []record.Value) []byte {
	start := len(dst)
	for i, p := range parts {
		if p.IsBlank() {
			return dst[:start]
		}
		if len(parts) == 1 {
			return p.AppendText(dst)
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, p.Raw()...)
	}
	return dst
}

// note adds the rows of p to came and returns how many of them are new.
func (u *rows) note(came *Seen, p *fetched) (fresh int) {
	for i := range p.Records {
		if !came.note(came.keyed(string(u.identity(p, i))), &Row{}).ever {
			fresh++
		}
	}
	return fresh
}

// identity returns what identifies row i of a page: the text of its key, or else its bytes. The result is valid until the next call.
func (u *rows) identity(p *fetched, i int) []byte {
	u.text = appendKey(u.text[:0], p.picked[i*u.width:i*u.width+u.keys])
	if len(u.text) == 0 || u.Repeats {
		return p.Records[i].Raw()
	}
	return u.text
}

// alike returns a hash of a page's rows in order, by key or else by bytes. Two pages with the same hash are one page under two numbers.
func (u *rows) alike(p *fetched) uint64 {
	var h maphash.Hash
	h.SetSeed(u.seen.seed)
	for i := range p.Records {
		_, _ = h.Write(u.identity(p, i))
		_ = h.WriteByte(0)
	}
	_, _ = h.Write(binary.AppendVarint(nil, int64(len(p.Records))))
	return h.Sum64()
}
