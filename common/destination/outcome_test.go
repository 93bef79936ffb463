package destination

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

// TestOutcomesTellNoPersonalData checks that the API's words about an order are reported without personal data, in all texts.
func TestOutcomesTellNoPersonalData(t *testing.T) {
	for _, says := range []func(string) httpclient.Verdict{Rejected, Unknown, Interrupted} {
		if got := says("Sem acesso: maria@example.com, CPF 123.456.789-09, em 30/11/2026.").Err().Error(); got != "Sem acesso: ***, CPF ***, em 30/11/2026." {
			t.Errorf("told is %s", got)
		}
	}
}

// TestOutcomes checks that each answer has the right consequences for its order, for the state behind it, and for the order if it comes again.
func TestOutcomes(t *testing.T) {
	const good = `{"ok":true}`
	for name, c := range map[string]struct {
		status  int
		answers []string // one for each call; the last one is for all further calls
		calls   int
		kind    fault.Kind
		parts   []string
		state   bool
		again   int // calls in a second run with the same journal
	}{
		"good":                      {200, []string{good}, 1, 0, nil, true, 0},
		"undone":                    {500, []string{`{"undone":"LOCKED"}`, good}, 2, 0, nil, true, 0},
		"undone for ever":           {200, []string{`{"undone":"LOCKED"}`}, 7, fault.Transient, []string{"close of door 1 was not carried out: LOCKED"}, false, 7},
		"interrupted":               {200, []string{`{"locked":"LOCKED s3cr3t."}`}, 1, fault.Transient, []string{"close of door 1 failed, for a reason that passes by itself: LOCKED ****. ", "look whether the door is shut"}, false, 1},
		"odd":                       {400, []string{`{"odd":"who s3cr3t knows"}`}, 1, fault.Config, []string{"close of door 1: POST localhost/close failed: who **** knows. It is not known whether"}, false, 0},
		"twice":                     {200, []string{`{"ok":true,"ok":true}`}, 1, fault.Config, []string{`the answer has "ok" twice. It is not known whether it was carried out`}, false, 0},
		"twice, an escape":          {400, []string{`{"no":"No.","\u006eo":"Yes."}`}, 1, fault.Config, []string{`the answer has "no" twice`}, false, 0},
		"twice, inside":             {200, []string{`{"now":[{"state":"shut","state":"open"}]}`}, 1, fault.Config, []string{`the answer has "state" twice`}, false, 0},
		"the same in other objects": {200, []string{`{"id":"1","now":{"id":"1"}}`}, 1, 0, nil, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, d *doors) {
				d.answer = func(w http.ResponseWriter, _ string) bool {
					n := min(len(d.took()), len(c.answers)) - 1
					if c.answers[n] != good {
						w.WriteHeader(c.status)
					}
					_, _ = io.WriteString(w, c.answers[n])
					return true
				}
				settings := fmt.Sprintf(`"journal_path":%q`, filepath.Join(t.TempDir(), "journal"))
				write := func() written {
					return d.write(t.Context(), t, settings, catalog(1), strings.NewReader(lines(`a {"door":"1","why":"wind"}`, "S 1")))
				}
				w := write()
				if c.parts == nil && w.err != nil {
					t.Fatal(w.err)
				}
				if c.parts != nil {
					wantFault(t, w.err, c.kind, c.parts...)
				}
				if n := len(d.took()); n != c.calls || (len(w.states) > 0) != c.state {
					t.Errorf("%d calls, states %q", n, w.states)
				}
				if w = write(); len(d.took()) != c.calls+c.again {
					t.Errorf("%d calls when it came again: %v", len(d.took())-c.calls, w.err)
				}
			})
		})
	}
}

