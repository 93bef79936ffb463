package nectarcrm

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"net/url"
	"slices"
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
	if !s.admitted(r, values) || s.refused(values) {
		s.Error(w, http.StatusUnauthorized, "")
		return
	}
	body, status := any(nil), bad
	if err == nil {
		body, status = answer(r, values)
	}
	nothing, none := body.(Nothing)
	switch {
	case status == bad && s.with.BadParameter == http.StatusOK:
		s.Error(w, http.StatusBadRequest, "") // a query that cannot even be read
	case status == bad:
		s.Error(w, s.with.BadParameter, "")
	case status == http.StatusForbidden:
		s.Error(w, status, "Recurso não disponível no plano contratado")
	case status != http.StatusOK:
		s.Error(w, status, "")
	case none:
		nothing.send(w, strings.Contains(r.URL.Path, "/proposta/"))
	default:
		send(w, status, body)
	}
}

// send answers that there are no rows, or no proposals.
func (n Nothing) send(w http.ResponseWriter, proposals bool) {
	words := map[bool]string{true: "Nenhuma proposta encontrada", false: "Nenhum registro encontrado"}[proposals]
	switch n {
	case NoContent:
		w.WriteHeader(http.StatusNoContent)
	case NotFound:
		send(w, http.StatusNotFound, object{"message": words})
	case Invalid:
		send(w, http.StatusBadRequest, object{"message": words})
	default:
		send(w, http.StatusOK, object{string(n): words})
	}
}

// bad is the status of a request with a bad parameter, see Options.BadParameter.
const bad = -1

// exact returns the fields of rows that are never odd: what rows are told apart and filtered by, and what other streams are made of.
func exact() []string {
	return append(passageLabels(), []string{
		"id", "dataAtualizacao", "ultimaAtualizacao", "status", "contatos", "enderecos", "contatosPai",
		"empresasAtuais", "produtos", "participantes", "sequencias", "contato", "empresa",
		"qtdeComentarios", "Faixa", "Percentual", "Observacao", "Responsavel",
	}...)
}

// handler gives the body of an answer and its status: 200, bad, or one whose body is the error's.
type handler func(r *http.Request, values url.Values) (body any, status int)

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
		return gated, ok
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
		return gated
	}
	return answer
}

func gated(*http.Request, url.Values) (any, int) { return nil, http.StatusForbidden }

// list answers the page of a list that is asked for.
func (s *Simulator) list(t *table) handler {
	return func(r *http.Request, values url.Values) (any, int) {
		q, ok := s.parse(t, values)
		switch {
		case !ok:
			return nil, bad
		case s.mumbles(r):
			return mumble(), http.StatusOK
		}
		found := s.page(t, q)
		rows := make([]sim.JSON, len(found))
		for k, one := range found {
			rows[k] = some(s.own(t, one), q.only)
		}
		return s.enveloped(t, rows), http.StatusOK
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
	return func(r *http.Request, values url.Values) (any, int) {
		q, ok := s.parse(&table{limit: t.limit}, values)
		if !ok {
			return nil, bad
		}
		return s.listOf(r, t, id, func(owner indexed) any {
			s.mu.Lock()
			defer s.mu.Unlock()
			from, to := s.bounds(q.page, q.rows, of.size(owner.index))
			rows := make([]sim.JSON, to-from)
			for n := range rows {
				rows[n] = s.inside(t, owner, from+n, of.show)
			}
			return s.enveloped(t, rows)
		})
	}
}

// listOf returns the list that belongs to the row of t with an id.
func (s *Simulator) listOf(r *http.Request, t *table, id string, list func(owner indexed) any) (any, int) {
	owner, ok := s.one(t, id)
	switch {
	case !ok:
		return nil, http.StatusNotFound
	case s.mumbles(r):
		return mumble(), http.StatusOK
	}
	return list(owner), http.StatusOK
}

// enveloped returns a list as the answer of a table has it.
func (s *Simulator) enveloped(t *table, rows []sim.JSON) any {
	if len(rows) == 0 && s.with.Empty != NoRows {
		return s.with.Empty
	}
	if t.loose && s.with.Enveloped || s.with.Wrapped {
		return sim.Ordered("data", rows)
	}
	return rows
}

// some returns a row with some of its members; with all where only is nil.
func some(row sim.JSON, only []string) sim.JSON {
	if only == nil {
		return row
	}
	members := map[string]sim.Raw{}
	if err := json.Unmarshal(row, &members); err != nil {
		panic(fmt.Sprintf("nectarcrm wrote a row that is no object: %v", err))
	}
	maps.DeleteFunc(members, func(name string, _ sim.Raw) bool { return !slices.Contains(only, name) })
	return sim.Encode(members)
}

// record answers one record, bare.
func (s *Simulator) record(t *table, id string) handler {
	return func(*http.Request, url.Values) (any, int) {
		found, ok := s.one(t, id)
		if !ok {
			return nil, http.StatusNotFound
		}
		return s.own(t, found), http.StatusOK
	}
}

// opportunityProposals answers a page of an opportunity's proposals. Only page and status are documented, so the size of a page is the
// usual one whatever displayLength is.
func (s *Simulator) opportunityProposals(id string) handler {
	return func(r *http.Request, values url.Values) (any, int) {
		p := &reader{s: s, values: values}
		page, _ := p.number("page", -1, 1<<31-1)
		status, filtered := p.number("status", 0, 4)
		if p.bad {
			return nil, bad
		}
		return s.listOf(r, s.opportunities, id, func(owner indexed) any {
			which := []int{}
			for k := range s.proposals(owner.index, owner.row) {
				if !filtered || proposalStatus(owner.index, k) == status {
					which = append(which, k)
				}
			}
			if len(which) == 0 && s.with.NoProposals != NoRows {
				return s.with.NoProposals
			}
			from, to := s.bounds(page, defaultRows, len(which))
			rows := make([]sim.JSON, to-from)
			for n, k := range which[from:to] {
				row := s.written(s.opportunities, owner, k, nil, func() object { return s.proposal(owner.index, k) })
				rows[n] = some(row, values["attribute"])
			}
			return s.enveloped(s.opportunities, rows)
		})
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

func mumble() object { return object{"message": "Não foi possível concluir a operação"} }

// Error answers as NectarCRM does: a message. The text of a 401 is the same whatever it is for, as it may be a bad parameter.
func (s *Simulator) Error(w http.ResponseWriter, status int, text string) {
	if status == http.StatusUnauthorized && s.with.HTML401 {
		page(w, status, "HTTP Status 401 – Não Autorizado")
		return
	}
	known := map[int]string{401: "Acesso não autorizado", 404: "Registro não encontrado", 400: "Requisição inválida"}
	send(w, status, object{"message": cmp.Or(text, known[status], http.StatusText(status))})
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
