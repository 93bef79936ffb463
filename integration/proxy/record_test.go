package proxy

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/harness"
)

// recordTo records what use asks for, and gives the recording's name and text.
func recordTo(t *testing.T, target string, use func(base string), secrets ...string) (name, text string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "recording.jsonl")
	p, err := Start(Options{Target: target, Record: name, Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	use(p.URL())
	if _, err := os.Stat(name); err == nil {
		t.Error("the recording is there before the proxy is closed")
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(body) {
		if !json.Valid(line) {
			t.Errorf("not JSON: %.300s", line)
		}
	}
	return name, string(body)
}

// What was recorded comes again without the API, in order, whatever the secrets are now.
func TestReplay(t *testing.T) {
	t.Parallel()
	times := map[string]int{}
	s := api(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		times[r.URL.Path]++
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/v1/login":
			_, _ = io.WriteString(w, `{"access_token":"tok-1234567","expires_in":3600}`)
		case "/v1/busy":
			if times[r.URL.Path] == 1 {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(http.StatusTooManyRequests)
			}
			_, _ = fmt.Fprintf(w, `{"n":%d}`, times[r.URL.Path])
		case "/v1/bot12345678/list":
			_, _ = fmt.Fprintf(w, `{"query":%q,"next":"http://%s/v1/bot12345678/list?page=2","by":%q}`, r.URL.RawQuery, r.Host, r.Header.Get("Authorization"))
		case "/v1/search":
			_, _ = fmt.Fprintf(w, `{"found":%s}`, body)
		case "/v1/picture":
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write([]byte("\x89PNG\xff\xfe\x00" + strings.Repeat("\xe9", 100_000)))
		case "/v1/nothing":
			w.WriteHeader(http.StatusNoContent)
		}
	})
	name, text := recordTo(t, s.URL+"/v1", func(base string) {
		_, _, _, _ = ask(t, http.DefaultClient, "POST", base+"/login", "grant_type=password&password=hush%21&user=me", "Content-Type", "application/x-www-form-urlencoded")
		for range 2 {
			_, _, _, _ = ask(t, http.DefaultClient, "GET", base+"/busy", "")
		}
		get(t, http.DefaultClient, base+"/bot12345678/list?page=1&at=10:00", "Authorization", "Bearer tok-1234567")
		get(t, http.DefaultClient, base+"/bot12345678/list?at=10:01&page=2", "Authorization", "Bearer tok-1234567")
		_, _, _, _ = ask(t, http.DefaultClient, "POST", base+"/search", `{"b": [1.0, 2], "a": "x", "api_key": "k"}`)
		get(t, http.DefaultClient, base+"/picture")
		_, _, _, _ = ask(t, http.DefaultClient, "GET", base+"/nothing", "")
	}, "12345678")
	for _, secret := range []string{"tok-1234567", "hush!", "12345678", `"k"`} {
		if strings.Contains(strings.ReplaceAll(text, "%21", "!"), secret) {
			t.Errorf("%s is in the recording:\n%.3000s", secret, text)
		}
	}
	p := start(t, Options{Target: "http://placeholder.test/v1", Replay: name, Varying: []string{"at"}})
	base := p.URL()
	for round := range 2 {
		status, got, _, err := ask(t, http.DefaultClient, "POST", base+"/login", "user=me&grant_type=password&password=placeholder", "Content-Type", "application/x-www-form-urlencoded")
		if status != http.StatusOK || got != `{"access_token":"***","expires_in":3600}` || err != nil {
			t.Errorf("login: %d %s %v", status, got, err)
		}
		for n, want := range []string{`429 {"n":1} 7`, `200 {"n":2} `, `200 {"n":2} `} {
			status, got, header, err := ask(t, http.DefaultClient, "GET", base+"/busy", "")
			if came := fmt.Sprint(status, " ", got, " ", header.Get("Retry-After")); came != want || err != nil {
				t.Errorf("round %d, time %d: %s %v", round, n, came, err)
			}
		}
		if got := get(t, http.DefaultClient, base+"/bot-placeholder/list?at=now&page=1"); got !=
			`{"query":"page=1&at=10:00","next":"`+base+`/bot11111111/list?page=2","by":"Bearer ***"}` {
			t.Errorf("page 1: %s", got)
		}
		if _, got, _, err := ask(t, http.DefaultClient, "POST", base+"/search", `{"api_key":"other","a":"x","b":[1.0,2]}`); err != nil ||
			got != `{"found":{"b": [1.0, 2], "a": "x", "api_key": "k"}}` {
			t.Errorf("search: %s %v", got, err)
		}
		if got := get(t, http.DefaultClient, base+"/picture"); got != "\x89PNG\xff\xfe\x00"+strings.Repeat("\xe9", 100_000) {
			t.Errorf("the picture has %d bytes: %.20q", len(got), got)
		}
		if status, got, _, err := ask(t, http.DefaultClient, "GET", base+"/nothing", ""); status != http.StatusNoContent || got != "" || err != nil {
			t.Errorf("nothing: %d %q %v", status, got, err)
		}
		p.Rewind()
	}
	for range 2 {
		status, got, _, err := ask(t, http.DefaultClient, "GET", base+"/bot1/list?page=3&token=mine", "")
		if status != http.StatusBadRequest || !strings.Contains(got, "GET /v1/bot1/list?page=3&token=***: the recording has no answer") || err != nil {
			t.Errorf("got %d %q %v", status, got, err)
		}
	}
	if got := fmt.Sprint(p.Unknown()); got != "[GET /v1/bot1/list?page=3&token=***]" {
		t.Errorf("unknown: %s", got)
	}
}

