package qa

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// registry is what the names of the project's images begin with.
const registry = "ghcr.io/imob-data/"

// image returns an image of a connector with a tag, behind a colon or as a setting of its own. The tag of a program that fills it in, as ${VERSION},
// is none.
func image() *regexp.Regexp {
	return regexp.MustCompile(regexp.QuoteMeta(registry) + `((?:source|destination)-[a-z0-9-]+)(:|"?\s+(?:docker_image_)?tag\s*=\s*"?)([\w.-]*\w)`)
}

// versions finds examples with another version of a connector than that of its metadata.yaml: what is copied from a page must be there.
func versions(r Repository) (found []Finding, err error) {
	err = r.images(func(file string, data []byte, tags map[string]string) error {
		for _, at := range image().FindAllSubmatchIndex(data, -1) {
			line, name, tag := 1+bytes.Count(data[:at[0]], []byte("\n")), string(data[at[2]:at[3]]), string(data[at[6]:at[7]])
			switch want, known := tags[name]; {
			case !known:
				found = append(found, Finding{file, line, fmt.Sprintf("there is no connector %s", name)})
			case tag != want:
				found = append(found, Finding{file, line, fmt.Sprintf("%s is at version %s; make generate writes it here", name, want)})
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
			part := image().FindStringSubmatch(found)
			if tag, known := tags[part[1]]; known {
				return registry + part[1] + part[2] + tag
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
