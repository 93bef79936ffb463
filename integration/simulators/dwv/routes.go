package dwv

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

const root = "/integration/properties"

// ServeHTTP answers the six documented routes (five in 1.0.1) and refuses all else: 404 for a path, 405 for a method, 401 for
// the credentials, 400 for a parameter, in this order.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.with.Odd {
		odd := &sim.Odd{Seed: s.with.Seed, Exact: exact()}
		defer odd.Send(w)
		w = odd
	}
	route, ok := s.route(r.URL.EscapedPath())
	if !ok {
		s.Error(w, http.StatusNotFound, "")
		return
	}
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		s.Error(w, http.StatusMethodNotAllowed, "")
		return
	}
	if why, ok := s.admitted(r); !ok {
		s.Error(w, http.StatusUnauthorized, why)
		return
	}
	q, err := s.parse(r.URL.RawQuery, route.known)
	if err != nil {
		s.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	body, refused := route.answer(q)
	if refused != nil {
		s.Error(w, refused.status, refused.text)
		return
	}
	send(w, http.StatusOK, body)
}

// route is what is known of a path: its parameters and what it answers.
type route struct {
	known  map[string]parameter
	answer func(q query) (body any, refused *refusal)
}

// refusal is an answer that is not 200.
type refusal struct {
	status int
	text   string
}

// exact returns the fields of rows that are never odd: what rows are told apart and filtered by, and what other streams are made of.
func exact() []string {
	return []string{
		"id", "last_updated_at", "uf", "tag", "deleted",
	}
}

// route finds what a path answers.
func (s *Simulator) route(path string) (route, bool) {
	rest, ok := strings.CutPrefix(path, root)
	fixed := func(body any) (route, bool) {
		return route{answer: func(query) (any, *refusal) { return body, nil }}, true
	}
	switch id, below := strings.CutPrefix(rest, "/"); {
	case !ok:
		return route{}, false
	case rest == "":
		return route{s.known, s.list}, true
	case rest == "/conditions":
		return fixed(s.auxiliary(conditions()))
	case rest == "/types":
		return fixed(s.auxiliary(types()))
	case rest == "/cities":
		return route{paged(), s.cities}, true
	case rest == "/avaliable_fields" && s.with.Version != Version101:
		return fixed(propertyFields().names())
	case below && id != "" && !strings.Contains(id, "/"):
		return route{answer: func(query) (any, *refusal) { return s.detail(id) }}, true
	}
	return route{}, false
}

// list returns the page of properties that a request asks for.
func (s *Simulator) list(q query) (any, *refusal) {
	p, found := s.page(q)
	rows := make([]sim.JSON, len(found))
	for i, row := range found {
		if rows[i] = s.written(row, false); q.fields != nil {
			rows[i] = sim.Encode(q.fields.project(s.property(row.index, row.row, false)))
		}
	}
	return s.enveloped(p, rows), nil
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
