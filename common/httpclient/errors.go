package httpclient

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// ErrUnknownOutcome is wrapped by the failure of a request that is Once if it is unknown whether the method ran: no complete answer came after it was
// sent, or one that says nothing (5xx, 408, 425, 2xx without JSON, a redirect that would turn the method into GET). The failure is a Config fault,
// because somebody has to look before it is sent again and the platform retries the other kinds by itself.
var ErrUnknownOutcome = errors.New("the outcome is unknown")

// StatusError is the cause of every failure that came as an HTTP status.
type StatusError struct {
	Method, Path string // the path after the host, without a query
	Status       int
	Body         string // what the API says, at most 300 characters, redacted; if that is nothing, Response.Words
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s: status %d: %s", e.Method, e.Path, e.Status, e.Body)
}

const (
	checkCredentials = "Check the credentials in the configuration."
	checkProxy       = "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY in the environment."
)

func (c *Client) statusError(where string, res *Response) *StatusError {
	method, path, _ := strings.Cut(where, " ")
	return &StatusError{Method: method, Path: path, Status: res.Status, Body: cmp.Or(res.said(), res.Words())}
}

// Where names a request as error texts do: by its method, its host and its path without a query.
func (c *Client) Where(r Request) string {
	to, err := r.target(c.base)
	if err != nil { // Do reports it
		return r.method() + " " + c.base.Host
	}
	return c.where(r, to)
}

func (c *Client) where(r Request, to *url.URL) string {
	return r.method() + " " + c.o.Redact.String(to.Host+to.EscapedPath())
}

// noAnswer returns the failure of an attempt that got no complete answer. method is the request's.
func (c *Client) noAnswer(method string, err error, reached bool) *failure {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the text of u has the query
	}
	cause := &blankedError{text: outline(err.Error()), err: err}
	f := &failure{step: retry, kind: fault.Transient, advice: fault.Later, cause: cause, ran: notRun}
	if reached {
		f.ran = unknownRun
	}
	checkURL := "Check " + c.o.Setting + "."
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		checkURL = checkProxy
	}
	final := func(kind fault.Kind, advice, format string, args ...any) *failure {
		f.step, f.kind, f.advice, f.reason = stop, kind, advice, fmt.Sprintf(format, args...)
		return f
	}
	redirect, isRedirect := errors.AsType[*redirectError](err)
	notFound, isDNS := errors.AsType[*net.DNSError](err)
	timeout, isNet := errors.AsType[net.Error](err)
	switch {
	case isRedirect:
		if !redirect.seeOther {
			f.ran = answered // it was redirected before anything was done
		}
		return final(fault.Config, checkURL, "was redirected %s, which is refused", redirect.to)
	case badLocation(err): // its status is unknown
		if !seeOther(method, http.StatusSeeOther) {
			f.ran = answered
		}
		return final(fault.Config, checkURL, "was redirected to something that is no address, which is refused")
	case errors.Is(err, ErrTooLarge):
		return final(fault.System, "", "was answered with more than %d MiB, which is the limit", c.o.MaxBody>>20)
	case untrusted(err):
		return final(fault.Config, checkURL+" Where a company's own authority issued the certificate, SSL_CERT_FILE must name its file.",
			"could not be sent: the certificate of %s is not trusted", c.base.Hostname())
	case notTLS(err):
		return final(fault.Config, checkURL, "could not be sent: %s does not answer by HTTPS", c.base.Host)
	case isDNS && notFound.IsNotFound:
		f.kind, f.advice = fault.Config, checkURL
		f.reason = fmt.Sprintf("could not be sent: the host %s was not found", notFound.Name)
	case isDNS, !reached && unreachable(err):
		f.reason = "could not be sent: this machine has no network, or its DNS does not answer"
	case c.byProxy(f, err):
	case errors.Is(err, errIdle):
		f.reason = "was cut off: " + err.Error()
	case errors.Is(err, errLate), isNet && timeout.Timeout():
		f.reason, f.late = "got no answer in time", errors.Is(err, errLate)
	case errors.Is(err, syscall.ECONNREFUSED):
		f.reason = "could not be sent: the connection was refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		unreachable(err):
		f.reason = "was cut off before the answer was complete"
	default:
		f.reason = "got no answer: " + c.excerpt([]byte(cause.text))
	}
	return f
}

