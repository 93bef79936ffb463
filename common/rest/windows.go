package rest

import (
	"time"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// Windows cuts the time that a stream is asked for into stretches, each of which is a listing of its own, for an API that wants to be told
// from when until when. Cursor says from when on rows are wanted. The last stretch reaches Ahead of now.
type Windows struct {
	Oldest time.Time // where the first one begins when all rows are wanted
	Months int       // how long one is; they begin with a month of the calendar. 0 is 12
	Ahead  time.Duration
	// Ask asks for the rows of the days from from to to, both included.
	Ask func(r httpclient.Request, from, to time.Time) httpclient.Request
}

// cut is sl for each of the windows from a time on, or from the oldest one where it is zero, until now.
func (w *Windows) cut(sl slice, from, now time.Time, zone *time.Location) (all []slice) {
	if from.IsZero() || from.Before(w.Oldest) {
		from = w.Oldest
	}
	months := w.Months
	if months == 0 {
		months = 12
	}
	now = now.In(zone)
	start := from.In(zone)
	start = time.Date(start.Year(), start.Month(), 1, 0, 0, 0, 0, zone)
	for !start.After(now) {
		next := start.AddDate(0, months, 0)
		last := next.AddDate(0, 0, -1)
		if next.After(now) {
			last = now.Add(w.Ahead)
		}
		one := sl
		one.id += "@" + start.Format(time.DateOnly)
		one.request = w.Ask(sl.request, start, last)
		all = append(all, one)
		start = next
	}
	return all
}

// Days asks with two parameters, each in layout: the first day and the last one.
func Days(in httpclient.In, from, to, layout string) func(r httpclient.Request, first, last time.Time) httpclient.Request {
	return func(r httpclient.Request, first, last time.Time) httpclient.Request {
		return r.With(in, from, first.Format(layout)).With(in, to, last.Format(layout))
	}
}
