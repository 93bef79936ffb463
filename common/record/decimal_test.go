package record

import (
	"math/rand/v2"
	"testing"
)

func TestDecimal(t *testing.T) {
	shape := Compile(Decimal{Field: "v", Range: true})
	zero := Compile(Decimal{Field: "v", Range: true, ZeroIsNull: true})
	for _, test := range []struct{ value, num, low, high string }{
		{`"R$ 1.234,56"`, `1234.56`, `1234.56`, `1234.56`},
		{`"R$1.234.567,00"`, `1234567.00`, `1234567.00`, `1234567.00`},
		{"\"R$\u00a03.650.000.000,00\"", `3650000000.00`, `3650000000.00`, `3650000000.00`},
		{`"1.234,56"`, `1234.56`, `1234.56`, `1234.56`},
		{`"1234,5"`, `1234.5`, `1234.5`, `1234.5`},
		{`"95,00"`, `95.00`, `95.00`, `95.00`},
		{`"-22,89"`, `-22.89`, `-22.89`, `-22.89`},
		{`"-23.55"`, `-23.55`, `-23.55`, `-23.55`},
		{`"-23.551"`, `-23.551`, `-23.551`, `-23.551`},
		{`"-R$ 10,00"`, `-10.00`, `-10.00`, `-10.00`},
		{`"R$ -10,00"`, `-10.00`, `-10.00`, `-10.00`},
		{`"R$ 300.000"`, `300000`, `300000`, `300000`},
		{`"R$ 0.500"`, `0.500`, `0.500`, `0.500`},
		{`"R$ 1234.567"`, `1234.567`, `1234.567`, `1234.567`},
		{`"1.500 m²"`, `1500`, `1500`, `1500`},
		{`"1.234.567"`, `1234567`, `1234567`, `1234567`},
		{`"10,00%"`, `10.00`, `10.00`, `10.00`},
		{`"10 %"`, `10`, `10`, `10`},
		{`"95,00 m\u00b2"`, `95.00`, `95.00`, `95.00`},
		{`"95,00 m2"`, `95.00`, `95.00`, `95.00`},
		{`"2,5 alq."`, `2.5`, `2.5`, `2.5`},
		{`"3"`, `3`, `3`, `3`},
		{`" 007,50 "`, `7.50`, `7.50`, `7.50`},
		{`"000"`, `0`, `0`, `0`},
		{`1500.0`, `1500.0`, `1500.0`, `1500.0`},
		{`-1.5E+2`, `-1.5E+2`, `-1.5E+2`, `-1.5E+2`},
		{`"2 até 3"`, `null`, `2`, `3`},
		{`"2 at\u00e9 3"`, `null`, `2`, `3`},
		{`"2 ate 3"`, `null`, `2`, `3`},
		{`"3 até 2"`, `null`, `2`, `3`},
		{`"2 até 2,0"`, `2`, `2`, `2.0`},
		{`"R$ 300.000,00 até R$ 450.000,00"`, `null`, `300000.00`, `450000.00`},
		{`"R$ 300.000,00 até R$ 300.000,00"`, `300000.00`, `300000.00`, `300000.00`},
		{`"50,00 até 80,00 m²"`, `null`, `50.00`, `80.00`},
		{`"1.500 até 2.000 m²"`, `null`, `1500`, `2000`},
		{`"12345678901234567890,1 até 12345678901234567890,2"`, `null`, `12345678901234567890.1`, `12345678901234567890.2`},

		{`"12 m"`, `12`, `12`, `12`},

		{`"10 mil"`, `null`, `null`, `null`}, // a multiplier
		{`"R$ 10 MIL"`, `null`, `null`, `null`},
		{`"R$ 1,5 mi."`, `null`, `null`, `null`},
		{`"1 milhão"`, `null`, `null`, `null`},
		{`"2,5 Milhoes"`, `null`, `null`, `null`},
		{`"3 bilhões"`, `null`, `null`, `null`},
		{`"R$ 350k"`, `null`, `null`, `null`},
		{`"350 K"`, `null`, `null`, `null`},
		{`"1,2M"`, `null`, `null`, `null`},
		{`"1 MM"`, `null`, `null`, `null`},
		{`"300 até 450 mil"`, `null`, `null`, `null`},
		{`"Sob consulta"`, `null`, `null`, `null`},
		{`""`, `null`, `null`, `null`},
		{`null`, `null`, `null`, `null`},
		{`true`, `null`, `null`, `null`},
		{`{"a": 1}`, `null`, `null`, `null`},
		{`"R$"`, `null`, `null`, `null`},
		{`"m²"`, `null`, `null`, `null`},
		{`"S/N"`, `null`, `null`, `null`},
		{`","`, `null`, `null`, `null`},
		{`"5,"`, `null`, `null`, `null`},
		{`",5"`, `null`, `null`, `null`},
		{`"5."`, `null`, `null`, `null`},
		{`".5"`, `null`, `null`, `null`},
		{`"1,2,3"`, `null`, `null`, `null`},
		{`"1,234.56"`, `null`, `null`, `null`},
		{`"1.23,45"`, `null`, `null`, `null`},
		{`"1234.567,00"`, `null`, `null`, `null`},
		{`"1..234"`, `null`, `null`, `null`},
		{`"--1"`, `null`, `null`, `null`},
		{`"-R$ -1"`, `null`, `null`, `null`},
		{`"1e5"`, `null`, `null`, `null`},
		{`"12 de maio"`, `null`, `null`, `null`},
		{`"2 até"`, `null`, `null`, `null`},
		{`"Sob consulta até 2"`, `null`, `null`, `null`},
		{`"2 até Sob consulta"`, `null`, `null`, `null`},
		{`"até 80,00 m²"`, `null`, `null`, `null`},
		{`"1 até 2 até 3"`, `null`, `null`, `null`},
	} {
		want := `{"v":` + test.value + `,"v_num":` + test.num + `,"v_min":` + test.low + `,"v_max":` + test.high + `,"z":0}`
		if got := shape.Append(nil, Record(`{"v":`+test.value+`,"z":0}`)); string(got) != want {
			t.Errorf("%s became %s", want, got)
		}
	}
	for _, test := range []struct{ value, num, low, high string }{
		{`"R$ 0,00"`, `null`, `null`, `null`},
		{`"0"`, `null`, `null`, `null`},
		{`0`, `null`, `null`, `null`},
		{`-0.0e10`, `null`, `null`, `null`},
		{`"0,01"`, `0.01`, `0.01`, `0.01`},
		{`1e0`, `1e0`, `1e0`, `1e0`},
		{`"0 até 3"`, `null`, `null`, `3`},
	} {
		want := `{"v":` + test.value + `,"v_num":` + test.num + `,"v_min":` + test.low + `,"v_max":` + test.high + `}`
		if got := zero.Append(nil, Record(`{"v":`+test.value+`}`)); string(got) != want {
			t.Errorf("%s became %s", want, got)
		}
	}
	if got := string(shape.Append(nil, Record(`{}`))); got != `{"v_num":null,"v_min":null,"v_max":null}` {
		t.Errorf("without the field: %s", got)
	}
	single := Compile(Decimal{Field: "v"})
	got := string(single.Append(nil, Record(`{"v":"2 até 3","v":1,"v_num":7,"v_min":7}`)))
	if got != `{"v":"2 até 3","v_num":null,"v_min":7}` {
		t.Errorf("without a range: %s", got)
	}
	want := []Warning{{"v", repeatedName, 1}, {"v_num", takenName, 1}}
	if got := single.Warnings(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("warnings: %v", got)
	}
}

// TestPlainAmounts checks that the fast path and the general one read the same.
func TestPlainAmounts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	plain := 0
	for range 200_000 {
		var text []byte
		if random.IntN(3) == 0 {
			text = append(text, "R$ "...)
		}
		for range random.IntN(12) {
			text = append(text, "01234567890000,,...-"[random.IntN(20)])
		}
		got, ok := appendPlain(nil, text)
		if !ok {
			continue
		}
		plain++
		low, high, known := readAmounts(string(text))
		want, number := low.appendTo(nil)
		if !known || !number || low != high || string(got) != string(want) {
			t.Fatalf("%q became %s, want %s", text, got, want)
		}
	}
	if plain < 1000 {
		t.Errorf("%d amounts were plain", plain)
	}
}
