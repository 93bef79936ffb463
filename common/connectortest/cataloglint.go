package connectortest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/spec"
)

// lintCatalog returns what the acceptance tests (TestDiscovery) and the conventions for schemas would find wrong with a catalog. files is the names
// of the schema files.
func lintCatalog(catalog *protocol.Catalog, files []string) []string {
	var f findings
	if len(catalog.Streams) == 0 {
		f.addf("the catalog has no streams")
	}
	seen := map[string]bool{}
	for _, s := range catalog.Streams {
		if seen[s.Name] {
			f.addf("%s is in the catalog twice", s.Name)
		}
		seen[s.Name] = true
		f.stream(s)
		if !slices.Contains(files, s.Name) {
			f.addf("%s has no schema file", s.Name)
		}
	}
	for _, name := range files {
		if !seen[name] {
			f.addf("there is a schema file for %s, which is not in the catalog", name)
		}
	}
	return f
}

// stream checks one stream of the catalog.
func (f *findings) stream(s protocol.Stream) {
	if !snake().MatchString(s.Name) {
		f.addf("%s is not in snake_case", s.Name)
	}
	if len(s.SupportedSyncModes) == 0 {
		f.addf("%s has no sync mode", s.Name)
	}
	for i, mode := range s.SupportedSyncModes {
		if mode != protocol.FullRefresh && mode != protocol.Incremental || slices.Contains(s.SupportedSyncModes[:i], mode) {
			f.addf("%s has the sync mode %q, which is unknown or there twice", s.Name, mode)
		}
	}
	incremental := slices.Contains(s.SupportedSyncModes, protocol.Incremental)
	if incremental && (!s.IsResumable || len(s.DefaultCursorField) == 0) {
		f.addf("%s is incremental, so it must be resumable and have a default cursor", s.Name)
	}
	if (incremental || s.IsResumable) && !s.SourceDefinedCursor {
		f.addf("%s is incremental or resumable, so its cursor must be the source's own", s.Name)
	}
	f.schema(s)
}

// schema checks the schema of a stream.
func (f *findings) schema(s protocol.Stream) {
	schema, err := spec.Compile(s.Name, s.JSONSchema)
	if err != nil {
		f.addf("%v", err)
		return
	}
	if schema.Validate([]byte(`null`)) == nil {
		f.addf("%s takes null for a record", s.Name)
	}
	var root map[string]any
	if err := json.Unmarshal(s.JSONSchema, &root); err != nil {
		f.addf("%s: %v", s.Name, err)
		return
	}
	if root["$schema"] != draft07 || root["additionalProperties"] != true || len(object(root["properties"])) == 0 {
		f.addf("%s must say that it is draft-07, have properties and allow additional ones", s.Name)
	}
	if kept := object(object(root["properties"])[record.Unparsed]); !slices.Equal(typesOf(kept), []string{"null", "object"}) {
		f.addf("%s must have the column %s, an object, for values that do not fit their columns", s.Name, record.Unparsed)
	}
	for _, path := range s.SourceDefinedPrimaryKey {
		f.path(s.Name, "primary key", root, path)
	}
	if len(s.DefaultCursorField) > 0 {
		f.path(s.Name, "cursor", root, s.DefaultCursorField)
	}
	for at, node := range schemas(root) {
		f.keywords(join(s.Name, at), node)
		if _, has := node["oneOf"]; has {
			f.addf("%q uses oneOf; give it one type, and leave out what varies inside objects and lists", join(s.Name, at))
		}
		if _, has := node["enum"]; has {
			f.addf("%q has an enum, which a new value of the API would break; say the values in the description", join(s.Name, at))
		}
		for _, name := range slices.Sorted(maps.Keys(object(node["properties"]))) {
			key := at == "" && slices.ContainsFunc(s.SourceDefinedPrimaryKey, func(path []string) bool {
				return len(path) == 1 && path[0] == name
			})
			p := object(object(node["properties"])[name])
			f.field(join(s.Name, join(at, name)), p, key)
			f.form(join(s.Name, join(at, name)), p, at == "")
		}
		if items, has := node["items"]; has && !single(object(items)) {
			f.addf("%q has elements of several types; leave their type out", join(s.Name, at))
		}
	}
}

// single reports whether a value has at most one type besides null.
func single(p map[string]any) bool {
	return len(slices.DeleteFunc(typesOf(p), func(t string) bool { return t == "null" })) <= 1
}

// path checks that a key or cursor is a plain value of the schema.
func (f *findings) path(stream, what string, root map[string]any, path []string) {
	node := root
	for _, name := range path {
		property, ok := object(node["properties"])[name]
		if !ok {
			f.addf("%s: the %s %v is not in the schema", stream, what, path)
			return
		}
		node = object(property)
	}
	if types := typesOf(node); len(path) == 0 || slices.Contains(types, "object") || slices.Contains(types, "array") {
		f.addf("%s: the %s %v is not a plain value", stream, what, path)
	}
}

// field checks one field of a schema.
func (f *findings) field(at string, p map[string]any, key bool) {
	types := typesOf(p)
	known := []string{"null", "string", "boolean", "integer", "number", "object", "array"}
	for i, t := range types {
		if !slices.Contains(known, t) || slices.Contains(types[:i], t) {
			f.addf("%q has the type %q, which is unknown or there twice", at, t)
		}
	}
	switch {
	case key && (len(types) != 1 || types[0] == "null"):
		f.addf("%q is a key: it must have one type and not be null", at)
	case !key && (len(types) < 2 || types[0] != "null"):
		f.addf(`%q must have a list of types that begins with "null"`, at)
	}
	if said, _ := p["description"].(string); strings.TrimSpace(said) == "" {
		f.addf("%q has no description", at)
	}
	if slices.Contains(types, "array") && len(object(p["items"])) == 0 {
		f.addf("%q is a list without items", at)
	}
	if slices.Contains(types, "object") && p["additionalProperties"] != true {
		f.addf("%q is an object that does not allow additional properties", at)
	}
}

// form checks the type of a field. A warehouse makes one column of a field, and only values of columns are converted.
func (f *findings) form(at string, p map[string]any, column bool) {
	types := typesOf(p)
	if !single(p) {
		f.addf("%q has several types: a column has one besides null, and what varies inside an object is left out", at)
	}
	format, kind := p["format"], p["airbyte_type"]
	if !column && (format != nil || kind != nil) {
		f.addf("%q has a format or an airbyte_type, but values inside objects and lists stay as they come", at)
		return
	}
	switch {
	case format == nil && kind == nil, format == "date" && kind == nil, format == "date-time" && kind == "timestamp_with_timezone":
	case format == nil && kind == "integer" && slices.Contains(types, "number"):
	default:
		f.addf("%q has the format %v with the airbyte_type %v", at, format, kind)
	}
	for _, name := range []string{"x-nested-as-text", "x-row-hash"} {
		if value, has := p[name]; has && (value != true || !slices.Contains(types, "string")) {
			f.addf("%q has %s, which is true and for texts", at, name)
		}
	}
	for _, name := range []string{"x-labels", "x-whole-row"} {
		if value, has := p[name]; has && (value != true || !slices.Contains(types, "object")) {
			f.addf("%q has %s, which is true and for objects", at, name)
		}
	}
}

// typesOf returns a schema's types, whether it has one, several or none.
func typesOf(node map[string]any) []string {
	var types []string
	if one, ok := node["type"].(string); ok {
		types = append(types, one)
	}
	for _, t := range list(node["type"]) {
		if name, ok := t.(string); ok {
			types = append(types, name)
		}
	}
	return types
}
