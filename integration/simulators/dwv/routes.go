package dwv

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

const root = "/integration/properties"

// ServeHTTP answers the six documented routes (five in 1.0.1) and refuses all else.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.with.Odd {
		odd := &sim.Odd{Seed: s.with.Seed, Exact: exact()}
		defer odd.Send(w)
		w = odd
	}
	body, refused := s.answerTo(r)
	if refused == nil {
		send(w, http.StatusOK, body)
		return
	}
	if refused.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodGet)
	}
	s.Error(w, refused.status, refused.text)
}

// answerTo returns the answer to a request. It refuses in this order: 404 for a path, 405 for a method, 401 for the credentials, 400 for a parameter.
func (s *Simulator) answerTo(r *http.Request) (body any, refused *refusal) {
	route, ok := s.route(r.URL.EscapedPath())
	switch {
	case !ok:
		return nil, &refusal{status: http.StatusNotFound}
	case r.Method != http.MethodGet:
		return nil, &refusal{status: http.StatusMethodNotAllowed}
	}
	if why := s.unknown(r); why != "" {
		return nil, &refusal{http.StatusUnauthorized, why}
	}
	q, err := s.parse(r.URL.RawQuery, route.known)
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, err.Error()}
	}
	return route.answer(q)
}

// route is what is known of a path: its parameters and what it answers.
type route struct {
	known  map[string]parameter
	answer func(q query) (body any, refused *refusal)
}

// refusal is an answer that is not 200.
type refusal struct {
	status int
	text   string // empty: the API's own for the status
}

// exact returns the fields of rows that are never odd: what rows are told apart and filtered by, and what other streams are made of.
func exact() []string { return []string{"id", "last_updated_at", "uf", "tag", "deleted"} }

// below returns the routes by what stands behind the root, but for those of a property.
func (s *Simulator) below() map[string]route {
	fixed := func(body any) route {
		return route{answer: func(query) (any, *refusal) { return body, nil }}
	}
	all := map[string]route{
		"": {s.filters(), s.list}, "/cities": {paged(), s.cities},
		"/conditions": fixed(s.auxiliary(conditions())), "/types": fixed(s.auxiliary(types())),
	}
	if s.with.Version != Version101 {
		all["/avaliable_fields"] = fixed(propertyFields().names())
	}
	return all
}

// route finds what a path answers.
func (s *Simulator) route(path string) (route, bool) {
	rest, ok := strings.CutPrefix(path, root)
	if found, known := s.routes[rest]; ok && known {
		return found, true
	}
	id, below := strings.CutPrefix(rest, "/")
	return route{answer: func(query) (any, *refusal) { return s.detail(id) }}, ok && below && id != "" && !strings.Contains(id, "/")
}

// list returns the page of properties that a request asks for.
func (s *Simulator) list(q query) (any, *refusal) {
	total, found := s.page(q)
	rows := make([]sim.JSON, len(found))
	for i, row := range found {
		if rows[i] = s.written(row, false); q.fields != nil {
			rows[i] = sim.Encode(q.fields.project(s.property(row.index, row.row, false)))
		}
	}
	return s.enveloped(q, total, rows), nil
}

// detail returns one property, {"data": Property}.
func (s *Simulator) detail(id string) (any, *refusal) {
	n, err := strconv.Atoi(id)
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, "O código da propriedade deve ser um número"}
	}
	body, ok := s.Property(n, true)
	if !ok {
		return nil, &refusal{http.StatusNotFound, "Propriedade não encontrada"}
	}
	return sim.Ordered("data", body), nil
}

// auxiliary returns a list of {name, tag}, bare or enveloped.
func (s *Simulator) auxiliary(list []label) any {
	if s.with.Enveloped {
		return sim.Object{"data": list}
	}
	return list
}

// Error answers as DWV does: 401 with an array of one message (documented so), all others with one message.
func (s *Simulator) Error(w http.ResponseWriter, status int, text string) {
	known := map[int]string{http.StatusUnauthorized: "Token que foi fornecido é invalido", http.StatusTooManyRequests: "Too Many Attempts"}
	message := label{Message: cmp.Or(text, known[status], http.StatusText(status))}
	if status == http.StatusUnauthorized {
		send(w, status, []label{message})
		return
	}
	send(w, status, message)
}

// label is an entry of an auxiliary list, or a message.
type label struct {
	Name    string `json:"name,omitempty"`
	Tag     string `json:"tag,omitempty"`
	Message string `json:"message,omitempty"`
}

func send(w http.ResponseWriter, status int, v any) {
	sim.Send(w, status, "application/json; charset=utf-8", v)
}
