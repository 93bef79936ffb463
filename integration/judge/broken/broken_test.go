// Package broken tests the judge: each of its checks must find the connector that is broken for it, and none may find a fault in the healthy one.
package broken

import (
	"cmp"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/judge"
)

// patience is the limit for commands and silence. It is long, so that a busy machine does not exceed it.
const patience = 15 * time.Second

// TestMain runs more tests at a time than there are cores, because most of them wait for connectors and for containers.
func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", "6"); err != nil {
			panic(err)
		}
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // the simulator and the judge make garbage of everything that is read, on the connectors' processors
	}
	os.Exit(m.Run())
}

// subject is a connector to be judged: a copy of testdata/connector, broken by its environment or its files.
type subject struct {
	check  string // what is broken; "" for nothing
	kind   string // source or destination
	binary string
	image  string        // instead of binary
	only   []string      // only these checks and suites are run, if there are any
	skip   []string      // checks and suites that are not run
	limit  time.Duration // the limit for commands and silence, if it is not [patience]
	much   int           // as in [judge.Options]
}

// judged judges the connector.
func (s subject) judged(t *testing.T) map[string]judge.Verdict {
	t.Helper()
	folder := filepath.Join(t.TempDir(), s.kind+"-library")
	if err := os.CopyFS(folder, os.DirFS("testdata/connector")); err != nil {
		t.Fatal(err)
	}
	runs := filepath.Join(folder, "runs")
	if err := os.Mkdir(runs, 0o755); err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/reader" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer site.Close()
	for file, edits := range s.edits() {
		edit(t, filepath.Join(folder, file), edits)
	}
	edit(t, filepath.Join(folder, "README.md"), []string{"http://library.example.com", site.URL})
	config := filepath.Join(folder, "acceptance-test-config.yml")
	env := fmt.Sprintf("custom_environment_variables: {BROKEN: %q, BROKEN_DIR: %q}\n", s.check, runs)
	edit(t, config, []string{"connector_image:", env + "connector_image:"})
	limit := cmp.Or(s.limit, patience)
	o := judge.Options{
		Config: config, Binary: s.binary, Image: s.image, ImageSize: imageSize, Open: openLibrary, Previous: filepath.Join(folder, "previous"), Faults: true, Only: s.only, Skip: s.skip, Jobs: 2, States: 2, Kills: 3, Online: true,
		SpecLimit: limit, CheckLimit: limit, Heartbeat: limit, StopLimit: time.Minute, Memory: 64 << 20,
		Much: s.much, Spread: 10 * time.Millisecond, // it sends a state after some records, not after some time
	}
	connector, err := judge.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := connector.Close(); err != nil {
			t.Error(err)
		}
	}()
	verdicts := map[string]judge.Verdict{}
	for _, v := range connector.Judge(t.Context(), nil, nil) {
		verdicts[v.Check.Full()] = v
	}
	return verdicts
}

// edits returns the changes of files: by file, texts and their replacements.
func (s subject) edits() map[string][]string {
	all := map[string][]string{}
	if s.kind == "destination" {
		all["metadata.yaml"] = []string{"connectorType: source", "connectorType: destination"}
	}
	switch s.check {
	case "basic_read.file_types":
		all["acceptance-test-config.yml"] = []string{"            - {extension: .csv, bypass_reason: A library has no files.}\n", ""}
	case "connector_attributes.allowed_hosts":
		all["metadata.yaml"] = append(all["metadata.yaml"], `hosts: ["library.example.com"]`, "hosts: []")
	case "connector_attributes.suggested_streams":
		all["metadata.yaml"] = append(all["metadata.yaml"], "[books]", "[authors]")
	case "connector_documentation.prerequisites":
		all["README.md"] = []string{"the Credentials of a [", "a ["}
	case "connector_documentation.links":
		all["README.md"] = []string{"example.com/reader", "example.com/gone"}
	case "connector_documentation.headings":
		all["README.md"] = []string{"## Supported sync modes", "## Modes"}
	case "connector_documentation.texts":
		all["README.md"] = []string{"Fill in the form. There is nothing else to do.\n", "\n"}
	}
	return all
}

// edit replaces texts of a file. Each text must be in it.
func edit(t *testing.T, file string, texts []string) {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(texts, 2) {
		if !strings.Contains(string(body), pair[0]) {
			t.Fatalf("%s has no %q", file, pair[0])
		}
		body = []byte(strings.ReplaceAll(string(body), pair[0], pair[1]))
	}
	if err := os.WriteFile(file, body, fs.FileMode(0o644)); err != nil {
		t.Fatal(err)
	}
}

// build builds the connector.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "connector")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./connector")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building the connector: %v\n%s", err, out)
	}
	return binary
}

// text returns a verdict for the output of a test.
func text(v judge.Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", v.Check.Full(), v.Status, v.Reason)
	for _, f := range v.Findings {
		fmt.Fprintf(&b, "\n\texpected %s\n\tcame     %.600s", f.Expected, f.Came)
	}
	for _, w := range v.Warnings {
		fmt.Fprintf(&b, "\n\twarning %s", w)
	}
	return b.String()
}

func TestHealthy(t *testing.T) {
	t.Parallel()
	binary := build(t)
	for _, kind := range []string{"source", "destination"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for _, v := range (subject{kind: kind, binary: binary}).judged(t) {
				if v.Status != judge.Passed && v.Status != judge.Skipped || len(v.Warnings) > 0 {
					t.Error(text(v))
				} else {
					t.Log(text(v), v.Took)
				}
			}
		})
	}
}
