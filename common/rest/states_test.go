package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// Tests of what a sync makes of the state of an earlier one.

// stateOf returns an outcome that left doc as the state of stream.
func stateOf(stream, doc string) *outcome {
	return &outcome{states: map[string][]string{stream: {doc}}}
}

// last returns the last state of stream.
func (o *outcome) last(stream string) string {
	states := o.states[stream]
	if len(states) == 0 {
		return ""
	}
	return states[len(states)-1]
}

// known is family with a filter to the second.
func known(d rest.API) rest.API {
	d = family(d)
	for i := range d.Streams {
		if c := d.Streams[i].Cursor; c != nil && c.Ask != nil {
			clock := *c
			clock.Ask, clock.Lookback = rest.Between(httpclient.Query, "since", "until", time.DateTime), time.Hour
			d.Streams[i].Cursor = &clock
		}
	}
	return d
}

// book is an API for known: rows and removed rows of things, parts of each, and details, which are the rows.
type book struct {
	rows, removed []string
	parts         map[string][]string
}

func (b *book) answer(r *http.Request) (int, string) {
	id, detail := strings.CutPrefix(r.URL.Path, "/things/")
	switch {
	case detail:
		i := slices.IndexFunc(slices.Concat(b.rows, b.removed), func(row string) bool { return record.Record(row).Get("id").Text() == id })
		return 200, `{"data":` + slices.Concat(b.rows, b.removed)[i] + `}`
	case r.URL.Path == "/parts":
		return paged(r, b.parts[r.URL.Query().Get("thing")])
	case r.URL.Query().Get("deleted") == "true":
		return paged(r, b.removed)
	}
	since, until := r.URL.Query().Get("since"), r.URL.Query().Get("until")
	return paged(r, slices.DeleteFunc(slices.Clone(b.rows), func(row string) bool {
		at := record.Record(row).Get("t").Text()
		return at < since || until != "" && at > until
	}))
}

// row returns a row of things that has parts and a tag.
func row(id int, at string) string {
	return fmt.Sprintf(`{"id":%d,"t":"%s","whole":true,"tags":[{"id":%d}]}`, id, at, id)
}

// clockOf returns the name of a stream's cursor field in known.
func clockOf(stream string) string {
	if stream == "tags" {
		return "thing_t"
	}
	return "t"
}

// TestRowsVisibleLate checks that a row that becomes visible late comes, in every stream made from it, and that a row from before the margin does not
// come again.
func TestRowsVisibleLate(t *testing.T) {
	b := &book{
		rows:    []string{row(1, "2026-03-01 09:45:04"), row(2, "2026-03-01 10:00:05")},
		removed: []string{row(7, "2026-02-01 00:00:00"), row(8, "2026-02-01 00:00:00")},
		parts:   map[string][]string{"1": {thing(11, "2026-03-01 09:45:04"), thing(12, "2026-03-01 10:00:05")}},
	}
	a := serve(t, b.answer)
	source := a.source(known)
	all := []string{"things+", "details+", "parts+", "tags+"}
	first := read(t.Context(), t, source, nil, all...)
	first.complete(t)
	if got := first.last("things"); got != `{"removed":"7-8","t":"2026-03-01T10:00:05-03:00"}` {
		t.Fatalf("the state is %s", got)
	}
	b.rows = append(b.rows, row(3, "2026-03-01 10:00:04"), row(4, "2026-03-01 09:45:05"))
	b.parts["1"] = append(b.parts["1"], thing(13, "2026-03-01 10:00:04"), thing(14, "2026-03-01 09:45:05"))
	b.removed[0] = row(7, "2026-03-01 09:59:00")
	before := len(a.requests())
	second := read(t.Context(), t, source, first, all...)
	second.complete(t)
	for stream, want := range map[string][]string{
		"things": {"2", "3", "4", "7"}, "details": {"2", "3", "4", "7"}, "tags": {"2", "3", "4", "7"}, "parts": {"12", "13", "14"},
	} {
		if got := second.ids(stream); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", stream, got, want)
		}
	}
	alone := read(t.Context(), t, source, first, "things+")
	if asked := a.requests()[len(a.requests())-3]; !strings.Contains(asked, "since="+url.QueryEscape("2026-03-01 08:45:05")) {
		t.Errorf("the API was asked %s, not from the mark less the margin and the lookback", asked)
	}
	if got := filter(a.requests()[before:], "/things/1"); len(got) > 0 || !slices.Equal(alone.ids("things"), []string{"2", "3", "4", "7"}) {
		t.Errorf("asked for %v; alone came %v", got, alone.ids("things"))
	}
	if second.last("things") != first.last("things") {
		t.Errorf("the margin moved the mark: %s", second.last("things"))
	}
}

