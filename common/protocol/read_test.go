package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/imob-data/airbyte-connectors/common/record"
)

func collect(r io.Reader) (messages []Message, errs []error) {
	for m, err := range Read(r) {
		if err != nil {
			errs = append(errs, err)
		} else {
			messages = append(messages, m)
		}
	}
	return messages, errs
}

func TestRead(t *testing.T) {
	input := strings.Join([]string{
		`{"type":"RECORD","record":{"stream":"deals","namespace":"n","data":{"id": 1.50, "t":"é"},"emitted_at":1700000000123,` +
			`"meta":{"changes":[{"field":"t","change":"TRUNCATED","reason":"SOURCE_FIELD_SIZE_LIMITATION"}]}}}` + "\r",
		``,
		`   `,
		` {"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"deals"},"stream_state":{"at":1}},` +
			`"sourceStats":{"recordCount":5.0},"id":7,"partition_id":"p"}}`,
		`{"type":"STATE","state":{"type":"GLOBAL","global":{"shared_state":{},"stream_states":[]}}}`,
		`{"type":"STATE","state":{"data":{"deals":1}}}`,
		`{"type":"LOG","log":{"level":"WARN","message":"careful"}}`,
		`{"type":"SPEC","spec":{"connectionSpecification":{}}}`,
		`{"type":"CONNECTION_STATUS","connectionStatus":{"status":"FAILED","message":"no"}}`,
		`{"type":"CATALOG","catalog":{"streams":[{"name":"deals","json_schema":{},"supported_sync_modes":["full_refresh"]}]}}`,
		`{"type":"TRACE","trace":{"type":"ERROR","emitted_at":1.7e12,"error":{"message":"oh","failure_type":"config_error"}}}`,
		`{"type":"CONTROL","control":{"type":"CONNECTOR_CONFIG","emitted_at":1,"connectorConfig":{"config":{"a":1}}}}`,
		`{"type":"SOMETHING_NEW","new":{"a":1}}`,
		`{"type":"DESTINATION_CATALOG","destination_catalog":{"operations":[]}}`,
	}, "\n") // the last line has no line end
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(input), "byte by byte": iotest.OneByteReader(strings.NewReader(input)),
		"with the last bytes comes the end": iotest.DataErrReader(strings.NewReader(input)),
	} {
		t.Run(name, func(t *testing.T) {
			m, errs := collect(r)
			if len(errs) > 0 || len(m) != 12 {
				t.Fatalf("got %d messages and %v", len(m), errs)
			}
			if r := m[0].Record; m[0].Type != TypeRecord || r.Descriptor != (Descriptor{"deals", "n"}) || r.EmittedAt != 1700000000123 ||
				string(r.Data) != `{"id": 1.50, "t":"é"}` || !slices.Equal(r.Changes, []Change{{"t", "TRUNCATED"}}) {
				t.Errorf("record: %+v", r)
			}
			const raw = `{"type":"STREAM","stream":{"stream_descriptor":{"name":"deals"},"stream_state":{"at":1}},` +
				`"sourceStats":{"recordCount":5.0},"id":7,"partition_id":"p"}`
			if s := m[1].State; s.Type != StateStream || s.Descriptor != deals || string(s.Blob) != `{"at":1}` ||
				s.SourceStats.RecordCount != 5 || s.DestinationStats != nil || string(s.Raw) != raw {
				t.Errorf("state: %+v", s)
			}
			if m[2].State.Type != StateGlobal || m[3].State.Type != StateLegacy || string(m[3].State.Raw) != `{"data":{"deals":1}}` {
				t.Errorf("states: %+v, %+v", m[2].State, m[3].State)
			}
			if *m[4].Log != (Log{Level: "WARN", Message: "careful"}) || string(m[5].Spec) != `{"connectionSpecification":{}}` ||
				*m[6].ConnectionStatus != (ConnectionStatus{"FAILED", "no"}) || m[7].Catalog.Streams[0].Name != "deals" ||
				m[8].Trace.Error.Message != "oh" || m[8].Trace.EmittedAt != 1.7e12 ||
				string(m[9].Control.ConnectorConfig.Config) != `{"a":1}` {
				t.Errorf("got %+v", m[4:10])
			}
			if m[10].Type != "SOMETHING_NEW" || string(m[10].Raw) != `{"type":"SOMETHING_NEW","new":{"a":1}}` ||
				m[11].Type != TypeDestinationCatalog {
				t.Errorf("got %+v", m[10:])
			}
		})
	}
}

