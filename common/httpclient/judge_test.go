package httpclient

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

func TestGoodAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{status: 201, body: " {\"a\":1,\n\"b\":\"\xff\"} "}}}
		c, _ := client(t, s.ServeHTTP, nil)
		res, err := c.Do(t.Context(), Request{Path: "/x?token=1"})
		if err != nil {
			t.Fatal(err)
		}
		if res.Method != "GET" || res.Path != "/x" || res.Status != 201 || res.Body.String() != `{"a":1,"b":"`+"\uFFFD"+`"}` || res.Replaced != 1 || res.Header.Get("Date") == "" {
			t.Errorf("got %d %s %d %v", res.Status, res.Body, res.Replaced, res.Header)
		}
	})
}

// A 206 is good if the request had a Range.
func TestPartialContent(t *testing.T) {
	for _, part := range []any{nil, "items=0-9"} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := client(t, answer{status: 206, body: `{"data":[]}`}.serve, func(o *Options) { o.MaxElapsed = time.Second })
			_, err := c.Do(t.Context(), Request{Path: "/x"}.With(Header, "Range", part))
			if part == nil {
				wantFault(t, err, fault.Transient, "GET localhost/x was answered (206) with a part of what was asked for (tried ")
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFinalStatuses(t *testing.T) {
	tests := []struct {
		answer answer
		kind   fault.Kind
		want   string
	}{
		{
			answer{status: 401, body: `[{"message":"Token que foi fornecido é invalido"}]`}, fault.Config,
			`GET localhost/v1/x was refused (401): the API answered "Token que foi fornecido é invalido". Check the credentials in the configuration.`,
		},
		{
			answer{status: 403, body: `{"mensagens":["Sem acesso"]}`}, fault.Config,
			`GET localhost/v1/x is not allowed (403): the API answered "Sem acesso". Check`,
		},
		{
			answer{status: 404}, fault.Config,
			`GET localhost/v1/x was not found (404): the API gave no reason. Check base_url and what the account may access.`,
		},
		{answer{status: 400, body: "<title>\n  bad\n</title>"}, fault.System, `GET localhost/v1/x failed (400): the API answered "bad".`},
		{answer{status: 304}, fault.System, `GET localhost/v1/x failed (304)`},
		{answer{status: 422, body: `{"error":{"code":1}}`}, fault.System, `the API answered with 20 bytes of JSON that give no reason.`},
		{answer{status: 468, body: "session expired"}, fault.System, `(468)`},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			s := &script{answers: []answer{tt.answer}}
			c, _ := client(t, s.ServeHTTP, nil)
			_, err := c.Do(t.Context(), Request{Path: "/v1/x?secret=1"})
			wantFault(t, err, tt.kind, tt.want)
			status, ok := errors.AsType[*StatusError](err)
			if !ok || status.Status != tt.answer.status || status.Method != "GET" || status.Path != "localhost/v1/x" {
				t.Errorf("StatusError %+v", status)
			}
			if s.count() != 1 {
				t.Errorf("asked %d times", s.count())
			}
		})
	}
}

func TestExcerpt(t *testing.T) {
	c, err := New(Options{BaseURL: "https://api.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	got := c.excerpt([]byte(strings.Repeat("é \n\t", 1<<17)))
	if n := len([]rune(got)); n != maxExcerpt || !strings.HasPrefix(got, "é é") || !strings.HasSuffix(got, "…") {
		t.Errorf("%d characters: %s", n, got)
	}
	if got := c.excerpt([]byte("a\xff b")); got != "a\uFFFD b" {
		t.Errorf("got %q", got)
	}
}

func TestJudges(t *testing.T) {
	boom := fault.Configf("The account is closed.")
	plain := errors.New("Erro: true")
	tests := map[string]struct {
		answers   []answer
		api, call func(*Response) Verdict
		asked     int
		kind      fault.Kind
		want      string // "" is no error
	}{
		"no opinion":  {[]answer{good}, none, none, 1, 0, ""},
		"accept":      {[]answer{{status: 404, body: "nothing"}}, none, always(Good()), 1, 0, ""},
		"no body":     {[]answer{{status: 204}}, always(Good()), nil, 1, 0, ""},
		"API first":   {[]answer{{status: 404}}, always(Good()), always(Fail(boom)), 1, 0, ""},
		"fault":       {[]answer{good}, always(Fail(boom)), nil, 1, fault.Config, "The account is closed."},
		"plain":       {[]answer{good}, nil, always(Fail(plain)), 1, fault.System, "Erro: true"},
		"fault, text": {[]answer{{status: 200, body: "<html>"}, good}, onlyText(Fail(boom)), nil, 2, 0, ""},
		"fault, text, for ever": {
			[]answer{{status: 200, body: "<html>"}}, always(Fail(boom)), nil, -1, fault.Transient, `was answered (200) with 6 bytes that are not JSON (text/html)`,
		},
		"again":       {[]answer{{status: 403}, good}, onlyBad(Again(boom)), nil, 2, 0, ""},
		"throttled":   {[]answer{{status: 401}, {status: 401}, good}, onlyBad(Throttled(plain)), nil, 3, 0, ""},
		"expired":     {[]answer{good}, always(Expired(boom)), nil, 1, fault.Config, "The account is closed."},
		"expired, no": {[]answer{good}, always(Expired(plain)), nil, 1, fault.Config, "GET localhost/x failed: Erro: true. Check the credentials"},
		"again, for ever": {
			[]answer{good}, always(Again(boom)), nil, -1, fault.Config, "The account is closed.",
		},
		"again, for ever, plain": {
			[]answer{good}, always(Again(plain)), nil, -1, fault.Transient, "GET localhost/x failed: Erro: true (tried",
		},
		"throttled, for ever": {
			[]answer{{status: 401}}, always(Throttled(boom)), nil, -1, fault.Config,
			"The account is closed. It may be tried again from 2000-01-01T00:",
		},
		"nil errors": {[]answer{good}, always(Again(nil)), nil, -1, fault.Transient, "GET localhost/x failed: the answer is not good (tried"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: tt.answers}
				c, _ := client(t, s.ServeHTTP, func(o *Options) { o.Judge = tt.api })
				res, err := c.Do(t.Context(), Request{Path: "/x", Judge: tt.call})
				switch {
				case tt.want != "":
					wantFault(t, err, tt.kind, tt.want)
				case err != nil || res == nil:
					t.Errorf("%v, %v", res, err)
				}
				if tt.asked >= 0 && s.count() != tt.asked {
					t.Errorf("asked %d times, want %d", s.count(), tt.asked)
				}
				if tt.asked < 0 && time.Since(s.times[0]) > defaultMaxElapsed {
					t.Errorf("went on for %v", time.Since(s.times[0]))
				}
			})
		})
	}
}

func none(*Response) Verdict { return Verdict{} }

func always(v Verdict) func(*Response) Verdict { return func(*Response) Verdict { return v } }

func onlyText(v Verdict) func(*Response) Verdict {
	return func(r *Response) Verdict {
		if r.Body.Exists() {
			return Verdict{}
		}
		return v
	}
}

func onlyBad(v Verdict) func(*Response) Verdict {
	return func(r *Response) Verdict {
		if r.Status == 200 {
			return Verdict{}
		}
		return v
	}
}
