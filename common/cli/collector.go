package cli

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// room is the least number of bytes allocated between two runs of the garbage collector. Reads reuse the memory of pages and so allocate little: with
// twice the room they take 5 MiB more, and save no CPU that could be measured.
const room = 3 << 20

// paceCollector makes the garbage collector run when as much was allocated as it has to scan, but at least room. If GOGC or GOMEMLIMIT is set, it
// does nothing.
//
// By default, with GOGC, Go measures by what is held. What a read holds is mostly the keys of its rows, which the collector need not scan. So the
// longer the read, the more memory it would take for nothing. With a fixed memory limit, on the other hand, the collector runs without a pause as
// soon as more is held than that.
//
// No constant works. CPU and peak of a program that allocates pages of 280 KiB and keeps one key of each of their rows, on two cores:
//
//	              100,000 rows     2,000,000 rows
//	GOGC=25       189 ms, 12 MB    2.6 s, 214 MB
//	GOGC=100       85 ms, 25 MB    2.3 s, 301 MB
//	GOGC=300       81 ms, 49 MB    2.3 s, 411 MB
//	this           91 ms, 35 MB    2.4 s, 190 MB (with 12 MiB of room)
func paceCollector() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		pace(struct{}{})
	}
}

// pace sets when the collector runs next, and is called again after it ran.
func pace(struct{}) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/total:bytes"}}
	metrics.Read(samples)
	live, look := samples[0].Value.Uint64(), samples[1].Value.Uint64()
	debug.SetGCPercent(percent(live, look))
	type mark struct{ _ *mark } // with a pointer, because a tiny object without one may share its memory with others and never be found unused
	runtime.AddCleanup(&mark{}, pace, struct{}{})
}

// percent returns the GOGC for a heap of live bytes if look bytes have to be scanned, in the heap or elsewhere.
func percent(live, look uint64) int {
	const least = 4 << 20 // Go's smallest heap, to which the percentage applies too
	return int(min(max(max(room, look)*100/max(live, least), 1), math.MaxInt32))
}
