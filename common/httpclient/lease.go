package httpclient

import (
	"context"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// Leaser is a Signer with several sessions, each of which one caller uses at a time, such as sessions in which the server keeps a cursor. Do
// leases a session for each request that is signed; who needs several requests in one session leases it with [Client.Lease]. Safe for
// concurrent use.
type Leaser interface {
	Signer
	// Lease returns ctx with a session that nobody else has until release is called, and waits until one is free. The session of a ctx that
	// has one is kept; its release does nothing.
	Lease(ctx context.Context) (leased context.Context, release func(), err error)
	// Lose forgets the session of a leased context, which the server does not know any more: the next request in it opens another.
	Lose(leased context.Context)
	// Close ends every session at the server; hurried, it does not wait for the quota. Nothing may be leased any more.
	Close(ctx context.Context, hurried bool) error
}

// sessionTries is how many sessions a request is sent in before the server is believed to know none of them.
const sessionTries = 3

// Lease returns ctx with a session of its own where Options.Auth is a Leaser, and ctx itself where it is not. The requests that are sent under
// it are sent in that session, one at a time, until release is called.
func (c *Client) Lease(ctx context.Context) (leased context.Context, release func(), err error) {
	if leaser, ok := c.o.Auth.(Leaser); ok {
		return leaser.Lease(ctx)
	}
	return ctx, func() {}, nil
}

// lease is Lease for one request.
func (c *Client) lease(ctx context.Context, r Request) (leased context.Context, release func(), err error) {
	if r.Unsigned {
		return ctx, func() {}, nil
	}
	return c.Lease(ctx)
}

// reopen has call sent again in another session, since the server does not know the one of ctx any more, as f says. It returns the error
// that ends call where that helps nothing.
func (c *Client) reopen(ctx context.Context, leaser Leaser, call *call, f *failure) error {
	leaser.Lose(ctx)
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

// SignOff ends the sessions that are open, where Options.Auth is a Leaser. Hurried, it does not wait for the quota. No request may be under way.
func (c *Client) SignOff(ctx context.Context, hurried bool) error {
	if leaser, ok := c.o.Auth.(Leaser); ok {
		return leaser.Close(ctx, hurried)
	}
	return nil
}
