package rest_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// sets is dated, read once without a status and once for each of three, of which the API may refuse the last. It also has a listing for the check.
func sets(d rest.API) rest.API {
	d = dated(d)
	d.Check = "others"
	d.Judge = func(r *httpclient.Response) httpclient.Verdict {
		if r.Status == http.StatusUnauthorized {
			return httpclient.Fail(fault.Configf("Mend the token or a parameter."))
		}
		return httpclient.Verdict{}
	}
	s := &d.Streams[0]
	s.Each, s.Maybe = []map[string]any{{}, {"status": 1}, {"status": 2}}, []map[string]any{{"status": 3}}
	s.Refused = func(r *httpclient.Response) bool { return r.Status == http.StatusUnauthorized }
	d.Streams = append(d.Streams, rest.Stream{Name: "others", Path: "/others", Key: []string{"id"}})
	return d
}

func TestSetsOverlapAndAreRefused(t *testing.T) {
	open, dead := things(5), false
	a := serve(t, func(r *http.Request) (int, string) {
		status := r.URL.Query().Get("status")
		switch {
		case dead && (status == "3" || r.URL.Path == "/others"), status == "3":
			return 401, `{}`
		case status == "2":
			return paged(r, append(slices.Clone(open[3:]), thing(7, "2026-01-07 10:00:00")))
		case status == "":
			return paged(r, open[:4])
		}
		return paged(r, open)
	})
	source := a.source(sets)
	o := read(t.Context(), t, source, nil, "things")
	o.complete(t)
	if got := o.ids("things"); !slices.Equal(got, []string{"1", "2", "3", "4", "5", "7"}) {
		t.Errorf("got %v", got)
	}
	if n := count(a.requests(), "/others"); n != 1 {
		t.Errorf("whether the API still answers was asked %d times", n)
	}
	dead = true
	if o := read(t.Context(), t, source, nil, "things"); fault.Of(o.err).Kind != fault.Config {
		t.Errorf("the credentials ended, and the read ended with %v", o.err)
	}
}

// TestASetThatIsRefusedOnResume begins a run with the set that may be refused. The API refuses it by a 401, which could also mean wrong credentials.
func TestASetThatIsRefusedOnResume(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		if r.URL.Query().Get("status") == "3" {
			return 401, `{}`
		}
		return paged(r, things(5))
	})
	source := a.source(func(d rest.API) rest.API {
		d = sets(d)
		d.Streams[0].Refused = func(r *httpclient.Response) bool { return r.Answered && r.Status == http.StatusUnauthorized }
		return d
	})
	read(t.Context(), t, source, stateOf("things",
		`{"t":null,"cycle":{"mode":"full_refresh","start":"2026-02-01T00:00:00Z","slices":["","status=1","status=2"],"records":5}}`), "things").complete(t)
}

// TestSetsThatMayNotBeRefused checks that a set that the API must know is not read as empty if it is refused.
func TestSetsThatMayNotBeRefused(t *testing.T) {
	for _, refused := range []string{"", "2"} {
		a := serve(t, func(r *http.Request) (int, string) {
			if r.URL.Path == "/things" && r.URL.Query().Get("status") == refused {
				return 401, `{}`
			}
			return paged(r, things(2))
		})
		if o := read(t.Context(), t, a.source(sets), nil, "things"); fault.Of(o.err).Message != "Mend the token or a parameter." {
			t.Errorf("status %q: ended with %v", refused, o.err)
		}
	}
}

// TestFilterIgnoredInEverySet checks that every set is still read after the API was seen to ignore the filter with one of them.
func TestFilterIgnoredInEverySet(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		switch status := r.URL.Query().Get("status"); status {
		case "":
			return paged(r, things(5))
		case "3":
			return 401, `{}`
		default:
			return paged(r, []string{thing(10+mustAtoi(status), "2026-02-01 10:00:00"), thing(20+mustAtoi(status), "2026-01-01 10:00:00")})
		}
	})
	source := a.source(sets)
	first := read(t.Context(), t, source, nil, "things+")
	first.complete(t)
	second := read(t.Context(), t, source, first, "things+")
	second.complete(t)
	if got := second.ids("things"); !slices.Equal(got, []string{"11", "12"}) || len(second.warnings) != 1 {
		t.Errorf("got %v, warnings %v", got, second.warnings)
	}
}

