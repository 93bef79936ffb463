package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

const (
	metadata = "data:\n  dockerRepository: imob/source-fake\n  dockerImageTag: 1.2.3\n"
	secret   = `s3cr"et<7>`
	catalog  = `{"streams":[{"stream":{"name":"deals","json_schema":{}},"sync_mode":"full_refresh","destination_sync_mode":"append"}]}`
)

var deals = protocol.Descriptor{Name: "deals"}

// fake is a Source made of functions. A missing function succeeds.
type fake struct {
	check    func(ctx context.Context) error
	discover func(ctx context.Context) (*protocol.Catalog, error)
	read     func(ctx context.Context, cat *protocol.ConfiguredCatalog, state []byte, out *protocol.Emitter) error
	spec     func() (json.RawMessage, error)
	config   func(config []byte) // gets the configuration of every command
}

func (f fake) Spec() (json.RawMessage, error) {
	if f.spec != nil {
		return f.spec()
	}
	return json.RawMessage(`{"connectionSpecification":{"type":"object","properties":{
		"token":{"type":"string","airbyte_secret":true},"filters":{"type":"object","properties":{"city":{"type":"string"}}}}}}`), nil
}

func (f fake) sees(config []byte) {
	if f.config != nil {
		f.config(config)
	}
}

func (f fake) Check(ctx context.Context, config []byte) error {
	f.sees(config)
	if f.check == nil {
		return nil
	}
	return f.check(ctx)
}

func (f fake) Discover(ctx context.Context, config []byte) (*protocol.Catalog, error) {
	f.sees(config)
	if f.discover == nil {
		return &protocol.Catalog{Streams: []protocol.Stream{{Name: "deals", JSONSchema: json.RawMessage(`{}`)}}}, nil
	}
	return f.discover(ctx)
}

func (f fake) Read(
	ctx context.Context, config []byte, cat *protocol.ConfiguredCatalog, state []byte, out *protocol.Emitter,
) error {
	f.sees(config)
	if f.read == nil {
		return out.Status(deals, protocol.Complete)
	}
	return f.read(ctx, cat, state, out)
}

// result is the result of a run.
type result struct {
	code           int
	stdout, stderr string
	messages       []protocol.Message
}

// errors returns the TRACE ERRORs.
func (r result) errors() (all []protocol.ErrorTrace) {
	for _, m := range r.messages {
		if m.Trace != nil && m.Trace.Error != nil {
			all = append(all, *m.Trace.Error)
		}
	}
	return all
}

// play runs a command and checks what must be true of every run: only protocol lines on stdout, and nothing on stderr.
func play(t *testing.T, ctx context.Context, src Source, args ...string) result { //nolint:revive // t comes first in a test helper
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Run(ctx, src, []byte(metadata), args, strings.NewReader(""), &stdout, &stderr)
	r := result{code: code, stdout: stdout.String(), stderr: stderr.String()}
	if r.stderr != "" {
		t.Errorf("on stderr: %q", r.stderr)
	}
	for m, err := range protocol.Read(&stdout) {
		if err != nil {
			t.Fatalf("on stdout: %v in %q", err, r.stdout)
		}
		r.messages = append(r.messages, m)
	}
	return r
}

func write(t *testing.T, name, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func config(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(map[string]string{"token": secret})
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "config.json", string(text))
}

