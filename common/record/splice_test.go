package record

import (
	"testing"
	"time"
)

func TestSpliceIsAppend(t *testing.T) {
	shape := Compile(Time{Field: "t", Zone: time.FixedZone("", -3*3600)})
	field, ok := shape.Lone()
	if field != "t" || !ok {
		t.Fatalf("Lone is %q, %t", field, ok)
	}
	picker := NewPicker("t")
	for _, text := range []string{
		`{"a":1,"t":"2026-01-31 10:00:00","b":{"t":"2026-01-31"}}`, `{"t":null}`, `{"t":""}`, `{"t":"soon","x":[1]}`, `{"t":7}`, `{}`, `{"a":"t"}`,
		`{"t":"2022-01-24T20:50:19.003Z"}`,
	} {
		r := Record(text)
		want := string(shape.Append([]byte("> "), r))
		if got := string(shape.Splice([]byte("> "), r, picker.Pick(r, nil)[0])); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got := string(shape.Splice([]byte("> "), r, picker.Pick(Record(text), nil)[0])); got != want {
			t.Errorf("with the value of another record's memory: got %s, want %s", got, want)
		}
	}
	for _, other := range []*Shape{
		nil, Compile(Date{Field: "t"}), Compile(Time{Field: "t"}, Time{Field: "u"}), Compile(Time{Field: "t"}, LowerKeys{}),
		Compile(Time{Field: "t"}, Rename{From: "s", To: "t"}), Compile(Time{Field: "t"}, Drop{Field: "u"}),
	} {
		if field, ok := other.Lone(); ok {
			t.Errorf("%q is taken for the only thing that is edited", field)
		}
	}
}
