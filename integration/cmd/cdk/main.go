// Command cdk runs the image tests of Airbyte's Python CDK, DockerConnectorTestSuite, on the connectors' images, each against its simulator:
//
//	go run ./cmd/cdk -python ../build/cdk/bin/python source-dwv
//
// Without names it takes every connector. A connector passes if all its tests were collected, none failed and one did not skip. `make cdk`
// installs what it needs.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/judge"
	"github.com/imob-data/airbyte-connectors/integration/simulators"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprintln(os.Stderr, "cdk:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("cdk", flag.ContinueOnError)
	python := flags.String("python", "python3", "a Python that has airbyte-cdk and pytest")
	if err := flags.Parse(args); err != nil {
		return err
	}
	all, err := harness.Connectors()
	if err != nil {
		return err
	}
	var failed error
	for _, c := range all {
		if flags.NArg() > 0 && !slices.Contains(flags.Args(), c.Name) {
			continue
		}
		came, err := try(ctx, c, *python)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", c.Name, err))
		}
		_, _ = fmt.Fprint(out, came) // nobody is left to tell
	}
	return failed
}

// size is the rows of a simulator's largest stream.
const size = 60

// try runs the tests on a connector's image and gives a text for people.
func try(ctx context.Context, c harness.Connector, python string) (_ string, err error) {
	open, ok := simulators.All()[simulators.Name(c.Name)]
	if !ok {
		return "", errors.New("there is no simulator")
	}
	simulator, err := open(sim.Options{Size: size, Seed: 1})
	if err != nil {
		return "", err
	}
	server, err := sim.Start(simulator, "", sim.Behaviour{})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	above, err := os.MkdirTemp("", "cdk-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(above)) }()
	folder := filepath.Join(above, c.Name) // whose name the tests take for the connector's
	if err := prepare(c, folder, server.Config(), server.URL); err != nil {
		return "", err
	}
	python, err = exec.LookPath(python)
	if err == nil {
		python, err = filepath.Abs(python)
	}
	if err != nil {
		return "", err
	}
	report := filepath.Join(above, "report.xml")
	pytest := exec.CommandContext(ctx, python, "-m", "pytest", "-q", "-p", "airbyte_cdk.test.standard_tests.pytest_hooks", "-p", "no:cacheprovider",
		"--connector-image", c.Image(), "--read-from-streams", "all", "--junitxml", report, "test_image.py")
	pytest.Dir = folder
	pytest.Env = append(os.Environ(), "PATH="+above+string(os.PathListSeparator)+os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1")
	if err := onHost(filepath.Join(above, "docker")); err != nil {
		return "", err
	}
	said, ran := pytest.CombinedOutput()
	came, err := read(report)
	if err = errors.Join(ran, err); err == nil && came.Tests == came.Skipped {
		err = errors.New("every test was skipped")
	}
	if err != nil {
		return string(said), err
	}
	return came.text(c.Name), nil
}

//go:embed test_image.py
var tests []byte

// prepare makes a connector's folder as the tests want it: the CDK's variant of its acceptance-test-config.yml, and configurations that read from
// a simulator; of those that are meant to fail, only the addresses are the simulator's.
func prepare(c harness.Connector, folder string, ours map[string]any, url string) error {
	body, err := os.ReadFile(filepath.Join(c.Dir, "acceptance-test-config.yml"))
	if err != nil {
		return err
	}
	if body, err = judge.CDKConfig(body); err != nil {
		return err
	}
	metadata, err := os.ReadFile(filepath.Join(c.Dir, "metadata.yaml"))
	if err != nil {
		return err
	}
	files := map[string][]byte{"acceptance-test-config.yml": body, "metadata.yaml": metadata, "test_image.py": tests}
	var config struct {
		Suites map[string]struct {
			Tests []struct {
				Path   string `yaml:"config_path"`
				Status string `yaml:"status"`
			} `yaml:"tests"`
		} `yaml:"acceptance_tests"`
	}
	if err := yaml.Unmarshal(body, &config); err != nil {
		return err
	}
	fails := map[string]bool{}
	for _, suite := range config.Suites {
		for _, test := range suite.Tests {
			fails[test.Path] = fails[test.Path] || test.Status != "" && test.Status != "succeed"
		}
	}
	for path, fails := range fails {
		if files[path], err = pointed(filepath.Join(c.Dir, path), fails, ours, url); err != nil {
			return err
		}
	}
	for name, body := range files {
		file := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, body, 0o644)); err != nil {
			return err
		}
	}
	return nil
}

// pointed returns a configuration that reads from a simulator.
func pointed(file string, fails bool, ours map[string]any, url string) ([]byte, error) {
	config := map[string]any{}
	if body, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(body, &config); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
	} else if fails || !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for name, value := range ours {
		text, _ := value.(string)
		if !fails || strings.HasPrefix(text, url) {
			config[name] = value
		}
	}
	return json.Marshal(config)
}

// onHost writes a program that stands before Docker: the tests start containers on a network of their own, from which a simulator of this
// machine is not to be seen, and have no option for another.
func onHost(file string) error {
	docker, err := exec.LookPath("docker")
	if err != nil {
		return err
	}
	script := fmt.Sprintf("#!/bin/sh\n[ \"$1\" != run ] || { shift; set -- run --network=host \"$@\"; }\nexec '%s' \"$@\"\n", docker)
	return os.WriteFile(file, []byte(script), 0o755)
}

// report is what pytest says in JUnit's XML.
type report struct {
	Tests   int `xml:"tests,attr"`
	Skipped int `xml:"skipped,attr"`
	Cases   []struct {
		Name    string `xml:"name,attr"`
		Skipped *struct {
			Message string `xml:"message,attr"`
		} `xml:"skipped"`
	} `xml:"testcase"`
}

func read(file string) (r report, err error) {
	body, err := os.ReadFile(file)
	if err != nil {
		return r, err
	}
	var suites struct {
		Suites []report `xml:"testsuite"`
	}
	if err := xml.Unmarshal(body, &suites); err != nil || len(suites.Suites) != 1 {
		return r, errors.Join(errors.New("pytest's report is not one of a suite"), err)
	}
	return suites.Suites[0], nil
}

// text tells what passed, and what was skipped and why.
func (r report) text(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d tests passed, %d skipped\n", name, r.Tests-r.Skipped, r.Skipped)
	for _, c := range r.Cases {
		verdict := "passed"
		if c.Skipped != nil {
			verdict = "skipped: " + c.Skipped.Message
		}
		fmt.Fprintf(&b, "  %s %s\n", strings.TrimPrefix(c.Name, "test_docker_image_"), verdict)
	}
	return b.String()
}
