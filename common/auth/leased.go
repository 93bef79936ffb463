package auth

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// Sessions signs requests with sessions of which each does one thing at a time: an httpclient.Leaser. A session is opened by a login call when
// the first request needs it, used until the server does not know it any more, and ended by a logout call.
//
// A login that the API refuses is a Config fault and is not tried again, by any of them: that would only lock the account.
type Sessions struct {
	// Login opens a session. It goes through the client that the Sessions serve, its quota and its judges, but unsigned.
	Login httpclient.Request
	// Logout ends the one whose Part is on it. It is sent unsigned too.
	Logout httpclient.Request
	Part   Part
	Secret string // what Login carries that no text may show, besides the configuration's own secrets; "": nothing
	Count  int    // how many may be open at the same time; 0 is 1
	// Most is the path in the login's answer of the number of sessions that the user may have, or "". No more are opened.
	Most string

	client *httpclient.Client
	once   sync.Once
	free   chan *session

	mu      sync.Mutex
	all     []*session
	refused error // why no login is tried any more
}

// session is one of Sessions. Whoever leased it has it to himself.
type session struct{ value string } // "" is closed

// sessionKey is under which a context carries the session that it leased.
type sessionKey struct{}

// Bind makes the calls of s go through c.
func (s *Sessions) Bind(c *httpclient.Client) {
	s.client = c
	if s.Secret != "" {
		c.Secret(s.Secret)
	}
}

// begin makes the first session, which alone is used until its login has told how many there may be.
func (s *Sessions) begin() {
	s.once.Do(func() {
		s.free = make(chan *session, max(1, s.Count))
		s.add(1)
	})
}

// add makes so many sessions more.
func (s *Sessions) add(n int) {
	for range n {
		one := &session{}
		s.all = append(s.all, one)
		s.free <- one
	}
}

// Lease is ctx with a session that nobody else has until release is called.
func (s *Sessions) Lease(ctx context.Context) (leased context.Context, release func(), err error) {
	s.begin()
	if _, ok := ctx.Value(sessionKey{}).(*session); ok {
		return ctx, func() {}, nil
	}
	select {
	case one := <-s.free:
		return context.WithValue(ctx, sessionKey{}, one), func() { s.free <- one }, nil
	case <-ctx.Done():
		return ctx, nil, context.Cause(ctx)
	}
}

// Sign puts the session of ctx on r, and opens it first where it is closed.
func (s *Sessions) Sign(ctx context.Context, r *httpclient.Request) error {
	one, ok := ctx.Value(sessionKey{}).(*session)
	if !ok {
		return fault.Systemf("The connector made a request without a session.")
	}
	if one.value == "" {
		if err := s.open(ctx, one); err != nil {
			return err
		}
	}
	*r = r.With(s.Part.In, s.Part.Key, one.value)
	return nil
}

// Lose forgets the session of ctx.
func (s *Sessions) Lose(ctx context.Context) {
	if one, ok := ctx.Value(sessionKey{}).(*session); ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		one.value = ""
	}
}

// open logs in.
func (s *Sessions) open(ctx context.Context, one *session) error {
	s.mu.Lock()
	refused := s.refused
	s.mu.Unlock()
	if refused != nil {
		return refused
	}
	login := s.Login
	login.Unsigned = true
	res, err := s.client.Do(ctx, login)
	if err != nil {
		return s.refuse(explain(ctx, "The login", err))
	}
	value := res.Body.Get(s.Part.From).Text()
	if value == "" {
		return s.refuse(fault.Configf("The login was refused: %s. %s", s.client.Words(res), checkCredentials))
	}
	s.client.Secret(value)
	s.mu.Lock()
	defer s.mu.Unlock()
	one.value = value
	if len(s.all) == 1 {
		count := max(1, s.Count)
		if most, ok := res.Body.Get(s.Most).Int(); ok && s.Most != "" && most > 0 && most < int64(count) {
			count = int(most)
		}
		s.add(count - 1)
	}
	return nil
}

// refuse keeps a refusal, and gives it back.
func (s *Sessions) refuse(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Config {
		s.refused = cmp.Or(s.refused, err)
	}
	return err
}

// Close ends every session that is open, side by side. Under a ctx of Hurry it does not wait for the quota.
func (s *Sessions) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var wait sync.WaitGroup
	failures := make([]error, len(s.all))
	for i, one := range s.all {
		if one.value == "" {
			continue
		}
		logout := s.Logout.With(s.Part.In, s.Part.Key, one.value)
		logout.Unsigned, one.value = true, ""
		if hurry(ctx) {
			logout.Admitted = func() {}
		}
		wait.Go(func() {
			_, err := s.client.Do(ctx, logout)
			if _, lost := errors.AsType[*httpclient.SessionLost](err); !lost { // one that is not known any more is ended
				failures[i] = err
			}
		})
	}
	wait.Wait()
	return errors.Join(failures...)
}

// hurryKey is under which a context says that there is little time.
type hurryKey struct{}

// Hurry is ctx for a Close that does not wait for the quota.
func Hurry(ctx context.Context) context.Context { return context.WithValue(ctx, hurryKey{}, true) }

func hurry(ctx context.Context) bool { return ctx.Value(hurryKey{}) != nil }
