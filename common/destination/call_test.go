package destination

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/spec"
)

func TestCall(t *testing.T) {
	d := &doors{}
	api, err := d.destination().description.Open([]byte(`{"token":"a-token"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		operation  int
		in         string
		body       string // or what is wrong
		about, key string
	}{
		{0, `{"door":"1","why":"wind"}`, `{"door":{"door":"1","note__c":"","reason__c":"wind"}}`, "door 1", "close\ndoor\n1"},
		{0, `{"Id":"123","reason__c":"night","note":" a  b "}`, `{"door":{"Id":"123","note__c":"a  b","reason__c":"night"}}`, "id 123", "close\nId\n123"},
		{0, `{"door":1,"id":" ","why":"wind","note__c":""}`, `{"door":{"door":"1","note__c":"","reason__c":"wind"}}`, "door 1", "close\ndoor\n1"},
		{0, `{"door":"1","id":"123","why":"wind"}`, "door or id: only one may be given", "door 1, id 123", "close\ndoor\nId\n1\n123"},
		{0, `{"door":" ","why":"wind"}`, "door or id is missing", "", "close"},
		{0, `{"id":"12x","why":"wind"}`, "id must be three digits", "", "close"},
		{0, `{"id":"123","why":"rain","reason__c":null}`, "why must be one of wind, night", "id 123", "close\nId\n123"},
		{0, `{"id":"123","why":"wind","reason__c":"wind"}`, "why is given twice, as reason__c too", "id 123", "close\nId\n123"},
		{0, `{"door":1.5,"why":["wind"]}`, "door must be text; why must be text", "", "close"},
		{0, `{"id":"123","id":null,"why":"wind"}`, "id is given twice", "", "close"},
		{0, `{"id":"123","why":"wind","\u0077hy":"wind"}`, "why is given twice", "id 123", "close\nId\n123"},
		{0, `{"id":"123","why":"wind","_unparsed":{"sum":"x"}}`, `{"door":{"Id":"123","note__c":"","reason__c":"wind"}}`, "id 123", "close\nId\n123"},
		{0, `{"id":"123","why":"wind","_unparsed":null}`, `{"door":{"Id":"123","note__c":"","reason__c":"wind"}}`, "id 123", "close\nId\n123"},
		{0, `{"id":"123","why":"wind","_unparsed":{"note":["x"]}}`, "note did not fit its column (_unparsed)", "id 123", "close\nId\n123"},
		{0, `{"id":"123","why":null,"_unparsed":{"sum":1,"Why":["x"]}}`, "why did not fit its column (_unparsed)", "id 123", "close\nId\n123"},
		{0, `{"id":"123","why":"wind","_unparsed":"{}"}`, "_unparsed must be an object", "id 123", "close\nId\n123"},
		{1, `{"door":"1\n2","sum":0.1}`, `{"door":{"door":"1\n2","sum":"0.10"}}`, "door 1 2", "rent\ndoor\n1\n2"},
		{1, `{"door":"1","sum":null}`, `{"door":{"door":"1"}}`, "door 1", "rent\ndoor\n1"},
		{2, `{"door":"1"}`, `{"paint":{"all":"","door":"1"}}`, "door 1", "paint"},
		{0, `{"door":"1","why":"wind","note":" "}`, "note " + onlyBlanks, "door 1", "close\ndoor\n1"},
		{0, `{"door":"1","why":"wind","note":"x","note__c":"\u00a0"}`, "note " + onlyBlanks, "door 1", "close\ndoor\n1"},
		{2, `{"door":"1","all":"\u00a0\t\u2003\u3000\u200b\ufeff\u0000"}`, "all " + onlyBlanks, "door 1", "paint"},
		{2, `{"all":"\n"}`, "all " + onlyBlanks, "", "paint"},
		{2, `{"door":"1","all":"\u200b7"}`, "{\"paint\":{\"all\":\"\u200b7\",\"door\":\"1\"}}", "door 1", "paint"},
		{2, `{"door":"","all":null}`, "at least one of door, all is needed", "", "paint"},
	} {
		names := api.names(&api.Operations[c.operation])
		got, err := names.operation.call(names.read(record.Record(c.in)))
		body, _ := json.Marshal(got.body)
		if err != nil {
			body = []byte(err.Error())
		}
		if string(body) != c.body || got.about != c.about || got.kind+got.thing != c.key {
			t.Errorf("%s:\ngot  %s, %q, %q\nwant %s, %q, %q", c.in, body, got.about, got.kind+got.thing, c.body, c.about, c.key)
		}
	}
	identity := func(operation int, in string) string {
		names := api.names(&api.Operations[operation])
		c, err := names.operation.call(names.read(record.Record(in)))
		if err != nil {
			t.Fatal(err)
		}
		return c.identity
	}
	first := identity(0, `{"door":"1","why":"wind"}`)
	if identity(0, `{"reason__c":"wind","_ab_cdc":2,"door":1}`) != first {
		t.Error("two records that ask the same are not the same")
	}
	for _, other := range []string{`{"door":"1","why":"night"}`, `{"door":"1","why":"wind","note":"x"}`} {
		if identity(0, other) == first {
			t.Errorf("%s is taken for another", other)
		}
	}
	rent := api.Operations[1]
	rent.Fields = slices.Clone(rent.Fields)
	rent.Fields[1].SameAsBlank = true
	without, err := rent.call(api.names(&rent).read(record.Record(`{"door":"1"}`)))
	sum := sha256.Sum256([]byte(`{"door":{"door":"1","sum":""}}`))
	if want := "rent " + base64.RawStdEncoding.EncodeToString(sum[:]); err != nil || without.identity != want || len(without.fields) != 1 {
		t.Errorf("%v, %s, %v", err, without.identity, without.fields)
	}
	if identity(1, `{"door":"1"}`) == identity(2, `{"door":"1"}`) {
		t.Error("two operations are taken for one")
	}
}

// TestTextThatLostCharacters checks that a record is rejected if a text in it lost characters, because the rest may be the code of another contract
// or manager. Nothing of the record is sent. It makes no difference whether the characters were lost in this line, or earlier, where somebody wrote
// U+FFFD in their place.
func TestTextThatLostCharacters(t *testing.T) {
	const fine = `a {"door":"A\ud83d\ude00","why":"wind"}`
	for name, c := range map[string]struct{ in, warning, order string }{
		"no UTF-8":         {"a {\"door\":\"A\xff\",\"why\":\"wind\"}", "close of record 2 of the stream a was rejected: door " + lost, `{"note__c":"","reason__c":"wind"}`},
		"half a surrogate": {`a {"door":"A\ud800","why":"wind"}`, "close of record 2 of the stream a was rejected: door " + lost, `{"note__c":"","reason__c":"wind"}`},
		"lost before":      {"a {\"door\":\"A\ufffd\",\"why\":\"wind\"}", "close of record 2 of the stream a was rejected: door " + lost, `{"note__c":"","reason__c":"wind"}`},
		"NUL":              {`a {"door":"A\u0000","why":"wind"}`, "close of record 2 of the stream a was rejected: door " + holdsNUL, `{"note__c":"","reason__c":"wind"}`},
		"NUL as a byte":    {"a {\"door\":\"\x00\",\"why\":\"wind\"}", "close of record 2 of the stream a was rejected: door " + holdsNUL, `{"note__c":"","reason__c":"wind"}`},
		"not a key":        {"a {\"door\":\"1\",\"why\":\"wind\",\"note\":\"n\xe3o\"}", "close of door 1 was rejected: note " + lost, `{"door":"1","reason__c":"wind"}`},
		"another kind":     {"a {\"door\":\"1\",\"why\":\"w\xedn\"}", "close of door 1 was rejected: why " + lost, `{"door":"1","note__c":""}`},
		"the other name":   {"a {\"Id\":\"12\xff\",\"why\":\"wind\"}", "close of record 2 of the stream a was rejected: id " + lost, `{"note__c":"","reason__c":"wind"}`},
		"several": {
			`paint {"door":"A\udc00","all":"B\ud800"}`, "paint of record 1 of the stream paint was rejected: door " + lost + "; all " + lost, `{}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T, d *doors) {
				path := filepath.Join(t.TempDir(), "receipts.jsonl")
				w := d.write(t.Context(), t, fmt.Sprintf(`"receipts_path":%q`, path), catalog(0), strings.NewReader(lines(fine, c.in, "G 1")))
				if w.err != nil || len(w.states) != 1 || !strings.Contains(w.states[0], `"recordCount":2.0,"rejectedRecordCount":1.0`) {
					t.Errorf("%v, states %q", w.err, w.states)
				}
				same(t, "asked", d.took(), []string{"close door=A\U0001f600 note__c= reason__c=wind"})
				same(t, "warnings", w.warnings, []string{c.warning + "."})
				if got := strings.Join(receiptsOf(t, path), ""); !strings.Contains(got, `"outcome":"rejected","order":`+c.order+`,"message":"`) {
					t.Errorf("receipts: %s", got)
				}
			})
		})
	}
	in(t, func(t *testing.T, d *doors) { // a member that no order takes may hold anything
		w := d.write(t.Context(), t, `"ignore_fields":["zone"]`, catalog(0), strings.NewReader(lines("rent {\"door\":\"1\",\"zone\":\"\xff\"}")))
		same(t, "asked", d.took(), []string{"rent door=1"})
		if w.err != nil {
			t.Error(w.err)
		}
	})
	in(t, func(t *testing.T, d *doors) { // the operation does not know a name that lost characters
		w := d.write(t.Context(), t, "", catalog(0), strings.NewReader(lines("paint {\"all\":\"1\",\"doo\xff\":\"1\"}")))
		wantFault(t, w.err, fault.Config, "which paint does not know")
		same(t, "asked", d.took(), nil)
	})
}