// TestDaysVisibleLate checks that a time that is a day stands for the whole day.
func TestDaysVisibleLate(t *testing.T) {
	rows := []string{thing(1, "2026-03-05"), thing(2, "2026-03-01")}
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, rows) })
	source := a.source(dated)
	first := read(t.Context(), t, source, nil, "things+")
	first.complete(t)
	rows = append(rows, thing(3, "2026-03-05"), thing(4, "2026-03-04"), thing(5, "2026-03-03"))
	second := read(t.Context(), t, source, first, "things+")
	second.complete(t)
	if got := second.ids("things"); !slices.Equal(got, []string{"1", "3", "4"}) {
		t.Errorf("after a mark at %s came %v", first.last("things"), got)
	}
	if asked := a.requests(); !slices.Contains(asked, "/things?page=1&since=2026-03-03") {
		t.Errorf("asked %v", asked)
	}
}

// interrupted returns a source of two sets. The second can be made to fail, so that the state has the first one as done.
func interrupted(t *testing.T) (source func(rest.Date) *rest.Source, fail *atomic.Bool, rows map[string][]string) {
	t.Helper()
	fail = &atomic.Bool{}
	rows = map[string][]string{"1": {thing(1, "2024-01-01 12:00:00"), thing(2, "2026-01-01 12:00:00")}, "2": {thing(3, "2026-01-01 12:00:00")}}
	a := serve(t, func(r *http.Request) (int, string) {
		if r.URL.Path == "/others" {
			return 200, `{"data":[]}`
		}
		if r.URL.Query().Get("deleted") == "true" {
			return paged(r, []string{thing(9, "2024-01-01 12:00:00")})
		}
		status := r.URL.Query().Get("status")
		if status == "2" && fail.Load() {
			return 400, `{}`
		}
		ids := map[string]bool{}
		for _, row := range rows[status] {
			ids[record.Record(row).Get("id").Text()] = true
		}
		code, body := paged(r, rows[status])
		return code, strings.Replace(body, fmt.Sprintf(`"total":%d`, len(rows[status])), fmt.Sprintf(`"total":%d`, len(ids)), 1)
	})
	return func(start rest.Date) *rest.Source {
		return a.source(func(d rest.API) rest.API {
			d = dated(d)
			s := &d.Streams[0]
			s.Each = []map[string]any{{"status": 1}, {"status": 2}}
			s.Cursor.Start = start
			s.Removed = url.Values{"deleted": {"true"}}
			return d
		})
	}, fail, rows
}

