package imoview

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

// writer appends JSON. Many of its methods write a value in one of the forms in which the API has been seen to write it; which one
// follows from the dice of the row.
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

func (w *writer) text(name, value string) {
	w.name(name)
	w.quote(value)
}

// some is a text that is null now and then, or empty.
func (w *writer) some(name, value string) {
	switch w.d.n(24) {
	case 0:
		w.is(name, "null")
	case 1:
		w.is(name, `""`)
	default:
		w.text(name, value)
	}
}

// empty are members with the empty text.
func (w *writer) empty(names ...string) {
	for _, name := range names {
		w.is(name, `""`)
	}
}

func (w *writer) int(name string, n int) {
	w.name(name)
	w.b = strconv.AppendInt(w.b, int64(n), 10)
}

// quoted is a whole number as a text.
func (w *writer) quoted(name string, n int) {
	w.name(name)
	w.b = append(w.b, '"')
	w.b = strconv.AppendInt(w.b, int64(n), 10)
	w.b = append(w.b, '"')
}

// number is a count of the kind that the API gives as JSON numbers, now and then as a text or null.
func (w *writer) number(name string, n int) {
	switch w.d.n(32) {
	case 0:
		w.quoted(name, n)
	case 1:
		w.is(name, "null")
	default:
		w.int(name, n)
	}
}

// code is a code other than the row's own: a number or a text; 0, or "", for none.
func (w *writer) code(name string, n int) {
	switch text := w.d.once(16); {
	case text && n == 0:
		w.is(name, `""`)
	case text:
		w.quoted(name, n)
	default:
		w.int(name, n)
	}
}

// flag is a truth.
func (w *writer) flag(name string, v bool) {
	form := w.d.n(48)
	switch {
	case v && form == 0:
		w.is(name, `"true"`)
	case v && form == 1:
		w.is(name, `"Sim"`)
	case v && form == 2:
		w.is(name, "1")
	case v:
		w.is(name, "true")
	case form == 0:
		w.is(name, `"false"`)
	case form == 1:
		w.is(name, `"Não"`)
	case form == 2:
		w.is(name, "0")
	default:
		w.is(name, "false")
	}
}

// flags are several truths.
func (w *writer) flags(v uint64, names ...string) {
	for i, name := range names {
		w.flag(name, v>>i&1 == 1)
	}
}

// count is a small number as a text. Zero means that it is not known.
func (w *writer) count(name string, n int) {
	if n == 0 && w.d.once(8) {
		w.is(name, `""`)
		return
	}
	w.quoted(name, n)
}

// counts is a small number, or a range of them as launches have it.
func (w *writer) counts(name string, from, to int) {
	if from == to {
		w.count(name, from)
		return
	}
	w.name(name)
	w.b = append(w.b, '"')
	w.b = strconv.AppendInt(w.b, int64(from), 10)
	w.raw(" até ")
	w.b = strconv.AppendInt(w.b, int64(to), 10)
	w.b = append(w.b, '"')
}

// money is an amount of cents: R$ 1.234,56, now and then without the sign. Zero means that it is not known.
func (w *writer) money(name string, cents int) {
	w.name(name)
	switch form := w.d.n(24); {
	case form == 0 && cents == 0:
		w.raw(`""`)
	case form <= 1:
		w.b = append(w.b, '"')
		w.decimal(cents)
		w.b = append(w.b, '"')
	default:
		w.raw(`"R$ `)
		w.decimal(cents)
		w.b = append(w.b, '"')
	}
}

// monies is an amount, or a range of them.
func (w *writer) monies(name string, from, to int) {
	if from == to {
		w.money(name, from)
		return
	}
	w.name(name)
	w.raw(`"R$ `)
	w.decimal(from)
	w.raw(` até R$ `)
	w.decimal(to)
	w.b = append(w.b, '"')
}

// rate is a fee of hundredths: 10,00.
func (w *writer) rate(name string, hundredths int) {
	w.name(name)
	w.b = append(w.b, '"')
	w.decimal(hundredths)
	w.b = append(w.b, '"')
}

// area is one of hundredths, or a range, whose unit comes along now and then.
func (w *writer) area(name string, from, to int) {
	w.name(name)
	w.b = append(w.b, '"')
	w.decimal(from)
	if to != from {
		w.raw(" até ")
		w.decimal(to)
		if w.d.once(2) {
			w.raw(" m²")
		}
	}
	w.b = append(w.b, '"')
}

// decimal appends hundredths as Brazilians write them: 1.234.567,89.
func (w *writer) decimal(hundredths int) {
	var digits [20]byte
	whole := strconv.AppendInt(digits[:0], int64(hundredths/100), 10)
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			w.b = append(w.b, '.')
		}
		w.b = append(w.b, c)
	}
	w.b = append(w.b, ',', byte('0'+hundredths/10%10), byte('0'+hundredths%10))
}

// form is how much of a time is written.
type form uint8

const (
	toSecond form = iota
	toMinute
	toDay
	never // the empty text
)

// stamp is a time, in seconds of the wall clock.
func (w *writer) stamp(name string, t int64, f form) {
	w.name(name)
	if f == never {
		w.raw(`""`)
		return
	}
	layouts := [...]string{toSecond: `"02/01/2006 15:04:05"`, toMinute: `"02/01/2006 15:04"`, toDay: `"02/01/2006"`}
	w.b = time.Unix(t, 0).UTC().AppendFormat(w.b, layouts[f])
}

// moment is a time that is a moment, in one of its forms.
func (w *writer) moment(name string, t int64) {
	switch w.d.n(24) {
	case 0:
		w.stamp(name, t, toMinute)
	case 1:
		w.stamp(name, t, toDay)
	case 2:
		w.stamp(name, t, never)
	default:
		w.stamp(name, t, toSecond)
	}
}

// date is a time that is a day, now and then with the midnight it began at.
func (w *writer) date(name string, t int64) {
	switch w.d.n(24) {
	case 0:
		w.stamp(name, t/day*day, toSecond)
	case 1:
		w.stamp(name, t, never)
	default:
		w.stamp(name, t, toDay)
	}
}

// quote appends a text as most encoders do: UTF-8 as it is.
func (w *writer) quote(s string) {
	w.b = append(w.b, '"')
	if strings.ContainsAny(s, "\"\\\n\t") {
		for _, c := range s {
			switch c {
			case '"', '\\':
				w.b = append(w.b, '\\', byte(c))
			case '\n':
				w.raw(`\n`)
			case '\t':
				w.raw(`\t`)
			default:
				w.b = utf8.AppendRune(w.b, c)
			}
		}
	} else {
		w.b = append(w.b, s...)
	}
	w.b = append(w.b, '"')
}
