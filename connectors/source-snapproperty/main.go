// Command source-snapproperty reads the properties of a real-estate agency in SnapProperty, and their photos.
package main

import (
	_ "embed"

	"github.com/imob-data/airbyte-connectors/common/cli"
)

//go:embed metadata.yaml
var metadata []byte

func main() { cli.Main(source, metadata) }
