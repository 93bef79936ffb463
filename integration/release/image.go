package release

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// finish looks whether an image is what it should be, and returns it in the form of the OCI with where it comes from written on it.
func (r Release) finish(ctx context.Context, built v1.Image, c Connector, base, architecture string) (v1.Image, error) {
	config, err := built.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the image: %w", err)
	}
	if err := errors.Join(right(config, c, architecture), r.standsOn(ctx, config, base, architecture)); err != nil {
		return nil, err
	}
	if _, err := program(built, config, architecture); err != nil {
		return nil, err
	}
	layers, err := built.Layers()
	if err != nil {
		return nil, fmt.Errorf("reading the image: %w", err)
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, layer := range layers {
		same, err := tarball.LayerFromOpener(layer.Uncompressed, tarball.WithMediaType(types.OCILayer))
		if err != nil {
			return nil, fmt.Errorf("reading the image: %w", err)
		}
		if image, err = mutate.AppendLayers(image, same); err != nil {
			return nil, fmt.Errorf("writing the image: %w", err)
		}
	}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, fmt.Errorf("writing the image: %w", err)
	}
	standing, err := name.NewDigest(base)
	if err != nil {
		return nil, fmt.Errorf("naming the base image: %w", err)
	}
	noted, ok := mutate.Annotations(image, map[string]string{
		"org.opencontainers.image.version":     c.Version,
		"org.opencontainers.image.revision":    r.Run.Commit,
		"org.opencontainers.image.source":      r.Run.Repository,
		"org.opencontainers.image.base.name":   r.Base,
		"org.opencontainers.image.base.digest": standing.DigestStr(),
	}).(v1.Image)
	if !ok {
		return nil, errors.New("writing the image: it cannot be annotated")
	}
	return noted, nil
}

// right finds what of an image's configuration is not as the platform wants it, or not of this connector.
func right(config *v1.ConfigFile, c Connector, architecture string) error {
	env := map[string]string{}
	for _, pair := range config.Config.Env {
		key, value, _ := strings.Cut(pair, "=")
		env[key] = value
	}
	var wrong []error
	for _, must := range []struct{ what, got, want string }{
		{"platform", config.OS + "/" + config.Architecture, "linux/" + architecture},
		{"user", config.Config.User, "1000:1000"},
		{"label io.airbyte.name", config.Config.Labels["io.airbyte.name"], c.Image},
		{"label io.airbyte.version", config.Config.Labels["io.airbyte.version"], c.Version},
		{"entrypoint", strings.Join(config.Config.Entrypoint, " "), env["AIRBYTE_ENTRYPOINT"]},
	} {
		if must.got != must.want || must.got == "" {
			wrong = append(wrong, fmt.Errorf("the image's %s is %q, not %q", must.what, must.got, must.want))
		}
	}
	return errors.Join(wrong...)
}

// standsOn tells whether an image's first layers are those of the base.
func (r Release) standsOn(ctx context.Context, config *v1.ConfigFile, base, architecture string) error {
	ref, err := name.NewDigest(base)
	if err != nil {
		return fmt.Errorf("naming the base image: %w", err)
	}
	below, err := remote.Image(ref, r.Registry.with(ctx)...)
	if err != nil {
		return fmt.Errorf("reading the base image: %w", err)
	}
	its, err := below.ConfigFile()
	if err != nil {
		return fmt.Errorf("reading the base image: %w", err)
	}
	if its.Architecture != architecture {
		return fmt.Errorf("the base image is for %s, not %s", its.Architecture, architecture)
	}
	n := len(its.RootFS.DiffIDs)
	if n > len(config.RootFS.DiffIDs) || !slices.Equal(config.RootFS.DiffIDs[:n], its.RootFS.DiffIDs) {
		return fmt.Errorf("the image does not stand on %s", base)
	}
	return nil
}

// program returns what the image's entrypoint says of itself, which has to be a program of Go for the architecture.
func program(image v1.Image, config *v1.ConfigFile, architecture string) (*buildinfo.BuildInfo, error) {
	if len(config.Config.Entrypoint) != 1 {
		return nil, errors.New("the image's entrypoint is not one program")
	}
	entrypoint := config.Config.Entrypoint[0]
	body, err := file(image, entrypoint)
	if err != nil {
		return nil, fmt.Errorf("reading %s in the image: %w", entrypoint, err)
	}
	binary, err := elf.NewFile(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("reading %s in the image: %w", entrypoint, err)
	}
	machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[architecture]
	if binary.Machine != machine {
		return nil, fmt.Errorf("%s in the image is a program for %v, not %v", entrypoint, binary.Machine, machine)
	}
	about, err := buildinfo.Read(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("reading what %s is made of: %w", entrypoint, err)
	}
	return about, nil
}

// file returns a file of an image.
func file(image v1.Image, name string) ([]byte, error) {
	all := mutate.Extract(image)
	defer all.Close()
	for files := tar.NewReader(all); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("it is not there")
		}
		if err != nil {
			return nil, err
		}
		if path.Clean("/"+header.Name) == name && header.Typeflag == tar.TypeReg {
			return io.ReadAll(files)
		}
	}
}
