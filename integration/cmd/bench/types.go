package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
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
	untyped, err := buildUntyped(ctx, c)
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

// buildUntyped builds a connector that does not bring columns into their types, alone in a folder of its own.
func buildUntyped(ctx context.Context, c harness.Connector) (path string, err error) {
	root, err := harness.Root()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return "", fmt.Errorf("building %s without types: %w", c.Name, err)
	}
	file, overlay := filepath.Join(dir, "columns.go"), filepath.Join(dir, "overlay.json")
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "common", "rest", "columns.go"): file}})
	if err == nil {
		err = errors.Join(os.WriteFile(file, []byte(untypedColumns), 0o600), os.WriteFile(overlay, replaced, 0o600))
	}
	if err != nil {
		return "", fmt.Errorf("building %s without types: %w", c.Name, err)
	}
	path = filepath.Join(dir, c.Name)
	build := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(root, "connectors", c.Name), "-overlay", overlay, "-trimpath",
		"-ldflags=-s -w", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s without types: %w\n%s", c.Name, err, said)
	}
	return path, nil
}
