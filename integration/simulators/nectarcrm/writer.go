package nectarcrm

import (
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// writer is a sim.Writer of one row. What varies from row to row follows from the dice of the row.
type writer struct {
	sim.Writer
	d sim.Dice
}

// object is a member whose value is an object.
func (w *writer) object(name string, members func()) {
	w.Name(name)
	w.Raw("{")
	members()
	w.Raw("}")
}

// array is a member whose value is an array of n objects.
func (w *writer) array(name string, n int, members func(k int)) {
	w.Name(name)
	w.Raw("[")
	for k := range n {
		w.Next()
		w.Raw("{")
		members(k)
		w.Raw("}")
	}
	w.Raw("]")
}

// some is a text that is absent now and then, or empty.
func (w *writer) some(name, value string) {
	if w.there(name) {
		w.Text(name, value)
	}
}

// there draws whether a text is there. When it is not, it is absent, or written here: empty.
func (w *writer) there(name string) bool {
	switch w.d.N(12) {
	case 0, 1:
		return false
	case 2:
		w.Is(name, `""`)
		return false
	}
	return true
}

// number is a whole number, now and then as a text, or absent.
func (w *writer) number(name string, n int) {
	switch w.d.N(40) {
	case 0:
		w.Name(name)
		w.B = append(w.B, '"')
		w.Whole(n)
		w.B = append(w.B, '"')
	case 1:
	default:
		w.Int(name, n)
	}
}

// amount is a number of hundredths: 500000.0, 69.9 or 70, now and then as a text.
func (w *writer) amount(name string, hundredths int) {
	w.Name(name)
	quoted := w.d.Once(40)
	if quoted {
		w.B = append(w.B, '"')
	}
	w.Whole(hundredths / 100)
	switch rest := hundredths % 100; {
	case rest == 0 && w.d.Once(2):
	case rest%10 == 0:
		w.B = append(w.B, '.', byte('0'+rest/10))
	default:
		w.B = append(w.B, '.', byte('0'+rest/10), byte('0'+rest%10))
	}
	if quoted {
		w.B = append(w.B, '"')
	}
}

// flag is a truth, absent now and then.
func (w *writer) flag(name string, v bool) {
	if w.d.Once(30) {
		return
	}
	w.Bool(name, v)
}

// flags are several truths of the row's.
func (w *writer) flags(names ...string) {
	for _, name := range names {
		w.flag(name, w.d.Once(2))
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
	w.Name(name)
	t := time.UnixMilli(at).UTC()
	switch f {
	case withMillis:
		w.B = t.AppendFormat(w.B, `"2006-01-02T15:04:05.000Z"`)
	case withColon:
		w.B = t.In(brasilia()).AppendFormat(w.B, `"2006-01-02T15:04:05-07:00"`)
	case withDigits:
		w.B = t.In(brasilia()).AppendFormat(w.B, `"2006-01-02T15:04:05-0700"`)
	default:
		w.B = t.AppendFormat(w.B, `"2006-01-02T15:04:05Z"`)
	}
}

// moment is a time in one of its forms, mostly the first.
func (w *writer) moment(name string, at int64) {
	f := withMillis
	if w.d.Once(8) {
		f = form(w.d.N(int(forms)))
	}
	w.time(name, at, f)
}
