package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// Columns returns the types of the columns that a stream's schema declares, ordered by name, with key columns marked. A text with the annotation
// "x-nested-as-text": true is a record.JSONText, and with "x-row-hash": true a record.Digest. An object with "x-labels": true is a record.Labels, and
// with "x-whole-row": true a record.Whole. A field with several types, or with none, has no column; connectortest finds such fields.
func Columns(schema json.RawMessage, keys ...string) ([]record.Edit, error) {
	properties, err := propertiesOf(schema)
	if err != nil {
		return nil, err
	}
	var edits []record.Edit
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if kind := columnType(properties[name]); kind != 0 {
			edits = append(edits, record.Column{
				Field: name, Type: kind, Of: columnType(properties[name].Get("items")), Key: slices.Contains(keys, name),
			})
		}
	}
	return edits, nil
}

// columnType returns the type that a schema declares for a value, or 0 if it does not declare exactly one.
func columnType(property record.Value) record.Type {
	named := property.Get("type")
	kinds := slices.DeleteFunc(named.Array(), func(kind record.Value) bool { return kind.Text() == "null" })
	if !named.IsArray() {
		kinds = []record.Value{named}
	}
	if len(kinds) != 1 {
		return 0
	}
	has := func(annotation string) bool { return property.Get(annotation).True() }
	switch kind := kinds[0].Text(); {
	case kind == "string" && property.Get("format").Text() == "date":
		return record.Date
	case kind == "string" && property.Get("format").Text() == "date-time":
		return record.Timestamp
	case kind == "string" && has("x-nested-as-text"):
		return record.JSONText
	case kind == "string" && has("x-row-hash"):
		return record.Digest
	case kind == "string":
		return record.Text
	case kind == "number" && property.Get("airbyte_type").Text() == "integer", kind == "integer":
		return record.Integer
	case kind == "number":
		return record.Number
	case kind == "object" && has("x-labels"):
		return record.Labels
	case kind == "object" && has("x-whole-row"):
		return record.Whole
	case kind == "object":
		return record.Object
	case kind == "array":
		return record.List
	case kind == "boolean":
		return record.Boolean
	default:
		return 0
	}
}

// Table returns the edits that turn an object into a row of the table described by streams/<stream>.json. Names become lower-case, and objects are
// flattened with `_` down to the schema's columns. A column's title is the path of its field in the source. If several fields become that column,
// this one is used (record.Prefer). Table panics if the file is missing or is not a schema, which is a programming error, as in record.Compile.
func Table(files fs.FS, stream string) []record.Edit {
	raw, err := fs.ReadFile(files, "streams/"+stream+".json")
	if err != nil {
		panic(fmt.Sprintf("spec: no table %q: %v", stream, err))
	}
	columns, err := propertiesOf(raw)
	if err != nil {
		panic(fmt.Sprintf("spec: no table %q: %v", stream, err))
	}
	edits := []record.Edit{record.LowerKeys{}, record.Flatten{}}
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		if path := columns[name].Get("title").Text(); path != "" {
			edits = append(edits, record.Prefer{Field: name, Path: path})
		}
	}
	return edits
}

// propertiesOf returns the columns of a stream's schema. No columns is an error.
func propertiesOf(schema []byte) (map[string]record.Value, error) {
	if !json.Valid(schema) {
		return nil, errors.New("reading the columns of a schema: it is no JSON")
	}
	properties := maps.Collect(record.Record(schema).Get("properties").Members())
	if len(properties) == 0 {
		return nil, errors.New("reading the columns of a schema: it has none")
	}
	return properties, nil
}
