package replication

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/state"
)

// checkpointEvery is the least time between two states of one stream, but for the last.
const checkpointEvery = 10 * time.Second

// wideRow is the length of a row from which on one record at a time is made of such rows, and its buffer is not kept.
const wideRow = 1 << 20

// latest is the last time that a state can say, whose years have four digits: 9999-12-31T23:59:59Z, in seconds since 1970.
const latest = 253402300799

// member is one selected stream of a family: what it still needs, what it has sent, and its state.
type member struct {
	*Stream
	run         *Sync
	desc        protocol.Descriptor
	incremental bool
	start       time.Time // rows before it are not sent, ever; zero: all are
	bound       time.Time // rows before it are not sent, but for open ones; not before start
	markAhead   bool      // the mark is after now, as the API's clock may have made it
	future      time.Time // the state's mark, when it is so far after now that no clock made it: nothing is read; zero: it is not

	mu        sync.Mutex    // held while records are sent and while what follows changes, so that a state never overtakes its records
	doc       state.Doc     // as it came, with the running cycle
	removed   *state.Set    // keys sent as removed that were in the listing of this cycle
	crowded   bool          // and there were more than are kept
	known     *state.Set    // keys of the rows that came, with Cursor.Snapshot
	late      time.Time     // the mark may not pass it: a row that changed while it was read was sent as it was before; zero: no limit
	saved     time.Time     // when the last state was sent
	missing   int64         // parents' rows that have gone
	gone      []string      // the keys of the first of them
	answered  bool          // a parent's row had not gone
	doubtful  []task        // for those that had gone before a row answered: the route may be wrong
	misfit    bool          // a row could not be sent: from then on nothing is noted as sent
	resumed   bool          // the cycle was begun by an earlier run
	absent    bool          // the account does not have it, or what it is made from
	asked     state.Set     // parents that may be asked for by several rows, and were; for the goroutine that reads the parent's listing
	alike     state.Set     // those of them that were, with Child.Alike
	unasked   bool          // of a child: the API refuses to be asked for what changed
	rows      int64         // that came, wanted or not
	keyless   int64         // those of them without a key
	unnamed   int64         // parents' rows that lack a parameter of the request
	flagged   bool          // a parent's row had the flag; for the goroutine that reads the parent's listing
	unflagged int64         // parents' rows that were asked for because the flag says neither yes nor no; for the same
	replaced  int64         // bytes that were not UTF-8
	control   int64         // control characters that were not escaped
	twins     int64         // rows with the key of another one, and other content
	err       error         // why the stream cannot be completed
	puts      []put         // what comes into its records from its parent's row, in the order of their names
	picker    record.Picker // of what is at paths
	picks     []int         // where in listing.Row.Picked that is; nil: it is not there
	picked    []record.Value
	put       []record.Member
	position  []byte
	out       *protocol.Records // what is added leaves before mu is released, and before a state
	nulled    []string          // the fields of the last record whose values did not fit their columns
}

// member makes the member for a selected stream.
func (s *Sync) member(selected *Selected) *member {
	m := &member{
		Stream: &selected.Stream, run: s, desc: selected.Descriptor, incremental: selected.Mode == protocol.Incremental, saved: s.Began,
		out: s.Out.Records(selected.Descriptor),
	}
	switch {
	case m.Explode != nil:
		m.puts = sorted(m.Explode.Put)
	case m.Child != nil:
		m.puts = sorted(m.Child.Put)
	}
	m.picker = record.NewPicker(m.paths()...)
	m.resume(selected.State, selected.Mode)
	return m
}

// aheadMost is how long after now a mark may be for the API's clock to have made it.
const aheadMost = 48 * time.Hour

