package rest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// TestWhatWasMendedIsToldOnceForEachStream has a listing and its children send control characters and bytes that are not UTF-8.
func TestWhatWasMendedIsToldOnceForEachStream(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		if id, ok := strings.CutPrefix(r.URL.Path, "/things/"); ok {
			return 200, "{\"data\":{\"id\":" + id + ",\"n\":\"a\vb\"}}"
		}
		return 200, "{\"data\":[\n{\"id\":1,\"n\":\"Sala\tampla\nfrente mar\"},{\"id\":2,\"n\":\"\xff\"}]}"
	})
	o := read(t.Context(), t, a.source(func(d rest.API) rest.API {
		d = listed(d)
		d.Pages = nil
		d.Streams = append(d.Streams, rest.Stream{
			Name: "details", Path: "/things/{id}", Key: []string{"id"},
			Parent: &rest.Parent{Of: "things", Follows: true, In: httpclient.Path, Params: map[string]string{"id": "id"}},
		})
		return d
	}), nil, "things", "details")
	o.complete(t)
	if want := []string{`{"id":1,"n":"Sala\tampla\nfrente mar"}`, "{\"id\":2,\"n\":\"\ufffd\"}"}; !slices.Equal(o.records["things"], want) {
		t.Errorf("got %q", o.records["things"])
	}
	slices.Sort(o.warnings)
	want := []string{"details: 2 control characters", "things: 1 bytes were not UTF-8", "things: 2 control characters"}
	if !slices.EqualFunc(o.warnings, want, strings.HasPrefix) {
		t.Errorf("warnings %q", o.warnings)
	}
}