func TestCommands(t *testing.T) {
	configPath, catalogPath := config(t), write(t, "catalog.json", catalog)
	statePath := write(t, "state.json", ` [ {"type":"STREAM"} ] `)
	var gotConfig, gotState []byte
	src := fake{
		config: func(config []byte) { gotConfig = config },
		read: func(_ context.Context, cat *protocol.ConfiguredCatalog, state []byte, out *protocol.Emitter) error {
			gotState = state
			if len(cat.Streams) != 1 {
				t.Errorf("got the catalog %+v", cat)
			}
			return errors.Join(out.Record(deals, record.Record(`{"a":1}`)), out.Checkpoint(deals, json.RawMessage(`{}`)),
				out.Status(deals, protocol.Complete))
		},
	}
	tests := []struct {
		args      []string
		want      []protocol.Type
		wantState string
	}{
		{[]string{"spec"}, []protocol.Type{"SPEC"}, ""},
		{[]string{"spec", "--debug"}, []protocol.Type{"SPEC"}, ""},
		{[]string{"check", "--config", configPath}, []protocol.Type{"CONNECTION_STATUS"}, ""},
		{[]string{"discover", "--debug", "--config=" + configPath}, []protocol.Type{"CATALOG"}, ""},
		{
			[]string{"read", "--config", configPath, "--catalog", catalogPath},
			[]protocol.Type{"TRACE", "TRACE", "RECORD", "STATE", "TRACE"}, "",
		},
		{
			[]string{"read", "--state=" + statePath, "--catalog", catalogPath, "--config", configPath, "--debug"},
			[]protocol.Type{"TRACE", "TRACE", "RECORD", "STATE", "TRACE"}, ` [ {"type":"STREAM"} ] `,
		},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args[:min(2, len(test.args))], " "), func(t *testing.T) {
			gotConfig, gotState = nil, nil
			got := play(t, t.Context(), src, test.args...)
			if got.code != 0 {
				t.Errorf("exit %d", got.code)
			}
			var types []protocol.Type
			for _, m := range got.messages {
				types = append(types, m.Type)
			}
			if fmt.Sprint(types) != fmt.Sprint(test.want) {
				t.Errorf("got %v, want %v", types, test.want)
			}
			if string(gotState) != test.wantState || (test.wantState == "") != (gotState == nil) {
				t.Errorf("got the state %q, want %q", gotState, test.wantState)
			}
			if test.args[0] != "spec" && !strings.Contains(string(gotConfig), "token") {
				t.Errorf("got the configuration %q", gotConfig)
			}
		})
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, test := range []struct {
		args string
		want []string
	}{
		{"--help", []string{"source-fake", "spec", "check", "discover", "read", "--version"}},
		{"-h", []string{"source-fake", "discover"}},
		{"read --help", []string{"source-fake read", "--config FILE", "--catalog FILE", "--state FILE", "--debug"}},
		{"read --config /no -h", []string{"source-fake read"}},
		{"spec --help", []string{"source-fake spec"}},
		{"--version", []string{"source-fake 1.2.3\n"}},
		{"-v", []string{"source-fake 1.2.3\n"}},
	} {
		var stdout, stderr bytes.Buffer
		code := Run(t.Context(), fake{}, []byte(metadata), strings.Fields(test.args), nil, &stdout, &stderr)
		if code != 0 || stderr.Len() > 0 || strings.Contains(stdout.String(), "TRACE") {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", test.args, code, &stdout, &stderr)
		}
		for _, part := range test.want {
			if !strings.Contains(stdout.String(), part) {
				t.Errorf("%s: %q is not in\n%s", test.args, part, &stdout)
			}
		}
	}
	if code := Run(t.Context(), fake{}, []byte(metadata), []string{"--help"}, nil, closedWriter{}, io.Discard); code != 1 {
		t.Errorf("help on a closed output exits with %d", code)
	}
}

func TestUsage(t *testing.T) {
	const all = "the commands are spec, check, discover and read."
	for args, want := range map[string]string{
		"":                            "No command was given; " + all,
		"--":                          "No command was given; " + all,
		"help":                        "There is no such command; " + all,
		"h":                           "There is no such command; " + all,
		"write":                       "There is no such command; " + all,
		`{"token":"s3cr3t"}`:          "There is no such command; " + all,
		"spec extra":                  "The command spec takes nothing but flags, each followed by one file.",
		"spec help":                   "The command spec takes nothing but flags, each followed by one file.",
		"check --config /c s3cr3t":    "The command check takes nothing but flags, each followed by one file.",
		"check --config /c config":    "The command check takes nothing but flags, each followed by one file.",
		"read --help s3cr3t":          "The flags before the command cannot be understood; --help shows what they should be.",
		"--config /c read":            "There is no flag --config before the command.",
		"spec --config /c":            "There is no flag --config of spec.",
		"read --token=s3cr3t":         "There is no flag --token of read.",
		"check":                       "The command check needs --config FILE.",
		"read":                        "The command read needs --config FILE and --catalog FILE.",
		"read --config /c":            "The command read needs --catalog FILE.",
		"read --config":               "The flag --config of read needs the path of a file after it.",
		"read --config= --catalog /c": "The flag --config of read needs the path of a file after it.",
		"check ---config":             "The flags of check cannot be understood; --help shows what they should be.",
		"check --debug=s3cr3t":        "The flags of check cannot be understood; --help shows what they should be.",
	} {
		got := play(t, t.Context(), fake{}, strings.Fields(args)...)
		wantFailure(t, args, got, 1, "config_error", want)
		if len(got.messages) != 1 || strings.Contains(got.stdout, "s3cr3t") {
			t.Errorf("%q: %s", args, got.stdout)
		}
	}
}

