package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// as returns a Column with just a field and a type.
func as(kind Type, field string) Edit { return Column{Field: field, Type: kind} }

func TestNames(t *testing.T) {
	for _, test := range []struct {
		name     string
		edits    []Edit
		put      []Member
		in, want string
		warnings []Warning
	}{
		{
			name: "Prefix", edits: []Edit{Prefix{"p_"}, as(JSONText, "p_a"), Rename{"p_b", "q"}},
			put: []Member{{"p_c", []byte("7")}, {"d", []byte("8")}},
			in:  `{"a":1,"b":{"x":1},"c":2,"d":3,"\u0065":[]}`, want: `{"p_a":"1","q":{"x":1},"p_c":7,"p_d":3,"p_e":[],"d":8}`,
		}, {
			name: "Prefix, lower-case and flat", edits: []Edit{LowerKeys{}, Flatten{Keep: []string{"p_campos"}}, Prefix{"p_"}, Drop{"p_gone"}},
			in:   `{"Id":1,"usuario":{"Login":"x","sub":{"A":1}},"campos":{"Cor":1},"gone":[1],"P_id":2}`,
			want: `{"p_id":1,"p_usuario_login":"x","p_usuario_sub_a":1,"p_campos":{"Cor":1},"p_p_id":2}`,
		}, {
			name: "Prefer", edits: []Edit{LowerKeys{}, Flatten{}, Prefer{"etapa_nome", "etapa.nome"}, Prefer{"id", "id"}, as(Timestamp, "t")},
			in:   `{"Id":1,"x":1,"etapa_nome":"flat","t":"?","ID":2,"id":3,"etapa":{"nome":"nested","Nome":"other"},"X":2}`,
			want: `{"x":1,"t":null,"id":3,"etapa_nome":"nested"}`,
			warnings: []Warning{
				{"etapa_nome", documentedName, 2}, {"id", documentedName, 2}, {"t", notOf(Timestamp), 1}, {"x", repeatedName, 1},
			},
		}, {
			name: "Prefer where it comes first, or not at all", edits: []Edit{LowerKeys{}, Prefer{"a", "a"}, Prefer{"b", "bB"}, Prefer{"c", "c"}},
			in:   `{"a":1,"A":2,"B":3,"b":4,"c":5,"c":6}`,
			want: `{"a":1,"b":3,"c":5}`, warnings: []Warning{{"a", documentedName, 1}, {"b", documentedName, 1}, {"c", documentedName, 1}},
		}, {
			name:  "Prefer, with a Column and an escaped name",
			edits: []Edit{Flatten{}, Prefer{"ç_n", "ç.n"}, as(Number, "ç_n"), as(Object, Unparsed)},
			in:    `{"ç_n":"flat","\u00e7":{"\u006e":"nested"}}`, want: `{"ç_n":null,"_unparsed":{"ç_n":"nested"}}`,
			warnings: []Warning{{"ç_n", documentedName, 1}, {"ç_n", notOf(Number), 1}},
		}, {
			name: "null in the place of an object", edits: []Edit{Flatten{}, as(JSONText, "a_b_c"), Rename{"e", "d_x"}},
			in: `{"a":null,"z":null,"d":{"y":null}}`, want: `{"z":null,"d_y":null}`,
		}, {
			name: "blank text in the place of an object", edits: []Edit{Flatten{}, as(JSONText, "a_b")},
			in: `{"a":" ","z":" "}`, want: `{"z":" "}`,
		}, {
			name: "no object where one is expected", edits: []Edit{Flatten{}, as(JSONText, "a_b_c")},
			in: `{"a":{"b":7,"x":1}}`, want: `{"a_b":7,"a_x":1}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			shape := Compile(test.edits...)
			for range 2 { // nothing of the first record may appear in the second
				got := shape.Append([]byte("before"), Record(test.in), test.put...)
				if string(got) != "before"+test.want {
					t.Errorf("%s became\n%s; want\n%s", test.in, got[6:], test.want)
				}
				if !json.Valid(got[6:]) {
					t.Errorf("not JSON: %s", got[6:])
				}
			}
			for i := range test.warnings {
				test.warnings[i].Count *= 2
			}
			if got := shape.Warnings(); !reflect.DeepEqual(got, test.warnings) {
				t.Errorf("warnings %v; want %v", got, test.warnings)
			}
		})
	}
}

func TestPreferAmongManyColumns(t *testing.T) {
	edits := []Edit{LowerKeys{}}
	var in, want []string
	for i := range 400 {
		edits = append(edits, Prefer{fmt.Sprint("f", i), fmt.Sprint("f", i)})
		in = append(in, fmt.Sprintf(`"F%d":0,"f%d":%d`, i, i, i))
		want = append(want, fmt.Sprintf(`"f%d":%d`, i, i))
	}
	got := string(Compile(edits...).Append(nil, Record("{"+strings.Join(in, ",")+"}")))
	if got != "{"+strings.Join(want, ",")+"}" {
		t.Error(got)
	}
}

func TestCompileTypedPanics(t *testing.T) {
	for name, edits := range map[string][]Edit{
		"no prefix":             {Prefix{}},
		"two prefixes":          {Prefix{"a"}, Prefix{"b"}},
		"a preference for none": {Prefer{Field: "a"}},
		"two preferences":       {Prefer{"a", "a"}, Prefer{"a", "b"}},
		"two types":             {as(Number, "a"), as(Boolean, "a")},
		"never lower-case":      {LowerKeys{}, as(Boolean, "A")},
		"two whole records":     {as(Whole, "a"), as(Whole, "b")},
		"two digests":           {as(Digest, "a"), as(Digest, "b")},
		"a whole record as key": {Column{Field: "a", Type: Whole, Key: true}},
		"an edit of the whole":  {Decimal{Field: "a"}, as(Whole, "a")},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			Compile(edits...)
		})
	}
}

// TestColumn checks that values are converted to the type of their column. unfit means null, with the value in _unparsed.
func TestColumn(t *testing.T) {
	const unfit = "unfit"
	types := []Type{Text, JSONText, Boolean, Integer, Number, Date, Timestamp, Object, List}
	all := func(want string) (wants []string) {
		for range types {
			wants = append(wants, want)
		}
		return wants
	}
	brasilia := Times{Zone: brasilia(t)}
	for _, test := range []struct {
		value string
		want  []string // in the order of types
	}{
		{`null`, all(`null`)},
		{`""`, []string{`""`, `""`, `null`, `null`, `null`, `null`, `null`, `null`, `null`}},
		{`" \t\u00a0"`, []string{`" \t\u00a0"`, `" \t\u00a0"`, `null`, `null`, `null`, `null`, `null`, `null`, `null`}},
		{`{}`, []string{`null`, `"{}"`, `null`, `null`, `null`, `null`, `null`, `{}`, `null`}},
		{`[ ]`, []string{`null`, `"[]"`, `null`, `null`, `null`, `null`, `null`, `null`, `[ ]`}},
		{`true`, []string{`"true"`, `"true"`, `true`, unfit, unfit, unfit, unfit, unfit, unfit}},
		{`0`, []string{`"0"`, `"0"`, `false`, `0`, `0`, unfit, unfit, unfit, unfit}},
		{`1`, []string{`"1"`, `"1"`, `true`, `1`, `1`, unfit, unfit, unfit, unfit}},
		{`12.50`, []string{`"12.50"`, `"12.50"`, unfit, unfit, `12.50`, unfit, unfit, unfit, unfit}},
		{`12.0`, []string{`"12.0"`, `"12.0"`, unfit, `12`, `12.0`, unfit, unfit, unfit, unfit}},
		{`-0`, []string{`"-0"`, `"-0"`, unfit, `0`, `-0`, unfit, unfit, unfit, unfit}},
		{`{"a": 1}`, []string{unfit, `"{\"a\":1}"`, unfit, unfit, unfit, unfit, unfit, `{"a": 1}`, `[{"a": 1}]`}},
		{`[1, "x"]`, []string{unfit, `"[1,\"x\"]"`, unfit, unfit, unfit, unfit, unfit, unfit, `[1, "x"]`}},
		{`"a combinar"`, []string{`"a combinar"`, `"a combinar"`, unfit, unfit, unfit, unfit, unfit, unfit, `["a combinar"]`}},
		{`" 7\n"`, []string{`" 7\n"`, `" 7\n"`, unfit, `7`, `7`, unfit, unfit, unfit, `[" 7\n"]`}},
		{`"0001-01-01T00:00:00"`, []string{
			`"0001-01-01T00:00:00"`, `"0001-01-01T00:00:00"`, `null`, `null`, `null`, `null`, `null`, `null`, `["0001-01-01T00:00:00"]`,
		}},
		{`"2026-08-13"`, []string{
			`"2026-08-13"`, `"2026-08-13"`, unfit, unfit, unfit, `"2026-08-13"`, `"2026-08-13T03:00:00Z"`, unfit, `["2026-08-13"]`,
		}},
	} {
		for i, kind := range types {
			shape := Compile(as(kind, "f"), as(Object, Unparsed), brasilia)
			want, wantNulled := fmt.Sprintf(`{"f":%s}`, test.want[i]), 0
			if test.want[i] == unfit {
				want, wantNulled = fmt.Sprintf(`{"f":null,"_unparsed":{"f":%s}}`, test.value), 1
			}
			got, nulled, err := shape.Fit(nil, nil, Record(`{"f":`+test.value+`}`).Get(""))
			if string(got) != want || len(nulled) != wantNulled || len(shape.Warnings()) != wantNulled || err != nil {
				t.Errorf("%s where %s is due became %s, %q, %v; want %s", test.value, kind, got, nulled, err, want)
			}
			put := shape.Append(nil, Record(`{"f":"x"}`), Member{"f", []byte(test.value)})
			if string(put) != want {
				t.Errorf("%s, put where %s is due, became %s; want %s", test.value, kind, put, want)
			}
		}
	}
}

// TestColumnForms checks that texts and numbers are read in all their forms. "" means that the value does not fit.
func TestColumnForms(t *testing.T) {
	digits := strings.Repeat("9", 29)
	for kind, forms := range map[Type]map[string]string{
		Boolean: {
			`"true"`: `true`, `"TRUE "`: `true`, `"Sim"`: `true`, `"s"`: `true`, `"S"`: `true`, `"1"`: `true`, `"false"`: `false`, `"False"`: `false`,
			`"Não"`: `false`, `"N\u00c3O"`: `false`, `"nao"`: `false`, `"n"`: `false`, `"0"`: `false`, `2`: "", `"2"`: "", `"talvez"`: "", `"simples"`: "",
		},
		Integer: {
			`"12"`: `12`, `"-9007199254740993"`: `-9007199254740993`, `"007"`: `7`, `"12.0"`: `12`, `"12,00"`: `12`, `"1.234,00"`: `1234`,
			`"R$ 1.234"`: `1234`, `"1.234.567"`: `1234567`, `"1.000"`: "", `"-1.000"`: "", `"1,5"`: "", `"12 dias"`: "", `"12.345.678/0001-90"`: `12345678000190`,
			`9223372036854775807`: `9223372036854775807`, `-9223372036854775808`: `-9223372036854775808`, `9223372036854775808`: "", `1e3`: `1000`,
			`1.5`: "", `1e400`: "", `"95 m²"`: "", `"1e400"`: "", `"+12"`: "",
		},
		Number: {
			`"350.000"`: `350.000`, `"R$ 350.000"`: `350000`, `"1.350.000"`: `1350000`, `"-23.551"`: `-23.551`, `"1.234,56"`: `1234.56`, `"1234,5"`: `1234.5`,
			`"R$\u00a01.234,56"`: `1234.56`, `"12.345.678/0001-90"`: `12345678000190`, `"1.5e3"`: `1.5e3`, `"007"`: `7`, `"95,00 m²"`: "", `"10,00%"`: "",
			`"2 até 3"`: "", `"Sob consulta"`: "", `"NaN"`: "", `"0,123456789"`: `0.123456789`, `"0,1234567891"`: "", `"0,1234567890"`: `0.1234567890`,
			`0.30000000000000004`: `0.30000000000000004`, `1e28`: `1e28`, `1e29`: "", `-1E+400`: "", `0e999`: `0e999`, `1e-400`: `1e-400`, `"1e-10"`: "",
			digits: digits, digits + "9": "", digits + ".123456789123": digits + ".123456789123", "-" + digits: "-" + digits, `"9` + digits + `"`: "",
			`"00.000.000/0001-91"`: `191`, `"00.000.000/0000-00"`: `0`, `"00012345678909"`: `12345678909`, `"10/20/30/40/50/60/70"`: "",
			`"2026-08-13/2026-09"`: "", `"0055-11-8765-4321"`: "", `"12345678/0001-90"`: "", `"12.345.678/0001-9x"`: "", `"123.456.789-09"`: "",
			`"1e-99999999999"`: "", `"0e99999999999"`: "", `"0.` + strings.Repeat("0", maxNumber) + `"`: "",
			`"` + digits + `,5"`: digits + ".5", "1" + digits: "", `0.000000000000000000000000000000000001`: `0.000000000000000000000000000000000001`,
		},
		Date: {
			`"13/08/2026"`: `"2026-08-13"`, `"13\/08\/2026 10:32:51"`: `"2026-08-13"`, `"2026-08-13T23:59:59-03:00"`: `"2026-08-13"`, `"30/02/2026"`: "",
			`"2026-08-13T00:00:00.000Z"`: `"2026-08-13"`, `"01/01/0001 00:00:00"`: `null`, `"0001-01-01"`: `null`, `"0028-05-01"`: `"0028-05-01"`,
			`"0000-00-00"`: "", `20260813`: "", `"a combinar"`: "", `"04/11/2018"`: `"2018-11-04"`, `"13/08/26"`: "",
		},
		Timestamp: {
			`"2022-01-24T20:50:19.003Z"`: `"2022-01-24T20:50:19.003Z"`, `"2016-03-11T10:00:00-03:00"`: `"2016-03-11T13:00:00Z"`,
			`"2016-03-30T10:00:00-0300"`: `"2016-03-30T13:00:00Z"`, `"13/08/2026 10:32:51"`: `"2026-08-13T13:32:51Z"`, `"13/08/2026 10:32"`: `"2026-08-13T13:32:00Z"`,
			`"2022-01-24T20:50:19.1000000000000+00:00"`: `"2022-01-24T20:50:19.1000000000000Z"`, `"04/11/2018"`: `"2018-11-04T03:00:00Z"`,
			`"15/01/2018 12:00"`: `"2018-01-15T14:00:00Z"`, `"0001-01-01T00:00:00Z"`: `null`, `"0028-05-01T03:00:00.000Z"`: `"0028-05-01T03:00:00.000Z"`,
			`"9999-12-31T23:59:59"`: "", `"9999-12-31T23:59:59Z"`: `"9999-12-31T23:59:59Z"`, `1709294400`: "", `"30/02/2026 10:00"`: "", `"0028-02-30"`: "",
		},
	} {
		for value, want := range forms {
			shape := Compile(as(kind, "f"), as(Object, Unparsed), Times{Zone: brasilia(t)})
			want = `{"f":` + want + `}`
			if want == `{"f":}` {
				want = `{"f":null,"_unparsed":{"f":` + value + `}}`
			}
			if got := string(shape.Append(nil, Record(`{"f":`+value+`}`))); got != want {
				t.Errorf("%s where %s is due became %s; want %s", value, kind, got, want)
			}
		}
	}
}

func TestColumnOldYear(t *testing.T) {
	shape := Compile(as(Timestamp, "t"))
	shape.Append(nil, Record(`{"t":"0024-02-29T00:00:00-0300"}`))
	if got := shape.Warnings(); !reflect.DeepEqual(got, []Warning{{"t", oddYear, 1}}) {
		t.Errorf("warnings %v", got)
	}
}

func TestColumnOfList(t *testing.T) {
	for of, want := range map[Type]string{
		0: `{"t":["x"],"o":[{"x":1}]}`, Text: `{"t":["x"],"o":null}`, Object: `{"t":null,"o":[{"x":1}]}`, Integer: `{"t":null,"o":null}`,
	} {
		shape := Compile(Column{Field: "t", Type: List, Of: of}, Column{Field: "o", Type: List, Of: of})
		if got := string(shape.Append(nil, Record(`{"t":"x","o":{"x":1}}`))); got != want {
			t.Errorf("a list of %d became %s; want %s", of, got, want)
		}
	}
}

func TestColumnKey(t *testing.T) {
	shape := Compile(Column{Field: "id", Type: Integer, Key: true}, as(Object, Unparsed))
	for value, want := range map[string]string{`"7"`: "", `null`: "", `" "`: "", `"A7"`: `the key "id" is not a whole number`} {
		_, _, err := shape.Fit(nil, nil, Record(`{"id":`+value+`}`).Get(""))
		if text := fmt.Sprint(err); want == "" && err != nil || want != "" && text != want {
			t.Errorf("%s: %v; want %q", value, err, want)
		}
	}
}

func TestUnparsed(t *testing.T) {
	wide := strings.Repeat("x", 2*wideValue)
	for _, test := range []struct {
		name     string
		edits    []Edit
		put      []Member
		in, want string
		nulled   []string
	}{
		{
			name: "what does not fit, in the order in which it came", edits: []Edit{as(Date, "a"), as(Integer, "b"), as(Text, "c"), as(Object, Unparsed)},
			in: `{"b":"x","z":1,"c":{"d": 1},"a":[1]}`, nulled: []string{"b", "c", "a"},
			want: `{"b":null,"z":1,"c":null,"a":null,"_unparsed":{"b":"x","c":{"d": 1},"a":[1]}}`,
		}, {
			name: "of a repeated field the first", edits: []Edit{as(Integer, "b"), as(Object, Unparsed)},
			in: `{"b":"x","b":"y"}`, want: `{"b":null,"_unparsed":{"b":"x"}}`, nulled: []string{"b"},
		}, {
			name: "of a put member", edits: []Edit{as(Integer, "b"), as(Object, Unparsed)}, put: []Member{{"b", []byte(`"y"`)}},
			in: `{"b":1}`, want: `{"b":null,"_unparsed":{"b":"y"}}`, nulled: []string{"b"},
		}, {
			name: "without a column for it", edits: []Edit{as(Integer, "b")},
			in: `{"b":"x"}`, want: `{"b":null}`, nulled: []string{"b"},
		}, {
			name: "the source's own is not taken for it", edits: []Edit{as(Integer, "b"), as(Object, Unparsed)},
			in: `{"_unparsed":{"b":1},"b":2}`, want: `{"b":2}`,
		}, {
			name: "a number beside its text", edits: []Edit{Decimal{Field: "v"}, as(Text, "v"), as(Number, "v_num"), as(Object, Unparsed)},
			in: `{"v":12.5}`, want: `{"v":"12.5","v_num":12.5}`,
		}, {
			name: "a number that no warehouse holds beside its text", edits: []Edit{Decimal{Field: "v"}, as(Text, "v"), as(Number, "v_num")},
			in: `{"v":1e99}`, want: `{"v":"1e99","v_num":null}`,
		}, {
			name: "names that change places", edits: []Edit{Rename{"a", "b"}, Rename{"b", "a"}, as(Integer, "a"), as(Text, "b")},
			in: `{"a":1,"b":"2"}`, want: `{"b":"1","a":2}`,
		}, {
			name: "undeclared fields", edits: []Edit{as(Integer, "a"), as(Object, Undeclared)},
			in: `{"x" : [ 1 ],"a":1,"\u0079":null}`, want: `{"a":1,"_undeclared":{"x" : [ 1 ],"\u0079":null}}`,
		}, {
			name: "undeclared fields of one name", edits: []Edit{as(Integer, "a"), as(Object, Undeclared)},
			in: `{"x":1,"y":[],"a":1,"x":2,"\u0078":"` + wide + `"}`, want: `{"a":1,"_undeclared":{"x":1,"y":[]}}`,
		}, {
			name: "undeclared fields under their new names", put: []Member{{"q", []byte("1")}},
			edits: []Edit{LowerKeys{}, Flatten{}, Prefix{"p_"}, as(Integer, "p_a"), as(Text, "p_o_t"), as(Object, Undeclared)},
			in:    `{"X":{"Y":[1]},"A":1,"o":"no object","x_y":2}`, want: `{"p_a":1,"q":1,"_undeclared":{"p_x_y":[1],"p_o":"no object"}}`,
		}, {
			name: "the whole record", edits: []Edit{as(Integer, "a"), as(Whole, "raw"), as(Object, Unparsed)}, put: []Member{{"q", []byte("1")}},
			in: ` {"x" : [ 1 ],"a":"b\u0000"} `, want: `{"a":null,"q":1,"raw":{"x" : [ 1 ],"a":"b"},"_unparsed":{"a":"b"}}`, nulled: []string{"a"},
		}, {
			name: "the whole record, which has a field of that name", edits: []Edit{as(Integer, "a"), as(Whole, "raw")},
			in: `{"raw":{"b":1},"a":1}`, want: `{"a":1,"raw":{"raw":{"b":1},"a":1}}`,
		}, {
			name: "the whole record beside undeclared fields", edits: []Edit{as(Integer, "a"), as(Whole, "raw"), as(Object, Undeclared)},
			in: `{"x":2,"a":1}`, want: `{"a":1,"raw":{"x":2,"a":1},"_undeclared":{"x":2}}`,
		}, {
			name: "the whole record, whose names change", edits: []Edit{LowerKeys{}, Flatten{}, as(Integer, "a"), as(Integer, "o_b"), as(Whole, "raw")},
			in: `{"A":1,"X":2,"o":{"B":3,"c":4}}`, want: `{"a":1,"o_b":3,"raw":{"A":1,"X":2,"o":{"B":3,"c":4}}}`,
		}, {
			name: "the digest of a record", edits: []Edit{LowerKeys{}, Column{Field: "key", Type: Digest, Key: true}, as(Integer, "a")}, put: []Member{{"q", []byte("1")}},
			in: ` {"A" : 1} `, want: `{"a":1,"q":1,"key":"ed0dbcf8cd021ecf270d054db2c25c11"}`,
		}, {
			name: "an empty record", edits: []Edit{as(Whole, "raw")}, in: `{}`, want: `{"raw":{}}`,
		}, {
			name: "a wide field of a whole record", edits: []Edit{as(Whole, "raw")},
			in: `{"x":"` + wide + `"}`, want: `{"raw":{"x":"` + wide + `"}}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			shape := Compile(test.edits...)
			for range 2 { // nothing of the first record may appear in the second
				got, nulled, err := shape.Fit(nil, nil, Record(test.in).Get(""), test.put...)
				if string(got) != test.want || !reflect.DeepEqual(nulled, test.nulled) || err != nil {
					t.Errorf("%s became %s, %q, %v; want %s, %q", test.in, got, nulled, err, test.want, test.nulled)
				}
			}
		})
	}
}

