// Package qa holds what people read to what there is: links lead somewhere, code blocks can be read by a machine, quoted messages are in the
// code, versions and excerpts are those of today, translations say the same. Command qa prints what it finds; make lint calls it.
package qa

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Finding is one thing that is wrong.
type Finding struct {
	File string // relative to the repository
	Line int    // from 1; 0 is the file as a whole
	Text string // a sentence
}

// String returns the finding as compilers write theirs.
func (f Finding) String() string { return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text) }

// Check is one thing that is held.
type Check struct {
	Name string
	Of   func(Repository) ([]Finding, error)
}

// Checks returns all checks that need nothing but the files.
func Checks() []Check {
	return []Check{
		{"links", links},
		{"code blocks", codeBlocks},
		{"messages", messages},
		{"versions", versions},
		{"excerpts", excerpts},
		{"translations", translations},
		{"pictures", pictures},
		{"personal data", personal},
	}
}

// Run runs all checks and returns what they find, in the order of files and lines.
func Run(r Repository) ([]Finding, error) {
	var all []Finding
	for _, check := range Checks() {
		found, err := check.Of(r)
		if err != nil {
			return nil, fmt.Errorf("checking %s: %w", check.Name, err)
		}
		all = append(all, found...)
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return all, nil
}

// Repository is the files of the repository.
type Repository struct{ Files fs.FS }

// find returns the files that choose likes, sorted; without what was built and what is hidden, but with .github and .ci.
func (r Repository) find(choose func(file string) bool) (files []string, err error) {
	err = fs.WalkDir(r.Files, ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (file == "build" || d.Name() == "node_modules" || hidden(file)):
			return fs.SkipDir
		case !d.IsDir() && choose(file):
			files = append(files, file)
		}
		return nil
	})
	return files, err
}

func hidden(file string) bool {
	return file != "." && strings.HasPrefix(path.Base(file), ".") && file != ".github" && file != ".ci"
}

// pages returns all Markdown files, parsed.
func (r Repository) pages() ([]page, error) {
	files, err := r.find(func(file string) bool { return path.Ext(file) == ".md" && !strings.Contains(file, "/testdata/") })
	if err != nil {
		return nil, err
	}
	var pages []page
	for _, file := range files {
		p, err := r.page(file)
		if err != nil {
			return nil, err
		}
		pages = append(pages, p)
	}
	return pages, nil
}

// connectors returns the names of the connectors, sorted.
func (r Repository) connectors() ([]string, error) {
	files, err := fs.Glob(r.Files, "connectors/*/metadata.yaml")
	for i, file := range files {
		files[i] = path.Base(path.Dir(file))
	}
	return files, err
}

// metadata is what is compared of a connector's metadata.yaml.
type metadata struct {
	Data struct {
		Repository string `yaml:"dockerRepository"`
		Tag        string `yaml:"dockerImageTag"`
	} `yaml:"data"`
}

func (r Repository) metadata(connector string) (m metadata, err error) {
	data, err := fs.ReadFile(r.Files, "connectors/"+connector+"/metadata.yaml")
	if err != nil {
		return m, err
	}
	if err := yaml.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("reading the metadata of %s: %w", connector, err)
	}
	return m, nil
}
