package auth

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// Sessions signs requests with several sessions, each of which does one thing at a time. It is an httpclient.Leaser. A login request opens a session
// when the first request needs it. The session is used until the server no longer knows it, and a logout request ends it.
//
// A login that the API refuses is a Config fault. No session retries it, because that would only lock the account.
type Sessions struct {
	// Login opens a session. It goes through the client that the Sessions serve, with its quota and judges, but unsigned.
	Login httpclient.Request
	// Logout ends the session with which it is signed.
	Logout httpclient.Request
	Part   Part
	Secret string // a value in Login that no text may show, besides the secrets of the configuration; "": there is none
	Count  int    // how many sessions may be open at the same time; 0 is 1
	// Most is the path in the login's answer of how many sessions the user may have; no more are opened. "": it does not tell.
	Most string

	client *httpclient.Client
	once   sync.Once
	free   chan *session

	mu      sync.Mutex
	all     []*session
	refused error // why no login is tried any more
}

// session is one of Sessions. Only the caller that leased it uses it.
type session struct{ value string } // "": it is closed

// Bind makes the requests of s go through c.
func (s *Sessions) Bind(c *httpclient.Client) {
	s.client = c
	if s.Secret != "" {
		c.Secret(s.Secret)
	}
}

// begin creates the first session. It is the only one until its login has told how many there may be.
func (s *Sessions) begin() {
	s.once.Do(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.free = make(chan *session, max(1, s.Count))
		s.add(1)
	})
}

// add adds n sessions. The caller holds s.mu.
func (s *Sessions) add(n int) {
	for range n {
		one := &session{}
		s.all = append(s.all, one)
		s.free <- one
	}
}

// Lease returns a session that nobody else has until release is called.
func (s *Sessions) Lease(ctx context.Context) (leased httpclient.Session, release func(), err error) {
	s.begin()
	select {
	case one := <-s.free:
		return one, func() { s.free <- one }, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// Sign puts the session of r on r, and opens the session first if it is closed.
func (s *Sessions) Sign(ctx context.Context, r *httpclient.Request) error {
	one, ok := r.Session.(*session)
	if !ok {
		return fault.Systemf("The connector made a request without a session.")
	}
	s.mu.Lock()
	value, refused := one.value, s.refused
	s.mu.Unlock()
	if value == "" {
		if refused != nil {
			return refused
		}
		var err error
		if value, err = s.open(ctx, one, r.SignerCall(s.Login)); err != nil {
			return err
		}
	}
	*r = r.With(s.Part.In, s.Part.Key, value)
	return nil
}

// Lose closes a session that Lease returned.
func (s *Sessions) Lose(leased httpclient.Session) {
	if one, ok := leased.(*session); ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		one.value = ""
	}
}

// open logs in and returns the value of the session.
func (s *Sessions) open(ctx context.Context, one *session, login httpclient.Request) (value string, err error) {
	res, err := s.client.Do(ctx, login)
	if err != nil {
		return "", s.refuse(explain(ctx, "The login", err))
	}
	if value = res.Body.Get(s.Part.From).Text(); value == "" {
		return "", s.refuse(fault.Configf("The login was refused: %s. %s", res.Words(), checkCredentials))
	}
	s.client.Secret(value)
	s.mu.Lock()
	defer s.mu.Unlock()
	one.value = value
	if len(s.all) == 1 {
		count := max(1, s.Count)
		if most, ok := res.Body.Get(s.Most).Int(); s.Most != "" && ok && most > 0 {
			count = int(min(most, int64(count)))
		}
		s.add(count - 1)
	}
	return value, nil
}

// refuse remembers err if it is a refusal, and returns it.
func (s *Sessions) refuse(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Config {
		s.refused = cmp.Or(s.refused, err)
	}
	return err
}

// Close ends every open session, concurrently. If hurried is true, it does not wait for the quota. A session that the server no longer knows counts
// as ended.
func (s *Sessions) Close(ctx context.Context, hurried bool) error {
	s.mu.Lock()
	all := slices.DeleteFunc(slices.Clone(s.all), func(one *session) bool { return one.value == "" })
	s.mu.Unlock()
	logout := s.Logout
	logout.Bound = true
	if hurried {
		logout.Admitted = func() {}
	}
	var wait sync.WaitGroup
	failures := make([]error, len(all))
	for i, one := range all {
		wait.Go(func() {
			in := logout
			in.Session = one
			_, err := s.client.Do(ctx, in)
			s.mu.Lock()
			defer s.mu.Unlock()
			if one.value != "" {
				failures[i] = err
			}
			one.value = ""
		})
	}
	wait.Wait()
	return errors.Join(failures...)
}
