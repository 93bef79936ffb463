package record

import "time"

// Edit is one thing that a record needs to become what its schema says: a Time, Date, Decimal, Integer, Number,
// Boolean, JSONText, Rename, Drop, Put, Prefer, LowerKeys, Flatten or Prefix.
//
// Names are settled first: LowerKeys, then Flatten, then Prefix, then Rename, whatever the order in which they are given. The other edits
// go by the name with which a member leaves, at the top level of the record. A member that no edit names stays byte for byte, and members
// keep their order. Of members that an edit names and that the source repeats, the first one counts, or the one that a Prefer names.
type Edit interface{ edit() }

// Time makes the text of a field a time in RFC 3339, with the offset. A fraction stays as it was written, and so does text that is RFC
// 3339 already. Layouts and Zone are those of ParseTime. Empty text becomes null; null stays. Whatever ParseTime cannot read stays as it
// came and is a Warning.
//
// With Strict what leaves is a time or null: what is none becomes null, with a Warning. A year before 1000 is known from old databases and
// stays, with a Warning.
type Time struct {
	Field   string
	Layouts []string
	Zone    *time.Location
	Strict  bool
}

// Date makes the text of a field a date, YYYY-MM-DD; otherwise it is as Time. The day is the one that is written, whatever zone stands
// behind it; only where Zone is set and the text has a zone of its own is it the day which that moment has in Zone. So leave Zone nil for
// a day that comes as midnight in UTC.
type Date struct {
	Field   string
	Layouts []string
	Zone    *time.Location
}

// Decimal reads a field that holds a number as Brazilian text. The field stays as it came; a member `<field>_num` follows it with the
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

// Integer makes text that is a whole number that number, digit by digit: `"12"` becomes 12. Numbers and null stay, empty text becomes null.
// Other text, also with a zero in front (a number that is none, such as a postal code), stays as it came and is a Warning. It holds for a
// put member too, as Number and Time do: a key that comes from elsewhere must be of the same type in all records.
type Integer struct{ Field string }

// JSONText makes a field text: a string and null stay, any other value becomes text that holds its compact JSON, so a number its digits.
type JSONText struct{ Field string }

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

// Flatten replaces a member that is an object by the members of that object, their names prefixed with its own and Separator (`_` if that
// is empty). An empty object leaves nothing, and so does null in the place of an object whose members edits are for; an array stays.
// Flattening stops at the names in Keep and at those that another edit than Rename is for. Of two members that become one name the first
// counts and the other is a Warning.
type Flatten struct {
	Separator string
	Keep      []string
}

func (Time) edit()      {}
func (Date) edit()      {}
func (Decimal) edit()   {}
func (Integer) edit()   {}
func (JSONText) edit()  {}
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
	Field   string
	Problem string // such as "is not a date that can be read and stays as it came"
	Count   int64
}

const (
	unreadableTime    = "is not a date that can be read and stays as it came"
	unreadableInteger = "is not a whole number and stays as it came"
	repeatedName      = "comes from more than one field of the source, of which the first one stays"
	takenName         = "comes from the source too, whose value is left out for the one made here"
)
