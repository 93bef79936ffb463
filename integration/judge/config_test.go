package judge

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// every is a file with every key there is.
const every = `connector_image: airbyte/source-x:dev
base_path: sub
test_strictness_level: low
custom_environment_variables: {A: b, N: 1}
cached_discovered_catalog: true
acceptance_tests:
  client_container_config: {final_teardown_command: [a, b]}
  spec:
    tests:
      - spec_path: s.json
        config_path: c.json
        timeout_seconds: 5
        deployment_mode: cloud
        backward_compatibility_tests_config: {previous_connector_version: 1.0.0, disable_for_version: 0.9.0}
        auth_default_method: {oauth: false, bypass_reason: r}
  connection:
    tests:
      - {config_path: c.json, status: exception, timeout_seconds: 1, deployment_mode: oss}
  discovery:
    tests:
      - {config_path: c.json, validate_primary_keys_data_type: false, backward_compatibility_tests_config: {}}
  basic_read:
    tests:
      - config_path: c.json
        configured_catalog_path: k.json
        empty_streams: [{name: e, bypass_reason: r}]
        ignored_fields: {s: [{name: f, bypass_reason: r}]}
        expect_records: {path: x.jsonl, exact_order: true, extra_fields: false, extra_records: true}
        validate_schema: false
        validate_stream_statuses: true
        validate_state_messages: true
        validate_primary_keys_data_type: true
        fail_on_extra_columns: true
        validate_data_points: true
        expect_trace_message_on_failure: false
        file_types: {skip_test: false, bypass_reason: r, unsupported_types: [{extension: .csv, bypass_reason: r}]}
        client_container_config:
          secrets_path: p
          client_container_dockerfile_path: d
          setup_command: [a]
          teardown_command: [b]
          between_syncs_command: [c]
  full_refresh:
    tests:
      - {config_path: c.json, configured_catalog_path: k.json, ignored_fields: {s: [{name: f}]}}
  incremental:
    tests:
      - config_path: c.json
        future_state:
          future_state_path: f.json
          missing_streams: [{name: m, bypass_reason: r}]
          cursor_format: {format: "^x", streams: [{name: s, format: "^y"}]}
        cursor_paths: {s: [a]}
        threshold_days: 3
        skip_comprehensive_incremental_tests: true
  connector_attributes:
    tests:
      - config_path: c.json
        streams_without_primary_key: [{name: s, bypass_reason: r}]
        allowed_hosts: {bypass_reason: r}
        suggested_streams: {bypass_reason: r}
  connector_documentation:
    tests:
      - {config_path: c.json, timeout_seconds: 2}
`

func TestConfigKeys(t *testing.T) {
	t.Parallel()
	c, err := parseConfig([]byte(every))
	if err != nil {
		t.Fatal(err)
	}
	if c.Environment["N"] != "1" || c.Tests.BasicRead.Tests[0].FileTypes.Unsupported[0].Extension != ".csv" ||
		c.Tests.Incremental.Tests[0].Future.CursorFormat.Streams[0].Format != "^y" || c.Tests.Spec.Tests[0].limit(0).Seconds() != 5 {
		t.Errorf("got %+v", c)
	}
	// Each key, if it is misspelt, is reported as unknown, with its line and column.
	for i, line := range strings.Split(every, "\n") {
		key, _, ok := strings.Cut(strings.TrimPrefix(strings.TrimLeft(line, " "), "- "), ":")
		if !ok || strings.Contains(key, "{") || len(key) < 4 {
			continue
		}
		lines := strings.Split(every, "\n")
		lines[i] = strings.Replace(line, key+":", key+"x:", 1)
		_, err := parseConfig([]byte(strings.Join(lines, "\n")))
		column := strings.Index(line, key) + 1
		if want := "line " + itoa(i+1) + ", column " + itoa(column) + ": there is no key \"" + key + "x\""; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, wanted %s", key, err, want)
		}
	}
}

