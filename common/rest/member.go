package rest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/state"
)

// checkpointEvery is the least time between two states of one stream, but for the last.
const checkpointEvery = 10 * time.Second

// keptBuffer is the largest buffer that is kept for the next record.
const keptBuffer = 1 << 20

// member is one selected stream of a family: what it still needs, what it has sent, and its state.
type member struct {
	*Stream
	run         *run
	desc        protocol.Descriptor
	incremental bool
	shape       *record.Shape
	lone        bool       // the shape brings the row's time of change into form and does nothing else
	start       time.Time  // rows before it are not sent, ever; zero: all are
	bound       time.Time  // rows before it are not sent, but for open ones; not before start
	ahead       bool       // the mark is after now, as the API's clock may have made it
	future      *time.Time // the state's mark, when it is so far after now that no clock made it: nothing is read

	mu       sync.Mutex // held while records are sent and while what follows changes, so that a state never overtakes its records
	doc      state.Doc  // as it came, with the running cycle
	removed  *state.Set // keys sent as removed that were in the listing of this cycle
	late     time.Time  // the mark may not pass it: a row that changed while it was read was sent as it was before; zero: no limit
	saved    time.Time  // when the last state was sent
	missing  int64      // parents' rows that have gone
	gone     []string   // the keys of the first of them
	answered bool       // a parent's row had not gone
	lacking  bool       // the account does not have what is asked for
	unasked  bool       // the API refuses to be asked for changes
	unnamed  int64      // parents' rows that lack a parameter of the request
	replaced int64      // bytes that were not UTF-8
	control  int64      // control characters that were not escaped
	err      error      // why the stream cannot be completed
	buf      []byte
}

// member makes the member for a configured stream from its state.
func (r *run) member(s *Stream, configured protocol.ConfiguredStream, input state.Input) (*member, error) {
	m := &member{
		Stream: s, run: r, desc: configured.Descriptor(), incremental: configured.SyncMode == protocol.Incremental,
		shape: s.shape(), saved: r.now,
	}
	name := s.Cursor.name()
	doc, err := state.Decode(s.Name, input[m.desc], name, s.Cursor.layouts(), s.Cursor.zone())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	field, lone := m.shape.Lone()
	m.lone = lone && field == name && s.Cursor.Field == name
	m.resume(doc, configured.SyncMode)
	return m, nil
}

// aheadMost is how long after now a mark may be for the API's clock to have made it.
const aheadMost = 48 * time.Hour

// resume sets where m begins, from the state that it was handed. A full refresh takes nothing but its own unfinished pass, and no mark. An
// incremental sync takes the mark and what the state says of removed rows and of parents, and the unfinished pass too where it is one that
// sends the same rows.
func (m *member) resume(doc state.Doc, mode protocol.SyncMode) {
	now := m.run.now
	m.start = m.Cursor.start()
	if !m.incremental {
		doc.Mark = time.Time{}
	}
	m.bound = m.start
	if from := doc.Mark.Add(-m.Cursor.margin()); !doc.Mark.IsZero() && from.After(m.bound) {
		m.bound = from
	}
	m.ahead = doc.Mark.After(now)
	cycle := doc.Cycle
	doc.Cycle = &state.Cycle{Mode: mode, From: m.bound, StartDate: m.start, Start: now.UTC(), Done: &state.Set{}}
	m.removed = &state.Set{}
	switch begun := cycle != nil && (len(cycle.Slices) > 0 || cycle.Done.Len() > 0 || cycle.Place != nil); {
	case doc.Mark.After(now.Add(aheadMost)):
		mark := doc.Mark
		m.future, doc.Mark = &mark, now.Truncate(time.Second)
	case begun && m.Cursor != nil && cycle.Continues(mode, m.bound, m.start):
		m.late = cycle.Late
		if doc.Cycle = cycle; cycle.Start.After(now) {
			cycle.Start = now.UTC()
		}
		if cycle.Done == nil {
			cycle.Done = &state.Set{}
		}
		if doc.Removed != nil && slices.Contains(cycle.Slices, removedSlice) {
			m.removed = doc.Removed
		}
	case !m.incremental:
		doc = state.Doc{Cycle: doc.Cycle}
	case cycle != nil && cycle.Mode != mode: // what its keys stand for was sent by a full refresh that never ended, or it is not known by what
		if doc.Removed = nil; doc.Parents == nil && m.readsAll() {
			doc.Parents = &state.Set{}
		}
	}
	m.doc = doc
}

// shape is the stream's edits compiled; a cursor field leaves as RFC 3339 unless an edit of the stream's own sees to it.
func (s *Stream) shape() *record.Shape {
	edits := s.Shape
	name := s.Cursor.name()
	own := slices.ContainsFunc(edits, func(e record.Edit) bool {
		t, ok := e.(record.Time)
		return ok && t.Field == name
	})
	if name != "" && !own {
		edits = append(slices.Clip(edits), record.Time{Field: name, Layouts: s.Cursor.layouts(), Zone: s.Cursor.zone()})
	}
	return record.Compile(edits...)
}

