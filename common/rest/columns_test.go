package rest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/rest"
)

// typed is a schema of things with typed columns.
const typed = `{"properties":{"id":{"type":"integer"},"n":{"type":["null","number"],"airbyte_type":"integer"},"d":{"type":["null","string"],"format":"date"},
	"t":{"type":["null","string"],"format":"date-time"},"_unparsed":{"type":["null","object"]}}}`

func TestColumnsHaveTheirTypes(t *testing.T) {
	rows := []string{
		`{"id":"1","n":12.0,"d":"13/08/2026 00:00:00","t":"13/08/2026 10:32:51"}`,
		`{"id":2,"n":"a combinar","d":"30/02/2026","t":"","more":[1]}`,
		`{"id":3,"n":"Sob consulta","d":"0001-01-01T00:00:00","t":"2026-08-13T10:32:51.5-02:00"}`,
		`{"id":4,"d":"\u00002026-01-01"}`,
	}
	a := serve(t, func(r *http.Request) (int, string) { return paged(r, rows) })
	o := read(t.Context(), t, a.sourceOf(map[string]string{"things": typed}, func(d rest.API) rest.API {
		d = listed(d)
		d.Zone = time.FixedZone("", -3*3600)
		return d
	}), nil, "things")
	o.complete(t)
	if got, want := o.records["things"], []string{
		`{"id":1,"n":12,"d":"2026-08-13","t":"2026-08-13T13:32:51Z"}`,
		`{"id":2,"n":null,"d":null,"t":null,"more":[1],"_unparsed":{"n":"a combinar","d":"30/02/2026"}}`,
		`{"id":3,"n":null,"d":null,"t":"2026-08-13T12:32:51.5Z","_unparsed":{"n":"Sob consulta"}}`,
		`{"id":4,"d":"2026-01-01"}`,
	}; !slices.Equal(got, want) {
		t.Errorf("records\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	const change = `"change":"NULLED","reason":"SOURCE_SERIALIZATION_ERROR"}`
	if got, want := o.metas["things"], []string{
		"", `{"changes":[{"field":"n",` + change + `,{"field":"d",` + change + `]}`, `{"changes":[{"field":"n",` + change + `]}`, "",
	}; !slices.Equal(got, want) {
		t.Errorf("metas\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got, want := o.warnings, []string{
		`things: the character U+0000, which no database takes, was removed from texts (once)`,
		`things: field "d" is not a date: it is null, and stands in _unparsed (once)`,
		`things: field "n" is not a whole number: it is null, and stands in _unparsed (2 times)`,
	}; !slices.Equal(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
}

// TestKeyThatDoesNotFit checks that a key that does not fit fails its stream and no other.
func TestKeyThatDoesNotFit(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		if strings.HasPrefix(r.URL.Path, "/others") {
			return paged(r, []string{`{"id":1}`})
		}
		return paged(r, []string{`{"id":1}`, `{"id":"A7"}`, `{"id":3}`})
	})
	o := read(t.Context(), t, a.sourceOf(map[string]string{"things": typed, "others": typed}, func(d rest.API) rest.API {
		d = listed(d)
		d.Streams = append(d.Streams, rest.Stream{Name: "others", Path: "/others", Key: []string{"id"}})
		return d
	}), nil, "things", "others")
	if got := o.failures; len(got) != 1 || !strings.HasPrefix(got[0], `system_error: A row of things cannot be told from others: its key "id" is not a whole number.`) {
		t.Errorf("failures %q", got)
	}
	if got := o.statuses["things"]; got[len(got)-1] != "INCOMPLETE" {
		t.Errorf("things were %v", got)
	}
	if got := o.statuses["others"]; got[len(got)-1] != "COMPLETE" {
		t.Errorf("others were %v", got)
	}
	if strings.Contains(strings.Join(o.records["things"], ""), "A7") {
		t.Errorf("the row came: %v", o.records["things"])
	}
}
