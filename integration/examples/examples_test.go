// Package examples_test runs, or validates, what is in the folder examples, so that nobody copies what does not work.
package examples_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rhysd/actionlint"
	"github.com/tidwall/gjson"
	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	k8syaml "sigs.k8s.io/yaml"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

const folder = "../../examples"

// The connector that the examples read from.
const example = "source-dwv"

// stage is the example connector, built, with the simulator of its API and a folder with its configuration.
type stage struct {
	harness.Connector

	t       *testing.T
	api     sim.Simulator
	server  *sim.Server
	binary  string
	dir     string
	env     []string
	shimmed string // a folder of commands that come before all others
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{Connector: connector(t, example), t: t, dir: t.TempDir(), shimmed: t.TempDir()}
	var err error
	if s.binary, err = s.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.api, err = simulators.All()[simulators.Name(example)](sim.Options{Size: 60}); err != nil {
		t.Fatal(err)
	}
	if s.server, err = sim.Start(s.api, "", sim.Behaviour{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.server.Close() })
	config, err := json.Marshal(s.server.Config())
	if err != nil {
		t.Fatal(err)
	}
	s.write("config.json", string(config))
	s.env = append(os.Environ(), "PATH="+s.shimmed+":"+os.Getenv("PATH"), "SOURCE_CONFIG="+string(config), "AIRBYTE_ENTRYPOINT="+s.binary)
	return s
}

func connector(t *testing.T, name string) harness.Connector {
	t.Helper()
	all, err := harness.Connectors()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(c harness.Connector) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("there is no connector %s", name)
	}
	return all[i]
}

func (s *stage) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// shim puts a shell script in the place of a command.
func (s *stage) shim(name, script string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.shimmed, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// run runs a command in the stage's folder, holds how it ends, and returns what it said.
func (s *stage) run(code int, name string, args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), name, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		s.t.Fatalf("%s %v ended with %d (%v): %s", name, args, got, err, out)
	}
	return string(out)
}

// docker makes the connector's image, or skips the test where no Docker engine answers.
func (s *stage) docker() {
	s.t.Helper()
	harness.NeedDocker(s.t)
	if err := s.BuildImage(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// records returns the keys of the records of a stream in files of messages, and how often each is there.
func (s *stage) records(stream string) map[string]int {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "messages-*.jsonl"))
	if err != nil {
		s.t.Fatal(err)
	}
	keys := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			if r := gjson.GetBytes(line, "record"); r.Get("stream").Str == stream {
				keys[r.Get("data.id").String()]++
			}
		}
	}
	return keys
}

// syncs runs a script three times: all comes, then what changed, and after a failure the states are still there.
func (s *stage) syncs(script func(code int) string) {
	s.t.Helper()
	script(0)
	if err := s.api.Expect()["properties"].Full.Compare(s.records("properties")); err != nil {
		s.t.Error(err)
	}
	before := len(s.records("properties"))
	s.api.Change(5, 1)
	script(0)
	again := 0
	for _, n := range s.records("properties") {
		again += n - 1
	}
	if again < 5 || again > before/2 {
		s.t.Errorf("after 5 of %d rows changed, %d came again", before, again)
	}
	states, err := os.ReadFile(filepath.Join(s.dir, "state.json"))
	if err != nil || len(gjson.ParseBytes(states).Array()) < 2 {
		s.t.Fatalf("%v: the states are %s", err, states)
	}
	s.write("config.json", strings.Replace(string(s.read("config.json")), `"token":"`, `"token":"wrong`, 1))
	said := script(1)
	if !strings.Contains(said, "401") {
		s.t.Errorf("a wrong token is told as %s", said)
	}
	if after := s.read("state.json"); !slices.Equal(streams(after), streams(states)) {
		s.t.Errorf("after a failure the states are of %v, before it they were of %v", streams(after), streams(states))
	}
}

