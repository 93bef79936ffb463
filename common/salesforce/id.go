package salesforce

import "strings"

// SameID returns a text that is equal for the two forms of an Id. In the form with 15 characters case matters. In the form with 18 characters the
// last three say which of the others are capitals, so case does not matter. Other texts are returned in small letters.
func SameID(id string) string {
	const letters, each = "abcdefghijklmnopqrstuvwxyz012345", 5 // the letter that encodes which of five characters are capitals
	same := strings.ToLower(id)
	if len(id) != 15 {
		return same
	}
	for from := 0; from < len(id); from += each {
		capitals := 0
		for i, c := range []byte(id[from : from+each]) {
			if 'A' <= c && c <= 'Z' {
				capitals |= 1 << i
			}
		}
		same += letters[capitals : capitals+1]
	}
	return same
}