// TestWhatOthersWrite checks that null for a missing count and repeated unknown members are accepted, as PyAirbyte writes them, and that a whole
// number may have any form.
func TestWhatOthersWrite(t *testing.T) {
	const stream = `"type":"STREAM","stream":{"stream_descriptor":{"name":"deals"},"stream_state":{"at":1}}`
	for line, count := range map[string]Count{
		`{` + stream + `,"sourceStats":{"recordCount":5.0,"rejectedRecordCount":null}}`:  5,
		`{` + stream + `,"sourceStats":{"recordCount":null},"destinationStats":null}`:    0,
		`{"global_":null,` + stream + `,"global_":null,"sourceStats":{"recordCount":7}}`: 7,
	} {
		messages, errs := collect(strings.NewReader(`{"type":"STATE","state":` + line + `}`))
		if len(messages) != 1 || len(errs) > 0 {
			t.Errorf("%s: %d messages, %v", line, len(messages), errs)
		} else if s := messages[0].State; s.SourceStats.RecordCount != count || string(s.Raw) != line || s.Descriptor.Name != "deals" {
			t.Errorf("%s: %+v", line, s)
		}
	}
	const status = `{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":1,"stream_status":{"stream_descriptor":{"name":"deals"},` +
		`"status":"RUNNING","reasons":[{"type":"RATE_LIMITED","rate_limited":{"quota_reset":%s}}]}}}`
	for text, milli := range map[string]Whole{"1700000000000": 1_700_000_000_000, "1.7e12": 1_700_000_000_000, "1.5": 1, "null": 0} {
		messages, errs := collect(strings.NewReader(fmt.Sprintf(status, text)))
		if len(messages) != 1 || len(errs) > 0 {
			t.Errorf("%s: %d messages, %v", text, len(messages), errs)
		} else if reset := messages[0].Trace.StreamStatus.Reasons[0].RateLimited.QuotaReset; reset != milli {
			t.Errorf("%s: %d", text, reset)
		}
	}
}

