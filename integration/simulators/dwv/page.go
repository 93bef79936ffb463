package dwv

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// paging is one page of a list of total rows.
type paging struct {
	total, perPage, page int
}

// lastPage returns 0 for an empty list: the envelope is that of the Adonis framework's paginator, which counts so.
func (p paging) lastPage() int { return (p.total + p.perPage - 1) / p.perPage }

// enveloped returns a page of some rows.
func (s *Simulator) enveloped(p paging, rows any) sim.Members {
	number := func(n int) any {
		if s.with.NumbersAsText {
			return strconv.Itoa(n)
		}
		return n
	}
	return sim.Ordered("total", number(p.total), "perPage", number(p.perPage), "page", number(p.page), "lastPage", number(p.lastPage()), "data", rows)
}

// indexed is a row as it was when its page was cut.
type indexed struct {
	index int
	row   sim.Row
}

// page cuts a page out of the properties that q lets through, and lets Drift happen after it.
func (s *Simulator) page(q query) (paging, []indexed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	matching := s.matching(q)
	p := paging{total: len(matching), perPage: q.limit, page: q.page}
	from, to := sim.Bounds(p.page, p.perPage, p.total)
	rows := make([]indexed, 0, to-from)
	for _, index := range matching[from:to] {
		rows = append(rows, indexed{index, s.rows.Rows[index]})
	}
	s.drift(matching[:to])
	return p, rows
}

// matching returns the indices of the properties that q lets through, in the order of the listing. The caller holds the lock.
func (s *Simulator) matching(q query) []int {
	return s.rows.Matching(q.key, func(i int) bool {
		return !slices.ContainsFunc(q.tests, func(t test) bool { return !t(i, s.rows.Rows[i]) })
	}, nil)
}

// Previous returns the request for the page of the same list before the one r asks for.
func (s *Simulator) Previous(r *http.Request) (*http.Request, bool) {
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || page < 2 {
		return nil, false
	}
	return sim.Turn(r, "page", page-1), true
}

// cities returns the states, cities and neighbourhoods of the properties that are selected.
func (s *Simulator) cities(q query) (any, *refusal) {
	states := s.states()
	p := paging{total: len(states), perPage: q.limit, page: q.page}
	from, to := sim.Bounds(p.page, p.perPage, p.total)
	rows := []sim.Object{}
	for _, state := range states[from:to] {
		rows = append(rows, state.row())
	}
	return s.enveloped(p, rows), nil
}

// states returns those where a selected property lies, in the order of the country's list.
func (s *Simulator) states() []state {
	s.mu.Lock()
	defer s.mu.Unlock()
	used := map[int]bool{}
	for i, r := range s.rows.Rows {
		if !r.Gone && s.selected(i) {
			used[s.facts(i).city] = true
		}
	}
	return s.stock.states(used)
}

var _ sim.Simulator = (*Simulator)(nil)
