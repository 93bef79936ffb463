package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// profile is where the connectors spend their time, for the compiler: every binary is built with it. A path from the repository's folder.
const profile = "common/cpu.pgo"

// profiling reads each source a few times, with a binary that notes where it spends its time, and writes the sum of the notes to profile.
func (b *bencher) profiling(ctx context.Context) (_ *report, err error) {
	root, err := harness.Root()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, fmt.Errorf("profiling: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := &report{title: "Profile", note: "What went into " + profile + ".", head: []string{"source", "CPU s"}}
	for _, c := range b.sources {
		seconds, err := b.profiled(ctx, c, filepath.Join(dir, c.Name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		r.row(c.Name, seconds)
	}
	notes, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, fmt.Errorf("profiling: %w", err)
	}
	merge := exec.CommandContext(ctx, "go", append([]string{"tool", "pprof", "-proto", "-output", filepath.Join(root, profile)}, notes...)...)
	if said, err := merge.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("merging the profiles: %w\n%s", err, said)
	}
	return r, nil
}

// profiled reads a source, and has each read note its time in a file whose name begins with notes. It returns the seconds of CPU that the reads
// took.
func (b *bencher) profiled(ctx context.Context, c harness.Connector, notes string) (seconds float64, err error) {
	text, err := profiledMain()
	if err != nil {
		return 0, err
	}
	path, err := buildVariant(ctx, c, mainFile, text)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(filepath.Dir(path))) }()
	for _, part := range b.parts() {
		took, err := b.profiledPart(ctx, c, part, path, notes)
		if err != nil {
			return 0, err
		}
		seconds += took
	}
	return seconds, nil
}

// profiledPart reads a part of a source's streams with the binary at path.
func (b *bencher) profiledPart(ctx context.Context, c harness.Connector, which part, path, notes string) (seconds float64, err error) {
	s, err := open(ctx, c, which.size, 0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	streams := s.streams(which)
	if len(streams) == 0 {
		return 0, nil
	}
	for round := range b.rounds {
		b.say("%s, %s: %d of %d", c.Name, which.name, round+1, b.rounds)
		env := fmt.Sprintf("%s=%s-%s-%d", profileVariable, notes, which.name, round)
		k, err := drained(ctx, harness.Binary{Path: path, Env: []string{env}}, s.read(streams))
		if err != nil {
			return 0, err
		}
		seconds += k.cpu
	}
	return seconds, nil
}

const (
	mainFile        = "cli/main.go"
	profileVariable = "CPUPROFILE"
	runs            = "os.Exit(run(ctx, p))"
	runsProfiled    = `out, err := os.Create(os.Getenv("` + profileVariable + `"))
	if err == nil {
		err = pprof.StartCPUProfile(out)
	}
	if err != nil {
		panic(err)
	}
	code := run(ctx, p)
	pprof.StopCPUProfile()
	os.Exit(code)`
)

// profiledMain returns common/cli/main.go for a connector that notes where it spends its time.
func profiledMain() (string, error) {
	root, err := harness.Root()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(root, "common", mainFile))
	if err != nil {
		return "", fmt.Errorf("profiling: %w", err)
	}
	if strings.Count(string(text), runs) != 1 {
		return "", fmt.Errorf("profiling: %s does not say %q once", mainFile, runs)
	}
	return strings.NewReplacer(runs, runsProfiled, `"os/signal"`, `"os/signal"; "runtime/pprof"`).Replace(string(text)), nil
}