// TestUndeclaredTwice checks that the first of several undeclared fields with one name stays, and the others are reported.
func TestUndeclaredTwice(t *testing.T) {
	shape := Compile(as(Integer, "a"), as(Object, Undeclared))
	for range 2 {
		shape.Append(nil, Record(`{"x":1,"a":1,"y":1,"x":2,"\u0078":3}`))
	}
	if got := shape.Warnings(); !reflect.DeepEqual(got, []Warning{{"x", repeatedName, 4}}) {
		t.Errorf("warnings %v", got)
	}
}

// TestMarks checks that marks change nothing but the time it takes.
func TestMarks(t *testing.T) {
	edits := [][]Edit{
		{as(Integer, "id"), as(Object, "o"), as(Timestamp, "last_updated_at"), as(Object, Undeclared)},
		{as(Integer, "id"), Drop{"unit.cover"}, Rename{"title", "name"}, Decimal{Field: "rent"}},
		{LowerKeys{}, Flatten{}, as(Integer, "id"), as(Object, "unit"), as(Object, Undeclared)},
	}
	page, _, err := Clean([]byte(`[` + property + `,{ "id" : "7" , "\u006f":{"a":[1,{"b":"}"}]},"x":[],"last_updated_at":"13/08/2026"} ,{},{"id":8},` +
		`{"a":{"b":{}},"a":[1]},{"\u0069d":9,"U":{"id":1,"\u0049d":{"id":2}}}]`))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		marked, other := Compile(e...), Compile(e...)
		for range 2 {
			for row := range page.Elements() {
				want, _, _ := other.Fit(nil, nil, Value{raw: row.Raw()})
				if got, _, err := marked.Fit(nil, nil, row); !bytes.Equal(got, want) || err != nil {
					t.Errorf("%s became\n%s, without marks\n%s", row.Raw(), got, want)
				}
			}
		}
	}
	picker := NewPicker("id", "unit.title", "building.gallery.1.sizes", "o.a.1.b", "a.b", "")
	for row := range page.Elements() {
		marked, plain := picker.Pick(row, nil), picker.Pick(Value{raw: row.Raw()}, nil)
		for i := range plain {
			if !bytes.Equal(marked[i].Raw(), plain[i].Raw()) {
				t.Errorf("%s has %s, without marks %s", row.Raw(), marked[i].Raw(), plain[i].Raw())
			}
		}
	}
}

