package numbers

import (
	"maps"
	"math"
	"math/rand/v2"
	"testing"
)

// TestBlocks holds Blocks to a map of the same numbers, which come in every order, at fixed distances and at none, and join others.
func TestBlocks(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 4))
	for name, next := range map[string]func(i int64) int64{
		"one after the other":   func(i int64) int64 { return i - 9000 },
		"falling":               func(i int64) int64 { return 9000 - i },
		"at a distance":         func(i int64) int64 { return 3*i - 500 },
		"in any order":          func(i int64) int64 { return i * 7919 % 20_000 },
		"by chance":             func(int64) int64 { return chance.Int64N(30_000) - 15_000 },
		"far apart, at the end": func(i int64) int64 { return math.MaxInt64 - i*i*1_000_003 },
		"at the beginning":      func(i int64) int64 { return math.MinInt64 + i },
	} {
		t.Run(name, func(t *testing.T) {
			var all, other Blocks
			want, others := map[int64]bool{}, map[int64]bool{}
			for i := range int64(20_000) {
				n := next(i)
				if all.Has(n) != want[n] || other.Has(n) != others[n] {
					t.Fatalf("after %d numbers, of %d it is said %t and %t", i, n, all.Has(n), other.Has(n))
				}
				if chance.IntN(3) == 0 {
					other.Add(n)
					others[n] = true
				} else {
					all.Add(n)
					want[n] = true
				}
				if i%6000 == 5999 {
					all.Join(&other)
					maps.Copy(want, others)
					if clear(others); !other.Empty() {
						t.Fatal("what was joined is not empty")
					}
				}
			}
			all.Join(&other)
			maps.Copy(want, others)
			for n := range want {
				for _, near := range []int64{n - span, n - 1, n, n + 1, n + span} {
					if all.Has(near) != want[near] {
						t.Fatalf("of %d it is said %t", near, all.Has(near))
					}
				}
			}
		})
	}
}

// TestBlocksAlike holds that numbers at a fixed distance are few runs, in whichever order they come.
func TestBlocksAlike(t *testing.T) {
	const count = 100_000
	for distance := range int64(6) {
		for name, order := range map[string]func(i int64) int64{
			"rising": func(i int64) int64 { return i }, "falling": func(i int64) int64 { return count - i },
			"in any order": func(i int64) int64 { return i * 7919 % count },
		} {
			var s Blocks
			for i := range int64(count) {
				s.Add(order(i) * (distance + 1))
			}
			if s.settle(); len(s.runs)+len(s.blocks) > 20 {
				t.Errorf("%s at a distance of %d: %d runs and %d blocks", name, distance+1, len(s.runs), len(s.blocks))
			}
		}
	}
}
