package harness

import (
	"bytes"
	"iter"
)

// finder searches an output for many patterns at once, with Wu and Manber's algorithm. It looks at the two bytes in which the shortest pattern would
// end here, and skips as many bytes as no pattern can end before. The zero value has no patterns.
type finder struct {
	patterns [][]byte
	short    []int            // the patterns that are too short for this and are searched for one by one
	window   int              // the length of the shortest of the others, at most 256; 0 if there are none
	skips    *[1 << 16]uint8  // by two bytes: how many bytes to skip
	ending   map[uint16][]int // by two bytes: the patterns whose first window bytes end in these
}

// shortest is the least length of a pattern that is searched for together with others.
const shortest = 4

// newFinder prepares the search. The patterns are identified by their positions in the list.
func newFinder(patterns [][]byte) *finder {
	f := &finder{patterns: patterns}
	for i, p := range patterns {
		switch {
		case len(p) < shortest:
			f.short = append(f.short, i)
		case f.window == 0 || len(p) < f.window:
			f.window = min(len(p), 1<<8)
		}
	}
	if f.window == 0 {
		return f
	}
	f.skips, f.ending = &[1 << 16]uint8{}, map[uint16][]int{}
	for i := range f.skips {
		f.skips[i] = uint8(f.window - 1)
	}
	for i, p := range patterns {
		if len(p) < shortest {
			continue
		}
		for end := 2; end <= f.window; end++ {
			pair := pairAt(p, end)
			f.skips[pair] = min(f.skips[pair], uint8(f.window-end))
		}
		pair := pairAt(p, f.window)
		f.ending[pair] = append(f.ending[pair], i)
	}
	return f
}

// pairAt returns the two bytes before a position.
func pairAt(b []byte, end int) uint16 { return uint16(b[end-2])<<8 | uint16(b[end-1]) }

// in yields each pattern that is in an output, by its position in the list, with each position in the output at which it begins. For a pattern
// shorter than shortest, it only yields the first.
func (f *finder) in(output []byte) iter.Seq2[int, int] {
	return func(yield func(pattern, at int) bool) {
		for _, i := range f.short {
			if at := bytes.Index(output, f.patterns[i]); at >= 0 && !yield(i, at) {
				return
			}
		}
		if f.window == 0 {
			return
		}
		for end := f.window; end <= len(output); end++ {
			pair := pairAt(output, end)
			if skip := f.skips[pair]; skip > 0 {
				end += int(skip) - 1
				continue
			}
			at := end - f.window
			for _, i := range f.ending[pair] {
				if bytes.HasPrefix(output[at:], f.patterns[i]) && !yield(i, at) {
					return
				}
			}
		}
	}
}
