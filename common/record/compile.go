package record

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
)

// column is what a Shape does with the members that leave with one name.
type column struct {
	name   string
	quoted []byte // the name as JSON, with the colon
	index  int    // its place among all columns
	edit   Edit   // nil to leave the value as it is
	kind   Type   // of its values; 0: any
	of     Type   // of the elements of a List
	key    bool   // the values tell rows apart
	source string // the path of the member that counts where several have the name; "": the first one does
	stops  bool   // Flatten stops here
	made   []*column
}

// inside is the edit of a column out of whose value members are dropped.
type inside struct{ drops branch }

// sibling is the edit of a column that only a Decimal fills, or that holds what fits no other.
type sibling struct{}

func (inside) edit()  {}
func (sibling) edit() {}

// branch is the members to drop from an object: those with a nil branch whole, of the others what is in theirs.
type branch map[string]branch

// Compile makes a Shape of edits, nil if there are none but Times. It panics on an edit that is none (no field, a Value that is not JSON) and on
// edits that contradict each other (two for one field, a field that no member can have): a programming error.
func Compile(edits ...Edit) *Shape {
	c := compiler{columns: map[string]*column{}, renames: map[string]string{}}
	for _, edit := range edits { // names first: the other edits go by them
		c.naming(edit)
	}
	for _, edit := range edits {
		c.editing(edit)
	}
	for _, edit := range edits {
		if e, ok := edit.(Column); ok {
			c.typing(e)
		}
	}
	if len(c.order) == 0 && len(c.hidden) == 0 && c.flatten == nil && !c.lower && c.prefix == "" {
		return nil
	}
	return c.shape()
}

// compiler is a Shape in the making.
type compiler struct {
	columns map[string]*column // by the name with which members leave
	order   []*column
	last    []*column
	renames map[string]string // From: To
	flatten *Flatten
	times   Times
	whole   *column
	digest  *column
	hidden  []string
	typed   bool
	lower   bool
	prefix  string
}

func (c *compiler) shape() *Shape {
	if c.flatten != nil {
		c.groups()
	}
	s := &Shape{
		columns: maps.Clone(c.columns), named: c.columns, order: c.order, last: c.last, lower: c.lower, flatten: c.flatten != nil,
		prefix: c.prefix, renames: c.lower || c.flatten != nil || c.prefix != "",
		times: c.times, typed: c.typed, unparsed: c.columns[Unparsed], undeclared: cmp.Or(c.columns[Undeclared], c.whole), whole: c.whole, digest: c.digest,
		hidden: c.hidden,
		seed:   maphash.MakeSeed(), warnings: map[warning]int64{},
	}
	if s.flatten {
		s.separator = c.flatten.Separator
	}
	for from := range c.renames {
		delete(s.columns, from) // a member of that name does not leave with it
	}
	for from, to := range c.renames {
		s.columns[from] = c.columns[to]
	}
	for name := range s.columns {
		s.lengths |= 1 << (len(name) % 64)
	}
	return s
}

// naming enters what an edit says about names.
func (c *compiler) naming(edit Edit) {
	switch e := edit.(type) {
	case LowerKeys:
		c.lower = true
	case Prefix:
		if c.prefix != "" || e.Text == "" {
			panic("record: a Prefix that is empty, or not the only one")
		}
		c.prefix = e.Text
	case Flatten:
		if c.flatten != nil {
			panic("record: more than one Flatten")
		}
		if e.Separator == "" {
			e.Separator = "_"
		}
		c.flatten = &e
	case Rename:
		if _, twice := c.renames[e.From]; twice || e.From == "" || e.To == "" || e.From == e.To || c.columns[e.To] != nil {
			panic(fmt.Sprintf("record: %q cannot be renamed to %q", e.From, e.To))
		}
		c.renames[e.From] = e.To
		c.column(e.To)
	}
}

// column is the column of members that leave as name; it is made where there is none.
func (c *compiler) column(name string) *column {
	if col := c.columns[name]; col != nil {
		return col
	}
	col := &column{name: name, quoted: append(appendQuoted(nil, []byte(name)), ':'), index: len(c.order)}
	c.columns[name] = col
	c.order = append(c.order, col)
	return col
}

// field is the column of a field, which members of the source must be able to have.
func (c *compiler) field(name string) *column {
	_, away := c.renames[name]
	if name == "" || c.columns[name] == nil && (away || c.lower && name != strings.ToLower(name)) {
		panic(fmt.Sprintf("record: no member leaves with the name %q", name))
	}
	return c.column(name)
}

