package listing_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/internal/memnet"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/pagination"
)

// keeping is an API that keeps the place in a listing with the session.
type keeping struct {
	rows  []string
	cap   int    // the most rows in a segment; 0: as many as asked
	past  string // the answer after the last segment; "": an empty list
	lose  int    // the number of the request, counting all, whose session is no longer known; 0: none
	cut   int    // the number of the request whose answer is cut off; 0: none
	solid bool   // it knows no segments: each request gets the first one
	most  int    // larger segments are refused; 0: none is
	// The numbers of requests: one whose answer has two rows, one that fails, and one before which the place is forgotten. 0: none.
	short, fails, forgets int
	mixed                 bool // each segment has some of the rows, in an order of its own
	limit                 int  // how many rows the answer with all rows has; 0: all

	mu      sync.Mutex
	asked   int
	whole   int // requests for all rows at once
	logins  int
	logouts int
	left    map[string][]string // by session
	allowed int                 // sessions, according to a login
}

func (k *keeping) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Session, Do, More string
		Size              int
	}
	_ = json.NewDecoder(r.Body).Decode(&q)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch q.Do {
	case "in":
		k.logins++
		_, _ = fmt.Fprintf(w, `{"session":"s%d","most":%d}`, k.logins, k.allowed)
		return
	case "out":
		k.logouts++
		delete(k.left, q.Session)
		_, _ = w.Write([]byte(`{}`))
		return
	}
	if k.asked++; k.asked == k.lose || q.Session == "" {
		_, _ = w.Write([]byte("session lost"))
		return
	}
	if k.most > 0 && (q.Size == 0 || q.Size > k.most) {
		_, _ = w.Write([]byte(`{"wrong":"too large"}`))
		return
	}
	if k.asked == k.fails {
		_, _ = w.Write([]byte(`{"wrong":"no memory"}`))
		return
	}
	if k.left == nil {
		k.left = map[string][]string{}
	}
	if k.asked == k.forgets || k.mixed {
		k.left[q.Session] = k.rows
	}
	if k.mixed && q.Size > 0 {
		at := k.asked % len(k.rows)
		k.left[q.Session] = slices.Concat(k.rows[at:], k.rows[:at])
	}
	switch {
	case q.More == "Y" && !k.solid && len(k.left[q.Session]) == 0 && k.past == "error":
		_, _ = w.Write([]byte(`{"wrong":"no more"}`))
		return
	case q.More != "Y" || k.solid || k.past == "begins" && len(k.left[q.Session]) == 0:
		k.left[q.Session] = k.rows
	}
	size := q.Size
	if k.cap > 0 && size > 0 {
		size = min(size, k.cap)
	}
	if q.Size == 0 {
		k.whole++
		size = cmp.Or(k.limit, len(k.rows))
	}
	if k.asked == k.short {
		size = 2
	}
	n := min(size, len(k.left[q.Session]))
	page := k.left[q.Session][:n]
	k.left[q.Session] = k.left[q.Session][n:]
	text := `{"rows":[` + strings.Join(page, ",") + `]}`
	if k.past == "absent" && n == 0 {
		text = `{}`
	}
	if k.asked == k.cut {
		text = text[:len(text)/2]
	}
	_, _ = w.Write([]byte(text))
}

