package destination

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

var errCrash = errors.New("crash")

// TestJournalUnderCrashes checks that every record of every sync is carried out once, although an API, a platform and a connector crash at any time,
// states are lost, and syncs ask for the same again.
func TestJournalUnderCrashes(t *testing.T) {
	const records, every, syncs = 12, 3, 4
	stream := protocol.Descriptor{Name: "a"}
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		path := filepath.Join(t.TempDir(), "journal")
		effects := map[int]int{}
		doubted := -1 // the record whose call was sent when the connector crashed
		ran := false  // whether that call was carried out
		attempts := 0
		// attempt continues from a record. It returns the records behind which states were given back.
		attempt := func(sync int64, from int) (echoed []int, err error) {
			attempts++
			crash := func() bool { return random.IntN(25) == 0 }
			j, err := openJournal(path, "api", sync, func(doubts []*known) (outcome, error) {
				if len(doubts) != 1 || doubts[0].About != fmt.Sprint(doubted) {
					t.Errorf("seed %d: %d calls in doubt, %s, want %d", seed, len(doubts), doubts[0].About, doubted)
				}
				if ran {
					return done, nil
				}
				return unrun, nil
			}, func(*known) bool { return false }, payNone)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			defer func() {
				if err == nil {
					err = j.close(true)
					return
				}
				if random.IntN(2) == 0 {
					_, _ = j.file.WriteString(`{"do":"beg`)
				}
				_ = j.file.Close() // as a kill does, with the blanks at the end
			}()
			number := j.first()
			for i := from; i < records; i++ {
				identity := fmt.Sprint("close ", i)
				before, err := j.take(number, identity)
				if err != nil {
					t.Fatal(err)
				}
				if crash() {
					return echoed, errCrash
				}
				if before == nil {
					k := &known{Number: number, Operation: "close", About: fmt.Sprint(i), Stream: stream, Identity: identity}
					if err := j.begin(k); err != nil {
						t.Fatal(err)
					}
					if doubted, ran = i, false; crash() {
						return echoed, errCrash
					}
					effects[i]++
					if ran = true; crash() {
						return echoed, errCrash
					}
					if err := j.end(number, done, ""); err != nil {
						t.Fatal(err)
					}
				}
				if number++; crash() {
					return echoed, errCrash
				}
				if i%every == every-1 {
					if err := j.state(number, &stream); err != nil {
						t.Fatal(err)
					}
					echoed = append(echoed, i+1)
					if number++; crash() {
						return echoed, errCrash
					}
				}
			}
			return echoed, nil
		}
		for sync := range int64(syncs) {
			for from, failed := 0, true; failed || from < records; {
				echoed, err := attempt(sync+1, from)
				failed = err != nil // then the platform tries again, even if there is nothing more to do
				kept := slices.Clone(echoed)
				if err != nil || random.IntN(8) == 0 { // the platform may crash even if the connector ends well
					kept = kept[:random.IntN(len(kept)+1)]
				}
				if len(kept) > 0 {
					from = kept[len(kept)-1]
				}
			}
		}
		for i := range records {
			if effects[i] != syncs {
				t.Fatalf("seed %d: after %d attempts record %d was carried out %d times in %d syncs", seed, attempts, i, effects[i], syncs)
			}
		}
	}
}

