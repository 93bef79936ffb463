package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// Validate returns nil for a valid configuration. Otherwise it returns one config error (a *fault.Error without a cause) with a sentence that names
// every field to fix and says what it should be. The sentence is made only of the spec's own words. It never contains a value of the configuration,
// or a key that the spec does not know. Top-level keys that begin with "_" are notes and are ignored.
func (s *Spec) Validate(config []byte) error {
	value, err := decode(config)
	if err != nil {
		return fault.Configf("The configuration is not valid JSON%s.", whereBroken(config, err))
	}
	members, ok := value.(map[string]any)
	if !ok {
		return fault.Configf("The configuration must be a JSON object with the connector's fields.")
	}
	maps.DeleteFunc(members, func(key string, _ any) bool { return strings.HasPrefix(key, "_") })

	complaints := complaints{schema: s.config.raw, config: members}
	if err := s.config.compiled.Validate(presentable(members)); err != nil {
		var failed *jsonschema.ValidationError
		if !errors.As(err, &failed) {
			return fault.Systemf("The connector's specification cannot be applied to the configuration.")
		}
		complaints.collect(failed)
	}
	for at := range notWhole(s.config.raw, members) {
		complaints.add(at, mustBe([]string{"integer"}))
	}
	complaints.blanks([]map[string]any{object(s.config.raw)}, members, nil)
	if len(complaints.found) == 0 {
		return nil
	}
	return fault.Configf("The configuration needs mending: %s.", complaints)
}

// whereBroken returns where config stops being JSON, without quoting it, or "" if that is unknown.
func whereBroken(config []byte, err error) string {
	syntax := (*json.SyntaxError)(nil)
	if !errors.As(err, &syntax) || syntax.Offset <= 0 || syntax.Offset > int64(len(config)) {
		return ""
	}
	before := config[:syntax.Offset]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return fmt.Sprintf(" (line %d, column %d)", line, max(column, 1))
}

// complaints turns the library's findings, whose texts quote values, into sentences made of the spec's words.
type complaints struct {
	schema any
	config map[string]any
	found  []complaint
}

type complaint struct{ field, text string }

// String returns the complaints ordered by field, one for each field, because fixing the first often fixes the others.
func (c complaints) String() string {
	slices.SortStableFunc(c.found, func(a, b complaint) int { return strings.Compare(a.field, b.field) })
	said := make([]string, 0, len(c.found))
	for i, one := range c.found {
		if i == 0 || one.field != c.found[i-1].field {
			said = append(said, one.field+" "+one.text)
		}
	}
	return strings.Join(said, "; ")
}

// add adds a complaint about the value at a place in the configuration.
func (c *complaints) add(at []string, text string) {
	path, known := c.path(at)
	field := "the configuration"
	if path != "" {
		field = strconv.Quote(path)
	}
	if !known {
		field = "a member of " + field
	}
	c.found = append(c.found, complaint{field, text})
}

// addMember adds a complaint about a member that the spec names and that is missing in the object at a place.
func (c *complaints) addMember(at []string, name, text string) {
	if path, _ := c.path(at); path != "" {
		name = path + "." + name
	}
	c.found = append(c.found, complaint{strconv.Quote(name), text})
}

// path returns a place as the user knows it ("credentials.token", "accounts[1]", "" for the whole). It only uses names in the spec: it stops before a
// key that the spec does not know, and known is then false.
func (c *complaints) path(at []string) (path string, known bool) {
	nodes := []map[string]any{object(c.schema)}
	var value any = c.config
	for _, token := range at {
		var next []map[string]any
		switch v := value.(type) {
		case map[string]any:
			for node := range reachable(nodes) {
				if property, ok := object(node["properties"])[token]; ok {
					next = append(next, object(property))
				}
			}
			if len(next) == 0 {
				return path, false
			}
			path = strings.TrimPrefix(path+"."+token, ".")
			value = v[token]
		case []any:
			for node := range reachable(nodes) {
				next = append(next, object(node["items"]))
			}
			path += "[" + token + "]"
			value = lookup(v, []string{token})
		}
		nodes = next
	}
	return path, true
}

// collect adds complaints for a finding of the library and for its causes.
func (c *complaints) collect(failed *jsonschema.ValidationError) {
	where := tokens(fragment(failed.AbsoluteKeywordLocation))
	at := tokens(failed.InstanceLocation)
	var keyword string
	var node map[string]any
	if len(where) > 0 {
		keyword = where[len(where)-1]
		node = object(lookup(c.schema, where[:len(where)-1]))
	}
	switch {
	case keyword == "oneOf" || keyword == "anyOf":
		c.variants(failed, node, keyword, at)
	case len(failed.Causes) > 0:
		for _, cause := range failed.Causes {
			c.collect(cause)
		}
	case keyword == "required":
		present := object(lookup(c.config, at))
		required, _ := node["required"].([]any)
		for _, name := range required {
			if name, ok := name.(string); ok {
				if _, has := present[name]; !has {
					c.addMember(at, name, "is missing")
				}
			}
		}
	default:
		c.add(at, expectation(node, keyword, lookup(c.config, at)))
	}
}

