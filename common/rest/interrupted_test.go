package rest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/rest"
)

// Tests of a row that moves between the listing and the list of removed rows while syncs are interrupted.

// yard is an API for rows that are removed and come back. Row 2 is the one that moves.
type yard struct {
	rows, removed []string
	lost          []string // details that are missing
	fail          string   // the request that fails: "removed" or "all"
	between       func()   // called once, before the answer with the list of removed rows
	ignores       bool     // the API ignores whether removed rows are asked for
}

func (y *yard) answer(r *http.Request) (int, string) {
	id, detail := strings.CutPrefix(r.URL.Path, "/things/")
	q := r.URL.Query()
	removed, all := q.Get("deleted") == "true", q.Get("deleted") != "true" && q.Get("since") == ""
	if removed && y.between != nil {
		y.between()
		y.between = nil
	}
	switch {
	case !detail && removed && y.fail == "removed", !detail && all && y.fail == "all":
		return 400, `{}`
	case detail && slices.Contains(y.lost, id):
		return 404, `{}`
	case detail:
		for _, row := range slices.Concat(y.rows, y.removed) {
			if strings.HasPrefix(row, `{"id":`+id+`,`) {
				return 200, `{"data":` + row + `}`
			}
		}
		return 404, `{}`
	case removed && !y.ignores:
		return paged(r, y.removed)
	case removed:
		return paged(r, slices.Concat(y.rows, y.removed))
	}
	return paged(r, slices.DeleteFunc(slices.Clone(y.rows), func(row string) bool { return day(row) < q.Get("since") }))
}

func stored(id int, at string, version int, removed bool) string {
	return fmt.Sprintf(`{"id":%d,"t":"%s","version":%d,"deleted":%t}`, id, at, version, removed)
}

// put makes row 2 listed, removed, or neither.
func (y *yard) put(where, at string, version int) {
	second := func(row string) bool { return strings.HasPrefix(row, `{"id":2,`) }
	y.rows, y.removed = slices.DeleteFunc(y.rows, second), slices.DeleteFunc(y.removed, second)
	switch where {
	case "listed":
		y.rows = append(y.rows, stored(2, at, version, false))
	case "removed":
		y.removed = append(y.removed, stored(2, at, version, true))
	}
}

// touch changes row 4.
func (y *yard) touch(at string) {
	y.rows = slices.DeleteFunc(y.rows, func(row string) bool { return strings.HasPrefix(row, `{"id":4,`) })
	y.rows = append(y.rows, stored(4, at, 1, false))
}

func newYard() *yard {
	y := &yard{}
	for id := 1; id <= 4; id++ {
		y.rows = append(y.rows, stored(id, fmt.Sprintf("2026-01-0%d 10:00:00", id), 0, false))
	}
	return y
}

// changing describes removing with details, where the state knows all rows that came.
func changing(d rest.API) rest.API {
	d = family(removing(d))
	d.Streams = d.Streams[:2]
	d.Streams[0].Cursor.Snapshot = true
	return d
}

func TestRowsThatMoveBetweenInterruptedSyncs(t *testing.T) {
	const old, edited = "2026-01-02 10:00:00", "2026-01-05 10:00:00"
	for name, steps := range map[string][]func(y *yard){ // each step comes before one sync, which fails if something is set to fail
		"removed during the first sync, back": {
			func(y *yard) { y.between = func() { y.put("removed", old, 0) } },
			func(y *yard) { y.put("listed", old, 0); y.fail = "all" }, func(*yard) {},
		},
		"away, edited there, back": {
			func(*yard) {},
			func(y *yard) { y.put("", "", 0); y.touch("2026-01-06 10:00:00"); y.fail = "removed" },
			func(*yard) {}, func(y *yard) { y.put("listed", edited, 1) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			y := newYard()
			source := serve(t, y.answer).source(changing)
			var o *outcome
			tables := map[string]string{"things": "", "details": ""}
			for i, step := range steps {
				y.fail = ""
				step(y)
				if o = read(t.Context(), t, source, o, "things+", "details+"); (o.err != nil) != (y.fail != "") {
					t.Fatalf("sync %d: %v", i+1, o.err)
				}
				for stream := range tables {
					for _, record := range o.records[stream] {
						if strings.HasPrefix(record, `{"id":2,`) {
							tables[stream] = record
						}
					}
				}
			}
			for _, row := range slices.Concat(y.rows, y.removed) {
				_, want, _ := strings.Cut(row, `"version"`)
				for stream, got := range tables {
					if strings.HasPrefix(row, `{"id":2,`) && !strings.HasSuffix(got, want) {
						t.Errorf("%s has %s, the API %s", stream, got, row)
					}
				}
			}
		})
	}
}