// TestRunsWithAJournal checks that consecutive runs with one journal send the right calls to the API, fail and warn as they should, and give the
// right states back.
func TestRunsWithAJournal(t *testing.T) {
	const one, two = `a {"door":"1","why":"wind"}`, `a {"door":"2","why":"wind"}`
	type run struct {
		settings string
		sync     int64
		in       []string
		asked    int    // new calls
		fails    string // part of the failure
		warns    string // part of the only warning
		states   int
	}
	for name, runs := range map[string][]run{
		"another sync is another wish": {
			{in: []string{one, one, "S 1"}, asked: 2, states: 1}, {in: []string{one, "S 2"}, asked: 1, states: 1},
			{sync: 5, in: []string{one, "S 2"}, asked: 1, states: 1}, {sync: 6, in: []string{one, "S 2"}, asked: 1, states: 1},
		},
		"the same sync again": {
			{sync: 5, in: []string{one, "S 1"}, asked: 1, states: 1}, {sync: 5, in: []string{one, two, "S 1"}, asked: 1, states: 1, warns: "close of door 1 asks what an earlier run carried out"},
			{sync: 6, in: []string{one, two, "S 1"}, asked: 2, states: 1},
		},
		"without a state": {
			{in: []string{one, two}, asked: 2}, {in: []string{one, two, one}, asked: 1}, {in: []string{one, two, one, one, "S 1"}, asked: 1, states: 1},
			{in: []string{one}, asked: 1},
		},
		"complete": {{in: []string{one, "C"}, asked: 1}, {in: []string{one}, asked: 1}},
		"another stream's state": {
			{in: []string{`paint {"all":"x"}`, one, "S 1"}, asked: 2, states: 1}, {in: []string{`paint {"all":"x"}`, one}, asked: 1},
		},
		"global state": {
			{in: []string{`paint {"all":"x"}`, one, "G 1"}, asked: 2, states: 1}, {in: []string{`paint {"all":"x"}`, one}, asked: 2},
		},
		"a failure between": {
			{in: []string{one, "S 1", "raw {", two}, asked: 1, fails: "Line 3", states: 1}, {in: []string{one, two, "S 2"}, asked: 1, states: 1, warns: "close of door 1 asks what an earlier run carried out"},
			{in: []string{one, two}, asked: 2},
		},
		"rejected stays rejected": {
			{in: []string{`a {"door":"9","why":"wind"}`}, asked: 1, warns: "No door."},
			{in: []string{`a {"door":"9","why":"wind"}`, "S 1"}, warns: "close of door 9 was rejected: No door (an earlier run was told so", states: 1},
		},
		"rejected before a state": {
			{sync: 1, in: []string{`a {"door":"9","why":"wind"}`, "S 1", "raw {"}, asked: 1, warns: "No door.", fails: "Line 3", states: 1},
			{sync: 1, in: []string{`a {"door":"9","why":"wind"}`, "S 1"}, warns: "close of door 9 was rejected: No door (an earlier run was told so", states: 1},
		},
		"by the next sync after a failure": {{sync: 1, in: []string{one, "raw {"}, asked: 1, fails: "Line 2"}, {sync: 2, in: []string{one, "raw {"}, fails: "Line 2"}, {sync: 3, in: []string{one}}},
		"long after a failure": {
			{sync: 1, in: []string{one, "raw {"}, asked: 1, fails: "Line 2"}, {sync: 2, in: []string{two, "S 1"}, asked: 1, states: 1},
			{sync: 3, in: []string{one, "S 1"}, warns: "close of door 1 asks what an earlier run carried out", states: 1}, {sync: 4, in: []string{one}, asked: 1},
		},
		"long after a failure, of syncs without a number": {
			{in: []string{one, "raw {"}, asked: 1, fails: "Line 2"}, {in: []string{two, "S 1"}, asked: 1, states: 1}, {in: []string{two, "S 1"}, asked: 1, states: 1},
			{in: []string{one, "S 1"}, warns: "close of door 1 asks what an earlier run carried out", states: 1}, {in: []string{one}, asked: 1},
		},
		"rejected may be tried again where it stops": {
			{settings: `"on_rejected":"stop"`, in: []string{`a {"door":"9","why":"wind"}`}, asked: 1, warns: "No door.", fails: "No door."},
			{settings: `"on_rejected":"stop"`, in: []string{`a {"door":"9","why":"wind"}`}, asked: 1, warns: "No door.", fails: "No door."},
		},
		"refused and not run": {
			{in: []string{`a {"door":"403","why":"wind"}`}, asked: 1, fails: "was not carried out"}, {in: []string{`a {"door":"403","why":"wind"}`}, asked: 1, fails: "was not carried out"},
		},
		"stop": {
			{in: []string{one, "S 1", `a {"door":"7","why":"wind"}`}, asked: 2, states: 1, fails: `Then set in_doubt to "skip" if it was`},
			{in: []string{one, two}, fails: "close of door 7: it is not known whether an earlier run carried it out. Look whether the door is shut."},
			{in: []string{two}, fails: "close of door 7"},
		},
		"skip": {
			{in: []string{`a {"door":"7","why":"wind"}`}, asked: 1, fails: "close of door 7"},
			{settings: `"in_doubt":"skip"`, in: []string{`a {"door":"7","why":"wind"}`, two, "S 1"}, asked: 1, states: 1, warns: "close of door 7 was never known; it is taken"},
			{in: []string{two}, asked: 1},
		},
		"resend": {
			{in: []string{`a {"door":"7","why":"wind"}`}, asked: 1, fails: "close of door 7"},
			{settings: `"in_doubt":"resend"`, in: []string{`a {"door":"7","why":"wind"}`}, asked: 1, fails: "close of door 7", warns: "what comes again is sent again"},
			{in: []string{two}, fails: "close of door 7"},
		},
		"dry run remembers nothing": {
			{settings: `"dry_run":true`, in: []string{one, "S 1"}}, {in: []string{one}, asked: 1}, {settings: `"dry_run":true`, in: []string{one}}, {in: []string{one}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal")
			in(t, func(t *testing.T, d *doors) {
				d.answer = func(w http.ResponseWriter, asked string) bool {
					switch {
					case strings.Contains(asked, "door=9"):
						_, _ = w.Write([]byte(`{"no":"No door."}`))
					case strings.Contains(asked, "door=403"):
						w.WriteHeader(http.StatusForbidden)
					case strings.Contains(asked, "door=7"):
						panic(http.ErrAbortHandler)
					default:
						return false
					}
					return true
				}
				for i, r := range runs {
					before := len(d.took())
					settings := strings.Trim(fmt.Sprintf(`"journal_path":%q,%s`, path, r.settings), ",")
					w := d.write(t.Context(), t, settings, catalog(r.sync), strings.NewReader(lines(r.in...)))
					if (w.err != nil) != (r.fails != "") || w.err != nil && !strings.Contains(fault.Of(w.err).Message, r.fails) {
						t.Errorf("run %d: %v, want %q", i+1, w.err, r.fails)
					}
					if asked := d.took()[before:]; len(asked) != r.asked || len(w.states) != r.states {
						t.Errorf("run %d asked %q, want %d; gave the states %q back, want %d", i+1, asked, r.asked, w.states, r.states)
					}
					if len(w.warnings) > min(len(r.warns), 1) || !strings.Contains(strings.Join(w.warnings, "\n"), r.warns) {
						t.Errorf("run %d warns %q, want %q", i+1, w.warnings, r.warns)
					}
				}
			})
		})
	}
}

