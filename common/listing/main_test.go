package listing_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/internal/memnet"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// past is what an API answers behind its last page.
type past uint8

const (
	empty past = iota
	lastAgain
	firstAgain
	badRequest
	unauthorized
)

// api is a listing of numbered pages. It may change at any request.
type api struct {
	rows  []string // JSON, in the order of the listing
	size  int      // rows in a page, whatever is requested; 0: as requested
	total func(rows int) string
	past  past
	pause time.Duration // before an answer
	// before is called before a request is answered, and after is called after that. number counts from 1.
	before, after func(a *api, number int)
	// page may replace the good answer for page number n.
	page func(a *api, n int, good string) string

	mu    sync.Mutex
	asked []string
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select { // outside of the lock, or a bubble's time would stand still
	case <-time.After(a.pause):
	case <-r.Context().Done():
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, r.URL.RawQuery)
	if a.before != nil {
		a.before(a, len(a.asked))
	}
	status, body := a.answer(r)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
	if a.after != nil {
		a.after(a, len(a.asked))
	}
}

func (a *api) answer(r *http.Request) (status int, body string) {
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, _ := strconv.Atoi(r.URL.Query().Get("size"))
	if a.size > 0 {
		size = a.size
	}
	last := max(1, (len(a.rows)+size-1)/size)
	if n > last {
		switch a.past {
		case lastAgain:
			n = last
		case firstAgain:
			n = 1
		case badRequest:
			return 400, `{"message":"no such page"}`
		case unauthorized:
			return 401, `{"message":"unauthorized"}`
		}
	}
	rows := a.rows[min(len(a.rows), (n-1)*size):min(len(a.rows), n*size)]
	body = `{"rows":[` + strings.Join(rows, ",") + `]}`
	if a.total != nil {
		body = `{"total":` + a.total(len(a.rows)) + `,` + body[1:]
	}
	if a.page != nil {
		body = a.page(a, n, body)
	}
	return 200, body
}

func (a *api) requests() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.asked)
}

func exactly(rows int) string { return strconv.Itoa(rows) }

// row is a row of an api.
func row(id int) string { return fmt.Sprintf(`{"id":%d}`, id) }

// made returns n rows, numbered from 1.
func made(n int) (rows []string) {
	for id := range n {
		rows = append(rows, row(id+1))
	}
	return rows
}

// result is the outcome of a reading.
type result struct {
	ids    []string
	counts map[string]int
	end    listing.End
	logged []string
}

// lines is a log handler that keeps the lines.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (*lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l *lines) WithGroup(string) slog.Handler          { return l }
func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Level >= slog.LevelInfo {
		l.all = append(l.all, r.Level.String()+" "+r.Message)
	}
	return nil
}

// reader returns a Reader of a.
func reader(t *testing.T, a http.Handler, log slog.Handler) *listing.Reader {
	t.Helper()
	m := memnet.New()
	server := &http.Server{Handler: a}
	go func() { _ = server.Serve(m) }()
	client, err := httpclient.New(httpclient.Options{BaseURL: "http://localhost", Dial: m.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		_ = server.Close()
	})
	r := &listing.Reader{Client: client, Log: slog.New(log), Budget: httpclient.NewBudget(1 << 20), Began: time.Now()}
	return r.New(4)
}

// numbered returns a listing of numbered pages.
func numbered(pages pagination.Number) listing.Listing {
	pages.Param, pages.Start, pages.SizeParam = "page", 1, "size"
	return listing.Listing{
		Name: "things", Request: httpclient.Request{Path: "/things"}, Records: "rows", Key: []string{"id"},
		Ways: []listing.Way{{Pages: pages}},
	}
}

// read reads the whole of l from a.
func read(t *testing.T, a http.Handler, l listing.Listing) *result {
	t.Helper()
	log := &lines{}
	return readWith(t, reader(t, a, log), l, log)
}

func readWith(t *testing.T, r *listing.Reader, l listing.Listing, log *lines) *result {
	t.Helper()
	got := &result{counts: map[string]int{}}
	pages, end := r.Read(t.Context(), l)
	for page := range pages {
		for _, row := range page.Rows {
			id := row.Data.Get("id").Text()
			got.ids = append(got.ids, id)
			got.counts[id]++
		}
	}
	got.end, got.logged = *end, log.all
	return got
}

// warned reports whether there was a warning.
func (r *result) warned() bool {
	return slices.ContainsFunc(r.logged, func(line string) bool { return strings.HasPrefix(line, "WARN") })
}

// once fails unless each row came at most once.
func (r *result) once(t *testing.T) {
	t.Helper()
	for id, n := range r.counts {
		if n > 1 {
			t.Errorf("row %s came %d times", id, n)
		}
	}
}

// whole fails unless the listing is done and each of ids came once.
func (r *result) whole(t *testing.T, ids []string) {
	t.Helper()
	r.once(t)
	if r.end.Kind != listing.Done {
		t.Errorf("ended as %d: %v", r.end.Kind, r.end.Err)
	}
	if missing := r.missing(ids); len(missing) > 0 {
		t.Errorf("%d rows are missing, such as %v", len(missing), missing[0])
	}
}

func (r *result) missing(ids []string) (missing []string) {
	for _, id := range ids {
		if r.counts[id] == 0 {
			missing = append(missing, id)
		}
	}
	return missing
}

func ids(from, to int) (all []string) {
	for id := from; id <= to; id++ {
		all = append(all, strconv.Itoa(id))
	}
	return all
}

// dice returns a source of randomness that starts the same way in every run.
func dice(seed int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), 1))
}

// without returns rows without the one at i.
func without(rows []string, i int) []string { return slices.Delete(slices.Clone(rows), i, i+1) }
