package record

import "fmt"

// Padded is the member of row called name as text of so many digits, with zeros in front: for numbers that name something, such as postal codes,
// which APIs send without them. ok is false where it is no number of digits, or has more of them than length.
func Padded(row Record, name string, length int) (m Member, ok bool) {
	text := row.Get(name).Text()
	for _, c := range []byte(text) {
		if !isDigit(c) {
			return m, false
		}
	}
	if text == "" || len(text) > length {
		return m, false
	}
	return Member{Name: name, Value: fmt.Appendf(nil, `"%0*s"`, length, text)}, true
}
