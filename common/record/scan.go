package record

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// The functions of this file walk over JSON that is known to be valid. On other bytes they end somewhere, without a meaning but without a
// panic too.

// Eight bytes at a time: a word with this byte in every place, and the two words that find a zero byte in another.
const (
	quotes      = 0x2222222222222222
	backslashes = 0x5c5c5c5c5c5c5c5c
	lowBits     = 0x0101010101010101
	highBits    = 0x8080808080808080
)

// skipString is the end of the string whose opening quote is b[i], and whether it has an escape.
func skipString(b []byte, i int) (end int, escaped bool) {
	i++
	for i < len(b) {
		if i+8 <= len(b) {
			word := binary.LittleEndian.Uint64(b[i:])
			quote, backslash := word^quotes, word^backslashes
			// The lowest bit set is exact; those above it need not be.
			found := ((quote-lowBits)&^quote | (backslash-lowBits)&^backslash) & highBits
			if found == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(found) / 8
		}
		switch b[i] {
		case '"':
			return i + 1, escaped
		case '\\':
			escaped = true
			i += 2
		default:
			i++
		}
	}
	return len(b), escaped
}

// skipValue is the end of the value that begins at b[i].
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return i
	}
	switch b[i] {
	case '"':
		end, _ := skipString(b, i)
		return end
	case '{', '[':
		return skipNested(b, i)
	default:
		for i < len(b) && b[i] > ' ' && b[i] != ',' && b[i] != '}' && b[i] != ']' {
			i++
		}
		return i
	}
}

// skipNested is the end of the object or array that begins at b[i].
func skipNested(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i, _ = skipString(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(b)
}

// skipSpace is the first place that is not white space.
func skipSpace(b []byte) int {
	i := 0
	for i < len(b) && b[i] <= ' ' {
		i++
	}
	return i
}

// cursor walks over the members of an object or the elements of an array.
type cursor struct {
	bytes   []byte
	i       int    // where it stands: at a value after member or element, behind it after value
	at      int    // where the member begins: the opening quote of its key
	key     []byte // the key between its quotes, escapes and all
	escaped bool   // the key has escapes; behind leap it may have them all the same
}

// open is a cursor over the object or array that begins at b[i].
func open(b []byte, i int) cursor { return cursor{bytes: b, i: i + 1} }

// member moves to the next member's value; false at the end. The value before it must have been taken.
func (c *cursor) member() bool {
	b, i := c.bytes, c.i
	for i < len(b) && (b[i] <= ' ' || b[i] == ',') {
		i++
	}
	if i >= len(b) || b[i] != '"' {
		return false
	}
	end, escaped := skipString(b, i)
	if end >= len(b) {
		return false
	}
	c.at, c.key, c.escaped = i, b[i+1:end-1], escaped
	for i = end; i < len(b) && (b[i] <= ' ' || b[i] == ':'); {
		i++
	}
	c.i = i
	return i < len(b)
}

// element moves to the next element; false at the end. The one before it must have been taken.
func (c *cursor) element() bool {
	b, i := c.bytes, c.i
	for i < len(b) && (b[i] <= ' ' || b[i] == ',') {
		i++
	}
	c.i = i
	return i < len(b) && b[i] != ']' && b[i] != '}'
}

// value takes the value at which the cursor stands.
func (c *cursor) value() []byte {
	start := c.i
	c.i = skipValue(c.bytes, start)
	return c.bytes[start:c.i:c.i]
}

// settle finds out whether the key has escapes.
func (c *cursor) settle() { c.escaped = c.escaped || bytes.IndexByte(c.key, '\\') >= 0 }

// step moves to the next member and takes its value; more is false at the end. Whether the key has escapes settle tells. marks says where values
// begin and end, as Picker.Cut found it, or nothing; it becomes what is left of it.
func (c *cursor) step(marks *[]byte) (value []byte, more bool) {
	if m := *marks; len(m) >= 8 {
		mark := binary.LittleEndian.Uint64(m)
		*marks = m[8:]
		if start, end := int(mark>>32), int(mark&math.MaxUint32); c.leap(start, end) {
			return c.bytes[start:end:end], true
		}
		*marks = nil // they are another record's
	}
	if !c.member() {
		return nil, false
	}
	return c.value(), true
}

// leap moves to the next member and over its value, which begins at start and ends at end; false where that cannot be.
func (c *cursor) leap(start, end int) bool {
	b, at, behind := c.bytes, c.i, start
	if start >= end || end > len(b) {
		return false
	}
	for at < start && (b[at] == ',' || b[at] <= ' ') {
		at++
	}
	for behind > at && (b[behind-1] == ':' || b[behind-1] <= ' ') {
		behind--
	}
	if behind-at < 2 || b[at] != '"' || b[behind-1] != '"' {
		return false
	}
	c.at, c.key, c.i = at, b[at+1:behind-1], end
	c.escaped = false
	return true
}

// appendKey appends the text of the key.
func (c *cursor) appendKey(dst []byte) []byte {
	if c.escaped {
		return appendUnescaped(dst, c.key)
	}
	return append(dst, c.key...)
}

// is says whether the key is name.
func (c *cursor) is(name string) bool {
	if !c.escaped {
		return string(c.key) == name
	}
	var buffer [64]byte
	return string(appendUnescaped(buffer[:0], c.key)) == name
}

// appendUnescaped appends the text that stands between the quotes of a JSON string. A lone surrogate becomes U+FFFD.
func appendUnescaped(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 >= len(s) {
			dst = append(dst, s[i])
			i++
			continue
		}
		c := s[i+1]
		i += 2
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := hex4(s, i)
			i = min(i+4, len(s))
			if utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, escapedAt(s, i))
				if r != utf8.RuneError {
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default: // a quote, a backslash, a slash
			dst = append(dst, c)
		}
	}
	return dst
}

// escapedAt is the code unit of the escape of four hexadecimal digits that begins at s[i], or U+FFFD where none does.
func escapedAt(s []byte, i int) rune {
	if i+6 > len(s) || s[i] != '\\' || s[i+1] != 'u' {
		return utf8.RuneError
	}
	return hex4(s, i+2)
}

// hex4 is the number of the four hexadecimal digits at s[i], or U+FFFD where there are none.
func hex4(s []byte, i int) rune {
	if i+4 > len(s) {
		return utf8.RuneError
	}
	n, err := strconv.ParseUint(string(s[i:i+4]), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// appendQuoted appends text as a JSON string, with no more escapes than JSON demands. Bytes that are not UTF-8 become U+FFFD.
func appendQuoted(dst []byte, text []byte) []byte {
	dst = append(dst, '"')
	plain := 0 // text[plain:i] needs no escape
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, text[plain:i]...)
				dst = utf8.AppendRune(dst, utf8.RuneError)
				plain = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, text[plain:i]...)
		if c >= ' ' {
			dst = append(dst, '\\', c)
		} else {
			dst = appendControl(dst, c)
		}
		i++
		plain = i
	}
	dst = append(dst, text[plain:]...)
	return append(dst, '"')
}

// appendControl appends a control character as an escape.
func appendControl(dst []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	switch c {
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}

// appendCompact appends value without the white space between its tokens. dst may be the beginning of value's own memory.
func appendCompact(dst, value []byte) []byte {
	for i := 0; i < len(value); {
		switch c := value[i]; c {
		case ' ', '\t', '\n', '\r':
			i++
		case '"':
			end, _ := skipString(value, i)
			dst = append(dst, value[i:end]...)
			i = end
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}
