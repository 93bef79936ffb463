package harness

import (
	"bytes"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// peak keeps a process's peak of memory. rusage does not have it: the kernel counts into a child's ru_maxrss what its parent had in memory
// when it was started, and the parent is a test with a simulator in it. VmHWM begins anew with the child's own program, so it is read again
// and again until the process is gone.
type peak struct {
	bytes *atomic.Int64
	done  chan struct{}
}

func newPeak() peak { return peak{bytes: &atomic.Int64{}, done: make(chan struct{})} }

// end is the peak, in bytes, or 0 where nothing was seen; nothing is looked at after it.
func (p peak) end() int64 {
	close(p.done)
	return p.bytes.Load()
}

// watch looks at a process until end is called.
func (p peak) watch(pid int) {
	status := "/proc/" + strconv.Itoa(pid) + "/status"
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if body, err := os.ReadFile(status); err == nil {
			if _, rest, ok := bytes.Cut(body, []byte("VmHWM:")); ok {
				if kib, err := strconv.ParseInt(string(bytes.Fields(rest)[0]), 10, 64); err == nil {
					p.bytes.Store(kib << 10)
				}
			}
		}
		select {
		case <-p.done:
			return
		case <-tick.C:
		}
	}
}
