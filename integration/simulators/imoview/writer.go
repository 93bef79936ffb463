package imoview

import (
	"strconv"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// writer is a sim.Writer of one row. Many of its methods write a value in one of the forms in which the API has been seen to write it; which
// one follows from the dice of the row.
type writer struct {
	sim.Writer
	d sim.Dice
}

// some is a text that is null now and then, or empty.
func (w *writer) some(name, value string) {
	switch w.d.N(24) {
	case 0:
		w.Is(name, "null")
	case 1:
		w.Is(name, `""`)
	default:
		w.Text(name, value)
	}
}

// empty are members with the empty text.
func (w *writer) empty(names ...string) {
	for _, name := range names {
		w.Is(name, `""`)
	}
}

// quoted is a whole number as a text.
func (w *writer) quoted(name string, n int) {
	w.Name(name)
	w.B = append(w.B, '"')
	w.Whole(n)
	w.B = append(w.B, '"')
}

// number is a count of the kind that the API gives as JSON numbers, now and then as a text or null.
func (w *writer) number(name string, n int) {
	switch w.d.N(32) {
	case 0:
		w.quoted(name, n)
	case 1:
		w.Is(name, "null")
	default:
		w.Int(name, n)
	}
}

// code is a code other than the row's own: a number or a text; 0, or "", for none.
func (w *writer) code(name string, n int) {
	switch text := w.d.Once(16); {
	case text && n == 0:
		w.Is(name, `""`)
	case text:
		w.quoted(name, n)
	default:
		w.Int(name, n)
	}
}

// flag is a truth.
func (w *writer) flag(name string, v bool) {
	form := w.d.N(48)
	switch {
	case v && form == 0:
		w.Is(name, `"true"`)
	case v && form == 1:
		w.Is(name, `"Sim"`)
	case v && form == 2:
		w.Is(name, "1")
	case v:
		w.Is(name, "true")
	case form == 0:
		w.Is(name, `"false"`)
	case form == 1:
		w.Is(name, `"Não"`)
	case form == 2:
		w.Is(name, "0")
	default:
		w.Is(name, "false")
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
	if n == 0 && w.d.Once(8) {
		w.Is(name, `""`)
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
	w.Name(name)
	w.B = append(w.B, '"')
	w.Whole(from)
	w.Raw(" até ")
	w.Whole(to)
	w.B = append(w.B, '"')
}

// money is an amount of cents: R$ 1.234,56, now and then without the sign. Zero means that it is not known.
func (w *writer) money(name string, cents int) {
	w.Name(name)
	switch form := w.d.N(24); {
	case form == 0 && cents == 0:
		w.Raw(`""`)
	case form <= 1:
		w.B = append(w.B, '"')
		w.decimal(cents)
		w.B = append(w.B, '"')
	default:
		w.Raw(`"R$ `)
		w.decimal(cents)
		w.B = append(w.B, '"')
	}
}

// monies is an amount, or a range of them.
func (w *writer) monies(name string, from, to int) {
	if from == to {
		w.money(name, from)
		return
	}
	w.Name(name)
	w.Raw(`"R$ `)
	w.decimal(from)
	w.Raw(` até R$ `)
	w.decimal(to)
	w.B = append(w.B, '"')
}

// rate is a fee of hundredths: 10,00.
func (w *writer) rate(name string, hundredths int) {
	w.Name(name)
	w.B = append(w.B, '"')
	w.decimal(hundredths)
	w.B = append(w.B, '"')
}

// area is one of hundredths, or a range, whose unit comes along now and then.
func (w *writer) area(name string, from, to int) {
	w.Name(name)
	w.B = append(w.B, '"')
	w.decimal(from)
	if to != from {
		w.Raw(" até ")
		w.decimal(to)
		if w.d.Once(2) {
			w.Raw(" m²")
		}
	}
	w.B = append(w.B, '"')
}

// decimal appends hundredths as Brazilians write them: 1.234.567,89.
func (w *writer) decimal(hundredths int) {
	var digits [20]byte
	whole := strconv.AppendInt(digits[:0], int64(hundredths/100), 10)
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			w.B = append(w.B, '.')
		}
		w.B = append(w.B, c)
	}
	w.B = append(w.B, ',', byte('0'+hundredths/10%10), byte('0'+hundredths%10))
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
	w.Name(name)
	if f == never {
		w.Raw(`""`)
		return
	}
	layouts := [...]string{toSecond: `"02/01/2006 15:04:05"`, toMinute: `"02/01/2006 15:04"`, toDay: `"02/01/2006"`}
	w.B = time.Unix(t, 0).UTC().AppendFormat(w.B, layouts[f])
}

// moment is a time that is a moment, in one of its forms.
func (w *writer) moment(name string, t int64) {
	switch w.d.N(24) {
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
	switch w.d.N(24) {
	case 0:
		w.stamp(name, t/day*day, toSecond)
	case 1:
		w.stamp(name, t, never)
	default:
		w.stamp(name, t, toDay)
	}
}
