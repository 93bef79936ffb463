package harness

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFinder compares what is found of patterns of a few letters, in outputs of the same letters, with what a search for each pattern finds.
func TestFinder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	text := func(most int) []byte {
		b := make([]byte, random.IntN(most+1))
		for i := range b {
			b[i] = "abc"[random.IntN(3)]
		}
		return b
	}
	found := 0
	for range 3000 {
		patterns := make([][]byte, random.IntN(5))
		for i := range patterns {
			patterns[i] = text(9)
		}
		output := text(60)
		var want, got []int
		for i, p := range patterns {
			if bytes.Contains(output, p) {
				want = append(want, i)
			}
		}
		for i, at := range newFinder(patterns).in(output) {
			if !bytes.HasPrefix(output[at:], patterns[i]) {
				t.Fatalf("%q is not in %q at %d", patterns[i], output, at)
			}
			got = append(got, i)
		}
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Fatalf("in %q, of %q were found %v, not %v", output, patterns, got, want)
		}
		found += len(want)
	}
	if found < 1000 {
		t.Errorf("only %d were found: nothing was tried", found)
	}
	long := bytes.Repeat([]byte("0123456789abcdef"), 20)
	if at := firstAt(newFinder([][]byte{long}), append([]byte("x"), long...)); at != 1 {
		t.Errorf("a long pattern is at %d, not at 1", at)
	}
}

// firstAt returns where the first pattern that is found begins, or -1.
func firstAt(f *finder, output []byte) int {
	for _, at := range f.in(output) {
		return at
	}
	return -1
}
