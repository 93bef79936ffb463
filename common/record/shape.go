package record

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
)

// Shape is a compiled list of edits. A nil Shape changes nothing. It is safe for concurrent use.
type Shape struct {
	columns    map[string]*column // by the members' names before Rename
	named      map[string]*column // by the members' names in the output
	order      []*column          // all columns
	last       []*column          // those of Put and Decimal, which are written last if the record lacks them
	unparsed   *column            // for values that do not fit their columns; nil: they are lost
	undeclared *column            // for members without a column; nil: they stay; equal to whole if only that holds them
	whole      *column            // for the record as it came; nil: none
	digest     *column            // for the digest of the record; nil: none
	hidden     []string           // names in lower case
	times      Times
	lengths    uint64 // one bit for the length of each name in columns, modulo 64
	typed      bool   // there are Columns
	keys       int    // how many Columns are part of the key
	lower      bool
	flatten    bool
	renames    bool // lower, flatten or a prefix: even a member without a column may get another name
	separator  string
	prefix     string
	seed       maphash.Seed
	memories   sync.Pool // of *memory

	mu       sync.Mutex
	warnings map[warning]int64
	keyless  int64
}

type warning struct{ field, problem string }

// Append is Fit for a Shape without Columns, which cannot fail.
func (s *Shape) Append(dst []byte, r Record, put ...Member) []byte {
	dst, _, _ = s.Fit(dst, nil, r.Get(""), put...)
	return dst
}

// Fit appends r to dst, edited in one pass over its members. A put member replaces a member of the same name in its place, whatever the edits say of
// that member, except for a Column; otherwise it comes last. If two put members have one name, the first is used. The result is valid JSON on one
// line. A record that is not an object is appended unchanged. With Columns, the characters U+0000 are removed and counted as a Warning.
//
// Fit appends to nulled the fields whose values became null because they did not fit their Columns. The error is a KeyError. What was appended to dst
// and nulled is then meaningless.
func (s *Shape) Fit(dst []byte, nulled []string, r Value, put ...Member) (data []byte, fields []string, err error) {
	if s == nil && len(put) == 0 || r.kind() != '{' {
		return append(dst, r.raw...), nulled, nil
	}
	dst = append(Grow(dst, len(r.raw)+len(r.raw)/16+64), '{') // nearly always enough: growing later may copy a lot
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
	clear(m.unfit) // release the memory of the page, as the next line does
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

// withoutNul returns v without the characters U+0000, and counts them.
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

// Keyless returns how many records lacked a part of their key or had null for it.
func (s *Shape) Keyless() int64 {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keyless
}

// Warnings returns what the Shape could not do so far: one entry for each field and problem, ordered by both. It is nil for a nil Shape. Once there
// are a thousand entries, only fields that the edits name get more, because a source can invent any number of names.
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

// warn counts a problem with a field that the edits name.
func (s *Shape) warn(field, problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warnings[warning{field, problem}]++
}

// warnAny counts a problem with a field named by the source.
func (s *Shape) warnAny(field []byte, problem string) {
	const most = 1000
	s.mu.Lock()
	defer s.mu.Unlock()
	if count, known := s.warnings[warning{string(field), problem}]; known || len(s.warnings) < most {
		s.warnings[warning{string(field), problem}] = count + 1
	}
}

// column returns the column of members called name, or nil.
func (s *Shape) column(name []byte) *column {
	if s == nil || s.lengths&(1<<(len(name)%64)) == 0 {
		return nil
	}
	return s.columns[string(name)]
}

// writer writes one record.
type writer struct {
	shape   *Shape // nil if there are only put members
	columns int    // number of the shape's columns
	put     []Member
	dst     []byte
	start   int          // where the first member begins in dst
	seen    [4]uint64    // the set of columns met, followed by the put members written
	beyond  map[int]bool // the part of the set that does not fit into seen
	memory  *memory      // nil without a shape
	only    []int        // columns that only accept the member from their source
	again   bool         // the record is written a second time, because of only
	keyed   int          // parts of the key that were written
	last    int          // index of the last member's column
	level
}

// level is the object whose members are being written. The prefix of their names is memory.name[from:to].
type level struct {
	from, to int
	within   *column // the column of the object; nil: it is the record itself
	unknown  bool    // the object has no column
}

// memory is what a writer needs. It is kept for the next record.
type memory struct {
	writer writer // for one record at a time

	name  []byte    // names being built, after their prefixes; if no names change, the names of members set aside
	path  []byte    // source names of the objects being taken apart, each followed by a dot
	names names     // names written that have no column
	puts  []*column // columns of the put members, nil for those without
	keys  []int     // where values of the key outside of runs begin in writer.dst
	unfit []misfit
	aside []byte   // members without a column, separated by commas, if the shape has a column for them
	wide  [][]byte // those with wide values, which are not copied: names with their colons, and values
	// follows has four members that came after a member of each column, by its index, and at the end four that came first. Most rows have the same
	// order, with a member missing here and there.
	follows [][4]follow
	learnt  int // number of members noted in follows
}

// follow is a column's member as it came before.
type follow struct {
	column  *column
	within  *column // see level
	key     []byte  // its name as it was written, with the colon
	name    int     // length of the name
	same    bool    // the name is the column's, byte for byte
	escaped bool    // the name has escapes
}

// fewNames is the initial size of the table of names, which is at least twice the number of names.
const fewNames = 256

// small reports whether the memory is worth keeping. Memory enlarged by a very wide record would have to be cleared completely for each later record.
func (m *memory) small() bool {
	return len(m.names.table) <= 16*fewNames && cap(m.name)+cap(m.path)+cap(m.aside) <= 64<<10
}

// members writes the members of an object if no names change. Members that stay unchanged are copied in runs, with what is between them.
func (w *writer) members(object Value) {
	c := object.open()
	var run span // the part of the object to copy next
	for {
		column, same, more := w.next(&c)
		if !more {
			break
		}
		w.take(&c, column, same, c.value().raw, &run)
	}
	w.copy(c.bytes, &run)
}

// next moves c to the next member. more is false at the end. It returns the member's column, or nil if it has none, and whether the name is already
// the column's.
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
	if written := c.bytes[c.at:c.i]; known && string(bytes.TrimSpace(written[len(c.key())+2:])) == ":" { // the name is written as in valid JSON
		f := &w.memory.follows[w.last][w.memory.learnt%4]
		*f = follow{column, w.within, append(f.key[:0], written...), len(c.key()), same, c.escaped}
		w.memory.learnt++
	}
	w.last = column.index
	return column, same, true
}

