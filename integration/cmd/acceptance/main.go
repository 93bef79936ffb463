// Command acceptance judges a connector for Airbyte, whoever wrote it and in whatever language, by the acceptance-test-config.yml that it has:
//
//	acceptance --image airbyte/source-faker:6.2.0 --config acceptance-test-config.yml
//
// docs/acceptance.md of its repository says what is checked, and why.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
