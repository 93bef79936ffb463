package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// The tests of this file check that rows which one sync did not send come in a later one, whatever the reason.

// together returns the ids of a stream in several syncs, without repeats.
func together(stream string, all ...*outcome) []string {
	var ids []string
	for _, o := range all {
		ids = append(ids, o.ids(stream)...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// TestKeyThatDoesNotFitThenResume makes a stream fail by a key that does not fit. The rows not sent come in the next sync.
func TestKeyThatDoesNotFitThenResume(t *testing.T) {
	rows := things(4)
	rows[1] = `{"id":"x","t":"2026-01-02 10:00:00"}`
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, rows) })
	source := a.sourceOf(map[string]string{"things": `{"properties":{"id":{"type":"integer"},` + dateColumn("t") + `}}`}, dated)
	first := read(t.Context(), t, source, nil, "things+")
	if first.err == nil {
		t.Fatal("a key that is none was taken")
	}
	rows[1] = thing(2, "2026-01-02 10:00:00") // the API was fixed
	second := read(t.Context(), t, source, first, "things+")
	second.complete(t)
	third := read(t.Context(), t, source, second, "things+")
	third.complete(t)
	if got := together("things", first, second, third); !slices.Equal(got, numbers(1, 4)) {
		t.Errorf("three syncs, the last two COMPLETE, brought %v", got)
	}
}

// TestKeyThatDoesNotFitInAChild does the same in a child. The row of its parent is asked for again.
func TestKeyThatDoesNotFitInAChild(t *testing.T) {
	bad := true
	a := serve(t, func(r *http.Request) (int, string) {
		switch q := r.URL.Query().Get("thing"); {
		case r.URL.Path == "/things":
			return paged(r, things(3))
		case q == "1" && bad:
			return paged(r, []string{`{"id":"x","t":"2026-01-02 10:00:00"}`, thing(11, "2026-01-03 10:00:00")})
		case q == "1":
			return paged(r, []string{thing(10, "2026-01-02 10:00:00"), thing(11, "2026-01-03 10:00:00")})
		default:
			return paged(r, []string{thing(10*mustAtoi(q), "2026-01-03 10:00:00")})
		}
	})
	schema := `{"properties":{"id":{"type":"integer"},"thing":{},` + dateColumn("t") + `}}`
	source := a.sourceOf(map[string]string{"parts": schema}, func(d rest.API) rest.API {
		d = optional(d)
		d.Parallel = 1
		return d
	})
	first := read(t.Context(), t, source, nil, "parts+")
	if first.err == nil {
		t.Fatal("a key that is none was taken")
	}
	bad = false
	second := read(t.Context(), t, source, first, "parts+")
	second.complete(t)
	third := read(t.Context(), t, source, second, "parts+")
	third.complete(t)
	if got := together("parts", second, third, first); !slices.Contains(got, "10") {
		t.Errorf("the row that had failed never came: %v, state %s", got, second.last("parts"))
	}
}

// TestARouteThatComesBack makes a child's route unavailable in one sync, which fails. Its state does not say that any row was read.
func TestARouteThatComesBack(t *testing.T) {
	for _, n := range []int{2, 3, 40} {
		for _, follows := range []bool{true, false} {
			away := true
			a := serve(t, func(r *http.Request) (int, string) {
				id, kid := strings.CutPrefix(r.URL.Path, "/kids/")
				switch {
				case !kid:
					return paged(r, things(n))
				case away:
					return 404, `{"message":"not found"}`
				default:
					return 200, `{"data":[` + thing(mustAtoi(id), "2026-01-01 10:00:00") + `]}`
				}
			})
			source := a.source(func(d rest.API) rest.API {
				d = dated(d)
				d.Streams[0].Cursor.Ask = nil
				clock := *d.Streams[0].Cursor
				d.Streams = append(d.Streams, rest.Stream{
					Name: "kids", Path: "/kids/{id}", Key: []string{"id"}, Cursor: &clock,
					Parent: &rest.Parent{Of: "things", Missing: true, Follows: follows, In: httpclient.Path, Params: map[string]string{"id": "id"}},
				})
				return d
			})
			first := read(t.Context(), t, source, nil, "kids+")
			if first.err == nil {
				t.Fatal("a route that is none was taken")
			}
			away = false
			second := read(t.Context(), t, source, first, "kids+")
			second.complete(t)
			third := read(t.Context(), t, source, second, "kids+")
			third.complete(t)
			if got := together("kids", first, second, third); len(got) != n {
				t.Errorf("follows %t: the failed sync left %s; two complete ones brought %d of %d rows; state %s",
					follows, first.last("kids"), len(got), n, second.last("kids"))
			}
		}
	}
}

