package record

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// checker checks JSON against RFC 8259 in one pass and without recursion, so that no nesting exhausts the stack. On the way it marks the values and
// notes what Clean has to mend: it accepts control characters in texts and bytes that are not UTF-8.
type checker struct {
	b     []byte
	marks []mark // nil once there are more than the field most allows
	most  int

	deepest int      // maximum depth
	opens   []opened // the open objects and arrays, the outermost first
	escaped bool     // the last text has an escape
	flaws
}

// opened is an open object or array.
type opened struct {
	mark   int  // index of its mark
	nuls   int  // number of characters U+0000 before it
	object bool // it is an object, not an array
}

// flaws is what Clean may have to mend.
type flaws struct {
	control int  // control characters in texts
	numbers int  // numbers that destinations refuse
	nuls    int  // escaped characters U+0000, which Clean keeps
	lines   bool // there is a line break between tokens
	lone    bool // there is an escaped surrogate without its other half
	invalid bool // there are bytes that are not UTF-8
}

const (
	// bytesPerMark is the expected number of bytes of a body for each mark. Most bodies have fewer.
	bytesPerMark = 24
	// firstMarks is the maximum number of marks to allocate in advance, 1 MiB, because a body may be one long text.
	firstMarks = 1 << 16
)

// begin prepares c for b. It allows one mark for 16 bytes, so that the marks take no more memory than the body, but at least 16 KiB.
func (c *checker) begin(b []byte) {
	c.b, c.opens, c.deepest, c.flaws, c.most = b, c.opens[:0], maxDepth, flaws{}, max(1024, len(b)/16)
	if c.marks = c.marks[:0]; c.marks == nil {
		c.marks = make([]mark, 0, min(len(b)/bytesPerMark+8, firstMarks))
	}
}

// check returns nil if c holds exactly one value, with nothing but white space around it.
func (c *checker) check() error {
	b, i, key := c.b, 0, false
	for { // a value is due; key says that it is a member whose name has an escape
		if i < len(b) && b[i] <= ' ' {
			i = c.space(i)
		}
		if i >= len(b) {
			return errInvalid
		}
		switch first := b[i]; first {
		case '{', '[':
			if len(c.opens) == c.deepest {
				return ErrTooDeep
			}
			c.opens = append(c.opens, opened{len(c.marks), c.nuls, first == '{'})
			c.mark(mark{from: uint32(i), escaped: key})
			if i = c.space(i + 1); i < len(b) && b[i] == first+2 { // an empty object or array
				break
			}
			if key = false; first == '{' {
				if i, key = c.key(i); i < 0 {
					return errInvalid
				}
			}
			continue
		default:
			from := i
			if i = c.scalar(i); i < 0 {
				return errInvalid
			}
			c.mark(mark{from: uint32(from), to: uint32(i), size: 1, escaped: key})
		}
		if i, key = c.behind(i); i <= 0 {
			if i == 0 {
				return nil
			}
			return errInvalid
		}
	}
}

// behind moves from the end of a value, or from the bracket that closes an empty one, to where the next value is due. key says that the name of that
// value has an escape. next is 0 after the last value and -1 if neither follows.
func (c *checker) behind(i int) (next int, key bool) {
	b := c.b
	for {
		if i < len(b) && b[i] <= ' ' {
			i = c.space(i)
		}
		depth := len(c.opens)
		if depth == 0 && i == len(b) {
			return 0, false
		}
		if depth == 0 || i >= len(b) {
			return -1, false
		}
		switch open := &c.opens[depth-1]; {
		case b[i] == ',' && open.object:
			return c.key(c.space(i + 1))
		case b[i] == ',':
			return i + 1, false
		case b[i] == '}' && open.object, b[i] == ']' && !open.object:
			i++
			if c.marks != nil {
				m := &c.marks[open.mark]
				m.to, m.size, m.nul = uint32(i), uint32(len(c.marks)-open.mark), c.nuls > open.nuls
			}
			c.opens = c.opens[:depth-1]
		default:
			return -1, false
		}
	}
}

// mark adds a mark. If there are too many, it drops all of them.
func (c *checker) mark(m mark) {
	if c.marks == nil {
		return
	}
	if len(c.marks) >= c.most {
		c.marks = nil
		return
	}
	c.marks = append(c.marks, m)
}

// scalar returns the end of the text, number, true, false or null that begins at i, or -1 if there is none.
func (c *checker) scalar(i int) int {
	switch c.b[i] {
	case '"':
		return c.text(i)
	case 't':
		return word(c.b, i, "true")
	case 'f':
		return word(c.b, i, "false")
	case 'n':
		return word(c.b, i, "null")
	}
	end, exponent := endOfNumber(c.b, i)
	if end-i > maxNumber || exponent > 0 && unreadable(c.b[i:end]) {
		c.numbers++
	}
	return end
}

