package auth_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

// tokenServer issues tok-1, tok-2 … with more in the answer, and accepts only the last one, under scheme.
type tokenServer struct {
	scheme, more string
	refuse       func(w http.ResponseWriter) bool // answers in its place

	mu     sync.Mutex
	issued int
	forms  []url.Values
}

func (s *tokenServer) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.Host == "localhost:81":
		if r.Header.Get("Authorization") != "" || r.URL.Path != "/services/oauth2/token" || r.URL.RawQuery != "v=1" {
			reply(w, 500, "unexpected "+r.URL.String())
			return
		}
		_ = r.ParseForm()
		s.forms = append(s.forms, r.PostForm)
		if s.refuse != nil && s.refuse(w) {
			return
		}
		s.issued++
		reply(w, 200, fmt.Sprintf(`{"access_token":"tok-%d","token_type":"Bearer"%s}`, s.issued, s.more))
	case r.URL.Path == "/expire":
		s.issued++
		reply(w, 200, `{}`)
	case r.Header.Get("Authorization") != fmt.Sprintf("%s tok-%d", s.scheme, s.issued):
		reply(w, 401, `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`)
	default:
		reply(w, 200, `{}`)
	}
}

const tokenURL = "http://localhost:81/services/oauth2/token?v=1"

func get(t *testing.T, c *httpclient.Client) {
	t.Helper()
	if _, err := c.Do(t.Context(), httpclient.Request{Path: "/data"}); err != nil {
		t.Error(err)
	}
}

func TestGrants(t *testing.T) {
	tests := map[string]struct {
		grant auth.Grant
		want  string
	}{
		"client credentials": {auth.ClientCredentials{ID: " id ", Secret: "s&s", Scopes: []string{"a", "b"}},
			"client_id=id&client_secret=s%26s&grant_type=client_credentials&scope=a+b"},
		"refresh":   {&auth.Refresh{ID: "id", Token: " r0 "}, "client_id=id&grant_type=refresh_token&refresh_token=r0"},
		"assertion": {auth.Assertion(" a.b.c\n"), "assertion=a.b.c&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &tokenServer{scheme: "Bearer"}
				secrets := redact.New()
				c, _ := start(t, auth.All(&auth.OAuth2{TokenURL: tokenURL, Grant: tt.grant}), s.serve,
					func(o *httpclient.Options) { o.Redact = secrets })
				var wg sync.WaitGroup
				for range 5 {
					wg.Go(func() { get(t, c) })
				}
				wg.Wait()
				if len(s.forms) != 1 || s.forms[0].Encode() != tt.want {
					t.Errorf("token calls: %v", s.forms)
				}
				if got := secrets.String("tok-1"); got == "tok-1" {
					t.Error("the token is no secret")
				}
			})
		})
	}
}

func TestSignedAssertion(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	inLines := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	for name, text := range map[string]string{
		"PKCS 8": inLines, "PKCS 1": pkcs1, "in one line": strings.ReplaceAll(inLines, "\n", `\n`), "from Windows": strings.ReplaceAll(pkcs1, "\n", "\r\n"),
		"with blanks for line breaks": strings.ReplaceAll(inLines, "\n", " "), "indented": "  " + strings.ReplaceAll(pkcs1, "\n", "\n  "),
	} {
		form, err := auth.SignedAssertion{Issuer: "id ", Subject: "ana", Audience: "https://login.example.com", Key: text}.Form()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		claims := jwt.MapClaims{}
		_, err = jwt.ParseWithClaims(form["assertion"].(string), claims, func(*jwt.Token) (any, error) { return key.Public(), nil },
			jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer("id"), jwt.WithSubject("ana"), jwt.WithAudience("https://login.example.com"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		expiry, err := claims.GetExpirationTime()
		if err != nil || time.Until(expiry.Time) > 3*time.Minute || time.Until(expiry.Time) < 2*time.Minute {
			t.Errorf("%s: expires in %v, %v", name, time.Until(expiry.Time), err)
		}
	}
	_, err = auth.SignedAssertion{Key: "secret stuff"}.Form()
	wantFault(t, err, fault.Config, "private_key is not an RSA private key in PEM form")
	if strings.Contains(err.Error(), "secret stuff") {
		t.Error("the key is echoed")
	}
	for _, encrypted := range []string{
		string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("sealed")})),
		"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
	} {
		_, err = auth.SignedAssertion{Key: encrypted}.Form()
		wantFault(t, err, fault.Config, "private_key is encrypted", "without its passphrase")
	}
}

