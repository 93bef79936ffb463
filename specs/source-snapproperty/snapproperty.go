// Package snapproperty is the specification and the stream schemas of source-snapproperty.
package snapproperty

import "embed"

// Files is spec.json (a ConnectorSpecification) and streams/<name>.json (a JSON Schema each).
//
//go:embed spec.json streams/*.json
var Files embed.FS
