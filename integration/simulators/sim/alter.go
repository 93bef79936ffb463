package sim

import (
	"net/http"
	"strconv"
	"strings"
)

// PageFault is a way in which a page of a listing goes wrong. It may remember what it did: a value belongs to one Gate.
type PageFault func(a *Answer, p *Page)

// InPages returns a Behaviour.Alter that lets faults happen, in their order, to the pages of listings whose name has that part. Without faults it
// only takes the pages apart, for Gate.Listed.
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

// Once lets fault happen to the first page it may happen to: the one of that number, when it is asked for first.
func Once(page int, fault PageFault) PageFault {
	return Times(1, On(page, fault))
}

// On lets fault happen to the page of that number, whenever it is asked for.
func On(page int, fault PageFault) PageFault {
	return func(a *Answer, p *Page) {
		if p.From == (page-1)*p.Size {
			fault(a, p)
		}
	}
}

// Times lets fault happen to each page for the first so many times that it is asked for.
func Times(times int, fault PageFault) PageFault {
	return func(a *Answer, p *Page) {
		if a.Attempt <= times {
			fault(a, p)
		}
	}
}

// PastEnd lets fault happen to pages past the end of the listing.
func PastEnd(fault PageFault) PageFault {
	return func(a *Answer, p *Page) {
		if p.Past() {
			fault(a, p)
		}
	}
}

// Full leaves rows out at the listing's end until its last page is a full one. It comes before other faults.
func Full() PageFault {
	return func(_ *Answer, p *Page) {
		for len(p.All.Rows)%p.Size != 0 {
			p.All.Remove(len(p.All.Rows) - 1)
		}
		p.Recount()
	}
}

// Removed takes the listing's first row out behind an answer: the next rows move up, and the total falls.
func Removed() PageFault { return func(_ *Answer, p *Page) { p.All.Remove(0) } }

// Replaced takes the first row out behind an answer and puts a new one at the end: rows move up, and the total stays.
func Replaced() PageFault {
	return func(_ *Answer, p *Page) {
		p.All.Insert(len(p.All.Rows))
		p.All.Remove(0)
	}
}

// Added puts a new row in front behind an answer: the others move down, and the total rises.
func Added() PageFault { return func(_ *Answer, p *Page) { p.All.Insert(0) } }

// Restless changes the listing behind every answer, for ever: a row goes in front, next time one comes there.
func Restless() PageFault {
	return func(_ *Answer, p *Page) {
		if p.Asked%2 == 1 {
			p.All.Remove(0)
		} else {
			p.All.Insert(0)
		}
	}
}

// Filtered leaves the second row out of the page, after it was cut: the total counts it.
func Filtered() PageFault {
	return func(_ *Answer, p *Page) {
		if len(p.Rows) > 1 {
			p.All.keys.May[keyOf(p.Rows[1], p.Key)] = true
			delete(p.All.keys.Must, keyOf(p.Rows[1], p.Key))
			p.Rows = append(p.Rows[:1:1], p.Rows[2:]...)
		}
	}
}

// Capped gives pages of so many rows, whatever is asked for. The last page's number is that of these pages.
func Capped(size int) PageFault {
	return func(_ *Answer, p *Page) {
		p.Take(p.Page, size)
		p.Last = strconv.Itoa((len(p.All.Rows) + size - 1) / size)
	}
}

// Empty leaves all rows out of the page.
func Empty() PageFault { return func(_ *Answer, p *Page) { p.Rows = nil } }

// Stale gives the page before, as a cache does. There is none before the first.
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

// LastAgain gives the last page in the place of one past the end.
func LastAgain() PageFault {
	return PastEnd(func(_ *Answer, p *Page) {
		from := (len(p.All.Rows) - 1) / p.Size * p.Size
		p.Rows = p.All.Rows[from:]
	})
}

// FirstAgain gives the first page whatever page is asked for.
func FirstAgain() PageFault {
	return func(_ *Answer, p *Page) { p.Rows = p.All.Rows[:min(p.Size, len(p.All.Rows))] }
}

// Instead answers with something else, under a status. An empty body is nothing at all.
func Instead(status int, body string) PageFault {
	return func(a *Answer, _ *Page) { a.Replace(status, body) }
}

// HTML returns Instead with a page for people.
func HTML(status int) PageFault {
	return func(a *Answer, _ *Page) {
		a.Replace(status, "<!DOCTYPE html><html><body>"+http.StatusText(status)+"</body></html>")
		a.Header.Set("Content-Type", "text/html; charset=utf-8")
	}
}

// Totals says another total, in JSON; see Promise for a number.
func Totals(total string) PageFault { return func(_ *Answer, p *Page) { p.Total = total } }

// Promise says that there are so many rows more than there are.
func Promise(more int) PageFault {
	return func(_ *Answer, p *Page) {
		if n, err := strconv.Atoi(p.Total); err == nil {
			p.Total = strconv.Itoa(n + more)
		}
	}
}

// TextTotal says the total as a text of the same number.
func TextTotal() PageFault { return func(_ *Answer, p *Page) { p.Total = strconv.Quote(p.Total) } }

// Lasts says another number of the last page, in JSON.
func Lasts(last string) PageFault { return func(_ *Answer, p *Page) { p.Last = last } }

// Keyless takes the key out of the first so many rows of the listing. The rows stay different by their other members.
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

// Written sets a member of the page's first row to a value as it is, which need not be JSON.
func Written(member, value string) PageFault {
	return func(_ *Answer, p *Page) {
		if len(p.Rows) > 0 {
			p.Rows[0] = With(p.Rows[0], member, value)
		}
	}
}

// Deep returns a value of so many lists within one another.
func Deep(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

// Encoded writes the answer in other bytes and says so in its Content-Type, which is application/json followed by parameters.
func Encoded(parameters string, encode func(text string) []byte) PageFault {
	return func(a *Answer, _ *Page) {
		a.Recode("application/json"+parameters, func(body []byte) []byte { return encode(string(body)) })
	}
}
