package brazil

import (
	"fmt"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// The digits of what is written with zeros in front.
const (
	CEP  = 8
	CPF  = 11
	CNPJ = 14
)

// Digits is a number that is written with so many digits.
type Digits struct {
	Name   string
	Length int
}

// Padded returns the members of a row that are numbers with zeros in front, as text of all their digits, for APIs that send such as JSON numbers:
// those that numbers names, and the one called tax, a CPF or a CNPJ by the member called kind, which begins with F (a natural person) or J (a legal
// one). get returns a member of the row. What is not made of digits, has too many of them, or cannot be told is left as it is: it is not among the
// members.
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
