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

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

const noRoute = `{"Message":"No HTTP resource was found"}`

func saysNoRoute(r *httpclient.Response) bool {
	return r.Status == 404 && r.Body.Get("Message").Exists()
}

// optional describes a listing with a child that not every account has.
func optional(d rest.API) rest.API {
	d = dated(d)
	d.Check, d.Absent = "things", saysNoRoute
	d.Streams = append(d.Streams, rest.Stream{
		Name: "parts", Path: "/parts", Key: []string{"thing", "id"}, Optional: true, Cursor: &rest.Cursor{Field: "t"},
		Parent: &rest.Parent{Of: "things", Params: map[string]string{"thing": "id"}, Put: map[string]string{"thing": "id"}},
	})
	return d
}

func TestOptionalChildren(t *testing.T) {
	absent := func(string) bool { return true }
	a := serve(t, func(r *http.Request) (int, string) {
		switch thing := r.URL.Query().Get("thing"); {
		case r.URL.Path != "/parts":
			return paged(r, things(40))
		case absent(thing):
			return 404, noRoute
		default:
			return paged(r, things(1))
		}
	})
	source := a.source(optional)
	first := read(t.Context(), t, source, nil, "things", "parts+")
	first.complete(t)
	if len(first.warnings) != 1 || !strings.Contains(first.warnings[0], "parts: this account does not have it") || len(first.records["parts"]) != 0 {
		t.Errorf("warnings %v, records %v", first.warnings, first.records["parts"])
	}
	if n := count(a.requests(), "/parts"); n > 16 { // twice the number in flight
		t.Errorf("what the account does not have was asked for %d times", n)
	}
	absent = func(string) bool { return false }
	second := read(t.Context(), t, source, first, "parts+")
	second.complete(t)
	if len(second.records["parts"]) != 40 {
		t.Errorf("when the account has it %d of 40 rows come", len(second.records["parts"]))
	}
	absent = func(thing string) bool { return thing == "40" }
	mixed := read(t.Context(), t, source, nil, "parts+")
	if f := fault.Of(mixed.err); f == nil || f.Kind != fault.Transient || !strings.Contains(f.Message, "not of others") || len(mixed.warnings) > 0 {
		t.Errorf("it was there for some rows alone, and the read ended with %v, warnings %v", mixed.err, mixed.warnings)
	}
	needed := a.source(func(d rest.API) rest.API {
		d = optional(d)
		d.Streams[1].Optional = false
		return d
	})
	absent = func(string) bool { return true }
	if o := read(t.Context(), t, needed, nil, "parts"); fault.Of(o.err).Kind != fault.Config {
		t.Errorf("a child that every account has was not found, and the read ended with %v", o.err)
	}
}

// offers describes a catalogue of things offered for two purposes, with one answer for each thing.
func offers(d rest.API) rest.API {
	d = dated(d)
	d.Check, d.Absent = "others", saysNoRoute
	s := &d.Streams[0]
	s.Key, s.Each, s.Optional = []string{"id", "purpose"}, []map[string]any{{"purpose": 1}, {"purpose": 2}}, true
	d.Streams = append(d.Streams,
		rest.Stream{
			Name: "details", Path: "/details", Records: "data,", Key: []string{"id"}, Optional: true, Cursor: s.Cursor, Pages: pagination.Single{},
			Parent: &rest.Parent{Of: "things", Follows: true, Detail: true, Params: map[string]string{"id": "id", "ids": "id"}},
		},
		rest.Stream{Name: "others", Path: "/others"})
	return d
}

func TestParentsThatAskForTheSame(t *testing.T) {
	day := map[int]string{1: "2026-01-01", 2: "2026-01-02", 3: "2026-01-03"}
	at := func(id int) string { return day[id] + " 10:00:00" }
	a := serve(t, func(r *http.Request) (int, string) {
		q := r.URL.Query()
		if r.URL.Path == "/details" {
			return 200, thing(mustAtoi(q.Get("id")), at(mustAtoi(q.Get("id"))))
		}
		var rows []string
		for _, id := range map[string][]int{"1": {1, 2}, "2": {2, 3}}[q.Get("purpose")] {
			rows = append(rows, fmt.Sprintf(`{"id":%d,"purpose":%q,"t":%q}`, id, "for "+q.Get("purpose"), at(id)))
		}
		return paged(r, rows)
	})
	source := a.source(offers)
	first := read(t.Context(), t, source, nil, "things+", "details+")
	first.complete(t)
	if got := first.ids("things"); !slices.Equal(got, []string{"1", "2", "2", "3"}) {
		t.Errorf("the things are %v", got)
	}
	if got := first.ids("details"); !slices.Equal(got, numbers(1, 3)) || count(a.requests(), "/details") != 3 {
		t.Errorf("the details are %v, with %v", got, a.requests())
	}
	day[2] = "2026-02-02"
	second := read(t.Context(), t, source, first, "details+")
	second.complete(t)
	if got := second.ids("details"); !slices.Equal(got, []string{"2", "3"}) { // the row at the mark comes again
		t.Errorf("one changed, and the details are %v", got)
	}
}

