package httpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

// maxRedirects is how many redirects are followed at most from a request to its answer.
const maxRedirects = 5

// errResent ends a request that net/http would send a second time by itself: see wire.
var errResent = fmt.Errorf("the connection was closed before the answer came: %w", io.ErrUnexpectedEOF)

// errLate ends an attempt whose answer did not begin in time.
var errLate = errors.New("the answer did not begin in time")

// redirectError is a redirect that was not followed. Its text names at most a host, because a location may hold a secret.
type redirectError struct {
	to       string
	seeOther bool // see the function seeOther
}

func (e *redirectError) Error() string { return "refusing the redirect " + e.to }

// follow sends req and then each redirect, each in its own turn in the quota, and reads the last answer to its end. done ends req's own turn. reached
// says that the last request got a connection, so that something may have been written. cancel ends ctx.
func (c *Client) follow(ctx context.Context, cancel context.CancelCauseFunc, call *call, req *http.Request, done func()) (
	res *Response, reached bool, err error,
) {
	defer func() { done() }()
	for hops := 0; ; hops++ {
		w := &wire{cancel: cancel, patience: call.patience}
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

// transport returns the Transport for r. It reuses connections, unless r must not be repeated.
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
	res := &Response{
		Method: call.r.method(), Status: resp.StatusCode, Header: resp.Header, Text: body, unsigned: call.r.Unsigned, redact: c.o.Redact,
	}
	res.Path, _, _ = strings.Cut(call.r.Path, "?")
	clean, mended, err := c.cleaner.Clean(body)
	if res.broken = err; err == nil {
		res.Text, res.Body, res.Replaced, res.Control = clean.Raw(), clean, replaced+mended.Invalid, mended.Control
	}
	return res, nil
}

// discard closes an answer that nobody reads. If little of it is left and arrives soon, its connection can be reused.
func discard(resp *http.Response) {
	defer time.AfterFunc(time.Second, func() { _ = resp.Body.Close() }).Stop()
	_, _ = io.CopyN(io.Discard, resp.Body, 2<<10)
	_ = resp.Body.Close()
}

// redirected returns the request to which resp redirects req after hops redirects, or nil if it does not redirect. A redirect that is followed stays
// on the host, keeps the method, and stays encrypted if req was.
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
	case err != nil, to.Scheme != "http" && to.Scheme != "https": // an invented scheme may hold anything
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

// seeOther reports whether an answer with this status points a request with another method to something to GET. After Post/Redirect/Get that is the
// result of what was executed (RFC 9110, 15.4.4); 301 and 302 are used for that too.
func seeOther(method string, status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		return method != http.MethodGet && method != http.MethodHead
	}
	return false
}

// wire makes sure that a request is sent only once. net/http sends it again by itself if a reused connection turns out to be closed after the request
// was written to it: the server may have counted that one.
type wire struct {
	cancel    context.CancelCauseFunc // ends the attempt
	connected atomic.Bool
	written   atomic.Bool
	refused   atomic.Bool // it was written, and the server says that it did not process it
	patience  time.Duration
	late      *time.Timer // ends the attempt if the answer has not begun within patience after there was a connection; nil: no timer runs
}

// send returns the answer with its body unread. It calls counted when the answer begins.
func (w *wire) send(ctx context.Context, through *http.Transport, req *http.Request, counted func()) (*http.Response, error) {
	resp, err := through.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              w.connect,
		WroteHeaders:         func() { w.written.Store(true) },
		GotFirstResponseByte: counted,
	})))
	if w.late != nil {
		w.late.Stop()
	}
	if err != nil {
		through.CloseIdleConnections() // they may be as dead as this one, and each would cost an attempt
		return nil, err
	}
	return resp, nil
}

// connect is called with the connection to which the request is about to be written. If it was written before, connect prevents that: by closing the
// connection or, in HTTP/2, where others use it too and where a cancelled request is not written, by ending the context.
func (w *wire) connect(info httptrace.GotConnInfo) {
	w.connected.Store(true)
	if !w.written.Load() {
		if w.late == nil {
			w.late = time.AfterFunc(w.patience, func() { w.cancel(errLate) })
		}
		return
	}
	w.cancel(errResent)
	if multiplexed(info.Conn) {
		w.refused.Store(true) // RFC 9113, 8.7: the only reasons for which net/http sends it again
		return
	}
	_ = info.Conn.Close()
}

// reached reports whether something may have been written that the server processed.
func (w *wire) reached() bool { return w.connected.Load() && !w.refused.Load() }

// multiplexed reports whether conn speaks HTTP/2.
func multiplexed(conn net.Conn) bool {
	secure, ok := conn.(*tls.Conn)
	return ok && secure.ConnectionState().NegotiatedProtocol == "h2"
}