// TestWhatTheAccountGetsLater adds a stream to an account later. Its rows hide their times, and all of them come.
func TestWhatTheAccountGetsLater(t *testing.T) {
	absent := true
	a := serve(t, func(r *http.Request) (int, string) {
		switch {
		case r.URL.Path == "/others":
			return paged(r, things(1))
		case absent:
			return 404, noRoute
		case r.URL.Query().Get("since") > "2026-06-01":
			return paged(r, nil)
		}
		return paged(r, []string{`{"id":1}`, `{"id":2}`}) // changed in January
	})
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		d.Check, d.Absent = "others", saysNoRoute
		d.Streams[0].Optional, d.Streams[0].Cursor.Hidden = true, true
		d.Streams = append(d.Streams, rest.Stream{Name: "others", Path: "/others", Key: []string{"id"}})
		return d
	})
	first := read(t.Context(), t, source, nil, "things+")
	first.complete(t)
	absent = false
	second := read(t.Context(), t, source, first, "things+")
	second.complete(t)
	if got := second.ids("things"); !slices.Equal(got, numbers(1, 2)) {
		t.Errorf("got %v, warnings %v; asked %v", got, second.warnings, a.requests())
	}
}

// TestRowsThatShowAnotherTime has rows change without the time that they show, while the API filters by another time. They come. If the API ignores
// the filter, all rows come, with a warning.
func TestRowsThatShowAnotherTime(t *testing.T) {
	rows, changed, filter := things(20), map[int]string{}, true
	a := serve(t, func(r *http.Request) (int, string) {
		since := r.URL.Query().Get("since")
		var all []string
		for i, row := range rows {
			if at := time.Date(2026, 1, i+1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly); !filter || max(at, changed[i+1]) >= since {
				all = append(all, row)
			}
		}
		return paged(r, all)
	})
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		d.Streams[0].Cursor.Other = true
		return d
	})
	first := read(t.Context(), t, source, nil, "things+")
	first.complete(t)
	changed[3] = "2026-02-01"
	second := read(t.Context(), t, source, first, "things+")
	second.complete(t)
	if got := second.ids("things"); !slices.Equal(got, []string{"19", "20", "3"}) || len(second.warnings) > 0 || second.last("things") != first.last("things") {
		t.Errorf("got %v, warnings %v, state %s", got, second.warnings, second.last("things"))
	}
	filter = false
	third := read(t.Context(), t, source, second, "things+")
	third.complete(t)
	if got := third.ids("things"); len(got) != 20 || len(third.warnings) != 1 || !strings.Contains(third.warnings[0], "20 rows of which 18 show an older time (t)") {
		t.Errorf("got %v, warnings %v", got, third.warnings)
	}
}

// TestAParentThatComesBack has a row of a parent that is gone, or has no children, in one sync, and has an old child in the next. The child comes.
func TestAParentThatComesBack(t *testing.T) {
	for _, away := range []int{http.StatusNotFound, http.StatusOK} {
		back := false
		a := serve(t, func(r *http.Request) (int, string) {
			switch q := r.URL.Query().Get("thing"); {
			case r.URL.Path == "/things":
				return paged(r, things(2))
			case q == "2" && back:
				return paged(r, []string{thing(20, "2026-01-02 10:00:00")})
			case q == "2":
				_, none := paged(r, nil)
				return away, none
			default:
				return paged(r, []string{thing(10, "2026-01-09 10:00:00")})
			}
		})
		source := a.source(func(d rest.API) rest.API {
			d = optional(d)
			d.Streams[1].Parent.Missing = true
			return d
		})
		first := read(t.Context(), t, source, nil, "parts+")
		first.complete(t)
		back = true
		second := read(t.Context(), t, source, first, "parts+")
		second.complete(t)
		if got := together("parts", first, second); !slices.Equal(got, []string{"10", "20"}) {
			t.Errorf("after %d: got %v; state %s; warnings %v", away, got, first.last("parts"), first.warnings)
		}
	}
}

