package harness

import (
	"bytes"
	"encoding/json"
	"iter"
)

// member is a member of a JSON object: its key without the quotes, and its value verbatim.
type member struct{ key, value []byte }

// members yields the members of a JSON object, in order: the key without its quotes (escapes resolved) and the value verbatim. The object must be
// valid JSON. Any other value has no members. The slices alias the object, except for a key with escapes.
//
// A connector's run of 100,000 records is 300 MB of lines, and every line is inspected. Scanning the bytes costs a tenth of decoding them.
func members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		i := skipSpace(object, 0)
		if i >= len(object) || object[i] != '{' {
			return
		}
		i = skipSpace(object, i+1)
		for i < len(object) && object[i] == '"' {
			end := skipValue(object, i)
			key := unquote(object[i:end])
			i = skipSpace(object, end)
			i = skipSpace(object, i+1) // the colon
			end = skipValue(object, i)
			if !yield(key, object[i:end]) {
				return
			}
			i = skipSpace(object, end)
			if i >= len(object) || object[i] != ',' {
				return
			}
			i = skipSpace(object, i+1)
		}
	}
}

// elements yields the elements of a JSON array, in order and verbatim. Any other value has none.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		i := skipSpace(array, 0)
		if i >= len(array) || array[i] != '[' {
			return
		}
		for i = skipSpace(array, i+1); i < len(array) && array[i] != ']'; {
			end := skipValue(array, i)
			if !yield(array[i:end]) {
				return
			}
			if i = skipSpace(array, end); i < len(array) && array[i] == ',' {
				i = skipSpace(array, i+1)
			}
		}
	}
}

// lookup returns the value at a path of keys inside an object, or nil if there is none.
func lookup(object []byte, path ...string) []byte {
	for _, key := range path {
		var found []byte
		for k, v := range members(object) {
			if string(k) == key {
				found = v
			}
		}
		if found == nil {
			return nil
		}
		object = found
	}
	return object
}

// text returns a JSON string as Go text, and any other value verbatim.
func text(value []byte) string {
	if len(value) > 1 && value[0] == '"' {
		return string(unquote(value))
	}
	return string(value)
}

// null reports whether a value is missing or JSON's null.
func null(value []byte) bool { return len(value) == 0 || string(value) == "null" }

func unquote(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return quoted[1 : len(quoted)-1]
	}
	return []byte(s)
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skipValue returns the index after the value that begins at i.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = skipString(b, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // the end of the object around a number or word
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}

// skipString returns the index after the string that begins at i.
func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		j := bytes.IndexByte(b[i:], '"')
		if j < 0 {
			return len(b)
		}
		slashes := 0
		for k := i + j - 1; k >= i && b[k] == '\\'; k-- {
			slashes++
		}
		if i += j; slashes%2 == 0 {
			return i + 1
		}
	}
	return i
}
