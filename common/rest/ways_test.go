package rest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// catalogue is an API that lists rows by conditions in its body. It is unknown which of them it accepts.
type catalogue struct {
	refuse     string // conditions that contain it are refused
	unsorted   bool   // rows come in another order than asked for
	lose       int    // number of rows that are promised and never sent
	broken     int    // number of the first request from which everything is refused; 0: never
	atOnce     int    // if the inner list has more rows than this, it comes in part; 0: never
	nextless   bool   // a partial list has no next page
	wordless   bool   // a partial list does not even say that it is partial
	tooMany    int    // if an answer has more rows than this, they are too many; 0: never
	total      int
	mu         sync.Mutex
	requests   int
	conditions []string // of the last search
}

func (c *catalogue) answer(r *http.Request) (int, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if rest, ok := strings.CutPrefix(r.URL.Path, "/more/"); ok {
		return 200, `{"all":true,"rows":[{"id":"` + rest + `c"}]}`
	}
	var q struct {
		Filters          []string
		From, Rows, Size int
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return 400, `{}`
	}
	c.requests++
	c.conditions = q.Filters
	after := ""
	for _, f := range q.Filters {
		if c.refuse != "" && strings.Contains(f, c.refuse) {
			return 200, `{"bad":"no such condition"}`
		}
		if key := regexp.MustCompile(`id > (.*)`).FindStringSubmatch(f); key != nil {
			after = key[1]
		}
	}
	if c.broken > 0 && c.requests >= c.broken {
		return 200, `{"bad":"out of order"}`
	}
	var rows []string
	for i := range c.total {
		if id := fmt.Sprintf("k%03d", i); id > after {
			rows = append(rows, id)
		}
	}
	promised := len(rows)
	rows = rows[min(q.From, len(rows)):max(0, len(rows)-c.lose)]
	rows = rows[:min(q.Size, len(rows))]
	if c.unsorted {
		slices.Reverse(rows)
	}
	if c.tooMany > 0 && len(rows) > c.tooMany {
		return 500, `{"bad":"too many"}`
	}
	for i, id := range rows {
		list := `{"all":true,"rows":[{"id":"` + id + `a"},{"id":"` + id + `b"}]}`
		switch {
		case c.nextless:
			list = `{"all":false,"rows":[]}`
		case c.wordless:
			list = `{"count":3,"rows":[{"id":"` + id + `a"}]}`
		case c.atOnce > 0:
			list = `{"count":3,"all":false,"next":"/more/` + id + `","rows":[{"id":"` + id + `a"},{"id":"` + id + `b"}]}`
		}
		rows[i] = `{"id":"` + id + `","list":` + list + `}`
	}
	return 200, fmt.Sprintf(`{"left":%d,"rows":[%s]}`, promised, strings.Join(rows, ","))
}

// described describes the catalogue as a connector would.
func described(d rest.API) rest.API {
	position := pagination.Offset{In: httpclient.Body, Param: "From", SizeParam: "Size", Size: 10, Rows: "left", Max: 40}
	d.Check = "rows"
	d.Judge = func(r *httpclient.Response) httpclient.Verdict {
		switch text := r.Body.Get("bad").Text(); text {
		case "":
			return httpclient.Verdict{}
		case "too many":
			return httpclient.Fail(errors.New(text))
		default:
			return httpclient.Fail(fault.Configf("It was refused: %s.", text))
		}
	}
	d.TooLarge = func(r *httpclient.Response) (int, bool) { return 0, r.Body.Get("bad").Text() == "too many" }
	d.Notice = func(*httpclient.Response) string { return "The quota is nearly used up" }
	changed := &rest.Cursor{Field: "changed", Hidden: true, Ask: func(r httpclient.Request, from, _ time.Time) httpclient.Request {
		return r.With(httpclient.Body, "Filters.since", "changed >= "+from.Format(time.RFC3339))
	}}
	d.Streams = []rest.Stream{
		{
			Name: "rows", Method: http.MethodPost, Path: "/rows", Records: "rows", Key: []string{"id"},
			Body:    map[string]any{"Filters": httpclient.List{}},
			Refused: func(r *httpclient.Response) bool { return r.Body.Get("bad").Text() == "no such condition" },
			Partial: &rest.Partial{Member: "list", Rows: "rows", Done: "all", Next: "next", Total: "count"},
			Cursor:  changed,
			Ways: []rest.Way{
				{Body: map[string]any{"Filters.0": "(a OR b)"}, Pages: pagination.Keyset{
					In: httpclient.Body, Param: "Filters.key", Field: "id", SizeParam: "Size", Size: 10, Rows: "left", Sorted: true,
					Format: func(key string) string { return "id > " + key },
				}},
				{Body: map[string]any{"Filters.0": "a", "Filters.1": "OR b"}, Pages: position, Beyond: "Ask for less."},
			},
		},
		{
			Name: "parts", Key: []string{"id"}, Cursor: changed,
			Explode: &rest.Explode{Of: "rows", Array: "list.rows", Put: map[string]string{"row": "id"}},
		},
	}
	return d
}

