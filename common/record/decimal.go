package record

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"
	"unicode"
)

// Decimal reads a field that holds a number as Brazilian text. The field stays. A member `<field>_num` with the number follows it and keeps every
// digit. With Range, there are `<field>_min` and `<field>_max` too. All of them are always present, and null if there is no number, even if the
// record lacks the field.
//
// Decimal reads JSON numbers, `1.234,56`, `R$ 1.234,56`, `95,00 m²`, `10,00%`, `-22,89`, `-23.55` and ranges (`2 até 3`, `R$ 1,00 até R$ 2,00`). A
// range only has a number if both ends are the same. A single value is both ends of its range. A single point before exactly three digits groups
// thousands if there is a currency or a unit (`R$ 300.000`), and is a decimal point otherwise (`-23.551`). Text with a multiplier (`10 mil`, `1,5
// mi`) is not a number.
type Decimal struct {
	Field      string
	Range      bool
	ZeroIsNull bool // zero is how the API says that the value is unknown
}

func (Decimal) names(*compiler) {}

func (e Decimal) values(c *compiler) {
	col := c.set(c.field(e.Field), e)
	c.last = append(c.last, col)
	col.made = append(col.made, c.set(c.column(e.Field+"_num"), made{}))
	if e.Range {
		col.made = append(col.made, c.set(c.column(e.Field+"_min"), made{}), c.set(c.column(e.Field+"_max"), made{}))
	}
}

func (e Decimal) write(w *writer, c *column, value []byte) {
	if w.counts(c) {
		w.key(c)
		w.value(c, value)
		e.numbers(w, c, value)
	}
}

func (e Decimal) lacking(w *writer, c *column) {
	if w.first(c.index) {
		e.numbers(w, c, nil)
	}
}

// numbers writes the members made from value: the number and, with Range, the ends of the range.
func (e Decimal) numbers(w *writer, c *column, value []byte) {
	var buffers [2][64]byte
	low, high := readNumbers(value, buffers[0][:0], buffers[1][:0])
	number := low
	if !bytes.Equal(low, high) {
		switch order := compareNumbers(low, high); {
		case order > 0:
			low, high = high, low
			fallthrough
		case order < 0:
			number = nil
		}
	}
	for i, n := range [...][]byte{number, low, high} {
		if i == len(c.made) {
			break
		}
		if w.replaced(nil, c.made[i]) {
			continue
		}
		w.key(c.made[i])
		if n == nil || e.ZeroIsNull && isZero(n) || holds(n, false) == unfit {
			w.dst = append(w.dst, "null"...)
		} else {
			w.dst = append(w.dst, n...)
		}
	}
}

// readNumbers returns the ends of the range in value, as JSON numbers in the memory of low and high, or nil if there is no number. Both ends of a
// number are the same.
func readNumbers(value, low, high []byte) (first, second []byte) {
	v := Value{raw: value}
	switch kind := v.kind(); {
	case kind == '-' || isDigit(kind):
		return value, value
	case kind != '"', len(value) < 2:
		return nil, nil
	}
	text := value[1 : len(value)-1]
	if isDecimal(text) && isNumber(text) {
		return text, text
	}
	if number, plain := appendPlain(low, text); plain {
		return number, number
	}
	var buffer [64]byte
	from, to, ok := readAmounts(string(v.appendText(buffer[:0])))
	if !ok {
		return nil, nil
	}
	if first, ok = from.appendTo(low); !ok {
		return nil, nil
	}
	if from == to {
		return first, first
	}
	if second, ok = to.appendTo(high); !ok {
		return nil, nil
	}
	return first, second
}

// appendPlain appends the JSON number in text if text has the most common form of amounts: `R$ 1.234,56`, with or without the R$.
func appendPlain(dst, text []byte) (number []byte, plain bool) {
	text = bytes.TrimPrefix(text, []byte("R$ "))
	whole, fraction, comma := bytes.Cut(text, []byte(","))
	if !comma || len(fraction) == 0 || len(whole)%4 == 0 || whole[0] == '0' && len(whole) > 1 {
		return dst, false
	}
	number = dst
	for i, c := range whole {
		switch point := (len(whole)-i)%4 == 0; {
		case point && c == '.':
		case !point && isDigit(c):
			number = append(number, c)
		default:
			return dst, false
		}
	}
	number = append(number, '.')
	for _, c := range fraction {
		if !isDigit(c) {
			return dst, false
		}
		number = append(number, c)
	}
	return number, true
}

// amount is one number in Brazilian text, taken apart.
type amount struct {
	negative bool
	digits   string // with points and commas
	labelled bool   // there is a currency or a unit
	unit     bool   // there is a unit or a per cent sign
}

// readAmounts reads a number or a range. Both ends of a single number are the same.
func readAmounts(text string) (low, high amount, ok bool) {
	for _, word := range [...]string{" até ", " ate "} {
		if first, second, found := strings.Cut(text, word); found {
			low, ok = readAmount(first)
			if !ok {
				return amount{}, amount{}, false
			}
			high, ok = readAmount(second)
			labelled := low.labelled || high.labelled // `50,00 até 80,00 m²`: the unit belongs to both
			low.labelled, high.labelled = labelled, labelled
			return low, high, ok
		}
	}
	low, ok = readAmount(text)
	return low, low, ok
}