// wants is whether a row of the origin's listing, read in slice, is one that m sends or, for a child, asks for.
func (m *member) wants(sl slice, r listing.Row) bool {
	if m.err != nil || m.future != nil {
		return false
	}
	if sl.removed {
		if m.doc.Removed.Has(r.Key) {
			m.keep(r.Key)
			return !m.doc.Mark.IsZero() && !r.Until.Before(m.bound) // without a mark it was sent in this very pass
		}
		return since(r, m.start, m.start)
	}
	if m.Parent != nil && m.doc.Cycle.Done.Has(r.Key) {
		m.seen(r.Time)
		return false
	}
	return m.readsAll() || since(r, m.bound, m.start) || m.asksAlways(r)
}

// readsAll is whether m asks for every row of its parent, changed or not, and filters its own rows.
func (m *member) readsAll() bool { return m.Parent != nil && !m.Parent.Follows }

// asksAlways is whether m asks for the row of its parent although it did not change.
func (m *member) asksAlways(r listing.Row) bool {
	return m.Parent != nil && m.Parent.Always != nil && since(r, m.start, m.start) && m.Parent.Always(r.Data)
}

// since is whether r may have changed at or after bound, as far as its time of change tells. An open row may, if it is not from before start.
func since(r listing.Row, bound, start time.Time) bool {
	return r.Time.IsZero() || !r.Until.Before(bound) || r.Open && !r.Until.Before(start)
}

// since is the moment from which rows of the parent with key are sent. What the mark says was not said of a parent that was unknown then.
func (m *member) since(parent string) time.Time {
	if m.doc.Parents != nil && !m.doc.Parents.Has(parent) {
		return m.start
	}
	return m.bound
}

// keep notes that the row with key is known as removed. m.mu is held.
func (m *member) keep(key string) {
	if key != "" && m.removed.Len() < RemovedKept {
		m.removed.Add(key)
	}
}

// seen notes the time of a row that was sent or passed over. m.mu is held.
func (m *member) seen(t time.Time) {
	if t.After(m.doc.Cycle.Max) {
		m.doc.Cycle.Max = t
	}
}

// send sends one record. m.mu is held.
func (m *member) send(r listing.Row, put ...record.Member) error {
	data := r.Data
	if m.Map != nil {
		mapped, err := m.Map(data)
		if err != nil {
			return fmt.Errorf("mapping a row of %s: %w", m.Name, err)
		}
		if mapped == nil {
			return nil
		}
		data = mapped
	}
	switch {
	case m.lone && len(put) == 0 && m.Map == nil && r.At.Exists():
		m.buf = m.shape.Splice(m.buf[:0], data, r.At)
		data = m.buf
	case m.shape != nil || len(put) > 0:
		m.buf = m.shape.Append(m.buf[:0], data, put...)
		data = m.buf
	}
	if err := m.run.out.Record(m.desc, data); err != nil {
		return err
	}
	if cap(m.buf) > keptBuffer {
		m.buf = nil
	}
	m.doc.Cycle.Records++
	return nil
}

// explode sends the rows that lie in an array of the parent's row. m.mu is held.
func (m *member) explode(parent listing.Row, put ...record.Member) error {
	if name := m.Cursor.name(); name != "" && !parent.Time.IsZero() {
		at := parent.At
		if !at.Exists() { // the row is a copy
			at = parent.Data.Get(m.Cursor.Field)
		}
		put = append(slices.Clip(put), record.Member{Name: name, Value: at.Raw()}) // the shape brings it into form
	}
	return m.Explode.parts(parent.Data, func(element, in record.Record, i int) error {
		members := append(m.Explode.puts(in, parent.Data), put...)
		if m.Explode.Position != "" {
			members = append(members, record.Member{Name: m.Explode.Position, Value: strconv.AppendInt(nil, int64(i), 10)})
		}
		if m.Map == nil {
			return m.send(listing.Row{Data: element}, members...)
		}
		var unshaped *record.Shape // Map sees what is put, too
		return m.send(listing.Row{Data: unshaped.Append(nil, element, members...)})
	})
}

// puts is the members that are put into records from the parent's row. Their values are copies: they outlive the parent's page.
func puts(parent record.Record, members map[string]string) []record.Member {
	put := make([]record.Member, 0, len(members)+2)
	for name, path := range members {
		value := parent.Get(path).Raw()
		if value == nil {
			value = []byte("null")
		}
		put = append(put, record.Member{Name: name, Value: slices.Clone(value)})
	}
	slices.SortFunc(put, func(a, b record.Member) int { return cmp.Compare(a.Name, b.Name) })
	return put
}