// TestADetailThatIsMissingForAWhile has the details of one row missing for one request, or for a sync, after which they come. A row with an old time
// of change does not hold back the mark, but a snapshot knows that it is missing.
func TestADetailThatIsMissingForAWhile(t *testing.T) {
	recent := time.Now().Add(-time.Hour).In(time.FixedZone("", -3*3600)).Format(time.DateTime)
	for name, tt := range map[string]struct {
		times    int // number of times that the API says so in the first sync
		at       string
		snapshot bool
		comes    bool
	}{
		"for one request":             {1, "2026-01-02 10:00:00", false, true},
		"for a sync":                  {9, recent, false, true},
		"for a sync, a snapshot":      {9, "2026-01-02 10:00:00", true, true},
		"for a sync, of a year ago":   {9, "2025-01-02 10:00:00", false, false},
		"for a sync, without a time":  {9, "", true, true},
		"for a moment and a snapshot": {1, "2025-01-02 10:00:00", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			left := tt.times
			rows := []string{thing(1, "2026-01-01 10:00:00"), thing(2, tt.at), thing(3, recent)}
			a := serve(t, func(r *http.Request) (int, string) {
				id, detail := strings.CutPrefix(r.URL.Path, "/things/")
				switch {
				case !detail:
					return paged(r, rows)
				case id == "2" && left > 0:
					left--
					return 404, `{}`
				}
				return 200, `{"data":` + rows[mustAtoi(id)-1] + `}`
			})
			source := a.source(func(d rest.API) rest.API {
				d = dated(d)
				cursor := *d.Streams[0].Cursor
				cursor.Snapshot = tt.snapshot
				d.Streams[0].Cursor = &cursor
				d.Streams = append(d.Streams, rest.Stream{
					Name: "details", Path: "/things/{id}", Key: []string{"id"}, Pages: pagination.Single{}, Cursor: &cursor,
					Parent: &rest.Parent{Of: "things", Follows: true, Detail: true, Missing: true, In: httpclient.Path, Params: map[string]string{"id": "id"}},
				})
				return d
			})
			first := read(t.Context(), t, source, nil, "details+")
			first.complete(t)
			if here := slices.Contains(first.ids("details"), "2"); here != (tt.times == 1) || here == (len(first.warnings) > 0) {
				t.Errorf("the first sync brings %v; warnings %v", first.ids("details"), first.warnings)
			}
			left = 0
			second := read(t.Context(), t, source, first, "details+")
			second.complete(t)
			if got := together("details", first, second); slices.Contains(got, "2") != tt.comes {
				t.Errorf("got %v; state %s", got, first.last("details"))
			}
		})
	}
}

// TestADetailWithoutATimeThatIsMissing has a missing row whose time of change the API hides. The mark stays, so that the row is found and asked for
// in the next sync too, unless the mark is old.
func TestADetailWithoutATimeThatIsMissing(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		switch r.URL.Path {
		case "/things":
			return paged(r, []string{`{"id":1}`, `{"id":2}`})
		case "/things/2":
			return 404, `{}`
		}
		return 200, `{"data":{"id":1}}`
	})
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		cursor := *d.Streams[0].Cursor
		cursor.Hidden = true
		d.Streams[0].Cursor = &cursor
		d.Streams = append(d.Streams, rest.Stream{
			Name: "details", Path: "/things/{id}", Key: []string{"id"}, Pages: pagination.Single{}, Cursor: &cursor,
			Parent: &rest.Parent{Of: "things", Follows: true, Detail: true, Missing: true, In: httpclient.Path, Params: map[string]string{"id": "id"}},
		})
		return d
	})
	for days, stays := range map[int]bool{3: true, 9: false} {
		mark := time.Now().AddDate(0, 0, -days).UTC().Format(time.RFC3339)
		o := read(t.Context(), t, source, stateOf("details", `{"t":"`+mark+`"}`), "details+")
		o.complete(t)
		var got struct{ T time.Time }
		if err := json.Unmarshal([]byte(o.last("details")), &got); err != nil || (got.T.UTC().Format(time.RFC3339) == mark) != stays {
			t.Errorf("from %s the mark goes to %s (%v), stays: %t", mark, o.last("details"), err, stays)
		}
	}
}

// TestRemovedAndBack has a row removed and restored at every possible moment. The destination ends with the true state.
func TestRemovedAndBack(t *testing.T) {
	for name, steps := range map[string][]string{ // for each sync: before it, between the two listings, and whether the second fails
		"removed between the listings, back later":         {" out ", "in  ", "   "},
		"removed, back in a sync that fails, removed":      {"out  ", "in  fail", "out  "},
		"removed, back and removed between the listings":   {"out  ", "in out ", "   "},
		"removed and back twice":                           {"out  ", "in  ", "out  ", "in  "},
		"removed between, back between, and in the end in": {" out ", "in out ", "in  "},
	} {
		for _, snapshot := range []bool{true, false} {
			t.Run(fmt.Sprint(name, snapshot), func(t *testing.T) {
				rows, removed := things(4), []string(nil)
				move := func(what string) {
					switch row := thing(2, "2026-01-02 10:00:00"); what {
					case "out":
						rows, removed = slices.DeleteFunc(rows, func(r string) bool { return r == row }), []string{row}
					case "in":
						rows, removed = append(rows, row), nil
					}
				}
				between, fails := "", false
				a := serve(t, func(r *http.Request) (int, string) {
					if r.URL.Query().Get("deleted") != "true" {
						return paged(r, rows)
					}
					if move(between); fails {
						return 400, `{}`
					}
					between = ""
					return paged(r, removed)
				})
				source := a.source(func(d rest.API) rest.API {
					d = removing(d)
					cursor := *d.Streams[0].Cursor
					cursor.Snapshot, cursor.Ask = snapshot, nil
					d.Streams[0].Cursor = &cursor
					return d
				})
				var o *outcome
				gone := false // the last record of row 2 was a removed one
				for _, step := range steps {
					parts := strings.Split(step, " ")
					move(parts[0])
					between, fails = parts[1], parts[2] == "fail"
					o = read(t.Context(), t, source, o, "things+")
					if (o.err != nil) != fails {
						t.Fatal(o.err)
					}
					if slices.Contains(o.ids("things"), "2") {
						gone = len(removed) > 0 && !fails
					}
				}
				if want := len(removed) > 0; gone != want {
					t.Errorf("as the last record of 2 has it, it is removed: %v, want %v", gone, want)
				}
			})
		}
	}
}

