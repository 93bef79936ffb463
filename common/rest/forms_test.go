package rest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// The tests of this file check that data in an unexpected form is read, or reported.

// TestListsInRows checks that rows inside the rows of another stream may come in forms other than a list of objects. The rows of the other stream,
// which come without them, must be sent. A form that cannot be read fails only its own stream.
func TestListsInRows(t *testing.T) {
	for parts, want := range map[string][]string{
		`[{"id":7},{"id":9}]`:         {`{"id":7,"thing":1,"place":0}`, `{"id":9,"thing":1,"place":1}`},
		`{"id":7}`:                    {`{"id":7,"thing":1,"place":0}`},
		`{"0":{"id":7},"2":{"id":9}}`: {`{"id":7,"thing":1,"place":0}`, `{"id":9,"thing":1,"place":1}`},
		`[{"id":7},null,{},{"id":9}]`: {`{"id":7,"thing":1,"place":0}`, `{"id":9,"thing":1,"place":3}`},
		`null`:                        {},
		`{}`:                          {},
		`[]`:                          {},
		`" "`:                         {},
		`[{}]`:                        {},
		`"[{\"id\":7}]"`:              nil,
		`"7,8"`:                       nil,
		`7`:                           nil,
		`true`:                        nil,
		`[7,8]`:                       nil,
		`[[{"id":7}]]`:                nil,
		`[{"id":7},"8"]`:              nil,
	} {
		for _, within := range []string{"", "in"} {
			t.Run(within+parts, func(t *testing.T) {
				row := `{"id":1,"parts":` + parts + `}`
				if within != "" {
					row = `{"id":1,"in":[{"parts":` + parts + `}]}`
				}
				explodes(t, row, rest.Explode{Within: within, Array: "parts", Position: "place"}, want)
			})
		}
	}
}

// explodes reads things, one of which is row and another has no parts, and the parts inside them. It expects the parts in want or, if want is nil, a
// failure of the parts alone.
func explodes(t *testing.T, row string, e rest.Explode, want []string) {
	t.Helper()
	e.Of, e.Put = "things", map[string]string{"thing": "id"}
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, []string{row, `{"id":2}`}) })
	o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Streams[0].Shape = []record.Edit{record.Drop{Field: "parts"}}
		d.Streams = append(d.Streams, rest.Stream{Name: "parts", Key: []string{"thing", "id"}, Explode: &e})
		return d
	}), nil, "things", "parts")
	if len(o.records["things"]) != 2 || !slices.Contains(o.statuses["things"], "COMPLETE") {
		t.Errorf("%v after %v", o.statuses["things"], o.records["things"])
	}
	if failed := o.err != nil; failed != (want == nil) || want != nil && !slices.Equal(o.records["parts"], want) {
		t.Errorf("%v (%v) after %v, want %v", o.statuses["parts"], o.err, o.records["parts"], want)
	}
}

// TestListsInObjectsInRows checks that a value in place of the object that holds the list of another stream's rows is taken as the list, or fails its
// stream.
func TestListsInObjectsInRows(t *testing.T) {
	for parts, want := range map[string][]string{
		`{"rows":[{"id":7},{"id":9}]}`: {`{"id":7,"thing":1}`, `{"id":9,"thing":1}`},
		`[{"id":7},{"id":9}]`:          {`{"id":7,"thing":1}`, `{"id":9,"thing":1}`},
		`{"rows":null}`:                {},
		`{"count":0}`:                  {},
		`null`:                         {},
		`""`:                           {},
		`[]`:                           {},
		`{"rows":"7,9"}`:               nil,
		`"7,9"`:                        nil,
		`7`:                            nil,
		`[7,9]`:                        nil,
	} {
		t.Run(parts, func(t *testing.T) {
			explodes(t, `{"id":1,"parts":`+parts+`}`, rest.Explode{Array: "parts.rows"}, want)
		})
	}
}