// TestRemovedRowsThatAPassBeforeSent resumes from a pass that left no place, only the removed rows that it sent. They may have changed since.
func TestRemovedRowsThatAPassBeforeSent(t *testing.T) {
	y := newYard()
	y.put("removed", "2026-01-03 12:00:00", 1)
	source := serve(t, y.answer).source(changing)
	o := read(t.Context(), t, source,
		stateOf("things", `{"t":null,"removed":"2","cycle":{"mode":"incremental","start":"2026-01-03T00:00:00Z","records":1}}`), "things+")
	o.complete(t)
	if !slices.Contains(o.ids("things"), "2") {
		t.Errorf("%v came, and then %s", o.ids("things"), o.last("things"))
	}
}

// TestRowsThatComeBeforeAnIgnoredQuestion adds a row between two attempts of a first sync. The API ignores whether removed rows are asked for, so the
// row is listed twice, and is not removed.
func TestRowsThatComeBeforeAnIgnoredQuestion(t *testing.T) {
	y := newYard()
	y.ignores, y.fail = true, "removed"
	source := serve(t, y.answer).source(changing)
	first := read(t.Context(), t, source, nil, "things+", "details+")
	if first.err == nil {
		t.Fatal("the first sync did not fail")
	}
	y.fail = ""
	y.rows = append(y.rows, stored(9, "2025-06-01 10:00:00", 0, false))
	second := read(t.Context(), t, source, first, "things+", "details+")
	second.complete(t)
	third := read(t.Context(), t, source, second, "things+", "details+")
	third.complete(t)
	for _, stream := range []string{"things", "details"} {
		if !slices.Contains(together(stream, first, second, third), "9") {
			t.Errorf("%s: row 9 never came; state %s", stream, third.last(stream))
		}
	}
}

// TestDetailsOfRemovedRows checks that missing details of removed rows say nothing about the route.
func TestDetailsOfRemovedRows(t *testing.T) {
	y := newYard()
	source := serve(t, y.answer).source(changing)
	o := read(t.Context(), t, source, nil, "details+")
	o.complete(t)
	for id := 2; id <= 4; id++ {
		y.removed = append(y.removed, stored(id, "2026-01-05 10:00:00", 1, true))
		y.lost = append(y.lost, fmt.Sprint(id))
	}
	y.rows = y.rows[:1]
	for range 2 {
		o = read(t.Context(), t, source, o, "details+")
		o.complete(t)
	}
	only := &yard{removed: y.removed, lost: y.lost}
	read(t.Context(), t, serve(t, only.answer).source(changing), nil, "details").complete(t)
}

// TestAQuestionThatFindsNothingBeforeAStop stops a run while it reads everything because the request for changes found nothing. The run that resumes
// does not trust that request either.
func TestAQuestionThatFindsNothingBeforeAStop(t *testing.T) {
	fail := true
	a := serve(t, func(r *http.Request) (int, string) {
		switch asks := r.URL.Query().Get("since") != ""; {
		case asks:
			return paged(r, nil)
		case fail:
			return 400, `{}`
		}
		return paged(r, things(3))
	})
	source := a.source(func(d rest.API) rest.API {
		d = dated(d)
		d.Streams[0].Cursor.Start = "2025-01-01"
		return d
	})
	for _, mode := range []string{"things", "things+"} {
		fail = true
		first := read(t.Context(), t, source, nil, mode)
		if first.err == nil {
			t.Fatal("the first run did not fail")
		}
		fail = false
		doc := strings.Replace(first.last("things"), `"records":0`, `"slices":[""],"records":0`, 1) // like a state sent before the request was doubted
		second := read(t.Context(), t, source, stateOf("things", doc), mode)
		second.complete(t)
		if got := second.ids("things"); !slices.Equal(got, numbers(1, 3)) {
			t.Errorf("%s: %v came from %s", mode, got, doc)
		}
	}
}
