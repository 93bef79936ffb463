package redact

import (
	"bytes"
	"html"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// view is one reading of a text: its bytes, and where in the text each comes from. The zero value is an empty view.
type view struct {
	bytes    []byte
	from, to []int32 // byte i stands for text[from[i]:to[i]]
}

// newView returns an empty view with room for that many bytes.
func newView(room int) view {
	places := make([]int32, 2*room)
	return view{bytes: make([]byte, 0, room), from: places[:0:room], to: places[room:room]}
}

// plain returns the view of a text as it is.
func plain(text string) view {
	v := newView(len(text))
	v.bytes = append(v.bytes, text...)
	for i := range v.bytes {
		v.from, v.to = append(v.from, int32(i)), append(v.to, int32(i+1))
	}
	return v
}

// add appends a byte that stands for the bytes first to last of another view, including last.
func (v *view) add(b byte, of *view, first, last int) {
	v.bytes = append(v.bytes, b)
	v.from = append(v.from, of.from[first])
	v.to = append(v.to, of.to[last])
}

// gap appends a byte that stands for nothing, to separate what does not belong together.
func (v *view) gap() {
	if n := len(v.bytes); n > 0 && v.from[n-1] < v.to[n-1] {
		v.bytes = append(v.bytes, 0)
		v.from = append(v.from, v.to[n-1])
		v.to = append(v.to, v.to[n-1])
	}
}

// decoder undoes one encoding wherever it is found. It returns no view if it changes nothing, and several if what it finds can be read in several
// ways. least is the length in bytes of the shortest secret.
type decoder func(v *view, least int) []view

func decoders() []decoder {
	return []decoder{
		func(v *view, _ int) []view { return v.unescape('%', percent) },
		func(v *view, _ int) []view { return v.unescape('\\', backslash) },
		func(v *view, _ int) []view { return v.unescape('&', entity) },
		func(v *view, _ int) []view { return v.unescape('=', quotedPrintable) },
		func(v *view, _ int) []view { return v.unescape(noBreak[0], space) },
		(*view).seen,
		(*view).joined,
		(*view).listed,
		hexDigits().decode,
		base32Digits().decode,
		base64Digits().decode,
	}
}

// without returns v without some stretches. length returns the length of the stretch that begins at a byte, or 0 if none does. without returns no
// view if there are fewer than least stretches.
func (v *view) without(least int, length func(at int) int) []view {
	out, left := newView(len(v.bytes)), 0
	for i := 0; i < len(v.bytes); {
		if n := length(i); n > 0 {
			left, i = left+1, i+n
			continue
		}
		out.add(v.bytes[i], v, i, i)
		i++
	}
	if left < max(least, 1) {
		return nil
	}
	return []view{out}
}

// seen leaves out what a reader does not see: zero bytes, which UTF-16 has between letters, zero-width characters, variation selectors, line breaks
// within a long word with the blanks behind them, HTML tags, and the colours of a terminal.
func (v *view) seen(int) []view {
	return v.without(1, func(at int) int {
		text := v.bytes[at:]
		switch c := text[0]; {
		case c == 0 && v.from[at] < v.to[at]: // otherwise it is a gap
			return 1
		case c == '\n' || c == '\r':
			return len(text) - len(bytes.TrimLeft(text, "\r\n\t "))
		case c == '<' && len(text) > 1 && (text[1] == '/' || text[1] == '!' || alphanumeric(text[1])):
			return bytes.IndexByte(text[:min(len(text), longestTag)], '>') + 1
		case c == 0x1b && len(text) > 1 && text[1] == '[':
			return 3 + bytes.IndexFunc(text[2:min(len(text), longestTag)], func(r rune) bool { return '@' <= r && r <= '~' })
		case c >= utf8.RuneSelf:
			if r, size := utf8.DecodeRune(text); unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
				return size
			}
		}
		return 0
	})
}

// longestTag is how many bytes are searched for the end of a tag or of a colour's escape sequence.
const longestTag = 64

