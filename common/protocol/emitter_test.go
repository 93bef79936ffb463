package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

var deals = Descriptor{Name: "deals"}

// emitted returns the lines that emit sends, at the time at which every synctest bubble begins.
func emitted(t *testing.T, emit func(t *testing.T, e *Emitter)) []string {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		e := NewEmitter(&out)
		emit(t, e)
		if err := e.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	if out.Len() == 0 {
		return nil
	}
	if !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
		t.Errorf("the output does not end with a whole line: %q", out.Bytes())
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Errorf("unexpected error: %v", err)
		}
	}
}

func mustFault(t *testing.T, err error, part string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.System || !strings.Contains(f.Message, part) {
		t.Errorf("got %v, want a system error that contains %q", err, part)
	}
}

func statusLine(name, status string) string {
	return fmt.Sprintf(`{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":946684800000,"stream_status":`+
		`{"stream_descriptor":{"name":%q},"status":%q}}}`, name, status)
}

func limitedLine(name, rateLimited string) string {
	return fmt.Sprintf(`{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":946684800000,"stream_status":`+
		`{"stream_descriptor":{"name":%q},"status":"RUNNING","reasons":[{"type":"RATE_LIMITED"%s}]}}}`, name, rateLimited)
}

func recordLine(name, data string) string {
	return fmt.Sprintf(`{"type":"RECORD","record":{"stream":%q,"data":%s,"emitted_at":946684800000}}`, name, data)
}

func stateLine(name, blob, count string) string {
	return fmt.Sprintf(`{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":%q},"stream_state":%s},`+
		`"sourceStats":{"recordCount":%s}}}`, name, blob, count)
}

