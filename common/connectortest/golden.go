package connectortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/cli"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/spec"
)

//nolint:gochecknoglobals // a flag of `go test` must be there before the tests start
var update = flag.Bool("update", false, "rewrite the want.jsonl of golden tests and the fields in README.md with what the connector does now")

// Golden runs the command read against answers in files, and compares its output with dir/want.jsonl. A dir without a config.json is a folder of such
// cases. A case has
//
//   - config.json: the configuration; its base_url, if the spec has one, becomes the address of a server with the answers, and so does
//     "https://api.example" in it;
//   - exchanges.json: the answers, see [exchange]; a request without an answer fails the test, and so does an answer without a request;
//   - catalog.json, optional: a configured catalog, in which a stream may be just its name; default: a full refresh of all streams;
//   - state.json, optional: the state to continue from;
//   - shaped.json, optional: {"stream":["field"]}, the top-level fields that the connector changes, adds or leaves out; ["*"] is all;
//   - want.jsonl: the messages, grouped by stream (those of no stream first). Adjacent records may be in any order. Emission times are left out, as
//     are log messages except warnings. Outside records, NOW replaces times of the run and of the hour before it. `go test -update` rewrites it.
//
// Some rules apply whatever want.jsonl says, so that rewriting it cannot hide a fault:
//
//   - Every record fits its stream's schema and has no field that the schema does not declare.
//   - A value that does not fit its column is reported in the record's meta and kept in the record.
//   - Every record is in an answer byte for byte, except for white space between tokens and for the fields of shaped.json.
//   - The exit code is 0 if and only if there is no TRACE ERROR.
//   - No secret of the configuration is in the output.
func Golden(t *testing.T, src cli.Source, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "config.json")); errors.Is(err, fs.ErrNotExist) {
		cases, err := os.ReadDir(dir)
		if err != nil || len(cases) == 0 {
			t.Fatalf("%s has neither a config.json nor folders with one: %v", dir, err)
		}
		for _, c := range cases {
			t.Run(c.Name(), func(t *testing.T) {
				t.Parallel()
				golden(t, src, filepath.Join(dir, c.Name()))
			})
		}
		return
	}
	golden(t, src, dir)
}

func golden(t *testing.T, src cli.Source, dir string) {
	t.Helper()
	api := serve(t, dir)
	document, err := src.Spec()
	if err != nil {
		t.Fatalf("Spec: %v", err)
	}
	config := configure(t, dir, document, api.server.URL)
	streams, err := src.Discover(t.Context(), config)
	if err != nil {
		t.Fatalf("Discover: %v", err)
	}
	args := []string{"read", "--config", keep(t, "config.json", config), "--catalog", keep(t, "catalog.json", catalog(t, dir, streams))}
	if _, err := os.Stat(filepath.Join(dir, "state.json")); err == nil {
		args = append(args, "--state", filepath.Join(dir, "state.json"))
	}
	about, err := os.ReadFile("metadata.yaml")
	if err != nil {
		t.Fatal(err)
	}

	var out, complaints bytes.Buffer
	began := time.Now()
	code := cli.Run(t.Context(), src, about, args, strings.NewReader(""), &out, &complaints)
	api.server.Close()
	said, faults := listen(out.Bytes())
	faults = slices.Concat(faults, api.faults(), exitFaults(code, said), secretFaults(document, config, out.String()),
		recordFaults(streams, said, api.served, shaped(t, dir)))
	slices.SortStableFunc(said, func(a, b message) int { return strings.Compare(a.logged(), b.logged()) })
	verdict(t, faults, complaints.String(), filepath.Join(dir, "want.jsonl"), api.anonymous(transcript(said, began)))
}

