package connectortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// objectsOf returns every JSON object in the answers, at any depth, as text without the white space between tokens and without its own members that
// leave names. Answers that are not JSON have none.
func objectsOf(answers [][]byte, leave []string) map[string]bool {
	found := map[string]bool{}
	var walk func(raw json.RawMessage)
	walk = func(raw json.RawMessage) {
		switch raw[0] {
		case '{':
			if text, err := without(raw, leave); err == nil {
				found[text] = true
			}
			var members map[string]json.RawMessage
			if json.Unmarshal(raw, &members) == nil {
				for _, member := range members {
					walk(member)
				}
			}
		case '[':
			var elements []json.RawMessage
			if json.Unmarshal(raw, &elements) == nil {
				for _, element := range elements {
					walk(element)
				}
			}
		}
	}
	for _, answer := range answers {
		var compact bytes.Buffer
		if json.Compact(&compact, answer) == nil && compact.Len() > 0 {
			walk(compact.Bytes())
		}
	}
	return found
}

// without returns an object as text, without the white space between tokens and without its members that leave names. All other bytes stay the same.
func without(raw json.RawMessage, leave []string) (string, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return "", err
	}
	data := compact.Bytes()
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return "", errors.Join(errors.New("it is not an object"), err)
	}
	var kept []string
	for decoder.More() {
		start := decoder.InputOffset()
		key, err := decoder.Token()
		if err != nil {
			return "", err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return "", err
		}
		name, _ := key.(string)
		if !slices.Contains(leave, name) {
			kept = append(kept, strings.TrimPrefix(string(data[start:decoder.InputOffset()]), ","))
		}
	}
	return "{" + strings.Join(kept, ",") + "}", nil
}
