package destination

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

// in runs a test in a bubble, with an API in it.
func in(t *testing.T, test func(t *testing.T, d *doors)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, openDoors(t)) })
}

func TestWrite(t *testing.T) {
	refuse := func(w http.ResponseWriter, asked string) bool {
		if strings.Contains(asked, "door=9") {
			_, _ = io.WriteString(w, "{\"no\":\"No such\\n door s3cr3t.\"}")
		}
		return strings.Contains(asked, "door=9")
	}
	const wind, night = `{"door":"1","why":"wind"}`, `{"door":"2","reason__c":"night","note__c":" dark "}`
	for name, c := range map[string]struct {
		settings, in     string
		asked            []string
		states, warnings []string
		info             string
	}{
		"nothing": {in: "", warnings: []string{noInput}, info: "Records carried out: 0, rejected: 0."},
		"records and states": {
			in:     lines("S 1", "a "+wind, "a "+night, "S 2", `{"type":"LOG","log":{"level":"INFO","message":"m"}}`, `{"type":"NEW"}`, "C", "S 3"),
			asked:  []string{"close door=1 note__c= reason__c=wind", "close door=2 note__c=dark reason__c=night"},
			states: []string{echoed("1", "0.0", "0.0"), echoed("2", "2.0", "0.0"), echoed("3", "0.0", "0.0")},
			info:   "Records carried out: 2, rejected: 0.",
		},
		"no end of the last line": {
			in: strings.TrimSuffix(lines("a "+wind), "\n"), asked: []string{"close door=1 note__c= reason__c=wind"}, info: "Records carried out: 1, rejected: 0.",
		},
		"global state": {
			in:     lines("a "+wind, `rent {"door":5,"sum":1200.4}`, "G 7"),
			asked:  []string{"close door=1 note__c= reason__c=wind", "rent door=5 sum=1200.40"},
			states: []string{`{"type":"GLOBAL","global":{"stream_states":[]},"id":7,"destinationStats":{"recordCount":2.0,"rejectedRecordCount":0.0}}`},
			info:   "Records carried out: 2, rejected: 0.",
		},
		"rejected": {
			in:     lines(`a {"door":"9","why":"wind"}`, `a {"door":"3"}`, "a "+wind, `a {}`, "S 1"),
			asked:  []string{"close door=1 note__c= reason__c=wind", "close door=9 note__c= reason__c=wind"},
			states: []string{echoed("1", "4.0", "3.0")},
			warnings: []string{
				"close of door 3 was rejected: why is missing.", "close of door 9 was rejected: No such door ****.",
				"close of record 4 of the stream a was rejected: why is missing; door or id is missing.",
			},
			info: "Records carried out: 1, rejected: 3.",
		},
		"fields of others": {
			settings: `"ignore_fields":["zone","age"]`,
			in:       lines(`a {"door":"1","why":"wind","zone":1,"age":{}}`, `a {"door":"2","why":"wind","_airbyte_meta":2,"_ab_cdc_lsn":3,"age":null}`),
			asked:    []string{"close door=1 note__c= reason__c=wind", "close door=2 note__c= reason__c=wind"},
			info:     "Records carried out: 2, rejected: 0.",
		},
		"dry run": {
			settings: `"dry_run":true`,
			in:       lines("S 1", "a "+wind, `a {"door":"1"}`, "S 2"),
			warnings: []string{"close of door 1 was rejected: why is missing."},
			info:     "Nothing was sent (dry_run). Records that can be carried out: 1, rejected: 1.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, d *doors) {
				d.answer = refuse
				w := d.write(t.Context(), t, c.settings, catalog(0), strings.NewReader(c.in))
				if w.err != nil || len(w.failures) > 0 {
					t.Errorf("%v, %v", w.err, w.failures)
				}
				same(t, "states", w.states, c.states)
				same(t, "warnings", slices.Sorted(slices.Values(w.warnings)), c.warnings)
				same(t, "asked", slices.Sorted(slices.Values(d.took())), c.asked)
				if !slices.Contains(w.infos, c.info) {
					t.Errorf("%q is not in the log %q", c.info, w.infos)
				}
			})
		})
	}
}