// reached notes how far the slice that is being read has come; nil: that is not known any more. The mark may not pass late, unless that is
// zero.
func (m *member) reached(place *state.Place, late time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notLaterThan(late)
	if m.doc.Cycle.Place = place; place == nil {
		return nil
	}
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

// partial is the state in the middle of a cycle. m.mu is held.
func (m *member) partial() state.Doc {
	doc, cycle := m.doc, *m.doc.Cycle
	cycle.Late = m.late
	doc.Cycle, doc.Removed = &cycle, &state.Set{}
	doc.Removed.AddAll(m.removed)
	if !slices.Contains(doc.Cycle.Slices, removedSlice) {
		doc.Removed.AddAll(m.doc.Removed)
	}
	return doc
}

// final is the state at the end of a cycle. m.mu is held.
func (m *member) final() state.Doc {
	c := m.doc.Cycle
	reached, start := c.Max, c.Start
	if reached.Nanosecond() == 0 { // the API's clock shows whole seconds: what changes within the one that is running shows its beginning
		start = start.Truncate(time.Second)
	}
	if m.Cursor != nil && m.Cursor.Hidden {
		reached = start
	}
	if reached.After(start) {
		reached = start
	}
	if !m.late.IsZero() && reached.After(m.late) {
		reached = m.late
	}
	doc := state.Doc{Mark: m.doc.Mark, Removed: m.removed}
	if m.readsAll() {
		doc.Parents = c.Done
	}
	if m.Cursor != nil && reached.After(doc.Mark) {
		doc.Mark = reached
	}
	return doc
}

// save sends a state; a stream without rows begins to run with it. m.mu is held.
func (m *member) save(doc state.Doc) error {
	if err := m.run.out.Status(m.desc, protocol.Running); err != nil {
		return err
	}
	raw, err := doc.Encode(m.Cursor.name(), m.Cursor.zone())
	if err != nil {
		return fmt.Errorf("writing the state of %s: %w", m.Name, err)
	}
	return m.run.out.Checkpoint(m.desc, raw)
}

// fail notes why the stream cannot be completed; the first reason counts.
func (m *member) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = err
	}
}

// end sends the last state, what is worth a warning, and the status, and returns why the stream is incomplete, if it is.
func (m *member) end(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.warn()
	if m.future != nil {
		return m.pass()
	}
	if m.err != nil {
		if err := m.save(m.partial()); err != nil {
			return err
		}
		if err := m.run.out.Status(m.desc, protocol.Incomplete); err != nil {
			return err
		}
		if ctx.Err() == nil { // otherwise all streams stop for the same reason, which is told once
			if err := m.run.out.Failure(m.err, &m.desc); err != nil {
				return err
			}
		}
		return m.err
	}
	if err := m.save(m.final()); err != nil {
		return err
	}
	return m.run.out.Status(m.desc, protocol.Complete)
}

// pass ends a stream whose state's mark is so far after now that no clock made it: nothing is read, and the mark falls to the beginning of
// this sync. m.mu is held.
func (m *member) pass() error {
	m.run.log.Warn(fmt.Sprintf("%s: the state's mark %s is more than two days after now, so no records are read, and from now on the mark is the "+
		"beginning of this sync. What changed between the last sync that read records and this one is missing: reset the stream's state to get it",
		m.Name, m.future.In(m.Cursor.zone()).Format(time.RFC3339)))
	doc := m.doc
	doc.Cycle = nil
	if err := m.save(doc); err != nil {
		return err
	}
	return m.run.out.Status(m.desc, protocol.Complete)
}

// warn logs what the user should know although the stream is complete. m.mu is held.
func (m *member) warn() {
	for _, w := range m.shape.Warnings() {
		m.run.log.Warn(fmt.Sprintf("%s: field %q %s (%d times)", m.Name, w.Field, w.Problem, w.Count))
	}
	if m.replaced > 0 {
		m.run.log.Warn(fmt.Sprintf("%s: %d bytes were not UTF-8 and became U+FFFD", m.Name, m.replaced))
	}
	if m.control > 0 {
		m.run.log.Warn(fmt.Sprintf("%s: %d control characters in texts, such as line breaks, were not escaped and are now", m.Name, m.control))
	}
	if m.missing > 0 {
		m.run.log.Warn(fmt.Sprintf("%s: %d rows of %s have gone meanwhile (404) and were skipped", m.Name, m.missing, m.Parent.Of))
	}
	if m.unnamed > 0 {
		m.run.log.Warn(fmt.Sprintf("%s: %d rows of %s lack what the request needs and were not asked for", m.Name, m.unnamed, m.Parent.Of))
	}
	if m.Removed != nil && m.removed.Len() >= RemovedKept {
		m.run.log.Warn(fmt.Sprintf("%s: more than %d removed rows; those beyond are sent again in every sync", m.Name, RemovedKept))
	}
}
