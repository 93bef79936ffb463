package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// latencySize is how many rows the APIs have whose answers come late, for the suggested streams; the others are read from fewLate, since many of
// them cost a request per row.
const latencySize, fewLate = 2000, 200

// waiting measures how much of the waiting for late answers each stream hides behind other requests.
func (b *bencher) waiting(ctx context.Context) (*report, error) {
	r := &report{
		name: "latency", title: fmt.Sprintf("Answers that take %v", b.latency),
		note: fmt.Sprintf("Each stream alone, from APIs of %d rows, or of %d for those that are not suggested. *Waiting* is the sum of all requests' "+
			"latencies, *hidden* the share of it that the read did not last: other requests were under way meanwhile. A stream that goes from key to key "+
			"cannot hide any.", latencySize, fewLate),
		head: []string{"source", "stream", "lines", "requests", "at once", "waiting s", "wall s", "hidden"},
	}
	for _, c := range b.sources {
		s, err := open(ctx, c, latencySize, 0)
		if err != nil {
			return nil, err
		}
		if err := s.close(); err != nil {
			return nil, err
		}
		for _, stream := range s.catalog.Names() {
			b.say("%s: %s", c.Name, stream)
			size := latencySize
			if !slices.Contains(c.Suggested, stream) {
				size = fewLate
			}
			if err := b.wait(ctx, c, stream, size, r); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", c.Name, stream, err)
			}
		}
	}
	return r, nil
}

// wait reads one stream from a simulator of its own.
func (b *bencher) wait(ctx context.Context, c harness.Connector, stream string, size int, r *report) (err error) {
	s, err := open(ctx, c, size, b.latency)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	k, err := drained(ctx, s.binary, s.read([]string{stream}))
	if err != nil {
		return err
	}
	t, err := s.simulator.traffic()
	if err != nil {
		return err
	}
	waiting := float64(len(t.Requests)) * b.latency.Seconds()
	r.row(c.Name, "`"+stream+"`", k.lines, len(t.Requests), t.AtOnce, waiting, k.wall, fmt.Sprintf("%.0f %%", 100*max(0, 1-k.wall/waiting)))
	return nil
}
