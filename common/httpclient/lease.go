package httpclient

import (
	"context"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// Leaser is a Signer with several sessions, each used by one caller at a time, such as sessions in which the server keeps a cursor. Do leases a
// session for each signed request. A caller that needs several requests in one session leases it with [Client.Lease]. A Leaser is safe for concurrent
// use.
type Leaser interface {
	Signer
	// Lease waits until a session is free and returns it. Nobody else has it until release is called.
	Lease(ctx context.Context) (session Session, release func(), err error)
	// Lose closes a leased session that the server no longer knows: the next request that is signed with it opens another.
	Lose(session Session)
	// Close ends every session at the server. If hurried is true, it does not wait for the quota. Nothing may be leased afterwards.
	Close(ctx context.Context, hurried bool) error
}

// Session is a session of a Leaser; only the Leaser knows what it is. nil is none.
type Session any

// sessionTries is how many sessions a request is sent in before the server is believed to know none of them.
const sessionTries = 3

// Lease returns a session for sending requests, one at a time, until release is called. It is nil if Options.Auth is not a Leaser.
func (c *Client) Lease(ctx context.Context) (session Session, release func(), err error) {
	if leaser, ok := c.o.Auth.(Leaser); ok {
		return leaser.Lease(ctx)
	}
	return nil, func() {}, nil
}

// lease leases a session for r alone, unless r has one or needs none.
func (c *Client) lease(ctx context.Context, r *Request) (release func(), err error) {
	if r.Session != nil || r.Unsigned {
		return func() {}, nil
	}
	r.Session, release, err = c.Lease(ctx)
	return release, err
}

// reopen has call sent again in another session, because the server, as f says, no longer knows its session. If that does not help, it returns the
// error that ends call.
func (c *Client) reopen(leaser Leaser, call *call, f *failure) error {
	leaser.Lose(call.r.Session)
	call.sessions++
	switch {
	case call.r.Bound:
		return &fault.Error{Kind: fault.Transient, Message: call.where() + " was sent in a session that has ended meanwhile. " + fault.Later,
			Err: c.blank(f.because())}
	case call.sessions == sessionTries:
		return c.err(call.where(), f, "")
	}
	return nil
}

// SignOff ends the open sessions, if Options.Auth is a Leaser. If hurried is true, it does not wait for the quota. No request may be in flight.
func (c *Client) SignOff(ctx context.Context, hurried bool) error {
	if leaser, ok := c.o.Auth.(Leaser); ok {
		return leaser.Close(ctx, hurried)
	}
	return nil
}
