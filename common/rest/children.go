package rest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/protocol"
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

// children reads the children of a family's rows, several at once.
type children struct {
	family  *family
	tasks   chan task
	workers sync.WaitGroup
	cancel  context.CancelFunc
	once    sync.Once
	answers answers
}

// task is the reading of one child stream for one row of its parent.
type task struct {
	m       *member
	key     string
	time    time.Time
	removed bool
	params  []string // in the order of names
	values  []any    // the same as they are sent
	names   []string
	put     []record.Member
	answer  *answer // nil: it is not shared
}

// children starts as many workers as there may be requests in flight, if there is a child at all.
func (f *family) children(ctx context.Context) *children {
	ctx, cancel := context.WithCancel(ctx)
	c := &children{family: f, tasks: make(chan task, waitingTasks), cancel: cancel, answers: newAnswers(f.kids)}
	if len(f.kids) == 0 {
		return c
	}
	for range f.run.reader.Parallel() {
		c.workers.Go(func() {
			for t := range c.tasks {
				if err := safely(func() error { return t.read(ctx) }); err != nil {
					t.m.fail(err)
				}
			}
		})
	}
	return c
}

// ask queues the reading of m for the row r of its parent, if m wants it.
func (c *children) ask(ctx context.Context, m *member, sl slice, r listing.Row) error {
	m.mu.Lock()
	wanted := !r.Same && m.wants(sl, r)
	m.mu.Unlock()
	if !wanted || m.Parent.Where != "" && !r.Data.Get(m.Parent.Where).True() {
		return nil
	}
	t := m.task(r)
	t.removed, t.answer = sl.removed, c.answers.of(m)
	if slices.Contains(t.params, "") { // it would be a question for something else
		m.mu.Lock()
		m.unnamed++
		m.mu.Unlock()
		return nil
	}
	select {
	case c.tasks <- t:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// task is the reading of m for the row r of its parent. It holds nothing of the row's memory.
func (m *member) task(r listing.Row) task {
	t := task{m: m, key: r.Key, time: r.Time, put: puts(r.Data, m.Parent.Put)}
	for name, path := range m.Parent.Params {
		t.names = append(t.names, name)
		text, value := m.Parent.param(r.Data.Get(path))
		t.params, t.values = append(t.params, text), append(t.values, value)
	}
	return t
}

// wait ends when all that was asked for has been read or has failed.
func (c *children) wait() {
	c.once.Do(func() { close(c.tasks) })
	c.workers.Wait()
}

// stop gives up what has not been read.
func (c *children) stop() {
	c.cancel()
	c.wait()
}

// listing is the listing that t reads.
func (t task) listing() listing.Listing {
	request := t.m.request()
	for i, name := range t.names {
		request = request.With(t.m.Parent.In, name, t.values[i])
	}
	request, asked := t.ask(request)
	l := t.m.run.listing(t.m.Stream, request)
	l.Refusable = asked
	if t.m.Parent.Detail {
		l.Detail = t.key
	}
	return l
}

// read reads the child's listing and sends it.
func (t task) read(ctx context.Context) error {
	m := t.m
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	m.mu.Lock()
	failed, bound := m.err != nil || m.lacking, m.since(t.key)
	m.mu.Unlock()
	if failed {
		return nil
	}
	held := holding{task: t, bound: bound}
	pages, end := t.pages(ctx)
	for page := range pages {
		if err := held.page(page); err != nil {
			return err
		}
	}
	if m.lacks(end) {
		return nil
	}
	if m.asksNoMore(end) {
		t.answer = nil
		return t.read(ctx)
	}
	if end.Kind != listing.Done && end.Kind != listing.Gone {
		return failure(end)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note(end.Kind == listing.Gone, t.key)
	if m.readsAll() {
		m.notLaterThan(end.Late)
	}
	if err := held.send(); err != nil {
		return err
	}
	if m.Parent.Follows {
		m.seen(t.time)
	}
	switch {
	case t.removed:
		m.keep(t.key)
	case t.key != "": // rows without a key are not one and the same
		m.doc.Cycle.Done.Add(t.key)
	}
	return m.checkpoint()
}

// failure is why a listing that ended so was not read.
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
		if h.size += len(r.Data); !page.Last || h.size < heldBytes {
			r.Data = slices.Clone(r.Data)
			r.At = record.Value{} // it is found again in the copy
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
			h.m.seen(r.Time)
		}
		send := h.m.send
		if h.m.Explode != nil {
			send = h.m.explode
		}
		if err := send(r, h.put...); err != nil {
			return err
		}
	}
	h.rows, h.size = h.rows[:0], 0
	return nil
}

// note notes whether the row of a parent has gone. m.mu is held.
func (m *member) note(gone bool, key string) {
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

// wrongRoute is that the rows which a listing names have nothing behind the route that is asked for them.
func (m *member) wrongRoute() error {
	return fault.Configf("%s lists rows, and none of the %d that %s asked for at %s is there. Check the address and what the account may "+
		"read; if both are right, the API has another route for them.", m.Parent.Of, m.missing, m.Name, m.Path)
}

// routes decides about children of which every row has gone: the route may be what is not there. Of fewer than three rows another listed one
// tells.
func (f *family) routes(ctx context.Context) error {
	for _, m := range f.kids {
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

// othersGone is whether a row that is listed now and was not found missing is missing too; where there is none, whether one that was is
// still listed.
func (f *family) othersGone(ctx context.Context, m *member) (bool, error) {
	request := f.root.request()
	if len(f.root.Each) > 0 {
		request = f.root.with(request, f.root.Each[0])
	}
	pages, end := f.run.reader.Read(ctx, f.run.listing(f.root, request))
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
	details, end := f.run.reader.Read(ctx, other.listing())
	for range details { //nolint:revive // only its end matters
	}
	return end.Kind == listing.Gone, end.Err
}

// safely is do, with a panic in it made an error: a mistake in one goroutine must end in a message, not in the death of the process.
func safely(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = protocol.Recovered(value)
		}
	}()
	return do()
}
