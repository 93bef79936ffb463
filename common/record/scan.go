package record

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// The functions of this file walk over JSON that is known to be valid. On other bytes their results are meaningless, but they end and do not panic.

// For comparing eight bytes at a time: words with one byte value in every place, and two words that find a zero byte in another word.
const (
	quotes      = 0x2222222222222222
	backslashes = 0x5c5c5c5c5c5c5c5c
	lowBits     = 0x0101010101010101
	highBits    = 0x8080808080808080
)

// skipString returns the end of the string whose opening quote is b[i], and whether it has an escape.
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

// skipValue returns the end of the value that begins at b[i].
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

// skipNested returns the end of the object or array that begins at b[i].
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

// skipSpace returns the first index that is not white space.
func skipSpace(b []byte) int {
	i := 0
	for i < len(b) && b[i] <= ' ' {
		i++
	}
	return i
}

// mark is where a value read by Clean begins and ends, counted from the start of the body, and how many values it has inside.
type mark struct {
	from, to uint32
	size     uint32 // number of marks of the value: its own, followed by those of the values inside
	escaped  bool   // the member's name has escapes
	nul      bool   // the object or array contains an escaped U+0000
}

// cursor walks over the members of an object or the elements of an array, either by marks or by looking for the ends of values.
type cursor struct {
	bytes   []byte
	marks   []mark // of the values, if known
	base    int    // where bytes begins in the body
	i       int    // position: at a value after member or element, behind it after value
	next    int    // index of the mark of that value
	at, end int    // the quotes around the member's key
	escaped bool   // the key has escapes
	marked  bool
}

// open returns a cursor over v, which must be an object or an array.
func (v Value) open() cursor {
	c := cursor{bytes: v.raw, i: 1}
	if len(v.marks) > 0 {
		c.marked, c.marks, c.next, c.base = true, v.marks, 1, int(v.marks[0].from)
	}
	return c
}

// key returns the member's key with its escapes.
func (c *cursor) key() []byte { return c.bytes[c.at+1 : c.end] }

// member moves to the next member's value. It returns false at the end. The previous value must have been taken or skipped.
func (c *cursor) member() bool {
	if c.marked {
		return c.markedMember()
	}
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
	c.at, c.end, c.escaped = i, end-1, escaped
	for i = end; i < len(b) && (b[i] <= ' ' || b[i] == ':'); {
		i++
	}
	c.i = i
	return i < len(b)
}

// markedMember is member by marks: the key lies between the previous value and this one.
func (c *cursor) markedMember() bool {
	if c.next >= len(c.marks) {
		return false
	}
	m := &c.marks[c.next]
	b, i, start := c.bytes, c.i, int(m.from)-c.base
	for b[i] == ',' || b[i] <= ' ' {
		i++
	}
	end := start - 1
	for b[end] == ':' || b[end] <= ' ' {
		end--
	}
	c.at, c.end, c.escaped, c.i = i, end, m.escaped, start
	return true
}

// reach moves to the next member called name. It returns false if there is none.
func (c *cursor) reach(name string) bool {
	for ; !c.marked || c.next < len(c.marks); c.skip() {
		if c.marked {
			end := int(c.marks[c.next].from) - c.base - len(`":`)
			begin := end - len(name)
			if plain := !c.marks[c.next].escaped && c.bytes[end] == '"'; plain &&
				(begin <= c.i || c.bytes[begin-1] != '"' || string(c.bytes[begin:end]) != name) {
				continue
			}
		}
		if !c.member() {
			break
		}
		if c.is(name) {
			return true
		}
	}
	return false
}

// ahead returns where the next member begins or the object ends.
func (c *cursor) ahead() int {
	i := c.i
	for i < len(c.bytes) && (c.bytes[i] == ',' || c.bytes[i] <= ' ') {
		i++
	}
	return i
}

// expect moves to the next member, which begins at i, if its name and colon are written exactly as in key. name is the length of the name in bytes.
// The caller must set c.escaped.
func (c *cursor) expect(i int, key []byte, name int) bool {
	start := i + len(key)
	if start >= len(c.bytes) || c.bytes[start-1] != ':' || string(c.bytes[i:start]) != string(key) || c.bytes[start] <= ' ' {
		return false
	}
	c.at, c.end, c.i = i, i+1+name, start
	return true
}

// element moves to the next element. It returns false at the end. The previous one must have been taken or skipped.
func (c *cursor) element() bool {
	if c.marked {
		if c.next >= len(c.marks) {
			return false
		}
		c.i = int(c.marks[c.next].from) - c.base
		return true
	}
	b, i := c.bytes, c.i
	for i < len(b) && (b[i] <= ' ' || b[i] == ',') {
		i++
	}
	c.i = i
	return i < len(b) && b[i] != ']' && b[i] != '}'
}

// value takes the value at the cursor.
func (c *cursor) value() Value {
	start := c.i
	if !c.marked {
		c.i = skipValue(c.bytes, start)
		return Value{raw: c.bytes[start:c.i:c.i]}
	}
	m, from := &c.marks[c.next], c.next
	c.i, c.next = int(m.to)-c.base, from+int(m.size)
	return Value{c.bytes[start:c.i:c.i], c.marks[from:c.next:c.next]}
}

// skip skips the value at the cursor.
func (c *cursor) skip() {
	if !c.marked {
		c.i = skipValue(c.bytes, c.i)
		return
	}
	m := &c.marks[c.next]
	c.i, c.next = int(m.to)-c.base, c.next+int(m.size)
}

// appendKey appends the unescaped key.
func (c *cursor) appendKey(dst []byte) []byte {
	if c.escaped {
		return appendUnescaped(dst, c.key())
	}
	return append(dst, c.key()...)
}

// is reports whether the key is name.
func (c *cursor) is(name string) bool {
	if !c.escaped {
		return string(c.key()) == name
	}
	var buffer [64]byte
	return string(appendUnescaped(buffer[:0], c.key())) == name
}

// appendUnescaped appends the content of a JSON string, given without its quotes. A lone surrogate becomes U+FFFD.
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

// escapedAt returns the code unit of the escape of four hexadecimal digits at s[i], or U+FFFD if there is none.
func escapedAt(s []byte, i int) rune {
	if i+6 > len(s) || s[i] != '\\' || s[i+1] != 'u' {
		return utf8.RuneError
	}
	return hex4(s, i+2)
}

// hex4 returns the number of the four hexadecimal digits at s[i], or U+FFFD if there are none.
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

// appendQuoted appends text as a JSON string with only the escapes that JSON demands. Bytes that are not UTF-8 become U+FFFD.
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

// appendCompact appends value without the white space between tokens. dst may be a prefix of value's own memory.
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
