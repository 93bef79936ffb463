package sim

import (
	"net/http"
	"strconv"
	"strings"
)

// PageFault is a way in which a page of a listing goes wrong. It may have a memory, so a value belongs to one Gate.
type PageFault func(a *Answer, p *Page)

// InPages returns a Behaviour.Alter that applies faults, in order, to the pages of listings whose names contain name. Without faults it only takes
// the pages apart, for Gate.Listed.
func InPages(name string, faults ...PageFault) func(*Answer) {
	return func(a *Answer) {
		p := (*Page)(nil)
		if strings.Contains(a.listing, name) {
			p = a.Page()
		}
		if p == nil {
			return
		}
		for _, fault := range faults {
			fault(a, p)
		}
	}
}

// Once applies fault to page number page when it is first requested.
func Once(page int, fault PageFault) PageFault {
	return Times(1, On(page, fault))
}

// On applies fault to page number page whenever it is requested.
func On(page int, fault PageFault) PageFault {
	return func(a *Answer, p *Page) {
		if p.From == (page-1)*p.Size {
			fault(a, p)
		}
	}
}

// Times applies fault to each page for the first so many times that it is requested.
func Times(times int, fault PageFault) PageFault {
	return func(a *Answer, p *Page) {
		if a.Attempt <= times {
			fault(a, p)
		}
	}
}

// PastEnd applies fault to pages past the end of the listing.
func PastEnd(fault PageFault) PageFault {
	return func(a *Answer, p *Page) {
		if p.Past() {
			fault(a, p)
		}
	}
}

// Full removes rows at the listing's end until its last page is full. It must come before other faults.
func Full() PageFault {
	return func(_ *Answer, p *Page) {
		for len(p.All.Rows)%p.Size != 0 {
			p.All.Remove(len(p.All.Rows) - 1)
		}
		p.Recount()
	}
}

// Removed removes the listing's first row after an answer: the next rows move up, and the total falls.
func Removed() PageFault { return func(_ *Answer, p *Page) { p.All.Remove(0) } }

// Replaced removes the first row after an answer and adds a new one at the end: rows move up, and the total stays the same.
func Replaced() PageFault {
	return func(_ *Answer, p *Page) {
		p.All.Insert(len(p.All.Rows))
		p.All.Remove(0)
	}
}

// Added inserts a new row at the front after an answer: the others move down, and the total rises.
func Added() PageFault { return func(_ *Answer, p *Page) { p.All.Insert(0) } }

// Restless changes the listing after every answer, without end: it removes the first row, inserts one there the next time, and so on.
func Restless() PageFault {
	return func(_ *Answer, p *Page) {
		if p.Asked%2 == 1 {
			p.All.Remove(0)
		} else {
			p.All.Insert(0)
		}
	}
}

// Filtered removes the second row from the page after it was cut, so that the total still counts it.
func Filtered() PageFault {
	return func(_ *Answer, p *Page) {
		if len(p.Rows) > 1 {
			p.All.keys.May[keyOf(p.Rows[1], p.Key)] = true
			delete(p.All.keys.Must, keyOf(p.Rows[1], p.Key))
			p.Rows = append(p.Rows[:1:1], p.Rows[2:]...)
		}
	}
}

// Capped returns pages of size rows, whatever size is requested. The number of the last page is that of such pages.
func Capped(size int) PageFault {
	return func(_ *Answer, p *Page) {
		p.Take(p.Page, size)
		p.Last = strconv.Itoa((len(p.All.Rows) + size - 1) / size)
	}
}

// Empty removes all rows from the page.
func Empty() PageFault { return func(_ *Answer, p *Page) { p.Rows = nil } }

// Stale returns the page before, as a cache may do. The first page stays as it is.
func Stale() PageFault {
	return func(_ *Answer, p *Page) {
		if p.Page == 0 {
			p.From = max(0, p.From-p.Size)
			p.Recount()
		} else if p.Page > 1 {
			p.Take(p.Page-1, p.Size)
			p.Echo = strconv.Itoa(p.Page - 1)
		}
	}
}

// LastAgain returns the last page instead of one past the end.
func LastAgain() PageFault {
	return PastEnd(func(_ *Answer, p *Page) {
		from := (len(p.All.Rows) - 1) / p.Size * p.Size
		p.Rows = p.All.Rows[from:]
	})
}

// FirstAgain returns the first page whichever is requested.
func FirstAgain() PageFault {
	return func(_ *Answer, p *Page) { p.Rows = p.All.Rows[:min(p.Size, len(p.All.Rows))] }
}

// Instead answers with another status and body. The body may be empty.
func Instead(status int, body string) PageFault {
	return func(a *Answer, _ *Page) { a.Replace(status, body) }
}

// HTML is Instead with a page for people.
func HTML(status int) PageFault {
	return func(a *Answer, _ *Page) {
		a.Replace(status, "<!DOCTYPE html><html><body>"+http.StatusText(status)+"</body></html>")
		a.Header.Set("Content-Type", "text/html; charset=utf-8")
	}
}

// Totals sets another total, in JSON; see Promise for a number.
func Totals(total string) PageFault { return func(_ *Answer, p *Page) { p.Total = total } }

// Promise increases the total by more rows than there are.
func Promise(more int) PageFault {
	return func(_ *Answer, p *Page) {
		if n, err := strconv.Atoi(p.Total); err == nil {
			p.Total = strconv.Itoa(n + more)
		}
	}
}

// TextTotal writes the total as text.
func TextTotal() PageFault { return func(_ *Answer, p *Page) { p.Total = strconv.Quote(p.Total) } }

// Lasts sets another number of the last page, in JSON.
func Lasts(last string) PageFault { return func(_ *Answer, p *Page) { p.Last = last } }

// Keyless sets the key of that many rows at the listing's beginning to null. The rows still differ in their other members.
func Keyless(rows int) PageFault {
	return func(_ *Answer, p *Page) {
		for i := range p.Rows {
			if p.From+i >= rows {
				return
			}
			delete(p.All.keys.Must, keyOf(p.Rows[i], p.Key))
			p.Rows[i] = With(p.Rows[i], p.Key, "null")
		}
	}
}

// Written sets a member of the page's first row to a verbatim value, which need not be JSON.
func Written(member, value string) PageFault {
	return func(_ *Answer, p *Page) {
		if len(p.Rows) > 0 {
			p.Rows[0] = With(p.Rows[0], member, value)
		}
	}
}

// Deep returns a value of that many nested lists.
func Deep(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

// Encoded encodes the answer in other bytes and declares that in its Content-Type, which is application/json followed by parameters.
func Encoded(parameters string, encode func(text string) []byte) PageFault {
	return func(a *Answer, _ *Page) {
		a.Recode("application/json"+parameters, func(body []byte) []byte { return encode(string(body)) })
	}
}
