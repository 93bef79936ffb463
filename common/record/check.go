package record

import (
	"encoding/binary"
	"math/bits"
)

// checker holds JSON against RFC 8259 in one pass and without recursion, so that no nesting exhausts the stack, and notes what Clean has to
// mend. Control characters in texts are let through, counted.
type checker struct {
	b []byte
	i int

	depth   int
	objects [maxDepth/64 + 1]uint64 // a bit for each depth: whether an object is open there, and not an array

	control    int  // control characters in texts
	lines      bool // there is a line break between tokens
	surrogates bool // there is an escape that may be a surrogate
}

// valid is whether b is one JSON value, as RFC 8259 has it to the letter.
func valid(b []byte) bool {
	c := checker{b: b}
	return c.check() == nil && c.control == 0
}

// check is nil for one value with nothing but white space around it.
func (c *checker) check() error {
	for {
		opened, err := c.begin()
		if err != nil {
			return err
		}
		if opened && !c.closes() {
			if c.inObject() && !c.key() {
				return errInvalid
			}
			continue
		}
		more, ok := c.end()
		if !ok {
			return errInvalid
		}
		if !more {
			return nil
		}
	}
}

// begin goes behind a scalar, or behind the bracket that opens an object or an array.
func (c *checker) begin() (opened bool, err error) {
	c.space()
	if c.i >= len(c.b) {
		return false, errInvalid
	}
	var ok bool
	switch first := c.b[c.i]; first {
	case '{', '[':
		c.i++
		return true, c.push(first == '{')
	case '"':
		ok = c.text()
	case 't':
		ok = c.word("true")
	case 'f':
		ok = c.word("false")
	case 'n':
		ok = c.word("null")
	default:
		ok = c.number()
	}
	if !ok {
		return false, errInvalid
	}
	return false, nil
}

// end goes from the end of a value to where the next one begins. Without more that was the last one; ok is false where neither follows.
func (c *checker) end() (more, ok bool) {
	for {
		c.space()
		switch {
		case c.depth == 0:
			return false, c.i == len(c.b)
		case c.closes():
		case c.i < len(c.b) && c.b[c.i] == ',':
			c.i++
			return true, !c.inObject() || c.key()
		default:
			return false, false
		}
	}
}

func (c *checker) push(object bool) error {
	if c.depth++; c.depth > maxDepth {
		return ErrTooDeep
	}
	word, bit := &c.objects[c.depth/64], uint64(1)<<(c.depth%64)
	if *word &^= bit; object {
		*word |= bit
	}
	return nil
}

func (c *checker) inObject() bool { return c.objects[c.depth/64]&(1<<(c.depth%64)) != 0 }

// closes goes behind the bracket that closes what is open, if that comes next.
func (c *checker) closes() bool {
	c.space()
	bracket := byte(']')
	if c.inObject() {
		bracket = '}'
	}
	if c.i >= len(c.b) || c.b[c.i] != bracket {
		return false
	}
	c.i++
	c.depth--
	return true
}

// key goes behind the name of a member and its colon.
func (c *checker) key() bool {
	c.space()
	if c.i >= len(c.b) || c.b[c.i] != '"' || !c.text() {
		return false
	}
	c.space()
	if c.i >= len(c.b) || c.b[c.i] != ':' {
		return false
	}
	c.i++
	return true
}

func (c *checker) space() {
	for c.i < len(c.b) && c.b[c.i] <= ' ' {
		switch c.b[c.i] {
		case ' ', '\t':
		case '\n', '\r':
			c.lines = true
		default:
			return
		}
		c.i++
	}
}

// text goes behind the string that begins here.
func (c *checker) text() bool {
	const spaces = 0x2020202020202020
	b, i := c.b, c.i+1
	for i < len(b) {
		if i+8 <= len(b) {
			word := binary.LittleEndian.Uint64(b[i:])
			quote, backslash := word^quotes, word^backslashes
			// The lowest bit set is exact; those above it need not be.
			found := ((quote-lowBits)&^quote | (backslash-lowBits)&^backslash | (word-spaces)&^word) & highBits
			if found == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(found) / 8
		}
		switch {
		case b[i] == '"':
			c.i = i + 1
			return true
		case b[i] == '\\':
			length := c.escape(i)
			if length == 0 {
				return false
			}
			i += length
			continue
		case b[i] < ' ':
			c.control++
		}
		i++
	}
	return false
}

// escape is the length of the escape whose backslash is at i, or 0 where it is none.
func (c *checker) escape(i int) int {
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
		c.surrogates = c.surrogates || c.b[i+2]|0x20 == 'd'
		return 6
	}
	return 0
}

func (c *checker) word(word string) bool {
	if len(c.b)-c.i < len(word) || string(c.b[c.i:c.i+len(word)]) != word {
		return false
	}
	c.i += len(word)
	return true
}

// number goes behind the number that begins here.
func (c *checker) number() bool {
	c.skip('-')
	if !c.skip('0') && !c.digits() {
		return false
	}
	if c.skip('.') && !c.digits() {
		return false
	}
	if c.skip('e') || c.skip('E') {
		_ = c.skip('+') || c.skip('-')
		return c.digits()
	}
	return true
}

// digits goes behind the digits that begin here; there must be one.
func (c *checker) digits() bool {
	from := c.i
	for c.i < len(c.b) && isDigit(c.b[c.i]) {
		c.i++
	}
	return c.i > from
}

// skip goes behind a byte, if it comes next.
func (c *checker) skip(one byte) bool {
	if c.i >= len(c.b) || c.b[c.i] != one {
		return false
	}
	c.i++
	return true
}
