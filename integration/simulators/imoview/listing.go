package imoview

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Listing returns the page that r asks for, with its parameters in the query or in the body.
func (s *Simulator) Listing(r *http.Request) (sim.Listing, bool) {
	method, ok := s.paths[r.URL.Path]
	if !ok || method.rows == 0 || r.Method != method.method {
		return sim.Listing{}, false
	}
	sent := sim.Body(r)
	p, refused := paramsOf(sim.WithBody(r, sent))
	if refused != nil {
		return sim.Listing{}, false
	}
	l := sim.Listing{
		Name: r.Method + " " + r.URL.Path + "?", Page: p.place("numeropagina"), Size: p.place("numeroregistros"), Key: "codigo",
		Form: sim.Form{List: "lista", Total: "quantidade"},
		At:   func(page int) *http.Request { return turn(r, sent, page) },
	}
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		if name != "numeropagina" && name != "numeroregistros" {
			l.Name += name + "=" + p.values[name] + "&"
		}
	}
	return l, l.Page > 0 && l.Size > 0
}

// turn returns the request for another page of the listing that r, with that body, asks for.
func turn(r *http.Request, body []byte, page int) *http.Request {
	if r.Method != http.MethodPost {
		other := r.Clone(r.Context())
		values := other.URL.Query()
		maps.DeleteFunc(values, func(name string, _ []string) bool { return strings.EqualFold(name, "numeropagina") })
		values.Set("numeroPagina", fmt.Sprint(page))
		other.URL.RawQuery = values.Encode()
		return other
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &members); err != nil {
		panic(fmt.Sprintf("imoview answered a body that is no object: %v", err))
	}
	maps.DeleteFunc(members, func(name string, _ json.RawMessage) bool { return strings.EqualFold(name, "numeropagina") })
	members["numeroPagina"] = json.RawMessage(fmt.Sprint(page))
	return sim.WithBody(r, sim.Encode(members))
}
