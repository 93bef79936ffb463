package listing

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// way is a Way as it turned out in this run.
type way struct {
	Way
	number int
	last   bool // there is no other way
}

// way returns how l is read: in the first of its ways that was not refused, with pages as small as the API turned out to want them.
func (r *Reader) way(l *Listing) way {
	if learnt, ok := r.learnt.Load(l.Name); ok {
		return learnt.(way) //nolint:forcetypeassert // nothing else is stored
	}
	return wayOf(l, 0)
}

// wayOf returns way number n of l as it was described.
func wayOf(l *Listing, n int) way {
	if len(l.Ways) > 0 {
		return way{Way: l.Ways[n], number: n, last: n == len(l.Ways)-1}
	}
	return way{Way: Way{Pages: pagination.Single{}}, last: true}
}

// Forget forgets which way of the listing called name was refused: what was refused may have been something else.
func (r *Reader) Forget(name string) { r.learnt.Delete(name) }

// resize notes that l is to be read with pages of no more than most rows, or half as large as in w for 0, if they can be smaller.
func (r *Reader) resize(l *Listing, w way, most int) bool {
	smaller, can := w.resized(most)
	if can {
		r.learnt.Store(l.Name, smaller)
	}
	return can
}

// resized returns w with pages of no more than most rows, or half as large for 0, if they can be smaller.
func (w way) resized(most int) (smaller way, can bool) {
	sized, can := w.Pages.(pagination.Sized)
	if can {
		w.Pages, can = sized.Resize(most)
	}
	return w, can
}

// nextWay notes that l cannot be read as in w, which was refused, if there is another way. first is whether the first page was, so that a way that
// begins with the same request is none.
func (r *Reader) nextWay(l *Listing, w way, first bool) bool {
	for n := w.number + 1; n < len(l.Ways); n++ {
		other := wayOf(l, n)
		if !first || r.first(l, other).Fingerprint() != r.first(l, w).Fingerprint() {
			r.learnt.Store(l.Name, other)
			if other.Warn != "" {
				r.Log.Warn(l.Name + ": " + other.Warn)
			}
			return true
		}
	}
	return false
}

// first returns the request for the first page of l in w.
func (r *Reader) first(l *Listing, w way) httpclient.Request { return w.Pages.First(r.request(l, w)) }

// request returns what l asks for in w.
func (r *Reader) request(l *Listing, w way) httpclient.Request {
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

// resume returns the place from which l goes on, in the way that it was begun in, and how many rows are before it, or "" for the beginning.
func (r *Reader) resume(l *Listing) (from string, rows int64) {
	if l.From == nil {
		return "", 0
	}
	number, at, _ := strings.Cut(l.From.At, ":")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n >= max(1, len(l.Ways)) {
		return "", 0
	}
	way := wayOf(l, n)
	if r.request(l, way).Fingerprint() != l.From.Of {
		return "", 0
	}
	if n > 0 {
		r.learnt.Store(l.Name, way)
	}
	return at, l.From.Rows
}
