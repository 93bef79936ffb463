package cli

import (
	"context"
	"encoding/json"
	"io"

	"github.com/imob-data/airbyte-connectors/common/protocol"
)

// Destination is a destination connector, as the commands need it. Config is a JSON object and otherwise as the user gave it. Errors are told apart
// with [fault.Of].
//
// Write returns soon after ctx is done: it takes no more messages, and waits at most 25 seconds for calls in flight. If one of its goroutines panics,
// Write recovers and returns the error that [fault.Recovered] makes.
type Destination interface {
	// Spec returns the ConnectorSpecification.
	Spec() (json.RawMessage, error)
	// Check returns nil if config works. A [fault.Config] error is shown to the user as the answer.
	Check(ctx context.Context, config []byte) error
	// Discover returns what can be done with the records of a stream.
	Discover(ctx context.Context, config []byte) (*protocol.DestinationCatalog, error)
	// Write takes messages, one per line, until in ends. It gives each state back through out when all messages before it have an outcome. It returns
	// nil only if all of in was taken and has an outcome.
	Write(ctx context.Context, config []byte, cat *protocol.ConfiguredCatalog, in io.Reader, out *protocol.Emitter) error
}

// RunDestination is [Run] for a destination: the command write takes its messages from stdin, and there is no read.
func RunDestination(
	ctx context.Context, dst Destination, metadata []byte, args []string, stdin io.Reader, stdout, stderr io.Writer,
) (code int) {
	return run(ctx, program{
		commands: destinationCommands(dst), spec: dst.Spec, metadata: metadata, args: args, stdin: stdin, stdout: stdout, stderr: stderr,
	})
}

// destinationCommands returns the commands of a destination, in the order in which help shows them.
func destinationCommands(dst Destination) []command {
	return []command{
		specCommand(),
		checkCommand(dst.Check),
		{
			name:  "discover",
			usage: "list the operations that a stream can be written to",
			files: []file{configFile()},
			run: func(ctx context.Context, s *session) error {
				config, err := s.config(ctx)
				if err != nil {
					return err
				}
				catalog, err := dst.Discover(ctx, config)
				if err != nil {
					return err
				}
				return s.out.DestinationCatalog(catalog)
			},
		}, {
			name:  "write",
			usage: "carry out the records that come on standard input",
			files: []file{configFile(), catalogFile()},
			run: func(ctx context.Context, s *session) error {
				config, catalog, err := s.configured(ctx)
				if err != nil {
					return err
				}
				return dst.Write(ctx, config, catalog, s.stdin, s.out)
			},
		},
	}
}