// wantFailure checks that a run failed for one reason.
func wantFailure(t *testing.T, what string, got result, code int, kind, message string) {
	t.Helper()
	failures := got.errors()
	if got.code != code || len(failures) != 1 || failures[0].FailureType != kind || failures[0].Message != message {
		t.Errorf("%q: exit %d with %+v, want %d and one %s %q", what, got.code, failures, code, kind, message)
	}
}

// wantFailed checks that a check gave an answer that names what to correct.
func wantFailed(t *testing.T, what string, got result, message string) {
	t.Helper()
	if got.code != 0 || len(got.messages) != 1 || got.messages[0].ConnectionStatus == nil ||
		*got.messages[0].ConnectionStatus != (protocol.ConnectionStatus{Status: "FAILED", Message: message}) {
		t.Errorf("%q: exit %d with %s, want 0 and FAILED %q", what, got.code, got.stdout, message)
	}
}

func TestFiles(t *testing.T) {
	directory := t.TempDir()
	missing := filepath.Join(directory, "missing")
	good, goodCatalog := config(t), write(t, "catalog.json", catalog)
	for _, test := range []struct{ name, path, want string }{
		{"missing", missing, "The file %s (--FLAG) does not exist."},
		{"below a file", good + "/x", "The file %s (--FLAG) cannot be read."},
		{"a directory", directory, "The file %s (--FLAG) is a directory."},
		{"empty", write(t, "f", ""), "The file %s (--FLAG) is empty."},
		{"blank", write(t, "f", " \n"), "The file %s (--FLAG) is empty."},
		{"broken", write(t, "f", "{\n\"token\": \"s3cr3t\", s3cr3t}"), "The file %s (--FLAG) is broken JSON at line 2, column 20."},
		{"cut", write(t, "f", `{"token": "s3cr3t`), "The file %s (--FLAG) is broken JSON at line 1, column 17."},
		{"JSON itself", `{"token":"s3cr3t"}`, "The flag --FLAG takes the path of a file, not JSON itself."},
		{"a piece of JSON", ` {"token":`, "The flag --FLAG takes the path of a file, not JSON itself."},
		{"a list", ` [{"type":"s3cr3t"}]`, "The flag --FLAG takes the path of a file, not JSON itself."},
		{"JSON in quotes", `'{"token":"s3cr3t"}'`, "The flag --FLAG takes the path of a file, not JSON itself."},
		{"JSON without quotes", `"{token:s3cr3t}"`, "The flag --FLAG takes the path of a file, not JSON itself."},
		{"a flag", `--token=s3cr3t`, "The file … (--FLAG) does not exist."},
		{"a dash", ` -s3cr3t`, "The file … (--FLAG) does not exist."},
		{"the end of JSON", `s3cr3t"`, "The file … (--FLAG) does not exist."},
		{"the end of JSON, too long", `s3cr3t'` + strings.Repeat("x", 5000), "The file … (--FLAG) cannot be read."},
	} {
		want := func(flag string) string {
			message := strings.ReplaceAll(test.want, "FLAG", flag)
			if strings.Contains(message, "%s") {
				return fmt.Sprintf(message, test.path)
			}
			return message
		}
		t.Run(test.name, func(t *testing.T) {
			results := map[string]result{
				"check":    play(t, t.Context(), fake{}, "check", "--config", test.path),
				"discover": play(t, t.Context(), fake{}, "discover", "--config", test.path),
				"config":   play(t, t.Context(), fake{}, "read", "--config", test.path, "--catalog", goodCatalog),
				"catalog":  play(t, t.Context(), fake{}, "read", "--config", good, "--catalog", test.path),
				"state":    play(t, t.Context(), fake{}, "read", "--config", good, "--catalog", goodCatalog, "--state", test.path),
			}
			wantFailed(t, "check", results["check"], want("config"))
			wantFailure(t, "discover", results["discover"], 1, "config_error", want("config"))
			wantFailure(t, "config", results["config"], 1, "config_error", want("config"))
			wantFailure(t, "catalog", results["catalog"], 1, "config_error", want("catalog"))
			wantFailure(t, "state", results["state"], 1, "config_error", want("state"))
			for what, got := range results {
				if strings.Contains(got.stdout, "s3cr3t") {
					t.Errorf("%s shows what is in the file: %s", what, got.stdout)
				}
			}
		})
	}
}

