package listing

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// way is a Way as it turned out to be in this run.
type way struct {
	Way
	number int
	last   bool // there is no other way
}

// way returns how to read l: in the first of its ways that was not refused, with pages as small as the API turned out to want them.
func (l *listing) way() way {
	if learnt, ok := l.reader.learnt.Load(l.Name); ok {
		return learnt.(way) //nolint:forcetypeassert // nothing else is stored
	}
	return l.described(0)
}

// described returns way number n of l as the Listing describes it.
func (l *listing) described(n int) way {
	if len(l.Ways) > 0 {
		return way{Way: l.Ways[n], number: n, last: n == len(l.Ways)-1}
	}
	return way{Way: Way{Pages: pagination.Single{}}, last: true}
}

// Forget forgets which ways of the listing called name were refused: the refusal may have been about something else.
func (r *Reader) Forget(name string) { r.learnt.Delete(name) }

// resize has l read with pages of at most most rows, or half as large as in w if most is 0. It is false if pages cannot be smaller.
func (l *listing) resize(w way, most int) bool {
	smaller, can := w.resized(most)
	if can {
		l.reader.learnt.Store(l.Name, smaller)
	}
	return can
}

// resized returns w with pages of at most most rows, or half as large if most is 0. can is false if pages cannot be smaller.
func (w way) resized(most int) (smaller way, can bool) {
	sized, can := w.Pages.(pagination.Sized)
	if can {
		w.Pages, can = sized.Resize(most)
	}
	return w, can
}

// nextWay notes that l cannot be read as in w, which was refused, and reports whether there is another way. first says that the first page was
// refused: then a way that begins with the same request does not count.
func (l *listing) nextWay(w way, first bool) bool {
	for n := w.number + 1; n < len(l.Ways); n++ {
		other := l.described(n)
		if !first || l.first(other).Fingerprint() != l.first(w).Fingerprint() {
			l.reader.learnt.Store(l.Name, other)
			if other.Warn != "" {
				l.reader.Log.Warn(l.Name + ": " + other.Warn)
			}
			return true
		}
	}
	return false
}

// first returns the request for the first page of l in way w.
func (l *listing) first(w way) httpclient.Request { return w.Pages.First(l.request(w)) }

// request returns the request for l in way w.
func (l *listing) request(w way) httpclient.Request {
	base := l.Request
	base.Method = cmp.Or(w.Method, base.Method)
	if w.Method == http.MethodGet {
		for key, value := range l.Request.Body {
			base = base.With(httpclient.Query, key, value)
		}
		base.Body = nil
	}
	for key, value := range w.Body {
		base = base.With(httpclient.Body, key, value)
	}
	base.Waiting = l.Waiting
	return base
}

// resume makes readings begin at the place in l.From, in the way of that place, if it is a place in what is asked for.
func (l *listing) resume() {
	if l.From == nil {
		return
	}
	number, at, _ := strings.Cut(l.From.At, ":")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n >= max(1, len(l.Ways)) {
		return
	}
	way := l.described(n)
	if l.request(way).Fingerprint() != l.From.Of {
		return
	}
	if n > 0 {
		l.reader.learnt.Store(l.Name, way)
	}
	l.begin, l.earlier = at, l.From.Rows
}