// TestChildrenOfWhatIsAbsent checks that a child is empty if the account lacks its parent, and that the read fails if the account lacks only one part
// of the parent, unless the parts are Apart.
func TestChildrenOfWhatIsAbsent(t *testing.T) {
	var absent []string
	a := serve(t, func(r *http.Request) (int, string) {
		if purpose := r.URL.Query().Get("purpose"); slices.Contains(absent, purpose) {
			return 404, noRoute
		}
		return paged(r, nil)
	})
	source := a.source(offers)
	apart := a.source(func(d rest.API) rest.API {
		d = offers(d)
		for i := range d.Streams {
			d.Streams[i].Apart = len(d.Streams[i].Each) > 0
		}
		return d
	})
	absent = []string{"1", "2"}
	o := read(t.Context(), t, source, nil, "details", "others")
	o.complete(t)
	if len(o.warnings) != 1 || o.warnings[0] != "details: this account does not have things, which it is made from; it is read as empty" {
		t.Errorf("warnings %v", o.warnings)
	}
	for _, purpose := range []string{"1", "2"} {
		absent = []string{purpose}
		o := read(t.Context(), t, source, nil, "things", "details")
		if f := fault.Of(o.err); f == nil || f.Kind != fault.Transient || len(o.warnings) > 0 {
			t.Errorf("without purpose %s alone the read ended with %v, warnings %v", purpose, o.err, o.warnings)
		}
		o = read(t.Context(), t, apart, nil, "things", "details")
		o.complete(t)
		if want := "details: this account does not have a part of what it is made from (purpose=" + purpose + "); it is read without"; len(o.warnings) != 2 ||
			!slices.Contains(o.warnings, want) {
			t.Errorf("without purpose %s, which is asked for apart: warnings %v", purpose, o.warnings)
		}
	}
}

// TestChildrenOfAListingThatFails checks that a child that is being read when its parent's listing fails gets the same error, and not that the run
// was stopped.
func TestChildrenOfAListingThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := serve(t, func(r *http.Request) (int, string) {
			switch {
			case r.URL.Path == "/parts":
				time.Sleep(8 * time.Second)
				return paged(r, things(1))
			case r.URL.Query().Get("page") == "3":
				time.Sleep(5 * time.Second)
				return 403, `{"message":"the key may not read this"}`
			}
			return paged(r, things(6))
		})
		o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
			d = optional(d)
			d.Streams[1].Optional = false
			return d
		}), nil, "things", "parts")
		if len(o.failures) != 1 || !strings.Contains(o.failures[0], "403") || strings.Contains(o.err.Error(), "stopped") {
			t.Errorf("the streams are told %q: %v", o.failures, o.err)
		}
	})
}

// TestDetailsAnsweredWithNothing checks that an answer without a body says that a row is gone, if other rows are not.
func TestDetailsAnsweredWithNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, nothing := range []string{"", " \n", "null", `{"data":null}`} {
			a := serve(t, func(r *http.Request) (int, string) {
				switch id := r.URL.Query().Get("id"); {
				case r.URL.Path != "/details":
					return paged(r, []string{`{"id":1,"purpose":"a"}`, `{"id":2,"purpose":"a"}`})
				case id == "1":
					return 200, nothing
				default:
					return 200, thing(mustAtoi(id), "2026-01-01 00:00:00")
				}
			})
			o := read(t.Context(), t, a.source(offers), nil, "details")
			o.complete(t)
			if got := o.ids("details"); !slices.Equal(got, []string{"2"}) || len(o.warnings) != 1 || !strings.Contains(o.warnings[0], "were not there") {
				t.Errorf("%q: got %v, warnings %v", nothing, got, o.warnings)
			}
		}
	})
}

func TestWaysWithAnotherMethod(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		a := serve(t, func(r *http.Request) (int, string) {
			q := struct{ Purpose int }{}
			switch {
			case r.Method != method:
				return http.StatusMethodNotAllowed, `{"Message":"not this method"}`
			case method == http.MethodGet:
				q.Purpose = mustAtoi(r.URL.Query().Get("purpose"))
			case json.NewDecoder(r.Body).Decode(&q) != nil:
				return 400, `{"Message":"no body"}`
			}
			return 200, `{"data":[` + thing(q.Purpose, "2026-01-01 00:00:00") + `]}`
		})
		o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
			d = listed(d)
			d.Check = "things"
			s := &d.Streams[0]
			s.Refused = func(r *httpclient.Response) bool { return r.Status == http.StatusMethodNotAllowed }
			s.Method, s.Body, s.Each = http.MethodPost, map[string]any{"all": true}, []map[string]any{{"purpose": 1}, {"purpose": 2}}
			s.Ways = []rest.Way{{Pages: pagination.Single{}}, {Pages: pagination.Single{}, Method: http.MethodGet}}
			return d
		}), nil, "things")
		o.complete(t)
		if got := o.ids("things"); !slices.Equal(got, numbers(1, 2)) {
			t.Errorf("%s: got %v", method, got)
		}
	}
}

