package replication

import (
	"cmp"
	"context"
	"hash/maphash"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/listing"
)

// Windows cuts the time that a listing is asked for into windows, which cover every day from the first one, or that on which rows are wanted from, to
// the last one. Each asks for a day further at both ends, since an API may leave out the days that it is told; what comes in two is sent once.
type Windows struct {
	Oldest time.Time // in whose month the windows begin when all rows are wanted; its zone is that of the days
	Months int       // how long one is, from the first day of a month on; 0 is 12
	First  time.Time // the day that the first one asks from when all rows are wanted, however long before Oldest it is; zero: that of Oldest
	Last   time.Time // the day that the last one asks until; zero: the one that is running, and rows of later days are not sent
	// Undated has the listing read once more without days, when all rows are wanted, for rows that no day finds. Where the API does not answer that,
	// they are missing, with a WARN. It is for rows that are told apart by their keys.
	Undated bool
}

// Window is the days that are asked for, from First until Last, both included.
type Window struct{ First, Last time.Time }

// cut returns the windows from a time on, or from the first day where that is before Oldest.
func (w *Windows) cut(from, now time.Time) (all []Window) {
	zone := w.Oldest.Location()
	every := from.Before(w.Oldest)
	if every {
		from = w.Oldest
	}
	from, now = from.In(zone), now.In(zone)
	month := time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, zone)
	first, last := month.AddDate(0, 0, -1), cmp.Or(w.Last, now.AddDate(0, 0, 1))
	if every {
		first = cmp.Or(w.First, first)
	}
	if month.After(last) || w.Last.IsZero() && month.After(now) {
		return nil
	}
	for next := month; ; first = next.AddDate(0, 0, -1) {
		if next = next.AddDate(0, cmp.Or(w.Months, 12), 0); next.After(now) {
			return append(all, Window{first, last})
		}
		all = append(all, Window{first, next})
	}
}

// spans tells what comes in a window of a listing from what came in those before it. The zero value tells nothing.
type spans struct {
	of     int           // the set of parameters whose windows are read, from 1; 0: none
	seen   *listing.Seen // the rows of the windows that were read; nil: they are told apart by how many of their key and time came before
	seed   maphash.Seed
	before map[uint64]int // then: how often each came in the window before, by their hashes
	came   map[uint64]int // and in this one
	warned bool           // that the API does not list rows without days
}

// begin begins a window of a set, whose listing is l: it leaves out what came before, or else drop does.
func (s *spans) begin(l *listing.Listing, set int) {
	if s.of != set+1 {
		*s = spans{of: set + 1, seed: maphash.MakeSeed(), warned: s.warned}
		if !l.Repeats {
			s.seen = listing.NewSeen(false)
		}
	}
	l.Seen, s.before, s.came = s.seen, s.came, map[uint64]int{}
}

// drop returns rows without those that came in the window before, and without those that are later than the windows reach.
func (s *spans) drop(w *Windows, rows []listing.Row, now time.Time) []listing.Row {
	now = now.In(w.Oldest.Location())
	tomorrow := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location())
	own := rows[:0:0]
	for _, row := range rows {
		if s.of > 0 && s.seen == nil {
			hash := s.hash(row)
			if s.came[hash]++; s.came[hash] <= s.before[hash] {
				continue
			}
		}
		if w.Last.IsZero() && !row.Time.Before(tomorrow) {
			continue
		}
		own = append(own, row)
	}
	return own
}

// hash returns what is the same for a row in two windows, whatever changed of it in between: its key and its time, or all of one without a key.
func (s *spans) hash(row listing.Row) uint64 {
	if row.Key == "" {
		return maphash.Bytes(s.seed, row.Data.Raw())
	}
	return maphash.Comparable(s.seed, struct { // which needs no memory, unlike a pair of any
		key string
		at  int64
	}{row.Key, row.Time.UnixNano()})
}

// undatedTries is how often a listing is asked for without days where the answer fails.
const undatedTries = 3

// undated decides about a slice without days that failed, for whatever reason: it is read again, or else left out with a WARN.
func (f *family) undated(ctx context.Context, sl slice, why error) error {
	if ctx.Err() != nil {
		return why
	}
	if sl.tries++; sl.tries < undatedTries {
		_, err := f.slice(ctx, sl)
		return err
	}
	f.Log.Debug(f.Name + ": without days: " + fault.Of(why).Message)
	if !f.spans.warned {
		f.spans.warned = true
		f.Log.Warn(f.Name + ": the API does not list all rows where it is told no days; those that no day finds may be missing")
	}
	return nil
}
