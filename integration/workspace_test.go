// Package integration_test holds the workspace together: what is found by its folder is where it must be, and nothing is listed twice.
package integration_test

import (
	"encoding/json"
	"fmt"
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

	"go.yaml.in/yaml/v3"
)

const module = "github.com/imob-data/airbyte-connectors/"

// root is the repository's folder.
const root = ".."

// goMod is what go mod edit -json says of a go.mod.
type goMod struct {
	Module  struct{ Path string }
	Go      string
	Require []struct{ Path, Version string }
	Replace []struct {
		Old, New struct{ Path, Version string }
	}
}

func TestGoWorkIsWhatMakeWorkWrites(t *testing.T) {
	var want strings.Builder
	var newest []int
	var version string
	for _, dir := range modules(t) {
		m := readGoMod(t, dir)
		if v := numbers(m.Go); slices.Compare(v, newest) > 0 {
			newest, version = v, m.Go
		}
		fmt.Fprintf(&want, "\t./%s\n", dir)
	}
	text := fmt.Sprintf("go %s\n\nuse (\n%s)\n", version, &want)
	if got := read(t, "go.work"); got != text {
		t.Errorf("go.work is not what make work writes; run it.\ngot:\n%s\nwant:\n%s", got, text)
	}
}

func TestModuleIsNamedAfterItsFolder(t *testing.T) {
	for _, dir := range modules(t) {
		if got := readGoMod(t, dir).Module.Path; got != module+dir {
			t.Errorf("%s/go.mod says module %s; want %s", dir, got, module+dir)
		}
	}
}

func TestConnectorIsWhole(t *testing.T) {
	for _, name := range connectors(t) {
		t.Run(name, func(t *testing.T) {
			for _, file := range []string{
				"connectors/NAME/main.go", "connectors/NAME/main_test.go", "connectors/NAME/metadata.yaml", "connectors/NAME/README.md",
				"connectors/NAME/acceptance-test-config.yml", "connectors/NAME/icon.svg", "connectors/NAME/go.mod", "connectors/NAME/go.sum",
				"specs/NAME/spec.json",
			} {
				file = strings.ReplaceAll(file, "NAME", name)
				if _, err := os.Stat(filepath.Join(root, file)); err != nil {
					t.Errorf("%s is missing", file)
				}
			}
		})
	}
}

func TestSpecsBelongToConnectors(t *testing.T) {
	all := connectors(t)
	for _, file := range glob(t, "specs/*/spec.json") {
		if name := filepath.Base(filepath.Dir(file)); !slices.Contains(all, name) {
			t.Errorf("%s describes no connector: there is no connectors/%s", file, name)
		}
	}
}

// A connector builds alone, from this checkout and what it requires itself.
func TestConnectorModules(t *testing.T) {
	for _, name := range connectors(t) {
		t.Run(name, func(t *testing.T) {
			m := readGoMod(t, "connectors/"+name)
			got := map[string]string{}
			for _, r := range m.Replace {
				got[r.Old.Path] = r.New.Path
			}
			want := map[string]string{module + "common": "../../common", module + "specs": "../../specs"}
			if !maps.Equal(got, want) {
				t.Errorf("the replace lines are %v; want %v", got, want)
			}
			for _, r := range m.Require {
				switch {
				case want[r.Path] != "":
					if r.Version != "v0.0.0" {
						t.Errorf("%s is required at %s; want v0.0.0, which the replace line stands for", r.Path, r.Version)
					}
				case strings.HasPrefix(r.Path, module), strings.HasPrefix(r.Path, "github.com/testcontainers/"):
					t.Errorf("%s is required, but a connector depends on common and specs alone", r.Path)
				}
			}
		})
	}
}

// go install takes a program of a module that has no replace line.
func TestIntegrationCanBeInstalled(t *testing.T) {
	if m := readGoMod(t, "integration"); len(m.Replace) > 0 {
		t.Errorf("integration/go.mod has replace lines: %v", m.Replace)
	}
}

// A module that is installed by itself has the protocol's schema in it; it is a copy.
func TestHarnessHasTheProtocolsSchema(t *testing.T) {
	if read(t, "integration/harness/message.json") != read(t, "specs/protocol/message.json") {
		t.Error("integration/harness/message.json is not specs/protocol/message.json; run make generate")
	}
}

func TestIntegrationDependsOnNoConnector(t *testing.T) {
	for _, r := range readGoMod(t, "integration").Require {
		if strings.HasPrefix(r.Path, module+"connectors/") {
			t.Errorf("%s is required; connectors are run from the outside", r.Path)
		}
	}
}

// Adding a connector edits nothing outside its folders: so nothing outside them names one.
func TestNoConnectorIsListed(t *testing.T) {
	files := slices.Concat(glob(t, ".ci/*"), glob(t, ".github/workflows/*"), []string{"Makefile", "Dockerfile", ".golangci.yml"})
	files = append(files, tree(t, "common", ".go")...)
	for _, name := range connectors(t) {
		for _, file := range files {
			if strings.Contains(read(t, file), name) {
				t.Errorf("%s names %s; it should find connectors by their folders", file, name)
			}
		}
	}
}

