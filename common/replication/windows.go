package replication

import "time"

// Windows cuts the time that a listing is asked for into windows, for an API that wants to be told from which day until which. They cover every
// day from the oldest one, or from that on which rows are wanted from, to Ahead of now.
type Windows struct {
	Oldest time.Time // where the first one begins when all rows are wanted; its zone is that of the days
	Months int       // how long one is, from the first day of a month on; 0 is 12
	Ahead  time.Duration
}

// Window is the days from First until Last, both included.
type Window struct{ First, Last time.Time }

// cut returns the windows from a time on, or from the oldest one where that is later, until Ahead of now.
func (w *Windows) cut(from, now time.Time) (all []Window) {
	months := w.Months
	if months == 0 {
		months = 12
	}
	if from.Before(w.Oldest) {
		from = w.Oldest
	}
	zone := w.Oldest.Location()
	from, now = from.In(zone), now.In(zone)
	first := time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, zone)
	for end := now.Add(w.Ahead); !first.After(end); {
		next := first.AddDate(0, months, 0)
		if next.After(now) {
			return append(all, Window{first, end})
		}
		all = append(all, Window{first, next.AddDate(0, 0, -1)})
		first = next
	}
	return all
}
