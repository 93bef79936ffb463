package snapproperty

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// tokenPath is the token service's.
const tokenPath = "/services/oauth2/token"

// Who logs in, and where.
const (
	consumer = "3MVG9exemplo.Consumidor_0123456789"
	username = "integracao@imobiliaria.example"
	audience = "https://login.salesforce.com"
)

// noise is the salt of what means nothing in tokens.
const noise = 0x5a1e5

// grant is the one that the token service knows.
const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// newKey makes the consumer's key, and its PEM (PKCS #8).
func newKey() (*rsa.PrivateKey, string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(fmt.Errorf("making the simulator's key: %w", err)) // a machine without random numbers
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(fmt.Errorf("writing the simulator's key: %w", err)) // it was made above
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// readyAssertion looks as the one that an organisation hands out: signed long ago, good for ten years. Nobody looks at its signature.
func readyAssertion(seed uint64) string {
	claims := fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":%q,"iat":1719800000,"exp":2035160000}`, consumer, username, audience)
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + encode(sim.Noise(seed, noise, 256))
}

// accessToken returns the n-th: the organisation's Id, an exclamation mark, and characters that mean nothing.
func accessToken(seed uint64, n int) string {
	text := base64.RawURLEncoding.EncodeToString(sim.Noise(seed^sim.Mix(uint64(n)+7), noise, 60))
	return "00D0B000000Exmp!AQ" + strings.NewReplacer("-", ".").Replace(text)
}

// session is what an access token stands for.
type session struct {
	used  time.Time
	uses  int
	fixed bool // the administrator's, which is good for any number of uses
}

// Tokens returns the access tokens that logins brought so far.
func (s *Simulator) Tokens() []string { return sim.Copied(&s.books, &s.tokens) }

// Assertions returns those that were signed for a login which succeeded.
func (s *Simulator) Assertions() []string { return sim.Copied(&s.books, &s.signed) }

// Learnt returns all Tokens, and all assertions that were signed for a login, whether it succeeded or not.
func (s *Simulator) Learnt() []string { return sim.Copied(&s.books, &s.learnt) }

// learn keeps a secret that came up.
func (s *Simulator) learn(secret string) {
	s.books.Lock()
	defer s.books.Unlock()
	s.learnt = append(s.learnt, secret)
}

// FixedToken returns the administrator's token.
func (s *Simulator) FixedToken() string { return s.fixed }

// ReadyAssertion returns the organisation's ready assertion.
func (s *Simulator) ReadyAssertion() string { return s.assertion }

// Expire ends all sessions, the administrator's too.
func (s *Simulator) Expire() {
	s.books.Lock()
	defer s.books.Unlock()
	clear(s.sessions)
}

// admitted tells whether a request carries a token of a session, and counts its use.
func (s *Simulator) admitted(r *http.Request) bool {
	sent := r.Header.Values("Authorization")
	if len(sent) != 1 {
		return false
	}
	scheme, token, ok := strings.Cut(sent[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "OAuth") {
		return false
	}
	s.books.Lock()
	defer s.books.Unlock()
	session, ok := s.sessions[token]
	if !ok {
		return false
	}
	now := s.with.Now()
	session.uses++
	worn := s.with.SessionUses > 0 && session.uses > s.with.SessionUses
	if !session.fixed && (worn || now.Sub(session.used) > s.with.SessionIdle) {
		delete(s.sessions, token)
		return false
	}
	session.used = now
	return true
}

// login opens a session.
func (s *Simulator) login() (token string) {
	s.books.Lock()
	defer s.books.Unlock()
	token = accessToken(s.with.Seed, len(s.tokens))
	s.sessions[token] = &session{used: s.with.Now()}
	s.tokens, s.learnt = append(s.tokens, token), append(s.learnt, token)
	return token
}

// tokenError is why the token service refuses.
type tokenError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func (r Refusal) answer() tokenError {
	return map[Refusal]tokenError{
		RefuseApproval: {"invalid_grant", "user hasn't approved this consumer"},
		RefuseAudience: {"invalid_grant", "audience is invalid"},
		RefuseExpired:  {"invalid_grant", "expired authorization code"},
		RefuseLocked:   {"invalid_grant", "user is locked"},
		RefuseClient:   {"invalid_client_id", "client identifier invalid"},
	}[r]
}

// token is the token service. It takes a form in the body: a query ends up in access logs.
func (s *Simulator) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuseToken(w, tokenError{"invalid_request", "must use HTTP POST"})
		return
	}
	if refused := s.judge(r); refused != (tokenError{}) {
		refuseToken(w, refused)
		return
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	answer(w, http.StatusOK, object{
		"access_token": s.login(), "scope": "api", "instance_url": scheme + "://" + r.Host, "token_type": "Bearer",
		"id": audience + "/id/00D0B000000ExmpUAC/0050B000000ExmpQAC",
	})
}

func refuseToken(w http.ResponseWriter, e tokenError) { answer(w, http.StatusBadRequest, e) }

// judge returns why a login is refused; empty when it is not.
func (s *Simulator) judge(r *http.Request) tokenError {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return tokenError{"invalid_request", "content-type must be application/x-www-form-urlencoded"}
	}
	body, refused := read(r)
	if refused != nil {
		return tokenError{"invalid_request", "cannot read the body"}
	}
	form, err := url.ParseQuery(string(body))
	switch {
	case err != nil || len(form["grant_type"]) > 1 || len(form["assertion"]) > 1:
		return tokenError{"invalid_request", "malformed form"}
	case form.Get("grant_type") == "":
		return tokenError{"invalid_request", "missing required parameter: grant_type"}
	case form.Get("grant_type") != grant:
		return tokenError{"unsupported_grant_type", "grant type not supported"}
	case form.Get("assertion") == "":
		return tokenError{"invalid_request", "missing required parameter: assertion"}
	}
	ready := sim.Same(form.Get("assertion"), s.assertion)
	if !ready {
		s.learn(form.Get("assertion"))
	}
	switch {
	case s.with.Refuse != "":
		return s.with.Refuse.answer()
	case ready:
		return tokenError{}
	}
	return s.judgeSigned(form.Get("assertion"))
}

// longest is how long an assertion may be good that is signed for one login.
const longest = 5 * time.Minute

// judgeSigned judges an assertion that the consumer signed itself.
func (s *Simulator) judgeSigned(assertion string) tokenError {
	invalid := tokenError{"invalid_grant", "invalid assertion"}
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return invalid
	}
	var header struct {
		Alg string `json:"alg"`
	}
	var claims struct {
		Iss string `json:"iss"`
		Sub string `json:"sub"`
		Aud string `json:"aud"`
		Exp int64  `json:"exp"`
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !part(parts[0], &header) || !part(parts[1], &claims) || header.Alg != "RS256" {
		return invalid
	}
	if claims.Iss != consumer {
		return RefuseClient.answer()
	}
	key, _ := s.key()
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return invalid
	}
	left := time.Unix(claims.Exp, 0).Sub(s.with.Now())
	switch {
	case claims.Aud != audience:
		return RefuseAudience.answer()
	case claims.Sub != username:
		return RefuseApproval.answer()
	case left <= 0:
		return RefuseExpired.answer()
	case left > longest:
		return invalid
	}
	s.books.Lock()
	defer s.books.Unlock()
	s.signed = append(s.signed, assertion)
	return tokenError{}
}

// part decodes a part of a token into a struct.
func part(text string, into any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && json.Unmarshal(raw, into) == nil
}
