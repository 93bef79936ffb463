package listing

import "testing"

func TestSameCode(t *testing.T) {
	for _, same := range [][2]string{{"7", "7"}, {"7", "007"}, {"00", "0"}, {"a7", "a7"}, {"1,2", "1,2"}} {
		if !sameCode(same[0], same[1]) || !sameCode(same[1], same[0]) {
			t.Errorf("%q and %q are the same", same[0], same[1])
		}
	}
	for _, other := range [][2]string{{"7", "70"}, {"7", "8"}, {"7", ""}, {"0", ""}, {"a7", "0a7"}, {"1,2", "01,2"}, {"1.0", "01.0"}} {
		if sameCode(other[0], other[1]) || sameCode(other[1], other[0]) {
			t.Errorf("%q and %q are not the same", other[0], other[1])
		}
	}
}
