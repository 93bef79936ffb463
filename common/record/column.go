package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Type is the type of a column's values, all of which have it or are null. The zero Type is no type: values stay unchanged.
type Type uint8

// The types, as Airbyte defines them. A text is a JSON string. A blank text has nothing but white space.
const (
	// Text is a string. Numbers, true and false become strings, digit by digit.
	Text Type = iota + 1
	// Labels is an Object whose names are labels chosen by people. Repeated labels get a number, as in "Color (2)".
	Labels
	// JSONText is a Text. An object or a list becomes compact JSON in it.
	JSONText
	// Boolean is true or false. It reads 1 and 0, and the texts `true`, `false`, `1`, `0`, `Sim`, `Não`, `S` and `N` in any case.
	Boolean
	// Integer is a whole number within 64 bits, however it is written: `12.0` is 12. It reads text as Number does, except for `1.000`, which may mean
	// one or one thousand, both of them whole.
	Integer
	// Number has at most 29 digits before its point, as many as a DECIMAL(38,9) holds. A JSON number keeps every digit after the point. A text may have
	// at most 9 decimals: `12.5`, `1.5e3`, `1.234,56`, `R$ 1.234,56`, and a CNPJ as its digits. A single point before exactly three digits is a decimal
	// point (`350.000` is 350), unless there is an R$ (`R$ 350.000`). Several points group thousands (`1.350.000`).
	Number
	// Date is YYYY-MM-DD: the day in a text that ParseTime reads, whatever time and zone follow it.
	Date
	// Timestamp is RFC 3339 in UTC, from a text that ParseTime reads. It keeps the fraction as written.
	Timestamp
	// Object is a JSON object.
	Object
	// List is a JSON array. An object or a text becomes a list with one element, if the list may have such elements.
	List
	// Whole is an Object that holds the record as it came, without put members and regardless of other edits. A shape has at most one. If there is no
	// Column Undeclared, fields without a Column are only in it.
	Whole
	// Digest is a text that differs for records with different bytes: 32 hexadecimal digits, the first half of the SHA-256 of the record as it came,
	// without the white space around it. It is for rows without a key.
	Digest
)

// String returns the type with its article, for a sentence.
func (t Type) String() string {
	return [...]string{
		Text: "a text", JSONText: "a text", Boolean: "true or false", Integer: "a whole number", Number: "a number", Date: "a date",
		Timestamp: "a time", Object: "an object", Labels: "an object", List: "a list", Whole: "an object",
		Digest: "a text",
	}[t]
}

// Column converts a field to a type, put members included. A value that does not fit becomes null. Fit returns its field, and the member [Unparsed]
// of the record holds the value as it came, if there is a Column of that name.
//
// Some values become null without notice, because nothing is lost: blank text if no text is due, an empty object or list if neither is due, and the
// first of January of the year 1, with which .NET writes that there is no date.
type Column struct {
	Field string
	Type  Type
	Of    Type // type of a List's elements: Text, Object, or anything else for any type
	Key   bool // the field identifies rows: Fit refuses a record in which it does not fit
}

// Times says how the Columns of a shape read times. Layouts and Zone are those of ParseTime.
type Times struct {
	Layouts []string
	Zone    *time.Location
}

func (Times) names(*compiler) {}

func (e Times) values(c *compiler) {
	if c.times.Layouts != nil || c.times.Zone != nil {
		panic("record: more than one Times")
	}
	c.times = e
}

func (Column) names(*compiler) {}

func (e Column) values(c *compiler) {
	col := c.field(e.Field)
	_, constant := col.edit.(Put)
	if e.Type == 0 || col.kind != 0 || constant {
		panic(fmt.Sprintf("record: %q cannot be a column, or not once more", e.Field))
	}
	col.kind, col.of, col.key, col.stops, c.typed = e.Type, e.Of, e.Key, true, true
	if e.Key {
		c.keys++
	}
	switch e.Type {
	case Whole:
		if c.whole != nil || e.Key {
			panic(fmt.Sprintf("record: %q cannot hold the whole record too, and is no key", e.Field))
		}
		c.whole = c.set(col, made{})
	case Digest:
		if c.digest != nil {
			panic(fmt.Sprintf("record: %q cannot hold the digest of the record too", e.Field))
		}
		c.digest = c.set(col, made{})
	}
	if (e.Field == Unparsed || e.Field == Undeclared) && col.edit == nil {
		col.edit = made{}
	}
}

