package nectarcrm

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Listing returns the page of a list that r asks for, opportunities' proposals included. All rows at once (page -1) are no page.
func (s *Simulator) Listing(r *http.Request) (sim.Listing, bool) {
	path := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, root), "/")
	values, err := url.ParseQuery(r.URL.RawQuery)
	t := s.routes[path]
	proposals := strings.HasPrefix(path, "proposta/opportunity/")
	if proposals {
		t = &table{limit: defaultRows}
		values.Del("displayLength")
	}
	form := sim.Form{}
	if parent, _, _, ok := s.inner(path); ok {
		t = &table{limit: parent.limit, loose: parent.loose}
	}
	if t != nil && (t.loose && s.with.Enveloped || s.with.Wrapped) {
		form.List = "data"
	}
	if t == nil || err != nil || t.unpaged || t.whole && !values.Has("page") {
		return sim.Listing{}, false
	}
	q, ok := s.parse(t, values)
	if !ok || q.page < 0 {
		return sim.Listing{}, false
	}
	turn := func(page int) *http.Request { return sim.Turn(r, "page", page) }
	return sim.Listing{Name: r.Method + " " + path + "?" + q.key(), Page: max(q.page, 1), Size: q.rows, Key: "id", Form: form, At: turn}, true
}
