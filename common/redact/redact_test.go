package redact

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
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

func TestForms(t *testing.T) {
	const secret = "P<á s/&+?~\"x\\>ç9!"
	sum := func(s string) []byte { b := md5.Sum([]byte(s)); return b[:] }
	plainJSON := "P<á s/&+?~\\\"x\\\\>ç9!"
	careful, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	redactor := New(secret)
	for name, form := range map[string]string{
		"plain":                     secret,
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

// Whatever stands around the secret, at most one character on each side of it, which holds bits of a neighbour, is left.
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
	before := r.forms.Load()
	if r.Add("second"); r.forms.Load() != before {
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

func FuzzString(f *testing.F) {
	f.Add("s3cret", "token s3cret and more", "ret a")
	f.Add(" p@ss/w<rd ", "Basic dXNlcjpwQHNzL3c8cmQ=", "abc")
	f.Add("line one is long enough\nline two is long too", "x", "line")
	f.Fuzz(func(t *testing.T, secret, text, other string) {
		if strings.Contains(secret+other, "*") {
			return // the blank itself would be a part of it
		}
		r := New(secret, other)
		all := append(formsOf(secret), formsOf(other)...)
		all = append(all, "") // text as it is
		for _, form := range all {
			in := text + form + text
			out := r.String(in)
			for _, gone := range all {
				if gone != "" && strings.Contains(out, gone) {
					t.Fatalf("%q became %q, which has %q", in, out, gone)
				}
			}
			if out == in && form != "" {
				t.Fatalf("%q stays in %q", form, in)
			}
			if strings.Contains(text, "*") {
				continue
			}
			rest := in // what is left is what stood around the secrets, in order
			for part := range strings.SplitSeq(out, Blank) {
				i := strings.Index(rest, part)
				if i < 0 {
					t.Fatalf("%q became %q", in, out)
				}
				rest = rest[i+len(part):]
			}
		}
	})
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