func TestConfigIsAnObject(t *testing.T) {
	for _, content := range []string{`[]`, `"s3cr3t"`, `null`, `17`} {
		path := write(t, "config.json", content)
		message := "The configuration (--config " + path + ") is not a JSON object."
		wantFailed(t, content, play(t, t.Context(), fake{}, "check", "--config", path), message)
		wantFailure(t, content, play(t, t.Context(), fake{}, "discover", "--config", path), 1, "config_error", message)
	}
}

// TestUnknownOptions checks that a misspelt option is not accepted silently. Its value is not reported, because it may be a secret.
func TestUnknownOptions(t *testing.T) {
	catalogPath := write(t, "catalog.json", catalog)
	const all = "The configuration has more than the options of this connector, which are filters, token."
	for content, want := range map[string]string{
		`{"token": "s3cr3t", "filters": {"city": "Canela", "_why": ""}}`: "",
		`{"_note": "for the night", "_": {}}`:                            "",
		`{"token": "s3cr3t", "s3cr3ts": 1}`:                              all,
		`{"tokens": {"token": "s3cr3t"}, "": 1}`:                         all,
		`{"filters": {"city": "Canela", "s3cr3t": 1}}`:                   `The configuration has more in "filters" than the options there, which are city.`,
	} {
		r := play(t, t.Context(), fake{}, "read", "--config", write(t, "config.json", content), "--catalog", catalogPath)
		warned := ""
		for _, m := range r.messages {
			if m.Log != nil && m.Log.Level == "WARN" {
				warned += m.Log.Message
			}
		}
		if r.code != 0 || warned != want || strings.Contains(r.stdout, "s3cr3t") {
			t.Errorf("%s: exit %d, warned of %q, want %q: %s", content, r.code, warned, want, r.stdout)
		}
	}
}

func TestStateIsPassedOn(t *testing.T) {
	configPath, catalogPath := config(t), write(t, "catalog.json", catalog)
	for _, content := range []string{`[]`, `{}`, `null`, `{"type":"STREAM"}`, "[\n{}]\n", `17`} {
		var got []byte
		src := fake{read: func(_ context.Context, _ *protocol.ConfiguredCatalog, state []byte, _ *protocol.Emitter) error {
			got = state
			return nil
		}}
		r := play(t, t.Context(), src, "read", "--config", configPath, "--catalog", catalogPath, "--state", write(t, "state.json", content))
		if r.code != 0 || string(got) != content {
			t.Errorf("%q: exit %d, got %q", content, r.code, got)
		}
	}
}

func TestCatalogFault(t *testing.T) {
	got := play(t, t.Context(), fake{}, "read", "--config", config(t), "--catalog", write(t, "catalog.json", `{"streams":[{}]}`))
	wantFailure(t, "", got, 1, "config_error", "Stream 1 of the configured catalog has no name.")
}

func TestCatalogWithoutStreams(t *testing.T) {
	src := fake{read: func(context.Context, *protocol.ConfiguredCatalog, []byte, *protocol.Emitter) error { return nil }}
	got := play(t, t.Context(), src, "read", "--config", config(t), "--catalog", write(t, "catalog.json", `{"streams":[]}`))
	if got.code != 0 || !strings.Contains(got.stdout, `"level":"WARN","message":"The configured catalog names no stream`) {
		t.Errorf("exit %d: %s", got.code, got.stdout)
	}
}

