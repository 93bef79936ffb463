package record

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestCut(t *testing.T) {
	for _, test := range []struct {
		name, page, path string
		want             []string
	}{
		{"an envelope", `{"total":2,"data":[{"id":1},{"id":2}],"more":[{}]}`, "data", []string{`{"id":1}`, `{"id":2}`}},
		{"nested", `{"a":{"b":{"c":0},"data":[{"id":1}]}}`, "a.data", []string{`{"id":1}`}},
		{"an index", `{"a":[[{"id":0}],[{"id":1}]]}`, "a.1", []string{`{"id":1}`}},
		{"spaces", `{ "data" : [ {"id": 1} , {"id": "]}"} ] }`, "data", []string{`{"id": 1}`, `{"id": "]}"}`}},
		{"an empty list", `{"data":[]}`, "data", nil},
		{"null", `{"data":null}`, "data", nil},
		{"one object", `{"data":{"id":1}}`, "data", []string{`{"id":1}`}},
		{"the page itself", `{"id":1}`, "", []string{`{"id":1}`}},
		{"a bare array", `[{"id":1},{}]`, "", []string{`{"id":1}`, `{}`}},
		{"a bare array in spite of a path", `[{"data":[]}]`, "data", []string{`{"data":[]}`}},
		{"an empty bare array", `[]`, "data", nil},
		{"null as the page", `null`, "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			records, err := Cut(Record(test.page).Get(""), test.path)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range records {
				got = append(got, string(r.Raw()))
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("Cut = %q; want %q", got, test.want)
			}
		})
	}
}

func TestCutRefuses(t *testing.T) {
	for _, test := range []struct {
		name, page, path, want string
		absent                 bool
	}{
		{"no such path", `{"items":[]}`, "data", `"data"`, true},
		{"null on the way", `{"data":null}`, "data.items", `"data.items"`, true},
		{"text", `{"data":"secret"}`, "data", `"data"`, true},
		{"false", `{"data":false}`, "data", `"data"`, true},
		{"a number as the page", `12`, "", `""`, true},
		{"a path into a number", `12`, "data", `"data"`, true},
		{"nothing", ``, "data", `"data"`, true},
		{"an element that is text", `{"data":[{"id":1},"secret"]}`, "data", "element 1 is not an object", false},
		{"an element that is an array", `[[1]]`, "", "element 0 is not an object", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			records, err := Cut(Record(test.page).Get(""), test.path)
			if records != nil || err == nil || errors.Is(err, ErrNoRecords) != test.absent {
				t.Fatalf("Cut = %q, %v", records, err)
			}
			if text := err.Error(); !strings.Contains(text, test.want) || strings.Contains(text, "secret") {
				t.Errorf("the error says %q", text)
			}
		})
	}
}

func TestCutShares(t *testing.T) {
	page := Record(`{"data":[{"id":1},{"id":2}]}`)
	records, err := Cut(page.Get(""), "data")
	if err != nil {
		t.Fatal(err)
	}
	if &records[0].Raw()[0] != &page[9] {
		t.Error("the record is a copy")
	}
	_ = append(records[0].Raw(), "overwritten"...)
	if string(records[1].Raw()) != `{"id":2}` {
		t.Errorf("appending to a record reaches its sibling: %s", records[1])
	}
}

func FuzzCut(f *testing.F) {
	for _, seed := range []string{`[{"a":1},{"b":[{}]}]`, `[ {"a" : "]"} , {} ]`, `[]`, `[1]`, `[`, `[}`, `[{"a":}`, `[{"`, `[[],{}]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = Cut(Record(body).Get(""), "data.0") // not valid, but it must end
		list, _, err := Clean(body)
		if err != nil || list.kind() != '[' {
			return
		}
		elements := decode(t, list.Raw()).([]any)
		page, _, err := Clean([]byte(`{"before":[{}],"data":` + string(list.Raw()) + `,"after":1}`))
		if errors.Is(err, ErrTooDeep) {
			return
		}
		records, err := Cut(page, "data")
		if err != nil {
			for _, e := range elements {
				if _, object := e.(map[string]any); !object {
					return
				}
			}
			t.Fatalf("%s: %v", page, err)
		}
		joined := append([]byte{'['}, bytes.Join(raw(records), []byte(","))...)
		joined = append(joined, ']')
		if got := decode(t, joined); !reflect.DeepEqual(got, any(elements)) {
			t.Fatalf("%q was cut into %q", list, records)
		}
	})
}

func raw(records []Value) (all [][]byte) {
	for _, r := range records {
		all = append(all, r.Raw())
	}
	return all
}

func BenchmarkCut(b *testing.B) {
	page, _, err := Clean(page(100))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(page.Raw())))
	for b.Loop() {
		if records, err := Cut(page, "data"); err != nil || len(records) != 100 {
			b.Fatal(err)
		}
	}
}
