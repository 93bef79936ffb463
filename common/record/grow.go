package record

import (
	"runtime/debug"
	"slices"
)

// large is how many bytes in one piece the collector is called for.
const large = 16 << 20

// Grow returns b with room for n bytes more, as slices.Grow gives it. Before it sets 16 MiB or more aside it has the collector give back what
// nobody uses any longer: by itself the collector begins a run when a certain amount was allocated since the last, and one answer, or one
// record, can be many times that. What came before would still be there while the next one is set aside.
func Grow(b []byte, n int) []byte {
	if n >= large && cap(b)-len(b) < n {
		debug.FreeOSMemory()
	}
	if cap(b) == 0 {
		return make([]byte, 0, n) // nothing is copied
	}
	return slices.Grow(b, n)
}

// Free lets go of a buffer that Grow made: a large one is given back at once, since whoever sets the next one aside may not wait for it.
func Free(b *[]byte) {
	n := cap(*b)
	*b = nil
	if n >= large {
		debug.FreeOSMemory()
	}
}
