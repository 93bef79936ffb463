package nectarcrm

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// dice gives the numbers that belong to one row, one after the other.
type dice uint64

// n is a number from 0 to below sides.
func (d *dice) n(sides int) int {
	*d++
	return int(sim.Mix(uint64(*d)) % uint64(sides))
}

// once is true once in so many times.
func (d *dice) once(in int) bool { return d.n(in) == 0 }

// writer appends JSON. What varies from row to row follows from the dice of the row.
type writer struct {
	b []byte
	d dice
}

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
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

// is is a member whose value is JSON.
func (w *writer) is(name, json string) {
	w.name(name)
	w.raw(json)
}

// object is a member whose value is an object.
func (w *writer) object(name string, members func()) {
	w.name(name)
	w.raw("{")
	members()
	w.raw("}")
}

// array is a member whose value is an array of n objects.
func (w *writer) array(name string, n int, members func(k int)) {
	w.name(name)
	w.raw("[")
	for k := range n {
		w.next()
		w.raw("{")
		members(k)
		w.raw("}")
	}
	w.raw("]")
}

func (w *writer) text(name, value string) {
	w.name(name)
	w.quote(value)
}

// some is a text that is absent now and then, or empty.
func (w *writer) some(name, value string) {
	switch w.d.n(12) {
	case 0, 1:
	case 2:
		w.is(name, `""`)
	default:
		w.text(name, value)
	}
}

// id is a whole number that is one always.
func (w *writer) id(name string, n int) {
	w.name(name)
	w.b = strconv.AppendInt(w.b, int64(n), 10)
}

// number is a whole number, now and then as a text, or absent.
func (w *writer) number(name string, n int) {
	switch w.d.n(40) {
	case 0:
		w.name(name)
		w.b = append(w.b, '"')
		w.b = strconv.AppendInt(w.b, int64(n), 10)
		w.b = append(w.b, '"')
	case 1:
	default:
		w.id(name, n)
	}
}

// amount is a number of hundredths: 500000.0, 69.9 or 70, now and then as a text.
func (w *writer) amount(name string, hundredths int) {
	w.name(name)
	quoted := w.d.once(40)
	if quoted {
		w.b = append(w.b, '"')
	}
	w.b = strconv.AppendInt(w.b, int64(hundredths/100), 10)
	switch rest := hundredths % 100; {
	case rest == 0 && w.d.once(2):
	case rest%10 == 0:
		w.b = append(w.b, '.', byte('0'+rest/10))
	default:
		w.b = append(w.b, '.', byte('0'+rest/10), byte('0'+rest%10))
	}
	if quoted {
		w.b = append(w.b, '"')
	}
}

// flag is a truth, absent now and then.
func (w *writer) flag(name string, v bool) {
	if w.d.once(30) {
		return
	}
	w.name(name)
	w.b = strconv.AppendBool(w.b, v)
}

// flags are several truths of the row's.
func (w *writer) flags(names ...string) {
	for _, name := range names {
		w.flag(name, w.d.once(2))
	}
}

// form is how a time is written.
type form uint8

const (
	withMillis form = iota // 2022-01-24T20:50:19.003Z
	withColon              // 2016-03-11T10:00:00-03:00
	withDigits             // 2016-03-30T10:00:00-0300
	plain                  // 2016-03-30T13:00:00Z
	forms
)

// time is a time in Unix milliseconds.
func (w *writer) time(name string, at int64, f form) {
	w.name(name)
	t := time.UnixMilli(at).UTC()
	switch f {
	case withMillis:
		w.b = t.AppendFormat(w.b, `"2006-01-02T15:04:05.000Z"`)
	case withColon:
		w.b = t.In(brasilia()).AppendFormat(w.b, `"2006-01-02T15:04:05-07:00"`)
	case withDigits:
		w.b = t.In(brasilia()).AppendFormat(w.b, `"2006-01-02T15:04:05-0700"`)
	default:
		w.b = t.AppendFormat(w.b, `"2006-01-02T15:04:05Z"`)
	}
}

// moment is a time in one of its forms, mostly the first.
func (w *writer) moment(name string, at int64) {
	f := withMillis
	if w.d.once(8) {
		f = form(w.d.n(int(forms)))
	}
	w.time(name, at, f)
}

// quote appends a text as most encoders do: UTF-8 as it is.
func (w *writer) quote(s string) {
	w.b = append(w.b, '"')
	if strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == '"' || c == '\\' }) {
		for _, c := range s {
			switch {
			case c == '"' || c == '\\':
				w.b = append(w.b, '\\', byte(c))
			case c == '\n':
				w.raw(`\n`)
			case c < ' ':
				w.raw(`\u00`)
				w.b = append(w.b, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
			default:
				w.b = utf8.AppendRune(w.b, c)
			}
		}
	} else {
		w.b = append(w.b, s...)
	}
	w.b = append(w.b, '"')
}
