package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// FuzzValidate checks that no text, number or unknown key of a configuration appears in the error of Validate. Every text and unknown key that the
// spec does not contain is first wrapped in marks, so that a chance match with the sentence's own words is not a finding.
func FuzzValidate(f *testing.F) {
	const mark = "¤¤¤¤"
	s := load(f, map[string]string{"spec.json": document})
	for _, config := range []string{
		`{"token":"abcdef","site":"https://x.example"}`,
		`{"token":["hidden"],"site":{"deep":"hidden"},"requests":1234567,"share":9876.5,"mode":"medium"}`,
		`{"filters":{"city":17171,"hidden":23232},"accounts":[{"key":1},{"name":["hidden"]},"hidden"]}`,
		`{"credentials":{"auth_type":"password","user":"hidden","password":"pw"}}`,
		`{"credentials":{"auth_type":"hidden"},"start_date":"hidden","until":"hidden","since":"hidden","code":"hidden"}`,
		`{"credentials":"hidden","vault":"hidden","flag":"hidden","pin":"hidden"}`,
		`["hidden"]`, `"hidden"`, `hidden`, `{"token":"hidden`, `{"a/b~c%d":1,"filters":{"a/b~c%d":1}}`, `{"requests":1e999999999}`,
	} {
		f.Add([]byte(config))
	}
	f.Fuzz(func(t *testing.T, config []byte) {
		value, err := decode(config)
		var numbers []string
		if err == nil {
			config, err = json.Marshal(marked(value, mark, &numbers))
			if err != nil {
				t.Fatalf("a configuration that was read cannot be written again: %v", err)
			}
		} else {
			config = slices.Concat(config, []byte(mark))
		}
		err = s.Validate(config)
		if err == nil {
			return
		}
		var said *fault.Error
		if !errors.As(err, &said) || said.Message == "" {
			t.Fatalf("got %v, want a fault with a message", err)
		}
		if text := fmt.Sprintf("%v %+v", said, said.Err); strings.Contains(text, mark) || strings.ContainsRune(text, '¤') {
			t.Errorf("a text of the configuration is in %q", text)
		}
		for _, number := range numbers {
			if strings.Contains(said.Message, number) {
				t.Errorf("the number %s of the configuration is in %q", number, said.Message)
			}
		}
	})
}

// marked returns value with marks around every text and key that the spec does not contain. It adds numbers of four or more characters that the spec
// does not contain to numbers.
func marked(value any, mark string, numbers *[]string) any {
	known := func(text string) bool { return strings.Contains(document, `"`+text+`"`) }
	switch v := value.(type) {
	case string:
		if !known(v) {
			return mark + v + mark
		}
	case json.Number:
		if text := v.String(); len(text) >= 4 && !strings.Contains(document, text) && !strings.Contains("2024-01-31T00:00:00Z", text) {
			*numbers = append(*numbers, text)
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, member := range v {
			if !known(key) {
				key = mark + key + mark
			}
			out[key] = marked(member, mark, numbers)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = marked(element, mark, numbers)
		}
		return out
	}
	return value
}