// TestOrder checks that calls for one door run one after the other, in the order of their records, those for several doors concurrently, and those of
// another operation alone.
func TestOrder(t *testing.T) {
	in(t, func(t *testing.T, d *doors) {
		d.answer = func(_ http.ResponseWriter, asked string) bool {
			time.Sleep(time.Duration(len(asked)%7+1) * time.Second)
			return false
		}
		var records, want []string
		for i := range 60 {
			door := i % 5
			records = append(records, fmt.Sprintf(`a {"door":"%d","why":"wind","note":"%0*d"}`, door, i%6, i))
			want = append(want, fmt.Sprintf("close door=%d note__c=%0*d reason__c=wind", door, i%6, i))
			if i%10 == 0 {
				records = append(records, fmt.Sprintf(`paint {"all":"%d"}`, i))
				want = append(want, fmt.Sprintf("paint all=%d", i))
			}
		}
		if w := d.write(t.Context(), t, "", catalog(0), strings.NewReader(lines(records...))); w.err != nil {
			t.Fatal(w.err)
		}
		for _, key := range []string{"door=0", "door=1", "door=2", "door=3", "door=4", "paint"} {
			others := func(asked string) bool { return !strings.Contains(asked, key) }
			same(t, key, slices.DeleteFunc(d.took(), others), slices.DeleteFunc(slices.Clone(want), others))
			if most := d.most[strings.Replace(key, "=", " ", 1)]; key != "paint" && most != 1 {
				t.Errorf("%s: %d at a time", key, most)
			}
		}
		if most := d.most[""]; most != defaultParallel {
			t.Errorf("at most %d calls at a time, want %d", most, defaultParallel)
		}
	})
}

// TestOrdersDoNotOvertake checks that an order that is sent again, whatever it is about, holds back all orders that may be about the same: those of
// other operations, and those that identify their thing by another field.
func TestOrdersDoNotOvertake(t *testing.T) {
	const first = `a {"door":"1","why":"wind"}`
	for second, alone := range map[string]bool{
		`rent {"door":"2"}`: true, `a {"id":"123","why":"wind"}`: true, `paint {"door":"3"}`: true, `a {"door":"1","why":"night"}`: true,
		`a {"door":"2","why":"wind"}`: false,
	} {
		in(t, func(t *testing.T, d *doors) {
			const again = "close door=1 note__c= reason__c=wind"
			locked := true
			d.answer = func(w http.ResponseWriter, asked string) bool {
				if asked != again || !locked {
					return false
				}
				locked = false
				_, _ = io.WriteString(w, `{"undone":"LOCKED"}`)
				return true
			}
			w := d.write(t.Context(), t, "", catalog(0), strings.NewReader(lines(first, second)))
			if asked := d.took(); w.err != nil || len(asked) != 3 || (asked[2] != again) != alone {
				t.Errorf("%s: %v, asked %q", second, w.err, asked)
			}
		})
	}
}