// TestParametersWithCommas has two rows of a parent that differ only in the position of a comma.
func TestParametersWithCommas(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		if r.URL.Path == "/things" {
			return paged(r, []string{`{"id":1,"a":"x,y","b":"z"}`, `{"id":2,"a":"x","b":"y,z"}`})
		}
		q := r.URL.Query()
		return 200, fmt.Sprintf(`{"data":[{"id":%d}]}`, len(q.Get("a")))
	})
	source := a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Streams = append(d.Streams, rest.Stream{
			Name: "kids", Path: "/kids", Key: []string{"id"},
			Parent: &rest.Parent{Of: "things", Params: map[string]string{"a": "a", "b": "b"}},
		})
		return d
	})
	o := read(t.Context(), t, source, nil, "kids")
	o.complete(t)
	if got := o.ids("kids"); len(got) != 2 {
		t.Errorf("got %v; asked %v", got, a.requests())
	}
}

// TestAChildThatIsAwayOnResume stops a run. In the next run the account does not have the rest of the child, which is a failure.
func TestAChildThatIsAwayOnResume(t *testing.T) {
	absent := true
	a := serve(t, func(r *http.Request) (int, string) {
		id, kid := strings.CutPrefix(r.URL.Path, "/kids/")
		switch {
		case !kid:
			return paged(r, things(30))
		case absent:
			return 404, noRoute
		default:
			return 200, `{"data":[` + thing(mustAtoi(id), "2026-01-01 10:00:00") + `]}`
		}
	})
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		d.Check, d.Absent = "things", saysNoRoute
		d.Streams[0].Cursor.Ask = nil
		clock := *d.Streams[0].Cursor
		d.Streams = append(d.Streams, rest.Stream{
			Name: "kids", Path: "/kids/{id}", Key: []string{"id"}, Cursor: &clock, Optional: true,
			Parent: &rest.Parent{Of: "things", Follows: true, In: httpclient.Path, Params: map[string]string{"id": "id"}},
		})
		return d
	})
	// a run that was stopped has read 16 to 30
	first := stateOf("kids", `{"t":null,"cycle":{"mode":"incremental","start":"2026-02-10T00:00:00Z","max":"2026-01-30T13:00:00Z",
		"done":"16-30","records":15}}`)
	second := read(t.Context(), t, source, first, "kids+")
	if second.err == nil {
		t.Errorf("complete without what the account does not have any more: %v", second.warnings)
	}
	absent = false
	third := read(t.Context(), t, source, second, "kids+")
	third.complete(t)
	if got := third.ids("kids"); !slices.Equal(got, numbers(1, 15)) {
		t.Errorf("got %v; state %s, warnings %v", got, second.last("kids"), second.warnings)
	}
}

// TestASetThatIsAwayOnResume does the same for a set.
func TestASetThatIsAwayOnResume(t *testing.T) {
	how := 403
	a := serve(t, func(r *http.Request) (int, string) {
		switch purpose := r.URL.Query().Get("purpose"); {
		case r.URL.Path == "/others":
			return paged(r, things(1))
		case purpose == "1":
			return paged(r, []string{thing(1, "2026-01-09 10:00:00")})
		case how == 404:
			return 404, noRoute
		case how == 403:
			return 403, `{}`
		}
		rows := []string{thing(2, "2026-01-02 10:00:00")}
		if r.URL.Query().Get("since") > "2026-01-02" {
			rows = nil
		}
		return paged(r, rows)
	})
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		d.Check, d.Absent = "others", saysNoRoute
		s := &d.Streams[0]
		s.Each, s.Optional = rest.Sets("purpose", "1", "2"), true
		d.Streams = append(d.Streams, rest.Stream{Name: "others", Path: "/others", Key: []string{"id"}})
		return d
	})
	first := read(t.Context(), t, source, nil, "things+")
	if first.err == nil {
		t.Fatal("403 was taken")
	}
	how = 404
	second := read(t.Context(), t, source, first, "things+")
	if second.err == nil {
		t.Errorf("complete without a set: %v", second.warnings)
	}
	how = 200
	third := read(t.Context(), t, source, second, "things+")
	third.complete(t)
	if got := together("things", first, second, third); !slices.Equal(got, numbers(1, 2)) {
		t.Errorf("got %v; state %s", got, second.last("things"))
	}
}

