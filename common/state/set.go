package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/internal/numbers"
)

// Set is a set of record keys that stays small, in memory and as JSON. Keys that are whole numbers, as nearly all are, become ranges: those
// that lie close together cost 16 bytes for all of them, however many they are. The zero value and nil are empty sets; nil cannot be added
// to. Not safe for concurrent use, marshalling included.
type Set struct {
	numbers numbers.Set
	texts   map[string]struct{}
}

// Len returns the number of keys, or the largest int64 where there are more.
func (s *Set) Len() int64 {
	if s == nil {
		return 0
	}
	n, texts := s.numbers.Len(), int64(len(s.texts))
	if n > math.MaxInt64-texts {
		return math.MaxInt64
	}
	return n + texts
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

// Add puts key into the set.
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

// AddAll puts every key of other, which may be nil, into the set. It costs as much as both sets have ranges.
func (s *Set) AddAll(other *Set) {
	if other == nil {
		return
	}
	s.numbers.AddAll(&other.numbers)
	for text := range other.texts {
		s.Add(text)
	}
}

// mixed is a set of numbers and texts as JSON.
type mixed struct {
	Numbers string   `json:"numbers"`
	Texts   []string `json:"texts"`
}

// MarshalJSON returns the set's short form, the same for the same keys: a text of ranges ("1-500,502"), an array of texts where no key is a whole
// number, or {"numbers":"1-500,502","texts":["a"]} where only some are.
func (s *Set) MarshalJSON() ([]byte, error) {
	if s == nil {
		return []byte(`""`), nil
	}
	ranges := s.numbers.Ranges()
	switch texts := slices.Sorted(maps.Keys(s.texts)); {
	case len(texts) == 0:
		return json.Marshal(written(ranges))
	case len(ranges) == 0:
		return json.Marshal(texts)
	default:
		return json.Marshal(mixed{written(ranges), texts})
	}
}

// UnmarshalJSON reads what MarshalJSON wrote, and an array of texts some of which are whole numbers. Ranges may come in any order and may
// overlap; one that ends before it begins is an error.
func (s *Set) UnmarshalJSON(data []byte) error {
	*s = Set{}
	switch data[0] {
	case '[':
		return s.keys(data)
	case '{':
		var parts struct {
			Numbers string          `json:"numbers"`
			Texts   json.RawMessage `json:"texts"`
		}
		if err := json.Unmarshal(data, &parts); err != nil {
			return fmt.Errorf("reading a set of keys: %w", err)
		}
		if parts.Texts != nil {
			if err := s.keys(parts.Texts); err != nil {
				return err
			}
		}
		return s.parse(parts.Numbers)
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("reading a set of keys: %w", err)
	}
	return s.parse(text)
}

// keys adds the texts of a JSON array, one by one: a list of one key a million times costs no memory.
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

// rangesAtOnce is how many ranges are read before they are put into a set, however few it has.
const rangesAtOnce = 1024

// parse adds the numbers of "1-3,7".
func (s *Set) parse(text string) error {
	if text == "" {
		return nil
	}
	var some []numbers.Range
	for part := range strings.SplitSeq(text, ",") {
		r, err := bounds(part)
		if err != nil {
			return err
		}
		if r.From > r.To {
			return fmt.Errorf("reading a set of keys: range %q ends before it begins", part)
		}
		if some = append(some, r); len(some) >= rangesAtOnce+len(s.numbers.Ranges())/4 {
			s.numbers.AddRanges(some...)
			some = some[:0]
		}
	}
	s.numbers.AddRanges(some...)
	return nil
}

// bounds reads "7", "-7", "1-5" or "-5--1".
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

// written returns ranges as "1-3,7".
func written(ranges []numbers.Range) string {
	var b []byte
	for i, r := range ranges {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, r.From, 10)
		if r.To > r.From {
			b = strconv.AppendInt(append(b, '-'), r.To, 10)
		}
	}
	return string(b)
}
