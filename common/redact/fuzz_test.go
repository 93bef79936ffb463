package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// window is how many consecutive characters of a secret give it away.
const window = 7

// encoding is one way to write text, and how a reader undoes it wherever it occurs, by means that are not the Redactor's.
type encoding struct {
	encode func(string) string
	read   func(string) []string
}

func one(read func(string) string) func(string) []string {
	return func(s string) []string { return []string{read(s)} }
}

func encodings() []encoding {
	escaped := regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|["\\/])`)
	fromJSON := one(func(s string) string {
		return escaped.ReplaceAllStringFunc(s, func(escape string) string {
			if n, err := strconv.ParseUint(escape[2:], 16, 32); err == nil && len(escape) > 2 {
				return string(rune(n))
			}
			return escape[1:]
		})
	})
	percented := regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	fromURL := one(func(s string) string {
		return percented.ReplaceAllStringFunc(s, func(escape string) string {
			n, _ := strconv.ParseUint(escape[1:], 16, 8) // two digits
			return string([]byte{byte(n)})
		})
	})
	fromHTML := one(html.UnescapeString)
	digits := regexp.MustCompile(`[0-9a-fA-F]{2,}`)
	fromHex := func(s string) (all []string) {
		for _, run := range digits.FindAllString(s, -1) {
			for skip := range 2 {
				b, _ := hex.DecodeString(run[skip : skip+(len(run)-skip)/2*2])
				all = append(all, string(b))
			}
		}
		return all
	}
	characters := regexp.MustCompile(`[0-9a-zA-Z+/_-]{4,}`)
	fromBase64 := func(s string) (all []string) {
		s = strings.NewReplacer("\r", "", "\n", "", "-", "+", "_", "/").Replace(s)
		for _, run := range characters.FindAllString(s, -1) {
			for skip := range 4 {
				b, _ := base64.RawStdEncoding.DecodeString(run[skip:])
				all = append(all, string(b))
			}
		}
		return all
	}
	return []encoding{
		{url.QueryEscape, fromURL},
		{func(s string) string { return strings.ToLower(everyByte(s, "%%%02X")) }, fromURL},
		{url.PathEscape, fromURL},
		{quote, fromJSON},
		{escapeAll, fromJSON},
		{func(s string) string { return strings.ReplaceAll(quote(s), "/", `\/`) }, fromJSON},
		{html.EscapeString, fromHTML},
		{entities, fromHTML},
		{func(s string) string { return everyByte(s, "%02x") }, fromHex},
		{func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }, fromBase64},
		{func(s string) string {
			return inLines(base64.RawURLEncoding.EncodeToString([]byte("user:"+s)), 12, "\r\n")
		}, fromBase64},
	}
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string cannot fail
	}
	return string(b[1 : len(b)-1])
}

// escapeAll returns s with each character as its JSON escape.
func escapeAll(s string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, `\u%04X`, unit)
	}
	return b.String()
}

// entities returns s with each character as a numeric HTML entity, alternately decimal and hexadecimal.
func entities(s string) string {
	var b strings.Builder
	for i, r := range []rune(s) {
		fmt.Fprintf(&b, []string{"&#%d;", "&#x%04X;"}[i%2], r)
	}
	return b.String()
}

// FuzzString checks that a secret that was encoded by any chain of encoders, amid any text, cannot be recovered by undoing them.
func FuzzString(f *testing.F) {
	f.Add("S3nh@/a+ç!o=(9)*x", "token ", " and more", uint16(0), uint16(3))
	f.Add("dwv-segredo-de-teste-7Q", "Basic user:", "\"}", uint16(9), uint16(0x24))
	f.Add("a+b c%41&amp;\\u0041/x", "x=", "&y", uint16(0x31), uint16(0x190))
	f.Fuzz(func(t *testing.T, secret, before, after string, inner, outer uint16) {
		secret = strings.ToValidUTF8(secret, "")
		if len([]rune(secret)) < window || len(strings.TrimSpace(secret)) != len(secret) || len(secret) > 200 || len(before)+len(after) > 1000 ||
			strings.ContainsAny(before+after, `\%&`) || strings.Contains(secret, "*") || strings.ContainsFunc(secret, control) ||
			strings.Trim(secret, "+ ") == "" {
			return // text before the secret may begin an escape that swallows the secret's, and a blank may be a part of it;
			// in a form, nothing identifies a secret of only pluses and spaces
		}
		var chain []encoding
		text := secret
		for _, choice := range []uint16{inner % 12, inner / 12 % 12, outer % 12} {
			if choice < 11 {
				e := encodings()[choice]
				chain, text = append(chain, e), e.encode(text)
			}
		}
		out := New(secret).String(before + text + after)
		if out == before+text+after {
			t.Fatalf("%q stays in %q", text, out)
		}
		readings := []string{out}
		edge := min(window-1, len(text)) // the surrounding text is no leak, nor what it makes together with less than a window of the secret
		alone := []string{before + text[:edge] + "\x00" + text[len(text)-edge:] + after}
		for depth := range len(chain) + 1 {
			for i := range readings {
				for _, piece := range pieces(secret) {
					if strings.Contains(readings[i], piece) && !strings.Contains(strings.Join(alone, "\x00"), piece) {
						t.Fatalf("%q is in %q, which %q became", piece, readings[i], before+text+after)
					}
				}
			}
			if depth < len(chain) {
				read := chain[len(chain)-1-depth].read
				readings, alone = readAll(read, readings), readAll(read, alone)
			}
		}
	})
}

func control(r rune) bool { return r < ' ' || r == 0x7F }

func readAll(read func(string) []string, texts []string) (all []string) {
	for _, text := range texts {
		all = append(all, read(text)...)
	}
	return all
}

// pieces returns each window of secret.
func pieces(secret string) (all []string) {
	runes := []rune(secret)
	for i := range len(runes) - window + 1 {
		all = append(all, string(runes[i:i+window]))
	}
	return all
}
