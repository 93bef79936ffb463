// Package protocol is the JSON Schema (draft-07) of what connectors and the Airbyte platform hand each other. It is written from how the
// platform treats messages, so it is stricter than the protocol's own schema wherever the platform is: what would be dropped without a word,
// refused, or taken for a bug of the connector does not fit. It is meant for tests.
package protocol

import _ "embed"

// Message is the schema of one message: one line of a connector's output.
//
//go:embed message.json
var Message []byte

// ConfiguredCatalog is the schema of the catalog file that read and write are given.
//
//go:embed configured_catalog.json
var ConfiguredCatalog []byte
