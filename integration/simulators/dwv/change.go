package dwv

import (
	"slices"
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// period is what has happened since all there was had been read.
type period struct {
	begun   bool
	mark    int64        // the newest time of change when it began
	must    map[int]bool // changed on purpose: the next incremental read must bring them
	touched map[int]bool // changed by Drift: read before or after, nobody knows
	fresh   map[int]bool // came or went by Drift
}

// Settle says that all there is has been read, so that Expect speaks of what happens from now on.
func (s *Simulator) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
}

func (s *Simulator) settle() {
	s.since = period{begun: true, mark: s.newest(), must: map[int]bool{}, touched: map[int]bool{}, fresh: map[int]bool{}}
}

// newest is the newest time of change, Drift's aside.
func (s *Simulator) newest() int64 {
	var newest int64
	for i, r := range s.rows {
		if !r.gone && !s.since.touched[i] {
			newest = max(newest, r.updated)
		}
	}
	return newest
}

// now is the clock, in Unix seconds, but never before what the data said when the period began.
func (s *Simulator) now() int64 { return max(s.with.Now().Unix(), s.since.mark) }

// change does something to n rows that are fit for it and returns their ids. The ones chosen follow from the seed and what was done before.
func (s *Simulator) change(n int, fit func(r row) bool, do func(r *row)) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.since.begun {
		s.settle()
	}
	all := make([]int, len(s.rows))
	for i := range all {
		all[i] = i
	}
	var ids []int
	for _, i := range s.pick(all, n, func(i int) bool { return !s.rows[i].gone && !s.since.must[i] && fit(s.rows[i]) }) {
		do(&s.rows[i])
		s.since.must[i] = true
		ids = append(ids, propertyID(i))
	}
	s.matches = nil
	return ids
}

// pick draws up to n different fit ones.
func (s *Simulator) pick(from []int, n int, fit func(index int) bool) []int {
	s.ticks++
	if n <= 0 || len(from) == 0 {
		return nil
	}
	var picked []int
	for _, at := range sim.Choose(len(from), int(s.dice(0, 3+s.ticks<<8)%uint64(len(from))), n, func(at int) bool { return fit(from[at]) }) {
		picked = append(picked, from[at])
	}
	return picked
}

// Touch changes the content of n rows that are not deleted; their time of change becomes the clock's. It returns their ids.
func (s *Simulator) Touch(n int) []int {
	return s.change(n, func(r row) bool { return !r.deleted }, func(r *row) { r.version, r.updated = r.version+1, s.now() })
}

// Delete lets the agency remove n rows. Their time of change does not move. It returns their ids.
func (s *Simulator) Delete(n int) []int {
	return s.change(n, func(r row) bool { return !r.deleted }, func(r *row) { r.deleted = true })
}

// Restore lets the agency select n removed rows again; their time of change becomes the clock's. It returns their ids.
func (s *Simulator) Restore(n int) []int {
	return s.change(n, func(r row) bool { return r.deleted }, func(r *row) { r.deleted, r.updated = false, s.now() })
}

// Vanish takes n rows out of all lists; their details become 404. It returns their ids.
func (s *Simulator) Vanish(n int) []int {
	return s.change(n, func(row) bool { return true }, func(r *row) { r.gone = true })
}

// Append lets the agency select n new properties, at the end of the listing. It returns their ids.
func (s *Simulator) Append(n int) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.since.begun {
		s.settle()
	}
	var ids []int
	for range n {
		i := s.add()
		s.order = append(s.order, uint32(i))
		s.since.must[i] = true
		ids = append(ids, propertyID(i))
	}
	s.matches = nil
	return ids
}

// add makes a new row that is in no listing yet.
func (s *Simulator) add() (index int) {
	s.rows = append(s.rows, row{updated: s.now()})
	return len(s.rows) - 1
}

// Change settles what was, then changes and deletes rows of properties, and so of their details.
func (s *Simulator) Change(changed, deleted int) {
	s.Settle()
	s.Touch(changed)
	s.Delete(deleted)
}

// drift does what Drift says after a page; served are the rows of the list up to the end of that page. The caller holds the lock.
func (s *Simulator) drift(served []int) {
	d := s.with.Drift
	s.pages++
	if d == (Drift{Touch: d.Touch, Pages: d.Pages}) || d.Pages > 0 && s.pages > d.Pages {
		return
	}
	if s.since.touched == nil {
		s.since.touched, s.since.fresh = map[int]bool{}, map[int]bool{}
	}
	there := func(i int) bool { return !s.rows[i].gone }
	selected := func(i int) bool { return there(i) && !s.rows[i].deleted }
	for _, i := range s.pick(served, d.Move, there) {
		at := slices.Index(s.order, uint32(i))
		s.order = append(slices.Delete(s.order, at, at+1), uint32(i))
		if d.Touch {
			s.rows[i].version++
			s.rows[i].updated = s.now()
			s.since.touched[i] = true
		}
	}
	for _, i := range s.pick(served, d.Delete, selected) {
		s.rows[i].deleted = true
		s.since.touched[i] = true
	}
	for _, i := range s.pick(served, d.Vanish, there) {
		s.rows[i].gone = true
		s.since.fresh[i] = true
	}
	for n := range d.Append + d.Prepend {
		i := s.add()
		s.since.touched[i], s.since.fresh[i] = true, true
		if n < d.Append {
			s.order = append(s.order, uint32(i))
		} else {
			s.order = slices.Insert(s.order, 0, uint32(i))
		}
	}
	s.matches = nil
}

// Expect says what the connector's streams must bring. Newly deleted properties, and their details, are expected in the next read
// although their time did not move.
func (s *Simulator) Expect() map[string]sim.Expectation {
	s.mu.Lock()
	mark := s.since.mark
	if !s.since.begun {
		mark = s.newest()
	}
	properties, details := sim.Incremental(), sim.Incremental()
	for i, r := range s.rows {
		full, next := sim.Must, sim.Never
		switch {
		case s.since.fresh[i]:
			full, next = sim.May, sim.May
		case r.gone:
			continue
		case s.since.must[i]:
			next = sim.Must
		case r.updated == 0, r.updated >= mark, s.since.touched[i]:
			next = sim.May
		}
		properties.Put(strconv.Itoa(propertyID(i)), full, next)
		details.Put(strconv.Itoa(propertyID(i)), full, next)
	}
	s.mu.Unlock()

	var states []string
	for _, state := range s.states() {
		states = append(states, state.uf())
	}
	var names []string
	if s.with.Version != Version101 {
		names = propertyFields().names()
	}
	return map[string]sim.Expectation{
		"properties": properties, "property_details": details, "property_conditions": sim.Whole(tags(conditions())...),
		"property_types": sim.Whole(tags(types())...), "cities": sim.Whole(states...),
		"available_fields": sim.Whole(names...),
	}
}

// Drifts are the ways of Drift that lose nothing to a reader who goes from page to page: rows move to its end, or new ones come.
func (*Simulator) Drifts() []map[string]string {
	return []map[string]string{
		{"move": "3", "drift-pages": "8"},
		{"move": "3", "touch": "true", "drift-pages": "8"},
		{"prepend": "2", "drift-pages": "8"},
		{"append": "2", "drift-pages": "8"},
	}
}
