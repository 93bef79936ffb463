// Command source-dwv reads the properties that a real-estate agency selected in DWV.
package main

import (
	_ "embed"

	"github.com/imob-data/airbyte-connectors/common/cli"
)

//go:embed metadata.yaml
var metadata []byte

func main() { cli.Main(source, metadata) }
