package imoview

import "slices"

// after tells whether a time is let through by the filter of a path for times from a bound on. No bound lets all through, any bound keeps
// out what has no time.
func (s *Simulator) after(path string, t, bound int64) bool {
	return bound == 0 || s.unfiltered(path) || t != 0 && (t > bound || t == bound && !s.with.Exclusive)
}

// before returns the same for times up to a bound.
func (s *Simulator) before(path string, t, bound int64) bool {
	return bound == 0 || s.unfiltered(path) || t != 0 && (t < bound || t == bound && !s.with.Exclusive)
}

func (s *Simulator) unfiltered(path string) bool {
	return slices.Contains(s.with.Unfiltered, path) || slices.Contains(s.with.Unfiltered, all)
}