// warnedOf returns the warnings without the notice, which must come exactly once.
func (o *outcome) warnedOf(t *testing.T) []string {
	t.Helper()
	const notice = "The quota is nearly used up"
	others := slices.DeleteFunc(slices.Clone(o.warnings), func(w string) bool { return w == notice })
	if len(o.warnings)-len(others) != 1 {
		t.Errorf("the notice came %d times", len(o.warnings)-len(others))
	}
	return others
}

func TestWays(t *testing.T) {
	tests := map[string]struct {
		*catalogue
		rows     int
		requests int    // maximum
		failure  string // "" for none
	}{
		"the best way":         {&catalogue{total: 95}, 95, 10, ""},
		"the group is refused": {&catalogue{total: 35, refuse: "("}, 35, 6, ""},
		"the key is refused":   {&catalogue{total: 45, refuse: "id >"}, 45, 7, ""},
		"more than positions reach": {
			&catalogue{total: 95, refuse: "id >"}, 50, 9, "45 of the 95 rows of rows are out of reach: the API does not list them. Ask for less.",
		},
		"every way is refused":               {&catalogue{total: 35, refuse: "b"}, 0, 2, "It was refused: no such condition."},
		"failures in the middle are no way":  {&catalogue{total: 95, broken: 5}, 40, 5, "It was refused: out of order."},
		"rows that are promised do not come": {&catalogue{total: 45, lose: 2}, 43, 16, "promised 45 rows"},
		"too many in a page":                 {&catalogue{total: 95, tooMany: 5}, 95, 20, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := serve(t, tt.answer)
				o := read(t.Context(), t, a.source(described), nil, "rows", "parts")
				if len(o.records["rows"]) != tt.rows || len(o.records["parts"]) != 2*tt.rows || tt.catalogue.requests > tt.requests {
					t.Errorf("%d rows and %d parts with %d requests", len(o.records["rows"]), len(o.records["parts"]), tt.catalogue.requests)
				}
				if tt.failure == "" {
					o.complete(t)
				} else if f := fault.Of(o.err); f == nil || !strings.Contains(f.Message, tt.failure) {
					t.Errorf("it ended with %v", o.err)
				}
				if tt.catalogue.requests > 0 && tt.failure == "" {
					if w := o.warnedOf(t); len(w) > 0 {
						t.Errorf("warnings %v", w)
					}
				}
				if state := o.states["rows"]; strings.HasPrefix(tt.failure, "45 of") && strings.Contains(state[len(state)-1], "place") {
					t.Errorf("a listing of which rows are missing would go on from %s", state)
				}
			})
		})
	}
}

func TestUnsortedPagesAreNoAnswerToAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &catalogue{total: 35, unsorted: true}
		a := serve(t, c.answer)
		o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
			d = described(d)
			for i := range d.Streams[0].Ways {
				d.Streams[0].Ways[i].Body = nil // so that both begin with the same request
			}
			return d
		}), nil, "rows")
		o.complete(t)
		if len(o.records["rows"]) != 35 {
			t.Errorf("%d rows", len(o.records["rows"]))
		}
	})
}

