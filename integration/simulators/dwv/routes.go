package dwv

import (
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
	route(w, r)
}

// exact is the fields of rows that are never odd: what rows are told apart and filtered by, and what other streams are made of.
func exact() []string {
	return []string{
		"id", "last_updated_at", "uf", "tag", "deleted",
	}
}

// route finds the handler of a path.
func (s *Simulator) route(path string) (http.HandlerFunc, bool) {
	rest, ok := strings.CutPrefix(path, root)
	switch {
	case !ok:
		return nil, false
	case rest == "":
		return s.list, true
	case rest == "/conditions":
		return s.auxiliary(conditions()), true
	case rest == "/types":
		return s.auxiliary(types()), true
	case rest == "/cities":
		return s.cities, true
	case rest == "/avaliable_fields" && s.with.Version != Version101:
		return s.fields, true
	case strings.HasPrefix(rest, "/") && !strings.Contains(rest[1:], "/") && rest != "/":
		return s.detail, true
	}
	return nil, false
}

// list is the page of properties that a request asks for.
func (s *Simulator) list(w http.ResponseWriter, r *http.Request) {
	q, err := s.parse(r.URL.RawQuery, s.known)
	if err != nil {
		s.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	p, found := s.page(q)
	rows := make([]sim.JSON, len(found))
	for i, row := range found {
		if rows[i] = s.written(row, false); q.fields != nil {
			rows[i] = sim.Encode(q.fields.project(s.property(row.index, row.row, false)))
		}
	}
	send(w, http.StatusOK, s.enveloped(p, rows))
}

// detail is one property, {"data": Property}.
func (s *Simulator) detail(w http.ResponseWriter, r *http.Request) {
	if _, err := s.parse(r.URL.RawQuery, nil); err != nil {
		s.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	id, err := strconv.Atoi(strings.TrimPrefix(r.URL.EscapedPath(), root+"/"))
	if err != nil {
		s.Error(w, http.StatusBadRequest, "O código da propriedade deve ser um número")
		return
	}
	body, ok := s.Property(id, true)
	if !ok {
		s.Error(w, http.StatusNotFound, "Propriedade não encontrada")
		return
	}
	send(w, http.StatusOK, sim.Ordered("data", body))
}

// auxiliary is a list of {name, tag}, bare or enveloped.
func (s *Simulator) auxiliary(list []label) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.parse(r.URL.RawQuery, nil); err != nil {
			s.Error(w, http.StatusBadRequest, err.Error())
			return
		}
		var body any = list
		if s.with.Enveloped {
			body = sim.Object{"data": list}
		}
		send(w, http.StatusOK, body)
	}
}

// fields are the names that the parameter fields takes.
func (s *Simulator) fields(w http.ResponseWriter, r *http.Request) {
	if _, err := s.parse(r.URL.RawQuery, nil); err != nil {
		s.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	send(w, http.StatusOK, propertyFields().names())
}

// Error answers as DWV does: 401 with an array of one message (documented so), all others with one message.
func (s *Simulator) Error(w http.ResponseWriter, status int, text string) {
	if text == "" {
		switch status {
		case http.StatusUnauthorized:
			text = "Token que foi fornecido é invalido"
		case http.StatusTooManyRequests:
			text = "Too Many Attempts"
		default:
			text = http.StatusText(status)
		}
	}
	var body any = label{Message: text}
	if status == http.StatusUnauthorized {
		body = []label{{Message: text}}
	}
	send(w, status, body)
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
