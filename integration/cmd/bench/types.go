package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// typing holds each source against the same source that does not bring columns into their types, and both against the relay.
func (b *bencher) typing(ctx context.Context) (*report, error) {
	r := &report{
		name: "types", title: "Columns and their types",
		note: fmt.Sprintf("CPU of a read with columns brought into their types, of one without, and of the relay: the least of %d rounds each, since "+
			"other processes only add to it. *Cost* is the difference as a part of the relay's.", b.rounds),
		head: []string{"source", "records", "with s", "without s", "relay s", "cost"},
	}
	for _, c := range b.sources {
		if err := b.typed(ctx, c, r); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	return r, nil
}

func (b *bencher) typed(ctx context.Context, c harness.Connector, r *report) (err error) {
	untyped, err := buildVariant(ctx, c, "rest/columns.go", untypedColumns)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(filepath.Dir(untyped))) }()
	s, err := open(ctx, c, b.size, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	b.say("%s: a first read of %d rows", c.Name, b.size)
	read := s.read(c.Suggested)
	res, err := harness.Run(ctx, s.binary, read, harness.Options{Secrets: s.simulator.Secrets})
	if err != nil {
		return err
	}
	t, err := s.simulator.traffic()
	if err != nil {
		return err
	}
	rounds, err := b.rounded(ctx, c.Name, s.binary, read, plan{URL: s.simulator.URL, Requests: t.Requests, AtOnce: t.AtOnce}, res)
	if err != nil {
		return err
	}
	var with, without, relay []float64
	for n, round := range rounds {
		b.say("%s: without types, %d of %d", c.Name, n+1, len(rounds))
		bare, err := drained(ctx, harness.Binary{Path: untyped}, read)
		if err != nil {
			return err
		}
		with, without, relay = append(with, cpu(round.connector)), append(without, cpu(bare)), append(relay, cpu(round.relay))
	}
	on, off, plain := slices.Min(with), slices.Min(without), slices.Min(relay)
	r.row(c.Name, len(res.Rows), on, off, plain, (on-off)/plain)
	return nil
}

// untypedColumns is common/rest/columns.go for a connector that does not bring columns into their types.
const untypedColumns = `package rest

import (
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/spec"
)

func (s *Stream) columns(*spec.Spec) ([]record.Edit, error) { return nil, nil }
`
