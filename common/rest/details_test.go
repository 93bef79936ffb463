package rest_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// people describes an API that finds people by a search and returns each of them, with their addresses, in an answer of its own.
func people(d rest.API) rest.API {
	d.Check, d.Omits = "people", true
	d.Absent = func(r *httpclient.Response) bool { return strings.Contains(string(r.Text), "no such route") }
	d.Gone = func(r *httpclient.Response) bool { return strings.Contains(string(r.Text), "no such person") }
	d.Records = "rows"
	d.Streams = []rest.Stream{
		{Name: "search", Path: "/search", Key: []string{"id"}, Unlisted: true},
		{
			Name: "people", Path: "/person", Records: "row", Key: []string{"id"}, Optional: true,
			Parent: &rest.Parent{Of: "search", Detail: true, Missing: true, Params: map[string]string{"id": "id"}},
		},
		{
			Name: "addresses", Key: []string{"id", "place"},
			Explode: &rest.Explode{Of: "people", Within: "homes", Array: "rooms", Put: rest.Same("id", "home"), Position: "place"},
		},
		{Name: "kinds", Path: "/kinds", Key: []string{"kind", "id"}, Each: rest.Sets("kind", "a", "b"), Put: map[string]string{"kind": "kind"}},
		{Name: "entries", Path: "/entries", Key: []string{"bill", "fee", "n"}, Repeats: "n", Pages: pagination.Single{}},
		{
			Name: "dues", Path: "/dues", Key: []string{"id"}, Cursor: &rest.Cursor{Field: "due", Margin: 31 * 24 * time.Hour},
			Windows: &rest.Windows{Oldest: time.Date(2020, 5, 10, 0, 0, 0, 0, time.UTC)},
			Days:    rest.Between(httpclient.Query, "first", "last", time.DateOnly),
		},
		{
			Name: "counted", Path: "/counted", Key: []string{"id", "n"}, Repeats: "n", Pages: pagination.Single{},
			Cursor: &rest.Cursor{Field: "due"}, Windows: &rest.Windows{Oldest: time.Date(2020, 5, 10, 0, 0, 0, 0, time.UTC)},
			Days: rest.Between(httpclient.Query, "first", "last", time.DateOnly),
		},
	}
	return d
}

func person(r *http.Request) (int, string) {
	id := r.URL.Query().Get("id")
	switch {
	case r.URL.Path == "/search":
		return 200, `{"rows":[{"id":1},{"id":2},{"id":3}]}`
	case r.URL.Path == "/entries":
		return 200, `{"rows":[{"bill":1,"fee":7,"v":1},{"bill":1,"v":2},{"bill":1,"fee":7,"v":1},{"bill":2,"fee":7},{"bill":1,"fee":7,"v":3},{"bill":1}]}`
	case r.URL.Path == "/person" && id == "3":
		return 200, `{"error":"no such person"}`
	case r.URL.Path == "/person":
		return 200, `{"row":{"id":` + id + `,"homes":[{"home":"x","rooms":[{"n":1},{"n":2}]},{"home":"y"},{"home":"z","rooms":{"n":3}}]}}`
	}
	return 200, `{}`
}

// TestRepeats checks that rows with the same key are numbered, including identical rows and rows that lack part of the key.
func TestRepeats(t *testing.T) {
	a := serve(t, person)
	for range 2 {
		all := read(t.Context(), t, a.source(people), nil, "entries")
		all.complete(t)
		want := []string{
			`{"bill":1,"fee":7,"v":1,"n":0}`, `{"bill":1,"fee":7,"v":1,"n":1}`, `{"bill":1,"fee":7,"v":3,"n":2}`, `{"bill":1,"n":1}`,
			`{"bill":1,"v":2,"n":0}`, `{"bill":2,"fee":7,"n":0}`,
		}
		if got := sorted(all.records["entries"]...); !slices.Equal(got, want) {
			t.Errorf("%v came", got)
		}
	}
	mistaken := a.source(func(d rest.API) rest.API {
		d = people(d)
		d.Streams[4].Pages = pagination.Number{Param: "page", Start: 1, SizeParam: "size", Size: 10}
		return d
	})
	if read(t.Context(), t, mistaken, nil, "entries").err == nil {
		t.Error("rows were counted whose pages may bring them twice")
	}
}

