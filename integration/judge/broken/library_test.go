package broken

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// library is the API that the connector uses: books in the order of their changes, in pages; genres; and returned books.
type library struct {
	with    sim.Options
	mu      sync.Mutex
	books   []book
	marked  time.Time    // the newest change when everything had been read
	must    map[int]bool // changed since then, by id
	returns map[string]int
}

type book struct {
	id      int
	changed time.Time
	edition int
}

const (
	token     = "library/tok3n+for=the#tests"
	pageSize  = 20
	firstBook = "2025-01-01T00:00:00Z"
)

func openLibrary(o sim.Options) (sim.Simulator, error) {
	first, err := time.Parse(time.RFC3339, firstBook)
	if err != nil {
		return nil, err
	}
	l := &library{with: o, must: map[int]bool{}, returns: map[string]int{}}
	for i := range cmp.Or(o.Size, 100) {
		l.books = append(l.books, book{id: i + 1, changed: first.Add(time.Duration(i) * time.Minute)})
	}
	return l, nil
}

func (*library) Config(baseURL string, _ sim.Quota) map[string]any {
	return map[string]any{"base_url": baseURL, "credentials": map[string]any{"auth_type": "token", "token": token}}
}

func (*library) Secrets() []string { return []string{token} }

func (*library) Error(w http.ResponseWriter, status int, text string) {
	sim.Send(w, status, "application/json", sim.Object{"error": cmp.Or(text, http.StatusText(status))})
}

func (l *library) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch route := r.Method + " " + r.URL.Path; {
	case !sim.Same(r.Header.Get("Authorization"), "Bearer "+token):
		l.Error(w, http.StatusUnauthorized, "who are you?")
	case route == "GET /genres":
		sim.Send(w, http.StatusOK, "application/json", sim.Object{"genres": genres()})
	case route == "GET /books":
		l.page(w, r)
	case route == "POST /returns":
		var record struct{ Book json.Number }
		if err := json.Unmarshal(sim.Body(r), &record); err != nil {
			l.Error(w, http.StatusBadRequest, "a return is JSON")
			return
		}
		l.returns[record.Book.String()]++
		sim.Send(w, http.StatusOK, "application/json", sim.Object{})
	default:
		l.Error(w, http.StatusNotFound, "")
	}
}

func genres() (all []sim.Object) {
	for _, code := range []string{"ART", "BIO", "CRI", "DRA", "EPI"} {
		all = append(all, sim.Object{"code": code, "name": "Genre " + strings.ToLower(code)})
	}
	return all
}

// page answers with a page of the books that changed at a given time or later.
func (l *library) page(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.URL.Query().Get("page"))
	since, wrong := time.Parse(time.RFC3339, cmp.Or(r.URL.Query().Get("since"), firstBook))
	if err != nil || wrong != nil || number < 1 {
		l.Error(w, http.StatusBadRequest, "page is a number and since a moment")
		return
	}
	first, _ := slices.BinarySearchFunc(l.books, since, func(b book, at time.Time) int { return b.changed.Compare(at) })
	changed := l.books[first:]
	from, to := sim.Bounds(number, pageSize, len(changed))
	var rows []sim.Object
	for _, b := range changed[from:to] {
		rows = append(rows, l.row(b))
	}
	sim.Send(w, http.StatusOK, "application/json", sim.Object{"total": len(changed), "page": number, "size": pageSize, "books": rows})
}

// row returns a book. Some books have no subtitle, and some have the number of pages as a text.
func (l *library) row(b book) sim.Object {
	d := sim.Dice(sim.Mix(l.with.Seed ^ uint64(b.id)))
	row := sim.Object{
		"id": b.id, "title": fmt.Sprintf("Book %d, edition %d", b.id, b.edition), "subtitle": "A story", "loaned": d.Once(2), "pages": 100 + d.N(400),
		"changed": b.changed.Format(time.RFC3339), "author": sim.Object{"name": fmt.Sprintf("Author %d", d.N(20))},
	}
	if d.Once(3) {
		row["subtitle"] = sim.Absent
	}
	if b.id%10 == 3 {
		row["pages"] = "many"
	}
	return row.Present()
}

func (l *library) Change(changed, _ int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.must)
	l.marked = l.books[len(l.books)-1].changed
	at := time.Now()
	if l.with.Now != nil {
		at = l.with.Now()
	}
	at = at.UTC().Truncate(time.Second)
	for i := range min(changed, len(l.books)) {
		b := &l.books[i]
		b.edition, b.changed = b.edition+1, at.Add(time.Duration(i)*time.Second)
		l.must[b.id] = true
	}
	slices.SortFunc(l.books, func(a, b book) int { return a.changed.Compare(b.changed) })
}

func (l *library) Expect() map[string]sim.Expectation {
	l.mu.Lock()
	defer l.mu.Unlock()
	books := sim.Incremental()
	for _, b := range l.books {
		next := sim.Never
		if l.must[b.id] {
			next = sim.Must
		} else if !b.changed.Before(l.marked) {
			next = sim.May
		}
		books.Put(strconv.Itoa(b.id), sim.Must, next)
	}
	var codes []string
	for _, genre := range genres() {
		codes = append(codes, fmt.Sprint(genre["code"]))
	}
	return map[string]sim.Expectation{"books": books, "genres": sim.Whole(codes...)}
}

func (*library) Offer(n int) (all []sim.Offered) {
	for i := range n {
		all = append(all, sim.Offered{Stream: "returns", Data: map[string]any{"book": i + 1, "reader": fmt.Sprint("Reader ", i%5)}, ID: strconv.Itoa(i + 1)})
	}
	return all
}

func (l *library) Took(o sim.Offered) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.returns[fmt.Sprint(o.ID)]
}