// TestPagesThatAreLikelyWhole checks that a page with fewer rows than requested is only taken as the last one after a request for the next page, if
// the API may shorten pages. If there are no rows at all, that request is not made.
func TestPagesThatAreLikelyWhole(t *testing.T) {
	for rows, want := range map[int]int{0: 1, 1: 2, 2: 2, 3: 3, 5: 4} { // number of children of one parent: number of requests
		for _, envelope := range []string{`{"data":[%s]}`, `{"data":[%s],"total":%d}`, `[%s]`} {
			a := serve(t, func(r *http.Request) (int, string) {
				if r.URL.Path == "/things" {
					return paged(r, things(1))
				}
				_, page := paged(r, things(rows)) // returns pages of two rows
				data := strings.Trim(string(record.Record(page).Get("data").Raw()), "[]")
				if strings.Contains(envelope, "total") {
					return 200, fmt.Sprintf(envelope, data, strings.Count(data, "id"))
				}
				return 200, fmt.Sprintf(envelope, data)
			})
			o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
				d = listed(d)
				d.Streams = append(d.Streams, rest.Stream{
					Name: "parts", Path: "/parts", Key: []string{"id"}, Parent: &rest.Parent{Of: "things", Params: map[string]string{"thing": "id"}},
					Pages: pagination.Number{Param: "page", Start: 1, SizeParam: "size", Size: 20, Likely: true, Rows: "total", Unsure: true, Bare: true},
				})
				return d
			}), nil, "parts")
			o.complete(t)
			asked := slices.DeleteFunc(a.requests(), func(r string) bool { return !strings.HasPrefix(r, "/parts") })
			if len(o.records["parts"]) != rows || len(asked) != want {
				t.Errorf("%d rows, %s: %d came with %v", rows, envelope, len(o.records["parts"]), asked)
			}
		}
	}
}

// TestOneAnswerWithATotal checks that a single answer with a total must have that many rows, and may omit the list if the total is zero.
func TestOneAnswerWithATotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for body, want := range map[string]int{
			`{"total":1,"data":[{"id":1}]}`: 1, `{"total":0,"data":null}`: 0, `{"total":0,"data":[]}`: 0, `{"total":0}`: 0,
			`{"total":0,"data":{}}`: 0, `{"total":1,"data":{}}`: -1, `{"total":2,"data":[{"id":1}]}`: -1, `{"total":0,"data":[{"id":1}]}`: -1, `{"total":1,"data":null}`: -1, `{"data":[]}`: -1, `{"total":"?","data":[]}`: -1,
		} {
			a := serve(t, func(*http.Request) (int, string) { return 200, body })
			o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
				d = listed(d)
				d.Pages = pagination.Whole{Rows: "total"}
				return d
			}), nil, "things")
			if (o.err == nil) != (want >= 0) || want >= 0 && len(o.records["things"]) != want {
				t.Errorf("%s: %v, %v", body, o.records["things"], o.err)
			}
		}
	})
}

// TestNothing checks that a sentence in place of a list may mean that there are no rows, with any status, and that any other sentence is a failure.
func TestNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for text, good := range map[string]bool{"no parts": true, "no right": false} {
			for _, status := range []int{200, 404} {
				a := serve(t, func(r *http.Request) (int, string) {
					switch {
					case r.URL.Path == "/things":
						return paged(r, things(3))
					case r.URL.Query().Get("thing") == "2":
						return 200, `{"data":[{"id":9}]}`
					}
					return status, `{"message":"` + text + `"}`
				})
				o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
					d = listed(d)
					d.Streams = append(d.Streams, rest.Stream{
						Name: "parts", Path: "/parts", Key: []string{"id"}, Parent: &rest.Parent{Of: "things", Params: map[string]string{"thing": "id"}},
						Nothing: func(r *httpclient.Response) bool { return r.Body.Get("message").Text() == "no parts" }, Pages: pagination.Single{},
					})
					return d
				}), nil, "parts")
				if good != (o.err == nil) || good && (len(o.records["parts"]) != 1 || len(o.warnings) > 0) {
					t.Errorf("%d %s: %v, %v", status, text, o.err, o.records)
				}
			}
		}
	})
}

// TestBareLists checks that a list of unknown form may be empty without an envelope, and that a list known to have an envelope may not.
func TestBareLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for body, empty := range map[string]bool{`[]`: true, `{"total":0,"data":[]}`: true, `{"total":0}`: true, `{"total":1}`: false, `{}`: false} {
			a := serve(t, func(*http.Request) (int, string) { return 200, body })
			o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
				d = listed(d)
				d.Pages = pagination.Number{Param: "page", Start: 1, SizeParam: "size", Size: 20, Exact: true, Rows: "total", Unsure: true, Bare: true}
				return d
			}), nil, "things")
			if empty != (o.err == nil) || len(o.records["things"]) > 0 {
				t.Errorf("%s: it ended with %v", body, o.err)
			}
		}
	})
}
