package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/internal/memnet"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

// api is a server in memory that records the requests that it gets.
type api struct {
	mu   sync.Mutex
	seen []string // method, host, path and query
}

func (a *api) count(part string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.seen {
		if strings.Contains(s, part) {
			n++
		}
	}
	return n
}

// start serves handler to a Client that signs with s.
func start(t *testing.T, s httpclient.Signer, handler http.HandlerFunc, change func(*httpclient.Options)) (*httpclient.Client, *api) {
	t.Helper()
	a := &api{}
	m := memnet.New()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.seen = append(a.seen, r.Method+" "+r.Host+r.URL.String())
		a.mu.Unlock()
		handler(w, r)
	})}
	go func() { _ = server.Serve(m) }()
	o := httpclient.Options{BaseURL: "http://localhost", Dial: m.Dial, Auth: s, Redact: redact.New()}
	if change != nil {
		change(&o)
	}
	c, err := httpclient.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		_ = server.Close()
	})
	return c, a
}

func reply(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// wantFault checks the kind of an error and what its message holds.
func wantFault(t *testing.T, err error, kind fault.Kind, parts ...string) {
	t.Helper()
	f := fault.Of(err)
	if f == nil {
		t.Fatal("no error")
	}
	if f.Kind != kind {
		t.Errorf("kind %v, want %v: %v", f.Kind, kind, err)
	}
	for _, part := range parts {
		if !strings.Contains(f.Message, part) {
			t.Errorf("message %q lacks %q", f.Message, part)
		}
	}
}

func TestStaticSigners(t *testing.T) {
	tests := map[string]struct {
		signer httpclient.Signer
		want   httpclient.Request
	}{
		"header": {auth.Header("Token", " abc\n"), httpclient.Request{}.With(httpclient.Header, "Token", "abc")},
		"bearer": {auth.Bearer("\tabc "), httpclient.Request{}.With(httpclient.Header, "Authorization", "Bearer abc")},
		"basic":  {auth.Basic(" ana ", "p:w "), httpclient.Request{}.With(httpclient.Header, "Authorization", "Basic YW5hOnA6dw==")},
		"query":  {auth.Query("key", " abc"), httpclient.Request{}.With(httpclient.Query, "key", "abc")},
		"all": {
			auth.All(auth.Header("Token", "abc"), nil, auth.Bearer("abc")),
			httpclient.Request{}.With(httpclient.Header, "Token", "abc").With(httpclient.Header, "Authorization", "Bearer abc"),
		},
		"none": {auth.All(), httpclient.Request{}},
	}
	for name, tt := range tests {
		var got httpclient.Request
		if err := tt.signer.Sign(t.Context(), &got); err != nil {
			t.Fatal(err)
		}
		if g, w := fmt.Sprint(got.Header, got.Query), fmt.Sprint(tt.want.Header, tt.want.Query); g != w {
			t.Errorf("%s: got %s, want %s", name, g, w)
		}
		if _, ok := tt.signer.(httpclient.Renewer); ok {
			t.Errorf("%s can be renewed", name)
		}
	}
}

func TestBasicIsASecret(t *testing.T) {
	secrets := redact.New()
	_, err := httpclient.New(httpclient.Options{
		BaseURL: "https://api.example.com", Auth: auth.All(auth.Basic("ana", "p:w")), Redact: secrets,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := secrets.String("Basic YW5hOnA6dw=="); strings.Contains(got, "YW5h") {
		t.Errorf("got %s", got)
	}
}

// imoview returns the login of Imoview: a key on every request, and a session in a header and the query for some.
func imoview() *auth.Session {
	return &auth.Session{
		Login: httpclient.Request{Path: "/Usuario/App_ValidarAcesso"}.With(httpclient.Query, "email", "ana@example.com").
			With(httpclient.Query, "senha", "0123456789abcdef").With(httpclient.Header, "chave", "the-key"),
		Parts: []auth.Part{
			{From: "codigoacesso", In: httpclient.Header, Key: "codigoacesso"},
			{From: "codigousuario", In: httpclient.Query, Key: "codigoUsuario", Public: true},
		},
		Match: func(r *httpclient.Request) bool { return strings.Contains(r.Path, "/App_") },
	}
}

// imoviewServer issues access-1, access-2 … and accepts only the last one.
func imoviewServer() http.HandlerFunc {
	var (
		mu    sync.Mutex
		valid int
	)
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Header.Get("Chave") != "the-key":
			reply(w, 401, `{"mensagem":"Chave inválida!"}`)
		case strings.HasSuffix(r.URL.Path, "App_ValidarAcesso"):
			valid++
			reply(w, 200, fmt.Sprintf(`{"codigoacesso":"access-%d","codigousuario":123,"mensagem":""}`, valid))
		case strings.Contains(r.URL.Path, "/App_") &&
			(r.Header.Get("Codigoacesso") != fmt.Sprintf("access-%d", valid) || r.URL.Query().Get("codigoUsuario") != "123"):
			reply(w, 401, `{"mensagem":"Acesso expirado"}`)
		case strings.HasSuffix(r.URL.Path, "/expire"):
			valid++
			reply(w, 200, `{}`)
		default:
			reply(w, 200, `{"lista":[]}`)
		}
	}
}

func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secrets := redact.New()
		c, a := start(t, auth.All(auth.Header("chave", "the-key"), imoview()), imoviewServer(),
			func(o *httpclient.Options) { o.Redact = secrets })
		ask := func(path string) {
			t.Helper()
			if _, err := c.Do(t.Context(), httpclient.Request{Path: path}); err != nil {
				t.Error(err)
			}
		}
		ask("/Usuario/RetornarTipo3")
		if a.count("App_ValidarAcesso") != 0 {
			t.Error("logged in for a request that needs no session")
		}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { ask("/Cliente/App_RetornarEmpresas") })
		}
		wg.Wait()
		if got := a.count("App_ValidarAcesso"); got != 1 {
			t.Errorf("%d logins for many requests at once", got)
		}
		ask("/expire")
		for range 10 {
			wg.Go(func() { ask("/Cliente/App_RetornarEmpresas") })
		}
		wg.Wait()
		if got := a.count("App_ValidarAcesso"); got != 2 {
			t.Errorf("%d logins after a session expired for many requests at once", got)
		}
		if got := secrets.String("access-1 access-3 123"); strings.Contains(got, "access") || !strings.Contains(got, "123") {
			t.Errorf("redacted: %s", got)
		}
	})
}

func TestSessionTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imoview()
		s.TTL = 50 * time.Minute
		c, a := start(t, auth.All(auth.Header("chave", "the-key"), s), imoviewServer(), nil)
		for _, pause := range []time.Duration{0, 49 * time.Minute, 2 * time.Minute} {
			time.Sleep(pause)
			if _, err := c.Do(t.Context(), httpclient.Request{Path: "/App_x"}); err != nil {
				t.Fatal(err)
			}
		}
		if got := a.count("App_ValidarAcesso"); got != 2 {
			t.Errorf("%d logins", got)
		}
	})
}

// TestSessionInTheBody is the way of Imobiliar: one path, a session inside the JSON, and a plain text if it has expired.
func TestSessionInTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type envelope struct {
			Header struct{ SessionId, Action string }
			Body   map[string]any
		}
		var logins int
		s := &auth.Session{
			Login: httpclient.Request{Method: "POST", Path: "/webservice/Imobiliar2", Body: map[string]any{
				"Header": map[string]any{"Action": "LOGIN"}, "Body": map[string]any{"USER_ID": "ana"},
			}},
			Parts: []auth.Part{{From: "Header.SessionId", In: httpclient.Body, Key: "Header.SessionId"}},
		}
		c, _ := start(t, s, func(w http.ResponseWriter, r *http.Request) {
			var e envelope
			if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
				t.Error(err)
			}
			switch {
			case e.Header.Action == "LOGIN":
				if logins++; e.Header.SessionId != "" {
					t.Error("the login was signed")
				}
				reply(w, 200, fmt.Sprintf(`{"Header":{"SessionId":"session-%d","Error":false},"Body":{}}`, logins))
			case e.Header.SessionId != "session-2":
				reply(w, 200, "468 - session expired, new login required")
			default:
				reply(w, 200, `{"Header":{"Error":false},"Body":{"x":1}}`)
			}
		}, func(o *httpclient.Options) {
			o.Judge = func(r *httpclient.Response) httpclient.Verdict {
				if strings.HasPrefix(string(r.Text), "468") {
					return httpclient.Expired(errors.New("the session expired"))
				}
				return httpclient.Verdict{}
			}
		})
		r := httpclient.Request{Method: "POST", Path: "/webservice/Imobiliar2", Body: map[string]any{
			"Header": map[string]any{"Action": "CADASTRO"}, "Body": map[string]any{},
		}}
		if _, err := c.Do(t.Context(), r); err != nil || logins != 2 {
			t.Errorf("%v after %d logins", err, logins)
		}
	})
}

