package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/internal/numbers"
)

// Set is a set of record keys that is compact in memory and as JSON. Keys that are whole numbers, as nearly all are, take less than a byte each if
// they are close together; see numbers.Set. The zero value and nil are empty sets. Nothing can be added to nil. Set is not safe for concurrent use,
// not even for marshalling.
type Set struct {
	numbers numbers.Set
	texts   map[string]struct{}
}

// Len returns the number of keys.
func (s *Set) Len() int64 {
	if s == nil {
		return 0
	}
	return s.numbers.Len() + int64(len(s.texts))
}

// Has reports whether key is in the set.
func (s *Set) Has(key string) bool {
	if s == nil {
		return false
	}
	if n, ok := numbers.Parse(key); ok {
		return s.numbers.Has(n)
	}
	_, has := s.texts[key]
	return has
}

// Add adds key to the set.
func (s *Set) Add(key string) {
	n, ok := numbers.Parse(key)
	switch {
	case ok:
		s.numbers.Add(n)
	case s.texts == nil:
		s.texts = map[string]struct{}{key: {}}
	default:
		s.texts[key] = struct{}{}
	}
}

// Remove removes key from the set, which may be nil.
func (s *Set) Remove(key string) {
	if s == nil {
		return
	}
	if n, ok := numbers.Parse(key); ok {
		s.numbers.Remove(n)
		return
	}
	delete(s.texts, key)
}

// AddAll adds every key of other, which may be nil, to the set.
func (s *Set) AddAll(other *Set) {
	if other == nil {
		return
	}
	s.numbers.AddAll(&other.numbers)
	for text := range other.texts {
		s.Add(text)
	}
}

// RemoveAll removes every key of other from the set.
func (s *Set) RemoveAll(other *Set) {
	s.numbers.RemoveAll(&other.numbers)
	for text := range other.texts {
		delete(s.texts, text)
	}
}

// fewRanges is the maximum number of ranges that are written as readable text.
const fewRanges = 1000

// form is the JSON form of a set that is neither a text of ranges nor just an array of texts.
type form struct {
	Numbers string          `json:"numbers,omitempty"` // as ranges
	Bitmap  []byte          `json:"bitmap,omitempty"`  // in the format of numbers.Set
	Texts   json.RawMessage `json:"texts,omitempty"`
}

// MarshalJSON returns the set's short form, which is the same for the same keys: a text of ranges ("1-500,502"), an array of texts if no key is a
// whole number, or {"numbers":"1-500,502","texts":["a"]} if only some are. If there are more than fewRanges ranges, the numbers are a Roaring bitmap:
// {"bitmap":"…"}, with or without texts.
func (s *Set) MarshalJSON() ([]byte, error) {
	if s == nil {
		return []byte(`""`), nil
	}
	var f form
	var err error
	if len(s.texts) > 0 {
		if f.Texts, err = json.Marshal(slices.Sorted(maps.Keys(s.texts))); err != nil || s.numbers.Len() == 0 {
			return f.Texts, err
		}
	}
	if written, few := s.ranges(); few {
		if f.Texts == nil {
			return json.Marshal(written)
		}
		f.Numbers = written
	} else if f.Bitmap, err = s.numbers.MarshalBinary(); err != nil {
		return nil, fmt.Errorf("writing a set of keys: %w", err)
	}
	return json.Marshal(f)
}

// ranges returns the numbers as "1-3,7". few is false if there are more than fewRanges ranges.
func (s *Set) ranges() (written string, few bool) {
	var b []byte
	count := 0
	for r := range s.numbers.Ranges() {
		if count++; count > fewRanges {
			return "", false
		}
		if len(b) > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, r.From, 10)
		if r.To > r.From {
			b = strconv.AppendInt(append(b, '-'), r.To, 10)
		}
	}
	return string(b), true
}

// UnmarshalJSON reads what MarshalJSON writes, and also an array of texts that includes whole numbers. Ranges may come in any order and may overlap.
// A range that ends before it begins is an error, and so are more than manyNumbers numbers.
func (s *Set) UnmarshalJSON(data []byte) error {
	*s = Set{}
	switch data[0] {
	case '[':
		return s.keys(data)
	case '{':
		var f form
		if err := json.Unmarshal(data, &f); err != nil {
			return fmt.Errorf("reading a set of keys: %w", err)
		}
		if f.Bitmap != nil {
			if err := s.numbers.UnmarshalBinary(f.Bitmap); err != nil {
				return fmt.Errorf("reading a set of keys: %w", err)
			}
		}
		if f.Texts != nil {
			if err := s.keys(f.Texts); err != nil {
				return err
			}
		}
		return s.parse(f.Numbers)
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("reading a set of keys: %w", err)
	}
	return s.parse(text)
}

// keys adds the texts of a JSON array one by one, so that a million repetitions of one key need no memory.
func (s *Set) keys(array []byte) error {
	d := json.NewDecoder(bytes.NewReader(array))
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return fmt.Errorf("reading a set of keys: %w", err)
		}
		switch token := token.(type) {
		case json.Delim:
			if token == ']' {
				return nil
			}
			if depth++; token != '[' || depth > 1 {
				return fmt.Errorf("reading a set of keys: a list of texts has %v in it", token)
			}
		case string:
			s.Add(token)
		default:
			return fmt.Errorf("reading a set of keys: a list of texts has a %T in it", token)
		}
	}
}

// manyNumbers is the maximum total of the numbers in all ranges. manyTexts is how many of them may be too large for numbers.Set and become texts.
const manyNumbers, manyTexts = 1 << 32, 1 << 20

// parse adds the numbers of a text such as "1-3,7".
func (s *Set) parse(text string) error {
	if text == "" {
		return nil
	}
	var all, texts uint64
	for part := range strings.SplitSeq(text, ",") {
		r, err := bounds(part)
		if err != nil {
			return err
		}
		if r.From > r.To {
			return fmt.Errorf("reading a set of keys: range %q ends before it begins", part)
		}
		more := uint64(r.To) - uint64(r.From) // one less than the range has
		if all += min(more, manyNumbers) + 1; !r.Fits() {
			texts += min(more, manyNumbers) + 1
		}
		switch {
		case all > manyNumbers || texts > manyTexts:
			return fmt.Errorf("reading a set of keys: its ranges have too many numbers, with %q", part)
		case r.Fits():
			s.numbers.AddRange(r)
		default:
			for i := range more + 1 {
				s.Add(strconv.FormatInt(r.From+int64(i), 10))
			}
		}
	}
	return nil
}

// bounds reads a range such as "7", "-7", "1-5" or "-5--1".
func bounds(part string) (r numbers.Range, err error) {
	dash := -1
	if len(part) > 0 {
		if i := strings.IndexByte(part[1:], '-'); i >= 0 {
			dash = i + 1
		}
	}
	first, last := part, part
	if dash > 0 {
		first, last = part[:dash], part[dash+1:]
	}
	if r.From, err = strconv.ParseInt(first, 10, 64); err == nil {
		r.To, err = strconv.ParseInt(last, 10, 64)
	}
	if err != nil {
		return numbers.Range{}, fmt.Errorf("reading a set of keys: %w", err)
	}
	return r, nil
}
