package state

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Set is a set of record keys that stays small as JSON. Keys that are whole numbers, as nearly all are, become ranges in one text
// ("1-500,502"); as soon as one is not, all become an array of texts. The zero value and nil are empty sets; nil cannot be added to. Not
// safe for concurrent use.
type Set struct {
	numbers map[int64]struct{}
	texts   map[string]struct{}
}

// Len is the number of keys.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.numbers) + len(s.texts)
}

// Has is whether key is in the set.
func (s *Set) Has(key string) bool {
	if s == nil {
		return false
	}
	if n, ok := wholeNumber(key); ok {
		_, has := s.numbers[n]
		return has
	}
	_, has := s.texts[key]
	return has
}

// Add puts key into the set.
func (s *Set) Add(key string) {
	if n, ok := wholeNumber(key); ok {
		if s.numbers == nil {
			s.numbers = map[int64]struct{}{}
		}
		s.numbers[n] = struct{}{}
		return
	}
	if s.texts == nil {
		s.texts = map[string]struct{}{}
	}
	s.texts[key] = struct{}{}
}

// AddAll puts every key of other, which may be nil, into the set.
func (s *Set) AddAll(other *Set) {
	if other == nil {
		return
	}
	for n := range other.numbers {
		s.Add(strconv.FormatInt(n, 10))
	}
	for t := range other.texts {
		s.Add(t)
	}
}

// MarshalJSON is the set's short form, the same for the same keys.
func (s *Set) MarshalJSON() ([]byte, error) {
	if s == nil {
		return []byte(`""`), nil
	}
	if len(s.texts) == 0 {
		return json.Marshal(ranges(slices.Sorted(maps.Keys(s.numbers))))
	}
	keys := slices.Collect(maps.Keys(s.texts))
	for n := range s.numbers {
		keys = append(keys, strconv.FormatInt(n, 10))
	}
	slices.Sort(keys)
	return json.Marshal(keys)
}

// maxRange is the most keys that one range is expanded to: a broken state must not become an endless loop.
const maxRange = 10_000_000

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Set) UnmarshalJSON(data []byte) error {
	*s = Set{}
	var keys []string
	if json.Unmarshal(data, &keys) == nil {
		for _, k := range keys {
			s.Add(k)
		}
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("reading a set of keys: %w", err)
	}
	if text == "" {
		return nil
	}
	for part := range strings.SplitSeq(text, ",") {
		from, to, err := bounds(part)
		if err != nil {
			return err
		}
		if from > to || to-from >= maxRange || to-from < 0 || s.Len() > maxRange {
			return fmt.Errorf("reading a set of keys: range %q is out of bounds", part)
		}
		for n := from; ; n++ {
			s.Add(strconv.FormatInt(n, 10))
			if n == to {
				break
			}
		}
	}
	return nil
}

// bounds reads "7", "-7", "1-5" or "-5--1".
func bounds(part string) (from, to int64, err error) {
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
	if from, err = strconv.ParseInt(first, 10, 64); err == nil {
		to, err = strconv.ParseInt(last, 10, 64)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("reading a set of keys: %w", err)
	}
	return from, to, nil
}

// ranges writes sorted numbers as "1-3,7".
func ranges(numbers []int64) string {
	var b strings.Builder
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(numbers[i], 10))
		if j > i {
			b.WriteByte('-')
			b.WriteString(strconv.FormatInt(numbers[j], 10))
		}
		i = j + 1
	}
	return b.String()
}

// wholeNumber is key as a number when it is written as numbers are: "07" and "+7" are texts.
func wholeNumber(key string) (int64, bool) {
	n, err := strconv.ParseInt(key, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == key
}