// key reads the name of a member, which is due at i, and its colon. It reports whether the name has an escape. next is -1 if there is no name.
func (c *checker) key(i int) (next int, escaped bool) {
	b := c.b
	if i >= len(b) || b[i] != '"' {
		return -1, false
	}
	c.escaped = false
	if i = c.text(i); i < 0 {
		return -1, false
	}
	if i < len(b) && b[i] <= ' ' {
		i = c.space(i)
	}
	if i >= len(b) || b[i] != ':' {
		return -1, false
	}
	return i + 1, c.escaped
}

// space returns the first index from i that is not white space.
func (c *checker) space(i int) int {
	for i < len(c.b) && c.b[i] <= ' ' {
		switch c.b[i] {
		case ' ', '\t':
		case '\n', '\r':
			c.lines = true
		default:
			return i
		}
		i++
	}
	return i
}

// text returns the end of the string that begins at i, or -1 if it does not end or has an invalid escape.
func (c *checker) text(i int) int {
	const spaces = 0x2020202020202020
	b := c.b
	for i++; i < len(b); {
		if i+8 <= len(b) {
			word := binary.LittleEndian.Uint64(b[i:])
			quote, backslash := word^quotes, word^backslashes
			// The lowest bit set is exact; those above it need not be. Bytes that are not ASCII are found too, and need no masking in the other terms.
			found := ((quote - lowBits) | (backslash - lowBits) | (word - spaces) | word) & highBits
			if found == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(found) / 8
		}
		switch one := b[i]; {
		case one == '"':
			return i + 1
		case one == '\\':
			length := c.escape(i)
			if length == 0 {
				return -1
			}
			i += length
			continue
		case one < ' ':
			c.control++
		case one >= utf8.RuneSelf:
			i += c.character(i)
			continue
		}
		i++
	}
	return -1
}

// character returns the length of the non-ASCII character at i, or 1 if it is not UTF-8.
func (c *checker) character(i int) int {
	if b := c.b[i:]; len(b) > 1 && b[0] >= 0xc2 && b[0] < 0xe0 && b[1]&0xc0 == 0x80 {
		return 2
	}
	r, size := utf8.DecodeRune(c.b[i:])
	c.invalid = c.invalid || r == utf8.RuneError && size == 1
	return size
}

// escape returns the length of the escape whose backslash is at i, or 0 if it is invalid.
func (c *checker) escape(i int) int {
	c.escaped = true
	if i+1 >= len(c.b) {
		return 0
	}
	switch c.b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if i+6 > len(c.b) {
			return 0
		}
		for _, digit := range c.b[i+2 : i+6] {
			if !isDigit(digit) && (digit|0x20 < 'a' || digit|0x20 > 'f') {
				return 0
			}
		}
		return c.unit(i)
	}
	return 0
}

// unit returns the length of the escape of four hexadecimal digits at i, or of both escapes if they form a surrogate pair.
func (c *checker) unit(i int) int {
	switch unit := escapedAt(c.b, i); {
	case unit == 0:
		c.nuls++
	case !utf16.IsSurrogate(unit):
	case unit < 0xdc00 && utf16.DecodeRune(unit, escapedAt(c.b, i+6)) != utf8.RuneError:
		return 12
	default:
		c.lone = true
	}
	return 6
}

// word returns the end of word at i, or -1.
func word(b []byte, i int, word string) int {
	if len(b)-i < len(word) || string(b[i:i+len(word)]) != word {
		return -1
	}
	return i + len(word)
}

// endOfNumber returns the end of the number that begins at i, or -1 if there is none, and where the digits of its exponent begin, or 0 if it has
// none.
func endOfNumber(b []byte, i int) (end, exponent int) {
	if i < len(b) && b[i] == '-' {
		i++
	}
	from := i
	if i = digits(b, i); i == from || b[from] == '0' && i > from+1 {
		return -1, 0
	}
	if i < len(b) && b[i] == '.' {
		from = i + 1
		if i = digits(b, from); i == from {
			return -1, 0
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		exponent = i
		if i = digits(b, exponent); i == exponent {
			return -1, 0
		}
	}
	return i, exponent
}

// unreadable reports whether destinations refuse a number or misread it, because it has too many characters, or would have without its exponent.
func unreadable(number []byte) bool {
	exponent := 0
	if e := bytes.IndexAny(number, "eE"); e >= 0 {
		exponent, _ = readExponent(number[e+1:])
	}
	return max(len(number), exponent, -exponent) > maxNumber
}

// digits returns the end of the digits that begin at b[i].
func digits(b []byte, i int) int {
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	return i
}

// isNumber reports whether text is a JSON number and nothing else.
func isNumber(text []byte) bool {
	end, _ := endOfNumber(text, 0)
	return len(text) > 0 && end == len(text)
}

// valid reports whether b is one JSON value in strict accordance with RFC 8259.
func valid(b []byte) bool {
	c := checker{}
	c.begin(b)
	return c.check() == nil && c.control == 0
}
