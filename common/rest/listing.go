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
	"github.com/imob-data/airbyte-connectors/common/state"
)

const (
	defaultParallel = 8
	// aheadBytes is how many bytes of pages of one listing are fetched ahead at the most.
	aheadBytes = 8 << 20
	// repeats is how often a page that came before under another number is asked for again, and how often one that is not what was asked for
	// before its way is taken for refused.
	repeats = 3
)

// fetched is one page and the request that brought it.
type fetched struct {
	pagination.Page
	request  httpclient.Request
	picked   []record.Value // of each row, what the picker that was given picks
	replaced int            // bytes that were not UTF-8
	place    string         // the place of the page after it; "": there is none, or it has none
	err      error
}

// fetch asks for one page of s, and picks values of its rows on the way. An answer without rows where there should be some is asked for
// again like any other fault of a server.
func (r *run) fetch(ctx context.Context, s *Stream, picker record.Picker, request httpclient.Request) (fetched, error) {
	got := fetched{request: request}
	way := r.way(s)
	echoer, _ := way.Pages.(pagination.Echoer)
	strays := 0
	absent := func(resp *httpclient.Response) bool { return r.api.Absent != nil && r.api.Absent(resp) }
	first := request.First
	request.First = func(resp *httpclient.Response) error {
		r.notice(resp)
		switch {
		case s.Optional && absent(resp):
			return errAbsent
		case first != nil:
			return first(resp)
		}
		return nil
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
		if echoer != nil && !echoer.Echoes(request, got.Page) {
			stray := fault.Transientf("%s answered with another page than was asked for.", request.Path)
			if strays++; strays > repeats && !way.last {
				return &refusal{failure: stray, stray: true}
			}
			return httpclient.Again(stray)
		}
		return nil
	}
	_, err := r.do(ctx, request)
	return got, err
}

// do sends a request when there is room for it.
func (r *run) do(ctx context.Context, request httpclient.Request) (*httpclient.Response, error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	resp, err := r.client.Do(ctx, request)
	if err == nil {
		r.answered.Store(true)
	} else if why, ok := errors.AsType[*fault.Error](context.Cause(ctx)); ok {
		err = why // whoever stopped the run knows better than the request that it was stopped in
	}
	return resp, err
}

// notice warns of what the API says besides its answer, once.
func (r *run) notice(resp *httpclient.Response) {
	if r.api.Notice == nil {
		return
	}
	if text := r.api.Notice(resp); text != "" && r.noticed.CompareAndSwap(false, true) {
		r.log.Warn(text)
	}
}

// page is fetch, with the rows whole.
func (r *run) page(ctx context.Context, s *Stream, picker record.Picker, request httpclient.Request) (fetched, error) {
	page, err := r.fetch(ctx, s, picker, request)
	if err != nil || s.Partial == nil {
		return page, err
	}
	err = r.complete(ctx, s, page.Records)
	if _, ok := errors.AsType[*httpclient.StatusError](err); !ok {
		return page, err
	}
	// A list that cannot be continued may be one of a row that has gone meanwhile, which a second look tells.
	if page, err = r.fetch(ctx, s, picker, request); err != nil {
		return page, err
	}
	return page, r.complete(ctx, s, page.Records)
}