func TestCheckTakesTheWayThatIsAccepted(t *testing.T) {
	c := &catalogue{total: 35, refuse: "("}
	a := serve(t, c.answer)
	if err := a.source(described).Check(t.Context(), []byte(`{}`)); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestFilterRefused(t *testing.T) {
	c := &catalogue{total: 35}
	a := serve(t, c.answer)
	source := a.source(described)
	before := time.Now()
	first := read(t.Context(), t, source, nil, "rows+", "parts+")
	first.complete(t)
	var state struct{ Changed time.Time }
	if err := json.Unmarshal([]byte(first.states["rows"][len(first.states["rows"])-1]), &state); err != nil {
		t.Fatal(err)
	}
	if mark := state.Changed; mark.Before(before.Add(-2*time.Second)) || mark.After(time.Now()) {
		t.Errorf("the mark is %v", state.Changed)
	}
	second := read(t.Context(), t, source, first, "rows+", "parts+")
	second.complete(t)
	if want := "changed >= " + state.Changed.Add(-rest.DefaultMargin).Format(time.RFC3339); !slices.Contains(c.conditions, want) || len(second.warnedOf(t)) > 0 {
		t.Errorf("asked with %q, want %q; warnings %v", c.conditions, want, second.warnings)
	}
	c.refuse, c.requests = "changed", 0
	third := read(t.Context(), t, source, first, "rows+", "parts+")
	third.complete(t)
	if w := third.warnedOf(t); len(w) != 1 || !strings.Contains(w[0], "does not take the filter") || len(third.records["rows"]) != 35 {
		t.Errorf("warnings %v, %d rows", w, len(third.records["rows"]))
	}
}

func TestResumingAtAPlace(t *testing.T) {
	c := &catalogue{total: 95, broken: 6}
	a := serve(t, c.answer)
	source := a.source(described)
	first := read(t.Context(), t, source, nil, "rows+", "parts+")
	if first.err == nil || len(first.records["rows"]) != 50 {
		t.Fatalf("%d rows, %v", len(first.records["rows"]), first.err)
	}
	for name, tt := range map[string]struct {
		from   func(string) string
		refuse string
		rows   int
	}{
		"the same listing":           {func(s string) string { return s }, "", 45},
		"a state of another listing": {func(s string) string { return strings.Replace(s, `"of":"`, `"of":"x`, 1) }, "", 95},
		"a place that is none":       {func(s string) string { return strings.Replace(s, `"at":"0:`, `"at":"`, 1) }, "", 95},
		"a place that is refused":    {func(s string) string { return strings.Replace(s, "k049", "bad", 1) }, "bad", 95},
	} {
		c.requests, c.broken, c.refuse = 0, 0, tt.refuse
		from := *first
		from.states = map[string][]string{}
		for stream, states := range first.states {
			from.states[stream] = []string{tt.from(states[len(states)-1])}
		}
		o := read(t.Context(), t, source, &from, "rows+", "parts+")
		o.complete(t)
		if len(o.records["rows"]) != tt.rows || len(o.records["parts"]) != 2*tt.rows {
			t.Errorf("%s: %d rows, %d parts", name, len(o.records["rows"]), len(o.records["parts"]))
		}
	}
}

func TestListsThatComeInPart(t *testing.T) {
	c := &catalogue{total: 25, atOnce: 2}
	a := serve(t, c.answer)
	source := a.source(described)
	o := read(t.Context(), t, source, nil, "rows", "parts")
	o.complete(t)
	want := `{"id":"k000","list":{"count":3,"all":true,"rows":[{"id":"k000a"},{"id":"k000b"},{"id":"k000c"}]}}`
	if o.records["rows"][0] != want || len(o.records["parts"]) != 75 {
		t.Errorf("the first is %s, %d parts", o.records["rows"][0], len(o.records["parts"]))
	}
	for _, part := range []*bool{&c.wordless, &c.nextless} {
		*part = true
		if o := read(t.Context(), t, source, nil, "rows", "parts"); o.err == nil || len(o.records["rows"])+len(o.records["parts"]) > 0 {
			t.Errorf("%d rows, %v", len(o.records["rows"]), o.err)
		}
		*part = false
	}
}