func TestLines(t *testing.T) {
	reset := time.UnixMilli(1_900_000_000_123)
	tests := []struct {
		name string
		emit func(t *testing.T, e *Emitter)
		want []string
	}{
		{"a record starts its stream", func(t *testing.T, e *Emitter) {
			must(t, e.Record(deals, record.Record(`{"id":1,"n":1.00000000000000000001}`)), e.Record(deals, record.Record(`{"t":"<&> \u00e9é"}`)))
		}, []string{
			statusLine("deals", "STARTED"), statusLine("deals", "RUNNING"),
			recordLine("deals", `{"id":1,"n":1.00000000000000000001}`), recordLine("deals", `{"t":"<&> \u00e9é"}`),
		}},
		{"a namespace, and a name that needs escaping", func(t *testing.T, e *Emitter) {
			must(t, e.Record(Descriptor{Name: `a"<b`, Namespace: "n"}, record.Record(`{"a":1}`)))
		}, []string{
			`{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":946684800000,"stream_status":` +
				`{"stream_descriptor":{"name":"a\"<b","namespace":"n"},"status":"STARTED"}}}`,
			`{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":946684800000,"stream_status":` +
				`{"stream_descriptor":{"name":"a\"<b","namespace":"n"},"status":"RUNNING"}}}`,
			`{"type":"RECORD","record":{"stream":"a\"<b","namespace":"n","data":{"a":1},"emitted_at":946684800000}}`,
		}},
		{"an empty record is neither sent nor counted", func(t *testing.T, e *Emitter) {
			must(t, e.Record(deals, record.Record(`{}`)), e.Record(deals, record.Record("{ \n}")), e.Checkpoint(deals, json.RawMessage(`{}`)))
		}, []string{stateLine("deals", `{}`, "0.0")}},
		{"a record stays as it is", func(t *testing.T, e *Emitter) {
			must(t, e.Record(deals, record.Record(`{ "a": "x  y"}`)))
		}, []string{statusLine("deals", "STARTED"), statusLine("deals", "RUNNING"), recordLine("deals", `{ "a": "x  y"}`)}},
		{"values that did not fit are told", func(t *testing.T, e *Emitter) {
			must(t, e.Record(deals, record.Record(`{"a":null,"b \"<":null}`), "a", `b "<`))
		}, []string{
			statusLine("deals", "STARTED"), statusLine("deals", "RUNNING"),
			`{"type":"RECORD","record":{"stream":"deals","data":{"a":null,"b \"<":null},"emitted_at":946684800000,"meta":{"changes":[` +
				`{"field":"a","change":"NULLED","reason":"SOURCE_SERIALIZATION_ERROR"},` +
				`{"field":"b \"<","change":"NULLED","reason":"SOURCE_SERIALIZATION_ERROR"}]}}}`,
		}},
		{"states count the records since the state before", func(t *testing.T, e *Emitter) {
			other := Descriptor{Name: "other"}
			for range 5 {
				must(t, e.Record(deals, record.Record(`{"a":1}`)))
			}
			must(t, e.Record(other, record.Record(`{"a":1}`)))
			must(t, e.Checkpoint(deals, json.RawMessage(" {\"at\" : 1.50,\n\"x\":\"<\" }")))
			must(t, e.Record(deals, record.Record(`{"a":2}`)))
			if total, since := e.Sent(deals); total != 6 || since != 1 {
				t.Errorf("Sent says %d and %d, want 6 and 1", total, since)
			}
			must(t, e.Checkpoint(deals, json.RawMessage(`{"at":2}`)), e.Checkpoint(other, json.RawMessage(`{"at":2}`)))
		}, []string{
			statusLine("deals", "STARTED"), statusLine("deals", "RUNNING"),
			recordLine("deals", `{"a":1}`), recordLine("deals", `{"a":1}`), recordLine("deals", `{"a":1}`),
			recordLine("deals", `{"a":1}`), recordLine("deals", `{"a":1}`),
			statusLine("other", "STARTED"), statusLine("other", "RUNNING"), recordLine("other", `{"a":1}`),
			stateLine("deals", `{"at":1.50,"x":"<"}`, "5.0"), recordLine("deals", `{"a":2}`),
			stateLine("deals", `{"at":2}`, "1.0"), stateLine("other", `{"at":2}`, "1.0"),
		}},
		{"an equal state is not sent again", func(t *testing.T, e *Emitter) {
			must(t, e.Checkpoint(deals, json.RawMessage(`{"a":1}`)), e.Checkpoint(deals, json.RawMessage(`{"a": 1}`)))
			must(t, e.Checkpoint(deals, json.RawMessage(`{"a":2}`)))
			must(t, e.Checkpoint(deals, json.RawMessage(`{"a":1}`)))
		}, []string{stateLine("deals", `{"a":1}`, "0.0"), stateLine("deals", `{"a":2}`, "0.0"), stateLine("deals", `{"a":1}`, "0.0")}},
		{"an equal state after records is a fault", func(t *testing.T, e *Emitter) {
			must(t, e.Checkpoint(deals, json.RawMessage(`{"a":1}`)), e.Record(deals, record.Record(`{"a":1}`)))
			mustFault(t, e.Checkpoint(deals, json.RawMessage(`{"a":1}`)), `"deals" twice`)
			mustFault(t, e.Checkpoint(deals, json.RawMessage(`{"a":`)), "broken state")
			mustFault(t, e.Checkpoint(deals, nil), "broken state")
		}, []string{
			stateLine("deals", `{"a":1}`, "0.0"), statusLine("deals", "STARTED"), statusLine("deals", "RUNNING"), recordLine("deals", `{"a":1}`),
		}},
		{"a stream ends only after it ran", func(t *testing.T, e *Emitter) {
			must(t, e.Status(deals, Complete), e.Status(deals, Complete), e.Status(deals, Started))
		}, []string{statusLine("deals", "STARTED"), statusLine("deals", "RUNNING"), statusLine("deals", "COMPLETE")}},
		{"statuses are not repeated", func(t *testing.T, e *Emitter) {
			must(t, e.Status(deals, Started), e.Status(deals, Started), e.Status(deals, Running), e.Status(deals, Started))
			must(t, e.Status(deals, Running), e.Status(deals, Incomplete), e.Status(deals, Incomplete))
		}, []string{statusLine("deals", "STARTED"), statusLine("deals", "RUNNING"), statusLine("deals", "INCOMPLETE")}},
		{"nothing follows the end", func(t *testing.T, e *Emitter) {
			must(t, e.Status(deals, Complete))
			mustFault(t, e.Status(deals, Incomplete), "INCOMPLETE after it was COMPLETE")
			mustFault(t, e.Status(deals, Running), "RUNNING after it was COMPLETE")
			mustFault(t, e.Record(deals, record.Record(`{"a":1}`)), "a record")
			mustFault(t, e.Checkpoint(deals, json.RawMessage(`{"a":1}`)), "a state")
			must(t, e.RateLimited(deals, reset))
		}, []string{statusLine("deals", "STARTED"), statusLine("deals", "RUNNING"), statusLine("deals", "COMPLETE")}},
		{"a status that does not exist", func(t *testing.T, e *Emitter) {
			mustFault(t, e.Status(deals, "DONE"), "does not exist")
		}, nil},
		{"waiting for quota, then running again", func(t *testing.T, e *Emitter) {
			must(t, e.RateLimited(deals, reset), e.RateLimited(deals, reset))
			must(t, e.Record(deals, record.Record(`{"a":1}`)), e.RateLimited(deals, reset))
			must(t, e.RateLimited(deals, reset.Add(time.Second)), e.Status(deals, Running), e.Status(deals, Running))
		}, []string{
			statusLine("deals", "STARTED"), limitedLine("deals", `,"rate_limited":{"quota_reset":1900000000123}`),
			statusLine("deals", "RUNNING"), recordLine("deals", `{"a":1}`),
			limitedLine("deals", `,"rate_limited":{"quota_reset":1900000001123}`), statusLine("deals", "RUNNING"),
		}},
		{"waiting for a quota of unknown reset", func(t *testing.T, e *Emitter) {
			must(t, e.RateLimited(deals, time.Time{}), e.RateLimited(deals, time.Time{}), e.Status(deals, Running))
			must(t, e.RateLimited(deals, time.Time{}), e.Status(deals, Complete))
		}, []string{
			statusLine("deals", "STARTED"), limitedLine("deals", ""), statusLine("deals", "RUNNING"), limitedLine("deals", ""),
			statusLine("deals", "COMPLETE"),
		}},
		{"estimates", func(t *testing.T, e *Emitter) {
			must(t, e.Estimate(deals, 7), e.Estimate(deals, 7), e.Estimate(Descriptor{"deals", "n"}, 8))
		}, []string{
			`{"type":"TRACE","trace":{"type":"ESTIMATE","emitted_at":946684800000,"estimate":{"name":"deals","type":"STREAM","row_estimate":7}}}`,
			`{"type":"TRACE","trace":{"type":"ESTIMATE","emitted_at":946684800000,` +
				`"estimate":{"name":"deals","namespace":"n","type":"STREAM","row_estimate":8}}}`,
		}},
		{"outside the configured catalog", func(t *testing.T, e *Emitter) {
			e.Configure(&ConfiguredCatalog{Streams: []ConfiguredStream{{Stream: Stream{Name: "deals"}}}})
			other := Descriptor{"deals", "n"}
			mustFault(t, e.Record(other, record.Record(`{"a":1}`)), "a record")
			mustFault(t, e.Checkpoint(other, json.RawMessage(`{}`)), "a state")
			mustFault(t, e.Status(other, Started), "a status")
			mustFault(t, e.RateLimited(other, reset), "a status")
			mustFault(t, e.Estimate(other, 1), "an estimate")
			must(t, e.Status(deals, Started))
		}, []string{statusLine("deals", "STARTED")}},
		{"what is no object is no record", func(t *testing.T, e *Emitter) {
			for _, data := range []string{"", "1", "null", "[1]", "{"} {
				mustFault(t, e.Record(deals, record.Record(data)), "not a JSON object")
			}
		}, nil},
		{"a control message", func(t *testing.T, e *Emitter) {
			must(t, e.Control(json.RawMessage(`{"token": "t<"}`)))
		}, []string{
			`{"type":"CONTROL","control":{"type":"CONNECTOR_CONFIG","emitted_at":946684800000,"connectorConfig":{"config":{"token":"t<"}}}}`,
		}},
		{"spec, catalog and connection status", func(t *testing.T, e *Emitter) {
			must(t, e.Spec(json.RawMessage("{\"a\":\n1}")), e.ConnectionStatus(true, ""), e.ConnectionStatus(false, "The token <x> is wrong."))
			must(t, e.Catalog(&Catalog{Streams: []Stream{{
				Name: "deals", JSONSchema: json.RawMessage(`{"type":"object"}`), SupportedSyncModes: []SyncMode{FullRefresh},
				SourceDefinedPrimaryKey: [][]string{{"id"}},
			}}}))
		}, []string{
			`{"type":"SPEC","spec":{"a":1}}`,
			`{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}`,
			`{"type":"CONNECTION_STATUS","connectionStatus":{"status":"FAILED","message":"The token <x> is wrong."}}`,
			`{"type":"CATALOG","catalog":{"streams":[{"name":"deals","json_schema":{"type":"object"},"supported_sync_modes":["full_refresh"],` +
				`"source_defined_primary_key":[["id"]],"is_resumable":false}]}}`,
		}},
		{"a message that is not JSON", func(t *testing.T, e *Emitter) {
			mustFault(t, e.Spec(json.RawMessage(`{`)), "not JSON")
		}, nil},
		{"failures", func(t *testing.T, e *Emitter) {
			cause := errors.New("dial tcp: refused")
			f := &fault.Error{Kind: fault.Transient, Message: "The API cannot be reached.", Err: cause}
			must(t, e.Failure(fmt.Errorf("reading deals: %w", f), &deals), e.Failure(errors.Join(f, f), nil), e.Failure(nil, nil))
			must(t, e.Failure(fault.Configf("The token is wrong."), nil))
		}, []string{
			`{"type":"TRACE","trace":{"type":"ERROR","emitted_at":946684800000,"error":{"message":"The API cannot be reached.",` +
				`"internal_message":"reading deals: The API cannot be reached.: dial tcp: refused","failure_type":"transient_error",` +
				`"stream_descriptor":{"name":"deals"}}}}`,
			`{"type":"TRACE","trace":{"type":"ERROR","emitted_at":946684800000,` +
				`"error":{"message":"The token is wrong.","failure_type":"config_error"}}}`,
		}},
		{"logs", func(t *testing.T, e *Emitter) {
			for _, level := range []slog.Level{-8, -4, -1, 0, 3, 4, 7, 8, 12} {
				must(t, e.Log(level, "one\n<two>"))
			}
		}, []string{
			`{"type":"LOG","log":{"level":"DEBUG","message":"one\n<two>"}}`,
			`{"type":"LOG","log":{"level":"DEBUG","message":"one\n<two>"}}`,
			`{"type":"LOG","log":{"level":"DEBUG","message":"one\n<two>"}}`,
			`{"type":"LOG","log":{"level":"INFO","message":"one\n<two>"}}`,
			`{"type":"LOG","log":{"level":"INFO","message":"one\n<two>"}}`,
			`{"type":"LOG","log":{"level":"WARN","message":"one\n<two>"}}`,
			`{"type":"LOG","log":{"level":"WARN","message":"one\n<two>"}}`,
			`{"type":"LOG","log":{"level":"ERROR","message":"one\n<two>"}}`,
			`{"type":"LOG","log":{"level":"ERROR","message":"one\n<two>"}}`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := emitted(t, test.emit)
			if g, w := strings.Join(got, "\n"), strings.Join(test.want, "\n"); g != w {
				t.Errorf("got\n%s\nwant\n%s", g, w)
			}
		})
	}
}

