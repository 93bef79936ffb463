package proxy

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The kinds of failure of the Airbyte protocol, as a TRACE ERROR names them in failure_type.
const (
	ConfigError    = "config_error"
	SystemError    = "system_error"
	TransientError = "transient_error"
)

// Fault is a way in which an answer goes wrong that a proxy, a network or an overloaded server brings about. Whatever it is, a connector may
// get over it: by asking again it gets the right answer, and its sync is complete, with the same rows. Or it may fail: with a TRACE ERROR and
// an exit code that is not 0. The zero Fault is none.
type Fault struct {
	Name  string
	Means string // what happens, in a sentence
	// Kinds are the failure_types with which a run may fail that met it. What is nobody's fault must not be called the user's.
	Kinds []string

	page   bool // strikes a page that another one of the same listing came before, and knows that one
	once   bool // strikes once only, whatever the Plan says
	answer func(s *scene)
}

// Plan says which requests a fault strikes. Requests that differ are counted, not attempts: what was struck is answered rightly when it is
// asked for again.
type Plan struct {
	First int           // the first to be struck, of those that can be; 0 is the second, so that a login or a check gets through
	Every int           // after it, each so-manieth; 0 is every seventh, less than 0 none
	Times int           // how often in a row the same request is struck; 0 is once
	Pause time.Duration // how long an answer waits that is slow; 0 is three seconds
}

// Strike is a request that met the fault.
type Strike struct {
	Fault   string
	Request string // method, path and query, without secrets
}

// Faults returns all there are.
func Faults() []Fault {
	nobodys, anybodys := []string{TransientError, SystemError}, []string{TransientError, SystemError, ConfigError}
	all := []Fault{
		{Name: "500", Means: "the answer is 500 with an error in JSON", Kinds: nobodys, answer: refuse(http.StatusInternalServerError)},
		{Name: "502", Means: "the answer is 502 with a page of HTML, as gateways send it", Kinds: nobodys, answer: page(http.StatusBadGateway)},
		{Name: "html", Means: "the answer is 200 with a page of HTML, as in maintenance or before a login", Kinds: anybodys, answer: page(http.StatusOK)},
		{Name: "cut", Means: "the connection ends in the middle of the body", Kinds: nobodys, answer: (*scene).cut},
		{Name: "half", Means: "the body ends in the middle, and nothing else says so", Kinds: nobodys, answer: (*scene).half},
		{Name: "reset", Means: "the connection is reset in the place of an answer", Kinds: nobodys, answer: (*scene).reset},
		{Name: "slow-header", Means: "the answer is right, but nothing of it comes for a while", Kinds: nobodys, answer: (*scene).slow},
		{Name: "401", Means: "the answer is 401, once, in the middle of a sync", Kinds: []string{ConfigError, TransientError}, once: true,
			answer: refuse(http.StatusUnauthorized)},
		{Name: "repeated-page", Means: "the answer is the page that came before, as from a cache", Kinds: nobodys, page: true, answer: (*scene).repeat},
	}
	for _, wish := range []struct{ name, means string }{
		{"seconds", "a Retry-After in seconds"}, {"date", "a Retry-After that is a date"}, {"none", "no Retry-After"},
		{"negative", "a Retry-After of -1"}, {"text", "a Retry-After that is neither number nor date"}, {"far", "a Retry-After of ten years"},
	} {
		all = append(all, Fault{Name: "429-" + wish.name, Means: "the answer is 429 with " + wish.means, Kinds: nobodys, answer: tooMany(wish.name)})
	}
	return all
}

// Strike lets a fault happen from now on, in the place of the one before, and begins to count anew. The zero Fault ends it.
func (p *Proxy) Strike(f Fault, plan Plan) {
	plan.First, plan.Times, plan.Pause = cmp.Or(plan.First, 2), cmp.Or(plan.Times, 1), cmp.Or(plan.Pause, 3*time.Second)
	plan.Every = cmp.Or(plan.Every, 7)
	s := &p.striker
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.plan, s.counted, s.attempts, s.struck, s.pages, s.strikes = f, plan, 0, map[string]int{}, map[string]bool{}, map[string]*held{}, nil
}

// Strikes returns the requests that met the fault since the last call of Strike, in order.
func (p *Proxy) Strikes() []Strike {
	s := &p.striker
	s.mu.Lock()
	all := slices.Clone(s.strikes)
	s.mu.Unlock()
	for i := range all {
		all[i].Request = p.secrets.blank(all[i].Request)
	}
	return all
}

// striker is a fault at work.
type striker struct {
	mu       sync.Mutex
	fault    Fault
	plan     Plan
	counted  int // requests that could be struck
	attempts map[string]int
	struck   map[string]bool
	pages    map[string]*held // by listing, the last answer
	strikes  []Strike
}

// serve answers a request, with the fault if its turn has come.
func (s *striker) serve(c *call, w http.ResponseWriter, r *http.Request, next http.Handler) {
	fault, plan, before, turn := s.choose(c)
	switch {
	case turn:
		fault.answer(&scene{w: w, r: r, next: next, pause: plan.Pause, before: before})
	case fault.page:
		h := hold(w, true)
		next.ServeHTTP(h, r)
		s.keep(c, h)
	default:
		next.ServeHTTP(w, r)
	}
}

