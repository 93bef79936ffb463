package redact

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PersonalBlank replaces personal data.
const PersonalBlank = "***"

// digitsOfPeople is the number of digits from which a number may identify a person: a telephone number without its area code has eight.
const digitsOfPeople = 8

// Patterns for what identifies a person in a sentence, and for moments, which only look like it.
var (
	address = regexp.MustCompile(`[\pL\pN.!#$%&*+/?^_~'-]+(?:@|%40|&#64;|\\u0040)[\pL\pN-]+(?:\.[\pL\pN-]+)+`)
	// Since 2026 a CNPJ may have letters.
	company = regexp.MustCompile(`\b[A-Z\d]{2}\.[A-Z\d]{3}\.[A-Z\d]{3}/[A-Z\d]{4}-\d{2}\b`)
	// A CNPJ in other spellings; it must have the right check digits.
	companies = regexp.MustCompile(`(?i)\b[A-Z\d]{2}[./ -]?[A-Z\d]{3}[./ -]?[A-Z\d]{3}[./ -]?[A-Z\d]{4}[./ -]?\d{2}\b`)
	// Digits with the separators of numbers: at most one sign and a blank. A full stop before a blank ends a sentence and is not one of them.
	figures = regexp.MustCompile(`\+?\(?\d(?:(?:[-./–]| [-–/+] ?|[-–/] | ?\(|\) ?| )?\d)+`)

	moment = regexp.MustCompile(`(?:` + year + `[-/.](?:1[0-2]|0?[1-9])[-/.]` + day + `|` + day + `[-/.]` + day + `[-/.]` + year + `)` +
		`(?:(?:T| (?:às )?|, )` + clock + `)?|` + year + `\d{4}T\d{6}(?:\.\d+)?Z?|` + clock)
)

// The parts of moments: a year; a day or a month; a time with optional seconds, fraction and zone.
const (
	year  = `(?:19|20)\d\d`
	day   = `(?:3[01]|[0-2]?\d)`
	clock = `\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z| ?[-+]\d\d:?\d\d)?`
)

// Personal returns s, a sentence that a server sent, without what identifies people: e-mail addresses, and numbers with eight digits or more, in the
// forms in which CPFs, CNPJs and telephone numbers are written. It keeps dates and times, IP addresses, versions, and numbers between two letters, as
// in Salesforce ids. It also keeps names, because they cannot be told from other words.
func Personal(s string) string {
	s = company.ReplaceAllLiteralString(address.ReplaceAllLiteralString(s, PersonalBlank), PersonalBlank)
	s = companies.ReplaceAllStringFunc(s, func(number string) string {
		if isCompany(number) {
			return PersonalBlank
		}
		return number
	})
	var out strings.Builder
	done := 0
	for _, at := range moment.FindAllStringIndex(s, -1) {
		if at[0] < done || insideNumber(s, at[0], at[1]) {
			continue
		}
		out.WriteString(withoutNumbers(s[done:at[0]]))
		out.WriteString(s[at[0]:at[1]])
		done = at[1]
	}
	out.WriteString(withoutNumbers(s[done:]))
	return out.String()
}

// isCompany reports whether a CNPJ, with or without separators, has the right check digits: modulo 11, where the value of a letter or digit is its
// ASCII code less 48 (Instrução Normativa RFB 2.229/2024).
func isCompany(number string) bool {
	number = strings.ToUpper(strings.NewReplacer(".", "", "/", "", "-", "", " ", "").Replace(number))
	if !strings.ContainsAny(number[:12], "0123456789") { // words
		return false
	}
	for n := 12; n < 14; n++ {
		sum := 0
		for i := range n {
			sum += int(number[i]-'0') * (2 + (n-1-i)%8)
		}
		if int(number[n]-'0') != (11-sum%11)%11%10 {
			return false
		}
	}
	return true
}

// insideNumber reports whether s[from:to] is part of a longer number, and so not a moment.
func insideNumber(s string, from, to int) bool {
	before, after := strings.TrimRight(s[:from], "-./"), strings.TrimLeft(s[to:], "-./")
	return before != "" && digit(before[len(before)-1]) || after != "" && digit(after[0])
}

// withoutNumbers returns s with the numbers blanked that may identify people.
func withoutNumbers(s string) string {
	var out strings.Builder
	done := 0
	for _, at := range figures.FindAllStringIndex(s, -1) {
		before, _ := utf8.DecodeLastRuneInString(s[:at[0]])
		after, _ := utf8.DecodeRuneInString(s[at[1]:])
		number := s[at[0]:at[1]]
		if digits(number) < digitsOfPeople || unicode.IsLetter(before) && unicode.IsLetter(after) || ofMachine(number) {
			continue
		}
		out.WriteString(s[done:at[0]])
		out.WriteString(PersonalBlank)
		done = at[1]
	}
	out.WriteString(s[done:])
	return out.String()
}

// ofMachine reports whether a number is an IP address, or a version of four parts, at least one of which is 0.
func ofMachine(number string) bool {
	if _, err := netip.ParseAddr(number); err == nil {
		return true
	}
	parts := strings.Split(number, ".")
	return len(parts) == 4 && digits(number) == len(number)-3 && slices.ContainsFunc(parts, func(part string) bool { return part == "0" })
}

func digits(s string) (n int) {
	for i := range len(s) {
		if digit(s[i]) {
			n++
		}
	}
	return n
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
