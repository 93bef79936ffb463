package destination

import (
	"context"
	"sync"

	"github.com/imob-data/airbyte-connectors/common/protocol"
)

// How many messages may wait for one that came before them: so many, and so many bytes of them, which take the places of others; one always may.
const (
	ahead      = 512
	aheadBytes = 64 << 20
)

// ledger keeps messages in the order in which they came, until all before them have an outcome. Safe for concurrent use.
type ledger struct {
	room chan struct{} // holds a token for each place that is taken

	mu     sync.Mutex
	next   int64
	queue  []*entry
	counts map[protocol.Descriptor]protocol.StateStats // since the last state, of what has left the queue
	err    error                                       // of a consequence; none follows it
}

// entry is a message in the ledger.
type entry struct {
	number   int64 // rises in the order of arrival
	stream   protocol.Descriptor
	places   int // that it takes
	settled  bool
	rejected bool
	then     func() error // what follows when all before it has an outcome; nil for a record
}

func newLedger(first int64) *ledger {
	return &ledger{room: make(chan struct{}, ahead), next: first, counts: map[protocol.Descriptor]protocol.StateStats{}}
}

// enter puts a message at the end, of which so many bytes are kept there. A record waits there for settle; anything else has a consequence,
// then, which is called, one at a time and in order, when all before it has an outcome. The error is ctx's, or that of a consequence. One
// message enters at a time.
func (l *ledger) enter(ctx context.Context, stream protocol.Descriptor, size int, then func(*entry) error) (*entry, error) {
	places := min(1+size/(aheadBytes/ahead), ahead)
	for range places {
		select {
		case l.room <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &entry{number: l.next, stream: stream, places: places, settled: then != nil}
	if then != nil {
		e.then = func() error { return then(e) }
	}
	l.next++
	l.queue = append(l.queue, e)
	return e, l.advance()
}

// settle gives a record its outcome.
func (l *ledger) settle(e *entry, rejected bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.settled, e.rejected = true, rejected
	return l.advance()
}

// advance lets go what nothing before it keeps.
func (l *ledger) advance() error {
	for l.err == nil && len(l.queue) > 0 && l.queue[0].settled {
		e := l.queue[0]
		l.queue = l.queue[1:]
		for range e.places {
			<-l.room
		}
		if e.then != nil {
			l.err = e.then()
			continue
		}
		counts := l.counts[e.stream]
		counts.RecordCount++
		if e.rejected {
			counts.RejectedRecordCount++
		}
		l.counts[e.stream] = counts
	}
	return l.err
}

// empty reports whether nothing waits.
func (l *ledger) empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue) == 0
}

// tally returns what went before a state since the one before it, and begins anew. Only for consequences.
func (l *ledger) tally(s *protocol.State) protocol.StateStats {
	if s.Type == protocol.StateStream {
		defer delete(l.counts, s.Descriptor)
		return l.counts[s.Descriptor]
	}
	var all protocol.StateStats
	for _, counts := range l.counts {
		all.RecordCount += counts.RecordCount
		all.RejectedRecordCount += counts.RejectedRecordCount
	}
	clear(l.counts)
	return all
}
