// Package agenda simulates the API of Agenda, from the documentation in CONTRIBUTING.md.
package agenda

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Options are what a Simulator can be told. The zero value has 1,000 visits that nobody changes.
type Options struct {
	Size int              // visits; 0 means 1,000
	Seed uint64           // equal seeds give equal data
	Now  func() time.Time // the clock for what changes; nil is the wall clock
	Odd  bool             // rows have values as people leave them in old databases, see sim.Odd
	Key  string           // empty means one that looks different in each encoding
}

// Simulator is the API for one agency. Its methods may be called at any time from any goroutine.
type Simulator struct {
	with   Options
	routes *http.ServeMux

	mu     sync.Mutex // guards what follows
	visits []visit    // the one at i has the id v-i+1
	marked time.Time  // the newest time of change when all there was had been read
	must   map[int]bool
}

// visit is what varies of a visit; the rest follows from its id and the seed.
type visit struct {
	changed time.Time
	version int
}

var _ sim.Lister = (*Simulator)(nil)

// Open makes a Simulator from options by name: those of Options, see sim.Build.
func Open(o sim.Options) (sim.Simulator, error) { return sim.Build("agenda", o, open) }

func open(o Options) (*Simulator, error) {
	if o.Size < 0 {
		return nil, fmt.Errorf("opening agenda: %d visits cannot be", o.Size)
	}
	o.Size = cmp.Or(o.Size, 1000)
	o.Key = cmp.Or(o.Key, "agenda+k3y/"+strconv.FormatUint(sim.Mix(o.Seed), 36)+"==")
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Simulator{with: o, routes: http.NewServeMux(), must: map[int]bool{}}
	s.routes.HandleFunc("GET /v2/visits", s.list)
	s.routes.HandleFunc("GET /v2/visits/{id}/notes", s.notes)
	s.routes.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.Error(w, http.StatusNotFound, "") })
	for i := range o.Size {
		s.visits = append(s.visits, visit{changed: time.Date(2025, 1, 1, 12, 0, 0, 0, brasilia()).Add(time.Duration(i) * time.Hour)})
	}
	return s, nil
}

// brasilia is the zone of the API's times. Brazil has had no summer time since 2019, and all times here are later.
func brasilia() *time.Location { return time.FixedZone("America/Sao_Paulo", -3*60*60) }

// Config reads from baseURL with the agency's key.
func (s *Simulator) Config(baseURL string, quota sim.Quota) map[string]any {
	return map[string]any{"api_key": s.with.Key, "base_url": baseURL, "requests_per_minute": quota.PerMinute()}
}

// Secrets is the key.
func (s *Simulator) Secrets() []string { return []string{s.with.Key} }

// Error answers with an error as the API writes it.
func (s *Simulator) Error(w http.ResponseWriter, status int, text string) {
	sim.Send(w, status, "application/json", sim.Object{"error": cmp.Or(text, http.StatusText(status))})
}

// ServeHTTP answers a request with the agency's key.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !sim.Same(r.Header.Get("X-Api-Key"), s.with.Key) {
		s.Error(w, http.StatusUnauthorized, "the key is not known")
		return
	}
	if !s.with.Odd {
		s.routes.ServeHTTP(w, r)
		return
	}
	odd := &sim.Odd{Seed: s.with.Seed, Exact: []string{"id", "changed", "client", "number"}}
	s.routes.ServeHTTP(odd, r)
	odd.Send(w)
}

// size is the number of visits on a page, which the documentation does not let one choose.
const size = 10

// question is what a request for visits asks.
type question struct {
	from  int
	since time.Time // zero: all
}

// ask reads a request for visits; what the documentation does not allow is refused.
func ask(r *http.Request) (q question, err error) {
	for name, values := range r.URL.Query() {
		switch name {
		case "cursor":
			var text []byte
			if text, err = base64.URLEncoding.DecodeString(values[0]); err == nil {
				q.from, err = strconv.Atoi(string(text))
			}
		case "changed_after":
			q.since, err = time.ParseInLocation("2006-01-02 15:04", values[0], brasilia())
		default:
			return q, fmt.Errorf("there is no parameter %s", name)
		}
		if err != nil || q.from < 0 {
			return q, fmt.Errorf("%s cannot be %q", name, values[0])
		}
	}
	return q, nil
}