// joined leaves out what separates pairs of hexadecimal digits, as in 0C-82-1D, 0c:82:1d and 0x0c, 0x82.
func (v *view) joined(least int) []view {
	return v.without(least-1, func(at int) int {
		if at < 2 || !pair(v.bytes[at-2:at]) || at > 2 && alphanumeric(v.bytes[at-3]) && v.bytes[at-3] != 'x' {
			return 0
		}
		text := v.bytes[at:]
		rest := bytes.TrimPrefix(text, []byte(","))
		if rest = bytes.TrimLeft(rest, ":- "); len(text)-len(rest) > 2 || len(rest) == len(text) {
			return 0
		}
		rest = bytes.TrimPrefix(rest, []byte("0x"))
		if len(rest) < 2 || !pair(rest[:2]) || len(rest) > 2 && alphanumeric(rest[2]) {
			return 0
		}
		return len(text) - len(rest)
	})
}

// listed reads bytes that are listed as decimal numbers, as in [115, 51] and [115 51].
func (v *view) listed(least int) []view {
	out := newView(len(v.bytes))
	row, longest := 0, 0 // of numbers
	for i := 0; i < len(v.bytes); {
		from := i
		for i < len(v.bytes) && '0' <= v.bytes[i] && v.bytes[i] <= '9' {
			i++
		}
		n, ok := number(v.bytes, from, i-from, 10)
		switch {
		case ok && n <= 0xFF:
			out.add(byte(n), v, from, i-1)
			row++
			longest = max(longest, row)
			continue
		case i == from:
			i++
			if c := v.bytes[from]; c == ',' || white(c) {
				continue
			}
		}
		out.gap()
		row = 0
	}
	if longest < least {
		return nil
	}
	return []view{out}
}

// pair reports whether text is two hexadecimal digits.
func pair(text []byte) bool {
	_, ok := number(text, 0, 2, 16)
	return ok
}

// unescape replaces every escape that begins with start. read returns what the escape at the beginning of text stands for, and the escape's length,
// or 0 if text does not begin with one.
func (v *view) unescape(start byte, read func(text []byte) (value []byte, length int)) []view {
	if bytes.IndexByte(v.bytes, start) < 0 {
		return nil
	}
	out := newView(len(v.bytes))
	done := 0 // bytes of v that are in out
	copyTo := func(end int) {
		out.bytes = append(out.bytes, v.bytes[done:end]...)
		out.from = append(out.from, v.from[done:end]...)
		out.to = append(out.to, v.to[done:end]...)
		done = end
	}
	for i := 0; i < len(v.bytes); i++ {
		if v.bytes[i] != start {
			continue
		}
		value, length := read(v.bytes[i:])
		if length == 0 {
			continue
		}
		copyTo(i)
		for _, b := range value {
			out.add(b, v, i, i+length-1)
		}
		done = i + length
		i = done - 1
	}
	if done == 0 {
		return nil
	}
	copyTo(len(v.bytes))
	return []view{out}
}

// percent reads %41, and %u0041 as JavaScript's escape function writes it.
func percent(text []byte) (value []byte, length int) {
	if len(text) > 2 && text[1] == 'u' {
		return codeUnits(text, 2, "%u")
	}
	if n, ok := number(text, 1, 2, 16); ok {
		return []byte{byte(n)}, 3
	}
	return nil, 0
}

// quotedPrintable reads =41, and the = at the end of a continued line.
func quotedPrintable(text []byte) (value []byte, length int) {
	if rest := bytes.TrimPrefix(text[1:], []byte("\r")); bytes.HasPrefix(rest, []byte("\n")) {
		return nil, len(text) - len(rest) + 1
	}
	if n, ok := number(text, 1, 2, 16); ok {
		return []byte{byte(n)}, 3
	}
	return nil, 0
}

// noBreak is the non-breaking space.
const noBreak = "\u00a0"

