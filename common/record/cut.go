package record

import (
	"errors"
	"fmt"
)

// ErrNoRecords is what Cut says, wrapped, of a page that has neither a list nor an object where its records should be.
var ErrNoRecords = errors.New("the page has no records there")

// Cut returns the records of page at path, which is one of Value.Get; the empty path is the page itself. An array gives its elements, an object
// gives one record, null gives none. A page that is a bare array is used whatever the path is, because some APIs answer with an envelope at
// one time and with a bare array at another. The records share the memory of page. It takes one pass, which ends where the array ends.
//
// Where nothing stands at path, or text or a number does, the error is ErrNoRecords. An element that is not an object is an error that says
// its index.
func Cut(page Value, path string) ([]Value, error) {
	records, _, err := Picker{}.Cut(page, path, nil, nil)
	return records, err
}

// Cut returns Cut, and what Pick says of each record: the values of the first record, then those of the second… It appends both to what it is given.
func (p Picker) Cut(page Value, path string, records, picked []Value) ([]Value, []Value, error) {
	if page.kind() != '[' {
		page = page.Get(path)
	}
	switch page.kind() {
	case '{':
		return append(records, page), p.appendPicked(picked, page), nil
	case 'n':
		return records, picked, nil
	case '[':
	default:
		return nil, nil, fmt.Errorf("looking for records at %q: %w", path, ErrNoRecords)
	}
	for element := range page.Elements() {
		if element.kind() != '{' {
			return nil, nil, fmt.Errorf("cutting the list at %q into records: element %d is not an object", path, len(records))
		}
		records, picked = append(records, element), p.appendPicked(picked, element)
	}
	return records, picked, nil
}
