package httpclient

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

// maxRedirects is how many hops lead from a request to its answer at the most.
const maxRedirects = 5

// errResent ends what net/http would send a second time by itself: see wire.
var errResent = fmt.Errorf("the connection was closed before the answer came: %w", io.ErrUnexpectedEOF)

// redirectError is a redirect that was not followed. Its text names no more than a host: a location may carry a secret.
type redirectError struct {
	to       string
	seeOther bool // see there
}

func (e *redirectError) Error() string { return "refusing the redirect " + e.to }

// follow sends req and then, each in its turn in the quota, what its answers redirect it to, and reads the last answer whole. done is that
// of req's own turn. reached says that the last one got a connection, so that something may have been written. cancel ends ctx.
func (c *Client) follow(ctx context.Context, cancel context.CancelCauseFunc, call *call, req *http.Request, done func()) (
	res *Response, reached bool, err error,
) {
	defer func() { done() }()
	for hops := 0; ; hops++ {
		w := &wire{cancel: cancel}
		resp, err := w.send(ctx, c.transport(call.r), req, done)
		if err != nil {
			return nil, w.reached(), err
		}
		c.hear(call)
		done()
		next, err := redirected(req, resp, hops)
		if err != nil {
			discard(resp)
			return nil, true, err
		}
		if next == nil {
			res, err := c.answer(ctx, cancel, call, resp)
			return res, true, err
		}
		discard(resp)
		if err := call.aside(func() (err error) {
			done, err = c.o.Limit.Wait(ctx, call.r.Waiting)
			return err
		}); err != nil {
			done = func() {}
			return nil, false, err
		}
		req = next
	}
}

// transport returns the Transport for r: it reuses connections unless r must not be repeated.
func (c *Client) transport(r Request) *http.Transport {
	if r.Once {
		return c.single
	}
	return c.pooled
}

// answer reads the body of resp.
func (c *Client) answer(ctx context.Context, cancel context.CancelCauseFunc, call *call, resp *http.Response) (*Response, error) {
	defer resp.Body.Close()
	body, replaced, err := c.read(ctx, cancel, call, resp)
	if err != nil {
		return nil, err
	}
	res := &Response{Method: call.r.method(), Status: resp.StatusCode, Header: resp.Header, Text: body, unsigned: call.r.Unsigned}
	res.Path, _, _ = strings.Cut(call.r.Path, "?")
	clean, mended, err := c.cleaner.Clean(body)
	if res.broken = err; err == nil {
		res.Text, res.Body, res.Replaced, res.Control = clean.Raw(), clean, replaced+mended.Invalid, mended.Control
	}
	return res, nil
}

// discard ends an answer that nobody reads, so that its connection can be used again where little is left of it, and that comes soon.
func discard(resp *http.Response) {
	defer time.AfterFunc(time.Second, func() { _ = resp.Body.Close() }).Stop()
	_, _ = io.CopyN(io.Discard, resp.Body, 2<<10)
	_ = resp.Body.Close()
}

// redirected returns the request that an answer redirects req to, after so many hops, or nil where the answer is none that redirects. What it
// follows stays on the host, encrypted if it was, and the same method.
func redirected(req *http.Request, resp *http.Response, hops int) (*http.Request, error) {
	location, elsewhere := resp.Header.Get("Location"), seeOther(req.Method, resp.StatusCode)
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	if location == "" {
		return nil, nil
	}
	to, err := req.URL.Parse(location)
	refused := ""
	switch {
	case err != nil, to.Scheme != "http" && to.Scheme != "https": // a made-up scheme may be anything
		refused = "to something that is no address of the web"
	case !sameHost(to, req.URL):
		refused = "to another host, " + to.Host
	case req.URL.Scheme == "https" && to.Scheme != "https":
		refused = "from https to http"
	case elsewhere:
		refused = "in a way that would turn " + req.Method + " into GET"
	case hops >= maxRedirects:
		refused = "after too many others"
	}
	if refused != "" {
		return nil, &redirectError{refused, elsewhere}
	}
	next := req.Clone(req.Context())
	to.Fragment = ""
	next.URL, next.Host = to, ""
	if req.GetBody != nil {
		if next.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// seeOther reports whether an answer of that status says that there is something to GET elsewhere, to a request with another method: after
// Post/Redirect/Get that is the result of what was carried out (RFC 9110, 15.4.4), which 301 and 302 are used for as well.
func seeOther(method string, status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		return method != http.MethodGet && method != http.MethodHead
	}
	return false
}

// wire watches over one request, so that it is on the wire once. By itself net/http sends it again where a connection that was used before
// turns out to be closed, after the request was written to it: the server may have counted that one.
type wire struct {
	cancel    context.CancelCauseFunc // ends the attempt
	connected atomic.Bool
	written   atomic.Bool
	refused   atomic.Bool // it was written, and the server says that it did not look at it
}

// send gives the answer with its body unread. counted is called when it begins.
func (w *wire) send(ctx context.Context, through *http.Transport, req *http.Request, counted func()) (*http.Response, error) {
	resp, err := through.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              w.connect,
		WroteHeaders:         func() { w.written.Store(true) },
		GotFirstResponseByte: counted,
	})))
	if err != nil {
		through.CloseIdleConnections() // which may be as dead as this one was, and each would cost an attempt
		return nil, err
	}
	return resp, nil
}

// connect is called with the connection that the request is about to be written to. Where it was written already, that is kept from it: by
// closing the connection, or, in HTTP/2, where others use it too and where what is cancelled is not written, by the end of the context.
func (w *wire) connect(info httptrace.GotConnInfo) {
	w.connected.Store(true)
	if !w.written.Load() {
		return
	}
	w.cancel(errResent)
	if multiplexed(info.Conn) {
		w.refused.Store(true) // RFC 9113, 8.7: the only reasons for which net/http sends it again
		return
	}
	_ = info.Conn.Close()
}

// reached reports whether something may have been written that the server looked at.
func (w *wire) reached() bool { return w.connected.Load() && !w.refused.Load() }

// multiplexed reports whether conn speaks HTTP/2.
func multiplexed(conn net.Conn) bool {
	secure, ok := conn.(*tls.Conn)
	return ok && secure.ConnectionState().NegotiatedProtocol == "h2"
}