// TestAChildThatTheAccountGetsLater is TestWhatTheAccountGetsLater for a child that follows its parent.
func TestAChildThatTheAccountGetsLater(t *testing.T) {
	absent := true
	a := serve(t, func(r *http.Request) (int, string) {
		id, kid := strings.CutPrefix(r.URL.Path, "/kids/")
		switch {
		case !kid && r.URL.Query().Get("since") > "2026-06-01":
			return paged(r, nil)
		case !kid:
			return paged(r, []string{`{"id":1}`, `{"id":2}`})
		case absent:
			return 404, noRoute
		}
		return 200, `{"data":[{"id":` + id + `}]}`
	})
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		d.Check, d.Absent = "things", saysNoRoute
		d.Streams[0].Cursor.Hidden = true
		clock := *d.Streams[0].Cursor
		d.Streams = append(d.Streams, rest.Stream{
			Name: "kids", Path: "/kids/{id}", Key: []string{"id"}, Cursor: &clock, Optional: true,
			Parent: &rest.Parent{
				Of: "things", Follows: true, Missing: true, In: httpclient.Path, Params: map[string]string{"id": "id"},
			},
		})
		return d
	})
	first := read(t.Context(), t, source, nil, "kids+")
	first.complete(t)
	absent = false
	second := read(t.Context(), t, source, first, "kids+")
	second.complete(t)
	if got := second.ids("kids"); !slices.Equal(got, numbers(1, 2)) {
		t.Errorf("got %v, warnings %v then %v; state %s", got, first.warnings, second.warnings, first.last("kids"))
	}
}

// TestARouteThatComesBackInAFullRefresh resumes a full refresh that failed because of a wrong route.
func TestARouteThatComesBackInAFullRefresh(t *testing.T) {
	away := true
	a := serve(t, func(r *http.Request) (int, string) {
		id, kid := strings.CutPrefix(r.URL.Path, "/kids/")
		switch {
		case !kid:
			return paged(r, things(5))
		case away:
			return 404, `{"message":"not found"}`
		default:
			return 200, `{"data":` + thing(mustAtoi(id), "2026-01-01 10:00:00") + `}`
		}
	})
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		clock := *d.Streams[0].Cursor
		d.Streams = append(d.Streams, rest.Stream{
			Name: "kids", Path: "/kids/{id}", Key: []string{"id"}, Cursor: &clock, Pages: pagination.Single{},
			Parent: &rest.Parent{Of: "things", Detail: true, Follows: true, In: httpclient.Path, Params: map[string]string{"id": "id"}},
		})
		return d
	})
	first := read(t.Context(), t, source, nil, "kids")
	if first.err == nil {
		t.Fatal("a route that is none was taken")
	}
	away = false
	second := read(t.Context(), t, source, first, "kids")
	second.complete(t)
	if got := second.ids("kids"); !slices.Equal(got, numbers(1, 5)) {
		t.Errorf("a full refresh is COMPLETE with %v of 5 rows", got)
	}
}

// TestTheLastYear has a time in the year 10000 in UTC, in a listing that sends a state on the way.
func TestTheLastYear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := append([]string{thing(99, "9999-12-31 23:59:59")}, things(9)...)
		a := serve(t, func(r *http.Request) (int, string) {
			time.Sleep(15 * time.Second)
			return paged(r, rows)
		})
		source := a.source(func(d rest.API) rest.API {
			d = dated(d)
			d.Streams[0].Each = rest.Sets("kind", "1", "2")
			return d
		})
		o := read(t.Context(), t, source, nil, "things+")
		if o.err != nil {
			t.Errorf("one row keeps the stream from ever being read: %v, states %v, statuses %v", o.err, o.states, o.statuses)
		}
	})
}

// TestASecondLookThatFails moves a row to a set that was read, and makes the second reading of that set fail. The next sync has the row.
func TestASecondLookThatFails(t *testing.T) {
	moved, broken := false, true
	a := serve(t, func(r *http.Request) (int, string) {
		kind := r.URL.Query().Get("kind")
		if kind == "2" {
			moved = true
			return 200, `{"data":[` + thing(4, "2026-01-04 10:00:00") + `]}`
		}
		if !moved {
			return 200, `{"data":[` + thing(1, "2026-01-01 10:00:00") + `]}`
		}
		if broken {
			return 403, `{}`
		}
		return 200, `{"data":[` + thing(1, "2026-01-01 10:00:00") + "," + thing(3, "2026-01-03 10:00:00") + `]}`
	})
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		d.Pages = nil
		d.Streams[0].Each = rest.Sets("kind", "1", "2")
		return d
	})
	first := read(t.Context(), t, source, nil, "things")
	if first.err == nil {
		t.Fatal("403 was taken")
	}
	broken = false
	before := len(a.requests())
	second := read(t.Context(), t, source, first, "things")
	second.complete(t)
	if got := together("things", first, second); !slices.Equal(got, []string{"1", "3", "4"}) {
		t.Errorf("got %v; the second look failed, and the next sync is complete with %d requests, from %s",
			got, len(a.requests())-before, first.last("things"))
	}
}

