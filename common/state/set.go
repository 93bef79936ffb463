package state

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Set is a set of record keys that stays small, in memory and as JSON. Keys that are whole numbers, as nearly all are, become ranges: those
// that lie close together cost 16 bytes for all of them, however many they are. The zero value and nil are empty sets; nil cannot be added
// to. Not safe for concurrent use, marshalling included.
//
// Numbers that are added wait unsorted until they are a quarter of the ranges, and at least 1,024; then they are sorted and put among the
// ranges in one pass. So adding costs O(log n) on average, in whatever order the numbers come, and looking up is a binary search.
type Set struct {
	ranges  []span             // sorted; between two of them at least one number is missing
	numbers int64              // how many there are in ranges, or the largest int64 where there are more
	loose   map[int64]struct{} // numbers that came since and are in no range
	texts   map[string]struct{}
}

// span is the whole numbers from the one to the other, both included.
type span struct{ from, to int64 }

// minLoose is how many numbers may wait to be put among the ranges, however few these are.
const minLoose = 1024

// Len returns the number of keys, or the largest int64 where there are more.
func (s *Set) Len() int64 {
	if s == nil {
		return 0
	}
	return sum(s.numbers, int64(len(s.loose)+len(s.texts)))
}

// Has reports whether key is in the set.
func (s *Set) Has(key string) bool {
	if s == nil {
		return false
	}
	n, ok := wholeNumber(key)
	if !ok {
		_, has := s.texts[key]
		return has
	}
	_, has := s.loose[n]
	return has || s.ranged(n)
}

// Add puts key into the set.
func (s *Set) Add(key string) {
	n, ok := wholeNumber(key)
	switch {
	case !ok && s.texts == nil:
		s.texts = map[string]struct{}{key: {}}
	case !ok:
		s.texts[key] = struct{}{}
	case s.ranged(n):
	case s.loose == nil:
		s.loose = map[int64]struct{}{n: {}}
	default:
		if s.loose[n] = struct{}{}; len(s.loose) >= s.patience() {
			s.settle(nil)
		}
	}
}

// AddAll puts every key of other, which may be nil, into the set. It costs as much as both sets have ranges.
func (s *Set) AddAll(other *Set) {
	if other == nil {
		return
	}
	s.settle(append(spans(other.loose), other.ranges...))
	for text := range other.texts {
		s.Add(text)
	}
}

// ranged reports whether n is in one of the ranges.
func (s *Set) ranged(n int64) bool {
	i, exact := slices.BinarySearchFunc(s.ranges, n, func(r span, n int64) int { return cmp.Compare(r.from, n) })
	return exact || i > 0 && n <= s.ranges[i-1].to
}

// patience returns how many numbers wait before they are put among the ranges.
func (s *Set) patience() int { return max(minLoose, len(s.ranges)/4) }

// settle puts more, in any order, and the numbers that wait among the ranges.
func (s *Set) settle(more []span) {
	if len(more)+len(s.loose) == 0 {
		return
	}
	more = append(more, spans(s.loose)...)
	slices.SortFunc(more, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	s.ranges, s.numbers, s.loose = merge(s.ranges, more), 0, nil
	for _, r := range s.ranges {
		s.numbers = sum(s.numbers, r.size())
	}
}

// merge returns the ranges of a and b, each sorted by where its ranges begin, with those that touch or overlap made one.
func merge(a, b []span) []span {
	all := make([]span, 0, len(a)+len(b))
	for len(a)+len(b) > 0 {
		if len(a) == 0 || len(b) > 0 && b[0].from < a[0].from {
			a, b = b, a
		}
		next := a[0]
		a = a[1:]
		if len(all) > 0 {
			if last := &all[len(all)-1]; last.to == math.MaxInt64 || next.from <= last.to+1 {
				last.to = max(last.to, next.to)
				continue
			}
		}
		all = append(all, next)
	}
	if len(all) < cap(all)/2 {
		return slices.Clone(all) // what is kept does not hold what was needed on the way
	}
	return all
}

// spans returns numbers as ranges of one number each.
func spans(numbers map[int64]struct{}) []span {
	all := make([]span, 0, len(numbers))
	for n := range numbers {
		all = append(all, span{n, n})
	}
	return all
}

// size returns how many numbers there are in r, or the largest int64 where there are more.
func (r span) size() int64 {
	if n := uint64(r.to) - uint64(r.from); n < math.MaxInt64 {
		return int64(n) + 1
	}
	return math.MaxInt64
}

// sum returns a + b, neither of them negative, or the largest int64 where that is less.
func sum(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
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
	s.settle(nil)
	switch texts := slices.Sorted(maps.Keys(s.texts)); {
	case len(texts) == 0:
		return json.Marshal(written(s.ranges))
	case len(s.ranges) == 0:
		return json.Marshal(texts)
	default:
		return json.Marshal(mixed{written(s.ranges), texts})
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

// parse adds the numbers of "1-3,7".
func (s *Set) parse(text string) error {
	if text == "" {
		return nil
	}
	var some []span
	for part := range strings.SplitSeq(text, ",") {
		r, err := bounds(part)
		if err != nil {
			return err
		}
		if r.from > r.to {
			return fmt.Errorf("reading a set of keys: range %q ends before it begins", part)
		}
		if some = append(some, r); len(some) >= s.patience() {
			s.settle(some)
			some = some[:0]
		}
	}
	s.settle(some)
	return nil
}

// bounds reads "7", "-7", "1-5" or "-5--1".
func bounds(part string) (r span, err error) {
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
	if r.from, err = strconv.ParseInt(first, 10, 64); err == nil {
		r.to, err = strconv.ParseInt(last, 10, 64)
	}
	if err != nil {
		return span{}, fmt.Errorf("reading a set of keys: %w", err)
	}
	return r, nil
}

// written returns ranges as "1-3,7".
func written(ranges []span) string {
	var b []byte
	for i, r := range ranges {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, r.from, 10)
		if r.to > r.from {
			b = strconv.AppendInt(append(b, '-'), r.to, 10)
		}
	}
	return string(b)
}

// wholeNumber returns key as a number when it is written as numbers are: "07" and "+7" are texts.
func wholeNumber(key string) (int64, bool) {
	n, err := strconv.ParseInt(key, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == key
}