// TestStatesFollowTheirRecords checks that a state is given back as soon as all messages before it have an outcome, and not earlier.
func TestStatesFollowTheirRecords(t *testing.T) {
	in(t, func(t *testing.T, d *doors) {
		d.answer = func(_ http.ResponseWriter, asked string) bool {
			if strings.Contains(asked, "door=1") {
				time.Sleep(10 * time.Second)
			}
			return false
		}
		reader, writer := io.Pipe()
		began := time.Now()
		at := map[string]time.Duration{}
		emitter := protocol.NewEmitter(writerFunc(func(line []byte) {
			if strings.Contains(string(line), `"STATE"`) {
				at[string(line[strings.Index(string(line), `{"n":`)+5])] = time.Since(began)
			}
		}))
		ended := make(chan error)
		go func() {
			ended <- d.destination().Write(t.Context(), []byte(`{"token":"s3cr3t"}`), catalog(0), reader, emitter)
		}()
		for _, part := range []string{
			lines(`a {"door":"2","why":"wind"}`, "S 1"), lines(`a {"door":"1","why":"wind"}`, "S 2"), lines(`a {"door":"3","why":"wind"}`, "S 3"),
		} {
			if _, err := io.WriteString(writer, part); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute) // the input stays open
		synctest.Wait()
		if len(at) != 3 || at["1"] != 0 || at["2"] != 11*time.Second || at["3"] != 11*time.Second {
			t.Errorf("the states were given back at %v", at)
		}
		writer.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestHowMuchMayWait checks that the messages that wait behind an order are limited in number and in bytes. A message that is larger than the limit
// waits for all before it, and then goes.
func TestHowMuchMayWait(t *testing.T) {
	for name, c := range map[string]struct{ size, enter int }{
		"small": {0, ahead - 1}, "large": {aheadBytes/ahead*8 - 1, ahead/8 - 1}, "half": {aheadBytes / 2, 1}, "larger than all": {2 * aheadBytes, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, entered := newLedger(1), 0
				record, err := l.enter(t.Context(), protocol.Descriptor{}, 0, nil)
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					for range 2 * ahead {
						if _, err := l.enter(t.Context(), protocol.Descriptor{}, c.size, func(*entry) error { return nil }); err != nil {
							t.Error(err)
						}
						entered++
					}
				}()
				synctest.Wait()
				if entered != c.enter {
					t.Errorf("%d wait, want %d", entered, c.enter)
				}
				if err := l.settle(record, false); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if entered != 2*ahead || !l.empty() {
					t.Errorf("%d went in the end", entered)
				}
			})
		})
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

// TestFailures checks that whatever ends a run, what came before it is carried out, no state behind it is given back, and the message says what to
// do.
func TestFailures(t *testing.T) {
	record := func(door int) string { return fmt.Sprintf(`a {"door":"%d","why":"wind"}`, door) }
	for name, c := range map[string]struct {
		settings string
		cat      func(*protocol.ConfiguredCatalog)
		in       []string
		unended  bool // the last line of in has no line break
		answer   func(w http.ResponseWriter)
		asked    int
		states   int
		kind     fault.Kind
		parts    []string
		unknown  bool
	}{
		"line": {
			in: []string{record(1), "S 1", record(2), "raw {bad", record(3), "S 2"}, asked: 2, states: 1, kind: fault.Config,
			parts: []string{"Line 4 of the input is no message", "the line is not JSON", "nor was anything behind it"},
		},
		"cut line": {in: []string{record(1), "S 1", `{"type":"RECORD","rec`}, asked: 1, states: 1, kind: fault.Config, parts: []string{"Line 3"}},
		"cut input": {
			in: []string{record(1), "S 1", `{"type":"RECORD","rec`}, unended: true, asked: 1, states: 1, kind: fault.Transient,
			parts: []string{"The input ended in the middle of line 3"},
		},
		"unknown stream": {in: []string{record(1), "S 1", `b {"door":"1"}`, "S 2"}, asked: 1, states: 1, kind: fault.Config, parts: []string{`A record came of the stream "b", which is not in the configured catalog`}},
		"state of an unknown stream": {
			in: []string{record(1), `{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"b"}}}}`, "S 1"}, asked: 1, kind: fault.Config,
			parts: []string{`A state came of the stream "b", which is not in the configured catalog`},
		},
		"another namespace": {
			in:    []string{record(1), `{"type":"RECORD","record":{"stream":"a","namespace":"crm","data":{"door":"2","why":"wind"}}}`},
			asked: 1, kind: fault.Config, parts: []string{`of the stream "a" in the namespace "crm", which the configured catalog has in no namespace`},
		},
		"state of another namespace": {
			cat: func(c *protocol.ConfiguredCatalog) { c.Streams[0].Stream.Namespace = "crm" }, in: []string{"S 1"}, kind: fault.Config,
			parts: []string{`A state came of the stream "a" in no namespace, which the configured catalog has in the namespace "crm"`},
		},
		"unknown operation": {
			cat: func(c *protocol.ConfiguredCatalog) { c.Streams[0].DestinationObjectName = "shut" }, in: []string{record(1)}, kind: fault.Config,
			parts: []string{`The stream "a" is to be written to "shut"`, "close, rent, paint"},
		},
		"sync mode": {
			cat: func(c *protocol.ConfiguredCatalog) { c.Streams[1].DestinationSyncMode = "overwrite" }, in: []string{record(1)}, kind: fault.Config,
			parts: []string{`The stream "rent" has the destination sync mode "overwrite"`, "append or update"},
		},
		"refresh": {
			cat: func(c *protocol.ConfiguredCatalog) { c.Streams[0].MinimumGenerationID = new(int64(2)) }, in: []string{record(1)}, kind: fault.Config,
			parts: []string{`The stream "a" is to be refreshed in place of what it brought before (its minimum_generation_id is 2), which close cannot do`},
		},
		"configuration": {settings: `"in_doubt":"maybe"`, in: []string{record(1)}, kind: fault.Config, parts: []string{`"in_doubt"`}},
		"rejected": {
			settings: `"on_rejected":"stop"`, in: []string{record(1), "S 1", `a {"door":"2"}`, "S 2", record(3)}, asked: 1, states: 1, kind: fault.Config,
			parts: []string{"close of door 2 was rejected: why is missing. The sync stops at the first rejected record (on_rejected)."},
		},
		"cut off": {
			in: []string{record(1), "S 1", record(7), "S 2"}, answer: func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
			asked: 2, states: 1, kind: fault.Config, unknown: true,
			parts: []string{
				"close of door 7: POST localhost/close was cut off before the answer was complete. It is not known whether it was carried out, and it was not " +
					"sent again. Look whether the door is shut. No journal is configured",
			},
		},
		"server error": {
			in: []string{record(1), "S 1", record(7), "S 2"}, answer: func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
			asked: 2, states: 1, kind: fault.Config, unknown: true, parts: []string{"close of door 7: POST localhost/close failed (500)"},
		},
		"not allowed": {
			in: []string{record(1), "S 1", record(7), "S 2"}, answer: func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) },
			asked: 2, states: 1, kind: fault.Config, parts: []string{"close of door 7 was not carried out: POST localhost/close is not allowed (403)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, d *doors) {
				d.answer = func(w http.ResponseWriter, asked string) bool {
					if strings.Contains(asked, "door=7") {
						time.Sleep(time.Second)
						c.answer(w)
						return true
					}
					return false
				}
				cat := catalog(0)
				if c.cat != nil {
					c.cat(cat)
				}
				text := lines(c.in...)
				if c.unended {
					text = strings.TrimSuffix(text, "\n")
				}
				w := d.write(t.Context(), t, c.settings, cat, strings.NewReader(text))
				wantFault(t, w.err, c.kind, c.parts...)
				if len(d.took()) != c.asked || len(w.states) != c.states || errors.Is(w.err, httpclient.ErrUnknownOutcome) != c.unknown {
					t.Errorf("asked %q, states %q, %v", d.took(), w.states, w.err)
				}
			})
		})
	}
}

