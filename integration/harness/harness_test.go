package harness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// fakeEnv makes the test's own binary a connector that does what its configuration says.
const fakeEnv = "HARNESS_FAKE_CONNECTOR=1"

func TestMain(m *testing.M) {
	if os.Getenv("HARNESS_FAKE_CONNECTOR") != "" {
		os.Exit(fake(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// script is a fake connector's configuration.
type script struct {
	Lines  []string `json:"lines"`  // "NOW" becomes the time, "RAW" a byte that is not UTF-8
	Stderr string   `json:"stderr"` //
	Exit   int      `json:"exit"`
	Memory int      `json:"memory"` // bytes to hold
	Repeat bool     `json:"repeat"` // print the last line until stdout is closed
	Block  bool     `json:"block"`  // after the lines, wait for SIGTERM and exit with 9
}

func fake(args []string) int {
	if slices.Contains(args, "--help") {
		fmt.Fprintln(os.Stdout, "NAME: fake")
		return 0
	}
	var s script
	if i := slices.Index(args, "--config"); i >= 0 {
		body, err := os.ReadFile(args[i+1])
		if err != nil {
			return 77
		}
		if err := json.Unmarshal(body, &s); err != nil {
			return 78
		}
	}
	signal.Ignore(syscall.SIGPIPE)
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	held := bytes.Repeat([]byte{1}, s.Memory)
	_, _ = io.WriteString(os.Stderr, s.Stderr)
	out := bufio.NewWriter(os.Stdout)
	for _, line := range s.Lines {
		line = strings.NewReplacer("NOW", fmt.Sprint(time.Now().UnixMilli()), "RAW", "\xff").Replace(line)
		_, _ = out.WriteString(line + "\n")
	}
	if out.Flush() != nil {
		return 3
	}
	for s.Repeat {
		if _, err := fmt.Fprintln(os.Stdout, s.Lines[len(s.Lines)-1]); err != nil {
			return 4
		}
	}
	if s.Block {
		<-term
		return 9
	}
	runtime.KeepAlive(held)
	return s.Exit
}

func runner() Binary { return Binary{Path: os.Args[0], Env: []string{fakeEnv}} }

func (s script) read(t *testing.T, o Options) *Result {
	t.Helper()
	config, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cat := Catalog{Streams: []Stream{{
		Name: "cars", SupportedSyncModes: []string{FullRefresh, Incremental}, DefaultCursorField: []string{"at"},
		SourceDefinedPrimaryKey: [][]string{{"id"}},
		JSONSchema: json.RawMessage(`{"type":"object","properties":{"id":{"type":"integer"},"at":{"type":["null","string"]},"n":{},
			"day":{"type":["null","string"],"format":"date"},"t":{"type":["null","string"],"format":"date-time"},
			"w":{"type":["null","number"],"airbyte_type":"integer"},"o":{"type":["null","object"],"properties":{"b":{"type":["null","boolean"]}}},
			"l":{"type":["null","array"],"items":{"type":["null","string"]}},"_unparsed":{"type":["null","object"]}}}`),
	}}}
	res, err := Run(t.Context(), runner(), Read(config, cat.Configure(Incremental), nil), o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

const (
	stRunning = `{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":NOW,"stream_status":{"stream_descriptor":{"name":"cars"},"status":"RUNNING"}}}`
	row1      = `{"type":"RECORD","record":{"stream":"cars","data":{"id":1,"at":"a"},"emitted_at":NOW}}`
	row2      = `{"type":"RECORD","record":{"stream":"cars","data":{"id":2,"at":"b"},"emitted_at":NOW}}`
	failure   = `{"type":"TRACE","trace":{"type":"ERROR","emitted_at":NOW,"error":{"message":"No.","failure_type":"config_error"}}}`
)

func status(s string) string { return strings.ReplaceAll(stRunning, "RUNNING", s) }

func state(count int, blob string) string {
	return fmt.Sprintf(`{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"cars"},"stream_state":%s},`+
		`"sourceStats":{"recordCount":%d.0}}}`, blob, count)
}

// good returns a run without a fault.
func good() []string {
	return []string{
		status("STARTED"), stRunning, row1, state(1, `{"at":"a"}`), row2, state(1, `{"at":"b"}`), status("COMPLETE"),
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	var tee bytes.Buffer
	var seen []string
	res := script{Lines: good()}.read(t, Options{Tee: &tee, Each: func(m Message, _ *Control) { seen = append(seen, m.Type+m.Trace) }})
	res.Check(t)
	if res.Code != 0 || len(res.Rows) != 2 || res.Rows[1] != (Row{Stream: "cars", Key: "2", Mark: "b", Bytes: 17}) || res.States[1].Rows != 2 {
		t.Errorf("got %+v", res)
	}
	if want := `[{"type":"STREAM","stream":{"stream_descriptor":{"name":"cars"},"stream_state":{"at":"b"}},"sourceStats":{"recordCount":1.0}}]`; string(
		res.State()) != want {
		t.Errorf("the state is %s, not %s", res.State(), want)
	}
	if n := strings.Count(tee.String(), "\n"); n != 7 || len(seen) != 7 || seen[0] != "TRACESTREAM_STATUS" || seen[2] != "RECORD" {
		t.Errorf("teed %d lines, seen %v", n, seen)
	}
	if res.CPU <= 0 || res.Wall <= 0 || res.MaxRSS <= 0 || res.Last("cars") != "COMPLETE" {
		t.Errorf("took %v CPU, %v, %d bytes", res.CPU, res.Wall, res.MaxRSS)
	}
}

const nulled = `"meta":{"changes":[{"field":"w","change":"NULLED","reason":"SOURCE_SERIALIZATION_ERROR"}]},`

// with returns row1 with more members of its data, and its meta.
func with(data, meta string) string {
	return strings.NewReplacer(`"at":"a"`, `"at":"a",`+data, `"emitted_at"`, meta+`"emitted_at"`).Replace(row1)
}

// later returns a good run with a row after those that the library checks.
func later(line string) []string {
	lines := []string{status("STARTED"), stRunning}
	for range sampleFirst {
		lines = append(lines, row1)
	}
	return append(lines, line, state(sampleFirst+1, `{}`), status("COMPLETE"))
}

func TestChanges(t *testing.T) {
	t.Parallel()
	lines := good()
	lines[2] = with(`"w":null,"_unparsed":{"w":"x"}`, nulled)
	warning := `{"type":"LOG","log":{"level":"WARN","message":"cars: field \"w\" is not a whole number: it is null, and stands in _unparsed (once)"}}`
	res := script{Lines: slices.Insert(lines, 6, warning)}.read(t, Options{})
	res.Check(t)
}

// TestProblems checks that every rule of Problems is found broken. Each case breaks one rule by one change to a good run.
func TestProblems(t *testing.T) {
	t.Parallel()
	replace := func(i int, line string) []string { l := good(); l[i] = line; return l }
	insert := func(i int, line ...string) []string { return slices.Insert(good(), i, line...) }
	cut := func(i, j int) []string { return slices.Delete(good(), i, j) }
	for _, c := range []struct {
		name, want string
		script     script
		secret     string
	}{
		{"text on stdout", "is not JSON", script{Lines: insert(0, "panic: no")}, ""},
		{"a half line", "is not JSON", script{Lines: insert(3, row1[:40])}, ""},
		{"no message", "not a message of the protocol", script{Lines: insert(0, `{"type":"LOG","log":{"level":"LOUD","message":"x"}}`)}, ""},
		{"an unknown type", "which a source has not", script{Lines: insert(0, `{"type":"FILE"}`)}, ""},
		{"not UTF-8", "is not UTF-8", script{Lines: insert(2, strings.Replace(row1, `"a"`, `"RAW"`, 1))}, ""},
		{"stderr", "stderr is not empty", script{Lines: good(), Stderr: "warning"}, ""},
		{"exit 1 in silence", "the exit code is 1 with 0 TRACE ERRORs", script{Lines: good(), Exit: 1}, ""},
		{"exit 0 with an error", "the exit code is 0 with 1 TRACE ERRORs", script{Lines: insert(7, failure)}, ""},
		{"a failure type", "not a message of the protocol", script{Lines: insert(7, strings.ReplaceAll(failure, "config_", "my_")), Exit: 1}, ""},
		{"no STARTED", "became RUNNING after nothing", script{Lines: cut(0, 1)}, ""},
		{"no RUNNING", "not RUNNING", script{Lines: cut(1, 2)}, ""},
		{"no COMPLETE", `the last status is "RUNNING"`, script{Lines: cut(6, 7)}, ""},
		{"INCOMPLETE with exit 0", `the last status is "INCOMPLETE"`, script{Lines: replace(6, status("INCOMPLETE"))}, ""},
		{"RUNNING for ever", "the run ended while the status was RUNNING", script{Lines: append(cut(6, 7), failure), Exit: 1}, ""},
		{"twice COMPLETE", "became COMPLETE after COMPLETE", script{Lines: insert(7, status("COMPLETE"))}, ""},
		{"COMPLETE before the data", "not RUNNING", script{Lines: insert(4, status("COMPLETE"))}, ""},
		{"no state", "COMPLETE after 0 states", script{Lines: []string{status("STARTED"), stRunning, row1, status("COMPLETE")}}, ""},
		{"no last state", "and 1 records since the last", script{Lines: cut(5, 6)}, ""},
		{"a wrong count", "counts 2.0 records, but there were 1", script{Lines: replace(5, state(2, `{"at":"b"}`))}, ""},
		{"no count", "counts  records", script{Lines: replace(5, strings.Split(state(1, `{"at":"b"}`), `,"sourceStats"`)[0]+"}}")}, ""},
		{"equal states", "two equal states", script{Lines: replace(5, state(1, `{"at":"a"}`))}, ""},
		{"a legacy state", "whose type is not STREAM", script{Lines: insert(0, `{"type":"STATE","state":{"type":"LEGACY","data":{}}}`)}, ""},
		{"empty data", "has no data", script{Lines: replace(2, strings.Replace(row1, `{"id":1,"at":"a"}`, `{}`, 1))}, ""},
		{"a foreign stream", "not in the configured catalog", script{Lines: insert(2, strings.Replace(row1, "cars", "dogs", 1))}, ""},
		{"an unknown field", `has "x", which its schema does not have`, script{Lines: replace(2, strings.Replace(row1, `"at"`, `"x"`, 1))}, ""},
		{"a wrong type", "not what its schema says", script{Lines: replace(2, strings.Replace(row1, `:1,`, `:"1",`, 1))}, ""},
		{"no day", `day: "2026-02-30" is no date`, script{Lines: replace(2, with(`"day":"2026-02-30"`, ""))}, ""},
		{"a time with an offset", "is no date-time", script{Lines: replace(2, with(`"t":"2026-02-03T10:00:00-03:00"`, ""))}, ""},
		{"a number that is not whole", "not written as a whole number", script{Lines: replace(2, with(`"w":1.0`, ""))}, ""},
		{"a wrong type inside", `o: b: 1 is not [null boolean]`, script{Lines: replace(2, with(`"o":{"a":1,"b":1}`, ""))}, ""},
		{"a wrong element", `l: an element: 1 is not`, script{Lines: replace(2, with(`"l":["a", 1]`, ""))}, ""},
		{"a late wrong type", "w: \"1\" is not", script{Lines: later(with(`"w":"1"`, ""))}, ""},
		{"a change of nothing", "a change that is none", script{Lines: replace(2, with(`"w":null`, nulled))}, ""},
		{"a change without null", "a change that is none", script{Lines: replace(2, with(`"w":1,"_unparsed":{"w":"x"}`, nulled))}, ""},
		{"no change", "no change for what is kept of [w]", script{Lines: replace(2, with(`"w":null,"_unparsed":{"w":"x"}`, ""))}, ""},
		{"no warning", `has 1 values in "w" that did not fit, and 0 WARNs`, script{Lines: replace(2, with(`"w":null,"_unparsed":{"w":"x"}`, nulled))}, ""},
		{"no key", "has no primary key", script{Lines: replace(2, strings.Replace(row1, `:1,`, `:null,`, 1))}, ""},
		{"an old time", "emitted_at is not now", script{Lines: replace(2, strings.Replace(row1, "NOW", "1600000000000", 1))}, ""},
		{"a time with a fraction", "emitted_at is not an integer", script{Lines: replace(2, strings.Replace(row1, "NOW", "NOW.5", 1))}, ""},
		{"an answer to nothing", "an answer that only check gives",
			script{Lines: insert(0, `{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}`)}, ""},
		{"a secret", "a secret (form 0) is in stdout", script{Lines: insert(0, `{"type":"LOG","log":{"level":"INFO","message":"s3cr3t/!"}}`)}, "s3cr3t/!"},
		{"a secret in base64", "is in stdout", script{Lines: insert(0, `{"type":"LOG","log":{"level":"INFO","message":"czNjcjN0LyE="}}`)}, "s3cr3t/!"},
		{"a secret in a URL", "is in stdout", script{Lines: insert(0, `{"type":"LOG","log":{"level":"INFO","message":"s3cr3t%2F%21"}}`)}, "s3cr3t/!"},
		{"a part of a secret", "can be read in stdout", script{Lines: insert(0, `{"type":"LOG","log":{"level":"INFO","message":"bad s3cr3t/"}}`)}, "s3cr3t/!more"},
		{"a secret in capital escapes", "can be read in stdout", script{Lines: insert(0, `{"type":"LOG","log":{"level":"INFO","message":"s3cr\\u00E7\\u002b!"}}`)}, "s3crç+!"},
		{"a secret in HTML", "can be read in stdout", script{Lines: insert(0, `{"type":"LOG","log":{"level":"INFO","message":"s3cr&#x00E7;&plus;!"}}`)}, "s3crç+!"},
		{"a secret in Latin-1 of a URL", "can be read in stdout", script{Lines: insert(0, `{"type":"LOG","log":{"level":"INFO","message":"s3cr%E7%2b!"}}`)}, "s3crç+!"},
		{"a secret in base64 amid more", "can be read in stdout", script{Lines: insert(0, `{"type":"LOG","log":{"level":"INFO","message":"Basic dXNlcjpzM2NyM3QvIQ=="}}`)}, "s3cr3t/!"},
		{"a secret in a URL in JSON", "can be read in stdout", script{Lines: insert(0, `{"type":"LOG","log":{"level":"INFO","message":"s3cr\\u0025C3\\u0025A7+!"}}`)}, "s3crç !"},
		{"a secret's MD5", "is in stderr", script{Lines: good(), Stderr: "ea030590d829fab400f6f7493dcf00c3"}, "s3cr3t/!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var secrets []string
			if c.secret != "" {
				secrets = []string{c.secret}
			}
			problems := strings.Join(c.script.read(t, Options{Secrets: secrets}).Problems(), "\n")
			if !strings.Contains(problems, c.want) {
				t.Errorf("wanted %q among the problems, got %q", c.want, problems)
			}
		})
	}
}

// TestKeyless checks that a row that may lack its key is identified by its data.
func TestKeyless(t *testing.T) {
	t.Parallel()
	lines := good()
	lines[2] = strings.Replace(row1, `:1,`, `:null,`, 1)
	res := script{Lines: lines}.read(t, Options{Keyless: true})
	res.Check(t)
	if key := res.Rows[0].Key; key != hash([]byte(`{"id":null,"at":"a"}`)) {
		t.Errorf("the key is %q", key)
	}
}

func TestSecretsThatComeUpLater(t *testing.T) {
	t.Parallel()
	hint := `{"type":"LOG","log":{"level":"INFO","message":"t0ken!"}}`
	var known []string
	res := script{Lines: append([]string{hint, hint}, good()...)}.read(t, Options{
		Learnt: func() []string { return known },
		Each: func(Message, *Control) { // after the first line
			known = []string{"t0ken!"}
		},
	})
	if problems := res.Problems(); len(problems) != 1 || !strings.Contains(problems[0], "is in stdout") {
		t.Errorf("got %q", problems)
	}
}

func TestKill(t *testing.T) {
	t.Parallel()
	res := script{Lines: good()[:4], Block: true}.read(t, Options{Each: func(m Message, c *Control) {
		if m.Type == "STATE" {
			if err := c.Signal(os.Kill); err != nil {
				t.Error(err)
			}
		}
	}})
	res.Check(t)
	if res.Code != 137 || !res.Killed || len(res.Rows) != 1 {
		t.Errorf("got %v", res)
	}
}

func TestSignal(t *testing.T) {
	t.Parallel()
	res := script{Lines: good(), Block: true}.read(t, Options{Each: func(m Message, c *Control) {
		if m.Trace == "STREAM_STATUS" && strings.Contains(string(m.Line), "COMPLETE") {
			if err := c.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}
	}})
	if res.Code != 9 || !strings.Contains(strings.Join(res.Problems(), ""), "the exit code is 9 with 0 TRACE ERRORs") {
		t.Errorf("got %v, problems %v", res, res.Problems())
	}
}

func TestClosedStdout(t *testing.T) {
	t.Parallel()
	seen := 0
	res := script{Lines: []string{row1}, Repeat: true}.read(t, Options{Each: func(_ Message, c *Control) {
		if seen++; seen == 1 {
			if err := c.CloseStdout(); err != nil {
				t.Error(err)
			}
		}
	}})
	if res.Code != 4 || !res.Unread {
		t.Errorf("got %v", res)
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	held := bytes.Repeat([]byte{1}, 400<<20) // this process's memory must not be counted as the connector's
	peak := func(memory int) int64 {
		return script{Lines: good(), Memory: memory, Block: true}.read(t, Options{Each: func(m Message, c *Control) {
			if !bytes.Contains(m.Line, []byte("COMPLETE")) {
				return
			}
			if p, ok := c.process.(*binaryProcess); ok {
				p.peak.look()
			}
			if err := c.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}}).MaxRSS
	}
	small, large := peak(1<<20), peak(64<<20)
	for range 20 {
		brief := (script{Lines: good()}).read(t, Options{}).MaxRSS
		if brief >= int64(len(held)) { // 0 if it was gone before anybody could look, as may happen under load
			t.Errorf("with %d bytes here, a peak of %d", len(held), brief)
		}
	}
	runtime.KeepAlive(held)
	if large-small < 60<<20 || large > int64(len(held)) {
		t.Errorf("with %d bytes here, peaks of %d and %d bytes", len(held), small, large)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	res, err := Run(t.Context(), runner(), Command{Args: []string{"--help"}, Text: true}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	res.Check(t)
	if string(res.Output) != "NAME: fake\n" {
		t.Errorf("got %q", res.Output)
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	c := Read([]byte("1"), []byte("2"), []byte("3")).With("--debug", "{gone.json}")
	want := []string{
		"read", "--config", "/d/config.json", "--catalog", "/d/catalog.json", "--state", "/d/state.json", "--debug", "/d/gone.json",
	}
	if got := c.arguments("/d"); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if got := Read(nil, nil, nil); slices.Contains(got.Args, "--state") {
		t.Errorf("got %v", got.Args)
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	message := func(name string, n int) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"type":"STREAM","stream":{"stream_descriptor":{"name":%q},"stream_state":{"n":%d}}}`, name, n))
	}
	r := Result{
		Command: Command{Files: map[string][]byte{StateFile: fmt.Appendf(nil, "[%s,%s]", message("a", 1), message("b", 1))}},
		States:  []State{{Stream: "c", Message: message("c", 2)}, {Stream: "b", Message: message("b", 2)}, {Stream: "c", Message: message("c", 3)}},
	}
	if want := fmt.Sprintf("[%s,%s,%s]", message("a", 1), message("b", 2), message("c", 3)); string(r.State()) != want {
		t.Errorf("got %s", r.State())
	}
	if s := new(Result).State(); s != nil {
		t.Errorf("no state is %s", s)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		object string
		want   []string
	}{
		{`{}`, nil},
		{`[1]`, nil},
		{`{"a":1}`, []string{"a=1"}},
		{` { "a" : -1.5e3 , "b\"\\" : "x\\\"}" ,"c":[{"a":"]"},2] , "d":{"e":{"f":null}},"":true } `,
			[]string{`a=-1.5e3`, `b"\="x\\\"}"`, `c=[{"a":"]"},2]`, `d={"e":{"f":null}}`, `=true`}},
	} {
		var got []string
		for k, v := range members([]byte(c.object)) {
			got = append(got, string(k)+"="+string(v))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q", c.object, got)
		}
	}
	if got := lookup([]byte(`{"a":{"b":{"c":"é\n"}}}`), "a", "b", "c"); text(got) != "é\n" {
		t.Errorf("got %q", got)
	}
}

// FuzzMembers checks that the walk over bytes finds what decoding finds, in any object.
func FuzzMembers(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"\""}],"c":{"d":"\\"}}`))
	f.Fuzz(func(t *testing.T, object []byte) {
		var want map[string]json.RawMessage
		if !utf8.Valid(object) || json.Unmarshal(object, &want) != nil || want == nil {
			return // nothing is promised for what is not a JSON object
		}
		got := map[string]string{}
		for k, v := range members(object) {
			got[string(k)] = string(v)
		}
		for k, v := range want {
			if got[k] != string(v) {
				t.Errorf("%q: %q is %q, not %q", object, k, got[k], v)
			}
		}
	})
}

func TestConnectors(t *testing.T) {
	t.Parallel()
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	all, err := Connectors()
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(root, "connectors", "*", "metadata.yaml"))
	if err != nil || len(found) != len(all) {
		t.Errorf("found %d of %d connectors", len(all), len(found))
	}
	for _, c := range all {
		if c.Repository == "" || c.Tag == "" {
			t.Errorf("got %+v", c)
		}
	}
}

// TestAgainst checks that a violation is reported with its rule and its line.
func TestAgainst(t *testing.T) {
	t.Parallel()
	lines := good()
	lines[2] = strings.Replace(row1, `:1,`, `:"1",`, 1)
	res := script{Lines: lines, Stderr: "warning"}.read(t, Options{})
	types := res.Against(Types)
	if len(types) != 1 || !strings.HasPrefix(types[0].Line, `{"type":"RECORD"`) || len(res.Against(Quiet)) != 1 || len(res.Against(Types, Quiet)) != 2 ||
		len(res.Against(Purity)) != 0 {
		t.Errorf("got %+v", res.problems)
	}
}

// TestManyProblems checks that many violations of one rule do not hide those of another.
func TestManyProblems(t *testing.T) {
	t.Parallel()
	lines := good()
	for range 2 * most {
		lines = slices.Insert(lines, 3, `{"type":"LOG","log":{"level":"LOUD","message":"x"}}`)
	}
	lines[2] = strings.Replace(row1, `:1,`, `:null,`, 1)
	res := script{Lines: lines}.read(t, Options{})
	if len(res.Against(Purity)) != most || len(res.Against(Keys)) != 1 || !strings.Contains(strings.Join(res.Problems(), ""), "and 20 more such lines (purity)") {
		t.Errorf("got %q", res.Problems())
	}
}

// TestHouse checks that requirements that only apply to this repository's connectors have a rule of their own.
func TestHouse(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{
		"a GLOBAL state":                      slices.Insert(good(), 6, `{"type":"STATE","state":{"type":"GLOBAL","global":{"stream_states":[]}}}`),
		"no RUNNING of a stream without rows": {status("STARTED"), state(0, `{"at":"a"}`), status("COMPLETE")},
		"a time with an offset":               slices.Concat(good()[:2], []string{with(`"t":"2026-02-03T10:00:00-03:00"`, "")}, good()[3:]),
	} {
		res := script{Lines: lines}.read(t, Options{})
		if len(res.Against(House)) != 1 || len(res.problems) != 1 {
			t.Errorf("%s: %+v", name, res.problems)
		}
	}
}

// TestPhrases checks that a run may say the words of an example's secret, but not the secret.
func TestPhrases(t *testing.T) {
	t.Parallel()
	hint := func(text string) []string {
		return append(good(), `{"type":"LOG","log":{"level":"INFO","message":"`+text+`"}}`)
	}
	const phrase = "no-assertion-at-all"
	if res := (script{Lines: hint("invalid assertion")}).read(t, Options{Phrases: []string{phrase}}); len(res.problems) > 0 {
		t.Errorf("got %+v", res.problems)
	}
	if res := (script{Lines: hint("bad " + phrase)}).read(t, Options{Phrases: []string{phrase}}); len(res.Against(PlainSecret)) != 1 {
		t.Errorf("got %+v", res.problems)
	}
	if res := (script{Lines: hint("bm8tYXNzZXJ0aW9uLWF0LWFsbA==")}).read(t, Options{Phrases: []string{phrase}}); len(res.Against(HiddenSecret)) != 1 {
		t.Errorf("got %+v", res.problems)
	}
}

// TestOpenInput checks that an input that does not end does not block Run if the process has ended.
func TestOpenInput(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	defer w.Close()
	res, err := Run(t.Context(), runner(), Command{Args: []string{"--help"}, Text: true, Stdin: r}, Options{})
	if err != nil || string(res.Output) != "NAME: fake\n" {
		t.Errorf("got %v, %v", res, err)
	}
}

// TestKilledChildren checks that os.Kill ends a script together with the processes that it has started, which share its output.
func TestKilledChildren(t *testing.T) {
	t.Parallel()
	sh := Binary{Path: "/bin/sh", Args: []string{"-c", `sleep 1000 & echo '{"type":"LOG","log":{"level":"INFO","message":"x"}}'; wait`}}
	res, err := Run(t.Context(), sh, Command{}, Options{Each: func(_ Message, c *Control) { _ = c.Signal(os.Kill) }})
	if err != nil || res.Code != 137 {
		t.Errorf("got %v, %v", res, err)
	}
}

// TestAsked checks that a run that SIGTERM ended need not report anything.
func TestAsked(t *testing.T) {
	t.Parallel()
	sh := Binary{Path: "/bin/sh", Args: []string{"-c", `echo '{"type":"LOG","log":{"level":"INFO","message":"x"}}'; while :; do sleep 0.01; done`}}
	res, err := Run(t.Context(), sh, Command{}, Options{Each: func(_ Message, c *Control) { _ = c.Signal(syscall.SIGTERM) }})
	if err != nil || res.Code != 143 || len(res.problems) > 0 {
		t.Errorf("got %v, %v", res, err)
	}
}