// variants adds complaints about a value that may have several forms. It looks for the intended form by the discriminator, a property that is
// constant in every form, and adds the complaints about that form. If the discriminator does not identify a form, it complains about the
// discriminator.
func (c *complaints) variants(failed *jsonschema.ValidationError, node map[string]any, keyword string, at []string) {
	forms, _ := node[keyword].([]any)
	if len(failed.Causes) == 0 {
		c.add(at, "fits more than one of its forms")
		return
	}
	value, isObject := lookup(c.config, at).(map[string]any)
	if !isObject {
		c.add(at, mustBe([]string{"object"}))
		return
	}
	name, constants := discriminator(forms)
	if name == "" {
		c.add(at, "fits none of its forms")
		return
	}
	said, has := value[name]
	if !has {
		c.addMember(at, name, "is missing: it "+oneOf(constants))
		return
	}
	meant := slices.Index(constants, said)
	if meant < 0 {
		c.add(append(slices.Clip(at), name), oneOf(constants))
		return
	}
	form := fragment(failed.AbsoluteKeywordLocation) + "/" + strconv.Itoa(meant)
	for _, cause := range failed.Causes {
		if here := fragment(cause.AbsoluteKeywordLocation); here == form || strings.HasPrefix(here, form+"/") {
			c.collect(cause)
		}
	}
}

// blanks adds a complaint about every required text that has no visible characters, and about every token with a character that no header can carry,
// such as a line break from copying.
func (c *complaints) blanks(nodes []map[string]any, value any, at []string) {
	switch v := value.(type) {
	case map[string]any:
		members := map[string][]map[string]any{}
		for node := range reachable(nodes) {
			properties := object(node["properties"])
			if !meant(properties, v) {
				continue
			}
			required, _ := node["required"].([]any)
			for _, name := range required {
				name, _ := name.(string)
				if text, ok := v[name].(string); ok && trim(text) == "" {
					c.add(append(slices.Clip(at), name), "is blank")
				}
			}
			for name, property := range properties {
				members[name] = append(members[name], object(property))
				if text, ok := v[name].(string); ok && unsendable(name, text, object(property)) {
					c.add(append(slices.Clip(at), name), "has a line break or another control character in it")
				}
			}
		}
		for name, member := range v {
			c.blanks(members[name], member, append(slices.Clip(at), name))
		}
	case []any:
		var items []map[string]any
		for node := range reachable(nodes) {
			items = append(items, object(node["items"]))
		}
		for i, element := range v {
			c.blanks(items, element, append(slices.Clip(at), strconv.Itoa(i)))
		}
	}
}

// unsendable reports whether a text is a one-line token, as defined by [Spec.Clean], with a character that no header can carry.
func unsendable(name, text string, property map[string]any) bool {
	return property["airbyte_secret"] == true && property["multiline"] != true && !password(name) &&
		strings.ContainsFunc(clean(name, text), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F })
}

// meant reports whether value agrees with the constants in properties. If it differs in one, this is not the intended form.
func meant(properties, value map[string]any) bool {
	for name, property := range properties {
		constant, has := object(property)["const"]
		if given, ok := value[name]; has && ok && given != constant {
			return false
		}
	}
	return true
}

// discriminator returns the property that is a constant text in every form, with its constants in the order of the forms, or "" if there is none.
func discriminator(forms []any) (name string, constants []any) {
	if len(forms) == 0 {
		return "", nil
	}
	for _, candidate := range slices.Sorted(maps.Keys(object(object(forms[0])["properties"]))) {
		constants = constants[:0]
		for _, form := range forms {
			property := object(object(object(form)["properties"])[candidate])
			if constant, ok := property["const"].(string); ok {
				constants = append(constants, constant)
			}
		}
		if len(constants) == len(forms) {
			return candidate, constants
		}
	}
	return "", nil
}

// expectation returns in words what a keyword of a schema demands.
func expectation(node map[string]any, keyword string, value any) string {
	limit := fmt.Sprint(node[keyword])
	switch keyword {
	case "type":
		return mustBe(typesOf(node))
	case "const":
		return oneOf([]any{node["const"]})
	case "enum":
		allowed, _ := node["enum"].([]any)
		return oneOf(allowed)
	case "format":
		return "must be " + format(limit)
	case "pattern":
		return pattern(node)
	case "minLength":
		if value == "" {
			return "is empty"
		}
		return "must have at least " + limit + " characters"
	case "maxLength":
		return "must have at most " + limit + " characters"
	case "minimum":
		return "must be at least " + limit
	case "exclusiveMinimum":
		return "must be more than " + limit
	case "maximum":
		return "must be at most " + limit
	case "exclusiveMaximum":
		return "must be less than " + limit
	case "multipleOf":
		return "must be a multiple of " + limit
	case "minItems":
		return "must list at least " + limit
	case "maxItems":
		return "must list at most " + limit
	case "uniqueItems":
		return "must not list the same twice"
	case "additionalProperties", "propertyNames":
		return "has a field that is not known"
	default:
		return "is not as the connector expects it"
	}
}

