package judge

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Config is an acceptance-test-config.yml: which files and expectations belong to the tests of each suite. Its paths are as written; see
// [Config.Path].
type Config struct {
	Image       string            `yaml:"connector_image"`
	BasePath    string            `yaml:"base_path"`
	Strictness  string            `yaml:"test_strictness_level"` // low or high; default low
	Environment map[string]string `yaml:"custom_environment_variables"`
	Cached      bool              `yaml:"cached_discovered_catalog"` // accepted, but discovery runs once for each configuration in any case
	Tests       Tests             `yaml:"acceptance_tests"`

	dir string // what paths are relative to
}

// Tests are the suites.
type Tests struct {
	Client        *Client                  `yaml:"client_container_config"`
	Spec          Suite[SpecTest]          `yaml:"spec"`
	Connection    Suite[ConnectionTest]    `yaml:"connection"`
	Discovery     Suite[DiscoveryTest]     `yaml:"discovery"`
	BasicRead     Suite[BasicReadTest]     `yaml:"basic_read"`
	FullRefresh   Suite[FullRefreshTest]   `yaml:"full_refresh"`
	Incremental   Suite[IncrementalTest]   `yaml:"incremental"`
	Attributes    Suite[AttributesTest]    `yaml:"connector_attributes"`
	Documentation Suite[DocumentationTest] `yaml:"connector_documentation"`
}

// Suite is the tests of a suite, or the reason for having none. If Tests is nil and there is no reason, the file lacks the suite.
type Suite[T any] struct {
	BypassReason string `yaml:"bypass_reason"`
	Tests        []T    `yaml:"tests"`
}

// Common is what tests of every suite can specify.
type Common struct {
	ConfigPath string `yaml:"config_path"`     // default secrets/config.json
	Timeout    int    `yaml:"timeout_seconds"` // of each run; 0: the suite's own
	Deployment string `yaml:"deployment_mode"` // cloud or oss: the environment's DEPLOYMENT_MODE, in capitals
}

// Client is a container that prepares what a connector reads from. Its image is built from the Dockerfile, with the secrets at /client/secrets. Each
// command runs in a container of its own.
type Client struct {
	SecretsPath   string   `yaml:"secrets_path"`
	Dockerfile    string   `yaml:"client_container_dockerfile_path"`
	Setup         []string `yaml:"setup_command"`
	Teardown      []string `yaml:"teardown_command"`
	Between       []string `yaml:"between_syncs_command"`
	FinalTeardown []string `yaml:"final_teardown_command"`
}

// Compatibility says against which version compatibility is tested.
type Compatibility struct {
	Previous string `yaml:"previous_connector_version"` // default latest
	Disable  string `yaml:"disable_for_version"`        // no test while the previous version is this one
}

// Excused is a stream or a field that a test leaves out, and why.
type Excused struct {
	Name         string `yaml:"name"`
	BypassReason string `yaml:"bypass_reason"`
}

// Bypass is a reason for leaving something out.
type Bypass struct {
	BypassReason string `yaml:"bypass_reason"`
}

// SpecTest is a test of the suite spec.
type SpecTest struct {
	Common        `yaml:",inline"`
	SpecPath      string        `yaml:"spec_path"`
	Compatibility Compatibility `yaml:"backward_compatibility_tests_config"`
	AuthDefault   struct {
		OAuth        *bool  `yaml:"oauth"`
		BypassReason string `yaml:"bypass_reason"`
	} `yaml:"auth_default_method"`
}

// ConnectionTest is a test of the suite connection.
type ConnectionTest struct {
	Common `yaml:",inline"`
	Status string `yaml:"status"` // succeed, failed or exception; default succeed
}

// DiscoveryTest is a test of the suite discovery.
type DiscoveryTest struct {
	Common        `yaml:",inline"`
	Compatibility Compatibility `yaml:"backward_compatibility_tests_config"`
	KeyTypes      *bool         `yaml:"validate_primary_keys_data_type"`
}

