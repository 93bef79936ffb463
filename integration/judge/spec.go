package judge

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// specification is the answer to spec.
type specification struct {
	whole  map[string]any
	schema map[string]any // the connectionSpecification
}

// spec returns the specification. If there is none, ok is false and the current check gets a finding; the check spec.answer says why.
func (t *Trial) spec(ctx context.Context) (spec specification, ok bool, err error) {
	r, err := t.specRun(ctx)
	if err != nil {
		return spec, false, err
	}
	if len(r.Specs) == 0 {
		t.fail("a SPEC", r.String(), "")
		return spec, false, nil
	}
	if err := json.Unmarshal(r.Specs[0], &spec.whole); err != nil {
		return spec, false, fmt.Errorf("reading the specification: %w", err)
	}
	spec.schema = mapOf(spec.whole["connectionSpecification"])
	return spec, true, nil
}

func (s *Subject) specRun(ctx context.Context) (*Run, error) {
	return memo(s, "spec", func() (*Run, error) {
		limit := time.Minute
		for _, test := range s.Config.Tests.Spec.Tests {
			limit = test.limit(limit)
		}
		return s.run(ctx, order{label: "spec", command: harness.Spec(), limit: limit})
	})
}

// ofSchema returns a check of the specification alone.
func ofSchema(check func(t *Trial, spec specification)) func(context.Context, *Trial) error {
	return func(ctx context.Context, t *Trial) error {
		spec, ok, err := t.spec(ctx)
		if ok {
			check(t, spec)
		}
		return err
	}
}

// ofNodes returns a check of each schema within the specification's.
func ofNodes(check func(t *Trial, n node)) func(context.Context, *Trial) error {
	return ofSchema(func(t *Trial, spec specification) {
		for n := range nodes(spec.schema) {
			check(t, n)
		}
	})
}

func specAnswer(ctx context.Context, t *Trial) error {
	r, err := t.specRun(ctx)
	if err != nil {
		return err
	}
	if len(r.Specs) != 1 || r.Code != 0 {
		t.fail("exit 0 and exactly one SPEC", fmt.Sprintf("%d of them; %s", len(r.Specs), r), "")
	}
	return nil
}

func configMatchesSpec(ctx context.Context, t *Trial) error {
	spec, ok, err := t.spec(ctx)
	if !ok {
		return err
	}
	schema, err := compile("connectionSpecification", spec.schema)
	if err != nil {
		t.fail("a JSON Schema of draft-07", err.Error(), "")
		return nil
	}
	for _, test := range t.Config.Tests.Spec.Tests {
		body, err := t.config(test.ConfigPath, true)
		if err != nil {
			t.fail("a configuration in "+test.ConfigPath, err.Error(), "")
			continue
		}
		var config map[string]any
		if err := decode(body, &config); err != nil {
			return err
		}
		maps.DeleteFunc(config, func(name string, _ any) bool { return strings.HasPrefix(name, "_") })
		if err := schema.Validate(config); err != nil {
			t.fail(test.ConfigPath+" fits the specification", harness.Mismatch(err), "")
		}
	}
	return nil
}

func specMatchesExpected(ctx context.Context, t *Trial) error {
	spec, ok, err := t.spec(ctx)
	if !ok {
		return err
	}
	compared := 0
	for _, test := range t.Config.Tests.Spec.Tests {
		var expected map[string]any
		if err := readFile(t.Config.Path(test.SpecPath), &expected); err != nil {
			continue // a missing file is allowed
		}
		if manifest := mapOf(expected["spec"]); len(manifest) > 0 { // a manifest.yaml
			expected = map[string]any{"connectionSpecification": manifest["connection_specification"]}
		}
		compared++
		for _, name := range slices.Sorted(maps.Keys(expected)) {
			if want, got := short(expected[name]), short(spec.whole[name]); !equal(expected[name], spec.whole[name]) {
				t.fail(name+" is "+want+", as in "+test.SpecPath, got, "")
			}
		}
	}
	if compared == 0 {
		t.skip("no test has a spec_path that is there")
	}
	return nil
}

// equal reports whether two values are the same JSON.
func equal(a, b any) bool {
	one, err := json.Marshal(a)
	two, err2 := json.Marshal(b)
	return err == nil && err2 == nil && string(one) == string(two)
}

