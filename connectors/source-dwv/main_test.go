package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/cli"
	"github.com/imob-data/airbyte-connectors/common/connectortest"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

// TestMain lets more tests run at a time than there are cores: most of them wait for the end of a backoff.
func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", "16"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestConform(t *testing.T) { connectortest.Conform(t, source) }

func TestGolden(t *testing.T) { connectortest.Golden(t, source, "testdata/golden") }

// run runs a command of the connector with a configuration and, for a read, the stream properties.
func run(t *testing.T, command string, config map[string]any) (code int, messages []protocol.Message, output string) {
	t.Helper()
	file := func(name string, content any) string {
		data, err := json.Marshal(content)
		path := filepath.Join(t.TempDir(), name)
		if err != nil || os.WriteFile(path, data, 0o600) != nil {
			t.Fatal(err)
		}
		return path
	}
	args := []string{command, "--config", file("config.json", config)}
	if command == "read" {
		args = append(args, "--catalog", file("catalog.json", map[string]any{"streams": []any{map[string]any{
			"stream": map[string]any{"name": "properties"}, "sync_mode": "full_refresh", "destination_sync_mode": "append",
		}}}))
	}
	var stdout bytes.Buffer
	code = cli.Run(t.Context(), source, metadata, args, strings.NewReader(""), &stdout, &bytes.Buffer{})
	output = stdout.String()
	for m, err := range protocol.Read(&stdout) {
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	return code, messages, output
}

// works is a server of either document, with a property in each stage and one whose stage is not told.
type works struct {
	old     bool   // follows 1.0.1
	odd     string // what becomes of what it does not know: "refused", "passed over", or "none" are found
	mu      sync.Mutex
	queries []string
}

func (s *works) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.queries = append(s.queries, r.URL.RawQuery)
	s.mu.Unlock()
	q := r.URL.Query()
	rows := []map[string]any{{"id": 9, "construction_stage": nil}}
	for i, stage := range stages() {
		switch {
		case !s.old:
			rows = append(rows, map[string]any{"id": i, "construction_stage": stage.label, "construction_stage_raw": stage.code})
		case stage.old:
			rows = append(rows, map[string]any{"id": i, "construction_stage": strings.ReplaceAll(stage.code, " ", "_")})
		}
	}
	if q.Get("deleted") == "true" {
		rows = nil
	}
	bad := false
	filter := func(name string, known bool, values ...string) {
		if !q.Has(name) {
			return
		}
		if !known || !slices.Contains(values, q.Get(name)) {
			bad = bad || s.odd == "refused"
			if s.odd == "none" && known {
				rows = nil
			}
			return
		}
		rows = slices.DeleteFunc(rows, func(row map[string]any) bool {
			return strings.ReplaceAll(fmt.Sprint(row[name]), "_", " ") != q.Get(name)
		})
	}
	if s.old {
		filter("construction_stage", true, "used", "under construction", "new")
		filter("construction_stage_raw", false)
	} else {
		filter("construction_stage", true, "Pré-lançamento", "Em construção", "Lançamento", "Usado")
		filter("construction_stage_raw", true, "pre-market", "under construction", "new", "used")
	}
	if bad {
		w.WriteHeader(http.StatusBadRequest)
		rows = nil
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"total": len(rows), "perPage": 100, "page": 1, "lastPage": 1, "data": append([]map[string]any{}, rows...)})
}