// verdict fails t for the faults, for output on standard error, and if got differs from the file name.
func verdict(t *testing.T, faults findings, complaints, name, got string) {
	t.Helper()
	if complaints != "" {
		faults.addf("standard error is not empty: %s", complaints)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
	want, err := os.ReadFile(name)
	same := err == nil && unordered(string(want)) == unordered(got)
	if *update && !same {
		rewrite(t, name, got)
	}
	if *update || same {
		return
	}
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if text := difference(unordered(string(want)), unordered(got)); text != "" {
		t.Errorf("not as %s says (- wanted, + got):\n%s", name, text)
	}
}

// unordered returns messages with adjacent records sorted, because concurrent requests deliver records in any order.
func unordered(messages string) string {
	lines := strings.SplitAfter(messages, "\n")
	record := func(line string) bool { return strings.HasPrefix(line, `{"type":"RECORD"`) }
	for from := 0; from < len(lines); from++ {
		to := from
		for to < len(lines) && record(lines[to]) {
			to++
		}
		slices.Sort(lines[from:to])
		from = max(from, to)
	}
	return strings.Join(lines, "")
}

// rewrite writes a file unless it already has that content.
func rewrite(t *testing.T, name, content string) {
	t.Helper()
	if old, err := os.ReadFile(name); err == nil && string(old) == content {
		return
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil { //nolint:gosec // a file of a connector, for all to read
		t.Fatal(err)
	}
}

// readJSON reads a file of a case. ok is false if the file is missing.
func readJSON(t *testing.T, dir, name string, into any) (ok bool) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", filepath.Join(dir, name), err)
	}
	return true
}

