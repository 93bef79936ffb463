package spec

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// Typed is the edits that bring the members of a row into the types of the columns that streams/<stream>.json declares; days and times are in
// one of layouts and zone. Columns whose name begins with an underscore are left alone. A stream without a schema has no edits; a file that is
// no schema is a panic, as it is in Table.
func Typed(files fs.FS, stream string, layouts []string, zone *time.Location) (edits []record.Edit) {
	raw, err := read(files, "streams/"+stream+".json")
	if err != nil {
		return nil
	}
	var schema struct {
		Properties map[string]map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		panic(fmt.Sprintf("spec: the schema of %q: %v", stream, err))
	}
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		column := schema.Properties[name]
		if strings.HasPrefix(name, "_") {
			continue
		}
		switch types := typesOf(column); {
		case column["format"] == "date":
			edits = append(edits, record.Date{Field: name, Layouts: layouts})
		case column["format"] == "date-time":
			edits = append(edits, record.Time{Field: name, Layouts: layouts, Zone: zone, Strict: true})
		case slices.Contains(types, "integer"):
			edits = append(edits, record.Integer{Field: name})
		default:
			switch plainType(column) {
			case "string":
				edits = append(edits, record.JSONText{Field: name})
			case "number":
				edits = append(edits, record.Number{Field: name})
			case "boolean":
				edits = append(edits, record.Boolean{Field: name})
			}
		}
	}
	return edits
}