// sessions returns a Reader of k with sessions, and a listing read in segments of ten rows, whose place it keeps.
func sessions(t *testing.T, k http.Handler, count int) (*listing.Reader, listing.Listing, *lines) {
	t.Helper()
	m := memnet.New()
	server := &http.Server{Handler: k}
	go func() { _ = server.Serve(m) }()
	call := func(do string) httpclient.Request {
		return httpclient.Request{Method: http.MethodPost, Path: "/", Body: map[string]any{"Do": do}}
	}
	client, err := httpclient.New(httpclient.Options{
		BaseURL: "http://localhost", Dial: m.Dial,
		Auth: &auth.Sessions{
			Login: call("in"), Logout: call("out"), Count: count, Most: "most",
			Part: auth.Part{From: "session", In: httpclient.Body, Key: "Session"},
		},
		Judge: func(r *httpclient.Response) httpclient.Verdict {
			switch {
			case strings.HasPrefix(string(r.Text), "session lost"):
				return httpclient.Expired(fault.Configf("No session lasts."))
			case r.Body.Get("wrong").Exists():
				return httpclient.Fail(fault.Configf("It is refused."))
			}
			return httpclient.Verdict{}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		_ = server.Close()
	})
	log := &lines{}
	r := &listing.Reader{Client: client, Log: slog.New(log), Began: time.Now()}
	r.TooLarge = func(resp *httpclient.Response) (int, bool) { return 0, resp.Body.Get("wrong").Text() == "too large" }
	return r.New(count), listing.Listing{
		Name: "things", Request: call("list"), Records: "rows", Key: []string{"id"}, Omits: true,
		Ways: []listing.Way{{Pages: pagination.Held{
			In: httpclient.Body, SizeParam: "Size", Size: 10, Param: "More", Begin: "N", Further: "Y",
		}}},
	}, log
}

// However a listing ends, and whatever happens to it, each row comes once.
func TestHeld(t *testing.T) {
	for name, tt := range map[string]struct {
		rows int
		api  *keeping
		once bool // all rows must have been asked for at once
	}{
		"an empty segment ends it":          {rows: 25},
		"a multiple of the size":            {rows: 30},
		"no rows":                           {},
		"no list ends it":                   {rows: 30, api: &keeping{past: "absent"}},
		"an error behind the end":           {rows: 25, api: &keeping{past: "error"}, once: true},
		"an error in the middle":            {rows: 25, api: &keeping{short: 2, fails: 3}, once: true},
		"it begins again behind its end":    {rows: 25, api: &keeping{past: "begins"}, once: true},
		"it begins again in the middle":     {rows: 25, api: &keeping{short: 2, forgets: 3}, once: true},
		"its segments are never the same":   {rows: 25, api: &keeping{mixed: true}, once: true},
		"segments are smaller than asked":   {rows: 25, api: &keeping{cap: 4}},
		"it knows no segments":              {rows: 25, api: &keeping{solid: true}, once: true},
		"smaller segments are wanted":       {rows: 25, api: &keeping{most: 3}},
		"the session is lost at first":      {rows: 25, api: &keeping{lose: 1}},
		"the session is lost in the middle": {rows: 25, api: &keeping{lose: 3}},
		"an answer is lost in the middle":   {rows: 25, api: &keeping{cut: 2}},
		"the first answer is lost":          {rows: 25, api: &keeping{cut: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := tt.api
				if k == nil {
					k = &keeping{}
				}
				k.rows = made(tt.rows)
				r, l, log := sessions(t, k, 1)
				got := readWith(t, r, l, log)
				got.whole(t, ids(1, tt.rows))
				if (k.whole > 0) != tt.once {
					t.Errorf("all rows were asked for at once %d times", k.whole)
				}
				if err := r.Client.SignOff(t.Context(), false); err != nil || len(k.left) > 1 || k.logouts != 1 {
					t.Errorf("%d logins, %d logouts: %v", k.logins, k.logouts, err)
				}
			})
		})
	}
}

// The segments held of a listing while it is read take few bytes for each row once there are many, and their rows are unchanged.
func TestHeldIsSmall(t *testing.T) {
	const rows = 150_000
	k := &keeping{}
	for id := range rows {
		k.rows = append(k.rows, fmt.Sprintf(`{"id":%d,"text":"%s %d"}`, id+1, strings.Repeat("It is as long as rows are. ", 6), id))
	}
	r, l, _ := sessions(t, k, 1)
	pages := l.Ways[0].Pages.(pagination.Held)
	pages.Size = 200
	l.Ways[0].Pages = pages
	before, held, came := memory(), int64(0), 0
	all, end := r.Read(t.Context(), l)
	for page := range all {
		if came == 0 {
			held = memory() - before
		}
		for _, row := range page.Rows {
			if string(row.Data.Raw()) != k.rows[came] {
				t.Fatalf("row %d is %s", came, row.Data.Raw())
			}
			came++
		}
	}
	if came != rows || end.Kind != listing.Done {
		t.Errorf("%d rows came: %v", came, end.Err)
	}
	if t.Logf("%.1f MiB are held of %d rows", float64(held)/(1<<20), rows); held > 20<<20 {
		t.Errorf("%.1f MiB are held", float64(held)/(1<<20))
	}
}

