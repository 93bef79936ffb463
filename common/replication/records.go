package replication

import (
	"errors"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/listing"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// maker is what a member needs to make its records.
type maker struct {
	out    *protocol.Records // records added to it are sent before the member's lock is released and before a state
	nulled []string          // the fields of the last record whose values did not fit their columns

	names    []string      // sorted names of the members copied from the parent's row
	paths    []string      // paths of their values, followed by Explode.Array
	picker   record.Picker // picks the values at paths
	picks    int           // index of the first of them in listing.Row.Picked; -1: they are not picked there
	picked   []record.Value
	put      []record.Member
	position []byte
}

func (m *member) prepare() {
	m.out, m.picks = m.family.Out.Records(m.Descriptor), -1
	var put map[string]string
	switch {
	case m.Explode != nil:
		put = m.Explode.Put
	case m.Child != nil:
		put = m.Child.Put
	}
	m.names = slices.Sorted(maps.Keys(put))
	for _, name := range m.names {
		m.paths = append(m.paths, put[name])
	}
	if m.Explode != nil {
		m.paths = append(m.paths, m.Explode.Array)
	}
	m.picker = record.NewPicker(m.paths...)
}

// wideRow is the row length above which records are made one at a time, in a buffer that is not kept.
const wideRow = 1 << 20

// send adds one record, to be sent with the next m.out.Flush. A record from a wide row is sent at once. m.mu is held.
func (m *member) send(row record.Value, put ...record.Member) error {
	if len(row.Raw()) <= wideRow {
		return m.add(row, put)
	}
	m.family.wide.Lock()
	defer m.family.wide.Unlock()
	if err := m.out.Flush(); err != nil { // its buffer is for this record alone
		return err
	}
	if err := m.add(row, put); err != nil {
		return err
	}
	return m.out.Flush()
}

// add adds one record, to be sent with the next m.out.Flush. m.mu is held.
func (m *member) add(row record.Value, put []record.Member) error {
	if m.Derive != nil {
		put = m.derive(row, put)
	}
	var line []byte
	var err error
	line, m.nulled, err = m.Shape.Fit(m.out.Next(), m.nulled[:0], row, put...)
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

// derive returns what Derive makes of a row and of put, followed by put. The derived members take precedence.
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

// sendOf sends what m makes of a row: the row itself with put, or the rows inside it. m.mu is held.
func (m *member) sendOf(r listing.Row, put []record.Member) error {
	if m.Explode != nil {
		return m.explode(r)
	}
	if m.Repeats != "" {
		put = append(slices.Clip(put), record.Member{Name: m.Repeats, Value: strconv.AppendInt(nil, int64(r.Repeat), 10)})
	}
	return m.send(r.Data, put...)
}

// explode sends the rows in an array of the parent's row. m.mu is held.
func (m *member) explode(parent listing.Row) error {
	if m.Explode.Within == "" {
		return m.elements(parent, parent.Data)
	}
	for in := range listed(parent.Data.Get(m.Explode.Within)) {
		if err := m.elements(parent, in); err != nil {
			return err
		}
	}
	return nil
}

// elements sends the rows in the array of in, which is the parent's row or should be an object inside it. A value on the way to the array that is no
// object is treated as the array. m.mu is held.
func (m *member) elements(parent listing.Row, in record.Value) error {
	if !in.IsObject() {
		m.noRow(in, m.Explode.Within)
		return nil
	}
	var picked []record.Value
	if m.picks >= 0 {
		picked = parent.Picked[m.picks:]
	} else {
		m.picked = m.picker.Pick(in, m.picked)
		picked = m.picked
	}
	m.put = m.appendPuts(m.put[:0], picked, parent.Data)
	if name := m.Cursor.Name; name != "" && !parent.Time.IsZero() {
		m.put = append(m.put, record.Member{Name: name, Value: parent.At.Raw()}) // the shape formats it
	}
	if m.Explode.Position != "" {
		m.put = append(m.put, record.Member{Name: m.Explode.Position}) // each element sets the value
	}
	array, i := picked[len(m.names)], 0
	if !array.Exists() && strings.Contains(m.Explode.Array, ".") { // the array lies inside objects of the row
		if near := in.Nearest(m.Explode.Array); !near.IsObject() {
			array = near
		}
	}
	for element := range listed(array) {
		if m.Explode.Position != "" {
			m.position = strconv.AppendInt(m.position[:0], int64(i), 10)
			m.put[len(m.put)-1].Value = m.position
		}
		if i++; !element.IsObject() || element.IsBlank() {
			m.noRow(element, m.Explode.Array)
		} else if err := m.send(element, m.put...); err != nil {
			return err
		}
	}
	clear(m.put) // release the memory of the page
	clear(m.picked)
	return nil
}

// listed yields the elements of a list: those of an array; the members of an object whose names are positions, as PHP writes a list with gaps; or the
// value itself, as some APIs write a list of one.
func listed(list record.Value) iter.Seq[record.Value] {
	return func(yield func(record.Value) bool) {
		switch {
		case list.IsArray():
			list.Elements()(yield)
		case list.IsObject() && placed(list):
			for _, element := range list.Members() {
				if !yield(element) {
					return
				}
			}
		default:
			yield(list)
		}
	}
}

// placed reports whether all members of an object are objects with whole numbers as their names.
func placed(object record.Value) bool {
	for name, value := range object.Members() {
		if _, err := strconv.ParseUint(name, 10, 64); err != nil || !value.IsObject() {
			return false
		}
	}
	return true
}

// noRow notes a value v that should be an object of a list or a list, and is not. A blank value counts as nothing; any other cannot be sent. m.mu is
// held.
func (m *member) noRow(v record.Value, list string) {
	if !v.IsBlank() {
		m.misfits("Rows of %s cannot be read: %q, in which they lie, is no list of objects everywhere. The API may have changed; report it.", m.Name, list)
	}
}

// appendPuts appends the members to put into records. Their values were picked or come from the parent's row, and share its memory.
func (m *member) appendPuts(dst []record.Member, picked []record.Value, parent record.Value) []record.Member {
	for i, name := range m.names {
		value := picked[i]
		if !value.Exists() {
			value = parent.Get(m.paths[i])
		}
		dst = append(dst, record.Member{Name: name, Value: value.Raw()})
	}
	return dst
}

// putsOf returns what goes into a child's records from its parent's row, in memory of its own.
func (m *member) putsOf(parent listing.Row) []record.Member {
	if m.Explode != nil {
		return nil // its records get it from the child's row
	}
	put := m.appendPuts(nil, m.picker.Pick(parent.Data, nil), parent.Data)
	for i, p := range put {
		put[i].Value = slices.Clone(p.Value)
	}
	return put
}