func TestPassesOfAnotherModeOrBound(t *testing.T) {
	everything := []string{"1", "2", "3", "9"}
	for _, tt := range []struct {
		name         string
		broken, next string    // modes
		start        rest.Date // of the next sync
		forget       []string  // members of the cycle that the previous version did not write
		want         []string
	}{
		{name: "a full refresh goes on", broken: "things", next: "things", want: []string{"3", "9"}},
		{name: "an incremental sync goes on", broken: "things+", next: "things+", want: []string{"3", "9"}},
		{name: "a full refresh after an incremental sync", broken: "things+", next: "things", want: everything},
		{name: "an incremental sync after a full refresh", broken: "things", next: "things+", want: everything},
		{name: "a full refresh with another start date", broken: "things", next: "things", start: "2023-01-01", want: everything},
		{name: "an incremental sync with another start date", broken: "things+", next: "things+", start: "2025-01-01", want: []string{"2", "3"}},
		{name: "a full refresh after the version before", broken: "things", next: "things", forget: []string{"mode"}, want: everything},
		{name: "an incremental sync after the version before", broken: "things+", next: "things+", forget: []string{"mode", "from"}, want: everything},
	} {
		t.Run(tt.name, func(t *testing.T) {
			source, fail, _ := interrupted(t)
			fail.Store(true)
			broken := read(t.Context(), t, source(""), nil, tt.broken)
			if broken.err == nil || !strings.HasPrefix(broken.last("things"), `{"cycle":{"mode":"`) || !strings.Contains(broken.last("things"), `"t":null`) {
				t.Fatalf("it ended with %v in %s", broken.err, broken.last("things"))
			}
			fail.Store(false)
			next := read(t.Context(), t, source(tt.start), stateOf("things", without(t, broken.last("things"), tt.forget)), tt.next)
			next.complete(t)
			if got := next.ids("things"); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v, after %s", got, tt.want, broken.last("things"))
			}
		})
	}
}

// without returns doc without members of its cycle, and then without its mark if that is null, as versions without modes wrote it.
func without(t *testing.T, doc string, members []string) string {
	t.Helper()
	if len(members) == 0 {
		return doc
	}
	var all map[string]any
	if err := json.Unmarshal([]byte(doc), &all); err != nil {
		t.Fatal(err)
	}
	cycle, ok := all["cycle"].(map[string]any)
	if !ok {
		t.Fatalf("no cycle in %s", doc)
	}
	for _, name := range members {
		delete(cycle, name)
	}
	if all["t"] == nil {
		delete(all, "t")
	}
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestPassesFromAnotherMark interrupts an incremental sync in its second set, after a complete sync. Its state cannot be resumed by a full refresh,
// nor by a sync from another mark.
func TestPassesFromAnotherMark(t *testing.T) {
	source, fail, rows := interrupted(t)
	first := read(t.Context(), t, source(""), nil, "things+")
	first.complete(t)
	rows["1"][1], rows["2"][0] = thing(2, "2026-02-01 12:00:00"), thing(3, "2026-02-01 12:00:00")
	fail.Store(true)
	broken := read(t.Context(), t, source(""), first, "things+")
	if broken.err == nil || !slices.Equal(broken.ids("things"), []string{"2"}) {
		t.Fatalf("it ended with %v, %v", broken.err, broken.ids("things"))
	}
	fail.Store(false)
	moved := strings.Replace(broken.last("things"), `"t":"2026-01-01T12:00:00-03:00"`, `"t":"2023-01-01T12:00:00-03:00"`, 1)
	for name, tt := range map[string]struct {
		start       rest.Date
		state, mode string
		want        []string
	}{
		"the same":                        {"", broken.last("things"), "things+", []string{"3"}},
		"another mark":                    {"", moved, "things+", []string{"1", "2", "3", "9"}},
		"another start date, as far back": {"2025-01-01", broken.last("things"), "things+", []string{"2", "3"}},
		"a full refresh":                  {"", broken.last("things"), "things", []string{"1", "2", "3", "9"}},
	} {
		o := read(t.Context(), t, source(tt.start), stateOf("things", tt.state), tt.mode)
		o.complete(t)
		if got := o.ids("things"); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v, after %s", name, got, tt.want, tt.state)
		}
	}
}

