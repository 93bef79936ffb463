// Command bench measures what a connector costs: it reads a large data set from its API's simulator through the connector's binary, and
// through a plain relay that asks for the same pages, with as many requests at a time, and does no more with a page than it must: one look
// whether it is JSON, one cut into records, an envelope around each. Run it with `make bench`.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:])
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// command returns one of three: the measurement, and the two that it starts as processes of their own.
func command(ctx context.Context, args []string) error {
	if len(args) == 2 && args[0] == relayCommand {
		return relay(ctx, args[1], os.Stdout)
	}
	if len(args) == 4 && args[0] == simulateCommand {
		return simulate(args[1], args[2], args[3], os.Stdin, os.Stdout)
	}
	return bench(ctx, args, os.Stdout, os.Stderr)
}
