package listing

import (
	"context"
	"errors"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

const (
	// repeats is how often a page without new rows is asked for although there are more, and how many wrong pages are borne before the next way.
	repeats = 3
	// maxIdle is how many pages in a row may bring no new row although more are promised. Without a promise it is one fewer.
	maxIdle = 3
	// maxIdleLinks is the same for pages that lead from one to the next: APIs that filter after they cut pages have empty ones.
	maxIdleLinks = 100
)

func (r *reading) read(ctx context.Context) *End {
	request := r.request(r.way)
	request.Place = r.from
	r.of = request.Fingerprint()
	switch pages := r.way.Pages.(type) {
	case pagination.AtOnce:
		return r.atOnce(ctx, pages, request)
	case pagination.Held:
		return r.held(ctx, pages, request)
	case pagination.Numbered:
		return r.numbered(ctx, pages, request)
	default:
		return r.linked(ctx, request)
	}
}

// enter waits until one more request may be in flight. If patience ends first, leave is nil; otherwise the caller calls it after the request. The
// share is taken last, so that the oldest share never belongs to a request that waits for room.
func (r *reading) enter(patience <-chan struct{}) (share *httpclient.Share, leave func()) {
	pools, level := []chan struct{}{r.reader.listings, r.reader.slots}, 0
	if r.Child {
		pools, level = pools[1:], 1
	}
	entered := 0
	leave = func() {
		for _, pool := range pools[:entered] {
			<-pool
		}
	}
	for _, pool := range pools {
		select {
		case pool <- struct{}{}: // even if patience has ended
		default:
			select {
			case pool <- struct{}{}:
			case <-patience:
				leave()
				return nil, nil
			}
		}
		entered++
	}
	return r.reader.Budget.Take(level), leave
}

// ask asks for a page. It reuses share, which another page no longer needs. If share is nil, it takes one and releases it on an error. With a reused
// share it does not wait for room among the requests in flight, because the requests that have room may wait for this share.
func (r *reading) ask(ctx context.Context, share *httpclient.Share, q pageRequest) (fetched, *End) {
	share.Reset()
	if q.Share = share; share == nil { // also if one request at a time needs no budget: then nobody waits for a share
		own, leave := r.enter(ctx.Done())
		if leave == nil {
			return fetched{}, failed(context.Cause(ctx))
		}
		defer leave()
		q.Share = own
	}
	page, end := r.fetchWhole(ctx, q)
	if end != nil && share == nil {
		q.Share.Release()
	}
	return page, end
}

// fetchWhole fetches a page and completes the partial lists in its rows. A list that cannot be completed may belong to a row that was deleted or
// changed in the meantime, so the page is then fetched once more.
func (r *reading) fetchWhole(ctx context.Context, q pageRequest) (fetched, *End) {
	for second := false; ; second = true {
		page, end := r.fetch(ctx, q)
		if end != nil || r.Partial == nil {
			return page, end
		}
		if end = r.complete(ctx, &page); end == nil || second || ctx.Err() != nil {
			return page, end
		}
		if _, status := errors.AsType[*httpclient.StatusError](end.Err); !status && fault.Of(end.Err).Kind != fault.Transient {
			return page, end
		}
	}
}

// accept records what a page tells, and finds its rows that did not come before.
func (r *reading) accept(p *fetched) {
	if r.pages == 0 && r.rows.began.IsZero() {
		r.rows.clocked(p, r.reader.Began)
	}
	r.tell(p)
	p.rows = r.rows.take(p)
	if r.idle++; r.rows.fresh > 0 {
		r.idle = 0
	}
}

// insist asks again for an accepted page that brings nothing new although there is more: a cache may have answered with another page's rows, or with
// none. The last answer replaces p and keeps its share.
func (r *reading) insist(ctx context.Context, p *fetched, more func() bool) (end *End) {
	unlisted := func() bool { return p.listless && p.total.Rows > r.came() } // otherwise it is the end
	for try := 1; try < repeats && r.rows.fresh == 0 && (more() || unlisted()); try++ {
		select {
		case <-time.After(time.Duration(try) * 500 * time.Millisecond):
		case <-ctx.Done():
			return failed(context.Cause(ctx))
		}
		if *p, end = r.ask(ctx, p.request.Share, p.request); end != nil {
			return end
		}
		r.idle--
		r.accept(p)
	}
	if unlisted() {
		return failed(fault.Laterf("%s answered without a list, and said that there are %d rows, of which %d came.",
			p.request.Path, p.total.Rows, r.came()))
	}
	return nil
}

// linked reads pages that lead from one to the next. Each is asked for while the one before it is handed on. The API may refuse something in the
// first two pages: from then on, an answer that says so is a failure.
func (r *reading) linked(ctx context.Context, request httpclient.Request) *End {
	_, offset := r.way.Pages.(pagination.Offset)
	ahead := r.ahead(ctx)
	defer ahead.stop()
	asked := map[string]bool{}
	for next, more := r.way.Pages.First(request), true; more; {
		fingerprint := next.Fingerprint()
		if asked[fingerprint] {
			return failed(fault.Transientf("The listing %s leads back to a page that was read already.", r.Request.Path))
		}
		asked[fingerprint] = true
		ahead.need(pageRequest{Request: next, later: r.pages >= 2})
		p, end := ahead.page()
		if end != nil {
			return end
		}
		r.accept(&p)
		if end = r.insist(ctx, &p, func() bool {
			_, leads := r.way.Pages.Next(p.request.Request, p.Page)
			return r.short() && (offset || !leads)
		}); end == nil {
			if next, more = r.way.Pages.Next(p.request.Request, p.Page); more {
				p.place = next.Place
			}
			if more && r.idle >= maxIdleLinks {
				end = failed(fault.Transientf("The listing %s goes on for %d pages without a new row.", r.Request.Path, r.idle))
			}
		}
		if end != nil {
			p.request.Share.Release()
			return end
		}
		if more && !asked[next.Fingerprint()] {
			ahead.try(pageRequest{Request: next, later: r.pages+1 >= 2})
		}
		if end := r.hand(&p); end != nil {
			return end
		}
	}
	return nil
}

// atOnce asks for the whole listing in one answer. It goes on page by page if the answer may be cut off, or is not known to hold everything. That is
// known, in this run, once such an answer had all rows of the first page; until then both are asked for.
func (r *reading) atOnce(ctx context.Context, pages pagination.AtOnce, request httpclient.Request) *End {
	trusted, known := r.reader.atOnce.Load(r.Name)
	if trusted == false {
		return r.numbered(ctx, pages.Number, request)
	}
	answer, end := r.ask(ctx, nil, pageRequest{Request: pages.Once(request), maybeAbsent: true})
	switch {
	case end != nil && end.Kind == Gone && !known: // or only the page numbered All does not exist
		return r.numbered(ctx, pages.Number, request)
	case end != nil:
		return end
	case answer.refused != nil: // the API refuses one answer for all, or the listing: the first page tells which
		answer.request.Share.Release()
		end := r.numbered(ctx, pages.Number, request)
		if end == nil && !known && r.rows.came > 0 {
			r.reader.atOnce.Store(r.Name, false)
		}
		return end
	}
	came, cut := len(answer.Records), pages.Cut(len(answer.Records))
	r.accept(&answer)
	if end := r.hand(&answer); end != nil || known && !cut {
		return end
	}
	if !cut {
		first, end := r.ask(ctx, nil, pageRequest{Request: pages.First(request)})
		if end != nil {
			return end
		}
		listed := len(first.Records)
		r.accept(&first)
		if end := r.hand(&first); end != nil {
			return end
		}
		all := r.rows.fresh == 0
		if !all || came > 0 && listed > 0 {
			r.reader.atOnce.Store(r.Name, all)
		}
		if all {
			return nil
		}
	}
	r.anew() // rows that came are not handed out again, and do not end the pages
	return r.numbered(ctx, pages.Number, request)
}