// resume sets where m begins, from the state that it was handed. A full refresh takes nothing but its own unfinished pass, and no mark. An
// incremental sync takes the mark and what the state says of removed rows and of parents, and the unfinished pass too where it is one that
// sends the same rows. Of a state of another choice it takes nothing.
func (m *member) resume(doc state.Doc, mode protocol.SyncMode) {
	now := m.run.Began
	m.start = m.Cursor.Start
	if doc.Choice != m.Choice {
		if m.incremental && !doc.Mark.IsZero() || doc.Cycle != nil {
			m.run.Log.Warn(m.Name + ": the state is of a sync that was configured to ask for other rows, or for other fields; all rows are read again")
		}
		doc = state.Doc{}
	}
	if !m.incremental {
		doc.Mark = time.Time{}
	}
	m.bound = m.start
	if from := doc.Mark.Add(-m.Cursor.Margin); !doc.Mark.IsZero() && from.After(m.bound) {
		m.bound = from
	}
	m.markAhead = doc.Mark.After(now)
	cycle := doc.Cycle
	doc.Cycle = &state.Cycle{Mode: mode, From: m.bound, StartDate: m.start, Start: now.UTC(), Done: &state.Set{}}
	m.removed, m.known = &state.Set{}, &state.Set{}
	switch begun := cycle != nil && (len(cycle.Slices) > 0 || cycle.Done.Len() > 0 || cycle.Place != nil); {
	case doc.Mark.After(now.Add(aheadMost)):
		m.future, doc.Mark = doc.Mark, now.Truncate(time.Second)
	case begun && m.Cursor.Name != "" && cycle.Continues(mode, m.bound, m.start):
		m.late, m.resumed = cycle.Late, true
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
	doc.Choice = m.Choice
	m.doc = doc
}

// wants reports whether a row of the origin's listing, read in slice, is one that m sends or, for a child, asks for.
func (m *member) wants(sl slice, r listing.Row) bool {
	if m.err != nil || !m.future.IsZero() {
		return false
	}
	if sl.Removed {
		if m.doc.Removed.Has(r.Key) {
			m.keep(r.Key)
			return !m.doc.Mark.IsZero() && !r.Until.Before(m.bound) // without a mark it was sent in this very pass
		}
		return since(r, m.start, m.start)
	}
	bound := m.bound
	if m.Cursor.Snapshot && r.Key != "" {
		m.known.Add(r.Key)
		bound = m.since(r.Key)
	}
	if m.Child != nil && m.doc.Cycle.Done.Has(r.Key) {
		m.pass(r.Time)
		return false
	}
	return m.readsAll() || since(r, bound, m.start) || m.asksAlways(r)
}

// readsAll reports whether m asks for every row of its parent, changed or not, and filters its own rows.
func (m *member) readsAll() bool { return m.Child != nil && !m.Child.Follows }

// asksAlways reports whether m asks for the row of its parent although it did not change.
func (m *member) asksAlways(r listing.Row) bool {
	return m.Child != nil && m.Child.Always != nil && since(r, m.start, m.start) && m.Child.Always(r.Data.Raw())
}

// since reports whether r may have changed at or after bound, as far as its time of change tells. An open row may, if it is not from before start.
func since(r listing.Row, bound, start time.Time) bool {
	return r.Time.IsZero() || !r.Until.Before(bound) || r.Open && !r.Until.Before(start)
}

// since returns the moment from which the row with key, or rows of the parent with key, are sent. What the mark says was not said of one that was
// unknown then.
func (m *member) since(key string) time.Time {
	if m.doc.Parents != nil && !m.doc.Parents.Has(key) {
		return m.start
	}
	return m.bound
}

// keep notes that the row with key is known as removed. m.mu is held.
func (m *member) keep(key string) {
	if key == "" {
		return
	}
	if m.removed.Len() < RemovedKept {
		m.removed.Add(key)
	} else if !m.removed.Has(key) {
		m.crowded = true
	}
}

// pass notes the time of a row that was sent or passed over. m.mu is held.
func (m *member) pass(t time.Time) {
	if !t.After(m.doc.Cycle.Max) {
		return
	}
	m.doc.Cycle.Max = t
	if t.Unix() > latest {
		m.doc.Cycle.Max = time.Unix(latest, 0).UTC()
	}
}

// misfits notes that a row cannot be sent, and why: the others are, and the stream fails in the end. m.mu is held.
func (m *member) misfits(format string, args ...any) {
	if m.misfit = true; m.err == nil {
		m.err = fault.Systemf(format, args...)
	}
}

// send adds one record to those that are sent with the next m.out.Flush. m.mu is held.
func (m *member) send(r listing.Row, put ...record.Member) error {
	if len(r.Data.Raw()) > wideRow {
		return m.sendWide(r, put)
	}
	return m.add(r, put)
}

// sendWide sends one record of a wide row. m.mu is held.
func (m *member) sendWide(r listing.Row, put []record.Member) error {
	m.run.wide.Lock()
	defer m.run.wide.Unlock()
	if err := m.out.Flush(); err != nil { // its memory is for the record alone
		return err
	}
	if err := m.add(r, put); err != nil {
		return err
	}
	return m.out.Flush()
}

// add adds one record to those that are sent with the next m.out.Flush. m.mu is held.
func (m *member) add(r listing.Row, put []record.Member) error {
	if m.Derive != nil {
		put = m.derive(r.Data, put)
	}
	var line []byte
	var err error
	line, m.nulled, err = m.Shape.Fit(m.out.Next(), m.nulled[:0], r.Data, put...)
	if misfit, ok := errors.AsType[*record.KeyError](err); ok {
		m.misfits("A row of %s cannot be told from others: its key %q is not %s. The API may have changed; report it.",
			m.Name, misfit.Field, misfit.Type)
		return nil
	}
	if err := m.out.Add(line, m.nulled...); err != nil {
		return err
	}
	m.doc.Cycle.Records++
	return nil
}

// derive returns put and what is derived of a row with it, of which what is derived counts.
func (m *member) derive(row record.Value, put []record.Member) []record.Member {
	return append(m.Derive(func(path string) record.Value {
		for _, p := range put {
			if p.Name == path {
				return record.Record(p.Value).Get("")
			}
		}
		return row.Get(path)
	}), put...)
}

// sendOf sends what m makes of a row: the row with what is put into it, or those that lie in it. m.mu is held.
func (m *member) sendOf(r listing.Row, put []record.Member) error {
	if m.Explode != nil {
		return m.explode(r)
	}
	if m.Repeats != "" {
		put = append(slices.Clip(put), record.Member{Name: m.Repeats, Value: strconv.AppendInt(nil, int64(r.Repeat), 10)})
	}
	return m.send(r, put...)
}

// explode sends the rows that lie in an array of the parent's row. m.mu is held.
func (m *member) explode(parent listing.Row) error {
	if m.Explode.Within == "" {
		return m.elements(parent, parent.Data)
	}
	in := parent.Data.Get(m.Explode.Within)
	if !in.IsArray() {
		return m.within(parent, in)
	}
	for in := range in.Elements() {
		if err := m.within(parent, in); err != nil {
			return err
		}
	}
	return nil
}

// within sends the rows in the array of in, which lies in the parent's row and is to be an object. m.mu is held.
func (m *member) within(parent listing.Row, in record.Value) error {
	if in.IsObject() {
		return m.elements(parent, in)
	}
	m.stray(in, m.Explode.Within)
	return nil
}

// elements sends the rows in the array of in, which is the parent's row or lies in it. An object in the place of an array is its only element,
// as some APIs write a list of one, or has the elements as members whose names are their places, as PHP writes a list with gaps. m.mu is held.
func (m *member) elements(parent listing.Row, in record.Value) error {
	m.pick(parent, in)
	m.put = appendPuts(m.put[:0], m.puts, m.picked, parent.Data)
	if name := m.Cursor.Name; name != "" && !parent.Time.IsZero() {
		m.put = append(m.put, record.Member{Name: name, Value: parent.At.Raw()}) // the shape brings it into form
	}
	if m.Explode.Position != "" {
		m.put = append(m.put, record.Member{Name: m.Explode.Position}) // its value is each element's
	}
	array, i := m.picked[len(m.puts)], 0
	if array.IsObject() && placed(array) {
		for _, element := range array.Members() {
			if err := m.element(element, i); err != nil {
				return err
			}
			i++
		}
	} else if !array.IsArray() {
		if err := m.element(array, 0); err != nil {
			return err
		}
	}
	for element := range array.Elements() {
		if err := m.element(element, i); err != nil {
			return err
		}
		i++
	}
	clear(m.put) // which would hold on to the page
	clear(m.picked)
	return nil
}

// placed reports whether the members of an object are objects whose names are whole numbers.
func placed(object record.Value) bool {
	for name, value := range object.Members() {
		if _, err := strconv.ParseUint(name, 10, 64); err != nil || !value.IsObject() {
			return false
		}
	}
	return true
}

// stray notes that there is something in a list in the parent's row, or in its place, that is no object: nothing, or what cannot be sent.
// m.mu is held.
func (m *member) stray(v record.Value, list string) {
	if !v.IsBlank() {
		m.misfits("Rows of %s cannot be read: %q, in which they lie, is no list of objects everywhere. The API may have changed; report it.", m.Name, list)
	}
}

// pick sets m.picked to the values at m.paths: those that came with the parent's row where there are any, and else those found in in. m.mu is held.
func (m *member) pick(parent listing.Row, in record.Value) {
	if m.picks == nil {
		m.picked = m.picker.Pick(in, m.picked)
		return
	}
	m.picked = m.picked[:0]
	for _, i := range m.picks {
		m.picked = append(m.picked, parent.Picked[i])
	}
}

// element sends one of them, with m.put, whose last one is its position if there is one. m.mu is held.
func (m *member) element(element record.Value, position int) error {
	if !element.IsObject() || element.IsBlank() {
		m.stray(element, m.Explode.Array)
		return nil
	}
	if m.Explode.Position != "" {
		m.position = strconv.AppendInt(m.position[:0], int64(position), 10)
		m.put[len(m.put)-1].Value = m.position
	}
	return m.send(listing.Row{Data: element}, m.put...)
}

// put is a member that is put into records, and the path of its value in the parent's row.
type put struct{ name, path string }

// sorted returns members in the order of their names.
func sorted(members map[string]string) (puts []put) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		puts = append(puts, put{name, members[name]})
	}
	return puts
}

