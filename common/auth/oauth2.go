package auth

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// OAuth2 signs requests with an access token from a token endpoint (RFC 6749). The token is obtained when the first request needs it, once for all
// that ask in the meantime, and again when it has expired, was refused with a 401, or is about to expire according to its expires_in.
//
// A grant that the endpoint refuses is a Config fault with the vendor's words. It is not retried, unless they say that the problem is temporary.
type OAuth2 struct {
	TokenURL string // the complete URL of the token endpoint; HTTPS, as for an API
	Setting  string // the name under which the user knows TokenURL, for messages; "" is token_url
	Grant    Grant
	Scheme   string // precedes the token in the Authorization header; "" is Bearer

	tokens *httpclient.Client // for the token endpoint's host
	path   string
	err    error // why no token can be obtained
	keeper keeper[string]
}

// Grant says how a token is asked for. Form is called anew for each token request, by one caller at a time.
type Grant interface {
	Form() (map[string]any, error)
}

// earlier is how long before it expires a token is renewed, or half of its life if that is less.
const earlier = time.Minute

// Bind makes a client for the token endpoint out of c.
func (o *OAuth2) Bind(c *httpclient.Client) {
	setting := cmp.Or(o.Setting, "token_url")
	u, err := url.Parse(strings.TrimSpace(o.TokenURL))
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		o.err = fault.Configf("%s must be the whole address of the token endpoint, such as https://login.example.com/oauth2/token", setting)
		return
	}
	o.path = u.RequestURI()
	o.tokens, o.err = c.Other((&url.URL{Scheme: u.Scheme, Host: u.Host}).String(), setting)
}

// Sign puts the token on r.
func (o *OAuth2) Sign(ctx context.Context, r *httpclient.Request) error {
	if o.err != nil {
		return o.err
	}
	token, err := o.keeper.get(ctx, func(ctx context.Context) (string, time.Time, error) { return o.obtain(ctx, r) })
	if err != nil {
		return err
	}
	*r = r.With(httpclient.Header, "Authorization", cmp.Or(o.Scheme, "Bearer")+" "+token)
	return nil
}

// Renew forgets the token: the next request asks for a new one.
func (o *OAuth2) Renew(context.Context) error {
	o.keeper.drop()
	return nil
}

func (o *OAuth2) obtain(ctx context.Context, r *httpclient.Request) (token string, until time.Time, err error) {
	form, err := o.Grant.Form()
	if err != nil {
		return "", until, err
	}
	for _, name := range []string{"assertion", "client_secret", "refresh_token"} {
		if secret, ok := form[name].(string); ok {
			o.tokens.Secret(secret) // nobody knows yet an assertion that was just signed
		}
	}
	res, err := o.tokens.Do(ctx, r.SignerCall(httpclient.Request{Method: http.MethodPost, Path: o.path, Body: form, Form: true, Judge: o.judge}))
	if err != nil {
		return "", until, explain(ctx, "Getting an access token", err)
	}
	now := time.Now()
	if token = res.Body.Get("access_token").Text(); token == "" {
		return "", until, fault.Systemf("The token endpoint's answer holds no access_token.")
	}
	o.tokens.Secret(token)
	if lifetime, err := strconv.ParseFloat(res.Body.Get("expires_in").Text(), 64); err == nil && lifetime > 0 {
		life := time.Duration(min(lifetime, 1e9) * float64(time.Second))
		until = now.Add(life - min(earlier, life/2))
	}
	if refresh, ok := o.Grant.(*Refresh); ok {
		err = refresh.rotate(o.tokens, res.Body.Get("refresh_token").Text())
	}
	return token, until, err
}

// judge refuses what RFC 6749, 5.2, calls an error, if it is a text. A 429, a 5xx and an answer with a token mean what they mean everywhere.
func (o *OAuth2) judge(res *httpclient.Response) httpclient.Verdict {
	said, code := res.Body.Get("error"), ""
	if bytes.HasPrefix(said.Raw(), []byte(`"`)) {
		code = strings.TrimSpace(said.Text())
	}
	if code == "" || res.Body.Get("access_token").Text() != "" || res.Status >= 500 || res.Status == http.StatusTooManyRequests {
		return httpclient.Verdict{}
	}
	words := fmt.Sprintf("(%s), %s", res.Excerpt(code), res.Words())
	switch code {
	case "temporarily_unavailable", "server_error", "slow_down", "unknown_error": // RFC 6749, 4.1.2.1, and RFC 8628, 3.5; the last one is Salesforce's
		return httpclient.Again(fault.Laterf("the token endpoint failed %s.", words))
	}
	return httpclient.Fail(fault.Configf("the token endpoint refused it %s. %s", words, checkCredentials))
}

