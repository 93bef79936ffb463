package replication

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/state"
)

const (
	// waitingTasks is how many tasks, of some hundred bytes, wait for requests before the parent's listing waits too.
	waitingTasks = 8192
	// heldBytes is how many bytes of one task's rows are held back until it is done: a state would not cover what was sent of it before.
	heldBytes = 4 << 20
	// lookedForAgain is how many rows that seem to have gone are asked for a second time, when all others were. Where there are more, that is how the
	// API says that a row has nothing.
	lookedForAgain = 100
	// goneFor is how long a row that seems to have gone keeps the mark back since it changed or, where its time is not known, since the mark.
	goneFor = 7 * 24 * time.Hour
	// manyGone is after how many rows that have gone, and none that has not, the route is taken for wrong, and no more are asked for.
	manyGone = 25
)

// parents is what a child knows of the rows of its parent.
type parents struct {
	missing  int64    // how many have gone
	gone     []string // the keys of the first of them that are listed, not as removed
	answered bool     // one had not gone
	doubtful []task   // for those that had gone before a row answered: the route may be wrong

	childless state.Set // those without a row: what they have one day is sent whatever the mark
	unasked   bool      // the API refuses to be asked for what changed

	// For the goroutine that reads the parent's listing alone.
	asked     state.Set // those that may be asked for by several rows, and were
	alike     state.Set // those of them that were, with Child.Alike
	unnamed   int64     // how many lack a parameter of the request
	flagged   bool      // one had the flag
	unflagged int64     // how many were asked for because the flag says neither yes nor no
}

// pool reads the children of a family's rows, several at once.
type pool struct {
	tasks   chan task
	queued  sync.WaitGroup // tasks that are not done
	workers sync.WaitGroup
	cancel  context.CancelCauseFunc
	mu      sync.Mutex
	gone    []task // for rows that seem to have gone, which are asked for again
}

// task is the reading of what some children are made of, for one row of their parent.
type task struct {
	wanting []*holding // for each member that wants it
	key     string
	time    time.Time
	removed bool
	again   bool     // the row seemed to have gone
	params  []string // the values of Child.Params
}

// newPool starts as many workers as there may be requests in flight, if there is a child at all.
func (f *family) newPool(ctx context.Context) *pool {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &pool{cancel: cancel}
	if len(f.children) == 0 {
		return p
	}
	p.tasks = make(chan task, waitingTasks)
	for range f.Reader.Parallel() {
		p.workers.Go(func() {
			for t := range p.tasks {
				if err := fault.Safely(func() error { return t.read(ctx) }); err != nil {
					for _, h := range t.wanting {
						h.m.fail(err)
					}
				}
				p.queued.Done()
			}
		})
	}
	return p
}

// ask queues the reading of what a branch is made of for the row r of its parent, for those of its members that want it.
func (p *pool) ask(ctx context.Context, branch []*member, sl slice, r listing.Row) error {
	if r.Same {
		return nil
	}
	r.Key = branch[0].parentKey(r)
	wanting := make([]*member, 0, len(branch))
	for _, m := range branch {
		m.mu.Lock()
		asked := m.asked.Has(r.Key)
		if asked && m.Child.Alike != "" {
			m.alike.Add(r.Key)
		}
		wanted := !asked && !m.absent && m.wants(sl, r)
		m.mu.Unlock()
		if wanted && m.flags(r) {
			wanting = append(wanting, m)
		}
	}
	if len(wanting) == 0 {
		return nil
	}
	t := newTask(wanting, r)
	t.removed = sl.Removed
	if slices.Contains(t.params, "") { // it would be a question for something else
		for _, m := range wanting {
			m.unnamed++
		}
		return nil
	}
	if len(branch[0].Child.Shared) > 0 {
		for _, m := range wanting {
			m.asked.Add(t.key)
		}
	}
	return p.queue(ctx, t)
}

// queue has t read as soon as a worker is free.
func (p *pool) queue(ctx context.Context, t task) error {
	p.queued.Add(1)
	select {
	case p.tasks <- t:
		return nil
	case <-ctx.Done():
		p.queued.Done()
		return context.Cause(ctx)
	}
}

// flags reports whether the flag in the row r of m's parent lets it be asked for. One that says neither yes nor no does, and so does none, unless
// other rows have it: then it is left out where it says no. For the goroutine that reads the parent's listing.
func (m *member) flags(r listing.Row) bool {
	if m.Child.Where == "" {
		return true
	}
	flag := r.Data.Get(m.Child.Where)
	m.flagged = m.flagged || flag.Exists()
	if flag.False() || !flag.Exists() && m.flagged {
		return false
	}
	if !flag.True() {
		m.unflagged++
	}
	return true
}