// Expected says where the expected records are.
type Expected struct {
	Path         string `yaml:"path"`
	BypassReason string `yaml:"bypass_reason"`
	ExactOrder   bool   `yaml:"exact_order"`
	ExtraFields  bool   `yaml:"extra_fields"`  // of older versions; has no effect
	ExtraRecords *bool  `yaml:"extra_records"` // of older versions; has no effect
}

// BasicReadTest is a test of the suite basic_read.
type BasicReadTest struct {
	Common        `yaml:",inline"`
	CatalogPath   string               `yaml:"configured_catalog_path"`
	Empty         []Excused            `yaml:"empty_streams"`
	Ignored       map[string][]Excused `yaml:"ignored_fields"`
	Expect        *Expected            `yaml:"expect_records"`
	Schema        *bool                `yaml:"validate_schema"`
	Statuses      *bool                `yaml:"validate_stream_statuses"`
	StateMessages *bool                `yaml:"validate_state_messages"`
	KeyTypes      *bool                `yaml:"validate_primary_keys_data_type"`
	ExtraColumns  *bool                `yaml:"fail_on_extra_columns"`
	DataPoints    bool                 `yaml:"validate_data_points"`
	Trace         *bool                `yaml:"expect_trace_message_on_failure"`
	FileTypes     *FileTypes           `yaml:"file_types"`
	Client        *Client              `yaml:"client_container_config"`
}

// FileTypes says which types of files a source of files must bring.
type FileTypes struct {
	Skip         bool   `yaml:"skip_test"`
	BypassReason string `yaml:"bypass_reason"`
	Unsupported  []struct {
		Extension    string `yaml:"extension"`
		BypassReason string `yaml:"bypass_reason"`
	} `yaml:"unsupported_types"`
}

// FullRefreshTest is a test of the suite full_refresh.
type FullRefreshTest struct {
	Common      `yaml:",inline"`
	CatalogPath string               `yaml:"configured_catalog_path"`
	Ignored     map[string][]Excused `yaml:"ignored_fields"`
	Client      *Client              `yaml:"client_container_config"`
}

// FutureState says where a state of the far future is.
type FutureState struct {
	Path         string    `yaml:"future_state_path"`
	Missing      []Excused `yaml:"missing_streams"`
	BypassReason string    `yaml:"bypass_reason"`
	CursorFormat *struct {
		Format  string `yaml:"format"`
		Streams []struct {
			Name   string `yaml:"name"`
			Format string `yaml:"format"`
		} `yaml:"streams"`
	} `yaml:"cursor_format"`
}

// IncrementalTest is a test of the suite incremental.
type IncrementalTest struct {
	Common      `yaml:",inline"`
	CatalogPath string              `yaml:"configured_catalog_path"`
	Future      *FutureState        `yaml:"future_state"`
	FuturePath  string              `yaml:"future_state_path"` // of older versions
	CursorPaths map[string][]string `yaml:"cursor_paths"`      // of older versions; has no effect
	Threshold   int                 `yaml:"threshold_days"`    // of older versions; has no effect
	SkipSlices  bool                `yaml:"skip_comprehensive_incremental_tests"`
	Client      *Client             `yaml:"client_container_config"`
}

// AttributesTest is a test of the suite connector_attributes.
type AttributesTest struct {
	Common           `yaml:",inline"`
	WithoutKey       []Excused `yaml:"streams_without_primary_key"`
	AllowedHosts     *Bypass   `yaml:"allowed_hosts"`
	SuggestedStreams *Bypass   `yaml:"suggested_streams"`
}

// DocumentationTest is a test of the suite connector_documentation.
type DocumentationTest struct {
	Common `yaml:",inline"`
}

// High reports whether the strictness level is high.
func (c *Config) High() bool { return c.Strictness == "high" }

// Path returns the path on this machine of a path in the file, which is relative to base_path or else to the file's folder.
func (c *Config) Path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.dir, path)
}

// ReadConfig reads a file. An error names everything that is wrong, with lines and columns.
func ReadConfig(file string) (*Config, error) {
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of the tests: %w", err)
	}
	c, err := parseConfig(body)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	c.dir = filepath.Dir(file)
	if c.BasePath != "" {
		c.dir = c.Path(c.BasePath)
	}
	return c, nil
}

