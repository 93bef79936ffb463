package auth

import (
	"context"
	"slices"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// Session signs requests with a session that a login call opens: when the first request needs it, once for all that ask meanwhile, and
// again when it expired, was refused with a 401, or is older than TTL.
//
// A login that the API refuses is a Config fault and is not tried again; one that fails otherwise is tried again by the next request.
type Session struct {
	// Login opens the session. It goes through the client that the Session serves, its quota and its judges, but unsigned: what the login
	// needs, it carries itself. Its Judge may refuse an answer or read it more closely.
	Login httpclient.Request
	// Parts are what a session is made of. An answer without one of them is a refusal.
	Parts []Part
	// Match says which requests need the session; nil is all.
	Match func(r *httpclient.Request) bool
	// TTL is how long a session is used; 0 is until the API refuses it.
	TTL time.Duration

	client *httpclient.Client
	keeper keeper[[]string]
}

// Part is one value of a session.
type Part struct {
	From   string        // its dotted path in the login's answer
	In     httpclient.In // where it goes
	Key    string        // under which name
	Public bool          // is no secret, such as a user's number
}

// Bind makes the session's login go through c.
func (s *Session) Bind(c *httpclient.Client) { s.client = c }

// Sign puts the session on r, if r needs it.
func (s *Session) Sign(ctx context.Context, r *httpclient.Request) error {
	if s.Match != nil && !s.Match(r) {
		return nil
	}
	values, err := s.keeper.get(ctx, func(ctx context.Context) ([]string, time.Time, error) { return s.login(ctx, r.SignerCall(s.Login)) })
	if err != nil {
		return err
	}
	for i, part := range s.Parts {
		*r = r.With(part.In, part.Key, values[i])
	}
	return nil
}

// Renew forgets the session: the next request that needs one logs in.
func (s *Session) Renew(context.Context) error {
	s.keeper.drop()
	return nil
}

func (s *Session) login(ctx context.Context, login httpclient.Request) (values []string, until time.Time, err error) {
	res, err := s.client.Do(ctx, login)
	if err != nil {
		return nil, until, explain(ctx, "The login", err)
	}
	for _, part := range s.Parts { // all of them, before anything is said of the answer
		value := res.Body.Get(part.From).Text()
		if !part.Public {
			s.client.Secret(value)
		}
		values = append(values, value)
	}
	if slices.Contains(values, "") {
		return nil, until, fault.Configf("The login was refused: %s. %s", res.Words(), checkCredentials)
	}
	if s.TTL > 0 {
		until = time.Now().Add(s.TTL)
	}
	return values, until, nil
}
