package judge

import (
	"bytes"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// CDKConfig returns an acceptance-test-config.yml without the keys that the tests of Airbyte's Python CDK reject. From version 7.39 on (see its
// test/models/scenario.py), a test may only have the keys that those tests read, and a file with more fails before any test runs. Everything else
// stays, including comments.
func CDKConfig(body []byte) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(body, &document); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if len(document.Content) == 0 {
		return body, nil
	}
	root := document.Content[0]
	migrate(root)
	suites := child(root, "acceptance_tests")
	for suite, more := range map[string][]string{
		"spec":         {"spec_path", "backward_compatibility_tests_config", "deployment_mode"},
		"connection":   {"deployment_mode"},
		"discovery":    {"backward_compatibility_tests_config"},
		"basic_read":   {"client_container_config", "expect_trace_message_on_failure", "validate_state_messages"},
		"full_refresh": {"client_container_config"},
	} {
		tests := child(child(suites, suite), "tests")
		if tests == nil {
			continue
		}
		for _, test := range tests.Content {
			keep(test, append(more, "config_path", "configured_catalog_path", "empty_streams", "status", "bypass_reason", "validate_schema"))
		}
	}
	var out bytes.Buffer
	out.WriteString("# Generated from acceptance-test-config.yml by acceptance --cdk-config.\n")
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return nil, fmt.Errorf("writing the configuration: %w", err)
	}
	return out.Bytes(), nil
}

// keep removes all keys of a mapping except some.
func keep(node *yaml.Node, keys []string) {
	var kept []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		if slices.Contains(keys, node.Content[i].Value) {
			kept = append(kept, node.Content[i], node.Content[i+1])
		}
	}
	node.Content = kept
}
