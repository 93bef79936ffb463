package sim

import (
	"encoding/json"
	"testing"
)

func TestEncode(t *testing.T) {
	o := Object{"b": json.Number("70.0"), "a": Raw(`"\u00e1\/"`), "c": nil, "d": "<x> & \"y\""}
	o.Put("", "e", "f")
	if got, want := string(Encode(o)), `{"a":"\u00e1\/","b":70.0,"c":null,"d":"<x> & \"y\"","e":"","f":""}`; got != want {
		t.Errorf("wrote %s, want %s", got, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("what is no JSON was written")
		}
	}()
	Encode(Raw("{"))
}