// TestADayWithAnOffset has times that are a day with an offset. A row with the day of the mark comes.
func TestADayWithAnOffset(t *testing.T) {
	rows := []string{thing(1, "2026-01-05-03:00"), thing(2, "2026-01-05T14:00:00-03:00")}
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, rows) })
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		d.Streams[0].Cursor.Ask, d.Streams[0].Cursor.Layouts = nil, []string{"2006-01-02-07:00"}
		return d
	})
	first := read(t.Context(), t, source, nil, "things+")
	first.complete(t)
	rows = append(rows, thing(3, "2026-01-05-03:00"))
	second := read(t.Context(), t, source, first, "things+")
	second.complete(t)
	if got := together("things", first, second); !slices.Equal(got, numbers(1, 3)) {
		t.Errorf("got %v, state %s", got, first.last("things"))
	}
}

// TestKeyThatDoesNotFitInAList makes one of two streams of a listing fail by a key. The other is complete, and the rows not sent come later.
func TestKeyThatDoesNotFitInAList(t *testing.T) {
	key := `"x"`
	a := serve(t, func(r *http.Request) (int, string) {
		return paged(r, []string{
			`{"id":1,"t":"2026-01-01 10:00:00","tags":[{"id":11}]}`, `{"id":2,"t":"2026-01-02 10:00:00","tags":[{"id":` + key + `}]}`,
			`{"id":3,"t":"2026-01-03 10:00:00","tags":[{"id":13}]}`,
		})
	})
	schema := `{"properties":{"id":{"type":"integer"},` + dateColumn("thing_t") + `}}`
	source := a.sourceOf(map[string]string{"tags": schema}, func(d rest.API) rest.API {
		d = dated(d)
		d.Streams[0].Cursor.Ask = nil
		d.Streams = append(d.Streams, rest.Stream{
			Name: "tags", Key: []string{"id"}, Cursor: &rest.Cursor{Field: "thing_t"}, Explode: &rest.Explode{Of: "things", Array: "tags"},
		})
		return d
	})
	first := read(t.Context(), t, source, nil, "things+", "tags+")
	if first.err == nil {
		t.Fatal("a key that is none was taken")
	}
	key = "12"
	second := read(t.Context(), t, source, first, "things+", "tags+")
	second.complete(t)
	if got := together("tags", first, second); !slices.Equal(got, numbers(11, 13)) {
		t.Errorf("got %v, state after the failure %s", got, first.last("tags"))
	}
}

// dateColumn returns a column of times for a schema.
func dateColumn(name string) string {
	return `"` + name + `":{"type":["null","string"],"format":"date-time"}`
}

// TestAQuestionThatIsUnderstoodOtherwise has an API that finds nothing by the filter for changes, because it expects another format. Everything is
// read, and the changed rows come.
func TestAQuestionThatIsUnderstoodOtherwise(t *testing.T) {
	rows := append(things(4), `{"id":9,"t":null}`)
	deaf := false
	a := serve(t, func(r *http.Request) (int, string) {
		since := r.URL.Query().Get("since")
		return paged(r, slices.DeleteFunc(slices.Clone(rows), func(row string) bool {
			return since != "" && !strings.Contains(row, "null") && (deaf || day(row) < since)
		}))
	})
	source := a.source(dated)
	first := read(t.Context(), t, source, nil, "things+")
	first.complete(t)
	second := read(t.Context(), t, source, first, "things+")
	second.complete(t)
	if got := count(a.requests(), "/things?page="); len(second.warnings) > 0 || got != 3+2 {
		t.Errorf("a sync without changes asked %v, warned %q", a.requests(), second.warnings)
	}
	deaf = true
	rows = append(rows[1:], thing(1, "2026-02-01 00:00:00"), thing(5, "2026-02-02 00:00:00"))
	third := read(t.Context(), t, source, second, "things+")
	third.complete(t)
	if got := third.ids("things"); !slices.Contains(got, "1") || !slices.Contains(got, "5") || len(third.warnings) != 1 {
		t.Errorf("%v came, warned %q", got, third.warnings)
	}
	fourth := read(t.Context(), t, a.source(func(d rest.API) rest.API {
		d = dated(d)
		d.Streams[0].Cursor.Start = rest.Date("2026-01-03")
		return d
	}), nil, "things+")
	fourth.complete(t)
	if got := fourth.ids("things"); !slices.Equal(got, []string{"1", "3", "4", "5", "9"}) || len(fourth.warnings) != 1 {
		t.Errorf("from a start date on %v came, warned %q", got, fourth.warnings)
	}
	rows = nil // there are no rows any more, so the filter is not at fault
	fifth := read(t.Context(), t, source, third, "things+")
	fifth.complete(t)
	if len(fifth.ids("things")) > 0 || len(fifth.warnings) > 0 {
		t.Errorf("%v came, warned %q", fifth.ids("things"), fifth.warnings)
	}
}

