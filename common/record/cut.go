package record

import (
	"errors"
	"fmt"
)

// ErrNoRecords is what Cut says, wrapped, of a page that has neither a list nor an object where its records should be.
var ErrNoRecords = errors.New("the page has no records there")

// Cut is the records of page at path, which is one of Record.Get; the empty path is the page itself. An array gives its elements, an object
// gives one record, null gives none. A page that is a bare array is used whatever the path is, because some APIs answer with an envelope at
// one time and with a bare array at another. The records share the memory of page. It takes one pass, which ends where the array ends.
//
// Where nothing stands at path, or text or a number does, the error is ErrNoRecords. An element that is not an object is an error that says
// its index.
func Cut(page Record, path string) ([]Record, error) {
	i := skipSpace(page)
	if i < len(page) && page[i] != '[' {
		i = find(page, i, path, path != "")
	}
	if i < 0 || i >= len(page) {
		return nil, fmt.Errorf("looking for records at %q: %w", path, ErrNoRecords)
	}
	switch page[i] {
	case '{':
		return []Record{valueAt(page, i).Raw()}, nil
	case 'n':
		return nil, nil
	case '[':
		var records []Record
		for c := open(page, i); c.element(); {
			if page[c.i] != '{' {
				return nil, fmt.Errorf("cutting the list at %q into records: element %d is not an object", path, len(records))
			}
			records = append(records, c.value())
		}
		return records, nil
	}
	return nil, fmt.Errorf("looking for records at %q: %w", path, ErrNoRecords)
}
