package listing

import (
	"context"
	"errors"

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
// again and again, or where it is not clear whether it was the last segment that came last, all rows are asked for in one answer, which is
// believed if it has no fewer rows than are known. See docs/decisions/012.
func (r *reading) held(ctx context.Context, pages pagination.Held, request httpclient.Request) *End {
	known := 0 // different rows, the most that came in one try
	for try := 1; ; try++ {
		if try > heldTries {
			pages = pages.Whole()
		}
		segments, how, end := r.segments(ctx, pages, request)
		if end != nil {
			return end
		}
		came := r.rows.different(segments)
		switch known = max(known, came); {
		case how == lost:
			r.reader.Log.Info(r.Name + " is read from its beginning once more: the server's place in it was lost")
			continue
		case how == unclear:
			try = heldTries
			continue
		case came < known && pages.Size == 0:
			return failed(fault.Transientf("%s answered with %d rows when all were asked for, and with %d before, segment by segment. "+
				"Trying again later may help.", r.Request.Path, came, known))
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

// segmented is how the segments of a listing came to an end.
type segmented int

const (
	ended   segmented = iota // with the last one
	lost                     // the server's place in it was lost on the way
	unclear                  // maybe with the last one: behind it came an error, or rows that had come
)

// segments returns the segments of a listing, and how they ended; end says why there are none. Its requests wait for no room among those in
// flight: those that have it may wait for the session.
func (r *reading) segments(ctx context.Context, pages pagination.Held, request httpclient.Request) (all []fetched, how segmented, end *End) {
	ctx, release, err := r.reader.Client.Lease(ctx)
	if err != nil {
		return nil, ended, failed(err)
	}
	defer release()
	came, whole, idle := map[string]bool{}, map[uint64]bool{}, 0 // rows, segments, and how many of those brought no new row
	for next, more := pages.First(request), true; more; {
		p, end := r.fetch(ctx, r.way, next, fetching{later: len(all) > 0})
		switch {
		case end != nil && (len(all) == 0 || ctx.Err() != nil):
			return nil, ended, end
		case end != nil && !said(end.Err):
			return all, lost, nil
		case end != nil:
			return all, unclear, nil
		}
		if idle++; r.rows.note(came, &p) > 0 {
			idle = 0
		}
		alike := r.rows.alike(&p)
		if len(p.Records) > 0 && (whole[alike] || idle >= maxIdle) { // the server begins again, knows no segments, or forgot
			return all, unclear, nil
		}
		whole[alike] = true
		all = append(all, p)
		next, more = pages.Next(p.request, p.Page)
	}
	return all, ended, nil
}

// said reports whether it is the API itself that has no further segment, for whatever reason, which asking again does not change.
func said(err error) bool {
	return fault.Of(err).Kind != fault.Transient && !errors.Is(err, httpclient.ErrUnknownOutcome)
}