func TestTokenIsRenewed(t *testing.T) {
	t.Run("after a 401", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &tokenServer{scheme: "OAuth"}
			c, _ := start(t, &auth.OAuth2{TokenURL: tokenURL, Grant: auth.Assertion("a"), Scheme: "OAuth"}, s.serve, nil)
			get(t, c)
			if _, err := c.Do(t.Context(), httpclient.Request{Path: "/expire"}); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() { get(t, c) })
			}
			wg.Wait()
			if len(s.forms) != 2 {
				t.Errorf("%d token calls", len(s.forms))
			}
		})
	})
	for more, calls := range map[string][]int{ // token calls so far, after 0, 58 and 62 minutes
		``:                   {1, 1, 1},
		`,"expires_in":3600`: {1, 1, 2}, `,"expires_in":"3600"`: {1, 1, 2},
		`,"expires_in":60`: {1, 2, 3}, `,"expires_in":1e30`: {1, 1, 1},
	} {
		t.Run("expires_in"+more, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &tokenServer{scheme: "Bearer", more: more}
				c, _ := start(t, &auth.OAuth2{TokenURL: tokenURL, Grant: auth.Assertion("a")}, s.serve, nil)
				for i, pause := range []time.Duration{0, 58 * time.Minute, 4 * time.Minute} {
					time.Sleep(pause)
					get(t, c)
					if len(s.forms) != calls[i] {
						t.Errorf("%d: %d token calls, want %d", i, len(s.forms), calls[i])
					}
				}
			})
		})
	}
}

func TestRefreshTokensForOneUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tokenServer{scheme: "Bearer", more: `,"expires_in":3600,"refresh_token":"r1"`}
		var kept []string
		grant := &auth.Refresh{ID: "id", Secret: "s", Token: "r0", OnRefresh: func(token string) error {
			kept = append(kept, token)
			return nil
		}}
		c, _ := start(t, &auth.OAuth2{TokenURL: tokenURL, Grant: grant}, s.serve, nil)
		get(t, c)
		time.Sleep(time.Hour)
		s.more = `,"refresh_token":"r2"`
		get(t, c)
		if fmt.Sprint(kept) != "[r1 r2]" || s.forms[0].Get("refresh_token") != "r0" || s.forms[1].Get("refresh_token") != "r1" {
			t.Errorf("kept %v, sent %v", kept, s.forms)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &tokenServer{scheme: "Bearer", more: `,"refresh_token":"r1"`}
		lost := errors.New("the disk is full")
		grant := &auth.Refresh{Token: "r0", OnRefresh: func(string) error { return lost }}
		c, _ := start(t, &auth.OAuth2{TokenURL: tokenURL, Grant: grant}, s.serve, nil)
		if _, err := c.Do(t.Context(), httpclient.Request{}); !errors.Is(err, lost) {
			t.Errorf("err = %v", err)
		}
	})
}

