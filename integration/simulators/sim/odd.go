package sim

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Odd is an answer whose rows have values such as people leave in old databases: text instead of a date, a number or a flag, impossible dates, flags
// and numbers as text, leading zeros, blank text, U+0000, an object instead of a list. Which values are odd only depends on the seed and the row, so
// a row is the same whenever it is requested. Odd collects what is written to it; Send sends it on.
//
// If the answer is an array, its objects are rows. If it is an object, the objects in its arrays are rows, and so are its members data and Row if
// they are objects. What is nested in a row's values is not changed.
type Odd struct {
	Seed uint64
	Row  string // a member of the answer that is a row, besides data; "": none
	// Exact is the fields that are not changed: keys, times of change, and what filters and other streams use. The objects in lists among them are rows.
	Exact []string

	status int
	header http.Header
	body   bytes.Buffer
}

// Header returns the answer's header.
func (o *Odd) Header() http.Header {
	if o.header == nil {
		o.header = http.Header{}
	}
	return o.header
}

// WriteHeader keeps the status.
func (o *Odd) WriteHeader(status int) { o.status = status }

// Write collects the body.
func (o *Odd) Write(p []byte) (int, error) { return o.body.Write(p) }

// Send writes the answer to w. If it is a good answer, its rows are made odd.
func (o *Odd) Send(w http.ResponseWriter) {
	body := o.body.Bytes()
	if (o.status == 0 || o.status == http.StatusOK) && json.Valid(body) {
		body = o.answer(body)
	}
	maps.Copy(w.Header(), o.Header())
	w.Header().Del("Content-Length")
	if o.status != 0 {
		w.WriteHeader(o.status)
	}
	_, _ = w.Write(body) // a client that has gone gets no answer
}

// answer makes the rows of an answer odd.
func (o *Odd) answer(body []byte) []byte {
	body = bytes.TrimSpace(body)
	switch body[0] {
	case '[':
		return o.rows(body)
	case '{':
		return edit(body, func(name string, value []byte) []byte {
			switch {
			case value[0] == '[':
				return o.rows(value)
			case value[0] == '{' && (name == "data" || name == o.Row):
				return o.row(value)
			}
			return value
		})
	}
	return body
}

// rows makes the elements of an array odd that are objects.
func (o *Odd) rows(array []byte) []byte {
	var elements []json.RawMessage
	if json.Unmarshal(array, &elements) != nil {
		return array
	}
	out := []byte{'['}
	for i, element := range elements {
		if i > 0 {
			out = append(out, ',')
		}
		if element[0] == '{' {
			element = o.row(element)
		}
		out = append(out, element...)
	}
	return append(out, ']')
}

// row makes one field in eight odd.
func (o *Odd) row(row []byte) []byte {
	hash := fnv.New64a()
	_, _ = hash.Write(row) // a hash never fails
	dice := Dice(Mix(o.Seed ^ hash.Sum64()))
	return edit(row, func(name string, value []byte) []byte {
		switch exact := slices.Contains(o.Exact, name); {
		case exact && value[0] == '[':
			return o.rows(value)
		case exact || !dice.Once(8):
			return value
		}
		return odd(&dice, value)
	})
}

// edit returns an object with changed values. Names and their order stay the same.
func edit(object []byte, change func(name string, value []byte) []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(object))
	out := []byte{'{'}
	_, _ = d.Token() // the brace; the object is known to be valid
	for d.More() {
		token, _ := d.Token()
		name, _ := token.(string)
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return object
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		quoted, _ := json.Marshal(name) // never fails for a string
		out = append(append(append(out, quoted...), ':'), change(name, value)...)
	}
	return append(out, '}')
}

// odd returns a value to replace value.
func odd(d *Dice, value []byte) []byte {
	text := strings.Trim(string(value), `"`)
	var picks []string
	switch value[0] {
	case '"':
		picks = oddTexts(text)
	case 't':
		picks = []string{`"Sim"`, `"S"`, `1`, `"1"`, `"TRUE"`, `""`, `"talvez"`, `null`}
	case 'f':
		picks = []string{`"Não"`, `"N"`, `0`, `"0"`, `"False"`, `""`, `"talvez"`, `null`}
	case 'n':
		picks = []string{`""`}
	case '[':
		picks = []string{`{"um":1}`, `"um"`, `""`, `null`}
	case '{':
		picks = []string{`""`, `null`}
	default:
		picks = []string{`"` + text + `"`, `"00` + text + `"`, `0`, `""`, `"a combinar"`, `9007199254740993`, `null`}
		if _, err := strconv.Atoi(text); err == nil {
			picks = append(picks, text+".0")
		}
	}
	return []byte(Pick(d, picks))
}

// oddTexts returns texts to replace one that is a date or a time, a number, or anything else.
func oddTexts(text string) []string {
	digit := func(i int) bool { return len(text) > i && '0' <= text[i] && text[i] <= '9' }
	switch {
	case len(text) >= 10 && digit(0) && digit(9) && (text[2] == '/' || text[4] == '-'):
		return []string{
			`"30/02/2026"`, `"a combinar"`, `""`, `"  "`, `"0001-01-01T00:00:00"`, `"01/01/0001 00:00:00"`, `"2026-02-28T10:00:00.1234567-02:00"`,
		}
	case digit(0), strings.HasPrefix(text, "R$"):
		return []string{`"Sob consulta"`, `""`, `"0"`, `"0,00"`, `"00` + text + `"`, `"1.234,56"`, `0`, `1234.5`}
	}
	return []string{`""`, `"   "`, `"\u0000` + text + `\u0000"`, `"00123"`, `12.50`, `true`, `null`, `"9007199254740993"`}
}