// paths returns where what comes into m's records is and, behind it, the array of an Explode.
func (m *member) paths() (paths []string) {
	for _, p := range m.puts {
		paths = append(paths, p.path)
	}
	if m.Explode != nil {
		paths = append(paths, m.Explode.Array)
	}
	return paths
}

// appendPuts appends the members that are put into records, with the values that were picked or are in the parent's row, whose memory they share.
func appendPuts(dst []record.Member, puts []put, picked []record.Value, parent record.Value) []record.Member {
	for i, p := range puts {
		value := picked[i]
		if !value.Exists() {
			value = parent.Get(p.path)
		}
		dst = append(dst, record.Member{Name: p.name, Value: value.Raw()})
	}
	return dst
}

// putsOf returns what comes into the records of a child from the row of its parent, with memory of its own.
func (m *member) putsOf(parent listing.Row) []record.Member {
	if m.Explode != nil {
		return nil // its records have it from the row that is asked for
	}
	put := appendPuts(nil, m.puts, m.picker.Pick(parent.Data, nil), parent.Data)
	for i, p := range put {
		put[i].Value = slices.Clone(p.Value)
	}
	return put
}

// reachedPlace notes how far the slice that is being read has come; nil: that is not known any more. The mark may not pass late, unless that is
// zero.
func (m *member) reachedPlace(place *state.Place, late time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notLaterThan(late)
	if m.misfit && place != nil {
		return nil
	}
	if m.doc.Cycle.Place = place; place == nil {
		return nil
	}
	return m.checkpoint()
}

