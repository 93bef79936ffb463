package protocol

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/itchyny/gojq"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

func TestParseCatalog(t *testing.T) {
	got, err := ParseCatalog([]byte(`{"streams":[
		{"stream":{"name":"deals","json_schema":{"properties":{"id":{}}},"supported_sync_modes":["full_refresh","incremental"],
			"source_defined_cursor":true,"default_cursor_field":["at"],"source_defined_primary_key":[["id"]],"is_file_based":false,"x":1},
		 "sync_mode":"incremental","cursor_field":["at"],"destination_sync_mode":"append_dedup","primary_key":[["id"]],
		 "generation_id":3,"minimum_generation_id":0,"sync_id":9,"include_files":false},
		{"stream":{"name":"deals","namespace":"n","json_schema":{}},"sync_mode":"sideways"}
	],"unknown":true}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Streams) != 2 {
		t.Fatalf("got %+v", got)
	}
	a, b := got.Streams[0], got.Streams[1]
	if a.Descriptor() != deals || a.SyncMode != Incremental || a.CursorField[0] != "at" || a.PrimaryKey[0][0] != "id" ||
		*a.GenerationID != 3 || *a.MinimumGenerationID != 0 || *a.SyncID != 9 || !a.Stream.SourceDefinedCursor ||
		string(a.Stream.JSONSchema) != `{"properties":{"id":{}}}` {
		t.Errorf("got %+v", a)
	}
	if b.Descriptor() != (Descriptor{"deals", "n"}) || b.SyncMode != "sideways" || b.GenerationID != nil {
		t.Errorf("got %+v", b)
	}
	if empty, err := ParseCatalog([]byte(`{"streams":[]}`)); err != nil || len(empty.Streams) != 0 {
		t.Errorf("got %v, %v", empty, err)
	}
}

func TestParseCatalogFaults(t *testing.T) {
	for input, want := range map[string]string{
		``:                      "The configured catalog is broken JSON at line 1, column 1.",
		"{\n  \"s3cret\": s3}":  "The configured catalog is broken JSON at line 2, column 13.",
		"{\"streams\":[\n\n":    "The configured catalog is broken JSON at line 2, column 1.",
		`{"streams":[]} s3cret`: "The configured catalog is broken JSON at line 1, column 16.",
		`[]`:                    "The configured catalog is not a JSON object.",
		`"s3cret"`:              "The configured catalog is not a JSON object.",
		`null`:                  `The configured catalog has no list "streams".`,
		`{}`:                    `The configured catalog has no list "streams".`,
		`{"streams":null}`:      `The configured catalog has no list "streams".`,
		`{"streams":"s3cret"}`:  `The configured catalog has the wrong type of value at "streams" (line 1, column 19).`,
		`{"streams":[{"stream":{"name":"a"}},{"stream":{"s3cret":1}}]}`: "Stream 2 of the configured catalog has no name.",
		`{"streams":[{"stream":{"name":"a"}},{"stream":{"name":"a"}}]}`: `The configured catalog has the stream "a" twice.`,
		"{\"streams\":[{\"stream\":\n{\"name\":17}}]}": `The configured catalog has the wrong type of value at ` +
			`"streams.stream.name" (line 2, column 10).`,
	} {
		got, err := ParseCatalog([]byte(input))
		f := fault.Of(err)
		if got != nil || f == nil || f.Kind != fault.Config || f.Message != want {
			t.Errorf("%s: got %v, want %s", input, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "s3") {
			t.Errorf("%s: the error quotes the catalog: %v", input, err)
		}
	}
}

// TestParseCatalogOfDiscover checks that the output of discover is refused as a configured catalog, and that the error shows a command which makes
// one that ParseCatalog accepts.
func TestParseCatalogOfDiscover(t *testing.T) {
	const answer = `{"streams":[{"name":"a","json_schema":{},"supported_sync_modes":["full_refresh","incremental"]}]}`
	message := fmt.Sprintf(`{"type":"CATALOG","catalog":%s}`, answer)
	for _, input := range []string{answer, message, `{"type":"CATALOG","catalog":{"streams":[]}}`} {
		_, err := ParseCatalog([]byte(input))
		if f := fault.Of(err); f == nil || f.Kind != fault.Config || !strings.Contains(f.Message, "as discover prints it") ||
			!strings.Contains(f.Message, howToConfigure) {
			t.Errorf("%s: %v", input, err)
		}
	}
	for _, input := range []string{answer, message, `{"type":"LOG","log":{"level":"INFO","message":"x"}}` + "\n" + message} {
		out := slurp(t, howToConfigure, input)
		cat, err := ParseCatalog(out)
		if err != nil || len(cat.Streams) != 1 || cat.Streams[0].Stream.Name != "a" || cat.Streams[0].SyncMode != Incremental {
			t.Errorf("%s: %v makes %s", input, err, out)
		}
	}
}

// slurp returns the only result of the command `jq -s '…'` for an input.
func slurp(t *testing.T, command, input string) []byte {
	t.Helper()
	program, isSlurp := strings.CutPrefix(command, "jq -s '")
	query, err := gojq.Parse(strings.TrimSuffix(program, "'"))
	if !isSlurp || err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	var values []any
	for d := json.NewDecoder(strings.NewReader(input)); d.More(); {
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	result, ok := query.RunWithContext(t.Context(), values).Next()
	if err, failed := result.(error); failed || !ok {
		t.Fatalf("%s: %v", command, err)
	}
	out, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func FuzzParseCatalog(f *testing.F) {
	f.Add([]byte(`{"streams":[{"stream":{"name":"a","json_schema":{"a":1}},"sync_mode":"incremental","sync_id":1}]}`))
	f.Add([]byte("{\n\"streams\":[{}"))
	f.Fuzz(func(t *testing.T, input []byte) {
		cat, err := ParseCatalog(input)
		if err != nil {
			if f := fault.Of(err); cat != nil || f.Kind != fault.Config || !strings.HasSuffix(f.Message, ".") {
				t.Errorf("got %v, %v", cat, err)
			}
			return
		}
		again, err := json.Marshal(cat)
		if err != nil {
			t.Fatal(err)
		}
		second, err := ParseCatalog(again)
		if err != nil || len(second.Streams) != len(cat.Streams) {
			t.Fatalf("%s: %v", again, err)
		}
		for i := range cat.Streams {
			if !reflect.DeepEqual(second.Streams[i].Descriptor(), cat.Streams[i].Descriptor()) {
				t.Errorf("stream %d became %+v", i, second.Streams[i])
			}
		}
	})
}
