package record

import (
	"bytes"
	"iter"
	"math"
	"slices"
	"strings"
)

// Value is one JSON value, in the memory of its Record or of the answer that Clean read. The zero value is absent.
//
// A Value that comes from Clean, directly or indirectly, knows where the values inside begin and end. Finding one takes a step for each member before
// it, however long that is. Any other Value is scanned each time.
type Value struct {
	raw   []byte
	marks []mark // its own, followed by those of the values inside; nil: unknown
}

// kind returns the first byte of the value, which identifies its kind, or 0 if the value is absent.
func (v Value) kind() byte {
	if len(v.raw) == 0 {
		return 0
	}
	return v.raw[0]
}

// Exists reports whether the value is present, null included.
func (v Value) Exists() bool { return v.raw != nil }

// IsNull reports whether the value is absent or null.
func (v Value) IsNull() bool { return v.kind() == 0 || v.kind() == 'n' }

// IsBlank reports whether the value is absent, null, blank text, or an empty object or list.
func (v Value) IsBlank() bool {
	switch v.kind() {
	case 0, 'n':
		return true
	case '"':
		return isBlank(v.raw)
	case '{', '[':
		return empty(v.raw) == blank
	}
	return false
}

// IsArray reports whether the value is an array.
func (v Value) IsArray() bool { return v.kind() == '[' }

// IsObject reports whether the value is an object.
func (v Value) IsObject() bool { return v.kind() == '{' }

// Raw returns the value's JSON, or nil if it is absent. It must not be modified.
func (v Value) Raw() []byte { return v.raw }

// Clone returns a copy of v in its own memory. The copy does not know where the values inside begin and end.
func (v Value) Clone() Value { return Value{raw: bytes.Clone(v.raw)} }

// String returns the value's JSON, or "" if it is absent.
func (v Value) String() string { return string(v.raw) }

// Text returns the content of a string, without quotes and escapes. For a number, true, false, an object or an array it returns the JSON as it came.
// It is empty if the value is absent or null.
func (v Value) Text() string {
	var buffer [128]byte
	return string(v.AppendText(buffer[:0]))
}

// AppendText appends what Text returns.
func (v Value) AppendText(dst []byte) []byte {
	switch {
	case v.IsNull():
		return dst
	case v.kind() != '"':
		return append(dst, v.raw...)
	}
	return v.appendText(dst)
}

// appendText appends the content of a string.
func (v Value) appendText(dst []byte) []byte {
	if len(v.raw) < 2 {
		return dst
	}
	return appendUnescaped(dst, v.raw[1:len(v.raw)-1])
}

// Int returns the value of a whole number, exact over the range of int64, however it is written (`12`, `12.0`, `1.2e1`), or of a string that contains
// one. ok is false for anything else, and for numbers beyond int64.
func (v Value) Int() (n int64, ok bool) {
	switch c := v.kind(); {
	case c == '"':
		var buffer [32]byte
		return wholeNumber(v.appendText(buffer[:0]))
	case c == '-' || '0' <= c && c <= '9':
		return wholeNumber(v.raw)
	}
	return 0, false
}

// Bool returns the value of true or false. ok is false for anything else, including a string that says so.
func (v Value) Bool() (b, ok bool) {
	switch v.kind() {
	case 't':
		return true, true
	case 'f':
		return false, true
	}
	return false, false
}

// True reports whether the value says yes: true, a number other than zero, a text of a whole number other than zero, or one of the texts `true`,
// `sim`, `s` and `yes`, in any case.
func (v Value) True() bool {
	switch c := v.kind(); {
	case c == 't':
		return true
	case c == '-' || isDigit(c):
		return !isZero(v.raw)
	case c == '"':
		switch text := strings.ToLower(strings.TrimSpace(v.Text())); text {
		case "true", "sim", "s", "yes":
			return true
		default:
			n, ok := wholeNumber([]byte(text))
			return ok && n != 0
		}
	}
	return false
}

// False reports whether the value says no: false, zero, a text of the whole number zero, or one of the texts `false`, `não`, `nao`, `n` and `no`, in
// any case. A value that says neither yes nor no, such as null or a blank text, is neither True nor False.
func (v Value) False() bool {
	switch c := v.kind(); {
	case c == 'f':
		return true
	case c == '-' || isDigit(c):
		return isZero(v.raw)
	case c == '"':
		switch text := strings.ToLower(strings.TrimSpace(v.Text())); text {
		case "false", "não", "nao", "n", "no":
			return true
		default:
			n, ok := wholeNumber([]byte(text))
			return ok && n == 0
		}
	}
	return false
}

// Elements returns the elements of an array, of any kind. A value that is not an array has none.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.kind() != '[' {
			return
		}
		for c := v.open(); c.element(); {
			if !yield(c.value()) {
				return
			}
		}
	}
}

// Array returns the elements of an array in one slice, which is empty but not nil if there are none. It returns nil if the value is not an array.
func (v Value) Array() []Value {
	if v.kind() != '[' {
		return nil
	}
	return slices.AppendSeq([]Value{}, v.Elements())
}

// wholeNumber returns the number s without converting it to a float: the digits of its mantissa, followed by as many zeros as its exponent says.
func wholeNumber(s []byte) (n int64, ok bool) {
	negative := len(s) > 0 && s[0] == '-'
	if negative {
		s = s[1:]
	}
	var mantissa uint64
	exponent, digits, zeros, point := 0, 0, 0, false // zeros counts zeros read but not yet applied, because they may end the mantissa
	for ; len(s) > 0 && s[0] != 'e' && s[0] != 'E'; s = s[1:] {
		switch c := s[0]; {
		case c == '.' && !point && digits > 0 && len(s) > 1 && isDigit(s[1]):
			point = true
			continue
		case c == '0':
			zeros++
		case isDigit(c):
			if mantissa != 0 {
				for ; zeros > 0; zeros-- {
					if mantissa > math.MaxUint64/10 {
						return 0, false
					}
					mantissa *= 10
				}
			}
			zeros = 0
			if mantissa > (math.MaxUint64-9)/10 {
				return 0, false
			}
			mantissa = mantissa*10 + uint64(c-'0')
		default:
			return 0, false
		}
		digits++
		if point {
			exponent--
		}
	}
	if digits == 0 {
		return 0, false
	}
	if len(s) > 0 {
		written, valid := readExponent(s[1:])
		if !valid {
			return 0, false
		}
		exponent += written
	}
	if mantissa == 0 {
		return 0, true
	}
	for exponent += zeros; exponent != 0; exponent-- {
		if exponent < 0 || mantissa > math.MaxUint64/10 {
			return 0, false
		}
		mantissa *= 10
	}
	return signed(mantissa, negative)
}

// signed returns n, or -n if negative is true. ok is false if the result does not fit into an int64.
func signed(n uint64, negative bool) (int64, bool) {
	switch {
	case negative && n == -math.MinInt64:
		return math.MinInt64, true
	case n > math.MaxInt64:
		return 0, false
	case negative:
		return -int64(n), true
	}
	return int64(n), true
}

// readExponent returns the number after an e. A number larger than any possible count of digits in memory is reduced to one that still is.
func readExponent(s []byte) (n int, ok bool) {
	const huge = math.MaxInt / 100
	negative := len(s) > 0 && s[0] == '-'
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	for _, c := range s {
		if !isDigit(c) {
			return 0, false
		}
		n = min(n*10+int(c-'0'), huge)
	}
	if negative {
		n = -n
	}
	return n, len(s) > 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