func TestPanicsCarryTheirStack(t *testing.T) {
	boom := func(value any) (err error) {
		defer func() { err = fault.Recovered(recover()) }()
		panic(value)
	}
	err := fmt.Errorf("reading deals: %w", boom("no such thing"))
	lines := emitted(t, func(t *testing.T, e *Emitter) {
		must(t, e.Failure(err, nil), e.Failure(err, nil))
	})
	if len(lines) != 1 {
		t.Fatalf("got %d lines, want 1: %q", len(lines), lines)
	}
	var m struct{ Trace Trace }
	must(t, json.Unmarshal([]byte(lines[0]), &m))
	got := m.Trace.Error
	if got.FailureType != "system_error" || strings.Contains(got.Message, "no such thing") ||
		!strings.Contains(got.InternalMessage, "panic: no such thing") || !strings.Contains(got.StackTrace, "TestPanicsCarryTheirStack") {
		t.Errorf("got %+v", got)
	}
	if p, ok := errors.AsType[*fault.Panic](err); !ok || p.Value != "no such thing" {
		t.Errorf("the panic is not found in %v", err)
	}
}

func TestLongTextsAreCut(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 60_000), "a" + strings.Repeat("é", 60_000), strings.Repeat("é", 60_000)} {
		lines := emitted(t, func(t *testing.T, e *Emitter) {
			must(t, e.Failure(&fault.Error{Message: text, Err: errors.New(text + "!")}, nil))
		})
		var m struct{ Trace Trace }
		must(t, json.Unmarshal([]byte(lines[0]), &m))
		for _, got := range []string{m.Trace.Error.Message, m.Trace.Error.InternalMessage} {
			if len(got) >= messageLimit || len(got) < messageLimit-8 || !strings.HasSuffix(got, "…") || strings.Contains(got, "\ufffd") {
				t.Errorf("got %d bytes ending in %q", len(got), got[max(0, len(got)-8):])
			}
		}
	}
}

