package sim

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"
)

// The published first numbers of SplitMix64, whose state grows by the same step each time.
func TestMix(t *testing.T) {
	const step = 0x9e3779b97f4a7c15
	state := uint64(0)
	for _, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f, 0xf88bb8a8724c81ec} {
		if got := Mix(state); got != want {
			t.Errorf("%#x is mixed to %#x, want %#x", state, got, want)
		}
		state += step
	}
}

// The numbers are hard-coded, because equal seeds give equal data on every machine and in every version.
func TestDice(t *testing.T) {
	for _, test := range []struct {
		first Dice
		sides int
		want  []int
	}{
		{0, 6, []int{5, 4, 3, 4, 2, 2, 3, 4}},
		{0, 1, []int{0, 0, 0}},
		{3, 2, []int{0, 0, 0, 1, 0, 0, 0, 1}},
		{^Dice(0), 4, []int{3, 1, 2, 1, 2, 2, 0, 3}},
	} {
		d, again := test.first, test.first
		for i, want := range test.want {
			if got := d.N(test.sides); got != want {
				t.Errorf("%d with %d sides: %d at %d, want %d", test.first, test.sides, got, i, want)
			}
			if got := again.Once(test.sides); got != (want == 0) {
				t.Errorf("%d with %d sides: once is %t at %d", test.first, test.sides, got, i)
			}
		}
	}
}

func TestPick(t *testing.T) {
	d, again := Dice(5), Dice(5)
	of := []string{"a", "b", "c"}
	for range 10 {
		if got, want := Pick(&d, of), of[again.N(3)]; got != want {
			t.Errorf("picked %s, want %s", got, want)
		}
	}
}

func TestScatter(t *testing.T) {
	for _, test := range []struct{ n, first, second int }{
		{0, 0, 0}, {1, 0, 0}, {2, 1, 0}, {7, 3, 5}, {7919, 7918, 0}, {2 * 7919, 5, 6}, {100_000, 95_000, 2919},
	} {
		got := slices.Collect(Scatter(test.n, test.first))
		if len(got) > 0 && got[0] != test.first || len(got) > 1 && got[1] != test.second {
			t.Errorf("%+v: begins with %v", test, got[:min(len(got), 2)])
		}
		slices.Sort(got)
		if len(got) != test.n || len(slices.Compact(got)) != test.n || test.n > 0 && (got[0] != 0 || got[test.n-1] != test.n-1) {
			t.Errorf("%+v: %d numbers, or not all of them", test, len(got))
		}
	}
	for n := range Scatter(100_000, 7) {
		if n != 7 {
			t.Errorf("goes on with %d after the reader left", n)
		}
		break
	}
}

func TestNoise(t *testing.T) {
	long := Noise(1, 2, 20)
	for _, n := range []int{0, 1, 8, 9, 20} {
		if got := Noise(1, 2, n); len(got) != n || !bytes.HasPrefix(long, got) {
			t.Errorf("%d bytes are %x, want the first of %x", n, got, long)
		}
	}
	if got := hex.EncodeToString(long[:8]); got != "e06dd043328bd285" {
		t.Errorf("the first bytes are %s", got)
	}
	if bytes.Equal(long, Noise(2, 2, 20)) || bytes.Equal(long, Noise(1, 3, 20)) {
		t.Error("another seed or salt gives the same bytes")
	}
}
