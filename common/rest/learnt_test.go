package rest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

func TestOptionalStreams(t *testing.T) {
	working := true
	a := serve(t, func(r *http.Request) (int, string) {
		if working && r.URL.Path == "/things" {
			return paged(r, things(2))
		}
		return 404, `{"Message":"No HTTP resource was found"}`
	})
	source := a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Check = "things"
		d.Absent = func(r *httpclient.Response) bool { return r.Status == 404 && r.Body.Get("Message").Exists() }
		d.Streams = append(d.Streams,
			rest.Stream{Name: "extra", Path: "/extra", Optional: true}, rest.Stream{Name: "wanted", Path: "/wanted"})
		return d
	})
	for _, streams := range [][]string{{"extra"}, {"extra", "things"}} {
		o := read(t.Context(), t, source, nil, streams...)
		o.complete(t)
		if len(o.warnings) != 1 || !strings.Contains(o.warnings[0], "extra") || len(o.records["extra"]) != 0 {
			t.Errorf("%v: warnings %v, records %v", streams, o.warnings, o.records)
		}
	}
	if o := read(t.Context(), t, source, nil, "wanted", "things"); fault.Of(o.err).Kind != fault.Config {
		t.Errorf("a stream that every account has was not found, and the read ended with %v", o.err)
	}
	working = false
	if o := read(t.Context(), t, source, nil, "extra"); o.err == nil || o.statuses["extra"][2] != "INCOMPLETE" {
		t.Errorf("nothing answered, and the read ended with %v, %v", o.err, o.statuses)
	}
}

func TestStreamThatNeedsConfiguration(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, things(2)) })
	source := a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Streams = append(d.Streams, rest.Stream{Name: "locked", Path: "/locked", Needs: `Fill in "email" and "password" to read it.`})
		return d
	})
	o := read(t.Context(), t, source, nil, "locked", "things")
	if f := fault.Of(o.err); f == nil || f.Kind != fault.Config || !strings.Contains(f.Message, `"email"`) {
		t.Errorf("ended with %v", o.err)
	}
	if len(o.records["things"]) != 2 || !slices.Equal(o.statuses["locked"], []string{"STARTED", "RUNNING", "INCOMPLETE"}) {
		t.Errorf("records %v, statuses %v", o.records, o.statuses)
	}
	if cat, err := source.Discover(t.Context(), []byte(`{}`)); err != nil || len(cat.Streams) != 2 {
		t.Errorf("discovered %v, %v", cat, err)
	}
}

func TestCoarseTimesStandForAllTheyMayMean(t *testing.T) {
	rows := []string{`{"id":1,"t":"05/06/2026 08:30:10"}`, `{"id":2,"t":"05/06/2026 08:30"}`, `{"id":3,"t":"05/06/2026"}`,
		`{"id":4,"t":"05/06/2026 08:15"}`, `{"id":5,"t":"04/06/2026"}`, `{"id":6,"t":"05/06/2026 08:15:09"}`, `{"id":7,"t":"05/06/2026 08:14"}`}
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, rows) })
	source := a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Streams[0].Cursor = &rest.Cursor{Field: "t", Layouts: []string{"02/01/2006 15:04:05", "02/01/2006 15:04", "02/01/2006"}}
		return d
	})
	first := read(t.Context(), t, source, nil, "things+")
	first.complete(t)
	second := read(t.Context(), t, source, first, "things+")
	second.complete(t)
	if got := second.ids("things"); !slices.Equal(got, []string{"1", "2", "3", "4"}) {
		t.Errorf("after a mark at %v came %v", first.states, got)
	}
}

