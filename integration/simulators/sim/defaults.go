package sim

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Brasilia returns the time zone of Brasília, which has had no daylight saving time since 2019.
func Brasilia() *time.Location { return time.FixedZone("America/Sao_Paulo", -3*60*60) }

// Defaults sets the defaults of most simulators: 1,000 rows, the wall clock, and data whose newest change is of 2025-11-03 18:30 in Brasília.
func Defaults(size *int, now *func() time.Time, newest *time.Time) {
	*size = cmp.Or(*size, 1000)
	if *now == nil {
		*now = time.Now
	}
	if newest.IsZero() {
		*newest = time.Date(2025, time.November, 3, 18, 30, 0, 0, Brasilia())
	}
}

// NonNegative returns an error if one of the numbers in a simulator's options is below 0.
func NonNegative(name string, numbers ...int) error {
	if least := slices.Min(numbers); least < 0 {
		return fmt.Errorf("opening %s: %d cannot be", name, least)
	}
	return nil
}

// OneOf returns an error if an option has none of the allowed values.
func OneOf[T comparable](name, option string, is T, values ...T) error {
	if !slices.Contains(values, is) {
		return fmt.Errorf("opening %s: %s is %v, and can be one of %v", name, option, is, values)
	}
	return nil
}

// Sure returns s. It panics on an error, because the options of a simulator that is made in Go code are the programmer's responsibility.
func Sure[S any](s S, err error) S {
	if err != nil {
		panic(err)
	}
	return s
}