// TestManyRecordsThatWereBefore checks that the log names the first ten records that may be meant as new orders, and counts the others, even if the
// run stops early.
func TestManyRecordsThatWereBefore(t *testing.T) {
	for name, c := range map[string]struct {
		records  int
		settings string
		behind   []string // the records of the second run
		more     string   // the last warning
	}{
		"ten":   {records: 10},
		"one":   {records: 11, more: "Further records that ask what an earlier run carried out, and were not sent again: 1."},
		"many":  {records: 25, more: "Further records that ask what an earlier run carried out, and were not sent again: 15."},
		"early": {records: 12, behind: []string{"raw {"}, more: "Further records that ask what an earlier run carried out, and were not sent again: 2."},
		"receipts": {
			records: 12, settings: `,"receipts_path":%q`,
			more: "Further records that ask what an earlier run carried out, and were not sent again: 2. The file of receipts (receipts_path) has each, if the " +
				"earlier run kept one.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			in(t, func(t *testing.T, d *doors) {
				settings := fmt.Sprintf(`"journal_path":%q`, folder+"/journal")
				if c.settings != "" {
					settings += fmt.Sprintf(c.settings, folder+"/receipts")
				}
				var records []string
				for i := range c.records {
					records = append(records, fmt.Sprintf(`paint {"all":"%d"}`, i))
				}
				write := func(behind ...string) written {
					return d.write(t.Context(), t, settings, catalog(5), strings.NewReader(lines(append(records, behind...)...)))
				}
				if w := write("G 1"); w.err != nil {
					t.Fatal(w.err)
				}
				w := write(c.behind...)
				if (w.err != nil) != (c.behind != nil) || len(d.took()) != c.records {
					t.Errorf("%v, %d calls", w.err, len(d.took()))
				}
				if len(w.warnings) < 10 || !strings.HasPrefix(w.warnings[9], "paint of record 10 of the stream paint asks what an earlier run") {
					t.Fatalf("%q", w.warnings)
				}
				if got := strings.Join(w.warnings[10:], "\n"); got != c.more {
					t.Errorf("got  %q\nwant %q", got, c.more)
				}
			})
		})
	}
}

