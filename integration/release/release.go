// Package release publishes connectors: of each version that the registry does not have yet, an image for every platform under one tag, with what
// is in it (SBOM) and how it came about (provenance).
//
// The tag is pushed last, when all it names is there, so that a release that was interrupted is begun again by the next one; a tag that exists is
// left as it is. Images are built by Docker from the repository's Dockerfile, as they are for tests, on a base that is named by its digest.
package release

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Platforms returns the architectures for which images are published, all of Linux.
func Platforms() []string { return []string{"amd64", "arm64"} }

// Connector is what is published of a connector: Image is the name of its image without a tag, Version the tag.
type Connector struct{ Name, Image, Version string }

// Build returns the image of a connector for an architecture, on a base image that is named by its digest.
type Build func(ctx context.Context, c Connector, architecture, base string) (v1.Image, error)

// Release publishes connectors. All fields are required.
type Release struct {
	Registry Registry
	Build    Build
	Base     string // the base image by its tag; it must be there for all Platforms
	Run      Run
	Say      func(format string, args ...any) // is told what was done
}

// Registry is how registries are spoken to: options for go-containerregistry, such as its credentials.
type Registry []remote.Option

// Publish publishes the versions that the registry does not have. It goes on with the next connector where one fails, and returns all failures.
func (r Release) Publish(ctx context.Context, connectors []Connector) error {
	var failures []error
	var bases map[string]string // asked for once, so that all images of a release stand on one
	for _, c := range connectors {
		tag, there, err := r.Registry.has(ctx, c)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if there {
			r.Say("%s is there already", tag)
			continue
		}
		if bases == nil {
			if bases, err = r.Registry.pin(ctx, r.Base); err != nil {
				return errors.Join(append(failures, err)...)
			}
		}
		if err := r.publish(ctx, c, tag, bases); err != nil {
			failures = append(failures, fmt.Errorf("publishing %s: %w", tag, err))
			continue
		}
		r.Say("%s is published", tag)
	}
	return errors.Join(failures...)
}

// has reports whether the registry has the connector's version, and returns its tag.
func (g Registry) has(ctx context.Context, c Connector) (tag name.Tag, there bool, err error) {
	tag, err = name.NewTag(c.Image+":"+c.Version, name.StrictValidation)
	if err != nil {
		return tag, false, fmt.Errorf("naming the image of %s: %w", c.Name, err)
	}
	_, err = remote.Head(tag, g.with(ctx)...)
	if refused, ok := errors.AsType[*transport.Error](err); ok && refused.StatusCode == http.StatusNotFound {
		return tag, false, nil
	}
	if err != nil {
		return tag, false, fmt.Errorf("asking the registry for %s: %w", tag, err)
	}
	return tag, true, nil
}

// pin returns, by architecture, the names of the images that a tag stands for now, with their digests.
func (g Registry) pin(ctx context.Context, image string) (map[string]string, error) {
	ref, err := name.ParseReference(image)
	if err != nil {
		return nil, fmt.Errorf("naming the base image: %w", err)
	}
	found, err := remote.Index(ref, g.with(ctx)...)
	if err != nil {
		return nil, fmt.Errorf("asking for the base image: %w", err)
	}
	manifest, err := found.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("reading the base image: %w", err)
	}
	pinned := map[string]string{}
	for _, d := range manifest.Manifests {
		if d.Platform != nil && d.Platform.OS == "linux" {
			pinned[d.Platform.Architecture] = ref.Context().Digest(d.Digest.String()).String()
		}
	}
	for _, architecture := range Platforms() {
		if pinned[architecture] == "" {
			return nil, fmt.Errorf("reading the base image: %s is not there for %s", image, architecture)
		}
	}
	return pinned, nil
}

func (g Registry) with(ctx context.Context) []remote.Option {
	return append([]remote.Option{remote.WithContext(ctx)}, g...)
}

// publish builds a version for all platforms and pushes it: first what the tag is to name, then the tag.
func (r Release) publish(ctx context.Context, c Connector, tag name.Tag, bases map[string]string) error {
	var all index
	for _, architecture := range Platforms() {
		base := bases[architecture]
		built, err := r.Build(ctx, c, architecture, base)
		if err != nil {
			return fmt.Errorf("building it for %s: %w", architecture, err)
		}
		image, err := r.finish(ctx, built, c, base, architecture)
		if err != nil {
			return fmt.Errorf("building it for %s: %w", architecture, err)
		}
		if err := all.add(image, c, base, r.Run); err != nil {
			return fmt.Errorf("describing it for %s: %w", architecture, err)
		}
	}
	return remote.WriteIndex(tag, all.index(), r.Registry.with(ctx)...)
}
