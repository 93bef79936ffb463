package nectarcrm

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

type (
	object = sim.Object
	list   = []any
	row    = sim.Row
)

// forms are the dice of a row, from which follows what varies from row to row. Many of their methods give sim.Absent now and then.
type forms struct{ sim.Dice }

// of returns one of several values.
func (d *forms) of(values ...any) any { return sim.Pick(&d.Dice, values) }

// once returns a value that is there once in so many times alone.
func (d *forms) once(in int, value any) any { return when(d.Once(in), func() any { return value }) }

// when returns the value of a member that is not there otherwise.
func when(there bool, value func() any) any {
	if there {
		return value()
	}
	return sim.Absent
}

// some returns a text that is absent now and then, or empty.
func (d *forms) some(text any) any {
	switch d.N(12) {
	case 0, 1:
		return sim.Absent
	case 2:
		return ""
	}
	return text
}

// number returns a whole number, now and then as a text, or absent.
func (d *forms) number(n int) any {
	switch d.N(40) {
	case 0:
		return strconv.Itoa(n)
	case 1:
		return sim.Absent
	}
	return n
}

// amount returns a number of hundredths: 500000.0, 69.9 or 70, now and then as a text.
func (d *forms) amount(hundredths int) any {
	quoted := d.Once(40)
	text := strconv.Itoa(hundredths / 100)
	switch rest := hundredths % 100; {
	case rest == 0 && d.Once(2):
	case rest%10 == 0:
		text += fmt.Sprintf(".%d", rest/10)
	default:
		text += fmt.Sprintf(".%02d", rest)
	}
	if quoted {
		return text
	}
	return json.Number(text)
}

// flag returns a truth, absent now and then.
func (d *forms) flag(v bool) any {
	if d.Once(30) {
		return sim.Absent
	}
	return v
}

// flags sets several truths of the row's.
func (d *forms) flags(row object, names ...string) {
	for _, name := range names {
		row[name] = d.flag(d.Once(2))
	}
}

// several returns n objects.
func several(n int, one func(k int) object) list {
	all := make(list, n)
	for k := range n {
		all[k] = one(k).Present()
	}
	return all
}

// inner returns n objects; where there are none the list is empty or absent.
func (d *forms) inner(n int, one func(k int) object) any {
	if n > 0 || d.Once(2) {
		return several(n, one)
	}
	return sim.Absent
}

// form is how a time is written.
type form uint8

const (
	withMillis form = iota // 2022-01-24T20:50:19.003Z
	withColon              // 2016-03-11T10:00:00-03:00
	withDigits             // 2016-03-30T10:00:00-0300
	plain                  // 2016-03-30T13:00:00Z
)

// clock returns a time in Unix milliseconds.
func clock(at int64, f form) string {
	t := time.UnixMilli(at).UTC()
	switch f {
	case withMillis:
		return t.Format("2006-01-02T15:04:05.000Z")
	case withColon:
		return t.In(sim.Brasilia()).Format("2006-01-02T15:04:05-07:00")
	case withDigits:
		return t.In(sim.Brasilia()).Format("2006-01-02T15:04:05-0700")
	}
	return t.Format("2006-01-02T15:04:05Z")
}

// moment returns a time in one of its forms, mostly the first.
func (d *forms) moment(at int64) string {
	if d.Once(8) {
		return clock(at, form(d.N(int(plain)+1)))
	}
	return clock(at, withMillis)
}