// space reads noBreak as an ordinary space.
func space(text []byte) (value []byte, length int) {
	if bytes.HasPrefix(text, []byte(noBreak)) {
		return []byte(" "), len(noBreak)
	}
	return nil, 0
}

// backslash reads the escapes of JSON, JavaScript, C, Go and Python, and the backslash at the end of a continued line.
func backslash(text []byte) (value []byte, length int) {
	if len(text) < 2 {
		return nil, 0
	}
	if rest := bytes.TrimPrefix(text[1:], []byte("\r")); bytes.HasPrefix(rest, []byte("\n")) {
		return nil, len(text) - len(rest) + 1
	}
	switch c := text[1]; {
	case (c == 'u' || c == 'x') && len(text) > 2 && text[2] == '{':
		for end := 4; end < len(text) && end < 12; end++ {
			if text[end] == '}' {
				if n, ok := number(text, 3, end-3, 16); ok {
					return utf8.AppendRune(nil, rune(n)), end + 1
				}
			}
		}
		return nil, 0
	case c == 'u':
		return codeUnits(text, 2, `\u`)
	case c == 'U':
		if n, ok := number(text, 2, 8, 16); ok {
			return utf8.AppendRune(nil, rune(n)), 10
		}
		return nil, 0
	case c == 'x':
		if n, ok := number(text, 2, 2, 16); ok {
			return []byte{byte(n)}, 4
		}
		return nil, 0
	case '0' <= c && c <= '7':
		digits := 3
		n, ok := number(text, 1, digits, 8)
		for ; !ok || n > 0xFF; n, ok = number(text, 1, digits, 8) { // a single digit always fits
			digits--
		}
		return []byte{byte(n)}, 1 + digits
	case strings.IndexByte("abfnrtv", c) >= 0:
		return []byte{"\a\b\f\n\r\t\v"[strings.IndexByte("abfnrtv", c)]}, 2
	case c > ' ' && c < utf8.RuneSelf && !alphanumeric(c):
		return []byte{c}, 2
	default:
		return nil, 0
	}
}

// codeUnits reads a character as one or two code units of UTF-16, each of four digits behind prefix. digits is where the first four digits begin.
func codeUnits(text []byte, digits int, prefix string) (value []byte, length int) {
	first, ok := number(text, digits, 4, 16)
	if !ok {
		return nil, 0
	}
	length = digits + 4
	if utf16.IsSurrogate(rune(first)) && strings.HasPrefix(string(text[length:min(len(text), length+2)]), prefix) {
		if second, ok := number(text, length+2, 4, 16); ok {
			if pair := utf16.DecodeRune(rune(first), rune(second)); pair != utf8.RuneError {
				return utf8.AppendRune(nil, pair), length + 6
			}
		}
	}
	return utf8.AppendRune(nil, rune(first)), length
}

// longestEntity is how long an HTML entity may be. The longest name has 31 letters, and a number may begin with zeros.
const longestEntity = 64

// entity reads what browsers accept as an HTML entity, which need not end with a semicolon.
func entity(text []byte) (value []byte, length int) {
	end := 1
	if end < len(text) && text[end] == '#' {
		end++
	}
	for end < len(text) && end < longestEntity && alphanumeric(text[end]) {
		end++
	}
	if end < len(text) && text[end] == ';' {
		end++
	}
	written := string(text[:end])
	read := html.UnescapeString(written)
	if read == written {
		return nil, 0
	}
	for len(read) > 1 && len(written) > 2 && read[len(read)-1] == written[len(written)-1] { // letters behind an entity without a semicolon
		read, written = read[:len(read)-1], written[:len(written)-1]
	}
	return []byte(read), len(written)
}

// number reads exactly that many digits at a position.
func number(text []byte, at, digits, base int) (n uint64, ok bool) {
	if digits <= 0 || at+digits > len(text) || !alphanumeric(text[at]) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[at:at+digits]), base, 32)
	return n, err == nil
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
