package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators"
)

// subject is a source in front of its simulator, which has a process of its own.
type subject struct {
	harness.Connector

	binary    harness.Binary
	simulator *simulator
	catalog   harness.Catalog
}

// open builds a source and starts its simulator. Every answer comes later by latency.
func open(ctx context.Context, c harness.Connector, size int, latency time.Duration) (*subject, error) {
	path, err := c.Build(ctx)
	if err != nil {
		return nil, err
	}
	s := &subject{Connector: c, binary: harness.Binary{Path: path}}
	if s.simulator, err = startSimulator(ctx, simulators.Name(c.Name), size, latency); err != nil {
		return nil, err
	}
	discovered, err := harness.Run(ctx, s.binary, harness.Discover(s.simulator.Config), harness.Options{Secrets: s.simulator.Secrets})
	if err == nil && len(discovered.Catalogs) != 1 {
		err = fmt.Errorf("discovering: %s", discovered)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.catalog = discovered.Catalogs[0]
	return s, nil
}

func (s *subject) close() error { return s.simulator.close() }

// read returns the command that reads some streams whole.
func (s *subject) read(streams []string) harness.Command {
	return harness.Read(s.simulator.Config, s.catalog.Configure(harness.FullRefresh, streams...), nil)
}

// streams returns the names of a part's streams. Those that are not suggested cost a request per row of another, or few need them.
func (s *subject) streams(which part) []string {
	if which.name == "suggested" {
		return s.Suggested
	}
	return slices.DeleteFunc(s.catalog.Names(), func(name string) bool { return slices.Contains(s.Suggested, name) })
}

// cost is what one run took.
type cost struct {
	wall, cpu    float64 // seconds
	mib          float64 // of memory, at the peak
	lines, bytes int     // of the output
}

// drained runs a command whose output is read as fast as it comes, and thrown away.
func drained(ctx context.Context, r harness.Runner, c harness.Command) (cost, error) {
	p, err := r.Start(ctx, c)
	if err != nil {
		return cost{}, err
	}
	var k cost
	buffer := make([]byte, 1<<20)
	for err == nil {
		var n int
		n, err = p.Stdout().Read(buffer)
		k.bytes += n
		k.lines += bytes.Count(buffer[:n], []byte("\n"))
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	e, waitErr := p.Wait()
	if err = errors.Join(err, waitErr); err != nil {
		return k, err
	}
	if e.Code != 0 {
		return k, fmt.Errorf("%v exited with %d: %s", c.Args, e.Code, e.Stderr)
	}
	k.wall, k.cpu, k.mib = e.Wall.Seconds(), e.CPU.Seconds(), float64(e.MaxRSS)/(1<<20)
	return k, nil
}

// median returns the median of a value of each.
func median[T any](all []T, of func(T) float64) float64 {
	var values []float64
	for _, one := range all {
		values = append(values, of(one))
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

func wall(c cost) float64   { return c.wall }
func cpu(c cost) float64    { return c.cpu }
func memory(c cost) float64 { return c.mib }
