// Package fault says who has to act before a sync can succeed after an error: the user, the maintainers of the connector, or nobody, if time is
// enough.
//
// Every error that can stop a sync ends up as an [Error]: a kind that the platform acts on, one sentence that the user reads, and the cause that the
// maintainers read. Other code returns ordinary wrapped errors; the code that knows who has to act creates the Error.
package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Kind says who has to act. The zero value is System.
type Kind uint8

// The kinds, which correspond to the failure types of the Airbyte protocol.
const (
	System    Kind = iota // the maintainers: a bug, or an answer that the API's reference does not describe
	Config                // the user: the configuration, the catalog, the state or the account must be corrected; a retry will not help
	Transient             // nobody: trying again later is enough
)

// String returns the kind as a failure_type of the protocol.
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

// Later is the advice to the user if trying again later may be enough.
const Later = "Trying again later may help."

// Error is an error that knows who has to act.
type Error struct {
	Kind    Kind
	Message string // one sentence for the user, without secrets and without Go terms
	Err     error  // the cause, for the maintainers; may be nil
}

// Error returns the message followed by the cause, unless the message already includes it. It is for logs and tests: users only see Message.
func (e *Error) Error() string {
	if e.Err == nil || strings.Contains(e.Message, e.Err.Error()) {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Configf returns a Config error with a message. A %w in the format becomes the cause, and its text is also part of the message.
func Configf(format string, args ...any) *Error { return newf(Config, format, args...) }

// Transientf returns a Transient error, with arguments as for Configf.
func Transientf(format string, args ...any) *Error { return newf(Transient, format, args...) }

// Laterf returns a Transient error whose message ends with the advice to try again later.
func Laterf(format string, args ...any) *Error {
	e := newf(Transient, format, args...)
	e.Message += " " + Later
	return e
}

// Systemf returns a System error, with arguments as for Configf.
func Systemf(format string, args ...any) *Error { return newf(System, format, args...) }

func newf(k Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: k, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Of returns err as an Error: err itself, or the most telling Error that it wraps. A Config error is more telling than a System error, and that more
// than a Transient error, because the first demands most of its reader. If err wraps none, it is a Transient error if it is a cancellation or an
// exceeded deadline, and otherwise a System error. Of returns nil only for nil.
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

// telling walks the tree of err, including joined errors, and returns its most telling Error, or nil.
func telling(err error) *Error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // this function walks as errors.As does, but chooses among several errors
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