// TestARefreshThatKeepsWhatWasBefore checks that a generation that rises keeps those before it, unless the minimum generation rises too.
func TestARefreshThatKeepsWhatWasBefore(t *testing.T) {
	in(t, func(t *testing.T, d *doors) {
		cat := catalog(2)
		cat.Streams[0].GenerationID, cat.Streams[0].MinimumGenerationID = new(int64(2)), new(int64(0))
		if w := d.write(t.Context(), t, "", cat, strings.NewReader(lines(`a {"door":"1","why":"wind"}`, "S 1"))); w.err != nil || len(w.states) != 1 {
			t.Errorf("%v, states %q", w.err, w.states)
		}
	})
}

// TestAFailureLetsTheOthersEnd checks that no call begins after a failure, and that those in flight come to their end and are counted.
func TestAFailureLetsTheOthersEnd(t *testing.T) {
	in(t, func(t *testing.T, d *doors) {
		d.answer = func(_ http.ResponseWriter, asked string) bool {
			if strings.Contains(asked, "door=1") {
				time.Sleep(time.Second)
				panic(http.ErrAbortHandler)
			}
			time.Sleep(30 * time.Second)
			return false
		}
		var records []string
		for door := range 20 {
			records = append(records, fmt.Sprintf(`a {"door":"%d","why":"wind"}`, door))
		}
		w := d.write(t.Context(), t, "", catalog(0), strings.NewReader(lines(append(records, "S 1")...)))
		wantFault(t, w.err, fault.Config, "close of door 1")
		if n := len(d.took()); n != defaultParallel || len(w.states) > 0 {
			t.Errorf("%d calls, states %q", n, w.states)
		}
		if len(w.failures) != 1 || !slices.Contains(w.infos, "Records carried out: 3, rejected: 0.") {
			t.Errorf("%+v, %q", w.failures, w.infos)
		}
	})
}

