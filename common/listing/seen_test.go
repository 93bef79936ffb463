package listing

import (
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/internal/numbers"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// TestSeen checks that whole-number keys are remembered like all others, even if the times of rows that changed long before the sync are not kept,
// nor the hashes of rows.
func TestSeen(t *testing.T) {
	const since = 1_700_000_000_000
	chance := rand.New(rand.NewPCG(1, 2))
	for _, spread := range []int64{300, 3000, numbers.Most} {
		for _, many := range []bool{false, true} {
			whole, text := NewSeen(true), NewSeen(!many)
			if many {
				whole.since, whole.timed.count, whole.summed.count = since, exact, exact
			}
			var used []int64
			changed := map[int64]time.Time{}
			for step := range 20_000 {
				switch step % 5000 {
				case 0:
					whole.listing()
					text.listing()
					fallthrough
				case 2000, 4000:
					whole.begin()
					text.begin()
				}
				n := chance.Int64N(spread) - spread/2
				if len(used) > 0 && chance.IntN(2) == 0 {
					n = used[chance.IntN(len(used))]
				}
				used = append(used, n)
				row := Row{Key: strconv.FormatInt(n, 10), Data: record.Record(`{"v":` + strconv.Itoa(step%3) + `}`).Get("v")}
				switch {
				case !many && step%7 == 0:
				case !many:
					row.Time = time.UnixMilli(since + int64(step)) // later than all before
				case chance.IntN(5) == 0:
					changed[n] = time.UnixMilli(since + int64(step))
					fallthrough
				default:
					row.Time = changed[n]
					if row.Time.IsZero() && n%7 != 0 {
						row.Time = time.UnixMilli(since - n%1_000_000 - 1_000_001)
					}
				}
				if got, want := whole.note(whole.keyed(row.Key), &row), text.note(text.keyed("k"+row.Key), &row); got != want {
					t.Fatalf("spread over %d, step %d: %d came before as %+v, a text as %+v", spread, step, n, got, want)
				}
			}
		}
	}
}

// TestLate checks that a row that comes again with a later time is noticed, whether or not the times of old rows are still kept.
func TestLate(t *testing.T) {
	const old, older = "2026-01-31T10:00:00Z", "2026-01-30T10:00:00Z"
	now := time.Now().UTC().Truncate(time.Second)
	recent, day := now.Format(time.RFC3339), now.Add(-lateness).Format(time.RFC3339)
	for _, test := range []struct {
		name              string
		many, loose       bool
		first, then, late string
	}{
		{"few, as it was", false, false, older, older, ""},
		{"few, changed", false, false, older, old, old},
		{"many, as it was", true, false, older, older, ""},
		{"many, changed now", true, false, older, recent, recent},
		{"many, on a clock that is behind", true, false, older, day, day},
		{"many, a time that is not one of change", true, true, older, old, old},
		{"many, a date of birth", true, true, "1900-01-31T10:00:00Z", "1950-01-31T10:00:00Z", "1950-01-31T10:00:00Z"},
	} {
		u := newRows(&Listing{Key: []string{"id"}, Clock: &Clock{Field: "at", Zone: time.UTC, Loose: test.loose}})
		if test.many {
			u.seen.timed.count = exact
		}
		u.begin()
		u.clocked(&fetched{}, now)
		for _, at := range []string{test.first, test.then} {
			row := record.Record(`{"id":7,"at":"` + at + `"}`).Get("")
			u.take(&fetched{Page: pagination.Page{Records: []record.Value{row}}, picked: u.picker.Pick(row, nil)})
		}
		late := ""
		if !u.late.IsZero() {
			late = u.late.UTC().Format(time.RFC3339)
		}
		if late != test.late {
			t.Errorf("%s: late is %q, want %q", test.name, late, test.late)
		}
	}
}

// TestManyRowsComeAgain checks that rows whose bytes are not kept, because there are many, are treated like rows whose bytes are.
func TestManyRowsComeAgain(t *testing.T) {
	for _, removed := range []bool{false, true} { // either the second listing has removed rows, or the API does not know the filter
		for _, prefix := range []string{"", "k"} {
			s := NewSeen(true)
			for listing := range 2 {
				s.listing()
				s.begin()
				for i := range exact + 10 {
					row := Row{Data: record.Record(`{"removed":` + strconv.FormatBool(removed && listing > 0) + `}`).Get("removed")}
					if c := s.note(s.keyed(prefix+strconv.Itoa(i)), &row); c.ever != (listing > 0) || c.same != (listing > 0 && !removed) {
						t.Fatalf("listing %d, removed %t, row %s%d: %+v", listing, removed, prefix, i, c)
					}
				}
			}
		}
	}
}

// TestMemoryOfKeys checks how many bytes a key costs.
func TestMemoryOfKeys(t *testing.T) {
	const keys = 100_000
	for name, test := range map[string]struct {
		key       func(i int) string
		most, old float64 // bytes; old: if the times of change are not kept
	}{
		"whole numbers that rise":          {strconv.Itoa, 6, 0.3},
		"whole numbers that fall":          {func(i int) string { return strconv.Itoa(keys - i) }, 6, 0.3},
		"whole numbers at a distance":      {func(i int) string { return strconv.Itoa(i * 3) }, 10, 0.6},
		"whole numbers with gaps":          {func(i int) string { return strconv.Itoa(2*i + int(hashOf(nil, i+1)[1]&1)) }, 8, 0.6},
		"whole numbers in any order":       {func(i int) string { return strconv.Itoa(i * 7919 % keys) }, 6, 0.3},
		"texts":                            {func(i int) string { return "k" + strconv.Itoa(i) }, 60, 60},
		"whole numbers that lie far apart": {func(i int) string { return strconv.Itoa(i * 1_000_003) }, 280, 75},
	} {
		for _, old := range []bool{false, true} {
			s, most := NewSeen(false), test.most
			if old {
				s.since, s.timed.count, most = math.MaxInt64, exact, test.old
			}
			s.listing()
			s.begin()
			before := held()
			for i := range keys {
				row := Row{Key: test.key(i), Time: time.UnixMilli(int64(i + 1))}
				s.note(s.keyed(row.Key), &row)
			}
			s.begin() // from here on, the rows are known to have come in an earlier reading
			if each := float64(held()-before) / keys; each > most {
				t.Errorf("%s: a key costs %.1f bytes where times are old: %t", name, each, old)
			} else {
				t.Logf("%s: a key costs %.1f bytes where times are old: %t", name, each, old)
			}
			runtime.KeepAlive(s)
		}
	}
}

// held returns how many bytes of memory are in use.
func held() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
