package snapproperty

import (
	"fmt"
	"sort"
	"strings"
)

// digits are those of Salesforce's Ids, in their order, which is that of their bytes too.
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// The beginnings of Ids: three characters for the object, the instance and the leading zeros.
const (
	propertyPrefix = "a050B00000"
	photoPrefix    = "a060B00000"
	contractPrefix = "a0l0B00001"
	queryPrefix    = "01g0B00000"
	placePrefix    = "a010B00000"
	kindPrefix     = "a4H0B00000"
	usePrefix      = "a4I0B00000"
)

// salesforceID returns an Id of 18 characters: the 15 that count, case and all, and 3 that say which of them are capitals.
func salesforceID(prefix string, number int) string {
	id := [18]byte{}
	copy(id[:], prefix)
	for i := 14; i >= 10; i-- {
		id[i] = digits[number%62]
		number /= 62
	}
	copy(id[15:], suffix(id[:15]))
	return string(id[:])
}

// suffix returns the last three characters for the first fifteen.
func suffix(id []byte) []byte {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	var three [3]byte
	for part := range three {
		bits := 0
		for i, c := range id[part*5 : part*5+5] {
			if c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		three[part] = letters[bits]
	}
	return three[:]
}

// core returns the first fifteen characters of an Id of 15 or 18, whose last three must be right. An error is Salesforce's text for what is
// no Id.
func core(id string) (string, error) {
	if len(id) == 15 || len(id) == 18 && string(suffix([]byte(id[:15]))) == id[15:] {
		if strings.Trim(id, digits) == "" {
			return id[:15], nil
		}
	}
	return "", fmt.Errorf("invalid ID field: %s", id)
}

// The Ids rise with the number and have gaps.
func propertyID(index int) string  { return salesforceID(propertyPrefix, 40_000_000+index*3) }
func contractID(number int) string { return salesforceID(contractPrefix, 9_000_000+number*7) }
func photoID(number int) string    { return salesforceID(photoPrefix, 70_000_000+number*2+number/5) }

// at returns where in a rising list of n Ids the first is that is not below an Id of 15 characters.
func at(n int, id func(int) string, core string) int {
	return sort.Search(n, func(i int) bool { return id(i)[:15] >= core })
}

// find returns the index of the Id of 15 or 18 characters.
func find(n int, id func(int) string, wanted string) (index int, ok bool) {
	c, err := core(wanted)
	if err != nil {
		return 0, false
	}
	index = at(n, id, c)
	return index, index < n && id(index)[:15] == c
}

// The photos of twenty properties, one after the other; forty in all.
func photosOf(index int) int {
	return [...]int{2, 0, 3, 1, 4, 2, 5, 0, 2, 1, 2, 0, 0, 1, 0, 2, 12, 0, 2, 1}[index%20]
}

// firstPhoto returns the number of a property's first photo.
func firstPhoto(index int) int {
	n := index / 20 * 40
	for i := index / 20 * 20; i < index; i++ {
		n += photosOf(i)
	}
	return n
}
