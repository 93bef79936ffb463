// Command source-imobiliar reads Imobiliar.
package main

import (
	_ "embed"

	"github.com/imob-data/airbyte-connectors/common/cli"
)

//go:embed metadata.yaml
var metadata []byte

func main() { cli.Main(source, metadata) }