// byProxy updates f for an attempt that did not get past the proxy, and reports whether err is such a failure.
func (c *Client) byProxy(f *failure, err error) bool {
	proxy, unreadable := c.pooled.Proxy(&http.Request{URL: c.base})
	name := "the proxy"
	if proxy != nil {
		name += " " + proxy.Host
	}
	status, refused := errors.AsType[proxyError](err)
	op, dialled := errors.AsType[*net.OpError](err)
	switch {
	case unreadable != nil:
		f.reason = "could not be sent: the address of the proxy cannot be read"
	case refused:
		f.reason = fmt.Sprintf("could not be sent: %s does not let it through (%d)", name, status)
	case dialled && op.Op == "proxyconnect":
		f.reason = fmt.Sprintf("could not be sent: %s does not answer", name)
	default:
		return false
	}
	f.advice = checkProxy
	if unreadable != nil || status == http.StatusProxyAuthRequired || status == http.StatusForbidden {
		f.step, f.kind = stop, fault.Config
	}
	return true
}

// outline returns the text of an error of net/http or net/url without addresses, queries and quoted parts: a server sent those or somebody configured
// them, and they may hold a secret that is not registered.
func outline(text string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, `"`)
		out.WriteString(before)
		if !found {
			break
		}
		out.WriteString("…")
		quoted, err := strconv.QuotedPrefix(`"` + rest)
		if err != nil { // the quotation does not end
			break
		}
		text = rest[len(quoted)-1:]
	}
	words := strings.Fields(out.String())
	for i, word := range words {
		if words[i], _, _ = strings.Cut(word, "?"); strings.Contains(word, "://") {
			words[i] = "…"
		}
	}
	return strings.Join(words, " ")
}

// badLocation reports whether err is about a Location that is not a valid header. Only the words of net/http tell that.
func badLocation(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "malformed mime header") && strings.Contains(text, `"location:`)
}

func untrusted(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

// unreachable reports whether there is no route to the host, or no longer one.
func unreachable(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH)
}

func notTLS(err error) bool {
	_, header := errors.AsType[tls.RecordHeaderError](err)
	return header || errors.Is(err, http.ErrSchemeMismatch)
}

// err returns the error of a request that ended with f. tries says how often it was tried, or is "" if that does not matter.
func (c *Client) err(where string, f *failure, tries string) error {
	if _, known := errors.AsType[*fault.Error](f.verdict.err); known || f.verdict.err != nil && f.step == stop {
		return c.blank(f.verdict.err)
	}
	return &fault.Error{Kind: f.kind, Message: sentence(c.what(where, f)+tries, f.advice), Err: c.blank(f.because())}
}

// tooLate returns the error of a request that ended with f and whose time is over before the server wants to be asked again.
func (c *Client) tooLate(where string, f *failure, until time.Time) error {
	advice := "It may be tried again from " + until.UTC().Truncate(time.Second).Add(time.Second).Format(time.RFC3339) + "."
	return &fault.Error{Kind: f.kind, Message: sentence(c.what(where, f), advice), Err: c.blank(f.because())}
}

// unknownOutcome returns the error of a request that ended with f, is Once and may have been executed.
func (c *Client) unknownOutcome(where string, f *failure) error {
	return &fault.Error{
		Kind: fault.Config,
		Message: sentence(c.what(where, f),
			"It is not known whether it was carried out: look at the record in the target system before it is sent again."),
		Err: fmt.Errorf("%w: %w", ErrUnknownOutcome, c.blank(f.because())),
	}
}

// what says what happened, without a full stop.
func (c *Client) what(where string, f *failure) string {
	switch judged, ok := errors.AsType[*fault.Error](f.verdict.err); {
	case ok:
		return strings.TrimSuffix(c.o.Redact.Quote(judged.Message), ".")
	case f.verdict.err != nil:
		return where + " failed: " + c.excerpt([]byte(f.verdict.err.Error()))
	default:
		return where + " " + f.reason
	}
}

// sentence joins what happened and the advice.
func sentence(what, advice string) string {
	if advice == "" {
		return what + "."
	}
	return what + ". " + advice
}

// blank returns err with the secrets in its text redacted.
func (c *Client) blank(err error) error {
	if err == nil {
		return nil
	}
	text := c.o.Redact.String(err.Error())
	if text == err.Error() {
		return err
	}
	blanked := &blankedError{text: text, err: err}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return &fault.Error{Kind: f.Kind, Message: c.o.Redact.String(f.Message), Err: blanked}
	}
	return blanked
}

// blankedError wraps an error under a text without secrets.
type blankedError struct {
	text string
	err  error
}

func (e *blankedError) Error() string { return e.text }
func (e *blankedError) Unwrap() error { return e.err }