func TestSessionFailures(t *testing.T) {
	refused := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { reply(w, status, body) }
	}
	tests := map[string]struct {
		handler http.HandlerFunc
		judge   httpclient.Judge
		kind    fault.Kind
		want    string
		logins  int // for two requests; 0: any number
	}{
		"401": {refused(401, `{"mensagem":"Senha errada"}`), nil, fault.Config,
			`The login failed: GET localhost/Usuario/App_ValidarAcesso was refused (401): the API answered "Senha errada". Check the credentials`, 1},
		"400": {refused(400, `{"mensagem":"Senha errada"}`), nil, fault.Config,
			`The login failed: GET localhost/Usuario/App_ValidarAcesso failed (400): the API answered "Senha errada". Check the credentials`, 1},
		"empty": {refused(200, `{"codigoacesso":"","codigousuario":0,"mensagem":"Usuário inativo"}`), nil, fault.Config,
			`The login was refused: the API answered "Usuário inativo". Check the credentials in the configuration.`, 1},
		"judged": {refused(200, `{"codigoacesso":"a","codigousuario":0}`), func(r *httpclient.Response) httpclient.Verdict {
			if r.Body.Get("codigousuario").Text() == "0" {
				return httpclient.Fail(errors.New("there is no such user"))
			}
			return httpclient.Verdict{}
		}, fault.Config, `The login failed: there is no such user. Check the credentials`, 1},
		"maintenance": {refused(200, `<html>`), func(r *httpclient.Response) httpclient.Verdict {
			if r.Body.Get("codigousuario").Text() == "" {
				return httpclient.Fail(fault.Configf("Check email and password."))
			}
			return httpclient.Verdict{}
		}, fault.Transient, `The login failed: GET localhost/Usuario/App_ValidarAcesso was answered (200) with 6 bytes that are not JSON`, 0},
		"500": {refused(500, `{}`), nil, fault.Transient, `The login failed: GET localhost/Usuario/App_ValidarAcesso failed (500)`, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imoview()
				s.Login.Judge = tt.judge
				c, a := start(t, s, tt.handler, nil)
				var wg sync.WaitGroup
				for range 2 {
					wg.Go(func() {
						_, err := c.Do(t.Context(), httpclient.Request{Path: "/App_x"})
						wantFault(t, err, tt.kind, tt.want)
						if strings.Contains(err.Error(), "0123456789abcdef") {
							t.Errorf("the query leaks: %v", err)
						}
					})
				}
				wg.Wait()
				if _, err := c.Do(t.Context(), httpclient.Request{Path: "/App_x"}); err == nil { // later
					t.Error("no error")
				}
				if got := a.count("App_ValidarAcesso"); tt.logins > 0 && got != tt.logins {
					t.Errorf("%d logins, want %d", got, tt.logins)
				}
			})
		})
	}
}

// A message about the answer to a login never shows a session or a token, however broken the answer is: they are not known as secrets yet.
func TestLoginsTellNoCredentials(t *testing.T) {
	const live = "c0d1g0-v1v0-9f8e7d6c"
	session := func() httpclient.Signer {
		return &auth.Session{Login: httpclient.Request{Path: "/login"}, Parts: []auth.Part{
			{From: "user.id", In: httpclient.Query, Key: "user", Public: true}, {From: "token", In: httpclient.Header, Key: "token"},
		}}
	}
	sessions := func() httpclient.Signer {
		return &auth.Sessions{
			Login: httpclient.Request{Path: "/login"}, Logout: httpclient.Request{Path: "/logout"},
			Part: auth.Part{From: "Header.SessionId", In: httpclient.Header, Key: "session"},
		}
	}
	token := func() httpclient.Signer {
		return &auth.OAuth2{TokenURL: "http://localhost/login", Grant: auth.ClientCredentials{ID: "id", Secret: "secret"}}
	}
	tests := map[string]struct {
		signer func() httpclient.Signer
		status int
		body   string
		want   string
	}{
		"a warning before it":   {session, 200, "<b>Warning</b>: x in y.php on line 3<br />\n" + `{"token":"` + live + `","user":{"id":1}}`, "that are not JSON"},
		"two values":            {session, 200, `{"token":"` + live + `","user":{"id":1}}{}`, "with 50 bytes that are not JSON"},
		"a part is missing":     {session, 200, `{"token":"` + live + `","user":{"Id":1}}`, "with 48 bytes of JSON that give no reason"},
		"the message has it":    {session, 200, `{"token":"` + live + `","message":"Hello ` + live + `"}`, `answered "Hello ****"`},
		"500":                   {session, 500, `{"token":"` + live + `","user":{"id":1}}`, "failed (500)"},
		"a session in capitals": {sessions, 200, `{"Header":{"SESSIONID":"` + live + `"}}`, "that give no reason"},
		"a session, cut off":    {sessions, 200, `{"Header":{"SessionId":"` + live + `"}`, "that are not JSON"},
		"a form":                {token, 200, "access_token=" + live + "&token_type=bearer", "that are not JSON"},
		"a token, cut off":      {token, 200, `{"access_token":"` + live + `","expires_in":36`, "that are not JSON"},
		"a comment before it":   {token, 200, `<!-- node 7 -->{"access_token":"` + live + `"}`, "that are not JSON"},
		"400":                   {token, 400, `{"access_token":"` + live + `"}`, "failed (400)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				c, _ := start(t, tt.signer(), func(w http.ResponseWriter, _ *http.Request) { reply(w, tt.status, tt.body) },
					func(o *httpclient.Options) {
						o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
					})
				_, err := c.Do(t.Context(), httpclient.Request{Path: "/rows"})
				if f := fault.Of(err); f == nil || !strings.Contains(f.Message, tt.want) {
					t.Errorf("%v lacks %q", err, tt.want)
				}
				if told := fmt.Sprint(err, fault.Of(err), log.String()); strings.Contains(told, live) {
					t.Errorf("it is told: %s", told)
				}
			})
		})
	}
}

