package rest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// paged returns a page of two of the rows, in an envelope.
func paged(r *http.Request, rows []string) (int, string) {
	page, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("page"), "1"))
	last := (len(rows) + 1) / 2
	from := min(len(rows), (page-1)*2)
	to := min(len(rows), from+2)
	return 200, fmt.Sprintf(`{"total":%d,"page":%d,"lastPage":%d,"data":[%s]}`, len(rows), page, last, strings.Join(rows[from:to], ","))
}

// thing returns a row.
func thing(id int, day string) string { return fmt.Sprintf(`{"id":%d,"t":"%s"}`, id, day) }

func things(n int) []string {
	var rows []string
	for i := 1; i <= n; i++ {
		rows = append(rows, thing(i, time.Date(2026, 1, i, 10, 0, 0, 0, time.UTC).Format(time.DateTime)))
	}
	return rows
}

// listed describes an API with one paged stream, things.
func listed(d rest.API) rest.API {
	d.Records = "data"
	d.Pages = pagination.Number{Param: "page", Start: 1, Last: "lastPage", Echo: "page", Rows: "total"}
	d.Streams = []rest.Stream{{Name: "things", Path: "/things", Key: []string{"id"}}}
	return d
}

// dated is listed with a time of change that the API can filter by.
func dated(d rest.API) rest.API {
	d = listed(d)
	d.Streams[0].Cursor = &rest.Cursor{
		Field: "t", Zone: time.FixedZone("", -3*3600), Lookback: 24 * time.Hour,
		Ask: rest.Since(httpclient.Query, "since", time.DateOnly),
	}
	return d
}

func TestFullRead(t *testing.T) {
	rows := things(9)
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, rows) })
	o := read(t.Context(), t, a.source(listed), nil, "things")
	o.complete(t)
	if got := o.records["things"]; !slices.Equal(got, rows) {
		t.Errorf("got %v", got)
	}
	if got := o.states["things"]; !slices.Equal(got, []string{`{"__ab_no_cursor_state_message":true}`}) {
		t.Errorf("states %v", got)
	}
	if got := a.requests(); len(got) != 5 {
		t.Errorf("asked %v", got)
	}
}

func TestPagesComeInOrderWhateverTheirSpeed(t *testing.T) {
	rows := things(20)
	a := serve(t, func(r *http.Request) (int, string) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		time.Sleep(time.Duration(page%3) * 5 * time.Millisecond)
		return paged(r, rows)
	})
	o := read(t.Context(), t, a.source(listed), nil, "things")
	o.complete(t)
	if got := o.records["things"]; !slices.Equal(got, rows) {
		t.Errorf("got %v", got)
	}
}

func TestEmptyStream(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, nil) })
	o := read(t.Context(), t, a.source(dated), nil, "things+")
	o.complete(t)
	if got := o.states["things"]; !slices.Equal(got, []string{`{"t":null}`}) {
		t.Errorf("states %v", got)
	}
}