// TestJournalFiles checks that what may be at the journal's path is handled, whatever it is. Journals of the first format have no checksums.
func TestJournalFiles(t *testing.T) {
	const head, begin = `{"do":"journal","format":1,"target":"api"}` + "\n", `{"do":"begin","call":{"n":1,"operation":"close","about":"x","stream":{"name":"a"},"identity":"i"}}` + "\n"
	later := &seal{}
	newer, err := later.close(line{Do: "journal", Format: format + 1, Target: "api"})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := (&seal{}).close(line{Do: "journal", Format: format, Target: "api"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ content, fails string }{
		"no run":           {string(sealed), "is damaged behind line 1"},
		"only a head":      {head, ""},
		"cut line":         {head + begin + `{"do":"end","n":1,"outcome":"done"}` + "\n" + `{"do":"e`, ""},
		"begin was cut":    {head + strings.TrimSuffix(begin, "\n"), ""},
		"begin is missing": {head + begin[:20], ""},
		"nothing":          {"", "is empty, which a journal never is"},
		"cut head":         {head[:9], "is damaged at line 1"},
		"in doubt":         {head + begin + `{"do":"end","n":1,"outc`, "in doubt"},
		"another file":     {"colour: blue\nsize: 1\n", "is not a journal of this connector"},
		"another, short":   {"x", "is not a journal of this connector"},
		"another format":   {string(newer), "was written by a later version of this connector"},
		"no checksums":     {strings.Replace(head, ":1", ":2", 1), "is damaged at line 1"},
		"another address":  {`{"do":"journal","format":1,"target":"https://b"}` + "\n", "is that of another address, https://b"},
		"damaged":          {head + "zzz\n" + begin, "is damaged at line 2"},
		"two heads":        {head + head, "is damaged at line 2"},
		"unknown line":     {head + `{"do":"dance"}` + "\n", "is damaged at line 2"},
		"unknown member":   {head + `{"do":"close","sum":"x"}` + "\n", "is damaged at line 2"},
		"end of nothing":   {head + `{"do":"end","n":4}` + "\n", "is damaged at line 2"},
		"an odd outcome":   {head + begin + `{"do":"end","n":1,"outcome":"dane"}` + "\n", "is damaged at line 3"},
		"again, nothing":   {head + `{"do":"again","n":4,"as":5}` + "\n", "is damaged at line 2"},
		"begin of nothing": {head + `{"do":"begin"}` + "\n", "is damaged at line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal")
			if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			j, err := openJournal(path, "api", 0, neverDoubt, keepAll, payNone)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("got %v, want %q", err, c.fails)
				}
				if left, _ := os.ReadFile(path); string(left) != c.content {
					t.Errorf("it was changed to %.1000s", left)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := openJournal(path, "api", 0, neverDoubt, keepAll, payNone); fault.Of(err).Kind != fault.Transient || !strings.Contains(err.Error(), "in use") {
				t.Errorf("a second one while the first is in use: %v", err)
			}
			if err := errors.Join(j.end(j.first(), done, ""), j.close(true)); err != nil {
				t.Error(err)
			}
			if after, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(after), `{"do":"journal","format":2,"target":"api","sum":"`) ||
				!strings.HasSuffix(string(after), "\"}\n") {
				t.Errorf("%v: %s", err, after)
			}
			if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
				t.Errorf("it leaves %v", files)
			}
		})
	}
}

func neverDoubt([]*known) (outcome, error) { return unknown, errors.New("in doubt") }

func keepAll(*known) bool { return false }

