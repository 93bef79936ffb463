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
	// Lease returns a session that nobody else has until release is called, and waits until one is free.
	Lease(ctx context.Context) (session Session, release func(), err error)
	// Lose closes a leased session, which the server does not know any more: the next request that is signed with it opens another.
	Lose(session Session)
	// Close ends every session at the server; hurried, it does not wait for the quota. Nothing may be leased any more.
	Close(ctx context.Context, hurried bool) error
}

// Session is a session of a Leaser, which alone knows what it is. nil is none.
type Session any

// sessionTries is how many sessions a request is sent in before the server is believed to know none of them.
const sessionTries = 3

// Lease returns a session for requests to be sent in, one at a time, until release is called; nil where Options.Auth is no Leaser.
func (c *Client) Lease(ctx context.Context) (session Session, release func(), err error) {
	if leaser, ok := c.o.Auth.(Leaser); ok {
		return leaser.Lease(ctx)
	}
	return nil, func() {}, nil
}

// lease leases a session for r alone, unless it has one or needs none.
func (c *Client) lease(ctx context.Context, r *Request) (release func(), err error) {
	if r.Session != nil || r.Unsigned {
		return func() {}, nil
	}
	r.Session, release, err = c.Lease(ctx)
	return release, err
}

// reopen has call sent again in another session, since the server does not know its own any more, as f says. It returns the error that ends
// call where that helps nothing.
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

// SignOff ends the sessions that are open, where Options.Auth is a Leaser. Hurried, it does not wait for the quota. No request may be under way.
func (c *Client) SignOff(ctx context.Context, hurried bool) error {
	if leaser, ok := c.o.Auth.(Leaser); ok {
		return leaser.Close(ctx, hurried)
	}
	return nil
}
