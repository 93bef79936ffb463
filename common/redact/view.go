package redact

import (
	"bytes"
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// view is what a reader makes of a text: its bytes, and where in the text each comes from. The zero value is an empty one.
type view struct {
	bytes    []byte
	from, to []int32 // byte i stands for text[from[i]:to[i]]
}

// newView is an empty view with room for so many bytes.
func newView(room int) view {
	places := make([]int32, 2*room)
	return view{bytes: make([]byte, 0, room), from: places[:0:room], to: places[room:room]}
}

// plain is a text as it is.
func plain(text string) view {
	v := newView(len(text))
	v.bytes = append(v.bytes, text...)
	for i := range v.bytes {
		v.from, v.to = append(v.from, int32(i)), append(v.to, int32(i+1))
	}
	return v
}

// add appends a byte that stands for the bytes from and to, the last one included, of another view.
func (v *view) add(b byte, of *view, first, last int) {
	v.bytes = append(v.bytes, b)
	v.from = append(v.from, of.from[first])
	v.to = append(v.to, of.to[last])
}

// gap appends a byte that stands for nothing, between what does not belong together.
func (v *view) gap() {
	if n := len(v.bytes); n > 0 && v.from[n-1] < v.to[n-1] {
		v.bytes = append(v.bytes, 0)
		v.from = append(v.from, v.to[n-1])
		v.to = append(v.to, v.to[n-1])
	}
}

// decoder undoes one encoding wherever it is found. It gives no views where it changes nothing, and several where what is found can be read
// in several ways. least is the length below which nothing is a secret.
type decoder func(v *view, least int) []view

func decoders() []decoder {
	return []decoder{
		func(v *view, _ int) []view { return v.unescape('%', percent) },
		func(v *view, _ int) []view { return v.unescape('\\', backslash) },
		func(v *view, _ int) []view { return v.unescape('&', entity) },
		hexDigits().decode,
		base64Digits().decode,
	}
}

// unescape replaces every escape, which begins with start. read gives what the text at its beginning stands for and how much of that is the
// escape; 0 where it is none.
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

// percent reads %41 and, as JavaScript's escape writes it, %u0041.
func percent(text []byte) (value []byte, length int) {
	if len(text) > 2 && text[1] == 'u' {
		return codeUnits(text, 2, "%u")
	}
	if n, ok := number(text, 1, 2, 16); ok {
		return []byte{byte(n)}, 3
	}
	return nil, 0
}

// backslash reads the escapes of JSON, JavaScript, C, Go and Python.
func backslash(text []byte) (value []byte, length int) {
	if len(text) < 2 {
		return nil, 0
	}
	switch c := text[1]; {
	case c == 'u' && len(text) > 2 && text[2] == '{':
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
	case '0' <= c && c <= '3':
		if n, ok := number(text, 1, 3, 8); ok {
			return []byte{byte(n)}, 4
		}
		return nil, 0
	case strings.IndexByte("abfnrtv", c) >= 0:
		return []byte{"\a\b\f\n\r\t\v"[strings.IndexByte("abfnrtv", c)]}, 2
	case c > ' ' && c < utf8.RuneSelf && !alphanumeric(c):
		return []byte{c}, 2
	default:
		return nil, 0
	}
}

// codeUnits reads a character as one or two code units of UTF-16, each of four digits behind prefix; digits is where the first ones begin.
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

// longestEntity is how far an HTML entity is looked for: the longest name has 31 letters, and a number may begin with zeros.
const longestEntity = 64

// entity reads what browsers take for an HTML entity, which need not end with a semicolon.
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

// number reads exactly so many digits at a place.
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