func TestTextIsRedacted(t *testing.T) {
	const secret = `s3cr"et<7>`
	lines := emitted(t, func(t *testing.T, e *Emitter) {
		e.Redact(redact.New(secret))
		must(t, e.Log(slog.LevelInfo, "log "+secret), e.ConnectionStatus(false, "status "+secret))
		must(t, e.Failure(&fault.Error{Message: "message " + secret, Err: errors.New("cause " + secret)}, nil))
		must(t, e.Failure(&fault.Error{Message: "panicked", Err: &fault.Panic{Value: secret, Stack: []byte("stack " + secret)}}, nil))
		// A secret that the limit would cut in half must be removed before.
		must(t, e.Failure(&fault.Error{Message: strings.Repeat("x", messageLimit-9) + secret}, nil))
		log := slog.New(NewLogHandler(e, slog.LevelInfo))
		log.With("with", secret).WithGroup(secret).Warn(secret, "key", secret, "err", errors.New(secret))
	})
	if len(lines) != 6 {
		t.Errorf("got %d lines, want 6", len(lines))
	}
	quoted, _ := json.Marshal(secret)
	for _, line := range lines {
		for _, form := range []string{secret, string(quoted[1 : len(quoted)-1]), `s3cr\"et<7>`, "s3cr"} {
			if strings.Contains(line, form) {
				t.Errorf("%q is in %.300s", form, line)
			}
		}
	}
}

