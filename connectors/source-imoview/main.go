// Command source-imoview reads the clients, contracts, properties and requests of a real-estate agency in Imoview.
package main

import (
	_ "embed"

	"github.com/imob-data/airbyte-connectors/common/cli"
)

//go:embed metadata.yaml
var metadata []byte

func main() { cli.Main(source, metadata) }
