// Package brazil knows what systems of Brazilian vendors have in common: numbers that lost the zeros in front of them, and the words of errors.
package brazil

import (
	"fmt"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// Padded is the members of row that are numbers with zeros in front, as text of all their digits, for APIs that send such as JSON numbers: those
// that digits names, with how many they have (8 for a CEP, 11 for a CPF), and the one called tax, a CPF or a CNPJ by the member called kind,
// which begins with F or J. What is not made of digits, has too many of them, or cannot be told, is left as it is: it is not among the members.
func Padded(row record.Record, digits map[string]int, tax, kind string) (members []record.Member) {
	pad := func(name string, length int) {
		text := row.Get(name).Text()
		if text == "" || len(text) > length || strings.Trim(text, "0123456789") != "" {
			return
		}
		members = append(members, record.Member{Name: name, Value: fmt.Appendf(nil, `"%0*s"`, length, text)})
	}
	for name, length := range digits {
		pad(name, length)
	}
	switch person := strings.ToUpper(strings.TrimSpace(row.Get(kind).Text())); {
	case strings.HasPrefix(person, "F"):
		pad(tax, 11)
	case strings.HasPrefix(person, "J"):
		pad(tax, 14)
	}
	return members
}
