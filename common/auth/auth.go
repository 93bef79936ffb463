// Package auth has the signers, which put credentials on requests, get them with requests of their own, and renew them.
//
// White space around values is removed, because copying a token out of a web page adds it. Signers are safe for concurrent use. A signer serves one
// client.
package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// Header sends a credential in a header.
func Header(name, value string) httpclient.Signer {
	return param{in: httpclient.Header, key: name, value: strings.TrimSpace(value)}
}

// Query sends a credential in the query. Prefer a header if the API accepts one, because servers log queries.
func Query(name, value string) httpclient.Signer {
	return param{in: httpclient.Query, key: name, value: strings.TrimSpace(value)}
}

// Bearer sends a token as described in RFC 6750.
func Bearer(token string) httpclient.Signer {
	return Header("Authorization", "Bearer "+strings.TrimSpace(token))
}

// Basic sends a user and a password as described in RFC 7617. The encoded pair is registered as a secret.
func Basic(user, password string) httpclient.Signer {
	pair := strings.TrimSpace(user) + ":" + strings.TrimSpace(password)
	return basic{param: param{in: httpclient.Header, key: "Authorization"}, encoded: base64.StdEncoding.EncodeToString([]byte(pair))}
}

// param is a credential that never changes.
type param struct {
	in         httpclient.In
	key, value string
}

func (p param) Sign(_ context.Context, r *httpclient.Request) error {
	*r = r.With(p.in, p.key, p.value)
	return nil
}

type basic struct {
	param
	encoded string
}

func (b basic) Sign(_ context.Context, r *httpclient.Request) error {
	*r = r.With(b.in, b.key, "Basic "+b.encoded)
	return nil
}

func (b basic) Bind(c *httpclient.Client) { c.Secret(b.encoded) }

// All signs with each of the signers in turn and skips nil ones. It renews those that can be renewed.
func All(signers ...httpclient.Signer) httpclient.Signer {
	signers = slices.DeleteFunc(slices.Clone(signers), func(s httpclient.Signer) bool { return s == nil })
	if slices.ContainsFunc(signers, renews) {
		return renewable{signers}
	}
	return all(signers)
}

type all []httpclient.Signer

func (a all) Sign(ctx context.Context, r *httpclient.Request) error {
	for _, s := range a {
		if err := s.Sign(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (a all) Bind(c *httpclient.Client) {
	for _, s := range a {
		if b, ok := s.(httpclient.Binder); ok {
			b.Bind(c)
		}
	}
}

// renewable is an all with at least one signer that can be renewed. If there is nothing to renew, a 401 must not be retried.
type renewable struct{ all }

func (a renewable) Renew(ctx context.Context) error {
	var errs []error
	for _, s := range a.all {
		if r, ok := s.(httpclient.Renewer); ok {
			errs = append(errs, r.Renew(ctx))
		}
	}
	return errors.Join(errs...)
}

func renews(s httpclient.Signer) bool {
	_, ok := s.(httpclient.Renewer)
	return ok
}
