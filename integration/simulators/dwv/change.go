package dwv

import (
	"slices"
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Settle says that all there is has been read, so that Expect speaks of what happens from now on.
func (s *Simulator) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
}

func (s *Simulator) settle() {
	s.mark, s.begun = s.rows.Newest(s.shown), true
	s.rows.Settle()
}

// shown returns the time of change that a property shows.
func (s *Simulator) shown(index int) int64 { return s.rows.Rows[index].Time }

// now returns the clock, in Unix seconds, but never before what the data said when all had been read.
func (s *Simulator) now() int64 { return max(s.with.Now().Unix(), s.mark) }

// pick draws up to n different rows that are in a list and not removed, of all where from is nil.
func (s *Simulator) pick(from []int, n int, fit func(index int) bool) []int {
	s.ticks++
	return s.rows.Pick(from, s.dice(0, 3+s.ticks<<8), n, fit)
}

// selected tells whether the agency did not remove a property.
func (s *Simulator) selected(index int) bool { return s.rows.Rows[index].State != removed }

// Change settles what was, then changes and removes rows of properties, and so of their details. The time of change of a removed one does not move.
func (s *Simulator) Change(changed, deleted int) {
	s.Settle()
	s.Touch(changed)
	s.change(deleted, func(r *sim.Row) { r.State = removed })
}

// Touch changes the content of n rows that are not removed; their time of change becomes the clock's. It returns their ids.
func (s *Simulator) Touch(n int) []int {
	return s.change(n, func(r *sim.Row) { r.Version, r.Time = r.Version+1, s.now() })
}

// change does something to n rows that are not removed and returns their ids. Which ones follows from the seed and what was done before.
func (s *Simulator) change(n int, do func(r *sim.Row)) (ids []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun {
		s.settle()
	}
	for _, i := range s.pick(nil, n, func(i int) bool { return !s.rows.Must[i] && s.selected(i) }) {
		do(&s.rows.Rows[i])
		s.rows.Must[i] = true
		ids = append(ids, propertyID(i))
	}
	s.rows.Changed()
	return ids
}

// drift does what Drift says after a page; served are the rows of the list up to the end of that page. The caller holds the lock.
func (s *Simulator) drift(served []int) {
	d, t := s.with.Drift, &s.rows
	s.pages++
	if d == (Drift{Touch: d.Touch, Pages: d.Pages}) || d.Pages > 0 && s.pages > d.Pages {
		return
	}
	there := func(int) bool { return true }
	for _, i := range s.pick(served, d.Move, there) {
		at := slices.Index(t.Order, i)
		t.Order = append(slices.Delete(t.Order, at, at+1), i)
		if d.Touch {
			t.Rows[i].Version++
			t.Rows[i].Time = s.now()
			t.Touched[i] = true
		}
	}
	for _, i := range s.pick(served, d.Delete, s.selected) {
		t.Rows[i].State = removed
		t.Touched[i] = true
	}
	for _, i := range s.pick(served, d.Vanish, there) {
		t.Rows[i].Gone = true
		t.Fresh[i] = true
	}
	for n := range d.Append + d.Prepend {
		i := t.Add(sim.Row{Time: s.now()})
		t.Touched[i], t.Fresh[i] = true, true
		if n < d.Append {
			t.Order = append(t.Order, i)
		} else {
			t.Order = slices.Insert(t.Order, 0, i)
		}
	}
	t.Changed()
}

// Expect says what the connector's streams must bring. Newly removed properties, and their details, are expected in the next read although their
// time did not move.
func (s *Simulator) Expect() map[string]sim.Expectation {
	s.mu.Lock()
	mark := s.mark
	if !s.begun {
		mark = s.rows.Newest(s.shown)
	}
	expect := func() sim.Expectation {
		return s.rows.Expect(mark, s.shown, func(i int) []string { return []string{strconv.Itoa(propertyID(i))} })
	}
	properties, details := expect(), expect()
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

// Drifts returns the ways of Drift that lose nothing to a reader who goes from page to page: rows move to its end, or new ones come.
func (*Simulator) Drifts() []map[string]string {
	return sim.PageDrifts()
}