func enumUsage(t *Trial, n node) {
	seen := map[string]bool{}
	for _, value := range listOf(n.schema["enum"]) {
		text := short(value)
		if seen[text] {
			t.failf("each value of an enum once", "%q has %s twice", n.at, text)
		}
		seen[text] = true
	}
}

func oneOfUsage(t *Trial, n node) {
	for _, keyword := range []string{"oneOf", "anyOf"} {
		variants := listOf(n.schema[keyword])
		if len(variants) == 0 {
			continue
		}
		if types, _ := typesOf(n.schema); !slices.Equal(types, []string{"object"}) {
			t.failf("the type object beside "+keyword, "%q has the type %s", n.at, short(n.schema["type"]))
		}
		constants := map[string][]string{} // constants by property
		for i, v := range variants {
			properties := mapOf(mapOf(v)["properties"])
			if len(properties) == 0 {
				t.failf("properties in each variant", "%q has none in variant %d", n.at, i)
			}
			for name, p := range properties {
				property := mapOf(p)
				constant, ok := property["const"]
				if !ok {
					continue
				}
				constants[name] = append(constants[name], short(constant))
				if preset, ok := property["default"]; ok && !equal(preset, constant) {
					t.failf("a default that is the constant", "%q has const %s and default %s", join(n.at, name), short(constant), short(preset))
				}
				if enum, ok := property["enum"]; ok && !equal(enum, []any{constant}) {
					t.failf("an enum of the constant alone", "%q has const %s and enum %s", join(n.at, name), short(constant), short(enum))
				}
			}
		}
		var common []string
		for name, values := range constants {
			if len(values) == len(variants) {
				common = append(common, name)
				slices.Sort(values)
				if len(slices.Compact(values)) < len(variants) {
					t.failf("constants that differ", "%q has one twice in %q", n.at, name)
				}
			}
		}
		if len(common) != 1 {
			t.failf("exactly one property that is a constant in each variant", "%q has %d: %v", n.at, len(common), common)
		}
	}
}

// credential matches the names of fields that hold credentials, as in Airbyte's tests.
var credential = regexp.MustCompile(`^(client_token|access_token|api_token|token|secret|client_secret|password|key|service_account_info|` +
	`service_account|tenant_id|certificate|jwt|credentials|app_id|appid|refresh_token)$`)

// holds reports whether a field can hold a credential: a text or a number that is not constant.
func holds(schema map[string]any) bool {
	types, _ := typesOf(schema)
	_, constant := schema["const"]
	return !constant && slices.ContainsFunc(types, func(t string) bool { return t == "string" || t == "integer" || t == "number" })
}

func secretMarked(t *Trial, n node) {
	if !n.property || !credential.MatchString(n.name) {
		return
	}
	marked := n.schema["airbyte_secret"] == true
	switch {
	case holds(n.schema) && !marked:
		t.failf("airbyte_secret: true on a field of this name", "%q is not marked", n.at)
	case !holds(n.schema) && marked:
		t.failf("airbyte_secret on fields that can hold a secret", "%q is marked and is of the type %s", n.at, short(n.schema["type"]))
	}
}

func hasSecret(t *Trial, spec specification) {
	free := ""
	for n := range nodes(spec.schema) {
		if n.schema["airbyte_secret"] == true {
			return
		}
		types, _ := typesOf(n.schema)
		_, constant := n.schema["const"]
		bound := constant || n.schema["enum"] != nil || n.schema["format"] != nil || n.schema["pattern"] != nil
		if n.property && slices.Equal(types, []string{"string"}) && !bound {
			free = n.at
		}
	}
	if free == "" {
		t.skip("the specification has no field for a text that could be a secret")
		return
	}
	t.failf("a field that is marked airbyte_secret", "none is, and %q takes any text", free)
}

func typeIsNoArray(t *Trial, n node) {
	types, ok := n.schema["type"].([]any)
	if ok && (len(types) == 0 || len(types) > 2 || len(types) == 2 && types[1] != "null") {
		t.failf("one type, or one and null", "%q has %s", n.at, short(types))
	}
}

func objectNotEmpty(t *Trial, n node) {
	types, _ := typesOf(n.schema)
	if n.property && slices.Contains(types, "object") && len(mapOf(n.schema["properties"])) == 0 && len(listOf(n.schema["oneOf"])) == 0 {
		t.failf("properties or oneOf in an object", "%q has neither", n.at)
	}
}

