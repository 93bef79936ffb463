package release

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// shelf is a registry in this process, with a base image for all platforms.
type shelf struct {
	*httptest.Server
	host string
	base string
	fail func(r *http.Request) bool // answers with 500; nil: never
	sent []string                   // the tags that were pushed
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{}
	inner := registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)))
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.fail != nil && s.fail(r) {
			http.Error(w, `{"errors":[{"code":"UNKNOWN"}]}`, http.StatusForbidden)
			return
		}
		if tag := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]; r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") &&
			!strings.HasPrefix(tag, "sha256:") {
			s.sent = append(s.sent, r.URL.Path)
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	s.host = strings.TrimPrefix(s.URL, "http://")
	s.base = s.host + "/busybox:1.37"
	var index v1.ImageIndex = empty.Index
	for _, architecture := range Platforms() {
		index = mutate.AppendManifests(index, shell(t, architecture))
	}
	if err := remote.WriteIndex(reference(t, s.base), index); err != nil {
		t.Fatal(err)
	}
	s.sent = nil
	return s
}

// shell returns a base image for one platform.
func shell(t *testing.T, architecture string) mutate.IndexAddendum {
	t.Helper()
	return mutate.IndexAddendum{
		Add:        image(t, empty.Image, &v1.ConfigFile{OS: "linux", Architecture: architecture}, "bin/sh", []byte("sh for "+architecture)),
		Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
	}
}

func reference(t *testing.T, text string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// image returns an image with one file more than another, and with a configuration.
func image(t *testing.T, on v1.Image, config *v1.ConfigFile, file string, content []byte) v1.Image {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := errors.Join(w.WriteHeader(&tar.Header{Name: file, Mode: 0o755, Size: int64(len(content))}), second(w.Write(content)), w.Close()); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	made, err := mutate.AppendLayers(on, layer)
	if err != nil {
		t.Fatal(err)
	}
	old, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.RootFS, config.History = old.RootFS, old.History
	if made, err = mutate.ConfigFile(made, config); err != nil {
		t.Fatal(err)
	}
	return made
}

func second(_ int, err error) error { return err }

// programs returns small programs of Go for all platforms.
func programs(t *testing.T) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{"go.mod": "module example.com/shop\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string][]byte{}
	for _, architecture := range Platforms() {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", architecture, ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		body, err := os.ReadFile(filepath.Join(dir, architecture))
		if err != nil {
			t.Fatal(err)
		}
		all[architecture] = body
	}
	return all
}

// builder builds images as Docker would; change may spoil one.
func builder(t *testing.T, programs map[string][]byte, change func(config *v1.ConfigFile, program *[]byte, base *string)) Build {
	t.Helper()
	return func(_ context.Context, c Connector, architecture, base string) (v1.Image, error) {
		config := &v1.ConfigFile{OS: "linux", Architecture: architecture, Config: v1.Config{
			User: "1000:1000", Entrypoint: []string{"/usr/local/bin/connector"}, Env: []string{"AIRBYTE_ENTRYPOINT=/usr/local/bin/connector"},
			Labels: map[string]string{"io.airbyte.name": c.Image, "io.airbyte.version": c.Version},
		}}
		program := programs[architecture]
		if change != nil {
			change(config, &program, &base)
		}
		below, err := remote.Image(reference(t, base), remote.WithPlatform(v1.Platform{OS: "linux", Architecture: architecture}))
		if err != nil {
			return nil, err
		}
		return image(t, below, config, "usr/local/bin/connector", program), nil
	}
}

func (s *shelf) release(t *testing.T, build Build) (r Release, said *[]string) {
	t.Helper()
	said = &[]string{}
	return Release{
		Build: build, Base: s.base, Say: func(format string, args ...any) { *said = append(*said, fmt.Sprintf(format, args...)) },
		Run: Run{Repository: "https://example.com/repo", Commit: strings.Repeat("ab", 20), Builder: "https://example.com/builder",
			Invocation: "https://example.com/runs/7", Began: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)},
	}, said
}

func TestPublish(t *testing.T) {
	s, programs := newShelf(t), programs(t)
	r, said := s.release(t, builder(t, programs, nil))
	shop := Connector{"source-shop", s.host + "/imob-data/source-shop", "1.2.3"}
	if err := r.Publish(t.Context(), []Connector{shop}); err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(reference(t, shop.Image+":1.2.3"))
	if err != nil {
		t.Fatal(err)
	}
	look(t, r, index, shop)

	// A second time there is nothing to do; a new version is published beside the old one, which stays as it is.
	before, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	newer := shop
	newer.Version = "1.3.0"
	if err := r.Publish(t.Context(), []Connector{shop, newer}); err != nil {
		t.Fatal(err)
	}
	if after, err := remote.Head(reference(t, shop.Image+":1.2.3")); err != nil || after.Digest != before {
		t.Errorf("the version that was there is another one now (%v)", err)
	}
	want := []string{shop.Image + ":1.2.3 is published", shop.Image + ":1.2.3 is there already", shop.Image + ":1.3.0 is published"}
	if !slices.Equal(*said, want) || len(s.sent) != 2 {
		t.Errorf("said %q and pushed the tags %q", *said, s.sent)
	}
}

