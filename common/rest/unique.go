package rest

import (
	"crypto/sha256"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// unique reads the key and the time of rows and drops the rows whose key came before: rows move to later pages while a listing is read.
type unique struct {
	clock  *Cursor
	keys   int // how many of the values picked are the key; the time comes after them
	picker record.Picker
	seen   map[digest]int64 // key: time in nanoseconds
	before map[digest]int64 // those of listings that were read before, which are left out too; nil: there are none
	fresh  int              // rows of the last page whose key did not come before in this listing
	bare   int64            // rows without a key
	late   time.Time        // the earliest time that came with a repeated key and is later than the row's own; zero: none
	out    []row
}

// digest is a key: itself where it is short, its hash where it is not.
type digest [16]byte

// newUnique reads the rows of s, whose time of change is as clock says, or nowhere for nil. A key field that is put into records from
// outside the row is the same in all rows of a walk and does not count.
func newUnique(s *Stream, clock *Cursor, before map[digest]int64) *unique {
	u := &unique{clock: clock, seen: map[digest]int64{}, before: before}
	var paths []string
	for _, field := range s.Key {
		if s.Parent == nil || s.Parent.Put[field] == "" {
			paths = append(paths, field)
		}
	}
	u.keys = len(paths)
	if clock != nil {
		paths = append(paths, clock.Field)
	}
	u.picker = record.NewPicker(append(paths, record.Marks)...)
	return u
}

// rows is the rows of a page whose key did not come before, valid until the next call. Rows without a key are never repeats.
func (u *unique) rows(p fetched) []row {
	u.out, u.fresh = u.out[:0], 0
	width := u.keys + 1
	if u.clock != nil {
		width++
	}
	for i, data := range p.Records {
		values := p.picked[i*width : (i+1)*width]
		r := row{data: data, key: keyOf(values[:u.keys]), marks: values[width-1]}
		if u.clock != nil {
			r.at = values[u.keys]
			r.clock(r.at.Text(), u.clock)
			r.open = u.clock.Open != "" && data.Get(u.clock.Open).Text() == ""
		}
		if r.key == "" {
			u.bare++
			u.fresh++
			u.out = append(u.out, r)
			continue
		}
		d, at := digestOf(r.key), int64(0)
		if !r.time.IsZero() {
			at = r.time.UnixNano()
		}
		before, again := u.seen[d]
		if !again {
			u.seen[d] = at
			u.fresh++
			before, again = u.before[d]
		}
		if again {
			if at > before && (u.late.IsZero() || r.time.Before(u.late)) {
				u.late = r.time
			}
			continue
		}
		u.out = append(u.out, r)
	}
	return u.out
}

// clock sets the times of r from the text of its time of change, if that can be read.
func (r *row) clock(text string, c *Cursor) {
	if text == "" {
		return
	}
	r.time, _ = record.ParseTime(text, c.Layouts, c.zone())
	if r.time.IsZero() {
		return
	}
	r.until = r.time
	switch strings.Count(text, ":") { // an offset has one more; what it follows has two, or is read too precisely
	case 0:
		r.until = r.time.AddDate(0, 0, 1).Add(-1)
	case 1:
		r.until = r.time.Add(time.Minute - 1)
	}
}

// since is whether r may have changed at or after bound, as far as its time of change tells. An open row may, if it is not from before start.
func (r *row) since(bound, start time.Time) bool {
	return r.time.IsZero() || !r.until.Before(bound) || r.open && !r.until.Before(start)
}

// count is how many different rows came.
func (u *unique) count() int64 { return int64(len(u.seen)) + u.bare }

// keyOf is the text of a key, or "" when a part of it is missing.
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
	sum := sha256.Sum256([]byte(key))
	copy(d[:], sum[:])
	d[0] |= 0x80
	return d
}
