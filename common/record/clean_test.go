package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, test := range []struct {
		name, body, want string
		replaced         int
	}{
		{"an object", `{"a":1}`, `{"a":1}`, 0},
		{"white space around it", " \t{\"a\": 1} ", `{"a": 1}`, 0},
		{"line breaks", "{\r\n  \"a b\\n\" : [ 1 ,\t2 ]\n}\n", `{"a b\n":[1,2]}`, 0},
		{"spaces alone stay", `{"a" : [ 1 ]}`, `{"a" : [ 1 ]}`, 0},
		{"a byte order mark", "\ufeff[]", `[]`, 0},
		{"digits", `[1.2300,-0,1E+05,12345678901234567890123]`, `[1.2300,-0,1E+05,12345678901234567890123]`, 0},
		{"escapes as written", `["\u00e9\/\u003c\ud83d\ude00\uD83D\ude00\ud83d\uDE00é😀"]`,
			`["\u00e9\/\u003c\ud83d\ude00\uD83D\ude00\ud83d\uDE00é😀"]`, 0},
		{"repeated keys", `{"a":1,"a":2}`, `{"a":1,"a":2}`, 0},
		{"bad bytes", "[\"\xe7\xe3o \xff\"]", "[\"\ufffd\ufffdo \ufffd\"]", 3},
		{"a raw surrogate", "[\"\xed\xa0\x80\"]", "[\"\ufffd\ufffd\ufffd\"]", 3},
		{"U+FFFD itself", "[\"\ufffd\"]", "[\"\ufffd\"]", 0},
		{"a lone first half", `["\ud800x","\uD800\u0041"]`, `["\ufffdx","\ufffd\u0041"]`, 2},
		{"a lone second half", `["\udc00","\uDFFFx"]`, `["\ufffd","\ufffdx"]`, 2},
		{"two first halves and one second", `["\ud800\uD83D\ude00\uDE00"]`, `["\ufffd\uD83D\ude00\ufffd"]`, 2},
		{"no surrogate but a backslash", `["\\ud800","\\\ud800"]`, `["\\ud800","\\\ufffd"]`, 1},
		{"other escapes with ud", `["\ud7ff\uD000"]`, `["\ud7ff\uD000"]`, 0},
		{"a scalar", ` "x" `, `"x"`, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, mended, err := Clean([]byte(test.body))
			if err != nil || string(got.Raw()) != test.want || mended != (Mended{Invalid: test.replaced}) {
				t.Errorf("Clean = %q, %+v, %v; want %q, %d", got, mended, err, test.want, test.replaced)
			}
		})
	}
}

func TestCleanEscapesControlCharacters(t *testing.T) {
	for _, test := range []struct {
		name, body, want string
		mended           Mended
	}{
		{"a tab and a line break", "{\"a\":\"Sala\tampla\nfrente mar\"}", `{"a":"Sala\tampla\nfrente mar"}`, Mended{Control: 2}},
		{"each of them", "[\"\x00\x01\b\t\n\v\f\r\x1f\"]", `["\u0000\u0001\u0008\t\n\u000b\u000c\r\u001f"]`, Mended{Control: 9}},
		{"behind a word of eight bytes", "[\"01234567\t\"]", `["01234567\t"]`, Mended{Control: 1}},
		{"in a name", "{\"a\nb\":1}", `{"a\nb":1}`, Mended{Control: 1}},
		{"behind escapes", "[\"\\\\\t\\\"\t\"]", `["\\\t\"\t"]`, Mended{Control: 2}},
		{"and between tokens", "[\r\n\"a\nb\" ,\t1]", `["a\nb",1]`, Mended{Control: 1}},
		{"and bytes that are not UTF-8", "[\"\xe7\n\\ud800\"]", "[\"\ufffd\\n\\ufffd\"]", Mended{Invalid: 2, Control: 1}},
		{"those that are escaped", `["\t\u0001"]`, `["\t\u0001"]`, Mended{}},
		{"those above", "[\"\x7f\u0085\u2028\"]", "[\"\x7f\u0085\u2028\"]", Mended{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, mended, err := Clean([]byte(test.body))
			if err != nil || string(got.Raw()) != test.want || mended != test.mended {
				t.Errorf("Clean = %q, %+v, %v; want %q, %+v", got, mended, err, test.want, test.mended)
			}
		})
	}
}

func TestCleanRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":             "",
		"white space":         " \n",
		"a control character": "\x00 0",
		"a mark alone":        "\ufeff",
		"two values":          `{"a":1}{"a":2}`,
		"a rest":              `{"a":1} x`,
		"HTML":                "<html>secret</html>",
		"cut off":             `{"a":"secret`,
		"one between tokens":  "[\x01]",
		"one in an escape":    "[\"a\\\nb\"]",
		"one in a word":       "[nu\tll]",
		"cut off in a text":   "[\"a\n",
		"a comma too many":    `[1,]`,
		"a leading zero":      `[01]`,
		"nothing but [":       strings.Repeat("[", 64<<20),
		"nothing but {a:":     strings.Repeat(`{"a":`, 8<<20),
		"one level too deep":  strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := Clean([]byte(body))
			if err == nil || got.Exists() {
				t.Fatalf("Clean = %.100q, %v", got, err)
			}
			if text := err.Error(); len(text) > 100 || strings.Contains(text, "secret") {
				t.Errorf("the error says too much: %q", text)
			}
		})
	}
}

