package snapproperty

import (
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// row is what can change of a property; all else follows from its index and the seed, and is made when it is asked for. So the data of
// 100,000 properties take a few megabytes.
type row struct {
	created, modified int64  // Unix seconds: Salesforce's times end with the second
	version           uint32 // raised by each change of content
	gone              bool   // deleted: in no answer any more
	situation         string // where a contract method set it
	manager           string // where a contract method set it
	rent              tristate
	elsewhere         tristate // Administrador_outro_sistema
	surveyed          tristate // Vistoria
}

// tristate is a truth that may be as it was at first.
type tristate int8

const (
	asEver tristate = iota
	no
	yes
)

func (t tristate) or(first bool) bool { return t == yes || t == asEver && first }

// property is one of the properties, to look at. Good while the simulator's data are locked.
type property struct {
	s     *Simulator
	index int
	row   *row
}

func (s *Simulator) property(index int) property { return property{s, index, &s.rows[index]} }

// dice returns those of the property; each salt gives others.
func (p property) dice(salt int) *sim.Dice {
	d := sim.Dice(sim.Mix(p.s.with.Seed ^ sim.Mix(uint64(p.index)<<16|uint64(salt))))
	return &d
}

// fill makes all rows: created one after the other in the ten years before the newest time, some hundred at a time by an import; changed
// between then and the newest time, some at the very newest.
func (s *Simulator) fill() {
	const tenYears = 10 * 365 * 24 * 60 * 60
	newest, size := s.with.Newest.Unix(), max(s.with.Size, 1)
	for i := range s.with.Size {
		at := i
		if i%1000 >= 400 && i%1000 < 520 {
			at = i/1000*1000 + 400
		}
		if from := s.with.Size / 2; i >= from && i < from+s.with.Burst {
			at = from
		}
		created := newest - tenYears + int64(at)*(tenYears-1)/int64(size)
		s.rows = append(s.rows, row{created: created})
		p := s.property(i)
		p.row.modified = created + int64(p.dice(1).N(int(newest-created)))
		if i%max(size/4, 2) == 1 {
			p.row.modified = newest
		}
	}
}

// now returns the clock in whole seconds.
func (s *Simulator) now() int64 { return s.with.Now().Unix() }

// today returns the organisation's date.
func (s *Simulator) today() string { return s.with.Now().In(s.zone).Format(time.DateOnly) }

// touch changes a property's content. The caller holds data.
func (s *Simulator) touch(index int) {
	r := &s.rows[index]
	r.version++
	r.modified = max(s.now(), r.modified)
	s.must[index] = true
}
