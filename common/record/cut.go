package record

import (
	"encoding/binary"
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
	records, _, err := Picker{}.Cut(page, path)
	return records, err
}

// Cut is Cut, and what Pick says of each record, in the same pass: the values of the first record, then those of the second…
func (p Picker) Cut(page Record, path string) (records []Record, picked []Value, err error) {
	i := skipSpace(page)
	if i < len(page) && page[i] != '[' {
		i = find(page, i, path, path != "")
	}
	if i < 0 || i >= len(page) {
		return nil, nil, fmt.Errorf("looking for records at %q: %w", path, ErrNoRecords)
	}
	var marks []byte
	switch page[i] {
	case '{':
		end, picked := p.object(page, i, nil, &marks)
		return []Record{page[i:end:end]}, picked, nil
	case 'n':
		return nil, nil, nil
	case '[':
		for c := open(page, i); c.element(); {
			if page[c.i] != '{' {
				return nil, nil, fmt.Errorf("cutting the list at %q into records: element %d is not an object", path, len(records))
			}
			start := c.i
			c.i, picked = p.object(page, start, picked, &marks)
			records = append(records, page[start:c.i:c.i])
		}
		return records, picked, nil
	}
	return nil, nil, fmt.Errorf("looking for records at %q: %w", path, ErrNoRecords)
}

// object is the end of the object that begins at b[i], and picked with its values behind. marks is the memory of what Marks picks.
func (p Picker) object(b []byte, i int, picked []Value, marks *[]byte) (end int, all []Value) {
	if len(p.paths) == 0 {
		return skipNested(b, i), picked
	}
	from := len(picked)
	for range p.paths {
		picked = append(picked, Value{})
	}
	if len(p.paths) > 64 { // more than there are bits in a set
		end = skipNested(b, i)
		p.Pick(b[i:end:end], picked[from:from])
		return end, picked
	}
	at := len(*marks)
	if p.marks {
		*marks = append(*marks, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	if end = p.pick(b, i, p.paths, picked[from:], marks); p.marks {
		binary.LittleEndian.PutUint64((*marks)[at:], uint64(end-i))
		picked[len(picked)-1] = Value{(*marks)[at:len(*marks):len(*marks)]}
	}
	return end, picked
}