func TestCleanDepth(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`{"a":[`, n/2) + strings.Repeat("]}", n/2) }
	inText := `["` + strings.Repeat("[{", maxDepth) + `\"` + strings.Repeat("[", maxDepth) + `"]`
	wide := "[" + strings.Repeat("[{}],", 2*maxDepth) + "{}]"
	for _, body := range []string{nested(maxDepth), inText, wide} {
		if got, _, err := Clean([]byte(body)); err != nil || string(got.Raw()) != body {
			t.Errorf("Clean(%.20q…) = %.20q, %v", body, got, err)
		}
	}
	for _, body := range []string{nested(maxDepth + 2), `{"total":1,"data":[{"id":1,"tree":` + nested(maxDepth) + "}]}"} {
		if _, _, err := Clean([]byte(body)); !errors.Is(err, ErrTooDeep) {
			t.Errorf("Clean(%.20q…): %v", body, err)
		}
	}
}

// TestCleanRows checks that JSON for records leaves room for the levels around it, and has no number that destinations refuse.
func TestCleanRows(t *testing.T) {
	k := Cleaner{Rows: true}
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	long, digits := "0."+strings.Repeat("3", maxNumber-1), strings.Repeat("3", maxNumber)
	for body, want := range map[string]string{
		nested(maxDepth - around): nested(maxDepth - around),
		`[1e-99999999999,"1e-99999999999",-1E+99999999999 ,{"a":1e-1001,"b":[0e1001]}]`: `["1e-99999999999","1e-99999999999","-1E+99999999999" ,{"a":"1e-1001","b":["0e1001"]}]`,
		`[1e-1000,0e999,` + digits + `]`:                                                `[1e-1000,0e999,` + digits + `]`,
		`{"a\"1":` + long + `,"b":"` + long + "\",\n\"c\":" + digits + `3}`:             `{"a\"1":"` + long + `","b":"` + long + `","c":"` + digits + `3"}`,
		long: `"` + long + `"`,
	} {
		if got, _, err := k.Clean([]byte(body)); err != nil || string(got.Raw()) != want {
			t.Errorf("Clean(%.50q…) = %.50q, %v", body, got, err)
		}
		if got, _, err := Clean([]byte(body)); err != nil || len(got.Raw()) > len(body) {
			t.Errorf("without Rows: Clean(%.50q…) = %.50q, %v", body, got, err)
		}
	}
	if _, _, err := k.Clean([]byte(nested(maxDepth - around + 1))); !errors.Is(err, ErrTooDeep) {
		t.Errorf("a level too many: %v", err)
	}
}

// TestMemoryOfABody checks that memory that was given back is reused for bodies of about the same size, and that no more than the limit is kept.
func TestMemoryOfABody(t *testing.T) {
	var k Cleaner
	text := `{"rows":[` + strings.Repeat(`{"id":7,"name":"long enough that marks are worth their memory"},`, 100) + `{}]}`
	body := append(k.Room(len(text)), text...)
	page, _, err := k.Clean(body)
	if err != nil {
		t.Fatal(err)
	}
	k.FreeValue(page)
	if small := k.Room(len(text) / 8); cap(small) >= len(text) {
		t.Errorf("%d bytes for %d", cap(small), len(text)/8)
	}
	again := append(k.Room(len(text)), text...)
	if &again[0] != &body[0] {
		t.Error("the memory of a body was not used again")
	}
	next, _, err := k.Clean(again)
	if err != nil || next.String() != text || &next.marks[0] != &page.marks[0] {
		t.Errorf("%.100s, %v, or the memory of its marks was not used again", next, err)
	}
	for range 100 {
		k.Free(make([]byte, 0, 1<<20))
	}
	if len(k.bodies.pieces) != spareBodies>>20 {
		t.Errorf("%d MiB are kept", len(k.bodies.pieces))
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,2.50,{"b":null}],"c":"\u00e9\ud83d\ude00"}`, "{\r\n\"a\" : \"\\ud800\" }", "[\"\xff\"]", "\ufeff\"x\"",
		`[1e5,-0,"\\\\\ud800"]`, `[`,
		`{"\ud800":"\udc00\ud83D\uDe00"}`, "{\"a\tb\" :\n\"\x00 \\n\" }", `[-0.5e+3,true,false,null,{},[]]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		cleaned, mended, err := Clean(body)
		clean := cleaned.Raw()
		if err != nil {
			if valid := bytes.TrimPrefix(before, []byte("\ufeff")); json.Valid(valid) && !errors.Is(err, ErrTooDeep) {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if !json.Valid(clean) || !utf8.Valid(clean) || bytes.ContainsAny(clean, "\r\n") {
			t.Fatalf("not clean: %q", clean)
		}
		before = bytes.TrimPrefix(before, []byte("\ufeff"))
		switch {
		case !utf8.Valid(before):
			if mended.Invalid == 0 {
				t.Fatal("bad bytes were not counted")
			}
		case json.Valid(before) != (mended.Control == 0):
			t.Fatalf("%d control characters in %q", mended.Control, before)
		case mended.Control == 0:
			if got, want := decode(t, clean), decode(t, before); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q became %q", before, clean)
			}
		}
		again, mended, err := Clean(bytes.Clone(clean))
		if err != nil || mended != (Mended{}) || !bytes.Equal(again.Raw(), clean) {
			t.Fatalf("a second time: %q became %q, %+v, %v", clean, again, mended, err)
		}
	})
}

