package destination

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

// TestAnUnknownMemberEndsItsStream checks that a record with a member that its operation does not know ends its stream, wherever the record is and
// whatever the member holds, because the member could have been a restriction of the order. The other streams go on.
func TestAnUnknownMemberEndsItsStream(t *testing.T) {
	const wind = `a {"door":"1","why":"wind"}`
	for name, c := range map[string]struct {
		settings string
		in       []string
		asked    []string
		states   []string
		parts    []string
		info     string
	}{
		"first record": {
			in: []string{`a {"door":"1","why":"wind","Door":"2"}`, "S 1"}, parts: []string{`Record 1 of the stream "a" has the field "Door", which close does not know`, "Perhaps door is meant"},
			info: "Records carried out: 0, rejected: 0.",
		},
		"later record": {
			in:    []string{wind, "S 1", `a {"door":"2","why":"wind","urgent":true}`, wind, "S 2", wind, "C", `rent {"door":5}`, "G 3"},
			asked: []string{"close door=1 note__c= reason__c=wind", "rent door=5"}, states: []string{echoed("1", "1.0", "0.0")},
			parts: []string{`Record 2 of the stream "a" has the field "urgent"`, "list it in ignore_fields"},
			info:  "Records carried out: 2, rejected: 0; passed over, since their streams had ended with an error: 2.",
		},
		"two streams": {
			in:    []string{`rent {"door":5,"Sum":1}`, `a {"door":"2","Why":"wind"}`, `paint {"all":"x"}`, `rent {"door":6}`},
			asked: []string{"paint all=x"}, parts: []string{`"Sum", which rent does not know`, `"Why", which close does not know`},
		},
		"null": {in: []string{`a {"door":"1","why":"wind","urgent":null}`}, parts: []string{`"urgent"`}},
		"several": {
			in: []string{`a {"door":"1","house__why__c":"wind","Note":1,"x":{}}`}, parts: []string{`has the fields "house__why__c", "Note", "x"`, "Perhaps why and note is meant"},
		},
		"in another case than ignored": {settings: `"ignore_fields":["area"]`, in: []string{`a {"door":"1","why":"wind","Area":1}`}, parts: []string{`"Area"`}},
		"beside what is wrong":         {in: []string{`a {"door":"1","urgent":1}`}, parts: []string{`"urgent"`}},
		"of another operation":         {in: []string{`a {"door":"1","why":"wind","sum":1}`}, parts: []string{`"sum", which close does not know`}},
		"dry run":                      {settings: `"dry_run":true`, in: []string{wind, `a {"door":"1","urgent":1}`}, parts: []string{`Record 2`, `"urgent"`}},
		"almost a platform's own":      {in: []string{`a {"door":"1","why":"wind","_Airbyte_x":1}`}, parts: []string{`"_Airbyte_x"`}},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, d *doors) {
				w := d.write(t.Context(), t, c.settings, catalog(0), strings.NewReader(lines(c.in...)))
				wantFault(t, w.err, fault.Config)
				same(t, "asked", slices.Sorted(slices.Values(d.took())), c.asked)
				same(t, "states", w.states, c.states)
				var said strings.Builder
				for _, failure := range w.failures {
					fmt.Fprintln(&said, failure.Message)
				}
				for _, part := range c.parts {
					if !strings.Contains(said.String(), part) {
						t.Errorf("%q is not in %s", part, &said)
					}
				}
				if c.info != "" && !slices.Contains(w.infos, c.info) {
					t.Errorf("%q is not in %q", c.info, w.infos)
				}
			})
		})
	}
}

// TestIgnoreFields checks that a field that an operation takes cannot be ignored, in any spelling.
func TestIgnoreFields(t *testing.T) {
	for name, field := range map[string]string{
		"door": "door", "DOOR": "door", "d-o o_r": "door", "dóòr": "door", "do\u0301or": "door", "door\u200b": "door", "ｄｏｏｒ": "door", "house__door__c": "door", "House_Door C": "door",
		"why": "why", "reason__c": "why", "REASON": "why", "reason": "why", "house__Reason__c": "why", "Sum": "sum", "All": "all", "iD": "id", " note ": "note",
		"zone": "", "doors": "", "house__zone__c": "", "_unparsed": "", "_airbyte_x": "", "": "", "-": "",
	} {
		in(t, func(t *testing.T, d *doors) {
			settings := fmt.Sprintf(`"ignore_fields":["zone",%q]`, name)
			config := []byte(`{"token":"s3cr3t",` + settings + `}`)
			checked := d.destination().Check(t.Context(), config)
			_, discovered := d.destination().Discover(t.Context(), config)
			written := d.write(t.Context(), t, settings, catalog(0), strings.NewReader("")).err
			for _, err := range []error{checked, discovered, written} {
				if field == "" {
					if err != nil {
						t.Errorf("%q: %v", name, err)
					}
					continue
				}
				wantFault(t, err, fault.Config, `"ignore_fields[1]" is the field `+field+" of ")
			}
		})
	}
}

