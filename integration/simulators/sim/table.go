package sim

import (
	"maps"
	"slices"
	"sort"
)

// Row is what can change about a row. Everything else follows from its index and the seed and is made on demand, so that a hundred thousand rows take
// a few megabytes. It is comparable, so it may be part of a key of Rendered.
type Row struct {
	Time    int64  // of the last change, in any unit that increases; 0: unknown
	Version uint32 // increased by each change of content
	State   uint8  // what else can change, as the API has it: a status, or whether it was removed
	Extra   uint8  // number of added rows that belong to it
	Gone    bool   // no longer in any list
}

// Table is all rows of one kind, by index, and what has happened to them since everything was read. Not safe for concurrent use.
type Table struct {
	Rows  []Row
	Order []int               // indices in the order of the list; nil: in the order of Rows
	ID    func(index int) int // increases with the index

	Must    map[int]bool // changed on purpose: the next incremental read must bring them
	Touched map[int]bool // changed while they were read; whether before or after is unknown
	Fresh   map[int]bool // came or went while they were read

	matches map[string][]int
}

// Settle declares that everything has been read.
func (t *Table) Settle() {
	t.Must, t.Touched, t.Fresh = map[int]bool{}, map[int]bool{}, map[int]bool{}
	t.Changed()
}

// Changed must be called after rows or their order changed.
func (t *Table) Changed() { t.matches = nil }

// Index returns the index of the row with an id.
func (t *Table) Index(id int) (index int, ok bool) {
	index = sort.Search(len(t.Rows), func(i int) bool { return t.ID(i) >= id })
	return index, index < len(t.Rows) && t.ID(index) == id
}

// Add adds a new row, which is not in Order yet.
func (t *Table) Add(r Row) (index int) {
	t.Rows = append(t.Rows, r)
	return len(t.Rows) - 1
}

// Matching returns the rows that are in a list and that fit accepts, in the order of the table or, if less is not nil, in that of less. It keeps the
// result for later pages until rows change. key must identify fit and less.
func (t *Table) Matching(key string, fit func(index int) bool, less func(a, b int) int) []int {
	if found, ok := t.matches[key]; ok {
		return found
	}
	found := []int{}
	for n := range t.Rows {
		i := n
		if t.Order != nil {
			if n == len(t.Order) {
				break
			}
			i = t.Order[n]
		}
		if !t.Rows[i].Gone && fit(i) {
			found = append(found, i)
		}
	}
	if less != nil {
		slices.SortStableFunc(found, less)
	}
	if len(t.matches) > 16 || t.matches == nil { // more than a reader uses at one time
		t.matches = map[string][]int{}
	}
	t.matches[key] = found
	return found
}

// Pick returns up to n rows of from, or of all rows if from is nil, that are in a list and fit. It begins at a position given by first (see Choose).
func (t *Table) Pick(from []int, first uint64, n int, fit func(index int) bool) (picked []int) {
	at := func(k int) int { return k }
	total := len(t.Rows)
	if from != nil {
		at, total = func(k int) int { return from[k] }, len(from)
	}
	if n <= 0 || total == 0 {
		return nil
	}
	for _, k := range Choose(total, int(first%uint64(total)), n, func(k int) bool { return !t.Rows[at(k)].Gone && fit(at(k)) }) {
		picked = append(picked, at(k))
	}
	return picked
}

// Newest returns the newest time that the rows show that were not touched while they were read.
func (t *Table) Newest(shown func(index int) int64) (newest int64) {
	for i, r := range t.Rows {
		if !r.Gone && !t.Touched[i] {
			newest = max(newest, shown(i))
		}
	}
	return newest
}

// Expect returns the expectation for the rows, or for what belongs to them, under keys, if the mark of the read before was this time. A row that
// shows no time (0) may always come.
func (t *Table) Expect(mark int64, shown func(index int) int64, keys func(index int) []string) Expectation {
	e := Incremental()
	for i, r := range t.Rows {
		full, next := Must, Never
		switch {
		case t.Fresh[i]:
			full, next = May, May
		case r.Gone:
			continue
		case t.Must[i]:
			next = Must
		default:
			if at := shown(i); at == 0 || at >= mark || t.Touched[i] {
				next = May
			}
		}
		for _, key := range keys(i) {
			e.Put(key, full, next)
		}
	}
	return e
}

// PageDrifts returns options under which rows move to the end of a list while it is read, or new rows come. A reader that goes from page to page
// misses nothing then. A simulator with these options returns them from Drifts.
func PageDrifts() []map[string]string {
	return []map[string]string{
		{"move": "3", "drift-pages": "8"},
		{"move": "3", "touch": "true", "drift-pages": "8"},
		{"prepend": "2", "drift-pages": "8"},
		{"append": "2", "drift-pages": "8"},
	}
}

// Always returns the expectation of a stream whose reads all bring the same rows.
func (e Expectation) Always() Expectation {
	e.Next, e.Incremental = Keys{Must: maps.Clone(e.Full.Must), May: maps.Clone(e.Full.May)}, false
	return e
}