// made is the treatment of members that the shape makes itself: of a Decimal, of values that fit no column, of the whole record. A member of the
// source with the same name is left out.
type made struct{}

func (made) write(w *writer, c *column, _ []byte) { w.warn(c, takenName) }
func (made) lacking(*writer, *column)             {}

const (
	// Unparsed is the object in a record that holds the values which did not fit their columns, under the columns' names. It is absent if all fit.
	Unparsed = "_unparsed"
	// Undeclared is the object in a record that holds the fields without a Column. It is absent if there are none. Without a Column of that name these
	// fields stay where they are.
	Undeclared = "_undeclared"
)

// KeyError is the error for a key that does not fit its column.
type KeyError struct {
	Field string
	Type  Type
}

// Error names the key and never its value.
func (e *KeyError) Error() string { return fmt.Sprintf("the key %q is not %s", e.Field, e.Type) }

// verdict says how a value fits a type.
type verdict uint8

const (
	fits    verdict = iota
	blank           // the value is empty: null
	dubious         // it fits but cannot be right
	unfit           // it has another type
)

// fit writes a value of c, converted to c's type.
func (w *writer) fit(c *column, value []byte) {
	if len(value) == 0 || value[0] == 'n' {
		w.dst = append(w.dst, "null"...)
		return
	}
	at := len(w.dst)
	dst, v := c.append(w.dst, value, &w.shape.times)
	switch w.dst = dst; v {
	case fits:
	case dubious:
		w.warn(c, oddYear)
	case blank:
		w.dst = append(w.dst[:at], "null"...)
	case unfit:
		w.dst = append(w.dst[:at], "null"...)
		w.memory.unfit = append(w.memory.unfit, misfit{c, value})
	}
}

// stays reports whether a value already has its column's type and needs no other edit.
func (c *column) stays(value []byte) bool {
	if c.edit != nil || len(value) == 0 {
		return false
	}
	kind := value[0]
	switch c.kind {
	case 0:
		return true
	case Text, JSONText:
		return kind == '"' || kind == 'n'
	case Boolean:
		return kind == 't' || kind == 'f' || kind == 'n'
	case Integer:
		return kind == 'n' || isPlain(value)
	case Number:
		return kind == 'n' || isDecimal(value)
	case Object:
		return kind == '{' || kind == 'n'
	case Labels:
		return kind == '{' && !repeats(value) || kind == 'n'
	case List:
		return kind == '[' || kind == 'n'
	}
	return kind == 'n'
}

// misfit is a value that does not fit its column.
type misfit struct {
	column *column
	value  []byte
}

// append appends a value that is not null, converted to the column's type. If the verdict is blank or unfit, the caller must discard what was
// appended.
func (c *column) append(dst, value []byte, times *Times) ([]byte, verdict) {
	switch c.kind {
	case Text, JSONText:
		return appendText(dst, value, c.kind == JSONText)
	case List:
		return appendList(dst, value, c.of)
	case Object:
		if value[0] == '{' {
			return append(dst, value...), fits
		}
	case Labels:
		if value[0] == '{' {
			return appendLabels(dst, value), fits
		}
	case Integer:
		if whole := bytes.TrimSuffix(value, []byte(".0")); isPlain(whole) {
			return append(dst, whole...), fits
		}
	}
	switch value[0] {
	case '{', '[':
		return dst, empty(value)
	case '"':
		var buffer [64]byte
		text := bytes.TrimSpace(Value{raw: value}.appendText(buffer[:0]))
		if len(text) == 0 {
			return dst, blank
		}
		return appendParsed(dst, c.kind, text, times)
	}
	switch c.kind {
	case Boolean:
		return appendBoolean(dst, value)
	case Integer:
		return appendInteger(dst, value)
	case Number:
		if isDigit(value[0]) || value[0] == '-' {
			return append(dst, value...), holds(value, false)
		}
	}
	return dst, unfit
}

