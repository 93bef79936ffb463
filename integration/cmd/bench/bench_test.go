package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

func TestRelay(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("token") != "t" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(map[string]string{
			"/a?p=1": `{"total": 2, "of": {"x": [9]}, "data": [ {"id":1,"s":"]}\"","l":[{"a":1}]} , {"id":2} ], "more": [{"id":7}]}`,
			"/b":     ` [{"id":3}]`,
			"/c":     `[]`,
			"/bad":   `{"data":[{]}`,
			"/login": `{"token":"t"}`,
			"/echo":  `{"data":[` + string(sent) + `]}`,
		}[r.URL.RequestURI()]))
	}))
	defer server.Close()
	for _, c := range []struct {
		uris []string
		want []string
		err  string
	}{
		{uris: []string{"/a?p=1", "/b", "/c"}, want: []string{`{"id":1,"s":"]}\"","l":[{"a":1}]}`, `{"id":2}`, `{"id":3}`}},
		{uris: []string{"/login", "/echo"}, want: []string{`{"asked":1}`}},
		{uris: []string{"/bad"}, err: "not JSON"},
	} {
		p := plan{URL: server.URL, AtOnce: 2}
		for _, uri := range c.uris {
			p.Requests = append(p.Requests, request{Method: http.MethodPost, URI: uri, Header: http.Header{"Token": {"t"}}, Body: []byte(`{"asked":1}`)})
		}
		body, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "plan.json")
		if err := os.WriteFile(file, body, 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err = relay(t.Context(), file, &out)
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%v: got the error %v", c.uris, err)
		}
		var got []string
		for line := range strings.Lines(out.String()) {
			var m struct {
				Type   string
				Record struct{ Data json.RawMessage }
			}
			if err := json.Unmarshal([]byte(line), &m); err != nil || m.Type != "RECORD" {
				t.Errorf("%s: %v", line, err)
			}
			got = append(got, string(m.Record.Data))
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: got %q", c.uris, got)
		}
	}
}

// TestProfiledMain holds that what is put into common/cli/main.go for a profile is there, and that it is still Go.
func TestProfiledMain(t *testing.T) {
	t.Parallel()
	text, err := profiledMain()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "main.go", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "pprof.StopCPUProfile()\n\tos.Exit(code)") ||
		!slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"runtime/pprof"` }) {
		t.Errorf("no profile is taken in\n%s", text)
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	costs := []cost{{wall: 3, mib: 10}, {wall: 1, mib: 30}, {wall: 8, mib: 20}}
	if wall, mib := median(costs, wall), median(costs, memory); wall != 3 || mib != 20 {
		t.Errorf("got %v s, %v MiB", wall, mib)
	}
	if wall := median(costs[:2], wall); wall != 2 {
		t.Errorf("got %v s", wall)
	}
}

// TestFill holds that a relay prints all lines and bytes that it is short of, whatever its pages have.
func TestFill(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ lines, bytes int }{{0, 0}, {4, 12}, {2, 2}, {0, 7}, {1, 100}, {7, 33}} {
		var out bytes.Buffer
		o := &output{w: bufio.NewWriter(&out), plan: plan{Requests: make([]request, 3), Lines: c.lines, Bytes: c.bytes}}
		for _, page := range []string{"[]", `{"token":"t"}`, `{"data":[]}`} {
			if err := o.records([]byte(page)); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.w.Flush(); err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(out.Bytes(), []byte("\n")); lines != c.lines || out.Len() != c.bytes || len(bytes.TrimSpace(out.Bytes())) > 0 {
			t.Errorf("%+v: got %d lines in %q", c, lines, out.String())
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	r := &report{name: "x", title: "Title", note: "Note.", head: []string{"source", "s"}, bars: []bar{{"source-a", 2, 4}}}
	r.row("source-a", 1.2345)
	r.row("source-é", 12345.678)
	text := r.markdown()
	for _, want := range []string{
		"# Title\n\nNote.\n\n![", "|   source |       s |\n| -------: | ------: |\n| source-a |    1.23 |\n| source-é | 12345.7 |\n", "Measured on 20",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	folder := filepath.Join(t.TempDir(), "bench")
	if err := r.write(folder); err != nil {
		t.Fatal(err)
	}
	chart, err := os.ReadFile(filepath.Join(folder, "x.svg"))
	if err != nil || xml.Unmarshal(chart, new(struct{})) != nil {
		t.Errorf("the chart is %s: %v", chart, err)
	}
	for _, want := range []string{`width="210.0"`, `width="420.0"`, "source-a", `x1="325.0"`} {
		if !strings.Contains(string(chart), want) {
			t.Errorf("no %s in %s", want, chart)
		}
	}
}

func TestUsual(t *testing.T) {
	for _, c := range []struct{ inside, times, more, want int }{{1, 96, 4, 1}, {1, 90, 10, 3}, {3, 1, 0, 3}, {0, 0, 0, 1}} {
		log := slices.Concat(slices.Repeat([]sim.Request{{Inside: 3}}, c.more), slices.Repeat([]sim.Request{{Inside: c.inside}}, c.times))
		if got := usual(log); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}
