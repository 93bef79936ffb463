package connectortest

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// difference returns the difference between two texts of lines of JSON, want and got, as a unified diff in which each member has a line of its own.
// It is "" if and only if want and got are the same bytes.
func difference(want, got string) string {
	if want == got {
		return ""
	}
	if text := diff.Diff("want", indented(want), "got", indented(got)); text != nil {
		return string(text)
	}
	return string(diff.Diff("want", []byte(want), "got", []byte(got))) // they only differ in how the same values are written
}

// indented returns text with the JSON of each line spread over several lines, one per value.
func indented(text string) []byte {
	var out bytes.Buffer
	for line := range strings.Lines(text) {
		if err := json.Indent(&out, []byte(line), "", "  "); err != nil {
			out.WriteString(line)
		}
	}
	return out.Bytes()
}
