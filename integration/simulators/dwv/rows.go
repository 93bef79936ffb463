package dwv

import (
	"sort"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// row is what can change of a property; all else follows from its index and the seed, and is made when it is asked for. So a hundred
// thousand properties take a few megabytes.
type row struct {
	updated int64  // Unix seconds; 0 is null
	version uint32 // raised by each change of content
	deleted bool   // removed by the agency
	gone    bool   // in no list any more
}

// propertyID is the integration id of the property at an index: rising, not contiguous.
func propertyID(index int) int { return 587_200 + index + index/7 + index/50*3 }

// indexOf is the index of an id.
func (s *Simulator) indexOf(id int) (index int, ok bool) {
	index = sort.Search(len(s.rows), func(i int) bool { return propertyID(i) >= id })
	return index, index < len(s.rows) && propertyID(index) == id
}

// fill makes the rows: one in a hundred deleted, a few without a time of change, some sharing the newest time.
func (s *Simulator) fill() {
	const twoYears = 2 * 365 * 24 * 60 * 60
	newest, step := s.with.Newest.Unix(), max(s.with.Size/4, 2)
	for i := range s.with.Size {
		r := row{updated: newest - 1 - int64(s.dice(i, 1)%twoYears), deleted: i%97 == 13}
		switch {
		case i%step == 1:
			r = row{updated: newest}
		case i%211 == 17:
			r.updated = 0
		}
		s.rows = append(s.rows, r)
		s.order = append(s.order, uint32(i))
	}
}

// dice is a number that belongs to a property, another one for each salt.
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
