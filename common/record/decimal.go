package record

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"
	"unicode"
)

// amount is one number in Brazilian text, taken apart.
type amount struct {
	negative bool
	digits   string // with the points and commas that stand in it
	labelled bool   // a currency or a unit stands with it
	unit     bool   // a unit or a per cent sign does
}

// readAmounts reads a number or a range. Of a single number both ends are the same.
func readAmounts(text string) (low, high amount, ok bool) {
	for _, word := range [...]string{" até ", " ate "} {
		if first, second, found := strings.Cut(text, word); found {
			low, ok = readAmount(first)
			if !ok {
				return amount{}, amount{}, false
			}
			high, ok = readAmount(second)
			labelled := low.labelled || high.labelled // `50,00 até 80,00 m²`: the unit is that of both
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

// isUnit says whether text is one word such as m², m2, ha or alq.
func isUnit(text string) bool {
	switch text {
	case "m2", "m3", "km2":
		return true
	case "até", "ate": // a range without its end
		return false
	}
	for i, r := range text {
		if !unicode.IsLetter(r) && (i == 0 || r != '²' && r != '³' && r != '.') {
			return false
		}
	}
	return true
}

// appendTo appends the amount as a JSON number that keeps every digit. ok is false where the digits are no number.
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

// appendTextNumber appends the JSON number that text is. ok is false, and dst as it was, where it is none.
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

// appendCNPJ appends the digits of a company's number in the register, of which there are fourteen, as a number.
func appendCNPJ(dst []byte, text string) (number []byte, ok bool) {
	number = dst
	digits := 0
	for i := range len(text) {
		switch c := text[i]; {
		case isDigit(c):
			if c != '0' || len(number) > len(dst) {
				number = append(number, c)
			}
			digits++
		case c != '.' && c != '/' && c != '-':
			return dst, false
		}
	}
	if len(number) == len(dst) {
		number = append(number, '0')
	}
	return number, digits == 14
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// isZero says whether a JSON number is zero.
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
	if errX != nil || errY != nil || x == y { // beyond or within what a float can tell
		return bytes.Compare(trimNumber(a), trimNumber(b))
	}
	return cmp.Compare(x, y)
}

// trimNumber is number without the zeros that end its fraction.
func trimNumber(number []byte) []byte {
	if bytes.IndexByte(number, '.') < 0 {
		return number
	}
	return bytes.TrimSuffix(bytes.TrimRight(number, "0"), []byte("."))
}