// TestKeysOfAnotherPass checks that nothing is taken from a pass that does not belong to this sync: neither its removed rows, nor that it lists no
// parents.
func TestKeysOfAnotherPass(t *testing.T) {
	b := &book{
		rows:    []string{row(1, "2026-01-01 00:00:00"), row(2, "2026-01-01 00:00:00")},
		removed: []string{row(7, "2025-01-01 00:00:00")},
		parts:   map[string][]string{"1": {thing(11, "2026-03-01 10:00:00")}, "2": {thing(21, "2025-01-01 10:00:00")}},
	}
	source := serve(t, b.answer).source(known)
	const begun = `"start":"2026-02-01T00:00:00Z","slices":["removed"],"records":9}}`
	for name, doc := range map[string]string{
		"a full refresh":     `{"t":"2026-03-01T10:00:00-03:00","removed":"7","cycle":{"mode":"full_refresh",` + begun,
		"the version before": `{"t":"2026-03-01T10:00:00-03:00","removed":"7","cycle":{` + begun,
	} {
		o := read(t.Context(), t, source, stateOf("things", doc), "things+")
		o.complete(t)
		if got := o.ids("things"); !slices.Equal(got, []string{"7"}) {
			t.Errorf("%s: %v", name, got)
		}
		o = read(t.Context(), t, source, stateOf("parts", doc), "parts+")
		o.complete(t)
		if got := o.ids("parts"); !slices.Equal(got, []string{"11", "21"}) {
			t.Errorf("parts, %s: %v", name, got)
		}
	}
}

// TestRemovedRowsOfAnInterruptedPass checks that removed rows that an interrupted pass sent do not come again when it is resumed.
func TestRemovedRowsOfAnInterruptedPass(t *testing.T) {
	b := &book{removed: []string{row(7, "2025-01-01 00:00:00"), row(8, "2025-01-01 00:00:00")}}
	source := serve(t, b.answer).source(known)
	for mode, doc := range map[string]string{"things+": "incremental", "things": "full_refresh"} {
		o := read(t.Context(), t, source, stateOf("things", `{"t":null,"removed":"7","cycle":{"mode":"`+doc+
			`","start":"2026-02-01T00:00:00Z","slices":["x"],"records":1}}`), mode)
		o.complete(t)
		if got := o.ids("things"); !slices.Equal(got, []string{"8"}) || !strings.Contains(o.last("things"), `"removed":"7-8"`) {
			t.Errorf("%s: %v, and then %s", mode, got, o.last("things"))
		}
	}
}

// TestPassThatBeganAfterNow checks that the beginning of a pass is not later than now. Otherwise the mark would be whatever the latest row says.
func TestPassThatBeganAfterNow(t *testing.T) {
	b := &book{rows: []string{row(1, "2026-01-01 00:00:00"), row(2, "2998-01-01 00:00:00")}}
	source := serve(t, b.answer).source(known)
	const doc = `{"t":null,"cycle":{"mode":"incremental","start":"2999-01-01T00:00:00Z","max":"2998-02-01T00:00:00Z","slices":["removed"],"records":9}}`
	o := read(t.Context(), t, source, stateOf("things", doc), "things+")
	o.complete(t)
	var d struct{ T time.Time }
	if err := json.Unmarshal([]byte(o.last("things")), &d); err != nil || d.T.After(time.Now()) || d.T.Before(time.Now().Add(-time.Minute)) {
		t.Errorf("the state is %s, %v", o.last("things"), err)
	}
}

func TestStartDateAfterNowAsksNothing(t *testing.T) {
	b := &book{rows: []string{row(1, "2026-01-01 00:00:00")}}
	a := serve(t, b.answer)
	source := a.source(func(d rest.API) rest.API {
		d = known(d)
		d.Streams[0].Cursor.Start = "2999-01-01"
		return d
	})
	for _, mode := range []string{"things", "things+"} {
		o := read(t.Context(), t, source, nil, mode)
		o.complete(t)
		if asked := filter(a.requests(), "/things?deleted=false"); len(o.records) > 0 || len(asked) > 0 {
			t.Errorf("%s: %v, asked %v", mode, o.records, asked)
		}
	}
}

