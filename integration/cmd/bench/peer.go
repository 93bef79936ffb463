package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// The stream that the CDK's manifest describes, and its source.
const (
	peerSource = "source-dwv"
	peerStream = "properties"
)

// duel is one run by each.
type duel struct{ connector, peer cost }

// beside holds a stream of a source against the same stream read by Airbyte's Python CDK, start-up counted.
func (b *bencher) beside(ctx context.Context) (_ *report, err error) {
	root, err := harness.Root()
	if err != nil {
		return nil, err
	}
	cdk := harness.Binary{Path: filepath.Join(root, "build", "peer", "bin", "source-declarative-manifest")}
	if _, err := os.Stat(cdk.Path); err != nil {
		return nil, fmt.Errorf("finding the CDK, which `make bench PEER=1` installs: %w", err)
	}
	manifest := filepath.Join(root, "integration", "cmd", "bench", "peer", "manifest.yaml")
	sources, err := chosen(peerSource)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, sources[0], b.size, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r := &report{
		name: "peer", title: "Beside Airbyte's Python CDK",
		note: fmt.Sprintf("The stream %s of %s, read by the connector and, from a manifest, by airbyte-cdk; and `spec`, which is how long either takes "+
			"to start. Medians of %d rounds; a ratio is the median of the rounds' ratios.", peerStream, peerSource, b.rounds),
		head: []string{"command", "lines", "lines (CDK)", "wall s", "CDK", "ratio", "CPU s", "CDK", "ratio", "MiB", "CDK", "ratio"},
	}
	read := s.read([]string{peerStream})
	if _, err := drained(ctx, s.binary, read); err != nil { // makes the simulator render its answers
		return nil, err
	}
	for _, command := range []struct {
		name       string
		ours, cdks harness.Command
	}{{"read", read, read.With("--manifest-path", manifest)}, {"spec", harness.Spec(), harness.Spec()}} {
		var duels []duel
		for n := range b.rounds {
			b.say("%s: round %d of %d", command.name, n+1, b.rounds)
			ours, err := drained(ctx, s.binary, command.ours)
			if err != nil {
				return nil, err
			}
			theirs, err := drained(ctx, cdk, command.cdks)
			if err != nil {
				return nil, err
			}
			duels = append(duels, duel{ours, theirs})
		}
		cells := []any{command.name, duels[0].connector.lines, duels[0].peer.lines}
		for _, value := range []func(cost) float64{wall, cpu, memory} {
			cells = append(cells, median(duels, func(d duel) float64 { return value(d.connector) }),
				median(duels, func(d duel) float64 { return value(d.peer) }),
				median(duels, func(d duel) float64 { return value(d.peer) / value(d.connector) }))
		}
		r.row(cells...)
	}
	return r, nil
}
