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

// What make new writes is a connector like any other, from the first minute.
func TestNewConnectorIsGreen(t *testing.T) {
	if testing.Short() {
		t.Skip("a repository is copied, and tested with the new connector in it")
	}
	root := duplicate(t)
	run(t, root, "make", "new", "NAME=source-foo-bar")
	green(t, root, "source-foo-bar", "foobar")

	again := exec.CommandContext(t.Context(), "make", "new", "NAME=source-foo-bar")
	again.Dir = root
	if out, err := again.CombinedOutput(); err == nil || !strings.Contains(string(out), "is there already") {
		t.Errorf("a connector that is there already was written again: %s", out)
	}
}

// The example of CONTRIBUTING.md is made as that says, and is as green.
func TestGuide(t *testing.T) {
	if testing.Short() {
		t.Skip("a repository is copied, and tested with the example in it")
	}
	root := duplicate(t)
	run(t, root, "make", "new", "NAME=source-agenda")
	for _, file := range []string{"specs/source-agenda/streams/items.json", "connectors/source-agenda/testdata/api/items.json"} {
		if err := os.Remove(filepath.Join(root, file)); err != nil {
			t.Fatal(err)
		}
	}
	transfer(t, "testdata/agenda", root)
	green(t, root, "source-agenda", "agenda")
}

// green holds that in a copy of this repository a connector is formatted, vetted and tested, with its simulator, beside the tests that hold the
// repository together, and passes the acceptance suite. Left out of that, for the time that they take, are the scenarios in which an API fails
// or is slow, which are the engine's to stand.
func green(t *testing.T, root, name, simulator string) {
	t.Helper()
	mine := []string{"./connectors/" + name, "./specs/" + name, "./integration/simulators/" + simulator}
	if found := run(t, root, "gofmt", append([]string{"-l"}, mine...)...); found != "" {
		t.Errorf("not formatted: %s", found)
	}
	run(t, root, "go", append([]string{"vet"}, mine...)...)
	run(t, root, "go", append([]string{"test", "./integration", "./integration/qa", "./integration/simulators"}, mine...)...)
	run(t, root, "go", "-C", "connectors/"+name, "mod", "tidy", "-diff")
	run(t, root, "go", "test", "./integration/acceptance", "-run=^TestBinaries$/^"+name+"$",
		"-skip=/.*/(fault|quota|kill|throttled|unreachable|fails|secrets|big|waiting)")
}

// duplicate copies this repository without what was built and returns the folder of the copy.
func duplicate(t *testing.T) string {
	t.Helper()
	to := t.TempDir()
	transfer(t, "../../..", to)
	return to
}

// transfer copies the files of a folder into another, without what was built.
func transfer(t *testing.T, from, to string) {
	t.Helper()
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