// TestStartDateAfterNowMovesNoMark checks that a sync whose start date is in the future does not move the mark, even if the mark is the start of the
// sync, or if a row is from after that date. Rows held back by the date come once it is corrected, and an earlier mark stays.
func TestStartDateAfterNowMovesNoMark(t *testing.T) {
	b := &book{rows: []string{row(1, "2026-01-01 00:00:00"), row(2, "2026-03-01 00:00:00"), row(3, "2999-06-01 00:00:00")}}
	a := serve(t, b.answer)
	for kind, change := range map[string]func(*rest.Cursor){
		"asked": func(*rest.Cursor) {}, "hidden": func(c *rest.Cursor) { c.Hidden = true }, "not asked": func(c *rest.Cursor) { c.Ask = nil },
	} {
		source := func(start rest.Date) *rest.Source {
			return a.source(func(d rest.API) rest.API {
				d = known(d)
				d.Streams[0].Cursor.Start = start
				change(d.Streams[0].Cursor)
				return d
			})
		}
		for mark, want := range map[string][]string{"null": {"1", "2"}, `"2026-02-01T00:00:00Z"`: {"2"}} {
			o := read(t.Context(), t, source("2999-01-01"), stateOf("things", `{"t":`+mark+`}`), "things+")
			o.complete(t)
			o = read(t.Context(), t, source("2025-01-01"), o, "things+")
			o.complete(t)
			if got := slices.DeleteFunc(o.ids("things"), func(id string) bool { return id == "3" }); !slices.Equal(got, want) {
				t.Errorf("%s, mark %s: there came %v", kind, mark, got)
			}
		}
	}
}

// TestLateRowsOfAnInterruptedPass checks that a sync that resumes keeps the mark from passing the time of a row that changed while it was read,
// because that row was sent as it was before.
func TestLateRowsOfAnInterruptedPass(t *testing.T) {
	source, fail, rows := interrupted(t)
	rows["1"] = []string{thing(1, "2026-01-01 12:00:00"), thing(2, "2026-01-02 12:00:00"), thing(1, "2026-01-03 12:00:00")}
	rows["2"] = []string{thing(3, "2026-01-20 12:00:00")}
	fail.Store(true)
	broken := read(t.Context(), t, source(""), nil, "things+")
	fail.Store(false)
	second := read(t.Context(), t, source(""), broken, "things+")
	second.complete(t)
	if got := second.last("things"); !strings.Contains(got, `"t":"2026-01-03T12:00:00-03:00"`) {
		t.Errorf("the state is %s after %s", got, broken.last("things"))
	}
}

// TestNoParentsAndThenANewOne checks that a state without any parents does not cover all parents.
func TestNoParentsAndThenANewOne(t *testing.T) {
	b := &book{parts: map[string][]string{"1": {thing(11, "2026-03-01 10:00:00")}, "2": {thing(21, "2025-01-01 10:00:00")}}}
	a := serve(t, b.answer)
	source := a.source(known)
	var o *outcome
	for _, step := range []struct{ rows, want []string }{
		{[]string{row(1, "2026-01-01 00:00:00")}, []string{"11"}},
		{nil, nil},
		{[]string{row(1, "2026-01-01 00:00:00"), row(2, "2026-01-01 00:00:00")}, []string{"11", "21"}},
		{[]string{row(1, "2026-01-01 00:00:00"), row(2, "2026-01-01 00:00:00")}, []string{"11"}},
	} {
		b.rows = step.rows
		o = read(t.Context(), t, source, o, "parts+")
		o.complete(t)
		if got := o.ids("parts"); !slices.Equal(got, step.want) {
			t.Errorf("with %v came %v", step.rows, got)
		}
	}
	if o := read(t.Context(), t, source, stateOf("parts", `{"t":"2026-03-01T10:00:00-03:00"}`), "parts+"); !slices.Equal(o.ids("parts"), []string{"11"}) {
		t.Errorf("a state that names no parents covers all of them, and there came %v", o.ids("parts"))
	}
}

