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

// Response is an answer, read whole.
//
// All that is read out of Body, but for what Value.Text gives, shares its memory: a small value that is kept keeps the whole answer, unless
// it is cloned.
type Response struct {
	Method   string // of the request
	Path     string // of the request, without a query
	Status   int
	Header   http.Header
	Text     []byte       // the body decompressed and in UTF-8; where it is JSON, the same memory as Body
	Body     record.Value // the body made valid JSON in one line, absent where it is not JSON
	Replaced int          // bytes of the body that were not in its charset
	Control  int          // control characters in texts of the body that were not escaped
	Answered bool         // whether this client had a good answer before

	broken   error // why a body is not JSON; nil where it is
	unsigned bool  // the request was, so that the answer may hold credentials

	redact   *redact.Redactor // for Excerpt and Words
	sentence *string          // what said returned before
}

// What a server may take its time for. None bounds an answer that keeps coming: MaxElapsed does.
const (
	connectTimeout = 10 * time.Second
	tlsTimeout     = 10 * time.Second
	headerTimeout  = time.Minute // since the request was sent, and twice as long with each further attempt after one that got no answer in it
	idleTimeout    = time.Minute // between two reads of a body
)

// proxyError is the status with which a proxy refused to connect.
type proxyError int

func (e proxyError) Error() string { return fmt.Sprintf("the proxy answered %d", int(e)) }

// newHTTP makes the transport that reuses connections, and the one that does not: a server may close an idle connection at the moment in which
// it is used again, and then nobody knows whether the request arrived. For one that may not be repeated that must not happen in vain.
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
		HTTP2:               &http.HTTP2Config{SendPingTimeout: 15 * time.Second}, // or a dead connection would serve every retry
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 32,
		IdleConnTimeout:     30 * time.Second,
	}
	fresh := reuse.Clone()
	fresh.DisableKeepAlives = true
	return reuse, fresh
}

// request returns r, signed, as net/http takes it.
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
