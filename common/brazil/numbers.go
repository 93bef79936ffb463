package brazil

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// The digits of what is written with zeros in front.
const (
	CEP  = 8
	CPF  = 11
	CNPJ = 14
)

// Padded returns the members of row that are numbers with zeros in front, as text of all their digits, for APIs that send such as JSON numbers:
// those that digits names, with how many they have, and the one called tax, a CPF or a CNPJ by the member called kind, which begins with F (a
// natural person) or J (a legal one). What is not made of digits, has too many of them, or cannot be told is left as it is: it is not among the
// members.
func Padded(row record.Record, digits map[string]int, tax, kind string) (members []record.Member) {
	pad := func(name string, length int) {
		text := row.Get(name).Text()
		if text == "" || len(text) > length || strings.Trim(text, "0123456789") != "" {
			return
		}
		members = append(members, record.Member{Name: name, Value: fmt.Appendf(nil, `"%0*s"`, length, text)})
	}
	for _, name := range slices.Sorted(maps.Keys(digits)) {
		pad(name, digits[name])
	}
	switch person := strings.ToUpper(strings.TrimSpace(row.Get(kind).Text())); {
	case strings.HasPrefix(person, "F"):
		pad(tax, CPF)
	case strings.HasPrefix(person, "J"):
		pad(tax, CNPJ)
	}
	return members
}
