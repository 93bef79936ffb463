package rest

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// way is a Way as it turned out in this run.
type way struct {
	Way
	number int
	last   bool // there is no other way
}

// way is how s is read: in the first of its ways that was not refused, with pages as small as the API turned out to want them.
func (r *run) way(s *Stream) way {
	if learnt, ok := r.ways.Load(s.Name); ok {
		return learnt.(way) //nolint:forcetypeassert // nothing else is stored
	}
	return r.wayOf(s, 0)
}

// wayOf is way number n of s as it was described.
func (r *run) wayOf(s *Stream, n int) way {
	if len(s.Ways) > 0 {
		return way{Way: s.Ways[n], number: n, last: n == len(s.Ways)-1}
	}
	pages := s.Pages
	if pages == nil {
		pages = r.api.Pages
	}
	if pages == nil {
		pages = pagination.Single{}
	}
	return way{Way: Way{Pages: pages}, last: true}
}

// resize notes that s is to be read with smaller pages than in w, if err says so and they can be smaller.
func (r *run) resize(s *Stream, w way, err error) bool {
	large, ok := errors.AsType[*pagination.TooLarge](err)
	sized, can := w.Pages.(pagination.Sized)
	if !ok || !can {
		return false
	}
	if w.Pages, can = sized.Resize(large.Max); can {
		r.ways.Store(s.Name, w)
	}
	return can
}

// otherwise notes that s cannot be read as in w, which was refused, if there is another way. refused is the fingerprint of the request of
// which that is known from its first page, so that it is not asked again; "" where there is none.
func (r *run) otherwise(s *Stream, w way, base httpclient.Request, refused string) bool {
	for n := w.number + 1; n < len(s.Ways); n++ {
		other := r.wayOf(s, n)
		if r.first(s, other, base).Fingerprint() != refused {
			r.ways.Store(s.Name, other)
			if other.Warn != "" {
				r.log.Warn(s.Name + ": " + other.Warn)
			}
			return true
		}
	}
	return false
}

// first is the request for the first page of a listing in w.
func (r *run) first(s *Stream, w way, base httpclient.Request) httpclient.Request {
	return w.Pages.First(r.request(s, w, base, false))
}

// request is base as it is asked in w. Where something may be refused, an answer that does so is a refusal.
func (r *run) request(s *Stream, w way, base httpclient.Request, refusable bool) httpclient.Request {
	for key, value := range w.Body {
		base = base.With(httpclient.Body, key, value)
	}
	if s.Refused == nil || w.last && !refusable {
		return base
	}
	base.First = func(resp *httpclient.Response) error {
		if !s.Refused(resp) {
			return nil
		}
		var failure error
		if r.api.Judge != nil {
			failure = r.api.Judge(resp)
		}
		return &refusal{failure: cmp.Or(failure, error(fault.Systemf("%s refused what was asked.", base.Path)))}
	}
	return base
}

// beyond is whether rows follow p that cannot be reached in w.
func (w way) beyond(p fetched) bool {
	bounded, ok := w.Pages.(pagination.Bounded)
	return ok && bounded.Beyond(p.request, p.Page)
}

// place is a place of w's strategy as states have it.
func (w way) place(at string) string { return strconv.Itoa(w.number) + ":" + at }

// resume is the place from which a walk goes on, in the way that it was begun in, and how many rows are before it, or "" for the beginning.
func (r *run) resume(w walk) (from string, rows int64) {
	if w.place == nil {
		return "", 0
	}
	number, at, _ := strings.Cut(w.place.At, ":")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n >= max(1, len(w.stream.Ways)) {
		return "", 0
	}
	way := r.wayOf(w.stream, n)
	if r.request(w.stream, way, w.request, false).Fingerprint() != w.place.Of {
		return "", 0
	}
	if n > 0 {
		r.ways.Store(w.stream.Name, way)
	}
	return at, w.place.Rows
}

// try asks for the first page of a listing, in one way after the other.
func (r *run) try(ctx context.Context, s *Stream, base httpclient.Request) error {
	for {
		way := r.way(s)
		request := r.first(s, way, base)
		_, err := r.fetch(ctx, s, record.Picker{}, request)
		again := err != nil && r.resize(s, way, err) ||
			errors.Is(err, errRefused) && r.otherwise(s, way, base, request.Fingerprint())
		if !again {
			return err
		}
	}
}
