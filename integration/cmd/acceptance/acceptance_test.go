package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// call runs the command.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, said bytes.Buffer
	code = run(t.Context(), append([]string{"acceptance"}, args...), &out, &said)
	return code, out.String(), said.String()
}

func file(t *testing.T, body string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "acceptance-test-config.yml")
	if err := os.WriteFile(name, []byte(body), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestUsage(t *testing.T) {
	t.Parallel()
	config := file(t, "connector_image: x\nacceptance_tests:\n  spec: {tests: [{confg_path: x}]}\n")
	for want, args := range map[string][]string{
		"no check and no suite \"spec.answr\"":                   {"--only", "spec.answr"},
		"flag provided but not defined":                          {"--nothing"},
		"\"spec\" is no option":                                  {"spec"},
		"wants NAME=VALUE":                                       {"--simulator-set", "x"},
		"line 3, column 19: there is no key \"confg_path\" here": {"--config", config},
		"no such file":                                           {"--config", "nowhere.yml"},
	} {
		if code, _, said := call(t, args...); code != exitUsage || !strings.Contains(said, want) {
			t.Errorf("%v: exit %d, %q", args, code, said)
		}
	}
	fine := file(t, "connector_image: x\nacceptance_tests: {}\n")
	if code, _, said := call(t, "--config", fine, "--binary", "nowhere"); code != exitUsage || !strings.Contains(said, "nowhere") {
		t.Errorf("exit %d, %q", code, said)
	}
	if code, _, said := call(t, "--config", fine, "--binary", fine, "--simulator", "nobody"); code != exitUsage || !strings.Contains(said, "nobody") {
		t.Errorf("exit %d, %q", code, said)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	if code, out, _ := call(t, "--list"); code != exitPassed || !strings.Contains(out, "beyond.resume_after_kill") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, out, _ := call(t, "--help"); code != exitPassed || !strings.Contains(out, "--simulator NAME") || !strings.Contains(out, "--http-record FILE") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// connector is a script that answers to spec and check, and to nothing else.
const connector = `#!/bin/sh
case "$1" in
spec) echo '{"type":"SPEC","spec":{"documentationUrl":"https://example.com","connectionSpecification":{"type":"object","properties":{"n":{"type":"integer","enum":[1,1]}}}}}' ;;
*) echo '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}' ;;
esac
`

// A run judges, reports in every form, and tells by its exit code whether all is well.
func TestRun(t *testing.T) {
	t.Parallel()
	config := file(t, "connector_image: x/source-x:dev\nacceptance_tests:\n  spec: {tests: [{config_path: c.json}]}\n  connection: {tests: [{config_path: c.json}]}\n")
	folder := filepath.Dir(config)
	for name, body := range map[string]string{"c.json": `{"n":1}`, "x": connector} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(body), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"--config", config, "--binary", filepath.Join(folder, "x")}
	at := func(name string) string { return filepath.Join(folder, name) }
	code, out, said := call(t, append(args, "--only", "spec.answer,spec.enum_usage,connection", "--junit", at("j.xml"), "--json", at("j.json"), "--summary", at("s.md"))...)
	if code != exitFailed || !strings.Contains(out, "FAIL  enum_usage") || !strings.Contains(out, "2 passed, 1 failed") {
		t.Errorf("exit %d, %s, %s", code, out, said)
	}
	for name, want := range map[string]string{"j.xml": `<failure message="expected each value of an enum once">`, "j.json": `"status": "failed"`, "s.md": "spec.enum_usage"} {
		if body, err := os.ReadFile(at(name)); err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s: %v, %s", name, err, body)
		}
	}
	if code, out, said := call(t, append(args, "--json", "--only", "spec.answer")...); code != exitPassed || !strings.HasPrefix(out, "{") {
		t.Errorf("exit %d, %s, %s", code, out, said)
	}
	if code, _, said := call(t, append(args, "--save", at("saved"))...); code != exitUsage || !strings.Contains(said, "no catalog") {
		t.Errorf("exit %d, %s", code, said)
	}
	if code, _, said := call(t, "--config", config, "--cdk-config", at("cdk.yml")); code != exitPassed {
		t.Errorf("exit %d, %s", code, said)
	}
}
