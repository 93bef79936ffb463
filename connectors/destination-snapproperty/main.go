// Command destination-snapproperty carries out contract operations in SnapProperty.
package main

import (
	_ "embed"

	"github.com/imob-data/airbyte-connectors/common/cli"
)

//go:embed metadata.yaml
var metadata []byte

func main() { cli.MainDestination(destination, metadata) }