// TestDetailsAreShared checks that streams made from the same answers cost one request for each row, and that an unlisted stream is not in the
// catalog.
func TestDetailsAreShared(t *testing.T) {
	a := serve(t, person)
	source := a.source(people)
	both := read(t.Context(), t, source, nil, "people", "addresses")
	both.complete(t)
	want := []string{
		`{"n":1,"home":"x","id":1,"place":0}`, `{"n":1,"home":"x","id":2,"place":0}`, `{"n":2,"home":"x","id":1,"place":1}`,
		`{"n":2,"home":"x","id":2,"place":1}`, `{"n":3,"home":"z","id":1,"place":0}`, `{"n":3,"home":"z","id":2,"place":0}`,
	}
	if got := sorted(both.records["addresses"]...); !slices.Equal(got, want) || len(both.records["people"]) != 2 {
		t.Errorf("%d people and %v", len(both.records["people"]), got)
	}
	if asked := a.requests(); len(asked) != 5 { // the missing one is asked for twice
		t.Errorf("%v were asked", asked)
	}
	read(t.Context(), t, source, nil, "addresses").complete(t) // also without the stream that they are made from
	catalog, err := source.Discover(t.Context(), []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range catalog.Streams {
		if s.Name == "search" {
			t.Error("an unlisted stream is in the catalog")
		}
	}
	if read(t.Context(), t, source, nil, "search").err == nil {
		t.Error("an unlisted stream was read")
	}
}

// TestDetailsWithZerosInFront checks that a code matches whether it has leading zeros in the search, in the detail, or in neither.
func TestDetailsWithZerosInFront(t *testing.T) {
	for _, codes := range [][2]string{{`70`, `"0070"`}, {`"0070"`, `70`}, {`"070"`, `"70"`}} {
		a := serve(t, func(r *http.Request) (int, string) {
			if r.URL.Path == "/search" {
				return 200, `{"rows":[{"id":` + codes[0] + `}]}`
			}
			return 200, `{"row":{"id":` + codes[1] + `}}`
		})
		got := read(t.Context(), t, a.source(people), nil, "people")
		got.complete(t)
		if len(got.records["people"]) != 1 {
			t.Errorf("for %s came %v", codes[0], got.records["people"])
		}
	}
}

// TestDetailsThatTheAccountLacks checks that a child that the account lacks is an empty stream, with one warning, and that a missing right is a
// failure.
func TestDetailsThatTheAccountLacks(t *testing.T) {
	for text, empty := range map[string]bool{`{"error":"no such route"}`: true, `{"error":"not allowed"}`: false} {
		a := serve(t, func(r *http.Request) (int, string) {
			if r.URL.Path == "/person" {
				return 403, text
			}
			return person(r)
		})
		got := read(t.Context(), t, a.source(people), nil, "people", "addresses")
		if empty != (got.err == nil) || len(got.records) > 0 || empty && len(got.warnings) != 2 {
			t.Errorf("%s: %v, %v", text, got.err, got.warnings)
		}
	}
}

// TestSetsArePut checks that rows of several sets get the parameter of their set, which is part of their key, and that a list may be left out.
func TestSetsArePut(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		if r.URL.Query().Get("kind") == "a" {
			return 200, `{"rows":[{"id":1}]}`
		}
		return 200, `{"rows":[{"id":1},{"id":2}]}`
	})
	got := read(t.Context(), t, a.source(people), nil, "kinds")
	got.complete(t)
	want := []string{`{"id":1,"kind":"a"}`, `{"id":1,"kind":"b"}`, `{"id":2,"kind":"b"}`}
	if !slices.Equal(sorted(got.records["kinds"]...), want) {
		t.Errorf("%v came", got.records["kinds"])
	}
	none := serve(t, person)
	if got := read(t.Context(), t, none.source(people), nil, "kinds"); got.err != nil || len(got.records) > 0 {
		t.Errorf("without lists: %v, %v", got.err, got.records)
	}
}

