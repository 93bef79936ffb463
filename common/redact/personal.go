package redact

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PersonalBlank stands in the place of personal data.
const PersonalBlank = "***"

// digitsOfPeople is the number of digits from which on a number may be that of a person: a telephone without its area code has eight.
const digitsOfPeople = 8

// What a person is found by in a sentence, and what only looks like it.
var (
	address = regexp.MustCompile(`[\pL\pN.!#$%&*+/?^_~'-]+(?:@|%40|&#64;|\\u0040)[\pL\pN-]+(?:\.[\pL\pN-]+)+`)
	// Since 2026 a CNPJ may have letters.
	company = regexp.MustCompile(`\b[A-Z\d]{2}\.[A-Z\d]{3}\.[A-Z\d]{3}/[A-Z\d]{4}-\d{2}\b`)
	// Other ways of writing one, which is known by its check digits.
	companies = regexp.MustCompile(`(?i)\b[A-Z\d]{2}[./ -]?[A-Z\d]{3}[./ -]?[A-Z\d]{3}[./ -]?[A-Z\d]{4}[./ -]?\d{2}\b`)
	// Digits with what stands inside numbers: at most one sign and a blank, and no full stop in front of a blank, which ends a sentence.
	figures = regexp.MustCompile(`\+?\(?\d(?:(?:[-./–]| [-–/+] ?|[-–/] | ?\(|\) ?| )?\d)+`)

	moment = regexp.MustCompile(`(?:` + year + `[-/.](?:1[0-2]|0?[1-9])[-/.]` + day + `|` + day + `[-/.]` + day + `[-/.]` + year + `)` +
		`(?:(?:T| (?:às )?|, )` + clock + `)?|` + year + `\d{4}T\d{6}(?:\.\d+)?Z?|` + clock)
)

// The parts of moments: a day or a month, and a time with or without seconds, their parts and a zone.
const (
	year  = `(?:19|20)\d\d`
	day   = `(?:3[01]|[0-2]?\d)`
	clock = `\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z| ?[-+]\d\d:?\d\d)?`
)

// Personal returns s, a sentence that a server sent, without what identifies people: e-mail addresses, and numbers with eight digits or more, in the
// forms in which CPF, CNPJ and telephones are written. Days and times stay, and so do addresses of the internet, versions, and what has letters
// on both sides, as codes of Salesforce. Names stay: nobody can tell them from other words.
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

// isCompany reports whether a CNPJ, with or without signs in it, has its check digits: modulo 11, each letter or digit being its ASCII code less 48
// (Instrução Normativa RFB 2.229/2024).
func isCompany(number string) bool {
	number = strings.ToUpper(strings.NewReplacer(".", "", "/", "", "-", "", " ", "").Replace(number))
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

// insideNumber reports whether s[from:to] is a part of a longer number, and so no moment.
func insideNumber(s string, from, to int) bool {
	before, after := strings.TrimRight(s[:from], "-./"), strings.TrimLeft(s[to:], "-./")
	return before != "" && digit(before[len(before)-1]) || after != "" && digit(after[0])
}

// withoutNumbers returns s without numbers that may be those of people.
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

// ofMachine reports whether a number is an address of the internet, or a version of four parts, of which one is 0.
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
