package judge

import "go.yaml.in/yaml/v3"

// migrate converts the layout of files before version 0.2.12 of Airbyte's tests into today's: the suites were lists under tests, excused streams and
// fields were names, and the future state was a path. It does not change a file with today's layout.
func migrate(root *yaml.Node) {
	if child(root, "acceptance_tests") != nil {
		return
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "tests" || root.Content[i+1].Kind != yaml.MappingNode {
			continue
		}
		root.Content[i].Value = "acceptance_tests"
		suites := root.Content[i+1]
		for j := 0; j+1 < len(suites.Content); j += 2 {
			tests := suites.Content[j+1]
			if tests.Kind != yaml.SequenceNode {
				continue
			}
			for _, test := range tests.Content {
				migrateTest(test)
			}
			suites.Content[j+1] = mapping(tests, "tests", tests)
		}
	}
}

func migrateTest(test *yaml.Node) {
	if streams := child(test, "empty_streams"); streams != nil {
		name(streams)
	}
	if fields := child(test, "ignored_fields"); fields != nil {
		for i := 1; i < len(fields.Content); i += 2 {
			name(fields.Content[i])
		}
	}
	for i := 0; i+1 < len(test.Content); i += 2 {
		if key, value := test.Content[i], test.Content[i+1]; key.Value == "future_state_path" {
			path := *key
			key.Value = "future_state"
			test.Content[i+1] = mapping(value, path.Value, value)
		}
	}
}

// name replaces each text in a list by a mapping with that name.
func name(list *yaml.Node) {
	for i, element := range list.Content {
		if element.Kind == yaml.ScalarNode {
			list.Content[i] = mapping(element, "name", element)
		}
	}
}

// mapping returns a node with one key, at the position of another node.
func mapping(at *yaml.Node, key string, value *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: at.Line, Column: at.Column, Content: []*yaml.Node{
		{Kind: yaml.ScalarNode, Tag: "!!str", Value: key, Line: at.Line, Column: at.Column}, value,
	}}
}
