package record

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how many objects and arrays may stand inside each other: the platform's destinations read with Jackson, which refuses a message
// with more (StreamReadConstraints, maxNestingDepth).
const maxDepth = 1000

// around is how many objects stand around a value of a row when it leaves, besides the row: the message, its record, and Unparsed, Undeclared or a
// Whole.
const around = 3

// maxNumber is how many characters a number may have, and how large its exponent may be: Jackson refuses one with more (maxNumberLength).
const maxNumber = 1000

// Mended counts what Clean had to mend. The zero value is nothing.
type Mended struct {
	Invalid int // bytes that were not UTF-8, and escaped surrogates without their other half
	Control int // control characters in texts that were not escaped
}

// ErrTooDeep is what Clean says, wrapped, of a body in which more than 1,000 objects and arrays stand inside each other.
var ErrTooDeep = errors.New("more than 1,000 objects and arrays stand inside each other")

var errInvalid = errors.New("it is not valid")

// Cleaner makes Values of the bodies of answers. The memory that it is given back it uses for the next ones. The zero value is ready. It is safe
// for concurrent use.
type Cleaner struct {
	// Rows says that what is in the bodies leaves in records: three levels are left for what stands around it then, and a number that destinations
	// refuse becomes a text, as which it fits no column of numbers.
	Rows bool

	checkers sync.Pool
	bodies   spare[byte]
	marks    spare[mark]
}

// spareBodies and spareMarks are for how many bytes and marks memory is kept that nobody uses: 4 MiB each.
const spareBodies, spareMarks = 4 << 20, 4 << 20 / 16

// Room returns memory for a body of size bytes, its length 0.
func (k *Cleaner) Room(size int) []byte {
	if room := k.bodies.take(size, 2*size); room != nil {
		return room
	}
	return Grow(nil, size)
}

// Free gives the memory of a body back, of which nothing may be used any longer.
func (k *Cleaner) Free(body []byte) { k.bodies.put(body, spareBodies) }

// FreeValue gives the memory of a Value back that Clean made: neither it nor anything in it may be used any longer.
func (k *Cleaner) FreeValue(v Value) {
	k.bodies.put(v.raw, spareBodies)
	k.marks.put(v.marks, spareMarks)
}

// Clean returns Cleaner.Clean of a new Cleaner.
func Clean(body []byte) (clean Value, mended Mended, err error) { return new(Cleaner).Clean(body) }

