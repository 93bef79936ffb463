package connectortest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing/fstest"

	"go.yaml.in/yaml/v3"

	"github.com/imob-data/airbyte-connectors/common/spec"
	"github.com/imob-data/airbyte-connectors/specs/airbyte"
)

// lintConfig checks testdata/config.json against the specification, and how mistakes in its secrets are handled: a blank secret must be refused, and
// one with additions from copying must be taken as it is meant.
func lintConfig(c connector) []string {
	var f findings
	config, err := fs.ReadFile(c.files, configFile)
	if err != nil {
		f.addf("%v", err)
		return f
	}
	s, err := spec.Load(fstest.MapFS{"spec.json": &fstest.MapFile{Data: c.spec}})
	if err == nil {
		err = s.Validate(config)
	}
	if err != nil {
		f.addf("%s: %v", configFile, err)
		return f
	}
	for _, secret := range spec.Secrets(c.spec, config) {
		quoted, err := json.Marshal(secret)
		if err != nil || !bytes.Contains(config, quoted) {
			continue
		}
		with := func(text string) []byte { return bytes.ReplaceAll(config, quoted, []byte(text)) }
		pasted := with(`"\ufeff Bearer ` + string(quoted[1:len(quoted)-1]) + `\u200b\u00a0"`)
		cleaned := s.Clean(pasted)
		if bytes.Equal(cleaned, pasted) { // a password: it is taken as it is and may be optional
			continue
		}
		if s.Validate(s.Clean(with(`" \u00a0\u200b"`))) == nil {
			f.addf("a secret in %s may be blank", configFile)
		}
		if !sameJSON(cleaned, config) {
			f.addf("a secret in %s is not what it was when it was pasted with a word before it", configFile)
		}
	}
	return f
}

// sameJSON reports whether two documents hold the same values.
func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// metadata is the part of metadata.yaml that the checks compare with other files. Its schema covers the whole file.
type metadata struct {
	Data struct {
		Name          string `yaml:"name"`
		ConnectorType string `yaml:"connectorType"`
		Repository    string `yaml:"dockerRepository"`
		Tag           string `yaml:"dockerImageTag"`
		IssueLabel    string `yaml:"githubIssueLabel"`
		Documentation string `yaml:"documentationUrl"`
		Suites        []struct {
			Suite string `yaml:"suite"`
		} `yaml:"connectorTestSuitesOptions"`
		Releases struct {
			BreakingChanges map[string]any `yaml:"breakingChanges"`
		} `yaml:"releases"`
		SuggestedStreams struct {
			Streams []string `yaml:"streams"`
		} `yaml:"suggestedStreams"`
	} `yaml:"data"`
}

// readYAML reads a file into a value, and returns what violates its schema.
func readYAML(files fs.FS, name string, schema []byte, into any) []string {
	var f findings
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return []string{err.Error()}
	}
	var whole any
	if err := errors.Join(yaml.Unmarshal(data, into), yaml.Unmarshal(data, &whole)); err != nil {
		return []string{fmt.Sprintf("%s: %v", name, err)}
	}
	document, err := json.Marshal(whole)
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", name, err)}
	}
	compiled, err := spec.Compile(name, schema)
	if err != nil {
		return []string{err.Error()}
	}
	if err := compiled.Validate(document); err != nil {
		for line := range strings.Lines(err.Error()) {
			f.addf("%s: %s", name, strings.TrimSpace(line))
		}
	}
	return f
}

func lintMetadata(c connector) []string {
	var m metadata
	f := findings(readYAML(c.files, "metadata.yaml", airbyte.Metadata, &m))
	kind, _, _ := strings.Cut(c.name, "-")
	if m.Data.ConnectorType != kind {
		f.addf("connectorType is %q, not %s", m.Data.ConnectorType, kind)
	}
	if path.Base(m.Data.Repository) != c.name {
		f.addf("dockerRepository is %q, which does not end with %s", m.Data.Repository, c.name)
	}
	if m.Data.IssueLabel != c.name {
		f.addf("githubIssueLabel is %q, not %s", m.Data.IssueLabel, c.name)
	}
	if !strings.HasSuffix(m.Data.Documentation, "/connectors/"+c.name) {
		f.addf("documentationUrl is %q, not the address of this folder", m.Data.Documentation)
	}
	suites := map[string]bool{}
	for _, option := range m.Data.Suites {
		suites[option.Suite] = true
	}
	if !suites["unitTests"] || !suites["acceptanceTests"] {
		f.addf("connectorTestSuitesOptions does not name both unitTests and acceptanceTests")
	}
	page, err := fs.ReadFile(c.files, "README.md")
	for _, version := range slices.Sorted(maps.Keys(m.Data.Releases.BreakingChanges)) {
		if err != nil || !strings.Contains(string(page), "# Upgrading to "+version+"\n") {
			f.addf("releases has the breaking change %s, and README.md no heading %q", version, "Upgrading to "+version)
		}
	}
	for _, name := range m.Data.SuggestedStreams.Streams {
		if !slices.Contains(c.streams(), name) {
			f.addf("suggestedStreams names %q, which is not in the catalog", name)
		}
	}
	return f
}