func TestMarginAndOpenRows(t *testing.T) {
	rows := []string{thing(1, "2026-01-01 00:00:00"), `{"id":2,"t":"2026-01-01 00:00:00","end":""}`, thing(3, "2026-03-01 00:00:00"),
		thing(4, "2026-06-01 00:00:00")}
	for i, row := range rows {
		if i != 1 {
			rows[i] = strings.Replace(row, "}", `,"end":"x"}`, 1)
		}
	}
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, rows) })
	source := a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Streams[0].Cursor = &rest.Cursor{Field: "t", Margin: 92 * 24 * time.Hour, Open: "end"}
		return d
	})
	first := read(t.Context(), t, source, nil, "things+")
	first.complete(t)
	second := read(t.Context(), t, source, first, "things+")
	second.complete(t)
	if got := second.ids("things"); !slices.Equal(got, []string{"2", "3", "4"}) {
		t.Errorf("got %v", got)
	}
	if !slices.Equal(second.states["things"], first.states["things"]) {
		t.Errorf("the margin moved the mark: %v, %v", first.states, second.states)
	}
}

func TestPagesThatAreTooLarge(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		size, _ := strconv.Atoi(r.URL.Query().Get("size"))
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		if size > 3 {
			return 404, `{"mensagem":"at most 3"}`
		}
		rows := things(7)
		return 200, `{"data":[` + strings.Join(rows[min(7, (page-1)*size):min(7, page*size)], ",") + `]}`
	})
	source := a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Pages = pagination.Number{Param: "page", Start: 1, SizeParam: "size", Size: 20, Exact: true}
		tooLarge := func(r *httpclient.Response) bool { return r.Body.Get("mensagem").Text() == "at most 3" }
		d.Judge = func(r *httpclient.Response) httpclient.Verdict {
			if tooLarge(r) {
				return httpclient.Fail(fault.Systemf("at most 3"))
			}
			return httpclient.Verdict{}
		}
		d.TooLarge = func(r *httpclient.Response) (int, bool) { return 3, tooLarge(r) }
		return d
	})
	o := read(t.Context(), t, source, nil, "things")
	o.complete(t)
	if got := o.ids("things"); !slices.Equal(got, numbers(1, 7)) || len(a.requests()) != 8 { // including the requests that look for the last page
		t.Errorf("got %v with %v", got, a.requests())
	}
}

// TestPagesOfManyBytes checks that an answer longer than MaxBody is asked for again in smaller pages, which are shorter.
func TestPagesOfManyBytes(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		size, _ := strconv.Atoi(r.URL.Query().Get("size"))
		rows := things(40)
		return 200, `{"data":[` + strings.Join(rows[min(40, (page-1)*size):min(40, page*size)], ",") + `]}`
	})
	for size, want := range map[int]int{20: 40, 1: 0} {
		o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
			d = listed(d)
			d.MaxBody = map[int]int64{20: int64(12 * len(things(1)[0])), 1: 10}[size]
			d.Pages = pagination.Number{Param: "page", Start: 1, SizeParam: "size", Size: size, Exact: true}
			return d
		}), nil, "things")
		if got := o.ids("things"); len(got) != want || (o.err == nil) != (want > 0) {
			t.Errorf("pages of %d: %d rows, %v", size, len(got), o.err)
		}
	}
}

func TestListingThatRepeatsInsteadOfEnding(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		return 200, `{"data":[` + things(5)[min(4, page-1)] + `]}`
	})
	o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Pages = pagination.Number{Param: "page", Start: 1}
		return d
	}), nil, "things")
	o.complete(t)
	if got := o.ids("things"); !slices.Equal(got, numbers(1, 5)) || len(a.requests()) > 14 { // including the requests that look for the last page
		t.Errorf("got %v with %v", got, a.requests())
	}
}

func TestShape(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, things(3)) })
	o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Streams[0].Shape = []record.Edit{record.Rename{From: "t", To: "when"}}
		return d
	}), nil, "things")
	o.complete(t)
	want := fmt.Sprint([]string{`{"id":1,"when":"2026-01-01 10:00:00"}`, `{"id":2,"when":"2026-01-02 10:00:00"}`, `{"id":3,"when":"2026-01-03 10:00:00"}`})
	if got := fmt.Sprint(o.records["things"]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
