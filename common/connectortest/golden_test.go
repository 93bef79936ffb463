package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// offers is a source that emits the answer to GET /offers verbatim.
type offers struct{}

func (offers) Spec() (json.RawMessage, error) { return json.RawMessage(goodSpec), nil }

func (offers) Check(context.Context, []byte) error { return nil }

func (offers) Discover(context.Context, []byte) (*protocol.Catalog, error) {
	return &protocol.Catalog{Streams: []protocol.Stream{{
		Name: "offers", JSONSchema: json.RawMessage(goodSchema), SupportedSyncModes: []protocol.SyncMode{"full_refresh"},
	}}}, nil
}

func (offers) Read(ctx context.Context, config []byte, cat *protocol.ConfiguredCatalog, _ []byte, out *protocol.Emitter) error {
	var c struct {
		BaseURL string `json:"base_url"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return err
	}
	if string(cat.Streams[0].Stream.JSONSchema) == "" {
		return errors.New("the catalog was not completed")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.BaseURL+"/offers?page=1", nil)
	if err != nil {
		return err
	}
	response, err := new(http.Client).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fault.Configf("The API at %s refused.", c.BaseURL)
	}
	d := protocol.Descriptor{Name: "offers"}
	var compact bytes.Buffer
	if err := json.Compact(&compact, body); err != nil {
		return err
	}
	if err := out.Record(d, record.Record(compact.Bytes())); err != nil {
		return err
	}
	return out.Checkpoint(d, json.RawMessage(`{"read_at":"`+time.Now().UTC().Format(time.RFC3339)+`"}`))
}

func TestGolden(t *testing.T) {
	here := t.TempDir()
	for name, text := range map[string]string{
		"metadata.yaml":             goodMetadata,
		"cases/good/config.json":    `{"token": "s3cr3t-t0k3n"}`,
		"cases/good/offer.json":     "{ \"id\" : 1,\n \"any\": {\"text\": \"<&> \\u00e9\", \"n\": 1.50} }",
		"cases/good/exchanges.json": `[{"request": {"path": "/offers", "query": {"page": "/^[0-9]$/"}}, "response": {"body_file": "offer.json"}, "times": 1}]`,
		"cases/good/want.jsonl": `{"type":"TRACE","trace":{"stream_status":{"stream_descriptor":{"name":"offers"},"status":"STARTED"},"type":"STREAM_STATUS"}}` + "\n" +
			`{"type":"TRACE","trace":{"stream_status":{"stream_descriptor":{"name":"offers"},"status":"RUNNING"},"type":"STREAM_STATUS"}}` + "\n" +
			`{"type":"RECORD","record":{"stream":"offers","data":{"id":1,"any":{"text":"<&> \u00e9","n":1.50}}}}` + "\n" +
			`{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"offers"},"stream_state":{"read_at":"NOW"}},"sourceStats":{"recordCount":1.0}}}` + "\n",
		"cases/refused/config.json":    `{"token": "s3cr3t-t0k3n"}`,
		"cases/refused/catalog.json":   `{"streams": [{"stream": {"name": "offers"}, "sync_mode": "full_refresh", "destination_sync_mode": "append"}]}`,
		"cases/refused/exchanges.json": `[{"request": {"path": "/offers"}, "response": {"status": 401, "body": {"message": "no"}}}]`,
		"cases/refused/want.jsonl":     `{"type":"TRACE","trace":{"error":{"message":"The API at http://api.example refused.","failure_type":"config_error"},"type":"ERROR"}}` + "\n",
	} {
		path := filepath.Join(here, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(here)
	Golden(t, offers{}, "cases")
}

func TestRecordFaults(t *testing.T) {
	streams, err := offers{}.Discover(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	const answer = `{"data": [ {"id": 1, "changed_at": "today", "rows": [{"n": 10000000000000001}], "any": {"b": 1, "a": "\u00e9"}} ]}`
	for name, c := range map[string]struct{ stream, data, want string }{
		"verbatim":        {"offers", `{"id":1,"changed_at":"2024-01-31T00:00:00Z","rows":[{"n":10000000000000001}],"any":{"b":1,"a":"\u00e9"}}`, ""},
		"shaped away":     {"offers", `{"id":1,"rows":[{"n":10000000000000001}],"any":{"b":1,"a":"\u00e9"}}`, ""},
		"other digits":    {"offers", `{"id":1,"rows":[{"n":10000000000000002}],"any":{"b":1,"a":"\u00e9"}}`, "in no answer"},
		"other escapes":   {"offers", `{"id":1,"rows":[{"n":10000000000000001}],"any":{"b":1,"a":"é"}}`, "in no answer"},
		"other order":     {"offers", `{"id":1,"rows":[{"n":10000000000000001}],"any":{"a":"\u00e9","b":1}}`, "in no answer"},
		"a member less":   {"offers", `{"id":1,"any":{"b":1,"a":"\u00e9"}}`, "in no answer"},
		"against schema":  {"offers", `{"id":"1"}`, "does not fit its schema"},
		"undeclared":      {"offers", `{"id":1,"m":2}`, "offers.m is in a record"},
		"unknown stream":  {"cities", `{"id":1}`, "has no schema"},
		"whole free form": {"offers", `{"id":1,"any":{"anything":[1]}}`, "in no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			said := []message{{kind: "RECORD", stream: c.stream, data: json.RawMessage(c.data)}, {kind: "STATE", stream: c.stream}}
			shaped := map[string][]string{"offers": {"changed_at"}}
			expect(t, recordFaults(streams, said, [][]byte{[]byte(answer), []byte("<html>")}, shaped), c.want)
		})
	}
	free := []message{{kind: "RECORD", stream: "offers", data: json.RawMessage(`{"id":7}`)}}
	expect(t, recordFaults(streams, free, nil, map[string][]string{"offers": {"*"}}), "")
}

func TestOtherFaults(t *testing.T) {
	failed := []message{{kind: "TRACE", failed: true}}
	expect(t, exitFaults(1, failed), "")
	expect(t, exitFaults(0, nil), "")
	expect(t, exitFaults(0, failed), "the exit code is 0")
	expect(t, exitFaults(1, nil), "the exit code is 1")

	config := []byte(`{"token":"s3cr3t-t0k3n"}`)
	expect(t, secretFaults(json.RawMessage(goodSpec), config, "nothing"), "")
	expect(t, secretFaults(json.RawMessage(goodSpec), config, "…s3cr3t-t0k3n…"), "a secret")

	said, faults := listen([]byte("{\"type\":\"LOG\",\"log\":{\"level\":\"INFO\"}}\nhello\n{\"type\":\"LOG\"}"))
	expect(t, faults, "no message or does not end")
	if len(said) != 1 || len(faults) != 2 {
		t.Errorf("got %d messages, %q", len(said), faults)
	}
}

func TestUnderstand(t *testing.T) {
	for line, want := range map[string]message{
		`{"type":"RECORD","record":{"stream":"a","data":{"emitted_at":1,"t":"<>"},"emitted_at":5}}`: {
			stream: "a", kind: "RECORD", line: `{"type":"RECORD","record":{"stream":"a","data":{"emitted_at":1,"t":"<>"}}}`},
		`{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{}}}}`: {
			stream: "a", kind: "STATE", line: `{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{}}}}`},
		`{"type":"LOG","log":{"level":"INFO","message":"m"}}`: {kind: "LOG"},
		`{"type":"LOG","log":{"level":"WARN","message":"m"}}`: {kind: "LOG", line: `{"type":"LOG","log":{"level":"WARN","message":"m"}}`},
		`{"type":"TRACE","trace":{"type":"ERROR","emitted_at":5,"error":{"message":"m"}}}`: {
			kind: "TRACE", failed: true, line: `{"type":"TRACE","trace":{"error":{"message":"m"},"type":"ERROR"}}`},
		`{"type":"TRACE","trace":{"type":"ESTIMATE","emitted_at":5,"estimate":{"name":"a"}}}`: {
			stream: "a", kind: "TRACE", line: `{"type":"TRACE","trace":{"estimate":{"name":"a"},"type":"ESTIMATE"}}`},
		`{"type":"TRACE","trace":{"type":"STREAM_STATUS","stream_status":{"stream_descriptor":{"name":"a"}}}}`: {
			stream: "a", kind: "TRACE", line: `{"type":"TRACE","trace":{"stream_status":{"stream_descriptor":{"name":"a"}},"type":"STREAM_STATUS"}}`},
	} {
		got, err := understand([]byte(line))
		got.data = nil
		if err != nil || got.stream != want.stream || got.kind != want.kind || got.failed != want.failed || got.line != want.line {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", line, got, err, want)
		}
	}
}

func TestTranscript(t *testing.T) {
	began := time.Now()
	now := began.UTC().Format(time.RFC3339)
	got := transcript([]message{
		{stream: "b", line: "b1 " + now + " " + began.Add(-15*time.Minute).Format(time.RFC3339)}, {line: "none 2001-02-03T04:05:06Z"}, {stream: "a", line: "a1", kind: "RECORD"},
		{stream: "b", line: "b2 " + now, kind: "RECORD"}, {stream: "a", line: ""},
	}, began)
	if want := "none 2001-02-03T04:05:06Z\na1\nb1 NOW NOW\nb2 " + now + "\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExchanges(t *testing.T) {
	a := &api{exchanges: []exchange{{Times: 1}, {}, {Times: 2}, {}}}
	a.exchanges[0].Request.Path, a.exchanges[0].Request.Query = "/a", map[string]string{"page": "1"}
	a.exchanges[0].Response.Body = json.RawMessage(`"first"`)
	a.exchanges[1].Request.Path, a.exchanges[1].Request.Header = "/a", map[string]string{"Token": "t"}
	a.exchanges[1].Response.Status, a.exchanges[1].Response.Header = 201, map[string]string{"Content-Type": "text/plain"}
	a.exchanges[2].Request.Method, a.exchanges[2].Request.Path = http.MethodPost, "/a"
	a.exchanges[2].Request.Body = map[string]any{"q": map[string]any{"x": 1.0}}
	a.exchanges[3].Request.Method, a.exchanges[3].Request.Path = http.MethodPost, "/form"
	a.exchanges[3].Request.Body = map[string]any{"grant": "a b"}
	for _, c := range []struct {
		method, target, token, body string
		status                      int
	}{
		{"GET", "/a?page=1&limit=5", "", "", 200},
		{"GET", "/a?page=1", "", "", 400},
		{"GET", "/a?page=1", "t", "", 201},
		{"GET", "/b", "t", "", 400},
		{"POST", "/a", "t", `{"q":{"x":1,"y":2}}`, 200},
		{"POST", "/a", "t", `{"q":{"x":2}}`, 400},
		{"POST", "/a", "t", `{"q":1}`, 400},
		{"POST", "/form", "t", "id=1&grant=a+b", 200},
		{"POST", "/form", "t", "grant=b", 400},
	} {
		request := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body))
		request.Header.Set("Token", c.token)
		if c.target == "/form" {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		answer := httptest.NewRecorder()
		a.ServeHTTP(answer, request)
		if answer.Code != c.status {
			t.Errorf("%s %s %s: got %d, want %d", c.method, c.target, c.body, answer.Code, c.status)
		}
	}
	faults := strings.Join(a.faults(), "\n")
	for _, want := range []string{"no exchange is for GET /a?page=1", "no exchange is for GET /b", "exchange 2 (/a map[]) was used 1 times, expected were 2"} {
		if !strings.Contains(faults, want) {
			t.Errorf("got %s, want %s", faults, want)
		}
	}
	if strings.Contains(faults, "exchange 0") || strings.Contains(faults, "exchange 1") {
		t.Errorf("got %s, though exchanges 0 and 1 were used as they should", faults)
	}
}

func TestDifference(t *testing.T) {
	for name, c := range map[string]struct{ want, got, text string }{
		"same":       {"a\nb\n", "a\nb\n", ""},
		"put in":     {"a\nc\n", "a\nb\nc\n", "+b\n"},
		"left out":   {"a\nb\nc\n", "a\nc\n", "-b\n"},
		"not JSON":   {"a\n", "b\n", "-a\n+b\n"},
		"no newline": {"a\n", "a", "-a\n+a\n"},
		"a value":    {`{"a":{"b":[1,2]},"d":0}` + "\n", `{"a":{"b":[1,3]},"d":0}` + "\n", "-      2\n+      3\n"},
		"members":    {`{"c":1,"d":0}` + "\n", `{"d":0,"e":"<"}` + "\n", "-  \"c\": 1,\n-  \"d\": 0\n+  \"d\": 0,\n+  \"e\": \"<\"\n"},
		"digits":     {`{"a":1.0}` + "\n", `{"a":1}` + "\n", "-  \"a\": 1.0\n+  \"a\": 1\n"},
		"only bytes": {`{"a":1, "b":2}` + "\n", `{"a":1,"b":2}` + "\n", "-{\"a\":1, \"b\":2}\n+{\"a\":1,\"b\":2}\n"},
	} {
		text := ""
		for line := range strings.Lines(difference(c.want, c.got)) {
			if signed := line[0] == '-' || line[0] == '+'; signed && !strings.HasPrefix(line, "--- ") && !strings.HasPrefix(line, "+++ ") {
				text += line
			}
		}
		if text != c.text {
			t.Errorf("%s: got %q of %s, want %q", name, text, difference(c.want, c.got), c.text)
		}
	}
}

func TestWholeFaults(t *testing.T) {
	schema := map[string]any{"properties": map[string]any{"raw": map[string]any{"x-whole-row": true}, "n": map[string]any{}}}
	rows := objectsOf([][]byte{[]byte(`{"list": [{"n": 1}, {"n": 2.0}]}`)}, nil)
	for name, c := range map[string]struct{ data, want string }{
		"as it came": {`{"n":2,"raw":{"n":2.0}}`, ""},
		"changed":    {`{"n":2,"raw":{"n":2}}`, "raw holds no row of the answers"},
		"not there":  {`{"n":2}`, "raw holds no row of the answers"},
		"null":       {`{"n":2,"raw":null}`, "raw holds no row of the answers"},
	} {
		t.Run(name, func(t *testing.T) { expect(t, wholeFaults(schema, json.RawMessage(c.data), rows), c.want) })
	}
}

func TestUnparsedFaults(t *testing.T) {
	const change = `{"field":"n","change":"NULLED","reason":"SOURCE_SERIALIZATION_ERROR"}`
	for name, c := range map[string]struct{ data, meta, want string }{
		"nothing":      {`{"n":1}`, ``, ""},
		"told":         {`{"n":null,"_unparsed":{"n":"x"}}`, `{"changes":[` + change + `]}`, ""},
		"not kept":     {`{"n":null}`, `{"changes":[` + change + `]}`, "a change that is none"},
		"not null":     {`{"n":1,"_unparsed":{"n":"x"}}`, `{"changes":[` + change + `]}`, "a change that is none"},
		"not told":     {`{"n":null,"_unparsed":{"n":"x"}}`, ``, "does not tell that n"},
		"no changes":   {`{"n":null}`, `{}`, "tells no changes"},
		"other reason": {`{"n":null,"_unparsed":{"n":"x"}}`, `{"changes":[{"field":"n","change":"NULLED","reason":"X"}]}`, "a change that is none"},
	} {
		t.Run(name, func(t *testing.T) {
			var meta json.RawMessage
			if c.meta != "" {
				meta = json.RawMessage(c.meta)
			}
			expect(t, unparsedFaults(json.RawMessage(c.data), meta), c.want)
		})
	}
}

// TestUnordered checks that adjacent records may come in any order, but only up to the next state.
func TestUnordered(t *testing.T) {
	record := func(n string) string { return `{"type":"RECORD","record":{"n":` + n + "}}\n" }
	const state = `{"type":"STATE"}` + "\n"
	one := unordered(state + record("1") + record("2") + state + record("3"))
	if other := unordered(state + record("2") + record("1") + state + record("3")); other != one {
		t.Errorf("%s is not %s", other, one)
	}
	for _, other := range []string{
		state + record("1") + record("3") + state + record("2"), state + state + record("1") + record("2") + record("3"),
		state + record("1") + record("2") + record("2") + state + record("3"),
	} {
		if unordered(other) == one {
			t.Errorf("%s is %s", other, one)
		}
	}
}
