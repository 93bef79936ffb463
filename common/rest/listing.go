package rest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
)

const (
	defaultParallel = 8
	// aheadBytes is how many bytes of pages of one listing are fetched ahead at the most.
	aheadBytes = 8 << 20
	// repeats is how often a page that came before under another number is asked for again.
	repeats = 3
)

// fetched is one page and the request that brought it.
type fetched struct {
	pagination.Page
	request  httpclient.Request
	picked   []record.Value // of each row, what the picker that was given picks
	replaced int            // bytes that were not UTF-8
	err      error
}

// pages is how s is paged, with pages as small as the API turned out to want them.
func (r *run) pages(s *Stream) pagination.Strategy {
	if learnt, ok := r.resized.Load(s.Name); ok {
		return learnt.(pagination.Strategy) //nolint:forcetypeassert // resize stores nothing else
	}
	switch {
	case s.Pages != nil:
		return s.Pages
	case r.api.Pages != nil:
		return r.api.Pages
	default:
		return pagination.Single{}
	}
}

// resize notes that s is to be read with smaller pages, if err says so and they can be smaller.
func (r *run) resize(s *Stream, strategy pagination.Strategy, err error) bool {
	large, ok := errors.AsType[*pagination.TooLarge](err)
	sized, can := strategy.(pagination.Sized)
	if !ok || !can {
		return false
	}
	smaller, can := sized.Resize(large.Max)
	if can {
		r.resized.Store(s.Name, smaller)
	}
	return can
}

// fetch asks for one page of s, and picks values of its rows on the way. An answer without rows where there should be some is asked for
// again like any other fault of a server.
func (r *run) fetch(ctx context.Context, s *Stream, picker record.Picker, request httpclient.Request) (fetched, error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return fetched{}, context.Cause(ctx)
	}
	got := fetched{request: request}
	counted, _ := r.pages(s).(pagination.Counted)
	absent := func(resp *httpclient.Response) bool { return r.api.Absent != nil && r.api.Absent(resp) }
	if s.Optional {
		request.First = func(resp *httpclient.Response) error {
			if absent(resp) {
				return errAbsent
			}
			return nil
		}
	}
	request.Judge = func(resp *httpclient.Response) error {
		if s.Parent != nil && s.Parent.Missing && resp.Status == http.StatusNotFound && !absent(resp) {
			return errGone
		}
		if resp.Status/100 != 2 || resp.Body == nil {
			return nil
		}
		var rows []record.Record
		var picked []record.Value
		err := record.ErrNoRecords
		for path := range strings.SplitSeq(cmp.Or(s.Records, r.api.Records), ",") {
			if rows, picked, err = picker.Cut(resp.Body, path); !errors.Is(err, record.ErrNoRecords) {
				break
			}
		}
		switch {
		case errors.Is(err, record.ErrNoRecords):
			return httpclient.Again(fault.Transientf("%s answered without the rows that were asked for.", request.Path))
		case err != nil:
			return &fault.Error{Kind: fault.System, Message: request.Path + " answered with rows of an unknown form.", Err: err}
		}
		got.Page = pagination.Page{Header: resp.Header, Body: resp.Body, Records: rows}
		got.picked, got.replaced = picked, resp.Replaced
		if counted != nil && !counted.Echoes(request, got.Page) {
			return httpclient.Again(fault.Transientf("%s answered with another page than was asked for.", request.Path))
		}
		return nil
	}
	_, err := r.client.Do(ctx, request)
	if err == nil {
		r.answered.Store(true)
	} else if why, ok := errors.AsType[*fault.Error](context.Cause(ctx)); ok {
		err = why // whoever stopped the run knows better than the request that it was stopped in
	}
	return got, err
}