// A caller gives up a login that takes longer than Patience, and the next one logs in again.
func TestAbandonedLoginPassesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serve := imoviewServer()
		c, a := start(t, auth.All(auth.Header("chave", "the-key"), imoview()), func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(10 * time.Second):
				serve(w, r)
			case <-r.Context().Done():
			}
		}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Do(ctx, httpclient.Request{Path: "/App_x"}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("err = %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := c.Do(t.Context(), httpclient.Request{Path: "/App_x"}); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { // gives up while another logs in
			if _, err := c.Do(ctx, httpclient.Request{Path: "/App_x"}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("err = %v", err)
			}
		})
		wg.Wait()
		if got := a.count("App_ValidarAcesso"); got != 2 {
			t.Errorf("%d logins", got)
		}
	})
}

// panicking returns a login whose first answers make its Judge panic.
func panicking(times int) *auth.Session {
	s := imoview()
	s.Login.Judge = func(*httpclient.Response) httpclient.Verdict {
		if times--; times >= 0 {
			panic("a mistake in a Judge")
		}
		return httpclient.Verdict{}
	}
	return s
}

func TestPanicInALoginEndsForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serve := imoviewServer()
		c, a := start(t, auth.All(auth.Header("chave", "the-key"), panicking(1)), func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second) // all wait for the same login
			serve(w, r)
		}, nil)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				_, err := c.Do(t.Context(), httpclient.Request{Path: "/App_x"})
				if p, ok := errors.AsType[*fault.Panic](err); !ok || p.Value != "a mistake in a Judge" {
					t.Errorf("ended with %v", err)
				}
			})
		}
		wg.Wait()
		if _, err := c.Do(t.Context(), httpclient.Request{Path: "/App_x"}); err != nil || a.count("App_ValidarAcesso") != 2 {
			t.Errorf("after %d logins: %v", a.count("App_ValidarAcesso"), err)
		}
	})
}

func TestPanicInAGrantEndsForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &auth.OAuth2{TokenURL: "http://localhost/token", Grant: brokenGrant{}}
		c, _ := start(t, o, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{}`) }, nil)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, err := c.Do(t.Context(), httpclient.Request{})
				if _, ok := errors.AsType[*fault.Panic](err); !ok {
					t.Errorf("ended with %v", err)
				}
			})
		}
		wg.Wait()
	})
}

type brokenGrant struct{}

func (brokenGrant) Form() (map[string]any, error) { panic("a mistake in a Grant") }

func TestATokenThatHasRunOutIsUsedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, a := start(t, &auth.OAuth2{TokenURL: "http://localhost/token", Grant: auth.ClientCredentials{}}, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, `{"access_token":"t","expires_in":1e-12}`)
		}, nil)
		for range 2 {
			if _, err := c.Do(t.Context(), httpclient.Request{Path: "/x"}); err != nil {
				t.Fatal(err)
			}
		}
		if got := a.count("/token"); got != 2 {
			t.Errorf("%d token calls", got)
		}
	})
}
