package sim

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
)

// Apply sets a simulator's own options, which are flags of a set that has the simulator's name, as Set says. An error names the option that
// cannot be and those there are; what was set by then means nothing.
func (o Options) Apply(flags *flag.FlagSet) error {
	for name, value := range o.Set {
		if err := flags.Set(name, value); err != nil {
			var names []string
			flags.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
			return fmt.Errorf("setting %s of %s, which knows %v: %w", name, flags.Name(), names, err)
		}
	}
	return nil
}

// List is for flag.FlagSet.Func: it appends texts that are separated by commas.
func List[T ~string](into *[]T) func(value string) error {
	return func(value string) error {
		for text := range strings.SplitSeq(value, ",") {
			*into = append(*into, T(text))
		}
		return nil
	}
}

// Caps is for flag.FlagSet.Func: it enters how many rows a page of a path may have, PATH=ROWS, separated by commas. One row is the least.
func Caps(into map[string]int) func(value string) error {
	return func(value string) error {
		for pair := range strings.SplitSeq(value, ",") {
			path, rows, _ := strings.Cut(pair, "=")
			n, err := strconv.Atoi(rows)
			if err != nil || n < 1 {
				return fmt.Errorf("%q is not PATH=ROWS", pair)
			}
			into[path] = n
		}
		return nil
	}
}
