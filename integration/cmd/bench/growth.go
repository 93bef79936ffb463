package main

import (
	"context"
	"errors"
	"fmt"

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
	sizes := []int{10_000, 100_000, 1_000_000}
	if b.growth == "full" {
		sizes = append(sizes, 10_000_000)
	}
	for _, c := range b.sources {
		for _, size := range sizes {
			b.say("%s: %d rows", c.Name, size)
			k, err := grown(ctx, c, size)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			micros := 1e6 / float64(k.lines)
			r.row(c.Name, size, k.lines, k.wall, k.wall*micros, k.cpu*micros, k.mib)
		}
	}
	return r, nil
}

// grown is what the second read of an API of some size costs; the first one makes the simulator render its answers.
func grown(ctx context.Context, c harness.Connector, size int) (k cost, err error) {
	s, err := open(ctx, c, size, 0)
	if err != nil {
		return k, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for range 2 {
		if k, err = drained(ctx, s.binary, s.read(c.Suggested)); err != nil {
			return k, err
		}
	}
	return k, nil
}
