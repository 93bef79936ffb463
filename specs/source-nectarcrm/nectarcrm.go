// Package nectarcrm is the specification and the stream schemas of source-nectarcrm.
package nectarcrm

import "embed"

// Files is spec.json (a ConnectorSpecification) and streams/<name>.json (a JSON Schema each).
//
//go:embed spec.json streams/*.json
var Files embed.FS
