package replication

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/state"
)

// family is the running read of a Family.
type family struct {
	*Sync
	*Family
	members  []*member     // all members; those with a mark in the future are in neither of the next two
	direct   []*member     // made from the listing's own rows: the root stream and those exploded from it
	children []*member     // read with requests of their own, one listing for each row
	branches [][]*member   // the children, grouped by the answers they are made from
	seen     *listing.Seen // the rows of the slices read so far; nil if there is only one reading
	spans    spans         // used if the listing is read window by window
	filter   filter
	came     bool     // at least one page came
	lacking  []string // the slices that the account does not have, unless the listing is read without them
	picks    []string // paths of the values that the exploded streams need from each row
	whole    []slice  // the slices read completely, if a row may move from one to another
	promised int64    // number of rows announced for the slices read so far
	pool     *pool
	err      error // why the listing could not be read
}

// filter is what is known of the API's filter by time of change.
type filter struct {
	asked      bool      // changes were asked for
	changes    bool      // and some came
	ignored    bool      // rows came that had not changed since then; the user was told
	refused    bool      // the API refuses the filter
	denial     error     // the error, if the filter may not be its cause; nil once a page came
	distrusted time.Time // the time from which changes were asked for before everything was read instead; zero: the filter is trusted
	warned     bool      // the user was told that everything is read
}

func (s *Sync) family(of *Family) *family {
	f := &family{Sync: s, Family: of}
	for i := range of.Streams {
		m := &member{Stream: &of.Streams[i], family: f, saved: s.Began}
		m.prepare()
		m.resume()
		if m.Child == nil {
			f.direct = append(f.direct, m)
		} else {
			f.children = append(f.children, m)
		}
	}
	f.members = slices.Concat(f.direct, f.children)
	idle := func(m *member) bool { return !m.future.IsZero() }
	f.direct, f.children = slices.DeleteFunc(f.direct, idle), slices.DeleteFunc(f.children, idle)
	for _, m := range f.direct {
		if m.Explode != nil && m.Explode.Within == "" { // the listing picks the values from each row
			m.picks, f.picks = len(f.picks), append(f.picks, m.paths...)
		}
	}
	for _, m := range f.children {
		branch := slices.IndexFunc(f.branches, func(b []*member) bool { return b[0].Child.Name == m.Child.Name })
		if branch < 0 {
			branch = len(f.branches)
			f.branches = append(f.branches, nil)
		}
		f.branches[branch] = append(f.branches[branch], m)
	}
	return f
}

// open returns the listing to read for a slice.
func (f *family) open(sl slice) listing.Listing {
	l := f.Open(sl.Question)
	l.Waiting, l.Seen, l.Picks, l.Part, l.Refusable = f.waiting, f.seen, f.picks, !sl.From.IsZero(), sl.set.Maybe || !sl.From.IsZero()
	if f.Windows != nil && f.seen == nil {
		f.spans.begin(&l, sl.Set)
	}
	return l
}

// absent reports whether the account lacks the listing, or a slice that the listing is not read without.
func (f *family) absent() bool { return len(f.lacking) > 0 }

// removedSlice is the name of the reading of removed rows in states.
const removedSlice = "removed"

// slice is one reading of a family's listing.
type slice struct {
	Question
	id     string // its name in states
	set    Set
	direct []*member // the members of family.direct that it is read for
	tries  int       // with Undated, the number of failed attempts
	rows   int64     // the announced number of rows, from listing.End
}

// read reads the family as far as its streams need it. An error that concerns all of them is kept in f.err.
func (f *family) read(ctx context.Context) {
	f.err = fault.Safely(func() error {
		for _, m := range f.members {
			if err := f.Out.Status(m.Descriptor, protocol.Started); err != nil {
				return err
			}
		}
		return f.readListing(ctx)
	})
}

// end sends the last messages of each of the family's streams and returns the joined reasons why streams are incomplete.
func (f *family) end(ctx context.Context) error {
	var failures []error
	for _, m := range f.members {
		if f.err != nil && m.future.IsZero() {
			m.fail(f.err)
		}
		failures = append(failures, m.end(ctx))
	}
	return errors.Join(failures...)
}

// missing handles a family whose listing this account seems not to have. The family is read as empty if the API answers any other request.
func (f *family) missing(ctx context.Context) {
	if f.err == nil && !f.Reader.Answered() {
		f.err = f.Alive(ctx, f.waiting)
	}
	if f.err != nil {
		return
	}
	for _, m := range f.members {
		what := "it"
		if m.Name != f.Name {
			what = f.Name + ", which it is made from"
		}
		f.Log.Warn(m.Name + ": this account does not have " + what + "; it is read as empty")
		m.absent = true
	}
}

