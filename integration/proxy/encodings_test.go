package proxy

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// inner returns ways to write a text, outer are those that text comes in which was written in one way already.
func inner() map[string]func(string) string {
	each := func(format string) func(string) string {
		return func(text string) string {
			var b strings.Builder
			for _, r := range text {
				fmt.Fprintf(&b, format, r)
			}
			return b.String()
		}
	}
	all := map[string]func(string) string{
		"HTML, decimal": each("&#%d;"), "HTML, hexadecimal": each("&#x%04X;"), "JSON, every character": each(`\u%04x`), "hexadecimal escapes": each(`\x%02x`),
		"slashes": func(s string) string { return strings.ReplaceAll(s, "/", `\/`) },
		"base64":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"digits":  func(s string) string { return hex.EncodeToString([]byte(s)) },
		"every octet": func(s string) string {
			var b strings.Builder
			for _, octet := range []byte(s) {
				fmt.Fprintf(&b, "%%%02x", octet)
			}
			return b.String()
		},
	}
	maps.Copy(all, outer())
	return all
}

func outer() map[string]func(string) string {
	return map[string]func(string) string{
		"as it is": func(s string) string { return s }, "JSON": quoted, "HTML": html.EscapeString, "query": url.QueryEscape, "path": url.PathEscape,
	}
}

// A secret is found however it is written, and all of it is blanked, also where the text comes in parts.
func TestEncodings(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"plain-secret", `q"ote/sl\ash`, "çñ é & <more> 100% 'x'", "a+b=c d", "1234567890", strings.Repeat("long.token/", 30)} {
		blank := newSecrets([]string{secret}).substitution(inText)
		for first, in := range inner() {
			for second, out := range outer() {
				text := out(in(secret))
				got := blank.text("before " + text + " behind")
				if rest := strings.ReplaceAll(got, mark, ""); rest != "before  behind" {
					t.Errorf("%q as %s in %s is %q, and becomes %.200q", secret, first, second, text, got)
				}
			}
		}
	}
}

// A view says where each of its bytes comes from, whatever the text.
func FuzzViews(f *testing.F) {
	f.Add(`\\u00e7&amp;#231;%25C3%25A7`)
	f.Add(`\ud83d\ude00\ud83d%`)
	f.Add("%252525&&;&#0;")
	f.Fuzz(func(t *testing.T, text string) {
		for _, v := range views([]byte(text)) {
			if len(v.from) != len(v.text)+1 || !slices.IsSorted(v.from) || v.from[len(v.text)] != len(text) {
				t.Errorf("%q as %q: %v", text, v.text, v.from)
			}
		}
	})
}

// Secrets in a long stream are blanked wherever the parts that it is looked at in end, and the rest stays as it is.
func TestLongStream(t *testing.T) {
	t.Parallel()
	const secret, every, times = `s3cr"et/çalm&`, 997, 300
	encoders := []func(string) string{quoted, url.QueryEscape, func(s string) string { return quoted(url.QueryEscape(html.EscapeString(s))) }}
	var text, want strings.Builder
	for i := range times {
		filler := strings.Repeat(`é\n`, every/4)
		text.WriteString(filler + encoders[i%len(encoders)](secret))
		want.WriteString(filler + mark)
	}
	got, err := io.ReadAll(newSecrets([]string{secret}).substitution(inText).reader(strings.NewReader(text.String())))
	if err != nil || string(got) != want.String() {
		t.Errorf("%d bytes of %d, %v", len(got), want.Len(), err)
	}
}
