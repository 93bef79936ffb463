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
	// waitingTasks is how many tasks, of a few hundred bytes each, may wait for requests before the parent's listing has to wait too.
	waitingTasks = 8192
	// heldBytes is how many bytes of one task's rows are held back until the task is done. No state covers the rows that are sent before then.
	heldBytes = 4 << 20
	// lookedForAgain is how many rows that seem to be gone are asked for a second time, after all others. If there are more, that is probably how the
	// API says that a row has no children.
	lookedForAgain = 100
	// goneFor is how long a row that seems to be gone holds back the mark, counted from its last change or, if that time is unknown, from the mark.
	goneFor = 7 * 24 * time.Hour
	// manyGone is the number of gone rows after which the child fails because of a wrong route, if no row has answered by then. No more are asked for.
	manyGone = 25
)

// parents is what a child knows of the rows of its parent.
type parents struct {
	missing  int64    // number of rows that are gone
	gone     []string // keys of the first manyGone of them, without rows listed as removed
	answered bool     // at least one row was not gone
	doubtful []task   // tasks of rows that were gone before any row answered: the route may be wrong

	childless state.Set // rows without children: if they ever get some, these are sent whatever the mark
	unasked   bool      // the API refuses requests for changes only

	// Used only by the goroutine that reads the parent's listing.
	asked     state.Set // with Child.Shared, the keys that were asked for
	alike     state.Set // with Child.Alike, those of them that several rows share
	unnamed   int64     // number of rows that lack a parameter of the request
	flagged   bool      // at least one row had the flag
	unflagged int64     // number of rows asked for although their flag says neither yes nor no
}

// pool reads the children of a family's rows with several workers.
type pool struct {
	tasks   chan task
	queued  sync.WaitGroup // tasks that are not yet done
	workers sync.WaitGroup
	cancel  context.CancelCauseFunc
	mu      sync.Mutex
	gone    []task // for rows that seem to be gone; they are asked for again
}

// task is one request for the children of one row of their parent. It serves all members that are made from the same answers.
type task struct {
	wanting []*holding // one for each member that wants the answers
	key     string
	time    time.Time
	removed bool
	again   bool     // the row seemed to be gone, and this is the second attempt
	params  []string // the values of Child.Params
}

// newPool starts as many workers as there may be requests in flight, or none if the family has no children.
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

// ask queues the task for the row r of the parent if any member of the branch wants it.
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
	if slices.Contains(t.params, "") { // an empty parameter would ask for something else
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

// queue queues t for the workers. It blocks while the queue is full.
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

// flags reports whether the flag in the row r of m's parent allows asking for the row. A flag that says neither yes nor no allows it. So does a
// missing flag, unless an earlier row had one: then a missing flag means no. Only the goroutine that reads the parent's listing may call it.
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
		parts = append(parts, string(r.Data.Get(path).Raw())) // JSON delimits each part
	}
	return strings.Join(parts, ",")
}

// newTask returns the task of a branch's members for the row r of their parent, whose Key must be parentKey. The task does not share the page's
// memory.
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

// end waits until all queued tasks are done or have failed, then reads the postponed ones. If why is not nil, end gives up what has not been read,
// with why as the reason.
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

// listing returns the listing that t reads: what changed since from, or everything if from is zero.
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

// begin returns an empty holding for each member that can still be completed, and the time from which to ask for changes. A zero time asks for
// everything.
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

// askNoMore notes that the API refuses requests for changes only. From then on everything is read. It logs one WARN.
func (m *member) askNoMore() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.unasked {
		m.unasked = true
		m.family.Log.Warn(m.Name + ": the API does not take the filter by time of change; everything is read in each sync")
		m.family.Reader.Forget(m.Child.Name) // the API may have refused the filter and not the way of paging
	}
}

// holding holds back the rows of a task for one member until the task is done or heldBytes is reached.
type holding struct {
	m     *member
	put   []record.Member
	bound time.Time // earlier rows are not sent
	rows  []listing.Row
	size  int
}

// page keeps the rows of a page that are wanted. It copies them, because the next page reuses the memory. It sends all held rows at once if there are
// heldBytes or more.
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
	kept := h.rows[before:] // these outlive the page
	for i := range kept {
		kept[i].Data, kept[i].At, kept[i].Picked = kept[i].Data.Clone(), kept[i].At.Clone(), nil
	}
	return nil
}

// send sends the held rows. The member's lock must be held.
func (h *holding) send() error {
	for _, r := range h.rows {
		if h.m.readsAll() {
			h.m.pass(r.Time)
		}
		if err := h.m.sendOf(r, h.put); err != nil {
			return err
		}
	}
	clear(h.rows) // release the memory of their pages
	h.rows, h.size = h.rows[:0], 0
	return h.m.out.Flush()
}

// end sends the held rows after the listing of t has ended, and marks t as done. came says whether the listing had any rows.
func (h *holding) end(t task, end *listing.End, came bool) error {
	m := h.m
	m.mu.Lock()
	defer m.mu.Unlock()
	gone := end.Kind == listing.Gone
	switch {
	case end.Kind == listing.Absent: // a page may have come before
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

// lacks notes that the row of t seems to be gone, and fails the child once manyGone rows are gone and none has answered. A removed row is only
// counted, because it says nothing about the route. m.mu is held.
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

// postponed reports whether t, whose row seems to be gone, is read again after all others, because the row may only have been gone for a moment.
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

// believe accepts that the doubtful rows are gone, because the route is right. m.mu is held if anything is still being read.
func (m *member) believe() {
	for _, t := range m.doubtful {
		m.done(t, true)
	}
	m.doubtful = nil
}

// done notes that a task is done. For a row that is gone, no state says that its children were sent, because the row may come back. It is asked for
// again in the next sync if that asks for all rows or for all unknown ones, and otherwise for as long as it holds back the mark. m.mu is held.
func (m *member) done(t task, gone bool) {
	switch {
	case t.removed:
		m.keep(t.key)
	case !gone && t.key != "": // rows without a key are not the same row
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

// wrongRoute returns the error for a child whose path finds nothing for any of the rows that its parent lists.
func (m *member) wrongRoute() error {
	return fault.Configf("%s lists rows, and none of the %d that %s asked for at %s is there. Check the address and what the account may "+
		"read; if both are right, the API has another route for them.", m.Child.Of, m.missing, m.Name, m.Child.Path)
}

// routes fails each child whose rows are all gone because its path does not exist. A child that this account does not have is read as empty, unless
// it answered for some of the rows. routes is called after everything has been read, so no other goroutine uses the members.
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

// allGone reports whether m's path finds nothing for any row of its parent, given that the rows asked for are gone. It asks for a row that is listed
// now and is not in m.gone, and reports whether that is gone too. If there is no such row, it reports whether one of m.gone is still listed.
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
	for range details { // only the end matters
	}
	return end.Kind == listing.Gone, end.Err
}
