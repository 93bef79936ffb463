package destination

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

func payNone([]string) error { return nil }

// alone runs the test that calls it in a process of its own, in which alone returns true. This is because room affects all files of a process,
// including those of go test.
func alone(t *testing.T) bool {
	t.Helper()
	const mark = "TEST_RUNS_ALONE"
	if os.Getenv(mark) != "" {
		return true
	}
	test := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	test.Env = append(os.Environ(), mark+"=1")
	if out, err := test.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS")) {
		t.Errorf("%v: %s", err, out)
	}
	return false
}

// full is the size of a file for which there is no room.
const full = 64 << 10

// room limits files to that many bytes, as on a full disk, until it is called again. 0 removes the limit.
func room(t *testing.T, bytes int) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	if limit.Cur = limit.Max; bytes > 0 {
		limit.Cur = uint64(bytes)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
}

// TestReceiptsThatAreOwed checks that an order with an outcome is not sent again if the disk of the receipts is full. It is counted, and the state
// behind it is given back once its receipt is on disk.
func TestReceiptsThatAreOwed(t *testing.T) {
	if !alone(t) {
		return
	}
	filler := `{"time":"2026-01-01T00:00:00Z","message":"` + strings.Repeat("x", full) + "\"}\n"
	long := strings.Repeat("y", full+100)
	for name, c := range map[string]struct {
		answer, counts, receipt string
		settings                string // of the later runs
		fails                   string // why the run with room fails; "" if it does not
		asked                   int    // calls of the run with room
		more                    string // a receipt after the one that is owed
	}{
		"carried out": {
			answer: `{ "id":"D<1>" }`, counts: "Records carried out: 1, rejected: 0",
			receipt: `"outcome":"carried_out","order":{"door":"1","note__c":"","reason__c":"wind"},"returned":{"id":"D<1>"}}`,
		},
		"of which much came back": {
			answer: `{"id":"` + long + `"}`, counts: "Records carried out: 1, rejected: 0",
			receipt: `"outcome":"carried_out","order":{"door":"1","note__c":"","reason__c":"wind"}}`,
		},
		"rejected": {
			answer: `{"no":"No such door."}`, counts: "Records carried out: 0, rejected: 1",
			receipt: `"outcome":"rejected","order":{"door":"1","note__c":"","reason__c":"wind"},"message":"No such door.","returned":{"no":"No such door."}}`,
		},
		"in doubt": {
			answer: `{"ok":1,"ok":2}`, counts: "Records carried out: 0, rejected: 0", settings: `,"in_doubt":"skip"`,
			receipt: `"outcome":"unknown","order":{"door":"1","note__c":"","reason__c":"wind"},"message":"POST localhost/close failed: ` +
				`the answer has \"ok\" twice.","returned":{"ok":1,"ok":2}}`,
			more: `"stream":"a","operation":"close","outcome":"taken_as_carried_out","order":null,"message":"close of door 1: its outcome was ` +
				`never known, and in_doubt says to take it as carried out."}`,
		},
		"interrupted": {
			answer: `{"locked":"Later."}`, counts: "Records carried out: 0, rejected: 0", asked: 1, fails: "for a reason that passes",
			receipt: `"outcome":"unknown","order":{"door":"1","note__c":"","reason__c":"wind"},"message":"close of door 1 failed, `,
		},
	} {
		t.Run(name, func(t *testing.T) {
			room(t, 0)
			in(t, func(t *testing.T, d *doors) {
				d.answer = func(w http.ResponseWriter, _ string) bool {
					if len(d.took()) == 1 {
						room(t, len(filler)+10)
					}
					_, _ = io.WriteString(w, c.answer)
					return true
				}
				path := filepath.Join(t.TempDir(), "receipts.jsonl")
				if err := os.WriteFile(path, []byte(filler), 0o600); err != nil {
					t.Fatal(err)
				}
				settings := fmt.Sprintf(`"journal_path":%q,"receipts_path":%q`, path+".journal", path)
				write := func(settings string) written {
					return d.write(t.Context(), t, settings, catalog(1), strings.NewReader(lines(`a {"door":"1","why":"wind"}`, "S 1")))
				}
				first := write(settings)
				if !slices.ContainsFunc(first.infos, func(s string) bool { return strings.HasPrefix(s, c.counts) }) {
					t.Errorf("the log does not say %q: %q", c.counts, first.infos)
				}
				for run, w := range []written{first, write(settings + c.settings)} {
					if wantFault(t, w.err, fault.Config, ""); !strings.Contains(w.err.Error(), "receipts_path) cannot be written") || len(w.states) > 0 {
						t.Errorf("run %d: %v, states %q", run+1, w.err, w.states)
					}
				}
				room(t, 0)
				if w := write(settings + c.settings); c.fails == "" && (w.err != nil || len(w.states) != 1) ||
					c.fails != "" && (!strings.Contains(fmt.Sprint(w.err), c.fails) || len(w.states) > 0) {
					t.Errorf("with room: %v, states %q", w.err, w.states)
				}
				if n := len(d.took()); n != 1+c.asked {
					t.Errorf("it was sent %d times", n)
				}
				got := receiptsOf(t, path)[1:]
				if c.more != "" {
					same(t, "more receipts", got[1:], []string{c.more})
					got = got[:1]
				}
				if len(got) != 1+c.asked || !strings.HasPrefix(got[0], `"stream":"a","operation":"close",`+c.receipt) {
					t.Errorf("the receipts are %q", got)
				}
				write(settings + c.settings)
				if got := receiptsOf(t, path)[1:]; len(got) != 1+2*c.asked+min(len(c.more), 1) {
					t.Errorf("there is another receipt: %q", got)
				}
			})
		})
	}
}

