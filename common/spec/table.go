package spec

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// Columns is the types of the columns that a stream's schema declares, in the order of their names; those of keys are marked as such. A text
// with the annotation "x-nested-as-text": true is a record.JSONText and one with "x-row-hash": true a record.Digest; an object with
// "x-labels": true is a record.Labels and one with "x-whole-row": true a record.Whole. A field of several types, or of none, has no column:
// connectortest finds it.
func Columns(schema json.RawMessage, keys ...string) ([]record.Edit, error) {
	properties, err := propertiesOf(schema)
	if err != nil {
		return nil, err
	}
	var edits []record.Edit
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if kind := columnType(properties[name]); kind != 0 {
			edits = append(edits, record.Column{
				Field: name, Type: kind, Of: columnType(object(properties[name]["items"])), Key: slices.Contains(keys, name),
			})
		}
	}
	return edits, nil
}

// columnType is what a schema says of one value, 0 where it is not of one type.
func columnType(property map[string]any) record.Type {
	kinds := slices.DeleteFunc(typesOf(property), func(kind string) bool { return kind == "null" })
	if len(kinds) != 1 {
		return 0
	}
	switch kinds[0] {
	case "string":
		switch {
		case property["format"] == "date":
			return record.Date
		case property["format"] == "date-time":
			return record.Timestamp
		case property["x-nested-as-text"] == true:
			return record.JSONText
		case property["x-row-hash"] == true:
			return record.Digest
		}
		return record.Text
	case "number":
		if property["airbyte_type"] == "integer" {
			return record.Integer
		}
		return record.Number
	default:
		switch {
		case kinds[0] == "object" && property["x-labels"] == true:
			return record.Labels
		case kinds[0] == "object" && property["x-whole-row"] == true:
			return record.Whole
		}
		return map[string]record.Type{
			"boolean": record.Boolean, "integer": record.Integer, "object": record.Object, "array": record.List,
		}[kinds[0]]
	}
}

// Table is the edits that make an object a row of the table which streams/<stream>.json describes: names are lower-case, and objects are
// flattened with `_` down to the schema's columns. A column's title is the path of its field in the source: where several fields become that
// column, this one counts (record.Prefer). A file that is not there or is no schema is a panic, as it is in record.Compile: a programming
// error.
func Table(files fs.FS, stream string) []record.Edit {
	raw, err := read(files, "streams/"+stream+".json")
	if err != nil {
		panic(fmt.Sprintf("spec: no table %q: %v", stream, err))
	}
	columns, err := propertiesOf(raw)
	if err != nil {
		panic(fmt.Sprintf("spec: no table %q: %v", stream, err))
	}
	edits := []record.Edit{record.LowerKeys{}, record.Flatten{}}
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		if path, ok := columns[name]["title"].(string); ok {
			edits = append(edits, record.Prefer{Field: name, Path: path})
		}
	}
	return edits
}

// propertiesOf is the columns of a stream's schema, of which there is one at least.
func propertiesOf(schema json.RawMessage) (map[string]map[string]any, error) {
	var root struct {
		Properties map[string]map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(schema, &root); err != nil {
		return nil, fmt.Errorf("reading the columns of a schema: %w", err)
	}
	if len(root.Properties) == 0 {
		return nil, fmt.Errorf("reading the columns of a schema: it has none")
	}
	return root.Properties, nil
}