// TestWhatAnOperationGives checks that a successful answer leaves its order in doubt if it gives back another thing than the order is about, but not
// if it omits that.
func TestWhatAnOperationGives(t *testing.T) {
	const byDoor, byID = `{"door":"Nº 1","why":"wind"}`, `{"id":"012","why":"wind"}`
	for name, c := range map[string]struct{ order, answer, doubt string }{
		"all of it":              {byDoor, `{"now":{"door":"Nº 1","Id":"999"}}`, ""},
		"in another form":        {byDoor, `{"now":{"door":" nº 1 "}}`, ""},
		"an id":                  {byID, `{"now":{"Id":"12","door":"Nº 7"}}`, ""},
		"an id that is a number": {byID, `{"now":{"Id":12}}`, ""},
		"nothing in it":          {byDoor, `{"now":{}}`, ""},
		"nulls":                  {byDoor, `{"now":{"door":null,"Id":null}}`, ""},
		"no object":              {byDoor, `{"message":"Done."}`, ""},
		"null":                   {byDoor, `{"now":null}`, ""},
		"another door":           {byDoor, `{"now":{"door":"Nº s3cr3t"}}`, `the answer is about another one: door in now is "Nº ****".`},
		"another id":             {byID, `{"now":{"Id":"13"}}`, `the answer is about another one: Id in now is "13".`},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, d *doors) {
				d.gives = "now"
				d.answer = func(w http.ResponseWriter, _ string) bool {
					_, _ = io.WriteString(w, c.answer)
					return true
				}
				folder := t.TempDir()
				settings := fmt.Sprintf(`"journal_path":%q,"receipts_path":%q`, folder+"/journal", folder+"/receipts.jsonl")
				outcome := `"outcome":"carried_out"`
				for run := range 2 {
					w := d.write(t.Context(), t, settings, catalog(1), strings.NewReader(lines("a "+c.order, "S 1")))
					switch {
					case c.doubt == "" && w.err != nil:
						t.Fatal(w.err)
					case c.doubt != "" && run == 0:
						outcome = `"outcome":"unknown"`
						wantFault(t, w.err, fault.Config, "POST localhost/close failed: "+c.doubt, " It is not known whether it was carried out, and it was not sent again.")
					case c.doubt != "":
						wantFault(t, w.err, fault.Config, "it is not known whether an earlier run carried it out")
					}
				}
				if n := len(d.took()); n != 1 {
					t.Errorf("it was sent %d times", n)
				}
				if all := receiptsOf(t, folder+"/receipts.jsonl"); len(all) != 1 || !strings.Contains(all[0], outcome) {
					t.Errorf("receipts: %q", all)
				}
			})
		})
	}
}

// TestTheQuotaCountsEveryCall checks that a call that is sent again counts in the quota like any other.
func TestTheQuotaCountsEveryCall(t *testing.T) {
	in(t, func(t *testing.T, d *doors) {
		d.limit = ratelimit.Every(time.Minute, 2)
		var at []time.Time
		d.answer = func(w http.ResponseWriter, _ string) bool {
			if at = append(at, time.Now()); len(at) > 3 {
				return false
			}
			_, _ = io.WriteString(w, `{"undone":"LOCKED"}`)
			return true
		}
		w := d.write(t.Context(), t, "", catalog(0), strings.NewReader(lines(`paint {"door":"1"}`, `paint {"door":"2"}`, `paint {"door":"3"}`, "S 1")))
		if w.err != nil || len(w.states) != 1 || len(at) != 6 {
			t.Fatalf("%v, %d calls, states %q", w.err, len(at), w.states)
		}
		for i := 2; i < len(at); i++ {
			if at[i].Sub(at[i-2]) < time.Minute {
				t.Errorf("calls %d to %d came within %v", i-1, i+1, at[i].Sub(at[i-2]))
			}
		}
	})
}

// TestLargeAnswersWaitForEachOther checks that answers share one budget of memory: at most one fills it, besides the oldest, which never waits.
func TestLargeAnswersWaitForEachOther(t *testing.T) {
	in(t, func(t *testing.T, d *doors) {
		const piece = 1 << 20
		var reading, most, total atomic.Int32
		d.answer = func(w http.ResponseWriter, _ string) bool {
			w.Header().Set("Content-Length", strconv.Itoa(inFlight/piece*piece-piece))
			text := []byte(strings.Repeat(" ", piece))
			text[0], text[1] = '{', '}'
			for i := range inFlight/piece - 1 {
				_, _ = w.Write(text)
				if text[0], text[1] = ' ', ' '; i == inFlight/piece-3 {
					reading.Add(-1) // before the last piece: whoever has read that may let the next one in
				}
				if i == 0 {
					most.Store(max(most.Load(), reading.Add(1)))
				}
			}
			total.Add(1)
			return true
		}
		w := d.write(t.Context(), t, "", catalog(0), strings.NewReader(lines(
			`a {"door":"1","why":"wind"}`, `a {"door":"2","why":"wind"}`, `a {"door":"3","why":"wind"}`, `a {"door":"4","why":"wind"}`, "S 1")))
		if w.err != nil || len(w.states) != 1 || total.Load() != 4 || most.Load() > 2 {
			t.Errorf("%v, states %q, %d answers, %d of them at a time", w.err, w.states, total.Load(), most.Load())
		}
	})
}

