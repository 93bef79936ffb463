package replication

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/record"
)

const (
	// waitingTasks is how many rows of a parent wait for their children's requests before the parent's listing waits too. A task holds
	// some hundred bytes of its row, not the row.
	waitingTasks = 8192
	// heldBytes is how many bytes of one task's records are held back so that they are sent together with the note that the task is
	// done: until then a state would not cover what stands before it.
	heldBytes = 4 << 20
	// fewGone is how many rows may have gone without one that has not before the route is taken for wrong, and manyGone after how many of
	// them no more are asked for.
	fewGone, manyGone = 3, 25
)

// pool reads the children of a family's rows, several at once.
type pool struct {
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
	params  []string // the values of Child.Params
	put     []record.Member
}

// pool starts as many workers as there may be requests in flight, if there is a child at all.
func (f *family) pool(ctx context.Context) *pool {
	ctx, cancel := context.WithCancel(ctx)
	p := &pool{family: f, tasks: make(chan task, waitingTasks), cancel: cancel}
	if len(f.children) == 0 {
		return p
	}
	for range f.Reader.Parallel() {
		p.workers.Go(func() {
			for t := range p.tasks {
				if err := fault.Safely(func() error { return t.read(ctx, f.waiting) }); err != nil {
					t.m.fail(err)
				}
			}
		})
	}
	return p
}

// ask queues the reading of m for the row r of its parent, if m wants it.
func (p *pool) ask(ctx context.Context, m *member, sl slice, r listing.Row) error {
	m.mu.Lock()
	wanted := !r.Same && m.wants(sl, r)
	m.mu.Unlock()
	if !wanted || m.Child.Where != "" && !r.Data.Get(m.Child.Where).True() {
		return nil
	}
	t := m.task(r)
	t.removed = sl.Removed
	if slices.Contains(t.params, "") { // it would be a question for something else
		m.mu.Lock()
		m.unnamed++
		m.mu.Unlock()
		return nil
	}
	select {
	case p.tasks <- t:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// task returns the reading of m for the row r of its parent. It holds nothing of the row's memory.
func (m *member) task(r listing.Row) task {
	t := task{m: m, key: r.Key, time: r.Time, put: appendPuts(nil, m.puts, r.Data)}
	for i, p := range t.put {
		t.put[i].Value = slices.Clone(p.Value)
	}
	for _, path := range m.Child.Params {
		t.params = append(t.params, r.Data.Get(path).Text())
	}
	return t
}

// wait ends when all that was asked for has been read or has failed.
func (p *pool) wait() {
	p.once.Do(func() { close(p.tasks) })
	p.workers.Wait()
}

// stop gives up what has not been read.
func (p *pool) stop() {
	p.cancel()
	p.wait()
}

// listing returns the listing that t reads.
func (t task) listing(waiting func(until time.Time)) listing.Listing {
	l := t.m.Child.Open(t.key, t.params)
	l.Waiting = waiting
	return l
}

// read reads the child's listing and sends it.
func (t task) read(ctx context.Context, waiting func(until time.Time)) error {
	m := t.m
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	m.mu.Lock()
	failed, bound := m.err, m.since(t.key)
	m.mu.Unlock()
	if failed != nil {
		return nil
	}
	held := holding{task: t, bound: bound}
	pages, end := m.run.Reader.Read(ctx, t.listing(waiting))
	for page := range pages {
		if err := held.page(page); err != nil {
			return err
		}
	}
	if end.Kind != listing.Done && end.Kind != listing.Gone {
		return failure(end)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.noteGone(end.Kind == listing.Gone, t.key)
	if m.readsAll() {
		m.notLaterThan(end.Late)
	}
	if err := held.send(); err != nil {
		return err
	}
	if m.Child.Follows {
		m.pass(t.time)
	}
	switch {
	case t.removed:
		m.keep(t.key)
	case t.key != "": // rows without a key are not one and the same
		m.doc.Cycle.Done.Add(t.key)
	}
	return m.checkpoint()
}

// failure returns why a listing that ended with end, and not as it should, was not read.
func failure(end *listing.End) error {
	if end.Kind == listing.Absent {
		return fault.Configf("The account does not have what was asked for.")
	}
	return end.Err
}

// holding is the rows of a task that are held back until it is done, or until they are many.
type holding struct {
	task
	bound time.Time // rows before it are not sent
	rows  []listing.Row
	size  int
}

// page keeps what is wanted of a page, with memory of its own: the page's is free for others when the next one is asked for. What the last
// page has is sent at once.
func (h *holding) page(page listing.Page) error {
	m := h.m
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mended(page)
	for _, r := range page.Rows {
		if m.readsAll() && !since(r, h.bound, m.start) {
			continue
		}
		if h.size += len(r.Data.Raw()); !page.Last || h.size < heldBytes {
			r.Data, r.At = record.Record(slices.Clone(r.Data.Raw())).Get(""), record.Value{}
		}
		h.rows = append(h.rows, r)
	}
	if h.size < heldBytes {
		return nil
	}
	return h.send()
}

// send sends what is held. The lock of the member is held.
func (h *holding) send() error {
	for _, r := range h.rows {
		if h.m.readsAll() {
			h.m.pass(r.Time)
		}
		if err := h.m.send(r, h.put...); err != nil {
			return err
		}
	}
	h.rows, h.size = h.rows[:0], 0
	return nil
}

// noteGone notes whether the row of a parent has gone. m.mu is held.
func (m *member) noteGone(gone bool, key string) {
	if !gone {
		m.answered = true
		return
	}
	m.missing++
	if len(m.gone) < fewGone {
		m.gone = append(m.gone, key)
	}
	if m.missing >= manyGone && !m.answered && m.err == nil {
		m.err = m.wrongRoute()
	}
}

// wrongRoute returns the error for a child whose path has nothing for any of the rows that its parent lists.
func (m *member) wrongRoute() error {
	return fault.Configf("%s lists rows, and none of the %d that %s asked for at %s is there. Check the address and what the account may "+
		"read; if both are right, the API has another route for them.", m.Child.Of, m.missing, m.Name, m.Child.Path)
}

// routes fails the children whose rows have all gone where it is the path that does not exist. Of fewer than three rows that cannot be told: then
// another one that is listed is asked for.
func (f *family) routes(ctx context.Context) error {
	for _, m := range f.children {
		if m.err != nil || m.missing == 0 || m.answered {
			continue
		}
		wrong := m.missing >= fewGone
		if !wrong {
			var err error
			if wrong, err = f.othersGone(ctx, m); err != nil {
				return err
			}
		}
		if wrong {
			m.fail(m.wrongRoute())
		}
	}
	return nil
}

// othersGone reports whether a row that is listed now and was not found missing is missing too; where there is none, whether one that was is
// still listed.
func (f *family) othersGone(ctx context.Context, m *member) (bool, error) {
	l := f.source.Open(Question{})
	l.Waiting = f.waiting
	pages, end := f.Reader.Read(ctx, l)
	var other *task
	listed := false
	for page := range pages {
		for _, r := range page.Rows {
			if slices.Contains(m.gone, r.Key) {
				listed = true
			} else if t := m.task(r); other == nil && !slices.Contains(t.params, "") {
				other = &t
			}
		}
		if other != nil {
			break
		}
	}
	if other == nil {
		return listed, end.Err
	}
	details, end := f.Reader.Read(ctx, other.listing(f.waiting))
	for range details { // only its end matters
	}
	return end.Kind == listing.Gone, end.Err
}
