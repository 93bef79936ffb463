// Package httpclient sends requests and judges their answers.
//
// It takes care of credentials, the quota, timeouts, retries with backoff, renewed sessions and the classes of errors. Every error that Do returns
// is, or wraps, a *fault.Error whose message a user can act on, or the error of a context that ended. No text holds a query, a secret that the
// Redactor knows, or more than 300 characters of an answer.
package httpclient

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

const (
	defaultMaxBody    = 64 << 20
	defaultMaxElapsed = 10 * time.Minute
)

// Signer puts credentials on a request before it is encoded, because a session may live in the body. It is called before every attempt, on the
// attempt's own copy, and before the attempt takes its turn in the quota, so that it may send requests itself, see SignerCall, even if the quota is
// one request. Its errors end the request unchanged. It must be safe for concurrent use.
type Signer interface {
	Sign(ctx context.Context, r *Request) error
}

// Renewer is a Signer that can get new credentials. Renew is called after Expired or a 401, once for all requests signed with the same credentials,
// and again if the new ones do not last: see Do. The work may also be left to the next Sign. Requests that it sends itself are Unsigned. Requests may
// be signed while it renews, with the old credentials or the new ones.
type Renewer interface {
	Renew(ctx context.Context) error
}

// Binder is a Signer that sends requests of its own through the client it serves. New calls Bind once.
type Binder interface {
	Bind(c *Client)
}

// Options describe an API's transport. Every field but BaseURL may have its zero value.
type Options struct {
	BaseURL   string // scheme and host; a trailing slash is allowed
	Setting   string // the name under which the user knows BaseURL, for messages; "" is base_url
	PlainHTTP bool   // the vendor has no HTTPS: HTTP is allowed, with one WARN
	Auth      Signer
	Limit     *ratelimit.Limiter // nil admits all requests at once, except as a 429 demands
	Judge     Judge
	Header    http.Header // sent with every request, unless the request has its own
	Careful   bool        // requests are sent one at a time until the first good answer; see Doubt

	MaxBody int64 // bytes after decompression; 0 is 64 MiB
	// MaxElapsed bounds the time from when a request is first sent, including its retries and their waits, but not its waits for an ordinary quota or
	// for a Budget; 0 is 10 minutes.
	MaxElapsed time.Duration
	// Silence bounds the time of a request whose host has not answered yet, not even with a header; 0 is MaxElapsed. The first answer raises it to
	// MaxElapsed.
	Silence time.Duration

	// Dial opens connections instead of the network, for tests in memory; nil is the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// The engine sets the following fields; connectors leave them alone.
	Redact *redact.Redactor
	Log    *slog.Logger // nil logs nothing
}

// Client sends requests. It is safe for concurrent use. It keeps connections open for reuse: see Close.
type Client struct {
	o        Options // with defaults: no field that Do uses has its zero value
	base     *url.URL
	pooled   *http.Transport
	single   *http.Transport // a fresh connection for each request that must not be repeated
	throttle throttle
	renewal  renewal
	warmUp   warmUp
	heard    atomic.Bool // whether the host has ever answered, even with an error
	cleaner  record.Cleaner

	unknownCharset sync.Once // logs it

	mu     sync.Mutex
	others []*Client
}

// New returns a Client. A BaseURL that cannot be used is a config error, which does not quote it.
func New(o Options) (*Client, error) {
	o.Setting = cmp.Or(o.Setting, "base_url")
	o.MaxBody = cmp.Or(o.MaxBody, defaultMaxBody)
	o.MaxElapsed = cmp.Or(o.MaxElapsed, defaultMaxElapsed)
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	o.Limit = cmp.Or(o.Limit, ratelimit.Unlimited())
	base, err := o.base()
	if err != nil {
		return nil, err
	}
	c := &Client{o: o, base: base, renewal: newRenewal(), warmUp: warmUp{careful: o.Careful, turn: make(chan struct{}, 1)},
		cleaner: record.Cleaner{Rows: true}}
	c.pooled, c.single = newHTTP(o.Dial)
	if b, ok := o.Auth.(Binder); ok {
		b.Bind(c)
	}
	return c, nil
}

// base returns BaseURL, parsed and checked.
func (o *Options) base() (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(o.BaseURL))
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery ||
		u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, o.mend("must be a scheme and a host, such as https://api.example.com, without a path")
	}
	if !validPort(u.Port()) {
		return nil, o.mend("must have a port from 1 to 65535, or none")
	}
	if !validHost(u.Hostname()) {
		return nil, o.mend("must have a host whose name is made of letters, digits, hyphens and single dots")
	}
	if u.Scheme == "http" && !local(u.Hostname()) {
		if !o.PlainHTTP {
			return nil, o.mend("must begin with https://, because " + u.Hostname() + " would otherwise get the credentials unencrypted")
		}
		o.Log.Warn("The credentials and the data travel unencrypted: " + u.Hostname() + " is reached by plain HTTP.")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// mend returns the error for a BaseURL that cannot be used, in the words of spec.Validate.
func (o *Options) mend(what string) error {
	return fault.Configf("The configuration needs mending: %q %s.", o.Setting, what)
}

// validPort reports whether it is possible to connect to port; "" is the scheme's default.
func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// validHost reports whether host is an address, or a name that can be looked up (RFC 1123, 2.1, plus the underscore that some use).
func validHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	const others = "-_" // allowed besides letters and digits; punycode judges characters beyond ASCII
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
			return r < utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(others, r)
		}) {
			return false
		}
	}
	return true
}

// local reports whether host is this machine, or the machine that runs this container.
func local(host string) bool {
	if host = strings.ToLower(host); host == "localhost" || host == "host.docker.internal" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// Other returns a client for another host, such as that of a token call. It shares c's redactor, log, time limits, size limit and quota, because the
// host may be the API's own under another name. It has no credentials, judge or headers, and requires HTTPS in any case. setting is the name under
// which the user knows baseURL. Closing c closes it too.
func (c *Client) Other(baseURL, setting string) (*Client, error) {
	o := c.o
	o.BaseURL, o.Setting, o.PlainHTTP = baseURL, setting, false
	o.Auth, o.Judge, o.Header, o.Careful = nil, nil, nil, false
	other, err := New(o)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.others = append(c.others, other)
	return other, nil
}

// Secret registers values learned at run time, such as a session, so that no text holds them from now on.
func (c *Client) Secret(values ...string) {
	if c.o.Redact != nil {
		c.o.Redact.Add(values...)
	}
}

// Close closes idle connections. The Client stays usable.
func (c *Client) Close() {
	c.pooled.CloseIdleConnections()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, other := range c.others {
		other.Close()
	}
}
