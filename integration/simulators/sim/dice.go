package sim

import (
	"encoding/binary"
	"iter"
)

// Mix spreads the bits of x. It is SplitMix64, the same on every machine and in every version.
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Dice yield pseudo-random numbers. The numbers only depend on the first value of the Dice. Every value is valid, 0 too. A copy continues with the
// same numbers as its original. Several goroutines must not use the same Dice at the same time.
type Dice uint64

// N returns the next number, at least 0 and less than sides, which must be positive.
func (d *Dice) N(sides int) int {
	*d++
	return int(Mix(uint64(*d)) % uint64(sides))
}

// Once draws a number and returns true once in so many times on average. in must be positive.
func (d *Dice) Once(in int) bool { return d.N(in) == 0 }

// Pick draws an element of a list, which must not be empty.
func Pick[T any](d *Dice, of []T) T { return of[d.N(len(of))] }

// Scatter yields every number from 0 to n-1 once, beginning with first, which must be one of them. Successive numbers are far apart. It yields none
// if n is 0.
func Scatter(n, first int) iter.Seq[int] {
	step := 7919 // a prime: it reaches every number unless n is a multiple of it
	if n%step == 0 {
		step = 1
	}
	return func(yield func(int) bool) {
		for at := first; n > 0; {
			if !yield(at) {
				return
			}
			if at = (at + step) % n; at == first {
				return
			}
		}
	}
}

// Choose returns up to n of the numbers below total for which fit is true, in the order of Scatter.
func Choose(total, first, n int, fit func(int) bool) (chosen []int) {
	for at := range Scatter(total, first) {
		if len(chosen) >= n {
			break
		}
		if fit(at) {
			chosen = append(chosen, at)
		}
	}
	return chosen
}

// Noise returns n meaningless bytes, as in tokens and keys. Equal seeds and salts give equal bytes. A larger n only adds bytes at the end.
func Noise(seed, salt uint64, n int) []byte {
	var b []byte
	for i := uint64(0); len(b) < n; i++ {
		b = binary.BigEndian.AppendUint64(b, Mix(seed^Mix(salt+i)))
	}
	return b[:n]
}
