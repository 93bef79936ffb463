package nectarcrm

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultRows is how many rows a page has when displayLength is not sent; allRows how many come for page=-1 at the most.
const (
	defaultRows = 15
	allRows     = 200
)

// query is what a list is asked for. Parameters that the API does not know are ignored.
type query struct {
	page     int // -1: one page with all there is, within limits; 0: none was asked for
	rows     int
	statuses []uint8 // of the rows; nil is any
	kind     int     // of pipelines; -1 is any
	use      []bool  // of price tables, whether they are in use; nil is both
	from, to int64   // bounds of the time of change in Unix milliseconds; 0 is none
	backward bool
	only     []string // members of the rows; nil is all
}

// key tells queries apart that let different rows through, or in another order.
func (q query) key() string {
	return fmt.Sprintf("%t %q %d %d %d %t %v", q.statuses == nil, q.statuses, q.kind, q.from, q.to, q.backward, q.use)
}

// lets tells whether a row is in the list that was asked for. A row without a time of change is in no list with a bound.
func (q query) lets(t *table, index int, r row) bool {
	at := t.written(index, r)
	return !r.Gone && (q.statuses == nil || slices.Contains(q.statuses, r.State)) && (q.kind < 0 || pipelineKind(index) == q.kind) &&
		(q.use == nil || slices.Contains(q.use, inUse(index))) &&
		(q.from == 0 || at != 0 && at >= q.from) && (q.to == 0 || at != 0 && at < q.to)
}

// reader reads parameters; a bad one is remembered.
type reader struct {
	s      *Simulator
	values url.Values
	bad    bool
}

// get returns the value of a parameter that is there, and not ignored because of what it is.
func (p *reader) get(name string, fit func(value string) bool) (value string, ok bool) {
	all, ok := p.values[name]
	if !ok {
		return "", false
	}
	if len(all) == 1 && fit(all[0]) {
		return all[0], true
	}
	p.bad = p.bad || p.s.with.BadParameter != http.StatusOK
	return "", false
}

// number returns a parameter that is a whole number from least to most. Where it can be negative it cannot be zero: no page has that number.
func (p *reader) number(name string, least, most int) (n int, ok bool) {
	value, ok := p.get(name, func(value string) bool {
		n, err := strconv.Atoi(value)
		return err == nil && strconv.Itoa(n) == value && n >= least && n <= most && (n != 0 || least == 0)
	})
	n, _ = strconv.Atoi(value)
	return n, ok
}

// day returns a parameter that is a day, dd/MM/yyyy in lists and yyyy-MM-dd in reports; its first moment.
func (p *reader) day(name, layout string) (time.Time, bool) {
	zone := p.s.zone
	if p.s.with.UTCDays {
		zone = time.UTC
	}
	read := func(value string) (time.Time, error) { return time.ParseInLocation(layout, value, zone) }
	value, ok := p.get(name, func(value string) bool {
		_, err := read(value)
		return err == nil
	})
	t, _ := read(value)
	return t, ok
}

// parse reads what a list of t is asked for; false is a bad parameter.
func (s *Simulator) parse(t *table, values url.Values) (q query, ok bool) {
	p := &reader{s: s, values: values}
	q = query{rows: defaultRows, kind: -1}
	if n, ok := p.number("page", -1, 1<<31-1); ok {
		q.page = n
	}
	if n, ok := p.number("displayLength", 1, 1<<31-1); ok {
		q.rows = n
	}
	q.rows = min(q.rows, t.limit)
	q.only = values["attribute"]
	switch t {
	case s.opportunities:
		q.statuses = []uint8{1}
		if n, ok := p.number("status", 1, 5); ok {
			q.statuses = []uint8{uint8(n)}
		}
	case s.leads:
		q.statuses = s.leadStatuses(p)
	case s.prices:
		if value, ok := p.get("active", func(value string) bool { return value == "true" || value == "false" }); ok {
			q.use = []bool{value == "true"}
		} else if s.with.EndedHidden {
			q.use = []bool{true}
		}
	case s.pipelines:
		if n, ok := p.number("type", 0, 1); ok {
			q.kind = n
		}
	}
	if t == s.contacts || t == s.opportunities || t == s.leads {
		s.days(p, &q)
	}
	return q, !p.bad
}

// leadStatuses returns those of the qualifications that a listing brings. The filter's scale is not the records' unless SameScale is set: it
// goes to 4, and 2 is "won".
func (s *Simulator) leadStatuses(p *reader) []uint8 {
	most := 4
	if s.with.HighStatus != HighRefused {
		most = 6
	}
	n, ok := p.number("status", 1, most)
	if !ok {
		if s.with.BareAll {
			return nil
		}
		n = 1
	}
	switch {
	case n > 4 && s.with.HighStatus == HighEmpty:
		return []uint8{}
	case s.with.SameScale:
		return []uint8{uint8(n)}
	}
	return [][]uint8{1: {1, 2}, 2: {3, 5}, 3: {6}, 4: {4}, 5: {}, 6: {}}[n]
}

// days reads the dates. Those of the time of change filter; those of creation, as measured, only turn the order around.
func (s *Simulator) days(p *reader, q *query) {
	const layout = "02/01/2006"
	if t, ok := p.day("dataInicioAtualizacao", layout); ok && !s.with.Unfiltered {
		if s.with.Exclusive {
			t = t.AddDate(0, 0, 1)
		}
		q.from = t.UnixMilli()
	}
	if t, ok := p.day("dataFimAtualizacao", layout); ok && !s.with.Unfiltered {
		if !s.with.Exclusive {
			t = t.AddDate(0, 0, 1)
		}
		q.to = t.UnixMilli()
	}
	_, from := p.day("dataInicio", layout)
	_, to := p.day("dataFim", layout)
	q.backward = from || to
}

// refused tells whether a request has a parameter that this API refuses whatever its value.
func (s *Simulator) refused(values url.Values) bool {
	return slices.ContainsFunc(s.with.Refused, func(name string) bool { return values.Has(strings.TrimSpace(name)) })
}
