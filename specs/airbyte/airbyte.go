// Package airbyte is the JSON Schema (draft-07) of the files that a connector's folder has for the platform, without what depends on the
// connector. It is written from what the readers of these files take, and refuses members that these do not know. It is meant for tests.
package airbyte

import _ "embed"

// Metadata is the schema of metadata.yaml.
//
//go:embed metadata.json
var Metadata []byte

// Acceptance is the schema of acceptance-test-config.yml.
//
//go:embed acceptance.json
var Acceptance []byte
