package broken

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/judge"
)

// imageSize is the most bytes that an image may have.
const imageSize = 64 << 20

// image builds an image of the connector that is broken for a check, or of the healthy one for none, and returns its name. The image is removed with
// the test.
func image(t *testing.T, binary, check string) string {
	t.Helper()
	folder := t.TempDir()
	body, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	dockerfile, err := os.ReadFile("testdata/image/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"BASE=" + base(t)}
	for _, owned := range []string{"airbyte", "source", "secrets", "tmp"} {
		err = errors.Join(err, os.MkdirAll(filepath.Join(folder, "owned", owned), 0o755))
	}
	switch check {
	case "spec.image_labels":
		args = append(args, "VERSION=0.9.0")
	case "spec.image_environment_variables":
		args = append(args, "COMMAND=/usr/bin/env /usr/local/bin/connector")
	case "image.user":
		args = append(args, "USER=root")
	case "image.size":
		err = errors.Join(err, os.WriteFile(filepath.Join(folder, "owned", "airbyte", "ballast"), bytes.Repeat([]byte("ballast\n"), imageSize/8), 0o600))
	case "image.writable":
		dockerfile = bytes.Replace(dockerfile, []byte("COPY --chown=1000:1000"), []byte("COPY"), 1)
	case "image.shell":
		dockerfile = bytes.Replace(dockerfile, []byte("FROM ${BASE}"), []byte("FROM scratch"), 1)
	}
	err = errors.Join(err, os.WriteFile(filepath.Join(folder, "connector"), body, 0o755), os.WriteFile(filepath.Join(folder, "Dockerfile"), dockerfile, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	name := "integration/source-library:" + strings.ToLower(strings.ReplaceAll("test-"+check, ".", "-"))
	command := []string{"build", "--quiet", "--tag", name}
	for _, arg := range args {
		command = append(command, "--build-arg", arg)
	}
	docker(t, append(command, folder)...)
	t.Cleanup(func() { docker(t, "image", "rm", "--force", name) })
	return name
}

// base returns an image with a shell: the one that make base builds, or else busybox's.
func base(t *testing.T) string {
	t.Helper()
	made := "imob-data/base:busybox-" + runtime.GOARCH
	if exec.CommandContext(t.Context(), "docker", "image", "inspect", made).Run() == nil {
		return made
	}
	return "busybox:1.37-musl"
}

func docker(t *testing.T, args ...string) {
	t.Helper()
	command := exec.Command("docker", args...)
	command.Env = append(os.Environ(), "DOCKER_BUILDKIT=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestBrokenImages checks that the checks of images find the images that are broken for them, and the healthy one passes them all.
func TestBrokenImages(t *testing.T) {
	harness.NeedDocker(t)
	if testing.Short() {
		t.Skip("it judges a dozen images")
	}
	t.Parallel()
	binary := build(t)
	only := []string{"image", "connection", "spec.answer", "beyond.answers", "beyond.exit_codes"}
	var broken []judge.Check
	for _, c := range judge.Checks() {
		if c.Image {
			broken = append(broken, c)
			only = append(only, c.Full())
		}
	}
	broken = append(broken, judge.Check{})
	// All are built before the first is removed, because they share layers, and the engine does not see that a layer being removed is about to be used.
	images := map[string]string{}
	for _, c := range broken {
		images[c.Full()] = image(t, binary, named(c))
	}
	for _, c := range broken {
		t.Run("image of "+named(c), func(t *testing.T) {
			t.Parallel()
			s := subject{check: named(c), kind: "source", image: images[c.Full()], only: slices.Clone(only)}
			found(t, c, s.judged(t))
		})
	}
}

// named returns the name of a check here, and of the healthy connector.
func named(broken judge.Check) string { return cmp.Or(strings.Trim(broken.Full(), "."), "healthy") }
