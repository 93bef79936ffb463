package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// round is one read by each: right after one another, so that what else the machine does falls on all of them.
type round struct{ connector, relay, alone cost }

// ratios holds each source against the relay, its suggested streams and, on a twentieth of the rows, its others.
func (b *bencher) ratios(ctx context.Context) (*report, error) {
	r := &report{
		name: "ratios", title: "Connectors and relay",
		note: fmt.Sprintf("What a read costs a connector, and what it costs a relay that sends the same requests, as many at once as the connector has "+
			"for nineteen of twenty, looks whether the answers are JSON and prints as many lines and bytes. Medians of %d rounds; a ratio is the "+
			"median of the rounds' ratios. *Simulator* is how long the answers take to "+
			"come when nobody looks at them: no reader can be faster.", b.rounds),
		head: []string{
			"source", "streams", "records", "requests", "at once", "wall s", "relay", "ratio", "CPU s", "relay", "ratio", "MiB", "relay",
			"simulator s", "records/s",
		},
	}
	for _, c := range b.sources {
		for _, part := range b.parts() {
			if err := b.ratio(ctx, c, part, r); err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
		}
	}
	return r, nil
}

// part is some of a source's streams, and the rows of the API that they are read from.
type part struct {
	name string
	size int
}

// parts returns a source's suggested streams and, from a twentieth of the rows, its others.
func (b *bencher) parts() []part {
	return []part{{"suggested", b.size}, {"others", max(100, b.size/20)}}
}

func (b *bencher) ratio(ctx context.Context, c harness.Connector, which part, r *report) (err error) {
	s, err := open(ctx, c, which.size, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	streams := s.streams(which)
	if len(streams) == 0 {
		return nil
	}
	// The first read is not measured. It is checked in full, and the relay is told to do what it did.
	b.say("%s, %s: a first read of %d rows", c.Name, which.name, which.size)
	command := s.read(streams)
	res, err := harness.Run(ctx, s.binary, command, harness.Options{Secrets: s.simulator.Secrets})
	if err != nil {
		return err
	}
	if problems := res.Problems(); res.Code != 0 || len(problems) > 0 {
		return fmt.Errorf("reading: %s %v", res, problems)
	}
	t, err := s.simulator.traffic()
	if err != nil {
		return err
	}
	p := plan{URL: s.simulator.URL, Requests: t.Requests, AtOnce: t.AtOnce}
	rounds, err := b.rounded(ctx, c.Name+", "+which.name, s.binary, command, p, res)
	if err != nil {
		return err
	}
	of := func(value func(cost) float64, who func(round) cost) float64 {
		return median(rounds, func(r round) float64 { return value(who(r)) })
	}
	connector, relay := func(r round) cost { return r.connector }, func(r round) cost { return r.relay }
	ratio := func(value func(cost) float64) float64 {
		return median(rounds, func(r round) float64 { return value(r.connector) / value(r.relay) })
	}
	took := of(wall, connector)
	r.row(c.Name, which.name, len(res.Rows), len(t.Requests), t.AtOnce, took, of(wall, relay), ratio(wall),
		of(cpu, connector), of(cpu, relay), ratio(cpu), of(memory, connector), of(memory, relay),
		of(wall, func(r round) cost { return r.alone }), int(float64(len(res.Rows))/took))
	r.bars = append(r.bars, bar{c.Name + ", " + which.name, ratio(wall), ratio(cpu)})
	return nil
}

// rounded reads in rounds, after a relay that was not measured has told how many lines and bytes it is short of.
func (b *bencher) rounded(ctx context.Context, name string, connector harness.Binary, read harness.Command, p plan, res *harness.Result) (
	rounds []round, err error,
) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the relay: %w", err)
	}
	run := func(p plan) (cost, error) {
		body, err := json.Marshal(p)
		if err != nil {
			return cost{}, fmt.Errorf("writing the relay's plan: %w", err)
		}
		files := map[string][]byte{"plan.json": body}
		return drained(ctx, harness.Binary{Path: self}, harness.Command{Args: []string{relayCommand, "{plan.json}"}, Files: files})
	}
	plain, err := run(p)
	if err != nil {
		return nil, err
	}
	p.Lines, p.Bytes = max(0, res.Lines-plain.lines), max(0, int(res.Bytes)-plain.bytes)
	for n := range b.rounds {
		b.say("%s: round %d of %d", name, n+1, b.rounds)
		var r round
		var errs [3]error
		r.connector, errs[0] = drained(ctx, connector, read)
		r.relay, errs[1] = run(p)
		r.alone, errs[2] = run(plan{URL: p.URL, Requests: p.Requests, AtOnce: p.AtOnce, Discard: true})
		if err := errors.Join(errs[:]...); err != nil {
			return nil, err
		}
		rounds = append(rounds, r)
	}
	return rounds, nil
}
