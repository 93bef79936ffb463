package proxy

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// start starts a proxy that is closed with the test.
func start(t *testing.T, o Options) *Proxy {
	t.Helper()
	p, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// api returns a server that answers with handle.
func api(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s
}

// client sends through p, and trusts nobody else.
func client(t *testing.T, p *Proxy) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(p.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	through, err := url.Parse(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(through), TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// ask sends a request and reads the answer. The body is what came, also where an error says that there should be more.
func ask(t *testing.T, c *http.Client, method, address, body string, header ...string) (status int, got string, answered http.Header, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := c.Do(r)
	if err != nil {
		return 0, "", nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), answer.Header, err
}

// get returns ask for a request that has to succeed.
func get(t *testing.T, c *http.Client, address string, header ...string) string {
	t.Helper()
	status, got, _, err := ask(t, c, "GET", address, "", header...)
	if err != nil || status != http.StatusOK {
		t.Fatalf("GET %s: %d, %q, %v", address, status, got, err)
	}
	return got
}

func TestReverse(t *testing.T) {
	t.Parallel()
	var s *httptest.Server
	s = api(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/moved" {
			http.Redirect(w, r, s.URL+"/v2/list?page=1", http.StatusFound)
			return
		}
		if r.Host != strings.TrimPrefix(s.URL, "http://") || r.URL.Path != "/v2/list" || r.Header.Get("X-Forwarded-For") != "" {
			t.Errorf("got %s %s %v", r.Host, r.URL, r.Header)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Link", "<"+s.URL+"/v2/list?page=2>; rel=next")
		text := fmt.Sprintf(`{"next":"%s/v2/list?page=2","same":"%s","other":"http://else.where/"}`, s.URL, strings.ReplaceAll(s.URL+"/v2/list", "/", `\/`))
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			_, _ = io.WriteString(z, text)
			return
		}
		_, _ = io.WriteString(w, text)
	})
	p := start(t, Options{Target: s.URL + "/v2/"})
	want := fmt.Sprintf(`{"next":"%s/list?page=2","same":"%s","other":"http://else.where/"}`, p.URL(), strings.ReplaceAll(p.URL()+"/list", "/", `\/`))
	for _, path := range []string{"/list?page=1", "/moved"} {
		status, got, header, err := ask(t, http.DefaultClient, "GET", p.URL()+path, "")
		if err != nil || status != http.StatusOK || got != want || header.Get("Link") != "<"+p.URL()+"/list?page=2>; rel=next" {
			t.Errorf("%s: got %d %s %v %v", path, status, got, header, err)
		}
	}
	if n := p.Requests(); n != 3 {
		t.Errorf("%d requests", n)
	}
}

func TestForward(t *testing.T) {
	t.Parallel()
	s := api(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Method+" "+r.URL.RequestURI()+" "+r.Host)
	})
	host := strings.TrimPrefix(s.URL, "http://")
	p := start(t, Options{})
	if got := get(t, client(t, p), s.URL+"/a?b=%20c"); got != "GET /a?b=%20c "+host {
		t.Errorf("got %q", got)
	}
	to := start(t, Options{Target: s.URL + "/v1"})
	for _, address := range []string{"http://api.example.test/a%2Fb", "https://api.example.test/a%2Fb", "https://203.0.113.7:8443/a%2Fb"} {
		if got := get(t, client(t, to), address); got != "GET /v1/a%2Fb "+host {
			t.Errorf("%s: got %q", address, got)
		}
	}
}

// Without a target nothing can be asked of the proxy itself, and what cannot be reached is said.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	if status, got, _, err := ask(t, http.DefaultClient, "GET", p.URL()+"/a", ""); status != http.StatusBadGateway || !strings.Contains(got, "no target") || err != nil {
		t.Errorf("got %d %q %v", status, got, err)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	p = start(t, Options{Target: gone.URL})
	if status, got, _, err := ask(t, http.DefaultClient, "GET", p.URL()+"/a?token=t0ken", ""); status != http.StatusBadGateway ||
		!strings.Contains(got, "GET /a?token=***") || err != nil {
		t.Errorf("got %d %q %v", status, got, err)
	}
	if _, err := Start(Options{Target: "api.example.test"}); err == nil {
		t.Error("a target without a scheme is none")
	}
	if _, err := Start(Options{Replay: t.TempDir() + "/none.jsonl"}); err == nil {
		t.Error("a recording that is not there cannot be replayed")
	}
}

// A program that knows nothing of the proxy finds it, and trusts it, by its environment alone.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	s := api(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello "+r.URL.Path) })
	p := start(t, Options{Target: s.URL})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0])
	command.Env = append(p.Env(), "PROXY_TEST_ASK=https://api.example.test/world", "HOME="+t.TempDir())
	out, err := command.CombinedOutput()
	if err != nil || string(out) != "hello /world" {
		t.Errorf("got %q, %v", out, err)
	}
}

// TestMain is also the program of TestEnvironment.
func TestMain(m *testing.M) {
	address := os.Getenv("PROXY_TEST_ASK")
	if address == "" {
		os.Exit(m.Run())
	}
	answer, err := http.Get(address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = io.Copy(os.Stdout, answer.Body)
	_ = answer.Body.Close()
}

// A tunnel in which nobody speaks, or nobody speaks TLS, keeps nothing from closing.
func TestSilentTunnel(t *testing.T) {
	t.Parallel()
	s := api(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) })
	p, err := Start(Options{Target: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	open := func() io.ReadWriteCloser {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, "CONNECT api.example.test:80 HTTP/1.1\r\nHost: api.example.test:80\r\n\r\n")
		head := make([]byte, len("HTTP/1.1 200 Connection established\r\n\r\n"))
		if _, err := io.ReadFull(conn, head); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	plain, silent := open(), open()
	_, _ = io.WriteString(plain, "GET /in/clear HTTP/1.1\r\nHost: api.example.test\r\nConnection: close\r\n\r\n")
	if got, err := io.ReadAll(plain); err != nil || !strings.Contains(string(got), "/in/clear\r\n") {
		t.Errorf("got %q, %v", got, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("the silent tunnel is open")
	}
}