// look holds what is in the registry to what a user and his tools look for.
func look(t *testing.T, r Release, index v1.ImageIndex, c Connector) {
	t.Helper()
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	images := map[string]string{} // architecture by digest
	for _, d := range manifest.Manifests {
		platforms = append(platforms, d.Platform.String())
		image, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if d.Platform.OS == "linux" {
			images[d.Digest.String()] = d.Platform.Architecture
			config, err := image.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			if err := right(config, c, d.Platform.Architecture); err != nil {
				t.Error(err)
			}
			if _, err := program(image, config, d.Platform.Architecture); err != nil {
				t.Error(err)
			}
			m, err := image.Manifest()
			if err != nil {
				t.Fatal(err)
			}
			if a := m.Annotations; a["org.opencontainers.image.revision"] != r.Run.Commit || !strings.HasPrefix(a["org.opencontainers.image.base.digest"], "sha256:") {
				t.Errorf("the annotations are %v", a)
			}
			continue
		}
		of := images[d.Annotations["vnd.docker.reference.digest"]]
		if of == "" || d.Annotations["vnd.docker.reference.type"] != "attestation-manifest" {
			t.Errorf("%v says something of no image before it", d.Annotations)
		}
		statements(t, r, image, d.Annotations["vnd.docker.reference.digest"], of)
	}
	if want := []string{"linux/amd64", "unknown/unknown", "linux/arm64", "unknown/unknown"}; !slices.Equal(platforms, want) {
		t.Errorf("the platforms are %v", platforms)
	}
}

// statements holds what is said of an image.
func statements(t *testing.T, r Release, image v1.Image, digest, architecture string) {
	t.Helper()
	m, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	if len(layers) != 2 {
		t.Fatalf("%d things are said of it, want an SBOM and a provenance", len(layers))
	}
	for i, layer := range layers {
		content, err := layer.Compressed()
		if err != nil {
			t.Fatal(err)
		}
		var s struct {
			Type, PredicateType string
			Subject             []struct{ Digest map[string]string }
			Predicate           struct {
				SpdxVersion string
				Packages    []struct{ Name, VersionInfo string }

				BuildDefinition struct {
					ExternalParameters   struct{ Platform string }
					ResolvedDependencies []struct {
						URI    string
						Digest map[string]string
					}
				}
				RunDetails struct{ Builder struct{ ID string } }
			}
		}
		if err := json.NewDecoder(content).Decode(&s); err != nil {
			t.Fatal(err)
		}
		if len(s.Subject) != 1 || "sha256:"+s.Subject[0].Digest["sha256"] != digest {
			t.Errorf("the statement is of %v, not %s", s.Subject, digest)
		}
		if kind := m.Layers[i].Annotations["in-toto.io/predicate-type"]; kind != s.PredicateType || kind != []string{spdxType, provenanceType}[i] {
			t.Errorf("the statement is a %s, which is called %s", s.PredicateType, kind)
		}
		p := s.Predicate
		if i == 0 && (p.SpdxVersion != "SPDX-2.3" || len(p.Packages) < 3 || p.Packages[2].Name != "stdlib" || !strings.HasPrefix(p.Packages[2].VersionInfo, "1.")) {
			t.Errorf("the SBOM is %+v", p)
		}
		if i == 1 && (p.BuildDefinition.ExternalParameters.Platform != "linux/"+architecture || p.RunDetails.Builder.ID == "" ||
			len(p.BuildDefinition.ResolvedDependencies) != 2 || p.BuildDefinition.ResolvedDependencies[0].Digest["gitCommit"] != r.Run.Commit ||
			len(p.BuildDefinition.ResolvedDependencies[1].Digest["sha256"]) != 64) {
			t.Errorf("the provenance is %+v", p)
		}
	}
}