func TestCheck(t *testing.T) {
	path := config(t)
	check := func(err error) result {
		return play(t, t.Context(), fake{check: func(context.Context) error { return err }}, "check", "--config", path)
	}
	if got := check(nil); got.code != 0 || got.stdout != `{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}`+"\n" {
		t.Errorf("exit %d with %s", got.code, got.stdout)
	}
	wantFailed(t, "config", check(fmt.Errorf("asking: %w", fault.Configf("The token is wrong."))), "The token is wrong.")
	wantFailure(t, "transient", check(fault.Transientf("The API is down.")), 1, "transient_error", "The API is down.")
	wantFailure(t, "system", check(fault.Systemf("A bug.")), 1, "system_error", "A bug.")
	wantFailure(t, "other", check(io.ErrUnexpectedEOF), 1, "system_error",
		"Something unexpected went wrong in the connector: unexpected EOF")
}

func TestCheckEndsWithin30Seconds(t *testing.T) {
	path := config(t)
	for name, test := range map[string]struct {
		err  func(ctx context.Context) error
		want string
	}{
		"as it comes":   {func(ctx context.Context) error { return ctx.Err() }, "The API did not answer within 30 seconds."},
		"as a fault":    {func(context.Context) error { return fault.Transientf("Retried.") }, "The API did not answer within 30 seconds."},
		"but not known": {func(context.Context) error { return io.EOF }, "The API did not answer within 30 seconds."},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			got := play(t, t.Context(), fake{check: func(ctx context.Context) error {
				<-ctx.Done()
				return test.err(ctx)
			}}, "check", "--config", path)
			wantFailure(t, name, got, 1, "transient_error", test.want)
			if took := time.Since(began); took != 30*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		got := play(t, t.Context(), fake{check: func(ctx context.Context) error {
			<-ctx.Done()
			return fault.Configf("The token is wrong.")
		}}, "check", "--config", path)
		wantFailed(t, "config", got, "The token is wrong.")
	})
}

func TestReadFailures(t *testing.T) {
	args := []string{"read", "--config", config(t), "--catalog", write(t, "catalog.json", catalog)}
	read := func(read func(out *protocol.Emitter) error) result {
		return play(t, t.Context(), fake{
			read: func(_ context.Context, _ *protocol.ConfiguredCatalog, _ []byte, out *protocol.Emitter) error {
				return read(out)
			},
		}, args...)
	}
	wantFailure(t, "told by the source already", read(func(out *protocol.Emitter) error {
		err := fault.Transientf("The API is down.")
		return errors.Join(err, out.Failure(fmt.Errorf("reading deals: %w", err), &deals))
	}), 1, "transient_error", "The API is down.")
	wantFailure(t, "a record of another stream", read(func(out *protocol.Emitter) error {
		return out.Record(protocol.Descriptor{Name: "x"}, record.Record(`{"a":1}`))
	}), 1, "system_error", `The connector made a record of the stream "x", which is not in the configured catalog.`)
	for what, broken := range map[string]func(out *protocol.Emitter) error{
		"a panic":                       func(*protocol.Emitter) error { panic(secret) },
		"a panic of a source goroutine": func(*protocol.Emitter) error { return errors.Join(io.EOF, fault.Recovered(secret)) },
	} {
		got := read(broken)
		wantFailure(t, what, got, 2, "system_error", "A mistake in the connector stopped it. Please report it with this run's log.")
		if f := got.errors()[0]; !strings.Contains(f.StackTrace, "cli_test.go") || !strings.Contains(f.InternalMessage, "panic: ") {
			t.Errorf("%s: got %+v", what, f)
		}
		if strings.Contains(got.stdout, "s3cr") {
			t.Errorf("%s: a secret is in %s", what, got.stdout)
		}
	}
	if got := play(t, t.Context(), fake{check: func(context.Context) error { panic("x") }}, args[:3]...); got.code != 1 {
		t.Errorf("read without a catalog exits with %d", got.code)
	}
	if got := play(t, t.Context(), fake{check: func(context.Context) error { panic("x") }}, "check", "--config", args[2]); got.code != 2 {
		t.Errorf("a panic in check exits with %d", got.code)
	}
}

func TestDiscoverFails(t *testing.T) {
	got := play(t, t.Context(), fake{
		discover: func(context.Context) (*protocol.Catalog, error) { return nil, fault.Configf("The token is wrong.") },
	}, "discover", "--config", config(t))
	wantFailure(t, "", got, 1, "config_error", "The token is wrong.")
}

