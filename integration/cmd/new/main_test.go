package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// What make new writes builds, conforms and is vetted, alone, as every connector is.
func TestNewConnectorConforms(t *testing.T) {
	repository, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.Symlink(filepath.Join(repository, "common"), filepath.Join(root, "common")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "specs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, shared := range []string{"go.mod", "airbyte"} { // what common needs of specs
		from, to := filepath.Join(repository, "specs", shared), filepath.Join(root, "specs", shared)
		if err := os.Symlink(from, to); err != nil {
			t.Fatal(err)
		}
	}

	const name = "source-foo-bar"
	if err := write(root, name, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"mod", "tidy"}, {"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = filepath.Join(root, "connectors", name)
		cmd.Env = append(os.Environ(), "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}

	if err := write(root, name, time.Now()); err == nil {
		t.Error("a connector that is there already was written again")
	}
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

func TestUUID(t *testing.T) {
	a, b := uuid(), uuid()
	if a == b || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(a) {
		t.Errorf("got %s and %s; want two random UUIDs", a, b)
	}
}
