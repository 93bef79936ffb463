package judge

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strings"
)

// generator generates values that the schema of a configuration accepts. It knows the keywords that specifications use. If the schema uses others, a
// value may be wrong, so it must be validated. Equal seeds give equal values.
type generator struct{ random *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, 0))} }

// value returns a value for a schema.
func (g generator) value(schema map[string]any) any {
	if constant, ok := schema["const"]; ok {
		return constant
	}
	if enum := listOf(schema["enum"]); len(enum) > 0 {
		return enum[g.random.IntN(len(enum))]
	}
	if variants := listOf(schema["oneOf"]); len(variants) > 0 {
		own := maps.Clone(schema)
		delete(own, "oneOf")
		object := mapOf(g.value(own))
		if object == nil {
			object = map[string]any{}
		}
		maps.Copy(object, mapOf(g.object(mapOf(variants[g.random.IntN(len(variants))]))))
		return object
	}
	types, nullable := typesOf(schema)
	if nullable && g.random.IntN(5) == 0 {
		return nil
	}
	if len(types) == 0 {
		types = []string{"object"}
	}
	switch types[g.random.IntN(len(types))] {
	case "string":
		return g.text(schema)
	case "integer":
		return json.Number(fmt.Sprint(g.whole(schema)))
	case "number":
		return json.Number(fmt.Sprintf("%d.5", g.whole(schema)))
	case "boolean":
		return g.random.IntN(2) == 0
	case "array":
		list := []any{}
		for range number(schema["minItems"], 0) + g.random.IntN(3) {
			list = append(list, g.value(mapOf(schema["items"])))
		}
		return list
	case "null":
		return nil
	default:
		return g.object(schema)
	}
}

// object returns an object with all required members, some of the others, and sometimes an unknown one.
func (g generator) object(schema map[string]any) any {
	object := map[string]any{}
	required := listOf(schema["required"])
	properties := mapOf(schema["properties"])
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property := mapOf(properties[name])
		if _, constant := property["const"]; constant || slices.Contains(required, any(name)) || g.random.IntN(2) == 0 {
			object[name] = g.value(property)
		}
	}
	if g.random.IntN(5) == 0 && schema["additionalProperties"] != false {
		object["something_else"] = "x"
	}
	return object
}

// whole returns a number within the schema's bounds.
func (g generator) whole(schema map[string]any) int {
	least := number(schema["minimum"], number(schema["exclusiveMinimum"], -1)+1)
	greatest := number(schema["maximum"], least+1000)
	return least + g.random.IntN(max(1, greatest-least+1))
}

// number returns value as a number, or none if it is not one.
func number(value any, none int) int {
	if n, ok := value.(float64); ok {
		return int(n)
	}
	return none
}

// text returns a text of the schema's pattern, format and length.
func (g generator) text(schema map[string]any) string {
	if examples := listOf(schema["examples"]); len(examples) > 0 && g.random.IntN(2) == 0 {
		if text, ok := examples[g.random.IntN(len(examples))].(string); ok {
			return text
		}
	}
	if pattern, ok := schema["pattern"].(string); ok {
		if parsed, err := syntax.Parse(pattern, syntax.Perl); err == nil {
			return g.matching(parsed)
		}
	}
	switch schema["format"] {
	case "date":
		return fmt.Sprintf("20%02d-%02d-%02d", g.random.IntN(30), 1+g.random.IntN(12), 1+g.random.IntN(28))
	case "date-time":
		return fmt.Sprintf("20%02d-%02d-%02dT%02d:00:00Z", g.random.IntN(30), 1+g.random.IntN(12), 1+g.random.IntN(28), g.random.IntN(24))
	case "uri":
		return "https://example.com/" + g.letters(4)
	case "email":
		return g.letters(5) + "@example.com"
	}
	return g.letters(number(schema["minLength"], 0) + g.random.IntN(12))
}

func (g generator) letters(n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte("abcdefghijklmnopqrstuvwxyz0123456789"[g.random.IntN(36)])
	}
	return b.String()
}

// matching returns a text that a regular expression matches.
func (g generator) matching(re *syntax.Regexp) string {
	repeat := func(least, greatest int) string {
		if greatest < 0 {
			greatest = least + 4
		}
		var b strings.Builder
		for range least + g.random.IntN(greatest-least+1) {
			b.WriteString(g.matching(re.Sub[0]))
		}
		return b.String()
	}
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		if len(re.Rune) < 2 {
			return ""
		}
		i := 2 * g.random.IntN(len(re.Rune)/2)
		low, high := re.Rune[i], re.Rune[i+1]
		if low < ' ' && high >= '~' { // a class that excludes some characters: visible ones are enough
			low = 'a'
		}
		return string(low + rune(g.random.IntN(int(min(high-low, 60))+1)))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return g.letters(1)
	case syntax.OpStar:
		return repeat(0, -1)
	case syntax.OpPlus:
		return repeat(1, -1)
	case syntax.OpQuest:
		return repeat(0, 1)
	case syntax.OpRepeat:
		return repeat(re.Min, re.Max)
	case syntax.OpCapture:
		return g.matching(re.Sub[0])
	case syntax.OpAlternate:
		return g.matching(re.Sub[g.random.IntN(len(re.Sub))])
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range re.Sub {
			b.WriteString(g.matching(sub))
		}
		return b.String()
	default: // the beginning and the end of the text
		return ""
	}
}
