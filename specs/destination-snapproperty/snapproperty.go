// Package snapproperty is the specification of destination-snapproperty.
package snapproperty

import "embed"

// Files is spec.json (a ConnectorSpecification).
//
//go:embed spec.json
var Files embed.FS
