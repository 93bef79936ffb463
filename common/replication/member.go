package replication

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/state"
)

// checkpointEvery is the least time between two states of one stream, but for the last.
const checkpointEvery = 10 * time.Second

// latest is the last time that a state can say, whose years have four digits: 9999-12-31T23:59:59Z, in seconds since 1970.
const latest = 253402300799

// member is one selected stream of a family: what it still needs, what it has sent, and its state.
type member struct {
	*Stream
	family *family
	bound  time.Time // rows before it are not sent, but for open ones; not before Cursor.Start
	future time.Time // the state's mark, when it is so far after now that no clock made it: nothing is read; zero: it is not

	mu      sync.Mutex // held while records are sent and while what follows changes, so that a state never overtakes its records
	doc     state.Doc  // as it came, with the running cycle
	removed *state.Set // keys sent as removed that were in the listing of this cycle
	known   *state.Set // keys of the rows that came, with Cursor.Snapshot
	saved   time.Time  // when the last state was sent
	resumed bool       // the cycle was begun by an earlier run
	listed  bool       // rows of the listing, which are not removed, came in this run
	absent  bool       // the account does not have it, or what it is made from
	misfit  bool       // a row could not be sent: from then on nothing is noted as sent
	err     error      // why the stream cannot be completed
	maker
	parents
	tally
}

// aheadMost is how long after now a mark may be for the API's clock to have made it.
const aheadMost = 48 * time.Hour

// resume sets where m begins, from the state that it was handed. A full refresh takes nothing but its own unfinished pass, and no mark. An
// incremental sync takes the mark and what the state says of removed rows and of parents, and the unfinished pass too where it is one that
// sends the same rows. Of a state of another choice it takes nothing.
func (m *member) resume() {
	doc, incremental, now := m.State, m.Mode == protocol.Incremental, m.family.Began
	if doc.Choice != m.Choice {
		if incremental && !doc.Mark.IsZero() || doc.Cycle != nil {
			m.family.Log.Warn(m.Name + ": the state is of a sync that was configured to ask for other rows, or for other fields; all rows are read again")
		}
		doc = state.Doc{}
	}
	if !incremental {
		doc.Mark = time.Time{}
	}
	m.bound = m.Cursor.Start
	if from := doc.Mark.Add(-m.Cursor.Margin); !doc.Mark.IsZero() && from.After(m.bound) {
		m.bound = from
	}
	cycle := doc.Cycle
	doc.Cycle = &state.Cycle{Mode: m.Mode, From: m.bound, StartDate: m.Cursor.Start, Start: now.UTC(), Done: &state.Set{}}
	m.removed, m.known = &state.Set{}, &state.Set{}
	switch begun := cycle != nil && (len(cycle.Slices) > 0 || cycle.Done.Len() > 0 || cycle.Place != nil); {
	case doc.Mark.After(now.Add(aheadMost)):
		m.future, doc.Mark = doc.Mark, now.Truncate(time.Second)
	case begun && m.Cursor.Name != "" && cycle.Continues(m.Mode, m.bound, m.Cursor.Start):
		m.resumed = true
		if doc.Cycle = cycle; cycle.Start.After(now) {
			cycle.Start = now.UTC()
		}
		if cycle.Done == nil {
			cycle.Done = &state.Set{}
		}
		if doc.Removed != nil && slices.Contains(cycle.Slices, removedSlice) {
			m.removed = doc.Removed
		}
	case !incremental:
		doc = state.Doc{Cycle: doc.Cycle}
	case cycle != nil && cycle.Mode != m.Mode: // what its keys stand for was sent by a full refresh that never ended, or it is not known by what
		if doc.Removed = nil; doc.Parents == nil && m.readsAll() {
			doc.Parents = &state.Set{}
		}
	}
	doc.Choice = m.Choice
	m.doc = doc
}

// wants reports whether a row of the origin's listing, read in slice, is one that m sends or, for a child, asks for.
func (m *member) wants(sl slice, r listing.Row) bool {
	if m.err != nil {
		return false
	}
	if sl.Removed {
		if m.doc.Removed.Has(r.Key) {
			m.keep(r.Key)
			switch {
			case !m.doc.Mark.IsZero():
				return !r.Until.Before(m.bound)
			case m.resumed: // it was sent in this very pass
				return false
			}
		}
		return m.changed(r, m.Cursor.Start)
	}
	bound := m.bound
	if m.Cursor.Snapshot && r.Key != "" {
		m.known.Add(r.Key)
		bound = m.since(r.Key)
	}
	back := m.family.Removed && m.doc.Removed.Has(r.Key)
	if back { // it may be removed again
		m.doc.Removed.Remove(r.Key)
		bound = m.Cursor.Start
	}
	if m.Child != nil && !back && m.doc.Cycle.Done.Has(r.Key) {
		m.pass(r.Time)
		return false
	}
	if m.readsAll() || m.changed(r, bound) {
		return true
	}
	return m.Child != nil && m.Child.Always != nil && m.changed(r, m.Cursor.Start) && m.Child.Always(r.Data.Raw())
}

// readsAll reports whether m asks for every row of its parent, changed or not, and filters its own rows.
func (m *member) readsAll() bool { return m.Child != nil && !m.Child.Follows }

