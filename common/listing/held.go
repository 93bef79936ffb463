package listing

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// heldTries is how often a listing is read segment by segment before all rows are asked for in one answer.
const heldTries = 3

// heldPlain is how many bytes of answers are held uncompressed; further ones are compressed.
const heldPlain = 4 << 20

// held reads a listing whose place the server keeps with the session. Nothing else uses that session meanwhile, and the listing is read to its end
// before its first page is handed on, so that the consumer can use the same session. If the place is lost, it begins anew. After heldTries, or if the
// last segment may be missing, one answer with all rows is believed if it has no fewer than are known: docs/decisions/012.
func (r *reading) held(ctx context.Context, pages pagination.Held, request httpclient.Request) *End {
	known := int64(0) // the most different rows that came in one try
	for try := 1; ; try++ {
		if try > heldTries {
			pages = pages.Whole()
		}
		s, end := r.segments(ctx, pages, request)
		switch known = max(known, s.rows); {
		case end != nil && end.Kind == lost:
			r.reader.Log.Info(r.Name + " is read from its beginning once more: the server's place in it was lost")
			continue
		case end != nil && end.Kind == unclear:
			try = heldTries
			continue
		case end != nil:
			return end
		case s.rows < known && pages.Size == 0:
			return failed(fault.Laterf("%s answered with %d rows when all were asked for, and with %d before, segment by segment.",
				r.Request.Path, s.rows, known))
		}
		for i, segment := range s.held {
			p, err := segment()
			if err != nil {
				return failed(fault.Systemf("A segment of %s cannot be read again: %w", r.Name, err))
			}
			s.held[i] = nil
			r.accept(p)
			if end := r.hand(p); end != nil {
				return end
			}
		}
		return nil
	}
}

// segments holds what came of a listing segment by segment.
type segments struct {
	held   []func() (*fetched, error) // each returns one segment, cut into rows; there may be thousands
	bytes  int                        // of the uncompressed bodies
	packer *flate.Writer
	rows   int64 // how many different ones came
}

// segments returns the segments of a listing. After the last one, end is nil. Its requests do not wait for room among those in flight, because the
// requests that have room may wait for the session.
func (r *reading) segments(ctx context.Context, pages pagination.Held, request httpclient.Request) (s segments, end *End) {
	session, release, err := r.reader.Client.Lease(ctx)
	if err != nil {
		return s, failed(err)
	}
	defer release()
	request.Session = session
	came, hashes, idle := NewSeen(false), map[uint64]bool{}, 0 // rows, hashes of segments, and how many segments in a row brought no new row
	for next, more := pages.First(request), true; more; {
		p, end := r.fetchWhole(ctx, pageRequest{Request: next, later: len(s.held) > 0})
		switch {
		case end == nil:
		case len(s.held) == 0 || ctx.Err() != nil:
			return s, end
		case fault.Of(end.Err).Kind == fault.Transient || errors.Is(end.Err, httpclient.ErrUnknownOutcome):
			return s, &End{Kind: lost}
		default: // the API has no further segment, for whatever reason, and asking again does not change that
			return s, &End{Kind: unclear}
		}
		fresh := r.rows.note(came, &p)
		s.rows += int64(fresh)
		if idle++; fresh > 0 {
			idle = 0
		}
		alike := r.rows.alike(&p)
		if len(p.Records) > 0 && (hashes[alike] || idle >= maxIdle) { // the server began again, ignores the segment, or lost the place
			return s, &End{Kind: unclear}
		}
		hashes[alike] = true
		next, more = pages.Next(p.request.Request, p.Page)
		r.hold(&s, &p)
	}
	return s, nil
}

// hold adds a segment to s, and frees its page if it compresses it. Rows whose lists were completed are in no answer, so they are never compressed.
func (r *reading) hold(s *segments, p *fetched) {
	size := len(p.Body.Raw())
	if r.Partial != nil || s.bytes < heldPlain {
		s.bytes += size
		s.held = append(s.held, func() (*fetched, error) { return p, nil })
		return
	}
	var body bytes.Buffer // writes to it never fail
	if s.packer == nil {
		s.packer, _ = flate.NewWriter(nil, flate.BestSpeed) // the level is valid
	}
	s.packer.Reset(&body)
	_, _ = s.packer.Write(p.Body.Raw())
	_ = s.packer.Close()
	packed, date, mended := bytes.Clone(body.Bytes()), p.Header.Get("Date"), p.mended
	s.held = append(s.held, func() (*fetched, error) { return r.unpack(packed, size, date, mended) })
	r.reader.free(p)
}

// unpack returns a segment whose body of size bytes was compressed.
func (r *reading) unpack(packed []byte, size int, date string, mended Mended) (p *fetched, err error) {
	body := make([]byte, size)
	if _, err := io.ReadFull(flate.NewReader(bytes.NewReader(packed)), body); err != nil {
		return nil, err
	}
	p = &fetched{memory: r.reader.memory(), mended: mended}
	p.Header = http.Header{"Date": {date}}
	if p.Body, _, err = record.Clean(body); err != nil {
		return nil, err
	}
	return p, r.cut(p)
}
