package pagination

import (
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// Stretches reads a listing whose positions end at a ceiling, in stretches of time that each have no more rows than that, and pages each stretch by
// position. It begins with all of time and halves a stretch while the API tells of too many rows in it; the rows of such an answer come again. Its
// place is the start of a stretch, and the ends of those from there on that are known.
type Stretches struct {
	Offset // within a stretch; Max and Rows are needed
	// Ask asks for the rows of a stretch: from from on and before until. Either is zero if the stretch is open at that end.
	Ask func(r httpclient.Request, from, until time.Time) httpclient.Request
	// Oldest is the time from which the first rows may be. Older rows are read too, as part of one stretch.
	Oldest time.Time
}

// shortest is the length of the shortest stretch.
const shortest = time.Second

// First returns r made to ask for all rows from r's place on.
func (s Stretches) First(r httpclient.Request) httpclient.Request {
	from, _ := ends(r.Place)
	return s.ask(s.Offset.First(r), from)
}

// Next asks for the next page of the stretch, for its first half, or for the stretch after it.
func (s Stretches) Next(r httpclient.Request, p Page) (httpclient.Request, bool) {
	from, later := ends(r.Place)
	rows, ok := number(p, s.Rows)
	at := param(r, s.In, s.Param)
	if ok && at == 0 && rows > int64(s.Max) {
		if middle, can := s.half(from, later); can {
			return s.ask(r, append([]time.Time{from, middle}, later...)...), true
		}
	}
	if next, more := s.Offset.Next(r, p); more && (!ok || int64(at+len(p.Records)) < rows) {
		return next, true
	}
	if len(later) == 0 {
		return r, false
	}
	return s.ask(s.Offset.First(r), later...), true
}

// half returns the middle of the stretch between from and the first of later, or false if the stretch cannot be shorter.
func (s Stretches) half(from time.Time, later []time.Time) (middle time.Time, ok bool) {
	until := time.Now()
	if len(later) > 0 {
		until = later[0]
	}
	if from.IsZero() {
		from = s.Oldest
	}
	length := until.Sub(from)
	return from.Add(max(length/2, shortest)).Truncate(shortest), length > shortest
}

// ask returns r made to ask for the stretch between the first two of ends, or from the first one on if there is no other. Further ends are those of
// the stretches after it. The last stretch is open.
func (s Stretches) ask(r httpclient.Request, ends ...time.Time) httpclient.Request {
	var until time.Time
	if len(ends) > 1 {
		until = ends[1]
	}
	r = s.Ask(r, ends[0], until)
	marks := make([]string, len(ends))
	for i, end := range ends {
		if !end.IsZero() {
			marks[i] = end.UTC().Format(time.RFC3339)
		}
	}
	r.Place = strings.Join(marks, "/")
	return r
}

// Total returns the number of rows: of the whole listing in the first page, because the stretch is open then, and of the stretch in later pages.
func (s Stretches) Total(p Page, first bool) Total {
	t := total(p, s.Rows)
	t.Part = !first
	return t
}

// Resize asks for smaller pages.
func (s Stretches) Resize(size int) (Strategy, bool) {
	ok := smaller(s.SizeParam, &s.Size, size)
	return s, ok
}

// ends returns the start of the stretch of a place, or zero, and the ends of that stretch and of those after it.
func ends(place string) (from time.Time, later []time.Time) {
	for i, mark := range strings.Split(place, "/") {
		at, err := time.Parse(time.RFC3339, mark)
		switch {
		case i == 0:
			from = at
		case err == nil:
			later = append(later, at)
		}
	}
	return from, later
}
