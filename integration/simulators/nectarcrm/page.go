package nectarcrm

import (
	"math"
	"slices"
	"sort"
)

// page cuts a page out of the rows that q lets through, and lets Drift happen after it.
func (s *Simulator) page(t *table, q query) []indexed {
	s.mu.Lock()
	defer s.mu.Unlock()
	matching := t.matching(q)
	from, to := 0, len(matching)
	if !t.unpaged && (q.page != 0 || !t.whole) {
		from, to = s.bounds(q.page, q.rows, len(matching))
	}
	rows := make([]indexed, 0, to-from)
	for _, index := range matching[from:to] {
		rows = append(rows, indexed{index, t.Rows[index]})
	}
	s.drift(t, matching[:to])
	return rows
}

// bounds returns the positions of the rows of a page of a list with total rows. Page 0 is the first.
func (s *Simulator) bounds(page, rows, total int) (from, to int) {
	if page < 0 {
		return 0, min(total, allRows)
	}
	page = max(page, 1)
	if s.with.Repeat {
		last := 1 + sort.Search(2*total, func(k int) bool { return s.visible(k+1, rows) >= total })
		page = min(page, last)
	}
	return min(s.visible(page-1, rows), total), min(s.visible(page, rows), total)
}

// visible returns how many rows the first pages have, of so many places each: one place in Short is of a row that may not be seen.
func (s *Simulator) visible(pages, rows int) int {
	places := math.MaxInt / 2
	if pages < places/rows {
		places = pages * rows
	}
	if s.with.Short > 0 {
		places -= places / s.with.Short
	}
	return places
}

// matching returns the indices of the rows that q lets through, in the order of the list. The caller holds the lock.
func (t *table) matching(q query) []int {
	found := t.Matching(q.key(), func(i int) bool { return q.lets(t, i, t.Rows[i]) }, nil)
	if q.backward {
		found = slices.Clone(found)
		slices.Reverse(found)
	}
	return found
}
