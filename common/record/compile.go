package record

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"maps"
	"strings"
)

// column is what a Shape does with the members that get one name in the output.
type column struct {
	name   string
	quoted []byte    // the name as JSON, with the colon
	index  int       // its place among all columns
	edit   treatment // nil to leave the value as it is
	kind   Type      // of its values; 0: any
	of     Type      // of the elements of a List
	key    bool      // the values identify rows
	source string    // path of the member to use if several have the name; "": the first one
	stops  bool      // Flatten stops here
	made   []*column
}

// Compile makes a Shape from edits. It returns nil if there are none but Times. It panics on an invalid edit (no field, a Value that is not JSON) and
// on edits that contradict each other (two for one field, a field that no member can have), which are programming errors.
func Compile(edits ...Edit) *Shape {
	c := compiler{columns: map[string]*column{}, renames: map[string]string{}}
	for _, edit := range edits {
		edit.names(&c)
	}
	for _, last := range []bool{false, true} {
		for _, edit := range edits {
			if _, is := edit.(Column); is == last {
				edit.values(&c)
			}
		}
	}
	if len(c.order) == 0 && len(c.hidden) == 0 && c.flatten == nil && !c.lower && c.prefix == "" {
		return nil
	}
	return c.shape()
}

// compiler is a Shape in the making.
type compiler struct {
	columns map[string]*column // by the members' names in the output
	order   []*column
	last    []*column
	renames map[string]string // From: To
	flatten *Flatten
	times   Times
	whole   *column
	digest  *column
	hidden  []string
	typed   bool
	keys    int
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
		times: c.times, typed: c.typed, keys: c.keys, unparsed: c.columns[Unparsed], undeclared: cmp.Or(c.columns[Undeclared], c.whole),
		whole: c.whole, digest: c.digest, hidden: c.hidden,
		seed: maphash.MakeSeed(), warnings: map[warning]int64{},
	}
	if s.flatten {
		s.separator = c.flatten.Separator
	}
	for from := range c.renames {
		delete(s.columns, from) // a member of that name gets another one
	}
	for from, to := range c.renames {
		s.columns[from] = c.columns[to]
	}
	for name := range s.columns {
		s.lengths |= 1 << (len(name) % 64)
	}
	return s
}

// column returns the column of members with that name in the output. It makes one if there is none.
func (c *compiler) column(name string) *column {
	if col := c.columns[name]; col != nil {
		return col
	}
	col := &column{name: name, quoted: append(appendQuoted(nil, []byte(name)), ':'), index: len(c.order)}
	c.columns[name] = col
	c.order = append(c.order, col)
	return col
}

// field returns the column of a field. It panics if no member of the source can have that name.
func (c *compiler) field(name string) *column {
	_, away := c.renames[name]
	if name == "" || c.columns[name] == nil && (away || c.lower && name != strings.ToLower(name)) {
		panic(fmt.Sprintf("record: no member leaves with the name %q", name))
	}
	return c.column(name)
}

// set gives a column its edit. It panics if the column has one.
func (c *compiler) set(col *column, edit treatment) *column {
	if col.edit != nil {
		panic(fmt.Sprintf("record: both %T and %T for %q", col.edit, edit, col.name))
	}
	col.edit, col.stops = edit, true
	return col
}