// acceptance is the part of acceptance-test-config.yml that the checks compare with other files. Its schema covers the whole file.
type acceptance struct {
	Image      string           `yaml:"connector_image"`
	Strictness string           `yaml:"test_strictness_level"`
	Suites     map[string]suite `yaml:"acceptance_tests"`
}

// suite is one suite of the acceptance tests: its tests, or a reason for having none.
type suite struct {
	Bypass string           `yaml:"bypass_reason"`
	Tests  []map[string]any `yaml:"tests"`
}

func lintAcceptance(c connector) []string {
	var a acceptance
	f := findings(readYAML(c.files, "acceptance-test-config.yml", airbyte.Acceptance, &a))
	var m metadata
	if readYAML(c.files, "metadata.yaml", airbyte.Metadata, &m); a.Image != m.Data.Repository+":dev" {
		f.addf("connector_image is %q, not %s:dev", a.Image, m.Data.Repository)
	}
	for _, name := range []string{"spec", "connection"} {
		if len(a.Suites[name].Tests) == 0 {
			f.addf("there is no test of %s", name)
		}
	}
	for _, test := range a.Suites["basic_read"].Tests {
		for _, empty := range list(test["empty_streams"]) {
			name, why := object(empty)["name"], object(empty)["bypass_reason"]
			if name, _ := name.(string); !slices.Contains(c.streams(), name) {
				f.addf("basic_read: the empty stream %q is not in the catalog", name)
			}
			if a.Strictness == "high" && why == nil {
				f.addf("basic_read: nothing says why %q is empty", name)
			}
		}
	}
	for _, name := range []string{"spec", "connection", "discovery", "basic_read", "full_refresh", "incremental"} {
		if s := a.Suites[name]; s.Bypass == "" && len(s.Tests) == 0 && a.Strictness == "high" {
			f.addf("%s has neither tests nor a bypass_reason", name)
		}
	}
	for name, s := range a.Suites {
		if s.Bypass != "" && len(s.Tests) > 0 {
			f.addf("%s has tests and a bypass_reason", name)
		}
		for _, test := range s.Tests {
			for _, file := range named(test) {
				if !fs.ValidPath(file) {
					continue // outside of the folder, such as the specification
				}
				if _, err := fs.Stat(c.files, file); err != nil {
					f.addf("%s: %v", name, err)
				}
			}
		}
	}
	return f
}

// named returns the files of the folder that a test names. It leaves out secrets, which do not exist, and files outside the folder, which the judge
// checks.
func named(test map[string]any) (files []string) {
	for key, value := range test {
		text, _ := value.(string)
		switch {
		case value == nil:
		case text == "":
			files = append(files, named(object(value))...)
		case (key == "path" || strings.HasSuffix(key, "_path")) && !strings.HasPrefix(text, "secrets/") && !strings.HasPrefix(text, "../"):
			files = append(files, text)
		}
	}
	return files
}

// headings returns the headings that the documentation page of every connector needs, in the order of the platform's pages. There is none for the
// addresses to allow (IP allow list): they are those of Airbyte Cloud, which does not run custom images.
func headings(title string, writes bool) []string {
	offers := "Supported Streams"
	if writes {
		offers = "Supported Operations"
	}
	return []string{
		"Prerequisites", "Setup guide", "Set up " + title, "For Airbyte Cloud:", "For Airbyte Open Source:", "Supported sync modes", offers,
		"Performance considerations", "Data type map", "Limitations & Troubleshooting", "Tutorials", "Changelog",
	}
}

