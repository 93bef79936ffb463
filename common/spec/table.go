package spec

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// Table is the edits that make an object a row of the table which streams/<stream>.json describes: names are lower-case, objects are
// flattened with `_` down to the schema's columns, and a column has its type whatever arrives. What the schema does not know stays as it
// came.
//
//	date-time   record.Time, strict
//	string      record.JSONText
//	number      record.Number, and so is integer; with its text where the schema has a column <name>_text
//	boolean     record.Boolean
//
// Columns that are an object or an array, or of more than one type, stay as they came. A column's title is the path of its field in the
// source: where several fields become that column, this one counts (record.Prefer). A file that is not there or is no schema is a panic, as
// it is in record.Compile: a programming error.
func Table(files fs.FS, stream string) []record.Edit {
	raw, err := read(files, "streams/"+stream+".json")
	if err != nil {
		panic(fmt.Sprintf("spec: no table %q: %v", stream, err))
	}
	var schema struct {
		Properties map[string]map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(raw, &schema); err != nil || len(schema.Properties) == 0 {
		panic(fmt.Sprintf("spec: the schema of %q has no columns: %v", stream, err))
	}
	columns := schema.Properties
	var whole []string
	var edits []record.Edit
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		column := columns[name]
		if path, ok := column["title"].(string); ok {
			edits = append(edits, record.Prefer{Field: name, Path: path})
		}
		switch kind := plainType(column); {
		case kind == "string" && column["format"] == "date-time":
			edits = append(edits, record.Time{Field: name, Strict: true})
		case kind == "string" && textOf(columns, name):
		case kind == "string":
			edits = append(edits, record.JSONText{Field: name})
		case kind == "number":
			edits = append(edits, record.Number{Field: name, Text: textOf(columns, name+textSuffix)})
		case kind == "boolean":
			edits = append(edits, record.Boolean{Field: name})
		default:
			whole = append(whole, name)
		}
	}
	return append(edits, record.LowerKeys{}, record.Flatten{Keep: whole})
}

// textSuffix is what record.Number adds to a name.
const textSuffix = "_text"

// textOf is whether the column is there for the text of a number.
func textOf(columns map[string]map[string]any, name string) bool {
	number, ok := strings.CutSuffix(name, textSuffix)
	return ok && plainType(columns[name]) == "string" && plainType(columns[number]) == "number"
}

// plainType is string, number (an integer too) or boolean, or "" for all else.
func plainType(column map[string]any) string {
	kinds := slices.DeleteFunc(typesOf(column), func(kind string) bool { return kind == "null" })
	switch {
	case len(kinds) != 1:
		return ""
	case kinds[0] == "integer":
		return "number"
	case kinds[0] == "string", kinds[0] == "number", kinds[0] == "boolean":
		return kinds[0]
	default:
		return ""
	}
}
