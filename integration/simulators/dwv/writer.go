package dwv

import (
	"strconv"
	"unicode/utf8"
)

// writer appends JSON.
type writer struct{ b []byte }

func (w *writer) raw(json string)   { w.b = append(w.b, json...) }
func (w *writer) bytes(json []byte) { w.b = append(w.b, json...) }
func (w *writer) int(n int)         { w.b = strconv.AppendInt(w.b, int64(n), 10) }

// text writes a string as most encoders do: UTF-8 as it is, <, > and & too.
func (w *writer) text(s string) { w.quote(s, false) }

// escaped writes a string as PHP does: pure ASCII, \u for the rest, and \/ for a slash.
func (w *writer) escaped(s string) { w.quote(s, true) }

func (w *writer) quote(s string, ascii bool) {
	w.b = append(w.b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\' || ascii && c == '/':
			w.b = append(w.b, '\\', byte(c))
		case c == '\n':
			w.raw(`\n`)
		case c == '\t':
			w.raw(`\t`)
		case c > 0xffff && ascii:
			c -= 0x10000
			w.unicode(0xd800 + c>>10)
			w.unicode(0xdc00 + c&0x3ff)
		case c < ' ' || c >= utf8.RuneSelf && ascii:
			w.unicode(c)
		default:
			w.b = utf8.AppendRune(w.b, c)
		}
	}
	w.b = append(w.b, '"')
}

func (w *writer) unicode(c rune) {
	const hex = "0123456789abcdef"
	w.b = append(w.b, '\\', 'u', hex[c>>12&15], hex[c>>8&15], hex[c>>4&15], hex[c&15])
}

// count writes a number, or null for a negative one.
func (w *writer) count(n int) {
	if n < 0 {
		w.raw("null")
		return
	}
	w.int(n)
}

// decimal writes hundredths as a string with a dot: prices and areas come so.
func (w *writer) decimal(hundredths int) {
	w.b = append(w.b, '"')
	w.int(hundredths / 100)
	w.b = append(w.b, '.', byte('0'+hundredths/10%10), byte('0'+hundredths%10), '"')
}