func TestMoney(t *testing.T) {
	for in, want := range map[string]string{
		`1200.4`: "1200.40", `1200`: "1200.00", `350.150`: "350.15", `1.2e3`: "1200.00", `12e-1`: "1.20", `0`: "0.00",
		`"1200.40"`: "1200.40", `" 350.1 "`: "350.10", `"7"`: "7.00", `900719925474099.25`: "900719925474099.25",
		`1200.405`: "", `-1`: "", `1e99`: "", `1e999999999`: "", `"1.200,40"`: "", `"1,200.40"`: "", `"1200.400"`: "", `"R$ 12"`: "", `"1e3"`: "",
		`true`: "", `{}`: "", `350.15000000000003`: "", `"12."`: "",
	} {
		got, err := Money().Read(record.Record(`{"v":` + in + `}`).Get("v"))
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestDiscover(t *testing.T) {
	d := &doors{}
	catalog, err := d.destination().Discover(t.Context(), []byte(`{"token":"t"}`))
	if err != nil || len(catalog.Operations) != 3 {
		t.Fatalf("%+v, %v", catalog, err)
	}
	first := catalog.Operations[0]
	if first.ObjectName != "close" || first.SyncMode != "update" || len(first.MatchingKeys) != 2 || first.MatchingKeys[1][0] != "id" {
		t.Errorf("got %+v", first)
	}
	for operation, records := range map[int]map[string]bool{
		0: {
			`{"door":"1","why":"wind"}`: true, `{"id":"123","why":"night","note":"x","more":1}`: true,
			`{"door":"1","id":"123","why":"wind"}`: false, `{"door":"1","why":"rain"}`: false, `{"door":"1"}`: false, `{"why":"wind"}`: false, `{"id":"1","why":"wind"}`: false,
		},
		1: {`{"door":"1","sum":"1200.40"}`: true, `{"door":"1","sum":12}`: true, `{"sum":true,"door":"1"}`: false},
		2: {`{"all":"x"}`: true, `{}`: false},
	} {
		schema, err := spec.Compile("operation", catalog.Operations[operation].JSONSchema)
		if err != nil {
			t.Fatal(err)
		}
		for r, fits := range records {
			if err := schema.Validate([]byte(r)); (err == nil) != fits {
				t.Errorf("%s fits: %v, want %v", r, err, fits)
			}
		}
	}
	if !strings.Contains(string(first.JSONSchema), "The record may call it reason__c instead.") {
		t.Errorf("the other name is not said: %s", first.JSONSchema)
	}
}
