package record

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
)

// Shape is edits compiled. A nil Shape changes nothing. It is safe for concurrent use.
type Shape struct {
	columns    map[string]*column // by the name before Rename
	named      map[string]*column // by the name with which members leave
	order      []*column          // all of them
	last       []*column          // those of Put and Decimal, which come last where the record lacks them
	unparsed   *column            // for values that do not fit their columns; nil: they are lost
	undeclared *column            // for members of no column; nil: they stay; whole where that is all that has them
	whole      *column            // for the record as it came; nil: there is none
	digest     *column            // for its digest; nil: there is none
	hidden     []string           // names in lower case
	times      Times
	lengths    uint64 // a bit for the length of each name in columns, modulo 64
	typed      bool   // there are Columns
	keys       int    // how many of them are a part of the key
	lower      bool
	flatten    bool
	renames    bool // lower, flatten or a prefix: a member of no column may change its name too
	separator  string
	prefix     string
	seed       maphash.Seed
	memories   sync.Pool // of *memory

	mu       sync.Mutex
	warnings map[warning]int64
	keyless  int64
}

type warning struct{ field, problem string }

// Append returns Fit for a Shape without Columns, whose records cannot fail to fit.
func (s *Shape) Append(dst []byte, r Record, put ...Member) []byte {
	dst, _, _ = s.Fit(dst, nil, r.Get(""), put...)
	return dst
}

// Fit appends r, edited in one pass over its members, to dst. The put members replace members of the same name, in their place and whatever the
// edits say of it but for a Column, or come last; of two of one name the first counts. What it appends is valid JSON on one line. A record
// that is not an object is appended as it is. With Columns the characters U+0000 are removed, and counted as a Warning.
//
// It appends to nulled the fields whose values did not fit their Columns and became null. The error is a KeyError; what was appended to dst
// and nulled then means nothing.
func (s *Shape) Fit(dst []byte, nulled []string, r Value, put ...Member) (data []byte, fields []string, err error) {
	if s == nil && len(put) == 0 || r.kind() != '{' {
		return append(dst, r.raw...), nulled, nil
	}
	dst = append(Grow(dst, len(r.raw)+len(r.raw)/16+64), '{') // nearly always enough: growing later copies what may be large
	if s == nil {
		w := writer{put: put, dst: dst, start: len(dst)}
		w.members(r)
		w.rest()
		return append(w.dst, '}'), nulled, nil
	}
	if s.hides(r.raw) {
		r = Value{raw: s.appendShown(nil, r)}
	}
	if s.typed && (len(r.marks) == 0 || r.marks[0].nul) {
		r = s.withoutNul(r)
	}
	m, _ := s.memories.Get().(*memory)
	if m == nil {
		m = &memory{names: names{table: make([]uint32, fewNames)}, follows: make([][4]follow, len(s.order)+1)}
	}
	w := &m.writer
	*w = writer{shape: s, columns: len(s.order), memory: m, put: put, dst: dst, start: len(dst)}
	m.puts = m.puts[:0]
	for _, p := range put {
		m.puts = append(m.puts, s.named[p.Name])
	}
	w.begin(r)
	if len(w.only) > 0 {
		w.restart()
		w.begin(r)
	}
	w.rest()
	w.whole(r.Raw())
	w.undeclared()
	nulled, err = w.unparsed(nulled)
	w.dst = append(w.dst, '}')
	if err == nil && w.keyless() {
		s.mu.Lock()
		s.keyless++
		s.mu.Unlock()
	}
	data = w.dst
	clear(m.unfit) // which would hold on to the page, as the writer would
	*w = writer{}
	if m.small() {
		s.memories.Put(m)
	}
	return data, nulled, err
}

// begin writes the members of r.
func (w *writer) begin(r Value) {
	m := w.memory
	m.path, m.aside, m.unfit, w.last = m.path[:0], m.aside[:0], m.unfit[:0], w.columns
	m.wide, m.keys, w.keyed = m.wide[:0], m.keys[:0], 0
	defer m.names.clear()
	if !w.shape.renames {
		m.name = m.name[:0]
		w.members(r)
		return
	}
	m.name = append(m.name[:0], w.shape.prefix...)
	w.level = level{to: len(w.shape.prefix)}
	w.object(r)
}

