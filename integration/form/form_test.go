package form

import (
	"regexp"
	"strings"
	"testing"
)

const specification = `{"connectionSpecification": {
  "title": "Shop", "type": "object", "required": ["token"],
  "groups": [{"id": "pace", "title": "Pace"}, {"id": "login", "title": "Connection <1>"}],
  "properties": {
    "rate": {"type": "integer", "title": "Rate", "default": 60, "order": 1, "group": "pace"},
    "token": {"type": "string", "title": "Token", "airbyte_secret": true, "default": "never", "order": 2, "group": "login"},
    "hidden": {"type": "string", "title": "Hidden", "airbyte_hidden": true},
    "login": {"type": "object", "title": "Login", "order": 0, "group": "login", "always_show": true, "oneOf": [
      {"title": "By key", "properties": {"kind": {"const": "key"}, "key": {"type": "string", "title": "Key"}}},
      {"title": "By name", "properties": {"kind": {"const": "name"}, "name": {"type": "string", "title": "Name", "examples": ["Ana"]}}}]},
    "since": {"type": "string", "title": "Since", "format": "date", "pattern_descriptor": "YYYY-MM-DD", "order": 0},
    "kinds": {"type": "array", "title": "Kinds", "default": ["a", "b"], "order": 1}
  }}}`

// The form has everything that is shown, in the order in which it is shown, and nothing that is not.
func TestDraw(t *testing.T) {
	drawn, err := Draw("source-shop", []byte(specification))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(drawn), "<main>")
	text := strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")), " ")
	const want = "Shop ▾ Optional fields Since Optional YYYY-MM-DD ▾ Kinds Optional a, b Pace ▾ Optional fields Rate Optional 60 " +
		"Connection &lt;1&gt; Login Optional By key ▾ By key Key Optional By name Name Optional Ana Token * ••••••••••••"
	if text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	for _, broken := range []string{"{", `{"connectionSpecification": {}}`} {
		if _, err := Draw("source-shop", []byte(broken)); err == nil {
			t.Errorf("%s was drawn", broken)
		}
	}
}

func TestSum(t *testing.T) {
	one, err := Sum("source-shop", []byte(specification))
	if err != nil {
		t.Fatal(err)
	}
	same, _ := Sum("source-shop", []byte(strings.ReplaceAll(specification, "\n", " ")))
	other, _ := Sum("source-shop", []byte(strings.ReplaceAll(specification, "Rate", "Pace")))
	if one != same || one == other {
		t.Errorf("the sums are %s, %s for the same form and %s for another one", one, same, other)
	}
}