func mustBe(types []string) string {
	words := make([]string, 0, len(types))
	for _, t := range types {
		switch t {
		case "string":
			words = append(words, "text")
		case "integer":
			words = append(words, "a whole number")
		case "number":
			words = append(words, "a number")
		case "boolean":
			words = append(words, "true or false")
		case "array":
			words = append(words, "a list")
		case "object":
			words = append(words, "an object with fields of its own")
		}
	}
	return "must be " + strings.Join(words, " or ")
}

func oneOf(allowed []any) string {
	words := make([]string, 0, len(allowed))
	for _, one := range allowed {
		words = append(words, inJSON(one))
	}
	if len(words) == 1 {
		return "must be " + words[0]
	}
	return "must be one of " + strings.Join(words, ", ")
}

func format(name string) string {
	switch name {
	case "date":
		return "a date such as 2024-01-31"
	case "date-time":
		return "a date and time such as 2024-01-31T00:00:00Z"
	case "uri":
		return "a URL"
	case "email":
		return "an e-mail address"
	default:
		return "a valid " + name
	}
}

func pattern(node map[string]any) string {
	if text, ok := node["pattern_descriptor"].(string); ok && text != "" {
		return "must look like " + text
	}
	examples, _ := node["examples"].([]any)
	if len(examples) == 0 {
		return "does not have the expected form"
	}
	words := make([]string, 0, len(examples))
	for _, one := range examples {
		words = append(words, inJSON(one))
	}
	return "must look like " + strings.Join(words, " or ")
}

// inJSON returns a value from the spec as the user would write it.
func inJSON(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "another value" // unreachable: value was decoded from JSON
	}
	return strings.TrimSpace(text.String())
}

// fragment returns the JSON pointer at the end of an absolute keyword location.
func fragment(location string) string {
	_, pointer, _ := strings.Cut(location, "#")
	return pointer
}

// tokens splits a JSON pointer into its tokens. The library escapes them for a pointer, then for a URL.
func tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, part := range parts {
		if plain, err := url.PathUnescape(part); err == nil {
			part = plain
		}
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
	}
	return parts
}

// lookup returns the value at a place of a decoded document, or nil.
func lookup(document any, at []string) any {
	for _, token := range at {
		switch v := document.(type) {
		case map[string]any:
			document = v[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			document = v[i]
		default:
			return nil
		}
	}
	return document
}

// object returns v as an object, or nil if it is none.
func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

// Options returns the names of the top-level options of spec (a ConnectorSpecification), sorted, or nil if it is not JSON.
func Options(spec json.RawMessage) []string {
	var s struct {
		Connection struct {
			Properties map[string]json.RawMessage `json:"properties"`
		} `json:"connectionSpecification"`
	}
	if json.Unmarshal(spec, &s) != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.Connection.Properties))
}

// Surplus is an object in a configuration with members that the spec does not name. Their names are left out, because one may be a secret.
type Surplus struct {
	In      string   // the object's dotted path, "" for the configuration itself
	Options []string // the options that the spec names there, sorted
	Meant   []string // those that match a surplus member except for case, "_", "-" and spaces: a JSON decoder may take the member for them
}

// Extra returns the objects in config with members other than the options that spec (a ConnectorSpecification) names, outer objects first. A key that
// begins with "_" is a note. The result is nil if there are none, or if spec names no options.
func Extra(spec, config json.RawMessage) []Surplus {
	var s struct {
		Connection optionSchema `json:"connectionSpecification"`
	}
	if json.Unmarshal(spec, &s) != nil {
		return nil
	}
	return s.Connection.extra("", config)
}

// optionSchema is the part of a schema that names the members of an object.
type optionSchema struct {
	Properties map[string]optionSchema `json:"properties"`
	OneOf      []optionSchema          `json:"oneOf"`
}

// named returns the members that o names, in all forms of the object together.
func (o optionSchema) named() map[string]optionSchema {
	all := maps.Clone(o.Properties)
	for _, form := range o.OneOf {
		if all == nil {
			all = map[string]optionSchema{}
		}
		maps.Copy(all, form.named())
	}
	return all
}

// extra returns Extra for the value at path.
func (o optionSchema) extra(path string, value json.RawMessage) (all []Surplus) {
	named := o.named()
	var object map[string]json.RawMessage
	if len(named) == 0 || json.Unmarshal(value, &object) != nil {
		return nil
	}
	more, here := false, Surplus{In: path, Options: slices.Sorted(maps.Keys(named))}
	var inner []Surplus
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if strings.HasPrefix(name, "_") {
			continue
		}
		if option, known := named[name]; known {
			inner = append(inner, option.extra(strings.TrimPrefix(path+"."+name, "."), object[name])...)
			continue
		}
		more = true
		for _, option := range here.Options {
			if strings.EqualFold(joined.Replace(option), joined.Replace(name)) {
				here.Meant = append(here.Meant, option)
			}
		}
	}
	if more {
		all = append(all, here)
	}
	return append(all, inner...)
}

// joined removes the separators between the words of a name.
var joined = strings.NewReplacer("_", "", "-", "", " ", "")