// take handles the last member of c. column is its column, and same says that it already has the column's name. take writes the member, or adds it to
// the run of members that stay unchanged.
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
		if w.shape == nil || !w.shape.typed { // without Columns few members remain, and the space between them is removed
			w.copy(c.bytes, run)
		}
	case column == nil && w.shape.undeclared == w.shape.whole: // the Whole has it
		w.copy(c.bytes, run)
	case column == nil:
		w.copy(c.bytes, run)
		w.setAside(c, value)
	default:
		w.copy(c.bytes, run)
		w.column(column, value)
	}
}

// copy writes a run of members of b and clears it.
func (w *writer) copy(b []byte, run *span) {
	if run.to > 0 {
		w.comma()
		w.dst = append(w.dst, b[run.from:run.to]...)
		*run = span{}
	}
}

// object writes the members of an object if names change.
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

// inner writes the members of an object that is taken apart. It is the last value of c and belongs to column.
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

// fullName returns the name of the last member of c, in w.memory.name[w.to:].
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

// replaced writes the put member, once, that replaces the last member of c, which has the given column. It reports whether there is one.
func (w *writer) replaced(c *cursor, column *column) bool {
	i := w.putAs(column, c)
	if i >= 0 {
		w.putOnce(i)
	}
	return i >= 0
}

// putAs returns the index of the put member that replaces the last member of c, which has the given column, or -1.
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

// putOnce writes the put member with index i, unless it has been written.
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

// member writes a put member, whose column is c.
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

// renamed writes a member without a column under its new name, or sets it aside.
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

// column writes a member that has a column.
func (w *writer) column(c *column, value []byte) {
	switch {
	case c.edit != nil:
		c.edit.write(w, c, value)
	case c.kind != Labels && c.stays(value): // the most common case
		if w.counts(c) {
			w.key(c)
			w.dst = append(w.dst, value...)
		}
	case w.counts(c):
		w.key(c)
		w.value(c, value)
	}
}

// counts reports whether a column's member is the one to use, and warns of any other.
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

// value writes a value in the type of its column, if the column has one.
func (w *writer) value(c *column, value []byte) {
	if c.kind == 0 {
		w.dst = append(w.dst, value...)
		return
	}
	w.fit(c, value)
}

// rest writes the members that are present even if the record lacks them.
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

// first reports whether i is met for the first time. i is the index of a column, or the number of columns plus the index of a put member.
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

// keyless reports whether the written record lacks a part of its key or has null for it.
func (w *writer) keyless() bool {
	for _, at := range w.memory.keys {
		if w.dst[at] != 'n' {
			w.keyed++
		}
	}
	return w.keyed < w.shape.keys
}

// appendAsText appends value as a JSON string. A string or null is appended unchanged.
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

// names is a set of the names already written to a record.
type names struct {
	spans []span   // where the names are in the record
	table []uint32 // maps hashes to 1 + the index in spans; 0 is free; the length is a power of two
}

type span struct{ from, to int }

// add adds the name at record[from:]. It returns false if the set has it.
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

// slot returns the index of name in the table, or the free index for it.
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
