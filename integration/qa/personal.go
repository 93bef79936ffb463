package qa

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// personal finds streams and columns that docs/personal-data.md names and that no schema has. A * in a column stands for any letters.
func personal(r Repository) (found []Finding, err error) {
	const file = "docs/personal-data.md"
	data, err := fs.ReadFile(r.Files, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	code := regexp.MustCompile("`([^`]+)`")
	connector := ""
	for i, line := range strings.Split(string(data), "\n") {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			connector = heading
		}
		cells := cellsOf(line)
		if len(cells) < 2 {
			continue
		}
		for _, stream := range code.FindAllStringSubmatch(cells[0], -1) {
			schema, err := fs.ReadFile(r.Files, "specs/"+connector+"/streams/"+stream[1]+".json")
			if err != nil {
				found = append(found, Finding{file, i + 1, fmt.Sprintf("%s has no stream %s", connector, stream[1])})
				continue
			}
			var columns struct{ Properties map[string]any }
			if err := json.Unmarshal(schema, &columns); err != nil {
				return nil, fmt.Errorf("reading the schema of %s: %w", stream[1], err)
			}
			for _, column := range code.FindAllStringSubmatch(cells[1], -1) {
				if !matches(column[1], columns.Properties) {
					found = append(found, Finding{file, i + 1, fmt.Sprintf("%s has no column %s", stream[1], column[1])})
				}
			}
		}
	}
	return found, nil
}

// matches tells whether a pattern is the name of a column.
func matches(pattern string, columns map[string]any) bool {
	for name := range columns {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			return true
		}
	}
	return false
}