func readAmount(text string) (a amount, ok bool) {
	text = strings.TrimSpace(text)
	text, a.negative = strings.CutPrefix(text, "-")
	if rest, money := strings.CutPrefix(text, "R$"); money {
		a.labelled = true
		text = strings.TrimSpace(rest)
		if rest, minus := strings.CutPrefix(text, "-"); minus && !a.negative {
			a.negative, text = true, rest
		}
	}
	end := 0
	for end < len(text) && (isDigit(text[end]) || text[end] == '.' || text[end] == ',') {
		end++
	}
	a.digits = text[:end]
	switch unit := strings.TrimSpace(text[end:]); {
	case unit == "":
	case unit == "%":
		a.unit = true
	case isUnit(unit):
		a.labelled, a.unit = true, true
	default:
		return amount{}, false
	}
	return a, true
}

// isUnit reports whether text is one word such as m², m2, ha or alq., and not a multiplier.
func isUnit(text string) bool {
	switch text {
	case "m2", "m3", "km2":
		return true
	case "até", "ate", // a range without an end
		"M", "MM": // millions; m is metres
		return false
	}
	switch strings.ToLower(strings.TrimSuffix(text, ".")) {
	case "mil", "k", "mi", "milhão", "milhões", "milhao", "milhoes", "bi", "bilhão", "bilhões", "bilhao", "bilhoes":
		return false
	}
	for i, r := range text {
		if !unicode.IsLetter(r) && (i == 0 || r != '²' && r != '³' && r != '.') {
			return false
		}
	}
	return true
}

// appendTo appends the amount as a JSON number that keeps every digit. ok is false if the digits are not a number.
func (a amount) appendTo(dst []byte) (number []byte, ok bool) {
	whole, fraction, comma := strings.Cut(a.digits, ",")
	grouped := comma
	if !comma {
		switch first, last, point := strings.Cut(a.digits, "."); {
		case !point:
		case strings.Contains(last, "."):
			grouped = true
		case a.labelled && len(last) == 3 && len(first) <= 3 && first != "0":
			grouped = true // `R$ 300.000` is three hundred thousand, a bare `-23.551` is a coordinate
		default:
			whole, fraction, comma = first, last, true
		}
	}
	if comma && !allDigits(fraction) {
		return dst, false
	}
	first := true
	start := len(dst)
	if a.negative {
		dst = append(dst, '-')
		start++
	}
	for more := true; more; first = false {
		var group string
		group, whole, more = strings.Cut(whole, ".")
		if !allDigits(group) || !first && len(group) != 3 || first && more && len(group) > 3 || more && !grouped {
			return dst, false
		}
		dst = append(dst, group...)
	}
	for len(dst)-start > 1 && dst[start] == '0' {
		dst = append(dst[:start], dst[start+1:]...)
	}
	if comma {
		dst = append(append(dst, '.'), fraction...)
	}
	return dst, true
}

// appendTextNumber appends the JSON number in text. If there is none, ok is false and dst is unchanged.
func appendTextNumber(dst []byte, text string) (number []byte, ok bool) {
	if text == "" {
		return dst, false
	}
	if isNumber([]byte(text)) {
		return append(dst, text...), true
	}
	a, ok := readAmount(text)
	if !ok || a.unit {
		return appendCNPJ(dst, text)
	}
	if number, ok = a.appendTo(dst); !ok {
		return dst, false
	}
	return number, true
}

// appendCNPJ appends the digits of a CNPJ, the number of a company in the register, such as 12.345.678/0001-95, as a number.
func appendCNPJ(dst []byte, text string) (number []byte, ok bool) {
	const form = "00.000.000/0000-00"
	if len(text) != len(form) {
		return dst, false
	}
	number = dst
	for i := range len(text) {
		c, digit := text[i], form[i] == '0'
		switch {
		case digit != isDigit(c) || !digit && c != form[i]:
			return dst, false
		case digit && (c != '0' || len(number) > len(dst)):
			number = append(number, c)
		}
	}
	if len(number) == len(dst) {
		number = append(number, '0')
	}
	return number, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// isZero reports whether a JSON number is zero.
func isZero(number []byte) bool {
	for _, c := range number {
		switch {
		case '1' <= c && c <= '9':
			return false
		case c|0x20 == 'e':
			return true
		}
	}
	return true
}

// compareNumbers orders two JSON numbers.
func compareNumbers(a, b []byte) int {
	x, errX := strconv.ParseFloat(string(a), 64)
	y, errY := strconv.ParseFloat(string(b), 64)
	if errX != nil || errY != nil || x == y { // the floats overflow or do not differ
		return bytes.Compare(trimNumber(a), trimNumber(b))
	}
	return cmp.Compare(x, y)
}

// trimNumber returns number without the zeros at the end of its fraction.
func trimNumber(number []byte) []byte {
	if bytes.IndexByte(number, '.') < 0 {
		return number
	}
	return bytes.TrimSuffix(bytes.TrimRight(number, "0"), []byte("."))
}
