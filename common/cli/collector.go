package cli

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// room is how many bytes are allocated between two runs of the garbage collector at the least. The memory of pages is used again, so that reads
// allocate little: with twice as much they take 5 MiB more, at no less of CPU that could be measured.
const room = 3 << 20

// paceCollector has the garbage collector run whenever as much was allocated as it has to look through, but at least room, unless the
// environment says when with GOGC or GOMEMLIMIT.
//
// Go by itself, with GOGC, takes what is held for the measure. What a read holds are above all the keys of its rows, which the collector
// need not look into: the longer the read, the more memory it would take for nothing. A fixed limit of memory, on the other hand, has the
// collector run without a pause as soon as more is held than that.
//
// No constant does it. CPU and peak of a program that allocates pages of 280 KiB and keeps one key of each of their rows, on two cores:
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

// pace sets when the collector runs next, and is called again when it has.
func pace(struct{}) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/total:bytes"}}
	metrics.Read(samples)
	live, look := samples[0].Value.Uint64(), samples[1].Value.Uint64()
	debug.SetGCPercent(percent(live, look))
	type mark struct{ _ *mark } // a pointer, or it might be kept together with other small objects and never be found unused
	runtime.AddCleanup(&mark{}, pace, struct{}{})
}

// percent returns GOGC for when live bytes are held, of which, or of what else there is, look bytes have to be looked through.
func percent(live, look uint64) int {
	const least = 4 << 20 // Go's smallest heap, which the percentage is of too
	return int(min(max(max(room, look)*100/max(live, least), 1), math.MaxInt32))
}
