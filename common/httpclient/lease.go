package httpclient

import (
	"context"
	"errors"
)

// Leaser is a Signer with sessions of which each does one thing at a time, such as those that remember where a listing stands. It signs what
// is sent under a context that has one. Safe for concurrent use.
type Leaser interface {
	Signer
	// Lease is ctx with a session that nobody else has until release is called. It waits until one is free. A ctx that has one stays as it
	// is, and its release does nothing.
	Lease(ctx context.Context) (leased context.Context, release func(), err error)
	// Lose forgets the session of a leased ctx, which the server does not know any more: the next request opens another.
	Lose(leased context.Context)
	// Close ends every session at the server. Nothing may be leased any more.
	Close(ctx context.Context) error
}

// SessionLost is the error of a Judge which has understood that the server does not know the session of a Leaser any more.
type SessionLost struct{ Err error } // the failure, where a new session does not help

// Error is that of the failure.
func (l *SessionLost) Error() string { return l.Err.Error() }

// Unwrap is the failure.
func (l *SessionLost) Unwrap() error { return l.Err }

// sessionTries is how many sessions a request is sent with before it is believed that the server knows none of them.
const sessionTries = 3

// Lease is ctx with a session of its own where Options.Auth is a Leaser, and ctx itself where it is not.
func (c *Client) Lease(ctx context.Context) (leased context.Context, release func(), err error) {
	if leaser, ok := c.o.Auth.(Leaser); ok {
		return leaser.Lease(ctx)
	}
	return ctx, func() {}, nil
}

// DoLeased is Do with the session that ctx has, or one that r has to itself. Where the session was lost r is sent with another one, unless it
// is Once: then what it goes on from was lost too, and the error is a SessionLost.
func (c *Client) DoLeased(ctx context.Context, r Request) (*Response, error) {
	leaser, ok := c.o.Auth.(Leaser)
	if !ok || r.Unsigned {
		return c.Do(ctx, r)
	}
	ctx, release, err := leaser.Lease(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	for try := 1; ; try++ {
		res, err := c.Do(ctx, r)
		if _, lost := errors.AsType[*SessionLost](err); !lost {
			return res, err
		}
		leaser.Lose(ctx)
		if r.Once || try == sessionTries {
			return nil, err
		}
	}
}

// SignOff ends the sessions that are open, where Options.Auth is a Leaser. No request may be under way.
func (c *Client) SignOff(ctx context.Context) error {
	if leaser, ok := c.o.Auth.(Leaser); ok {
		return leaser.Close(ctx)
	}
	return nil
}