// The filter for the stage of the works means the same behind any host, whichever document the server follows and whatever it does with
// what it does not know.
func TestConstructionStage(t *testing.T) {
	for _, old := range []bool{true, false} {
		for _, odd := range []string{"refused", "passed over", "none"} {
			for filter, id := range map[string]string{
				"construction_stage=used": `"id":0`, "construction_stage=under construction": `"id":1`, "construction_stage=under_construction": `"id":1`,
				"construction_stage=new": `"id":2`, "construction_stage=Usado": `"id":0`, "construction_stage=Em construção": `"id":1`,
				"construction_stage=Lançamento": `"id":2`, "construction_stage_raw=used": `"id":0`, "construction_stage_raw=under construction": `"id":1`,
			} {
				t.Run(fmt.Sprintf("old %v, %s, %s", old, odd, filter), func(t *testing.T) {
					t.Parallel()
					s := &works{old: old, odd: odd}
					server := httptest.NewServer(s)
					defer server.Close()
					name, value, _ := strings.Cut(filter, "=")
					code, messages, output := run(t, "read", map[string]any{
						"token": "x-token", "base_url": server.URL, "requests_per_minute": 100000, "filters": map[string]any{name: value},
					})
					var got []string
					for _, m := range messages {
						if m.Record != nil {
							got = append(got, string(m.Record.Data))
						}
					}
					if code != 0 || len(got) != 1 || !strings.Contains(got[0], id) {
						t.Errorf("exit %d with %q, want %s; asked %q: %s", code, got, id, s.queries, output)
					}
					if !old && strings.Contains(filter, "raw") && len(s.queries) > 3 {
						t.Errorf("1.0.2 was asked %q", s.queries)
					}
				})
			}
		}
	}
}

// What only 1.0.2 has is not read as if it were everything.
func TestAStageThatOldServersDoNotHave(t *testing.T) {
	for _, odd := range []string{"refused", "passed over"} {
		for _, filter := range []string{"construction_stage=Pré-lançamento", "construction_stage_raw=pre-market"} {
			server := httptest.NewServer(&works{old: true, odd: odd})
			name, value, _ := strings.Cut(filter, "=")
			_, messages, output := run(t, "check", map[string]any{"token": "x-token", "base_url": server.URL, "filters": map[string]any{name: value}})
			if len(messages) != 1 || messages[0].ConnectionStatus == nil || messages[0].ConnectionStatus.Status != "FAILED" ||
				!strings.Contains(output, "1.0.1") {
				t.Errorf("%s, %s: %s", odd, filter, output)
			}
			server.Close()
		}
	}
}

// A filter that does not exist is refused by name before anything is asked; what was valid stays so.
func TestFilters(t *testing.T) {
	for _, test := range []struct {
		filters map[string]any
		want    string // a part of the answer; "" where it works
	}{
		{nil, ""},
		{map[string]any{}, ""},
		{map[string]any{"city": "Itapema", "rent": "true", "_why": "a note", "_": 7}, ""},
		{map[string]any{"search": "", "incorporation": "r32", "bedrooms": "1,3+"}, ""},
		{map[string]any{"cidade": "Itapema"}, `\"cidade\", which is no filter of DWV; the filters are search, address, city,`},
		{map[string]any{"city": "Itapema", "City": "x"}, "spelled in another way: it is written city."},
		{map[string]any{"estado": nil}, `\"estado\"`},
		{map[string]any{"quartos": 3}, `\"quartos\"`},
		{map[string]any{"": "x"}, `\"\"`},
		{map[string]any{strings.Repeat("x", 60): "y"}, "a member with a very long name"},
		{map[string]any{"city": 5}, `\"filters.city\" must be text`},
		{map[string]any{"rent": "yes"}, `\"filters.rent\" must be one of`},
	} {
		s := &works{}
		server := httptest.NewServer(s)
		config := map[string]any{"token": "x-token", "base_url": server.URL}
		if test.filters != nil {
			config["filters"] = test.filters
		}
		code, _, output := run(t, "check", config)
		status := "SUCCEEDED"
		if test.want != "" {
			status = "FAILED"
		}
		if code != 0 || !strings.Contains(output, status) || !strings.Contains(output, test.want) || (len(s.queries) > 0) != (test.want == "") {
			t.Errorf("%v: exit %d, asked %q: %s", test.filters, code, s.queries, output)
		}
		server.Close()
	}
}

// DWV says with 400 too that it does not know a property's code; where fields were chosen, it may as well mean these.
func TestGone(t *testing.T) {
	for _, test := range []struct {
		fields chosen
		status int
		gone   bool
	}{{nil, 400, true}, {nil, 500, false}, {nil, 200, false}, {chosen{"title"}, 400, false}} {
		if got := test.fields.gone(&httpclient.Response{Status: test.status}); got != test.gone {
			t.Errorf("%d with the fields %v: gone is %t", test.status, test.fields, got)
		}
	}
}
