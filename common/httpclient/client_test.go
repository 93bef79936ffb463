package httpclient

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

func TestNewTakesSchemeAndHostAlone(t *testing.T) {
	for _, good := range []string{
		"https://api.example.com", "https://api.example.com/", " https://api.example.com:8443 ", "http://localhost:8080",
		"http://127.0.0.2", "http://[::1]:9", "http://host.docker.internal:80", "HTTPS://api.example.com",
		"https://api.example.com:65535", "https://api.example.com:", "https://my-org--dev.my_domain.example.com.", "https://imóveis.example.com",
	} {
		if _, err := New(Options{BaseURL: good}); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "api.example.com", "ftp://api.example.com", "https://", "https:///path", "https://api.example.com/v1",
		"https://api.example.com?k=tok",
		"https://api.example.com/#x", "https://user:tok@api.example.com", "https://api.example.com:port", "http://api.example.com",
		"http://10.0.0.1", "https://:443", "https://api.example.com/?", "ht tp://x", "localhost:8080",
		"http://127.0.0.1:99999", "https://api.example.com:65536", "https://api.example.com:0", "https://[::1]:0", "https://api example.com",
		"https://api..example.com", "https://.", "https://api,example.com", "https://" + strings.Repeat("x", 64) + ".example.com",
	} {
		_, err := New(Options{BaseURL: bad, Setting: "org_url"})
		if err == nil {
			t.Errorf("%q was taken", bad)
			continue
		}
		message := wantFault(t, err, fault.Config, `The configuration needs mending: "org_url" must `)
		if !strings.HasSuffix(message, ".") {
			t.Errorf("%q: no sentence: %s", bad, message)
		}
		if strings.Contains(message, "tok") || strings.Contains(message, "user") {
			t.Errorf("%q is echoed: %s", bad, message)
		}
	}
	_, err := New(Options{})
	wantFault(t, err, fault.Config, `"base_url" must be a scheme and a host, such as https://`)
}

func TestPlainHTTPWarns(t *testing.T) {
	var log bytes.Buffer
	o := Options{BaseURL: "http://imob.example.com:4001", PlainHTTP: true, Log: slog.New(slog.NewTextHandler(&log, nil))}
	if _, err := New(o); err != nil {
		t.Fatal(err)
	}
	if got := log.String(); strings.Count(got, "level=WARN") != 1 || !strings.Contains(got, "unencrypted") {
		t.Errorf("log: %s", got)
	}
	log.Reset()
	o.BaseURL = "https://imob.example.com"
	if _, err := New(o); err != nil || log.Len() > 0 {
		t.Errorf("HTTPS: %v, log %q", err, log.String())
	}
}

func TestOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{good}}
		c, _ := client(t, s.ServeHTTP, func(o *Options) {
			o.Auth = signer(func(r *Request) { *r = r.With(Header, "Token", "abc") })
			o.Header = http.Header{"X-Own": {"1"}}
			o.Judge = func(*Response) Verdict { return Fail(fault.Systemf("not asked")) }
		})
		other, err := c.Other("http://localhost:81", "token_url")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Do(t.Context(), Request{Path: "/token"}); err != nil {
			t.Fatal(err)
		}
		if h := s.seen[0].Header; h.Get("Token") != "" || h.Get("X-Own") != "" {
			t.Errorf("the API's headers went to another host: %v", h)
		}
		_, err = c.Other("https://example.com:99999", "token_url")
		wantFault(t, err, fault.Config, `"token_url" must have a port from 1 to 65535`)
		_, err = c.Other("http://example.com", "token_url")
		wantFault(t, err, fault.Config, `"token_url" must begin with https://`)
	})
}

func TestSecretsAndQueriesStayInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const secret, learned = "s3cr3t-t0ken-value", "learned-s3ssion"
		var log bytes.Buffer
		s := &script{answers: []answer{{status: 400, body: `{"echo":"` + secret + `","more":"` + learned + `"}`}}}
		c, m := client(t, s.ServeHTTP, func(o *Options) {
			o.Redact = redact.New(secret)
			o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		c.Secret(learned)
		ask := Request{Path: "/v1/" + secret + "/x?private=1"}.With(Query, "filter", "private")
		_, err := c.Do(t.Context(), ask)
		wantFault(t, err, fault.System, "GET localhost/v1/", "(400)")
		judged := ask
		judged.Judge = func(r *Response) Verdict { return Fail(fault.Configf("it said %s", r.Text)) }
		_, judgedErr := c.Do(t.Context(), judged)
		wantFault(t, judgedErr, fault.Config, "it said ")
		judged.Judge = func(r *Response) Verdict { return Fail(fmt.Errorf("it said %s", r.Text)) }
		_, plainErr := c.Do(t.Context(), judged)
		wantFault(t, plainErr, fault.System, "it said ")
		_ = m.Close()
		c.Close()
		cut, cancel := contextWithTimeout(t)
		defer cancel()
		_, noAnswer := c.Do(cut, ask)
		for _, text := range []string{
			err.Error(), judgedErr.Error(), plainErr.Error(), fault.Of(judgedErr).Message, noAnswer.Error(), log.String(),
		} {
			if strings.Contains(text, secret) || strings.Contains(text, learned) || strings.Contains(text, "private") {
				t.Errorf("leaks: %s", text)
			}
		}
		for _, want := range []string{"level=DEBUG", "status=400", "bytes=", "attempt=1", "duration="} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %s: %s", want, log.String())
			}
		}
		if strings.Contains(log.String(), "level=WARN") {
			t.Error("normal operation warns")
		}
	})
}

func TestNilClientParts(t *testing.T) {
	c, err := New(Options{BaseURL: "https://api.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	c.Secret("no redactor to tell")
	c.Close()
}
