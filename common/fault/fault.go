// Package fault says whose move an error is: who has to act before the sync can succeed. That is the user, or
// those who maintain the connector, or nobody, where time is enough.
//
// Everything that can stop a sync ends up as an [Error]: a kind that the platform acts on, one sentence that the user reads, and the
// cause that we read. The rest of the code returns ordinary wrapped errors; the place that knows whose move it is makes the Error.
package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Kind is whose move it is. The zero value is System.
type Kind uint8

// The kinds, in the words of the Airbyte protocol's failure types.
const (
	System    Kind = iota // ours: a bug, or an answer that the API's reference does not know
	Config                // the user's: the configuration, the catalog, the state or the account must be mended; a retry will not help
	Transient             // nobody's: trying again later is enough
)

// String returns the kind as the protocol's failure_type has it.
func (k Kind) String() string {
	switch k {
	case Config:
		return "config_error"
	case Transient:
		return "transient_error"
	default:
		return "system_error"
	}
}

// Later is what the user is told where trying again later may be enough.
const Later = "Trying again later may help."

// Error is an error that knows whose move it is.
type Error struct {
	Kind    Kind
	Message string // one sentence for the user, without secrets and without Go in it
	Err     error  // the cause, for us; may be nil
}

// Error returns the message followed by the cause, unless the message says it already, for logs and tests; users are shown Message alone.
func (e *Error) Error() string {
	if e.Err == nil || strings.Contains(e.Message, e.Err.Error()) {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Configf makes a Config error with a message; a %w in the format becomes the cause without being hidden from the message.
func Configf(format string, args ...any) *Error { return newf(Config, format, args...) }

// Transientf makes a Transient error as Configf does a Config error.
func Transientf(format string, args ...any) *Error { return newf(Transient, format, args...) }

// Laterf makes a Transient error whose message ends with the advice to try again later.
func Laterf(format string, args ...any) *Error {
	e := newf(Transient, format, args...)
	e.Message += " " + Later
	return e
}

// Systemf makes a System error as Configf does a Config error.
func Systemf(format string, args ...any) *Error { return newf(System, format, args...) }

func newf(k Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: k, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Of returns err as an Error: err itself or the most telling one that it wraps, where a Config error is more telling than a System error and
// that more than a Transient one, since the first asks most of its reader. An error that wraps none is a Transient error when it is a
// cancellation or a passed deadline, and a System error otherwise. Of is never nil for a non-nil err, and nil for nil.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	if found := telling(err); found != nil {
		return found
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Kind: Transient, Message: "The run was stopped before it was complete.", Err: err}
	}
	return &Error{Kind: System, Message: "Something unexpected went wrong in the connector: " + err.Error(), Err: err}
}

// telling walks err's tree, joined errors included, and returns its most telling Error, or nil.
func telling(err error) *Error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // this function is the walk that errors.As would do, but for its choice among several
		return e
	}
	switch u := err.(type) { //nolint:errorlint // see above
	case interface{ Unwrap() error }:
		if inner := u.Unwrap(); inner != nil {
			return telling(inner)
		}
	case interface{ Unwrap() []error }:
		var best *Error
		for _, inner := range u.Unwrap() {
			if e := telling(inner); e != nil && (best == nil || rank(e.Kind) > rank(best.Kind)) {
				best = e
			}
		}
		return best
	}
	return nil
}

func rank(k Kind) int {
	switch k {
	case Config:
		return 2
	case System:
		return 1
	default:
		return 0
	}
}
