package connectortest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing/fstest"

	"go.yaml.in/yaml/v3"

	"github.com/imob-data/airbyte-connectors/common/spec"
)

// lintConfig holds the configuration that discovers against the specification, and what people make of its secrets: a blank one is refused,
// and one with what copying adds to it is taken as it is meant.
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
		if bytes.Equal(cleaned, pasted) { // a password, which is taken as it is and may be optional
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

// sameJSON is whether two documents say the same.
func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// metadata is metadata.yaml: every field of the platform's schema, which takes no others. What is not looked at here is an any.
type metadata struct {
	Version string `yaml:"metadataSpecVersion"`
	Data    struct {
		Name             string `yaml:"name"`
		DefinitionID     string `yaml:"definitionId"`
		ConnectorType    string `yaml:"connectorType"`
		ConnectorSubtype string `yaml:"connectorSubtype"`
		Repository       string `yaml:"dockerRepository"`
		Tag              string `yaml:"dockerImageTag"`
		License          string `yaml:"license"`
		DocumentationURL string `yaml:"documentationUrl"`
		IssueLabel       string `yaml:"githubIssueLabel"`
		ReleaseStage     string `yaml:"releaseStage"`
		SupportLevel     string `yaml:"supportLevel"`
		Icon             string `yaml:"icon"`

		Tags         []string `yaml:"tags"`
		AllowedHosts *struct {
			Hosts []string `yaml:"hosts"`
		} `yaml:"allowedHosts"`
		SuggestedStreams *struct {
			Streams []string `yaml:"streams"`
		} `yaml:"suggestedStreams"`

		BuildOptions           any `yaml:"connectorBuildOptions"`
		TestSuites             any `yaml:"connectorTestSuitesOptions"`
		SupportsDBT            any `yaml:"supportsDbt"`
		SupportsNormalization  any `yaml:"supportsNormalization"`
		ExternalDocumentation  any `yaml:"externalDocumentationUrls"`
		MaxSecondsBetween      any `yaml:"maxSecondsBetweenMessages"`
		ReleaseDate            any `yaml:"releaseDate"`
		ProtocolVersion        any `yaml:"protocolVersion"`
		ERDURL                 any `yaml:"erdUrl"`
		RegistryOverrides      any `yaml:"registryOverrides"`
		Releases               any `yaml:"releases"`
		ResourceRequirements   any `yaml:"resourceRequirements"`
		Internal               any `yaml:"ab_internal"`
		RemoteRegistries       any `yaml:"remoteRegistries"`
		SupportsRefreshes      any `yaml:"supportsRefreshes"`
		SupportsFileTransfer   any `yaml:"supportsFileTransfer"`
		SupportsDataActivation any `yaml:"supportsDataActivation"`
		Generated              any `yaml:"generated"`
		IPCOptions             any `yaml:"connectorIPCOptions"`
	} `yaml:"data"`
}

// readYAML reads a file into a struct that has every key which the file may have.
func readYAML(files fs.FS, name string, into any) error {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func lintMetadata(c connector) []string {
	var f findings
	var m metadata
	if err := readYAML(c.files, "metadata.yaml", &m); err != nil {
		return []string{err.Error()}
	}
	d := m.Data
	kind, _, _ := strings.Cut(c.name, "-")
	for _, rule := range []struct {
		field, value, form string
	}{
		{"metadataSpecVersion", m.Version, `^1\.0$`},
		{"name", d.Name, `\S`},
		{"definitionId", d.DefinitionID, `^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
		{"connectorType", d.ConnectorType, `^` + kind + `$`},
		{"connectorSubtype", d.ConnectorSubtype, `^(api|database|datalake|file|custom|message_queue|unknown|vectorstore)$`},
		{"dockerRepository", d.Repository, `^[a-z0-9./-]+/` + regexp.QuoteMeta(c.name) + `$`},
		{"dockerImageTag", d.Tag, `^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-rc\.[1-9]\d*)?$`},
		{"license", d.License, `^MIT$`},
		{"documentationUrl", d.DocumentationURL, `^https://\S+$`},
		{"githubIssueLabel", d.IssueLabel, `^` + regexp.QuoteMeta(c.name) + `$`},
		{"releaseStage", d.ReleaseStage, `^(alpha|beta|generally_available|custom)$`},
		{"supportLevel", d.SupportLevel, `^(community|certified|archived)$`},
		{"icon", d.Icon, `^icon\.svg$`},
	} {
		if !regexp.MustCompile(rule.form).MatchString(rule.value) {
			f.addf("%s is %q, which is not of the form %s", rule.field, rule.value, rule.form)
		}
	}
	if !slices.Contains(d.Tags, "language:go") {
		f.addf("tags do not name language:go")
	}
	for _, tag := range d.Tags {
		if !regexp.MustCompile(`^[a-z]+:\S+$`).MatchString(tag) {
			f.addf("the tag %q is not of the form keyword:value", tag)
		}
	}
	if d.AllowedHosts == nil || len(d.AllowedHosts.Hosts) == 0 {
		f.addf("allowedHosts names no host, so the connector could reach nothing")
	}
	switch {
	case c.writes():
		if d.SupportsDataActivation != true {
			f.addf("supportsDataActivation is not true, so nobody could map records to operations")
		}
	case d.SuggestedStreams == nil || len(d.SuggestedStreams.Streams) == 0:
		f.addf("suggestedStreams names no stream")
	default:
		for _, name := range d.SuggestedStreams.Streams {
			if !slices.Contains(c.streams(), name) {
				f.addf("suggestedStreams names %q, which is not in the catalog", name)
			}
		}
	}
	return f
}

// acceptance is acceptance-test-config.yml, with every key that its reader takes.
type acceptance struct {
	Image       string            `yaml:"connector_image"`
	BasePath    string            `yaml:"base_path"`
	Strictness  string            `yaml:"test_strictness_level"`
	Environment map[string]string `yaml:"custom_environment_variables"`
	Tests       struct {
		Client        any                    `yaml:"client_container_config"`
		Spec          suite[specTest]        `yaml:"spec"`
		Connection    suite[connectionTest]  `yaml:"connection"`
		Discovery     suite[discoveryTest]   `yaml:"discovery"`
		BasicRead     suite[readTest]        `yaml:"basic_read"`
		FullRefresh   suite[fullTest]        `yaml:"full_refresh"`
		Incremental   suite[incrementalTest] `yaml:"incremental"`
		Attributes    suite[attributesTest]  `yaml:"connector_attributes"`
		Documentation suite[testFile]        `yaml:"connector_documentation"`
	} `yaml:"acceptance_tests"`
}

// suite is one suite of the acceptance tests: its tests, or a reason for having none.
type suite[T filed] struct {
	Bypass string `yaml:"bypass_reason"`
	Tests  []T    `yaml:"tests"`
}

// filed is a test that names files.
type filed interface{ paths() []string }

// testFile is what every test has.
type testFile struct {
	Config  string `yaml:"config_path"`
	Timeout int    `yaml:"timeout_seconds"`
}

func (t testFile) paths() []string { return []string{t.Config} }

type specTest struct {
	testFile   `yaml:",inline"`
	Spec       string `yaml:"spec_path"`
	Deployment string `yaml:"deployment_mode"`
	Backward   any    `yaml:"backward_compatibility_tests_config"`
	Auth       any    `yaml:"auth_default_method"`
}

func (t specTest) paths() []string { return []string{t.Config, t.Spec} }

type connectionTest struct {
	testFile   `yaml:",inline"`
	Status     string `yaml:"status"`
	Deployment string `yaml:"deployment_mode"`
}

type discoveryTest struct {
	testFile   `yaml:",inline"`
	Deployment string `yaml:"deployment_mode"`
	Backward   any    `yaml:"backward_compatibility_tests_config"`
	KeyTypes   *bool  `yaml:"validate_primary_keys_data_type"`
}

type readTest struct {
	testFile      `yaml:",inline"`
	Catalog       string             `yaml:"configured_catalog_path"`
	Empty         []excused          `yaml:"empty_streams"`
	Ignored       map[string]excuses `yaml:"ignored_fields"`
	Expect        *expected          `yaml:"expect_records"`
	Schema        *bool              `yaml:"validate_schema"`
	Statuses      *bool              `yaml:"validate_stream_statuses"`
	States        *bool              `yaml:"validate_state_messages"`
	KeyTypes      *bool              `yaml:"validate_primary_keys_data_type"`
	ExtraColumns  *bool              `yaml:"fail_on_extra_columns"`
	DataPoints    *bool              `yaml:"validate_data_points"`
	TraceOnFail   *bool              `yaml:"expect_trace_message_on_failure"`
	Deployment    string             `yaml:"deployment_mode"`
	FileTypes     any                `yaml:"file_types"`
	ClientOptions any                `yaml:"client_container_config"`
}

func (t readTest) paths() []string {
	paths := []string{t.Config, t.Catalog}
	if t.Expect != nil {
		paths = append(paths, t.Expect.Path)
	}
	return paths
}

type expected struct {
	Path       string `yaml:"path"`
	Bypass     string `yaml:"bypass_reason"`
	ExactOrder *bool  `yaml:"exact_order"`
}

type fullTest struct {
	testFile      `yaml:",inline"`
	Catalog       string             `yaml:"configured_catalog_path"`
	Ignored       map[string]excuses `yaml:"ignored_fields"`
	Deployment    string             `yaml:"deployment_mode"`
	ClientOptions any                `yaml:"client_container_config"`
}

func (t fullTest) paths() []string { return []string{t.Config, t.Catalog} }

type incrementalTest struct {
	testFile `yaml:",inline"`
	Catalog  string `yaml:"configured_catalog_path"`
	Future   *struct {
		Path    string    `yaml:"future_state_path"`
		Missing []excused `yaml:"missing_streams"`
		Bypass  string    `yaml:"bypass_reason"`
		Format  any       `yaml:"cursor_format"`
	} `yaml:"future_state"`
	SkipComprehensive *bool  `yaml:"skip_comprehensive_incremental_tests"`
	Deployment        string `yaml:"deployment_mode"`
	ClientOptions     any    `yaml:"client_container_config"`
}

func (t incrementalTest) paths() []string {
	paths := []string{t.Config, t.Catalog}
	if t.Future != nil {
		paths = append(paths, t.Future.Path)
	}
	return paths
}

type attributesTest struct {
	testFile   `yaml:",inline"`
	WithoutKey []excused `yaml:"streams_without_primary_key"`
	Hosts      any       `yaml:"allowed_hosts"`
	Suggested  any       `yaml:"suggested_streams"`
}

// excused is a stream or a field that a test leaves out, and why.
type excused struct {
	Name   string `yaml:"name"`
	Bypass string `yaml:"bypass_reason"`
}

type excuses []excused

func lintAcceptance(c connector) []string {
	var f findings
	var a acceptance
	if err := readYAML(c.files, "acceptance-test-config.yml", &a); err != nil {
		return []string{err.Error()}
	}
	var m metadata
	if err := readYAML(c.files, "metadata.yaml", &m); err == nil && a.Image != m.Data.Repository+":dev" {
		f.addf("connector_image is %q, not %s:dev", a.Image, m.Data.Repository)
	}
	if !slices.Contains([]string{"", "low", "high"}, a.Strictness) {
		f.addf("test_strictness_level is %q, not low or high", a.Strictness)
	}
	for name, empty := range map[string]bool{
		"spec": len(a.Tests.Spec.Tests) == 0, "connection": len(a.Tests.Connection.Tests) == 0,
	} {
		if empty {
			f.addf("there is no test of %s", name)
		}
	}
	for _, test := range a.Tests.Connection.Tests {
		if !slices.Contains([]string{"", "succeed", "failed", "exception"}, test.Status) {
			f.addf("connection: the status %q is not succeed, failed or exception", test.Status)
		}
	}
	for _, test := range a.Tests.BasicRead.Tests {
		for _, empty := range test.Empty {
			if !slices.Contains(c.streams(), empty.Name) {
				f.addf("basic_read: the empty stream %q is not in the catalog", empty.Name)
			}
			if a.Strictness == "high" && empty.Bypass == "" {
				f.addf("basic_read: nothing says why %q is empty", empty.Name)
			}
		}
	}
	suites(&f, c, "spec", a.Strictness, a.Tests.Spec)
	suites(&f, c, "connection", a.Strictness, a.Tests.Connection)
	suites(&f, c, "discovery", a.Strictness, a.Tests.Discovery)
	suites(&f, c, "basic_read", a.Strictness, a.Tests.BasicRead)
	suites(&f, c, "full_refresh", a.Strictness, a.Tests.FullRefresh)
	suites(&f, c, "incremental", a.Strictness, a.Tests.Incremental)
	suites(&f, c, "connector_attributes", "", a.Tests.Attributes)
	suites(&f, c, "connector_documentation", "", a.Tests.Documentation)
	return f
}

// suites looks at one suite: a file that it names is there unless it is a secret, and it has either tests or a reason to have none.
func suites[T filed](f *findings, c connector, name, strictness string, s suite[T]) {
	switch {
	case s.Bypass != "" && len(s.Tests) > 0:
		f.addf("%s has tests and a bypass_reason", name)
	case s.Bypass == "" && len(s.Tests) == 0 && strictness == "high":
		f.addf("%s has neither tests nor a bypass_reason", name)
	}
	for _, test := range s.Tests {
		for _, path := range test.paths() {
			if path == "" || strings.HasPrefix(path, "secrets/") {
				continue
			}
			if _, err := fs.Stat(c.files, path); err != nil {
				f.addf("%s: %v", name, err)
			}
		}
	}
}

// headings is those of a documentation page that every connector needs, in the order in which the platform's pages have them.
func headings(writes bool) []string {
	if writes {
		return []string{
			"Prerequisites", "Setup guide", "Supported sync modes", "Supported Operations", "Data type map", "Limitations & Troubleshooting",
			"Changelog",
		}
	}
	return []string{
		"Prerequisites", "Setup guide", "Supported sync modes", "Supported Streams", "Data type map", "Limitations & Troubleshooting",
		"Changelog",
	}
}

func lintReadme(c connector) []string {
	var f findings
	data, err := fs.ReadFile(c.files, "README.md")
	if err != nil {
		return []string{err.Error()}
	}
	page := string(data)
	place := 0
	for _, heading := range headings(c.writes()) {
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
	var m metadata
	if err := readYAML(c.files, "metadata.yaml", &m); err == nil {
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

// chapter is a page from a heading on.
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
		words = strings.Replace(words, `replace\s+`, `(replace\s+)?`, 1) // it may stand in a block
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
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // an absent file is another check's finding
			f.addf("%v", err)
		}
		look(name, data)
	}
	return f
}
