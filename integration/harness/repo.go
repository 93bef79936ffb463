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

// Root returns the repository's folder: the nearest one upwards of the working directory with a go.work.
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
	Repository string   // the image's name
	Tag        string   // the version
	Suggested  []string // suggestedStreams
}

// Writes tells whether the connector is a destination.
func (c Connector) Writes() bool { return strings.HasPrefix(c.Name, "destination-") }

// Image returns the reference under which `make images` tags the connector's image.
func (c Connector) Image() string { return c.Repository + ":dev" }

// Connectors finds the connectors of the repository by their folders, sorted by name. A folder without a metadata.yaml is none yet.
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

// target returns the binary as the Makefile calls it.
func (c Connector) target() string {
	return filepath.Join("build", runtime.GOOS+"_"+runtime.GOARCH, c.Name)
}

// Build has the Makefile build the connector's binary, as its image and its releases have it, and is the path. Go's build cache makes a
// second call cheap.
func (c Connector) Build(ctx context.Context) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, c.target()), makes(ctx, root, c.target())
}

// BuildImage has the Makefile build the connector's image, and its base where that is missing. Docker's cache makes a second call cheap.
func (c Connector) BuildImage(ctx context.Context) error {
	root, err := Root()
	if err != nil {
		return err
	}
	err = makes(ctx, root, "image-"+c.Name)
	if err != nil { // perhaps for want of a registry, and then of a base
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
