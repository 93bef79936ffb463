package sim_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// library is a complete simulator: an API of books with a token, pages, and a filter by time of change.
type library struct {
	with   libraryOptions
	mu     sync.Mutex // guards what follows
	books  sim.Table
	marked int64 // the newest time of change when everything had been read
}

type libraryOptions struct {
	Size int
	Seed uint64
	Now  func() time.Time
	Caps int // the most rows per page; 0 means one

	Rendered *sim.Rendered
}

func openLibrary(o sim.Options) (sim.Simulator, error) {
	return sim.Build("library", o, func(o libraryOptions) (*library, error) {
		if err := sim.NonNegative("library", o.Size, o.Caps); err != nil {
			return nil, err
		}
		o.Rendered = cmp.Or(o.Rendered, &sim.Rendered{})
		l := &library{with: o}
		l.books.Settle()
		for i := range o.Size {
			l.books.Add(sim.Row{Time: time.Date(2025, 1, 1+i%300, 0, 0, 0, 0, time.UTC).Unix()})
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
	since, _ := time.Parse(time.DateOnly, r.URL.Query().Get("since")) // the zero time lets everything through
	switch {
	case !sim.Same(r.Header.Get("Token"), "s3cret"):
		l.Error(w, http.StatusUnauthorized, "who are you?")
	case r.URL.Path != "/books":
		l.Error(w, http.StatusNotFound, "no such path")
	case err != nil || page < 1:
		l.Error(w, http.StatusBadRequest, "page is not a number")
	default:
		found := l.books.Matching(since.String(), func(i int) bool { return l.changed(i) >= since.Unix() }, nil)
		from, to := sim.Bounds(page, max(1, l.with.Caps), len(found))
		rows := make([]sim.JSON, to-from)
		for n, i := range found[from:to] {
			b := l.books.Rows[i]
			rows[n] = l.with.Rendered.Row(version{l.with.Seed, i, b}, func() any { return l.row(i, b) })
		}
		sim.Send(w, http.StatusOK, "application/json", sim.Ordered("total", len(found), "page", page, "books", rows))
	}
}

// version is everything that a row depends on.
type version struct {
	seed  uint64
	index int
	book  sim.Row
}

func (l *library) changed(i int) int64 { return l.books.Rows[i].Time }

// row returns a book. Some books have no subtitle.
func (l *library) row(i int, b sim.Row) sim.Object {
	d := sim.Dice(sim.Mix(l.with.Seed ^ uint64(i)))
	row := sim.Object{"id": i + 1, "title": fmt.Sprintf("Book %d, edition %d", i+1, b.Version), "sub": "x"}
	row["changed"] = time.Unix(b.Time, 0).UTC().Format(time.RFC3339)
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
	l.marked = l.books.Newest(l.changed)
	l.books.Settle()
	for _, i := range l.books.Pick(nil, 0, changed, func(int) bool { return true }) {
		r := &l.books.Rows[i]
		r.Time, r.Version, l.books.Must[i] = l.with.Now().Unix(), r.Version+1, true
	}
}

func (l *library) Expect() map[string]sim.Expectation {
	l.mu.Lock()
	defer l.mu.Unlock()
	books := l.books.Expect(l.marked, l.changed, func(i int) []string { return []string{strconv.Itoa(i + 1)} })
	return map[string]sim.Expectation{"books": books}
}

// A simulator of this size has everything that the gate offers.
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
