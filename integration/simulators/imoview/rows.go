package imoview

import (
	"strconv"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// day is one of a wall clock, in seconds.
const day = 24 * 60 * 60

// ended is the State of a contract that is rescinded, or a property that is sold or taken back and so in no listing any more.
const ended = 1

// table is all rows of one kind. A row's time is that of its change, for an inspection that of the appointment, in seconds of the wall clock.
type table struct {
	sim.Table
	name         string
	base, stride int                   // of the codes, which rise and have gaps
	shown        func(index int) int64 // the time that a row shows, where that is not the one of its change; nil: it is
}

func (t *table) code(index int) int { return t.base + t.stride*index }

func (t *table) key(index int) string { return strconv.Itoa(t.code(index)) }

// written returns a row's time as it can be read from the row: some rows have it to the minute only, or the day, until they change. It is 0 when the
// row has none.
func (t *table) written(index int) (int64, form) {
	r := t.Rows[index]
	if t.shown != nil {
		r = sim.Row{Time: t.shown(index)}
	}
	switch {
	case r.Time == 0:
		return 0, never
	case r.Version > 0 && t.name != "inspections":
	case index%23 == 5:
		return r.Time / 60 * 60, toMinute
	case index%29 == 7:
		return r.Time / day * day, toDay
	}
	return r.Time, toSecond
}

// latest returns the last second that the time may stand for which a row shows: without seconds it is a whole minute, without hours a day.
func (t *table) latest(index int) int64 {
	at, f := t.written(index)
	return at + [...]int64{toSecond: 0, toMinute: 59, toDay: day - 1, never: 0}[f]
}

// parties are the clients who have a contract or an inspection, as indices; -1 for none.
type parties struct {
	tenants, guarantors [2]int
	landlord            int
}

// wall returns what the clocks on the walls of Brasília show, in seconds since 1970 on theirs: all times here are such, as those of the API
// have no zone.
func (s *Simulator) wall(t time.Time) int64 {
	_, offset := t.In(s.zone).Zone()
	return t.Unix() + int64(offset)
}

// dice returns those of a row of a table; each salt gives others.
func (s *Simulator) dice(t *table, index int, salt uint64) *sim.Dice {
	d := sim.Dice(sim.Mix(s.with.Seed ^ sim.Mix(uint64(index)<<20|uint64(t.base)<<4|salt)))
	return &d
}

// forms returns the dice of a row of a table, for its values.
func (s *Simulator) forms(t *table, index int) *forms { return &forms{*s.dice(t, index, 6)} }

// arrive notes when the first request of a period comes: the reader's sync has begun by then.
func (s *Simulator) arrive() {
	s.books.Lock()
	defer s.books.Unlock()
	if s.first == 0 {
		s.first = s.wall(s.with.Now())
	}
}

// fill makes all rows.
func (s *Simulator) fill() {
	n := s.with.Size
	newest := s.wall(s.with.Newest)
	table := func(name string, base, stride, rows int) *table {
		t := &table{name: name, base: base, stride: stride}
		t.ID = t.code
		t.Settle()
		for i := range rows {
			t.Add(sim.Row{Time: s.changed(t, i, rows, newest)})
		}
		return t
	}
	s.users = table("users", 1001, 3, n)
	s.condominiums = table("condominiums", 55, 2, max(40, n/30))
	for i := range min(s.with.Unoffered, len(s.condominiums.Rows)) {
		s.condominiums.Rows[i].Gone = true
	}
	s.properties = table("properties", 100, 5, max(60, n/2))
	s.movements = table("movements", 8001, 1, max(60, n/2))
	s.requests = table("requests", 90_001, 4, max(60, n/6))
	if s.with.Quiet {
		s.requests.shown = func(i int) int64 { return s.changed(s.requests, i, len(s.requests.Rows), newest) }
	}
	s.contracts = table("contracts", 5001, 2, 0)
	s.inspections = table("inspections", 701, 7, 0)
	s.contractsOf, s.inspectionsOf, s.guaranteedBy = map[int][]int{}, map[int][]int{}, map[int][]int{}
	s.letBy = map[int][]int{}
	for i := range n {
		for role, has := range s.roles(i) {
			if has && (role <= guarantor || !short(i)) {
				s.clients[role] = append(s.clients[role], i)
			}
		}
	}
	for at, client := range s.clients[tenant] {
		d := s.dice(s.users, client, 2)
		for range howMany(d, at%150 == 5) {
			s.sign(at)
		}
		for range howMany(d, at%200 == 7) {
			s.visit(at)
		}
	}
	for i := range s.contracts.Rows {
		s.contracts.Rows[i].Time = s.changed(s.contracts, i, len(s.contracts.Rows), newest)
		if i%5 == 3 {
			s.contracts.Rows[i].State = ended
		}
	}
}

// howMany contracts or inspections a tenant has: none to three, some more than a page.
func howMany(d *sim.Dice, many bool) int {
	if many {
		return 21 + d.N(25)
	}
	return [...]int{0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3}[d.N(18)]
}

// changed returns when a row was last changed, at first: mostly in the two years before the newest time, some in years with summer time, a few
// at no known time; the newest one is shared by some.
func (s *Simulator) changed(t *table, index, rows int, newest int64) int64 {
	d := s.dice(t, index, 1)
	switch {
	case index%max(rows/4, 2) == 1:
		return newest
	case index%41 == 17:
		return 0
	case index%37 == 9:
		return date(2009) + int64(d.N(11*365*day))
	}
	return newest - 1 - int64(d.N(2*365*day))
}

// date returns the beginning of a year.
func date(year int) int64 { return time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC).Unix() }

