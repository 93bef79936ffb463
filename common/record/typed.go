package record

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// Prefix puts Text in front of the names of members, after LowerKeys and Flatten and before Rename. The other edits go by the whole name;
// put members keep theirs.
type Prefix struct{ Text string }

// Prefer says which of the members that become Field counts: the one at Path, where the record has it. Path is the source's own names from
// the top of the record, with a dot between them. Otherwise the first one counts, as without a Prefer.
type Prefer struct{ Field, Path string }

// Number makes a field a number: a JSON number stays as it is, text that is a number (`12`, `1.5e3`, `1.234,56`, `R$ 1.234,56`) becomes
// that number and a CNPJ (`12.345.678/0001-90`) the number of its digits, without the zeros in front. Null, blank text and an empty object
// or array become null. All else becomes null too; with Text a member `<field>_text` follows, with the original as JSONText has it, and
// without Text that is a Warning. It holds for a put member as well, as an Integer does.
type Number struct {
	Field string
	Text  bool
}

// Boolean makes a field true or false: these and null stay, text that says `true` or `false`, `sim` or `não`, `S` or `N` (in capitals or
// not) and 1 and 0, as text or number, become one of them, blank text becomes null. All else becomes null and is a Warning.
type Boolean struct{ Field string }

func (Prefix) edit()  {}
func (Prefer) edit()  {}
func (Number) edit()  {}
func (Boolean) edit() {}

// group is the edit of a column for the objects that Flatten takes apart into other columns: null in the place of one leaves nothing.
type group struct{}

func (group) edit() {}

const (
	notNumber      = "is not a number and becomes null"
	notBoolean     = "is neither true nor false and becomes null"
	notTime        = "is not a time and becomes null"
	oddYear        = "has a year before 1000, which cannot be right, and stays as it came"
	documentedName = "comes from more than one field of the source, of which the one that is documented stays"
)

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

// chosen is whether the member at which c stands is to be written to the column, which has a source. The first one is, until one comes from
// that source: then the record is written anew, and only what comes from there is.
func (w *writer) chosen(col *column, c *cursor) bool {
	only := slices.Contains(w.only, col.index)
	if !only && !w.met(col.index) {
		return true
	}
	var buffer [64]byte
	path := c.appendKey(append(buffer[:0], w.memory.path...))
	documented := string(path) == col.source
	if w.again && only {
		return documented && !w.met(col.index)
	}
	if documented && !only {
		w.only = append(w.only, col.index)
	}
	return true // and counted as a repeat
}

// restart makes w write the record anew, with what it learnt in w.only.
func (w *writer) restart() {
	w.dst, w.again = w.dst[:w.start], true
	clear(w.seen[:])
	clear(w.beyond)
	w.memory.names.clear()
}

// met is whether the column with the index i was met.
func (w *writer) met(i int) bool {
	if i >= 64*len(w.seen) {
		return w.beyond[i]
	}
	return w.seen[i/64]&(1<<(i%64)) != 0
}

// warn counts a problem with a column, once for each record.
func (w *writer) warn(c *column, problem string) {
	if !w.again || slices.Contains(w.only, c.index) {
		w.shape.warn(c.name, problem)
	}
}

// number writes the value of a Number, and its text.
func (w *writer) number(c *column, value []byte) {
	v := Value{bytes.TrimSpace(value)}
	switch kind := v.kind(); {
	case kind == '-' || isDigit(kind):
		w.dst = append(w.dst, v.raw...)
		return
	case kind == '"':
		var buffer [64]byte
		text := strings.TrimSpace(string(v.appendText(buffer[:0])))
		if number, ok := appendTextNumber(w.dst, text); ok {
			w.dst = number
			return
		}
		if text == "" {
			v = Value{}
		}
	case (kind == '{' || kind == '[') && len(bytes.Trim(v.raw, "{}[] \t\r\n")) == 0:
		v = Value{}
	}
	w.dst = append(w.dst, "null"...)
	switch {
	case v.IsNull():
	case len(c.made) == 0:
		w.warn(c, notNumber)
	case !w.replaced(nil, c.made[0]):
		w.key(c.made[0])
		w.dst = appendAsText(w.dst, v.raw)
	}
}

// appendTextNumber appends the JSON number that text is. ok is false, and dst as it was, where it is none.
func appendTextNumber(dst []byte, text string) (number []byte, ok bool) {
	if text == "" {
		return dst, false
	}
	if (text[0] == '-' || isDigit(text[0])) && valid([]byte(text)) {
		return append(dst, text...), true
	}
	var a amount
	if strings.Trim(strings.TrimLeft(text, "-R$ "), "0123456789.,") == "" {
		if a, ok = readAmount(text); !ok {
			return dst, false
		}
	} else if a, ok = readCNPJ(text); !ok {
		return dst, false
	}
	if number, ok = a.appendTo(dst); !ok {
		return dst, false
	}
	return number, true
}

// readCNPJ is the digits of a company's number in the register, which has fourteen.
func readCNPJ(text string) (a amount, ok bool) {
	a.digits = strings.NewReplacer(".", "", "/", "", "-", "").Replace(text)
	return a, len(a.digits) == 14 && allDigits(a.digits)
}

// boolean writes the value of a Boolean.
func (w *writer) boolean(c *column, value []byte) {
	v := Value{value}
	switch text := strings.ToLower(strings.TrimSpace(v.Text())); {
	case v.IsNull() || text == "":
		w.dst = append(w.dst, "null"...)
	case text == "true" || text == "1" || text == "s" || text == "sim":
		w.dst = append(w.dst, "true"...)
	case text == "false" || text == "0" || text == "n" || text == "não" || text == "nao":
		w.dst = append(w.dst, "false"...)
	default:
		w.dst = append(w.dst, "null"...)
		w.warn(c, notBoolean)
	}
}

// oddTime writes what a strict Time cannot read.
func (w *writer) oddTime(c *column, v Value, e Time) {
	if v.kind() == '"' {
		zone := e.Zone
		if zone == nil {
			zone = time.UTC
		}
		if odd, ok := readISO(strings.TrimSpace(v.Text())); ok {
			w.dst = append(w.dst, '"')
			w.dst = append(odd.moment(zone).appendTo(w.dst), '"')
			w.warn(c, oddYear)
			return
		}
	}
	w.dst = append(w.dst, "null"...)
	w.warn(c, notTime)
}
