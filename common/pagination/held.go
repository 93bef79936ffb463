package pagination

import "github.com/imob-data/airbyte-connectors/common/httpclient"

// Held asks for the rows in segments of which the server keeps the place, with the session in which the requests are sent: all segments but
// the first are asked for by one and the same request. A segment without rows is the end; one that has fewer rows than were asked for need
// not be, since the server may give fewer.
type Held struct {
	In             httpclient.In
	SizeParam      string
	Size           int    // rows of a segment; 0: all rows are one answer
	Param          string // says which segment is asked for
	Begin, Further any    // its value for the first segment, and for the next one
}

// First returns r made to ask for the first segment.
func (h Held) First(r httpclient.Request) httpclient.Request {
	if h.Size == 0 {
		return r
	}
	return r.With(h.In, h.SizeParam, h.Size).With(h.In, h.Param, h.Begin)
}

// Next returns r made to ask for the segment that follows, whichever that is. It is not repeatable: the server is one segment further then.
func (h Held) Next(r httpclient.Request, p Page) (httpclient.Request, bool) {
	r = r.With(h.In, h.Param, h.Further)
	r.Once, r.Bound = true, true
	return r, h.Size > 0 && len(p.Records) > 0
}

// Whole returns h with all rows in one answer.
func (h Held) Whole() Held {
	h.Size = 0
	return h
}

// Resize asks for smaller segments.
func (h Held) Resize(size int) (Strategy, bool) {
	ok := smaller(h.SizeParam, &h.Size, size)
	return h, ok
}