// TestFilesThatKeepNothing checks that a file that is not a regular one is refused, for a journal and for receipts, without blocking.
func TestFilesThatKeepNothing(t *testing.T) {
	folder := t.TempDir()
	pipe := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(folder, "link")
	if err := os.Symlink(pipe, link); err != nil {
		t.Fatal(err)
	}
	for path, part := range map[string]string{
		filepath.Join(folder, "no", "file"): "Check that its folder is mounted", folder: "is a folder", pipe: "is a named pipe", link: "is a named pipe",
		"/dev/null": "is a device", "/dev/full": "is a device",
	} {
		_, err := openJournal(path, "api", 0, neverDoubt, keepAll, payNone)
		wantFault(t, err, fault.Config, part, "The journal "+path+" (journal_path) ")
		_, err = openReceipts(path, nil)
		wantFault(t, err, fault.Config, part, "The file of receipts "+path+" (receipts_path) ")
	}
}

// TestOneRunHasTheJournal checks that of runs that begin together one gets the journal, even if it is the first run, and that it removes the names
// that a kill may have left.
func TestOneRunHasTheJournal(t *testing.T) {
	for round := range 50 {
		folder := t.TempDir()
		path := filepath.Join(folder, "journal")
		for _, name := range []string{".journal.12345", ".journal.other.12345", ".journal."} {
			if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, first := range []bool{true, false} {
			var runs sync.WaitGroup
			begun := make(chan *journal, 4)
			for range cap(begun) {
				runs.Go(func() {
					j, err := openJournal(path, "api", 1, neverDoubt, keepAll, payNone)
					if err != nil {
						if f := fault.Of(err); f.Kind != fault.Transient || !strings.Contains(f.Message, "in use by another run") {
							t.Error(err)
						}
						return
					}
					begun <- j // keeps it
				})
			}
			runs.Wait()
			if len(begun) != 1 {
				t.Fatalf("round %d: %d runs have one journal (first: %t)", round, len(begun), first)
			}
			if err := (<-begun).close(true); err != nil {
				t.Fatal(err)
			}
		}
		files, err := os.ReadDir(folder)
		if err != nil || len(files) != 3 || files[0].Name() != ".journal." || files[1].Name() != ".journal.other.12345" {
			t.Fatalf("%v, left %v", err, files)
		}
	}
}

// TestAJournalBehindALink checks that a journal is where its symbolic link leads, even if that does not exist yet: there it is found, written anew
// and locked, and the link stays.
func TestAJournalBehindALink(t *testing.T) {
	for name, to := range map[string]string{"absolute": "", "relative": "../volume/journal", "two links": "second"} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			volume, link := filepath.Join(top, "volume", "journal"), filepath.Join(top, "image", "journal")
			err := errors.Join(os.Mkdir(filepath.Dir(volume), 0o700), os.Mkdir(filepath.Dir(link), 0o700),
				os.Symlink(cmp.Or(to, volume), link), os.Symlink(volume, filepath.Join(filepath.Dir(link), "second")))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the first run creates the file
				j, err := openJournal(link, "api", 1, neverDoubt, keepAll, payNone)
				if err != nil {
					t.Fatal(err)
				}
				_, err = openJournal(volume, "api", 1, neverDoubt, keepAll, payNone)
				wantFault(t, err, fault.Transient, "The journal "+volume+" (journal_path) is in use by another run")
				if err := j.close(false); err != nil {
					t.Fatal(err)
				}
				for path, regular := range map[string]bool{volume: true, link: false} {
					if info, err := os.Lstat(path); err != nil || info.Mode().IsRegular() != regular {
						t.Errorf("%s is %v, %v", path, info, err)
					}
				}
			}
		})
	}
}

// sealed returns a journal's content after some calls. The last call has no outcome.
func sealed(t *testing.T) (path string, content []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal")
	j, err := openJournal(path, "api", 3, neverDoubt, keepAll, payNone)
	if err != nil {
		t.Fatal(err)
	}
	stream := protocol.Descriptor{Name: "a"}
	for n := range int64(4) {
		err = errors.Join(err, j.begin(&known{Number: n + 1, Operation: "close", About: fmt.Sprint("door ", n), Stream: stream, Identity: fmt.Sprint(n % 2)}))
		if n < 3 {
			err = errors.Join(err, j.end(n+1, done, ""))
		}
		if n == 1 {
			err = errors.Join(err, j.state(n+1, &stream), j.complete(n+1, stream))
		}
	}
	if err = errors.Join(err, j.close(false)); err != nil {
		t.Fatal(err)
	}
	if content, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return path, content
}

