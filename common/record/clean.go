package record

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may be nested. The platform's destinations read with Jackson, which refuses deeper messages
// (StreamReadConstraints, maxNestingDepth).
const maxDepth = 1000

// around is how many objects surround a value of a row in a message, besides the row: the message, its record, and Unparsed, Undeclared or a Whole.
const around = 3

// maxNumber is how many characters a number may have, and how large its exponent may be. Jackson refuses longer numbers (maxNumberLength).
const maxNumber = 1000

// Mended counts what Clean had to mend. The zero value is nothing.
type Mended struct {
	Invalid int // bytes that were not UTF-8, and escaped surrogates without their other half
	Control int // unescaped control characters in texts
}

// ErrTooDeep is the error, wrapped, that Clean returns for a body with objects and arrays nested more than 1,000 deep.
var ErrTooDeep = errors.New("more than 1,000 objects and arrays stand inside each other")

var errInvalid = errors.New("it is not valid")

// Cleaner makes Values from the bodies of answers. It reuses memory that is given back. The zero value is ready to use. It is safe for concurrent
// use.
type Cleaner struct {
	// Rows says that the contents of the bodies go into records. Three levels of nesting are then reserved for what surrounds them, and a number that
	// destinations refuse becomes a text, which fits no column of numbers.
	Rows bool

	checkers sync.Pool
	bodies   spare[byte]
	marks    spare[mark]
}

// spareBodies and spareMarks limit the unused memory that is kept, in bytes and in marks: 4 MiB each.
const spareBodies, spareMarks = 4 << 20, 4 << 20 / 16

// Room returns memory for a body of size bytes, with length 0.
func (k *Cleaner) Room(size int) []byte {
	if room := k.bodies.take(size, 2*size); room != nil {
		return room
	}
	return Grow(nil, size)
}

// Free gives back the memory of a body, which must not be used any more.
func (k *Cleaner) Free(body []byte) { k.bodies.put(body, spareBodies) }

// FreeValue gives back the memory of a Value made by Clean. Neither it nor anything in it may be used any more.
func (k *Cleaner) FreeValue(v Value) {
	k.bodies.put(v.raw, spareBodies)
	k.marks.put(v.marks, spareMarks)
}

// Clean calls Cleaner.Clean with a new Cleaner.
func Clean(body []byte) (clean Value, mended Mended, err error) { return new(Cleaner).Clean(body) }

// Clean turns the body of an answer into a Value whose bytes are a Record. It is the only place where JSON is validated. It may modify body, and the
// Value shares its memory, so the caller must not use body any more. A body that needs no mending takes one pass.
//
//   - A UTF-8 byte order mark and white space around the value are removed. White space between tokens is removed too if a line break is
//     anywhere among it, so that a Record is always one line. A page without line breaks is left as it is, which costs nothing.
//   - Each byte that is not UTF-8 becomes U+FFFD. So does each escaped surrogate without its other half (`\ud800` becomes `\ufffd`),
//     because strict parsers would refuse the whole line.
//   - Unescaped control characters in texts and names are escaped, as JSON demands. Their meaning does not change.
//   - With Rows, a number of more than 1,000 characters or with an exponent beyond 1,000 (`1e-99999999999`) becomes a text.
//   - Everything else stays byte for byte: the form of escapes, every digit of a number, the order of members, repeated keys.
//
// Clean returns an error if the body is empty, is not JSON, has more than one value, or is nested too deeply (ErrTooDeep). The error is short and
// quotes nothing from the body.
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

// quoteNumbers returns a copy of b, which must be valid, in which the n numbers that destinations refuse are texts.
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

// replaceInvalid returns a copy of b in which U+FFFD replaces each byte that is not part of UTF-8.
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

// replaceLoneSurrogates overwrites each escaped surrogate without its other half with \ufffd. b must be valid JSON.
func replaceLoneSurrogates(b []byte) (replaced int) {
	for _, prefix := range [2]string{`\ud`, `\uD`} {
		for i := 0; ; {
			found := bytes.Index(b[i:], []byte(prefix))
			if found < 0 {
				break
			}
			i += found
			if !startsEscape(b, i) {
				i++ // the second backslash of an escaped one
				continue
			}
			unit := escapedAt(b, i)
			switch {
			case !utf16.IsSurrogate(unit):
				i += 6
			case unit < 0xdc00 && utf16.DecodeRune(unit, escapedAt(b, i+6)) != utf8.RuneError:
				i += 12
			case unit >= 0xdc00 && i >= 6 && startsEscape(b, i-6) && utf16.DecodeRune(escapedAt(b, i-6), unit) != utf8.RuneError:
				i += 6 // the second half of a pair whose first half has the other case of d
			default:
				copy(b[i:], `\ufffd`)
				replaced++
				i += 6
			}
		}
	}
	return replaced
}

// startsEscape reports whether the backslash at b[i] begins an escape, because an even number of backslashes precedes it.
func startsEscape(b []byte, i int) bool {
	start := i
	for start > 0 && b[start-1] == '\\' {
		start--
	}
	return (i-start)%2 == 0
}