// parentKey returns the key by which m knows the row r of its parent.
func (m *member) parentKey(r listing.Row) string {
	if len(m.Child.Shared) == 0 {
		return r.Key
	}
	if len(m.Child.Shared) == 1 {
		return r.Data.Get(m.Child.Shared[0]).Text()
	}
	var parts []string
	for _, path := range m.Child.Shared {
		parts = append(parts, string(r.Data.Get(path).Raw())) // as JSON, which tells where each ends
	}
	return strings.Join(parts, ",")
}

// newTask returns the reading for members of one branch and the row r of their parent, whose key is parentKey, with memory of its own.
func newTask(members []*member, r listing.Row) task {
	t := task{key: r.Key, time: r.Time}
	for _, path := range members[0].Child.Params {
		t.params = append(t.params, r.Data.Get(path).Text())
	}
	for _, m := range members {
		t.wanting = append(t.wanting, &holding{m: m, put: m.putsOf(r)})
	}
	return t
}

// end returns when all that was asked for has been read or has failed, and then what was postponed, or gives up what has not, because of why; nil: it
// does not.
func (p *pool) end(ctx context.Context, why error) {
	if why != nil {
		p.cancel(why)
	}
	p.queued.Wait()
	for _, t := range p.gone {
		if why = cmp.Or(why, context.Cause(ctx)); why == nil {
			why = p.queue(ctx, t)
		}
	}
	if p.tasks != nil {
		close(p.tasks)
	}
	p.workers.Wait()
	p.cancel(nil)
}

// listing returns the listing that t reads: what changed since from, or everything where that is zero.
func (t task) listing(from time.Time) listing.Listing {
	m := t.wanting[0].m
	l := m.Child.Open(t.key, t.params, from)
	l.Waiting, l.Refusable = m.family.waiting, !from.IsZero()
	return l
}

func (t task) read(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	held, from := t.begin()
	if len(held) == 0 {
		return nil
	}
	came := false
	pages, end := held[0].m.family.Reader.Read(ctx, t.listing(from))
	for page := range pages {
		came = came || len(page.Rows) > 0
		for _, h := range held {
			if err := h.page(page); err != nil {
				return err
			}
		}
	}
	switch {
	case (end.Kind == listing.Refused || end.Denied) && !from.IsZero():
		for _, h := range held {
			h.m.askNoMore()
		}
		return t.read(ctx)
	case end.Kind == listing.Refused, end.Kind == listing.Failed:
		return end.Err
	case end.Kind == listing.Gone && !came && t.postponed():
		return nil
	}
	for _, h := range held {
		if err := h.end(t, end, came); err != nil {
			return err
		}
	}
	return nil
}

// begin returns what is held, nothing yet, for each member that can still be completed, and since when what changed is asked for; zero: all is.
func (t task) begin() (held []*holding, from time.Time) {
	for _, h := range t.wanting {
		m := h.m
		m.mu.Lock()
		if m.err == nil && !m.absent {
			h.bound, h.rows, h.size = m.since(t.key), h.rows[:0], 0
			since := time.Time{}
			if m.Child.Changes && m.readsAll() && !m.unasked {
				since = h.bound
			}
			if len(held) == 0 || since.Before(from) {
				from = since
			}
			held = append(held, h)
		}
		m.mu.Unlock()
	}
	return held, from
}

// askNoMore notes that the API refuses to be asked for what changed: from then on everything is read, with one WARN.
func (m *member) askNoMore() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.unasked {
		m.unasked = true
		m.family.Log.Warn(m.Name + ": the API does not take the filter by time of change; everything is read in each sync")
		m.family.Reader.Forget(m.Child.Name) // it may have been the question for changes that was refused, and not the ways
	}
}

// holding is the rows for one member of a task that are held back until it is done, or until they are many.
type holding struct {
	m     *member
	put   []record.Member
	bound time.Time // rows before it are not sent
	rows  []listing.Row
	size  int
}

// page keeps what is wanted of a page, with memory of its own, since that of the page serves the next one; what becomes much is sent at once.
func (h *holding) page(page listing.Page) error {
	m := h.m
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mended(page)
	before := len(h.rows)
	for _, r := range page.Rows {
		m.count(r)
		if m.readsAll() && !m.changed(r, h.bound) {
			continue
		}
		h.size += len(r.Data.Raw())
		h.rows = append(h.rows, r)
	}
	if h.size >= heldBytes {
		return h.send()
	}
	kept := h.rows[before:] // they outlive the page
	for i := range kept {
		kept[i].Data, kept[i].At, kept[i].Picked = kept[i].Data.Clone(), kept[i].At.Clone(), nil
	}
	return nil
}

// send sends what is held. The lock of the member is held.
func (h *holding) send() error {
	for _, r := range h.rows {
		if h.m.readsAll() {
			h.m.pass(r.Time)
		}
		if err := h.m.sendOf(r, h.put); err != nil {
			return err
		}
	}
	clear(h.rows) // nothing of their pages is kept
	h.rows, h.size = h.rows[:0], 0
	return h.m.out.Flush()
}

