package dwv

import (
	"unicode/utf8"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// writer is a sim.Writer that knows how DWV writes some values.
type writer struct{ sim.Writer }

func (w *writer) bytes(json []byte) { w.B = append(w.B, json...) }

// escaped writes a string as PHP does: pure ASCII, \u for the rest, and \/ for a slash.
func (w *writer) escaped(s string) {
	w.Raw(`"`)
	for _, c := range s {
		switch {
		case c == '"' || c == '\\' || c == '/':
			w.B = append(w.B, '\\', byte(c))
		case c == '\n':
			w.Raw(`\n`)
		case c == '\t':
			w.Raw(`\t`)
		case c > 0xffff:
			c -= 0x10000
			w.unicode(0xd800 + c>>10)
			w.unicode(0xdc00 + c&0x3ff)
		case c < ' ' || c >= utf8.RuneSelf:
			w.unicode(c)
		default:
			w.B = append(w.B, byte(c))
		}
	}
	w.Raw(`"`)
}

func (w *writer) unicode(c rune) {
	const hex = "0123456789abcdef"
	w.B = append(w.B, '\\', 'u', hex[c>>12&15], hex[c>>8&15], hex[c>>4&15], hex[c&15])
}

// count writes a number, or null for a negative one.
func (w *writer) count(n int) {
	if n < 0 {
		w.Raw("null")
		return
	}
	w.Whole(n)
}

// decimal writes hundredths as a string with a dot: prices and areas come so.
func (w *writer) decimal(hundredths int) {
	w.B = append(w.B, '"')
	w.Whole(hundredths / 100)
	w.B = append(w.B, '.', byte('0'+hundredths/10%10), byte('0'+hundredths%10), '"')
}
