package destination

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// TestADiskThatGetsFull checks that a disk of the journal that is full once calls are in flight has room for the outcome of each, and for the
// receipts that are owed. The next run, with room, asks nobody, sends none of the orders again, and gives the state back.
func TestADiskThatGetsFull(t *testing.T) {
	if !alone(t) {
		return
	}
	in(t, func(t *testing.T, d *doors) {
		path := filepath.Join(t.TempDir(), "journal")
		filler := `{"time":"2026-01-01T00:00:00Z","message":"` + strings.Repeat("x", 8*full) + "\"}\n"
		if err := os.WriteFile(path+".receipts", []byte(filler), 0o600); err != nil {
			t.Fatal(err)
		}
		var sent sync.WaitGroup
		var fill sync.Once
		sent.Add(3)
		d.answer = func(w http.ResponseWriter, asked string) bool {
			sent.Done()
			sent.Wait()
			fill.Do(func() {
				info, err := os.Stat(path)
				if err != nil {
					t.Error(err)
					return
				}
				room(t, int(info.Size()))
			})
			answer := `{"ok":true}`
			if strings.Contains(asked, "door=2") {
				answer = `{"no":"` + strings.Repeat(`\u0001<\"`, 200) + `"}`
			}
			_, _ = io.WriteString(w, answer)
			return true
		}
		note := strings.Repeat(`<\"\\\u0001\n`, 1000) + "."
		settings := fmt.Sprintf(`"journal_path":%q,"receipts_path":%q`, path, path+".receipts")
		write := func() written {
			var orders []string
			for door := range 3 {
				orders = append(orders, fmt.Sprintf(`a {"door":"%d","why":"wind","note":"%s"}`, door+1, note))
			}
			return d.write(t.Context(), t, settings, catalog(1), strings.NewReader(lines(append(orders, "S 1")...)))
		}
		first := write()
		if wantFault(t, first.err, fault.Config, "cannot be written"); len(first.states) > 0 {
			t.Errorf("a state came back: %q", first.states)
		}
		room(t, 0)
		if w := write(); w.err != nil || len(w.states) != 1 || len(d.took()) != 3 {
			t.Errorf("with room: %v, states %q, asked %q", w.err, w.states, d.took())
		}
		if got := receiptsOf(t, path+".receipts")[1:]; len(got) != 3 {
			t.Errorf("the receipts are %q", got)
		}
	})
}

// TestAnOutcomeThatIsLost checks that if the space that is held for an outcome cannot be used, as on a disk that breaks, the message says what the
// user has to answer, and that with this answer the order is not sent again.
func TestAnOutcomeThatIsLost(t *testing.T) {
	if !alone(t) {
		return
	}
	for answer, was := range map[string]string{`{"ok":true}`: "carried out", `{"no":"No."}`: "rejected"} {
		room(t, 0)
		in(t, func(t *testing.T, d *doors) {
			d.answer = func(w http.ResponseWriter, _ string) bool {
				room(t, 10)
				_, _ = io.WriteString(w, answer)
				return true
			}
			settings := fmt.Sprintf(`"journal_path":%q`, filepath.Join(t.TempDir(), "journal"))
			write := func(settings string) written {
				return d.write(t.Context(), t, settings, catalog(1), strings.NewReader(lines(`a {"door":"1","why":"wind"}`, "S 1")))
			}
			wantFault(t, write(settings).err, fault.Config, "and sync again. Before the next sync set in_doubt to \"skip\": close of door 1 was "+was)
			room(t, 0)
			wantFault(t, write(settings).err, fault.Config, "close of door 1: it is not known")
			if w := write(settings + `,"in_doubt":"skip"`); w.err != nil || len(w.states) != 1 || len(d.took()) != 1 {
				t.Errorf("%v, states %q, asked %q", w.err, w.states, d.took())
			}
		})
	}
}

// TestAReceiptThatIsLost checks that without a journal, the message about a receipt that cannot be written says what keeps its order from being sent
// again.
func TestAReceiptThatIsLost(t *testing.T) {
	if !alone(t) {
		return
	}
	in(t, func(t *testing.T, d *doors) {
		d.answer = func(http.ResponseWriter, string) bool {
			room(t, 10)
			return false
		}
		settings := fmt.Sprintf(`"receipts_path":%q`, filepath.Join(t.TempDir(), "receipts"))
		w := d.write(t.Context(), t, settings, catalog(1), strings.NewReader(lines(`a {"door":"1","why":"wind"}`, "S 1")))
		wantFault(t, w.err, fault.Config, "and sync again. Before the next sync take the order out of the source: close of door 1 was carried out, and no journal")
	})
}

// TestCheckTriesItsFiles checks that a check reports what would keep a write from using its files, and leaves no files behind. A run that uses them
// is not disturbed, and disturbs no check.
func TestCheckTriesItsFiles(t *testing.T) {
	if !alone(t) {
		return
	}
	in(t, func(t *testing.T, d *doors) {
		folder := t.TempDir()
		check := func(settings string) error {
			return d.destination().Check(t.Context(), []byte(`{"token":"s3cr3t",`+settings+`}`))
		}
		both := fmt.Sprintf(`"journal_path":%q,"receipts_path":%q`, folder+"/journal", folder+"/receipts")
		for _, setting := range []string{"journal_path", "receipts_path"} {
			wantFault(t, check(fmt.Sprintf(`%q:%q`, setting, folder+"/missing/file")), fault.Config, setting+") cannot be opened. Check that its folder is mounted")
			wantFault(t, check(fmt.Sprintf(`%q:%q`, setting, folder)), fault.Config, setting+") is a folder")
			room(t, 10)
			wantFault(t, check(fmt.Sprintf(`%q:%q`, setting, folder+"/file")), fault.Config, setting+") cannot be written")
			room(t, 0)
		}
		if len(d.took()) > 0 {
			t.Errorf("the API was asked %q", d.took())
		}
		files := func() (names []string) {
			entries, err := os.ReadDir(folder)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				names = append(names, e.Name())
			}
			return names
		}
		if err := check(both); err != nil || len(files()) > 0 {
			t.Errorf("%v, left %q", err, files())
		}
		d.answer = func(_ http.ResponseWriter, asked string) bool {
			if strings.HasPrefix(asked, "close") {
				if err := check(both); err != nil {
					t.Errorf("beside a run: %v", err)
				}
			}
			return false
		}
		if w := d.write(t.Context(), t, both, catalog(1), strings.NewReader(lines(`a {"door":"1","why":"wind"}`, "S 1"))); w.err != nil || len(w.states) != 1 {
			t.Errorf("beside a check: %v, states %q", w.err, w.states)
		}
		before, err := os.ReadFile(folder + "/journal")
		if err := errors.Join(err, check(both)); err != nil {
			t.Error(err)
		}
		if after, err := os.ReadFile(folder + "/journal"); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%v: the journal became %s", err, after)
		}
		same(t, "files", files(), []string{"journal", "receipts"})
	})
}
