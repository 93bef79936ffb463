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
		note: "The suggested streams of APIs of more and more rows. Time per record and memory should stay where they are. Answers that the simulator " +
			"has no room to keep are rendered while the connector waits, which counts as time, not as CPU.",
		head: []string{"source", "rows", "records", "wall s", "µs/record", "CPU µs/record", "MiB"},
	}
	sizes := slices.DeleteFunc([]int{10_000, 100_000, 1_000_000, 10_000_000}, func(size int) bool { return b.growth > 1 && size > b.growth })
	for _, c := range b.sources {
		for _, size := range sizes {
			b.say("%s: %d rows", c.Name, size)
			k, err := grown(ctx, c, size)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			micros := 1e6 / float64(k.lines)
			b.say("%s: %d rows: %.1f s, %.2f µs of CPU for a record, %.0f MiB", c.Name, size, k.wall, k.cpu*micros, k.mib) // the table comes hours later
			r.row(c.Name, size, k.lines, k.wall, k.wall*micros, k.cpu*micros, k.mib)
		}
	}
	return r, nil
}

// kept is the size up to which a simulator keeps the answers that it rendered.
const kept = 1_000_000

// grown is what a read of an API of some size costs: the second one where the first makes the simulator render answers that it keeps.
func grown(ctx context.Context, c harness.Connector, size int) (k cost, err error) {
	s, err := open(ctx, c, size, 0)
	if err != nil {
		return k, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	reads := 2
	if size > kept {
		reads = 1
	}
	for range reads {
		if k, err = drained(ctx, s.binary, s.read(c.Suggested)); err != nil {
			return k, err
		}
	}
	return k, nil
}