// TestDamageToAJournalIsNoticed checks that any change of a journal is noticed, with its line, before the journal is used.
func TestDamageToAJournalIsNoticed(t *testing.T) {
	path, good := sealed(t)
	damaged := func(what string, content []byte, line int) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := openJournal(path, "api", 3, func([]*known) (outcome, error) { return done, nil }, keepAll, payNone)
		if f := fault.Of(err); f == nil || f.Kind != fault.Config || !strings.Contains(f.Message, fmt.Sprintf("is damaged at line %d.", line)) {
			t.Errorf("%s: %v, want line %d", what, err, line)
		}
	}
	line := 1
	for i, b := range good {
		for _, other := range []byte{b ^ 1, b ^ 0x80, '\n'} {
			if other != b {
				changed := bytes.Clone(good)
				changed[i] = other
				damaged(fmt.Sprintf("byte %d is %q instead of %q", i, other, b), changed, line)
			}
		}
		if b == '\n' {
			line++
		}
	}
	damaged("its end, before blanks", append(bytes.Clone(good[:len(good)-1]), "x   "...), line-1)
	lines := bytes.SplitAfter(good, []byte("\n"))
	lines = lines[:len(lines)-1]
	for i := range lines {
		without := slices.Delete(slices.Clone(lines), i, i+1)
		if i < len(lines)-1 { // whole lines that are missing at the end leave no trace
			damaged(fmt.Sprintf("line %d is missing", i+1), bytes.Join(without, nil), i+1)
		}
		for at := range len(lines) + 1 {
			want := at + 1
			if at == i+1 || at == i { // behind or before itself: then the second one is too many
				want = i + 2
			}
			damaged(fmt.Sprintf("line %d comes before line %d too", i+1, at+1), bytes.Join(slices.Insert(slices.Clone(lines), at, lines[i]), nil), want)
		}
		for other := range i {
			swapped := slices.Clone(lines)
			swapped[i], swapped[other] = swapped[other], swapped[i]
			damaged(fmt.Sprintf("lines %d and %d are swapped", other+1, i+1), bytes.Join(swapped, nil), other+1)
		}
	}
}