func TestIncremental(t *testing.T) {
	rows := append(things(5), `{"id":9,"t":null}`)
	filter := true
	a := serve(t, func(r *http.Request) (int, string) {
		since := r.URL.Query().Get("since")
		return paged(r, slices.DeleteFunc(slices.Clone(rows), func(row string) bool {
			at := record.Record(row).Get("t").Text()
			return filter && at != "" && at < since
		}))
	})
	source := a.source(dated)
	first := read(t.Context(), t, source, nil, "things+")
	first.complete(t)
	if got := first.ids("things"); !slices.Equal(got, []string{"1", "2", "3", "4", "5", "9"}) {
		t.Fatalf("first sync: %v", got)
	}
	if got := first.records["things"][0]; got != `{"id":1,"t":"2026-01-01T13:00:00Z"}` {
		t.Errorf("the time of change left as %s", got)
	}
	want := []string{`{"t":"2026-01-05T10:00:00-03:00"}`}
	if got := first.states["things"]; !slices.Equal(got, want) {
		t.Errorf("states %v, want %v", got, want)
	}

	second := read(t.Context(), t, source, first, "things+")
	second.complete(t)
	if got := second.ids("things"); !slices.Equal(got, []string{"5", "9"}) {
		t.Errorf("second sync without changes: %v", got)
	}
	if got := a.requests(); !slices.Contains(got, "/things?page=1&since=2026-01-04") {
		t.Errorf("the API was not asked for changes from the lookback on: %v", got)
	}
	if got := second.states["things"]; !slices.Equal(got, want) {
		t.Errorf("states %v, want %v", got, want)
	}

	rows = append(rows[1:], thing(1, "2026-02-01 00:00:00"))
	filter = false
	third := read(t.Context(), t, source, second, "things+")
	third.complete(t)
	if got := third.ids("things"); !slices.Equal(got, []string{"1", "5", "9"}) {
		t.Errorf("third sync, filter ignored: %v", got)
	}
	if len(third.warnings) != 0 {
		t.Errorf("rows inside the slack of a day filter are no reason to warn: %v", third.warnings)
	}
	fourth := read(t.Context(), t, source, third, "things+")
	fourth.complete(t)
	if got := fourth.ids("things"); !slices.Equal(got, []string{"1", "9"}) {
		t.Errorf("fourth sync: %v", got)
	}
	if len(fourth.warnings) != 1 || !strings.Contains(fourth.warnings[0], "ignores the filter") {
		t.Errorf("warnings %v", fourth.warnings)
	}
}

func TestStartDateBoundsBothSyncModes(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, append(things(5), `{"id":9}`)) })
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		d.Streams[0].Cursor.Start = "2026-01-04"
		return d
	})
	for _, mode := range []string{"things", "things+"} {
		o := read(t.Context(), t, source, nil, mode)
		o.complete(t)
		if got := o.ids("things"); !slices.Equal(got, []string{"4", "5", "9"}) {
			t.Errorf("%s: %v", mode, got)
		}
	}
}

// removing is dated with a listing of removed rows.
func removing(d rest.API) rest.API {
	d = dated(d)
	d.Streams[0].Query = url.Values{"deleted": {"false"}}
	d.Streams[0].Removed = url.Values{"deleted": {"true"}}
	return d
}

func TestRemovedRows(t *testing.T) {
	rows, removed := things(6), []string(nil)
	a := serve(t, func(r *http.Request) (int, string) {
		if r.URL.Query().Get("deleted") == "true" {
			return paged(r, removed)
		}
		return paged(r, rows)
	})
	source := a.source(removing)
	remove := func(id int) {
		prefix := fmt.Sprintf(`{"id":%d,`, id)
		i := slices.IndexFunc(rows, func(row string) bool { return strings.HasPrefix(row, prefix) })
		removed, rows = append(removed, rows[i]), slices.Delete(rows, i, i+1)
	}
	remove(1)
	o := read(t.Context(), t, source, nil, "things+")
	o.complete(t)
	if got := o.ids("things"); !slices.Equal(got, numbers(1, 6)) {
		t.Fatalf("first sync: %v", got)
	}
	if got, want := o.states["things"], []string{`{"removed":"1","t":"2026-01-06T10:00:00-03:00"}`}; !slices.Equal(got, want) {
		t.Fatalf("states %v, want %v", got, want)
	}
	steps := []struct {
		name string
		do   func()
		want []string
	}{
		{"nothing happened", func() {}, []string{"6"}},
		{"two removed, their times unmoved", func() { remove(2); remove(3) }, []string{"2", "3", "6"}},
		{"nothing happened again", func() {}, []string{"6"}},
		{"a removed row changed", func() { removed[0] = thing(1, "2026-01-07 00:00:00") }, []string{"1", "6"}},
		{"one restored", func() { rows, removed = append(rows, removed[1]), slices.Delete(removed, 1, 2) }, []string{"1", "2"}}, // 1 is at the mark
		{"and removed again", func() { remove(2) }, []string{"1", "2"}},
	}
	for _, step := range steps {
		step.do()
		o = read(t.Context(), t, source, o, "things+")
		o.complete(t)
		if got := o.ids("things"); !slices.Equal(got, step.want) {
			t.Errorf("%s: %v, want %v", step.name, got, step.want)
		}
	}
	full := read(t.Context(), t, source, o, "things")
	full.complete(t)
	if got := full.ids("things"); !slices.Equal(got, numbers(1, 6)) {
		t.Errorf("full refresh with a state: %v", got)
	}
}

