package snapproperty

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

func TestTokenWithTheReadyAssertion(t *testing.T) {
	s := New(Options{Size: 20})
	w := post(t, s, formOf(s.ReadyAssertion()))
	var answer map[string]any
	decodeInto(t, w, &answer)
	if w.Code != http.StatusOK || answer["token_type"] != "Bearer" || answer["scope"] != "api" || answer["instance_url"] != "http://example.com" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, absent := range []string{"expires_in", "refresh_token"} {
		if _, ok := answer[absent]; ok {
			t.Errorf("%s is there", absent)
		}
	}
	if tokens := s.Tokens(); len(tokens) != 1 || tokens[0] != answer["access_token"] || tokens[0] == s.FixedToken() {
		t.Errorf("the tokens are %v, the answer is %s", tokens, w.Body)
	}
}

func TestTokenRefused(t *testing.T) {
	s := New(Options{Size: 20})
	const malformedForm = `{"error":"invalid_request","error_description":"malformed form"}`
	for name, c := range map[string]struct{ form, want string }{
		"the typing error": {"grant_type=" + grant + "&assertiona=" + s.ReadyAssertion(), `{"error":"invalid_request","error_description":"missing required parameter: assertion"}`},
		"no grant":         {"assertion=" + s.ReadyAssertion(), `{"error":"invalid_request","error_description":"missing required parameter: grant_type"}`},
		"another grant":    {"grant_type=password&assertion=" + s.ReadyAssertion(), `{"error":"unsupported_grant_type","error_description":"grant type not supported"}`},
		"twice":            {formOf("x") + "&assertion=y", malformedForm},
		"no form":          {"%zz", malformedForm},
		"no assertion":     {formOf("wrong0000"), `{"error":"invalid_grant","error_description":"invalid assertion"}`},
		"cut":              {formOf(s.ReadyAssertion()[:100]), `{"error":"invalid_grant","error_description":"invalid assertion"}`},
		"forged":           {formOf(s.ReadyAssertion() + "AA"), `{"error":"invalid_grant","error_description":"invalid assertion"}`},
	} {
		if w := post(t, s, c.form); w.Code != http.StatusBadRequest || w.Body.String() != c.want {
			t.Errorf("%s: %d %s, want %s", name, w.Code, w.Body, c.want)
		}
	}
	if w := simtest.Ask(t, s, http.MethodPost, tokenPath+"?"+formOf(s.ReadyAssertion()), nil, ""); w.Code != http.StatusBadRequest {
		t.Errorf("an assertion in the query: %d %s", w.Code, w.Body)
	}
	for refusal, want := range map[Refusal]string{
		RefuseApproval: `{"error":"invalid_grant","error_description":"user hasn't approved this consumer"}`,
		RefuseExpired:  `{"error":"invalid_grant","error_description":"expired authorization code"}`,
		RefuseClient:   `{"error":"invalid_client_id","error_description":"client identifier invalid"}`,
	} {
		s := New(Options{Size: 20, Refuse: refusal})
		if w := post(t, s, formOf(s.ReadyAssertion())); w.Code != http.StatusBadRequest || w.Body.String() != want {
			t.Errorf("%s: %d %s", refusal, w.Code, w.Body)
		}
	}
}

