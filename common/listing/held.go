package listing

import (
	"context"
	"errors"
	"slices"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// heldTries is how often the segments of a listing are asked for from the first one on before all rows are asked for in one answer.
const heldTries = 3

// held reads a listing whose place the server keeps with the session: in a session that nothing else uses meanwhile, and to its end before
// the first page is handed on, so that whoever gets its rows can ask for more in that same session. What was read in vain is not handed on.
//
// A segment that did not come whole is not asked for again, since the server is behind it by then: the listing begins anew. Where that happens
// again and again, or where it is not clear whether it was the last segment that came last, all rows are asked for in one answer.
// See docs/decisions/012.
func (r *reading) held(ctx context.Context, pages pagination.Held, request httpclient.Request) *End {
	for try := 1; ; try++ {
		if try > heldTries {
			pages = pages.Whole()
		}
		segments, lost, end := r.segments(ctx, pages, request)
		if lost && pages.Size > 0 {
			r.reader.Log.Info(r.Name + " is read from its beginning once more: the server's place in it was lost")
			continue
		}
		if end != nil {
			return end
		}
		for i := range segments {
			rows := r.accept(&segments[i])
			if end := r.hand(&segments[i], rows, i+1 < len(segments)); end != nil {
				return end
			}
		}
		return nil
	}
}

// segments returns all segments of a listing. It reports whether the server's place was lost on the way; end says why there are no segments.
// Its requests wait for no room among those in flight: those that have it may wait for the session.
func (r *reading) segments(ctx context.Context, pages pagination.Held, request httpclient.Request) (all []fetched, lost bool, end *End) {
	ctx, release, err := r.reader.Client.Lease(ctx)
	if err != nil {
		return nil, false, failed(err)
	}
	defer release()
	for next, more := pages.First(request), true; more; {
		p, end := r.fetch(ctx, r.way, next, fetching{later: len(all) > 0})
		switch {
		case end != nil && (len(all) == 0 || ctx.Err() != nil):
			return nil, false, end
		case end != nil && !said(end.Err):
			return nil, true, end
		case end != nil || len(p.Records) > 0 && r.known(all, &p):
			if !complete(all, pages.Size) {
				return r.segments(ctx, pages.Whole(), request)
			}
			return all, false, nil
		}
		all = append(all, p)
		next, more = pages.Next(p.request, p.Page)
	}
	return all, false, nil
}

// said reports whether it is the API itself that says that there is no further segment, or something else that asking again does not change.
func said(err error) bool {
	return fault.Of(err).Kind != fault.Transient && !errors.Is(err, httpclient.ErrUnknownOutcome)
}

// complete reports whether what came before a segment that is none was the end: the last one has fewer rows than those before it, or, where
// it is the only one, than were asked for.
func complete(all []fetched, size int) bool {
	if len(all) > 1 {
		size = len(all[0].Records)
	}
	return len(all[len(all)-1].Records) < size
}

// known reports whether a segment has the rows of one that came: of a server that begins again behind the end, or knows no segments at all.
func (r *reading) known(all []fetched, p *fetched) bool {
	alike := r.rows.alike(p)
	return slices.ContainsFunc(all, func(before fetched) bool { return r.rows.alike(&before) == alike })
}
