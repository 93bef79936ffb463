package dwv

import (
	"net/http"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Listing returns the page of properties or of states that r asks for.
func (s *Simulator) Listing(r *http.Request) (sim.Listing, bool) {
	key, ok := map[string]string{root: "id", root + "/cities": "uf"}[r.URL.Path]
	if !ok {
		return sim.Listing{}, false
	}
	q, err := s.parse(r.URL.RawQuery, s.routes[strings.TrimPrefix(r.URL.Path, root)].known)
	if err != nil {
		return sim.Listing{}, false
	}
	return sim.Listing{
		Name: r.Method + " " + r.URL.Path + "?" + q.key, Page: q.page, Size: q.limit, Key: key,
		Form: sim.Form{List: "data", Total: "total", Last: "lastPage", Echo: "page"},
		At:   func(page int) *http.Request { return sim.Turn(r, "page", page) },
	}, true
}