// readListing reads the slices of the family's listing and the children of their rows. The error concerns every stream of the family.
func (f *family) readListing(ctx context.Context) error {
	if len(f.direct)+len(f.children) == 0 {
		return nil
	}
	f.pool = f.newPool(ctx)
	err := fault.Safely(func() (err error) {
		for again := true; again && err == nil; {
			again, err = f.readSlices(ctx)
		}
		return err
	})
	f.pool.end(ctx, err)
	if err = cmp.Or(err, context.Cause(ctx)); err != nil {
		return err
	}
	came := f.came || slices.ContainsFunc(f.members, func(m *member) bool { return m.resumed })
	switch {
	case !f.absent() || !came:
	case f.Apart:
		for _, m := range f.members {
			f.Log.Warn(fmt.Sprintf("%s: this account does not have a part of what it is made from (%s); it is read without", m.Name,
				strings.Join(f.lacking, ", ")))
		}
		f.lacking = nil
	default:
		return fault.Laterf("The API says of a part of %s that this account does not have it, and not of another.",
			f.Name)
	}
	return f.routes(ctx)
}

// readSlices reads one slice after the other. again says that they must be read again without the filter for changes, because the API refuses it or
// its answer is not trusted.
func (f *family) readSlices(ctx context.Context) (again bool, err error) {
	f.whole, f.lacking, f.promised = nil, nil, 0
	for _, sl := range f.slices() {
		if again, err = f.slice(ctx, sl); again || err != nil {
			return again, err
		}
	}
	if f.filter.asked && f.filter.distrusted.IsZero() && !f.filter.refused && !f.absent() && f.doubted() {
		f.filter.distrusted = f.from() // from now on everything is read
		f.unread(func(id string) bool { return id != removedSlice })
		return true, nil
	}
	if err = f.revisit(ctx); err != nil { // rows that moved between slices may be missing
		f.unread(func(id string) bool {
			return slices.ContainsFunc(f.whole, func(sl slice) bool { return sl.id == id })
		})
	}
	return false, err
}

// doubted reports whether the request for changes may have missed rows. It may if no change came, not even the row that changed last: unless that row
// was deleted, the API understands the filter differently. It also may if a stream has new rows that the API does not count as changed.
func (f *family) doubted() bool {
	silent := !f.filter.changes && !slices.ContainsFunc(f.members, func(m *member) bool {
		return m.resumed && m.doc.Cycle.Records > 0 || m.Cursor.Hidden
	})
	return silent || slices.ContainsFunc(f.members, func(m *member) bool { return m.Cursor.Snapshot && !m.doc.Mark.IsZero() })
}

// unread forgets that the slices whose id again accepts have been read.
func (f *family) unread(again func(id string) bool) {
	for _, m := range f.direct {
		m.mu.Lock()
		m.doc.Cycle.Slices = slices.DeleteFunc(m.doc.Cycle.Slices, again)
		m.mu.Unlock()
	}
}

// revisit reads each slice but the last a second time. A row that moved to an earlier slice after that was read appears in neither.
func (f *family) revisit(ctx context.Context) error {
	for _, sl := range f.whole[:max(0, len(f.whole)-1)] {
		sl.direct = f.direct
		l := f.open(sl)
		l.Had = sl.rows
		pages, end := f.Reader.Read(ctx, l)
		for page := range pages {
			page.Place, page.Mended = nil, listing.Mended{} // both are known from the first reading
			if err := f.page(ctx, page, sl); err != nil {
				return err
			}
		}
		if end.Kind != listing.Done {
			return cmp.Or[error](end.Err, fault.Laterf("The API answered for a part of %s, and then that the account does not have it.", f.Name))
		}
		f.notLaterThan(f.direct, end.Late)
	}
	return nil
}

