package httpclient

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/internal/memnet"
)

// client returns a Client of a server in memory. change may change its options.
func client(t *testing.T, handler http.HandlerFunc, change func(*Options)) (*Client, *memnet.Network) {
	t.Helper()
	m := memnet.New()
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(m) }()
	o := Options{BaseURL: "http://localhost", Dial: m.Dial}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		_ = server.Close()
	})
	return c, m
}

// answer is one answer of a server: a status, a body, and headers as names and values.
type answer struct {
	status int
	body   string
	header []string
}

func (a answer) write(w http.ResponseWriter) {
	for i := 0; i < len(a.header); i += 2 {
		w.Header()[a.header[i]] = []string{a.header[i+1]}
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

var good = answer{status: 200, body: `{"ok":true}`}

// script is a server that gives one answer after another, repeats the last one forever, and records when it was asked.
type script struct {
	answers []answer

	mu    sync.Mutex
	times []time.Time
	seen  []*http.Request
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	i := len(s.times)
	s.times = append(s.times, time.Now())
	s.seen = append(s.seen, r)
	s.mu.Unlock()
	s.answers[min(i, len(s.answers)-1)].write(w)
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.times)
}

// wantFault checks the kind of an error and what its message holds. It returns the message.
func wantFault(t *testing.T, err error, kind fault.Kind, parts ...string) string {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	f := fault.Of(err)
	if f.Kind != kind {
		t.Errorf("kind %v, want %v: %v", f.Kind, kind, err)
	}
	for _, part := range parts {
		if !strings.Contains(f.Message, part) {
			t.Errorf("message %q lacks %q", f.Message, part)
		}
	}
	return f.Message
}

// signer is a Signer that cannot be renewed.
type signer func(*Request)

func (s signer) Sign(_ context.Context, r *Request) error {
	s(r)
	return nil
}

func contextWithTimeout(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), 5*time.Second)
}

// hang does not answer. It reads the body, because otherwise a server does not notice that the client has left.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}
