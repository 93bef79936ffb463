package dwv

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// enveloped returns the page of total rows that q asks for. The last page of none is 0: the envelope is that of the Adonis framework's paginator,
// which counts so.
func (s *Simulator) enveloped(q query, total int, rows any) sim.Members {
	number := func(n int) any {
		if s.with.NumbersAsText {
			return strconv.Itoa(n)
		}
		return n
	}
	last := (total + q.limit - 1) / q.limit
	return sim.Ordered("total", number(total), "perPage", number(q.limit), "page", number(q.page), "lastPage", number(last), "data", rows)
}

// indexed is a row as it was when its page was cut.
type indexed struct {
	index int
	row   sim.Row
}

// page cuts a page out of the properties that q lets through, in the order of the listing, says how many they are, and lets Drift happen after it.
func (s *Simulator) page(q query) (total int, rows []indexed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	matching := s.rows.Matching(q.key, func(i int) bool {
		return !slices.ContainsFunc(q.tests, func(t test) bool { return !t(i, s.rows.Rows[i]) })
	}, nil)
	from, to := sim.Bounds(q.page, q.limit, len(matching))
	rows = make([]indexed, 0, to-from)
	for _, index := range matching[from:to] {
		rows = append(rows, indexed{index, s.rows.Rows[index]})
	}
	s.drift(matching[:to])
	return len(matching), rows
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
	from, to := sim.Bounds(q.page, q.limit, len(states))
	rows := []sim.Object{}
	for _, state := range states[from:to] {
		rows = append(rows, state.row())
	}
	return s.enveloped(q, len(states), rows), nil
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
