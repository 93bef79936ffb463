package redact

import (
	"context"
	"crypto/md5"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestString(t *testing.T) {
	for _, test := range []struct {
		name    string
		secrets []string
		in      string
		want    string
	}{
		{"plain", []string{"s3cret"}, "token=s3cret.", "token=****."},
		{"everywhere", []string{"s3cret"}, "s3cret a s3cret", "**** a ****"},
		{"nothing to blank", []string{"s3cret"}, "secret", "secret"},
		{"no secrets", nil, "s3cret", "s3cret"},
		{"too short", []string{"", " ", "ab", " ab ", "çã"}, "ab  çã ab", "ab  çã ab"},
		{"hardly any ASCII", []string{"çãõ"}, "çãõ éîü", "**** éîü"},
		{"nothing but signs for a space", []string{"+++"}, "a   b +++", "a   b ****"},
		{"spaces as a form has them", []string{"0     0"}, "00+++++00", "0****0"},
		{"just long enough", []string{"abc"}, "xabcx", "x****x"},
		{"at the very end", []string{"abc"}, "ab", "ab"},
		{"trimmed", []string{" s3cret\n"}, "<s3cret>", "<****>"},
		{"the longest first", []string{"s3cret", "s3cret-and-more"}, "s3cret-and-more s3cret-and", "**** ****-and"},
		{"one after the other", []string{"s3cret", "other"}, "s3cretother s3cret other", "**** **** ****"},
		{"overlapping", []string{"abcdef", "defghijk"}, "xabcdefghijkx", "x****x"},
		{"one inside the other", []string{"abcdefgh", "cde"}, "xabcdefghx cde", "x****x ****"},
		{"one that begins inside another and ends before it", []string{"abcdefgh", "bcd", "ghi"}, "abcdefghix", "****x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := New(test.secrets...).String(test.in); got != test.want {
				t.Errorf("%q became %q; want %q", test.in, got, test.want)
			}
		})
	}
}

// TestMD5OfAShortSecret checks that the MD5 of a text that is too short to be searched for is blanked, because the text may be a password whose MD5
// is used to log in.
func TestMD5OfAShortSecret(t *testing.T) {
	for _, secret := range []string{"a", "ab", " Ab\n", "çã"} {
		r := New(secret, "", " ")
		for _, text := range []string{secret, strings.TrimSpace(secret), strings.ToUpper(strings.TrimSpace(secret))} {
			sum := md5.Sum([]byte(text))
			for _, form := range []string{hex.EncodeToString(sum[:]), strings.ToUpper(hex.EncodeToString(sum[:])), base64.StdEncoding.EncodeToString(sum[:])} {
				if got := r.String("it is " + form + "."); got != "it is ****." {
					t.Errorf("the MD5 of %q: %s", text, got)
				}
				if got := r.Beginning(strings.Repeat("x", 2<<10) + form[:len(form)-1]); strings.Contains(got, form[:4]) {
					t.Errorf("the MD5 of %q, cut off: %s", text, got[len(got)-40:])
				}
			}
		}
	}
	if got := New("", " ").String("d41d8cd98f00b204e9800998ecf8427e"); strings.Contains(got, Blank) {
		t.Errorf("the MD5 of nothing became %s", got)
	}
}

// everyByte returns s with each byte written in a format.
func everyByte(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return b.String()
}

// inLines returns s in lines of that many characters.
func inLines(s string, length int, end string) string {
	var b strings.Builder
	for part := range slices.Chunk([]byte(s), length) {
		b.Write(part)
		b.WriteString(end)
	}
	return strings.TrimSuffix(b.String(), end)
}

