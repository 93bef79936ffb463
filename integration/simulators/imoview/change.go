package imoview

import (
	"fmt"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// period is what has happened since all there was had been read.
type period struct {
	begun bool
	marks map[string]int64 // per stream the newest time of change when it began
	start int64            // the earliest that the sync which read all can have begun
}

// stream is one of the connector's, made from a table's rows.
type stream struct {
	name  string
	table *table
	keys  func(index int) []string // under which a row comes; none when it does not
}

// streams returns those that can be read incrementally. The caller holds data.
func (s *Simulator) streams() []stream {
	every := func(name string, t *table) stream {
		return stream{name, t, func(i int) []string { return []string{t.key(i)} }}
	}
	of := func(name string, t *table, clients func(i int) [2]int) stream {
		return stream{name, t, func(i int) (keys []string) {
			for _, client := range clients(i) {
				if client >= 0 {
					keys = append(keys, s.users.key(client)+","+t.key(i))
				}
			}
			return keys
		}}
	}
	available := func(name string, purpose int) stream {
		return stream{name, s.properties, func(i int) []string {
			if !s.available(i, purpose) {
				return nil
			}
			return []string{s.properties.key(i)}
		}}
	}
	return []stream{
		every("users", s.users),
		of("tenant_contracts", s.contracts, func(i int) [2]int { return s.leases[i].tenants }),
		of("tenant_inspections", s.inspections, func(i int) [2]int { return s.visits[i].tenants }),
		of("guarantor_contracts", s.contracts, func(i int) [2]int { return s.leases[i].guarantors }),
		of("landlord_contracts", s.contracts, func(i int) [2]int { return [2]int{s.leases[i].landlord, -1} }),
		every("condominiums", s.condominiums),
		available("properties_rent", rent),
		available("properties_sale", sale),
		every("lease_contracts", s.contracts),
		every("movements", s.movements),
		every("service_requests", s.requests),
		{"properties", s.properties, s.offerKeys},
		every("property_details", s.properties),
	}
}

// marks returns the newest times that can be read, per stream. An inspection's is an appointment: no mark passes the start of the sync.
func (s *Simulator) marks(start int64) map[string]int64 {
	marks := map[string]int64{}
	for _, stream := range s.streams() {
		marks[stream.name] = stream.table.Newest(func(i int) int64 {
			if t, _ := stream.table.written(i); len(stream.keys(i)) > 0 {
				return t
			}
			return 0
		})
		if stream.table == s.inspections {
			marks[stream.name] = min(marks[stream.name], start)
		}
	}
	return marks
}

// start returns the earliest that the sync can have begun whose requests came in this period: a reader looks at its clock before it asks. When
// none came, the sync before is the last one. The caller holds data.
func (s *Simulator) start() int64 {
	s.books.Lock()
	defer s.books.Unlock()
	switch {
	case s.first != 0:
		return s.first - 60
	case s.since.begun:
		return s.since.start
	}
	return s.wall(s.with.Now())
}

// Settle says that all there is has been read, so that Expect speaks of what happens from now on.
func (s *Simulator) Settle() {
	s.data.Lock()
	defer s.data.Unlock()
	s.settle()
}

func (s *Simulator) settle() {
	start := s.start()
	s.since = period{begun: true, start: start, marks: s.marks(start)}
	for _, t := range s.tables() {
		t.Settle()
	}
	s.books.Lock()
	defer s.books.Unlock()
	s.first = 0
}

func (s *Simulator) tables() []*table {
	return []*table{s.users, s.contracts, s.inspections, s.condominiums, s.properties, s.movements, s.requests}
}

// Change settles what was, and then changes that many clients, contracts (with a tenant and a guarantor), inspections, condominiums,
// properties for rent, properties for sale, movements and requests, each rather one that was not changed yet. The API knows no deletion:
// deleted is how many further contracts are rescinded, and how many properties for rent, and for sale, are sold or taken back, after which
// the catalogue alone has them. All of them are changed by it. Condominiums that are Unoffered are listed from then on.
func (s *Simulator) Change(changed, deleted int) {
	s.data.Lock()
	defer s.data.Unlock()
	s.settle()
	now := s.now()
	touch := func(r *sim.Row) { r.Version, r.Time = r.Version+1, now }
	end := func(r *sim.Row) {
		r.State = ended
		touch(r)
	}
	every := func(int) bool { return true }
	guaranteed := func(i int) bool { return s.leases[i].guarantors[0] >= 0 }
	running := func(i int) bool { return guaranteed(i) && s.contracts.Rows[i].State != ended }
	s.pick(s.users, changed, every, touch)
	s.pick(s.contracts, deleted, running, end)
	s.pick(s.contracts, changed, guaranteed, touch)
	s.pick(s.inspections, changed, s.seenAgain, func(r *sim.Row) { r.Version++ })
	for i := range min(s.with.Unoffered, len(s.condominiums.Rows)) {
		if r := &s.condominiums.Rows[i]; r.Gone {
			r.Gone, s.condominiums.Must[i] = false, true
		}
	}
	s.pick(s.condominiums, changed, every, touch)
	s.pick(s.movements, changed, every, touch)
	s.pick(s.requests, changed, every, touch)
	for _, purpose := range []int{rent, sale} {
		available := func(i int) bool { return s.available(i, purpose) }
		s.pick(s.properties, deleted, available, end)
		already := 0
		for i := range s.properties.Must {
			if available(i) {
				already++
			}
		}
		s.pick(s.properties, changed-already, available, touch)
	}
}

// Sign adds n contracts of tenants whose own rows did not change. It returns their codes.
func (s *Simulator) Sign(n int) (codes []int) {
	s.data.Lock()
	defer s.data.Unlock()
	if !s.since.begun {
		s.settle()
	}
	for at := range min(n, len(s.clients[tenant])) {
		i := s.sign(at)
		s.contracts.Rows[i].Time = s.now()
		s.contracts.Must[i] = true
		codes = append(codes, s.contracts.code(i))
	}
	s.with.Rendered = &sim.Rendered{} // what was kept knows of fewer contracts
	s.contracts.Changed()
	return codes
}

// now returns the clock, but never before what the data said when the period began.
func (s *Simulator) now() int64 {
	now := s.wall(s.with.Now())
	for name, mark := range s.since.marks {
		if name != "tenant_inspections" {
			now = max(now, mark)
		}
	}
	return now
}

// seenAgain tells whether an inspection comes again whatever the mark is, so that a change of it is seen.
func (s *Simulator) seenAgain(index int) bool {
	t, f := s.inspections.written(index)
	return f != never && t >= s.today-(recent+1)*day
}

// pick does something to up to n rows that are fit for it and were not changed in this period. Which ones follows from the seed and from
// what was done before.
func (s *Simulator) pick(t *table, n int, fit func(index int) bool, do func(r *sim.Row)) {
	versions := uint64(0)
	for _, r := range t.Rows {
		versions += uint64(r.Version)
	}
	first := uint64(s.dice(t, int(versions), 4).N(max(1, len(t.Rows))))
	for _, i := range t.Pick(nil, first, n, func(i int) bool { return !t.Must[i] && fit(i) }) {
		do(&t.Rows[i])
		t.Must[i] = true
	}
	t.Changed()
}

// Expect says what the connector's streams must bring. Inspections of the last 90 days before the mark, to come, or without an end come
// again each time, and service requests that changed within a day before it may.
func (s *Simulator) Expect() map[string]sim.Expectation {
	s.data.RLock()
	defer s.data.RUnlock()
	marks := s.since.marks
	if !s.since.begun {
		marks = s.marks(s.start())
	}
	expect := map[string]sim.Expectation{"portals": sim.Whole(s.portalKeys()...)}
	for _, path := range s.paths {
		if path.stream == "" {
			continue
		}
		e, list := sim.Whole(), path.list(&params{})
		for _, i := range list.rows {
			row, _ := list.row(i).(object)
			e.Put(fmt.Sprint(row["codigo"]), sim.Must, sim.Must)
		}
		expect[path.stream] = e
	}
	for name, of := range s.holdings() {
		expect[name] = sim.Whole(s.holdingKeys(of)...)
	}
	for _, stream := range s.streams() {
		t, mark := stream.table, marks[stream.name]
		switch {
		case t == s.inspections:
			mark -= 90 * day
		case t == s.requests && s.unfiltered(requestsPath):
			mark = 0
		case t == s.requests: // they show the time of the last interaction: all that changed since the day before the mark comes
			mark -= day + 15*60
		}
		expect[stream.name] = t.Expect(mark, func(i int) int64 {
			if t == s.inspections && s.unfinished(i) {
				return 0
			}
			if t == s.requests {
				return t.Rows[i].Time
			}
			return t.latest(i)
		}, stream.keys)
	}
	return expect
}

// Tenants returns the codes of the clients with locatario.
func (s *Simulator) Tenants() []int { return s.codes(tenant) }

// Guarantors returns the codes of the clients with fiador.
func (s *Simulator) Guarantors() []int { return s.codes(guarantor) }

// Landlords returns the codes of the clients of whom the listing says locador.
func (s *Simulator) Landlords() []int { return s.codes(landlord) }

// Sellers returns the codes of the clients of whom the listing says vendedor.
func (s *Simulator) Sellers() []int { return s.codes(seller) }

// Buyers returns the codes of the clients of whom the listing says comprador.
func (s *Simulator) Buyers() []int { return s.codes(buyer) }

func (s *Simulator) codes(role int) (codes []int) {
	s.data.RLock()
	defer s.data.RUnlock()
	for _, i := range s.clients[role] {
		codes = append(codes, s.users.code(i))
	}
	return codes
}
