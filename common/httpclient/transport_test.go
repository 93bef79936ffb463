package httpclient

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

func TestTimeouts(t *testing.T) {
	stall := func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"a":`))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	tests := map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"headers": {hang, "GET localhost/x got no answer in time (tried "},
		"body":    {stall, "GET localhost/x was cut off: no byte came for a minute (tried "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var gaps []time.Duration
				last := time.Now()
				c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
					gaps, last = append(gaps, time.Since(last)), time.Now()
					tt.handler(w, r)
				}, nil)
				start := time.Now()
				_, err := c.Do(t.Context(), Request{Path: "/x"})
				wantFault(t, err, fault.Transient, "GET localhost/x ", " (tried ")
				if took := time.Since(start); took > 10*time.Minute || took < 8*time.Minute {
					t.Errorf("ended after %v", took)
				}
				synctest.Wait() // for the server's last handler
				for _, gap := range gaps[1:] {
					if gap < time.Minute || gap > 91*time.Second && name != "headers" {
						t.Errorf("tried again after %v", gap)
					}
				}
				c.o.MaxElapsed = time.Minute + 1 // one attempt
				_, err = c.Do(t.Context(), Request{Path: "/x"})
				wantFault(t, err, fault.Transient, tt.want)
			})
		})
	}
}

// If an answer did not begin in time, the next attempt waits longer for it, and the log says so.
func TestSlowAnswers(t *testing.T) {
	for slow, asked := range map[time.Duration]int{
		59 * time.Second: 1, 61 * time.Second: 2, 2*time.Minute - time.Second: 2, 2*time.Minute + time.Second: 3, 239 * time.Second: 3, time.Hour: 4,
	} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			var times []time.Time
			c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
				times = append(times, time.Now())
				select {
				case <-time.After(slow):
				case <-r.Context().Done():
				}
				_, _ = io.WriteString(w, "{}")
			}, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			start := time.Now()
			_, err := c.Do(t.Context(), Request{Path: "/x"})
			took := time.Since(start)
			synctest.Wait() // for the server's last handler
			if slow == time.Hour {
				wantFault(t, err, fault.Transient, "GET localhost/x got no answer in time (tried 4 times in 10m0s). Trying again later may help.")
			} else if err != nil {
				t.Error(err)
			}
			if len(times) != asked || took > 10*time.Minute || strings.Count(log.String(), "\n") != asked-1 {
				t.Errorf("%v: asked %d times in %v, told:\n%s", slow, len(times), took, &log)
			}
			for i := range times[1:] {
				wait := time.Minute << i
				if gap := times[i+1].Sub(times[i]); gap < wait || gap > wait+5*time.Second {
					t.Errorf("%v: asked again after %v", slow, gap)
				}
				if told := fmt.Sprintf("2000-01-01T00:10:00Z. Its answer may take %v to begin.", 2*wait); i < 2 && !strings.Contains(log.String(), told) {
					t.Errorf("%v: not told: %s\n%s", slow, told, &log)
				}
			}
			c.o.MaxElapsed = 90 * time.Second // the next request starts afresh, and an attempt ends with its request's time
			start = time.Now()
			if _, err := c.Do(t.Context(), Request{}); asked > 1 && (err == nil || time.Since(start) != c.o.MaxElapsed) {
				t.Errorf("%v: ended after %v: %v", slow, time.Since(start), err)
			}
		})
	}
}

func TestSlowBodyIsFine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
			for range 5 {
				time.Sleep(59 * time.Second)
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
			}
			_, _ = io.WriteString(w, "{}")
		}, nil)
		if _, err := c.Do(t.Context(), Request{}); err != nil {
			t.Error(err)
		}
	})
}

func TestAnAttemptEndsWithItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := client(t, hang,
			func(o *Options) { o.MaxElapsed = 30 * time.Second })
		start := time.Now()
		_, err := c.Do(t.Context(), Request{Path: "/x"})
		wantFault(t, err, fault.Transient, "GET localhost/x got no answer in time (tried once in 30s)")
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// If configured, a host that never answered is given less time than one that did.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mute atomic.Bool
		mute.Store(true)
		c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
			if mute.Load() {
				hang(w, r)
			}
			_, _ = io.WriteString(w, "{}")
		}, func(o *Options) { o.MaxElapsed, o.Silence = 25*time.Second, 6*time.Second })
		ends := func(after time.Duration) {
			t.Helper()
			start := time.Now()
			_, err := c.Do(t.Context(), Request{Path: "/x"})
			if took := time.Since(start); took != after {
				t.Errorf("it ended after %v, want %v: %v", took, after, err)
			}
		}
		ends(6 * time.Second)
		ends(6 * time.Second)
		mute.Store(false)
		ends(0)
		mute.Store(true)
		ends(25 * time.Second)
	})
}

func TestConnectTimeouts(t *testing.T) {
	c, err := New(Options{BaseURL: "https://api.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range []*http.Transport{c.pooled, c.single} {
		if tr.TLSHandshakeTimeout != 10*time.Second || tr.Proxy == nil || tr.MaxIdleConnsPerHost < 32 {
			t.Errorf("transport %+v", tr)
		}
	}
	synctest.Test(t, func(t *testing.T) { // a server that accepts the connection and does not speak TLS
		deaf := func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go io.Copy(io.Discard, server) //nolint:errcheck // until the client closes
			return client, nil
		}
		c, err := New(Options{BaseURL: "https://localhost", MaxElapsed: 10500 * time.Millisecond, Dial: deaf})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = c.Do(t.Context(), Request{})
		wantFault(t, err, fault.Transient, "in time")
		if took := time.Since(start); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("took %v", took)
		}
		time.Sleep(time.Minute) // the transport goes on connecting, in case another request comes
	})
}

func TestBodyLimit(t *testing.T) {
	const limit = 100_000
	body := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }
	packed := func(w http.ResponseWriter, s, name string) {
		w.Header().Set("Content-Encoding", name)
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, s)
		_ = z.Close()
	}
	tests := map[string]struct {
		write func(w http.ResponseWriter)
		size  int // 0 is too large
	}{
		"just": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", fmt.Sprint(limit))
			_, _ = io.WriteString(w, body(limit))
		}, limit},
		"just, chunked": {func(w http.ResponseWriter) { _, _ = io.WriteString(w, body(limit)) }, limit},
		"just, gzip":    {func(w http.ResponseWriter) { packed(w, body(limit), "gzip") }, limit},
		"just, x-gzip":  {func(w http.ResponseWriter) { packed(w, body(limit), "X-GZIP") }, limit}, // RFC 9110, 8.4.1.3: the same
		"announced": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", fmt.Sprint(limit+1))
			_, _ = io.WriteString(w, body(limit+1))
		}, 0},
		"chunked": {func(w http.ResponseWriter) { _, _ = io.WriteString(w, body(limit+1)) }, 0},
		"gzip":    {func(w http.ResponseWriter) { packed(w, body(100*limit), "gzip") }, 0},
		"x-gzip":  {func(w http.ResponseWriter) { packed(w, body(100*limit), "x-gzip") }, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked int
				c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
					if asked++; r.Header.Get("Accept-Encoding") != "gzip" {
						t.Errorf("Accept-Encoding %q", r.Header.Get("Accept-Encoding"))
					}
					tt.write(w)
				}, func(o *Options) { o.MaxBody = limit })
				res, err := c.Do(t.Context(), Request{Path: "/x"})
				if tt.size > 0 {
					if err != nil || len(res.Body.Raw()) != tt.size {
						t.Errorf("%v", err)
					}
					return
				}
				wantFault(t, err, fault.System, "GET localhost/x was answered with more than ", ", which is the limit")
				if asked != 1 {
					t.Errorf("asked %d times", asked)
				}
			})
		})
	}
	if defaultMaxBody != 64<<20 {
		t.Error("the default is not 64 MiB")
	}
}

func TestBadGzipIsRetried(t *testing.T) {
	for _, name := range []string{"gzip", "x-gzip"} {
		for _, body := range []string{"not gzip", "", "\x1f\x8b\x08"} {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: []answer{{status: 200, body: body, header: []string{"Content-Encoding", name}}, good}}
				c, _ := client(t, s.ServeHTTP, nil)
				if _, err := c.Do(t.Context(), Request{}); err != nil || s.count() != 2 {
					t.Errorf("%s, %q: %v, asked %d times", name, body, err, s.count())
				}
			})
		}
	}
}

// An answer without a body may be declared as compressed too.
func TestNothingPacked(t *testing.T) {
	for _, name := range []string{"gzip", "x-gzip"} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := client(t, answer{status: 404, header: []string{"Content-Encoding", name}}.serve, nil)
			_, err := c.Do(t.Context(), Request{})
			wantFault(t, err, fault.Config, "was not found (404): the API gave no reason")
		})
	}
}

func TestRedirects(t *testing.T) {
	to := func(status int, location string) answer {
		return answer{status: status, header: []string{"Location", location}}
	}
	tests := map[string]struct {
		method   string
		answer   answer
		followed bool
	}{
		"same host":       {"GET", to(302, "/other?page=2"), true},
		"absolute":        {"GET", to(301, "http://LOCALHOST:80/other"), true},
		"POST stays POST": {"POST", to(307, "/other"), true},
		"POST to GET":     {"POST", to(303, "/other"), false},
		"other host":      {"GET", to(302, "http://evil.example.com/other?token=x"), false},
		"other port":      {"GET", to(302, "http://localhost:81/other"), false},
		"loop":            {"GET", to(302, "/"), false},
		"no address":      {"GET", to(302, "http://localhost:port/token"), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked int
				c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
					if asked++; r.URL.Path == "/other" {
						if r.Header.Get("Token") != "abc" {
							t.Error("without credentials")
						}
						good.write(w)
						return
					}
					tt.answer.write(w)
				}, func(o *Options) { o.Auth = signer(func(r *Request) { *r = r.With(Header, "Token", "abc") }) })
				_, err := c.Do(t.Context(), Request{Method: tt.method, Path: "/"})
				if tt.followed {
					if err != nil {
						t.Error(err)
					}
					return
				}
				message := wantFault(t, err, fault.Config, " was redirected ", "which is refused. Check base_url.")
				if strings.Contains(message, "token") || asked > maxRedirects+1 {
					t.Errorf("asked %d times: %s", asked, message)
				}
			})
		})
	}
	hop := func(from, to string) error {
		_, err := redirected(httptest.NewRequest(http.MethodGet, from, nil), &http.Response{StatusCode: 307, Header: http.Header{"Location": {to}}}, 0)
		return err
	}
	if hop("https://h/x", "http://h/x") == nil {
		t.Error("https went on as http")
	}
	if err := hop("http://h/x", "https://h/x"); err != nil {
		t.Errorf("http to https: %v", err)
	}
}

func TestNoConnection(t *testing.T) {
	const noNetwork = "could not be sent: this machine has no network, or its DNS does not answer (tried "
	tests := map[string]struct {
		err  error
		kind fault.Kind
		want string
	}{
		"no host": {&net.DNSError{Name: "localhost", IsNotFound: true}, fault.Config, "the host localhost was not found (tried "},
		"DNS":     {&net.DNSError{Name: "localhost", Err: "server misbehaving", IsTemporary: true}, fault.Transient, noNetwork},
		"no DNS": {
			&net.DNSError{Name: "localhost", Err: "dial udp 10.0.0.1:53: connect: network is unreachable", IsTimeout: true}, fault.Transient, noNetwork,
		},
		"no network": {os.NewSyscallError("connect", syscall.ENETUNREACH), fault.Transient, noNetwork},
		"no route":   {os.NewSyscallError("connect", syscall.EHOSTUNREACH), fault.Transient, noNetwork},
		"refused":    {syscall.ECONNREFUSED, fault.Transient, "could not be sent: the connection was refused (tried "},
		"reset":      {syscall.ECONNRESET, fault.Transient, "was cut off before the answer was complete (tried "},
		"timeout":    {os.ErrDeadlineExceeded, fault.Transient, "got no answer in time (tried "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dials := 0
				c, _ := client(t, nil, func(o *Options) {
					o.MaxElapsed = 30 * time.Second
					o.Dial = func(context.Context, string, string) (net.Conn, error) {
						dials++
						return nil, &net.OpError{Op: "dial", Net: "tcp", Err: tt.err}
					}
				})
				_, err := c.Do(t.Context(), Request{Path: "/x?private=1"})
				message := wantFault(t, err, tt.kind, "GET localhost/x ", tt.want)
				if dials < 3 || strings.Contains(err.Error(), "private") || tt.kind == fault.Config && !strings.Contains(message, "Check base_url.") {
					t.Errorf("%d dials: %v", dials, err)
				}
			})
		})
	}
}

func TestProxyThatIsNotFound(t *testing.T) {
	c, err := New(Options{BaseURL: "https://api.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	f := c.noAnswer("POST", &url.Error{Op: "Get", URL: "https://api.example.com/?private=1", Err: &net.OpError{
		Op: "proxyconnect", Err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: "proxy.example.com", IsNotFound: true}},
	}}, false)
	wantFault(t, c.err("GET /x", f, ""), fault.Config, "GET /x could not be sent: the host proxy.example.com was not found. Check HTTP_PROXY")
}

// A proxy that lets nothing through is named, without what precedes its name, and so is who has to act.
func TestProxyThatRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		base   string
		status int // 0: nothing listens
		kind   fault.Kind
		want   string
	}{
		"wants a password":                {"https://api.example.com", 407, fault.Config, "could not be sent: the proxy proxy.example.com:3128 does not let it through (407). Check HTTP_PROXY"},
		"forbids the host":                {"https://api.example.com", 403, fault.Config, "the proxy proxy.example.com:3128 does not let it through (403). Check HTTP_PROXY"},
		"fails":                           {"https://api.example.com", 502, fault.Transient, "the proxy proxy.example.com:3128 does not let it through (502) (tried "},
		"does not listen":                 {"https://api.example.com", 0, fault.Transient, "the proxy proxy.example.com:3128 does not answer (tried "},
		"wants a password for plain HTTP": {"http://localhost", 407, fault.Config, "was refused by the proxy (407): the API gave no reason. Check HTTP_PROXY"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := client(t, answer{status: tt.status}.serve, func(o *Options) {
					o.BaseURL, o.MaxElapsed = tt.base, 30*time.Second
					if tt.status == 0 {
						o.Dial = func(context.Context, string, string) (net.Conn, error) {
							return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
						}
					}
				})
				c.pooled.Proxy = http.ProxyURL(&url.URL{Scheme: "http", User: url.UserPassword("ana", "private"), Host: "proxy.example.com:3128"})
				_, err := c.Do(t.Context(), Request{Path: "/x"})
				if message := wantFault(t, err, tt.kind, tt.want, checkProxy); strings.Contains(message+err.Error(), "private") {
					t.Errorf("told: %v", err)
				}
			})
		})
	}
	c, err := New(Options{BaseURL: "https://api.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	c.pooled.Proxy = func(*http.Request) (*url.URL, error) { return nil, errors.New("invalid proxy address private") }
	_, err = c.Do(t.Context(), Request{Path: "/x"})
	wantFault(t, err, fault.Config, "could not be sent: the address of the proxy cannot be read. Check HTTP_PROXY")
}

// The tests below need sockets: TLS, the environment's proxy, HTTP/2.

func TestCertificates(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(good.serve))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	var connections atomic.Int64
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()
	c, err := New(Options{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Do(t.Context(), Request{Path: "/x"})
	wantFault(t, err, fault.Config, "GET "+strings.TrimPrefix(server.URL, "https://")+"/x could not be sent: the certificate of 127.0.0.1 is not trusted. Check base_url.", "SSL_CERT_FILE")
	if n := connections.Load(); n != 1 {
		t.Errorf("it was tried %d times", n)
	}

	plain := httptest.NewServer(http.HandlerFunc(good.serve))
	defer plain.Close()
	c, err = New(Options{BaseURL: strings.Replace(plain.URL, "http", "https", 1)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Do(t.Context(), Request{Path: "/x"})
	wantFault(t, err, fault.Config, "does not answer by HTTPS. Check base_url.")
}

func TestHTTP2(t *testing.T) {
	var protos sync.Map
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protos.Store(r.Proto, true)
		good.write(w)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	c, err := New(Options{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	for _, h := range []*http.Transport{c.pooled, c.single} {
		h.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	for _, once := range []bool{false, true} {
		if _, err := c.Do(t.Context(), Request{Once: once}); err != nil {
			t.Error(err)
		}
	}
	if _, ok := protos.Load("HTTP/2.0"); !ok {
		t.Errorf("spoke not HTTP/2")
	}
}

// TestEnvironment sends requests in another process, because Go reads the environment's proxy and roots only once.
func TestEnvironment(t *testing.T) {
	if base := os.Getenv("TEST_ENVIRONMENT_BASE"); base != "" {
		c, err := New(Options{BaseURL: base, PlainHTTP: true, MaxElapsed: 20 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(t.Context(), Request{Path: "/x"}); err != nil {
			t.Fatal(fault.Of(err).Message, errors.Unwrap(err))
		}
		return
	}
	run := func(base string, env ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestEnvironment$", "-test.count=1")
		cmd.Env = append(os.Environ(), "TEST_ENVIRONMENT_BASE="+base, "no_proxy=", "NO_PROXY=")
		cmd.Env = append(cmd.Env, env...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	t.Run("proxy", func(t *testing.T) {
		var asked atomic.Value
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Store(r.URL.String())
			good.write(w)
		}))
		defer proxy.Close()
		if out, err := run("http://api.example.com", "HTTP_PROXY="+proxy.URL); err != nil || asked.Load() != "http://api.example.com/x" {
			t.Errorf("the proxy was asked %v: %v %s", asked.Load(), err, out)
		}
	})
	t.Run("roots", func(t *testing.T) {
		server := httptest.NewTLSServer(http.HandlerFunc(good.serve))
		defer server.Close()
		file := filepath.Join(t.TempDir(), "ca.pem")
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		if err := os.WriteFile(file, block, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := run(server.URL, "SSL_CERT_FILE="+file); err != nil {
			t.Errorf("%v %s", err, out)
		}
	})
}

func TestResetIsRetried(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.(*net.TCPConn).SetLinger(0) // RST
				_ = conn.Close()
			}
			return
		}
		good.write(w)
	}))
	defer server.Close()
	c, err := New(Options{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Do(t.Context(), Request{Method: "POST", Body: map[string]any{}}); err != nil || asked.Load() != 2 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}