func arrayType(t *Trial, n node) {
	types, _ := typesOf(n.schema)
	if !n.property || !slices.Contains(types, "array") {
		return
	}
	items, ok := n.schema["items"].(map[string]any)
	if !ok {
		t.failf("items that are one schema", "%q has items %s", n.at, short(n.schema["items"]))
		return
	}
	of, _ := typesOf(items)
	for _, one := range of {
		if !slices.Contains([]string{"object", "string", "number", "integer"}, one) {
			t.failf("elements that are objects, texts or numbers", "%q has elements of the type %s", n.at, one)
		}
	}
	if len(of) == 0 && items["enum"] == nil {
		t.failf("elements with a type or an enum", "%q has neither", n.at)
	}
}

func forbiddenTypes(t *Trial, n node) {
	for _, keyword := range []string{
		"not", "anyOf", "patternProperties", "prefixItems", "allOf", "if", "then", "else", "dependentSchemas", "dependentRequired",
	} {
		if _, has := n.schema[keyword]; has {
			t.failf("none of JSON Schema's keywords that forms do not understand", "%q has %s", n.at, keyword)
		}
	}
}

func datePattern(t *Trial, n node) {
	format, _ := n.schema["format"].(string)
	if pattern, _ := n.schema["pattern"].(string); n.property && (format == "date" || format == "date-time") && pattern == "" {
		t.warn("%q has the format %s and no pattern", n.at, format)
	}
}

func dateFormat(t *Trial, n node) {
	pattern, _ := n.schema["pattern"].(string)
	if n.property && n.schema["format"] == nil && strings.Contains(pattern, "[0-9]{4}-[0-9]{2}-[0-9]{2}") {
		t.warn("%q has a date's pattern and no format", n.at)
	}
}

func duplicateOrder(t *Trial, n node) {
	seen := map[string]string{}
	properties := mapOf(n.schema["properties"])
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property := mapOf(properties[name])
		if property["order"] == nil {
			continue
		}
		place := short(property["group"]) + " " + short(property["order"])
		if other, taken := seen[place]; taken {
			t.failf("an order of its own for each field of an object", "%q and %q have %s", join(n.at, other), join(n.at, name), short(property["order"]))
		}
		seen[place] = name
	}
}

func nestedGroup(t *Trial, n node) {
	if _, has := n.schema["group"]; has && n.property && strings.Contains(n.at, ".") {
		t.failf("groups of fields at the top alone", "%q has one", n.at)
	}
}

func displayType(t *Trial, n node) {
	kind, has := n.schema["display_type"]
	if !has || n.name == "" && n.at == "" {
		return
	}
	if len(listOf(n.schema["oneOf"])) == 0 {
		t.failf("display_type beside oneOf alone", "%q has it without", n.at)
	}
	if kind != "dropdown" && kind != "radio" {
		t.failf("a display_type that is dropdown or radio", "%q has %s", n.at, short(kind))
	}
}

func noRefs(t *Trial, n node) {
	if ref, has := n.schema["$ref"]; has {
		t.failf("no $ref", "%q has %s", n.at, short(ref))
	}
}

func additionalTrue(t *Trial, n node) {
	if more, has := n.schema["additionalProperties"]; has && more != true {
		t.failf("additionalProperties that are true", "%q has %s", n.at, short(more))
	}
}

func oauthParameters(t *Trial, spec specification) {
	auth := mapOf(spec.whole["advanced_auth"])
	if len(auth) == 0 {
		t.skip("the specification has no advanced_auth")
		return
	}
	exists := func(what string, path any) {
		var names []string
		for _, name := range listOf(path) {
			text, _ := name.(string)
			names = append(names, text)
		}
		if len(names) > 0 && find(spec.schema, names) == nil {
			t.failf("a field of the specification", "%s is %v", what, names)
		}
	}
	exists("predicate_key", auth["predicate_key"])
	for n := range nodes(map[string]any{"properties": mapOf(auth["oauth_config_specification"])}) {
		exists("path_in_connector_config of "+n.at, n.schema["path_in_connector_config"])
	}
}