// doneSlice notes that a slice is complete, unless a row of it could not be sent.
func (m *member) doneSlice(sl slice) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.misfit {
		return nil
	}
	m.doc.Cycle.Slices, m.doc.Cycle.Place = append(m.doc.Cycle.Slices, sl.id), nil
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
	doc, cycle := m.doc, *m.doc.Cycle
	cycle.Late = m.late
	doc.Cycle, doc.Removed = &cycle, &state.Set{}
	doc.Removed.AddAll(m.removed)
	if !slices.Contains(doc.Cycle.Slices, removedSlice) {
		doc.Removed.AddAll(m.doc.Removed)
	}
	return doc
}

// final returns the state at the end of a cycle. m.mu is held.
func (m *member) final() state.Doc {
	c := m.doc.Cycle
	reached, start := c.Max, c.Start
	if reached.Nanosecond() == 0 { // the API's clock shows whole seconds: what changes within the one that is running shows its beginning
		start = start.Truncate(time.Second)
	}
	if m.Cursor.Hidden && !m.absent { // what is not there says nothing of what it will have
		reached = start
	}
	if reached.After(start) {
		reached = start
	}
	if !m.late.IsZero() && reached.After(m.late) {
		reached = m.late
	}
	doc := state.Doc{Mark: m.doc.Mark, Removed: m.removed, Choice: m.Choice}
	switch {
	case m.readsAll():
		doc.Parents = c.Done
	case m.Cursor.Snapshot:
		if doc.Parents = m.known; m.resumed { // what an earlier run read came as well
			doc.Parents.AddAll(m.doc.Parents)
		}
	}
	if m.Cursor.Name != "" && reached.After(doc.Mark) {
		doc.Mark = reached
	}
	return doc
}

