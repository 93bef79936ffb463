// Command run syncs the streams of a source into files or into a destination, without Airbyte, and goes on where it stopped when it is run again:
//
//	run -connector source-dwv -config config.json -out rows
//	run -connector ghcr.io/imob-data/source-dwv:0.3.0 -config config.json -out rows -streams properties,cities
//
// `make run` builds a connector of this repository first. See [run] for what it promises.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