// withoutNul returns JSON without the characters U+0000, which it counts.
func (s *Shape) withoutNul(v Value) Value {
	clean, removed := withoutNul(v.raw)
	if removed == 0 {
		return v
	}
	s.mu.Lock()
	s.warnings[warning{problem: nulRemoved}] += removed
	s.mu.Unlock()
	return Value{raw: clean}
}

// Keyless returns how many records lacked a part of their key, or had null for it.
func (s *Shape) Keyless() int64 {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keyless
}

// Warnings returns what the Shape could not do so far, a row a field and problem, ordered by both. It is nil for a nil Shape. Once
// there are a thousand rows, only fields that the edits name get further ones, since a source can make up any number of names.
func (s *Shape) Warnings() []Warning {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Warning
	for w, count := range s.warnings {
		all = append(all, Warning{Field: w.field, Problem: w.problem, Count: count})
	}
	slices.SortFunc(all, func(a, b Warning) int {
		return cmp.Or(strings.Compare(a.Field, b.Field), strings.Compare(a.Problem, b.Problem))
	})
	return all
}

// warn counts a problem with a field of the edits.
func (s *Shape) warn(field, problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warnings[warning{field, problem}]++
}

// warnAny counts a problem with a field that the source made up.
func (s *Shape) warnAny(field []byte, problem string) {
	const most = 1000
	s.mu.Lock()
	defer s.mu.Unlock()
	if count, known := s.warnings[warning{string(field), problem}]; known || len(s.warnings) < most {
		s.warnings[warning{string(field), problem}] = count + 1
	}
}

// column returns the column of members called name, nil if there is none.
func (s *Shape) column(name []byte) *column {
	if s == nil || s.lengths&(1<<(len(name)%64)) == 0 {
		return nil
	}
	return s.columns[string(name)]
}

// writer writes one record.
type writer struct {
	shape   *Shape // nil if there is only put
	columns int    // how many the shape has
	put     []Member
	dst     []byte
	start   int          // where in dst the first member begins
	seen    [4]uint64    // the set of columns met, then of put members written
	beyond  map[int]bool // its part that has no room there
	memory  *memory      // nil without a shape
	only    []int        // columns to which only a member from their source is written
	again   bool         // the record is written a second time, for them
	keyed   int          // parts of the key that were written
	last    int          // the index of the column of the last member
	level
}

// level is the object whose members are being written. What their names begin with is memory.name[from:to].
type level struct {
	from, to int
	within   *column // that the object is in the place of; nil: it is the record
	unknown  bool    // there is no such column
}

// memory is what a writer needs, kept for the next record.
type memory struct {
	writer writer // of one record at a time

	name  []byte    // names in the making, each with what it begins with; where no name changes, those of members that are set aside
	path  []byte    // the names of the objects that are being taken apart, as the source has them, each with a dot behind it
	names names     // those written that are of no column
	puts  []*column // of the put members, nil for those that have none
	keys  []int     // where in writer.dst the values of the key begin that are not in runs
	unfit []misfit
	aside []byte   // the members of no column, with commas between them, where the shape has a column for them
	wide  [][]byte // those of them with wide values, which are not copied: names with their colons, and values
	// follows is four members that came behind one of each column, by its index, and in the end four that came first: most rows have the same
	// order, and lack one or the other.
	follows [][4]follow
	learnt  int // how many were noted
}

// follow is a member of a column as it came before.
type follow struct {
	column  *column
	within  *column // see level
	key     []byte  // its name as it was written, with the colon
	name    int     // the length of its name
	same    bool    // which is the column's, byte for byte
	escaped bool    // and has escapes
}

// fewNames is for how many names a memory has room at first, twice as many as there are.
const fewNames = 256