func TestMarksAfterNow(t *testing.T) {
	brazil := time.FixedZone("", -3*3600)
	mark := time.Now().In(brazil).Add(24 * time.Hour).Truncate(time.Second)
	late, newer, old := mark.Add(-time.Minute).Format(time.DateTime), mark.Add(time.Hour).Format(time.DateTime), "2026-01-01 00:00:00"
	b := &book{
		rows: []string{row(1, old), row(2, late), row(3, newer)}, removed: []string{row(8, old)},
		parts: map[string][]string{"1": {thing(11, old), thing(12, newer)}, "2": {thing(21, old)}},
	}
	a := serve(t, b.answer)
	source := a.source(known)
	doc := func(at time.Time) string {
		return `{"parents":"1,3","removed":"8","t":"` + at.Format(time.RFC3339) + `"}`
	}
	from := func(at time.Time) *outcome {
		o := &outcome{states: map[string][]string{}}
		for _, stream := range []string{"things", "details", "parts", "tags"} {
			o.states[stream] = []string{strings.Replace(doc(at), `"t"`, `"`+clockOf(stream)+`"`, 1)}
		}
		return o
	}
	all := []string{"things", "details", "parts", "tags"}

	full := read(t.Context(), t, source, from(mark.AddDate(20, 0, 0)), all...)
	full.complete(t)
	if got := full.ids("things"); !slices.Equal(got, []string{"1", "2", "3", "8"}) || len(full.records["parts"]) != 3 || len(full.warnings) > 0 {
		t.Errorf("a full refresh brought %v, %v, warnings %v", got, full.records["parts"], full.warnings)
	}
	for i := range all {
		all[i] += "+"
	}
	before := len(a.requests())
	o := read(t.Context(), t, source, from(mark), all...)
	o.complete(t)
	for stream, want := range map[string][]string{"things": {"2", "3"}, "details": {"2", "3"}, "tags": {"2", "3"}, "parts": {"12", "21"}} {
		if got := o.ids(stream); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", stream, got, want)
		}
	}
	o = read(t.Context(), t, source, stateOf("things", doc(mark)), "things+")
	o.complete(t)
	if !slices.Equal(o.ids("things"), []string{"2", "3"}) || !strings.Contains(o.last("things"), mark.Format(time.RFC3339)) {
		t.Errorf("alone came %v, and the state is %s", o.ids("things"), o.last("things"))
	}
	asked := filter(a.requests()[before:], "/things?")
	if last := asked[len(asked)-3]; strings.Contains(last, "until=") || !strings.Contains(last, "since=") {
		t.Errorf("the question has an upper end: %s", last)
	}

	before, began := len(a.requests()), time.Now().Truncate(time.Second)
	o = read(t.Context(), t, source, from(time.Now().Add(49*time.Hour)), all...)
	o.complete(t)
	if len(o.records) > 0 || len(a.requests()) > before || len(o.warnings) != len(all) || !strings.Contains(o.warnings[0], "missing") {
		t.Errorf("a mark that no clock made: records %v, requests %v, warnings %v", o.records, a.requests()[before:], o.warnings)
	}
	for stream := range o.states {
		var d struct {
			T       time.Time
			Removed string
			Parents string
			Cycle   any
		}
		if err := json.Unmarshal([]byte(strings.Replace(o.last(stream), clockOf(stream), "t", 1)), &d); err != nil || d.T.Before(began) || d.T.After(time.Now()) || d.Removed != "8" ||
			d.Parents != "1,3" || d.Cycle != nil {
			t.Errorf("the state of %s is %s, %v", stream, o.last(stream), err)
		}
	}
}

// One stream of a family has a mark far in the future. The others are read.
func TestOneMarkFarAfterNow(t *testing.T) {
	b := &book{rows: []string{row(1, "2026-01-01 00:00:00")}}
	source := serve(t, b.answer).source(known)
	from := stateOf("things", `{"t":"2999-01-01T00:00:00Z"}`)
	from.states["details"] = []string{`{"t":"2026-01-01T00:00:00-03:00"}`}
	o := read(t.Context(), t, source, from, "things+", "details+", "tags+")
	o.complete(t)
	if len(o.records["things"]) > 0 || len(o.records["details"]) != 1 || len(o.records["tags"]) != 1 || len(o.warnings) != 1 {
		t.Errorf("records %v, warnings %v", o.records, o.warnings)
	}
}

