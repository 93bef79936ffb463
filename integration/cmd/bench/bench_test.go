package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
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

func TestMedian(t *testing.T) {
	t.Parallel()
	costs := []cost{{wall: 3 * time.Second, rss: 10}, {wall: time.Second, rss: 30}, {wall: 8 * time.Second, rss: 20}}
	if m := median(costs); m.wall != 3*time.Second || m.rss != 20 {
		t.Errorf("got %+v", m)
	}
	if m := median(costs[:2]); m.wall != 2*time.Second || m.rss != 20 {
		t.Errorf("got %+v", m)
	}
}
