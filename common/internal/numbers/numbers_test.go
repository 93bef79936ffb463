package numbers

import (
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "7": 7, "-7": -7, "10": 10, "9007199254740991": Most, "-9007199254740992": Least,
	} {
		if n, ok := Parse(text); n != want || !ok {
			t.Errorf("%q is %d, %t", text, n, ok)
		}
	}
	for _, text := range []string{
		"", "-", "-0", "+7", "07", "-07", "7 ", "7.0", "1e3", "0x1", "1_0", "9007199254740992", "-9007199254740993", "9223372036854775807", "92233720368547758070", "a",
	} {
		if n, ok := Parse(text); ok {
			t.Errorf("%q is %d", text, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Parse("123456"); Parse("a0B1c2D3e4F5g6H7i8") }); n > 0 {
		t.Errorf("allocates %v times", n)
	}
}

func TestRanges(t *testing.T) {
	var s Set
	for n := range int64(10_000) {
		s.Add(n * 7919 % 10_000)
	}
	s.AddRange(Range{20_000, 20_010})
	s.AddRange(Range{10_000, 10_000})
	s.AddRange(Range{Least, Least + 1})
	var other Set
	other.Add(20_011)
	other.Add(Most)
	s.AddAll(&other)
	s.AddAll(nil)
	want := []Range{{Least, Least + 1}, {0, 10_000}, {20_000, 20_011}, {Most, Most}}
	if all := slices.Collect(s.Ranges()); !slices.Equal(all, want) || s.Len() != 10_016 || other.Len() != 2 {
		t.Errorf("%d numbers in %v", s.Len(), all)
	}
	for range s.Ranges() {
		break
	}
	if s.Has(-1) || !s.Has(0) || !s.Has(10_000) || s.Has(10_001) || !s.Has(20_011) || !s.Has(Least) || (*Set)(nil).Has(0) || (*Set)(nil).Len() != 0 {
		t.Error("the wrong numbers are there")
	}
	for range (*Set)(nil).Ranges() {
		t.Error("the nil set has a range")
	}
}

// TestSet compares a Set with a map of the same numbers, which come in any order, at fixed distances and at random ones, and are joined with others.
func TestSet(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 4))
	for name, next := range map[string]func(i int64) int64{
		"one after the other":   func(i int64) int64 { return i - 9000 },
		"falling":               func(i int64) int64 { return 9000 - i },
		"at a distance":         func(i int64) int64 { return 3*i - 500 },
		"in any order":          func(i int64) int64 { return i * 7919 % 20_000 },
		"by chance":             func(int64) int64 { return chance.Int64N(30_000) - 15_000 },
		"far apart, at the end": func(i int64) int64 { return Most - i*10_003 },
		"at the beginning":      func(i int64) int64 { return Least + i },
	} {
		t.Run(name, func(t *testing.T) {
			var all, other Set
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
					if clear(others); other.Len() > 0 {
						t.Fatal("what was joined is not empty")
					}
				}
			}
			all.Join(&other)
			maps.Copy(want, others)
			again := marshalled(t, &all)
			if all.Len() != int64(len(want)) || again.Len() != all.Len() {
				t.Errorf("%d numbers, read again %d, want %d", all.Len(), again.Len(), len(want))
			}
			for n := range want {
				for _, near := range []int64{n - 480, n - 1, n, n + 1, n + 480} {
					if all.Has(near) != want[near] || again.Has(near) != want[near] {
						t.Fatalf("of %d it is said %t, and read again %t", near, all.Has(near), again.Has(near))
					}
				}
			}
		})
	}
}

func marshalled(t *testing.T, s *Set) *Set {
	t.Helper()
	data, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var again Set
	if err := again.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	return &again
}

// TestSize checks what the contract of Set and the README say about its memory. With -race it takes a tenth more.
func TestSize(t *testing.T) {
	const count = 500_000
	for name, tt := range map[string]struct {
		next func(i int64) int64
		most float64 // bytes per number
	}{
		"in a row":        {func(i int64) int64 { return i }, 0.1},
		"with gaps":       {func(i int64) int64 { return i + i/7 + i/50*3 }, 0.3},
		"each tenth":      {func(i int64) int64 { return i * 10 }, 2},
		"thousands apart": {func(i int64) int64 { return i * 5000 }, 8},
		"far apart":       {func(i int64) int64 { return i * 1_000_000 }, 75},
		"falling":         {func(i int64) int64 { return -i * 5000 }, 8},
	} {
		before := held()
		var s Set
		for i := range int64(count) {
			s.Add(tt.next(i))
		}
		if size := float64(held()-before) / count; size > tt.most {
			t.Errorf("%s: %.2f bytes for a number, want %v at the most", name, size, tt.most)
		}
		runtime.KeepAlive(&s)
	}
}

func held() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// FuzzUnmarshal checks that bytes that are not a set are an error, and that those that are one yield it.
func FuzzUnmarshal(f *testing.F) {
	var s Set
	for i := range int64(5000) {
		s.Add(i*i - 9)
	}
	s.AddRange(Range{-70_000, -50_000})
	data, err := s.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Set
		if s.UnmarshalBinary(data) != nil {
			return
		}
		count := int64(0)
		for r := range s.Ranges() {
			if r.From > r.To || !r.Fits() || !s.Has(r.From) || s.Has(r.To+1) && r.To < Most {
				t.Fatalf("%v", r)
			}
			if count += r.To - r.From + 1; r.To-r.From > math.MaxInt32 {
				t.Fatalf("%v of %d bytes", r, len(data))
			}
		}
		if count != s.Len() {
			t.Fatalf("%d numbers, want %d", s.Len(), count)
		}
	})
}
