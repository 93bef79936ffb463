package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// marker is what is written where a configuration is wrong. No output may show it: it could be a secret in the wrong field.
const marker = "m4rk3r-of-a-wrong-value"

// contract returns the scenarios of the commands themselves, and of all that can be wrong with what they are given.
func contract() []scenario {
	return []scenario{
		{name: "spec", run: specScenario, image: harness.Full()},
		{name: "check", run: checkScenario, image: harness.Full()},
		{name: "check with wrong credentials", run: wrongCredentials, image: harness.Full()},
		{name: "check of an unreachable host", run: unreachable},
		{name: "a configuration against the spec", run: invalidConfig},
		{name: "discover", run: discoverScenario, image: harness.Full()},
		{name: "files that are missing or broken", run: brokenFiles},
		{name: "commands and flags that do not exist", run: unknownCommands},
		{name: "help and version", run: help, image: harness.Full()},
		{name: "debug", run: debugged},
	}
}

// connectorSpec is the part of a spec that tests look into.
type connectorSpec struct {
	DocumentationURL string          `json:"documentationUrl"`
	Schema           json.RawMessage `json:"connectionSpecification"`
}

// property is a member of a connection specification.
type property struct {
	Title   string   `json:"title"`
	Type    string   `json:"type"`
	Enum    []any    `json:"enum"`
	Pattern string   `json:"pattern"`
	Minimum *float64 `json:"minimum"`
}

func (f fixture) spec(t *testing.T) connectorSpec {
	t.Helper()
	a := f.start(t, sim.Options{Size: 1}, sim.Behaviour{})
	var spec connectorSpec
	if err := json.Unmarshal(f.succeed(t, a, harness.Spec()).Specs[0], &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

func specScenario(t *testing.T, f fixture) {
	spec := f.spec(t)
	if !strings.HasPrefix(spec.DocumentationURL, "https://") {
		t.Errorf("the documentation is at %q", spec.DocumentationURL)
	}
	a := f.start(t, sim.Options{Size: 1}, sim.Behaviour{})
	f.succeed(t, a, harness.Spec())
	if n := a.Stats().Requests; n > 0 {
		t.Errorf("spec made %d requests", n)
	}
}

// check returns the verdict of a check. Where the machine is so busy that a simulator says nothing for longer than check waits, it is asked again.
func (f fixture) check(t *testing.T, a *api, c harness.Command, want string) string {
	t.Helper()
	res := f.run(t, a, c)
	for range 4 {
		if len(res.Failures) == 0 || !strings.Contains(res.Failures[0].Message, "no answer in time") {
			break
		}
		t.Logf("asked again: %s", res)
		res = f.run(t, a, c)
	}
	return verdict(t, res, want)
}

// verdict returns check's answer, which has to be one and with exit 0.
func verdict(t *testing.T, res *harness.Result, want string) string {
	t.Helper()
	if res.Code != 0 || len(res.Checks) != 1 || res.Checks[0].Status != want {
		t.Errorf("%s with exit 0 was due: %s, %v", want, res, res.Checks)
		return ""
	}
	if want == "FAILED" {
		readable(t, res.Checks[0].Message)
	}
	return res.Checks[0].Message
}

func checkScenario(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{})
	f.check(t, a, harness.Check(a.json(t, nil)), "SUCCEEDED")
	if n := a.Stats().Requests; n < 1 || n > 5 {
		t.Errorf("check made %d requests", n)
	}
}

func wrongCredentials(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{})
	wrong := func(value string) string { return "wrong" + strings.Repeat("0", max(1, len(value)-5)) }
	var replace func(v any) any
	replace = func(v any) any {
		switch v := v.(type) {
		case string:
			if slices.Contains(a.secrets, v) {
				a.secrets = append(a.secrets, wrong(v))
				return wrong(v)
			}
		case map[string]any:
			changed := map[string]any{}
			for k, member := range v {
				changed[k] = replace(member)
			}
			return changed
		}
		return v
	}
	a.config, _ = replace(a.config).(map[string]any)
	f.check(t, a, harness.Check(a.json(t, nil)), "FAILED")
	res := f.refusedAll(t, a, f.read(t, a, nil))
	if res.Wall > soon {
		t.Errorf("giving up took %v", res.Wall)
	}
}

// refusedAll is run for a read in which no stream can succeed: exit 1 and config errors.
func (f fixture) refusedAll(t *testing.T, a *api, c harness.Command) *harness.Result {
	t.Helper()
	res := f.run(t, a, c)
	if res.Code != 1 {
		t.Errorf("exit 1 was due: %s", res)
	}
	for _, failure := range res.Failures {
		if failure.Type != "config_error" {
			t.Errorf("the error is no config_error: %s", res)
		}
		readable(t, failure.Message)
	}
	return res
}

