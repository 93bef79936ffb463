package qa

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// personalPage is where the columns are listed that are personal data.
const personalPage = "docs/personal-data.md"

// looksPersonal matches the names of columns that may be personal data.
var looksPersonal = regexp.MustCompile(`(?i)cpf|cnpj|^rg$|nascimento|e-?mail|(tele)?fone|celular|(^|_)endereco|logradouro|^contato(principal)?_|` +
	`skype|facebook|passaporte|chavepix|contacorrente|advogado`)

// personal finds streams and columns that docs/personal-data.md names and that no schema has, and columns of the connectors with a section there
// whose names look personal and that are neither listed for their stream nor named under "Not of people", as `column` or `stream.column`.
// A * in a column stands for any letters.
func personal(r Repository) (found []Finding, err error) {
	data, err := fs.ReadFile(r.Files, personalPage)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	code := regexp.MustCompile("`([^`]+)`")
	sections := map[string]int{}    // the lines of the headings
	listed := map[string][]string{} // the columns of connector/stream
	others := map[string]bool{}     // what is not of people
	section := ""
	for i, line := range strings.Split(string(data), "\n") {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			section, sections[heading] = heading, i+1
		}
		if section == "Not of people" {
			for _, name := range code.FindAllStringSubmatch(line, -1) {
				others[name[1]] = true
			}
		}
		cells := cellsOf(line)
		if len(cells) < 2 {
			continue
		}
		for _, stream := range code.FindAllStringSubmatch(cells[0], -1) {
			columns, err := r.columns(section, stream[1])
			if errors.Is(err, fs.ErrNotExist) {
				found = append(found, Finding{personalPage, i + 1, fmt.Sprintf("%s has no stream %s", section, stream[1])})
				continue
			}
			if err != nil {
				return nil, err
			}
			key := section + "/" + stream[1]
			if cells[1] == "all" {
				listed[key] = []string{"*"}
			}
			for _, column := range code.FindAllStringSubmatch(cells[1], -1) {
				listed[key] = append(listed[key], column[1])
				if !slices.ContainsFunc(columns, func(name string) bool { return matches(column[1], name) }) {
					found = append(found, Finding{personalPage, i + 1, fmt.Sprintf("%s has no column %s", stream[1], column[1])})
				}
			}
		}
	}
	unlisted, err := r.unlisted(sections, listed, others)
	return append(found, unlisted...), err
}

// unlisted finds columns whose names look personal, in the connectors that have a section, which are neither listed nor among the others.
func (r Repository) unlisted(sections map[string]int, listed map[string][]string, others map[string]bool) (found []Finding, err error) {
	for _, connector := range slices.Sorted(maps.Keys(sections)) {
		files, err := fs.Glob(r.Files, "specs/"+connector+"/streams/*.json")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			stream := strings.TrimSuffix(path.Base(file), ".json")
			columns, err := r.columns(connector, stream)
			if err != nil {
				return nil, err
			}
			for _, column := range columns {
				if !looksPersonal.MatchString(column) || others[column] || others[stream+"."+column] ||
					slices.ContainsFunc(listed[connector+"/"+stream], func(pattern string) bool { return matches(pattern, column) }) {
					continue
				}
				found = append(found, Finding{personalPage, sections[connector], fmt.Sprintf("the column %s.%s looks personal: list it, or name it under "+
					"Not of people", stream, column)})
			}
		}
	}
	return found, nil
}

// columns returns the names of a stream's columns, sorted; the error is fs.ErrNotExist where the connector has no such stream.
func (r Repository) columns(connector, stream string) ([]string, error) {
	data, err := fs.ReadFile(r.Files, "specs/"+connector+"/streams/"+stream+".json")
	if err != nil {
		return nil, err
	}
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal(data, &schema); err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", stream, err)
	}
	return slices.Sorted(maps.Keys(schema.Properties)), nil
}

// matches tells whether a pattern is the name of a column.
func matches(pattern, column string) bool {
	ok, err := path.Match(pattern, column)
	return ok && err == nil
}
