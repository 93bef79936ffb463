package listing

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// heldTries is how often the segments of a listing are asked for from the first one on before all rows are asked for in one answer.
const heldTries = 3

// errCursor is that the place which the server kept is not known any more, or is not known to be right.
var errCursor = errors.New("the server's place in the listing was lost")

// held reads a listing whose place the server keeps with the session: in a session that nothing else uses meanwhile, and to its end before the
// first page is handed on, so that whoever gets its rows can ask for more in that same session. What was read in vain is not handed on.
//
// A segment that did not come whole is not asked for again, since the server is behind it by then: the listing begins anew. Where that happens
// again and again, or where it is not clear whether it was the last segment that came last, all rows are asked for in one answer.
func (r *reading) held(ctx context.Context, pages pagination.Held, request httpclient.Request) error {
	for try := 1; ; try++ {
		if try > heldTries {
			pages = pages.Whole()
		}
		segments, err := r.segments(ctx, pages, request)
		if errors.Is(err, errCursor) && pages.Size > 0 {
			r.reader.Log.Info(fmt.Sprintf("%s is read from its beginning once more: %v", r.Name, err))
			continue
		}
		if err != nil {
			return err
		}
		for i := range segments {
			rows := r.accept(&segments[i])
			if err := r.hand(&segments[i], rows, i+1 < len(segments)); err != nil {
				return err
			}
		}
		return nil
	}
}

// segments is all segments of a listing, the last of them the one that ended it. They wait for no room among the requests in flight: those
// that have it may wait for the session.
func (r *reading) segments(ctx context.Context, pages pagination.Held, request httpclient.Request) (all []fetched, err error) {
	ctx, release, err := r.reader.Client.Lease(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	for next, more := pages.First(request), true; more; {
		p, err := r.fetch(ctx, r.way, next, fetching{later: len(all) > 0})
		switch {
		case err != nil && (len(all) == 0 || ctx.Err() != nil):
			return nil, err
		case err != nil && !said(err):
			return nil, fmt.Errorf("%w: %w", errCursor, err)
		case err != nil || len(p.Records) > 0 && r.known(all, &p):
			if !complete(all, pages.Size) {
				return r.segments(ctx, pages.Whole(), request)
			}
			return all, nil
		}
		all = append(all, p)
		next, more = pages.Next(p.request, p.Page)
	}
	return all, nil
}

// said is whether the API itself says that there is no further segment, or something else that asking again does not change.
func said(err error) bool {
	_, lost := errors.AsType[*httpclient.SessionLost](err)
	return !lost && fault.Of(err).Kind != fault.Transient && !errors.Is(err, httpclient.ErrUnknownOutcome)
}

// complete is whether what came before a segment that is none was the end: the last one has fewer rows than those before it, or than were
// asked for where it is the only one.
func complete(all []fetched, size int) bool {
	if len(all) > 1 {
		size = len(all[0].Records)
	}
	return len(all[len(all)-1].Records) < size
}

// known is whether a segment has the rows of one that came: a server that begins again behind the end, or knows no segments at all.
func (r *reading) known(all []fetched, p *fetched) bool {
	alike := r.rows.alike(p)
	return slices.ContainsFunc(all, func(before fetched) bool { return r.rows.alike(&before) == alike })
}