// decode returns what encoding/json makes of valid JSON. Numbers stay text.
func decode(t testing.TB, b []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("decoding %q: %v", b, err)
	}
	return value
}

func BenchmarkClean(b *testing.B) {
	for name, body := range map[string][]byte{"compact": page(100), "indented": indented(page(100))} {
		b.Run(name, func(b *testing.B) {
			buffer := make([]byte, len(body))
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				copy(buffer, body)
				if _, _, err := Clean(buffer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func indented(body []byte) []byte {
	var out bytes.Buffer
	if err := json.Indent(&out, body, "", "  "); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// property returns a record of about 3 KB with nested values of every kind.
const property = `{"id":4718,"title":"Residencial Atl\u00e2ntico","code":"AP-4718","status":"active","construction_stage":"under` +
	` construct` +
	`ion","rent":false,"deleted":false,"address_display_type":"complete","description":"Apartamento de frente para o mar, com` +
	` três suítes, varanda gourmet e duas vagas. Entrega em dezembro; condomínio com piscina aquecida, academia, salão de fes` +
	`tas, brinquedoteca e espaço pet. A poucos metros da praia, de escolas e do comércio. \"Últimas unidades\" com condições ` +
	`de lançamento.\nAgende uma visita.","unit":{"id":99120,"title":"Apto 1203","price":"1250000.00","type":"apartment","floo` +
	`r_plan":{"category":{"title":"Apartamento","tag":"apartment"},"title":"Tipo A"},"section":null,"parking_spaces":2,"dorms` +
	`":3,"suites":3,"bathroom":4,"private_area":"112.50","util_area":"98.00","total_area":"160.25","payment_conditions":[{"ti` +
	`tle":"Entrada","percentage":20},{"title":"Parcelas","percentage":50},{"title":"Chaves","percentage":30}],"cover":{"url":` +
	`"https://images.example.com/units/99120/cover-large.jpg","sizes":{"small":"https://images.example.com/units/99120/s.jpg"` +
	`,"medium":"https://images.example.com/units/99120/m.jpg","large":"https://images.example.com/units/99120/l.jpg"}},"addit` +
	`ional_galleries":[]},"building":{"id":311,"title":"Atlântico","gallery":[{"url":"https://images.example.com/b/311/1.jpg"` +
	`,"sizes":{"small":"https://images.example.com/b/311/1s.jpg","large":"https://images.example.com/b/311/1l.jpg"}},{"url":"` +
	`https://images.example.com/b/311/2.jpg","sizes":{"small":"https://images.example.com/b/311/2s.jpg","large":"https://imag` +
	`es.example.com/b/311/2l.jpg"}},{"url":"https://images.example.com/b/311/3.jpg","sizes":{"small":"https://images.example.` +
	`com/b/311/3s.jpg","large":"https://images.example.com/b/311/3l.jpg"}}],"architectural_plans":[],"video":null,"videos":["` +
	`https://video.example.com/watch?v=abcdef"],"tour_360":"","description":[{"title":"Lazer","items":[{"item":"Piscina"},{"i` +
	`tem":"Academia"},{"item":"Salão de festas"}]}],"address":{"street_name":"Rua 3000","street_number":"120","neighborhood":` +
	`"Centro","complement":null,"zip_code":"88330-334","city":"Balneário Camboriú","state":"SC","country":"Brasil","latitude"` +
	`:-26.990812345,"longitude":-48.634812345},"text_address":"Rua 3000, 120 - Centro","incorporation":"R-4-12345","cover":{"` +
	`url":"https://images.example.com/b/311/cover.jpg"},"features":[{"tags":["Piscina","Academia"],"type":"leisure"}],"delive` +
	`ry_date":"2026-12-01"},"construction_company":{"title":"Construtora Modelo","site":"https://construtora.example.com","wh` +
	`atsapp":"+55 47 99999-0000","instagram":"@modelo","email":"contato@construtora.example.com","business_contacts":[{"respo` +
	`nsible":"Maria","phone_number":"+55 47 98888-0000"}],"additionals_contacts":[],"logo":{"url":"https://images.example.com` +
	`/cc/1.png"}},"third_party_property":null,"last_updated_at":"2024-03-11 12:24:18"}`

// page returns an envelope of n records.
func page(n int) []byte {
	return fmt.Appendf(nil, `{"total":%d,"data":[%s%s],"lastPage":1}`, n, strings.Repeat(property+",", n-1), property)
}