// family is removing with a child that follows its parent, one that does not, and an array.
func family(d rest.API) rest.API {
	d = removing(d)
	cursor := d.Streams[0].Cursor
	d.Streams = append(d.Streams,
		rest.Stream{
			Name: "details", Path: "/things/{id}", Key: []string{"id"}, Pages: pagination.Single{}, Cursor: cursor,
			Parent: &rest.Parent{Of: "things", Follows: true, Missing: true, In: httpclient.Path, Params: map[string]string{"id": "id"}},
		},
		rest.Stream{
			Name: "parts", Path: "/parts", Key: []string{"thing", "id"},
			Cursor: &rest.Cursor{Field: "t", Zone: cursor.Zone},
			Parent: &rest.Parent{
				Of: "things", Where: "whole", Params: map[string]string{"thing": "id"}, Put: map[string]string{"thing": "id"},
			},
		},
		rest.Stream{
			Name: "tags", Cursor: &rest.Cursor{Field: "thing_t", Zone: cursor.Zone}, Key: []string{"thing", "at"},
			Explode: &rest.Explode{Of: "things", Array: "tags", Put: map[string]string{"thing": "id"}, Position: "at"},
		})
	return d
}

func TestFamily(t *testing.T) {
	var rows []string
	for i := 1; i <= 6; i++ {
		rows = append(rows, fmt.Sprintf(`{"id":%d,"t":"2026-01-0%d 10:00:00","whole":%t,"tags":[{"id":%d0},{"id":%d1}]}`, i, i, i%2 == 1, i, i))
	}
	parts := map[string][]string{"1": {thing(11, "2026-01-01 00:00:00"), thing(12, "2026-03-01 00:00:00"), thing(13, "2026-01-02 00:00:00")}}
	a := serve(t, func(r *http.Request) (int, string) {
		switch {
		case r.URL.Path == "/parts":
			return paged(r, parts[r.URL.Query().Get("thing")])
		case r.URL.Path == "/things/4":
			return 404, `{"message":"gone"}`
		case r.URL.Path != "/things":
			return 200, `{"data":` + thing(mustAtoi(strings.TrimPrefix(r.URL.Path, "/things/")), "2026-01-01 00:00:00") + `}`
		case r.URL.Query().Get("deleted") == "true":
			return paged(r, nil)
		default:
			return paged(r, rows)
		}
	})
	source := a.source(family)
	all := []string{"things+", "details+", "parts+", "tags+"}
	o := read(t.Context(), t, source, nil, all...)
	o.complete(t)
	for stream, want := range map[string][]string{
		"things": numbers(1, 6), "details": {"1", "2", "3", "5", "6"}, "parts": {"11", "12", "13"},
		"tags": sorted("10", "11", "20", "21", "30", "31", "40", "41", "50", "51", "60", "61"),
	} {
		if got := o.ids(stream); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", stream, got, want)
		}
	}
	if got, want := o.records["parts"][0], `{"id":11,"t":"2026-01-01T03:00:00Z","thing":1}`; got != want {
		t.Errorf("a child's record is %s, want %s", got, want)
	}
	if got, want := o.records["tags"][1], `{"id":11,"thing":1,"thing_t":"2026-01-01T13:00:00Z","at":1}`; got != want {
		t.Errorf("an exploded record is %s, want %s", got, want)
	}
	asked := a.requests()
	if n := count(asked, "/things?"); n != 5 { // three pages, the one of the removed rows, and the first one again
		t.Errorf("the listing took %d requests: %v", n, asked)
	}
	if got := slices.Sorted(slices.Values(filter(asked, "/parts"))); !slices.Equal(got, []string{
		"/parts?page=1&thing=1", "/parts?page=1&thing=3", "/parts?page=1&thing=5", "/parts?page=2&thing=1",
	}) {
		t.Errorf("asked for parts: %v", got)
	}
	if len(o.warnings) != 1 || !strings.Contains(o.warnings[0], "were not there") {
		t.Errorf("warnings %v", o.warnings)
	}

	parts["1"] = append(parts["1"], thing(14, "2026-04-01 00:00:00"))              // a new row of an unchanged parent
	parts["2"] = []string{thing(21, "2025-01-01 00:00:00")}                        // an old row of a parent that is new to the stream
	rows[1] = `{"id":2,"t":"2026-02-01 00:00:00","whole":true,"tags":[{"id":22}]}` // changed
	o = read(t.Context(), t, source, o, all...)
	o.complete(t)
	for stream, want := range map[string][]string{
		"things": {"2", "6"}, "details": {"2", "6"}, "parts": {"12", "14", "21"}, "tags": {"22", "60", "61"},
	} {
		if got := o.ids(stream); !slices.Equal(got, want) {
			t.Errorf("second sync, %s: %v, want %v", stream, got, want)
		}
	}
	before := len(a.requests())
	alone := read(t.Context(), t, source, nil, "parts")
	alone.complete(t)
	if got := alone.ids("parts"); !slices.Equal(got, []string{"11", "12", "13", "14", "21"}) {
		t.Errorf("a child alone: %v", got)
	}
	if len(alone.records) != 1 {
		t.Errorf("the parent was sent without being selected: %v", alone.records)
	}
	if got := count(a.requests()[before:], "/things?"); got != 5 {
		t.Errorf("a child alone took %d requests for its parent", got)
	}
}

func mustAtoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func filter(all []string, prefix string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !strings.HasPrefix(s, prefix) })
}

func count(all []string, prefix string) int { return len(filter(all, prefix)) }

func TestChildrenResumeWhereTheyWere(t *testing.T) {
	rows := things(40)
	ctx, stop := context.WithCancelCause(t.Context())
	var details atomic.Int64
	a := serve(t, func(r *http.Request) (int, string) {
		if id, ok := strings.CutPrefix(r.URL.Path, "/things/"); ok {
			if details.Add(1) == 20 {
				stop(fault.Transientf("stopped"))
			}
			return 200, `{"data":` + thing(mustAtoi(id), "2026-01-01 00:00:00") + `}`
		}
		if r.URL.Query().Get("deleted") == "true" {
			return paged(r, nil)
		}
		return paged(r, rows)
	})
	source := a.source(family)
	first := read(ctx, t, source, nil, "things+", "details+")
	if got := fault.Of(first.err); got == nil || got.Message != "stopped" {
		t.Fatalf("ended with %v", first.err)
	}
	if got := first.statuses["details"]; got[len(got)-1] != "INCOMPLETE" {
		t.Errorf("statuses %v", got)
	}
	if len(first.failures) != 0 {
		t.Errorf("a stop is told once, by who stopped: %v", first.failures)
	}
	if len(first.states["details"]) == 0 || len(first.states["things"]) == 0 {
		t.Fatal("stopped without a state")
	}
	if first.counts["details"] != float64(len(first.records["details"])) {
		t.Errorf("%v counted, %d sent", first.counts["details"], len(first.records["details"]))
	}
	second := read(t.Context(), t, source, first, "things+", "details+")
	second.complete(t)
	if got := slices.Sorted(slices.Values(append(first.ids("details"), second.ids("details")...))); !slices.Equal(got, numbers(1, 40)) {
		t.Errorf("the two runs together: %v", got)
	}
	if got := second.states["details"]; !strings.HasPrefix(got[len(got)-1], `{"t":"2026-02-09`) {
		t.Errorf("the last state is %v", got)
	}
	third := read(t.Context(), t, source, second, "details+")
	third.complete(t)
	if got := third.ids("details"); len(got) > 2 {
		t.Errorf("a sync after the resumed one sends %v", got)
	}
}