// TestOrderOfMembers checks that a row may have another order than the one before it.
func TestOrderOfMembers(t *testing.T) {
	shape := Compile(Rename{"a", "b"}, Rename{"b", "a"}, as(Integer, "a"), as(Text, "b"), as(Integer, "c"))
	for _, test := range []struct{ in, want string }{
		{`{"a":1,"c":3}`, `{"b":"1","c":3}`}, {`{"b":2,"c":"3"}`, `{"a":2,"c":3}`}, {`{"c":3,"a":1,"b":2}`, `{"c":3,"b":"1","a":2}`},
	} {
		if got := string(shape.Append(nil, Record(test.in))); got != test.want {
			t.Errorf("%s became %s; want %s", test.in, got, test.want)
		}
	}
}

func TestNulIsRemoved(t *testing.T) {
	shape := Compile(as(Text, "a"), as(Integer, "n"), as(Object, "o"))
	in := `{"a\u0000":"x\u0000y\\u0000","n":"1\u00002","o":{"k\u0000":["\u0000",{"z":"\\\u0000"}]},"p":"\u0000\u0000"}`
	want := `{"a":"xy\\u0000","n":12,"o":{"k":["",{"z":"\\"}]},"p":"","q":7}`
	got := string(shape.Append(nil, Record(in), Member{"q", []byte("7")}))
	if got != want {
		t.Errorf("%s became %s; want %s", in, got, want)
	}
	if got := string(shape.Append(nil, Record(`{}`), Member{"a", []byte(`"\u0000b"`)})); got != `{"a":"b"}` {
		t.Errorf("a put member became %s", got)
	}
	if got := shape.Warnings(); !reflect.DeepEqual(got, []Warning{{"", nulRemoved, 9}}) {
		t.Errorf("warnings %v", got)
	}
}