// cursor is the cursor of the page that begins at a position.
func cursor(from int) string { return base64.URLEncoding.EncodeToString([]byte(strconv.Itoa(from))) }

func (s *Simulator) list(w http.ResponseWriter, r *http.Request) {
	q, err := ask(r)
	if err != nil {
		s.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := []sim.Object{}
	for i, v := range s.visits {
		if !v.changed.Before(q.since) {
			rows = append(rows, s.row(i, v))
		}
	}
	from := min(q.from, len(rows))
	to := min(from+size, len(rows))
	answer := sim.Object{"visits": rows[from:to], "next": nil}
	if to < len(rows) {
		answer["next"] = cursor(to)
	}
	sim.Send(w, http.StatusOK, "application/json", answer)
}

// row is a visit as it goes out; some clients have no phone.
func (s *Simulator) row(i int, v visit) sim.Object {
	dice := sim.Dice(sim.Mix(s.with.Seed ^ uint64(i)))
	client := sim.Object{"name": fmt.Sprintf("Client %d", dice.N(500)), "phone": fmt.Sprintf("+55 47 9%08d", dice.N(100_000_000))}
	if dice.Once(4) {
		client["phone"] = nil
	}
	return sim.Object{
		"id": id(i), "property": fmt.Sprintf("AP-%d", dice.N(200)), "client": client, "day": v.changed.Format("02/01/2006"),
		"done": sim.Pick(&dice, []string{"S", "N"}), "changed": v.changed.Format(time.DateTime),
	}
}

func id(i int) string { return fmt.Sprintf("v-%d", i+1) }

// count is how many notes a visit has.
func count(i int) int { return 1 + i%3 }

func (s *Simulator) notes(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number, err := strconv.Atoi(strings.TrimPrefix(r.PathValue("id"), "v-"))
	switch {
	case err != nil || number < 1 || number > len(s.visits):
		s.Error(w, http.StatusNotFound, "no such visit")
	case r.URL.RawQuery != "":
		s.Error(w, http.StatusBadRequest, "there are no parameters")
	default:
		notes := []sim.Object{}
		for n := range count(number - 1) {
			notes = append(notes, sim.Object{"number": n + 1, "text": fmt.Sprintf("Note %d of edition %d", n+1, s.visits[number-1].version)})
		}
		sim.Send(w, http.StatusOK, "application/json", sim.Object{"notes": notes})
	}
}

// Listing is the page of visits that r asks for.
func (s *Simulator) Listing(r *http.Request) (sim.Listing, bool) {
	q, err := ask(r)
	return sim.Listing{
		Name: r.Method + " " + r.URL.Path + "?" + r.URL.Query().Get("changed_after"), From: q.from, Size: size, Key: "id",
		Form: sim.Form{List: "visits"},
		At: func(page int) *http.Request {
			other := r.Clone(r.Context())
			query := other.URL.Query()
			query.Set("cursor", cursor((page-1)*size))
			other.URL.RawQuery = query.Encode()
			return other
		},
	}, err == nil && r.URL.Path == "/v2/visits"
}

// Change says that all there is has been read, and then changes that many visits. None is deleted: the API has no way to.
func (s *Simulator) Change(changed, _ int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.must)
	s.marked = slices.MaxFunc(s.visits, func(a, b visit) int { return a.changed.Compare(b.changed) }).changed
	for _, i := range sim.Choose(len(s.visits), 0, changed, func(int) bool { return true }) {
		s.visits[i] = visit{s.with.Now().In(brasilia()).Truncate(time.Second), s.visits[i].version + 1}
		s.must[i] = true
	}
}

// Expect says what a read must bring: all visits with their notes, and after Change those that changed; what is at the mark comes again.
func (s *Simulator) Expect() map[string]sim.Expectation {
	s.mu.Lock()
	defer s.mu.Unlock()
	visits, notes := sim.Incremental(), sim.Incremental()
	for i, v := range s.visits {
		next := sim.Never
		switch {
		case s.must[i]:
			next = sim.Must
		case !v.changed.Before(s.marked):
			next = sim.May
		}
		visits.Put(id(i), sim.Must, next)
		for n := range count(i) {
			notes.Put(fmt.Sprintf("%s,%d", id(i), n+1), sim.Must, next)
		}
	}
	return map[string]sim.Expectation{"visits": visits, "notes": notes}
}
