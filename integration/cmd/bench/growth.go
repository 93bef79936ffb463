package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// growing measures whether time per record and memory stay the same while an API grows.
func (b *bencher) growing(ctx context.Context) (*report, error) {
	r := &report{
		name: "growth", title: "Growth",
		note: "The suggested streams of APIs that have more and more records. *Size* is how many rows the simulator's largest stream has. Time per " +
			"record and memory should stay where they are. Answers that the simulator has no room to keep are rendered while the connector waits, " +
			"which counts as time, not as CPU.",
		head: []string{"source", "size", "records", "wall s", "µs/record", "CPU µs/record", "MiB"},
	}
	counts := slices.DeleteFunc([]int{10_000, 100_000, 1_000_000, 10_000_000}, func(n int) bool { return b.growth > 1 && n > b.growth })
	if len(counts) == 0 {
		return nil, errors.New("-growth has to be 1, or at least 10000")
	}
	for _, c := range b.sources {
		sample, err := grown(ctx, c, counts[0], 1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		for _, records := range counts {
			size, reads := int(int64(records)*int64(counts[0])/int64(sample.lines)), 2
			if records > kept {
				reads = 1
			}
			b.say("%s: %d records", c.Name, records)
			k, err := grown(ctx, c, size, reads)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			micros := 1e6 / float64(k.lines)
			b.say("%s: %d records: %.1f s, %.2f µs of CPU for each, %.0f MiB", c.Name, records, k.wall, k.cpu*micros, k.mib) // the table comes an hour later
			r.row(c.Name, size, k.lines, k.wall, k.wall*micros, k.cpu*micros, k.mib)
		}
	}
	return r, nil
}

// kept is how many records there may be for a simulator to keep the answers that it rendered.
const kept = 1_000_000

// grown returns what the last of some reads of an API of some size costs: of two, the first makes the simulator render answers that it keeps.
func grown(ctx context.Context, c harness.Connector, size, reads int) (k cost, err error) {
	s, err := open(ctx, c, size, 0)
	if err != nil {
		return k, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for range reads {
		if k, err = drained(ctx, s.binary, s.read(c.Suggested)); err != nil {
			return k, err
		}
	}
	return k, nil
}