// sign makes a contract of the at-th tenant. Some belong to a second tenant, a third has guarantors. The caller gives it its time.
func (s *Simulator) sign(at int) (index int) {
	index = s.contracts.Add(sim.Row{})
	d := s.dice(s.contracts, index, 3)
	p := s.couple(at, index%13 == 4, d)
	if all := s.clients[guarantor]; len(all) > 0 && index%3 == 0 {
		first := d.N(len(all))
		if d.Once(12) {
			first = d.N(min(len(all), 3)) // a company that stands surety for many
		}
		p.guarantors[0] = all[first]
		if len(all) > 1 && index%15 == 0 {
			p.guarantors[1] = all[(first+1)%len(all)]
		}
	}
	if len(s.clients[landlord]) > 0 {
		p.landlord = sim.Pick(s.dice(s.contracts, index, 10), s.clients[landlord])
		s.letBy[p.landlord] = append(s.letBy[p.landlord], index)
	}
	s.leases = append(s.leases, p)
	share(s.contractsOf, p.tenants, index)
	share(s.guaranteedBy, p.guarantors, index)
	return index
}

// visit makes an inspection of the at-th tenant's: in the years past, in the last three months, or still to come.
func (s *Simulator) visit(at int) {
	index := len(s.inspections.Rows)
	d := s.dice(s.inspections, index, 3)
	days := -1 - d.N(5*365)
	switch index % 10 {
	case 2, 5:
		days = -1 - d.N(recent)
	case 4, 8:
		days = 1 + d.N(60)
	}
	r := sim.Row{Time: s.today + int64(days)*day + int64(8*60+30*d.N(20))*60}
	if index%43 == 11 {
		r.Time = 0
	}
	p := s.couple(at, index%17 == 3, d)
	s.inspections.Add(r)
	s.visits = append(s.visits, p)
	share(s.inspectionsOf, p.tenants, index)
}

// recent is how many days back an inspection is still sure to be asked for: the appointments of 90 days are read again, and some days go
// by between New and Change.
const recent = 80

// couple returns the at-th tenant and, if there are two, another one.
func (s *Simulator) couple(at int, two bool, d *sim.Dice) parties {
	all := s.clients[tenant]
	p := parties{tenants: [2]int{all[at], -1}, guarantors: [2]int{-1, -1}, landlord: -1}
	if two && len(all) > 1 {
		p.tenants[1] = all[(at+1+d.N(len(all)-1))%len(all)]
	}
	return p
}

// share enters a row with all its clients.
func share(rows map[int][]int, clients [2]int, index int) {
	for _, client := range clients {
		if client >= 0 {
			rows[client] = append(rows[client], index)
		}
	}
}
