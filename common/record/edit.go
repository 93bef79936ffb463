package record

import "fmt"

// Edit is one step that turns a record into what its schema says: a Column, Times, Decimal, Rename, Drop, Hide, Put, Prefer, LowerKeys, Flatten or
// Prefix.
//
// Names are settled first, by LowerKeys, then Flatten, then Prefix, then Rename, in whatever order these are given. The other edits refer to a member
// by its name in the output, at the top level of the record. A member that no edit names stays byte for byte, and members keep their order. If the
// source repeats a member that an edit names, the first one is used, or the one that a Prefer names. A field has at most one edit, and a Column in
// addition.
//
// Each edit is compiled and carried out in the file named after it.
type Edit interface {
	// names registers what the edit says about names. This is done for all edits before values, which refers to the resulting names.
	names(c *compiler)
	// values registers what the edit says about the values of fields. It is called last for Columns.
	values(c *compiler)
}

// treatment says what is done with the members that get one name in the output.
type treatment interface {
	// write writes a member of c.
	write(w *writer, c *column, value []byte)
	// lacking writes what replaces a missing member of c. It is only called for the columns in Shape.last, even if the record had such a member.
	lacking(w *writer, c *column)
}

// Member is a member that is put into a record from elsewhere, such as its parent's key.
type Member struct {
	Name  string
	Value []byte // JSON; null if it is empty
}

// Warning is something that a Shape could not do, and how often.
type Warning struct {
	Field   string // "" if it is about no field
	Problem string // such as "is not a date: it is null, and stands in _unparsed"
	Count   int64
}

// String returns a sentence that contains no value of the record.
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
