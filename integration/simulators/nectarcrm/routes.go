package nectarcrm

import (
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

const root = "/crm/api/1/"

// ServeHTTP answers the documented lists and records, with or without a slash at the end, and refuses all else: 404 with an HTML page
// for a path, 405 for a method, 401 for the credentials or a parameter (one cannot be told from the other), 403 for what is not in the plan.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.with.Odd {
		odd := &sim.Odd{Seed: s.with.Seed, Exact: exact()}
		defer odd.Send(w)
		w = odd
	}
	answer, ok := s.route(r.URL.EscapedPath())
	if !ok {
		page(w, http.StatusNotFound, "HTTP Status 404 – Não Encontrado")
		return
	}
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		s.Error(w, http.StatusMethodNotAllowed, "")
		return
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	switch {
	case !s.admitted(r, values), s.refused(values):
		s.Error(w, http.StatusUnauthorized, "")
	case err != nil:
		s.refuse(w)
	default:
		answer(w, r, values)
	}
}

// exact is the fields of rows that are never odd: what rows are told apart and filtered by, and what other streams are made of.
func exact() []string {
	return append(passageLabels(), []string{
		"id", "dataAtualizacao", "ultimaAtualizacao", "status", "contatos", "enderecos", "contatosPai",
		"empresasAtuais", "produtos", "participantes", "sequencias", "contato", "empresa",
		"qtdeComentarios", "Faixa", "Percentual", "Observacao", "Responsavel",
	}...)
}

type handler func(w http.ResponseWriter, r *http.Request, values url.Values)

// route finds what answers a path.
func (s *Simulator) route(path string) (handler, bool) {
	path, ok := strings.CutPrefix(path, root)
	path = strings.TrimSuffix(path, "/")
	first, rest, _ := strings.Cut(path, "/")
	if t, found := s.routes[path]; found {
		answer := s.list(t)
		if t == s.reports {
			answer = s.history
		}
		return s.unlessOff(t, answer), ok && !t.has(s.with.Missing)
	}
	if t, id, inner, found := s.inner(path); found {
		return s.unlessOff(t, s.within(t, id, inner)), ok && digits(id) && !t.has(s.with.Missing) && !slices.Contains(s.with.Missing, inner.path)
	}
	if first == "big-data" || first == "table-template" || path == "table/rows" { // of which nothing is known but that they are there
		return s.gated, ok
	}
	if id, found := strings.CutPrefix(path, "proposta/opportunity/"); found {
		return s.opportunityProposals(id), ok && digits(id)
	}
	t, found := s.routes[first]
	return s.unlessOff(t, s.record(t, rest)), ok && found && digits(rest) && !t.has(s.with.Missing)
}

func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// unlessOff answers 403 in place of a table that is not in the plan.
func (s *Simulator) unlessOff(t *table, answer handler) handler {
	if t != nil && t.has(s.with.Gated) {
		return s.gated
	}
	return answer
}

func (s *Simulator) gated(w http.ResponseWriter, _ *http.Request, _ url.Values) {
	s.Error(w, http.StatusForbidden, "Recurso não disponível no plano contratado")
}

// list answers the page of a list that is asked for.
func (s *Simulator) list(t *table) handler {
	return func(w http.ResponseWriter, r *http.Request, values url.Values) {
		q, ok := s.parse(t, values)
		if !ok {
			s.refuse(w)
			return
		}
		if s.mumbles(r) {
			s.mumble(w)
			return
		}
		found := s.page(t, q)
		rows := make([]sim.JSON, len(found))
		for k, one := range found {
			if rows[k] = s.own(t, one); q.only != nil {
				rows[k] = some(t.show(one.index, one.row), q.only)
			}
		}
		send(w, http.StatusOK, s.enveloped(t, rows))
	}
}

// inner is a list that belongs to a row of a table.
type inner struct {
	path string // with {id} in the place of the row's
	size func(index int) int
	show func(index, k int) object
}

// The lists that belong to rows.
const (
	commentsPath = "publicacao/{id}/comentarios"
	rowsPath     = "table/{id}/rows"
)

// inner finds the list of a row that a path is of.
func (s *Simulator) inner(path string) (t *table, id string, list inner, ok bool) {
	parts := strings.Split(path, "/")
	if len(parts) != 3 {
		return nil, "", inner{}, false
	}
	switch t := s.routes[parts[0]]; {
	case t == s.feed && parts[2] == "comentarios":
		return t, parts[1], inner{commentsPath, s.commentsOf, s.comment}, true
	case t == s.dynamic && parts[2] == "rows":
		return t, parts[1], inner{rowsPath, dynamicRows, s.dynamicRow}, true
	}
	return nil, "", inner{}, false
}

