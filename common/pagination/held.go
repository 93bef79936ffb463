package pagination

import "github.com/imob-data/airbyte-connectors/common/httpclient"

// Held asks for rows in segments. The server keeps the place of the next segment with the session in which the requests are sent, so all segments but
// the first are asked for by the same request. A segment without rows is the end. A segment with fewer rows than were asked for need not be, because
// the server may give fewer.
type Held struct {
	In             httpclient.In
	SizeParam      string
	Size           int    // rows of a segment; 0: one answer has all rows
	Param          string // the parameter that says which segment is asked for
	Begin, Further any    // the values of Param for the first segment, and for each further one
}

// First returns r made to ask for the first segment.
func (h Held) First(r httpclient.Request) httpclient.Request {
	if h.Size == 0 {
		return r
	}
	return r.With(h.In, h.SizeParam, h.Size).With(h.In, h.Param, h.Begin)
}

// Next returns r made to ask for the next segment, whichever that is. The request must not be repeated, because it moves the server's place.
func (h Held) Next(r httpclient.Request, p Page) (httpclient.Request, bool) {
	r = r.With(h.In, h.Param, h.Further)
	r.Once, r.Bound = true, true
	return r, h.Size > 0 && len(p.Records) > 0
}

// Whole returns h changed to ask for all rows in one answer.
func (h Held) Whole() Held {
	h.Size = 0
	return h
}

// Resize asks for smaller segments.
func (h Held) Resize(size int) (Strategy, bool) {
	ok := smaller(h.SizeParam, &h.Size, size)
	return h, ok
}
