package record

import (
	"runtime/debug"
	"slices"
)

// large is the size of an allocation before which the collector runs.
const large = 16 << 20

// Grow returns b with room for n more bytes, like slices.Grow. Before it allocates 16 MiB or more, it makes the collector release unused memory. By
// itself the collector only starts after a certain amount has been allocated, and one answer or one record can be many times that. The previous one
// would then still be in memory while the next is allocated.
func Grow(b []byte, n int) []byte {
	if n >= large && cap(b)-len(b) < n {
		debug.FreeOSMemory()
	}
	if cap(b) == 0 {
		return make([]byte, 0, n) // nothing to copy
	}
	return slices.Grow(b, n)
}

// Free drops a buffer that Grow made. A large one is released at once, because whoever allocates the next one may not wait for it.
func Free(b *[]byte) {
	n := cap(*b)
	*b = nil
	if n >= large {
		debug.FreeOSMemory()
	}
}