// small reports whether the memory is worth keeping. One that a very wide record left would be cleared, whole, for each record after it.
func (m *memory) small() bool {
	return len(m.names.table) <= 16*fewNames && cap(m.name)+cap(m.path)+cap(m.aside) <= 64<<10
}

// members writes the members of an object where no name changes. Those that stay are copied in runs, with what is between them.
func (w *writer) members(object Value) {
	c := object.open()
	var run span // what of the object is to be copied
	for {
		column, same, more := w.next(&c)
		if !more {
			break
		}
		w.take(&c, column, same, c.value().raw, &run)
	}
	w.copy(c.bytes, &run)
}

// next moves c to the next member; more is false at the end. It says of which column that is, nil if of none, and whether it has the column's
// name already.
func (w *writer) next(c *cursor) (column *column, same, more bool) {
	known := w.memory != nil && !w.unknown
	if known {
		follows, ahead := &w.memory.follows[w.last], c.ahead()
		for i := range follows {
			f := &follows[i]
			if f.column != nil && f.within == w.within && c.expect(ahead, f.key, f.name) {
				w.last, c.escaped = f.column.index, f.escaped
				return f.column, f.same, true
			}
		}
	}
	if !c.member() {
		return nil, false, false
	}
	var name []byte
	if w.shape == nil || !w.shape.renames {
		var buffer [64]byte
		if name = c.key(); c.escaped {
			name = appendUnescaped(buffer[:0], name)
		}
	} else {
		name = w.fullName(c)
	}
	if column = w.shape.column(name); column == nil {
		return nil, false, true
	}
	same = !c.escaped && string(c.key()) == column.name
	if written := c.bytes[c.at:c.i]; known && string(bytes.TrimSpace(written[len(c.key())+2:])) == ":" { // as it is in valid JSON
		f := &w.memory.follows[w.last][w.memory.learnt%4]
		*f = follow{column, w.within, append(f.key[:0], written...), len(c.key()), same, c.escaped}
		w.memory.learnt++
	}
	w.last = column.index
	return column, same, true
}

// take takes the member at which c stood last, which is of column and has its name already if it is the same: it writes it, or adds it to the run
// of those that stay.
func (w *writer) take(c *cursor, column *column, same bool, value []byte, run *span) {
	if len(w.put) > 0 {
		if i := w.putAs(column, c); i >= 0 {
			w.copy(c.bytes, run)
			w.putOnce(i)
			return
		}
	}
	switch {
	case same && column.stays(value) && w.first(column.index), column == nil && (w.shape == nil || w.shape.undeclared == nil):
		if run.to == 0 {
			run.from = c.at
		}
		run.to = c.i
		if column != nil && column.key && value[0] != 'n' {
			w.keyed++
		}
		if w.shape == nil || !w.shape.typed { // without Columns there are few members, and the space between them goes
			w.copy(c.bytes, run)
		}
	case column == nil && w.shape.undeclared == w.shape.whole: // which has it
		w.copy(c.bytes, run)
	case column == nil:
		w.copy(c.bytes, run)
		w.setAside(c, value)
	default:
		w.copy(c.bytes, run)
		w.column(column, value)
	}
}

// copy writes a run of members of b, which is none then.
func (w *writer) copy(b []byte, run *span) {
	if run.to > 0 {
		w.comma()
		w.dst = append(w.dst, b[run.from:run.to]...)
		*run = span{}
	}
}

// object writes the members of an object whose names change.
func (w *writer) object(object Value) {
	c := object.open()
	for {
		column, _, more := w.next(&c)
		if !more {
			return
		}
		value := c.value()
		switch {
		case len(w.put) > 0 && w.replaced(&c, column):
		case w.shape.flatten && value.kind() == '{' && (column == nil || !column.stops):
			w.inner(&c, column, value)
		case column != nil && !column.lacks(value.raw):
			if column.source == "" || w.chosen(column, &c) {
				w.column(column, value.raw)
			}
		default:
			w.renamed(w.fullName(&c), value.raw)
		}
	}
}

