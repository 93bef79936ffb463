package httpclient

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// Judge sees every answer before the default rules do, whatever its status. nil is "no opinion"; Again(err), Throttled(err), Busy(err), Undone(err),
// Expired(err), Doubt(err), Accept or any other error, which is a failure as it is, decide.
type Judge func(*Response) error

// Accept says that the answer is good whatever its status and body.
var Accept = errors.New("the answer is good") //nolint:gochecknoglobals,staticcheck // a verdict, not an error

// Again says that asking again may help: the request is retried with backoff, and err is the failure when that does not help. A request
// that is Once is not retried, and its outcome is unknown if the status is 2xx or 5xx.
func Again(err error) error { return &again{err: cmp.Or(err, errUnsaid)} }

// Throttled is Again for an answer that means what a 429 does under another status: all requests are held, and a request that is Once is
// asked again.
func Throttled(err error) error { return &again{err: cmp.Or(err, errUnsaid), throttled: true} }

// Busy is Throttled for an answer that says that too much runs at the same time, not that a quota is used up: the requests are held for a
// growing while, and not for a quota's whole window.
func Busy(err error) error { return &again{err: cmp.Or(err, errUnsaid), throttled: true, busy: true} }

// Undone is Again for an answer that says that nothing was done, or that all that had been done was undone: a request that is Once is asked
// again too, up to undoneTries times in all, which is some 15 seconds.
func Undone(err error) error { return &again{err: cmp.Or(err, errUnsaid), undone: true} }

// Expired says that the credentials ran out, as a 401 does: they are renewed and the request is repeated, even one that is Once. err is the
// failure when there is nothing to renew, or the answer stays the same; see Do for when that is.
func Expired(err error) error { return &expired{err: cmp.Or(err, errUnsaid)} }

var errUnsaid = errors.New("the answer is not good")

type again struct {
	err       error
	throttled bool
	busy      bool
	undone    bool
}

func (a *again) Error() string { return a.err.Error() }
func (a *again) Unwrap() error { return a.err }

type expired struct{ err error }

func (e *expired) Error() string { return e.err.Error() }
func (e *expired) Unwrap() error { return e.err }

// step is what a failure asks for.
type step uint8

const (
	stop step = iota
	retry
	renew
)

// failure is what is wrong with one attempt, and what to do about it.
type failure struct {
	step step

	kind   fault.Kind // when it is final
	reason string     // continues "GET /path "
	advice string     // a sentence for the user, or ""
	cause  error
	judged error // a Judge's or a Signer's own words, which take the place of the above

	until     time.Time // the server's wish not to be asked before; zero for none
	hold      bool      // the wish concerns all requests
	throttled bool      // there is a wish even where the server does not say until when
	busy      bool      // the wish is for less at the same time
	unrun     bool      // the method provably did not run
	undone    bool      // or what it did was undone, see Undone
	unknown   bool      // nobody knows whether the method ran
	doubt     bool      // the failure may pass, see Doubt
	same      string    // how often the same was said, "" where that is not the reason to stop
}

// because is the cause, whoever says so.
func (f *failure) because() error { return cmp.Or(f.judged, f.cause) }

// judge is nil for a good answer.
func (c *Client) judge(where string, r Request, res *Response) *failure {
	res.Answered = c.trial.over()
	f := &failure{until: retryAfter(res.Header, time.Now())}
	status := res.Status
	f.throttled = status == http.StatusTooManyRequests
	f.hold = f.throttled || status == http.StatusServiceUnavailable && !f.until.IsZero()
	f.unrun = f.hold
	f.unknown = !f.hold && (status/100 == 2 || status/100 == 5)
	if status/100 == 2 && errors.Is(res.broken, record.ErrTooDeep) {
		f.kind, f.cause = fault.System, fmt.Errorf("reading the answer: %w", res.broken)
		f.reason = fmt.Sprintf("was answered (%d) with rows that destinations cannot read: %v", status, record.ErrTooDeep)
		return f
	}
	for _, judge := range []Judge{r.First, c.o.Judge, r.Judge} {
		if judge == nil {
			continue
		}
		if err := judge(res); err != nil {
			return f.opinion(err)
		}
	}
	if status/100 == 2 && res.Body != nil {
		return nil
	}
	f.cause = c.statusError(where, res)
	f.byStatus(c, res)
	return f
}

// opinion is f as a Judge decided it.
func (f *failure) opinion(err error) *failure {
	if errors.Is(err, Accept) {
		return nil
	}
	if a, ok := errors.AsType[*again](err); ok {
		f.step, f.kind, f.judged = retry, fault.Transient, a.err
		if known, ok := errors.AsType[*fault.Error](a.err); ok {
			f.kind = known.Kind
		}
		if a.throttled {
			f.throttled, f.hold, f.unrun, f.unknown = true, true, true, false
			f.busy = a.busy
		}
		if a.undone {
			f.unrun, f.unknown, f.undone = true, false, true
		}
		return f
	}
	if d, ok := errors.AsType[*doubt](err); ok {
		f.step, f.kind, f.judged, f.doubt, f.unrun, f.unknown = retry, fault.Config, d.err, true, true, false
		return f
	}
	if e, ok := errors.AsType[*expired](err); ok {
		f.step, f.kind, f.judged = renew, fault.Config, e.err
		f.unknown, f.advice = false, checkCredentials
		return f
	}
	f.step, f.judged, f.unknown = stop, err, false
	return f
}

// byStatus applies the rules that hold where no Judge decides.
func (f *failure) byStatus(c *Client, res *Response) {
	words := c.Words(res)
	switch status := res.Status; {
	case status/100 == 2:
		f.step, f.kind, f.advice = retry, fault.Transient, tryLater
		f.reason = fmt.Sprintf("was answered (%d) with nothing", status)
		if len(res.Text) > 0 {
			f.reason = fmt.Sprintf("was answered (%d) with something that is not JSON: %q", status, c.excerpt(res.Text))
		}
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		f.unknown = true
		fallthrough
	case status == http.StatusTooManyRequests, status >= 500:
		f.step, f.kind, f.advice = retry, fault.Transient, tryLater
		f.reason = fmt.Sprintf("failed (%d): %s", status, words)
	case status == http.StatusUnauthorized:
		f.step, f.kind, f.advice = renew, fault.Config, checkCredentials
		f.reason = fmt.Sprintf("was refused (401): %s", words)
	case status == http.StatusForbidden:
		f.kind, f.advice = fault.Config, "Check what the account in the configuration may access."
		f.reason = fmt.Sprintf("is not allowed (403): %s", words)
	case status == http.StatusNotFound:
		f.kind, f.advice = fault.Config, "Check "+c.o.Setting+" and what the account may access."
		f.reason = fmt.Sprintf("was not found (404): %s", words)
	default:
		f.kind = fault.System
		f.reason = fmt.Sprintf("failed (%d): %s", status, words)
	}
}