// repeats reports whether two members of an object have the same name. It does not allocate for up to 64 names without escapes.
func repeats(object []byte) bool {
	var names [64]span
	n := 0
	for c := (Value{raw: object}).open(); c.member(); n++ {
		at := span{c.at, c.end + 1}
		if n == len(names) || c.escaped {
			_, found := Value{raw: object}.Twice()
			return found
		}
		for _, other := range names[:n] {
			if string(object[at.from:at.to]) == string(object[other.from:other.to]) {
				return true
			}
		}
		names[n] = at
		c.skip()
	}
	return false
}

// appendLabels appends an object with unique names: repeated ones get a number.
func appendLabels(dst, object []byte) []byte {
	dst = append(dst, '{')
	if start := len(dst); !repeats(object) {
		for c := (Value{raw: object}).open(); c.member(); {
			if len(dst) > start {
				dst = append(dst, ',')
			}
			var buffer [64]byte
			dst = append(appendQuoted(dst, c.appendKey(buffer[:0])), ':')
			dst = append(dst, c.value().raw...)
		}
		return append(dst, '}')
	}
	before := map[string]int{}
	for name, value := range Record(object).Members() {
		if len(before) > 0 {
			dst = append(dst, ',')
		}
		label := name
		for n := 2; before[label] > 0; n++ {
			label = name + " (" + strconv.Itoa(n) + ")"
		}
		before[label]++
		dst = append(appendQuoted(dst, []byte(label)), ':')
		dst = append(dst, value.Raw()...)
	}
	return append(dst, '}')
}

// firstDay is the date with which .NET writes that there is none.
const firstDay = "0001-01-01"

// appendParsed appends the value of a text, without white space around it, in a type other than text.
func appendParsed(dst []byte, kind Type, text []byte, times *Times) ([]byte, verdict) {
	if len(text) >= len(firstDay) && (string(text[:4]) == firstDay[:4] || string(text[6:10]) == firstDay[:4]) {
		if c, ok := readDay(string(text)); ok && c.year == 1 && c.month == 1 && c.day == 1 {
			return dst, blank
		}
	}
	switch kind {
	case Boolean:
		return appendBoolean(dst, text)
	case Integer:
		return appendWhole(dst, text)
	case Number:
		at := len(dst)
		number, ok := appendTextNumber(dst, string(text))
		if !ok {
			return dst, unfit
		}
		return number, holds(number[at:], true)
	case Date, Timestamp:
		return appendTime(dst, kind, string(text), times)
	}
	return dst, unfit
}

// empty returns the verdict on an object or a list if neither is due.
func empty(value []byte) verdict {
	if len(bytes.TrimLeft(value[1:], " \t")) <= 1 { // only the closing bracket is left
		return blank
	}
	return unfit
}

func appendText(dst, value []byte, nested bool) ([]byte, verdict) {
	switch value[0] {
	case '"':
		return append(dst, value...), fits
	case '{', '[':
		if nested {
			return appendAsText(dst, value), fits
		}
		return dst, empty(value)
	}
	return append(append(append(dst, '"'), value...), '"'), fits
}

func appendList(dst, value []byte, of Type) ([]byte, verdict) {
	switch kind := value[0]; {
	case kind == '[':
		return append(dst, value...), fits
	case kind == '{' && empty(value) == blank, kind == '"' && isBlank(value):
		return dst, blank
	case kind == '{' && (of == 0 || of == Object), kind == '"' && (of == 0 || of == Text):
		return append(append(append(dst, '['), value...), ']'), fits
	}
	return dst, unfit
}

// isBlank reports whether a JSON string is blank.
func isBlank(value []byte) bool {
	if len(value) > 32 || len(value) > 2 && value[1] > ' ' && value[1] < 0x7f && value[1] != '\\' {
		return false // no need to look further
	}
	var buffer [64]byte
	return len(bytes.TrimSpace(Value{raw: value}.appendText(buffer[:0]))) == 0
}

