package listing

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// TestSeen holds that keys that are whole numbers are remembered as all others are.
func TestSeen(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for _, spread := range []int64{300, 3000, 1 << 60} {
		whole, text := NewSeen(true), NewSeen(true)
		var used []int64
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
			if step%7 > 0 {
				row.Time = time.UnixMilli(1_700_000_000_000 + int64(step)) // later than any before
			}
			if got, want := whole.note(keyed(row.Key), &row), text.note(keyed("k"+row.Key), &row); got != want {
				t.Fatalf("spread over %d, step %d: %d came before as %+v, a text as %+v", spread, step, n, got, want)
			}
		}
	}
}

// TestMemoryOfKeys holds what a key costs.
func TestMemoryOfKeys(t *testing.T) {
	const keys = 100_000
	for name, test := range map[string]struct {
		key  func(i int) string
		most float64
	}{
		"whole numbers that rise":          {strconv.Itoa, 6},
		"whole numbers that fall":          {func(i int) string { return strconv.Itoa(keys - i) }, 6},
		"whole numbers with gaps":          {func(i int) string { return strconv.Itoa(i * 3) }, 12},
		"whole numbers in any order":       {func(i int) string { return strconv.Itoa(i * 7919 % keys) }, 8},
		"texts":                            {func(i int) string { return "k" + strconv.Itoa(i) }, 60},
		"whole numbers that lie far apart": {func(i int) string { return strconv.Itoa(i * 1_000_003) }, 125},
	} {
		s := NewSeen(false)
		s.listing()
		s.begin()
		before := held()
		for i := range keys {
			row := Row{Key: test.key(i), Time: time.UnixMilli(int64(i))}
			s.note(keyed(row.Key), &row)
		}
		if each := float64(held()-before) / keys; each > test.most {
			t.Errorf("%s: a key costs %.1f bytes", name, each)
		} else {
			t.Logf("%s: a key costs %.1f bytes", name, each)
		}
		runtime.KeepAlive(s)
	}
}

// held returns how many bytes of memory are in use.
func held() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
