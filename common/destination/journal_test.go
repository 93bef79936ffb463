package destination

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

var errCrash = errors.New("crash")

// An API, a platform and a connector that crash whenever they like, states that get lost, syncs that ask for the same again: every record of
// every sync is carried out once.
func TestJournalUnderCrashes(t *testing.T) {
	const records, every, syncs = 12, 3, 4
	stream := protocol.Descriptor{Name: "a"}
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		path := filepath.Join(t.TempDir(), "journal")
		effects := map[int]int{}
		doubted := -1 // the record whose call was sent when the connector crashed
		ran := false  // and whether it was carried out
		attempts := 0
		// attempt goes on from a record. It gives the records behind which states were given back.
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
			}, func(*known) bool { return false })
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
				_ = j.close(false)
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
				failed = err != nil // and then the platform tries again, if only to hear that there is nothing more to do
				kept := slices.Clone(echoed)
				if err != nil || random.IntN(8) == 0 { // the platform may go down even when the connector ends well
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

// runs is what a journal makes of runs one after the other, on the API itself.
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
			{in: []string{`a {"door":"9","why":"wind"}`}, asked: 1, warns: "No door."}, {in: []string{`a {"door":"9","why":"wind"}`, "S 1"}, warns: "No door.", states: 1},
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
					if r.warns == "" && len(w.warnings) > 0 || !strings.Contains(strings.Join(w.warnings, "\n"), r.warns) {
						t.Errorf("run %d warns %q, want %q", i+1, w.warnings, r.warns)
					}
				}
			})
		})
	}
}

func TestJournalFiles(t *testing.T) {
	neverDoubt := func([]*known) (outcome, error) { return unknown, errors.New("in doubt") }
	keep := func(*known) bool { return false }
	const head, begin = `{"do":"journal","format":1,"target":"api"}` + "\n", `{"do":"begin","call":{"n":1,"operation":"close","about":"x","stream":{"name":"a"},"identity":"i"}}` + "\n"
	for name, c := range map[string]struct{ content, fails string }{
		"new":              {"", ""},
		"only a head":      {head, ""},
		"cut head":         {head[:9], ""},
		"cut line":         {head + begin + `{"do":"end","n":1,"outcome":"done"}` + "\n" + `{"do":"e`, ""},
		"begin was cut":    {head + strings.TrimSuffix(begin, "\n"), ""},
		"in doubt":         {head + begin + `{"do":"end","n":1,"outc`, "in doubt"},
		"another file":     {"colour: blue\nsize: 1\n", "is not a journal of this connector"},
		"another, short":   {"x", "is not a journal of this connector"},
		"another format":   {`{"do":"journal","format":2,"target":"api"}` + "\n", "is not a journal of this connector"},
		"another address":  {`{"do":"journal","format":1,"target":"https://b"}` + "\n", "is that of another address, https://b"},
		"damaged":          {head + "zzz\n" + begin, "is damaged at line 2"},
		"unknown line":     {head + `{"do":"dance"}` + "\n", "is damaged at line 2"},
		"end of nothing":   {head + `{"do":"end","n":4}` + "\n", "is damaged at line 2"},
		"again, nothing":   {head + `{"do":"again","n":4,"as":5}` + "\n", "is damaged at line 2"},
		"begin of nothing": {head + `{"do":"begin"}` + "\n", "is damaged at line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal")
			if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			j, err := openJournal(path, "api", 0, neverDoubt, keep)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("got %v, want %q", err, c.fails)
				}
				if left, _ := os.ReadFile(path); string(left) != c.content {
					t.Errorf("it was changed to %s", left)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := openJournal(path, "api", 0, neverDoubt, keep); fault.Of(err).Kind != fault.Transient || !strings.Contains(err.Error(), "in use") {
				t.Errorf("a second one while the first is in use: %v", err)
			}
			if err := errors.Join(j.end(j.first(), done, ""), j.close(true)); err != nil {
				t.Error(err)
			}
			if after, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(after), head) || !strings.HasSuffix(string(after), "}\n") {
				t.Errorf("%v: %s", err, after)
			}
		})
	}
	for name, path := range map[string]string{"no folder": filepath.Join(t.TempDir(), "no", "journal"), "a folder": t.TempDir()} {
		if _, err := openJournal(path, "api", 0, neverDoubt, keep); fault.Of(err).Kind != fault.Config || !strings.Contains(err.Error(), "journal_path") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A journal that cannot be written stops the sync before anything is sent.
func TestAJournalThatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, err := openJournal(path, "api", 0, nil, nil)
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
