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
		t.must, t.touched, t.fresh = map[int]bool{}, map[int]bool{}, map[int]bool{}
	}
	s.since = period{begun: true, marks: s.marks(), proposed: map[int]bool{}, commented: maps.Clone(s.comments)}
}

// now is the clock in Unix milliseconds, but never before what the data said when the period began.
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
		for n, i := range t.pick(s, t.order, changed, func(i int) bool { return fit == nil || fit(i) }) {
			s.touch(t, i, 1, n%3 == 2)
			t.rows[i].extra = min(t.rows[i].extra+1, 100) // a changed opportunity has one more proposal
			t.must[i] = true
		}
		if t.moving {
			for _, i := range t.pick(s, t.order, deleted, func(int) bool { return true }) {
				t.rows[i].gone = true
			}
		}
		t.matches = nil
	}
	for n, i := range s.feed.pick(s, s.feed.order, changed, func(int) bool { return true }) {
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
	for _, i := range t.pick(s, t.order, n, func(i int) bool { return t.rows[i].status == 1 }) {
		t.rows[i].extra = min(t.rows[i].extra+1, 100)
		s.since.proposed[i] = true
		ids = append(ids, t.id(i))
	}
	return ids
}

// touch changes a row by so many versions; its time of change becomes the clock's. With on an opportunity goes on to the next status.
func (s *Simulator) touch(t *table, index int, versions uint16, on bool) {
	r := &t.rows[index]
	r.version, r.time = r.version+versions, s.now()
	if t == s.opportunities && on {
		r.status = 1 + r.status%5
	}
}

// reachable tells whether a qualification is in any list.
func (s *Simulator) reachable(index int) bool {
	if s.with.BareAll || !s.with.SameScale {
		return true
	}
	return s.with.HighStatus == HighServed || s.leads.rows[index].status <= 4
}

// pick draws up to n different fit rows that were not changed in this period. Which ones follows from the seed and what was done before.
func (t *table) pick(s *Simulator, from []uint32, n int, fit func(index int) bool) []int {
	t.ticks++
	if n <= 0 || len(from) == 0 {
		return nil
	}
	d := s.dice(t, 0, 7+t.ticks<<8)
	var picked []int
	for _, at := range sim.Choose(len(from), d.N(len(from)), n, func(at int) bool {
		i := int(from[at])
		return !t.rows[i].gone && !t.must[i] && fit(i)
	}) {
		picked = append(picked, int(from[at]))
	}
	return picked
}

// drift does what Drift says after a page; served are the rows of the list up to the end of that page. The caller holds the lock.
func (s *Simulator) drift(t *table, served []uint32) {
	d := s.with.Drift
	if !t.moving || len(served) == 0 || d.Move+d.Append+d.Prepend == 0 {
		return
	}
	t.pages++
	if d.Pages > 0 && t.pages > d.Pages {
		return
	}
	like := row{time: s.now(), status: t.rows[served[0]].status} // in the same list as what is read
	add := func() uint32 {
		i := t.add(like)
		t.touched[i], t.fresh[i] = true, true
		return uint32(i)
	}
	last := served[len(served)-1]
	for n, i := range t.pick(s, served, d.Move, func(int) bool { return true }) {
		t.order[slices.Index(t.order, uint32(i))] = add()
		to := len(t.order)
		if at := slices.Index(t.order, last); n%2 == 0 && at >= 0 {
			to = at + 1 // to the next page, from where it may move once more
		}
		t.order = slices.Insert(t.order, to, uint32(i))
		if d.Touch {
			// By two versions: what is in a record stays, as nobody knows whether it was read before or after.
			s.touch(t, i, 2, n%2 == 1 && t.rows[i].status < 5)
			t.touched[i] = true
		}
	}
	for range d.Append {
		t.order = append(t.order, add())
	}
	for range d.Prepend {
		t.order = slices.Insert(t.order, 0, add())
	}
	t.matches = nil
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