// TestEachOrderIsLogged checks that the log has one line for each order that was carried out: which it was, and the current status of what it is
// about, and nothing else of the answer.
func TestEachOrderIsLogged(t *testing.T) {
	in(t, func(t *testing.T, d *doors) {
		d.answer = func(w http.ResponseWriter, asked string) bool {
			_, _ = io.WriteString(w, map[bool]string{
				true:  `{"id":"D-1","now":{"state":"shut\nby s3cr3t","owner":{"name":"Ana"},"mail":"ana@example.com"},"said":"Well done, Ana"}`,
				false: `{}`,
			}[strings.Contains(asked, "door=1")])
			return true
		}
		w := d.write(t.Context(), t, "", catalog(0), strings.NewReader(lines(`a {"door":"1","why":"wind","note":"for Ana"}`, `rent {"door":"2","sum":7}`)))
		if w.err != nil {
			t.Fatal(w.err)
		}
		same(t, "log", slices.Sorted(slices.Values(w.infos)), []string{
			"Records carried out: 2, rejected: 0.", "close of door 1 was carried out: id D-1, state shut by ****.", "rent of door 2 was carried out.",
		})
	})
}

// receiptsOf reads a file of receipts and checks the times, which it leaves out.
func receiptsOf(t *testing.T, path string) (all []string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.Lines(string(content)) {
		var one struct{ Time time.Time }
		if err := json.Unmarshal([]byte(text), &one); err != nil || one.Time.IsZero() || one.Time.Location() != time.UTC {
			t.Errorf("%v, %v: %s", err, one.Time, text)
		}
		_, rest, _ := strings.Cut(text, `Z",`)
		all = append(all, strings.TrimSuffix(rest, "\n"))
	}
	return all
}

// TestReceipts checks that each order that has an outcome or is in doubt has a receipt, with a journal and without. An order that the run did not
// send has none.
func TestReceipts(t *testing.T) {
	for _, journal := range []bool{false, true} {
		in(t, func(t *testing.T, d *doors) {
			d.answer = func(w http.ResponseWriter, asked string) bool {
				for door, answer := range map[string]string{
					"door=1": `{ "id" : "D<1>", "now":{"state":"shut"},"pin":"s3cr3t" }`, "door=2": `{"no":"No s3cr3t door."}`, "door=4": `{"ok":1,"ok":2}`,
				} {
					if strings.Contains(asked, door) {
						_, _ = io.WriteString(w, answer)
						return true
					}
				}
				panic(http.ErrAbortHandler)
			}
			folder := t.TempDir()
			settings := fmt.Sprintf(`"receipts_path":%q`, folder+"/receipts.jsonl")
			if journal {
				settings += fmt.Sprintf(`,"journal_path":%q,"in_doubt":"skip"`, folder+"/journal")
			}
			write := func(more string, records ...string) {
				t.Helper()
				d.write(t.Context(), t, settings+more, catalog(1), strings.NewReader(lines(records...)))
			}
			write(`,"dry_run":true`, `a {"door":"1","why":"wind"}`)
			write("", `a {"door":"1","why":"wind","note":"to s3cr3t"}`, `a {"door":"2","why":"wind"}`)
			write("", `a {"door":"3"}`, `a {"door":"4","why":"wind"}`)
			write("", `rent {"door":"5","sum":7}`)
			write("", `a {"door":"6","Why":"wind"}`)
			got := receiptsOf(t, folder+"/receipts.jsonl")
			slices.Sort(got)
			want := []string{
				`"stream":"a","operation":"close","outcome":"carried_out","order":{"door":"1","note__c":"to ****","reason__c":"wind"},` +
					`"returned":{"id":"D<1>","now":{"state":"shut"},"pin":"****"}}`,
				`"stream":"a","operation":"close","outcome":"rejected","order":{"door":"2","note__c":"","reason__c":"wind"},"message":"No **** door.",` +
					`"returned":{"no":"No **** door."}}`,
				`"stream":"a","operation":"close","outcome":"rejected","order":{"door":"3","note__c":""},"message":"why is missing"}`,
				`"stream":"a","operation":"close","outcome":"unknown","order":{"door":"4","note__c":"","reason__c":"wind"},` +
					`"message":"POST localhost/close failed: the answer has \"ok\" twice.","returned":{"ok":1,"ok":2}}`,
				`"stream":"rent","operation":"rent","outcome":"unknown","order":{"door":"5","sum":"7.00"},` +
					`"message":"POST localhost/rent was cut off before the answer was complete."}`,
			}
			if journal {
				for _, call := range []string{"close of door 4", "rent of door 5"} {
					want = append(want, fmt.Sprintf(`"stream":%q,"operation":%q,"outcome":"taken_as_carried_out","order":null,"message":"%s: its outcome `+
						`was never known, and in_doubt says to take it as carried out."}`, map[byte]string{'c': "a", 'r': "rent"}[call[0]], strings.Fields(call)[0], call))
				}
				slices.Sort(want)
			}
			same(t, "receipts", got, want)
			if journal {
				write("", `a {"door":"1","why":"wind","note":"to s3cr3t"}`, `a {"door":"2","why":"wind"}`) // made before
				if n := len(receiptsOf(t, folder+"/receipts.jsonl")); n != len(got) {
					t.Errorf("orders that were made before have %d more receipts", n-len(got))
				}
			}
		})
	}
}

