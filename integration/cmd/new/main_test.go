package main

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What make new writes is a connector like any other, from the first minute: in a copy of this repository it is formatted, vetted and tested,
// with its simulator, beside the tests that hold the repository together, and passes the acceptance suite. Left out of that, for the time that
// they take, are the scenarios in which an API fails or is slow, which are the engine's to stand.
func TestNewConnectorIsGreen(t *testing.T) {
	if testing.Short() {
		t.Skip("a repository is copied, and tested with the new connector in it")
	}
	root := duplicate(t)
	run(t, root, "make", "new", "NAME=source-foo-bar")
	if found := run(t, root, "gofmt", "-l", "connectors/source-foo-bar", "specs/source-foo-bar", "integration/simulators"); found != "" {
		t.Errorf("not formatted: %s", found)
	}
	mine := []string{"./connectors/source-foo-bar", "./specs/source-foo-bar", "./integration/simulators/foobar"}
	run(t, root, "go", append([]string{"vet"}, mine...)...)
	run(t, root, "go", append([]string{"test", "./integration", "./integration/qa", "./integration/simulators"}, mine...)...)
	run(t, root, "go", "-C", "connectors/source-foo-bar", "mod", "tidy", "-diff")
	run(t, root, "go", "test", "./integration/acceptance", "-run=^TestBinaries$/^source-foo-bar$",
		"-skip=/.*/(fault|quota|kill|throttled|unreachable|fails|secrets|big|waiting|only)")

	again := exec.CommandContext(t.Context(), "make", "new", "NAME=source-foo-bar")
	again.Dir = root
	if out, err := again.CombinedOutput(); err == nil || !strings.Contains(string(out), "is there already") {
		t.Errorf("a connector that is there already was written again: %s", out)
	}
}

// duplicate copies this repository without what was built and returns the folder of the copy.
func duplicate(t *testing.T) string {
	t.Helper()
	const from = "../../.."
	to := t.TempDir()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "build" || name == ".git" || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		case !d.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), data, info.Mode().Perm()|0o200)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// run runs a command in a folder, which has to work, and returns what it printed.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -buildvcs=false"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func TestNames(t *testing.T) {
	for _, name := range []string{"", "foo", "source-", "source-Foo", "source--foo", "source-1", "../source-foo", "source-foo/bar", "source_foo"} {
		root := t.TempDir()
		if err := write(root, name, time.Now()); err == nil {
			t.Errorf("%q was taken for a name", name)
		}
		if entries, err := os.ReadDir(root); err != nil || len(entries) > 0 {
			t.Errorf("%q: %d files were written; want none (%v)", name, len(entries), err)
		}
	}
}

// Go files are formatted whatever the connector is called.
func TestFormatted(t *testing.T) {
	for _, name := range []string{"source-a", "source-a-very-long-name-of-a-connector"} {
		root := t.TempDir()
		if err := write(root, name, time.Now()); err != nil {
			t.Fatal(err)
		}
		if found := run(t, root, "gofmt", "-l", "."); found != "" {
			t.Errorf("%s: not formatted: %s", name, found)
		}
	}
}

func TestUUID(t *testing.T) {
	a, b := uuid(), uuid()
	if a == b || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(a) {
		t.Errorf("got %s and %s; want two random UUIDs", a, b)
	}
}
