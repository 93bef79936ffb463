package httpclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

// Response is an answer, read whole.
type Response struct {
	Status   int
	Header   http.Header
	Text     []byte        // the body as it came, decompressed; where it is JSON, the same memory as Body
	Body     record.Record // the body made valid JSON in one line, or nil where it is not JSON
	Replaced int           // bytes of the body that were not UTF-8
	Answered bool          // whether this client had a good answer before

	redact *redact.Redactor // for Excerpt
}

// What a server may take its time for. None bounds an answer that keeps coming: MaxElapsed does.
const (
	connectTimeout = 10 * time.Second
	tlsTimeout     = 10 * time.Second
	headerTimeout  = time.Minute // since the request was sent
	idleTimeout    = time.Minute // between two reads of a body
)

const (
	maxRedirects = 5
	firstRead    = 32 << 10 // bytes set aside for a body of unknown size
	trustedSize  = 8 << 20  // bytes set aside on a Content-Length's word alone
)

var (
	errIdle     = errors.New("no byte came for a minute")
	errTooLarge = errors.New("the answer is too large")
)

// redirectError is a redirect that was not followed. Its text names no more than a host: a location may carry a secret.
type redirectError struct{ to string }

func (e *redirectError) Error() string { return "refusing the redirect " + e.to }

// newHTTP makes the client that reuses connections, and the one that does not: a server may close an idle connection at the moment in which
// it is used again, and then nobody knows whether the request arrived. For one that may not be repeated that must not happen in vain.
func newHTTP(dial func(ctx context.Context, network, address string) (net.Conn, error)) (pooled, single *http.Client) {
	if dial == nil {
		dial = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	reuse := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dial,
		TLSHandshakeTimeout:   tlsTimeout,
		ResponseHeaderTimeout: headerTimeout,
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 15 * time.Second}, // or a dead connection would serve every retry
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       30 * time.Second,
	}
	fresh := reuse.Clone()
	fresh.DisableKeepAlives = true
	return &http.Client{Transport: reuse, CheckRedirect: checkRedirect}, &http.Client{Transport: fresh, CheckRedirect: checkRedirect}
}

// checkRedirect follows what stays on the host, encrypted if it was, and the same method.
func checkRedirect(r *http.Request, via []*http.Request) error {
	last := via[len(via)-1]
	switch {
	case r.URL.Scheme != "http" && r.URL.Scheme != "https": // a made-up one may be anything
		return &redirectError{"to something that is no address of the web"}
	case !sameHost(r.URL, last.URL):
		return &redirectError{"to another host, " + r.URL.Host}
	case last.URL.Scheme == "https" && r.URL.Scheme != "https":
		return &redirectError{"from https to http"}
	case r.Method != last.Method:
		return &redirectError{"that would turn " + last.Method + " into " + r.Method}
	case len(via) > maxRedirects:
		return &redirectError{"after too many others"}
	}
	return nil
}

// request is r, signed, as net/http takes it.
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

// send does one attempt and reads its answer whole. counted is called when the answer begins; reached says that there was a connection, so
// that something may have been written.
func (c *Client) send(ctx context.Context, req *http.Request, once bool, counted func()) (res *Response, reached bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var connected atomic.Bool
	req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { connected.Store(true) },
		GotFirstResponseByte: counted,
	}))
	client := c.pooled
	if once {
		client = c.single
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, connected.Load(), err
	}
	defer resp.Body.Close()
	body, err := c.read(resp, func() { cancel(errIdle) })
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errIdle) {
		err = cause
	}
	if err != nil {
		return nil, true, err
	}
	res = &Response{Status: resp.StatusCode, Header: resp.Header, Text: body, redact: c.o.Redact}
	if clean, replaced, err := record.Clean(body); err == nil {
		res.Text, res.Body, res.Replaced = clean, clean, replaced
	}
	return res, true, nil
}

// read reads the body up to its limit and calls expire when it stands still.
func (c *Client) read(resp *http.Response, expire func()) ([]byte, error) {
	limit := c.o.MaxBody
	if resp.ContentLength > limit {
		return nil, errTooLarge
	}
	size := int64(firstRead)
	if resp.ContentLength >= 0 {
		size = min(resp.ContentLength+1, trustedSize) // one more, so that its end is seen without growing
	}
	idle := time.AfterFunc(idleTimeout, expire)
	defer idle.Stop()
	body := make([]byte, 0, size)
	for {
		n, err := resp.Body.Read(body[len(body):cap(body)])
		if n > 0 {
			idle.Reset(idleTimeout)
		}
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, err
		case len(body) == cap(body):
			body = slices.Grow(body, len(body))
		}
	}
}
