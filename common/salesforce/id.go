package salesforce

import "strings"

// SameID returns what is equal for the two forms of an Id: that with 15 characters, in which capitals count, and that with 18, in which the last
// three say which of the others are capitals, so that they need not be. Other texts are returned in small letters.
func SameID(id string) string {
	const letters, each = "abcdefghijklmnopqrstuvwxyz012345", 5 // the letter for the capitals among five characters
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
