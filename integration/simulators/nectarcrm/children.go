package nectarcrm

// A contact, an opportunity, an appointment and a product may have rows of other tables in them. These are how many, and their ids. Rich
// records have some of every kind, however they change.

func richContact(index int) bool     { return index%3 == 0 }
func richOpportunity(index int) bool { return index%2 == 0 }
func richAppointment(index int) bool { return index%4 != 3 }
func richProduct(index int) bool     { return index%3 == 0 }

// addresses returns how many a contact has: one more or less with each change.
func (s *Simulator) addresses(index int, r row) int {
	d := s.dice(s.contacts, index, 2)
	switch {
	case richContact(index):
		return 1 + d.N(3) + int(r.Version%2)
	case index%5 == 1:
		return 1
	}
	return 0
}

func addressID(index, k int) int { return 500_000 + 8*index + k }

// people returns how many other contacts a contact has below it.
func (s *Simulator) people(index int, r row) int {
	d := s.dice(s.contacts, index, 3)
	switch {
	case richContact(index):
		return 1 + d.N(2) + int(r.Version%2)
	case index%7 == 2:
		return 1
	}
	return 0
}

// parents returns how many entries contatosPai has, employers how many empresasAtuais has.
func (s *Simulator) parents(index int) int {
	d := s.dice(s.contacts, index, 4)
	switch {
	case richContact(index):
		return 1 + d.N(2)
	case index%7 == 4:
		return 1
	}
	return 0
}

func (s *Simulator) employers(index int) int {
	d := s.dice(s.contacts, index, 5)
	switch {
	case richContact(index):
		return 1 + d.N(3)
	case index%7 == 4:
		return 1
	}
	return 0
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
	d := s.dice(s.opportunities, index, 2)
	switch {
	case richOpportunity(index):
		return 1 + d.N(3) + int(r.Version%2)
	case index%5 == 0:
		return 1
	}
	return 0
}

func lineID(index, k int) int { return 9_000_000 + 8*index + k }

// proposals returns how many an opportunity has; a few have more than a page.
func (s *Simulator) proposals(index int, r row) int {
	d := s.dice(s.opportunities, index, 3)
	n := 0
	switch {
	case index%50 == 4:
		n = 18
	case richOpportunity(index):
		n = 1 + d.N(3)
	case index%9 == 1:
		n = 1
	}
	return min(n+int(r.Extra), 40)
}

func proposalID(index, k int) int { return 80_000 + 40*index + k }

// guests returns how many take part in an appointment; a few have many.
func (s *Simulator) guests(index int, r row) int {
	d := s.dice(s.appointments, index, 2)
	switch {
	case index%40 == 8:
		return 14
	case richAppointment(index):
		return 1 + d.N(3) + int(r.Version%2)
	}
	return 0
}

// parts returns how many products depend on a product.
func (s *Simulator) parts(index int) int {
	d := s.dice(s.products, index, 2)
	if richProduct(index) {
		return 1 + d.N(2)
	}
	return 0
}

func (s *Simulator) part(index, k int) int { return (index + 1 + k) % s.products.count }

// stages returns how many a pipeline has.
func stages(pipeline int) int { return 3 + pipeline%4 }

func stageID(pipeline, k int) int { return 11 + 20*pipeline + k }