// TestFlagsThatAreNotThere checks that rows without the flag that says whether they have children are asked for, unless other rows have the flag.
func TestFlagsThatAreNotThere(t *testing.T) {
	for name, test := range map[string]struct {
		rows   []string
		want   []string
		warned bool
	}{
		"all say it":     {[]string{`{"id":1,"has":true}`, `{"id":2,"has":false}`, `{"id":3,"has":"Sim"}`, `{"id":4,"has":0}`}, []string{"1", "3"}, false},
		"none has it":    {[]string{`{"id":1}`, `{"id":2}`}, []string{"1", "2"}, true},
		"null":           {[]string{`{"id":1,"has":true}`, `{"id":2,"has":null}`}, []string{"1", "2"}, true},
		"another word":   {[]string{`{"id":1,"has":"Inquilino"}`, `{"id":2,"has":""}`}, []string{"1", "2"}, true},
		"where it is no": {[]string{`{"id":1,"has":3}`, `{"id":2}`}, []string{"1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := serve(t, func(r *http.Request) (int, string) {
				if thing := r.URL.Query().Get("thing"); thing != "" {
					return paged(r, []string{`{"id":` + thing + `}`})
				}
				return paged(r, test.rows)
			})
			o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
				d = listed(d)
				d.Streams = append(d.Streams, rest.Stream{Name: "parts", Path: "/parts", Key: []string{"id"}, Parent: &rest.Parent{
					Of: "things", Where: "has", Params: map[string]string{"thing": "id"},
				}})
				return d
			}), nil, "parts")
			o.complete(t)
			if got := o.ids("parts"); !slices.Equal(got, test.want) || test.warned != (len(o.warnings) > 0) {
				t.Errorf("the children of %v came, want those of %v; warned %q", got, test.want, o.warnings)
			}
		})
	}
}

// TestRowsWithoutTheirKey checks that rows come if some lack the key, as after a change of the API, and that the stream fails in every sync if no row
// has the key.
func TestRowsWithoutTheirKey(t *testing.T) {
	for name, test := range map[string]struct {
		rows           []string
		failed, warned bool
	}{
		"all have it":  {things(3), false, false},
		"one lacks it": {append(things(2), `{"Id":3}`), false, true},
		"none has it":  {[]string{`{"Id":1,"t":"2026-01-01 10:00:00"}`, `{"Id":2,"t":"2026-01-02 10:00:00"}`, `{"Id":3}`}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := serve(t, func(r *http.Request) (int, string) { return paged(r, test.rows) })
			source := a.source(func(d rest.API) rest.API {
				d = dated(d)
				d.Streams[0].Cursor.Ask = nil
				return d
			})
			var before *outcome
			for range 2 {
				o := read(t.Context(), t, source, before, "things+")
				if failed := o.err != nil; failed != test.failed || test.warned != (len(o.warnings) > 0) || before == nil && len(o.records["things"]) != 3 {
					t.Errorf("failed with %v after %v, warned %q", o.err, o.records["things"], o.warnings)
				}
				before = o
			}
		})
	}
}

// TestARowWithoutItsKeyAlone checks that the only row that is sent again, because it has no time of change, may lack its key. That is a warning and
// not a failure.
func TestARowWithoutItsKeyAlone(t *testing.T) {
	rows := append(things(3), `{"Id":9,"t":null}`)
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, rows) })
	source := a.source(dated)
	first := read(t.Context(), t, source, nil, "things+")
	first.complete(t)
	rows = append(rows[:2], rows[3]) // the row that made the mark is gone
	second := read(t.Context(), t, source, first, "things+")
	second.complete(t)
	if len(second.records["things"]) != 1 || !slices.ContainsFunc(second.warnings, func(w string) bool { return strings.Contains(w, "have no key") }) {
		t.Errorf("%v came, warned %q", second.records["things"], second.warnings)
	}
}

// TestRowsOfOneKey checks that the user is told about a row that is not sent because another row of the page has its key and other content.
func TestRowsOfOneKey(t *testing.T) {
	for other, warns := range map[string]int{`{"id":1,"t":"2026-01-01"}`: 0, `{"id":1,"t":"2026-01-02"}`: 1} {
		a := serve(t, func(*http.Request) (int, string) {
			return 200, `{"data":[{"id":1,"t":"2026-01-01"},` + other + `]}`
		})
		o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
			d = listed(d)
			d.Streams[0].Pages = pagination.Single{}
			return d
		}), nil, "things")
		o.complete(t)
		if len(o.records["things"]) != 1 || len(o.warnings) != warns {
			t.Errorf("%s: %v came, warned %q", other, o.records["things"], o.warnings)
		}
	}
}
