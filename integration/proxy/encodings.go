package proxy

import (
	"bytes"
	"html"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// What one character may take when it is written in encodings that are within one another: so many backslashes, so many rounds of the same
// encoding, and so many bytes in all.
const (
	backslashes = 15 // JSON four times
	rounds      = 3
	widest      = 4 * (backslashes + 5 + 2*rounds + 2)
)

// written is how many bytes at the beginning of b are a text, each character of it as it is or in an encoding that is usual on the web, or in
// several of them. It is -1 where they are not.
func written(b []byte, text []rune) int {
	if len(text) == 0 {
		return 0
	}
	tried := 0
	for _, size := range character(b, text[0]) {
		if size == 0 || size == tried {
			continue
		}
		if rest := written(b[size:], text[1:]); rest >= 0 {
			return size + rest
		}
		tried = size
	}
	return -1
}

// character is how many bytes at the beginning of b are the character r: as it is or escaped as in JSON, as in a URL, or as in HTML. Each is 0
// where they are not. A percent sign may be itself, and the beginning of what is itself in a URL.
func character(b []byte, r rune) [3]int {
	plain := plainly(b, r)
	if plain == 0 && len(b) > 0 && (r >= 0x80 && r <= 0xff && b[0] == byte(r) || r == ' ' && b[0] == '+') { // of Latin-1; of a form
		plain = 1
	}
	percent := inURL(b, utf8.AppendRune(nil, r))
	if percent == 0 && r >= 0x80 && r <= 0xff {
		percent = inURL(b, []byte{byte(r)})
	}
	if percent == 0 && r == ' ' {
		percent = inURL(b, []byte{'+'}) // of a form in a URL
	}
	return [3]int{plain, percent, inHTML(b, r)}
}

// plainly is the size of r as it is, and as strings of JSON and of programming languages have it.
func plainly(b []byte, r rune) int {
	n := 0
	for n < len(b) && n < backslashes && b[n] == '\\' {
		n++
	}
	if r == '\\' { // a needle has no two of them in a row
		return n
	}
	rest := b[n:]
	if n > 0 {
		if size := escaped(rest, r); size > 0 {
			return n + size
		}
	}
	if one := utf8.AppendRune(nil, r); bytes.HasPrefix(rest, one) {
		return n + len(one)
	}
	return 0
}

// escaped is the size of what comes behind backslashes and means r.
func escaped(b []byte, r rune) int {
	if len(b) == 0 {
		return 0
	}
	switch at := bytes.IndexByte([]byte("\n\t\r\b\f"), byte(min(r, 0xff))); {
	case at >= 0 && b[0] == "ntrbf"[at]:
		return 1
	case b[0] == 'x' && digits(b[1:], 2) == r:
		return 3
	case b[0] != 'u':
		return 0
	case digits(b[1:], 4) == r:
		return 5
	}
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError && digits(b[1:], 4) == high {
		second := len(b[5:]) - len(bytes.TrimLeft(b[5:], `\`))
		if second > 0 && second <= backslashes && len(b) > 5+second && b[5+second] == 'u' && digits(b[6+second:], 4) == low {
			return 10 + second
		}
	}
	return 0
}

// inURL is the size of octets that are escaped with percent signs.
func inURL(b, octets []byte) int {
	n := 0
	for _, octet := range octets {
		sign := plainly(b[n:], '%')
		if sign == 0 {
			return 0
		}
		n += sign
		for range rounds { // a percent sign that is escaped itself
			if rest, ok := bytes.CutPrefix(b[n:], []byte("25")); ok && (octet != '%' || bytes.HasPrefix(rest, []byte("25"))) {
				n += 2
			}
		}
		if digits(b[n:], 2) != rune(octet) {
			return 0
		}
		n += 2
	}
	return n
}

// inHTML is the size of r as a reference of HTML.
func inHTML(b []byte, r rune) int {
	n := plainly(b, '&')
	if n == 0 {
		if n = inURL(b, []byte{'&'}); n == 0 {
			return 0
		}
	}
	for range rounds {
		if rest, ok := bytes.CutPrefix(b[n:], []byte("amp;")); ok && (r != '&' || bytes.HasPrefix(rest, []byte("amp;"))) {
			n += 4
		}
	}
	end := bytes.IndexByte(b[n:min(len(b), n+12)], ';')
	if end < 0 || html.UnescapeString("&"+string(b[n:n+end+1])) != string(r) {
		return 0
	}
	return n + end + 1
}

// digits is the number that the first size hexadecimal digits of b are, or -1.
func digits(b []byte, size int) rune {
	if len(b) < size {
		return -1
	}
	n, err := strconv.ParseUint(string(b[:size]), 16, 32)
	if err != nil {
		return -1
	}
	return rune(n)
}