// appendBoolean appends the truth value of a text, or of a JSON value that is not a string.
func appendBoolean(dst, text []byte) ([]byte, verdict) {
	for _, yes := range [...]string{"true", "1", "sim", "s"} {
		if len(text) == len(yes) && strings.EqualFold(string(text), yes) {
			return append(dst, "true"...), fits
		}
	}
	for _, no := range [...]string{"false", "0", "não", "nao", "n"} {
		if len(text) == len(no) && strings.EqualFold(string(text), no) {
			return append(dst, "false"...), fits
		}
	}
	return dst, unfit
}

// isPlain reports whether a JSON value is written as a whole number of at most 18 characters, which fits into 64 bits.
func isPlain(value []byte) bool {
	if len(value) == 0 || len(value) > 18 || value[0] == '-' && len(value) > 1 && value[1] == '0' {
		return false
	}
	digits := value
	if digits[0] == '-' {
		digits = digits[1:]
	}
	for _, c := range digits {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// isDecimal reports whether a JSON value is a number without an exponent and with no more characters than a Number may have digits.
func isDecimal(value []byte) bool {
	if len(value) > 29 {
		return false
	}
	for _, c := range value {
		if !isDigit(c) && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

// appendInteger appends the whole number that is written as number.
func appendInteger(dst, number []byte) ([]byte, verdict) {
	n, ok := wholeNumber(number)
	if !ok {
		return dst, unfit
	}
	return strconv.AppendInt(dst, n, 10), fits
}

// appendWhole appends the whole number that is written as text.
func appendWhole(dst, text []byte) ([]byte, verdict) {
	if whole, fraction, point := bytes.Cut(text, []byte(".")); point && len(fraction) == 3 && allDigits(string(fraction)) &&
		allDigits(string(bytes.TrimPrefix(whole, []byte("-")))) {
		return dst, unfit // ambiguous: thousands or decimals
	}
	if dst, v := appendInteger(dst, text); v == fits {
		return dst, v
	}
	var buffer [64]byte
	number, ok := appendTextNumber(buffer[:0], string(text))
	if !ok {
		return dst, unfit
	}
	return appendInteger(dst, number)
}

// holds reports whether a warehouse can hold a JSON number, as a DECIMAL(38,9) does. Warehouses round further decimals, so these only count if the
// number was made from a text, or if nobody can read so many.
func holds(number []byte, text bool) verdict {
	const most, decimals = 29, 9
	if !text && isDecimal(number) {
		return fits
	}
	if unreadable(number) {
		return unfit
	}
	count, point, first, last, exponent := 0, -1, -1, 0, 0 // digits so far; positions of the point and of the first and last digit that is not zero
digits:
	for i, c := range number {
		switch {
		case c == '.':
			point = count
		case c == 'e' || c == 'E':
			exponent, _ = readExponent(number[i+1:])
			break digits
		case isDigit(c):
			if c != '0' {
				if first < 0 {
					first = count
				}
				last = count
			}
			count++
		}
	}
	if point < 0 {
		point = count
	}
	if first >= 0 && (point+exponent-first > most || text && last+1-point-exponent > decimals) {
		return unfit
	}
	return fits
}

// appendTime appends the day or the time that a text says.
func appendTime(dst []byte, kind Type, text string, times *Times) ([]byte, verdict) {
	zone := times.Zone
	if kind == Date || zone == nil {
		zone = time.UTC // in a zone whose clocks skip midnight, the result could be another day
	}
	var m moment
	ok := false
	if times.Layouts == nil {
		switch c, day := readDay(text); {
		case !day || c.year < 1000:
		case kind == Date || c.zoned && c.offset == 0:
			return c.appendTo(dst, kind), fits
		default:
			m, ok = c.moment(zone), true
		}
	}
	v := fits
	if !ok {
		m, ok = readMoment(text, times.Layouts, zone)
	}
	if !ok {
		if m, ok = readOld(text, zone); !ok {
			return dst, unfit
		}
		v = dubious
	}
	dst = append(dst, '"')
	if kind == Date {
		dst = appendDay(dst, m.time)
	} else if dst, ok = m.appendUTC(dst); !ok {
		return dst, unfit
	}
	return append(dst, '"'), v
}

// unparsed writes the member with the values that did not fit, appends their columns' names to nulled, and warns. If a key did not fit, it returns an
// error.
func (w *writer) unparsed(nulled []string) ([]string, error) {
	misfits := w.memory.unfit
	var err error
	for i, m := range misfits {
		if m.column.key {
			err = &KeyError{m.column.name, m.column.kind}
		}
		w.shape.warn(m.column.name, notOf(m.column.kind))
		nulled = append(nulled, m.column.name)
		if w.shape.unparsed == nil {
			continue
		}
		if i == 0 {
			w.key(w.shape.unparsed)
			w.dst = append(w.dst, '{')
		} else {
			w.dst = append(w.dst, ',')
		}
		w.dst = append(append(w.dst, m.column.quoted...), m.value...)
	}
	if len(misfits) > 0 && w.shape.unparsed != nil {
		w.dst = append(w.dst, '}')
	}
	return nulled, err
}

// notOf returns the problem text for values that do not have type t.
func notOf(t Type) string { return "is not " + t.String() + ": it is null, and stands in " + Unparsed }

// wideValue is the length from which a value is not copied when it is set aside: its record stays in memory until it is written.
const wideValue = 64 << 10

// setAside notes the last member of c, which has no column, unless a member of that name came before.
func (w *writer) setAside(c *cursor, value []byte) {
	m := w.memory
	from := len(m.name)
	if m.name = c.appendKey(m.name); !m.names.add(w.shape.seed, m.name, from) {
		if !w.again {
			w.shape.warnAny(m.name[from:], repeatedName)
		}
		m.name = m.name[:from]
		return
	}
	name := c.bytes[c.at : c.i-len(value)] // quoted, with its colon
	if len(value) >= wideValue {
		m.wide = append(m.wide, name, value)
		return
	}
	if len(m.aside) > 0 {
		m.aside = append(m.aside, ',')
	}
	m.aside = append(append(m.aside, name...), value...)
}

// whole writes the members that are made from all of r.
func (w *writer) whole(r Record) {
	r = bytes.TrimSpace(r)
	if w.shape.digest != nil {
		sum := sha256.Sum256(r)
		w.key(w.shape.digest)
		w.dst = append(hex.AppendEncode(append(w.dst, '"'), sum[:len(sum)/2]), '"')
	}
	if w.shape.whole != nil {
		w.key(w.shape.whole)
		w.dst = append(w.dst, r...)
	}
}

// undeclared writes the member that holds the values set aside.
func (w *writer) undeclared() {
	m := w.memory
	if w.shape.undeclared == w.shape.whole { // the Whole has them
		m.aside = m.aside[:0]
	}
	if len(m.aside)+len(m.wide) == 0 {
		return
	}
	w.key(w.shape.undeclared)
	w.dst = append(append(w.dst, '{'), m.aside...)
	for i := 0; i < len(m.wide); i += 2 {
		if i > 0 || len(m.aside) > 0 {
			w.dst = append(w.dst, ',')
		}
		w.dst = append(append(w.dst, m.wide[i]...), m.wide[i+1]...)
	}
	w.dst = append(w.dst, '}')
	clear(m.wide)
	m.wide = m.wide[:0]
}

// withoutNul returns r without the characters U+0000 in its texts and names, and how many were removed. If there are none, it returns r itself.
// PostgreSQL cannot store them.
func withoutNul(r []byte) (clean []byte, removed int64) {
	const nul = `\u0000`
	copied, from := 0, 0
	for {
		i := bytes.IndexByte(r[from:], '\\')
		if i < 0 || from+i+1 >= len(r) {
			break
		}
		i += from
		if from = i + 2; len(r)-i < len(nul) || string(r[i:i+len(nul)]) != nul { // skips the byte that a backslash escapes
			continue
		}
		clean = append(clean, r[copied:i]...)
		copied, from = i+len(nul), i+len(nul)
		removed++
	}
	if removed == 0 {
		return r, 0
	}
	return append(clean, r[copied:]...), removed
}