func (s *stage) read(name string) []byte {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// streams returns those of the states in a file, sorted.
func streams(states []byte) (names []string) {
	for _, state := range gjson.ParseBytes(states).Array() {
		names = append(names, state.Get("state.stream.stream_descriptor.name").Str)
	}
	slices.Sort(names)
	return names
}

func TestVersions(t *testing.T) {
	image := regexp.MustCompile(`ghcr\.io/imob-data/([a-z0-9-]+)(?::| tag=|"\n *docker_image_tag *= ")([0-9a-z.-]+)`)
	found := 0
	for _, file := range files(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range image.FindAllStringSubmatch(string(text), -1) {
			if c := connector(t, m[1]); c.Tag != m[2] {
				t.Errorf("%s has the version %s of %s, which is at %s (make generate)", file, m[2], m[1], c.Tag)
			}
			found++
		}
		if n := strings.Count(string(text), "ghcr.io/imob-data/"); n != len(image.FindAllString(string(text), -1)) {
			t.Errorf("%s names an image without a version", file)
		}
	}
	if found < 6 {
		t.Errorf("%d images are named", found)
	}
}

// files returns the files of the examples.
func files(t *testing.T) (all []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "*/*", "*/.gitlab-ci.yml"} {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return slices.Compact(slices.Sorted(slices.Values(all)))
}

// The index names each example, and nothing else.
func TestIndex(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]bool{}
	for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(string(text), -1) {
		if _, err := os.Stat(filepath.Join(folder, m[1])); err != nil {
			t.Errorf("README.md links to %s, which is not there", m[1])
		}
		linked[filepath.Clean(m[1])] = true
	}
	for _, file := range files(t) {
		if name, err := filepath.Rel(folder, file); err != nil || name != "README.md" && !linked[name] {
			t.Errorf("README.md does not name %s", name)
		}
	}
}

