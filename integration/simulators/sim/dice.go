package sim

import (
	"encoding/binary"
	"iter"
)

// Mix spreads the bits of x: SplitMix64, the same on every machine and in every version.
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Dice give numbers by lot, one after the other. Which ones follows from their first value alone, and every value will do, 0 too; a copy
// goes on with the same numbers as its original. They must not be used by several goroutines at one time.
type Dice uint64

// N returns the next number, from 0 to below sides, which must be positive.
func (d *Dice) N(sides int) int {
	*d++
	return int(Mix(uint64(*d)) % uint64(sides))
}

// Once draws a number, and is true once in so many times; in must be positive.
func (d *Dice) Once(in int) bool { return d.N(in) == 0 }

// Pick draws one of several; there must be one.
func Pick[T any](d *Dice, of []T) T { return of[d.N(len(of))] }

// Scatter gives every number from 0 to below n once, beginning with first, which is one of them; the next ones lie far apart. It gives none
// when n is 0.
func Scatter(n, first int) iter.Seq[int] {
	step := 7919 // a prime: every number has its turn, unless n is a multiple of it
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

// Choose gives up to n of the numbers below total that are fit, in the order of Scatter.
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

// Noise returns n bytes that mean nothing, as in tokens and keys: the same for equal seeds and salts, and for a larger n the same and more.
func Noise(seed, salt uint64, n int) []byte {
	var b []byte
	for i := uint64(0); len(b) < n; i++ {
		b = binary.BigEndian.AppendUint64(b, Mix(seed^Mix(salt+i)))
	}
	return b[:n]
}
