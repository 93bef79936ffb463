package spec

import (
	"encoding/json"
	"slices"
)

// Secrets is every value in config that spec (a ConnectorSpecification) marks airbyte_secret: text and numbers, in nested objects, lists
// and every form of a oneOf, and all text below a secret object. It leans towards too many: config need not fit the spec, and a plain value
// standing where an object with a secret in it should be is taken for the secret. Without repeats, sorted; nil where spec or config is not
// JSON.
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
	found := secretsIn(nil, object(schema), value)
	slices.Sort(found)
	return slices.Compact(found)
}

func secretsIn(found []string, schema map[string]any, value any) []string {
	if schema["airbyte_secret"] == true {
		return texts(found, value)
	}
	switch v := value.(type) {
	case map[string]any:
		for node := range reachable([]map[string]any{schema}) {
			if node["airbyte_secret"] == true {
				return texts(found, value)
			}
			properties := object(node["properties"])
			for key, member := range v {
				if property, ok := properties[key]; ok {
					found = secretsIn(found, object(property), member)
				} else {
					found = secretsIn(found, object(node["additionalProperties"]), member)
				}
			}
			if items := object(node["items"]); len(items) > 0 {
				found = secretsIn(found, items, value) // an object where a list of them is expected
			}
		}
	case []any:
		for _, element := range v {
			for node := range reachable([]map[string]any{schema}) {
				found = secretsIn(found, object(node["items"]), element)
			}
			if len(object(schema["items"])) == 0 {
				found = secretsIn(found, schema, element) // a list where one object is expected
			}
		}
	default:
		if holdsSecret(schema) {
			return texts(found, value)
		}
	}
	return found
}

// holdsSecret is whether a value of this schema may have a secret somewhere in it.
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

// texts is every text and number in a value.
func texts(found []string, value any) []string {
	switch v := value.(type) {
	case string:
		if v != "" {
			found = append(found, v)
		}
	case json.Number:
		found = append(found, v.String())
	case map[string]any:
		for _, member := range v {
			found = texts(found, member)
		}
	case []any:
		for _, element := range v {
			found = texts(found, element)
		}
	}
	return found
}
