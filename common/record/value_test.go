package record

import (
	"fmt"
	"math"
	"testing"
)

func TestValue(t *testing.T) {
	for _, test := range []struct {
		json         string
		exists, null bool
		text         string
	}{
		{``, false, true, ``},
		{`null`, true, true, ``},
		{`""`, true, false, ``},
		{`"x"`, true, false, `x`},
		{`"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud800\u0041"`, true, false, "a\"\\/\b\f\n\r\té😀\ufffdA"},
		{`12.50`, true, false, `12.50`},
		{`true`, true, false, `true`},
		{`{"a": 1}`, true, false, `{"a": 1}`},
		{`[1]`, true, false, `[1]`},
	} {
		var v Value
		if test.json != "" {
			v = Record(test.json).Get("")
		}
		if v.Exists() != test.exists || v.IsNull() != test.null || v.Text() != test.text || string(v.Raw()) != test.json {
			t.Errorf("%s: %v, %v, %q, %s", test.json, v.Exists(), v.IsNull(), v.Text(), v.Raw())
		}
	}
	if raw := (Value{}).Raw(); raw != nil {
		t.Errorf("what is absent has bytes: %q", raw)
	}
}

func TestInt(t *testing.T) {
	for _, test := range []struct {
		json string
		want int64
	}{
		{`0`, 0}, {`-0`, 0}, {`0.000`, 0}, {`0e99999999999999999999`, 0}, {`12`, 12}, {`-12`, -12}, {`12.0`, 12},
		{`1.2e1`, 12}, {`1.2E+1`, 12},
		{`1200e-2`, 12}, {`120.0e-1`, 12}, {`0.00012e5`, 12}, {`"12"`, 12}, {`"-12.0"`, -12}, {`"1\u0032"`, 12}, {`"007"`, 7},
		{`9007199254740993`, 9007199254740993}, {`9007199254740993.0`, 9007199254740993},
		{`9223372036854775807`, math.MaxInt64}, {`-9223372036854775808`, math.MinInt64}, {`922337203685477580.7e1`, math.MaxInt64},
		{`1e18`, 1e18}, {`1000000000000000000000000e-20`, 10000},
	} {
		if got, ok := Record(test.json).Get("").Int(); !ok || got != test.want {
			t.Errorf("%s: %d, %v", test.json, got, ok)
		}
	}
	for _, json := range []string{
		`null`, `true`, `""`, `"-"`, `"x"`, `"1x"`, `" 1"`, `"1."`, `".1"`, `"1.2.3"`, `"1e"`, `"1e+"`, `"1ex"`, `"--1"`, `"+1"`,
		`[1]`, `{}`,
		`12.5`, `1e-1`, `9223372036854775808`, `-9223372036854775809`, `1e19`, `1e99999999999999999999`, `1e-99999999999999999999`,
		`99999999999999999999`, `18446744073709551616`, `10000000000000000000000000000001e-1`,
	} {
		if got, ok := Record(json).Get("").Int(); ok || got != 0 {
			t.Errorf("%s is %d", json, got)
		}
	}
}

func TestBool(t *testing.T) {
	for json, want := range map[string][2]bool{`true`: {true, true}, `false`: {false, true}, `null`: {}, `"true"`: {}, `1`: {}, ``: {}} {
		if b, ok := Record(json).Get("").Bool(); [2]bool{b, ok} != want {
			t.Errorf("%s: %v, %v", json, b, ok)
		}
	}
}

func TestFalse(t *testing.T) {
	for json, want := range map[string]bool{
		`false`: true, `0`: true, `-0.0`: true, `"False"`: true, `"Não"`: true, `"N"`: true, `"no"`: true, `" 0 "`: true,
		`true`: false, `1`: false, `"0.5"`: false, `"Sim"`: false, `"x"`: false, `null`: false, `""`: false, `" "`: false, `{}`: false, `[]`: false,
	} {
		if got := Record(json).Get("").False(); got != want {
			t.Errorf("%s is false: %v, want %v", json, got, want)
		}
	}
}

func TestTrue(t *testing.T) {
	for json, want := range map[string]bool{
		`true`: true, `1`: true, `-1`: true, `0.5`: true, `"true"`: true, `"True "`: true, `"Sim"`: true, `"S"`: true, `"yes"`: true, `"1"`: true, `" 2 "`: true, `"-3.0"`: true,
		`false`: false, `null`: false, ``: false, `0`: false, `0.0`: false, `"false"`: false, `"Não"`: false, `"0"`: false, `""`: false,
		`"0.0"`: false, `"2 x"`: false, `{}`: false, `[true]`: false,
	} {
		if got := Record(json).Get("").True(); got != want {
			t.Errorf("%s: %v", json, got)
		}
	}
}

func TestArray(t *testing.T) {
	for json, want := range map[string]string{
		`[1, "a,]" ,{"b":[2]},[] ,null]`: `["1" "\"a,]\"" "{\"b\":[2]}" "[]" "null"]`,
		`[]`:                             `[]`,
		`[ ]`:                            `[]`,
	} {
		if got := Record(json).Get("").Array(); got == nil || fmt.Sprintf("%q", got) != want {
			t.Errorf("%s: %q", json, got)
		}
	}
	for _, json := range []string{``, `null`, `{}`, `"[1]"`} {
		if got := Record(json).Get("").Array(); got != nil {
			t.Errorf("%s: %q", json, got)
		}
	}
}
