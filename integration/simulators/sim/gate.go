package sim

import (
	"context"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Behaviour is what stands between a simulator and its readers. The zero value lets everything through.
type Behaviour struct {
	Quota   Quota
	Faults  Faults
	Latency time.Duration // delays every answer
	Gzip    bool          // compress answers for readers that accept it
	LogSize int           // how many of the last requests Log keeps; 0 means 10,000

	LogBodies bool // keep the bodies of requests too

	// Keep is for readers that read the same again and again. It is how many bytes of answers are kept. A repeated request gets the kept answer,
	// whatever its headers. So nothing may change, and answers must not depend on the login.
	Keep int64

	// Alter changes answers before they are sent, after quota and faults were applied; see InPages for pages of listings. It is called for one answer at
	// a time. What it remembers belongs to one Gate. Altered answers are not compressed.
	Alter func(*Answer)
}

// Gate serves a simulator under a Behaviour and counts and logs the requests. A Gate has its own quota, faults and counters. Several Gates may serve
// one simulator, one after the other, for example first with faults and then without.
type Gate struct {
	book      book
	simulator Simulator
	with      Behaviour
	window    *window
	injector  *injector
	alter     *alteration
	inner     http.Handler
}

// NewGate puts a simulator behind a Behaviour. The effects of the Behaviour are deterministic for a reader that sends one request after the other;
// those of Faults.Rate are for any reader.
func NewGate(s Simulator, with Behaviour) *Gate {
	g := &Gate{simulator: s, with: with, window: newWindow(with.Quota), injector: newInjector(with.Faults), alter: newAlteration(s), inner: s}
	g.book.keep, g.book.bodies = with.LogSize, with.LogBodies
	if g.book.keep == 0 {
		g.book.keep = 10_000
	}
	if with.Keep > 0 {
		g.inner = newKeeper(s, with.Keep)
	}
	if with.Gzip {
		g.inner = zipped(g.inner)
	}
	if with.Alter != nil {
		g.inner = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.alter.serve(with.Alter, w, r) })
	}
	return g
}

// elsewhere begins the paths to which the fault Redirect redirects.
const elsewhere = "/elsewhere"

// ServeHTTP checks the request against the quota at its arrival, and then lets the simulator or a fault answer it.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := &recorder{ResponseWriter: w}
	visit := g.book.arrive(r)
	defer func() { g.book.leave(visit, out) }()

	if strings.HasPrefix(r.URL.Path, elsewhere+"/") {
		visit.stray = true
		out.Header().Set("Content-Type", "application/json")
		_, _ = out.Write([]byte("{}"))
		return
	}
	now, left, ok := g.window.admit(visit.number)
	if !wait(r.Context(), g.with.Latency) {
		return
	}
	if !ok {
		visit.throttled = true
		g.with.Quota.RetryAfter.header(out.Header(), now, left)
		g.simulator.Error(out, http.StatusTooManyRequests, "")
		return
	}
	if visit.Fault = g.injector.choose(r, visit.number, visit.Attempt); visit.Fault == "" {
		g.inner.ServeHTTP(out, r)
		return
	}
	g.inject(visit.Fault, out, r)
}

// head writes the status and the headers, including the Content-Length.
func head(w http.ResponseWriter, header http.Header, status, length int) {
	maps.Copy(w.Header(), header)
	w.Header().Set("Content-Length", strconv.Itoa(length))
	w.WriteHeader(status)
}

// flush sends what was written.
func flush(w http.ResponseWriter) {
	_ = http.NewResponseController(w).Flush() // a recorder in a test cannot flush, and need not
}

// wait waits for d. It returns false if the reader went away before.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// anotherHost returns this server under another name, so that a redirect there counts as one to another host and can be observed.
func anotherHost(r *http.Request) string {
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		host, port = r.Host, "80"
	}
	other := "localhost"
	if host == other {
		other = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(other, port) + elsewhere + r.URL.Path
}