// FuzzColumn checks that columns have their types whatever arrives.
func FuzzColumn(f *testing.F) {
	for _, seed := range []string{
		strange, `{"N":"R$ 1,5","b":"true","t":"0028-01-01","s":[1],"O":{"N":{}},"o_n":"x","n":1,"p_n_text":2}`,
		`{"n":"12.345.678/0001-90","n":"-","O":null,"o":{"n":"1","N":2,"t":[]}}`, `{"n":"-0","b":{},"t":"-000","s":null}`,
		`{"n":"00000000000000"`, `{"i":"1.000","d":"30/02/2026","l":"x","j":[1],"o":{"n":1e999},"x\u0000":"\u0000"}`, `{"i":12.0,"d":"13/08/2026","l":{"a":1}}`,
	} {
		f.Add([]byte(seed))
	}
	shape := Compile(LowerKeys{}, Flatten{}, Prefix{"p_"}, as(Number, "p_n"), as(Boolean, "p_b"), as(Timestamp, "p_t"), as(Text, "p_s"),
		as(Number, "p_o_n"), Prefer{"p_n", "n"}, Prefer{"p_o_n", "o.n"}, as(Integer, "p_i"), as(Date, "p_d"), as(List, "p_l"), as(JSONText, "p_j"),
		as(Object, Unparsed), as(Object, Undeclared))
	types := map[string]string{
		"p_n": "-0123456789n", "p_o_n": "-0123456789n", "p_b": "tfn", "p_t": `"n`, "p_s": `"n`, "p_i": "-0123456789n", "p_d": `"n`, "p_l": "[n",
		"p_j": `"n`, Unparsed: "{", Undeclared: "{",
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		shape.Append(nil, body) // not valid, but it must end
		marked, _, err := Clean(body)
		r := marked.Raw()
		if err != nil || r[0] != '{' {
			return
		}
		out, nulled, err := shape.Fit(nil, nil, marked)
		if err != nil {
			t.Fatal(err)
		}
		if plain, _, _ := shape.Fit(nil, nil, Value{raw: r}); !bytes.Equal(out, plain) {
			t.Fatalf("%s became %s, without marks %s", r, out, plain)
		}
		if _, mended, err := Clean(bytes.Clone(out)); err != nil || mended != (Mended{}) {
			t.Fatalf("%s became %s: %v", r, out, err)
		}
		members := firstMembers(t, out)
		for name, value := range members {
			if want, typed := types[name]; !typed || !strings.Contains(want, string(value[:1])) {
				t.Fatalf("%s: %s is %s", r, name, value)
			}
		}
		var lost map[string]json.RawMessage
		if raw := members[Unparsed]; raw != nil {
			if err := json.Unmarshal(raw, &lost); err != nil {
				t.Fatalf("%s: %v", r, err)
			}
		}
		if len(lost) != len(nulled) {
			t.Fatalf("%s: %q are null, and %v is kept", r, nulled, lost)
		}
	})
}

