package record

import (
	"slices"
	"strings"
)

// Flatten replaces a member that is an object by the members of that object. Their names get the member's name and Separator (`_` if empty) as a
// prefix. An empty object leaves nothing. So do null and blank text in place of an object if edits name members of that object. An array stays.
// Flattening stops at the names in Keep and at names with an edit other than Rename, a Column included. If two members get one name, the first is
// used and the other counts as a Warning.
type Flatten struct {
	Separator string
	Keep      []string
}

func (e Flatten) names(c *compiler) {
	if c.flatten != nil {
		panic("record: more than one Flatten")
	}
	if e.Separator == "" {
		e.Separator = "_"
	}
	c.flatten = &e
}

func (e Flatten) values(c *compiler) {
	for _, name := range e.Keep {
		c.field(name).stops = true
	}
}

// groups adds the columns for the objects whose members Flatten turns into columns.
func (c *compiler) groups() {
	for _, col := range slices.Clone(c.order) {
		for i := range col.name {
			if i == 0 || !strings.HasPrefix(col.name[i:], c.flatten.Separator) || c.columns[col.name[:i]] != nil {
				continue
			}
			if _, away := c.renames[col.name[:i]]; !away {
				c.column(col.name[:i]).edit = group{}
			}
		}
	}
}

// group is the treatment of objects whose members Flatten turns into columns. Null in place of such an object leaves nothing.
type group struct{}

func (group) write(*writer, *column, []byte) {}
func (group) lacking(*writer, *column)       {}

// lacks reports whether the column is for an object that Flatten takes apart, and value is something else, for which there is no column. Null and
// blank text do not count, because APIs write them if there is no object.
func (c *column) lacks(value []byte) bool {
	_, group := c.edit.(group)
	return group && !(Value{raw: value}).IsNull() && (value[0] != '"' || !isBlank(value))
}
