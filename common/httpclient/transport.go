package httpclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

// Response is a complete answer.
//
// Values read from Body share its memory, except what Value.Text returns: keeping a small value keeps the whole answer in memory, unless the value is
// cloned.
type Response struct {
	Method   string // of the request
	Path     string // of the request, without a query
	Status   int
	Header   http.Header
	Text     []byte       // the body, decompressed and in UTF-8; if it is JSON, the same memory as Body
	Body     record.Value // the body as valid JSON in one line; absent if it is not JSON
	Replaced int          // bytes of the body that were invalid in its charset
	Control  int          // unescaped control characters in texts of the body
	Answered bool         // whether this client had a good answer before

	broken   error // why the body is not JSON; nil if it is
	unsigned bool  // the request was Unsigned, so the answer may hold credentials

	redact   *redact.Redactor // for Excerpt and Words
	sentence *string          // the result of said; nil: not computed yet
}

// Time limits for a server. None limits an answer that keeps arriving: MaxElapsed does.
const (
	connectTimeout = 10 * time.Second
	tlsTimeout     = 10 * time.Second
	headerTimeout  = time.Minute // after the request was sent; doubled for each further attempt after one without an answer in that time
	idleTimeout    = time.Minute // between two reads of a body
)

// proxyError is the status with which a proxy refused to connect.
type proxyError int

func (e proxyError) Error() string { return fmt.Sprintf("the proxy answered %d", int(e)) }

// newHTTP returns a transport that reuses connections and one that does not. A server may close an idle connection just when it is used again, and
// then nobody knows whether the request arrived. A request that must not be repeated must not fail for that reason.
func newHTTP(dial func(ctx context.Context, network, address string) (net.Conn, error)) (pooled, single *http.Transport) {
	if dial == nil {
		dial = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	reuse := &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: dial,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			return proxyError(resp.StatusCode)
		},
		TLSHandshakeTimeout: tlsTimeout,
		ForceAttemptHTTP2:   true,
		HTTP2:               &http.HTTP2Config{SendPingTimeout: 15 * time.Second}, // otherwise a dead connection would serve every retry
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 32,
		IdleConnTimeout:     30 * time.Second,
	}
	fresh := reuse.Clone()
	fresh.DisableKeepAlives = true
	return reuse, fresh
}

// request returns the signed request r in the form of net/http.
func (c *Client) request(r Request, to *url.URL) (*http.Request, error) {
	body, contentType, err := r.encode()
	if err != nil {
		return nil, err
	}
	var reader io.Reader = http.NoBody
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequest(r.method(), to.String(), reader) //nolint:noctx // send gives it the attempt's context
	if err != nil {
		return nil, fault.Systemf("The connector made a request that cannot be sent: %s is no method.", r.method())
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "airbyte-connector")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for _, header := range []http.Header{c.o.Header, r.Header} {
		for key, values := range header {
			if slices.ContainsFunc(values, unprintable) {
				return nil, fault.Configf("The value for the header %s holds a line break or another character that cannot be sent. "+
					"Check the credentials in the configuration.", key)
			}
			req.Header[http.CanonicalHeaderKey(key)] = values
		}
	}
	return req, nil
}

func unprintable(value string) bool {
	return strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