func TestForms(t *testing.T) {
	const secret = "P<á s/&+?~\"x\\>ç9!"
	sum := func(s string) []byte { b := md5.Sum([]byte(s)); return b[:] }
	plainJSON := "P<á s/&+?~\\\"x\\\\>ç9!"
	careful, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	redactor := New(secret)
	listed := strings.Trim(fmt.Sprintf("%d", []byte(secret)), "[]")
	latin := "P<\xe1 s/&+?~\"x\\>\xe79!"
	for name, form := range map[string]string{
		"plain":                     secret,
		"Latin-1":                   latin,
		"UTF-8 read as Latin-1":     "P<Ã¡ s/&+?~\"x\\>Ã§9!",
		"broken UTF-8":              "P<\uFFFD s/&+?~\"x\\>\uFFFD9!",
		"without the letters":       "P<? s/&+?~\"x\\>?9!",
		"a query of Latin-1":        url.QueryEscape(latin),
		"encodeURIComponent":        "P%3C%C3%A1%20s%2F%26%2B%3F~%22x%5C%3E%C3%A79!",
		"every character of a URL":  everyByte(secret, "%%%02x"),
		"JavaScript's escape":       "P%3C%E1%20s/%26+%3F%7E%22x%5C%3E%u00E79%21",
		"JSON of .NET":              `P\u003C\u00E1 s/\u0026\u002B?~\u0022x\\\u003E\u00E79!`,
		"JSON of JSON":              `P<\\u00e1 s\\/&+?~\\\"x\\\\>\\u00e79!`,
		"JavaScript":                `P\x3C\u{e1} s/\x26\x2B?~\"x\\>\xe79!`,
		"Go":                        `P<\u00e1 s/&+?~\"x\\>\U000000e79!`,
		"octal":                     `P<\303\241 s/&+?~\"x\\>\303\2479!`,
		"HTML":                      "P&lt;&aacute; s/&amp;+?~&quot;x\\&gt;&ccedil;9!",
		"HTML, decimal":             "P&#60;&#225; s/&#38;&#43;?~&#34;x\\&#62;&#0231;9!",
		"HTML, hexadecimal":         "P&#x3c;&#xE1; s/&#x26;&#x02B;?~&#X22;x\\&#x3E;&#xe7;9!",
		"HTML without semicolons":   "P&lt&aacute s/&amp+?~&#34x\\&gt&ccedil9!",
		"a query in HTML":           html.EscapeString(url.PathEscape(secret)),
		"a query in JSON":           strings.ReplaceAll(url.QueryEscape(secret), "%", `\u0025`),
		"JSON in a query":           url.QueryEscape(`P<\u00e1 s\/&+?~\"x\\>\u00e79!`),
		"a query in a query":        url.QueryEscape(url.QueryEscape(secret)),
		"hexadecimal":               hex.EncodeToString([]byte(secret)),
		"hexadecimal of .NET":       strings.ToUpper(strings.Trim(everyByte(secret, "-%02x"), "-")),
		"hexadecimal with colons":   strings.Trim(everyByte(secret, ":%02x"), ":"),
		"MD5 of .NET":               strings.ToUpper(strings.Trim(everyByte(string(sum(secret)), "-%02x"), "-")),
		"octal without zeros":       everyByte(secret, `\%o`),
		"escapes of Perl":           everyByte(latin, `\x{%x}`),
		"quoted-printable":          everyByte(secret, "=%02X"),
		"quoted-printable, mostly":  strings.NewReplacer("á", "=C3=A1", "ç", "=C3=\r\n=A7").Replace(secret),
		"other case":                strings.ToUpper(secret[:3]) + secret[3:8] + strings.ToUpper(secret[8:]),
		"UTF-16":                    strings.Join(strings.Split(latin, ""), "\x00"),
		"UTF-16 in base64":          base64.StdEncoding.EncodeToString([]byte(strings.Join(strings.Split(latin, ""), "\x00"))),
		"UTF-16 in hexadecimal":     everyByte(latin, "%02x00")[:4*len(latin)-2],
		"in two lines":              secret[:8] + "\r\n  " + secret[8:],
		"with a soft hyphen":        secret[:8] + "\u00AD" + secret[8:],
		"with zero-width spaces":    strings.Join(strings.Split(secret, ""), "\u200B"),
		"in several lines":          strings.ReplaceAll(secret, " ", "\r\n\t "),
		"with many spaces":          strings.ReplaceAll(secret, " ", "   "),
		"with a space of HTML":      strings.ReplaceAll(secret, " ", "&nbsp;"),
		"with a variation selector": secret[:8] + "\uFE0F" + secret[8:],
		"with a grapheme joiner":    secret[:8] + "\u034F" + secret[8:],
		"in colours":                secret[:8] + "\x1b[1;31m" + secret[8:],
		"in colours, in JSON":       plainJSON[:8] + `\u001b[0m` + plainJSON[8:],
		"in a line that goes on":    plainJSON[:8] + "\\\n" + plainJSON[8:],
		"bytes of Go":               listed,
		"bytes of Node":             strings.ReplaceAll(listed, " ", ","),
		"bytes of Python":           strings.ReplaceAll(listed, " ", ", "),
		"base32":                    base32.StdEncoding.EncodeToString([]byte(secret)),
		"with a tag":                secret[:8] + "<wbr/>" + secret[8:],
		"base64 with tags":          inLines(base64.StdEncoding.EncodeToString([]byte(secret)), 8, "<br>"),
		"base64 of Latin-1":         base64.StdEncoding.EncodeToString([]byte(latin)),
		"base64 in lines":           inLines(base64.StdEncoding.EncodeToString([]byte(secret)), 8, "\r\n"),
		"base64 in indented lines":  inLines(base64.StdEncoding.EncodeToString([]byte(secret)), 8, "\n\t  "),
		"base64 in lines in JSON":   inLines(base64.StdEncoding.EncodeToString([]byte(secret)), 8, `\n`),
		"base64 in JSON of PHP":     strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte(secret)), "/", `\/`),
		"base64 of a query":         base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(secret))),
		"base64 of base64":          base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(secret)))),
		"MD5 of Latin-1":            hex.EncodeToString(sum(latin)),
		"MD5 of Latin-1 capitals":   hex.EncodeToString(sum("P<\xc1 S/&+?~\"X\\>\xc79!")),
		"MD5 of Latin-1 in base64":  base64.StdEncoding.EncodeToString(sum(latin)),
		"JSON":                      plainJSON,
		"JSON with care for HTML":   strings.Trim(string(careful), `"`),
		"JSON of PHP":               `P<\u00e1 s\/&+?~\"x\\>\u00e79!`,
		"a query":                   url.QueryEscape(secret),
		"a query, %20":              strings.ReplaceAll(url.QueryEscape(secret), "+", "%20"),
		"a path":                    url.PathEscape(secret),
		"a query, small digits":     "P%3c%c3%a1+s%2f%26%2b%3f~%22x%5c%3e%c3%a79%21",
		"a path, small digits":      "P%3c%c3%a1%20s%2f&+%3f~%22x%5c%3e%c3%a79%21",
		"base64":                    base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64, no padding":        base64.RawStdEncoding.EncodeToString([]byte(secret)),
		"base64, URL":               base64.URLEncoding.EncodeToString([]byte(secret)),
		"base64, URL, no padding":   base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"base64 in a query":         url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(secret))),
		"MD5":                       hex.EncodeToString(sum(secret)),
		"MD5 in capitals":           strings.ToUpper(hex.EncodeToString(sum(secret))),
		"MD5 of capitals":           hex.EncodeToString(sum(strings.ToUpper(secret))),
		"MD5 of capitals in such":   strings.ToUpper(hex.EncodeToString(sum(strings.ToUpper(secret)))),
		"MD5 in base64":             base64.StdEncoding.EncodeToString(sum(secret)),
		"MD5 of capitals in base64": base64.RawURLEncoding.EncodeToString(sum(strings.ToUpper(secret))),
		"MD5 in base64 in a query":  url.QueryEscape(base64.StdEncoding.EncodeToString(sum(secret))),
	} {
		if got := redactor.String("[" + form + "]"); got != "[****]" {
			t.Errorf("%s: %s became %s", name, form, got)
		}
	}
}

