package harness

import (
	"bytes"
	"os"
	"strconv"
	"sync"
	"time"
)

// peak records a process's peak of memory. rusage lacks it: the kernel includes in a child's ru_maxrss what its parent had in memory when the child
// was started, and the parent is a test with a simulator in it. VmHWM begins anew with the child's own program, so peak reads it again and again
// until the process has gone.
type peak struct {
	done chan struct{}

	mu     sync.Mutex
	status *os.File // nil before begin, and if it cannot be read
	bytes  int64
}

func newPeak() *peak { return &peak{done: make(chan struct{})} }

// end returns the peak in bytes, or 0 if none was seen. It ends the watch.
func (p *peak) end() int64 {
	close(p.done)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes
}

// The pauses between two looks. A short peak is seen soon, and a process that waits for minutes is not looked at a hundred times a second.
const (
	shortestPause = 10 * time.Millisecond
	longestPause  = 200 * time.Millisecond
)

// begin looks at a process for the first time, so that there is a peak even if the process is gone before watch runs. It reports whether the process
// can be watched.
func (p *peak) begin(pid int) bool {
	status, err := os.Open("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return false
	}
	p.mu.Lock()
	p.status = status
	p.mu.Unlock()
	p.look()
	return true
}

// watch keeps looking until end is called.
func (p *peak) watch() {
	defer p.status.Close()
	for began := time.Now(); ; p.look() {
		select {
		case <-p.done:
			return
		case <-time.After(min(max(shortestPause, time.Since(began)/20), longestPause)):
		}
	}
}

// look looks at the process once, if it can be watched.
func (p *peak) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status == nil {
		return
	}
	var buffer [4 << 10]byte
	n, _ := p.status.ReadAt(buffer[:], 0) // nothing can be read if the process has gone
	if _, rest, ok := bytes.Cut(buffer[:n], []byte("VmHWM:")); ok {
		if kib, err := strconv.ParseInt(string(bytes.Fields(rest)[0]), 10, 64); err == nil {
			p.bytes = kib << 10
		}
	}
}
