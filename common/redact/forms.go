package redact

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// longLine is the length beyond which a line of a secret is a secret of its own.
const longLine = 16

// formsOf is every form in which secret can show up, each once; none if it is too short to be one.
func formsOf(secret string) []string {
	var all []string
	for _, one := range variants(secret) {
		if utf8.RuneCountInString(one) < shortest {
			continue
		}
		all = append(all, one)
		all = append(all, jsonForms(one)...)
		all = append(all, urlForms(one)...)
		all = append(all, base64Forms(one)...)
		all = append(all, md5Forms(one)...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(form string) bool { return len(form) < shortest })
}

// variants is the texts that are as secret as secret: itself and trimmed; with several lines also with line breaks written in other ways,
// and each long line alone, but for those that frame a PEM key, which anyone knows.
func variants(secret string) []string {
	all := []string{secret, strings.TrimSpace(secret)}
	lines := strings.NewReplacer("\r\n", "\n", `\r\n`, "\n", `\n`, "\n").Replace(secret)
	if !strings.Contains(lines, "\n") {
		return all
	}
	for _, text := range []string{lines, strings.TrimSpace(lines)} {
		all = append(all, text, strings.ReplaceAll(text, "\n", "\r\n"), strings.ReplaceAll(text, "\n", `\n`))
	}
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if utf8.RuneCountInString(line) > longLine && !strings.HasPrefix(line, "-----") {
			all = append(all, line)
		}
	}
	return all
}

// jsonForms is s between the quotes of a JSON string: as encoding/json writes it, with and without its care for HTML, and as PHP does, with
// nothing but ASCII and with slashes escaped.
func jsonForms(s string) []string {
	careful := quoted(s, true)
	plain := quoted(s, false)
	var ascii strings.Builder
	for _, r := range plain {
		if r < utf8.RuneSelf {
			ascii.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&ascii, `\u%04x`, unit)
		}
	}
	return []string{careful, plain, ascii.String(), strings.ReplaceAll(plain, "/", `\/`), strings.ReplaceAll(ascii.String(), "/", `\/`)}
}

// quoted is s as encoding/json escapes it, without the quotes.
func quoted(s string, html bool) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(html)
	if err := encoder.Encode(s); err != nil {
		return s // a string cannot fail
	}
	return strings.TrimSuffix(strings.TrimPrefix(b.String(), `"`), "\"\n")
}

// urlForms is s in a query and in a path, with a space as + and as %20, and the digits of percent-encoding in both cases.
func urlForms(s string) []string {
	query := url.QueryEscape(s)
	all := []string{query, strings.ReplaceAll(query, "+", "%20"), url.PathEscape(s)}
	for _, form := range all {
		all = append(all, lowerHex(form))
	}
	return all
}

// lowerHex is s with the digits of its percent-encoding in lower case.
func lowerHex(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], bytes.ToLower(b[i+1:i+3]))
			i += 2
		}
	}
	return string(b)
}

// base64Forms is s in base64: alone, and amid other bytes, where it can begin at each of the three places of a group. What depends on the
// neighbours, a character at most on each side, is not part of the form.
func base64Forms(s string) []string {
	var all []string
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for before := range 3 {
			text := encoding.EncodeToString(append(make([]byte, before), s...))
			first := (before*8 + 5) / 6              // the first character that has no bit of what stands before
			unpadded := strings.TrimRight(text, "=") // at the end of the bytes
			inner := text[:(before+len(s))*8/6]      // amid them
			for _, form := range []string{text, unpadded, inner} {
				all = append(all, form[first:], url.QueryEscape(form[first:]))
			}
		}
	}
	return all
}

// md5Forms is the MD5 of s and of s in capitals (some vendors hash the latter), in hexadecimal of both cases and in base64.
func md5Forms(s string) []string {
	var all []string
	for _, text := range []string{s, strings.ToUpper(s)} {
		sum := md5.Sum([]byte(text))
		digits := hex.EncodeToString(sum[:])
		all = append(all, digits, strings.ToUpper(digits))
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			text := encoding.EncodeToString(sum[:])
			all = append(all, text, strings.TrimRight(text, "="), url.QueryEscape(text))
		}
	}
	return all
}