func TestTokenWithASignedAssertion(t *testing.T) {
	c := newClock()
	s := New(Options{Size: 20, Login: PrivateKey, Now: c.now})
	credentials := s.Config("http://x", sim.Quota{})["credentials"].(map[string]any)
	block, _ := pem.Decode([]byte(credentials["private_key"].(string)))
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	key := parsed.(*rsa.PrivateKey)
	other, _ := newKey()
	claims := func(changes ...any) map[string]any {
		all := map[string]any{
			"iss": credentials["client_id"], "sub": credentials["username"], "aud": credentials["audience"], "exp": c.t.Add(5 * time.Minute).Unix(),
		}
		for i := 0; i < len(changes); i += 2 {
			all[changes[i].(string)] = changes[i+1]
		}
		return all
	}
	for name, c := range map[string]struct {
		assertion, want string // of the description; empty for a success
	}{
		"right":         {sign(t, key, claims()), ""},
		"another key":   {sign(t, other, claims()), "invalid assertion"},
		"another user":  {sign(t, key, claims("sub", "x")), "user hasn't approved this consumer"},
		"another host":  {sign(t, key, claims("aud", "https://test.salesforce.com")), "audience is invalid"},
		"not consumer":  {sign(t, key, claims("iss", "x")), "client identifier invalid"},
		"expired":       {sign(t, key, claims("exp", c.t.Unix())), "expired authorization code"},
		"good too long": {sign(t, key, claims("exp", c.t.Add(5*time.Minute+time.Second).Unix())), "invalid assertion"},
		"exp a text":    {sign(t, key, claims("exp", "1")), "invalid assertion"},
	} {
		w := post(t, s, formOf(c.assertion))
		if ok := w.Code == http.StatusOK; ok != (c.want == "") || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if signed := s.Assertions(); len(signed) != 1 || len(s.Tokens()) != 1 {
		t.Errorf("%d assertions were good for %d tokens", len(signed), len(s.Tokens()))
	}
	if learnt := s.Learnt(); len(learnt) != 9 || !slices.Contains(learnt, s.Tokens()[0]) || slices.Contains(learnt, s.ReadyAssertion()) {
		t.Errorf("%d secrets were learnt of eight logins, of which one brought a token", len(learnt))
	}
	if !slices.Contains(s.Secrets(), credentials["private_key"].(string)) {
		t.Error("the key is no secret")
	}
}

// status returns that of a request for the cities with an authorization.
func status(t testing.TB, s *Simulator, authorization ...string) (int, string) {
	t.Helper()
	w := simtest.Ask(t, s, http.MethodGet, citiesPath, http.Header{"Authorization": authorization}, "")
	return w.Code, w.Body.String()
}

func TestSessions(t *testing.T) {
	c := newClock()
	s := New(Options{Size: 20, SessionUses: 3, Now: c.now})
	for _, wrong := range [][]string{nil, {""}, {"Bearer"}, {"Bearer x"}, {"Basic " + s.FixedToken()}, {s.FixedToken()}, {"Bearer " + s.FixedToken(), "OAuth " + s.FixedToken()}} {
		if code, body := status(t, s, wrong...); code != http.StatusUnauthorized || body != `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]` {
			t.Errorf("%q: %d %s", wrong, code, body)
		}
	}
	post(t, s, formOf(s.ReadyAssertion()))
	token := s.Tokens()[0]
	for i, want := range []int{200, 200, 200, 401, 401} {
		scheme := []string{"Bearer ", "OAuth "}[i%2]
		if code, body := status(t, s, scheme+token); code != want {
			t.Errorf("use %d: %d %s", i+1, code, body)
		}
	}
	post(t, s, formOf(s.ReadyAssertion()))
	c.t = c.t.Add(2*time.Hour + time.Second)
	if code, _ := status(t, s, "Bearer "+s.Tokens()[1]); code != http.StatusUnauthorized {
		t.Errorf("after two hours without a call: %d", code)
	}
	if code, _ := status(t, s, "Bearer "+s.FixedToken()); code != http.StatusOK {
		t.Errorf("the administrator's token: %d", code)
	}
	s.Expire()
	if code, _ := status(t, s, "Bearer "+s.FixedToken()); code != http.StatusUnauthorized {
		t.Errorf("after Expire: %d", code)
	}
}

func TestConfig(t *testing.T) {
	for login, member := range map[Login]string{Assertion: "assertion", PrivateKey: "private_key", AccessToken: "access_token"} {
		s := New(Options{Size: 230, Login: login})
		source, destination := s.Config("http://h:1", sim.Quota{Requests: 50, Window: 30 * time.Second}), s.DestinationConfig("http://h:1", sim.Quota{})
		credentials := destination["credentials"].(map[string]any)
		if credentials["auth_type"] != string(login) || !slices.Equal(s.Secrets(), []string{credentials[member].(string)}) {
			t.Errorf("%s: %v, secrets %v", login, credentials, s.Secrets())
		}
		if source["requests_per_minute"] != 100 || source["page_size"] != 5 || destination["page_size"] != nil {
			t.Errorf("%s: %v, %v", login, source, destination)
		}
		if source["token_url"] != "http://h:1/services/oauth2/token" || source["org_url"] != "http://h:1" {
			t.Errorf("%s: %v", login, source)
		}
	}
}