func TestQuestionsWithoutAnEnd(t *testing.T) {
	from := time.Date(2026, 11, 27, 10, 0, 0, 0, time.FixedZone("", -3*3600))
	for want, ask := range map[string]rest.Ask{
		"f=2026-11-27":            rest.Between(httpclient.Query, "f", "u", time.DateOnly),
		"d=2026-11-27,2099-12-31": rest.DayRange(httpclient.Query, "d", time.DateOnly, ","),
		"s=2026-11-27":            rest.Since(httpclient.Query, "s", time.DateOnly),
	} {
		r := ask(httpclient.Request{}, from, time.Time{})
		if got, err := url.QueryUnescape(r.Query.Encode()); err != nil || got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
	}
}

func TestTwoNamespacesOfOneStream(t *testing.T) {
	b := &book{
		rows:  []string{row(1, "2024-06-01 00:00:00"), row(2, "2026-01-01 00:00:00")},
		parts: map[string][]string{"1": {thing(11, "2024-06-01 00:00:00")}, "2": {thing(21, "2026-01-01 00:00:00")}},
	}
	a := serve(t, b.answer)
	source := a.source(known)
	cat := &protocol.ConfiguredCatalog{}
	from := &outcome{states: map[string][]string{}}
	for _, name := range []string{"things", "details", "parts", "tags"} {
		for namespace, doc := range map[string]string{"a": `{"t":"2024-01-01T00:00:00Z"}`, "b": `{"t":"2025-12-01T00:00:00Z"}`, "": ""} {
			c := protocol.ConfiguredStream{Stream: protocol.Stream{Name: name, Namespace: namespace}, SyncMode: protocol.Incremental}
			cat.Streams = append(cat.Streams, c)
			if doc != "" {
				from.states[namespace+"."+name] = []string{strings.Replace(doc, "t", clockOf(name), 1)}
			}
		}
	}
	o := readCatalog(t.Context(), t, source, from.state(), cat)
	o.complete(t)
	for stream, want := range map[string][]string{
		"a.things": {"1", "2"}, "b.things": {"2"}, "things": {"1", "2"}, "a.details": {"1", "2"}, "b.details": {"2"}, "details": {"1", "2"},
		"a.parts": {"11", "21"}, "b.parts": {"21"}, "parts": {"11", "21"}, "a.tags": {"1", "2"}, "b.tags": {"2"}, "tags": {"1", "2"},
	} {
		if got := o.ids(stream); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", stream, got, want)
		}
	}
	if len(o.states) != 12 || len(o.statuses) != 12 || count(a.requests(), "/things?") != 9 { // each three: also removed rows, then the others again
		t.Errorf("states %v, statuses %v, requests %v", o.states, o.statuses, a.requests())
	}
}

func TestStatesOfOthers(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, things(3)) })
	source := a.source(dated)
	for _, doc := range []string{
		`{"__ab_no_cursor_state_message":true}`, `{"__ab_full_refresh_sync_complete":true}`, `{"updated_at":"2026-01-01"}`, `{"removed":"1-3"}`, `[1]`, `"x"`,
	} {
		for _, mode := range []string{"things", "things+"} {
			o := read(t.Context(), t, source, stateOf("things", doc), mode)
			if f := fault.Of(o.err); f == nil || f.Kind != fault.Config || !strings.Contains(f.Message, "Reset") || len(o.records) > 0 {
				t.Errorf("%s: %s ended with %v, %d records", mode, doc, o.err, len(o.records))
			}
		}
	}
	// PyAirbyte hands in the states of all streams that ever existed.
	source = a.source(func(d rest.API) rest.API {
		d = dated(d)
		d.Streams = append(d.Streams, rest.Stream{Name: "others", Path: "/others"})
		return d
	})
	from := stateOf("things", `{"t":"2026-01-03T10:00:00-03:00"}`)
	from.states["others"], from.states["x.things"], from.states["gone"] = []string{`[1]`}, []string{`{"a":1}`}, []string{`7`}
	o := read(t.Context(), t, source, from, "things+")
	o.complete(t)
	if got := o.ids("things"); !slices.Equal(got, []string{"3"}) {
		t.Errorf("got %v", got)
	}
}