// TestRowsThatBecomeVisibleLate has rows that appear, go and come back with old times of change, some of them hidden from the filter for changes. New
// rows come, and so do their details.
func TestRowsThatBecomeVisibleLate(t *testing.T) {
	for _, asks := range []bool{true, false} {
		rows, gone := things(4), []string(nil)
		a := serve(t, func(r *http.Request) (int, string) {
			switch id, detail := strings.CutPrefix(r.URL.Path, "/things/"); {
			case detail:
				return 200, fmt.Sprintf(`{"data":{"id":%s,"t":"2020-01-01 00:00:00"}}`, id)
			case r.URL.Query().Get("deleted") == "true":
				return paged(r, gone)
			}
			return paged(r, slices.DeleteFunc(slices.Clone(rows), func(row string) bool { return day(row) < r.URL.Query().Get("since") }))
		})
		source := a.source(func(d rest.API) rest.API {
			d = family(removing(d))
			d.Streams = d.Streams[:2]
			if d.Streams[0].Cursor.Snapshot = true; !asks {
				d.Streams[0].Cursor.Ask = nil
			}
			return d
		})
		o := read(t.Context(), t, source, nil, "things+", "details+")
		o.complete(t)
		for _, step := range []struct {
			name string
			do   func()
			want []string
		}{
			{"nothing happened", func() {}, []string{"4"}},
			{"one is new", func() { rows = append(rows, thing(9, "2025-03-01 00:00:00")) }, []string{"4", "9"}},
			{"nothing happened again", func() {}, []string{"4"}},
			{"one is removed", func() { gone, rows = append(gone, rows[1]), slices.Delete(rows, 1, 2) }, []string{"2", "4"}},
			{"and restored", func() { rows, gone = append(rows, gone...), nil }, []string{"2", "4"}},
			{"and known", func() {}, []string{"4"}},
		} {
			step.do()
			o = read(t.Context(), t, source, o, "things+", "details+")
			o.complete(t)
			if got, child := o.ids("things"), o.ids("details"); !slices.Equal(got, step.want) || !slices.Equal(child, step.want) || len(o.warnings) > 0 {
				t.Errorf("%s, asking %v: %v and details of %v, want %v; warned %q", step.name, asks, got, child, step.want, o.warnings)
			}
		}
	}
}

// day returns the day on which a row changed.
func day(row string) string {
	_, at, _ := strings.Cut(row, `"t":"`)
	return at[:min(len(at), len(time.DateOnly))]
}

// TestAQuestionThatFindsNothingOfManyRows has an API that tells the total of all rows even if a request for changes finds none, because the row that
// made the mark is gone. If the total is not a promise, everything is read. If it is one, the stream fails.
func TestAQuestionThatFindsNothingOfManyRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, unsure := range []bool{true, false} {
			rows := []string{thing(1, "1999-01-01 10:00:00"), thing(2, "1999-01-01 11:00:00"), thing(3, "1999-01-01 12:00:00"), thing(4, "1999-01-04 10:00:00")}
			a := serve(t, func(r *http.Request) (int, string) {
				of := rows
				if r.URL.Query().Get("since") != "" {
					of = nil
				}
				status, text := paged(r, of)
				return status, strings.Replace(text, `"total":0`, `"total":4`, 1)
			})
			source := a.source(func(d rest.API) rest.API {
				d = dated(d)
				d.Pages = pagination.Number{Param: "page", Start: 1, SizeParam: "size", Size: 2, Rows: "total", Unsure: unsure}
				return d
			})
			first := read(t.Context(), t, source, nil, "things+")
			first.complete(t)
			rows = append(rows[:3:3], thing(5, "1998-12-01 10:00:00"))
			second := read(t.Context(), t, source, first, "things+")
			if failed := second.err != nil; failed == unsure {
				t.Errorf("the number is unsure: %t, the read ended with %v", unsure, second.err)
			}
			asked := a.requests()
			if whole := !strings.Contains(asked[len(asked)-1], "since="); whole != unsure || unsure && len(second.warnings) != 1 {
				t.Errorf("the number is unsure: %t, asked %v, warned %q", unsure, asked, second.warnings)
			}
		}
	})
}

