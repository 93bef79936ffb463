package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Root returns the repository's folder: the nearest one with a go.work, from the working directory upwards.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("finding the repository: no go.work in %s or above it", start)
		}
	}
}

// Connector is a connector of this repository, as its folder and its metadata.yaml describe it.
type Connector struct {
	Name       string   // the folder's name, such as source-dwv
	Dir        string   // absolute
	Repository string   // of the image
	Tag        string   // the version
	Suggested  []string // suggestedStreams
}

// Writes reports whether the connector is a destination.
func (c Connector) Writes() bool { return strings.HasPrefix(c.Name, "destination-") }

// Image returns the reference under which `make images` tags the connector's image.
func (c Connector) Image() string { return c.Repository + ":dev" }

// Connectors returns the connectors of the repository, found by their folders and sorted by name. A folder without a metadata.yaml is not a connector
// yet.
func Connectors() ([]Connector, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(root, "connectors", "*", "metadata.yaml"))
	if err != nil {
		return nil, fmt.Errorf("finding the connectors: %w", err)
	}
	var all []Connector
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("finding the connectors: %w", err)
		}
		var metadata struct {
			Data struct {
				DockerRepository string `yaml:"dockerRepository"`
				DockerImageTag   string `yaml:"dockerImageTag"`
				SuggestedStreams struct {
					Streams []string `yaml:"streams"`
				} `yaml:"suggestedStreams"`
			} `yaml:"data"`
		}
		if err := yaml.Unmarshal(body, &metadata); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		dir := filepath.Dir(file)
		all = append(all, Connector{
			Name: filepath.Base(dir), Dir: dir,
			Repository: metadata.Data.DockerRepository, Tag: metadata.Data.DockerImageTag,
			Suggested: metadata.Data.SuggestedStreams.Streams,
		})
	}
	return all, nil
}

// target returns the Makefile's target for the binary.
func (c Connector) target() string {
	return filepath.Join("build", runtime.GOOS+"_"+runtime.GOARCH, c.Name)
}

// Build builds the connector's binary with the Makefile, the same as in its image and its releases, and returns the path. Go's build cache makes a
// second call cheap.
func (c Connector) Build(ctx context.Context) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, c.target()), makes(ctx, root, c.target())
}

// BuildImage builds the connector's image with the Makefile, and also its base if that is missing. Docker's cache makes a second call cheap.
func (c Connector) BuildImage(ctx context.Context) error {
	root, err := Root()
	if err != nil {
		return err
	}
	err = makes(ctx, root, "image-"+c.Name)
	if err != nil { // the registry may be unreachable, and the base therefore missing
		err = errors.Join(makes(ctx, root, "base"), makes(ctx, root, "image-"+c.Name))
	}
	return err
}

// makes makes a target of the Makefile.
func makes(ctx context.Context, root, target string) error {
	cmd := exec.CommandContext(ctx, "make", "--no-print-directory", "-C", root, target)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("making %s: %w\n%s", target, err, out)
	}
	return nil
}
