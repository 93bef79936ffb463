package sim_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// library is a whole simulator: an API of books with a token, pages, and a filter by time of change.
type library struct {
	with   libraryOptions
	mu     sync.Mutex // guards what follows
	books  []book
	marked time.Time // the newest time of change when all had been read
	must   map[int]bool
}

type libraryOptions struct {
	Size int
	Seed uint64
	Now  func() time.Time
	Caps int // the most rows of a page; 0 means one

	Rendered *sim.Rendered
}

type book struct {
	changed time.Time
	version int
}

func openLibrary(o sim.Options) (sim.Simulator, error) {
	return sim.Build("library", o, func(o libraryOptions) (*library, error) {
		if o.Size < 0 {
			return nil, fmt.Errorf("opening library: %d books cannot be", o.Size)
		}
		l := &library{with: o, must: map[int]bool{}}
		for i := range o.Size {
			l.books = append(l.books, book{changed: time.Date(2025, 1, 1+i%300, 0, 0, 0, 0, time.UTC)})
		}
		return l, nil
	})
}

func (l *library) Config(baseURL string, q sim.Quota) map[string]any {
	return map[string]any{"token": "s3cret", "base_url": baseURL, "requests_per_minute": q.PerMinute()}
}

func (*library) Secrets() []string { return []string{"s3cret"} }

func (*library) Error(w http.ResponseWriter, status int, text string) {
	sim.Send(w, status, "application/json", sim.Object{"error": text})
}

func (l *library) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	since, _ := time.Parse(time.DateOnly, r.URL.Query().Get("since")) // the zero time lets all through
	switch {
	case !sim.Same(r.Header.Get("Token"), "s3cret"):
		l.Error(w, http.StatusUnauthorized, "who are you?")
	case r.URL.Path != "/books":
		l.Error(w, http.StatusNotFound, "no such path")
	case err != nil || page < 1:
		l.Error(w, http.StatusBadRequest, "page is not a number")
	default:
		rows := []sim.JSON{}
		for i, b := range l.books {
			if !b.changed.Before(since) {
				rows = append(rows, l.with.Rendered.Row(version{l.with.Seed, i, b}, func() any { return l.row(i, b) }))
			}
		}
		from, to := sim.Bounds(page, max(1, l.with.Caps), len(rows))
		sim.Send(w, http.StatusOK, "application/json", sim.Ordered("total", len(rows), "page", page, "books", rows[from:to]))
	}
}

// version is all that a row depends on.
type version struct {
	seed  uint64
	index int
	book  book
}

// row is a book; some have no subtitle.
func (l *library) row(i int, b book) sim.Object {
	d := sim.Dice(sim.Mix(l.with.Seed ^ uint64(i)))
	row := sim.Object{"id": i + 1, "title": fmt.Sprintf("Book %d, edition %d", i+1, b.version), "changed": b.changed.Format(time.RFC3339), "sub": "x"}
	if d.Once(3) {
		row["sub"] = sim.Absent
	}
	return row.Present()
}

func (l *library) Listing(r *http.Request) (sim.Listing, bool) {
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	return sim.Listing{
		Name: r.URL.Path + "?" + r.URL.Query().Get("since"), Page: page, Size: max(1, l.with.Caps), Key: "id",
		Form: sim.Form{List: "books", Total: "total", Echo: "page"},
		At:   func(page int) *http.Request { return sim.Turn(r, "page", page) },
	}, err == nil
}

func (l *library) Change(changed, _ int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.must)
	l.marked = slices.MaxFunc(l.books, func(a, b book) int { return a.changed.Compare(b.changed) }).changed
	for _, i := range sim.Choose(len(l.books), 0, changed, func(int) bool { return true }) {
		l.books[i] = book{l.with.Now(), l.books[i].version + 1}
		l.must[i] = true
	}
}

func (l *library) Expect() map[string]sim.Expectation {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := sim.Incremental()
	for i, b := range l.books {
		next := sim.Never
		if l.must[i] {
			next = sim.Must
		} else if !b.changed.Before(l.marked) {
			next = sim.May
		}
		e.Put(strconv.Itoa(i+1), sim.Must, next)
	}
	return map[string]sim.Expectation{"books": e}
}

// A simulator of this size has all that the gate offers.
func TestWholeSimulator(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
	l, err := openLibrary(sim.Options{Size: 7, Now: now, Set: map[string]string{"caps": "3"}})
	if err != nil {
		t.Fatal(err)
	}
	gate := sim.NewGate(l, sim.Behaviour{Alter: sim.InPages("/books", sim.On(2, sim.Promise(1)))})
	ask := func(uri string) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, uri, nil)
		r.Header.Set("Token", "s3cret")
		w := httptest.NewRecorder()
		gate.ServeHTTP(w, r)
		return strconv.Itoa(w.Code) + " " + w.Body.String()
	}
	l.Change(2, 0)
	const seventh = `{"changed":"2025-01-07T00:00:00Z","id":7,"title":"Book 7, edition 0"}`
	for uri, want := range map[string]string{
		"/books?page=x":                  `400 {"error":"page is not a number"}`,
		"/books?page=3":                  `200 {"books":[` + seventh + `],"page":3,"total":7}`,
		"/books?page=2&since=2026-01-01": `200 {"books":[],"page":2,"total":3}`,
	} {
		if got := ask(uri); got != want {
			t.Errorf("%s: %s, want %s", uri, got, want)
		}
	}
	if e := l.Expect()["books"]; len(e.Full.Must) != 7 || len(e.Next.Must) != 2 || len(gate.Listed("/books").Must) != 7 {
		t.Errorf("%+v, %+v", e, gate.Listed("/books"))
	}
}