// TestLabels checks that values of repeated labels both stay, under names of their own.
func TestLabels(t *testing.T) {
	s := Compile(Column{Field: "custom", Type: Labels})
	many := `{"l0":0`
	for i := range 100 {
		many += fmt.Sprintf(`,"l%d":%d`, i+1, i+1)
	}
	for given, want := range map[string]string{
		`{"Cor":"a","cor":"b"}`:                 `{"Cor":"a","cor":"b"}`,
		`{"Cor": "a", "Cor": {"x": 1}}`:         `{"Cor":"a","Cor (2)":{"x": 1}}`,
		`{"Cor":1,"Cor":2,"Cor (2)":3,"Cor":4}`: `{"Cor":1,"Cor (2)":2,"Cor (2) (2)":3,"Cor (3)":4}`,
		`{"Cor":1,"C\u006fr":2}`:                `{"Cor":1,"Cor (2)":2}`,
		`{"C\u006fr":1,"cor":2}`:                `{"C\u006fr":1,"cor":2}`,
		`{}`:                                    `{}`,
		`null`:                                  `null`,
		many + `}`:                              many + `}`,
		many + `,"l7":"again"}`:                 many + `,"l7 (2)":"again"}`,
	} {
		if got := string(s.Append(nil, Record(`{"custom":`+given+`}`))); got != `{"custom":`+want+`}` {
			t.Errorf("%s became %s", given, got)
		}
	}
}

