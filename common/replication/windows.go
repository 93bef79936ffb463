package replication

import (
	"cmp"
	"context"
	"hash/maphash"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/listing"
)

// Windows divides the time range of a listing into windows. They cover every day from the first day, or from the day rows are wanted from, to the
// last day. Each window is a day longer at both ends, because an API may exclude the days given. A row that comes in two windows is sent once.
type Windows struct {
	Oldest time.Time // if all rows are wanted, the windows begin in this month; its zone is that of the days
	Months int       // length of a window, from the first day of a month; 0 is 12
	First  time.Time // if all rows are wanted, the first window begins on this day, however long before Oldest; zero: Oldest decides
	Last   time.Time // the last window ends on this day; zero: today, and rows of later days are not sent
	// Undated says that, if all rows are wanted, the listing is read once more without days, for rows that no day finds. If the API does not answer
	// that, these rows are missing, with a WARN. It needs rows with unique keys.
	Undated bool
}

// Window is the days to ask for, from First to Last inclusive.
type Window struct{ First, Last time.Time }

// cut returns the windows that begin at from, or at the first day if from is before Oldest.
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

// spans drops rows of a window that came in earlier windows of the listing. The zero value drops nothing.
type spans struct {
	of     int           // the current set of parameters, from 1; 0: none
	seen   *listing.Seen // the rows of the windows read so far; nil: rows are counted in before and came
	seed   maphash.Seed
	before map[uint64]int // if seen is nil, how often each hash came in the previous window
	came   map[uint64]int // and in this one
	warned bool           // that the API does not list rows without days
}

// begin begins a window of a set, whose listing is l. Either l.Seen or drop leaves out the rows that came before.
func (s *spans) begin(l *listing.Listing, set int) {
	if s.of != set+1 {
		*s = spans{of: set + 1, seed: maphash.MakeSeed(), warned: s.warned}
		if !l.Repeats {
			s.seen = listing.NewSeen(false)
		}
	}
	l.Seen, s.before, s.came = s.seen, s.came, map[uint64]int{}
}

// drop returns rows without those that came in the previous window and those after the last day of the windows.
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

// hash returns what identifies a row in two windows although it may change in between: its key and its time, or all its bytes if it has no key.
func (s *spans) hash(row listing.Row) uint64 {
	if row.Key == "" {
		return maphash.Bytes(s.seed, row.Data.Raw())
	}
	return maphash.Comparable(s.seed, struct { // unlike a pair of any, it does not allocate
		key string
		at  int64
	}{row.Key, row.Time.UnixNano()})
}

// undatedTries is how often a listing without days is read if it fails.
const undatedTries = 3

// undated handles a slice without days that failed for any reason. The slice is read again, or left out with a WARN after undatedTries attempts.
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