// TestAQuestionThatIsRefused has an API that refuses the filter for changes in words that the connector does not know. Everything is read. If the
// filter is not the reason, the API's first message is the error.
func TestAQuestionThatIsRefused(t *testing.T) {
	for _, status := range []int{400, 401, 403, 422} {
		rows, refuses := things(4), func(since string) bool { return since != "" }
		a := serve(t, func(r *http.Request) (int, string) {
			if since := r.URL.Query().Get("since"); refuses(since) {
				return status, fmt.Sprintf(`{"message":"no %s"}`, since)
			}
			return paged(r, rows)
		})
		source := a.source(dated)
		first := read(t.Context(), t, source, nil, "things+")
		first.complete(t)
		rows = append(rows, thing(5, "2026-02-02 00:00:00"))
		second := read(t.Context(), t, source, first, "things+")
		second.complete(t)
		if got := second.ids("things"); !slices.Contains(got, "5") || len(second.warnings) != 1 {
			t.Errorf("%d: %v came, warned %q", status, got, second.warnings)
		}
		refuses = func(string) bool { return true }
		before := len(a.requests())
		third := read(t.Context(), t, source, second, "things+")
		if third.err == nil || !strings.Contains(third.err.Error(), "2026") || len(third.warnings) > 0 || len(a.requests()) != before+2 {
			t.Errorf("%d: failed with %v, warned %q, asked %v", status, third.err, third.warnings, a.requests()[before:])
		}
	}
}

// TestAnAccountThatSeemsToLackAStream has a proxy that once says that the route does not exist. The rows come.
func TestAnAccountThatSeemsToLackAStream(t *testing.T) {
	asked := 0
	a := serve(t, func(r *http.Request) (int, string) {
		if asked++; asked == 1 {
			return 404, noRoute
		}
		return paged(r, things(3))
	})
	o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Check, d.Absent, d.Streams[0].Optional = "things", saysNoRoute, true
		return d
	}), nil, "things")
	o.complete(t)
	if got := o.ids("things"); !slices.Equal(got, numbers(1, 3)) || len(o.warnings) > 0 {
		t.Errorf("got %v, warnings %v", got, o.warnings)
	}
}

// TestASetThatIsAwayWhenLookedAtAgain makes the first of two sets absent in its second reading. It is then unknown whether rows moved to it, and the
// read fails.
func TestASetThatIsAwayWhenLookedAtAgain(t *testing.T) {
	second := false
	a := serve(t, func(r *http.Request) (int, string) {
		switch purpose := r.URL.Query().Get("purpose"); {
		case purpose == "2":
			second = true
			return paged(r, []string{thing(2, "2026-01-02 10:00:00")})
		case second:
			return 404, noRoute
		}
		return paged(r, []string{thing(1, "2026-01-01 10:00:00")})
	})
	o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Check, d.Absent = "things", saysNoRoute
		d.Streams[0].Each, d.Streams[0].Optional = rest.Sets("purpose", "1", "2"), true
		return d
	}), nil, "things")
	if o.err == nil {
		t.Errorf("complete, with %v", o.warnings)
	}
}

// TestARefusalBehindAWrongAnswer has a page after the last one that is answered with other rows, which are not accepted, and then refused. The rows
// are not sent.
func TestARefusalBehindAWrongAnswer(t *testing.T) {
	asked := 0
	a := serve(t, func(r *http.Request) (int, string) {
		page := mustAtoi(r.URL.Query().Get("page"))
		if page <= 2 {
			return 200, fmt.Sprintf(`{"page":%d,"data":[{"id":%d0},{"id":%d1}]}`, page, page, page)
		}
		if asked++; asked%2 == 1 { // refused when it is asked for again
			return 200, `{"page":1,"data":[{"id":77}]}`
		}
		return 404, `{}`
	})
	o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Pages = pagination.Number{Param: "page", Start: 1, SizeParam: "size", Size: 2, Echo: "page"}
		return d
	}), nil, "things")
	o.complete(t)
	if got := o.ids("things"); !slices.Equal(got, []string{"10", "11", "20", "21"}) {
		t.Errorf("got %v", got)
	}
}

// TestWordsBesideAnEmptyList checks that words beside an empty list are read, and that words about a failure are a failure.
func TestWordsBesideAnEmptyList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for body, good := range map[string]bool{
			`{"data":[],"mensagem":"Erro interno. Tente novamente mais tarde."}`: false, `{"data":[],"message":"Chave inválida!"}`: false,
			`{"data":[],"sucesso":false}`: false, `{"data":[],"mensagens":["timeout"]}`: false, `{"total":0,"data":null,"Message":"An error has occurred."}`: false,
			`{"data":[],"mensagem":""}`: true, `{"data":[],"mensagem":"Nenhum registro encontrado."}`: true, `{"data":[],"mensagem":null}`: true,
			`{"data":[],"message":"Consulta realizada com sucesso","success":true}`: true,
		} {
			a := serve(t, func(*http.Request) (int, string) { return 200, body })
			o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
				d = listed(d)
				d.Pages = pagination.Number{Param: "page", Start: 1, Size: 2, Rows: "total", Unsure: true}
				return d
			}), nil, "things")
			if good != (o.err == nil) {
				t.Errorf("%s: %v", body, o.err)
			}
		}
	})
}
