package record

import (
	"slices"
	"strings"
)

// Flatten replaces a member that is an object by the members of that object, their names prefixed with its own and Separator (`_` if that
// is empty). An empty object leaves nothing, and so do null and blank text in the place of an object whose members edits are for; an array stays.
// Flattening stops at the names in Keep and at those that another edit than Rename is for, a Column too. Of two members that become one name
// the first counts and the other is a Warning.
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

// groups enters the columns of the objects that Flatten takes apart into columns.
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

// group is the treatment of the objects that Flatten takes apart into other columns: null in the place of one leaves nothing.
type group struct{}

func (group) write(*writer, *column, []byte) {}
func (group) lacking(*writer, *column)       {}

// lacks reports whether the column is for an object that Flatten takes apart, and value is another one, for which there is no column. Null and blank
// text are none: so APIs write that there is no object.
func (c *column) lacks(value []byte) bool {
	_, group := c.edit.(group)
	return group && !(Value{raw: value}).IsNull() && (value[0] != '"' || !isBlank(value))
}
