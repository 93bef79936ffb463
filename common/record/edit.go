package record

import "fmt"

// Edit is one thing that a record needs to become what its schema says: a Column, Times, Decimal, Rename, Drop, Put, Prefer, LowerKeys, Flatten
// or Prefix.
//
// Names are settled first: LowerKeys, then Flatten, then Prefix, then Rename, whatever the order in which they are given. The other edits
// go by the name with which a member leaves, at the top level of the record. A member that no edit names stays byte for byte, and members
// keep their order. Of members that an edit names and that the source repeats, the first one counts, or the one that a Prefer names. A field
// has one edit, and a Column besides.
//
// Each edit is compiled, and carried out, in the file that is called after it.
type Edit interface {
	// names enters what the edit says about names. All edits do before any enters what it says about values, which go by the names.
	names(c *compiler)
	// values enters what the edit says about the values of fields. Columns do so last.
	values(c *compiler)
}

// treatment is what is done with the members that leave with one name.
type treatment interface {
	// write writes a member of c.
	write(w *writer, c *column, value []byte)
	// lacking writes what a record that has none of c has in its place; it is called for the columns in Shape.last alone, also if there was one.
	lacking(w *writer, c *column)
}

// Member is a member that is put into a record from outside, such as its parent's key.
type Member struct {
	Name  string
	Value []byte // JSON; null if it is empty
}

// Warning is what a Shape could not do, counted.
type Warning struct {
	Field   string // "" where it is about no field
	Problem string // such as "is not a date: it is null, and stands in _unparsed"
	Count   int64
}

// String returns a sentence without a value of the record.
func (w Warning) String() string {
	often := "once"
	if w.Count > 1 {
		often = fmt.Sprintf("%d times", w.Count)
	}
	if w.Field == "" {
		return fmt.Sprintf("%s (%s)", w.Problem, often)
	}
	return fmt.Sprintf("field %q %s (%s)", w.Field, w.Problem, often)
}

const (
	repeatedName   = "comes from more than one field of the source, of which the first one stays"
	documentedName = "comes from more than one field of the source, of which the one that is documented stays"
	takenName      = "comes from the source too, whose value is left out for the one made here"
	oddYear        = "has a year before 1000, which cannot be right, and stays"
	nulRemoved     = "the character U+0000, which no database takes, was removed from texts"
)
