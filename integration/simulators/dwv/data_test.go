package dwv

import (
	"bytes"
	"encoding/json"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

// Every kind of drift between schema, samples and practice is there.
func TestDataDrifts(t *testing.T) {
	s := New(Options{Size: 1000})
	types := map[string]map[string]int{} // path → JSON types seen
	var walk func(path string, value json.RawMessage)
	walk = func(path string, value json.RawMessage) {
		kind := map[byte]string{'{': "object", '[': "array", '"': "string", 'n': "null", 't': "boolean", 'f': "boolean"}[value[0]]
		if kind == "" {
			kind = "number"
		}
		if types[path] == nil {
			types[path] = map[string]int{}
		}
		types[path][kind]++
		switch kind {
		case "object":
			var fields map[string]json.RawMessage
			mustUnmarshal(value, &fields)
			for name, field := range fields {
				walk(path+"."+name, field)
			}
		case "array":
			var items []json.RawMessage
			mustUnmarshal(value, &items)
			for _, item := range items {
				walk(path+"[]", item)
			}
		}
	}
	var text strings.Builder
	var ids []int
	rows := 0
	for i := range s.with.Size {
		for _, detail := range []bool{false, true} {
			body, ok := s.Property(propertyID(i), detail)
			if !ok || !json.Valid(body) || !utf8.Valid(body) {
				t.Fatalf("row %d is no JSON: %s", i, body)
			}
			walk("", json.RawMessage(body))
			text.Write(body)
			rows++
		}
		ids = append(ids, propertyID(i))
	}
	for path, want := range map[string][]string{
		".unit": {"null", "object"}, ".third_party_property": {"null", "object"}, ".building.gallery": {"array", "null", "object"},
		".building.architectural_plans": {"array", "null", "object"}, ".building.videos": {"array", "object"},
		".unit.cover": {"null", "object", "string"}, ".third_party_property.gallery": {"array", "object"}, ".unit.section": {"null", "object"},
		".unit.additional_galleries": {"array", "null"}, ".building.delivery_date": {"null", "string"}, ".rent": {"boolean", "string"},
		".title": {"null", "string"}, ".description": {"null", "string"},
		".last_updated_at": {"null", "string"}, ".unit.dorms": {"null", "number"},
		".construction_stage_raw": {"null", "string"}, ".building.address.latitude": {"null", "number"},
		".unit.price": {"string"}, ".id": {"number"},
		".construction_company": {"null", "object"}, ".selected_photos": {"null"}, ".building.features[].titles": {"array"},
	} {
		var got []string
		for kind := range types[path] {
			got = append(got, kind)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if got := types[".building.delivery_date"]["null"] + types[".building.delivery_date"]["string"]; got == types[".building"]["object"] {
		t.Error("delivery_date is never absent")
	}
	for _, part := range []string{
		"🌊", `\u`, `\/`, `\\n`, `\n`, "<mar> & cia", "\u2028", `"under construction"`, `"under_construction"`, `"construction_stage_raw":""`,
		`-03:00"`, `"util_area":"0.00"`, `900719925474`, `e1,`,
	} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("%q is nowhere", part)
		}
	}
	if !slices.IsSorted(ids) || slices.Max(ids)-slices.Min(ids) == len(ids)-1 {
		t.Error("the ids do not rise, or have no gaps")
	}
	t.Logf("%d bytes a property", text.Len()/rows)
	if mean := text.Len() / rows; mean < 2700 || mean > 3400 {
		t.Errorf("a property is %d bytes, want about 3,000", mean)
	}
}

// The documented fields, and those seen in practice, are all there is: a field of another name is a slip.
func TestFieldsAreKnown(t *testing.T) {
	extra := map[string]bool{"inserted_at": true, "description_text": true, "selected_photos": true, "titles": true, "construtora_id": true,
		"property_tax": true, "administration_fee": true, "virtual_tour": true, "delivery_date": true, "id": true}
	seen := map[string]bool{}
	var walk func(path string, value any, known tree)
	walk = func(path string, value any, known tree) {
		switch value := value.(type) {
		case []any:
			for _, item := range value {
				walk(path, item, known)
			}
		case map[string]any:
			if known == nil {
				return // cover of a unit: a string in the schema
			}
			for name, field := range value {
				seen[path+"."+name] = true
				if _, ok := known[name]; !ok && !extra[name] {
					t.Errorf("%s.%s is not documented", path, name)
				}
				walk(path+"."+name, field, known[name])
			}
		}
	}
	s := New(Options{Size: 500})
	for i := range s.with.Size {
		body, _ := s.Property(propertyID(i), i%2 == 0)
		var value any
		mustUnmarshal(body, &value)
		walk("", value, propertyFields())
	}
	var missing func(path string, known tree)
	missing = func(path string, known tree) {
		for name, below := range known {
			if !seen[path+"."+name] {
				t.Errorf("%s.%s never comes", path, name)
			}
			missing(path+"."+name, below)
		}
	}
	full := propertyFields()
	few := tree{"sizes": leaves("small", nil)} // the smaller galleries have few sizes
	full["unit"]["additional_galleries"]["files"] = few
	delete(full["building"], "architectural_plans")
	delete(full["construction_company"], "logo")
	missing("", full)
}

func TestVersion101(t *testing.T) {
	s := New(Options{Size: 200, Version: Version101})
	stages := map[string]bool{}
	for _, p := range all(t, s) {
		stages[p.Stage] = true
		if p.StageRaw != "" {
			t.Errorf("construction_stage_raw %q", p.StageRaw)
		}
	}
	for _, want := range []string{"used", "under_construction", "new"} {
		if !stages[want] {
			t.Errorf("%s is not among %v", want, stages)
		}
	}
	if n := len(all(t, s, "construction_stage", "under construction")); n == 0 {
		t.Error("no property under construction")
	}
}

func TestTimes(t *testing.T) {
	newest := time.Date(2025, time.November, 3, 18, 30, 0, 0, sim.Brasilia())
	for _, size := range []int{5, 74, 1000, 4321} {
		s := New(Options{Size: size})
		sharing, without, deleted := 0, 0, 0
		for _, r := range s.rows.Rows {
			if r.Time > newest.Unix() {
				t.Errorf("%d is after the newest time", r.Time)
			}
			if r.Time == newest.Unix() {
				sharing++
				if r.State == removed {
					t.Error("a deleted row has the newest time")
				}
			}
			if r.Time == 0 {
				without++
			}
			if r.State == removed {
				deleted++
			}
		}
		if sharing < 2 || size > 20 && without == 0 || size > 20 && (deleted == 0 || deleted > size/50) {
			t.Errorf("size %d: %d share the newest time, %d have none, %d are deleted", size, sharing, without, deleted)
		}
	}
}

func TestLargeDataIsSmallInMemory(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	s := New(Options{Size: 100_000})
	get(t, s, root, "limit", "100", "deleted", "false", "page", "500")
	if took := (heap() - min(before, heap())) >> 20; took > 16 {
		t.Errorf("100,000 properties take %d MiB", took)
	}
	runtime.KeepAlive(s)
}

func BenchmarkPages(b *testing.B) {
	s := New(Options{Size: 100_000})
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://x"+root, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("token", s.Token())
	var w simtest.Discard
	for page := 0; b.Loop(); page++ {
		r.URL.RawQuery = "deleted=false&limit=100&page=" + strconv.Itoa(1+page%990)
		s.ServeHTTP(&w, r)
	}
	b.SetBytes(w.Bytes / int64(b.N))
	b.ReportAllocs()
}

func TestEscapedTextIsTheSame(t *testing.T) {
	for _, text := range append(descriptions(), "🏖️/\\\"\u0001é") {
		for _, json := range [][]byte{escaped(text), unescaped(text)} {
			var back string
			if mustUnmarshal(json, &back); back != text {
				t.Errorf("%q became %s", text, json)
			}
		}
		if bytes.ContainsFunc(escaped(text), func(c rune) bool { return c >= utf8.RuneSelf }) {
			t.Errorf("%s is not ASCII", escaped(text))
		}
	}
	if got := decimal(10003876) + " " + decimal(5); got != "100038.76 0.05" {
		t.Errorf("decimals are %s", got)
	}
}