// slice reads one slice. refused says that the API refuses the request for changes.
func (f *family) slice(ctx context.Context, sl slice) (refused bool, err error) {
	sl.direct = slices.DeleteFunc(slices.Clone(f.direct), func(m *member) bool { return slices.Contains(m.doc.Cycle.Slices, sl.id) })
	f.filter.asked = f.filter.asked || !sl.From.IsZero() // by this run, or by an earlier one that read the slice
	if len(sl.direct)+len(f.children) == 0 {
		return false, nil
	}
	if err = f.answering(ctx, sl); err != nil {
		return false, err
	}
	l := f.open(sl)
	l.Again, l.From = sl.Removed, (*listing.Place)(f.resumeAt(sl.direct))
	l.Optional = l.Optional && !sl.Undated
	pages, end := f.Reader.Read(ctx, l)
	first := true
	for page := range pages {
		if first && page.Total > 0 && sl.tries == 0 {
			f.estimate(page.Total)
		}
		first = first && page.Anew
		if err := f.page(ctx, page, sl); err != nil {
			return false, err
		}
	}
	switch {
	case end.Kind == listing.Done:
		if sl.rows = end.Rows; f.seen != nil {
			f.whole = append(f.whole, sl)
		}
	case end.Kind == listing.Absent:
		f.lacking = append(f.lacking, sl.id)
		return false, nil
	case end.Kind == listing.Refused && !sl.set.Maybe, end.Denied && !sl.From.IsZero() && first:
		if f.filter.refused = true; end.Denied {
			f.filter.denial = end.Err
		}
		f.Reader.Forget(f.Name) // the filter may be what was refused, and not the way of paging
		return true, nil
	case end.Kind == listing.Refused:
		if err := f.Alive(ctx, f.waiting); err != nil { // the API may have refused the credentials
			return false, err
		}
		f.Log.Info(fmt.Sprintf("%s: the API refuses %s, which it need not know; what comes by that alone is not read", f.Name, sl.set.Name))
	case end.Kind == listing.Failed && sl.Undated:
		return false, f.undated(ctx, sl, end.Err)
	case end.Kind == listing.Failed:
		return false, cmp.Or(f.filter.denial, end.Err)
	}
	f.notLaterThan(nil, end.Late)
	for _, m := range sl.direct {
		if err := m.reached(nil, &sl, end.Late); err != nil {
			return false, err
		}
	}
	return false, nil
}

// answering returns nil once the API is known to accept the credentials, if sl may be refused: bad credentials must not pass for a refusal of sl.
func (f *family) answering(ctx context.Context, sl slice) error {
	if !sl.set.Maybe || f.Reader.Answered() {
		return nil
	}
	return f.Alive(ctx, f.waiting)
}

// estimate announces the rows of another slice to the platform.
func (f *family) estimate(rows int64) {
	f.promised += rows
	for _, m := range f.direct {
		if m.Explode == nil {
			_ = f.Out.Estimate(m.Descriptor, f.promised) // a failed write shows at the next record
		}
	}
}

// page sends the wanted rows of a page and queues the requests for their children.
func (f *family) page(ctx context.Context, page listing.Page, sl slice) error {
	f.came, f.filter.denial = true, nil
	if f.Windows != nil {
		page.Rows = f.spans.drop(f.Windows, page.Rows, f.Began)
	}
	if f.filter.refused && !f.filter.warned {
		f.filter.warned = true
		f.Log.Warn(f.Name + ": the API does not take the filter by time of change; everything is read in each sync")
	}
	for _, m := range slices.Concat(sl.direct, f.children) {
		m.begin(page)
	}
	if err := sl.take(page.Rows); err != nil {
		return err
	}
	for _, r := range page.Rows {
		f.check(sl, r)
		for _, branch := range f.branches {
			if err := f.pool.ask(ctx, branch, sl, r); err != nil {
				return err
			}
		}
	}
	if page.Place == nil && !page.Anew {
		return nil
	}
	for _, m := range sl.direct {
		if err := m.reached((*state.Place)(page.Place), nil, page.Late); err != nil {
			return err
		}
	}
	return nil
}

// notLaterThan keeps the marks of these members and of all children from passing late. If late is zero, it does nothing.
func (f *family) notLaterThan(direct []*member, late time.Time) {
	for _, m := range slices.Concat(direct, f.children) {
		m.mu.Lock()
		m.notLaterThan(late)
		m.mu.Unlock()
	}
}

// resumeAt returns the earliest of the members' places in a slice. It returns nil if a member has none, if the places belong to different listings,
// or if the family has children, which need the rows before the place.
func (f *family) resumeAt(members []*member) (place *state.Place) {
	if len(f.children) > 0 {
		return nil
	}
	for _, m := range members {
		own := m.doc.Cycle.Place
		if own == nil || place != nil && own.Of != place.Of {
			return nil
		}
		if place == nil || own.Rows < place.Rows {
			place = own
		}
	}
	return place
}

// take sends what each member wants of the rows. The members run concurrently, because in turn they would delay the next page.
func (sl slice) take(rows []listing.Row) error {
	errs := make([]error, len(sl.direct))
	var wait sync.WaitGroup
	for i, m := range sl.direct {
		take := func() { errs[i] = fault.Safely(func() error { return m.take(sl, rows) }) }
		if i < len(sl.direct)-1 {
			wait.Go(take)
		} else {
			take()
		}
	}
	wait.Wait()
	return cmp.Or(errs...)
}