// save sends a state, behind the records that it stands for; a stream without rows begins to run with it. m.mu is held.
func (m *member) save(doc state.Doc) error {
	if err := m.out.Flush(); err != nil {
		return err
	}
	if err := m.run.Out.Status(m.desc, protocol.Running); err != nil {
		return err
	}
	raw, err := doc.Encode(m.Cursor.Name, m.Cursor.Zone)
	if err != nil {
		return fmt.Errorf("writing the state of %s: %w", m.Name, err)
	}
	return m.run.Out.Checkpoint(m.desc, raw)
}

// fail notes why the stream cannot be completed; the first reason is kept.
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
	m.checkKeys()
	m.warn()
	if !m.future.IsZero() {
		return m.skip()
	}
	if m.err != nil {
		saved := m.save(m.partial())
		if err := errors.Join(saved, m.run.Out.Status(m.desc, protocol.Incomplete)); err != nil {
			return err
		}
		if ctx.Err() == nil { // otherwise all streams stop for the same reason, which is told once
			if err := m.run.Out.Failure(m.err, &m.desc); err != nil {
				return err
			}
		}
		return m.err
	}
	if err := m.save(m.final()); err != nil {
		return err
	}
	return m.run.Out.Status(m.desc, protocol.Complete)
}

// count counts a row that came. m.mu is held.
func (m *member) count(r listing.Row) {
	if m.rows++; r.Key == "" {
		m.keyless++
	}
}

// checkKeys fails a stream of whose rows none has a key: they are other rows than those that were expected, and are read again. m.mu is held.
func (m *member) checkKeys() {
	if len(m.Key) == 0 {
		m.warnOf(m.Shape.Keyless(), "%d rows lack a part of their key", m.Shape.Keyless())
	}
	if len(m.Key) == 0 || m.keyless == 0 {
		return
	}
	key := strings.Join(m.Key, ", ")
	if m.keyless < m.rows {
		m.run.Log.Warn(fmt.Sprintf("%s: %d rows have no key (%s)", m.Name, m.keyless, key))
		return
	}
	m.misfits("No row of %s has its key (%s), so that they cannot be told from one another. The API may have changed; report it.", m.Name, key)
	m.doc.Cycle.Slices, m.doc.Cycle.Place, m.doc.Cycle.Done = nil, nil, &state.Set{}
}

// skip ends a stream whose state's mark is so far after now that no clock made it: nothing is read, and the mark falls to the beginning of
// this sync. m.mu is held.
func (m *member) skip() error {
	m.run.Log.Warn(fmt.Sprintf("%s: the state's mark %s is more than two days after now, so no records are read, and from now on the mark is the "+
		"beginning of this sync. What changed between the last sync that read records and this one is missing: reset the stream's state to get it",
		m.Name, m.future.In(m.Cursor.Zone).Format(time.RFC3339)))
	doc := m.doc
	doc.Cycle = nil
	if err := m.save(doc); err != nil {
		return err
	}
	return m.run.Out.Status(m.desc, protocol.Complete)
}

// warn logs what the user should know although the stream is complete. m.mu is held.
func (m *member) warn() {
	for _, w := range m.Shape.Warnings() {
		m.warnOf(1, "%s", w)
	}
	m.warnOf(m.replaced, "%d bytes were not UTF-8 and became U+FFFD", m.replaced)
	m.warnOf(m.control, "%d control characters in texts, such as line breaks, were not escaped and are now", m.control)
	m.warnOf(m.twins, "%d rows have the key of another row of their page and other content; the first of each alone was sent", m.twins)
	if c := m.Child; c != nil {
		m.warnOf(m.missing, "%d rows of %s have gone meanwhile and were skipped", m.missing, c.Of)
		m.warnOf(m.unflagged, "%d rows of %s do not say whether they have any (%s), and were asked for", m.unflagged, c.Of, c.Where)
		m.warnOf(m.unnamed, "%d rows of %s lack what the request needs and were not asked for", m.unnamed, c.Of)
		m.warnOf(m.alike.Len(), "%s: %d", c.Alike, m.alike.Len())
	}
	if m.crowded {
		m.warnOf(1, "more than %d removed rows; those beyond are sent again in every sync", RemovedKept)
	}
}

// warnOf logs a warning about the stream, unless what it is about never came.
func (m *member) warnOf(times int64, format string, args ...any) {
	if times > 0 {
		m.run.Log.Warn(m.Name + ": " + fmt.Sprintf(format, args...))
	}
}
