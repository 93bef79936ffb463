package record

import (
	"bytes"
	"errors"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// maxDepth is how many objects and arrays may stand inside each other. No API here comes near it; a body of nothing but brackets would
// otherwise exhaust the stack of whoever walks over it by recursion, and that no recover can catch.
const maxDepth = 10_000

// Clean makes the body of an answer a Record: the one place where JSON is validated. The body may be modified, and the Record shares its
// memory: the caller gives body away.
//
//   - A UTF-8 byte order mark and the white space around the value go. White space between tokens goes too if a line break is among the
//     white space anywhere, so that a Record is always one line; a page that has none is left as it is, which costs nothing.
//   - Bytes that are not UTF-8 become U+FFFD, one for each bad byte. So does each escaped surrogate without its other half (`\ud800`
//     becomes `\ufffd`), because strict parsers refuse the whole line for it. replaced counts both.
//   - All else stays byte for byte: escapes as they were written, every digit of a number, members in their order, repeated keys.
//
// An empty body, one that is not JSON, more than one value, or more than 10,000 objects and arrays inside each other in a body of over
// 100,000 are an error; its text is short and holds nothing of the body.
func Clean(body []byte) (clean Record, replaced int, err error) {
	body = bytes.Trim(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	if len(body) == 0 {
		return nil, 0, errors.New("reading JSON: there is nothing")
	}
	if !utf8.Valid(body) {
		body, replaced = replaceInvalid(body)
	}
	if tooDeep(body) {
		return nil, 0, errors.New("reading JSON: it is nested too deeply")
	}
	if !gjson.ValidBytes(body) {
		return nil, 0, errors.New("reading JSON: it is not valid")
	}
	// Valid JSON has line breaks between tokens only, and backslashes in strings only.
	if bytes.IndexByte(body, '\n') >= 0 || bytes.IndexByte(body, '\r') >= 0 {
		body = appendCompact(body[:0], body)
	}
	replaced += replaceLoneSurrogates(body)
	return body, replaced, nil
}

// replaceInvalid is a copy of b with U+FFFD in the place of each byte that is not part of UTF-8.
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

// fewBrackets is so few that, even if all stood inside each other, a walk by recursion could bear it.
const fewBrackets = 100_000

// tooDeep says whether more than maxDepth objects and arrays stand inside each other. What b has after its first fault does not matter:
// a validator stops there.
func tooDeep(b []byte) bool {
	if bytes.Count(b, []byte("["))+bytes.Count(b, []byte("{")) <= fewBrackets { // far cheaper than the exact answer
		return false
	}
	depth := 0
	for i := 0; i < len(b); {
		switch b[i] {
		case '"':
			i, _ = skipString(b, i)
			continue
		case '{', '[':
			if depth++; depth > maxDepth {
				return true
			}
		case '}', ']':
			depth--
		}
		i++
	}
	return false
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
