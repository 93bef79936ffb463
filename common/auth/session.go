package auth

import (
	"context"
	"slices"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// Session signs requests with a session. A login request opens it when the first request needs it, once for all that ask in the meantime, and again
// when it has expired, was refused with a 401, or is older than TTL.
//
// A login that the API refuses is a Config fault and is not retried. After any other failure the next request tries again.
type Session struct {
	// Login opens the session. It goes through the client that the Session serves, with its quota and judges, but unsigned: the request must hold
	// everything that the login needs. Its Judge may refuse an answer or examine it more closely.
	Login httpclient.Request
	// Parts are the values of a session. An answer without one of them is a refusal.
	Parts []Part
	// Match reports whether a request needs the session; nil means that all do.
	Match func(r *httpclient.Request) bool
	// TTL is how long a session is used; 0: until the API refuses it.
	TTL time.Duration

	client *httpclient.Client
	keeper keeper[[]string]
}

// Part is one value of a session.
type Part struct {
	From   string        // dotted path in the login's answer
	In     httpclient.In // the part of a request that the value goes into
	Key    string        // the name under which it goes there
	Public bool          // it is not a secret, such as a user's number
}

// Bind makes the login go through c.
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
	for _, part := range s.Parts { // register all parts as secrets before a text quotes the answer
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
