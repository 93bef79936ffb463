package snapproperty

import (
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// period is what has happened since all there was had been read.
type period struct {
	begun bool
	start int64 // the earliest that the sync which read all can have begun
}

// margin is how far before the beginning of a sync the next one may look, in seconds: clocks differ, and transactions take time.
const margin = 60 * 60

// arrive notes when the first request of a period comes: the reader's sync has begun by then.
func (s *Simulator) arrive() {
	s.books.Lock()
	defer s.books.Unlock()
	if s.first == 0 {
		s.first = s.now()
	}
}

// start returns about when the sync began whose requests came in this period. When none came, the sync before is the last one. The caller
// holds data.
func (s *Simulator) start() int64 {
	s.books.Lock()
	defer s.books.Unlock()
	switch {
	case s.first != 0:
		return s.first
	case s.since.begun:
		return s.since.start
	}
	return s.now()
}

// Settle says that all there is has been read, so that Expect speaks of what happens from now on.
func (s *Simulator) Settle() {
	s.data.Lock()
	defer s.data.Unlock()
	s.since = period{begun: true, start: s.start()}
	clear(s.must)
	clear(s.drifted)
	s.books.Lock()
	defer s.books.Unlock()
	s.first = 0
}

// Change settles what was, and then changes that many properties that have photos, and with them the photos' rows, and deletes that many
// others. Nothing tells of a deletion: what is deleted is in no answer any more.
func (s *Simulator) Change(changed, deleted int) {
	s.Settle()
	s.data.Lock()
	defer s.data.Unlock()
	n := len(s.rows)
	if n == 0 {
		return
	}
	d := sim.Dice(sim.Mix(s.with.Seed ^ uint64(s.now())))
	for i := range sim.Scatter(n, d.N(n)) {
		free := !s.rows[i].gone && photosOf(i) > 0 && !s.must[i]
		switch {
		case free && deleted > 0 && i > 0 && !s.contracted(i):
			s.remove(i)
			deleted--
		case free && changed > 0:
			s.touch(i)
			changed--
		}
	}
}

// drift lets properties come and go after a search that answered with rows.
func (s *Simulator) drift(rows []int) {
	if s.with.Append+s.with.Vanish == 0 {
		return
	}
	s.books.Lock()
	s.searches++
	over := s.with.DriftPages > 0 && s.searches > s.with.DriftPages
	s.books.Unlock()
	if over {
		return
	}
	s.data.Lock()
	defer s.data.Unlock()
	for range s.with.Append {
		now := s.now()
		s.drifted[len(s.rows)] = true
		s.rows = append(s.rows, row{created: now, modified: now})
	}
	for _, i := range rows[:min(s.with.Vanish, len(rows))] {
		s.drifted[i] = true
		s.remove(i)
	}
}

// remove deletes a property. The caller holds data.
func (s *Simulator) remove(index int) {
	if !s.rows[index].gone {
		s.rows[index].gone = true
		s.deleted++
	}
}

// Drifts returns what a reader who goes by Id need not mind: properties come at the end, or go that were read.
func (*Simulator) Drifts() []map[string]string {
	return []map[string]string{
		{"append": "2", "drift-pages": "8"},
		{"vanish": "2", "drift-pages": "8"},
		{"append": "3", "vanish": "2", "drift-pages": "8"},
	}
}

// Expect says what the connector's streams must bring. A photo comes with its property. What came or went between pages may come.
func (s *Simulator) Expect() map[string]sim.Expectation {
	s.data.RLock()
	defer s.data.RUnlock()
	start := s.since.start
	if !s.since.begun {
		start = s.start()
	}
	properties, photos := sim.Incremental(), sim.Incremental()
	properties.Incremental, photos.Incremental = !s.with.NoModified, !s.with.NoModified
	for i, r := range s.rows {
		full, next := sim.Must, sim.Never
		switch drifted := s.drifted[i]; {
		case r.gone && !drifted:
			continue
		case drifted:
			full = sim.May
			if s.with.NoModified || s.must[i] || r.modified >= start-margin {
				next = sim.May
			}
		case s.with.NoModified || s.must[i]:
			next = sim.Must
		case r.modified >= start-margin:
			next = sim.May
		}
		each(i, func(property string) { properties.Put(property, full, next) }, func(photo string) { photos.Put(photo, full, next) })
	}
	var cities []string
	for _, city := range s.letCities() {
		cities = append(cities, city.id)
	}
	return map[string]sim.Expectation{"imoveis": properties, "fotos": photos, "cidades": sim.Whole(cities...)}
}

// each gives a property's key and those of its photos.
func each(index int, property, photo func(key string)) {
	property(propertyID(index))
	first := firstPhoto(index)
	for k := range photosOf(index) {
		photo(photoID(first + k))
	}
}

// Fitting returns the keys of the properties that conditions let through now, and of their photos. The conditions are written as in a search. It
// panics on those that a search refuses.
func (s *Simulator) Fitting(conditions ...string) map[string]sim.Keys {
	var filters []*string
	for _, c := range conditions {
		filters = append(filters, &c)
	}
	condition, err := s.parse(filters)
	if err != nil {
		panic(err)
	}
	s.data.RLock()
	defer s.data.RUnlock()
	properties, photos := map[string]bool{}, map[string]bool{}
	for i := range s.rows {
		if !s.rows[i].gone && condition.fits(s.property(i)) {
			each(i, func(key string) { properties[key] = true }, func(key string) { photos[key] = true })
		}
	}
	return map[string]sim.Keys{"imoveis": {Must: properties}, "fotos": {Must: photos}}
}