// TestWindows checks that windows cover every day from the oldest one, or from the mark less the margin, to today, and are a day longer at both ends.
// Whether the API includes the first and last day or not, each row comes exactly once.
func TestWindows(t *testing.T) {
	now := time.Now().UTC()
	day := func(days int) string { return now.AddDate(0, 0, days).Format(time.DateOnly) }
	due := []string{"2020-12-31", "2021-01-01", "2021-04-30", "2021-05-01", "2021-05-02", day(-1), day(0), day(1)}
	for _, ends := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} { // number of days that the API leaves out at the beginning and at the end
		a := serve(t, func(r *http.Request) (int, string) {
			first, _ := time.Parse(time.DateOnly, r.URL.Query().Get("first"))
			last, _ := time.Parse(time.DateOnly, r.URL.Query().Get("last"))
			var rows []string
			for i, text := range due {
				at, _ := time.Parse(time.DateOnly, text)
				if !at.Before(first.AddDate(0, 0, ends[0])) && !at.After(last.AddDate(0, 0, -ends[1])) {
					rows = append(rows, fmt.Sprintf(`{"id":%d,"due":%q},{"id":%d,"due":%q}`, i, text, i, text))
				}
			}
			return 200, `{"rows":[` + strings.Join(rows, ",") + `]}`
		})
		source := a.source(people)
		first := read(t.Context(), t, source, nil, "dues+", "counted+")
		first.complete(t)
		if keyed, counted := first.records["dues"], first.records["counted"]; len(keyed) != 7 || len(counted) != 14 || strings.Contains(strings.Join(counted, ""), `"n":2`) {
			t.Errorf("an API that leaves out %v days: %v and %v came", ends, keyed, counted)
		}
		before := len(a.requests())
		read(t.Context(), t, source, first, "dues+").complete(t)
		next := a.requests()[before:]
		if len(next) != 1 || !strings.Contains(next[0], "last="+day(1)) || next[0] > "/dues?first="+day(-31) {
			t.Errorf("the second sync asked for %v", next)
		}
	}
}

// TestWindowsWithoutDays checks that a listing with windows is also read without days if all rows are wanted, and that rows which come for the first
// time are sent. If the API refuses that or fails, there is only a warning.
func TestWindowsWithoutDays(t *testing.T) {
	for answer, want := range map[string]int{`{"rows":[{"id":1,"due":"2021-01-01"},{"id":2}]}`: 2, `{"error":"first is missing"}`: 1, `{"busy":true}`: 1} {
		t.Run(answer, func(t *testing.T) {
			asked := 0
			a := serve(t, func(r *http.Request) (int, string) {
				switch {
				case r.URL.Query().Has("first"):
					return 200, `{"rows":[{"id":1,"due":"2021-01-01"}]}`
				case strings.Contains(answer, "error"):
					return 400, answer
				}
				if asked++; asked == 2 && want == 2 {
					return 200, answer
				}
				return 503, answer
			})
			source := a.source(func(d rest.API) rest.API {
				d = people(d)
				for i := range d.Streams {
					if w := d.Streams[i].Windows; w != nil && d.Streams[i].Name == "dues" {
						open := *w
						open.First, open.Last, open.Undated = open.Oldest.AddDate(-100, 0, 0), open.Oldest.AddDate(79, 0, 0), true
						d.Streams[i].Windows = &open
					}
				}
				return d
			})
			first := read(t.Context(), t, source, nil, "dues+")
			first.complete(t)
			if len(first.records["dues"]) != want || len(first.warnings) != 2-want {
				t.Errorf("%v came, with %v", first.records["dues"], first.warnings)
			}
			all := strings.Join(a.requests(), " ")
			if !strings.Contains(all, "first=1920-05-10") || !strings.Contains(all, "last=2099-05-10") {
				t.Errorf("%s were asked", all)
			}
			before := len(a.requests())
			read(t.Context(), t, source, first, "dues+").complete(t)
			for _, request := range a.requests()[before:] {
				if !strings.Contains(request, "first=") {
					t.Errorf("a sync of what changed asked for %s", request)
				}
			}
		})
	}
}

