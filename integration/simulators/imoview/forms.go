package imoview

import (
	"fmt"
	"strconv"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

type (
	object = sim.Object
	list   = []any
)

// forms are the dice of a row. Many of their methods give a value in one of the forms in which the API has been seen to write it.
type forms struct{ sim.Dice }

// of returns one of several values.
func (d *forms) of(values ...any) any { return sim.Pick(&d.Dice, values) }

// some returns a text that is null now and then, or empty.
func (d *forms) some(text string) any {
	switch d.N(24) {
	case 0:
		return nil
	case 1:
		return ""
	}
	return text
}

// number returns a count of the kind that the API gives as JSON numbers, now and then as a text or null.
func (d *forms) number(n int) any {
	switch d.N(32) {
	case 0:
		return strconv.Itoa(n)
	case 1:
		return nil
	}
	return n
}

// code returns a code other than the row's own: a number or a text; 0, or "", for none.
func (d *forms) code(n int) any {
	switch text := d.Once(16); {
	case text && n == 0:
		return ""
	case text:
		return strconv.Itoa(n)
	}
	return n
}

// flag returns a truth.
func (d *forms) flag(v bool) any {
	form := min(d.N(48), 3)
	if v {
		return list{"true", "Sim", 1, true}[form]
	}
	return list{"false", "Não", 0, false}[form]
}

// flags returns several truths.
func (d *forms) flags(v uint64, names ...string) object {
	members := object{}
	for i, name := range names {
		members[name] = d.flag(v>>i&1 == 1)
	}
	return members
}

// count returns a small number as a text. Zero means that it is not known.
func (d *forms) count(n int) string {
	if n == 0 && d.Once(8) {
		return ""
	}
	return strconv.Itoa(n)
}

// counts returns a small number, or a range of them as launches have it.
func (d *forms) counts(from, to int) string {
	if from == to {
		return d.count(from)
	}
	return fmt.Sprintf("%d até %d", from, to)
}

// money returns an amount of cents: R$ 1.234,56, now and then without the sign. Zero means that it is not known.
func (d *forms) money(cents int) string {
	switch form := d.N(24); {
	case form == 0 && cents == 0:
		return ""
	case form <= 1:
		return decimal(cents)
	}
	return "R$ " + decimal(cents)
}

// monies returns an amount, or a range of them.
func (d *forms) monies(from, to int) string {
	if from == to {
		return d.money(from)
	}
	return "R$ " + decimal(from) + " até R$ " + decimal(to)
}

// area returns one of hundredths, or a range, whose unit comes along now and then.
func (d *forms) area(from, to int) string {
	switch {
	case from == to:
		return decimal(from)
	case d.Once(2):
		return decimal(from) + " até " + decimal(to) + " m²"
	}
	return decimal(from) + " até " + decimal(to)
}

// decimal returns hundredths as Brazilians write them: 1.234.567,89.
func decimal(hundredths int) string {
	whole := strconv.Itoa(hundredths / 100)
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "." + whole[at:]
	}
	return fmt.Sprintf("%s,%02d", whole, hundredths%100)
}

// form is how much of a time is written.
type form uint8

const (
	toSecond form = iota
	toMinute
	toDay
	never // the empty text
)

// clock returns a time, in seconds of the wall clock.
func clock(t int64, f form) string {
	return time.Unix(t, 0).UTC().Format([...]string{toSecond: withSeconds, toMinute: withMinutes, toDay: dayOnly, never: ""}[f])
}

// moment returns a time that is a moment, in one of its forms.
func (d *forms) moment(t int64) string {
	return clock(t, [...]form{toMinute, toDay, never, toSecond}[min(d.N(24), 3)])
}

// included returns when a row was made: in any year since 2008, so that some times lie in a summer time, and some days began at 01:00.
func (d *forms) included() string { return d.moment(date(2008) + int64(d.N(15*365*day))) }

// date returns a time that is a day, now and then with the midnight it began at.
func (d *forms) date(t int64) string {
	return clock(t/day*day, [...]form{toSecond, never, toDay}[min(d.N(24), 2)])
}