// TestValuesThatDidNotFit checks that a record is rejected if a value did not fit its column and the operation takes the field. Other values that did
// not fit are ignored like their columns.
func TestValuesThatDidNotFit(t *testing.T) {
	in(t, func(t *testing.T, d *doors) {
		w := d.write(t.Context(), t, "", catalog(0), strings.NewReader(lines(
			`paint {"door":"1","all":null,"_unparsed":{"all":["x"]}}`, `paint {"door":"2","_unparsed":{"zone":7}}`, `paint {"door":"3","_unparsed":{"house__Door__c":7}}`,
		)))
		if w.err != nil {
			t.Fatal(w.err)
		}
		same(t, "asked", d.took(), []string{"paint all= door=2"})
		same(t, "warnings", w.warnings, []string{
			"paint of door 1 was rejected: all did not fit its column (_unparsed).",
			"paint of record 3 of the stream paint was rejected: door did not fit its column (_unparsed).",
		})
	})
}

// TestFieldsThatChangedOnTheirWay checks that a record is rejected if it says itself that a value was lost on the way and the operation takes the
// field: without the value, or with what is left of it, the order would be another one.
func TestFieldsThatChangedOnTheirWay(t *testing.T) {
	record := func(stream, data, field, change string) string {
		return fmt.Sprintf(`{"type":"RECORD","record":{"stream":%q,"data":%s,"emitted_at":1,"meta":{"changes":[{"field":%q,"change":%q,"reason":"SOURCE_X"}]}}}`,
			stream, data, field, change)
	}
	in(t, func(t *testing.T, d *doors) {
		w := d.write(t.Context(), t, `"ignore_fields":["zone"]`, catalog(0), strings.NewReader(lines(
			record("paint", `{"all":"red","door":null}`, "door", "NULLED"),
			record("a", `{"door":"CR12","why":"wind"}`, "door", "TRUNCATED"),
			record("a", `{"door":"2","why":"wind"}`, "House-Note C", "NULLED"),
			record("a", `{"door":"3","why":"wind","_unparsed":null}`, "_unparsed", "NULLED"),
			record("a", `{"door":"4","why":"wind","zone":null}`, "zone", "NULLED"),
			"G 1",
		)))
		if w.err != nil || len(w.states) != 1 || !strings.Contains(w.states[0], `"recordCount":5.0,"rejectedRecordCount":4.0`) {
			t.Errorf("%v, states %q", w.err, w.states)
		}
		same(t, "asked", d.took(), []string{"close door=4 note__c= reason__c=wind"})
		same(t, "warnings", w.warnings, []string{
			"paint of record 1 of the stream paint was rejected: door is not what the source had (meta.changes: NULLED).",
			"close of record 1 of the stream a was rejected: door is not what the source had (meta.changes: TRUNCATED).",
			"close of door 2 was rejected: note is not what the source had (meta.changes: NULLED).",
			"close of door 3 was rejected: _unparsed is not what the source had (meta.changes: NULLED).",
		})
	})
}

// TestAnEndedStreamIsNotComplete checks that neither the platform nor the journal takes a stream that was ended for complete.
func TestAnEndedStreamIsNotComplete(t *testing.T) {
	in(t, func(t *testing.T, d *doors) {
		settings := fmt.Sprintf(`"journal_path":%q`, t.TempDir()+"/journal")
		first := d.write(t.Context(), t, settings, catalog(1), strings.NewReader(lines(`a {"door":"1","why":"wind"}`, `a {"door":"2","urgent":1}`, "C", "S 1")))
		wantFault(t, first.err, fault.Config, `"urgent"`)
		again := d.write(t.Context(), t, settings, catalog(2), strings.NewReader(lines(`a {"door":"1","why":"wind"}`, `a {"door":"2","why":"wind"}`, "S 1")))
		if again.err != nil || len(again.states) != 1 {
			t.Errorf("%v, %q", again.err, again.states)
		}
		same(t, "asked", d.took(), []string{"close door=1 note__c= reason__c=wind", "close door=2 note__c= reason__c=wind"})
	})
}

func TestJournalAndReceiptsAreTwoFiles(t *testing.T) {
	folder, link := t.TempDir(), t.TempDir()
	path := folder + "/file"
	if err := errors.Join(os.Symlink(folder, link+"/folder"), os.Symlink(path, link+"/file")); err != nil {
		t.Fatal(err)
	}
	for _, receipts := range []string{path, folder + "/./file", link + "/folder/file", link + "/file"} {
		config := fmt.Appendf(nil, `{"token":"t","journal_path":%q,"receipts_path":%q}`, path, receipts)
		wantFault(t, (&doors{}).destination().Check(t.Context(), config), fault.Config, `"receipts_path" and "journal_path" name the same file`)
		err := (&doors{}).destination().Write(t.Context(), config, catalog(0), strings.NewReader(""), protocol.NewEmitter(&strings.Builder{}))
		wantFault(t, err, fault.Config, "the same file")
	}
}