func TestSpecAndMetadataFailures(t *testing.T) {
	broken := fake{spec: func() (json.RawMessage, error) { return nil, errors.New("no spec.json") }}
	for _, args := range [][]string{{"spec"}, {"check", "--config", config(t)}, {"discover", "--config", config(t)}} {
		wantFailure(t, args[0], play(t, t.Context(), broken, args...), 1, "system_error",
			"Something unexpected went wrong in the connector: no spec.json")
	}
	for _, text := range []string{"", "data: 1", ":", "data:\n  dockerRepository: a/b\n"} {
		var stdout bytes.Buffer
		if code := Run(t.Context(), fake{}, []byte(text), []string{"spec"}, nil, &stdout, io.Discard); code != 1 ||
			!strings.Contains(stdout.String(), "metadata.yaml") {
			t.Errorf("%q: exit %d with %s", text, code, &stdout)
		}
	}
}

func TestSecretsAreBlanked(t *testing.T) {
	args := []string{"read", "--config", config(t), "--catalog", write(t, "catalog.json", catalog), "--debug"}
	got := play(t, t.Context(), fake{
		read: func(ctx context.Context, _ *protocol.ConfiguredCatalog, _ []byte, out *protocol.Emitter) error {
			protocol.Logger(ctx).Debug("asking with "+secret, "token", secret)
			return fmt.Errorf("asking with %s: %w", secret, fault.Systemf("The token %s is odd.", secret))
		},
	}, args...)
	if got.code != 1 || len(got.messages) != 2 || strings.Contains(got.stdout, "s3cr") {
		t.Errorf("exit %d with %s", got.code, got.stdout)
	}
}

// TestSecretsLearntAtRunTime checks that what a source learns while it runs is blanked in all later output: there is one Redactor, which the context
// carries.
func TestSecretsLearntAtRunTime(t *testing.T) {
	const learnt = "a-session/of ção"
	forms := []string{learnt, "a-session/of \xe7\xe3o", url.QueryEscape(learnt), base64.StdEncoding.EncodeToString([]byte("user:" + learnt))}
	files := []string{"--config", config(t), "--catalog", write(t, "catalog.json", catalog)}
	for name, end := range map[string]func(text string) error{
		"a panic":                       func(text string) error { panic(text) },
		"a panic of a source goroutine": func(text string) error { return fault.Recovered(text) },
		"a failure":                     func(text string) error { return fault.Configf("The API said %s.", text) },
		"an error":                      func(text string) error { return fmt.Errorf("asking with %s: %w", text, io.EOF) },
	} {
		for _, form := range forms {
			told := func(ctx context.Context) error {
				redact.From(ctx).Add(learnt)
				protocol.Logger(ctx).Warn("asked with "+form, "session", form)
				return end(form)
			}
			src := fake{
				check:    told,
				discover: func(ctx context.Context) (*protocol.Catalog, error) { return nil, told(ctx) },
				read: func(ctx context.Context, _ *protocol.ConfiguredCatalog, _ []byte, out *protocol.Emitter) error {
					return errors.Join(out.Failure(told(ctx), &deals))
				},
			}
			for command, flags := range map[string][]string{"check": files[:2], "discover": files[:2], "read": files} {
				got := play(t, t.Context(), src, append([]string{command}, flags...)...)
				if len(got.messages) < 2 || !strings.Contains(got.stdout, redact.Blank) || strings.Contains(got.stdout, form) ||
					strings.Contains(got.stdout, "a-sess") {
					t.Errorf("%s, %s of %s: %s", command, name, form, got.stdout)
				}
			}
		}
	}
}