func TestDockerScript(t *testing.T) {
	script, err := filepath.Abs(filepath.Join(folder, "docker", "sync.sh"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("without docker", func(t *testing.T) {
		s := newStage(t)
		s.shim("docker", `while [ $# -gt 0 ]; do
	case $1 in
	run | --rm) shift ;;
	--user | --volume | --workdir) shift 2 ;;
	*) break ;;
	esac
done
[ "$1" = image ] || { echo "no image: $*" >&2; exit 9; }
shift
exec '`+s.binary+`' "$@"`)
		s.syncs(func(code int) string { return s.run(code, script, "image", ".") })
	})
	t.Run("with docker", func(t *testing.T) {
		s := newStage(t)
		s.docker()
		s.env = append(s.env, "DOCKER_ARGS=--network host")
		s.syncs(func(code int) string { return s.run(code, script, s.Repository+":"+s.Tag, ".") })
	})
}

func TestKubernetes(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(folder, "kubernetes", "cronjob.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var secret corev1.Secret
	var config corev1.ConfigMap
	var claim corev1.PersistentVolumeClaim
	var job batchv1.CronJob
	for i, document := range bytes.Split(text, []byte("\n---\n")) {
		if i > 3 {
			t.Fatal("there are more documents than known")
		}
		into := []any{&secret, &config, &claim, &job}[i]
		if err := k8syaml.UnmarshalStrict(document, into); err != nil { // no field that the API does not have
			t.Fatalf("document %d: %v", i+1, err)
		}
	}
	if secret.Kind != "Secret" || config.Kind != "ConfigMap" || claim.Kind != "PersistentVolumeClaim" || job.Kind != "CronJob" ||
		job.APIVersion != "batch/v1" || secret.APIVersion != "v1" {
		t.Errorf("the kinds are %s, %s, %s, %s", secret.Kind, config.Kind, claim.Kind, job.Kind)
	}
	pod := job.Spec.JobTemplate.Spec.Template.Spec
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
		named := map[bool]string{v.Secret != nil: "secret", v.ConfigMap != nil: "map", v.PersistentVolumeClaim != nil: "claim"}[true]
		switch {
		case named == "secret" && v.Secret.SecretName == secret.Name, named == "map" && v.ConfigMap.Name == config.Name,
			named == "claim" && v.PersistentVolumeClaim.ClaimName == claim.Name:
		default:
			t.Errorf("the volume %s is of nothing that is made here", v.Name)
		}
	}
	c := pod.Containers[0]
	for _, mount := range c.VolumeMounts {
		if !volumes[mount.Name] {
			t.Errorf("there is no volume %s", mount.Name)
		}
	}
	if !*pod.SecurityContext.RunAsNonRoot || *pod.SecurityContext.RunAsUser != 1000 || pod.RestartPolicy != corev1.RestartPolicyNever ||
		job.Spec.ConcurrencyPolicy != batchv1.ForbidConcurrent || !slices.Equal(c.Command, []string{"sh", "/catalog/sync.sh"}) {
		t.Errorf("the pod is %+v", pod)
	}
	if !json.Valid([]byte(secret.StringData["config.json"])) {
		t.Errorf("the configuration is %s", secret.StringData["config.json"])
	}
	t.Run("the script", func(t *testing.T) {
		s := newStage(t)
		s.write("sync.sh", config.Data["sync.sh"])
		s.write("catalog.json", config.Data["catalog.json"])
		s.env = append(s.env, "SYNC_FOLDER=.", "CONFIG=config.json", "CATALOG=catalog.json")
		s.syncs(func(code int) string { return s.run(code, "sh", "sync.sh") })
	})
	t.Run("the script in the image", func(t *testing.T) {
		s := newStage(t)
		s.docker()
		s.write("sync.sh", config.Data["sync.sh"])
		s.write("catalog.json", config.Data["catalog.json"])
		if err := os.Chmod(s.dir, 0o777); err != nil {
			t.Fatal(err)
		}
		s.syncs(func(code int) string {
			return s.run(code, "docker", "run", "--rm", "--network", "host", "--read-only", "--cap-drop", "ALL", "--user", "1000:1000",
				"--volume", s.dir+":/config", "--volume", s.dir+":/catalog", "--volume", s.dir+":/sync", "--entrypoint", c.Command[0],
				c.Image, c.Command[1])
		})
	})
}

// ciStage returns a stage in which the command that the jobs of CI run is that of this checkout.
func ciStage(t *testing.T) *stage {
	t.Helper()
	s := newStage(t)
	s.docker()
	binary := filepath.Join(s.shimmed, "cmd-run")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../cmd/run").CombinedOutput(); err != nil {
		t.Fatalf("building cmd/run: %v: %s", err, out)
	}
	s.shim("go", `[ "$1 $2" = 'run github.com/imob-data/airbyte-connectors/integration/cmd/run@main' ] || { echo "go $*" >&2; exit 9; }
shift 2
exec '`+binary+`' "$@"`)
	return s
}

// job runs a job's script twice: the second time it brings what changed.
func (s *stage) job(script string) {
	s.t.Helper()
	s.run(0, "bash", "-euo", "pipefail", "-c", script)
	s.api.Change(5, 1)
	if said := s.run(0, "bash", "-euo", "pipefail", "-c", script); !strings.Contains(said, "Complete: ") {
		s.t.Errorf("the second run said %s", said)
	}
	if rows := bytes.Count(s.read("rows/properties.jsonl"), []byte("\n")); rows < 65 || rows > 100 {
		s.t.Errorf("there are %d rows", rows)
	}
}

func TestGitHubActions(t *testing.T) {
	path := filepath.Join(folder, "github-actions", "sync.yml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	faults, err := linter.Lint(path, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct{ Name, Uses, Run string }
		}
	}
	if err := yaml.Unmarshal(text, &workflow); err != nil {
		t.Fatal(err)
	}
	for _, step := range workflow.Jobs["sync"].Steps {
		if step.Uses != "" && !regexp.MustCompile(`@[0-9a-f]{40}$`).MatchString(step.Uses) {
			t.Errorf("%s is not pinned", step.Uses)
		}
		if step.Name == "Sync" {
			t.Run("the job", func(t *testing.T) { ciStage(t).job(step.Run) })
		}
	}
}

