package imoview

import "slices"

// fits tells whether a filter for one value lets another through; 0 lets all through.
func fits(wanted, value int) bool { return wanted == 0 || wanted == value }

// among tells whether a filter for some values lets another through; nil lets all through.
func among(wanted map[int]bool, value int) bool { return wanted == nil || wanted[value] }

// onDays tells whether a time lies on the days from one to another, of which 0 is no bound.
func onDays(t, from, to int64) bool { return (from == 0 || t >= from) && (to == 0 || t < to+day) }

// changedWithin tells whether the filter of a path lets a time of change through, from a bound to another, of which 0 is none. Any bound keeps out
// what has no time.
func (s *Simulator) changedWithin(path string, t, from, to int64) bool {
	switch {
	case from == 0 && to == 0 || s.unfiltered(path):
		return true
	case t == 0 || s.with.Exclusive && (t == from || t == to):
		return false
	}
	return t >= from && (to == 0 || t <= to)
}

func (s *Simulator) unfiltered(path string) bool { return has(s.with.Unfiltered, path) }

// has tells whether an option for paths has one.
func has(paths []string, name string) bool {
	return slices.Contains(paths, name) || slices.Contains(paths, all)
}
