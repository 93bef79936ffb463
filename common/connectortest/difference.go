package connectortest

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// difference shows what differs between two texts of lines of JSON, want and got, as a unified diff in which each member has a line of its own.
// It is "" where want and got are the same bytes, and only there.
func difference(want, got string) string {
	if want == got {
		return ""
	}
	if text := diff.Diff("want", indented(want), "got", indented(got)); text != nil {
		return string(text)
	}
	return string(diff.Diff("want", []byte(want), "got", []byte(got))) // only in how the same values are written
}

// indented returns text with the JSON of each of its lines on as many lines as it has values.
func indented(text string) []byte {
	var out bytes.Buffer
	for line := range strings.Lines(text) {
		if err := json.Indent(&out, []byte(line), "", "  "); err != nil {
			out.WriteString(line)
		}
	}
	return out.Bytes()
}