func (m *member) take(sl slice, rows []listing.Row) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range rows {
		m.count(r)
		if m.Cursor.Other && !sl.From.IsZero() && !r.Time.IsZero() && r.Until.Before(sl.From) {
			m.older++
		}
		of := sl
		of.Removed = sl.Removed && !r.Same // a row that also came with the listing is not removed: the API ignores the filter
		wanted := (!r.Same || !m.listed) && m.wants(of, r)
		if wanted {
			if err := m.sendOf(r, sl.set.Put); err != nil {
				return err
			}
		}
		if sl.Removed && (wanted || r.Same) {
			m.keep(r.Key)
		}
		m.pass(r.Time)
	}
	m.listed = m.listed || !sl.Removed
	return m.out.Flush()
}

// slices returns the readings of the listing: one for each set of parameters, or one for each window of a set, and one for removed rows.
func (f *family) slices() []slice {
	from, until := f.from(), f.Began
	if slices.ContainsFunc(f.members, func(m *member) bool { return m.doc.Mark.After(f.Began) }) {
		until = time.Time{} // the mark may come from the API's clock
	}
	asks := f.Changes && !from.IsZero() && !f.filter.refused && f.filter.distrusted.IsZero()
	if f.seen == nil && (f.Removed || f.Sets[0].Put == nil && (len(f.Sets) > 1 || asks)) { // after a refused request for changes everything is read
		f.seen = listing.NewSeen(f.Removed)
	}
	var all []slice
	for i, set := range f.Sets {
		sl := slice{id: set.Name, set: set, Question: Question{Set: i}}
		if asks {
			if !until.IsZero() && !from.Before(until) {
				continue // the start date is in the future
			}
			sl.From, sl.Until = from, until
		}
		if f.Windows == nil {
			all = append(all, sl)
			continue
		}
		for _, w := range f.Windows.cut(from, f.Began) {
			one := sl
			one.id, one.Window = sl.id+"@"+w.First.Format(time.DateOnly), w
			all = append(all, one)
		}
		if f.Windows.Undated && from.IsZero() {
			sl.id, sl.Undated = sl.id+"@", true
			all = append(all, sl)
		}
	}
	if f.Removed {
		all = append(all, slice{id: removedSlice, Question: Question{Removed: true}})
	}
	return all
}

// from returns the earliest time from which any member needs rows, less the lookback. It is zero if everything is needed.
func (f *family) from() (from time.Time) {
	for _, m := range slices.Concat(f.direct, f.children) {
		switch {
		case m.bound.IsZero(), m.readsAll(), m.Child != nil && m.Child.Always != nil:
			return time.Time{}
		case from.IsZero() || m.bound.Before(from):
			from = m.bound
		}
	}
	return from.Add(-f.Lookback)
}

// check notices rows from outside the requested time range, and changed rows that the API's filter left out. It warns of each once.
func (f *family) check(sl slice, r listing.Row) {
	const slack = 48 * time.Hour // for filters by day, in any time zone
	if r.Time.IsZero() {
		return
	}
	f.filter.changes = f.filter.changes || !sl.From.IsZero()
	if !f.filter.distrusted.IsZero() && !f.filter.warned && !sl.Removed && !r.Time.Before(f.filter.distrusted) {
		f.filter.warned = true
		f.Log.Warn(f.Name + ": the API's filter by time of change leaves out rows that changed; everything is read in each sync")
	}
	if f.filter.ignored || sl.From.IsZero() || !r.Time.Before(sl.From.Add(-slack)) {
		return
	}
	if f.filter.ignored = true; slices.ContainsFunc(f.direct, func(m *member) bool { return m.Cursor.Other }) {
		return // warn reports it at the end
	}
	f.Log.Warn(f.Name + ": the API ignores the filter by time of change; everything is read and filtered here")
}

// begin counts what was mended in a page. If the server's clock is behind ours, it also moves the cycle's start back to when the server began to
// answer, because no mark may be later than that.
func (m *member) begin(page listing.Page) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Child == nil {
		m.mended(page)
	}
	if now := m.family.Began; !page.Served.IsZero() && m.doc.Cycle.Start.Equal(now) {
		m.doc.Cycle.Start = m.doc.Cycle.Start.Add(-max(0, now.Truncate(time.Second).Sub(page.Served)))
	}
}

// notLaterThan keeps the mark from passing late. If late is zero, it does nothing. m.mu is held.
func (m *member) notLaterThan(late time.Time) {
	if c := m.doc.Cycle; !late.IsZero() && (c.Late.IsZero() || late.Before(c.Late)) {
		c.Late = late
	}
}

// waiting tells the platform that a request for the family's streams waits for a quota.
func (f *family) waiting(until time.Time) {
	for _, m := range f.members {
		_ = f.Out.RateLimited(m.Descriptor, until) // a failed write shows at the next record
	}
}