// TestAReceiptGoesBeforeTheState checks that a receipt is in the file when the state behind its order is given back.
func TestAReceiptGoesBeforeTheState(t *testing.T) {
	in(t, func(t *testing.T, d *doors) {
		path := filepath.Join(t.TempDir(), "receipts.jsonl")
		states := 0
		emitter := protocol.NewEmitter(writerFunc(func(line []byte) {
			if strings.Contains(string(line), `"STATE"`) {
				if states++; len(receiptsOf(t, path)) < states {
					t.Errorf("fewer receipts than orders before state %d", states)
				}
			}
		}))
		config := fmt.Appendf(nil, `{"token":"s3cr3t","receipts_path":%q}`, path)
		err := d.destination().Write(t.Context(), config, catalog(0), strings.NewReader(lines(
			`a {"door":"1","why":"wind"}`, "S 1", `a {"door":"2"}`, "S 2", `rent {"door":"3"}`, "G 3")), emitter)
		if err != nil || states != 3 {
			t.Errorf("%v, %d states", err, states)
		}
	})
}

func TestReceiptFiles(t *testing.T) {
	const line = `{"time":"2026-01-01T00:00:00Z","stream":"a","operation":"close","outcome":"unknown","order":null}` + "\n"
	for name, c := range map[string]struct{ content, keeps, fails string }{
		"empty":        {"", "", ""},
		"receipts":     {line + line, line + line, ""},
		"cut":          {line + line[:40], line, ""},
		"cut at once":  {line[:40], "", ""},
		"nearly all":   {line + line[:len(line)-2], line, ""},
		"without end":  {line + line[:len(line)-1], line + line, ""},
		"another file": {"colour: blue\n", "colour: blue\n", "holds something else"},
		"short":        {"x", "x", "holds something else"},
		"a journal":    {`{"do":"journal"}` + "\n", `{"do":"journal"}` + "\n", "holds something else"},
	} {
		path := filepath.Join(t.TempDir(), "receipts.jsonl")
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := openReceipts(path, nil)
		if c.fails != "" {
			wantFault(t, err, fault.Config, c.fails, "receipts_path")
		} else {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			_, err := openReceipts(path, nil)
			wantFault(t, err, fault.Transient, "in use by another run")
			if _, err := r.write(receipt{Outcome: carriedOut}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := r.close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		after, err := os.ReadFile(path)
		kept, added, _ := strings.Cut(string(after), `{"time":"2`)
		if err != nil || !strings.HasPrefix(string(after), c.keeps) || c.fails == "" && strings.Count(string(after), "\n") != strings.Count(c.keeps, "\n")+1 {
			t.Errorf("%s: %v, %q, %q", name, err, kept, added)
		}
	}
}

// TestReceiptsThatCannotBeWritten checks that a receipt that cannot be kept is a failure, and so are those after it.
func TestReceiptsThatCannotBeWritten(t *testing.T) {
	r, err := openReceipts(filepath.Join(t.TempDir(), "receipts.jsonl"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.file.Close()
	for range 2 {
		owed, err := r.write(receipt{Returned: json.RawMessage(`{"a":1}`)})
		wantFault(t, err, fault.Config, "cannot be written")
		if len(owed) != 2 || !strings.HasSuffix(owed[0], `"order":null,"returned":{"a":1}}`+"\n") || !strings.HasSuffix(owed[1], `"order":null}`+"\n") {
			t.Errorf("what is owed is %q", owed)
		}
	}
}

// TestAReceiptStaysJSON checks that the answer is kept as text if blanking a secret breaks its JSON, because the secret is a number.
func TestAReceiptStaysJSON(t *testing.T) {
	r := &receipts{redact: redact.New("1234567")}
	line, err := r.line(receipt{Returned: json.RawMessage(`{"pin":1234567}`), Order: map[string]any{"a": "1234567"}, Message: "1234567"})
	want := `{"time":"","stream":"","operation":"","outcome":"","order":{"a":"****"},"message":"****","returned":"{\"pin\":****}"}` + "\n"
	if err != nil || string(line) != want {
		t.Errorf("%v: %s", err, line)
	}
}