func TestParentsThatAreAlwaysAskedFor(t *testing.T) {
	rows := []string{`{"id":1,"t":"2026-01-01 10:00:00","open":true}`, `{"id":2,"t":"2026-01-02 10:00:00"}`, thing(3, "2026-01-30 10:00:00")}
	a := serve(t, func(r *http.Request) (int, string) {
		if r.URL.Path == "/things" {
			since := r.URL.Query().Get("since")
			return paged(r, slices.DeleteFunc(slices.Clone(rows), func(row string) bool { return record.Record(row).Get("t").Text() < since }))
		}
		return paged(r, []string{`{"id":` + strings.TrimPrefix(r.URL.Path, "/kids/") + `}`})
	})
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		clock := *d.Streams[0].Cursor
		clock.As = "parent_t"
		d.Streams = append(d.Streams, rest.Stream{
			Name: "kids", Path: "/kids/{id}", Key: []string{"id"}, Cursor: &clock,
			Parent: &rest.Parent{
				Of: "things", Follows: true, In: httpclient.Path, Params: map[string]string{"id": "id"},
				Always: func(r record.Record) bool { return r.Get("open").True() },
			},
		})
		return d
	})
	first := read(t.Context(), t, source, nil, "things+", "kids+")
	first.complete(t)
	second := read(t.Context(), t, source, first, "things+", "kids+")
	second.complete(t)
	if got := second.ids("kids"); !slices.Equal(sorted(got...), []string{"1", "3"}) || !slices.Equal(second.ids("things"), []string{"3"}) {
		t.Errorf("kids %v, things %v", got, second.ids("things"))
	}
	if !slices.Equal(second.states["kids"], first.states["kids"]) {
		t.Errorf("states %v, then %v", first.states, second.states)
	}
}

func TestMissingRoutesAreNoMissingRows(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		switch r.URL.Path {
		case "/things":
			return paged(r, things(2))
		case "/kids/1":
			return 404, `{"message":"gone"}`
		default:
			return 404, `<html></html>`
		}
	})
	o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Absent = func(r *httpclient.Response) bool { return r.Status == 404 && !r.Body.Exists() }
		d.Streams = append(d.Streams, rest.Stream{
			Name: "kids", Path: "/kids/{id}", Key: []string{"id"},
			Parent: &rest.Parent{Of: "things", Missing: true, In: httpclient.Path, Params: map[string]string{"id": "id"}},
		})
		return d
	}), nil, "kids")
	if f := fault.Of(o.err); f == nil || f.Kind != fault.Config || !strings.Contains(f.Message, "/kids/2") {
		t.Errorf("ended with %v", o.err)
	}
}

// TestARowGoesToASetThatWasRead checks that a row that moves from a later set to one that was read comes, however the API counts rows, and that a set
// without changes costs one more request if the API tells the number of rows.
func TestARowGoesToASetThatWasRead(t *testing.T) {
	for name, test := range map[string]struct {
		pages pagination.Strategy
		quiet int // requests for the first set if no row moves
	}{
		"a number is told": {pagination.Number{Param: "page", Start: 1, Last: "lastPage", Rows: "total"}, 4},
		"none is told":     {pagination.Number{Param: "page", Start: 1}, 14},
		"one answer":       {nil, 2},
	} {
		for _, moves := range []bool{false, true} {
			var mu sync.Mutex
			of := map[string][]string{"a": things(6)[:5], "b": things(9)[6:], "c": things(12)[9:]}
			a := serve(t, func(r *http.Request) (int, string) {
				mu.Lock()
				defer mu.Unlock()
				if kind := r.URL.Query().Get("kind"); kind != "b" || !moves || len(of["a"]) > 5 {
					if test.pages == nil {
						return 200, `{"data":[` + strings.Join(of[kind], ",") + `]}`
					}
					return paged(r, of[kind])
				}
				status, body := paged(r, of["b"])
				of["a"], of["c"] = append(of["a"], of["c"][2]), of["c"][:2]
				return status, body
			})
			o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
				d = listed(d)
				d.Pages = test.pages
				d.Streams[0].Each = rest.Sets("kind", "a", "b", "c")
				return d
			}), nil, "things")
			o.complete(t)
			if got, want := sorted(o.ids("things")...), sorted(slices.Concat(numbers(1, 5), numbers(7, 12))...); !slices.Equal(got, want) {
				t.Errorf("%s, moves %t: got %v, want %v", name, moves, got, want)
			}
			if n := count(a.requests(), "/things?kind=a"); !moves && n != test.quiet {
				t.Errorf("%s: the first set took %d requests: %v", name, n, a.requests())
			}
		}
	}
}
