package record

import (
	"fmt"
	"strings"
)

// LowerKeys makes the names of members lower-case, also of those that Flatten brings to the top level. Keys inside values stay as they are.
// Of two members that become one name the first counts and the other is a Warning.
type LowerKeys struct{}

func (LowerKeys) names(c *compiler) { c.lower = true }
func (LowerKeys) values(*compiler)  {}

// Prefix puts Text in front of the names of members, after LowerKeys and Flatten and before Rename. The other edits go by the whole name;
// put members keep theirs.
type Prefix struct{ Text string }

func (e Prefix) names(c *compiler) {
	if c.prefix != "" || e.Text == "" {
		panic("record: a Prefix that is empty, or not the only one")
	}
	c.prefix = e.Text
}

func (Prefix) values(*compiler) {}

// Rename gives a member another name. From is its name after LowerKeys and Flatten; of a member that Flatten takes apart it is the first
// part of the names that come out. Where the source has a member called To as well, the first of both counts and the other is a Warning.
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