func TestDebug(t *testing.T) {
	args := []string{"read", "--config", config(t), "--catalog", write(t, "catalog.json", catalog)}
	src := fake{read: func(ctx context.Context, _ *protocol.ConfiguredCatalog, _ []byte, _ *protocol.Emitter) error {
		protocol.Logger(ctx).Debug("quiet")
		protocol.Logger(ctx).Info("loud")
		return nil
	}}
	if got := play(t, t.Context(), src, args...); len(got.messages) != 1 || got.messages[0].Log.Message != "loud" {
		t.Errorf("without --debug: %s", got.stdout)
	}
	if got := play(t, t.Context(), src, append(args, "--debug")...); len(got.messages) != 2 || got.messages[0].Log.Level != "DEBUG" {
		t.Errorf("with --debug: %s", got.stdout)
	}
	var stdout bytes.Buffer
	if code := run(t.Context(), program{
		commands: sourceCommands(src), spec: src.Spec, metadata: []byte(metadata), args: args, stdout: &stdout, stderr: io.Discard, debug: true,
	}); code != 0 || !strings.Contains(stdout.String(), "quiet") {
		t.Errorf("with LOG_LEVEL=debug: %s", &stdout)
	}
}

func TestStopped(t *testing.T) {
	args := []string{"read", "--config", config(t), "--catalog", write(t, "catalog.json", catalog)}
	stop := fault.Transientf("The run was stopped by SIGTERM before it was complete; it can go on from its last state.")
	run := func(end func(ctx context.Context, out *protocol.Emitter) error) result {
		ctx, cancel := context.WithCancelCause(t.Context())
		return play(t, ctx, fake{read: func(ctx context.Context, _ *protocol.ConfiguredCatalog, _ []byte, out *protocol.Emitter) error {
			cancel(stop)
			<-ctx.Done()
			return errors.Join(out.Status(deals, protocol.Incomplete), end(ctx, out))
		}}, args...)
	}
	wantFailure(t, "told as it came", run(func(ctx context.Context, _ *protocol.Emitter) error {
		return fmt.Errorf("asking: %w", ctx.Err())
	}), 1, "transient_error", stop.Message)
	wantFailure(t, "told by the source already", run(func(ctx context.Context, out *protocol.Emitter) error {
		return errors.Join(context.Cause(ctx), out.Failure(context.Cause(ctx), &deals))
	}), 1, "transient_error", stop.Message)
	if got := run(func(context.Context, *protocol.Emitter) error { return nil }); got.code != 0 {
		t.Errorf("what was complete all the same exits with %d", got.code)
	}
	got := run(func(context.Context, *protocol.Emitter) error { return fault.Configf("The token is wrong.") })
	if f := got.errors(); got.code != 1 || len(f) != 2 || f[0].Message != "The token is wrong." || f[1].Message != stop.Message {
		t.Errorf("got %+v", f)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got = play(t, ctx, fake{check: func(ctx context.Context) error { return ctx.Err() }}, "check", args[1], args[2])
	wantFailure(t, "without a cause", got, 1, "transient_error", "The run was stopped before it was complete.")
}

type closedWriter struct{}

func (closedWriter) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestClosedOutputStopsTheRun(t *testing.T) {
	args := []string{"read", "--config", config(t), "--catalog", write(t, "catalog.json", catalog)}
	for name, returned := range map[string]error{"with an error": io.EOF, "as if nothing was": nil} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			stopping := 0
			src := fake{read: func(ctx context.Context, _ *protocol.ConfiguredCatalog, _ []byte, out *protocol.Emitter) error {
				_ = out.Status(deals, protocol.Running) // fails, and the error is ignored
				<-ctx.Done()
				if !errors.Is(context.Cause(ctx), protocol.ErrClosed) {
					t.Errorf("stopped by %v", context.Cause(ctx))
				}
				return returned
			}}
			stopped := make(chan struct{})
			code := run(t.Context(), program{
				commands: sourceCommands(src), spec: src.Spec, metadata: []byte(metadata), args: args, stdout: closedWriter{}, stderr: &stderr,
				stopping: func() { stopping++; close(stopped) },
			})
			<-stopped
			if code != 1 || stderr.Len() > 0 || stopping != 1 {
				t.Errorf("exit %d, on stderr %q, stopping called %d times", code, &stderr, stopping)
			}
		})
	}
	for _, args := range [][]string{{"spec"}, {"check", args[1], args[2]}, {"discover", args[1], args[2]}, {"nonsense"}} {
		if code := Run(t.Context(), fake{}, []byte(metadata), args, nil, closedWriter{}, io.Discard); code != 1 {
			t.Errorf("%v on a closed output exits with %d", args, code)
		}
	}
}
