package record

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func numbers(fields ...string) (edits []Edit) {
	for _, field := range fields {
		edits = append(edits, Number{Field: field})
	}
	return edits
}

func strict(fields ...string) (edits []Edit) {
	for _, field := range fields {
		edits = append(edits, Time{Field: field, Strict: true})
	}
	return edits
}

func TestTyped(t *testing.T) {
	for _, test := range []struct {
		name     string
		edits    []Edit
		put      []Member
		in, want string
		warnings []Warning
	}{
		{
			name: "Prefix", edits: []Edit{Prefix{"p_"}, JSONText{"p_a"}, Rename{"p_b", "q"}},
			put: []Member{{"p_c", []byte("7")}, {"d", []byte("8")}},
			in:  `{"a":1,"b":{"x":1},"c":2,"d":3,"\u0065":[]}`, want: `{"p_a":"1","q":{"x":1},"p_c":7,"p_d":3,"p_e":[],"d":8}`,
		}, {
			name: "Prefix, lower-case and flat", edits: []Edit{LowerKeys{}, Flatten{Keep: []string{"p_campos"}}, Prefix{"p_"}, Drop{"p_gone"}},
			in:   `{"Id":1,"usuario":{"Login":"x","sub":{"A":1}},"campos":{"Cor":1},"gone":[1],"P_id":2}`,
			want: `{"p_id":1,"p_usuario_login":"x","p_usuario_sub_a":1,"p_campos":{"Cor":1},"p_p_id":2}`,
		}, {
			name: "Number", edits: numbers("a", "b", "c", "d", "e", "f"),
			in:   `{"a":12.50,"b":"12.50","c":"R$ 1.234,56","d":" -7 ","e":"12.345.678/0001-90","f":"00.000.000/0001-00"}`,
			want: `{"a":12.50,"b":12.50,"c":1234.56,"d":-7,"e":12345678000190,"f":100}`,
		}, {
			name: "Number of other forms", edits: numbers("a", "b", "c", "d", "e", "f"),
			in:   `{"a":"007","b":"1.5e3","c":"01234567000190","d":1e2,"e":"\u0031","f":"1.234.567,8"}`,
			want: `{"a":7,"b":1.5e3,"c":1234567000190,"d":1e2,"e":1,"f":1234567.8}`,
		}, {
			name: "Number of nothing", edits: append(numbers("d", "e"), Number{"a", true}, Number{"b", true}, Number{"c", true}),
			in: `{"a":null,"b":" ","c":{ },"d":[],"e":""}`, want: `{"a":null,"b":null,"c":null,"d":null,"e":null}`,
		}, {
			name: "Number of what is none", edits: []Edit{
				Number{"a", true}, Number{"b", true}, Number{"c", true}, Number{"d", true}, Number{"e", true}, Number{"f", true}, Number{"g", true},
			},
			in: `{"a":"12 dias","b":"2 até 3","c":true,"d":[ 1 , "x" ],"e":{"id": 1},"f":"(11) 90000-0000","g":"12.ABC.345/01DE-35"}`,
			want: `{"a":null,"a_text":"12 dias","b":null,"b_text":"2 até 3","c":null,"c_text":"true","d":null,"d_text":"[1,\"x\"]",` +
				`"e":null,"e_text":"{\"id\":1}","f":null,"f_text":"(11) 90000-0000","g":null,"g_text":"12.ABC.345/01DE-35"}`,
		}, {
			name: "Number without a text", edits: []Edit{Number{Field: "a"}, Number{Field: "b"}},
			in: `{"a":"x","b":"1,2,3"}`, want: `{"a":null,"b":null}`, warnings: []Warning{{"a", notNumber, 1}, {"b", notNumber, 1}},
		}, {
			name: "Number and its text among other members", edits: []Edit{Number{"a", true}, Number{"b", true}},
			put: []Member{{"b_text", []byte(`"put"`)}},
			in:  `{"a_text":"from the source","a":"x","b":"y"}`, want: `{"a":null,"a_text":"x","b":null,"b_text":"put"}`,
			warnings: []Warning{{"a_text", takenName, 1}},
		}, {
			name: "Number of a put member", edits: []Edit{Number{"a", true}, Number{Field: "b"}},
			put: []Member{{"a", []byte(`"7"`)}, {"b", []byte(` 8`)}}, in: `{"a":1}`, want: `{"a":7,"b":8}`,
		}, {
			name: "Time of a put member", edits: []Edit{Time{Field: "a"}, Time{Field: "b", Strict: true}},
			put: []Member{{"a", []byte(`"2016-03-30T10:00:00-0300"`)}, {"b", []byte(`"2026-05-21"`)}, {"c", nil}}, in: `{}`,
			want: `{"a":"2016-03-30T10:00:00-03:00","b":"2026-05-21T00:00:00Z","c":null}`,
		}, {
			name: "Boolean", edits: []Edit{Boolean{"a"}, Boolean{"b"}, Boolean{"c"}, Boolean{"d"}, Boolean{"e"}, Boolean{"f"}, Boolean{"g"}},
			in:   `{"a":true,"b":false,"c":null,"d":"True ","e":0,"f":"1","g":""}`,
			want: `{"a":true,"b":false,"c":null,"d":true,"e":false,"f":true,"g":null}`,
		}, {
			name: "Boolean of what is none", edits: []Edit{Boolean{"a"}, Boolean{"b"}, Boolean{"c"}},
			in: `{"a":"talvez","b":2,"c":{}}`, want: `{"a":null,"b":null,"c":null}`,
			warnings: []Warning{{"a", notBoolean, 1}, {"b", notBoolean, 1}, {"c", notBoolean, 1}},
		}, {
			name: "strict Time", edits: strict("a", "b", "c"),
			in: `{"a":"2016-03-30T10:00:00-0300","b":"","c":null}`, want: `{"a":"2016-03-30T10:00:00-03:00","b":null,"c":null}`,
		}, {
			name: "strict Time of odd years", edits: strict("a", "b", "c"),
			in:       `{"a":"0028-05-01T03:00:00.000Z","b":"0024-02-29T00:00:00-0300","c":"0000-01-01"}`,
			want:     `{"a":"0028-05-01T03:00:00.000Z","b":"0024-02-29T00:00:00-03:00","c":"0000-01-01T00:00:00Z"}`,
			warnings: []Warning{{"a", oddYear, 1}, {"b", oddYear, 1}, {"c", oddYear, 1}},
		}, {
			name: "strict Time of what is none", edits: strict("a", "b", "c", "d"),
			in: `{"a":"ontem","b":1709294400,"c":{"x":1},"d":"0028-02-30"}`, want: `{"a":null,"b":null,"c":null,"d":null}`,
			warnings: []Warning{{"a", notTime, 1}, {"b", notTime, 1}, {"c", notTime, 1}, {"d", notTime, 1}},
		}, {
			name: "Prefer", edits: []Edit{LowerKeys{}, Flatten{}, Prefer{"etapa_nome", "etapa.nome"}, Prefer{"id", "id"}, Time{Field: "t"}},
			in:   `{"Id":1,"x":1,"etapa_nome":"flat","t":"?","ID":2,"id":3,"etapa":{"nome":"nested","Nome":"other"},"X":2}`,
			want: `{"x":1,"t":"?","id":3,"etapa_nome":"nested"}`,
			warnings: []Warning{
				{"etapa_nome", documentedName, 2}, {"id", documentedName, 2}, {"t", unreadableTime, 1}, {"x", repeatedName, 1},
			},
		}, {
			name: "Prefer where it comes first, or not at all", edits: []Edit{LowerKeys{}, Prefer{"a", "a"}, Prefer{"b", "bB"}, Prefer{"c", "c"}},
			in:   `{"a":1,"A":2,"B":3,"b":4,"c":5,"c":6}`,
			want: `{"a":1,"b":3,"c":5}`, warnings: []Warning{{"a", documentedName, 1}, {"b", documentedName, 1}, {"c", documentedName, 1}},
		}, {
			name: "Prefer, with a Number and an escaped name", edits: []Edit{Flatten{}, Prefer{"ç_n", "ç.n"}, Number{"ç_n", true}},
			in: `{"ç_n":"flat","\u00e7":{"\u006e":"nested"}}`, want: `{"ç_n":null,"ç_n_text":"nested"}`,
			warnings: []Warning{{"ç_n", documentedName, 1}},
		}, {
			name: "null in the place of an object", edits: []Edit{Flatten{}, JSONText{"a_b_c"}, Rename{"e", "d_x"}},
			in: `{"a":null,"z":null,"d":{"y":null}}`, want: `{"z":null,"d_y":null}`,
		}, {
			name: "no object where one is expected", edits: []Edit{Flatten{}, JSONText{"a_b_c"}},
			in: `{"a":{"b":7,"x":1}}`, want: `{"a_b":7,"a_x":1}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			shape := Compile(test.edits...)
			for range 2 { // nothing of the first record may show up in the second
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
		"a sibling's name":      {Number{"a", true}, JSONText{"a_text"}},
		"two types":             {Number{Field: "a"}, Boolean{"a"}},
		"never lower-case":      {LowerKeys{}, Boolean{"A"}},
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

// FuzzTyped holds that the columns have their types whatever arrives.
func FuzzTyped(f *testing.F) {
	for _, seed := range []string{
		strange, `{"N":"R$ 1,5","b":"true","t":"0028-01-01","s":[1],"O":{"N":{}},"o_n":"x","n":1,"p_n_text":2}`,
		`{"n":"12.345.678/0001-90","n":"-","O":null,"o":{"n":"1","N":2,"t":[]}}`, `{"n":"-0","b":{},"t":"-000","s":null}`,
		`{"n":"00000000000000"`,
	} {
		f.Add([]byte(seed))
	}
	shape := Compile(LowerKeys{}, Flatten{}, Prefix{"p_"}, Number{"p_n", true}, Boolean{"p_b"}, Time{Field: "p_t", Strict: true},
		JSONText{"p_s"}, Number{Field: "p_o_n"}, Prefer{"p_n", "n"}, Prefer{"p_o_n", "o.n"})
	types := map[string]string{"p_n": "-0123456789n", "p_o_n": "-0123456789n", "p_b": "tfn", "p_t": `"n`, "p_s": `"n`, "p_n_text": `"`}
	f.Fuzz(func(t *testing.T, body []byte) {
		shape.Append(nil, body) // not valid, but it must come to an end
		r, _, err := Clean(body)
		if err != nil || r[0] != '{' {
			return
		}
		out := shape.Append(nil, r)
		if _, replaced, err := Clean(append([]byte(nil), out...)); err != nil || replaced != (Mended{}) {
			t.Fatalf("%s became %s: %v", r, out, err)
		}
		for name, value := range firstMembers(t, out) {
			if want, typed := types[name]; typed && !strings.Contains(want, string(value[:1])) {
				t.Fatalf("%s: %s is %s", r, name, value)
			}
			if !strings.HasPrefix(name, "p_") || name != strings.ToLower(name) {
				t.Fatalf("%s: %q is still there", r, name)
			}
		}
	})
}
