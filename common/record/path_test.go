package record

import (
	"encoding/json"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

const strange = `{"id":1,"a":{"b":[10,{"c":"x"}],"":"empty"},"a.b":"dotted","a\\b":"backslash","a|b":"pipe","x*":"star","@y":"at",` +
	`"#":"hash",` +
	`"Cor Favorita":"azul","\u0069d2":"escaped","n":null,"id":2,"d":{"x":1},"d":{"y":2},"":{"":"deep"},"0":"zero"}`

var paths = []struct {
	path, want string // "" if it is absent
}{
	{"id", `1`},
	{"a.b", `[10,{"c":"x"}]`},
	{"a.b.0", `10`},
	{"a.b.1.c", `"x"`},
	{"a.b.2", ``},
	{"a.b.01", ``},
	{"a.b.-1", ``},
	{"a.b.x", ``},
	{"a.b.c", ``},
	{"a.", `"empty"`},
	{`a\.b`, `"dotted"`},
	{`a\\b`, `"backslash"`},
	{`\id`, `1`},
	{`id\`, ``},
	{`a|b`, `"pipe"`},
	{`x*`, `"star"`},
	{`@y`, `"at"`},
	{`#`, `"hash"`},
	{`Cor Favorita`, `"azul"`},
	{`id2`, `"escaped"`},
	{`n`, `null`},
	{`n.x`, ``},
	{`id.x`, ``},
	{`d.x`, `1`},
	{`d.y`, ``}, // the first d is used
	{`.`, `"deep"`},
	{`0`, `"zero"`},
	{`Id`, ``},
	{`i`, ``},
	{``, strange},
}

func TestGet(t *testing.T) {
	for _, test := range paths {
		if got := string(Record(strange).Get(test.path).Raw()); got != test.want {
			t.Errorf("Get(%q) = %s; want %s", test.path, got, test.want)
		}
	}
	for _, r := range []string{"", " ", `12`, `"id"`, `null`} {
		if got := Record(r).Get("id"); got.Exists() {
			t.Errorf("%q has an id: %q", r, got.Raw())
		}
	}
	spaced := Record(` { "a" : { "b" : [ 1 , 2 ] } } `)
	if got := string(spaced.Get("a.b.1").Raw()); got != "2" {
		t.Errorf("amid spaces: %q", got)
	}
	if got := string(Record(`[{"a":1},{"a":2}]`).Get("1.a").Raw()); got != "2" {
		t.Errorf("in an array: %q", got)
	}
}

func TestPick(t *testing.T) {
	var all, want []string
	for range 5 { // more than 64
		for _, test := range paths {
			all, want = append(all, test.path), append(want, test.want)
		}
	}
	for n := range len(all) + 1 {
		out := []Value{{raw: []byte("left over")}}
		out = NewPicker(all[:n]...).Pick(Record(strange).Get(""), out)
		if len(out) != n {
			t.Fatalf("%d values for %d paths", len(out), n)
		}
		for i, v := range out {
			if string(v.Raw()) != want[i] {
				t.Errorf("%d of %d: Pick(%q) = %s; want %s", i, n, all[i], v.Raw(), want[i])
			}
		}
	}
	array := NewPicker("0.a", "1", "x", "").Pick(Record(`[{"a":1},2]`).Get(""), nil)
	if got := fmt.Sprintf("%s", []any{array[0].Raw(), array[1].Raw(), array[2].Raw(), array[3].Raw()}); got != `[1 2  [{"a":1},2]]` {
		t.Errorf("of an array: %s", got)
	}
	if got := NewPicker("a").Pick(Value{}, nil); len(got) != 1 || got[0].Exists() {
		t.Errorf("of nothing: %v", got)
	}
	if got := (Picker{}).Pick(Record(strange).Get(""), nil); len(got) != 0 {
		t.Errorf("of no paths: %v", got)
	}
}

// TestWideBodies checks that a body of tiny values is read although its marks are dropped, because they would take more memory than the body.
func TestWideBodies(t *testing.T) {
	list := strings.Repeat("0,", 100_000) + "1"
	v, _, err := Clean([]byte(`{"a":[` + list + `],"b":{"c":2}}`))
	if err != nil || len(v.marks) > 0 {
		t.Fatalf("%d marks, %v", len(v.marks), err)
	}
	if last, c := v.Get("a.100000").String(), v.Get("b.c").String(); last != "1" || c != "2" {
		t.Errorf("found %s and %s", last, c)
	}
	if v, _, err = Clean([]byte(`{"a":[1,"2"]}`)); err != nil || len(v.marks) != 4 {
		t.Errorf("%d marks behind a wide body, %v", len(v.marks), err)
	}
}

func TestNoAllocation(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("under -race a sync.Pool drops a part of what it is given, and that is allocated anew")
	}
	r, _, err := Clean([]byte(strings.Replace(property, `"id"`, `"\u0069d"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	picker := NewPicker("id", "last_updated_at", "building.address.city", "missing")
	out := make([]Value, 0, 4)
	var dst []byte
	shape := Compile(as(Timestamp, "last_updated_at"), Decimal{Field: "rent", Range: true}, Drop{"unit.cover"}, Rename{"title", "name"})
	flat := Compile(Flatten{}, LowerKeys{}, as(Timestamp, "last_updated_at"))
	typed := Compile(as(Integer, "id"), as(Timestamp, "last_updated_at"), as(Number, "rent"), as(Text, "title"), as(Object, "unit"),
		as(Object, Unparsed), as(Object, Undeclared))
	var nulled []string
	put := []Member{{"parent_id", []byte("1")}, {"code", []byte("2")}}
	for name, f := range map[string]func(){
		"Get":          func() { r.Get("id") },
		"Get, nested":  func() { r.Get("building.gallery.1.url") },
		"Get, missing": func() { r.Get("missing") },
		"Int":          func() { r.Get("unit.id").Int() },
		"Pick":         func() { out = picker.Pick(r, out) },
		"Shape":        func() { dst = shape.Append(dst[:0], r.Raw(), put...) },
		"Flatten":      func() { dst = flat.Append(dst[:0], r.Raw(), put...) },
		"Fit":          func() { dst, nulled, _ = typed.Fit(dst[:0], nulled[:0], r, put...) },
		"no Shape":     func() { dst = (*Shape)(nil).Append(dst[:0], r.Raw(), put...) },
	} {
		f() // buffers grow once
		most := 0.0
		switch name {
		case "Shape", "Flatten", "Fit":
			most = 4 // its memory is in a sync.Pool, which drops some under the race detector; without reuse there would be more than ten
		case "no Shape":
			most = 1 // the writer, if no memory keeps it
		}
		if n := testing.AllocsPerRun(100, f); n > most {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func FuzzGet(f *testing.F) {
	for _, seed := range []string{
		strange, `{"a":1,"\u0061":2}`, `{ "a" : "x" }`, `{"a":{"b":1}}`, `{"`, `{"a":`, `{"a":]"b":1`, `[}`, `{"a":"\`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, path := range []string{"a", "a.0", "0.a.b", ""} { // not valid, but it must end
			v := Record(body).Get(path)
			v.Text()
			v.Int()
			v.Array()
			NewPicker(path, "b").Pick(Record(body).Get(""), nil)
		}
		r, _, err := Clean(body)
		if err != nil {
			return
		}
		object, ok := decode(t, r.Raw()).(map[string]any)
		if !ok {
			return
		}
		first := firstMembers(t, r.Raw())
		escape := strings.NewReplacer(`\`, `\\`, `.`, `\.`)
		for key := range object {
			path := escape.Replace(key)
			if path == "" {
				continue // that is the record itself
			}
			got := r.Get(path)
			if want := first[key]; string(want) != string(got.Raw()) {
				t.Fatalf("%s: Get(%q) = %s; want %s", r, path, got.Raw(), want)
			}
			if picked := NewPicker(path, "a.b").Pick(r, nil); !reflect.DeepEqual(picked, []Value{got, r.Get("a.b")}) {
				t.Fatalf("%s: Pick(%q) = %s, %s", r, path, picked[0].Raw(), picked[1].Raw())
			}
			var text string
			if json.Unmarshal(got.Raw(), &text) == nil && text != got.Text() {
				t.Fatalf("%s: text %q; want %q", got.Raw(), got.Text(), text)
			}
		}
	})
}

// firstMembers returns the members of an object by name, the first of each, as read by encoding/json.
func firstMembers(t testing.TB, object []byte) map[string]json.RawMessage {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(object)))
	if _, err := decoder.Token(); err != nil {
		t.Fatal(err)
	}
	first := map[string]json.RawMessage{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		if _, met := first[key.(string)]; !met {
			first[key.(string)] = value
		}
	}
	return first
}

func BenchmarkGet(b *testing.B) {
	r := Record(property)
	for _, path := range []string{"id", "last_updated_at", "building.address.city"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !r.Get(path).Exists() {
					b.Fatal("absent")
				}
			}
		})
	}
}

func BenchmarkPick(b *testing.B) {
	r := Record(property).Get("")
	picker := NewPicker("id", "last_updated_at", "deleted")
	out := make([]Value, 0, 3)
	b.SetBytes(int64(len(r.Raw())))
	b.ReportAllocs()
	for b.Loop() {
		out = picker.Pick(r, out)
	}
}
