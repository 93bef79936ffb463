package nectarcrm

import "github.com/imob-data/airbyte-connectors/integration/simulators/sim"

// A contact, an opportunity, an appointment and a product may have rows of other tables in them. These are how many, and their ids. Rich
// records have some of every kind, however they change.

func richContact(index int) bool     { return index%3 == 0 }
func richOpportunity(index int) bool { return index%2 == 0 }
func richAppointment(index int) bool { return index%4 != 3 }

// few returns how many rows a rich record has in it, from one to most, and one more or less with each change of r; one says of another record
// whether it has one or none.
func few(d *sim.Dice, rich bool, most int, r row, one bool) int {
	switch {
	case rich:
		return 1 + d.N(most) + int(r.Version%2)
	case one:
		return 1
	}
	return 0
}

// addresses returns how many a contact has.
func (s *Simulator) addresses(index int, r row) int {
	return few(s.dice(s.contacts, index, 2), richContact(index), 3, r, index%5 == 1)
}

func addressID(index, k int) int { return 500_000 + 8*index + k }

// people returns how many other contacts a contact has below it.
func (s *Simulator) people(index int, r row) int {
	return few(s.dice(s.contacts, index, 3), richContact(index), 2, r, index%7 == 2)
}

// parents returns how many entries contatosPai has, employers how many empresasAtuais has. They never change.
func (s *Simulator) parents(index int, _ row) int {
	return few(s.dice(s.contacts, index, 4), richContact(index), 2, row{}, index%7 == 4)
}

func (s *Simulator) employers(index int, _ row) int {
	return few(s.dice(s.contacts, index, 5), richContact(index), 3, row{}, index%7 == 4)
}

// relative returns the id of a contact some places further on; no two of up to eight are the same, even where there are only few contacts.
func (s *Simulator) relative(index, places int) int {
	if n := s.with.Size; n > 8 {
		return s.contacts.id((index%n + places) % n)
	}
	return 90_000_000 + 8*index + places
}

// lines returns how many products an opportunity has.
func (s *Simulator) lines(index int, r row) int {
	return few(s.dice(s.opportunities, index, 2), richOpportunity(index), 3, r, index%5 == 0)
}

func lineID(index, k int) int { return 9_000_000 + 8*index + k }

// proposals returns how many an opportunity has; a few have more than a page.
func (s *Simulator) proposals(index int, r row) int {
	n := few(s.dice(s.opportunities, index, 3), richOpportunity(index), 3, row{}, index%9 == 1)
	if index%50 == 4 {
		n = 18
	}
	return min(n+int(r.Extra), 40)
}

func proposalID(index, k int) int { return 80_000 + 40*index + k }

// guests returns how many take part in an appointment; a few have many.
func (s *Simulator) guests(index int, r row) int {
	if index%40 == 8 {
		return 14
	}
	return few(s.dice(s.appointments, index, 2), richAppointment(index), 3, r, false)
}

// parts returns how many products depend on a product.
func (s *Simulator) parts(index int, _ row) int {
	return few(s.dice(s.products, index, 2), index%3 == 0, 2, row{}, false)
}

func (s *Simulator) part(index, k int) int { return (index + 1 + k) % s.products.count }

// stages returns how many a pipeline has.
func stages(pipeline int) int { return 3 + pipeline%4 }

func stageID(pipeline, k int) int { return 11 + 20*pipeline + k }