// TestAJournalOfWhatIsOwed checks that a journal without room for an outcome is unchanged, and one with room for a shorter line has that line. What
// is owed is paid once, before the journal is written anew, and is kept as long as it cannot be paid.
func TestAJournalOfWhatIsOwed(t *testing.T) {
	if !alone(t) {
		return
	}
	path := filepath.Join(t.TempDir(), "journal")
	var paid []string
	var broken error
	pay := func(owed []string) error {
		paid = append(paid, owed...)
		return broken
	}
	skip := func([]*known) (outcome, error) { return done, nil }
	open := func() (*journal, error) { return openJournal(path, "api", 1, skip, keepAll, pay) }
	j, err := open()
	if err != nil {
		t.Fatal(err)
	}
	for n := range int64(3) {
		if err := j.begin(&known{Number: n + 1, About: strings.Repeat("x", full/3), Identity: "i"}); err != nil {
			t.Fatal(err)
		}
	}
	read := func() []byte {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	room(t, len(read()))
	if err := j.end(1, done, "", strings.Repeat("long", full), "short\n"); err != nil {
		t.Fatal(err)
	}
	after := read()
	wantFault(t, j.end(2, done, "", strings.Repeat("long", full), strings.Repeat("less", full/2)), fault.Config, "cannot be written")
	if !bytes.Equal(read(), after) {
		t.Error("half a line is left")
	}
	wantFault(t, j.begin(&known{Number: 4, About: "x", Identity: "i", room: 1 << 20}), fault.Config, "cannot be written")
	if err := j.end(2, done, ""); err != nil {
		t.Errorf("what is held for an outcome: %v", err)
	}
	room(t, 0)
	if err := j.close(false); err != nil {
		t.Fatal(err)
	}
	broken = fault.Configf("No room.")
	for range 2 {
		_, err := open()
		wantFault(t, err, fault.Config, "No room.")
	}
	broken = nil
	for range 2 {
		if j, err = open(); err != nil || len(j.known["i"]) != 3 {
			t.Fatalf("%v, %+v", err, j)
		}
		if err := j.close(false); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "paid", paid, []string{"short\n", "short\n", "short\n"})
}

// TestWhatIsOwedToNoFile checks that what is owed to a file of receipts that is no longer configured is dropped, and the log says so.
func TestWhatIsOwedToNoFile(t *testing.T) {
	in(t, func(t *testing.T, d *doors) {
		path := filepath.Join(t.TempDir(), "journal")
		j, err := openJournal(path, "http://localhost", 1, neverDoubt, keepAll, payNone)
		if err == nil {
			err = j.begin(&known{Number: 1, Identity: "i"})
		}
		if err == nil {
			err = j.end(1, done, "", "{}\n")
		}
		if err == nil {
			err = j.close(false)
		}
		if err != nil {
			t.Fatal(err)
		}
		for run := range 2 {
			w := d.write(t.Context(), t, fmt.Sprintf(`"journal_path":%q`, path), catalog(1), strings.NewReader(lines("C")))
			if w.err != nil || len(w.warnings) != 1-run {
				t.Errorf("run %d: %v, %q", run, w.err, w.warnings)
			}
		}
	})
}