// TestBase64AmidOtherBytes checks that all that is left around a secret is the text around it, except for at most one character on each side, which
// holds bits of a neighbour.
func TestBase64AmidOtherBytes(t *testing.T) {
	const secret = "abc1"
	redactor := New(secret)
	for before := range 7 {
		for after := range 4 {
			for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
				prefix, suffix := strings.Repeat("u", before), strings.Repeat("~", after)
				text := encoding.EncodeToString([]byte(prefix + secret + suffix))
				got := redactor.String(text)
				left, right, found := strings.Cut(got, Blank)
				characters := base64.RawStdEncoding.EncodedLen(before + len(secret) + after)
				inner := (before + len(secret)) * 8 / 6
				if !found || len(left) > (8*before+5)/6 || len(strings.TrimRight(right, "=")) > characters-inner {
					t.Errorf("%d before, %d after: %s became %s", before, after, text, got)
				}
			}
		}
	}
	basic := base64.StdEncoding.EncodeToString([]byte("user@example.com:abc1"))
	if got := redactor.String("Basic " + basic); !strings.HasPrefix(got, "Basic dXNlckBleGFtcGxlLmNvbT") || !strings.HasSuffix(got, Blank) {
		t.Errorf("Basic credentials: %s became %s", basic, got)
	}
}

func TestSeveralLines(t *testing.T) {
	first, second := strings.Repeat("MIIEv", 12)+"+/Ab", strings.Repeat("Qk93x", 4)
	lines := []string{"-----BEGIN PRIVATE KEY-----", first, second, "c2hvcnQ=", "-----END PRIVATE KEY-----", ""}
	for name, written := range map[string]string{"\n": "\n", "\r\n": "\r\n", `\n`: `\n`} {
		redactor := New(strings.Join(lines, written))
		for _, shown := range []string{"\n", "\r\n", `\n`} {
			if got := redactor.String("<" + strings.Join(lines, shown) + ">"); got != "<****>" {
				t.Errorf("written with %q, shown with %q: %s", name, shown, got)
			}
			if got := redactor.String("<" + strings.TrimSpace(strings.Join(lines[:5], shown)) + ">"); got != "<****>" {
				t.Errorf("written with %q, shown with %q and trimmed: %s", name, shown, got)
			}
		}
		want := "-----BEGIN PRIVATE KEY----- **** **** c2hvcnQ= ****"
		text := lines[0] + " " + first + " " + second + " c2hvcnQ= " + base64.StdEncoding.EncodeToString([]byte(first))
		if got := redactor.String(text); got != want {
			t.Errorf("line by line: %s", got)
		}
	}
}