// end sends what is held when the listing of t has ended, and notes that t is done. came is whether a row came.
func (h *holding) end(t task, end *listing.End, came bool) error {
	m := h.m
	m.mu.Lock()
	defer m.mu.Unlock()
	gone := end.Kind == listing.Gone
	switch {
	case end.Kind == listing.Absent: // though a page may have come
		m.absent, m.answered = true, m.answered || came
		return nil
	case gone && !t.again:
		m.lacks(t)
	case !gone && t.again:
		m.missing--
	}
	m.answered = m.answered || !gone
	if m.readsAll() {
		m.notLaterThan(end.Late)
	}
	if err := h.send(); err != nil {
		return err
	}
	switch {
	case m.misfit:
		return nil
	case gone && !m.answered:
		m.doubtful = append(m.doubtful, t)
		return nil
	}
	m.believe()
	m.done(t, gone)
	if !came && !gone && m.readsAll() {
		m.childless.Add(t.key)
	}
	return m.checkpoint()
}

// lacks notes that a row seems to have gone, and fails a child whose rows all have. Of one that is removed that says nothing about the route. m.mu is
// held.
func (m *member) lacks(t task) {
	if m.missing++; t.removed {
		return
	}
	if len(m.gone) < manyGone {
		m.gone = append(m.gone, t.key)
	}
	if len(m.gone) == manyGone && !m.answered && m.err == nil {
		m.err = m.wrongRoute()
	}
}

// postponed reports whether t, whose row seems to have gone, is read again when all others have been: it may have been so for a moment.
func (t task) postponed() bool {
	p := t.wanting[0].m.family.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.again || t.removed || len(p.gone) == lookedForAgain {
		return false
	}
	for _, h := range t.wanting {
		h.m.mu.Lock()
		h.m.lacks(t)
		h.m.mu.Unlock()
	}
	t.again = true
	p.gone = append(p.gone, t)
	return true
}

// believe notes that the doubtful rows have gone: the route is right. m.mu is held as long as anything is read.
func (m *member) believe() {
	for _, t := range m.doubtful {
		m.done(t, true)
	}
	m.doubtful = nil
}

// done notes that a task is done. Of a row that has gone no state says that what belongs to it was sent: it may be back, and is asked for in the
// next sync where all rows are, or all that are not known, and else for as long as it keeps the mark back. m.mu is held.
func (m *member) done(t task, gone bool) {
	switch {
	case t.removed:
		m.keep(t.key)
	case !gone && t.key != "": // rows without a key are not one and the same
		m.doc.Cycle.Done.Add(t.key)
	case gone && m.Cursor.Snapshot:
		m.known.Remove(t.key)
	case gone && m.Child.Follows:
		if since := cmp.Or(t.time, m.doc.Mark); time.Since(since) < goneFor {
			m.notLaterThan(since)
		}
	}
	if m.Child.Follows {
		m.pass(t.time)
	}
}

// wrongRoute returns the error for a child whose path has nothing for any of the rows that its parent lists.
func (m *member) wrongRoute() error {
	return fault.Configf("%s lists rows, and none of the %d that %s asked for at %s is there. Check the address and what the account may "+
		"read; if both are right, the API has another route for them.", m.Child.Of, m.missing, m.Name, m.Child.Path)
}

// routes fails the children whose rows have all gone where it is the path that does not exist. A child that this account does not have is empty,
// unless it was there for some of the rows. It is called when all that was asked for has been read, so that nobody else has the members.
func (f *family) routes(ctx context.Context) error {
	for _, m := range f.children {
		switch {
		case m.absent && (m.answered || m.resumed):
			m.fail(fault.Laterf("The API says of some rows of %s that this account does not have their %s (%s), and not of others.",
				m.Child.Of, m.Name, m.Child.Path))
		case m.absent && m.err == nil:
			f.Log.Warn(m.Name + ": this account does not have it; it is read as empty")
			continue
		}
		if m.err == nil && len(m.gone) > 0 && !m.answered {
			all, err := f.allGone(ctx, m)
			if err != nil {
				return err
			}
			if all {
				m.fail(m.wrongRoute())
			}
		}
		if m.err == nil {
			m.believe()
		}
	}
	return nil
}

// allGone reports whether no row of m's parent is there, of which those that were asked for have gone: whether a row that is listed now and was not
// found missing is missing too; where there is none, whether one that was is still listed.
func (f *family) allGone(ctx context.Context, m *member) (bool, error) {
	l := f.Open(Question{})
	l.Waiting = f.waiting
	pages, end := f.Reader.Read(ctx, l)
	var other *task
	listed := false
	for page := range pages {
		for _, r := range page.Rows {
			r.Key = m.parentKey(r)
			if slices.Contains(m.gone, r.Key) {
				listed = true
			} else if t := newTask([]*member{m}, r); other == nil && !slices.Contains(t.params, "") {
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
	details, end := f.Reader.Read(ctx, other.listing(time.Time{}))
	for range details { // only its end matters
	}
	return end.Kind == listing.Gone, end.Err
}
