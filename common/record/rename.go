package record

import (
	"fmt"
	"strings"
)

// LowerKeys makes the names of members lower-case, including those that Flatten moves to the top level. Keys inside values stay as they are. If two
// members get one name, the first is used and the other counts as a Warning.
type LowerKeys struct{}

func (LowerKeys) names(c *compiler) { c.lower = true }
func (LowerKeys) values(*compiler)  {}

// Prefix puts Text before the names of members, after LowerKeys and Flatten and before Rename. The other edits use the whole name. Put members keep
// their names.
type Prefix struct{ Text string }

func (e Prefix) names(c *compiler) {
	if c.prefix != "" || e.Text == "" {
		panic("record: a Prefix that is empty, or not the only one")
	}
	c.prefix = e.Text
}

func (Prefix) values(*compiler) {}

// Rename gives a member another name. From is its name after LowerKeys and Flatten. For a member that Flatten takes apart, it is the prefix of the
// resulting names. If the source has a member called To as well, the first of both is used and the other counts as a Warning.
type Rename struct{ From, To string }

func (e Rename) names(c *compiler) {
	if _, twice := c.renames[e.From]; twice || e.From == "" || e.To == "" || e.From == e.To || c.columns[e.To] != nil {
		panic(fmt.Sprintf("record: %q cannot be renamed to %q", e.From, e.To))
	}
	c.renames[e.From] = e.To
	c.column(e.To)
}

func (e Rename) values(c *compiler) {
	if c.lower && e.From != strings.ToLower(e.From) {
		panic(fmt.Sprintf("record: no member has the name %q", e.From))
	}
}