func TestGitLabCI(t *testing.T) {
	path := filepath.Join(folder, "gitlab-ci", ".gitlab-ci.yml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var pipeline struct {
		Sync struct {
			Script    []string
			Artifacts struct{ Paths []string }
		}
	}
	if err := yaml.Unmarshal(text, &pipeline); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(pipeline.Sync.Artifacts.Paths, []string{"rows"}) {
		t.Errorf("the artifacts are %v", pipeline.Sync.Artifacts.Paths)
	}
	t.Run("GitLab's schema", func(t *testing.T) {
		check := python(t, "examples", "check-jsonschema")
		if out, err := exec.CommandContext(t.Context(), check, "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", path).
			CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	t.Run("the job", func(t *testing.T) {
		s := ciStage(t)
		s.env = append(s.env, "SOURCE_CONFIG=config.json")
		s.job(strings.Join(pipeline.Sync.Script, "\n"))
	})
}

// python returns a program of a Python environment that make examples makes; without it the test is skipped.
func python(t *testing.T, environment, program string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../build", environment, "bin", program))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Skip("*** There is no Python environment build/" + environment + " (make examples): THIS EXAMPLE IS NOT TRIED. ***")
	}
	return path
}

func TestTerraform(t *testing.T) {
	file, faults := hclparse.NewParser().ParseHCLFile(filepath.Join(folder, "terraform", "main.tf"))
	if faults.HasErrors() {
		t.Fatal(faults)
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		t.Fatalf("the file is %T", file.Body)
	}
	declared := map[string]bool{}
	for _, block := range body.Blocks {
		switch block.Type {
		case "variable":
			declared["var."+block.Labels[0]] = true
		case "resource":
			declared[strings.Join(block.Labels, ".")] = true
		}
	}
	used := map[string]bool{}
	for _, block := range body.Blocks {
		for name, attribute := range block.Body.Attributes {
			for _, variable := range attribute.Expr.Variables() {
				parts := []string{}
				for split := range strings.SplitSeq(string(variable.SourceRange().SliceBytes(file.Bytes)), ".") {
					parts = append(parts, split)
				}
				if key := strings.Join(parts[:min(2, len(parts))], "."); block.Type != "variable" {
					used[key] = true
					if !declared[key] {
						t.Errorf("%s of %v uses %s, which is not declared", name, block.Labels, key)
					}
				}
			}
		}
	}
	for name := range declared {
		if strings.HasPrefix(name, "var.") && !used[name] {
			t.Errorf("%s is not used", name)
		}
	}
}

// Airbyte's API, as far as the script uses it: each call with what its documentation says is required.
func TestAirbyteAPI(t *testing.T) {
	s := newStage(t)
	var calls []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a broken request has no members
		call := r.Method + " " + r.URL.Path
		calls = append(calls, call)
		answers := map[string]struct {
			needs  []string
			answer string
		}{
			"POST /api/public/v1/applications/token": {[]string{"client_id", "client_secret"}, `{"access_token":"t0ken"}`},
			"POST /api/public/v1/workspaces/w1/definitions/sources": {
				[]string{"name", "dockerRepository", "dockerImageTag"}, `{"id":"d1","name":"DWV"}`,
			},
			"POST /api/public/v1/sources": {[]string{"name", "workspaceId", "definitionId", "configuration.token"}, `{"sourceId":"s1"}`},
		}
		known, ok := answers[call]
		for _, member := range known.needs {
			ok = ok && gjson.GetBytes(body, member).String() != ""
		}
		if !ok || len(calls) > 1 && r.Header.Get("Authorization") != "Bearer t0ken" || r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, fmt.Sprintf("%s with %s", call, body), http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, known.answer)
	}))
	defer api.Close()
	s.env = append(s.env, "AIRBYTE_URL="+api.URL, "CLIENT_ID=c1", "CLIENT_SECRET=c2", "WORKSPACE_ID=w1")
	script, err := filepath.Abs(filepath.Join(folder, "airbyte-api", "create.sh"))
	if err != nil {
		t.Fatal(err)
	}
	if said := s.run(0, script); said != "The source s1 uses the connector d1.\n" || len(calls) != 3 {
		t.Errorf("it said %s after %v", said, calls)
	}
}

// The script as it is, but for where the connector comes from.
func TestPyAirbyte(t *testing.T) {
	interpreter := python(t, "warehouse", "python")
	s := newStage(t)
	text, err := os.ReadFile(filepath.Join(folder, "pyairbyte", "sync.py"))
	if err != nil {
		t.Fatal(err)
	}
	image := fmt.Sprintf("docker_image=%q", s.Repository+":"+s.Tag)
	script := strings.Replace(string(text), image, fmt.Sprintf("local_executable=%q", s.binary), 1)
	if script == string(text) {
		t.Fatalf("the script has no %s", image)
	}
	s.write("sync.py", script)
	s.env = append(s.env, "AIRBYTE_OFFLINE_MODE=1", "DO_NOT_TRACK=1", "NO_COLOR=1")
	want := fmt.Sprintf("properties %d\n", len(s.api.Expect()["properties"].Full.Must))
	if said := s.run(0, interpreter, "sync.py"); !strings.Contains(said, want) {
		t.Errorf("it lacks %q: %s", want, said)
	}
}