// TestKeyless checks that a record that lacks a part of its key, or has null for it, is counted, wherever the key comes from.
func TestKeyless(t *testing.T) {
	s := Compile(Rename{"code", "id"}, Column{Field: "id", Type: Integer, Key: true}, Column{Field: "of", Type: Text, Key: true})
	for _, test := range []struct {
		row     string
		put     []Member
		keyless bool
	}{
		{`{"code":1}`, []Member{{"of", []byte(`"a"`)}}, false}, {`{"of":"a","x":null,"code":1}`, nil, false}, {`{"code":1.0,"of":2}`, nil, false},
		{`{"code":null}`, []Member{{"of", []byte(`"a"`)}}, true},
		{`{"code":1}`, []Member{{"of", nil}}, true}, {`{"of":"a"}`, nil, true}, {`{}`, nil, true}, {`{"code":"","of":"a"}`, nil, true},
	} {
		before := s.Keyless()
		data, _, err := s.Fit(nil, nil, Record(test.row).Get(""), test.put...)
		if got := s.Keyless() > before; got != test.keyless || err != nil {
			t.Errorf("%s lacks a key: %t, as %s, %v", test.row, got, data, err)
		}
	}
	if (*Shape)(nil).Keyless() != 0 {
		t.Error("a nil Shape counts")
	}
}
