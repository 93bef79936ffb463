package sim

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Stats are a Gate's counters at one moment.
type Stats struct {
	Requests      int // in all, whatever the answer
	Throttled     int // answered 429 by the quota
	Strays        int // that followed a redirect to another host, which no reader may
	MaxConcurrent int // the most that were in the works at one time
	Bytes         int64
	Paths         map[string]int // requests per path
	Repeats       map[string]int // path?query that was asked more than once, and how often
	Faults        map[Fault]int
}

// Request is one line of a Gate's log.
type Request struct {
	Time    time.Time
	Method  string
	URI     string // path?query as it came
	Header  http.Header
	Body    []byte // where Behaviour.LogBodies keeps them
	Inside  int    // requests in the works when it came, and itself
	Attempt int    // 1 for the first request for this URI
	Status  int    // 0 when none was sent
	Bytes   int64
	Fault   Fault // empty when the simulator itself answered
}

// visit is a request in the works.
type visit struct {
	Request
	number           int
	path             string
	throttled, stray bool
}

// book is where a Gate writes down what happens.
type book struct {
	mu       sync.Mutex
	keep     int
	bodies   bool
	requests []Request // the last ones, at least keep
	uris     map[string]int
	inside   int
	stats    Stats
}

func (b *book) arrive(r *http.Request) *visit {
	uri := r.URL.RequestURI()
	var body []byte
	if b.bodies {
		body = Body(r)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.uris == nil {
		b.uris, b.stats.Paths, b.stats.Faults = map[string]int{}, map[string]int{}, map[Fault]int{}
	}
	b.uris[uri]++
	b.stats.Requests++
	b.stats.Paths[r.URL.Path]++
	b.inside++
	b.stats.MaxConcurrent = max(b.stats.MaxConcurrent, b.inside)
	return &visit{
		Request: Request{
			Time: time.Now(), Method: r.Method, URI: uri, Header: r.Header.Clone(), Body: body, Inside: b.inside, Attempt: b.uris[uri],
		},
		number: b.stats.Requests,
		path:   r.URL.Path,
	}
}

func (b *book) leave(v *visit, out *recorder) {
	v.Status, v.Bytes = out.status, out.bytes
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inside--
	b.stats.Bytes += v.Bytes
	if v.throttled {
		b.stats.Throttled++
	}
	if v.stray {
		b.stats.Strays++
	}
	if v.Fault != "" {
		b.stats.Faults[v.Fault]++
	}
	b.requests = append(b.requests, v.Request)
	if len(b.requests) >= 2*b.keep {
		b.requests = slices.Clone(b.requests[len(b.requests)-b.keep:])
	}
}

// Stats returns the counters now.
func (g *Gate) Stats() Stats {
	b := &g.book
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats
	s.Paths, s.Faults, s.Repeats = maps.Clone(s.Paths), maps.Clone(s.Faults), map[string]int{}
	for uri, n := range b.uris {
		if n > 1 {
			s.Repeats[uri] = n
		}
	}
	return s
}

// Log returns the last requests that were answered, in the order of their ends.
func (g *Gate) Log() []Request {
	b := &g.book
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests[max(0, len(b.requests)-b.keep):])
}
