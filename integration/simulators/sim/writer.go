package sim

import "strconv"

// Writer appends JSON to B, which is all that was written so far; what it has no method for is appended to B itself. It checks nothing:
// members and elements come in the order of the calls, commas between them, and the braces and brackets around them are Raw's. The zero value
// is empty and ready.
type Writer struct{ B []byte }

// Raw appends JSON as it is.
func (w *Writer) Raw(json string) { w.B = append(w.B, json...) }

// Next appends the comma between two members or elements, and none before the first. The object or array must have been begun.
func (w *Writer) Next() {
	if c := w.B[len(w.B)-1]; c != '{' && c != '[' {
		w.B = append(w.B, ',')
	}
}

// Name begins a member, after Next; its value comes after. The name must need no escapes.
func (w *Writer) Name(name string) {
	w.Next()
	w.B = append(w.B, '"')
	w.B = append(w.B, name...)
	w.B = append(w.B, '"', ':')
}

// Is is a member whose value is JSON, or the beginning of it.
func (w *Writer) Is(name, json string) {
	w.Name(name)
	w.Raw(json)
}

// Text is a member whose value is a text, see Quote.
func (w *Writer) Text(name, value string) {
	w.Name(name)
	w.Quote(value)
}

// Int is a member whose value is a whole number.
func (w *Writer) Int(name string, n int) {
	w.Name(name)
	w.Whole(n)
}

// Bool is a member whose value is true or false.
func (w *Writer) Bool(name string, v bool) {
	w.Name(name)
	w.B = strconv.AppendBool(w.B, v)
}

// Whole appends a whole number.
func (w *Writer) Whole(n int) { w.B = strconv.AppendInt(w.B, int64(n), 10) }

// Quote appends a text as most encoders do: UTF-8 as it is, <, >, & and / too, and control characters escaped, those of lines and tabs by a
// letter.
func (w *Writer) Quote(s string) {
	w.B = append(w.B, '"')
	from := 0 // what is not written yet
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		w.B = append(w.B, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			w.B = append(w.B, '\\', c)
		case '\n':
			w.Raw(`\n`)
		case '\r':
			w.Raw(`\r`)
		case '\t':
			w.Raw(`\t`)
		default:
			const hex = "0123456789abcdef"
			w.B = append(w.B, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	w.B = append(w.B, s[from:]...)
	w.B = append(w.B, '"')
}
