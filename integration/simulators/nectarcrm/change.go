package nectarcrm

import (
	"maps"
	"slices"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// period is what has happened since all there was had been read; the tables have the rows.
type period struct {
	begun    bool
	marks    map[string]int64 // per stream the newest time of change when it began
	proposed map[int]bool     // opportunities that got a proposal without changing
	// commented is, by publication, when those of its comments were written that came later than the data and before the period.
	commented map[int][]int64
}

// Settle says that all there is has been read, so that Expect speaks of what happens from now on.
func (s *Simulator) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
}

func (s *Simulator) settle() {
	for _, t := range s.tables {
		t.Settle()
	}
	s.since = period{begun: true, marks: s.marks(), proposed: map[int]bool{}, commented: maps.Clone(s.comments)}
}

// now returns the clock in Unix milliseconds, but never before what the data said when the period began.
func (s *Simulator) now() int64 {
	now := s.with.Now().UnixMilli()
	for _, mark := range s.since.marks {
		now = max(now, mark)
	}
	return now
}

// Change settles what was, and then changes that many contacts, opportunities, qualifications, tasks, appointments, funnels, users,
// publications, forms and queues, and adds a comment to as many publications, changed or not; contacts, opportunities and appointments are such
// as have rows of every kind in them, and one opportunity in three also gets another status. The API's lists do not tell what was deleted: that
// many other contacts, opportunities, qualifications, tasks and appointments are in no list any more.
func (s *Simulator) Change(changed, deleted int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	rich := map[*table]func(int) bool{
		s.contacts: richContact, s.opportunities: richOpportunity, s.appointments: richAppointment, s.leads: s.reachable,
	}
	for _, t := range s.tables {
		if !t.timed {
			continue
		}
		fit := rich[t]
		for n, i := range t.pick(s, t.Order, changed, func(i int) bool { return fit == nil || fit(i) }) {
			s.touch(t, i, 1, n%3 == 2)
			t.Rows[i].Extra = min(t.Rows[i].Extra+1, 100) // a changed opportunity has one more proposal
			t.Must[i] = true
		}
		if t.moving {
			for _, i := range t.pick(s, t.Order, deleted, func(int) bool { return true }) {
				t.Rows[i].Gone = true
			}
		}
		t.Changed()
	}
	for n, i := range s.feed.pick(s, s.feed.Order, changed, func(int) bool { return true }) {
		s.comments[i] = append(slices.Clone(s.comments[i]), s.now()+int64(n))
	}
}

// Propose adds a proposal to each of n open opportunities without changing them: whether a new one moves its opportunity's time of change
// is not known. It returns the ids of the opportunities.
func (s *Simulator) Propose(n int) (ids []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.since.begun {
		s.settle()
	}
	t := s.opportunities
	for _, i := range t.pick(s, t.Order, n, func(i int) bool { return t.Rows[i].State == 1 }) {
		t.Rows[i].Extra = min(t.Rows[i].Extra+1, 100)
		s.since.proposed[i] = true
		ids = append(ids, t.id(i))
	}
	return ids
}

// touch changes a row by so many versions; its time of change becomes the clock's. With on an opportunity goes on to the next status.
func (s *Simulator) touch(t *table, index int, versions uint32, on bool) {
	r := &t.Rows[index]
	r.Version, r.Time = r.Version+versions, s.now()
	if t == s.opportunities && on {
		r.State = 1 + r.State%5
	}
}

// reachable tells whether a qualification is in any list.
func (s *Simulator) reachable(index int) bool {
	if s.with.BareAll || !s.with.SameScale {
		return true
	}
	return s.with.HighStatus == HighServed || s.leads.Rows[index].State <= 4
}

// pick draws up to n different fit rows that were not changed in this period. Which ones follows from the seed and what was done before.
func (t *table) pick(s *Simulator, from []int, n int, fit func(index int) bool) []int {
	t.ticks++
	if n <= 0 || len(from) == 0 {
		return nil
	}
	return t.Pick(from, uint64(s.dice(t, 0, 7+t.ticks<<8).N(len(from))), n, func(i int) bool { return !t.Must[i] && fit(i) })
}

// drift does what Drift says after a page; served are the rows of the list up to the end of that page. The caller holds the lock.
func (s *Simulator) drift(t *table, served []int) {
	d := s.with.Drift
	if !t.moving || len(served) == 0 || d.Move+d.Append+d.Prepend == 0 {
		return
	}
	t.pages++
	if d.Pages > 0 && t.pages > d.Pages {
		return
	}
	like := row{Time: s.now(), State: t.Rows[served[0]].State} // in the same list as what is read
	add := func() int {
		i := t.Add(like)
		t.Touched[i], t.Fresh[i] = true, true
		return i
	}
	last := served[len(served)-1]
	for n, i := range t.pick(s, served, d.Move, func(int) bool { return true }) {
		t.Order[slices.Index(t.Order, i)] = add()
		to := len(t.Order)
		if at := slices.Index(t.Order, last); n%2 == 0 && at >= 0 {
			to = at + 1 // to the next page, from where it may move once more
		}
		t.Order = slices.Insert(t.Order, to, i)
		if d.Touch {
			// By two versions: what is in a record stays, as nobody knows whether it was read before or after.
			s.touch(t, i, 2, n%2 == 1 && t.Rows[i].State < 5)
			t.Touched[i] = true
		}
	}
	for range d.Append {
		t.Order = append(t.Order, add())
	}
	for range d.Prepend {
		t.Order = slices.Insert(t.Order, 0, add())
	}
	t.Changed()
}

// Drifts returns the ways of Drift that lose nothing to a reader who goes from page to page: rows move to its end, or new ones come.
func (*Simulator) Drifts() []map[string]string {
	return sim.PageDrifts()
}
