package brazil

import (
	"fmt"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// The number of digits of numbers that are written with leading zeros.
const (
	CEP  = 8
	CPF  = 11
	CNPJ = 14
)

// Digits is a number that is written with Length digits.
type Digits struct {
	Name   string
	Length int
}

// Padded returns the members of a row that are numbers with leading zeros, as texts with all their digits, for APIs that send them as JSON numbers.
// These are the members that numbers names, and the member tax: a CPF or a CNPJ, depending on the member kind, which begins with F (a natural person)
// or J (a legal person). get returns a member of the row. Values that are not made of digits, that have too many, or whose length is unknown stay as
// they are; Padded does not return them.
func Padded(get func(name string) record.Value, numbers []Digits, tax, kind string) (members []record.Member) {
	pad := func(name string, length int) {
		text := get(name).Text()
		if text == "" || len(text) > length || strings.Trim(text, "0123456789") != "" {
			return
		}
		members = append(members, record.Member{Name: name, Value: fmt.Appendf(nil, `"%0*s"`, length, text)})
	}
	for _, number := range numbers {
		pad(number.Name, number.Length)
	}
	switch person := strings.ToUpper(strings.TrimSpace(get(kind).Text())); {
	case strings.HasPrefix(person, "F"):
		pad(tax, CPF)
	case strings.HasPrefix(person, "J"):
		pad(tax, CNPJ)
	}
	return members
}