// list is the pages of one listing in order, paged by strategy. A listing that says how many pages it has is fetched ahead. The sequence
// ends after an error.
func (r *run) list(
	ctx context.Context, s *Stream, strategy pagination.Strategy, picker record.Picker, request httpclient.Request,
) iter.Seq2[fetched, error] {
	return func(yield func(fetched, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		first := strategy.First(request)
		page, err := r.fetch(ctx, s, picker, first)
		if !yield(page, err) || err != nil {
			return
		}
		guard := guard{run: r, stream: s, strategy: strategy, picker: picker, seen: map[uint64]bool{}}
		guard.fresh(page)
		if counted, ok := strategy.(pagination.Counted); ok {
			if n, ok := counted.Count(page.Page); ok {
				r.ahead(ctx, counted, request, n, &guard, len(page.Body), yield)
				return
			}
		}
		asked := map[string]bool{first.Fingerprint(): true}
		for {
			next, more := strategy.Next(page.request, page.Page)
			if !more {
				return
			}
			fingerprint := next.Fingerprint()
			if asked[fingerprint] {
				yield(fetched{}, fault.Transientf("The listing %s leads back to a page that was read already.", s.Path))
				return
			}
			asked[fingerprint] = true
			page, err = r.fetch(ctx, s, picker, next)
			if err == nil {
				page, err = guard.ask(ctx, page)
			}
			if !yield(page, err) || err != nil {
				return
			}
		}
	}
}

// ahead yields pages 1… of a listing that has n pages, as far as its first page of size bytes tells, and fetches several at once.
func (r *run) ahead(
	ctx context.Context, strategy pagination.Counted, request httpclient.Request, n int, g *guard, size int,
	yield func(fetched, error) bool,
) {
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer cancel()
	coming := map[int]chan fetched{}
	launched := 1
	for i := 1; i < max(n, launched); i++ {
		window := min(cap(r.slots), max(1, aheadBytes/max(1, size)))
		for ; launched < n && launched < i+window; launched++ {
			at := strategy.At(strategy.First(request), launched)
			result := make(chan fetched, 1)
			coming[launched] = result
			wait.Go(func() {
				var page fetched
				page.err = safely(func() (err error) {
					page, err = r.fetch(ctx, g.stream, g.picker, at)
					return err
				})
				result <- page
			})
		}
		page := <-coming[i]
		delete(coming, i)
		err := page.err
		if err == nil {
			page, err = g.ask(ctx, page)
		}
		if err == nil {
			size = max(size, len(page.Body))
			if latest, ok := strategy.Count(page.Page); ok {
				n = latest
			}
		}
		if !yield(page, err) || err != nil {
			return
		}
	}
}

// guard notices pages that come a second time under another request.
type guard struct {
	run    *run
	stream *Stream

	strategy pagination.Strategy
	picker   record.Picker
	seed     maphash.Seed
	seen     map[uint64]bool
}

// ask is page, asked for again while it is one that came before. A listing that tells its total is let through in the end, since the
// total decides whether rows are missing; without one it would never end, or end with rows missing.
func (g *guard) ask(ctx context.Context, page fetched) (fetched, error) {
	if repeating(g.strategy) {
		return page, nil
	}
	for try := 1; !g.fresh(page); try++ {
		if try > repeats {
			if _, ok := total(g.strategy, page.Page); ok {
				return page, nil
			}
			return page, fault.Transientf("%s answers with the same rows for page after page.", g.stream.Path)
		}
		select {
		case <-time.After(time.Duration(try) * 500 * time.Millisecond):
		case <-ctx.Done():
			return page, context.Cause(ctx)
		}
		var err error
		if page, err = g.run.fetch(ctx, g.stream, g.picker, page.request); err != nil {
			return page, err
		}
	}
	return page, nil
}

// fresh is whether no page with these rows came before, and remembers it. The first row, the last and their number stand for the page: what
// is taken for a repeat is only asked for again. A page without rows is always fresh.
func (g *guard) fresh(page fetched) bool {
	if len(page.Records) == 0 {
		return true
	}
	if g.seed == (maphash.Seed{}) {
		g.seed = maphash.MakeSeed()
	}
	var h maphash.Hash
	h.SetSeed(g.seed)
	_, _ = h.Write(page.Records[0]) // never fails
	_, _ = h.Write(page.Records[len(page.Records)-1])
	sum := h.Sum64() + uint64(len(page.Records))
	if g.seen[sum] {
		return false
	}
	g.seen[sum] = true
	return true
}

// total is how many rows the whole listing has, where strategy can tell it from p.
func total(strategy pagination.Strategy, p pagination.Page) (int64, bool) {
	if t, ok := strategy.(pagination.Totaled); ok {
		return t.Total(p)
	}
	return 0, false
}

// row is a row of a listing with what the engine needs of it.
type row struct {
	data  record.Record
	key   string
	time  time.Time    // of change; zero: it has none that can be read
	at    record.Value // time as it came
	until time.Time    // the last moment that time may stand for: a time without seconds is a whole minute
	open  bool         // it may have changed without its time moving
}

// walk reads the listing of s that begins with request, hands the rows that did not come before to use, page by page, and holds the
// listing to the total that it promises: when fewer different rows came it is read once more, and when they are still fewer that is a
// transient failure. A listing whose pages turn out to be too large begins anew with smaller ones. Rows in before, which are those of
// listings read before this one, are left out; this one's are added to it. page, if not nil, is told of every
// page first. late is the earliest later time of a row that came again: the mark may not pass it.
func (r *run) walk(
	ctx context.Context, s *Stream, request httpclient.Request, clock *Cursor, before map[digest]int64, page func(fetched), use func([]row) error,
) (late time.Time, err error) {
	seen := newUnique(s, clock, before)
	for attempt := 1; ; attempt++ {
		strategy := r.pages(s)
		var promised int64
		var has bool
		stale := 0 // pages in a row without a new row
		for p, err := range r.list(ctx, s, strategy, seen.picker, request) {
			if err != nil && r.resize(s, strategy, err) {
				attempt = 0 // what came so far does not come again
				break
			}
			if err != nil {
				return seen.late, err
			}
			promised, has = total(strategy, p.Page)
			if page != nil {
				page(p)
			}
			rows := seen.rows(p)
			if err := use(rows); err != nil {
				return seen.late, err
			}
			if stale++; seen.fresh > 0 {
				stale = 0
			}
			if stale == 2 && repeating(strategy) {
				break
			}
		}
		if attempt == 0 {
			continue
		}
		if !has || len(s.Key) == 0 || seen.count() >= promised {
			if before != nil {
				maps.Copy(before, seen.seen)
			}
			return seen.late, nil
		}
		if attempt == 2 {
			return seen.late, fault.Transientf("The API promised %d rows at %s and sent %d different ones, in a second reading too. "+
				"Probably they are being changed right now.", promised, s.Path, seen.count())
		}
		r.log.Warn(fmt.Sprintf("%s: %d rows promised, %d came; the listing is read once more", s.Name, promised, seen.count()))
	}
}

// repeating is whether rows that came before may be the end of a listing.
func repeating(strategy pagination.Strategy) bool {
	r, ok := strategy.(pagination.Repeater)
	return ok && r.Repeating()
}

// served is when the server began to answer, on its own clock, or zero when it does not tell.
func served(h http.Header) time.Time {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t
}