// TestAJournalThatWasCut checks that half a line at the end, as a kill leaves it, is cut off, wherever it ends.
func TestAJournalThatWasCut(t *testing.T) {
	path, good := sealed(t)
	lines := bytes.SplitAfter(good, []byte("\n"))
	last := len(bytes.Join(lines[len(lines)-4:], nil))
	for size := len(good) - last; size < len(good); size++ {
		for _, blanks := range []string{"", "   "} {
			if err := os.WriteFile(path, append(bytes.Clone(good[:size]), blanks...), 0o600); err != nil {
				t.Fatal(err)
			}
			j, err := openJournal(path, "api", 3, func([]*known) (outcome, error) { return done, nil }, keepAll, payNone)
			if err != nil {
				t.Fatalf("%d bytes of %d: %v", size, len(good), err)
			}
			if err := j.close(false); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestAJournalIsReadAndWrittenAnew checks that a journal of the first format is read as it was meant, and continued with checksums. So is one of this
// format.
func TestAJournalIsReadAndWrittenAnew(t *testing.T) {
	call := func(n int, identity string) string {
		return fmt.Sprintf(`{"do":"begin","call":{"n":%d,"operation":"close","about":"door %s","stream":{"name":"a"},"identity":"close %s"}}`, n, identity, identity)
	}
	path := filepath.Join(t.TempDir(), "journal")
	if err := os.WriteFile(path, []byte(strings.Join([]string{
		`{"do":"journal","format":1,"target":"api"}`, `{"do":"run","from":1,"sync":7}`,
		call(1, "done"), `{"do":"end","n":1,"outcome":"done"}`, call(2, "refused"), `{"do":"end","n":2,"outcome":"rejected","message":"No door."}`,
		`{"do":"state","n":3,"stream":{"name":"a"}}`, call(4, "unrun"), `{"do":"end","n":4,"outcome":"unrun"}`, call(5, "doubted"),
	}, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	doubt := func(calls []*known) (outcome, error) {
		if len(calls) != 1 || calls[0].About != "door doubted" {
			t.Errorf("%d calls in doubt", len(calls))
		}
		return done, nil
	}
	for range 3 { // the second and the third time it is a journal of this format
		j, err := openJournal(path, "api", 7, doubt, keepAll, payNone)
		if err != nil {
			t.Fatal(err)
		}
		if refused, done := j.known["close refused"], j.known["close done"]; j.first() != 6 || len(j.known) != 3 || len(done) != 1 || !done[0].Covered ||
			len(refused) != 1 || refused[0].message != "No door." || len(j.known["close doubted"]) != 1 {
			t.Errorf("it begins at %d and knows %v", j.first(), j.known)
		}
		if err := j.close(false); err != nil {
			t.Fatal(err)
		}
	}
	j, err := openJournal(path, "api", 7, doubt, keepAll, payNone)
	if err = errors.Join(err, j.close(true)); err != nil {
		t.Fatal(err)
	}
	if j, err = openJournal(path, "api", 8, doubt, keepAll, payNone); err != nil {
		t.Fatal(err)
	}
	defer j.close(false)
	if len(j.known) != 1 || len(j.known["close doubted"]) != 1 { // no state covers it
		t.Errorf("another sync knows %v", j.known)
	}
}

// TestALargeJournalIsRead checks that a run reads what the previous one has written, however much it is.
func TestALargeJournalIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, err := openJournal(path, "api", 1, neverDoubt, keepAll, payNone)
	if err != nil {
		t.Fatal(err)
	}
	about := strings.Repeat("x", 1<<20)
	for n := int64(1); n <= 70; n++ {
		err = errors.Join(err, j.write(false, line{Do: "begin", Call: &known{Number: n, About: about, Identity: "i"}}),
			j.write(false, line{Do: "end", Number: n, Outcome: map[bool]outcome{true: done, false: unrun}[n == 1]}))
	}
	if err = errors.Join(err, j.close(false)); err != nil {
		t.Fatal(err)
	}
	if j, err = openJournal(path, "api", 1, neverDoubt, keepAll, payNone); err != nil || len(j.known["i"]) != 1 || j.first() != 71 {
		t.Fatalf("%v, %+v", err, j)
	}
	if err := j.close(false); err != nil {
		t.Error(err)
	}
}

// TestWhyAFileCannotBeWritten checks that what keeps a file from being written is explained in words, with the remedy.
func TestWhyAFileCannotBeWritten(t *testing.T) {
	k := keep("journal", filepath.Join(t.TempDir(), "journal"), "journal_path")
	for cause, parts := range map[error][2]string{
		syscall.ENOSPC: {"its disk is full.", "Make room there"}, syscall.EDQUOT: {"its disk is full.", "Make room there"},
		syscall.EROFS: {"its file system is read-only.", "Mount it"}, syscall.EACCES: {"this user may not.", fmt.Sprint("Let the user ", os.Getuid())},
		syscall.EPERM: {"this user may not.", "write to it and to its folder"},
	} {
		wrapped := &fs.PathError{Op: "write", Path: k.path, Err: cause}
		wantFault(t, k.unwritten(wrapped), fault.Config, k.name+" cannot be written: "+parts[0], parts[1])
		wantFault(t, k.unopened(wrapped), fault.Config, k.name+" cannot be opened: "+parts[0], parts[1])
	}
	wantFault(t, k.unwritten(syscall.EIO), fault.Config, "cannot be written. Look whether its disk works, and sync again.")
	wantFault(t, k.unopened(fs.ErrNotExist), fault.Config, "cannot be opened. Check that its folder is mounted")
}

// TestAJournalThatCannotBeWritten checks that a journal that cannot be written stops the sync before anything is sent.
func TestAJournalThatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, err := openJournal(path, "api", 0, nil, nil, payNone)
	if err != nil {
		t.Fatal(err)
	}
	j.file.Close()
	first := j.begin(&known{Number: 1})
	wantFault(t, first, fault.Config, "cannot be written")
	if again := j.end(1, done, ""); !errors.Is(again, first) {
		t.Errorf("got %v", again)
	}
}
