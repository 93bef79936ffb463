package imoview

import (
	"strconv"

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

// streams are those that can be read incrementally. The caller holds data.
func (s *Simulator) streams() []stream {
	every := func(name string, t *table) stream {
		return stream{name, t, func(i int) []string { return []string{strconv.Itoa(t.code(i))} }}
	}
	of := func(name string, t *table, clients func(i int) [2]int32) stream {
		return stream{name, t, func(i int) (keys []string) {
			for _, client := range clients(i) {
				if client >= 0 {
					keys = append(keys, strconv.Itoa(s.users.code(int(client)))+","+strconv.Itoa(t.code(i)))
				}
			}
			return keys
		}}
	}
	offered := func(name string, purpose int) stream {
		return stream{name, s.properties, func(i int) []string {
			if s.properties.rows[i].ended || !s.offered(i, purpose) {
				return nil
			}
			return []string{strconv.Itoa(s.properties.code(i))}
		}}
	}
	return []stream{
		every("users", s.users),
		of("tenant_contracts", s.contracts, func(i int) [2]int32 { return s.leases[i].tenants }),
		of("tenant_inspections", s.inspections, func(i int) [2]int32 { return s.visits[i].tenants }),
		of("guarantor_contracts", s.contracts, func(i int) [2]int32 { return s.leases[i].guarantors }),
		of("landlord_contracts", s.contracts, func(i int) [2]int32 { return [2]int32{s.leases[i].landlord, -1} }),
		every("condominiums", s.condominiums),
		offered("properties_rent", rent),
		offered("properties_sale", sale),
		every("lease_contracts", s.contracts),
		every("movements", s.movements),
		every("service_requests", s.requests),
		{"properties", s.properties, s.offerKeys},
		every("property_details", s.properties),
	}
}

// marks are the newest times that can be read, per stream. An inspection's is an appointment: no mark passes the start of the sync.
func (s *Simulator) marks(start int64) map[string]int64 {
	marks := map[string]int64{}
	for _, stream := range s.streams() {
		mark := int64(0)
		for i := range stream.table.rows {
			if t, _ := stream.table.written(i); t > mark && len(stream.keys(i)) > 0 {
				mark = t
			}
		}
		if stream.table == s.inspections {
			mark = min(mark, start)
		}
		marks[stream.name] = mark
	}
	return marks
}

// start is the earliest that the sync can have begun whose requests came in this period: a reader looks at its clock before it asks. When
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
	start := s.start()
	s.since = period{begun: true, start: start, marks: s.marks(start)}
	for _, t := range s.tables() {
		clear(t.must)
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
// the catalogue alone has them. All of them are changed by it.
func (s *Simulator) Change(changed, deleted int) {
	s.Settle()
	s.data.Lock()
	defer s.data.Unlock()
	now := s.now()
	touch := func(_ *table, r *row) { r.version, r.time = r.version+1, now }
	end := func(t *table, r *row) {
		r.ended = true
		touch(t, r)
	}
	every := func(int) bool { return true }
	guaranteed := func(i int) bool { return s.leases[i].guarantors[0] >= 0 }
	running := func(i int) bool { return guaranteed(i) && !s.contracts.rows[i].ended }
	offered := func(purpose int) func(i int) bool {
		return func(i int) bool { return s.offered(i, purpose) && !s.properties.rows[i].ended }
	}
	s.pick(s.users, changed, every, touch)
	s.pick(s.contracts, deleted, running, end)
	s.pick(s.contracts, changed, guaranteed, touch)
	s.pick(s.inspections, changed, s.seenAgain, func(_ *table, r *row) { r.version++ })
	s.pick(s.condominiums, changed, every, touch)
	s.pick(s.movements, changed, every, touch)
	s.pick(s.requests, changed, every, touch)
	for _, purpose := range []int{rent, sale} {
		s.pick(s.properties, deleted, offered(purpose), end)
		already := 0
		for i := range s.properties.must {
			if offered(purpose)(i) {
				already++
			}
		}
		s.pick(s.properties, changed-already, offered(purpose), touch)
	}
	s.forget()
}

// Sign adds n contracts of tenants whose own rows did not change. It returns their codes.
func (s *Simulator) Sign(n int) (codes []int) {
	s.data.Lock()
	unsettled := !s.since.begun
	s.data.Unlock()
	if unsettled {
		s.Settle()
	}
	s.data.Lock()
	defer s.data.Unlock()
	for at := range min(n, len(s.tenants)) {
		i := s.sign(at)
		s.contracts.rows[i].time = s.now()
		s.contracts.must[i] = true
		codes = append(codes, s.contracts.code(i))
	}
	s.with.Rendered = nil // what was kept knows of fewer contracts
	s.forget()
	return codes
}

// now is the clock, but never before what the data said when the period began.
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

// forget drops what was cached of the rows before they changed.
func (s *Simulator) forget() {
	s.books.Lock()
	defer s.books.Unlock()
	clear(s.matches)
}

// pick does something to up to n rows that are fit for it and were not changed in this period. Which ones follows from the seed and from
// what was done before.
func (s *Simulator) pick(t *table, n int, fit func(index int) bool, do func(t *table, r *row)) {
	if n <= 0 || len(t.rows) == 0 {
		return
	}
	versions := uint64(0)
	for _, r := range t.rows {
		versions += uint64(r.version)
	}
	d := s.dice(t, int(versions), 4)
	for _, at := range sim.Choose(len(t.rows), d.N(len(t.rows)), n, func(i int) bool { return !t.must[i] && fit(i) }) {
		do(t, &t.rows[at])
		t.must[at] = true
	}
}

// Expect says what the connector's streams must bring. Inspections of the last 90 days before the mark, to come, or without an end come
// again each time.
func (s *Simulator) Expect() map[string]sim.Expectation {
	s.data.RLock()
	defer s.data.RUnlock()
	marks := s.since.marks
	if !s.since.begun {
		marks = s.marks(s.start())
	}
	expect := map[string]sim.Expectation{
		"client_companies": sim.Whole(s.companyKeys()...),
		"property_types":   sim.Whole(entryKeys(types())...),
		"branches":         sim.Whole(entryKeys(branches())...),
		"purposes":         sim.Whole(entryKeys(purposes())...),
		"destinations":     sim.Whole(entryKeys(destinations())...),
		"key_places":       sim.Whole(entryKeys(keyPlaces())...),
		"extra_fields":     sim.Whole(entryKeys(extraFields())...),
		"cities":           sim.Whole(placeKeys(s.cities())...),
		"neighbourhoods":   sim.Whole(placeKeys(s.hoods())...),
		"regions":          sim.Whole(placeKeys(regions())...),
		"people":           sim.Whole(s.personKeys()...),
		"crm_users":        sim.Whole(staffKeys()...),
		"brokers":          sim.Whole(staffKeys()...),
		"portals":          sim.Whole(s.portalKeys()...),
	}
	for name, of := range s.holdings() {
		expect[name] = sim.Whole(s.holdingKeys(of)...)
	}
	for _, stream := range s.streams() {
		e := sim.Incremental()
		from := marks[stream.name]
		if stream.table == s.inspections {
			from -= 90 * day
		}
		for i := range stream.table.rows {
			t, f := stream.table.written(i)
			switch f { // a time that shows only the minute or the day stands for all of it
			case toMinute:
				t += 59
			case toDay:
				t += day - 1
			}
			next := sim.Never
			switch {
			case stream.table.must[i]:
				next = sim.Must
			case f == never, t >= from, stream.table == s.inspections && s.unfinished(i):
				next = sim.May
			}
			for _, key := range stream.keys(i) {
				e.Put(key, sim.Must, next)
			}
		}
		expect[stream.name] = e
	}
	return expect
}

// Tenants are the codes of the clients with locatario.
func (s *Simulator) Tenants() []int { return s.codes(&s.tenants) }

// Guarantors are the codes of the clients with fiador.
func (s *Simulator) Guarantors() []int { return s.codes(&s.guarantors) }

// Landlords are the codes of the clients of whom the listing says locador.
func (s *Simulator) Landlords() []int { return s.codes(&s.landlords) }

// Sellers are the codes of the clients of whom the listing says vendedor.
func (s *Simulator) Sellers() []int { return s.codes(&s.sellers) }

// Buyers are the codes of the clients of whom the listing says comprador.
func (s *Simulator) Buyers() []int { return s.codes(&s.buyers) }

func (s *Simulator) codes(of *[]int32) (codes []int) {
	s.data.RLock()
	defer s.data.RUnlock()
	for _, i := range *of {
		codes = append(codes, s.users.code(int(i)))
	}
	return codes
}
