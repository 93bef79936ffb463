package record

import (
	"errors"
	"fmt"
)

// ErrNoRecords is the error, wrapped, that Cut returns for a page with neither a list nor an object in the place of its records.
var ErrNoRecords = errors.New("the page has no records there")

// Cut returns the records of page at path, which is a path of Value.Get. The empty path is the page itself. An array yields its elements, an object
// is one record, and null yields none. If the page is a bare array, path is ignored, because some APIs answer sometimes with an envelope and
// sometimes with a bare array. The records share the memory of page. Cut takes one pass, which ends where the array ends.
//
// If path leads to nothing, or to a text or a number, the error is ErrNoRecords. If an element is not an object, the error says its index.
func Cut(page Value, path string) ([]Value, error) {
	records, _, err := Picker{}.Cut(page, path, nil, nil)
	return records, err
}

// Cut is like the function Cut, and also returns what Pick returns for each record, one record after the other. It appends both to its arguments.
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