// TestStatesThatNameMoreThanThereIs checks that a short state may name any number of keys, which cost little and do not displace others.
func TestStatesThatNameMoreThanThereIs(t *testing.T) {
	b := &book{rows: []string{row(1, "2026-01-01 00:00:00")}, removed: []string{row(7, "2025-01-01 00:00:00"), row(-8, "2025-01-01 00:00:00")}}
	source := serve(t, b.answer).source(known)
	const all = "-9-4000000000"
	o := read(t.Context(), t, source, stateOf("things", `{"t":"2026-01-01T00:00:00-03:00","removed":"1-9999999,3,1-2"}`), "things+")
	o.complete(t)
	if got := o.ids("things"); !slices.Equal(got, []string{"-8", "1"}) || !strings.Contains(o.last("things"), `"removed":"-8,7"`) {
		t.Errorf("got %v, and then %s", got, o.last("things"))
	}
	cycle := `{"t":"2026-01-01T00:00:00-03:00","removed":"1-9999999","cycle":{"mode":"incremental","from":"2026-01-01T02:45:00Z",` +
		`"start":"2026-02-01T00:00:00Z","slices":["removed"],"done":"` + all + `"}}`
	o = read(t.Context(), t, source, stateOf("things", cycle), "things+")
	o.complete(t)
	o = read(t.Context(), t, source, o, "things+")
	o.complete(t)
	if got := o.ids("things"); !slices.Equal(got, []string{"-8", "1"}) {
		t.Errorf("got %v, and then %s", got, o.last("things"))
	}
}

// TestStatesOfManyKeys resumes from states with more keys than are written as ranges. A row that is not among them is new, however old.
func TestStatesOfManyKeys(t *testing.T) {
	var rows []string
	for i := range 5000 {
		rows = append(rows, thing(3*i+1, "2026-01-01 00:00:00"))
	}
	rows = append(rows, thing(20_000, "2026-02-01 00:00:00"))
	source := serve(t, func(*http.Request) (int, string) {
		return 200, fmt.Sprintf(`{"total":%d,"page":1,"lastPage":1,"data":[%s]}`, len(rows), strings.Join(rows, ","))
	}).source(func(d rest.API) rest.API {
		d = dated(d)
		d.Streams[0].Cursor.Snapshot, d.Streams[0].Cursor.Ask = true, nil
		return d
	})
	o := read(t.Context(), t, source, nil, "things+")
	o.complete(t)
	if len(o.records["things"]) != len(rows) || !strings.Contains(o.last("things"), `"parents":{"bitmap":"`) || len(o.last("things")) > 12_000 {
		t.Fatalf("%d records, and then %.300s", len(o.records["things"]), o.last("things"))
	}
	rows = append(rows, thing(8, "2020-01-01 00:00:00"))
	for _, want := range [][]string{{"20000", "8"}, {"20000"}} {
		o = read(t.Context(), t, source, o, "things+")
		o.complete(t)
		if got := o.ids("things"); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// TestWhatACheckAsks checks that the request of a check shows whether the API still answers: it asks for the listing that the stream is made from,
// with the first set of parameters.
func TestWhatACheckAsks(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		if r.URL.Path == "/things" && r.URL.Query().Get("status") == "1" {
			return paged(r, things(2))
		}
		return 404, `{"Message":"no such thing"}`
	})
	for _, check := range []string{"things", "details", "tags"} {
		source := a.source(func(d rest.API) rest.API {
			d = family(d)
			d.Check = check
			d.Pages = pagination.Single{}
			d.Absent = func(r *httpclient.Response) bool { return r.Status == 404 }
			d.Streams[0].Each = []map[string]any{{"status": 1}, {"status": 2}}
			d.Streams = append(d.Streams, rest.Stream{Name: "extra", Path: "/extra", Optional: true})
			return d
		})
		if err := source.Check(t.Context(), []byte(`{}`)); err != nil {
			t.Errorf("%s: the check ended with %v", check, err)
		}
		o := read(t.Context(), t, source, nil, "extra")
		o.complete(t)
	}
}