// Clean makes the body of an answer a Value whose bytes are a Record: the one place where JSON is validated. The body may be modified, and the
// Value shares its memory: the caller gives body away. What is fine as it came takes one pass.
//
//   - A UTF-8 byte order mark and the white space around the value go. White space between tokens goes too if a line break is among it
//     anywhere, so that a Record is always one line; a page that has none is left as it is, which costs nothing.
//   - Bytes that are not UTF-8 become U+FFFD, one for each bad byte. So does each escaped surrogate without its other half (`\ud800`
//     becomes `\ufffd`), because strict parsers refuse the whole line for it.
//   - Control characters in texts and names, which JSON wants to have escaped, are escaped: they stay what they are.
//   - With Rows a number of more than 1,000 characters, or with an exponent beyond 1,000 (`1e-99999999999`), becomes a text.
//   - All else stays byte for byte: escapes as they were written, every digit of a number, members in their order, repeated keys.
//
// An empty body, one that is not JSON, more than one value, or one that is nested too deeply (ErrTooDeep) are an error; its text is short
// and holds nothing of the body.
func (k *Cleaner) Clean(body []byte) (clean Value, mended Mended, err error) {
	body = bytes.Trim(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	if len(body) == 0 {
		return Value{}, mended, errors.New("reading JSON: there is nothing")
	}
	c, _ := k.checkers.Get().(*checker)
	if c == nil {
		c = &checker{}
	}
	few := len(body) / bytesPerMark
	c.marks = k.marks.take(few, 4*few)
	defer func() {
		c.b, c.marks = nil, nil
		k.checkers.Put(c)
	}()
	for {
		c.begin(body)
		if k.Rows {
			c.deepest -= around
		}
		switch err := c.check(); {
		case err != nil:
			return Value{}, Mended{}, fmt.Errorf("reading JSON: %w", err)
		case c.invalid:
			body, mended.Invalid = replaceInvalid(body)
		case c.control > 0:
			mended.Control = c.control
			body = escapeControl(body, c.control)
		case c.numbers > 0 && k.Rows:
			body = quoteNumbers(body, c.numbers)
		case c.lines:
			body = appendCompact(body[:0], body)
		default:
			if c.lone {
				mended.Invalid += replaceLoneSurrogates(body)
			}
			return Value{body, c.marks}, mended, nil
		}
	}
}

// escapeControl returns a copy of b with its n control characters in texts escaped.
func escapeControl(b []byte, n int) []byte {
	escaped := make([]byte, 0, len(b)+n*(len(`\u0000`)-1))
	for i := 0; i < len(b); {
		if b[i] != '"' {
			escaped = append(escaped, b[i])
			i++
			continue
		}
		end, _ := skipString(b, i)
		for ; i < end; i++ {
			if c := b[i]; c < ' ' {
				escaped = appendControl(escaped, c)
			} else {
				escaped = append(escaped, c)
			}
		}
	}
	return escaped
}

// quoteNumbers returns a copy of b, which is valid, with its n numbers that destinations refuse as texts.
func quoteNumbers(b []byte, n int) []byte {
	quoted := make([]byte, 0, len(b)+n*len(`""`))
	for i := 0; i < len(b); {
		end, number := i+1, false
		switch {
		case b[i] == '"':
			end, _ = skipString(b, i)
		case b[i] == '-' || isDigit(b[i]):
			end, _ = endOfNumber(b, i)
			number = unreadable(b[i:end])
		}
		if number {
			quoted = append(quoted, '"')
		}
		if quoted = append(quoted, b[i:end]...); number {
			quoted = append(quoted, '"')
		}
		i = end
	}
	return quoted
}

// replaceInvalid returns a copy of b with U+FFFD in the place of each byte that is not part of UTF-8.
func replaceInvalid(b []byte) (valid []byte, replaced int) {
	valid = make([]byte, 0, len(b)+len(b)/8)
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			replaced++
			valid = utf8.AppendRune(valid, r)
		} else {
			valid = append(valid, b[:size]...)
		}
		b = b[size:]
	}
	return valid, replaced
}

// replaceLoneSurrogates writes \ufffd over each escaped surrogate without its other half. b must be valid JSON.
func replaceLoneSurrogates(b []byte) (replaced int) {
	for _, prefix := range [2]string{`\ud`, `\uD`} {
		for i := 0; ; {
			found := bytes.Index(b[i:], []byte(prefix))
			if found < 0 {
				break
			}
			i += found
			if !startsEscape(b, i) {
				i++ // the second half of an escaped backslash
				continue
			}
			unit := escapedAt(b, i)
			switch {
			case !utf16.IsSurrogate(unit):
				i += 6
			case unit < 0xdc00 && utf16.DecodeRune(unit, escapedAt(b, i+6)) != utf8.RuneError:
				i += 12
			case unit >= 0xdc00 && i >= 6 && startsEscape(b, i-6) && utf16.DecodeRune(escapedAt(b, i-6), unit) != utf8.RuneError:
				i += 6 // its first half was written with the other case of d
			default:
				copy(b[i:], `\ufffd`)
				replaced++
				i += 6
			}
		}
	}
	return replaced
}

// startsEscape says whether the backslash at b[i] begins an escape: whether an even number of backslashes stands before it.
func startsEscape(b []byte, i int) bool {
	start := i
	for start > 0 && b[start-1] == '\\' {
		start--
	}
	return (i-start)%2 == 0
}
