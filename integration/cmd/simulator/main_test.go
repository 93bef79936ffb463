package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	file, book := filepath.Join(t.TempDir(), "config.json"), filepath.Join(t.TempDir(), "book.jsonl")
	in, say := io.Pipe()
	hear, out := io.Pipe()
	ended := make(chan error)
	go func() {
		args := []string{"dwv", "--size", "30", "--config", file, "--set", "max-limit=7", "--quota", "2", "--retry-after", "seconds", "--record", book}
		err := run(t.Context(), args, in, out, io.Discard)
		_ = out.CloseWithError(io.EOF)
		ended <- err
	}()
	lines := bufio.NewScanner(hear)
	next := func() string {
		if !lines.Scan() {
			t.Fatalf("the output ended: %v", lines.Err())
		}
		return lines.Text()
	}
	if line := next(); !strings.HasSuffix(line, file) {
		t.Errorf("%q", line)
	}
	url := strings.TrimPrefix(next(), "listening at ")
	printed := next()
	written, err := os.ReadFile(file)
	if err != nil || string(written) != printed+"\n" {
		t.Errorf("%v: printed %s, wrote %s", err, printed, written)
	}
	var config struct {
		Token   string `json:"token"`
		BaseURL string `json:"base_url"`
		PerMin  int    `json:"requests_per_minute"`
	}
	if err := json.Unmarshal(written, &config); err != nil || config.BaseURL != url || config.PerMin != 2 {
		t.Fatalf("%v: %+v, listening at %s", err, config, url)
	}
	for i, want := range []int{200, 200, 429} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/integration/properties?limit=50", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("token", config.Token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != want || want == 200 && !strings.Contains(string(body), `"total":30,"perPage":7,`) {
			t.Errorf("request %d: %d %.100s", i, answer.StatusCode, body)
		}
	}
	for command, want := range map[string]string{
		"change 2 1": "changed 2, deleted 1", "expect": `{"available_fields":{"must":["`, "stats": "requests 3, repeated 1, refused by quota 1", "dance": `"dance" is none of`,
	} {
		_, _ = io.WriteString(say, command+"\n")
		if line := next(); !strings.HasPrefix(line, want) {
			t.Errorf("%s: %q", command, line)
		}
	}
	_, _ = io.WriteString(say, "quit\n")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	recorded, err := os.ReadFile(book)
	if lines := strings.Split(strings.TrimSpace(string(recorded)), "\n"); err != nil || len(lines) != 2 ||
		!strings.HasPrefix(lines[0], `{"path":"/integration/properties","query":{"limit":["50"]},"answer":{"total":30,`) {
		t.Errorf("%v: recorded %.200s", err, recorded)
	}
}

// What a destination is configured with is not what its source is.
func TestRunForADestination(t *testing.T) {
	for name, inSource := range map[string]bool{"destination-snapproperty": false, "source-snapproperty": true} {
		var out bytes.Buffer
		if err := run(t.Context(), []string{name}, strings.NewReader("quit\n"), &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "page_size") != inSource {
			t.Errorf("%s: %s", name, out.String())
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for _, args := range [][]string{
		nil, {"--size", "1"}, {"nothing"}, {"dwv", "extra"}, {"dwv", "--no-such-flag"}, {"dwv", "--fault-kinds", "flood"},
		{"dwv", "--set", "version"}, {"dwv", "--set", "version=9"}, {"dwv", "--early", "x"}, {"dwv", "--addr", "nowhere:x"},
	} {
		if err := run(t.Context(), args, strings.NewReader(""), io.Discard, io.Discard); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}

func TestHelp(t *testing.T) {
	var usage strings.Builder
	if err := run(t.Context(), []string{"--help"}, strings.NewReader(""), io.Discard, &usage); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
	if !strings.Contains(usage.String(), "-fault-kinds") {
		t.Errorf("the usage is %q", usage.String())
	}
}
