package proxy

import (
	"bytes"
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// nesting is how many encodings may be within one another: JSON in JSON in a URL are three.
const nesting = 3

// widest is how many bytes a byte takes at most that is written in so many encodings: %252526%252523x0041%25253B is an A.
const widest = 40

// view is what a text says to a reader who undoes encodings in it, and where each byte of that comes from.
type view struct {
	text []byte
	from []int // for each byte of text, and for its end, the place in the text as it came
}

// views returns a text as it came and what it says when any encodings are undone, in any order, one after the other.
func views(raw []byte) []view {
	all := []view{{raw, places(len(raw))}}
	seen := map[string]bool{string(raw): true}
	done := 0
	for range nesting {
		next := all[done:]
		done = len(all)
		for _, v := range next {
			for _, escape := range []func([]byte) ([]byte, int){inJSON, inURL, inHTML} {
				if undone := v.undo(escape); !seen[string(undone.text)] {
					seen[string(undone.text)] = true
					all = append(all, undone)
				}
			}
		}
	}
	return all
}

// undo undoes an encoding. Escape is what stands at the beginning of a text, and how many bytes of that it takes; 0 is no escape.
func (v view) undo(escape func([]byte) ([]byte, int)) view {
	var out view
	for i := 0; i < len(v.text); {
		plain, size := escape(v.text[i:])
		if size == 0 {
			plain, size = v.text[i:i+1], 1
		}
		for range plain {
			out.from = append(out.from, v.from[i])
		}
		out.text = append(out.text, plain...)
		i += size
	}
	out.from = append(out.from, v.from[len(v.text)])
	return out
}

// stretch is a part of a text as it came.
type stretch struct{ from, to int }

// find returns the places of a needle, in the text as it came.
func (v view) find(needle []byte) (all []stretch) {
	for at := 0; ; {
		i := bytes.Index(v.text[at:], needle)
		if i < 0 {
			return all
		}
		from := at + i
		to := from + len(needle)
		for to < len(v.text) && v.from[to] == v.from[to-1] { // within what one escape stands for
			to++
		}
		all = append(all, stretch{v.from[from], v.from[to]})
		at = from + 1
	}
}

// folded returns a text with spaces in the place of plus signs, as forms have them.
func folded(text []byte) []byte { return bytes.ReplaceAll(text, []byte("+"), []byte(" ")) }

// inJSON returns an escape of JSON, or of a programming language.
func inJSON(b []byte) ([]byte, int) {
	if len(b) < 2 || b[0] != '\\' {
		return nil, 0
	}
	if at := strings.IndexByte("ntrbf", b[1]); at >= 0 {
		return []byte{"\n\t\r\b\f"[at]}, 2
	}
	switch b[1] {
	case '"', '\\', '/', '\'':
		return b[1:2], 2
	case 'x':
		if octet := digits(b[2:], 2); octet >= 0 {
			return []byte{byte(octet)}, 4
		}
	case 'u':
		one := digits(b[2:], 4)
		if one < 0 {
			return nil, 0
		}
		if utf16.IsSurrogate(one) && bytes.HasPrefix(b[6:], []byte(`\u`)) {
			if both := utf16.DecodeRune(one, digits(b[8:], 4)); both != utf8.RuneError {
				return []byte(string(both)), 12
			}
		}
		return []byte(string(one)), 6
	}
	return nil, 0
}

// inURL returns an octet as URLs have it.
func inURL(b []byte) ([]byte, int) {
	if len(b) < 3 || b[0] != '%' {
		return nil, 0
	}
	if octet := digits(b[1:], 2); octet >= 0 {
		return []byte{byte(octet)}, 3
	}
	return nil, 0
}

// inHTML returns a reference of HTML.
func inHTML(b []byte) ([]byte, int) {
	if len(b) < 3 || b[0] != '&' {
		return nil, 0
	}
	end := bytes.IndexByte(b[:min(len(b), 12)], ';')
	if end < 0 {
		return nil, 0
	}
	reference := string(b[:end+1])
	if plain := html.UnescapeString(reference); plain != reference {
		return []byte(plain), end + 1
	}
	return nil, 0
}

// digits returns the number that the first size hexadecimal digits of b are, or -1.
func digits(b []byte, size int) rune {
	if len(b) < size {
		return -1
	}
	n, err := strconv.ParseUint(string(b[:size]), 16, 32)
	if err != nil {
		return -1
	}
	return rune(n)
}