func TestBrokenLinesDoNotEndReading(t *testing.T) {
	const good = `{"type":"LOG","log":{"level":"INFO","message":"good"}}`
	for line, part := range map[string]string{
		`s3cret`:                                 "not JSON",
		`{"type":"LOG","log":{`:                  "not JSON",
		`{"type":"LOG"} {}`:                      "not JSON",
		`{"s3cret":1}`:                           "no type",
		`17`:                                     "no type",
		`[]`:                                     "no type",
		`{"type":null}`:                          "no type",
		`{"type":"LOG"}`:                         `no object "log"`,
		`{"type":"LOG","log":"s3"}`:              `no object "log"`,
		`{"type":"SPEC"}`:                        `no "spec"`,
		`{"type":"RECORD"}`:                      "no stream",
		`{"type":"RECORD","record":{"data":{}}}`: "no stream",
		`{"type":"RECORD","record":{"stream":"a"}}`:                                                                                          "no data",
		`{"type":"RECORD","record":{"stream":"a","data":null}}`:                                                                              "no data",
		`{"type":"RECORD","record":{"stream":"a","data":["s3cret"]}}`:                                                                        "no data",
		`{"type":"RECORD","record":{"stream":"a","data":{},"data":{"s3":1}}}`:                                                                "a member twice",
		`{"type":"RECORD","record":{"stream":"a","data":{}},"record":{"s3":1}}`:                                                              "a member twice",
		`{"type":"RECORD","record":{"stream":"a","data":{},"meta":{"changes":[{"change":"NULLED"}]}}}`:                                       "which fields were changed",
		`{"type":"RECORD","record":{"stream":"a","data":{},"meta":{"changes":{"s3":1}}}}`:                                                    "which fields were changed",
		`{"type":"RECORD","record":{"stream":"a","data":{},"meta":{"changes":[],"changes":null}}}`:                                           "which fields were changed",
		`{"type":"record","record":{"stream":"a","data":{}}}`:                                                                                "not in capitals",
		`{"type":"Log","log":{"level":"INFO","message":"s3cret"}}`:                                                                           "not in capitals",
		`{"type":"RECORDS","record":{"stream":"a","data":{"s3":1}}}`:                                                                         "a record or a state",
		`{"type":"s3cret","State":{"type":"GLOBAL"}}`:                                                                                        "a record or a state",
		`{"type":"STATE","state":{"type":"stream","stream":{"s3":1}}}`:                                                                       "the state has an unknown type",
		"{\"type\":\"STATE\",\"state\":{\"data\":{\"s3\":\"a\xff\"}}}":                                                                       "cannot be given back",
		`{"type":"STATE","state":{"data":{"s3":"a\ud83d"}}}`:                                                                                 "cannot be given back",
		"{\"type\":\"STATE\",\"state\":{\"data\":{\"s3\":\"\t\"}}}":                                                                          "cannot be given back",
		`{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"}},"stream":{"stream_descriptor":{"name":"b"}}}}`: "the state has a member twice",
		`{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"a","name":"b"}}}}`:                                  "the state has a member twice",
		`{"type":"STATE","state":{"type":"GLOBAL","global":{"shared_state":{"s3":1},"shared_state":{}}}}`:                                    "the state has a member twice",
		`{"type":"LOG","log":` + strings.Repeat("[", 1001) + strings.Repeat("]", 1001) + "}":                                                 "more than 1,000 objects and arrays stand inside each other",
		`{"type":"STATE"}`:                                                  `no object "state"`,
		`{"type":"STATE","state":{"type":"STREAM"}}`:                        "does not say which",
		`{"type":"STATE","state":{"sourceStats":{"recordCount":"s3cret"}}}`: "wrong type",
		`{"type":"TRACE","trace":{"type":"ERROR","emitted_at":"s3cret"}}`:   "wrong type",
		`{"type":"CATALOG","catalog":{"streams":"s3cret"}}`:                 "wrong type",
		`{"type":"CONNECTION_STATUS"}`:                                      "connectionStatus",
		`{"type":"CONTROL","control":[1]}`:                                  "control",
	} {
		messages, errs := collect(strings.NewReader(good + "\n\n" + line + "\n" + good))
		if len(messages) != 2 || len(errs) != 1 {
			t.Errorf("%s: got %d messages and %v", line, len(messages), errs)
			continue
		}
		at, ok := errors.AsType[*LineError](errs[0])
		if !ok || at.Line != 3 || !strings.Contains(errs[0].Error(), part) || strings.Contains(errs[0].Error(), "s3") {
			t.Errorf("%s: got %v", line, errs[0])
		}
	}
}

// TestCutInput checks that a line cut off at the end of the input is distinguished from an invalid one.
func TestCutInput(t *testing.T) {
	const good = `{"type":"LOG","log":{"level":"INFO","message":"good"}}` + "\n"
	for last, cut := range map[string]bool{
		`{"type":"LOG","log":{`: true, `{`: true, good[:len(good)-2]: true, `{"type":"LOG","log":{` + "\n": false, `{"type":"LOG"}`: false,
	} {
		messages, errs := collect(strings.NewReader(good + last))
		if len(messages) != 1 || len(errs) != 1 || errors.Is(errs[0], ErrCut) != cut {
			t.Errorf("%s: got %d messages and %v", last, len(messages), errs)
		}
	}
}

func TestReadEndsWithItsReader(t *testing.T) {
	broken := errors.New("broken")
	const good = `{"type":"LOG","log":{"level":"INFO","message":"good"}}` + "\n"
	messages, errs := collect(io.MultiReader(strings.NewReader(good), iotest.ErrReader(broken)))
	if len(messages) != 1 || len(errs) != 1 || !errors.Is(errs[0], broken) {
		t.Errorf("got %d messages and %v", len(messages), errs)
	}
	if _, ok := errors.AsType[*LineError](errs[0]); ok {
		t.Error("the end of reading looks like a broken line")
	}
	for _, err := range Read(strings.NewReader(good + good)) {
		if err != nil {
			t.Error(err)
		}
		break // must not yield again
	}
	for _, err := range Read(strings.NewReader("x\n" + good)) {
		if err == nil {
			t.Error("a broken line was taken for a message")
		}
		break
	}
}

// filler yields n bytes of a JSON string without holding them in memory.
type filler struct{ n int }

func (f *filler) Read(p []byte) (int, error) {
	if f.n == 0 {
		return 0, io.EOF
	}
	n := min(len(p), f.n)
	for i := range p[:n] {
		p[i] = 'x'
	}
	f.n -= n
	return n, nil
}

