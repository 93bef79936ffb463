package qa

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// registry is what the names of the project's images begin with.
const registry = "ghcr.io/imob-data/"

// image is an image of a connector with a tag. The tag of a program that fills it in, as ${VERSION}, is none.
func image() *regexp.Regexp {
	return regexp.MustCompile(regexp.QuoteMeta(registry) + `((?:source|destination)-[a-z0-9-]+)(:[\w.-]*\w)`)
}

// versions finds examples with another version of a connector than that of its metadata.yaml: what is copied from a page must be there.
func versions(r Repository) (found []Finding, err error) {
	err = r.images(func(file string, data []byte, tags map[string]string) error {
		for i, line := range strings.Split(string(data), "\n") {
			for _, m := range image().FindAllStringSubmatch(line, -1) {
				want, known := tags[m[1]]
				switch {
				case !known:
					found = append(found, Finding{file, i + 1, fmt.Sprintf("there is no connector %s", m[1])})
				case m[2] != ":"+want:
					found = append(found, Finding{file, i + 1, fmt.Sprintf("%s is at version %s; make generate writes it here", m[1], want)})
				}
			}
		}
		return nil
	})
	return found, err
}

// Stamp writes the versions of the connectors behind the names of their images in all pages and examples, and returns the files that it
// changed with what they are to hold.
func Stamp(r Repository) (changed map[string][]byte, err error) {
	changed = map[string][]byte{}
	err = r.images(func(file string, data []byte, tags map[string]string) error {
		text := image().ReplaceAllStringFunc(string(data), func(found string) string {
			name := image().FindStringSubmatch(found)[1]
			if tag, known := tags[name]; known {
				return registry + name + ":" + tag
			}
			return found
		})
		if text != string(data) {
			changed[file] = []byte(text)
		}
		return nil
	})
	return changed, err
}

// images calls f with each file that may name images for users, and with the connectors' versions.
func (r Repository) images(f func(file string, data []byte, tags map[string]string) error) error {
	connectors, err := r.connectors()
	if err != nil {
		return err
	}
	tags := map[string]string{}
	for _, connector := range connectors {
		m, err := r.metadata(connector)
		if err != nil {
			return err
		}
		tags[connector] = m.Data.Tag
	}
	files, err := r.find(func(file string) bool {
		return strings.HasPrefix(file, "examples/") || strings.HasSuffix(file, ".md") && !strings.Contains(file, "/testdata/")
	})
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := fs.ReadFile(r.Files, file)
		if err != nil {
			return err
		}
		if err := f(file, data, tags); err != nil {
			return err
		}
	}
	return nil
}
