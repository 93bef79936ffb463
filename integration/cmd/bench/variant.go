package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// buildVariant builds a connector whose module common has another text in the place of one of its files, alone in a folder of its own, which
// the caller removes.
func buildVariant(ctx context.Context, c harness.Connector, file, text string) (path string, err error) {
	root, err := harness.Root()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return "", fmt.Errorf("building a variant of %s: %w", c.Name, err)
	}
	instead, overlay := filepath.Join(dir, filepath.Base(file)), filepath.Join(dir, "overlay.json")
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "common", file): instead}})
	if err == nil {
		err = errors.Join(os.WriteFile(instead, []byte(text), 0o600), os.WriteFile(overlay, replaced, 0o600))
	}
	if err != nil {
		return "", fmt.Errorf("building a variant of %s: %w", c.Name, err)
	}
	path = filepath.Join(dir, c.Name)
	build := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(root, "connectors", c.Name), "-overlay", overlay,
		"-pgo="+filepath.Join(root, profile), "-trimpath", "-ldflags=-s -w", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building a variant of %s: %w\n%s", c.Name, err, said)
	}
	return path, nil
}
