package spec

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Secrets returns every value in config that spec (a ConnectorSpecification) marks airbyte_secret: texts and numbers, in nested objects, lists and
// every form of a oneOf, and all texts below a secret object. It returns each both as written and as [Spec.Clean] would return it. If in doubt, it
// returns too many: config need not fit the spec, names match in any case, and a plain value in place of an object that contains a secret counts as
// the secret. The result is sorted, without repeats, and nil if spec or config is not JSON.
func Secrets(spec json.RawMessage, config []byte) []string {
	var parts struct {
		Connection json.RawMessage `json:"connectionSpecification"`
	}
	if json.Unmarshal(spec, &parts) != nil {
		return nil
	}
	schema, err := decode(parts.Connection)
	if err != nil {
		return nil
	}
	value, err := decode(config)
	if err != nil {
		return nil
	}
	var found []string
	eachSecret(object(schema), "", value, func(name, text string) string {
		for _, form := range []string{text, clean(name, text)} {
			if form != "" {
				found = append(found, form)
			}
		}
		return text
	})
	slices.Sort(found)
	return slices.Compact(found)
}

// Clean returns config without what gets into tokens when they are copied from a web page or a document: white space around the token, invisible
// characters (zero-width ones, the soft hyphen), and the word Bearer before it. Tokens are the values marked airbyte_secret, except those whose name
// ends with password: people choose these, and every character may be intended. If the spec wants a whole number and config has it in another form
// (60.0, 6e1), as some programs write it, Clean writes it as a whole number. Anything that is not JSON is returned unchanged.
func (s *Spec) Clean(config []byte) []byte {
	value, err := decode(config)
	if err != nil {
		return config
	}
	changed := false
	value = eachSecret(object(s.config.raw), "", value, func(name, text string) string {
		cleaned := clean(name, text)
		changed = changed || cleaned != text
		return cleaned
	})
	for at := range notWhole(s.config.raw, value) {
		changed = asWhole(value, at) || changed
	}
	if !changed {
		return config
	}
	cleaned, err := json.Marshal(value)
	if err != nil {
		return config // unreachable: value was decoded from JSON
	}
	return cleaned
}

// asWhole rewrites the number at a place in value as a whole number. It returns false if the number is not a whole one within 64 bits.
func asWhole(value any, at []string) bool {
	last := len(at) - 1
	number, _ := lookup(value, at).(json.Number)
	exact, ok := new(big.Rat).SetString(number.String())
	if last < 0 || !ok || !exact.IsInt() || !exact.Num().IsInt64() {
		return false
	}
	written := json.Number(exact.Num().String())
	switch in := lookup(value, at[:last]).(type) {
	case map[string]any:
		in[at[last]] = written
	case []any:
		i, _ := strconv.Atoi(at[last]) // notWhole wrote the index
		in[i] = written
	}
	return true
}

// clean returns what [Spec.Clean] makes of the secret called name.
func clean(name, text string) string {
	const scheme = "bearer"
	if password(name) {
		return text
	}
	text = trim(text)
	for len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
		rest := text[len(scheme):]
		if next, _ := utf8.DecodeRuneInString(rest); rest != "" && !unicode.IsSpace(next) {
			break // the token itself begins with bearer
		}
		text = strings.TrimSpace(rest)
	}
	return text
}

// password reports whether people choose secrets with that name.
func password(name string) bool { return strings.HasSuffix(strings.ToLower(name), "password") }

// trim returns text without invisible characters (Unicode's format characters: zero-width ones, direction marks, the soft hyphen) and without white
// space around it.
func trim(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text))
}

// eachSecret replaces each secret in value by the result of visit and returns value. name is the name of the secret, or of the marked object or list.
func eachSecret(schema map[string]any, name string, value any, visit func(name, text string) string) any {
	if schema["airbyte_secret"] == true {
		return eachText(name, value, visit)
	}
	switch v := value.(type) {
	case map[string]any:
		for node := range reachable([]map[string]any{schema}) {
			if node["airbyte_secret"] == true {
				return eachText(name, value, visit)
			}
			properties := object(node["properties"])
			for key, member := range v {
				property, ok := called(properties, key)
				if !ok {
					property = node["additionalProperties"]
				}
				v[key] = eachSecret(object(property), key, member, visit)
			}
			if items := object(node["items"]); len(items) > 0 {
				value = eachSecret(items, name, value, visit) // an object in place of a list of them
			}
		}
	case []any:
		for i := range v {
			for node := range reachable([]map[string]any{schema}) {
				v[i] = eachSecret(object(node["items"]), name, v[i], visit)
			}
			if len(object(schema["items"])) == 0 {
				v[i] = eachSecret(schema, name, v[i], visit) // a list in place of an object
			}
		}
	default:
		if holdsSecret(schema) {
			return eachText(name, value, visit)
		}
	}
	return value
}

// called returns the property with that name in any case, as encoding/json finds it when a configuration is decoded.
func called(properties map[string]any, name string) (property any, ok bool) {
	if property, ok = properties[name]; ok {
		return property, true
	}
	for other, property := range properties {
		if strings.EqualFold(other, name) {
			return property, true
		}
	}
	return nil, false
}

// holdsSecret reports whether a value of this schema may contain a secret.
func holdsSecret(schema any) bool {
	switch node := schema.(type) {
	case map[string]any:
		if node["airbyte_secret"] == true {
			return true
		}
		for _, member := range node {
			if holdsSecret(member) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(node, holdsSecret)
	}
	return false
}

// eachText replaces each text in value by the result of visit. visit also sees the numbers, which stay unchanged.
func eachText(name string, value any, visit func(name, text string) string) any {
	switch v := value.(type) {
	case string:
		return visit(name, v)
	case json.Number:
		visit(name, v.String())
	case map[string]any:
		for key, member := range v {
			v[key] = eachText(key, member, visit)
		}
	case []any:
		for i := range v {
			v[i] = eachText(name, v[i], visit)
		}
	}
	return value
}
