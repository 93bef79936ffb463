package sim

import (
	"maps"
	"slices"
	"strconv"
	"testing"
)

// table returns five rows. The last has gone, and the first has no time. They are listed backwards.
func table() *Table {
	t := &Table{ID: func(i int) int { return 10 + 3*i }, Order: []int{4, 3, 2, 1, 0}}
	t.Settle()
	for i := range 5 {
		t.Add(Row{Time: int64(100 * i), Gone: i == 4})
	}
	return t
}

func TestTableLists(t *testing.T) {
	rows := table()
	asked := 0
	odd := func(i int) bool { asked++; return i%2 == 1 }
	for range 2 {
		if got := rows.Matching("odd", odd, nil); !slices.Equal(got, []int{3, 1}) || asked != 4 {
			t.Errorf("%v, after %d questions", got, asked)
		}
	}
	if got := rows.Matching("up", func(int) bool { return true }, func(a, b int) int { return a - b }); !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("in order they are %v", got)
	}
	rows.Rows[1].Gone = true
	rows.Changed()
	if got := rows.Matching("odd", odd, nil); !slices.Equal(got, []int{3}) {
		t.Errorf("after a change they are %v", got)
	}
	for id, want := range map[int]int{10: 0, 22: 4, 11: -1, 25: -1, 0: -1} {
		if i, ok := rows.Index(id); ok != (want >= 0) || ok && i != want {
			t.Errorf("%d is the id of %d, %v", id, i, ok)
		}
	}
}

func TestTablePicks(t *testing.T) {
	rows := table()
	all := func(int) bool { return true }
	if got := rows.Pick(nil, 7, 9, all); !slices.Equal(slices.Sorted(slices.Values(got)), []int{0, 1, 2, 3}) || got[0] != 2 {
		t.Errorf("of all it picks %v", got)
	}
	if got := rows.Pick([]int{3, 4, 1}, 0, 1, func(i int) bool { return i != 3 }); !slices.Equal(got, []int{1}) {
		t.Errorf("of some it picks %v", got)
	}
	if got := append(rows.Pick(nil, 0, 0, all), (&Table{}).Pick(nil, 0, 3, all)...); got != nil {
		t.Errorf("of nothing it picks %v", got)
	}
}

// TestTableExpects checks that the expectation follows from what happened: 1 was changed on purpose, 2 while it was read, 3 is at the mark, and 0 has
// no time.
func TestTableExpects(t *testing.T) {
	rows := table()
	shown := func(i int) int64 { return rows.Rows[i].Time }
	mark := rows.Newest(shown)
	rows.Must[1], rows.Touched[2] = true, true
	fresh := rows.Add(Row{Time: 50, Gone: true})
	rows.Fresh[fresh] = true
	e := rows.Expect(mark, shown, func(i int) []string { return []string{strconv.Itoa(i)} })
	for name, pair := range map[string][2]map[string]bool{
		"must": {e.Full.Must, Set("0", "1", "2", "3")}, "may": {e.Full.May, Set("5")},
		"next must": {e.Next.Must, Set("1")}, "next may": {e.Next.May, Set("0", "2", "3", "5")},
	} {
		if !maps.Equal(pair[0], pair[1]) {
			t.Errorf("%s: %v, want %v", name, pair[0], pair[1])
		}
	}
	if always := e.Always(); mark != 300 || always.Incremental || !maps.Equal(always.Next.Must, e.Full.Must) {
		t.Errorf("the mark is %d, always: %+v", mark, always)
	}
	rows.Rows[3].Time = 400
	rows.Touched[3] = true
	if newest := rows.Newest(shown); newest != 100 {
		t.Errorf("of what was not touched the newest is %d", newest)
	}
	if rows.Settle(); len(rows.Must)+len(rows.Touched)+len(rows.Fresh) != 0 {
		t.Error("settled, and things have happened")
	}
}