// An account that is recorded through a tunnel is replayed to whoever comes, in either way.
func TestReplayOfForwarded(t *testing.T) {
	t.Parallel()
	s := api(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s at http://%s/next", r.URL.Path, r.Host)
	})
	name := filepath.Join(t.TempDir(), "recording.jsonl")
	p, err := Start(Options{Record: name})
	if err != nil {
		t.Fatal(err)
	}
	get(t, client(t, p), s.URL+"/a")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	to := start(t, Options{Replay: name})
	if got := get(t, client(t, to), "https://api.example.test/a"); got != "/a at https://api.example.test/next" {
		t.Errorf("got %q", got)
	}
	if got := get(t, http.DefaultClient, to.URL()+"/a"); got != "/a at "+to.URL()+"/next" {
		t.Errorf("got %q", got)
	}
}

// No secret can be read in a recording, in whatever encoding an API writes it, be it given, sent or handed out.
func TestSecretsInRecordings(t *testing.T) {
	t.Parallel()
	const given, sent, handed, cookie = `g1ven/"çñ&<+ %x`, "S3nt-in=a+header", "h4nded.out-é~later", "c00kie-value"
	every := func(format, text string) string {
		var b strings.Builder
		for _, r := range text {
			fmt.Fprintf(&b, format, r)
		}
		return b.String()
	}
	s := api(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: cookie})
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Echo", url.QueryEscape(given))
		all := []string{}
		for _, secret := range []string{given, sent, handed, cookie} {
			all = append(all, harness.Forms(secret)...)
			all = append(all, every("&#%d;", secret), every("&#x%04X;", secret), every(`\u%04X`, secret), every(`\u%04x`, secret), every(`\x%02x`, secret),
				url.QueryEscape(url.QueryEscape(secret)), every("%%%02x", secret[:4])+secret[4:], strings.ReplaceAll(secret, "/", `\/`), fmt.Sprintf("%x %X", secret, secret))
			for n := range 3 {
				all = append(all, "Basic "+base64.StdEncoding.EncodeToString([]byte(strings.Repeat("u", n)+":"+secret+":more")))
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"refresh_token": handed, "echo": all, "inner": string(must(json.Marshal(all)))})
	})
	_, text := recordTo(t, s.URL, func(base string) {
		get(t, http.DefaultClient, base+"/echo/"+url.PathEscape(given)+"?q="+url.QueryEscape(given), "X-Api-Key", sent)
		_, _, _, _ = ask(t, http.DefaultClient, "POST", base+"/echo", `{"text":"`+handed+`"}`, "Cookie", "a="+cookie)
	}, given)
	for _, secret := range []string{given, sent, handed, cookie} {
		for _, form := range append(harness.Forms(secret), quoted(secret), quoted(quoted(secret))) {
			if at := strings.Index(text, form); at >= 0 {
				t.Errorf("%q is in the recording as %q: …%.200s", secret, form, text[max(0, at-60):])
			}
		}
		for line := range strings.Lines(text) {
			var value struct{ Text []string }
			if err := json.Unmarshal([]byte(line), &value); err != nil {
				t.Fatal(err)
			}
			for _, reading := range harness.Readings(strings.Join(value.Text, "")) {
				for from := range len(secret) - 7 {
					if part := secret[from : from+7]; strings.Contains(reading, part) {
						t.Fatalf("%q can be read in the recording: %.300s", part, reading[max(0, strings.Index(reading, part)-100):])
					}
				}
			}
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Bodies larger than any buffer come through whole and unchanged, many at a time; what a reader left is not recorded, and what an API cut
// comes again cut.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	large := func(n string) string { return n + strings.Repeat("aé€😀", 30_000) + n }
	s := api(t, func(w http.ResponseWriter, r *http.Request) {
		text := large(r.URL.Path)
		if r.URL.Path == "/cut" {
			w.Header().Set("Content-Length", fmt.Sprint(len(text)))
			text = text[:len(text)/2]
		}
		_, _ = io.WriteString(w, text)
	})
	paths := []string{"/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7"}
	name, text := recordTo(t, s.URL, func(base string) {
		var all sync.WaitGroup
		for _, path := range paths {
			all.Go(func() {
				if got := get(t, http.DefaultClient, base+path); got != large(path) {
					t.Errorf("%s: %d bytes", path, len(got))
				}
			})
		}
		all.Wait()
		if _, got, _, err := ask(t, http.DefaultClient, "GET", base+"/cut", ""); err == nil {
			t.Errorf("the cut answer has %d bytes and no error", len(got))
		}
	})
	if n := strings.Count(text, "\n"); n != len(paths)+1 {
		t.Errorf("%d lines", n)
	}
	p := start(t, Options{Target: s.URL, Replay: name})
	s.Close()
	for _, path := range paths {
		if got := get(t, http.DefaultClient, p.URL()+path); got != large(path) {
			t.Errorf("%s: %d bytes", path, len(got))
		}
	}
	if _, got, _, err := ask(t, http.DefaultClient, "GET", p.URL()+"/cut", ""); err == nil || !strings.HasPrefix(large("/cut"), got) || len(got) < 10_000 {
		t.Errorf("the cut answer has %d bytes, %v", len(got), err)
	}
}

// What is no recording is not taken for one.
func TestBrokenRecording(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`[]`, `{"method":1,"text":[]}`, `{"method":"GET","url":"http://a/b","text":["`, `{"url":"http://a b/","text":[]}`, `{"text":[1]}`, `{"base64":["?"]}`} {
		name := filepath.Join(t.TempDir(), "recording.jsonl")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if p, err := Start(Options{Replay: name}); err == nil {
			t.Errorf("%s is taken for a recording", text)
			_ = p.Close()
		} else if !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := Start(Options{Replay: "a", Record: "b"}); err == nil {
		t.Error("replays and records")
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "http://a/x http://a": "https://b/c/x https://b/c", `http:\/\/a\/x`: `https:\/\/b\/c\/x`, "http:/a": "http:/a", "ahttp://aa": "ahttps://b/ca",
	} {
		if got := links("http://a", "https://b/c").text(text); got != want {
			t.Errorf("%s: got %s", text, got)
		}
	}
}

// A stream is replaced as the whole text is, wherever its parts end.
func FuzzSubstitution(f *testing.F) {
	f.Add("see http://a/b and http:\\/\\/a", "secret", uint8(1))
	f.Add("xx%73ecretxx", "secret", uint8(2))
	f.Fuzz(func(t *testing.T, text, secret string, size uint8) {
		for _, s := range []*substitution{links("http://a", "https://b/c"), newSecrets([]string{secret}).substitution(inText)} {
			got, err := io.ReadAll(s.reader(&small{strings.NewReader(text), int(size)%7 + 1}))
			if want := s.text(text); err != nil || string(got) != want {
				t.Errorf("got %q, want %q, %v", got, want, err)
			}
		}
	})
}

// small reads a few bytes at a time.
type small struct {
	io.Reader
	size int
}

func (s *small) Read(p []byte) (int, error) { return s.Reader.Read(p[:min(len(p), s.size)]) }

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a***", "abc", true}, {"***c", "abc", true}, {"a***c", "abc", true}, {"a***c", "ac", true},
		{"a***a", "a", false}, {"a***b***c", "aXbYc", true}, {"a***b***c", "acb", false}, {"***", "", true}, {"a***b", "aXbX", false},
	} {
		if got := matches(c.pattern, c.text); got != c.want {
			t.Errorf("%s, %s: %v", c.pattern, c.text, got)
		}
	}
}

func TestCredential(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"access_token": true, "Api-Key": true, "client_secret": true, "senha": true, "chave": true, "codigoAcesso": true, "key": true,
		"nextPageToken": false, "cursor_token": false, "name": false, "keyword": false, "page": false, "passenger": false,
	} {
		if credential(name) != want {
			t.Errorf("%s is not %v", name, want)
		}
	}
}