// The answer to a token request is kept even if the run ends while it is in flight: its refresh token may be the only valid one.
func TestARefreshTokenOutlivesItsCaller(t *testing.T) {
	for name, tt := range map[string]struct {
		takes time.Duration // for the first answer
		want  string        // what is kept
		waits time.Duration // until the first caller has left
		calls int32
	}{
		"at once":            {0, "[r1]", 0, 1},
		"within patience":    {2500 * time.Millisecond, "[r1]", 2500 * time.Millisecond, 1},
		"later than we wait": {9 * time.Second, "[r1]", 3 * time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &tokenServer{scheme: "Bearer", more: `,"refresh_token":"r1"`}
				var kept []string
				grant := &auth.Refresh{ID: "id", Token: "r0", OnRefresh: func(token string) error {
					kept = append(kept, token)
					return nil
				}}
				var calls atomic.Int32
				c, _ := start(t, &auth.OAuth2{TokenURL: tokenURL, Grant: grant}, func(w http.ResponseWriter, r *http.Request) {
					if r.Host == "localhost:81" {
						_ = r.ParseForm() // otherwise a server does not notice that the client has left
						if calls.Add(1) == 1 {
							select {
							case <-time.After(tt.takes):
							case <-r.Context().Done():
								return
							}
						}
					}
					s.serve(w, r)
				}, nil)
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				began := time.Now()
				if _, err := c.Do(ctx, httpclient.Request{Path: "/data"}); (err == nil) != (tt.takes == 0) {
					t.Errorf("err = %v", err)
				}
				if waited := time.Since(began); waited != tt.waits {
					t.Errorf("it left after %v", waited)
				}
				get(t, c)
				if fmt.Sprint(kept) != tt.want || calls.Load() != tt.calls {
					t.Errorf("%d token calls, kept %v", calls.Load(), kept)
				}
			})
		})
	}
}

// A token request that has not been sent yet is given up at once.
func TestATokenCallThatWaitsIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &tokenServer{scheme: "Bearer"}
		limit := ratelimit.Every(time.Minute, 1)
		c, _ := start(t, &auth.OAuth2{TokenURL: tokenURL, Grant: auth.Assertion("a")}, s.serve, func(o *httpclient.Options) { o.Limit = limit })
		done, err := limit.Wait(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		done()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		_, err = c.Do(ctx, httpclient.Request{Path: "/data"})
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 2*time.Second || len(s.forms) > 0 {
			t.Errorf("%v after %v and %d token calls", err, took, len(s.forms))
		}
	})
}

func TestTokenFailures(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		kind   fault.Kind
		want   string
		once   bool // it is not retried
	}{
		"invalid_grant": {400, `{"error":"invalid_grant","error_description":"user hasn't approved this consumer"}`, fault.Config,
			`token failed: the token endpoint refused it (invalid_grant), the API answered "user hasn't approved this consumer". Check`, true},
		"invalid_client": {401, `{"error":"invalid_client"}`, fault.Config, `refused it (invalid_client)`, true},
		"under 200":      {200, `{"error":"bad_verification_code"}`, fault.Config, `refused it (bad_verification_code)`, true},
		"secret echoed":  {400, `{"error":"invalid_grant","error_description":"assertion-secret is bad"}`, fault.Config, `is bad`, true},
		"400":            {400, `oops`, fault.Config, `failed (400): the API answered with 4 bytes that are not JSON (text/plain). Check the credentials`, true},
		"404":            {404, ``, fault.Config, `Check token_url`, true},
		"no token":       {200, `{}`, fault.System, `holds no access_token`, false},
		"it passes":      {400, `{"error":"temporarily_unavailable"}`, fault.Transient, `failed: the token endpoint failed (temporarily_unavailable)`, false},
		"unknown":        {400, `{"error":"unknown_error","error_description":"retry your request"}`, fault.Transient, `"retry your request"`, false},
		"slow down":      {400, `{"error":"slow_down"}`, fault.Transient, `failed (slow_down)`, false},
		"failed":         {400, `{"error":" server_error"}`, fault.Transient, `failed (server_error)`, false},
		"no code":        {400, `{"error":{"a":"assertion-secret"}}`, fault.Config, `failed (400)`, true},
		"500":            {500, `{"error":"server_error"}`, fault.Transient, `failed: POST localhost:81/services/oauth2/token failed (500)`, false},
		"429":            {429, `{"error":"slow_down"}`, fault.Transient, `failed (429)`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &tokenServer{refuse: func(w http.ResponseWriter) bool {
					reply(w, tt.status, tt.body)
					return true
				}}
				c, _ := start(t, &auth.OAuth2{TokenURL: tokenURL, Grant: auth.Assertion("assertion-secret")}, s.serve, func(o *httpclient.Options) {
					o.Redact = redact.New("assertion-secret")
					o.MaxElapsed = 30 * time.Second
				})
				for range 2 {
					_, err := c.Do(t.Context(), httpclient.Request{Path: "/data"})
					wantFault(t, err, tt.kind, tt.want)
					if strings.Contains(err.Error()+fault.Of(err).Message, "assertion-secret") {
						t.Errorf("leaks: %v", err)
					}
				}
				if calls := len(s.forms); tt.once && calls != 1 || tt.kind == fault.Transient && calls < 6 {
					t.Errorf("%d token calls", calls)
				}
			})
		})
	}
}