func TestFullRefreshResumesAtItsSlices(t *testing.T) {
	fail := true
	a := serve(t, func(r *http.Request) (int, string) {
		if r.URL.Query().Get("deleted") == "true" {
			if fail {
				return 400, `{}`
			}
			return paged(r, []string{thing(7, "2026-01-01 00:00:00")})
		}
		return paged(r, things(4))
	})
	source := a.source(removing)
	first := read(t.Context(), t, source, nil, "things")
	if first.err == nil || len(first.failures) != 1 {
		t.Fatalf("ended with %v, %v", first.err, first.failures)
	}
	if got := first.ids("things"); !slices.Equal(got, numbers(1, 4)) {
		t.Errorf("first run: %v", got)
	}
	fail = false
	second := read(t.Context(), t, source, first, "things")
	second.complete(t)
	if got := second.ids("things"); !slices.Equal(got, []string{"7"}) {
		t.Errorf("second run: %v", got)
	}
	third := read(t.Context(), t, source, second, "things")
	third.complete(t)
	if got := third.ids("things"); !slices.Equal(got, []string{"1", "2", "3", "4", "7"}) {
		t.Errorf("third run: %v", got)
	}
}

func TestSets(t *testing.T) {
	rows := things(28)
	a := serve(t, func(r *http.Request) (int, string) {
		from, until := r.URL.Query().Get("from"), r.URL.Query().Get("until")
		return paged(r, slices.DeleteFunc(slices.Clone(rows), func(row string) bool {
			id, _ := record.Record(row).Get("id").Int()
			day := record.Record(row).Get("t").Text()[:10]
			return r.URL.Query().Get("status") != fmt.Sprint(id%2) || day < from || day > until
		}))
	})
	source := a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Streams[0].Each = []map[string]any{{"status": 0}, {"status": 1}}
		d.Streams[0].Cursor = &rest.Cursor{Field: "t", Start: "2026-01-01", Ask: rest.Between(httpclient.Query, "from", "until", time.DateOnly)}
		return d
	})
	today := time.Now().UTC().Format(time.DateOnly)
	o := read(t.Context(), t, source, nil, "things+")
	o.complete(t)
	if got := o.ids("things"); !slices.Equal(got, numbers(1, 28)) {
		t.Errorf("got %v", got)
	}
	if first := a.requests()[0]; !strings.Contains(first, "from=2026-01-01&page=1&status=0&until="+today) {
		t.Errorf("asked first for %s", first)
	}
}

func TestPromisedRowsThatDoNotCome(t *testing.T) {
	for _, tt := range []struct {
		name   string
		second int // number of rows in the second reading
		ok     bool
	}{{"come in the second reading", 6, true}, {"do not come", 5, false}} {
		t.Run(tt.name, func(t *testing.T) {
			var firsts atomic.Int64
			a := serve(t, func(r *http.Request) (int, string) {
				page := r.URL.Query().Get("page")
				rows := things(5)
				if page == "1" {
					firsts.Add(1)
				} else if page == "3" && firsts.Load() > 1 {
					rows = things(tt.second)
				}
				status, body := paged(r, rows)
				return status, strings.Replace(body, `"total":5`, `"total":6`, 1)
			})
			o := read(t.Context(), t, a.source(listed), nil, "things")
			if tt.ok {
				o.complete(t)
				if got := o.ids("things"); !slices.Equal(got, numbers(1, 6)) {
					t.Errorf("got %v", got)
				}
				return
			}
			if f := fault.Of(o.err); f == nil || f.Kind != fault.Transient || !strings.Contains(f.Message, "promised 6 rows") {
				t.Errorf("ended with %v", o.err)
			}
			if got := o.statuses["things"]; got[len(got)-1] != "INCOMPLETE" {
				t.Errorf("statuses %v", got)
			}
		})
	}
}