func oauthDefault(t *Trial, spec specification) {
	auth := mapOf(spec.whole["advanced_auth"])
	key := listOf(auth["predicate_key"])
	if len(auth) == 0 || len(key) < 2 {
		t.skip("the specification has no OAuth flow beside other ways")
		return
	}
	for _, test := range t.Config.Tests.Spec.Tests {
		if method := test.AuthDefault; method.OAuth != nil && !*method.OAuth {
			if t.Config.High() && method.BypassReason == "" {
				t.failf("a bypass_reason beside oauth: false, at the strictness level high", "none")
			}
			t.skip("auth_default_method says that OAuth is not the default: %s", method.BypassReason)
			return
		}
	}
	var path []string
	for _, name := range key {
		text, _ := name.(string)
		path = append(path, text)
	}
	last := path[len(path)-1]
	variants := listOf(find(spec.schema, path[:len(path)-1])["oneOf"])
	if len(variants) == 0 {
		t.skip("%v is no choice", path[:len(path)-1])
		return
	}
	first := mapOf(mapOf(mapOf(variants[0])["properties"])[last])
	if !equal(first["const"], auth["predicate_value"]) {
		t.failf("the variant of OAuth first", "the first is %s", short(first["const"]))
	}
}

// requiredFields tries each test's configuration without each of its required fields. check must refuse it.
func requiredFields(ctx context.Context, t *Trial) error {
	return t.variants(ctx, func(spec specification, config map[string]any) map[string]map[string]any {
		without := map[string]map[string]any{}
		for _, name := range listOf(spec.schema["required"]) {
			text, _ := name.(string)
			if _, has := config[text]; has {
				changed := maps.Clone(config)
				delete(changed, text)
				without["without "+text] = changed
			}
		}
		return without
	}, func(_ SpecTest, r *Run) {
		failed := len(r.Checks) > 0 && r.Checks[0].Status == "FAILED"
		if !failed && !r.gaveUp() {
			t.fail("FAILED, or a TRACE ERROR and an exit code that is not 0", r.String()+fmt.Sprint(r.Checks), "")
		}
	})
}

// optionalFields tries each test's configuration with only its required fields, and also without just those optional fields that have a default,
// because in many specifications several ways to log in are each optional. One of the two must be accepted. With a simulator, its address stays.
func optionalFields(ctx context.Context, t *Trial) error {
	accepted := map[string]bool{}
	var refused []string
	err := t.variants(ctx, func(spec specification, config map[string]any) map[string]map[string]any {
		bare, filled := maps.Clone(config), maps.Clone(config)
		for name := range config {
			if slices.Contains(listOf(spec.schema["required"]), any(name)) || t.api != nil && slices.Contains(t.api.addresses, name) {
				continue
			}
			delete(bare, name)
			if _, preset := mapOf(mapOf(spec.schema["properties"])[name])["default"]; preset {
				delete(filled, name)
			}
		}
		return map[string]map[string]any{"with required fields alone": bare, "with required fields and those without a default": filled}
	}, func(test SpecTest, r *Run) {
		if len(r.Checks) == 1 && r.Checks[0].Status == "SUCCEEDED" {
			accepted[test.ConfigPath] = true
		} else if !accepted[test.ConfigPath] {
			refused = append(refused, test.ConfigPath, r.String()+fmt.Sprint(r.Checks))
		}
	})
	for i := 0; i < len(refused); i += 2 {
		if !accepted[refused[i]] {
			t.fail("SUCCEEDED", refused[i+1], "")
		}
	}
	return err
}

// variants runs check with variants of each test's configuration, by their names.
func (t *Trial) variants(ctx context.Context, of func(specification, map[string]any) map[string]map[string]any, judge func(SpecTest, *Run)) error {
	spec, ok, err := t.spec(ctx)
	if !ok {
		return err
	}
	tried := 0
	for _, test := range t.Config.Tests.Spec.Tests {
		body, err := t.config(test.ConfigPath, true)
		if err != nil {
			t.fail("a configuration in "+test.ConfigPath, err.Error(), "")
			continue
		}
		var config map[string]any
		if err := json.Unmarshal(body, &config); err != nil {
			return err
		}
		variants := of(spec, config)
		for _, name := range slices.Sorted(maps.Keys(variants)) {
			changed, err := json.Marshal(variants[name])
			if err != nil {
				return err
			}
			r, err := t.run(ctx, order{label: "check of " + test.ConfigPath + " " + name, command: harness.Check(changed), limit: 2 * time.Minute})
			if err != nil {
				return err
			}
			tried++
			judge(test, r)
		}
	}
	if tried == 0 && t.verdict.Status == Passed {
		t.skip("there is nothing to leave out")
	}
	return nil
}