// soon is how long a connector may try that cannot succeed, on a machine that has other things to do. Check tries for 30 seconds; what is not
// given up is tried for ten minutes.
const soon = 3 * time.Minute

func unreachable(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: 1}, sim.Behaviour{})
	paths := map[string]string{} // by the field that says where the API is, what comes after its host
	for field, value := range a.config {
		if address, ok := value.(string); ok {
			if path, ok := strings.CutPrefix(address, a.URL); ok {
				paths[field] = path
			}
		}
	}
	if len(paths) == 0 {
		t.Fatal("no field of the configuration says where the API is")
	}
	var tests idle
	for field, path := range paths {
		for name, address := range map[string]string{"closed": closed(t), "no host": "https://host.invalid"} {
			tests = append(tests, test{field + " " + name, func(t *testing.T) {
				stopped(t, f.run(t, a, harness.Check(a.json(t, map[string]any{field: address + path}))))
			}})
		}
	}
	tests.together(t)
}

// closed returns an address at which nobody listens, nor will while the test runs: a socket has it that was never opened for connections.
func closed(t *testing.T) string {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(socket)
	t.Cleanup(func() { _ = syscall.Close(socket) })
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	address, ok := bound.(*syscall.SockaddrInet4)
	if !ok {
		t.Fatalf("the socket is bound to a %T", bound)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", address.Port)
}

func checkFaults(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: 1}, sim.Behaviour{Faults: sim.Faults{Every: 1, Kinds: []sim.Fault{sim.ServerError, sim.BadGateway}}})
	stopped(t, f.run(t, a, harness.Check(a.json(t, nil))))
}

// stopped tells that a check which cannot succeed ended in time: FAILED and exit 0, or a TRACE ERROR and exit 1.
func stopped(t *testing.T, res *harness.Result) {
	t.Helper()
	if res.Wall > soon {
		t.Errorf("giving up took %v", res.Wall)
	}
	if res.Code == 0 {
		verdict(t, res, "FAILED")
		return
	}
	for _, failure := range res.Failures {
		readable(t, failure.Message)
	}
}

func invalidConfig(t *testing.T, f fixture) {
	spec := f.spec(t)
	a := f.start(t, sim.Options{Size: 1}, sim.Behaviour{})
	a.secrets = append(a.secrets, marker)
	var schema struct {
		Required   []string            `json:"required"`
		Properties map[string]property `json:"properties"`
	}
	if err := json.Unmarshal(spec.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	wrong := map[string][]any{} // nil is left out
	for _, name := range schema.Required {
		wrong[name] = append(wrong[name], nil)
	}
	for name, p := range schema.Properties {
		switch {
		case p.Type == "string":
			wrong[name] = append(wrong[name], map[string]any{"is": marker}, []string{marker})
			if p.Enum != nil || p.Pattern != "" {
				wrong[name] = append(wrong[name], marker)
			}
		case p.Type == "integer" || p.Type == "number":
			wrong[name] = append(wrong[name], marker)
			if p.Minimum != nil {
				wrong[name] = append(wrong[name], *p.Minimum-1)
			}
		case p.Type != "":
			wrong[name] = append(wrong[name], marker)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		for _, value := range wrong[name] {
			config := a.json(t, map[string]any{name: value})
			message := f.check(t, a, harness.Check(config), "FAILED")
			if !strings.Contains(message, name) && !strings.Contains(message, schema.Properties[name].Title) {
				t.Errorf("with %s %v, the message does not name it: %s", name, value, message)
			}
		}
		f.refused(t, a, "config_error", harness.Discover(a.json(t, map[string]any{name: wrong[name][0]})))
		f.refused(t, a, "config_error", harness.Read(a.json(t, map[string]any{name: wrong[name][0]}), f.catalog.Configure(harness.Incremental), nil))
	}
	if n := a.Stats().Requests; n > 0 {
		t.Errorf("%d requests were made with configurations that are against the spec", n)
	}
}

// discoverScenario holds the catalog against what the simulator has; what any catalog is held to is the judge's.
func discoverScenario(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: 1}, sim.Behaviour{})
	cat := f.succeed(t, a, harness.Discover(a.json(t, nil))).Catalogs[0]
	names := slices.Sorted(slices.Values(cat.Names()))
	if want := slices.Sorted(maps.Keys(a.simulator.Expect())); !slices.Equal(names, want) {
		t.Errorf("discovered %v, expected %v", names, want)
	}
	for _, s := range cat.Streams {
		if len(s.SourceDefinedPrimaryKey) == 0 {
			t.Errorf("%s has no primary key", s.Name)
		}
		if expected := a.simulator.Expect()[s.Name].Incremental; s.Incremental() != expected {
			t.Errorf("%s is incremental: %t, but expected is %t", s.Name, s.Incremental(), expected)
		}
		if s.Incremental() && (!s.SourceDefinedCursor || len(s.DefaultCursorField) == 0) {
			t.Errorf("%s is incremental without a cursor of its own", s.Name)
		}
		if s.IsResumable && !s.SourceDefinedCursor {
			t.Errorf("%s is resumable and has no source_defined_cursor, which the protocol asks for", s.Name)
		}
	}
}