func parseConfig(body []byte) (*Config, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(body, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("it is no mapping")
	}
	root := document.Content[0]
	migrate(root)
	if err := errors.Join(unknownKeys(root, reflect.TypeFor[Config]())...); err != nil {
		return nil, err
	}
	c := &Config{Strictness: "low"}
	if err := root.Decode(c); err != nil {
		return nil, err
	}
	complete(c)
	return c, errors.Join(faults(c, root)...)
}

// unknownKeys returns an error for each key in a node that a type lacks.
func unknownKeys(node *yaml.Node, into reflect.Type) (all []error) {
	for into.Kind() == reflect.Pointer {
		into = into.Elem()
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch {
	case into.Kind() == reflect.Slice && node.Kind == yaml.SequenceNode:
		for _, element := range node.Content {
			all = append(all, unknownKeys(element, into.Elem())...)
		}
	case into.Kind() == reflect.Map && node.Kind == yaml.MappingNode:
		for i := 1; i < len(node.Content); i += 2 {
			all = append(all, unknownKeys(node.Content[i], into.Elem())...)
		}
	case into.Kind() == reflect.Struct && node.Kind == yaml.MappingNode:
		known := fields(into)
		for i := 0; i < len(node.Content); i += 2 {
			key := node.Content[i]
			if field, ok := known[key.Value]; ok {
				all = append(all, unknownKeys(node.Content[i+1], field)...)
			} else {
				all = append(all, fmt.Errorf("line %d, column %d: there is no key %q here", key.Line, key.Column, key.Value))
			}
		}
	}
	return all
}

// fields returns the types of a struct's fields by their keys, including those of inlined structs.
func fields(t reflect.Type) map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for field := range t.Fields() {
		name, option, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			maps.Copy(all, fields(field.Type))
		case name != "":
			all[name] = field.Type
		}
	}
	return all
}

// complete sets defaults for what the file leaves out.
func complete(c *Config) {
	fill := func(common *Common) {
		if common.ConfigPath == "" {
			common.ConfigPath = "secrets/config.json"
		}
	}
	for i := range c.Tests.Spec.Tests {
		fill(&c.Tests.Spec.Tests[i].Common)
		if t := &c.Tests.Spec.Tests[i]; t.SpecPath == "" {
			t.SpecPath = "secrets/spec.json"
		}
	}
	for i := range c.Tests.Connection.Tests {
		t := &c.Tests.Connection.Tests[i]
		fill(&t.Common)
		if t.Status == "" {
			t.Status = "succeed"
		}
	}
	for i := range c.Tests.Discovery.Tests {
		fill(&c.Tests.Discovery.Tests[i].Common)
	}
	for i := range c.Tests.BasicRead.Tests {
		fill(&c.Tests.BasicRead.Tests[i].Common)
	}
	for i := range c.Tests.FullRefresh.Tests {
		fill(&c.Tests.FullRefresh.Tests[i].Common)
	}
	for i := range c.Tests.Incremental.Tests {
		fill(&c.Tests.Incremental.Tests[i].Common)
	}
	for i := range c.Tests.Attributes.Tests {
		fill(&c.Tests.Attributes.Tests[i].Common)
	}
	for i := range c.Tests.Documentation.Tests {
		fill(&c.Tests.Documentation.Tests[i].Common)
	}
}