// TestPieces checks that no piece of a long token, which APIs may quote in part, is left that is longer than what any text may have in common with
// it.
func TestPieces(t *testing.T) {
	const token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyTG9naW4iOiJhbmEiLCJleHAiOiIxNzk2In0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
	redactor := New(token)
	for from := 0; from < len(token); from += 9 {
		for to := from + 1; to <= len(token); to++ {
			for left := range strings.SplitSeq(redactor.String(token[from:to]), "*") {
				if len(left) >= 2*longLine {
					t.Fatalf("of %q is left: %q", token[from:to], left)
				}
			}
		}
	}
	if got := redactor.String("the token " + token[:90] + "… has ended"); got != "the token ****"+token[80:90]+"… has ended" {
		t.Error(got)
	}
}

func TestNil(t *testing.T) {
	var r *Redactor
	r.Add("s3cret")
	if got := r.String("s3cret"); got != "s3cret" {
		t.Error(got)
	}
	if got := new(Redactor).String("s3cret"); got != "s3cret" {
		t.Error(got)
	}
}

func TestAdd(t *testing.T) {
	r := New("first")
	if got := r.String("first second"); got != "**** second" {
		t.Error(got)
	}
	r.Add("second", "first")
	if got := r.String("first second"); got != "**** ****" {
		t.Error(got)
	}
	before := r.known.Load()
	if r.Add("second"); r.known.Load() != before {
		t.Error("adding what is known made a new set")
	}
}

func TestConcurrently(t *testing.T) {
	r := New()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 20 {
				secret := fmt.Sprintf("secret-%d-%d", i, j)
				r.Add(secret)
				if got := r.String("<" + secret + ">"); got != "<****>" {
					t.Errorf("%s became %s", secret, got)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkString(b *testing.B) {
	r := New("a-token-of-some-length-0123456789", "user@example.com", "p4ssw0rd!", "another/secret+with=signs")
	text := strings.Repeat(`{"level":"INFO","message":"Reading page 12 of properties: 100 records in 312 ms"} `, 100)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r.String(text)
	}
}

// TestBeginning checks that a text that is cut off does not end in a part of a secret, in whatever form the secret is written.
func TestBeginning(t *testing.T) {
	const secret = "S3nh@/a+ç!o=(9)*x"
	r := New(secret)
	long := strings.Repeat("x", expansion*len(secret))
	for _, form := range []string{
		secret, url.QueryEscape(secret), url.QueryEscape(escapeAll(secret)), entities(secret), base64.StdEncoding.EncodeToString([]byte(secret)),
	} {
		for cut := 1; cut <= len(form); cut++ {
			got := r.Beginning("begin " + long + form[:cut])
			if !strings.HasPrefix(got, "begin ") || strings.Trim(got[6:], "x*") != "" {
				t.Fatalf("of %q is left: %q", form[:cut], strings.Trim(got, "x"))
			}
		}
	}
	if got := r.Beginning(secret + long + long); !strings.HasPrefix(got, Blank+"x") {
		t.Errorf("a whole secret became %.40q", got)
	}
	if got := r.Beginning("short"); got != "" {
		t.Errorf("what may all be a part of a secret became %q", got)
	}
	for name, none := range map[string]*Redactor{"nil": nil, "zero": {}} {
		if got := none.Beginning("text"); got != "text" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestEffort checks that a text that would take very long to decode is blanked and not only searched in part.
func TestEffort(t *testing.T) {
	const secret = "dwv-segredo-de-teste-7Q"
	var nested strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&nested, `%%2541\\u0%03x&amp;amp;#%d;`, i%4096, i)
		nested.WriteString(base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `%%2525%02x\\\u00%02x&amp;%d; %[3]d`, i%256, i%256, i)))
	}
	if got := New(secret).String(nested.String()); got != Blank && got != nested.String() {
		t.Errorf("blanked in part: %.100q", got)
	}
	text := strings.Repeat("%25", 10000) + secret
	if got := New(secret).String(text); strings.Contains(got, "segredo") {
		t.Errorf("the secret is left in %.100q", got)
	}
}

func TestContext(t *testing.T) {
	r := New("s3cret")
	if From(With(t.Context(), r)) != r {
		t.Error("the context carries another one")
	}
	for name, ctx := range map[string]context.Context{"none": t.Context(), "nil": With(t.Context(), nil)} {
		one := From(ctx)
		if one.Add("s3cret"); one.String("s3cret") != Blank || From(ctx) == one {
			t.Errorf("%s: it is no new one", name)
		}
	}
}
