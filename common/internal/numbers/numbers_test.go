package numbers

import (
	"math"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "7": 7, "-7": -7, "10": 10, "9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64,
	} {
		if n, ok := Parse(text); n != want || !ok {
			t.Errorf("%q is %d, %t", text, n, ok)
		}
	}
	for _, text := range []string{"", "-", "-0", "+7", "07", "-07", "7 ", "7.0", "1e3", "0x1", "1_0", "9223372036854775808", "92233720368547758070", "a"} {
		if n, ok := Parse(text); ok {
			t.Errorf("%q is %d", text, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Parse("123456"); Parse("a0B1c2D3e4F5g6H7i8") }); n > 0 {
		t.Errorf("allocates %v times", n)
	}
}

func TestSet(t *testing.T) {
	var s Set
	for n := range int64(10_000) {
		s.Add(n * 7919 % 10_000)
	}
	s.AddRanges(Range{20_000, 20_010}, Range{10_000, 10_000})
	var other Set
	other.Add(20_011)
	s.AddAll(&other)
	s.AddAll(nil)
	if r := s.Ranges(); len(r) != 2 || r[0] != (Range{0, 10_000}) || r[1] != (Range{20_000, 20_011}) || s.Len() != 10_013 {
		t.Errorf("%d numbers in %v", s.Len(), r)
	}
	if s.Has(-1) || !s.Has(0) || !s.Has(10_000) || s.Has(10_001) || !s.Has(20_011) || (*Set)(nil).Has(0) {
		t.Error("the wrong numbers are there")
	}
}
