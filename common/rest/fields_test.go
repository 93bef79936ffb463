package rest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// TestRowsThatAreValues checks that rows that are not objects become records, in a bare list and in an envelope, whatever they are.
func TestRowsThatAreValues(t *testing.T) {
	for _, body := range []string{`["id",{"a":["b"]},7]`, `{"data":["id",{"a":["b"]},7]}`, ` [ "id" , {"a":["b"]} , 7 ] `} {
		a := serve(t, func(*http.Request) (int, string) { return 200, body })
		o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
			d.Records = "data"
			d.Streams = []rest.Stream{{Name: "names", Path: "/names", Value: "name", Key: []string{"name"}, Pages: pagination.Single{}}}
			return d
		}), nil, "names")
		o.complete(t)
		if got := o.records["names"]; !slices.Equal(got, []string{`{"name":"id"}`, `{"name":{"a":["b"]}}`, `{"name":7}`}) {
			t.Errorf("%s became %s", body, got)
		}
	}
	for _, body := range []string{`{"message":"x"}`, `{"data":"x"}`, `[]`} {
		a := serve(t, func(*http.Request) (int, string) { return 200, body })
		o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
			if d.Records = "data"; body != `[]` {
				d.MaxElapsed = time.Millisecond // otherwise the retries take longer
			}
			d.Streams = []rest.Stream{{Name: "names", Path: "/names", Value: "name", Pages: pagination.Single{}}}
			return d
		}), nil, "names")
		if empty := body == `[]`; len(o.records["names"]) > 0 || (o.err == nil) != empty {
			t.Errorf("%s became %s, %v", body, o.records["names"], o.err)
		}
	}
}

// TestSignsOfAbsence checks that a stream may have its own Absent, which does not apply to other streams.
func TestSignsOfAbsence(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		if r.URL.Path == "/things" {
			return paged(r, things(1))
		}
		return 400, `{}`
	})
	source := a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Streams = append(d.Streams,
			rest.Stream{Name: "extra", Path: "/extra", Optional: true, Absent: func(r *httpclient.Response) bool { return r.Status == 400 }},
			rest.Stream{Name: "other", Path: "/other", Optional: true})
		return d
	})
	if o := read(t.Context(), t, source, nil, "things", "extra"); o.err != nil || len(o.warnings) != 1 {
		t.Errorf("ended with %v, %v", o.err, o.warnings)
	}
	if o := read(t.Context(), t, source, nil, "things", "other"); o.err == nil {
		t.Error("another stream's sign was believed")
	}
}

// TestStateOfAnotherChoice checks that a state belongs to a choice of fields: after another choice all rows come again, in either mode, with a
// warning.
func TestStateOfAnotherChoice(t *testing.T) {
	rows := []string{thing(1, "2026-01-01 00:00:00"), thing(2, "2026-06-01 00:00:00")}
	removed := []string{thing(3, "2026-01-01 00:00:00")}
	a := serve(t, func(r *http.Request) (int, string) {
		if r.URL.Query().Get("deleted") == "true" {
			return paged(r, removed)
		}
		return paged(r, rows)
	})
	source := func(choice string) *rest.Source {
		return a.source(func(d rest.API) rest.API {
			d = listed(d)
			d.Streams[0].Cursor = &rest.Cursor{Field: "t"}
			d.Streams[0].Removed = url.Values{"deleted": {"true"}}
			d.Streams[0].Choice = choice
			return d
		})
	}
	for _, test := range []struct{ before, after string }{{"", "id"}, {"id", ""}, {"id", "id,t"}, {"id", "id"}, {"", ""}} {
		first := read(t.Context(), t, source(test.before), nil, "things+")
		first.complete(t)
		second := read(t.Context(), t, source(test.after), first, "things+")
		second.complete(t)
		want, warned := []string{"1", "2", "3"}, 1
		if test.before == test.after {
			want, warned = []string{"2"}, 0
		}
		if got := second.ids("things"); !slices.Equal(got, want) || len(second.warnings) != warned {
			t.Errorf("%q, then %q: %v, warnings %v", test.before, test.after, got, second.warnings)
		}
		if last := second.last("things"); strings.Contains(last, `"choice"`) != (test.after != "") {
			t.Errorf("%q, then %q: %s", test.before, test.after, last)
		}
	}
	if o := read(t.Context(), t, source("t"), stateOf("things", `{"t":"2026-06-01T00:00:00Z"}`), "things"); len(o.warnings) > 0 {
		t.Errorf("a full refresh warned of a state that it takes nothing from: %v", o.warnings)
	}
	cycle := stateOf("things", fmt.Sprintf(`{"t":null,"choice":"id","cycle":{"mode":"full_refresh","start":%q,"slices":[""],"records":2}}`, "2026-06-02T00:00:00Z"))
	for choice, want := range map[string][]string{"id": {"3"}, "t": {"1", "2", "3"}} {
		o := read(t.Context(), t, source(choice), cycle, "things")
		if o.complete(t); !slices.Equal(o.ids("things"), want) {
			t.Errorf("a full refresh with %q went on with %v", choice, o.ids("things"))
		}
	}
}

// TestColumnsLeftOut checks that columns that the configuration leaves out are neither discovered nor sent.
func TestColumnsLeftOut(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, []string{`{"id":1,"t":"x","more":[2]}`}) })
	schemas := map[string]string{"things": `{"type":"object","properties":{"id":{"type":"integer"},"t":{"type":["null","string"]}}}`}
	for _, test := range []struct {
		without        []string
		schema, record string
	}{
		{nil, schemas["things"], `{"id":1,"t":"x","more":[2]}`},
		{[]string{"t"}, `{"type":"object","properties":{"id":{"type":"integer"}}}`, `{"id":1,"more":[2]}`},
	} {
		source := a.sourceOf(schemas, func(d rest.API) rest.API {
			d = listed(d)
			d.Streams[0].Cursor, d.Streams[0].Without = nil, test.without
			return d
		})
		catalog, err := source.Discover(t.Context(), []byte(`{}`))
		if err != nil || string(catalog.Streams[0].JSONSchema) != test.schema {
			t.Errorf("without %v: discovered %v, %v", test.without, catalog, err)
		}
		o := read(t.Context(), t, source, nil, "things")
		if o.complete(t); o.records["things"][0] != test.record {
			t.Errorf("without %v: sent %v", test.without, o.records)
		}
	}
}
