package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestShape(t *testing.T) {
	for _, test := range []struct {
		name     string
		edits    []Edit
		put      []Member
		in, want string
		warnings []Warning
	}{
		{
			name: "nothing to do",
			in:   `{ "a" : 1,"a":2}`, want: `{ "a" : 1,"a":2}`,
		}, {
			name: "put, in place and last", put: []Member{{"a", []byte(`{ "x": 1 }`)}, {"ç\"", []byte(`"new"`)}, {"e", nil}},
			in: `{"\u0061":1,"b":2.50,"a":3,"\u0062":[ 4 ]}`, want: `{"a":{"x":1},"b":2.50,"\u0062":[ 4 ],"ç\"":"new","e":null}`,
		}, {
			name: "put into nothing", put: []Member{{"a", []byte("1")}},
			in: `{ }`, want: `{"a":1}`,
		}, {
			name: "what is no object stays", edits: []Edit{Put{"a", []byte("1")}}, put: []Member{{"b", []byte("1")}},
			in: `[1]`, want: `[1]`,
		}, {
			name: "untouched members keep every byte", edits: []Edit{Drop{"x"}},
			in:   `{"\u0061\/" : [ 1, 2.500 ] ,"x":{"y":[]}, "b":"\u00e9\ud83d\ude00","b":1e5 }`,
			want: `{"\u0061\/" : [ 1, 2.500 ],"b":"\u00e9\ud83d\ude00","b":1e5}`,
		}, {
			name: "Drop everything", edits: []Edit{Drop{"a"}, Drop{"b"}},
			in: `{"a":1,"b":2,"a":3}`, want: `{}`,
		}, {
			name: "Drop inside", edits: []Edit{Drop{"a.b"}, Drop{"a.c.d"}, Drop{`a.e\.f`}, Drop{"a.c.g"}, Drop{"z.z"}},
			in:   `{"a":{"b":1,"c":{"d":1,"x": 1,"g":{}},"e.f":1,"\u0062":2,"h":{"b":1}},"z":[{"z":1}]}`,
			want: `{"a":{"c":{"x": 1},"h":{"b":1}},"z":[{"z":1}]}`,
		}, {
			name: "Rename", edits: []Edit{Rename{"a", "b"}, Rename{"b", "a"}, Rename{"Cor Favorita", "cor"}},
			in: `{"a":1,"b":2,"c":3,"Cor\u0020Favorita":"azul"}`, want: `{"b":1,"a":2,"c":3,"cor":"azul"}`,
		}, {
			name: "Rename to a name that is there", edits: []Edit{Rename{"a", "b"}},
			in: `{"b":1,"a":2}`, want: `{"b":1}`, warnings: []Warning{{"b", repeatedName, 1}},
		}, {
			name: "edits go by the new name", edits: []Edit{as(JSONText, "b"), Rename{"a", "b"}, as(Date, "a"), Rename{"c", "a"}},
			in: `{"a":1,"c":"2022-01-24 10:00:00"}`, want: `{"b":"1","a":"2022-01-24"}`,
		}, {
			name: "Put", edits: []Edit{Put{"a", []byte(` [1, "a b"] `)}, Put{"b", []byte("null")}},
			in: `{"x":1,"b":5,"b":6}`, want: `{"x":1,"b":null,"a":[1,"a b"]}`,
		}, {
			name: "a put member before a Put and before other edits", edits: []Edit{Put{"a", []byte("1")}, as(JSONText, "b"), Rename{"d", "c"}},
			put: []Member{{"a", []byte("2")}, {"b", []byte("2")}, {"c", []byte("2")}},
			in:  `{"d":0,"b":0}`, want: `{"c":2,"b":"2","a":2}`,
		}, {
			name: "a put member before what a Decimal makes", edits: []Edit{Decimal{Field: "a", Range: true}},
			put: []Member{{"a_min", []byte("7")}, {"b", []byte("8")}, {"b", []byte("9")}},
			in:  `{"a":"1"}`, want: `{"a":"1","a_num":1,"a_min":7,"a_max":1,"b":8}`,
		}, {
			name: "JSONText", edits: []Edit{as(JSONText, "a"), as(JSONText, "b"), as(JSONText, "c"), as(JSONText, "d"), as(JSONText, "e"), as(JSONText, "f")},
			in:   `{"a":[ {"x" : "say \"hi\" \\ \n"} ,1.50 ],"b":"text","c":null,"d":12.50,"e":true,"f":{}}`,
			want: `{"a":"[{\"x\":\"say \\\"hi\\\" \\\\ \\n\"},1.50]","b":"text","c":null,"d":"12.50","e":"true","f":"{}"}`,
		}, {
			name: "LowerKeys", edits: []Edit{LowerKeys{}, as(Timestamp, "data"), Rename{"xy", "Xy"}, as(JSONText, "Xy")},
			in:       `{"Id":1,"DATA":"2022-01-24","Árvore":{"Ab":1},"\u00c9\n":2,"XY":3,"ID":4}`,
			want:     `{"id":1,"data":"2022-01-24T00:00:00Z","árvore":{"Ab":1},"é\n":2,"Xy":"3"}`,
			warnings: []Warning{{"id", repeatedName, 1}},
		}, {
			name: "Flatten", edits: []Edit{Flatten{}},
			in:   `{"a":{"b":{"c":1,"d":[{"x":{}}]},"e":null},"f":{},"g":{"\u0068":{}},"\"":{"é":1.0}}`,
			want: `{"a_b_c":1,"a_b_d":[{"x":{}}],"a_e":null,"\"_é":1.0}`,
		}, {
			name: "Flatten into one name", edits: []Edit{Flatten{}},
			in: `{"a":{"b":1,"b":2},"a_b":3,"a":{"b":4,"c":5}}`, want: `{"a_b":1,"a_c":5}`, warnings: []Warning{{"a_b", repeatedName, 3}},
		}, {
			name: "Flatten stops",
			edits: []Edit{
				Flatten{Separator: ".", Keep: []string{"a.keep", "empty"}}, as(JSONText, "t"), Drop{"d"}, Put{"p", []byte("1")},
			},
			in:   `{"a":{"keep":{ "x": 1 },"go":{"y":2}},"empty":{},"t":{"x":1},"d":{"x":1},"p":{"x":1}}`,
			want: `{"a.keep":{ "x": 1 },"a.go.y":2,"empty":{},"t":"{\"x\":1}","p":1}`,
		}, {
			name: "Flatten with all the rest",
			edits: []Edit{
				as(Timestamp, "etapa_data"), Flatten{Keep: []string{"campos"}}, Rename{"etapaatual", "etapa"}, Drop{"cliente.CNPJ"},
				LowerKeys{}, Drop{"campos.Cor.Tom"}, Decimal{Field: "cliente_valor"},
			},
			put: []Member{{"pai_id", []byte("7")}, {"x_y", []byte("8")}},
			in: `{"etapaAtual":{"Data":"2022-01-24","sub":{"Z":1}},"Cliente":{"Cnpj":1,"Valor":"1,5","Nome":{"A":2}},` +
				`"campos":{"Cor":{"Tom":1,"Ab":2}},"X":{"Y":{"z":1},"w":2}}`,
			want: `{"etapa_data":"2022-01-24T00:00:00Z","etapa_sub_z":1,"cliente_valor":"1,5","cliente_valor_num":1.5,"cliente_nome_a":2,` +
				`"campos":{"Cor":{"Ab":2}},"x_y":8,"x_w":2,"pai_id":7}`,
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

func TestShapeOfManyColumns(t *testing.T) {
	var edits []Edit
	var in, want []string
	for i := range 700 {
		edits = append(edits, as(JSONText, fmt.Sprint("f", i)))
		in = append(in, fmt.Sprintf(`"F%d":%d,"f%d":0,"g%d":{"H":%d},"G%d_h":0`, i, i, i, i, i, i))
		want = append(want, fmt.Sprintf(`"f%d":"%d","g%d_h":%d`, i, i, i, i))
	}
	shape := Compile(append(edits, LowerKeys{}, Flatten{})...)
	for range 2 {
		got := string(shape.Append(nil, Record("{"+strings.Join(in, ",")+"}"), Member{"p", []byte("1")}))
		if got != "{"+strings.Join(want, ",")+`,"p":1}` {
			t.Fatal(got)
		}
	}
	if n := len(shape.Warnings()); n != 1200 { // 500 of each kind, then those that the edits name
		t.Errorf("%d warnings", n)
	}
}

func TestCompileNothing(t *testing.T) {
	if s := Compile(); s != nil || s.Warnings() != nil {
		t.Errorf("Compile() = %v", s)
	}
}

func TestCompilePanics(t *testing.T) {
	for name, edits := range map[string][]Edit{
		"no field":                    {Column{Type: Text}},
		"no type":                     {Column{Field: "a"}},
		"two types":                   {as(Text, "a"), as(Number, "a")},
		"a type for a constant":       {as(Text, "a"), Put{"a", []byte("1")}},
		"two Times":                   {Times{Zone: time.UTC}, Times{Zone: time.UTC}},
		"no field to drop":            {Drop{}},
		"no field to put":             {Put{Value: []byte("1")}},
		"no name":                     {Rename{From: "a"}},
		"to the same name":            {Rename{"a", "a"}},
		"two names for one":           {Rename{"a", "b"}, Rename{"a", "c"}},
		"one name for two":            {Rename{"a", "c"}, Rename{"b", "c"}},
		"two edits for one field":     {Drop{"a"}, Decimal{Field: "a"}},
		"twice the same":              {Drop{"a"}, Drop{"a"}},
		"whole and in part":           {Drop{"a"}, Drop{"a.b"}},
		"in part and whole":           {Drop{"a.b"}, Drop{"a"}},
		"deep and in part":            {Drop{"a.b.c"}, Drop{"a.b"}},
		"in part and deep":            {Drop{"a.b"}, Drop{"a.b.c"}},
		"a sibling's name":            {Decimal{Field: "a"}, Put{"a_num", []byte("1")}},
		"renamed away":                {Rename{"a", "b"}, as(Timestamp, "a")},
		"never lower-case":            {LowerKeys{}, as(Timestamp, "A")},
		"never lower-case, renamed":   {LowerKeys{}, Rename{"A", "b"}},
		"never lower-case, kept":      {LowerKeys{}, Flatten{Keep: []string{"A"}}},
		"two Flatten":                 {Flatten{}, Flatten{}},
		"a constant that is not JSON": {Put{"a", []byte("{")}},
		"nil":                         {nil},
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

func TestShapeConcurrently(t *testing.T) {
	shape := Compile(Flatten{}, as(Timestamp, "t"), Decimal{Field: "a_b"}, as(Object, Unparsed), as(Object, Undeclared))
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			in := Record(fmt.Sprintf(`{"t":"never %d","a":{"b":"%d,5"},"z":{"y":%d}}`, i, i, i))
			want := fmt.Sprintf(`{"t":null,"a_b":"%d,5","a_b_num":%d.5,"_undeclared":{"z_y":%d},"_unparsed":{"t":"never %d"}}`, i, i, i, i)
			for range 1000 {
				if got := string(shape.Append(nil, in)); got != want {
					t.Errorf("%s became %s", in, got)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := shape.Warnings(); len(got) != 1 || got[0].Count != 4000 {
		t.Errorf("warnings: %v", got)
	}
}

func FuzzShape(f *testing.F) {
	for _, seed := range []string{
		strange, property, `{"t":"13/08/2026 10:32:51","d":"2022-01-24","m":"R$ 1.234,56 até R$ 2","x":{"y":{"z":1}},"r":1,"j":[ 1 ]}`,
		`{"t":"\u0032022-01-24","t":1,"s":2,"r":3,"p":4,"q":5,"m_num":1,"n":" 12 "}`, `{"X":{"Y":1,"y":2,"x_y":{}},"x_Y":3}`, `{"a":]"b":1`, `{"`,
	} {
		f.Add([]byte(seed))
	}
	edits := []Edit{
		as(Timestamp, "t"), as(Date, "d"), Decimal{Field: "m", Range: true}, as(JSONText, "j"), Rename{"r", "s"},
		Drop{"x.y"}, Drop{"gone"}, Put{"p", []byte("1")}, as(Integer, "n"),
	}
	named := map[string]bool{}
	for name := range strings.FieldsSeq("t d m m_num m_min m_max j r s x gone p q n") {
		named[name] = true
	}
	plain, put := Compile(edits...), Member{"q", []byte("null")}
	flat := Compile(append(edits, Flatten{Keep: []string{"x_y"}}, LowerKeys{})...)
	f.Fuzz(func(t *testing.T, body []byte) {
		plain.Append(nil, body, put) // not valid, but it must end
		flat.Append(nil, body, put)
		marked, _, err := Clean(body)
		r := Record(marked.Raw())
		if err != nil {
			return
		}
		if got := (*Shape)(nil).Append(nil, r); !bytes.Equal(got, r) {
			t.Fatalf("%s became %s", r, got)
		}
		shaped := plain.Append(nil, r, put)
		flattened := flat.Append(nil, r, put)
		for _, out := range [][]byte{shaped, flattened} {
			if again, replaced, err := Clean(bytes.Clone(out)); err != nil || replaced != (Mended{}) || !bytes.Equal(again.Raw(), out) {
				t.Fatalf("%s became %s: %v", r, out, err)
			}
		}
		if r[0] != '{' {
			return
		}
		before, after, flatAfter := firstMembers(t, r), firstMembers(t, shaped), firstMembers(t, flattened)
		for name, value := range before {
			if !named[name] && !bytes.Equal(value, after[name]) && !bytes.Contains(value, []byte(`\u0000`)) {
				t.Fatalf("%s: %q became %s", r, name, after[name])
			}
		}
		for name := range after {
			if _, was := before[name]; !was && !named[name] {
				t.Fatalf("%s: %q came up", r, name)
			}
		}
		for name, value := range flatAfter {
			if value[0] == '{' && name != "x_y" && !named[name] || name != strings.ToLower(name) {
				t.Fatalf("%s: %q is still there", r, name)
			}
		}
	})
}

func BenchmarkShape(b *testing.B) {
	r, _, err := Clean([]byte(property))
	if err != nil {
		b.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		edits []Edit
		put   []Member
	}{
		{"none", nil, nil},
		{"put", nil, []Member{{"parent_id", []byte("1")}}},
		{"Time", []Edit{as(Timestamp, "last_updated_at")}, nil},
		{"several", []Edit{
			as(Timestamp, "last_updated_at"), Decimal{Field: "rent", Range: true}, Drop{"unit.cover"}, Rename{"title", "name"},
		}, nil},
		{"Flatten", []Edit{Flatten{}, LowerKeys{}, as(Timestamp, "last_updated_at")}, nil},
	} {
		b.Run(test.name, func(b *testing.B) {
			shape := Compile(test.edits...)
			var dst []byte
			var nulled []string
			b.SetBytes(int64(len(r.Raw())))
			b.ReportAllocs()
			for b.Loop() {
				dst, nulled, _ = shape.Fit(dst[:0], nulled[:0], r, test.put...)
			}
		})
	}
}

// TestAWideRecordLeavesNothingBehind checks that the memory of a record with very many names is not kept for later records, each of which would have
// to clear all of it.
func TestAWideRecordLeavesNothingBehind(t *testing.T) {
	wide := []byte{'{'}
	for i := range 100_000 {
		wide = fmt.Appendf(wide, `"Name%d":%d,`, i, i)
	}
	wide[len(wide)-1] = '}'
	s := Compile(LowerKeys{})
	got := s.Append(nil, wide)
	if len(got) != len(wide) {
		t.Fatalf("%d bytes became %d", len(wide), len(got))
	}
	for {
		m, _ := s.memories.Get().(*memory)
		if m == nil {
			break
		}
		if len(m.names.table) > 16*fewNames {
			t.Errorf("a table for %d names is kept", len(m.names.table))
		}
	}
}

// TestALargeRecordIsCopiedOnce checks that a growing record is not copied again while it is edited.
func TestALargeRecordIsCopiedOnce(t *testing.T) {
	const size = 8 << 20
	r := Record(`{"a":"` + strings.Repeat("x", size) + `","t":"2026-01-02 03:04:05","b":1,"c":2}`)
	shape := Compile(Rename{From: "b", To: "e"})
	for name, edit := range map[string]func() []byte{
		"Append": func() []byte { return shape.Append(nil, r, Member{Name: "d", Value: []byte("1")}) },
		"Put":    func() []byte { return (*Shape)(nil).Append(nil, r, Member{Name: "d", Value: []byte("1")}) },
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		out := edit()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; len(out) < size || got > size*5/4 {
			t.Errorf("%s allocated %d bytes for %d", name, got, len(r))
		}
	}
}
