package release

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Docker returns a Build that has the repository at root built by its Makefile with Docker. It puts the images that it takes out of Docker into the
// folder scratch, where they have to stay while they are used.
func Docker(root, scratch string) Build {
	return func(ctx context.Context, c Connector, architecture, base string) (v1.Image, error) {
		id := filepath.Join(scratch, c.Name+"-"+architecture+".id")
		if err := command(ctx, root, "make", "image-"+c.Name, "PLATFORM=linux/"+architecture, "BASE="+base, "IIDFILE="+id); err != nil {
			return nil, err
		}
		image, err := os.ReadFile(id)
		if err != nil {
			return nil, fmt.Errorf("reading which image was built: %w", err)
		}
		file := filepath.Join(scratch, c.Name+"-"+architecture+".tar")
		if err := command(ctx, root, "docker", "save", "--output", file, strings.TrimSpace(string(image))); err != nil {
			return nil, err
		}
		return tarball.ImageFromPath(file, nil)
	}
}

// command runs a command in a folder; its error has what it said.
func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("running %s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