// inner writes the members of an object that is taken apart: the value at which c stood last, in the place of column.
func (w *writer) inner(c *cursor, column *column, object Value) {
	m, outer := w.memory, w.level
	if column != nil {
		m.name = append(m.name[:outer.to], column.name...)
	} else {
		w.fullName(c)
	}
	m.name = append(m.name, w.shape.separator...)
	path := len(m.path)
	m.path = append(c.appendKey(m.path), '.')
	w.level = level{outer.to, len(m.name), column, column == nil}
	w.object(object)
	w.level, m.path = outer, m.path[:path]
}

// fullName returns the name of the member at which c stood last, in w.memory.name[w.to:].
func (w *writer) fullName(c *cursor) []byte {
	name := append(w.memory.name[:w.to], w.memory.name[w.from:w.to]...) //nolint:gocritic // a second name behind the first, in the same memory
	key := len(name)
	name = c.appendKey(name)
	if w.shape.lower {
		name = lower(name, key)
	}
	w.memory.name = name
	return name[w.to:]
}

// lower makes name[from:] lower-case.
func lower(name []byte, from int) []byte {
	for i := from; i < len(name); i++ {
		switch c := name[i]; {
		case 'A' <= c && c <= 'Z':
			name[i] += 'a' - 'A'
		case c >= 0x80:
			return append(name[:i], bytes.ToLower(name[i:])...)
		}
	}
	return name
}

// replaced writes the put member, once, that replaces the member at which c stood last, which is of column, if one does.
func (w *writer) replaced(c *cursor, column *column) bool {
	i := w.putAs(column, c)
	if i >= 0 {
		w.putOnce(i)
	}
	return i >= 0
}

// putAs returns the index of the put member that replaces the member at which c stood last, which is of column; -1 if none does.
func (w *writer) putAs(column *column, c *cursor) int {
	if column != nil {
		return slices.Index(w.memory.puts, column)
	}
	return slices.IndexFunc(w.put, func(m Member) bool {
		if w.shape != nil && w.shape.renames {
			return string(w.fullName(c)) == m.Name
		}
		return c.is(m.Name)
	})
}

// putOnce writes the put member with the index i, if it was not written yet.
func (w *writer) putOnce(i int) {
	if !w.first(w.columns + i) {
		return
	}
	if w.memory == nil {
		w.member(w.put[i], nil)
	} else {
		w.member(w.put[i], w.memory.puts[i])
	}
}

// member writes a put member, which is of column.
func (w *writer) member(m Member, c *column) {
	if c != nil {
		w.key(c)
	} else {
		w.comma()
		w.dst = append(appendQuoted(w.dst, []byte(m.Name)), ':')
	}
	switch {
	case len(m.Value) == 0:
		w.dst = append(w.dst, "null"...)
	case c != nil && c.kind != 0:
		w.fit(c, w.shape.withoutNul(Value{raw: bytes.TrimSpace(m.Value)}).raw)
	default:
		w.dst = appendCompact(w.dst, m.Value)
	}
}

// renamed writes a member of no column under its new name, or sets it aside.
func (w *writer) renamed(name, value []byte) {
	out, start := &w.dst, w.start
	if w.shape.undeclared != nil {
		out, start = &w.memory.aside, 0
	}
	before := len(*out)
	if before > start {
		*out = append(*out, ',')
	}
	from := len(*out)
	*out = appendQuoted(*out, name)
	if !w.memory.names.add(w.shape.seed, *out, from) {
		if !w.again {
			w.shape.warnAny(name, repeatedName)
		}
		*out = (*out)[:before]
		return
	}
	*out = append(append(*out, ':'), value...)
}

// column writes a member of a column.
func (w *writer) column(c *column, value []byte) {
	switch {
	case c.edit != nil:
		c.edit.write(w, c, value)
	case c.kind != Labels && c.stays(value): // as nearly all do
		if w.counts(c) {
			w.key(c)
			w.dst = append(w.dst, value...)
		}
	case w.counts(c):
		w.key(c)
		w.value(c, value)
	}
}

