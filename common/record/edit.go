package record

import "fmt"

// Edit is one thing that a record needs to become what its schema says: a Column, Times, Decimal, Rename, Drop, Put, Prefer, LowerKeys, Flatten
// or Prefix.
//
// Names are settled first: LowerKeys, then Flatten, then Prefix, then Rename, whatever the order in which they are given. The other edits
// go by the name with which a member leaves, at the top level of the record. A member that no edit names stays byte for byte, and members
// keep their order. Of members that an edit names and that the source repeats, the first one counts, or the one that a Prefer names. A field
// has one edit, and a Column besides.
type Edit interface{ edit() }

// Decimal reads a field that holds a number as Brazilian text. The field stays; a member `<field>_num` follows it with the
// number, which keeps every digit. With Range there are `<field>_min` and `<field>_max` too. All of them are always there, null where
// there is no number, even where the record lacks the field.
//
// It reads JSON numbers, `1.234,56`, `R$ 1.234,56`, `95,00 m²`, `10,00%`, `-22,89`, `-23.55` and ranges (`2 até 3`, `R$ 1,00 até R$
// 2,00`). A range has a number of its own only where both ends are the same; a single value is both ends of a range. One point before
// exactly three digits groups thousands where a currency or a unit stands with it (`R$ 300.000`) and is a decimal point where none does
// (`-23.551`).
type Decimal struct {
	Field      string
	Range      bool
	ZeroIsNull bool // zero is how the API says that it does not know
}

// Rename gives a member another name. From is its name after LowerKeys and Flatten; of a member that Flatten takes apart it is the first
// part of the names that come out. Where the source has a member called To as well, the first of both counts and the other is a Warning.
type Rename struct{ From, To string }

// Drop leaves a member out. Field is a path as Record.Get has it: `a.b` is the member b of the object a. Only objects are looked into, not
// arrays, and the names below the top level are those of the source.
type Drop struct{ Field string }

// Put sets a member to a constant, in the place of the member of that name or else as one of the last. Value is JSON.
type Put struct {
	Field string
	Value []byte
}

// LowerKeys makes the names of members lower-case, also of those that Flatten brings to the top level. Keys inside values stay as they are.
// Of two members that become one name the first counts and the other is a Warning.
type LowerKeys struct{}

// Prefix puts Text in front of the names of members, after LowerKeys and Flatten and before Rename. The other edits go by the whole name;
// put members keep theirs.
type Prefix struct{ Text string }

// Prefer says which of the members that become Field counts: the one at Path, where the record has it. Path is the source's own names from
// the top of the record, with a dot between them. Otherwise the first one counts, as without a Prefer.
type Prefer struct{ Field, Path string }

// Flatten replaces a member that is an object by the members of that object, their names prefixed with its own and Separator (`_` if that
// is empty). An empty object leaves nothing, and so do null and blank text in the place of an object whose members edits are for; an array stays.
// Flattening stops at the names in Keep and at those that another edit than Rename is for, a Column too. Of two members that become one name
// the first counts and the other is a Warning.
type Flatten struct {
	Separator string
	Keep      []string
}

func (Decimal) edit()   {}
func (Prefix) edit()    {}
func (Prefer) edit()    {}
func (Rename) edit()    {}
func (Drop) edit()      {}
func (Put) edit()       {}
func (LowerKeys) edit() {}
func (Flatten) edit()   {}

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

// String is a sentence without a value of the record.
func (w Warning) String() string {
	if w.Field == "" {
		return fmt.Sprintf("%s (%d times)", w.Problem, w.Count)
	}
	return fmt.Sprintf("field %q %s (%d times)", w.Field, w.Problem, w.Count)
}

const (
	repeatedName   = "comes from more than one field of the source, of which the first one stays"
	documentedName = "comes from more than one field of the source, of which the one that is documented stays"
	takenName      = "comes from the source too, whose value is left out for the one made here"
	oddYear        = "has a year before 1000, which cannot be right, and stays"
	nulRemoved     = "the character U+0000, which no database takes, was removed from texts"
)
