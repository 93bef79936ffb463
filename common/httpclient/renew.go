package httpclient

import (
	"cmp"
	"context"
	"sync"
)

// renew gets new credentials for a call that was refused with f, or returns the error that ends it. Do describes the rules.
func (c *Client) renew(ctx context.Context, call *call, f *failure) error {
	if leaser, ok := c.o.Auth.(Leaser); ok && !call.r.Unsigned {
		return c.reopen(leaser, call, f)
	}
	renewer, ok := c.o.Auth.(Renewer)
	if !ok || call.r.Unsigned || call.alone {
		return c.err(call.where(), f, "")
	}
	found := replaced // the credentials will be replaced now, after the first refusal
	if call.renewed {
		within, cancel := context.WithDeadline(ctx, call.deadline)
		defer cancel()
		found = c.renewal.assess(within, call.signed)
	}
	var err error
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case found == useless:
		return c.err(call.where(), f, "")
	case found == usedUp:
		call.reopen, err = c.renewal.reserve(ctx, renewer)
	default:
		call.renewed = true
		err = c.renewal.share(ctx, renewer, call.signed)
	}
	if err != nil {
		return c.ended(ctx, call, err)
	}
	return nil
}

// renewThrottled gets new credentials for a call whose second 401 was also taken for a throttle: an API that answers 401 to too many requests may
// also do so when the credentials have expired.
func (c *Client) renewThrottled(ctx context.Context, call *call, f *failure) error {
	renewer, ok := c.o.Auth.(Renewer)
	if !f.refused || !ok || call.r.Unsigned {
		return nil
	}
	if call.refusals++; call.refusals != 2 {
		return nil
	}
	if err := c.renewal.share(ctx, renewer, call.signed); err != nil {
		return c.ended(ctx, call, err)
	}
	return nil
}

// finding is what a refusal says about credentials.
type finding uint8

const (
	useless  finding = iota // they never worked
	usedUp                  // they worked for some request
	replaced                // they have been replaced in the meantime
)

// renewal renews the credentials once for all requests that were signed with the same ones, and remembers whether they ever worked. Each renewal
// begins a new generation of credentials.
type renewal struct {
	mu         sync.Mutex
	changed    chan struct{}  // closed when one of the following fields changes; nil while nobody waits
	generation uint64         // of the credentials; the first is 1
	renewing   bool           // a caller is renewing them; the next generation may already be in use
	err        error          // of the last renewal
	signing    int            // how many attempts are being signed
	reserved   bool           // one request has the credentials to itself: no other is signed
	underWay   map[uint64]int // how many attempts have no answer yet, by the last generation of their signature
	worked     uint64         // the last generation that worked, or may have; 0: none
}

func newRenewal() renewal { return renewal{generation: 1, underWay: map[uint64]int{}} }

// await waits until ready reports true. ready is called under the lock and may change r.
func (r *renewal) await(ctx context.Context, ready func() bool) error {
	for {
		r.mu.Lock()
		if ready() {
			r.mu.Unlock()
			return nil
		}
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change calls do under the lock and wakes all waiting goroutines.
func (r *renewal) change(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// signature holds the generations that an attempt may be signed with, because the credentials can be renewed during signing. In doubt, the request is
// sent again: success counts for the last generation, and refusal against the first.
type signature struct{ first, last uint64 }

// sign calls a Signer and returns which credentials it may have used. While they are reserved for another caller, it waits.
func (r *renewal) sign(ctx context.Context, alone bool, sign func() error) (s signature, err error) {
	if err := r.await(ctx, func() bool {
		if r.reserved && !alone {
			return false
		}
		r.signing++
		s.first = r.generation
		return true
	}); err != nil {
		return s, err
	}
	defer r.change(func() {
		r.signing--
		s.last = r.generation
		if r.renewing {
			s.last++
		}
	})
	return s, sign()
}

// use is the use that one attempt makes of its credentials. Others may wait for its end.
type use struct {
	renewal   *renewal
	signature signature // zero: the attempt is not signed
	reopen    func()    // nil: the attempt is not the first with its credentials
	begun     bool
	once      sync.Once
}

// begin notes that the attempt is sent.
func (u *use) begin() {
	if u.signature != (signature{}) {
		u.begun = true
		u.renewal.begin(u.signature)
	}
}

// end notes that the attempt is over and whether its credentials worked. Further calls do nothing.
func (u *use) end(worked bool) {
	u.once.Do(func() {
		if u.begun {
			u.renewal.end(u.signature, worked)
		}
		if u.reopen != nil {
			u.reopen()
		}
	})
}

// begin notes that an attempt is sent.
func (r *renewal) begin(s signature) {
	r.change(func() { r.underWay[s.last]++ })
}

// end notes that an attempt is over and whether its credentials worked.
func (r *renewal) end(s signature, worked bool) {
	r.change(func() {
		if worked {
			r.worked = max(r.worked, s.last)
		}
		if r.underWay[s.last]--; r.underWay[s.last] == 0 {
			delete(r.underWay, s.last)
		}
	})
}

// assess returns what a refusal says about the credentials of its attempt. While they look useless, it waits for the attempts that can still prove
// the opposite: answers may overtake each other, so a refusal may come before the answer to the request that used the credentials up. If ctx ends, it
// returns useless.
func (r *renewal) assess(ctx context.Context, s signature) (found finding) {
	_ = r.await(ctx, func() bool {
		switch {
		case r.generation > s.first:
			found = replaced
		case r.worked >= s.first:
			found = usedUp
		default:
			for last := range r.underWay {
				if last >= s.first {
					return false
				}
			}
		}
		return true
	})
	return found
}

// share renews the credentials of s, unless that has been done: then it returns the outcome.
func (r *renewal) share(ctx context.Context, renewer Renewer, s signature) error {
	return r.do(ctx, renewer, func() bool { return r.generation > s.first })
}

// reserve renews, and stops all others from signing until reopen is called, so that the caller is the first to use the new credentials.
func (r *renewal) reserve(ctx context.Context, renewer Renewer) (reopen func(), err error) {
	if err := r.await(ctx, func() bool {
		free := !r.reserved
		r.reserved = true
		return free
	}); err != nil {
		return nil, err
	}
	open := func() { r.change(func() { r.reserved = false }) }
	defer func() {
		if reopen == nil { // after an error, or a panic in the Renewer
			open()
		}
	}()
	if err := r.await(ctx, func() bool { return r.signing == 0 }); err != nil {
		return nil, err
	}
	if err := r.do(ctx, renewer, func() bool { return false }); err != nil {
		return nil, err
	}
	return open, nil
}

// do renews, one caller at a time. If done reports that another caller did so while this one waited, do returns that outcome.
func (r *renewal) do(ctx context.Context, renewer Renewer, done func() bool) (err error) {
	var outcome error
	var shared bool
	if err := r.await(ctx, func() bool {
		if shared, outcome = done(), r.err; shared {
			return true
		}
		free := !r.renewing
		r.renewing = true
		return free
	}); err != nil {
		return err
	}
	if shared {
		return outcome
	}
	returned := false // without a panic
	defer r.change(func() {
		r.renewing = false
		if err = cmp.Or(ctx.Err(), err); returned && ctx.Err() == nil { // otherwise the next caller renews
			r.generation++
			r.err = err
		}
	})
	err = renewer.Renew(ctx)
	returned = true
	return err
}