func TestLogHandler(t *testing.T) {
	lines := emitted(t, func(t *testing.T, e *Emitter) {
		log := slog.New(NewLogHandler(e, slog.LevelInfo))
		log.Debug("not at this level")
		log.Info("plain")
		log.With("stream", "deals").WithGroup("g").With("a", 1).WithGroup("").Warn("two words", "b", "x y", "d", 1500*time.Millisecond,
			slog.Group("in", "c", true), slog.Group("", "e", 1.5), slog.Attr{}, slog.Any("v", valuer{}))
	})
	want := []string{
		`{"type":"LOG","log":{"level":"INFO","message":"plain"}}`,
		`{"type":"LOG","log":{"level":"WARN","message":"two words stream=deals g.a=1 g.b=x y g.d=1.5s g.in.c=true g.e=1.5 g.v=resolved"}}`,
	}
	if g, w := strings.Join(lines, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

type valuer struct{}

func (valuer) LogValue() slog.Value { return slog.StringValue("resolved") }

func TestLoggerOfContext(t *testing.T) {
	if l := Logger(t.Context()); l == nil || l.Enabled(t.Context(), slog.LevelError) {
		t.Error("a context without a logger does not discard")
	}
	l := slog.New(NewLogHandler(NewEmitter(io.Discard), slog.LevelDebug))
	if Logger(WithLogger(t.Context(), l)) != l {
		t.Error("the logger did not travel with the context")
	}
}

func TestStats(t *testing.T) {
	e := NewEmitter(io.Discard)
	e.Configure(&ConfiguredCatalog{Streams: []ConfiguredStream{{Stream: Stream{Name: "b"}}, {Stream: Stream{Name: "a"}}}})
	a, until := Descriptor{Name: "a"}, time.UnixMilli(1_900_000_000_000)
	must(t, e.Record(a, record.Record(`{"id":1}`)), e.Record(a, record.Record(`{"id":2}`)), e.Estimate(a, 9), e.RateLimited(a, until))
	got := e.Stats()
	want := []StreamStats{
		{Descriptor: Descriptor{Name: "b"}},
		{Descriptor: a, Status: Running, Records: 2, Bytes: 16, Estimate: 9, Limited: true, LimitedUntil: until},
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %+v, want %+v", got, want)
	}
	must(t, e.Record(a, record.Record(`{"id":3}`)))
	if s := e.Stats()[1]; s.Limited || !s.LimitedUntil.IsZero() {
		t.Errorf("a record did not end the wait: %+v", s)
	}
}

// chunks records every write separately.
type chunks struct {
	mu     sync.Mutex
	writes []string
}

func (c *chunks) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes = append(c.writes, string(b))
	return len(b), nil
}

func (c *chunks) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.writes)
}

func TestBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out chunks
		e := NewEmitter(&out)
		defer e.Close()
		must(t, e.Status(deals, Running))
		before := out.count()
		line := record.Record(`{"a":"` + strings.Repeat("x", 1000) + `"}`)
		for range 60 {
			must(t, e.Record(deals, line))
		}
		if out.count() != before {
			t.Error("records were written before the buffer was full")
		}
		for range 10 {
			must(t, e.Record(deals, line))
		}
		if out.count() != before+1 {
			t.Errorf("a full buffer made %d writes, want 1", out.count()-before)
		}
		for _, w := range out.writes {
			if len(w) > bufferSize || !strings.HasSuffix(w, "\n") {
				t.Errorf("a write of %d bytes ends with %q", len(w), w[len(w)-1:])
			}
		}
		must(t, e.Log(slog.LevelInfo, "x"))
		if out.count() != before+2 || !strings.Contains(out.writes[before+1], "LOG") || !strings.Contains(out.writes[before+1], "RECORD") {
			t.Error("another message did not take the waiting records with it in one write")
		}
	})
}

func TestBufferIsFlushedWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out chunks
		e := NewEmitter(&out)
		defer e.Close()
		must(t, e.Status(deals, Running))
		for range 2 { // the timer works more than once
			before := out.count()
			must(t, e.Record(deals, record.Record(`{"a":1}`)))
			time.Sleep(900 * time.Millisecond)
			must(t, e.Record(deals, record.Record(`{"a":2}`)))
			synctest.Wait()
			if out.count() != before {
				t.Error("written too early")
			}
			time.Sleep(100 * time.Millisecond) // a second after the first
			synctest.Wait()
			if out.count() != before+1 {
				t.Error("not written within a second")
			}
			time.Sleep(time.Minute)
			if out.count() != before+1 {
				t.Error("something was written from an empty buffer")
			}
		}
	})
}

func TestARecordLargerThanTheBuffer(t *testing.T) {
	big := `{"a":"` + strings.Repeat("x", 3*bufferSize) + `"}`
	got := emitted(t, func(t *testing.T, e *Emitter) {
		must(t, e.Record(deals, record.Record(`{"a":1}`)), e.Record(deals, record.Record(big)), e.Record(deals, record.Record(`{"a":2}`)))
		must(t, e.Checkpoint(deals, json.RawMessage(big)))
	})
	want := []string{
		statusLine("deals", "STARTED"), statusLine("deals", "RUNNING"),
		recordLine("deals", `{"a":1}`), recordLine("deals", big), recordLine("deals", `{"a":2}`), stateLine("deals", big, "3.0"),
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Error("the lines are not what they should be")
	}
}