func lintReadme(c connector) []string {
	var f findings
	data, err := fs.ReadFile(c.files, "README.md")
	if err != nil {
		return []string{err.Error()}
	}
	page := string(data)
	var m metadata
	known := len(readYAML(c.files, "metadata.yaml", airbyte.Metadata, &m)) == 0
	place := 0
	for _, heading := range headings(m.Data.Name, c.writes()) {
		at := regexp.MustCompile(`(?mi)^#{2,3} ` + regexp.QuoteMeta(heading) + `$`).FindStringIndex(page[place:])
		if at == nil {
			f.addf("README.md has no heading %q, or has it in another place than usual", heading)
			continue
		}
		place += at[1]
	}
	if strings.Contains(page[place:], "\n## ") {
		f.addf("the changelog is not the last chapter of README.md")
	}
	if known {
		row := regexp.MustCompile(`(?m)^\| *v?(\d+\.\d+\.\d+\S*) *\|`).FindStringSubmatch(page[place:])
		if row == nil || row[1] != m.Data.Tag {
			f.addf("the first row of the changelog in README.md is not about %s, the dockerImageTag", m.Data.Tag)
		}
		if !strings.HasPrefix(page, "# "+m.Data.Name+"\n") {
			f.addf("README.md does not begin with the heading %q", "# "+m.Data.Name)
		}
	}
	for _, stream := range c.streams() {
		if !strings.Contains(page, "`"+stream+"`") {
			f.addf("README.md does not mention the stream `%s`", stream)
		}
	}
	var document map[string]any
	if err := json.Unmarshal(c.spec, &document); err != nil {
		f.addf("%v", err)
		return f
	}
	root := object(document["connectionSpecification"])
	for at, node := range schemas(root) {
		for _, name := range slices.Sorted(maps.Keys(object(node["properties"]))) {
			if !strings.Contains(page, "`"+name+"`") && !strings.Contains(page, "`"+join(at, name)+"`") {
				f.addf("README.md does not mention the field `%s` of the configuration", join(at, name))
			}
		}
	}
	prerequisites, _, _ := strings.Cut(chapter(page, "Prerequisites"), "\n## ")
	for _, name := range list(root["required"]) {
		name, _ := name.(string)
		title, _ := object(object(root["properties"])[name])["title"].(string)
		if !strings.Contains(strings.ToLower(prerequisites), strings.ToLower(title)) {
			f.addf("README.md: the prerequisites do not name %q, which is required", title)
		}
	}
	return f
}

// chapter returns the part of a page behind a heading.
func chapter(page, heading string) string {
	_, rest, _ := strings.Cut(page, "\n## "+heading+"\n")
	return rest
}

func lintIcon(c connector) []string {
	data, err := fs.ReadFile(c.files, "icon.svg")
	if err != nil {
		return []string{err.Error()}
	}
	var image struct {
		XMLName xml.Name
		ViewBox string `xml:"viewBox,attr"`
		Width   string `xml:"width,attr"`
		Height  string `xml:"height,attr"`
	}
	if err := xml.Unmarshal(data, &image); err != nil || image.XMLName.Local != "svg" {
		return []string{"icon.svg is not an SVG image"}
	}
	box := strings.Fields(strings.ReplaceAll(image.ViewBox, ",", " "))
	if len(box) != 4 || box[2] != box[3] || image.Width != image.Height {
		return []string{"icon.svg is not square: its viewBox, and its width and height if it has them, must say so"}
	}
	return nil
}

func lintModule(c connector) []string {
	var f findings
	data, err := fs.ReadFile(c.files, "go.mod")
	if err != nil {
		return []string{err.Error()}
	}
	const repository = "github.com/imob-data/airbyte-connectors/"
	for _, line := range []string{
		"module " + repository + "connectors/" + c.name,
		"replace " + repository + "common => ../../common",
		"replace " + repository + "specs => ../../specs",
	} {
		words := regexp.MustCompile(`\s+`).ReplaceAllString(regexp.QuoteMeta(line), `\s+`)
		words = strings.Replace(words, `replace\s+`, `(replace\s+)?`, 1) // it may be in a block
		if !regexp.MustCompile(`(?m)^\s*` + words + `\s*$`).Match(data) {
			f.addf("go.mod has no line %q", line)
		}
	}
	return f
}

// lintHTTPS finds addresses without TLS in what the connector ships.
func lintHTTPS(c connector) []string {
	var f findings
	plain := regexp.MustCompile(`http://[^\s"'<>)` + "`" + `]*`)
	harmless := regexp.MustCompile(`^http://(json-schema\.org|www\.w3\.org|localhost|127\.0\.0\.1|host\.docker\.internal)\b`)
	look := func(name string, data []byte) {
		for _, address := range plain.FindAllString(string(data), -1) {
			if !harmless.MatchString(address) {
				f.addf("%s has the address %s, which is not https", name, address)
			}
		}
	}
	look("the specification", c.spec)
	for _, name := range []string{"metadata.yaml", "acceptance-test-config.yml", "README.md", "icon.svg"} {
		data, err := fs.ReadFile(c.files, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // another check reports a missing file
			f.addf("%v", err)
		}
		look(name, data)
	}
	return f
}
