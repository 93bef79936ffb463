package destination

import (
	"context"
	"sync"

	"github.com/imob-data/airbyte-connectors/common/protocol"
)

// ahead is how many messages may wait for an earlier one, and aheadBytes is how many bytes of them. A large message takes several places, but at most
// all of them, so that one always fits.
const (
	ahead      = 512
	aheadBytes = 64 << 20
)

// ledger keeps messages in the order of arrival until all before them have an outcome. Safe for concurrent use.
type ledger struct {
	room chan struct{} // holds a token for each place that is taken

	mu     sync.Mutex
	next   int64
	queue  []*entry
	counts map[protocol.Descriptor]protocol.StateStats // of the messages that have left the queue since the last state
	err    error                                       // of a consequence; no other is called after it
}

// entry is a message in the ledger.
type entry struct {
	number   int64 // rises in the order of arrival
	stream   protocol.Descriptor
	places   int // number of places that it takes
	settled  bool
	rejected bool
	then     func() error // its consequence, called when all before it have an outcome; nil for a record
}

func newLedger(first int64) *ledger {
	return &ledger{room: make(chan struct{}, ahead), next: first, counts: map[protocol.Descriptor]protocol.StateStats{}}
}

// enter appends a message to the queue. size is how many bytes of it are kept there. A record waits for settle, and its then is nil. Any other
// message has a consequence, then, which is called when all messages before it have an outcome. Consequences are called one at a time and in order.
// The error is ctx's or that of a consequence. Only one goroutine at a time may call enter.
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

// advance removes the messages at the head of the queue that are settled, and calls their consequences.
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

// empty reports whether no message waits.
func (l *ledger) empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue) == 0
}

// tally returns the counts since the previous state, of the stream of s or of all, and resets them. Only consequences may call it.
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