// breaking lets the first writes succeed, as many as after says, and fails all others.
type breaking struct{ after, writes int }

func (b *breaking) Write(p []byte) (int, error) {
	if b.writes++; b.writes > b.after {
		return 0, syscall.EPIPE
	}
	return len(p), nil
}

func TestAFailedWriteIsFinal(t *testing.T) {
	w := &breaking{after: 1}
	e := NewEmitter(w)
	must(t, e.Status(deals, Started))
	select {
	case <-e.Broken():
		t.Fatal("broken before a write failed")
	default:
	}
	err := e.Status(deals, Running)
	if !errors.Is(err, ErrClosed) || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v, want ErrClosed and EPIPE", err)
	}
	<-e.Broken()
	for i, again := range []error{
		e.Record(deals, record.Record(`{"a":1}`)), e.Checkpoint(deals, json.RawMessage(`{}`)), e.Status(deals, Complete),
		e.RateLimited(deals, time.Now()), e.Estimate(deals, 1), e.Control(json.RawMessage(`{}`)), e.Failure(errors.New("x"), nil),
		e.Log(slog.LevelInfo, "x"), e.Spec(json.RawMessage(`{}`)), e.Catalog(&Catalog{}), e.ConnectionStatus(true, ""), e.Flush(), e.Close(),
	} {
		if again == nil || again.Error() != err.Error() {
			t.Errorf("call %d returned %v, want %v", i, again, err)
		}
	}
	if w.writes != 2 {
		t.Errorf("%d writes, want no further one after the failed one", w.writes)
	}
}

func TestTheTimerTellsAFailedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEmitter(&breaking{after: 2})
		must(t, e.Status(deals, Running), e.Record(deals, record.Record(`{"a":1}`)))
		time.Sleep(time.Second)
		<-e.Broken() // otherwise this deadlocks the bubble
		if err := e.Flush(); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}

func TestClose(t *testing.T) {
	var out bytes.Buffer
	e := NewEmitter(&out)
	must(t, e.Record(deals, record.Record(`{"a":1}`)), e.Close(), e.Close())
	if !strings.HasSuffix(out.String(), "}}\n") || !strings.Contains(out.String(), "RECORD") {
		t.Errorf("Close did not write what waited: %q", out.String())
	}
	if err := e.Log(slog.LevelInfo, "x"); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	select {
	case <-e.Broken():
		t.Error("broken by Close")
	default:
	}
}

func TestConcurrentUse(t *testing.T) {
	var out bytes.Buffer
	e := NewEmitter(&out)
	const streams, records = 4, 500
	var all sync.WaitGroup
	for i := range streams {
		d := Descriptor{Name: fmt.Sprint("s", i)}
		all.Go(func() {
			for n := range records {
				if err := e.Record(d, fmt.Appendf(nil, `{"n":%d}`, n)); err != nil {
					t.Error(err)
				}
				if n%100 == 99 {
					if err := e.Checkpoint(d, fmt.Appendf(nil, `{"n":%d}`, n)); err != nil {
						t.Error(err)
					}
				}
				e.Stats()
			}
			if err := e.Status(d, Complete); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	must(t, e.Close())
	next, since := map[string]int64{}, map[string]int64{}
	for m, err := range Read(&out) {
		if err != nil {
			t.Fatal(err)
		}
		switch m.Type {
		case TypeRecord:
			if n, _ := m.Record.Data.Get("n").Int(); n != next[m.Record.Name] {
				t.Fatalf("record %d of %s, want %d", n, m.Record.Name, next[m.Record.Name])
			}
			next[m.Record.Name]++
			since[m.Record.Name]++
		case TypeState:
			name := m.State.Descriptor.Name
			if int64(m.State.SourceStats.RecordCount) != since[name] {
				t.Errorf("a state counts %d records, %d came", m.State.SourceStats.RecordCount, since[name])
			}
			since[name] = 0
		}
	}
	for name, n := range next {
		if n != records {
			t.Errorf("%d records of %s", n, name)
		}
	}
	if len(next) != streams {
		t.Errorf("%d streams", len(next))
	}
}