// The version of a connector is dockerImageTag in its metadata.yaml; the changelog tells its history.
func TestVersionIsSaidOnce(t *testing.T) {
	for _, name := range connectors(t) {
		var metadata struct {
			Data struct {
				DockerImageTag string `yaml:"dockerImageTag"`
			} `yaml:"data"`
		}
		file := "connectors/" + name + "/metadata.yaml"
		text := read(t, file)
		if err := yaml.Unmarshal([]byte(text), &metadata); err != nil {
			t.Fatalf("reading %s: %v", file, err)
		}
		version := metadata.Data.DockerImageTag
		if !regexp.MustCompile(`^\d+\.\d+\.\d+(-rc\.\d+)?$`).MatchString(version) {
			t.Fatalf("%s: dockerImageTag is %q; want a version", file, version)
		}
		says := regexp.MustCompile(`(^|[^\d.])` + regexp.QuoteMeta(version) + `([^\d.]|$)`)
		own := regexp.MustCompile(`(?m)^ *protocolVersion:.*$`).ReplaceAllString(text, "") // which may be the same by chance
		if n := len(says.FindAllString(own, -1)); n != 1 {
			t.Errorf("%s says %s %d times; want once", file, version, n)
		}
		for _, other := range append(tree(t, "connectors/"+name, ".go"), "connectors/"+name+"/README.md", "specs/"+name+"/spec.json") {
			before, _, _ := strings.Cut(read(t, other), "\n## Changelog\n")
			before = strings.ReplaceAll(before, "ghcr.io/imob-data/"+name+":"+version, "") // package qa holds examples to it
			if says.MatchString(before) {
				t.Errorf("%s says the version %s too; only metadata.yaml, examples and the changelog do", other, version)
			}
		}
	}
}

// Code that names a place of one machine works on that machine.
func TestNoPathOfAMachine(t *testing.T) {
	path := regexp.MustCompile(`["'\x60 (=](/home/|/root/|/Users/|/mnt/|[A-Z]:\\\\)`)
	for _, dir := range modules(t) {
		for _, file := range tree(t, dir, ".go") {
			if file == "integration/workspace_test.go" {
				continue
			}
			for n, line := range strings.Split(read(t, file), "\n") {
				if path.MatchString(line) {
					t.Errorf("%s:%d names a path of a machine: %s", file, n+1, strings.TrimSpace(line))
				}
			}
		}
	}
}

func TestReadmeNamesTheMainCommands(t *testing.T) {
	readme := read(t, "README.md")
	for _, command := range []string{"make demo", "make test"} {
		if !strings.Contains(readme, command) {
			t.Errorf("README.md does not name %q", command)
		}
	}
	const command = "REQUIRE_DOCKER=1 make test"
	for _, file := range []string{"README.md", ".ci/run"} {
		if !strings.Contains(read(t, file), command) {
			t.Errorf("%s does not name %q: what CI runs is what the README says", file, command)
		}
	}
}

func TestTargetsNamedExist(t *testing.T) {
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets[m[1]] = true
	}
	named := regexp.MustCompile("(?:[`;]|=1 |run: |\n[ $]*)make ([a-z-]+)")
	files := slices.Concat([]string{"README.md", "CONTRIBUTING.md"}, glob(t, ".ci/*"), glob(t, ".github/workflows/*"), glob(t, "docs/decisions/*"))
	for _, file := range files {
		for _, m := range named.FindAllStringSubmatch(read(t, file), -1) {
			if !targets[m[1]] {
				t.Errorf("%s names make %s, which the Makefile does not have", file, m[1])
			}
		}
	}
}

// Images for another platform do not take the tags of those for this one.
func TestImagesOfAnotherPlatform(t *testing.T) {
	name := connectors(t)[0]
	for _, arch := range []string{"amd64", "arm64"} {
		out, err := exec.CommandContext(t.Context(), "make", "-C", root, "-n", "image-"+name, "PLATFORM=linux/"+arch).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		tags := regexp.MustCompile(`--tag \S+:(\S+)`).FindAllStringSubmatch(string(out), -1)
		if len(tags) != 2 {
			t.Fatalf("%s: the tags are %q", arch, tags)
		}
		for _, tag := range tags {
			if foreign := arch != runtime.GOARCH; strings.HasSuffix(tag[1], "-"+arch) != foreign {
				t.Errorf("on %s an image for %s is tagged %s", runtime.GOARCH, arch, tag[1])
			}
		}
	}
}

// modules returns every folder with a go.mod, sorted, relative to root.
func modules(t *testing.T) []string {
	t.Helper()
	var dirs []string
	for _, file := range tree(t, ".", "go.mod") {
		dirs = append(dirs, filepath.Dir(file))
	}
	if len(dirs) < 4 {
		t.Fatalf("found %q; want common, specs, integration and connectors at least", dirs)
	}
	slices.Sort(dirs)
	return dirs
}

// connectors returns the names of the connectors, sorted.
func connectors(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, file := range glob(t, "connectors/*/go.mod") {
		names = append(names, filepath.Base(filepath.Dir(file)))
	}
	if len(names) == 0 {
		t.Fatal("there is no connector")
	}
	return names
}

// tree returns the files under a folder whose names end in suffix, sorted, relative to root; without what was built, what is hidden and testdata.
func tree(t *testing.T, dir, suffix string) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS(root), dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (path == "build" || d.Name() == "testdata" || path != "." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, suffix):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("walking %s: %v", dir, err)
	}
	return files
}

// glob returns the files that match a pattern, sorted, relative to root.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := fs.Glob(os.DirFS(root), pattern)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func readGoMod(t *testing.T, dir string) goMod {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", filepath.Join(root, dir, "go.mod")).Output()
	if err != nil {
		t.Fatalf("reading %s/go.mod: %v", dir, err)
	}
	var m goMod
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatalf("reading %s/go.mod: %v", dir, err)
	}
	return m
}

// numbers returns a version of Go as numbers: 1.26.0 is [1 26 0].
func numbers(version string) []int {
	var all []int
	for part := range strings.SplitSeq(version, ".") {
		n := 0
		_, _ = fmt.Sscan(part, &n)
		all = append(all, n)
	}
	return all
}