func itoa(n int) string { return short(n) }

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	c, err := parseConfig([]byte("connector_image: x\nacceptance_tests:\n  spec:\n    tests: [{}]\n  connection:\n    tests: [{}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Tests.Spec.Tests[0]; s.ConfigPath != "secrets/config.json" || s.SpecPath != "secrets/spec.json" || c.Strictness != "low" {
		t.Errorf("got %+v", s)
	}
	if c.Tests.Connection.Tests[0].Status != "succeed" {
		t.Errorf("got %+v", c.Tests.Connection)
	}
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	high := func(change func(string) string) string {
		return change(`connector_image: x
test_strictness_level: high
acceptance_tests:
  spec: {tests: [{}]}
  connection: {tests: [{}]}
  discovery: {tests: [{}]}
  basic_read: {tests: [{expect_records: {path: x}}]}
  full_refresh: {tests: [{}]}
  incremental: {tests: [{future_state: {future_state_path: x}}]}
`)
	}
	replace := func(old, with string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, with, 1) }
	}
	if _, err := parseConfig([]byte(high(replace("", "")))); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(string) string{
		"connector_image is missing":                         replace("connector_image: x\n", ""),
		"low or high, not \"top\"":                           replace("high", "top"),
		"discovery needs tests or a bypass_reason":           replace("  discovery: {tests: [{}]}\n", ""),
		"has tests and a bypass_reason":                      replace("discovery: {", "discovery: {bypass_reason: r, "),
		"expect_records is needed":                           replace("{expect_records: {path: x}}", "{}"),
		"expect_records has a path or a bypass_reason":       replace("{path: x}", "{}"),
		"configured_catalog_path is not allowed":             replace("{expect_records", "{configured_catalog_path: x, expect_records"),
		"validate_schema may not be false":                   replace("{expect_records", "{validate_schema: false, expect_records"),
		"empty_streams: \"e\" needs a bypass_reason":         replace("{expect_records", "{empty_streams: [{name: e}], expect_records"),
		"ignored_fields: \"f\" needs a bypass_reason":        replace("full_refresh: {tests: [{", "full_refresh: {tests: [{ignored_fields: {s: [{name: f}]}"),
		"future_state is needed":                             replace("{future_state: {future_state_path: x}}", "{}"),
		"missing_streams: \"m\" needs a bypass_reason":       replace("future_state_path: x", "future_state_path: x, missing_streams: [{name: m}]"),
		"status is succeed, failed or exception, not \"ok\"": replace("connection: {tests: [{}]}", "connection: {tests: [{status: ok}]}"),
		"line 4, column 10":                                  replace("spec: {tests", "spec: {test"),
	} {
		if _, err := parseConfig([]byte(high(change))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, wanted %q", err, want)
		}
	}
}

func TestConfigLegacy(t *testing.T) {
	t.Parallel()
	c, err := parseConfig([]byte(`connector_image: x
tests:
  spec: [{spec_path: s.json}]
  connection: [{config_path: c.json, status: failed}]
  basic_read:
    - {config_path: c.json, empty_streams: [a, b], ignored_fields: {s: [f]}}
  incremental:
    - {config_path: c.json, future_state_path: f.json}
`))
	if err != nil {
		t.Fatal(err)
	}
	if read := c.Tests.BasicRead.Tests[0]; read.Empty[1].Name != "b" || read.Ignored["s"][0].Name != "f" {
		t.Errorf("got %+v", read)
	}
	if c.Tests.Incremental.Tests[0].Future.Path != "f.json" || c.Tests.Connection.Tests[0].Status != "failed" {
		t.Errorf("got %+v", c.Tests)
	}
}

func TestConfigPaths(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "c.yml")
	if err := os.WriteFile(file, []byte("connector_image: x\nbase_path: sub\nacceptance_tests: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Path("a.json"), filepath.Join(filepath.Dir(file), "sub", "a.json"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestCDKConfig checks that the keys that the CDK's tests reject are left out, and nothing else. The list is that of its version 7.39.
func TestCDKConfig(t *testing.T) {
	t.Parallel()
	body, err := CDKConfig([]byte("# kept\n" + every))
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Tests map[string]struct {
			Tests []map[string]any `yaml:"tests"`
		} `yaml:"acceptance_tests"`
	}
	if err := yaml.Unmarshal(body, &c); err != nil {
		t.Fatal(err)
	}
	read := c.Tests["basic_read"].Tests[0]
	for _, key := range []string{"expect_records", "ignored_fields", "fail_on_extra_columns", "timeout_seconds", "file_types", "validate_data_points"} {
		if _, has := read[key]; has {
			t.Errorf("basic_read has %s", key)
		}
	}
	for _, key := range []string{"config_path", "configured_catalog_path", "empty_streams", "validate_schema", "validate_state_messages"} {
		if _, has := read[key]; !has {
			t.Errorf("basic_read lacks %s", key)
		}
	}
	if spec := c.Tests["spec"].Tests[0]; spec["spec_path"] == nil || spec["auth_default_method"] != nil {
		t.Errorf("spec is %v", spec)
	}
	if !strings.Contains(string(body), "# kept") || c.Tests["incremental"].Tests[0]["future_state"] == nil {
		t.Errorf("got %s", body)
	}
}