func TestRowsMoveToLaterPages(t *testing.T) {
	rows := things(12)
	var mu sync.Mutex
	a := serve(t, func(r *http.Request) (int, string) {
		mu.Lock()
		defer mu.Unlock()
		status, body := paged(r, rows)
		if r.URL.Query().Get("page") == "2" { // the first row moves to the end, and all others one place up
			id, _ := record.Record(rows[0]).Get("id").Int()
			rows = append(rows[1:], thing(int(id), "2026-01-20 00:00:00"))
		}
		return status, body
	})
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		d.Parallel = 1
		return d
	})
	o := read(t.Context(), t, source, nil, "things+")
	o.complete(t)
	if got := o.ids("things"); !slices.Equal(got, numbers(1, 12)) {
		t.Errorf("got %v", got)
	}
	next := read(t.Context(), t, source, o, "things+")
	next.complete(t)
	if !slices.Contains(next.ids("things"), "1") {
		t.Errorf("the row that changed while it was read did not come again: %v after %v", next.ids("things"), o.states)
	}
}

func TestPageThatComesAgain(t *testing.T) {
	for _, tt := range []struct {
		name  string
		times int64 // number of times that page 2 is wrong
		pages pagination.Strategy
		ok    bool
	}{
		{"once", 1, pagination.Number{Param: "page", Start: 1, Last: "lastPage"}, true},
		{"for ever", 99, pagination.Number{Param: "page", Start: 1, Last: "lastPage"}, false},
		{"for ever, and the total tells", 99, pagination.Number{Param: "page", Start: 1, Last: "lastPage", Rows: "total"}, false},
		{"for ever, without an end", 99, pagination.Number{Param: "page", Start: 1}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var wrong atomic.Int64
				a := serve(t, func(r *http.Request) (int, string) {
					if r.URL.Query().Get("page") == "2" && wrong.Add(1) <= tt.times {
						r = &http.Request{URL: &url.URL{RawQuery: "page=1"}}
					}
					return paged(r, things(5))
				})
				o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
					d = listed(d)
					d.Pages = tt.pages
					return d
				}), nil, "things")
				if !tt.ok {
					if f := fault.Of(o.err); f == nil || f.Kind != fault.Transient {
						t.Errorf("ended with %v", o.err)
					}
					return
				}
				o.complete(t)
				if got := o.ids("things"); !slices.Equal(got, numbers(1, 5)) {
					t.Errorf("got %v", got)
				}
			})
		})
	}
}

func TestListingThatLeadsBack(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		return 200, `{"next":"/things?at=` + map[string]string{"": "a", "a": "b", "b": "a"}[r.URL.Query().Get("at")] +
			`","data":[{"id":` + fmt.Sprint(time.Now().UnixNano()) + `}]}`
	})
	o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Pages = pagination.NextURL{Path: "next"}
		return d
	}), nil, "things")
	if f := fault.Of(o.err); f == nil || !strings.Contains(f.Message, "leads back") {
		t.Errorf("ended with %v", o.err)
	}
}

func TestCatalogAndState(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, things(3)) })
	source := a.source(dated)

	t.Run("an unknown stream does not stop the others", func(t *testing.T) {
		o := read(t.Context(), t, source, nil, "nothing", "things")
		if f := fault.Of(o.err); f == nil || f.Kind != fault.Config || !strings.Contains(f.Message, `"nothing"`) {
			t.Errorf("ended with %v", o.err)
		}
		if len(o.failures) != 1 || len(o.records["things"]) != 3 || o.statuses["things"][2] != "COMPLETE" {
			t.Errorf("failures %v, records %v, statuses %v", o.failures, o.records, o.statuses)
		}
	})
	t.Run("a sync mode that does not exist", func(t *testing.T) {
		cat := &protocol.ConfiguredCatalog{Streams: []protocol.ConfiguredStream{{Stream: protocol.Stream{Name: "things"}, SyncMode: "INVALID"}}}
		o := readCatalog(t.Context(), t, source, nil, cat)
		if f := fault.Of(o.err); f == nil || f.Kind != fault.Config {
			t.Errorf("ended with %v", o.err)
		}
	})
	t.Run("states that are not understood", func(t *testing.T) {
		for _, state := range []string{
			`[{`, `{"things":{"t":"2026-01-01"}}`,
			`[{"stream":{"stream_descriptor":{"name":"orders"},"stream_state":{"t":"2026-01-01"}}}]`,
			`[{"stream":{"stream_descriptor":{"name":"things"},"stream_state":{"updated_at":"2026-01-01"}}}]`,
			`[{"stream":{"stream_descriptor":{"name":"things"},"stream_state":{"t":"soon"}}}]`,
		} {
			cat := &protocol.ConfiguredCatalog{Streams: []protocol.ConfiguredStream{{Stream: protocol.Stream{Name: "things"}, SyncMode: "incremental"}}}
			o := readCatalog(t.Context(), t, source, []byte(state), cat)
			if f := fault.Of(o.err); f == nil || f.Kind != fault.Config || len(o.records) != 0 || len(o.failures) > 1 {
				t.Errorf("%s: ended with %v, %d records, %v", state, o.err, len(o.records), o.failures)
			}
		}
	})
}