// An error beside a token is not an error.
func TestATokenGoesBeforeAnError(t *testing.T) {
	for _, more := range []string{`false`, `0`, `null`, `{}`, `[]`, `""`, `" "`, `"ok"`} {
		synctest.Test(t, func(t *testing.T) {
			s := &tokenServer{scheme: "Bearer", more: `,"error":` + more}
			c, _ := start(t, &auth.OAuth2{TokenURL: tokenURL, Grant: auth.Assertion("a")}, s.serve, nil)
			get(t, c)
		})
	}
}

func TestTokenURL(t *testing.T) {
	for _, bad := range []string{"", "login.example.com/token", "https://user:pw@h/token", "http://login.example.com/token", "https://h/%zz"} {
		c, err := httpclient.New(httpclient.Options{
			BaseURL: "https://api.example.com", Auth: &auth.OAuth2{TokenURL: bad, Grant: auth.Assertion("a")},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Do(t.Context(), httpclient.Request{})
		wantFault(t, err, fault.Config, "token_url", " must ")
		if strings.Contains(err.Error(), "pw") {
			t.Errorf("echoes: %v", err)
		}
	}
}

// An assertion signed for one token request is as good as the key while it is valid. Only that request knows it, so it must register it as a secret.
func TestASignedAssertionIsASecret(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	synctest.Test(t, func(t *testing.T) {
		s := &tokenServer{scheme: "Bearer"}
		s.refuse = func(w http.ResponseWriter) bool {
			reply(w, 400, fmt.Sprintf(`{"error":"invalid_grant","error_description":%q}`, s.forms[0].Encode()))
			return true
		}
		secrets := redact.New(text)
		c, _ := start(t, &auth.OAuth2{TokenURL: tokenURL, Grant: auth.SignedAssertion{Issuer: "id", Subject: "ana", Key: text}}, s.serve,
			func(o *httpclient.Options) { o.Redact = secrets })
		_, err := c.Do(t.Context(), httpclient.Request{Path: "/x"})
		assertion := s.forms[0].Get("assertion")
		if err == nil || strings.Contains(err.Error(), assertion[:20]) || strings.Contains(fault.Of(err).Message, assertion[:20]) {
			t.Errorf("it is in %v", err)
		}
		if got := secrets.String("sent " + assertion); got != "sent "+redact.Blank {
			t.Errorf("it is no secret: %s", got)
		}
	})
}

// A token request counts in the API's quota. If it is made for a request that already has its turn, it takes that turn: requests that wait for the
// token may hold all turns.
func TestATokenCallTakesATurn(t *testing.T) {
	for _, name := range []string{"a turn of its own", "the turn of its request"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &tokenServer{scheme: "Bearer"}
				limit := ratelimit.Every(time.Minute, 2)
				c, _ := start(t, &auth.OAuth2{TokenURL: tokenURL, Grant: auth.Assertion("a.b.c")}, s.serve,
					func(o *httpclient.Options) { o.Limit = limit })
				began := time.Now()
				var wg sync.WaitGroup
				for range 3 {
					r := httpclient.Request{Path: "/data"}
					if name != "a turn of its own" {
						done, err := limit.Wait(t.Context(), nil)
						if err != nil {
							t.Fatal(err)
						}
						r.Admitted = done
					}
					wg.Go(func() {
						if _, err := c.Do(t.Context(), r); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				if took := time.Since(began); took < time.Minute || took > 2*time.Minute {
					t.Errorf("four calls, of which two may go in a minute, took %v", took)
				}
			})
		})
	}
}
