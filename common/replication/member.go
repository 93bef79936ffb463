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

// checkpointEvery is the minimum time between two states of one stream. The last state does not wait for it.
const checkpointEvery = 10 * time.Second

// latest is the last time that a state can hold, because its years have four digits: 9999-12-31T23:59:59Z, in Unix seconds.
const latest = 253402300799

// member is one selected stream of a family: what it still needs, what it has sent, and its state.
type member struct {
	*Stream
	family *family
	bound  time.Time // earlier rows are not sent, except open ones; not before Cursor.Start
	future time.Time // the state's mark, if it is too far ahead to come from a clock: nothing is read; zero: it is not

	mu      sync.Mutex // guards what follows and is held while records are sent, so that a state never overtakes its records
	doc     state.Doc  // the state handed in, with the running cycle
	removed *state.Set // keys of the removed rows that came in this cycle
	known   *state.Set // with Cursor.Snapshot, keys of the rows that came
	saved   time.Time  // when the last state was sent
	resumed bool       // the cycle began in an earlier run
	listed  bool       // rows of the listing, not removed ones, came in this run
	absent  bool       // the account does not have the stream or what it is made from
	misfit  bool       // a row could not be sent; no later progress is recorded
	err     error      // why the stream cannot be completed
	maker
	parents
	tally
}

// aheadMost is how far in the future a mark may lie and still come from the API's clock.
const aheadMost = 48 * time.Hour

// resume sets where m begins, from the state handed in. A full refresh takes only its own unfinished pass, and no mark. An incremental sync takes the
// mark, the removed rows and the parents, and an unfinished pass if that sends the same rows. Nothing is taken from a state with another Choice.
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
	case cycle != nil && cycle.Mode != m.Mode: // a full refresh that never ended, or an unknown pass, sent the rows of these keys
		if doc.Removed = nil; doc.Parents == nil && m.readsAll() {
			doc.Parents = &state.Set{}
		}
	}
	doc.Choice = m.Choice
	m.doc = doc
}

// wants reports whether m sends a row of the family's listing, read in slice sl, or, if m is a child, asks for its children.
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
			case m.resumed: // this pass already sent it
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
	if back { // it may be removed again later
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

// readsAll reports whether m asks for every row of its parent, changed or not, and filters the rows it gets.
func (m *member) readsAll() bool { return m.Child != nil && !m.Child.Follows }

// changed reports whether r may have changed at or after bound. That is so if its time says so, if its time is missing or says nothing about changes,
// or if r is open and not from before the cursor's start.
func (m *member) changed(r listing.Row, bound time.Time) bool {
	return m.Cursor.Other || r.Time.IsZero() || !r.Until.Before(bound) || r.Open && !r.Until.Before(m.Cursor.Start)
}

// since returns the time from which the row with key, or the rows of the parent with key, are sent. The mark does not cover a key that was unknown
// when it was made.
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

// pass notes the time of a row that was sent or skipped. m.mu is held.
func (m *member) pass(t time.Time) {
	if t.Unix() > latest {
		t = time.Unix(latest, 0).UTC()
	}
	if t.After(m.doc.Cycle.Max) {
		m.doc.Cycle.Max = t
	}
}

// misfits notes that a row cannot be sent, and why. The other rows are sent, and the stream fails at the end. m.mu is held.
func (m *member) misfits(format string, args ...any) {
	if m.misfit = true; m.err == nil {
		m.err = fault.Systemf(format, args...)
	}
}

// reached records the progress of the current slice, unless a row of it could not be sent: either a place, or done if the slice has ended. With
// neither, the progress is no longer known. late is as in notLaterThan.
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

// checkpoint sends a state in the middle of a cycle if the last one is at least checkpointEvery ago. m.mu is held.
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
	doc.Removed.AddAll(m.doc.Removed) // they may be back in what has not been read yet
	return doc
}

// final returns the state at the end of a cycle. If the mark is in the future, it returns the state as resume left it. m.mu is held.
func (m *member) final() state.Doc {
	if !m.future.IsZero() {
		doc := m.doc
		doc.Cycle = nil
		return doc
	}
	c := m.doc.Cycle
	reached, start := c.Max, c.Start
	if reached.Nanosecond() == 0 { // the API's clock shows whole seconds: a later change in the running second shows the same time
		start = start.Truncate(time.Second)
	}
	if m.Cursor.Hidden && !m.absent || reached.After(start) { // an absent stream says nothing of the rows it may have later
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
	asked := !m.Cursor.Start.After(start) // otherwise no time after the mark was asked for, and it may be once the start date is corrected
	if m.Cursor.Name != "" && asked && reached.After(doc.Mark) {
		doc.Mark = reached
	}
	return doc
}

// save sends a state after the records that it covers. For a stream without rows, it also sends the status RUNNING. m.mu is held.
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

// fail notes why the stream cannot be completed. The first reason is kept.
func (m *member) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = cmp.Or(m.err, err)
}

// end sends the last state, the warnings and the status. It returns why the stream is incomplete, or nil.
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
		if ctx.Err() == nil { // otherwise all streams stop for the same reason, which is reported once
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