// TestEachFailureIsTold checks that each failure is reported, whatever else fails.
func TestEachFailureIsTold(t *testing.T) {
	const slow, strange = `a {"door":"7","why":"wind"}`, `a {"door":"1","why":"wind","dor":"1"}`
	for name, c := range map[string]struct {
		in    []string
		parts []string // one part of each failure, in order
	}{
		"a broken line, and an order in doubt": {[]string{slow, "raw {"}, []string{"Line 2 of the input", "close of door 7: POST localhost/close failed"}},
		"an ended stream, and a broken line":   {[]string{strange, "raw {"}, []string{`has the field "dor"`, "Line 2 of the input"}},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, d *doors) {
				d.answer = func(out http.ResponseWriter, _ string) bool {
					time.Sleep(time.Second)
					_, _ = io.WriteString(out, `{"odd":"x"}`)
					return true
				}
				told := d.write(t.Context(), t, "", catalog(0), strings.NewReader(lines(c.in...)))
				if len(told.failures) != len(c.parts) {
					t.Fatalf("%+v", told.failures)
				}
				for i, part := range c.parts {
					if !strings.Contains(told.failures[i].Message, part) || !strings.Contains(told.err.Error(), part) {
						t.Errorf("%q is not in %q", part, told.failures[i].Message)
					}
				}
			})
		})
	}
}

func TestJoinedFailuresAreToldOneByOne(t *testing.T) {
	var out strings.Builder
	w := &writer{out: protocol.NewEmitter(&out)}
	w.tell(nil, errors.Join(fault.Configf("No receipt."), errors.Join(fault.Transientf("Locked."), nil)))
	w.tell(nil, nil)
	if err := w.out.Close(); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Count(text, "\n") != 2 || !strings.Contains(text, `"No receipt."`) || !strings.Contains(text, `"Locked."`) {
		t.Error(text)
	}
}

func TestStop(t *testing.T) {
	for name, c := range map[string]struct {
		takes time.Duration
		ends  time.Duration
		state bool
		parts []string
	}{
		"calls that end":  {takes: 10 * time.Second, ends: 10 * time.Second, state: true},
		"calls that hang": {takes: 50 * time.Second, ends: 21 * time.Second, parts: []string{"close of door 1", "was stopped before the answer came"}},
		"nothing to do":   {ends: time.Second, state: true},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, d *doors) {
				d.answer = func(http.ResponseWriter, string) bool {
					time.Sleep(c.takes)
					return false
				}
				reader, writer := io.Pipe()
				defer time.Sleep(time.Minute) // for the server to end
				defer writer.Close()
				began := time.Now()
				ctx, cancel := context.WithCancelCause(t.Context())
				go func() {
					_, _ = io.WriteString(writer, lines(`a {"door":"1","why":"wind"}`, "S 1", `a {"door":"1","why":"night"}`, "S 2"))
					time.Sleep(time.Second)
					cancel(errStop)
				}()
				if c.takes == 0 {
					d.answer = nil
				}
				w := d.write(ctx, t, "", catalog(0), reader)
				if took := time.Since(began); took != c.ends || !errors.Is(w.err, errStop) {
					t.Errorf("ended after %v with %v", took, w.err)
				}
				if (len(w.states) > 0) != c.state {
					t.Errorf("states %q", w.states)
				}
				if c.parts != nil {
					wantFault(t, w.err, fault.Config, c.parts...)
				}
				if n := len(d.took()); c.takes > 0 && n != 1 {
					t.Errorf("%d calls", n)
				}
			})
		})
	}
}

// TestCheckOfADeadHost checks that a check of a host that does not answer ends within the seven seconds that Airbyte's certification requires.
func TestCheckOfADeadHost(t *testing.T) {
	in(t, func(t *testing.T, d *doors) {
		d.answer = func(http.ResponseWriter, string) bool {
			time.Sleep(time.Minute)
			return true
		}
		began := time.Now()
		wantFault(t, d.destination().Check(t.Context(), []byte(`{"token":"s3cr3t"}`)), fault.Transient, "GET localhost/doors got no answer in time")
		if took := time.Since(began); took > 7*time.Second {
			t.Errorf("it took %v", took)
		}
		time.Sleep(time.Minute) // for the answers to end that nobody waits for
	})
}

func TestCheck(t *testing.T) {
	in(t, func(t *testing.T, d *doors) {
		if err := d.destination().Check(t.Context(), []byte(`{"token":"s3cr3t"}`)); err != nil || !slices.Equal(d.took(), []string{"doors "}) {
			t.Errorf("%v, asked %q", err, d.took())
		}
		wantFault(t, d.destination().Check(t.Context(), []byte(`{"token":"wrong"}`)), fault.Config, "GET localhost/doors was refused (401)")
		wantFault(t, d.destination().Check(t.Context(), []byte(`{}`)), fault.Config, `"token" is missing`)
	})
}