func TestLongLines(t *testing.T) {
	line := func(n int) io.Reader {
		const before = `{"type":"RECORD","record":{"stream":"a","data":{"a":"`
		return io.MultiReader(strings.NewReader(before), &filler{n}, strings.NewReader("\"}}}\n"))
	}
	messages, errs := collect(io.MultiReader(line(20_000_000), line(maxLine), line(10)))
	if len(messages) != 2 || len(messages[0].Record.Data) != 20_000_008 || len(messages[1].Record.Data) != 18 {
		t.Errorf("got %d messages", len(messages))
	}
	if len(errs) != 1 || errs[0].Error() != "reading line 2: the line is longer than 64 MiB" {
		t.Errorf("got %v", errs)
	}
	if _, errs := collect(&filler{maxLine + 1}); len(errs) != 1 { // without a line end
		t.Errorf("got %v", errs)
	}
}

func TestMessagesShareNoMemory(t *testing.T) {
	messages, _ := collect(strings.NewReader(strings.Repeat(`{"type":"RECORD","record":{"stream":"a","data":{"a":1}}}`+"\n", 3)))
	clear(messages[1].Raw)
	clear(messages[1].Record.Data)
	if string(messages[0].Record.Data) != `{"a":1}` || string(messages[2].Record.Data) != `{"a":1}` {
		t.Error("a message changed with another one")
	}
}

// FuzzRecord checks that Read reads what an Emitter writes.
func FuzzRecord(f *testing.F) {
	f.Add("deals", "", `{"id":1}`)
	f.Add("\"\n<é\x00", "n", `{"a":{"b":[1,2.50,null]},"a":"\u2028<"}`)
	f.Fuzz(func(t *testing.T, name, namespace, data string) {
		value, _, err := record.Clean([]byte(data))
		clean := value.Raw()
		if err != nil || clean[0] != '{' || !bytes.ContainsRune(clean, ':') || name == "" { // a colon: the object is not empty
			return
		}
		var out bytes.Buffer
		e := NewEmitter(&out)
		d := Descriptor{strings.ToValidUTF8(name, "?"), strings.ToValidUTF8(namespace, "?")}
		must(t, e.Record(d, clean), e.Checkpoint(d, clean), e.Close())
		messages, errs := collect(&out)
		if len(errs) > 0 || len(messages) != 4 {
			t.Fatalf("got %d messages and %v", len(messages), errs)
		}
		if r := messages[2].Record; r.Descriptor != d || !bytes.Equal(r.Data, clean) {
			t.Errorf("got %+v, want %s", r, clean)
		}
		blob, err := compact(clean)
		must(t, err)
		if s := messages[3].State; s.Descriptor != d || !bytes.Equal(s.Blob, blob) || s.SourceStats.RecordCount != 1 {
			t.Errorf("got %+v, want %s", s, blob)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"type":"RECORD","record":{"stream":"a","data":{"a":1},"emitted_at":1}}` + "\r\n\n" + `x`))
	f.Add([]byte(`{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"}}}}`))
	f.Add([]byte(`{"type":"TRACE","trace":{"type":"ESTIMATE","emitted_at":1,"estimate":{"name":"a","type":"STREAM"}}}`))
	f.Fuzz(func(t *testing.T, input []byte) {
		var lines, got, last int
		for line := range bytes.SplitSeq(input, []byte("\n")) {
			if len(bytes.TrimSpace(line)) > 0 {
				lines++
			}
		}
		for m, err := range Read(bytes.NewReader(input)) {
			got++
			if at, ok := errors.AsType[*LineError](err); ok {
				if at.Line <= last {
					t.Errorf("line %d after line %d", at.Line, last)
				}
				last = at.Line
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if m.Type == "" || !json.Valid(m.Raw) {
				t.Errorf("got %+v", m)
			}
			if (m.Type == TypeRecord) != (m.Record != nil) || (m.Type == TypeState) != (m.State != nil) {
				t.Errorf("a %s without what belongs to it", m.Type)
			}
			if m.Record != nil && (!json.Valid(m.Record.Data) || m.Record.Data[0] != '{') {
				t.Errorf("a record with the data %q", m.Record.Data)
			}
		}
		if got != lines {
			t.Errorf("%d lines yielded %d times", lines, got)
		}
	})
}