func brokenFiles(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: 1}, sim.Behaviour{})
	a.secrets = append(a.secrets, marker)
	config, catalog := a.json(t, nil), f.catalog.Configure(harness.Incremental)
	half := func(body []byte) []byte { return append(bytes.Clone(body[:len(body)/2]), `"`+marker...) }
	for name, body := range map[string][]byte{"missing": nil, "empty": {}, "broken": half(config), "no object": []byte(`["` + marker + `"]`)} {
		files := map[string][]byte{harness.ConfigFile: body, harness.CatalogFile: catalog}
		if name == "missing" {
			delete(files, harness.ConfigFile)
		}
		f.check(t, a, harness.Command{Args: harness.Check(nil).Args, Files: files}, "FAILED")
		f.refused(t, a, "config_error", harness.Command{Args: harness.Discover(nil).Args, Files: files})
		f.refused(t, a, "config_error", harness.Command{Args: harness.Read(nil, nil, nil).Args, Files: files})
	}
	for name, body := range map[string][]byte{
		"missing": nil, "empty": {}, "broken": half(catalog), "no catalog": []byte(`["` + marker + `"]`), "no streams": []byte(`{}`),
	} {
		files := map[string][]byte{harness.ConfigFile: config, harness.CatalogFile: body}
		if name == "missing" {
			delete(files, harness.CatalogFile)
		}
		t.Run("catalog "+name, func(t *testing.T) {
			f.refused(t, a, "config_error", harness.Command{Args: harness.Read(nil, nil, nil).Args, Files: files})
		})
	}
	f.refused(t, a, "config_error", harness.Read(config, catalog, nil).With("--state", "{missing.json}"))
	if n := a.Stats().Requests; n > 0 {
		t.Errorf("%d requests were made with files that cannot be used", n)
	}
	// A mode that does not exist is wrong with a stream, not with the catalog; the others may go on.
	none := bytes.ReplaceAll(catalog, []byte(`"sync_mode":"incremental"`), []byte(`"sync_mode":"`+marker+`"`))
	f.refusedAll(t, a, harness.Read(config, none, nil))
}

func unknownCommands(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: 1}, sim.Behaviour{})
	config := a.json(t, nil)
	for _, c := range []harness.Command{
		{Args: []string{"reed"}},
		{Args: []string{"--reed"}},
		{Args: []string{"spec", "--reed"}},
		harness.Discover(config).With("--confg", "{config.json}"),
		{Args: []string{"read", "--config", "{config.json}"}, Files: map[string][]byte{harness.ConfigFile: config}},
		{Args: []string{"discover"}},
		{Args: []string{"discover", "--config"}},
	} {
		t.Run(strings.Join(c.Args, " "), func(t *testing.T) { f.refused(t, a, "config_error", c) })
	}
}

func help(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: 1}, sim.Behaviour{})
	for args, wants := range map[string][]string{
		"--help":      {"spec", "check", "discover", "read"},
		"read --help": {"--config", "--catalog", "--state", "--debug"},
		"--version":   {f.connector.Tag},
	} {
		res := f.succeed(t, a, harness.Command{Args: strings.Fields(args), Text: true})
		for _, want := range wants {
			if !strings.Contains(string(res.Output), want) {
				t.Errorf("%q is not in the text of %s: %s", want, args, res.Output)
			}
		}
	}
}

// debugged runs every command with --debug, before its own flags and after them; what must not be in the output is tested for every run.
func debugged(t *testing.T, f fixture) {
	a := f.start(t, sim.Options{Size: scaled(small, f.portion(small))}, sim.Behaviour{})
	logged := 0
	for _, c := range []harness.Command{
		harness.Spec(), harness.Check(a.json(t, nil)), harness.Discover(a.json(t, nil)), f.read(t, a, nil),
	} {
		res := f.succeed(t, a, c.With("--debug"))
		for _, l := range res.Logs {
			if l.Level == "DEBUG" {
				logged++
			}
		}
		c.Args = append([]string{c.Args[0], "--debug"}, c.Args[1:]...)
		f.succeed(t, a, c)
	}
	if logged == 0 {
		t.Error("--debug logs nothing")
	}
	if res := f.succeed(t, a, f.read(t, a, nil)); slices.ContainsFunc(res.Logs, func(l harness.Log) bool { return l.Level == "DEBUG" }) {
		t.Error(fmt.Sprint("without --debug there are debug logs: ", res.Logs))
	}
}