// keep writes a file for the run and returns its path.
func keep(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// configure returns the case's configuration with the server's address.
func configure(t *testing.T, dir string, document json.RawMessage, address string) []byte {
	t.Helper()
	var config map[string]any
	if !readJSON(t, dir, "config.json", &config) {
		t.Fatalf("%s has no config.json", dir)
	}
	if slices.Contains(spec.Options(document), "base_url") {
		config["base_url"] = address
	}
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(data, []byte("https://api.example"), []byte(address))
}

// catalog returns the case's configured catalog. Streams without a schema are completed from the discovered ones.
func catalog(t *testing.T, dir string, discovered *protocol.Catalog) []byte {
	t.Helper()
	var data json.RawMessage
	var configured protocol.ConfiguredCatalog
	if readJSON(t, dir, "catalog.json", &data) {
		if err := json.Unmarshal(data, &configured); err != nil {
			t.Fatalf("%s: %v", filepath.Join(dir, "catalog.json"), err)
		}
		for i, s := range configured.Streams {
			known := slices.IndexFunc(discovered.Streams, func(d protocol.Stream) bool { return d.Name == s.Stream.Name })
			if s.Stream.JSONSchema == nil && known >= 0 {
				configured.Streams[i].Stream = discovered.Streams[known]
			}
		}
	} else {
		for _, s := range discovered.Streams {
			configured.Streams = append(configured.Streams, protocol.ConfiguredStream{
				Stream: s, SyncMode: protocol.FullRefresh, DestinationSyncMode: "overwrite",
			})
		}
	}
	whole, err := json.Marshal(configured)
	if err != nil {
		t.Fatal(err)
	}
	return whole
}

func shaped(t *testing.T, dir string) map[string][]string {
	t.Helper()
	fields := map[string][]string{}
	readJSON(t, dir, "shaped.json", &fields)
	return fields
}

// message is the part of a message that a case looks at.
type message struct {
	stream string          // "" if it is about none
	kind   string          // the message's type
	data   json.RawMessage // of a record
	meta   json.RawMessage // of a record; nil if it has none
	failed bool            // a TRACE ERROR
	line   string          // as in want.jsonl; "" to leave it out
}

// listen parses the connector's output.
func listen(out []byte) (said []message, faults findings) {
	for line := range bytes.Lines(out) {
		whole, ended := bytes.CutSuffix(line, []byte("\n"))
		m, err := understand(whole)
		if err != nil || !ended {
			faults.addf("a line is no message or does not end (%v): %.200s", err, line)
			continue
		}
		said = append(said, m)
	}
	return said, faults
}

// understand parses one line. The message's line lacks what differs from run to run. The bytes of a record are unchanged.
func understand(line []byte) (message, error) {
	var top struct {
		Type   string
		Record struct {
			Stream    string          `json:"stream"`
			Namespace string          `json:"namespace,omitempty"`
			Data      json.RawMessage `json:"data"`
			Meta      json.RawMessage `json:"meta,omitempty"`
		}
		State struct {
			Stream struct {
				Descriptor protocol.Descriptor `json:"stream_descriptor"`
			}
		}
		Trace map[string]json.RawMessage
		Log   struct{ Level string }
	}
	if err := json.Unmarshal(line, &top); err != nil {
		return message{}, err
	}
	m := message{kind: top.Type, line: string(line)}
	var err error
	switch top.Type {
	case "RECORD":
		m.stream, m.data, m.meta = top.Record.Stream, top.Record.Data, top.Record.Meta
		m.line, err = text(struct {
			Type   string `json:"type"`
			Record any    `json:"record"`
		}{top.Type, top.Record})
	case "STATE":
		m.stream = top.State.Stream.Descriptor.Name
	case "LOG":
		if top.Log.Level != "WARN" {
			m.line = ""
		}
	case "TRACE":
		m.stream, m.failed = traced(top.Trace)
		delete(top.Trace, "emitted_at")
		m.line, err = text(struct {
			Type  string `json:"type"`
			Trace any    `json:"trace"`
		}{top.Type, top.Trace})
	}
	return m, err
}

// traced returns the stream that a trace message is about, and whether it reports a failure.
func traced(trace map[string]json.RawMessage) (stream string, failed bool) {
	type named struct {
		Name       string
		Descriptor protocol.Descriptor `json:"stream_descriptor"`
	}
	for _, member := range []string{"error", "stream_status", "estimate"} {
		var about named
		if raw, has := trace[member]; has && json.Unmarshal(raw, &about) == nil {
			return about.Name + about.Descriptor.Name, member == "error"
		}
	}
	return "", false
}

// text returns a value as JSON without HTML escapes.
func text(value any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// transcript returns want.jsonl. Streams are read concurrently, so only the order within each is significant.
func transcript(said []message, began time.Time) string {
	groups := map[string][]string{}
	for _, m := range said {
		if m.kind != "RECORD" {
			m.line = timeless(m.line, began)
		}
		if m.line != "" {
			groups[m.stream] = append(groups[m.stream], m.line+"\n")
		}
	}
	var b strings.Builder
	for _, stream := range slices.Sorted(maps.Keys(groups)) {
		b.WriteString(strings.Join(groups[stream], ""))
	}
	return b.String()
}

// logged returns the line of a log message, and "" for every other message. Streams log concurrently, so the order of log messages is not
// significant.
func (m message) logged() string {
	if m.kind == "LOG" {
		return m.line
	}
	return ""
}

// timeless returns a line with NOW instead of every time between the hour before the run and now: a mark may be some minutes behind.
func timeless(line string, began time.Time) string {
	stamp := regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`)
	return stamp.ReplaceAllStringFunc(line, func(text string) string {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || at.Before(began.Add(-time.Hour)) || at.After(time.Now()) {
			return text
		}
		return "NOW"
	})
}

// secretFaults returns a fault for each secret of the configuration that is in the output.
func secretFaults(document json.RawMessage, config []byte, out string) (faults findings) {
	for _, secret := range spec.Secrets(document, config) {
		if strings.Contains(out, secret) {
			faults.addf("a secret of the configuration is in the output")
		}
	}
	return faults
}

// exitFaults checks that the exit code matches the messages.
func exitFaults(code int, said []message) (faults findings) {
	if failed := slices.ContainsFunc(said, func(m message) bool { return m.failed }); failed != (code != 0) {
		faults.addf("the exit code is %d, and whether there is a TRACE ERROR is %v", code, failed)
	}
	return faults
}

// recordFaults checks every record against its stream's schema and against the answers.
func recordFaults(streams *protocol.Catalog, said []message, served [][]byte, shaped map[string][]string) (faults findings) {
	schemas, declared := map[string]*spec.Schema{}, map[string]any{}
	for _, s := range streams.Streams {
		var tree any
		schema, err := spec.Compile(s.Name, s.JSONSchema)
		if err != nil || json.Unmarshal(s.JSONSchema, &tree) != nil {
			faults.addf("the schema of %s cannot be used: %v", s.Name, err)
			continue
		}
		schemas[s.Name], declared[s.Name] = schema, tree
	}
	sources, rows := map[string]map[string]bool{}, objectsOf(served, nil)
	for _, m := range said {
		if m.kind != "RECORD" {
			continue
		}
		schema := schemas[m.stream]
		if schema == nil {
			faults.addf("a record of %q has no schema", m.stream)
			continue
		}
		if err := schema.Validate(m.data); err != nil {
			faults.addf("a record of %s does not fit its schema:\n%v", m.stream, err)
			continue
		}
		var value any
		if err := json.Unmarshal(m.data, &value); err != nil {
			faults.addf("a record of %s: %v", m.stream, err)
		}
		for _, at := range undeclared(declared[m.stream], value) {
			faults.addf("%s.%s is in a record and not in the schema", m.stream, at)
		}
		for _, fault := range slices.Concat(unparsedFaults(m.data, m.meta), wholeFaults(declared[m.stream], m.data, rows)) {
			faults.addf("a record of %s: %s", m.stream, fault)
		}
		leave := shaped[m.stream]
		if slices.Contains(leave, "*") {
			continue
		}
		if sources[m.stream] == nil {
			sources[m.stream] = objectsOf(served, leave)
		}
		if verbatim, err := without(m.data, leave); err != nil || !sources[m.stream][verbatim] {
			faults.addf("a record of %s is in no answer as it was emitted (%v): %.300s", m.stream, err, verbatim)
		}
	}
	return faults
}

// wholeFaults checks that each column for the whole row holds a row of the answers as it came. rows is what objectsOf finds in the answers.
func wholeFaults(schema any, data json.RawMessage, rows map[string]bool) (faults findings) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		faults.addf("%v", err)
	}
	for name, property := range object(object(schema)["properties"]) {
		if object(property)["x-whole-row"] != true {
			continue
		}
		if row, err := without(fields[name], nil); err != nil || !rows[row] {
			faults.addf("%s holds no row of the answers (%v): %.300s", name, err, fields[name])
		}
	}
	return faults
}

// undeclared returns the top-level fields of a record that its schema does not declare. Inside objects and lists a schema omits what varies.
func undeclared(schema, record any) []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(object(record))) {
		if _, known := object(object(schema)["properties"])[name]; !known {
			found = append(found, name)
		}
	}
	return found
}

// unparsedFaults checks that the changes in a record's meta match the values in _unparsed, and that their fields are null.
func unparsedFaults(data, meta json.RawMessage) (faults findings) {
	var values struct {
		Unparsed map[string]json.RawMessage `json:"_unparsed"`
	}
	var told struct {
		Changes []struct{ Field, Change, Reason string }
	}
	var fields map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(data, &values), json.Unmarshal(data, &fields)); err != nil {
		faults.addf("%v", err)
	}
	if meta != nil {
		if err := json.Unmarshal(meta, &told); err != nil || len(told.Changes) == 0 {
			faults.addf("the meta tells no changes (%v): %s", err, meta)
		}
	}
	for _, c := range told.Changes {
		_, kept := values.Unparsed[c.Field]
		if !kept || string(fields[c.Field]) != "null" || c.Change != "NULLED" || c.Reason != "SOURCE_SERIALIZATION_ERROR" {
			faults.addf("the meta tells a change that is none: %v", c)
		}
		delete(values.Unparsed, c.Field)
	}
	for name := range values.Unparsed {
		faults.addf("the meta does not tell that %s is kept in _unparsed", name)
	}
	return faults
}