func TestOneStreamFailsAlone(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		if r.URL.Path == "/other" {
			return 403, `{"message":"no"}`
		}
		return paged(r, things(3))
	})
	o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Absent = func(*httpclient.Response) bool { panic("a mistake") }
		d.Streams = append(d.Streams, rest.Stream{Name: "other", Path: "/other"}, rest.Stream{Name: "wild", Path: "/things", Optional: true})
		return d
	}), nil, "other", "things", "wild")
	if got := o.statuses["things"]; !slices.Equal(got, []string{"STARTED", "RUNNING", "COMPLETE"}) {
		t.Errorf("things: %v", got)
	}
	if len(o.failures) != 2 {
		t.Errorf("failures %v", o.failures)
	}
	if _, ok := errors.AsType[*fault.Panic](o.err); !ok {
		t.Errorf("the panic got lost in %v", o.err)
	}
}

func TestNotUTF8(t *testing.T) {
	a := serve(t, func(*http.Request) (int, string) {
		return 200, "{\"data\":[{\"id\":1,\"n\":\"caf\xe9\"},{\"id\":2,\"n\":\"\xff\xfe\"}]}"
	})
	o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Pages = nil
		return d
	}), nil, "things")
	o.complete(t)
	if want := []string{`{"id":1,"n":"caf` + "\ufffd" + `"}`, `{"id":2,"n":"` + "\ufffd\ufffd" + `"}`}; !slices.Equal(o.records["things"], want) {
		t.Errorf("got %q", o.records["things"])
	}
	if len(o.warnings) != 1 || !strings.Contains(o.warnings[0], "3 bytes") {
		t.Errorf("warnings %v", o.warnings)
	}
}

func TestCheckAndDiscover(t *testing.T) {
	status := 200
	a := serve(t, func(r *http.Request) (int, string) {
		if status != 200 {
			return status, `{"message":"no"}`
		}
		return paged(r, things(3))
	})
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		d.Check = "things"
		return d
	})
	if err := source.Check(t.Context(), []byte(`{}`)); err != nil {
		t.Error(err)
	}
	if got := a.requests(); len(got) != 1 {
		t.Errorf("a check asked %v", got)
	}
	status = 401
	if f := fault.Of(source.Check(t.Context(), []byte(`{}`))); f == nil || f.Kind != fault.Config {
		t.Errorf("a refused check ended with %v", f)
	}
	cat, err := source.Discover(t.Context(), []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	s := cat.Streams[0]
	if s.Name != "things" || !s.IsResumable || !s.SourceDefinedCursor || !slices.Equal(s.DefaultCursorField, []string{"t"}) ||
		len(s.SupportedSyncModes) != 2 || s.SourceDefinedPrimaryKey[0][0] != "id" {
		t.Errorf("discovered %+v", s)
	}
}

func TestIncrementalWithoutATimeOfChangeReadsAll(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, things(3)) })
	source := a.source(listed)
	first := read(t.Context(), t, source, nil, "things+")
	first.complete(t)
	second := read(t.Context(), t, source, first, "things+")
	second.complete(t)
	if got := second.ids("things"); !slices.Equal(got, numbers(1, 3)) {
		t.Errorf("second sync: %v", got)
	}
}
