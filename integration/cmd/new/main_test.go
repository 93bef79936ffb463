package main

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// What make new writes is a connector like any other, from the first minute; and the example of CONTRIBUTING.md, made as that says, is as good.
func TestNewConnectorsAreGreen(t *testing.T) {
	if testing.Short() {
		t.Skip("a repository is copied, and tested with new connectors in it")
	}
	root := duplicate(t)
	for _, name := range []string{"source-foo-bar", "source-agenda"} {
		run(t, root, "make", "new", "NAME="+name)
	}
	again := exec.CommandContext(t.Context(), "make", "new", "NAME=source-foo-bar")
	again.Dir = root
	if out, err := again.CombinedOutput(); err == nil || !strings.Contains(string(out), "is there already") {
		t.Errorf("a connector that is there already was written again: %s", out)
	}
	for _, file := range []string{"specs/source-agenda/streams/items.json", "connectors/source-agenda/testdata/api/items.json"} {
		if err := os.Remove(filepath.Join(root, file)); err != nil {
			t.Fatal(err)
		}
	}
	transfer(t, "testdata/agenda", root)
	green(t, root, map[string]string{"source-foo-bar": "foobar", "source-agenda": "agenda"})
}

// green holds that in a copy of this repository connectors are formatted and tested (and vetted, where everything is asked for), with their simulators, beside the tests that hold
// the repository together, are judged good, and pass the acceptance suite. Left out of that, for the time that they take, are the scenarios in
// which an API fails or is slow, which are the engine's to stand. What is said of a connector is the name of its simulator.
func green(t *testing.T, root string, connectors map[string]string) {
	t.Helper()
	names := slices.Sorted(maps.Keys(connectors))
	var mine []string
	for _, name := range names {
		mine = append(mine, "./connectors/"+name, "./specs/"+name, "./integration/simulators/"+connectors[name])
	}
	if found := run(t, root, "gofmt", append([]string{"-l"}, mine...)...); found != "" {
		t.Errorf("not formatted: %s", found)
	}
	if harness.Full() { // which looks at all that they import too
		run(t, root, "go", append([]string{"vet"}, mine...)...)
	}
	run(t, root, "go", append([]string{"test", "-vet=off", "./integration", "./integration/simulators"}, mine...)...)
	run(t, root, "go", "test", "-vet=off", "./integration/qa", "-run=^TestRepository$")
	run(t, root, "make", "binaries", "CONNECTORS="+strings.Join(names, " "))
	run(t, root, "go", "-C", "integration", "build", "-o", "../build/acceptance", "./cmd/acceptance")
	for _, name := range names {
		run(t, root, "go", "-C", "connectors/"+name, "mod", "tidy", "-diff")
		t.Run("judged "+name, func(t *testing.T) {
			t.Parallel()
			run(t, root, "build/acceptance", "--config", "connectors/"+name+"/acceptance-test-config.yml", "--simulator", name[len("source-"):],
				"--binary", filepath.Join("build", runtime.GOOS+"_"+runtime.GOARCH, name))
		})
	}
	t.Run("acceptance", func(t *testing.T) {
		t.Parallel()
		run(t, root, "go", "test", "-vet=off", "./integration/acceptance", "-run=^TestBinaries$/^("+strings.Join(names, "|")+")$",
			"-skip=/.*/(fault|quota|kill|throttled|unreachable|fails|secrets|big|waiting)")
	})
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

// run runs a command in a folder, which has to work, and returns what it printed. With -trimpath it does not matter to Go's cache where the
// folder is: what was built of another copy need not be built again.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -buildvcs=false -trimpath"))
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