// TestDetailsAreAskedForChanges checks that a child asks for changes for each row of its parent, and for everything once the API refuses that.
func TestDetailsAreAskedForChanges(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		a := serve(t, func(r *http.Request) (int, string) {
			switch since := r.URL.Query().Get("since"); {
			case r.URL.Path == "/houses":
				return 200, `{"rows":[{"id":1},{"id":2}]}`
			case since != "" && refuses:
				return 400, `{"error":"since what?"}`
			case since != "":
				return 200, `{"rows":[{"id":"` + r.URL.Query().Get("house") + `"}]}`
			}
			return 200, `{"rows":[{"id":"` + r.URL.Query().Get("house") + `"},{"id":"10` + r.URL.Query().Get("house") + `"}]}`
		})
		source := a.source(func(d rest.API) rest.API {
			d.Records, d.Check = "rows", "houses"
			cursor := &rest.Cursor{Field: "at", Hidden: true, Ask: rest.Since(httpclient.Query, "since", time.DateOnly), Lookback: 48 * time.Hour}
			d.Streams = []rest.Stream{{Name: "houses", Path: "/houses", Key: []string{"id"}}, {
				Name: "flats", Path: "/flats", Key: []string{"id"}, Cursor: cursor,
				Refused: func(r *httpclient.Response) bool { return r.Status == 400 },
				Parent:  &rest.Parent{Of: "houses", Params: map[string]string{"house": "id"}},
			}}
			return d
		})
		first := read(t.Context(), t, source, nil, "flats+")
		first.complete(t)
		before := len(a.requests())
		second := read(t.Context(), t, source, first, "flats+")
		second.complete(t)
		if want := map[bool]int{true: 4, false: 2}[refuses]; len(first.records["flats"]) != 4 || len(second.records["flats"]) != want {
			t.Errorf("%d rows came first, and %d then", len(first.records["flats"]), len(second.records["flats"]))
		}
		earliest, latest := time.Now().Add(-73*time.Hour), time.Now().Add(-48*time.Hour)
		asked := 0
		for _, request := range a.requests()[before:] {
			if _, day, ok := strings.Cut(request, "since="); ok {
				asked++
				if at, err := time.Parse(time.DateOnly, day); err != nil || at.Before(earliest) || at.After(latest) {
					t.Errorf("what changed since %s was asked for", day)
				}
			}
		}
		if asked == 0 || !refuses && asked != 2 {
			t.Errorf("%v were asked", a.requests()[before:])
		}
		if (len(second.warnings) > 0) != refuses {
			t.Errorf("warnings: %v", second.warnings)
		}
	}
}

// TestARefusedQuestionLeavesTheSetsAlone checks that all sets are read completely if the API refuses the filter for changes, and no set may be
// refused.
func TestARefusedQuestionLeavesTheSetsAlone(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		q := r.URL.Query()
		if q.Get("since") != "" {
			return 400, `{"error":"since what?"}`
		}
		return 200, `{"rows":[{"id":"` + q.Get("kind") + `"}]}`
	})
	source := a.source(func(d rest.API) rest.API {
		d.Records, d.Check = "rows", "things"
		d.Streams = []rest.Stream{{
			Name: "things", Path: "/things", Key: []string{"id"}, Each: rest.Sets("kind", "a", "b"),
			Cursor:  &rest.Cursor{Field: "at", Hidden: true, Ask: rest.Since(httpclient.Query, "since", time.DateOnly)},
			Refused: func(r *httpclient.Response) bool { return r.Status == 400 },
		}}
		return d
	})
	first := read(t.Context(), t, source, nil, "things+")
	for _, from := range []*outcome{nil, first} {
		got := read(t.Context(), t, source, from, "things+")
		got.complete(t)
		if len(got.records["things"]) != 2 || (len(got.warnings) > 0) != (from != nil) {
			t.Errorf("%v came with %v", got.records["things"], got.warnings)
		}
	}
}