// changed reports whether r may have changed at or after bound: by its time, where that is the one to tell, or as an open row, which is not from
// before the cursor's start.
func (m *member) changed(r listing.Row, bound time.Time) bool {
	return m.Cursor.Other || r.Time.IsZero() || !r.Until.Before(bound) || r.Open && !r.Until.Before(m.Cursor.Start)
}

// since returns the moment from which the row with key, or rows of the parent with key, are sent: the mark does not speak for one unknown then.
func (m *member) since(key string) time.Time {
	if m.doc.Parents != nil && !m.doc.Parents.Has(key) {
		return m.Cursor.Start
	}
	return m.bound
}

// keep notes that the row with key is known as removed. m.mu is held.
func (m *member) keep(key string) {
	switch {
	case key == "":
	case m.removed.Len() < RemovedKept:
		m.removed.Add(key)
	case !m.removed.Has(key):
		m.crowded = true
	}
}

// pass notes the time of a row that was sent or passed over. m.mu is held.
func (m *member) pass(t time.Time) {
	if t.Unix() > latest {
		t = time.Unix(latest, 0).UTC()
	}
	if t.After(m.doc.Cycle.Max) {
		m.doc.Cycle.Max = t
	}
}

// misfits notes that a row cannot be sent, and why: the others are, and the stream fails in the end. m.mu is held.
func (m *member) misfits(format string, args ...any) {
	if m.misfit = true; m.err == nil {
		m.err = fault.Systemf(format, args...)
	}
}

// reached notes how far the slice that is being read has come, unless a row of it could not be sent: to a place, or to its end, which done is; with
// neither that is not known any more. late is as in notLaterThan.
func (m *member) reached(place *state.Place, done *slice, late time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notLaterThan(late)
	switch {
	case place == nil && done == nil:
		m.doc.Cycle.Place = nil
		return nil
	case m.misfit:
		return nil
	case done != nil:
		m.doc.Cycle.Slices = append(m.doc.Cycle.Slices, done.id)
	}
	m.doc.Cycle.Place = place
	return m.checkpoint()
}

// checkpoint sends a state in the middle of a cycle, if the last one is long enough ago. m.mu is held.
func (m *member) checkpoint() error {
	if time.Since(m.saved) < checkpointEvery {
		return nil
	}
	m.saved = time.Now()
	return m.save(m.partial())
}

// partial returns the state in the middle of a cycle. m.mu is held.
func (m *member) partial() state.Doc {
	doc := m.doc
	doc.Removed = &state.Set{}
	doc.Removed.AddAll(m.removed)
	doc.Removed.AddAll(m.doc.Removed) // they may be back in what is still to be read
	return doc
}

// final returns the state at the end of a cycle, or with a mark in the future the one that came, as resume left it. m.mu is held.
func (m *member) final() state.Doc {
	if !m.future.IsZero() {
		doc := m.doc
		doc.Cycle = nil
		return doc
	}
	c := m.doc.Cycle
	reached, start := c.Max, c.Start
	if reached.Nanosecond() == 0 { // the API's clock shows whole seconds: what changes within the one that is running shows its beginning
		start = start.Truncate(time.Second)
	}
	if m.Cursor.Hidden && !m.absent || reached.After(start) { // what is not there says nothing of what it will have
		reached = start
	}
	if !c.Late.IsZero() && reached.After(c.Late) {
		reached = c.Late
	}
	doc := state.Doc{Mark: m.doc.Mark, Removed: m.removed, Choice: m.Choice}
	switch {
	case m.readsAll():
		doc.Parents = c.Done
		doc.Parents.RemoveAll(&m.childless)
	case m.Cursor.Snapshot:
		if doc.Parents = m.known; m.resumed && m.family.filter.distrusted.IsZero() { // what an earlier run read came as well
			doc.Parents.AddAll(m.doc.Parents)
		}
	}
	asked := !m.Cursor.Start.After(start) // else nothing between the mark and now was, and it may be once the start date is corrected
	if m.Cursor.Name != "" && asked && reached.After(doc.Mark) {
		doc.Mark = reached
	}
	return doc
}

// save sends a state, behind the records that it stands for; a stream without rows begins to run with it. m.mu is held.
func (m *member) save(doc state.Doc) error {
	if err := m.out.Flush(); err != nil {
		return err
	}
	if err := m.family.Out.Status(m.Descriptor, protocol.Running); err != nil {
		return err
	}
	raw, err := doc.Encode(m.Cursor.Name, m.Cursor.Zone)
	if err != nil {
		return fmt.Errorf("writing the state of %s: %w", m.Name, err)
	}
	return m.family.Out.Checkpoint(m.Descriptor, raw)
}

// fail notes why the stream cannot be completed; the first reason is kept.
func (m *member) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = cmp.Or(m.err, err)
}

// end sends the last state, what is worth a warning, and the status, and returns why the stream is incomplete, if it is.
func (m *member) end(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checkKeys()
	m.warn()
	if m.err != nil {
		saved := m.save(m.partial())
		if err := errors.Join(saved, m.family.Out.Status(m.Descriptor, protocol.Incomplete)); err != nil {
			return err
		}
		if ctx.Err() == nil { // otherwise all streams stop for the same reason, which is told once
			if err := m.family.Out.Failure(m.err, &m.Descriptor); err != nil {
				return err
			}
		}
		return m.err
	}
	if err := m.save(m.final()); err != nil {
		return err
	}
	return m.family.Out.Status(m.Descriptor, protocol.Complete)
}