// list is the pages of one listing in order, paged by strategy. A listing that says how many pages it has is fetched ahead. The sequence
// ends after an error. That something is refused is seen in the first two pages: from then on an answer that says so is a failure.
func (r *run) list(
	ctx context.Context, s *Stream, strategy pagination.Strategy, picker record.Picker, request httpclient.Request,
) iter.Seq2[fetched, error] {
	return func(yield func(fetched, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		next, more := strategy.First(request), true
		guard := guard{run: r, stream: s, strategy: strategy, picker: picker, seen: map[uint64]bool{}}
		asked := map[string]bool{}
		for number := 0; more; number++ {
			fingerprint := next.Fingerprint()
			if asked[fingerprint] {
				yield(fetched{}, fault.Transientf("The listing %s leads back to a page that was read already.", s.Path))
				return
			}
			asked[fingerprint] = true
			if number == 2 {
				next.First = nil
			}
			page, err := r.page(ctx, s, picker, next)
			if err == nil {
				page, err = guard.ask(ctx, page)
			}
			if err != nil {
				yield(page, err)
				return
			}
			if next, more = strategy.Next(page.request, page.Page); more {
				page.place = next.Place
			}
			if !yield(page, nil) {
				return
			}
			if counted, ok := strategy.(pagination.Counted); ok && number == 0 {
				if n, ok := counted.Count(page.Page); ok {
					r.ahead(ctx, counted, request, n, &guard, len(page.Body), yield)
					return
				}
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
					page, err = r.page(ctx, g.stream, g.picker, at)
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
			if _, ok := total(g.strategy, page.Page, true); ok {
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
		if page, err = g.run.page(ctx, g.stream, g.picker, page.request); err != nil {
			return page, err
		}
	}
	return page, nil
}

// fresh is whether no page with these rows came before, and remembers it. The first row, the last and their number stand for the page: what
// is taken for a repeat is only asked for again. Pages of two places may share rows. A page without rows is always fresh.
func (g *guard) fresh(page fetched) bool {
	if len(page.Records) == 0 {
		return true
	}
	if g.seed == (maphash.Seed{}) {
		g.seed = maphash.MakeSeed()
	}
	var h maphash.Hash
	h.SetSeed(g.seed)
	_, _ = h.WriteString(page.request.Place) // never fails
	_, _ = h.Write(page.Records[0])
	_, _ = h.Write(page.Records[len(page.Records)-1])
	sum := h.Sum64() + uint64(len(page.Records))
	if g.seen[sum] {
		return false
	}
	g.seen[sum] = true
	return true
}

// total is how many rows the whole listing has, where strategy can tell it from p. first is whether p is the first page that came of it.
func total(strategy pagination.Strategy, p pagination.Page, first bool) (int64, bool) {
	if t, ok := strategy.(pagination.Totaled); ok {
		return t.Total(p, first)
	}
	return 0, false
}

// row is a row of a listing with what the engine needs of it.
type row struct {
	data  record.Record
	marks record.Value // where data's nested values end, for its shape
	key   string
	time  time.Time    // of change; zero: it has none that can be read
	at    record.Value // time as it came
	until time.Time    // the last moment that time may stand for: a time without seconds is a whole minute
	open  bool         // it may have changed without its time moving
}

// walk is one reading of a listing.
type walk struct {
	stream    *Stream
	request   httpclient.Request
	refusable bool // something in the request can be left out: the listing ends with a refusal where the API refuses it
	place     *state.Place
	clock     *Cursor
	before    map[digest]int64            // rows of earlier listings: they are left out, and this one's are added; nil: there are none
	page      func(fetched)               // told of every page first; may be nil
	use       func([]row) error           // gets the rows that did not come before, page by page
	reached   func(at *state.Place) error // told from where to go on, after use of what is before; nil for nowhere; may be nil
}

// walk reads a listing and holds it to the total that it promises: when fewer different rows came it is read once more, and when they are
// still fewer that is a transient failure, or a config error where some cannot be reached. A listing whose pages turn out to be too large
// goes on with smaller ones, from the last place if it has places. One whose way is refused begins anew in the next way. late is the earliest
// later time of a row that came again: the mark may not pass it.
func (r *run) walk(ctx context.Context, w walk) (late time.Time, err error) {
	s := w.stream
	seen := newUnique(s, w.clock, w.before)
	begin, earlier := r.resume(w)
	from := begin
	var promised int64
	var has bool
	for attempt := 1; ; attempt++ {
		way := r.way(s)
		request := r.request(s, way, w.request, w.refusable)
		request.Place = from
		of := request.Fingerprint()
		stale := 0 // pages in a row without a new row
		pages, beyond := 0, false
		for p, err := range r.list(ctx, s, way.Pages, seen.picker, request) {
			if err != nil && r.resize(s, way, err) {
				attempt = 0 // what came so far does not come again
				break
			}
			if refused, ok := errors.AsType[*refusal](err); ok && r.elsewhere(w, way, begin != "" && from == begin, pages, refused.stray) {
				attempt, from, begin, earlier = 0, "", "", 0
				break
			}
			if err != nil {
				return seen.late, err
			}
			if n, ok := total(way.Pages, p.Page, pages == 0 && from == begin); ok {
				promised, has = n, true
			}
			pages++
			if w.page != nil {
				w.page(p)
			}
			rows := seen.rows(p)
			if err := w.use(rows); err != nil {
				return seen.late, err
			}
			beyond = beyond || way.beyond(p)
			if p.place != "" && !beyond {
				from = p.place
				if err := w.at(&state.Place{Of: of, At: way.place(p.place), Rows: earlier + seen.count()}); err != nil {
					return seen.late, err
				}
			}
			if stale++; seen.fresh > 0 {
				stale = 0
			}
			if stale == 2 && repeating(way.Pages) {
				break
			}
		}
		if attempt == 0 {
			continue
		}
		complete := !has || len(s.Key) == 0 || seen.count() >= promised
		if complete && (has || !beyond) {
			if w.before != nil {
				maps.Copy(w.before, seen.seen)
			}
			return seen.late, nil
		}
		if err := w.at(nil); err != nil { // what is missing may be anywhere
			return seen.late, err
		}
		switch {
		case beyond && has:
			return seen.late, fault.Configf("%d of the %d rows of %s are out of reach: the API does not list them. %s",
				promised-seen.count(), promised, s.Name, way.Beyond)
		case beyond:
			return seen.late, fault.Configf("%s has more rows than the %d that the API lists. %s", s.Name, seen.count(), way.Beyond)
		case attempt == 2:
			return seen.late, fault.Transientf("The API promised %d rows at %s and sent %d different ones, in a second reading too. "+
				"Probably they are being changed right now.", promised, s.Path, seen.count())
		}
		r.log.Warn(fmt.Sprintf("%s: %d rows promised, %d came; the listing is read once more", s.Name, promised, seen.count()))
		from = begin
	}
}

// elsewhere is whether the listing can begin anew after the refusal, or the stray answer, of the page that was asked for after pages others.
// resumed is whether these began at a place that a state had.
func (r *run) elsewhere(w walk, way way, resumed bool, pages int, stray bool) bool {
	switch {
	case resumed && pages == 0: // the place may be the reason, and the way not to blame
		r.ways.Delete(w.stream.Name)
		return true
	case pages > 0 || stray:
		return r.otherwise(w.stream, way, w.request, "")
	default:
		return r.otherwise(w.stream, way, w.request, r.first(w.stream, way, w.request).Fingerprint())
	}
}

// at tells how far the listing has come.
func (w walk) at(place *state.Place) error {
	if w.reached == nil {
		return nil
	}
	return w.reached(place)
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
