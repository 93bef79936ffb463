package connectortest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/spec"
)

const draft07 = "http://json-schema.org/draft-07/schema#"

// lintSpec returns what the acceptance tests (TestSpec) and the conventions for specifications would find wrong with a ConnectorSpecification.
func lintSpec(document json.RawMessage) []string {
	var f findings
	var whole map[string]any
	if err := json.Unmarshal(document, &whole); err != nil {
		f.addf("the specification is not a JSON object: %v", err)
		return f
	}
	for _, name := range []string{"documentationUrl", "changelogUrl"} {
		address, has := whole[name]
		text, _ := address.(string)
		if u, err := url.Parse(text); (has || name == "documentationUrl") && (err != nil || u.Scheme != "https" || u.Host == "") {
			f.addf("%s is not an https address", name)
		}
	}
	root := object(whole["connectionSpecification"])
	if raw, err := json.Marshal(root); err == nil {
		if _, err := spec.CompileConfig("connectionSpecification", raw); err != nil {
			f.addf("%v", err)
			return f
		}
	}
	if root["$schema"] != draft07 {
		f.addf("$schema is not %s", draft07)
	}
	if root["type"] != "object" {
		f.addf(`the connectionSpecification is not of type "object"`)
	}
	if root["additionalProperties"] != true {
		f.addf("additionalProperties is not true: a configuration of a later version would be refused")
	}
	for at, node := range schemas(root) {
		f.keywords(at, node)
	}
	f.properties("", root, groupsOf(root, whole))
	f.oauth(object(whole["advanced_auth"]), root)
	return f
}

