package sim

import (
	"encoding/json"
	"testing"
)

func TestWriter(t *testing.T) {
	for _, test := range []struct {
		want  string
		write func(w *Writer)
	}{
		{`{}`, func(w *Writer) { w.Raw("{}") }},
		{`{"a":1}`, func(w *Writer) { w.Raw("{"); w.Int("a", 1); w.Raw("}") }},
		{`{"a":-20,"b":"x \"y\"","c":null,"d":true,"e":false}`, func(w *Writer) {
			w.Raw("{")
			w.Int("a", -20)
			w.Text("b", `x "y"`)
			w.Is("c", "null")
			w.Bool("d", true)
			w.Bool("e", false)
			w.Raw("}")
		}},
		{`[{"a":[]},{"a":[7,-8,"b"]}]`, func(w *Writer) {
			w.Raw("[")
			w.Next()
			w.Raw("{")
			w.Is("a", "[]")
			w.Raw("}")
			w.Next()
			w.Raw("{")
			w.Name("a")
			w.Raw("[")
			w.Next()
			w.Whole(7)
			w.Next()
			w.Whole(-8)
			w.Next()
			w.Quote("b")
			w.Raw("]}]")
		}},
	} {
		var w Writer
		test.write(&w)
		if got := string(w.B); got != test.want || !json.Valid(w.B) {
			t.Errorf("wrote %s, want %s", got, test.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", `""`},
		{"ação <b> & a/b 🏖️\u2028\u007f", "\"ação <b> & a/b 🏖️\u2028\u007f\""},
		{`"`, `"\""`},
		{`\fotos "mar"`, `"\\fotos \"mar\""`},
		{"\na\r\n\tb\n", `"\na\r\n\tb\n"`},
		{"\x00\x01\b\f\x1fé", `"\u0000\u0001\u0008\u000c\u001fé"`},
	} {
		var w Writer
		w.Quote(test.text)
		if got := string(w.B); got != test.want {
			t.Errorf("%q became %s, want %s", test.text, got, test.want)
		}
		var back string
		if err := json.Unmarshal(w.B, &back); err != nil || back != test.text {
			t.Errorf("%q became %s, which is %q: %v", test.text, w.B, back, err)
		}
	}
}
