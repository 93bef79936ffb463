package connectortest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// The marks in a README that enclose the list of the fields of all streams. `go test -update`, which make generate calls, writes the text between
// them.
const (
	fieldsBegin = "<!-- Written by make generate from the schemas, up to the next mark. -->"
	fieldsEnd   = "<!-- The end of what make generate writes. -->"
)

// table is a stream or an operation, with the schema of its rows.
type table struct {
	name   string
	schema json.RawMessage
	key    [][]string
	cursor []string
}

// tables returns the streams or operations of the connector, in the catalog's order.
func (c connector) tables() (all []table) {
	for _, o := range c.offers {
		all = append(all, table{name: o.ObjectName, schema: o.JSONSchema, key: o.MatchingKeys})
	}
	if !c.writes() {
		for _, s := range c.catalog.Streams {
			all = append(all, table{s.Name, s.JSONSchema, s.SourceDefinedPrimaryKey, s.DefaultCursorField})
		}
	}
	return all
}

// fieldsOf returns the fields of all tables as a chapter of a README, with a folded table for each. The names of fields inside objects begin with the
// objects' names and a dot. Those of fields inside the objects of a list begin with the list's name and [].
func fieldsOf(tables []table) string {
	var b strings.Builder
	b.WriteString("### Fields\n\n")
	for _, t := range tables {
		rows := fieldRows(t, record.Record(t.schema), "")
		fmt.Fprintf(&b, "<details>\n<summary><code>%s</code>: %d fields</summary>\n\n| Field | Type | Description |\n|---|---|---|\n%s\n</details>\n\n",
			t.name, len(rows), strings.Join(rows, ""))
	}
	return b.String()
}

// fieldRows returns a line for each property of a schema, and for those inside properties. The names begin with prefix.
func fieldRows(t table, schema record.Record, prefix string) (rows []string) {
	for name, v := range record.Record(schema.Get("properties").Raw()).Members() {
		property := record.Record(v.Raw())
		kind := typeOf(property)
		if prefix == "" && slices.ContainsFunc(t.key, func(path []string) bool { return slices.Equal(path, []string{name}) }) {
			kind += ", key"
		}
		if prefix == "" && slices.Equal(t.cursor, []string{name}) {
			kind += ", cursor"
		}
		said := strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(property.Get("description").Text())
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", prefix+name, kind, said))
		rows = append(rows, fieldRows(t, property, prefix+name+".")...)
		rows = append(rows, fieldRows(t, record.Record(property.Get("items").Raw()), prefix+name+"[].")...)
	}
	return rows
}

// typeOf returns a property's type in Airbyte's terms.
func typeOf(property record.Record) string {
	var names []string
	for _, t := range types(property) {
		switch {
		case t == "null":
		case t == "number" && property.Get("airbyte_type").Text() == "integer":
			names = append(names, "integer")
		case t == "string" && property.Get("format").Text() == "date-time":
			names = append(names, strings.ReplaceAll(property.Get("airbyte_type").Text(), "_", " "))
		case t == "string" && property.Get("format").Text() != "":
			names = append(names, property.Get("format").Text())
		case t == "array" && len(types(record.Record(property.Get("items").Raw()))) > 0:
			names = append(names, "array of "+typeOf(record.Record(property.Get("items").Raw())))
		default:
			names = append(names, t)
		}
	}
	if len(names) == 0 {
		return "any"
	}
	return strings.Join(names, " or ")
}

// types returns the types that a schema names, one or several.
func types(schema record.Record) (names []string) {
	kind := schema.Get("type")
	if !kind.Exists() {
		return nil
	}
	for _, name := range kind.Array() {
		names = append(names, name.Get("").Text())
	}
	if names == nil {
		names = append(names, kind.Text())
	}
	return names
}

// lintFields compares the fields that README.md lists with the schemas.
func lintFields(c connector) []string {
	_, got, _, err := c.fieldsInReadme()
	if err != nil {
		return []string{err.Error()}
	}
	if want := "\n\n" + fieldsOf(c.tables()); got != want {
		return []string{"README.md lists other fields than the schemas have (- wanted, + there); make generate writes them:\n" + difference(want, got)}
	}
	return nil
}

// fieldsInReadme returns README.md in three parts: the text before, the list of fields, and the text after.
func (c connector) fieldsInReadme() (before, fields, after string, err error) {
	data, err := fs.ReadFile(c.files, "README.md")
	if err != nil {
		return "", "", "", err
	}
	before, rest, begins := strings.Cut(string(data), fieldsBegin)
	fields, after, ends := strings.Cut(rest, fieldsEnd)
	if !begins || !ends {
		return "", "", "", fmt.Errorf("README.md has no list of fields: put the lines %q and %q where it belongs and run make generate",
			fieldsBegin, fieldsEnd)
	}
	return before, fields, after, nil
}

// writeFields writes the list of fields into README.md.
func (c connector) writeFields(t *testing.T) {
	t.Helper()
	before, _, after, err := c.fieldsInReadme()
	if err != nil {
		t.Fatal(err)
	}
	text := before + fieldsBegin + "\n\n" + fieldsOf(c.tables()) + fieldsEnd + after
	rewrite(t, "README.md", text)
}