// groupsOf returns the ids of the groups that a specification declares.
func groupsOf(root, whole map[string]any) []string {
	var ids []string
	for _, group := range slices.Concat(list(root["groups"]), list(whole["groups"])) {
		if id, ok := object(group)["id"].(string); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// schemas yields every schema inside a schema, with its path. Property names are not taken for keywords.
func schemas(root map[string]any) func(yield func(string, map[string]any) bool) {
	return func(yield func(string, map[string]any) bool) {
		var walk func(at string, node map[string]any) bool
		walk = func(at string, node map[string]any) bool {
			if !yield(at, node) {
				return false
			}
			for _, keyword := range slices.Sorted(maps.Keys(node)) {
				switch below := node[keyword].(type) {
				case map[string]any:
					if keyword == "properties" || keyword == "patternProperties" || keyword == "definitions" || keyword == "dependentSchemas" {
						for _, name := range slices.Sorted(maps.Keys(below)) {
							if !walk(join(at, name), object(below[name])) {
								return false
							}
						}
					} else if keyword != "default" && keyword != "const" && !walk(at, below) {
						return false
					}
				case []any:
					if keyword == "enum" || keyword == "examples" || keyword == "default" || keyword == "const" {
						continue
					}
					for i, element := range below {
						if schema, ok := element.(map[string]any); ok && !walk(fmt.Sprintf("%s[%d]", at, i), schema) {
							return false
						}
					}
				}
			}
			return true
		}
		walk("", root)
	}
}

func join(at, name string) string { return strings.TrimPrefix(at+"."+name, ".") }

// keywords finds keywords that the platform's forms do not support.
func (f *findings) keywords(at string, node map[string]any) {
	for _, keyword := range []string{
		"$ref", "not", "anyOf", "allOf", "patternProperties", "prefixItems", "if", "then", "else", "dependentSchemas", "dependentRequired",
	} {
		if _, has := node[keyword]; has {
			f.addf("%q uses %s, which the platform does not support", at, keyword)
		}
	}
	if more, has := node["additionalProperties"]; has && more != true {
		f.addf("%q has additionalProperties that are not true", at)
	}
}

// properties checks the fields of an object of the specification.
func (f *findings) properties(at string, node map[string]any, groups []string) {
	properties := object(node["properties"])
	for _, name := range list(node["required"]) {
		if name, _ := name.(string); properties[name] == nil {
			f.addf("%q requires %q, which it does not have", at, name)
		}
	}
	orders := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property := object(properties[name])
		where := join(at, name)
		f.property(where, name, property)
		group, grouped := property["group"].(string)
		if grouped && (at != "" || !slices.Contains(groups, group)) {
			f.addf("%q is in a group, which only a field at the top can be, and of those that the specification declares", where)
		}
		if order, has := property["order"]; has {
			place := fmt.Sprint(group, " ", order)
			if other, taken := orders[place]; taken {
				f.addf("%q and %q have the same order", other, where)
			}
			orders[place] = where
		}
		if len(list(property["oneOf"])) > 0 {
			f.variants(where, property)
		}
		f.properties(where, property, nil)
		f.properties(where, object(property["items"]), nil)
	}
	for i, variant := range list(node["oneOf"]) {
		f.properties(fmt.Sprintf("%s[%d]", at, i), object(variant), nil)
	}
}

// secretNames returns the names that the acceptance tests take for secrets.
func secretNames() []string {
	return []string{
		"client_token", "access_token", "api_token", "token", "secret", "client_secret", "password", "key", "service_account_info",
		"service_account", "tenant_id", "certificate", "jwt", "credentials", "app_id", "appid", "refresh_token",
	}
}

// property checks one field of the specification.
func (f *findings) property(at, name string, p map[string]any) {
	constant, isConstant := p["const"]
	types, variants := list(p["type"]), list(p["oneOf"])
	kind, _ := p["type"].(string)
	if len(types) > 0 {
		kind, _ = types[0].(string)
		if len(types) > 2 || len(types) == 2 && types[1] != "null" {
			f.addf("%q has types other than one and null", at)
		}
	}
	if !snake().MatchString(name) {
		f.addf("%q is not in snake_case", at)
	}
	if kind == "" {
		f.addf("%q has no type", at)
	}
	for _, text := range []string{"title", "description"} {
		if said, _ := p[text].(string); strings.TrimSpace(said) == "" && !isConstant {
			f.addf("%q has no %s", at, text)
		}
	}
	if kind == "object" && len(object(p["properties"])) == 0 && len(variants) == 0 {
		f.addf("%q is an object without properties", at)
	}
	if kind == "array" {
		f.items(at, p)
	}
	if style, has := p["display_type"]; has && (len(variants) == 0 || style != "dropdown" && style != "radio") {
		f.addf("%q has a display_type, which belongs to a oneOf and is dropdown or radio", at)
	}
	if values := list(p["enum"]); len(values) > 0 && !distinct(values) {
		f.addf("%q has the same enum value twice", at)
	}
	secret, scalar := p["airbyte_secret"] == true, slices.Contains([]string{"string", "integer", "number"}, kind)
	if isSecret := slices.Contains(secretNames(), name) && scalar && !isConstant; isSecret && !secret {
		f.addf("%q must be marked airbyte_secret", at)
	}
	if secret && (isConstant || slices.Contains(secretNames(), name) && !scalar) {
		f.addf("%q cannot hold a secret and is marked airbyte_secret (constant %v)", at, constant)
	}
	f.pattern(at, p)
	f.samples(at, p)
}

// items checks the elements of a list.
func (f *findings) items(at string, p map[string]any) {
	items, isSchema := p["items"].(map[string]any)
	kind, _ := items["type"].(string)
	if !isSchema || !slices.Contains([]string{"object", "string", "number", "integer"}, kind) && len(list(items["enum"])) == 0 {
		f.addf("%q is a list, whose items must have one schema of an object, a string, a number or an integer", at)
	}
	if kind == "object" && len(object(items["properties"])) == 0 && len(list(items["oneOf"])) == 0 {
		f.addf("%q lists objects without properties", at)
	}
}

// pattern checks the pattern of a text.
func (f *findings) pattern(at string, p map[string]any) {
	text, has := p["pattern"].(string)
	pattern, err := regexp.Compile(text)
	if err != nil {
		f.addf("%q has a pattern that cannot be understood: %v", at, err)
		return
	}
	if has && p["pattern_descriptor"] == nil && len(list(p["examples"])) == 0 {
		f.addf("%q has a pattern and neither a pattern_descriptor nor examples: nobody could tell what to enter", at)
	}
	sample, dated := map[any]string{"date": "2024-01-31", "date-time": "2024-01-31T00:00:00Z"}[p["format"]]
	if dated && (!has || !pattern.MatchString(sample)) {
		f.addf("%q is a %v, whose pattern must take %s", at, p["format"], sample)
	}
}

// samples checks a field's default and examples against the field's own schema.
func (f *findings) samples(at string, p map[string]any) {
	raw, err := json.Marshal(p)
	if err != nil {
		return
	}
	schema, err := spec.CompileConfig(at, raw)
	if err != nil {
		return // already reported for the whole specification
	}
	samples := list(p["examples"])
	if preset, has := p["default"]; has {
		samples = append(slices.Clip(samples), preset)
	}
	for _, sample := range samples {
		document, err := json.Marshal(sample)
		if err == nil {
			err = schema.Validate(document)
		}
		if err != nil {
			f.addf("%q has a default or an example that it does not take itself: %v", at, err)
		}
	}
}

// variants checks a field that has several forms.
func (f *findings) variants(at string, p map[string]any) {
	if p["type"] != "object" {
		f.addf(`%q has a oneOf and is not of type "object"`, at)
	}
	forms := list(p["oneOf"])
	var common map[string][]any // constants by name, for the properties that are constants in every form so far
	for i, form := range forms {
		form := object(form)
		if len(object(form["properties"])) == 0 {
			f.addf("%q has a form without properties", at)
		}
		if title, _ := form["title"].(string); title == "" {
			f.addf("%q has a form without a title", at)
		}
		here := map[string][]any{}
		for name, property := range object(form["properties"]) {
			property := object(property)
			constant, has := property["const"]
			if !has || i > 0 && common[name] == nil {
				continue
			}
			here[name] = append(slices.Clip(common[name]), constant)
		}
		common = here
	}
	if len(common) != 1 {
		f.addf("%q must have exactly one property that is a const in all of its forms, and has %d", at, len(common))
	}
	for name, constants := range common {
		if !distinct(constants) {
			f.addf("%q has the same const in several forms", join(at, name))
		}
		for i, form := range forms {
			property := object(object(object(form)["properties"])[name])
			if preset, has := property["default"]; has && preset != constants[i] {
				f.addf("%q has a default that is not its const", join(at, name))
			}
			if values, has := property["enum"]; has && (len(list(values)) != 1 || list(values)[0] != constants[i]) {
				f.addf("%q has an enum that is not its const", join(at, name))
			}
			if !slices.Contains(list(object(form)["required"]), any(name)) {
				f.addf("%q does not require %q, which tells its forms apart", at, name)
			}
		}
	}
}

// oauth checks that the specification has what the platform's OAuth flow refers to, and that OAuth is the first choice.
func (f *findings) oauth(auth, root map[string]any) {
	if len(auth) == 0 {
		return
	}
	config := object(auth["oauth_config_specification"])
	for _, part := range slices.Sorted(maps.Keys(config)) {
		for _, name := range slices.Sorted(maps.Keys(object(object(config[part])["properties"]))) {
			path := list(object(object(object(config[part])["properties"])[name])["path_in_connector_config"])
			if len(path) > 0 && len(resolve(root, path)) == 0 {
				f.addf("advanced_auth: %s.%s points at %v, which the specification does not have", part, name, path)
			}
		}
	}
	predicate := list(auth["predicate_key"])
	if len(predicate) == 0 {
		return
	}
	places := resolve(root, predicate)
	if len(places) == 0 {
		f.addf("advanced_auth: the predicate_key %v is not in the specification", predicate)
	} else if wanted, has := auth["predicate_value"]; has && places[0]["const"] != wanted {
		f.addf("advanced_auth: OAuth is not the first form of %v", predicate)
	}
}

// resolve returns the properties at a path, through all forms, in their order.
func resolve(root map[string]any, path []any) []map[string]any {
	nodes := []map[string]any{root}
	for _, token := range path {
		name, _ := token.(string)
		var next []map[string]any
		for _, node := range nodes {
			for _, form := range append([]any{node}, list(node["oneOf"])...) {
				if property, ok := object(object(form)["properties"])[name]; ok {
					next = append(next, object(property))
				}
			}
		}
		nodes = next
	}
	return nodes
}

func snake() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`) }

// distinct reports whether no two JSON values are the same.
func distinct(values []any) bool {
	seen := map[string]bool{}
	for _, v := range values {
		text := fmt.Sprintf("%T %v", v, v)
		if seen[text] {
			return false
		}
		seen[text] = true
	}
	return true
}
