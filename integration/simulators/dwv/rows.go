package dwv

import "github.com/imob-data/airbyte-connectors/integration/simulators/sim"

// removed is the State of a row that the agency removed.
const removed = 1

// propertyID returns the integration id of the property at an index: rising, not contiguous.
func propertyID(index int) int { return 587_200 + index + index/7 + index/50*3 }

// fill makes the rows: one in a hundred removed, a few without a time of change, some sharing the newest time.
func (s *Simulator) fill() {
	const twoYears = 2 * 365 * 24 * 60 * 60
	newest, step := s.with.Newest.Unix(), max(s.with.Size/4, 2)
	s.rows.ID = propertyID
	for i := range s.with.Size {
		r := sim.Row{Time: newest - 1 - int64(s.dice(i, 1)%twoYears)}
		if i%97 == 13 {
			r.State = removed
		}
		switch {
		case i%step == 1:
			r = sim.Row{Time: newest}
		case i%211 == 17:
			r.Time = 0
		}
		s.rows.Order = append(s.rows.Order, s.rows.Add(r))
	}
}

// dice returns a number that belongs to a property, another one for each salt.
func (s *Simulator) dice(index int, salt uint64) uint64 {
	return sim.Mix(s.with.Seed ^ sim.Mix(uint64(index)<<8|salt))
}

// facts are the properties of a property by which it can be filtered.
type facts struct {
	third                             bool // a used home taken in payment, not a unit of a development
	building, company, place, city    int  // indices into the stock; no building for a third party's home
	kind                              label
	stage                             stage
	dorms, suites, bathrooms, parking int // negative is null
	rent                              bool
	status                            string
}

func (s *Simulator) facts(index int) facts {
	h := s.dice(index, 2)
	draw := func(n uint64) int { // a part of h for each use
		v := h % n
		h /= n
		return int(v)
	}
	f := facts{third: draw(9) == 0, building: draw(buildings), status: "active"}
	f.kind = s.stock.types[draw(uint64(len(s.stock.types)))]
	f.dorms = 1 + draw(4)
	f.suites = draw(uint64(f.dorms) + 1)
	f.bathrooms, f.parking = f.suites+draw(2), draw(5)
	f.rent = draw(10) == 0
	switch draw(10) {
	case 0:
		f.status = "inactive"
	case 1:
		f.status = "auto_inactive"
	}
	if draw(53) == 0 {
		f.dorms, f.suites, f.bathrooms, f.parking = -1, -1, -1, -1
	}
	if f.third {
		f.place, f.company, f.stage = draw(places), draw(companies), s.stock.stages[3]
	} else {
		b := &s.stock.buildings[f.building]
		f.place, f.company = b.place, b.company
		f.stage = s.stock.stages[draw(3)]
		if s.with.Version == Version101 && f.stage.raw == "pre-market" {
			f.stage = s.stock.stages[1] // 1.0.1 does not know it
		}
	}
	f.city = s.stock.places[f.place].city
	return f
}
