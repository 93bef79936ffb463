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

// step is what to do after a failure.
type step uint8

const (
	stop step = iota
	retry
	renew
)

// ran says what is known of whether the request's method was executed.
type ran uint8

const (
	answered   ran = iota // executed or not, as the answer says
	notRun                // it provably was not executed, or was undone
	unknownRun            // unknown
)

// hold says which requests wait before the next attempt.
type hold uint8

const (
	holdOwn    hold = iota // the one that failed
	holdAll                // all of them: for the quota's window if the server does not say until when
	holdAWhile             // all of them: for a time that grows if the server does not say until when
)

// failure describes what is wrong with one attempt, and what to do about it.
type failure struct {
	step  step
	ran   ran
	hold  hold
	until time.Time // when the server wants to be asked again at the earliest; zero: it does not say

	kind    fault.Kind // if the failure is final
	reason  string     // continues "GET host/path "
	advice  string     // a sentence for the user, or ""
	cause   error
	verdict Verdict // of the Judge that decided, which replaces the fields above; zero: no Judge did
	refused bool    // whether the status is 401
	late    bool    // whether the answer did not begin in time
	same    string  // how often the same answer came, if that is the reason to stop; else ""
}

// because returns the cause, from the Judge or from the client.
func (f *failure) because() error { return cmp.Or(f.verdict.err, f.cause) }

// judge returns nil for a good answer.
func (c *Client) judge(where func() string, r Request, res *Response) *failure {
	res.Answered = c.warmUp.over()
	status := res.Status
	f := &failure{until: retryAfter(res.Header, time.Now()), refused: status == http.StatusUnauthorized}
	switch {
	case status == http.StatusTooManyRequests:
		f.hold, f.ran = holdAll, notRun
	case status == http.StatusServiceUnavailable && !f.until.IsZero(): // a gateway may also say so after it has passed the request on
		f.hold, f.ran = holdAll, unknownRun
	case status/100 == 2, status/100 == 5, seeOther(res.Method, status): // a redirect only if it has no Location: others are followed or refused earlier
		f.ran = unknownRun
	}
	if status/100 == 2 && errors.Is(res.broken, record.ErrTooDeep) {
		f.kind, f.cause = fault.System, fmt.Errorf("reading the answer: %w", res.broken)
		f.reason = fmt.Sprintf("was answered (%d) with rows that destinations cannot read: with what a record has around them, %v",
			status, record.ErrTooDeep)
		return f
	}
	for _, judge := range []Judge{r.First, c.o.Judge, r.Judge} {
		if judge == nil {
			continue
		}
		switch v := judge(res); {
		case v.kind == saysNothing, !v.believed(res):
		case v.kind == saysGood:
			return nil
		default:
			v.apply(f)
			return f
		}
	}
	part := status == http.StatusPartialContent && r.Header.Get("Range") == ""
	if status/100 == 2 && res.Body.Exists() && !part {
		return nil
	}
	f.cause = c.statusError(where(), res)
	f.byStatus(c, res)
	return f
}

// byStatus applies the rules for answers that no Judge decides.
func (f *failure) byStatus(c *Client, res *Response) {
	words := res.Words()
	switch status := res.Status; {
	case status/100 == 2:
		f.step, f.kind, f.advice = retry, fault.Transient, fault.Later
		switch {
		case res.Body.Exists():
			f.reason = fmt.Sprintf("was answered (%d) with a part of what was asked for", status)
		case len(res.Text) == 0:
			f.reason = fmt.Sprintf("was answered (%d) with nothing", status)
		case res.said() == "":
			f.reason = fmt.Sprintf("was answered (%d) with %s", status, res.unread())
		default:
			f.reason = fmt.Sprintf("was answered (%d) with something that is not JSON: %q", status, res.said())
		}
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		f.ran = unknownRun
		fallthrough
	case status == http.StatusTooManyRequests, status >= 500:
		f.step, f.kind, f.advice = retry, fault.Transient, fault.Later
		f.reason = fmt.Sprintf("failed (%d): %s", status, words)
	case status == http.StatusUnauthorized:
		f.step, f.kind, f.advice = renew, fault.Config, checkCredentials
		f.reason = fmt.Sprintf("was refused (401): %s", words)
	case status == http.StatusProxyAuthRequired:
		f.kind, f.advice = fault.Config, checkProxy
		f.reason = fmt.Sprintf("was refused by the proxy (407): %s", words)
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
