package rest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/record"
)

const (
	// waitingTasks is how many rows of a parent wait for their children's requests before the parent's listing waits too. A task holds
	// some hundred bytes of its row, not the row.
	waitingTasks = 8192
	// heldBytes is how many bytes of one task's records are held back so that they are sent together with the note that the task is
	// done: until then a state would not cover what stands before it.
	heldBytes = 4 << 20
)

// nursery reads the children of a family's rows, several at once.
type nursery struct {
	family  *family
	tasks   chan task
	workers sync.WaitGroup
	cancel  context.CancelFunc
	once    sync.Once
}

// task is the reading of one child stream for one row of its parent.
type task struct {
	m       *member
	key     string
	time    time.Time
	removed bool
	params  []string // in the order of names
	names   []string
	put     []record.Member
}

// nursery starts as many workers as there may be requests in flight, if there is a child at all.
func (f *family) nursery(ctx context.Context) *nursery {
	ctx, cancel := context.WithCancel(ctx)
	n := &nursery{family: f, tasks: make(chan task, waitingTasks), cancel: cancel}
	if len(f.kids) == 0 {
		return n
	}
	for range cap(f.run.slots) {
		n.workers.Go(func() {
			for t := range n.tasks {
				if err := safely(func() error { return t.read(ctx) }); err != nil {
					t.m.fail(err)
				}
			}
		})
	}
	return n
}

// ask queues the reading of m for the row r of its parent, if m wants it.
func (n *nursery) ask(ctx context.Context, m *member, sl slice, r row) error {
	m.mu.Lock()
	wanted := m.wants(sl, r)
	m.mu.Unlock()
	if !wanted {
		return nil
	}
	if m.Parent.Where != "" {
		if !r.data.Get(m.Parent.Where).True() {
			return nil
		}
	}
	t := task{m: m, key: r.key, time: r.time, removed: sl.removed, put: puts(r.data, m.Parent.Put)}
	for name, path := range m.Parent.Params {
		t.names = append(t.names, name)
		t.params = append(t.params, r.data.Get(path).Text())
	}
	select {
	case n.tasks <- t:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// wait ends when all that was asked for has been read or has failed.
func (n *nursery) wait() {
	n.once.Do(func() { close(n.tasks) })
	n.workers.Wait()
}

// stop gives up what has not been read.
func (n *nursery) stop() {
	n.cancel()
	n.wait()
}

// read reads the child's listing and sends it.
func (t task) read(ctx context.Context) error {
	m := t.m
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	m.mu.Lock()
	failed, since := m.err, m.since(t.key)
	m.mu.Unlock()
	if failed != nil {
		return nil
	}
	request := m.request()
	for i, name := range t.names {
		request = request.With(m.Parent.In, name, t.params[i])
	}
	var held []row
	size := 0
	send := func() error {
		for _, r := range held {
			if m.readsAll() {
				m.seen(r.time)
			}
			if err := m.send(r, t.put...); err != nil {
				return err
			}
		}
		held, size = held[:0], 0
		return nil
	}
	late, err := m.run.walk(ctx, walk{stream: m.Stream, request: request, clock: m.Cursor, page: t.page, use: func(rows []row) error {
		for _, r := range rows {
			if !m.readsAll() || r.since(since, m.start) {
				held = append(held, r)
				size += len(r.data)
			}
		}
		if size < heldBytes {
			return nil
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		return send()
	}})
	gone := errors.Is(err, errGone)
	if err != nil && !gone {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if gone {
		m.missing++
	}
	if m.readsAll() && !late.IsZero() && (m.late.IsZero() || late.Before(m.late)) {
		m.late = late
	}
	if err := send(); err != nil {
		return err
	}
	if m.Parent.Follows {
		m.seen(t.time)
	}
	if t.removed {
		m.keep(t.key)
	} else {
		m.doc.Cycle.Done.Add(t.key)
	}
	return m.checkpoint()
}

// page counts what had to be mended in a page.
func (t task) page(p fetched) {
	if p.replaced+p.control > 0 {
		t.m.mu.Lock()
		t.m.replaced += int64(p.replaced)
		t.m.control += int64(p.control)
		t.m.mu.Unlock()
	}
}
