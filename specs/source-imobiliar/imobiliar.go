// Package imobiliar is the specification and the stream schemas of source-imobiliar.
package imobiliar

import "embed"

// Files is spec.json (a ConnectorSpecification) and streams/<name>.json (a JSON Schema each).
//
//go:embed spec.json streams/*.json
var Files embed.FS