// faults returns what is wrong with a file whose keys are all known.
func faults(c *Config, root *yaml.Node) (all []error) {
	at := func(path ...string) string {
		node := root
		for _, key := range path {
			if below := child(node, key); below != nil {
				node = below
			}
		}
		return fmt.Sprintf("line %d, column %d: ", node.Line, node.Column)
	}
	fault := func(where, format string, args ...any) {
		all = append(all, errors.New(where+fmt.Sprintf(format, args...)))
	}
	if c.Image == "" {
		fault(at(), "connector_image is missing")
	}
	if c.Strictness != "low" && c.Strictness != "high" {
		fault(at("test_strictness_level"), "test_strictness_level is low or high, not %q", c.Strictness)
	}
	for _, suite := range c.suites() {
		if suite.reason != "" && suite.tests > 0 {
			fault(at("acceptance_tests", suite.name), "%s has tests and a bypass_reason; it can have one of them", suite.name)
		}
	}
	for _, t := range c.Tests.Connection.Tests {
		if !slices.Contains([]string{"succeed", "failed", "exception"}, t.Status) {
			fault(at("acceptance_tests", "connection"), "status is succeed, failed or exception, not %q", t.Status)
		}
	}
	for _, t := range c.Tests.BasicRead.Tests {
		if t.Expect != nil && (t.Expect.Path == "") == (t.Expect.BypassReason == "") {
			fault(at("acceptance_tests", "basic_read"), "expect_records has a path or a bypass_reason: one of them")
		}
	}
	for _, t := range c.Tests.Incremental.Tests {
		if t.Future != nil && (t.Future.Path == "") == (t.Future.BypassReason == "") {
			fault(at("acceptance_tests", "incremental"), "future_state has a future_state_path or a bypass_reason: one of them")
		}
	}
	if c.High() {
		all = append(all, c.strict(at)...)
	}
	return all
}

// declared is what a file says about one suite.
type declared struct {
	name, reason string
	tests        int
}

// suites returns the suites of the file's format, in its order.
func (c *Config) suites() []declared {
	t := c.Tests
	return []declared{
		{"spec", t.Spec.BypassReason, len(t.Spec.Tests)},
		{"connection", t.Connection.BypassReason, len(t.Connection.Tests)},
		{"discovery", t.Discovery.BypassReason, len(t.Discovery.Tests)},
		{"basic_read", t.BasicRead.BypassReason, len(t.BasicRead.Tests)},
		{"full_refresh", t.FullRefresh.BypassReason, len(t.FullRefresh.Tests)},
		{"incremental", t.Incremental.BypassReason, len(t.Incremental.Tests)},
		{"connector_attributes", t.Attributes.BypassReason, len(t.Attributes.Tests)},
		{"connector_documentation", t.Documentation.BypassReason, len(t.Documentation.Tests)},
	}
}

// strict returns violations of the strictness level high. Checks report streams that are left out without a record or a state, because that requires
// the catalog.
func (c *Config) strict(at func(...string) string) (all []error) {
	fault := func(suite, format string, args ...any) {
		all = append(all, errors.New(at("acceptance_tests", suite)+fmt.Sprintf(format, args...)+", at the strictness level high"))
	}
	excused := func(suite, key string, all []Excused) {
		for _, e := range all {
			if e.BypassReason == "" {
				fault(suite, "%s: %q needs a bypass_reason", key, e.Name)
			}
		}
	}
	for _, suite := range c.suites()[:6] {
		if suite.tests == 0 && suite.reason == "" {
			fault(suite.name, "%s needs tests or a bypass_reason", suite.name)
		}
	}
	for _, t := range c.Tests.BasicRead.Tests {
		excused("basic_read", "empty_streams", t.Empty)
		for _, fields := range t.Ignored {
			excused("basic_read", "ignored_fields", fields)
		}
		if t.Expect == nil {
			fault("basic_read", "expect_records is needed")
		}
		if t.CatalogPath != "" {
			fault("basic_read", "configured_catalog_path is not allowed: all streams are read")
		}
		if t.Schema != nil && !*t.Schema {
			fault("basic_read", "validate_schema may not be false")
		}
	}
	for _, t := range c.Tests.FullRefresh.Tests {
		for _, fields := range t.Ignored {
			excused("full_refresh", "ignored_fields", fields)
		}
	}
	for _, t := range c.Tests.Incremental.Tests {
		if t.Future == nil {
			fault("incremental", "future_state is needed")
		} else {
			excused("incremental", "missing_streams", t.Future.Missing)
		}
	}
	return all
}

// limit returns how long a run of a test may take: the test's own timeout, or else the usual one of its suite.
func (c Common) limit(usual time.Duration) time.Duration {
	if c.Timeout > 0 {
		return time.Duration(c.Timeout) * time.Second
	}
	return usual
}

// child returns the value of a key of a mapping, or nil.
func child(node *yaml.Node, key string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}