// memory returns how many bytes of memory are in use.
func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// An answer with all rows that has fewer than came segment by segment is not complete.
func TestHeldCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, l, log := sessions(t, &keeping{rows: made(25), past: "error", limit: 20}, 1)
		if got := readWith(t, r, l, log); got.end.Kind != listing.Failed || fault.Of(got.end.Err).Kind != fault.Transient || len(got.ids) > 0 {
			t.Errorf("it ended as %d with %d rows: %v", got.end.Kind, len(got.ids), got.end.Err)
		}
	})
}

// A refusal of the first segment is not the end.
func TestHeldRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, l, log := sessions(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var q struct{ Do string }
			if _ = json.NewDecoder(r.Body).Decode(&q); q.Do == "in" {
				_, _ = w.Write([]byte(`{"session":"s1"}`))
				return
			}
			_, _ = w.Write([]byte(`{"wrong":"not allowed"}`))
		}), 1)
		if got := readWith(t, r, l, log); got.end.Kind != listing.Failed || fault.Of(got.end.Err).Kind != fault.Config {
			t.Errorf("it ended as %d: %v", got.end.Kind, got.end.Err)
		}
	})
}

// A list may be missing or null if there are no rows. An object in its place is neither a list nor an empty one.
func TestListsThatAreLeftOut(t *testing.T) {
	for body, want := range map[string]listing.Kind{
		`{"in":{}}`: listing.Done, `{"in":null}`: listing.Done, `{"in":{"rows":null}}`: listing.Done, `{"in":{"rows":""}}`: listing.Done,
		`{"in":{"rows":[],"errors":[]}}`: listing.Done, `{"in":{"Rows":[{"id":1}]}}`: listing.Failed, `{"in":[{"id":1}]}`: listing.Failed,
		`{"in":{"rows":{"id":1}}}`: listing.Failed, `{}`: listing.Failed, `"ok"`: listing.Failed,
	} {
		synctest.Test(t, func(t *testing.T) {
			log := &lines{}
			r := reader(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }), log)
			l := listing.Listing{Name: "things", Request: httpclient.Request{Path: "/"}, Records: "in.rows", Omits: true,
				Ways: []listing.Way{{Pages: pagination.Held{}}}}
			if got := readWith(t, r, l, log); got.end.Kind != want || len(got.ids) > 0 {
				t.Errorf("%s: it ended as %d with %v: %v", body, got.end.Kind, got.ids, got.end.Err)
			}
		})
	}
}

// A single object without members is not a row.
func TestAnObjectWithoutMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for body, want := range map[string]int{`{"row":{}}`: 0, `{"row":{"id":1}}`: 1, `{"row":{"a":null}}`: 1} {
			log, rows := &lines{}, 0
			r := reader(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }), log)
			pages, end := r.Read(t.Context(), listing.Listing{Name: "things", Request: httpclient.Request{Path: "/"}, Records: "row",
				Ways: []listing.Way{{Pages: pagination.Single{}}}})
			for page := range pages {
				rows += len(page.Rows)
			}
			if end.Kind != listing.Done || rows != want {
				t.Errorf("%s has %d rows: %v", body, rows, end.Err)
			}
		}
	})
}

// Listings that are read at the same time have a session each, up to the allowed number, and each session is logged out.
func TestSessionsAreShared(t *testing.T) {
	for most, want := range map[int]int{0: 3, 2: 2, 9: 3} {
		synctest.Test(t, func(t *testing.T) {
			k := &keeping{rows: made(25), allowed: most}
			r, l, log := sessions(t, k, 3)
			readWith(t, r, l, log) // the first login tells how many there may be
			var wait sync.WaitGroup
			for range 6 {
				wait.Go(func() { readWith(t, r, l, &lines{}).whole(t, ids(1, 25)) })
			}
			wait.Wait()
			if err := r.Client.SignOff(t.Context(), false); err != nil || k.logins > want || k.logouts != k.logins {
				t.Errorf("%d may be open, and %d logins and %d logouts came: %v", most, k.logins, k.logouts, err)
			}
		})
	}
}