// What is not what it should be is not published, and hinders no other connector.
func TestWrongImagesAreNotPublished(t *testing.T) {
	s, programs := newShelf(t), programs(t)
	other := s.host + "/other:1"
	if err := remote.Write(reference(t, other), image(t, empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "arm64"}, "x", nil)); err != nil {
		t.Fatal(err)
	}
	s.sent = nil
	good := Connector{"source-good", s.host + "/imob-data/source-good", "1.0.0"}
	for want, change := range map[string]func(config *v1.ConfigFile, program *[]byte, base *string){
		`the image's platform is "linux/amd64"`:            func(c *v1.ConfigFile, _ *[]byte, _ *string) { c.Architecture = "amd64" },
		`the image's user is "", not "1000:1000"`:          func(c *v1.ConfigFile, _ *[]byte, _ *string) { c.Config.User = "" },
		`the image's label io.airbyte.version is "0"`:      func(c *v1.ConfigFile, _ *[]byte, _ *string) { c.Config.Labels["io.airbyte.version"] = "0" },
		`the image's entrypoint is "/bin/x"`:               func(c *v1.ConfigFile, _ *[]byte, _ *string) { c.Config.Entrypoint = []string{"/bin/x"} },
		`is a program for EM_X86_64, not EM_AARCH64`:       func(_ *v1.ConfigFile, p *[]byte, _ *string) { *p = programs["amd64"] },
		`reading /usr/local/bin/connector in the image: b`: func(_ *v1.ConfigFile, p *[]byte, _ *string) { *p = []byte(strings.Repeat("#!/bin/sh\n", 20)) },
		`the image does not stand on`:                      func(_ *v1.ConfigFile, _ *[]byte, base *string) { *base = other },
	} {
		t.Run(want, func(t *testing.T) {
			bad := Connector{"source-bad", s.host + "/imob-data/source-bad", "1.0.0"}
			r, _ := s.release(t, nil)
			r.Build = func(ctx context.Context, c Connector, architecture, base string) (v1.Image, error) {
				if c == bad && architecture == "arm64" {
					return builder(t, programs, change)(ctx, c, architecture, base)
				}
				return builder(t, programs, nil)(ctx, c, architecture, base)
			}
			err := r.Publish(t.Context(), []Connector{bad, good})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v", err)
			}
			if _, err := remote.Head(reference(t, bad.Image+":1.0.0")); err == nil {
				t.Error("it was published")
			}
			if _, err := remote.Head(reference(t, good.Image+":1.0.0")); err != nil {
				t.Errorf("the other one was not published: %v", err)
			}
		})
	}
}

// A release that is interrupted leaves no tag behind, and the next one makes it whole. A registry that refuses is no registry without the version.
func TestInterruptedRelease(t *testing.T) {
	s, programs := newShelf(t), programs(t)
	r, _ := s.release(t, builder(t, programs, nil))
	shop := Connector{"source-shop", s.host + "/imob-data/source-shop", "1.2.3"}
	for _, fails := range []func(*http.Request) bool{
		func(r *http.Request) bool { return r.Method == http.MethodPost },
		func(r *http.Request) bool {
			return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/1.2.3")
		},
		func(r *http.Request) bool {
			return r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, "/1.2.3")
		},
		func(r *http.Request) bool { return strings.Contains(r.URL.Path, "busybox") },
	} {
		s.fail = fails
		if err := r.Publish(t.Context(), []Connector{shop}); err == nil {
			t.Error("a registry that refuses was no failure")
		}
		if s.fail = nil; len(s.sent) > 0 {
			t.Errorf("the tags %v were pushed", s.sent)
		}
	}
	if err := r.Publish(t.Context(), []Connector{shop}); err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(reference(t, shop.Image+":1.2.3"))
	if err != nil {
		t.Fatal(err)
	}
	look(t, r, index, shop)
}

// The images that Docker builds of a connector are published for both platforms, on the base of the registry. For the platform of another machine
// a whole Go has to be compiled, which is done where everything is asked for: elsewhere a small program stands for that image.
func TestPublishWithDocker(t *testing.T) {
	harness.NeedDocker(t)
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	connectors, err := harness.Connectors()
	if err != nil {
		t.Fatal(err)
	}
	s := newShelf(t)
	s.base = s.host + "/base:1"
	index := v1.ImageIndex(empty.Index)
	docker := func(architecture string) bool { return architecture == runtime.GOARCH || harness.Full() }
	for _, architecture := range Platforms() { // the base, as make base makes it of Debian's packages where no registry is reached
		if !docker(architecture) {
			index = mutate.AppendManifests(index, shell(t, architecture))
			continue
		}
		local := "imob-data/base:busybox-" + architecture
		if err := command(t.Context(), root, ".ci/base", local, architecture); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "base.tar")
		if err := command(t.Context(), root, "docker", "save", "--output", file, local); err != nil {
			t.Fatal(err)
		}
		base, err := tarball.ImageFromPath(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: base, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}},
		})
	}
	if err := remote.WriteIndex(reference(t, s.base), index); err != nil {
		t.Fatal(err)
	}
	r, _ := s.release(t, Docker(root, t.TempDir()))
	c := Connector{connectors[0].Name, connectors[0].Repository, connectors[0].Tag}
	published := c
	published.Image = s.host + "/" + strings.TrimPrefix(c.Image, "ghcr.io/")
	build, small := r.Build, builder(t, programs(t), nil)
	r.Build = func(ctx context.Context, _ Connector, architecture, base string) (v1.Image, error) {
		if !docker(architecture) {
			return small(ctx, published, architecture, base)
		}
		built, err := build(ctx, c, architecture, base)
		if err != nil {
			return nil, err
		}
		config, err := built.ConfigFile() // names the image as it is called in its own registry
		if err != nil {
			return nil, err
		}
		config = config.DeepCopy()
		config.Config.Labels["io.airbyte.name"] = published.Image
		return mutate.ConfigFile(built, config)
	}
	if err := r.Publish(t.Context(), []Connector{published}); err != nil {
		t.Fatal(err)
	}
	found, err := remote.Index(reference(t, published.Image+":"+c.Version))
	if err != nil {
		t.Fatal(err)
	}
	look(t, r, found, published)
}
