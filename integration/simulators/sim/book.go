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
	Requests      int // in total, whatever the answer
	Throttled     int // answered with 429 by the quota
	Strays        int // followed a redirect to another host, which no reader may do
	MaxConcurrent int // the most in progress at one time
	Bytes         int64
	Paths         map[string]int // requests per path
	Repeats       map[string]int // each path?query that was requested more than once, and how often
	Faults        map[Fault]int
}

// Request is one line of a Gate's log.
type Request struct {
	Time    time.Time
	Method  string
	URI     string // path?query as it came
	Header  http.Header
	Body    []byte // if Behaviour.LogBodies is set
	Inside  int    // requests in progress when it came, including itself
	Attempt int    // 1 for the first request for this URI
	Status  int    // 0 if none was sent
	Bytes   int64
	Fault   Fault // empty if the simulator itself answered
}

// visit is a request in progress.
type visit struct {
	Request
	number           int
	path             string
	throttled, stray bool
}

// book records a Gate's requests.
type book struct {
	mu       sync.Mutex
	keep     int
	bodies   bool
	requests []Request // the last ones, at least keep of them if there are as many
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

// Stats returns the current counters.
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

// Log returns the last requests that were answered, in the order in which they ended.
func (g *Gate) Log() []Request {
	b := &g.book
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests[max(0, len(b.requests)-b.keep):])
}
