package connectortest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// difference is what has to be done to the lines of want to make them those of got: lines left out, lines put in, and for a line that takes
// another's place the values inside it that differ. It is "" where nothing has to be done.
func difference(want, got string) string {
	if want == got {
		return ""
	}
	a, b := strings.Split(strings.TrimSuffix(want, "\n"), "\n"), strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	common := commonLines(a, b)
	var out strings.Builder
	i, j := 0, 0
	for _, pair := range append(common, [2]int{len(a), len(b)}) {
		for ; i < pair[0] && j < pair[1]; i, j = i+1, j+1 {
			fmt.Fprintf(&out, "line %d became line %d:\n", i+1, j+1)
			out.WriteString(changed(a[i], b[j]))
		}
		for ; i < pair[0]; i++ {
			fmt.Fprintf(&out, "- line %d: %s\n", i+1, shortened(a[i]))
		}
		for ; j < pair[1]; j++ {
			fmt.Fprintf(&out, "+ line %d: %s\n", j+1, shortened(b[j]))
		}
		i, j = pair[0]+1, pair[1]+1
	}
	if out.Len() == 0 {
		return "the last line ends otherwise\n"
	}
	return out.String()
}

// commonLines is the longest sequence of lines that both have, as pairs of places.
func commonLines(a, b []string) [][2]int {
	length := make([][]int, len(a)+1) // of the sequence from here on
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i, line := range slices.Backward(a) {
		for j := len(b) - 1; j >= 0; j-- {
			if line == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	var pairs [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}

// changed is the values that differ between two lines of JSON, or the lines where they are not JSON.
func changed(a, b string) string {
	var from, to any
	if json.Unmarshal([]byte(a), &from) == nil && json.Unmarshal([]byte(b), &to) == nil {
		if text := values(from, to, ""); text != "" {
			return text
		}
	}
	return "  - " + shortened(a) + "\n  + " + shortened(b) + "\n"
}

func values(from, to any, at string) string {
	var out strings.Builder
	switch a := from.(type) {
	case map[string]any:
		b, ok := to.(map[string]any)
		if !ok {
			break
		}
		names := map[string]bool{}
		for name := range a {
			names[name] = true
		}
		for name := range b {
			names[name] = true
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			before, had := a[name]
			after, has := b[name]
			switch {
			case !had:
				fmt.Fprintf(&out, "  + %s: %s\n", join(at, name), shortened(inJSON(after)))
			case !has:
				fmt.Fprintf(&out, "  - %s: %s\n", join(at, name), shortened(inJSON(before)))
			default:
				out.WriteString(values(before, after, join(at, name)))
			}
		}
		return out.String()
	case []any:
		b, ok := to.([]any)
		if !ok || len(a) != len(b) {
			break
		}
		for i := range a {
			out.WriteString(values(a[i], b[i], fmt.Sprintf("%s[%d]", at, i)))
		}
		return out.String()
	}
	if reflect.DeepEqual(from, to) {
		return ""
	}
	return fmt.Sprintf("  - %s: %s\n  + %s: %s\n", at, shortened(inJSON(from)), at, shortened(inJSON(to)))
}

func inJSON(v any) string {
	said, err := text(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return said
}

// shortened keeps a line readable.
func shortened(line string) string {
	const limit = 300
	if runes := []rune(line); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return line
}
