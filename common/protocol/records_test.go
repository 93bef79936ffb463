package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/record"
)

// add adds data to r as the next record.
func add(r *Records, data string, nulled ...string) error {
	return r.Add(append(r.Next(), data...), nulled...)
}

func TestRecordsOfTwoStreams(t *testing.T) {
	users := Descriptor{Name: "users", Namespace: "a <b>"}
	got := emitted(t, func(t *testing.T, e *Emitter) {
		one, two := e.Records(deals), e.Records(users)
		must(t, add(one, `{"n":1}`), add(two, `{"n":2}`), add(one, `{"n":3}`, "x"))
		if total, _ := e.Sent(deals); total != 0 {
			t.Error("a record was sent before it was flushed")
		}
		must(t, two.Flush(), one.Flush(), one.Flush(), e.Checkpoint(deals, json.RawMessage(`{}`)))
		must(t, add(one, `{"n":4}`), one.Flush(), e.Checkpoint(deals, json.RawMessage(`{"a":1}`)))
	})
	want := []string{
		`{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":946684800000,"stream_status":` +
			`{"stream_descriptor":{"name":"users","namespace":"a <b>"},"status":"STARTED"}}}`,
		`{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":946684800000,"stream_status":` +
			`{"stream_descriptor":{"name":"users","namespace":"a <b>"},"status":"RUNNING"}}}`,
		`{"type":"RECORD","record":{"stream":"users","namespace":"a <b>","data":{"n":2},"emitted_at":946684800000}}`,
		statusLine("deals", "STARTED"), statusLine("deals", "RUNNING"),
		recordLine("deals", `{"n":1}`),
		`{"type":"RECORD","record":{"stream":"deals","data":{"n":3},"emitted_at":946684800000,` +
			`"meta":{"changes":[{"field":"x","change":"NULLED","reason":"SOURCE_SERIALIZATION_ERROR"}]}}}`,
		stateLine("deals", `{}`, "2.0"),
		recordLine("deals", `{"n":4}`),
		stateLine("deals", `{"a":1}`, "1.0"),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestRecordsThatAreNot checks that a record that is not added, is empty or is invalid leaves those around it unchanged.
func TestRecordsThatAreNot(t *testing.T) {
	got := emitted(t, func(t *testing.T, e *Emitter) {
		r := e.Records(deals)
		must(t, add(r, `{"n":1}`))
		_ = append(r.Next(), `{"given":"up"`...)
		must(t, add(r, `{"n":2}`), add(r, `{ }`))
		mustFault(t, add(r, `[]`), "not a JSON object")
		mustFault(t, add(r, ``), "not a JSON object")
		must(t, add(r, `{"n":3}`), r.Flush())
		if stats := e.Stats()[0]; stats.Records != 3 || stats.Bytes != 21 {
			t.Errorf("counted %+v", stats)
		}
	})
	want := []string{
		statusLine("deals", "STARTED"), statusLine("deals", "RUNNING"),
		recordLine("deals", `{"n":1}`), recordLine("deals", `{"n":2}`), recordLine("deals", `{"n":3}`),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestTimeOfRecords checks that the lines of a batch have the time at which its first record was begun.
func TestTimeOfRecords(t *testing.T) {
	got := emitted(t, func(t *testing.T, e *Emitter) {
		r := e.Records(deals)
		for n := range 3 {
			must(t, add(r, fmt.Sprintf(`{"n":%d}`, n)))
			if n == 1 {
				must(t, r.Flush())
			}
			time.Sleep(time.Second)
		}
		must(t, r.Flush())
	})
	for i, at := range []string{"946684800000", "946684800000", "946684802000"} {
		if line := got[2+i]; !strings.Contains(line, `"emitted_at":`+at) {
			t.Errorf("record %d is %s, want the time %s", i, line, at)
		}
	}
}

func TestRecordsLeaveWhenTheyAreMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out chunks
		e := NewEmitter(&out)
		defer e.Close()
		r := e.Records(deals)
		line := `{"a":"` + strings.Repeat("x", 1000) + `"}`
		for range 40 {
			must(t, add(r, line))
		}
		if total, _ := e.Sent(deals); total == 0 || total == 40 {
			t.Errorf("%d of 40 records were sent", total)
		}
		wide := `{"a":"` + strings.Repeat("x", 2*keptMemory) + `"}`
		must(t, add(r, wide))
		if cap(r.lines) > keptMemory {
			t.Errorf("it keeps %d bytes", cap(r.lines))
		}
		if last := out.writes[len(out.writes)-1]; !strings.Contains(last, wide) || !strings.HasSuffix(last, "}}\n") {
			t.Error("a wide record did not go straight through")
		}
		if total, _ := e.Sent(deals); total != 41 {
			t.Errorf("%d of 41 records were sent", total)
		}
	})
}

func TestRecordsAfterTheEnd(t *testing.T) {
	e := NewEmitter(io.Discard)
	r := e.Records(deals)
	must(t, e.Status(deals, Complete), add(r, `{"n":1}`))
	mustFault(t, r.Flush(), "after it was COMPLETE")
	must(t, r.Flush()) // the error was returned once and is not repeated

	broken := NewEmitter(&breaking{})
	r = broken.Records(deals)
	must(t, add(r, `{"n":1}`))
	if err := r.Flush(); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkRecords(b *testing.B) {
	records := NewEmitter(io.Discard).Records(deals)
	r := record.Record(`{"a":"` + strings.Repeat("x", 3000) + `"}`)
	b.SetBytes(int64(len(r)))
	b.ReportAllocs()
	for b.Loop() {
		if err := records.Add(append(records.Next(), r...)); err != nil {
			b.Fatal(err)
		}
	}
}