// TestDerivedMembers checks that Derive sees the members put into a row and replaces the row's own members, and that numbers in a body are sent as
// numbers.
func TestDerivedMembers(t *testing.T) {
	var bodies []string
	a := serve(t, func(r *http.Request) (int, string) {
		if r.URL.Path == "/houses" {
			return 200, `{"rows":[{"id":"7"},{"id":"7a"}]}`
		}
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		return 200, `{"rows":[{"id":1,"code":"x"}]}`
	})
	schemas := map[string]string{"flats": `{"properties":{"code":{"type":["null","string"]}}}`}
	got := read(t.Context(), t, a.sourceOf(schemas, func(d rest.API) rest.API {
		d.Records, d.Check, d.Parallel = "rows", "houses", 1
		d.Streams = []rest.Stream{{Name: "houses", Path: "/houses", Key: []string{"id"}}, {
			Name: "flats", Path: "/flats", Method: http.MethodPost, Body: map[string]any{}, Key: []string{"id"},
			Parent: &rest.Parent{
				Of: "houses", In: httpclient.Body, Numbers: true, Params: map[string]string{"house": "id"}, Put: map[string]string{"house": "id"},
			},
			Derive: func(get func(string) record.Value) []record.Member {
				code := fmt.Appendf(nil, "%q", get("house").Text()+get("code").Text())
				return []record.Member{{Name: "code", Value: code}, {Name: "other", Value: code}}
			},
		}}
		return d
	}), nil, "flats")
	got.complete(t)
	want := []string{`{"id":1,"code":"7ax","house":"7a"}`, `{"id":1,"code":"7x","house":"7"}`}
	if rows := sorted(got.records["flats"]...); !slices.Equal(rows, want) {
		t.Errorf("%v came", rows)
	}
	if !slices.Equal(bodies, []string{`{"house":7}`, `{"house":"7a"}`}) {
		t.Errorf("%v were asked", bodies)
	}
}

// TestSessionsAreEnded checks that sessions are ended at the end of a read or a check, also after a failure or a stop.
func TestSessionsAreEnded(t *testing.T) {
	for name, status := range map[string]int{"done": 200, "failed": 403} {
		a := serve(t, func(r *http.Request) (int, string) {
			switch {
			case r.URL.Path == "/in":
				return 200, `{"session":"s1"}`
			case r.URL.Path == "/out" || r.URL.Query().Get("s") == "s1":
				return status, `{}`
			}
			return 500, `{}`
		})
		source := a.source(func(d rest.API) rest.API {
			d = people(d)
			d.Auth = &auth.Sessions{
				Login: httpclient.Request{Path: "/in"}, Logout: httpclient.Request{Path: "/out"},
				Part: auth.Part{From: "session", In: httpclient.Query, Key: "s"},
			}
			return d
		})
		ended := func(what string, from int) {
			t.Helper()
			if asked := a.requests()[from:]; len(asked) == 0 || asked[len(asked)-1] != "/out?s=s1" {
				t.Errorf("%s: %s ended with %v", name, what, asked)
			}
		}
		read(t.Context(), t, source, nil, "people")
		ended("a read", 0)
		before := len(a.requests())
		_ = source.Check(t.Context(), []byte(`{}`))
		ended("a check", before)
	}
}
