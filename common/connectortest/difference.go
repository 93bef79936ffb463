package connectortest

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// difference shows what differs between two texts of lines of JSON, want and got, for a person to read: values that are only in want behind a
// minus, those that are only in got behind a plus. It is "" where want and got are the same bytes, and only there.
func difference(want, got string) string {
	if want == got {
		return ""
	}
	if text := cmp.Diff(documents(want), documents(got)); text != "" {
		return text
	}
	return cmp.Diff(want, got) // only in how the same values are written
}

// documents are the lines of a text: their values, where they are JSON, with all digits that their numbers have.
func documents(text string) (all []any) {
	for line := range strings.Lines(text) {
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.UseNumber()
		var value any
		if err := decoder.Decode(&value); err != nil || !ended(decoder) {
			value = strings.TrimSuffix(line, "\n")
		}
		all = append(all, value)
	}
	return all
}

// ended reports whether nothing but white space is left.
func ended(decoder *json.Decoder) bool {
	rest, err := io.ReadAll(decoder.Buffered())
	return err == nil && len(bytes.TrimSpace(rest)) == 0
}