// set gives a column its edit, of which it can have one.
func (c *compiler) set(col *column, edit Edit) *column {
	if col.edit != nil {
		panic(fmt.Sprintf("record: both %T and %T for %q", col.edit, edit, col.name))
	}
	col.edit, col.stops = edit, true
	return col
}

// editing enters what an edit says about values.
func (c *compiler) editing(edit Edit) {
	switch e := edit.(type) {
	case LowerKeys, Prefix, Column:
	case Times:
		if c.times.Layouts != nil || c.times.Zone != nil {
			panic("record: more than one Times")
		}
		c.times = e
	case Flatten:
		for _, name := range e.Keep {
			c.field(name).stops = true
		}
	case Rename:
		if c.lower && e.From != strings.ToLower(e.From) {
			panic(fmt.Sprintf("record: no member has the name %q", e.From))
		}
	case Prefer:
		col := c.field(e.Field)
		if col.source != "" || e.Path == "" {
			panic(fmt.Sprintf("record: a Prefer without a path, or a second one for %q", e.Field))
		}
		col.source = e.Path
	case Drop:
		c.drop(e)
	case Hide:
		for _, name := range e.Names {
			if strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789") != "" || name == "" {
				panic(fmt.Sprintf("record: %q cannot be hidden", name))
			}
			c.hidden = append(c.hidden, strings.ToLower(name))
		}
	case Put:
		if e.Field == "" || !valid(e.Value) {
			panic(fmt.Sprintf("record: what is put as %q is not JSON", e.Field))
		}
		e.Value = appendCompact(nil, e.Value)
		c.last = append(c.last, c.set(c.column(e.Field), e))
	case Decimal:
		col := c.set(c.field(e.Field), e)
		c.last = append(c.last, col)
		col.made = append(col.made, c.set(c.column(e.Field+"_num"), sibling{}))
		if e.Range {
			col.made = append(col.made, c.set(c.column(e.Field+"_min"), sibling{}), c.set(c.column(e.Field+"_max"), sibling{}))
		}
	default:
		panic(fmt.Sprintf("record: no such edit: %T", edit))
	}
}

// typing enters a Column, when all edits of values are known.
func (c *compiler) typing(e Column) {
	col := c.field(e.Field)
	_, constant := col.edit.(Put)
	if e.Type == 0 || col.kind != 0 || constant {
		panic(fmt.Sprintf("record: %q cannot be a column, or not once more", e.Field))
	}
	col.kind, col.of, col.key, col.stops, c.typed = e.Type, e.Of, e.Key, true, true
	switch e.Type {
	case Whole:
		if c.whole != nil || e.Key {
			panic(fmt.Sprintf("record: %q cannot hold the whole record too, and is no key", e.Field))
		}
		c.whole = c.set(col, sibling{})
	case Digest:
		if c.digest != nil {
			panic(fmt.Sprintf("record: %q cannot hold the digest of the record too", e.Field))
		}
		c.digest = c.set(col, sibling{})
	}
	if (e.Field == Unparsed || e.Field == Undeclared) && col.edit == nil {
		col.edit = sibling{}
	}
}

// drop enters a Drop, of a whole member or of what is inside one.
func (c *compiler) drop(e Drop) {
	keys := splitPath(e.Field)
	if len(keys) == 0 {
		panic("record: a Drop without a field")
	}
	name, keys := keys[0], keys[1:]
	for c.flatten != nil && len(keys) > 0 && !slices.Contains(c.flatten.Keep, name) {
		key := keys[0]
		if c.lower {
			key = strings.ToLower(key)
		}
		name, keys = name+c.flatten.Separator+key, keys[1:] // with which it would leave
	}
	col := c.field(name)
	if len(keys) == 0 {
		c.set(col, e)
		return
	}
	in, ok := col.edit.(inside)
	if !ok {
		in = inside{branch{}}
		c.set(col, in)
	}
	at := in.drops
	for i, key := range keys {
		next, met := at[key]
		switch whole := i == len(keys)-1; {
		case met && (whole || next == nil):
			panic(fmt.Sprintf("record: what %q drops is dropped already, in whole or in part", e.Field))
		case whole:
			at[key] = nil
		case !met:
			next = branch{}
			at[key] = next
		}
		at = next
	}
}