// counts reports whether a member of a column is the one that counts, and warns of another.
func (w *writer) counts(c *column) bool {
	switch {
	case w.first(c.index):
		return true
	case c.source != "":
		w.warn(c, documentedName)
	default:
		w.warn(c, repeatedName)
	}
	return false
}

// value writes a value in the type of its column, if that has one.
func (w *writer) value(c *column, value []byte) {
	if c.kind == 0 {
		w.dst = append(w.dst, value...)
		return
	}
	w.fit(c, value)
}

// rest writes what is there even where the record lacks it.
func (w *writer) rest() {
	var last []*column
	if w.shape != nil {
		last = w.shape.last
	}
	for _, c := range last {
		c.edit.lacking(w, c)
	}
	for i, m := range w.put {
		if !slices.ContainsFunc(w.put[:i], func(before Member) bool { return before.Name == m.Name }) {
			w.putOnce(i)
		}
	}
}

// first says whether i is met for the first time: the index of a column, or the number of columns and that of a put member.
func (w *writer) first(i int) bool {
	if i >= 64*len(w.seen) {
		met := w.beyond[i]
		if w.beyond == nil {
			w.beyond = map[int]bool{}
		}
		w.beyond[i] = true
		return !met
	}
	word, bit := &w.seen[i/64], uint64(1)<<(i%64)
	met := *word&bit != 0
	*word |= bit
	return !met
}

func (w *writer) comma() {
	if len(w.dst) > w.start {
		w.dst = append(w.dst, ',')
	}
}

func (w *writer) key(c *column) {
	w.comma()
	w.dst = append(w.dst, c.quoted...)
	if c.key {
		w.memory.keys = append(w.memory.keys, len(w.dst))
	}
}

// keyless reports whether the record as it was written lacks a part of its key, or has null for it.
func (w *writer) keyless() bool {
	for _, at := range w.memory.keys {
		if w.dst[at] != 'n' {
			w.keyed++
		}
	}
	return w.keyed < w.shape.keys
}

// appendAsText appends value as a JSON string, which a string and null are already.
func appendAsText(dst, value []byte) []byte {
	if kind := (Value{raw: value}).kind(); kind == '"' || kind == 'n' || kind == 0 {
		return append(dst, value...)
	}
	dst = append(dst, '"')
	for i := 0; i < len(value); {
		if value[i] <= ' ' {
			i++
			continue
		}
		end := i + 1
		if value[i] == '"' {
			end, _ = skipString(value, i)
		}
		for ; i < end; i++ {
			if value[i] == '"' || value[i] == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, value[i])
		}
	}
	return append(dst, '"')
}

// names is a set of those names in a record that are written already.
type names struct {
	spans []span   // where in the record they are
	table []uint32 // hashes to 1 + the place among spans; 0 is free; its length is a power of two
}

type span struct{ from, to int }

// add enters the name at record[from:], false if it is there already.
func (n *names) add(seed maphash.Seed, record []byte, from int) bool {
	if 2*len(n.spans) >= len(n.table) {
		n.grow(seed, record)
	}
	slot := n.slot(seed, record, record[from:])
	if n.table[slot] != 0 {
		return false
	}
	n.spans = append(n.spans, span{from, len(record)})
	n.table[slot] = uint32(len(n.spans))
	return true
}

// slot returns the place of name in the table, or the free one that it would have.
func (n *names) slot(seed maphash.Seed, record, name []byte) int {
	mask := len(n.table) - 1
	slot := int(maphash.Bytes(seed, name)) & mask
	for n.table[slot] != 0 {
		other := n.spans[n.table[slot]-1]
		if bytes.Equal(name, record[other.from:other.to]) {
			break
		}
		slot = (slot + 1) & mask
	}
	return slot
}

func (n *names) clear() {
	if len(n.spans) > 0 {
		clear(n.table)
	}
	n.spans = n.spans[:0]
}

func (n *names) grow(seed maphash.Seed, record []byte) {
	n.table = make([]uint32, 4*len(n.table))
	for i, s := range n.spans {
		n.table[n.slot(seed, record, record[s.from:s.to])] = uint32(i + 1)
	}
}
