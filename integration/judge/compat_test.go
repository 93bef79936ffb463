package judge

import (
	"encoding/json"
	"strings"
	"testing"
)

const oldSchema = `{"type":"object","required":["a"],"properties":{
	"a":{"type":"string","minLength":1},
	"n":{"type":["integer","null"],"minimum":1},
	"e":{"type":"string","enum":["x","y"]},
	"d":{"type":"string","format":"date","pattern":"^[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]$"},
	"o":{"type":"object","oneOf":[
		{"properties":{"k":{"type":"string","const":"one"},"s":{"type":"string"}},"required":["k","s"]},
		{"properties":{"k":{"type":"string","const":"two"}},"required":["k"]}]}}}`

func schemaOf(t *testing.T, text string) map[string]any {
	t.Helper()
	var schema map[string]any
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestNarrowed checks that each change that breaks configurations is reported, and that other changes are not.
func TestNarrowed(t *testing.T) {
	t.Parallel()
	old := schemaOf(t, oldSchema)
	for _, c := range []struct{ from, to, want string }{
		{`"required":["a"]`, `"required":["a","n"]`, "requires \"n\""},
		{`"a":{"type":"string"`, `"a":{"type":"integer"`, "was of the type [string]"},
		{`["integer","null"]`, `"integer"`, "could be null"},
		{`["integer","null"]`, `["number","null"]`, ""},
		{`"enum":["x","y"]`, `"enum":["x"]`, "does not take \"y\""},
		{`"enum":["x","y"]`, `"enum":["x","y","z"]`, ""},
		{`"minLength":1`, `"enum":["x"]`, "and took any"},
		{`"format":"date",`, ``, "had the format"},
		{`"minimum":1`, `"minimum":0`, ""},
	} {
		changes := strings.Join(narrowed("", old, schemaOf(t, strings.Replace(oldSchema, c.from, c.to, 1)), true), "\n")
		if c.want == "" && changes != "" || !strings.Contains(changes, c.want) {
			t.Errorf("%s to %s: got %q, wanted %q", c.from, c.to, changes, c.want)
		}
	}
	if changes := narrowed("", old, schemaOf(t, strings.Replace(oldSchema, `"a":{"type":"string","minLength":1},`, "", 1)), false); len(changes) != 1 {
		t.Errorf("a column that is gone: %q", changes)
	}
}

// TestGenerator checks that generated configurations are mostly valid, cover every variant and are the same for the same seed, and that those that a
// narrower schema refuses are found.
func TestGenerator(t *testing.T) {
	t.Parallel()
	old := schemaOf(t, oldSchema)
	schema, err := compile("old", old)
	if err != nil {
		t.Fatal(err)
	}
	one, two := newGenerator(5), newGenerator(5)
	valid, seen := 0, ""
	for range generated {
		value := one.value(old)
		if !equal(value, two.value(old)) {
			t.Fatal("equal seeds draw different values")
		}
		if schema.Validate(value) == nil {
			valid++
			seen += short(value)
		}
	}
	if valid < generated/2 || !strings.Contains(seen, `"one"`) || !strings.Contains(seen, `"two"`) || !strings.Contains(seen, `"d":"`) {
		t.Errorf("%d of %d are valid: %s", valid, generated, seen)
	}
	trial := &Trial{Subject: &Subject{options: Options{}.Defaults()}, verdict: &Verdict{Status: Passed}}
	if err := trial.takes(old, schemaOf(t, strings.Replace(oldSchema, `"minimum":1`, `"maximum":5`, 1))); err != nil || trial.verdict.Status != Failed {
		t.Errorf("a new limit is not found: %v, %+v", err, trial.verdict)
	}
}