// choose tells the fault, and whether its turn has come.
func (s *striker) choose(c *call) (f Fault, plan Plan, before *held, turn bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, plan = s.fault, s.plan
	if f.Name == "" {
		return f, plan, nil, false
	}
	if f.page {
		if before = s.pages[c.listing()]; before == nil || !turns(before.call, c) {
			return f, plan, nil, false
		}
	}
	s.attempts[c.key]++
	if s.attempts[c.key] == 1 {
		s.counted++
		since := s.counted - plan.First
		first := since == 0 || f.once && since > 0 && len(s.strikes) == 0
		s.struck[c.key] = first || !f.once && since > 0 && plan.Every > 0 && since%plan.Every == 0
	}
	if !s.struck[c.key] || s.attempts[c.key] > plan.Times {
		return f, plan, nil, false
	}
	head, _, _ := strings.Cut(c.key, "\n")
	s.strikes = append(s.strikes, Strike{Fault: f.Name, Request: head})
	return f, plan, before, true
}

// keep keeps an answer that is whole, as the last one of its listing.
func (s *striker) keep(c *call, h *held) {
	if h.status != http.StatusOK || h.over {
		return
	}
	h.call = c
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pages != nil {
		s.pages[c.listing()] = h
	}
}

// listing returns what the pages of a listing have in common.
func (c *call) listing() string { return c.method + " " + c.goes.Host + c.goes.EscapedPath() }

// turns reports whether one request asks for another page than another one: they differ in one parameter, whose name says so.
func turns(a, b *call) bool {
	before, now := a.parameters(), b.parameters()
	var differ []string
	for name, value := range now {
		if other, ok := before[name]; !ok || other != value {
			differ = append(differ, name)
		}
	}
	for name := range before {
		if _, ok := now[name]; !ok {
			differ = append(differ, name)
		}
	}
	return len(differ) == 1 && turning.MatchString(differ[0]) && !times.MatchString(differ[0])
}

var (
	turning = regexp.MustCompile(`(?i)page|pagina|offset|skip|start|cursor|after|next|continuation|marker|scroll|token`)
	times   = regexp.MustCompile(`(?i)date|time|data|since|_at$`)
)

// scene is one answer that goes wrong.
type scene struct {
	w      http.ResponseWriter
	r      *http.Request
	next   http.Handler
	pause  time.Duration
	before *held
}

// refuse answers with a status and an error in JSON.
func refuse(status int) func(*scene) {
	return func(s *scene) {
		s.w.Header().Set("Content-Type", "application/json")
		s.w.WriteHeader(status)
		_, _ = fmt.Fprintf(s.w, `{"error":%q,"message":%[1]q}`, http.StatusText(status)) // a reader that went away is its own affair
	}
}

// page answers with a page for people.
func page(status int) func(*scene) {
	return func(s *scene) {
		s.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		s.w.WriteHeader(status)
		_, _ = fmt.Fprint(s.w, "<!DOCTYPE html><html><head><title>Unavailable</title></head><body><h1>Unavailable</h1></body></html>")
	}
}

// tooMany answers 429 with a Retry-After of a form.
func tooMany(form string) func(*scene) {
	return func(s *scene) {
		switch form {
		case "seconds":
			s.w.Header().Set("Retry-After", "1")
		case "date":
			s.w.Header().Set("Retry-After", time.Now().Add(2*time.Second).UTC().Format(http.TimeFormat))
		case "negative":
			s.w.Header().Set("Retry-After", "-1")
		case "text":
			s.w.Header().Set("Retry-After", "later")
		case "far":
			s.w.Header().Set("Retry-After", strconv.Itoa(10*365*24*60*60))
		}
		refuse(http.StatusTooManyRequests)(s)
	}
}

// reset closes the connection so that the reader's kernel is told of a reset, not of an end.
func (s *scene) reset() {
	conn, _, err := http.NewResponseController(s.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for below := conn; below != nil; {
		conn, below = below, nil
		switch c := conn.(type) {
		case *tls.Conn:
			below = c.NetConn()
		case *tunnel:
			below = c.Conn
		case *net.TCPConn:
			_ = c.SetLinger(0) // what cannot be reset is closed
		}
	}
	_ = conn.Close()
}

// slow waits before the answer.
func (s *scene) slow() {
	ctx, cancel := context.WithTimeout(s.r.Context(), s.pause)
	defer cancel()
	<-ctx.Done()
	if s.r.Context().Err() == nil {
		s.next.ServeHTTP(s.w, s.r)
	}
}

// cut announces the whole body and sends half of it.
func (s *scene) cut() {
	h := hold(s.w, false)
	s.next.ServeHTTP(h, s.r)
	h.send(h.body.Len(), h.body.Bytes()[:h.body.Len()/2])
	panic(http.ErrAbortHandler)
}

// half announces half of the body and sends it.
func (s *scene) half() {
	h := hold(s.w, false)
	s.next.ServeHTTP(h, s.r)
	half := h.body.Bytes()[:h.body.Len()/2]
	h.send(len(half), half)
}

// repeat answers with the page that came before.
func (s *scene) repeat() {
	h := s.before
	for name, values := range h.header {
		s.w.Header()[name] = slices.Clone(values)
	}
	s.w.Header().Set("Content-Length", strconv.Itoa(h.body.Len()))
	s.w.WriteHeader(h.status)
	_, _ = s.w.Write(h.body.Bytes()) // a reader that went away is its own affair
}
