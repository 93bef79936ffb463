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
	// repeats is how often a page is asked for that brings nothing new although there is more, or another than was asked for, until that is believed.
	repeats = 3
	// maxIdle is how many pages in a row may bring nothing new although more is promised; without a promise it is one fewer.
	maxIdle = 3
	// maxIdleLinks is the same for pages that lead from one to the next: APIs that filter after they cut have empty ones.
	maxIdleLinks = 100
)

func (r *reading) read(ctx context.Context) *End {
	request := r.reader.request(r.Listing, r.way)
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

func (r *reading) take() *httpclient.Share {
	if r.Child {
		return r.reader.Budget.Take(1)
	}
	return r.reader.Budget.Take(0)
}

// ask asks for a page, with the share of another that is not needed any more, or for nil with one of its own, which an error releases. With
// another's it does not wait for room among the requests in flight, since those that have it may wait for this share.
func (r *reading) ask(ctx context.Context, share *httpclient.Share, way way, request httpclient.Request, f fetching) (fetched, *End) {
	if share == nil { // also where one request at a time needs no budget, and there is none to wait for
		leave := r.reader.enter(r.Child, ctx.Done())
		if leave == nil {
			return fetched{}, failed(context.Cause(ctx))
		}
		defer leave()
		f.share = r.take()
	} else {
		share.Reset()
		f.share = share
	}
	page, end := r.fetch(ctx, way, request, f)
	if end != nil && share == nil {
		f.share.Release()
	}
	return page, end
}

// fetch fetches a page as Reader.fetch does, and completes the lists in its rows.
func (r *reading) fetch(ctx context.Context, way way, request httpclient.Request, f fetching) (fetched, *End) {
	f.picker = r.rows.picker
	page, end := r.reader.fetch(ctx, r.Listing, way, request, f)
	if end != nil || r.Partial == nil {
		return page, end
	}
	if end = r.complete(ctx, &page); end == nil || ctx.Err() != nil {
		return page, end
	}
	if _, status := errors.AsType[*httpclient.StatusError](end.Err); !status && fault.Of(end.Err).Kind != fault.Transient {
		return page, end
	}
	// A list that cannot be continued may be one of a row that has gone meanwhile, or that has changed, which a second look tells.
	if page, end = r.reader.fetch(ctx, r.Listing, way, request, f); end != nil {
		return page, end
	}
	return page, r.complete(ctx, &page)
}

// accept returns the rows of a page that are handed on.
func (r *reading) accept(p *fetched) []Row {
	if r.pages == 0 && r.rows.began.IsZero() {
		r.rows.clocked(p, r.reader.Began)
	}
	r.tell(p)
	rows := r.rows.take(p)
	if r.idle++; r.rows.fresh > 0 {
		r.idle = 0
	}
	return rows
}

// again asks for a page once more while it brings nothing new although there is more, and returns the last answer, whose share is that of p, and its
// rows: a cache may have given another's, or none.
func (r *reading) again(ctx context.Context, p fetched, rows []Row, f fetching, wanted func() bool) (fetched, []Row, *End) {
	share := p.share
	unlisted := func() bool { return p.listless && p.total.Rows > r.came() } // or else that is the end
	for try := 1; try < repeats && r.rows.fresh == 0 && (wanted() || unlisted()); try++ {
		select {
		case <-time.After(time.Duration(try) * 500 * time.Millisecond):
		case <-ctx.Done():
			return p, nil, failed(context.Cause(ctx))
		}
		var end *End
		if p, end = r.ask(ctx, share, r.way, p.request, f); end != nil {
			return p, nil, end
		}
		r.idle--
		rows = r.accept(&p)
	}
	if unlisted() {
		return p, nil, failed(fault.Laterf("%s answered without a list, and said that there are %d rows, of which %d came.",
			p.request.Path, p.total.Rows, r.came()))
	}
	return p, rows, nil
}

// linked reads pages that lead from one to the next, each of which is asked for while the one before it is handed on. That something is refused
// is seen in the first two: from then on an answer that says so is a failure.
func (r *reading) linked(ctx context.Context, request httpclient.Request) *End {
	strategy := r.way.Pages
	_, offset := strategy.(pagination.Offset)
	ahead := r.ahead(ctx)
	defer ahead.stop()
	asked := map[string]bool{}
	for next, more := strategy.First(request), true; more; {
		fingerprint := next.Fingerprint()
		if asked[fingerprint] {
			return failed(fault.Transientf("The listing %s leads back to a page that was read already.", r.Request.Path))
		}
		asked[fingerprint] = true
		f := fetching{later: r.pages >= 2}
		ahead.need(next, f)
		p, end := ahead.page()
		if end != nil {
			return end
		}
		share := p.share
		rows := r.accept(&p)
		wanted := func() bool {
			_, more := strategy.Next(p.request, p.Page)
			return r.short() && (offset || !more)
		}
		if p, rows, end = r.again(ctx, p, rows, f, wanted); end != nil {
			share.Release()
			return end
		}
		if next, more = strategy.Next(p.request, p.Page); more {
			p.place = next.Place
		}
		if more && r.idle >= maxIdleLinks {
			share.Release()
			return failed(fault.Transientf("The listing %s goes on for %d pages without a new row.", r.Request.Path, r.idle))
		}
		if more && !asked[next.Fingerprint()] {
			ahead.try(next, fetching{later: r.pages+1 >= 2})
		}
		if end := r.hand(&p, rows); end != nil {
			return end
		}
	}
	return nil
}

// atOnce asks for the whole listing in one answer, and page by page where that is not known to work, or may have been cut off. It is known
// once such an answer had the rows that the first page has, in this run; until then both are asked.
func (r *reading) atOnce(ctx context.Context, pages pagination.AtOnce, request httpclient.Request) *End {
	trusted, known := r.reader.atOnce.Load(r.Name)
	if trusted == false {
		return r.numbered(ctx, pages.Number, request)
	}
	answer, end := r.ask(ctx, nil, r.way, pages.Once(request), fetching{maybeAbsent: true})
	if end != nil && end.Kind == Gone && !known { // or there is no such page
		return r.numbered(ctx, pages.Number, request)
	}
	if end != nil {
		return end
	}
	if answer.refused != nil { // the API refuses one answer for all, or the listing: its first page tells
		answer.share.Release()
		end := r.numbered(ctx, pages.Number, request)
		if end == nil && !known && r.rows.came > 0 {
			r.reader.atOnce.Store(r.Name, false)
		}
		return end
	}
	rows := r.accept(&answer)
	came, cut := len(answer.Records), pages.Cut(len(answer.Records))
	if end := r.hand(&answer, rows); end != nil || known && !cut {
		return end
	}
	if !cut {
		first, end := r.ask(ctx, nil, r.way, pages.First(request), fetching{})
		if end != nil {
			return end
		}
		rows := r.accept(&first)
		listed, missed := len(first.Records), r.rows.fresh
		if end := r.hand(&first, rows); end != nil {
			return end
		}
		if missed == 0 {
			if came > 0 && listed > 0 {
				r.reader.atOnce.Store(r.Name, true)
			}
			return nil
		}
		r.reader.atOnce.Store(r.Name, false)
	}
	r.anew() // what came is not handed on again, and does not count as the end of the pages
	return r.numbered(ctx, pages.Number, request)
}