// ClientCredentials is the grant for a machine's own account (RFC 6749, 4.4), with id and secret in the body.
type ClientCredentials struct {
	ID, Secret string
	Scopes     []string
}

// Form returns the grant's parameters.
func (g ClientCredentials) Form() (map[string]any, error) {
	form := client("client_credentials", g.ID, g.Secret)
	if len(g.Scopes) > 0 {
		form["scope"] = strings.Join(g.Scopes, " ")
	}
	return form, nil
}

// Refresh is the grant for an account to which a user gave access (RFC 6749, 6). Its Token changes if the vendor's tokens are valid for one use.
type Refresh struct {
	ID, Secret string // Secret may be empty
	Token      string
	// OnRefresh gets a new refresh token as soon as it is known, to keep it for the next run; it may be nil. Its error ends the request.
	OnRefresh func(token string) error
}

// Form returns the grant's parameters.
func (g *Refresh) Form() (map[string]any, error) {
	form := client("refresh_token", g.ID, g.Secret)
	form["refresh_token"] = strings.TrimSpace(g.Token)
	return form, nil
}

func (g *Refresh) rotate(c *httpclient.Client, token string) error {
	if token == "" || token == g.Token {
		return nil
	}
	c.Secret(token)
	g.Token = token
	if g.OnRefresh == nil {
		return nil
	}
	return g.OnRefresh(token)
}

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// Assertion is the grant of RFC 7523 with an assertion that the vendor supplies ready for use.
type Assertion string

// Form returns the grant's parameters.
func (g Assertion) Form() (map[string]any, error) {
	return map[string]any{"grant_type": jwtBearer, "assertion": strings.TrimSpace(string(g))}, nil
}

// SignedAssertion is the grant of RFC 7523 with an assertion that is signed with RS256 for each token request and valid for 3 minutes, as Salesforce
// requires.
type SignedAssertion struct {
	Issuer, Subject, Audience string // the client's id, the user's name, the login host's address
	Key                       string // RSA private key as PEM; its line breaks may be written as \n or as blanks
	Setting                   string // the name under which the user knows Key, for messages; "" is private_key
}

// border matches the first or the last line of a key.
var border = regexp.MustCompile(`\s*(-----(?:BEGIN|END) [A-Z ]+-----)\s*`)

// Form returns the grant's parameters. A key that cannot be parsed is a Config fault.
func (g SignedAssertion) Form() (map[string]any, error) {
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(border.ReplaceAllString(strings.ReplaceAll(g.Key, `\n`, "\n"), "\n$1\n")))
	switch setting := cmp.Or(g.Setting, "private_key"); {
	case err != nil && strings.Contains(g.Key, "ENCRYPTED"):
		return nil, fault.Configf("%s is encrypted: fill in the key as it is without its passphrase, as openssl rsa -in key.pem writes it", setting)
	case err != nil:
		return nil, fault.Configf("%s is not an RSA private key in PEM form, which begins with -----BEGIN", setting)
	}
	assertion, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": strings.TrimSpace(g.Issuer),
		"sub": strings.TrimSpace(g.Subject),
		"aud": strings.TrimSpace(g.Audience),
		"exp": time.Now().Add(3 * time.Minute).Unix(),
	}).SignedString(key)
	if err != nil {
		return nil, fault.Configf("%s cannot sign: %w", cmp.Or(g.Setting, "private_key"), err)
	}
	return Assertion(assertion).Form()
}

// client returns the parameters that identify a client.
func client(grant, id, secret string) map[string]any {
	form := map[string]any{"grant_type": grant, "client_id": strings.TrimSpace(id)}
	if secret = strings.TrimSpace(secret); secret != "" {
		form["client_secret"] = secret
	}
	return form
}