// within answers a page of the list that belongs to a row.
func (s *Simulator) within(t *table, id string, of inner) handler {
	return func(w http.ResponseWriter, r *http.Request, values url.Values) {
		q, ok := s.parse(&table{limit: t.limit}, values)
		if !ok {
			s.refuse(w)
			return
		}
		found, ok := s.owner(w, r, t, id)
		if !ok {
			return
		}
		s.mu.Lock()
		from, to := s.bounds(q.page, q.rows, of.size(found.index))
		rows := make([]sim.JSON, to-from)
		for n := range rows {
			rows[n] = s.inside(t, found, from+n, of.show)
		}
		s.mu.Unlock()
		send(w, http.StatusOK, s.enveloped(t, rows))
	}
}

// owner is the row of t to which a list belongs that r asks for. Where it is not ok the answer has been given.
func (s *Simulator) owner(w http.ResponseWriter, r *http.Request, t *table, id string) (found indexed, ok bool) {
	n, err := strconv.Atoi(id)
	found, ok = s.one(t, n)
	switch {
	case err != nil || !ok:
		s.Error(w, http.StatusNotFound, "")
		return found, false
	case s.mumbles(r):
		s.mumble(w)
		return found, false
	}
	return found, true
}

// enveloped is a list as the answer of a table has it.
func (s *Simulator) enveloped(t *table, rows []sim.JSON) any {
	if t.loose && s.with.Enveloped {
		return sim.Ordered("data", rows)
	}
	return rows
}

// some is a row with some of its members.
func some(row object, only []string) sim.JSON {
	maps.DeleteFunc(row, func(name string, _ any) bool { return !slices.Contains(only, name) })
	return sim.Encode(row.Present())
}

// record answers one record, bare.
func (s *Simulator) record(t *table, id string) handler {
	return func(w http.ResponseWriter, _ *http.Request, _ url.Values) {
		n, err := strconv.Atoi(id)
		found, ok := s.one(t, n)
		if err != nil || !ok {
			s.Error(w, http.StatusNotFound, "")
			return
		}
		send(w, http.StatusOK, s.own(t, found))
	}
}

// opportunityProposals answers a page of an opportunity's proposals. Only page and status are documented, so the size of a page is the
// usual one whatever displayLength is.
func (s *Simulator) opportunityProposals(id string) handler {
	return func(w http.ResponseWriter, r *http.Request, values url.Values) {
		p := &reader{s: s, values: values}
		page, _ := p.number("page", -1, 1<<31-1)
		status, filtered := p.number("status", 0, 4)
		if p.bad {
			s.refuse(w)
			return
		}
		found, ok := s.owner(w, r, s.opportunities, id)
		if !ok {
			return
		}
		var which []int
		for k := range s.proposals(found.index, found.row) {
			if !filtered || proposalStatus(found.index, k) == status {
				which = append(which, k)
			}
		}
		from, to := s.bounds(page, defaultRows, len(which))
		rows := make([]sim.JSON, to-from)
		for n, k := range which[from:to] {
			show := func() object { return s.proposal(found.index, k) }
			if rows[n] = s.written(s.opportunities, found, k, nil, show); values["attribute"] != nil {
				rows[n] = some(show(), values["attribute"])
			}
		}
		send(w, http.StatusOK, s.enveloped(s.opportunities, rows))
	}
}

// mumbles tells whether a request for a list gets a message this time.
func (s *Simulator) mumbles(r *http.Request) bool {
	if s.with.Messages <= 0 {
		return false
	}
	uri := r.URL.RequestURI()
	s.mu.Lock()
	s.asked[uri]++
	attempt := s.asked[uri]
	s.mu.Unlock()
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %d", uri, attempt) // a hash takes all
	return float64(sim.Mix(s.with.Seed^h.Sum64())>>11)/(1<<53) < s.with.Messages
}

func (s *Simulator) mumble(w http.ResponseWriter) {
	send(w, http.StatusOK, object{"message": "Não foi possível concluir a operação"})
}

// refuse answers a request with a bad parameter.
func (s *Simulator) refuse(w http.ResponseWriter) {
	status := s.with.BadParameter
	if status == http.StatusOK {
		status = http.StatusBadRequest // a query that cannot even be read
	}
	s.Error(w, status, "")
}

// Error answers as NectarCRM does: a message. The text of a 401 is the same whatever it is for, as it may be a bad parameter.
func (s *Simulator) Error(w http.ResponseWriter, status int, text string) {
	if status == http.StatusUnauthorized && s.with.HTML401 {
		page(w, status, "HTTP Status 401 – Não Autorizado")
		return
	}
	if text == "" {
		switch status {
		case http.StatusUnauthorized:
			text = "Acesso não autorizado"
		case http.StatusNotFound:
			text = "Registro não encontrado"
		case http.StatusBadRequest:
			text = "Requisição inválida"
		default:
			text = http.StatusText(status)
		}
	}
	send(w, status, object{"message": text})
}

func send(w http.ResponseWriter, status int, v any) {
	sim.Send(w, status, "application/json;charset=UTF-8", v)
}

// page answers with an HTML page, as the servlet container does.
func page(w http.ResponseWriter, status int, title string) {
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<!doctype html><html lang=\"pt\"><head><title>%s</title></head><body><h1>%[1]s</h1></body></html>", title)
}
