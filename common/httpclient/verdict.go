package httpclient

import (
	"cmp"
	"errors"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// Judge sees every answer before the default rules do, whatever its status, and says what it means. The goroutine of the request calls it, once for
// each answer. Judges of concurrent requests thus run concurrently: a Judge must be pure, or guard what it keeps. Each lookup costs a step for each
// member before it, however long these are, on good pages too.
type Judge func(*Response) Verdict

// Verdict is what a Judge says of an answer. The zero value is no opinion: the next Judge is asked, and finally the rules of Do decide.
type Verdict struct {
	kind verdictKind
	err  error
}

// verdictKind is what a Verdict says.
type verdictKind uint8

const (
	saysNothing verdictKind = iota
	saysGood
	saysFail
	saysAgain
	saysThrottled
	saysBusy
	saysUndone
	saysExpired
	saysDoubt
)

// Good says that the answer is good, whatever its status and body.
func Good() Verdict { return Verdict{kind: saysGood} }

// Fail says that the answer is the failure err, which no retry helps. A Config fault is not believed of a 2xx that is not JSON, such as a maintenance
// page or a page of a proxy: that says nothing about what the user filled in.
func Fail(err error) Verdict { return verdict(saysFail, err) }

// Again says that asking again may help. The request is retried with backoff, and err is the failure if that does not help. A request that is Once is
// not retried, and its outcome is unknown if the status is 2xx or 5xx.
func Again(err error) Verdict { return verdict(saysAgain, err) }

// Throttled returns Again for an answer that means the same as a 429 under another status: all requests are held, and a request that is Once is
// retried too. A 401 may also mean that the credentials have expired: they are renewed when a request gets a second one.
func Throttled(err error) Verdict { return verdict(saysThrottled, err) }

// Busy returns Throttled for an answer that says that too much runs at the same time, and not that a quota is used up. The requests are held for a
// time that grows, not for a quota's whole window.
func Busy(err error) Verdict { return verdict(saysBusy, err) }

// Undone returns Again for an answer that says that nothing was done, or that everything was undone. A request that is Once is retried too, up to
// undoneTries attempts in all, which take some 15 seconds.
func Undone(err error) Verdict { return verdict(saysUndone, err) }

// Expired says that the credentials have expired, as a 401 does: they are renewed and the request is repeated, even one that is Once. err is the
// failure if there is nothing to renew or the answer stays the same; Do says when that is.
func Expired(err error) Verdict { return verdict(saysExpired, err) }

// Doubt says that the answer has two causes that cannot be told apart, one of which is temporary. The request is retried twice within five seconds.
// Then err is the failure of this request and of all later ones on this client until one succeeds. It is for Careful clients and for answers before
// the first good one; see Response.Answered.
func Doubt(err error) Verdict { return verdict(saysDoubt, err) }

var errUnsaid = errors.New("the answer is not good")

func verdict(kind verdictKind, err error) Verdict {
	return Verdict{kind: kind, err: cmp.Or(err, errUnsaid)}
}

// Err returns the failure in v, or nil if v says that the answer is good, or has no opinion.
func (v Verdict) Err() error { return v.err }

// String returns what v says, for logs and tests: "busy: " and the failure.
func (v Verdict) String() string {
	name := [...]string{"no opinion", "good", "fail", "again", "throttled", "busy", "undone", "expired", "doubt"}[v.kind]
	if v.err == nil {
		return name
	}
	return name + ": " + v.err.Error()
}

// believed reports whether v is a verdict that res can support; see Fail.
func (v Verdict) believed(res *Response) bool {
	known, ok := errors.AsType[*fault.Error](v.err)
	return v.kind != saysFail || !ok || known.Kind != fault.Config || res.Status/100 != 2 || res.Body.Exists()
}

// apply sets f, whose status was already considered, to what v says. v is neither good nor without an opinion.
func (v Verdict) apply(f *failure) {
	f.verdict = v
	f.step, f.kind = retry, fault.Transient
	if known, ok := errors.AsType[*fault.Error](v.err); ok {
		f.kind = known.Kind
	}
	switch v.kind {
	case saysThrottled:
		f.hold, f.ran = holdAll, notRun
	case saysBusy:
		f.hold, f.ran = holdAWhile, notRun
	case saysUndone:
		f.ran = notRun
	case saysDoubt:
		f.kind, f.ran = fault.Config, notRun
	case saysExpired:
		f.step, f.kind, f.advice, f.ran = renew, fault.Config, checkCredentials, answered
	case saysFail:
		f.step, f.ran = stop, answered
	}
}
