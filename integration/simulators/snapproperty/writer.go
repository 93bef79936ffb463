package snapproperty

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// writer appends JSON.
type writer struct{ b []byte }

func (w *writer) raw(json string) { w.b = append(w.b, json...) }

// next writes the comma between two members or elements, and none before the first.
func (w *writer) next() {
	if c := w.b[len(w.b)-1]; c != '{' && c != '[' {
		w.b = append(w.b, ',')
	}
}

// name begins a member.
func (w *writer) name(name string) {
	w.next()
	w.b = append(w.b, '"')
	w.raw(name)
	w.b = append(w.b, '"', ':')
}

// is is a member whose value is JSON.
func (w *writer) is(name, json string) {
	w.name(name)
	w.raw(json)
}

func (w *writer) text(name, value string) {
	w.name(name)
	w.quote(value)
}

func (w *writer) int(name string, n int) {
	w.name(name)
	w.b = strconv.AppendInt(w.b, int64(n), 10)
}

func (w *writer) truth(name string, v bool) {
	w.name(name)
	w.b = strconv.AppendBool(w.b, v)
}

func (w *writer) moment(name string, t int64) {
	w.name(name)
	w.b = time.Unix(t, 0).UTC().AppendFormat(w.b, `"2006-01-02T15:04:05.000+0000"`)
}

// decimal is n divided by ten to the power of scale, with all its decimals.
func (w *writer) decimal(name string, n int64, scale int) {
	w.name(name)
	w.b = appendDecimal(w.b, n, scale)
}

func appendDecimal(b []byte, n int64, scale int) []byte {
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	power := int64(1)
	for range scale {
		power *= 10
	}
	b = strconv.AppendInt(b, n/power, 10)
	if scale == 0 {
		return b
	}
	b = append(b, '.')
	at := len(b)
	b = strconv.AppendInt(b, power+n%power, 10) // the leading 1 keeps the zeros
	return append(b[:at], b[at+1:]...)
}

// attributes are what Salesforce puts before every object's fields.
func (w *writer) attributes(version, object, id string) {
	w.is("attributes", `{"type":"`+object+`","url":"/services/data/`+version+`/sobjects/`+object+`/`+id+`"}`)
}

// relation is an object that is referred to by its name.
func (w *writer) relation(name, object, id, value string) {
	w.is(name, "{")
	w.attributes(version, object, id)
	w.text("Id", id)
	w.text("Name", value)
	w.raw("}")
}

// version is that of the answers to searches.
const version = "v51.0"

// quote appends a text as most encoders do: UTF-8 as it is.
func (w *writer) quote(s string) {
	w.b = append(w.b, '"')
	if !strings.ContainsAny(s, "\"\\\n\r\t") {
		w.raw(s)
		w.b = append(w.b, '"')
		return
	}
	for _, c := range s {
		switch c {
		case '"', '\\':
			w.b = append(w.b, '\\', byte(c))
		case '\n':
			w.raw(`\n`)
		case '\r':
			w.raw(`\r`)
		case '\t':
			w.raw(`\t`)
		default:
			w.b = utf8.AppendRune(w.b, c)
		}
	}
	w.b = append(w.b, '"')
}
