package auth

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// keeper keeps one credential. One caller obtains it when it is first needed, for all who ask in the meantime. The zero value is empty.
type keeper[T any] struct {
	flights singleflight.Group // of callers for the credential, one flight at a time

	mu      sync.Mutex
	value   T
	has     bool
	until   time.Time // when the credential expires; zero: never
	refused error     // a Config fault is final: asking again with the same credentials would only lock the account
}

// flight is the result of obtaining a credential.
type flight[T any] struct {
	value     T
	abandoned bool // its caller's context ended, which concerns no other caller
}

// get returns the credential and obtains it if there is none. obtain also returns when it expires, or the zero time. If a caller's context ends, get
// still waits up to Patience, because a request for credentials outlives it; the next caller then obtains it. A panic in obtain fails all who wait.
func (k *keeper[T]) get(ctx context.Context, obtain func(context.Context) (T, time.Time, error)) (value T, err error) {
	for {
		if value, has, err := k.kept(); has || err != nil {
			return value, err
		}
		landing := k.flights.DoChan("", func() (any, error) { return k.fly(ctx, obtain) })
		select {
		case <-ctx.Done():
			select {
			case <-landing:
			case <-time.After(httpclient.Patience):
			}
		case landed := <-landing:
			if one, _ := landed.Val.(flight[T]); !one.abandoned {
				return one.value, landed.Err
			}
		}
		if err := ctx.Err(); err != nil {
			return value, err
		}
	}
}

// kept returns the credential if there is one that is still valid, or why there will be none.
func (k *keeper[T]) kept() (value T, has bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	has = k.has && (k.until.IsZero() || time.Now().Before(k.until))
	return k.value, has, k.refused
}

// fly obtains the credential, unless another flight has done so since the caller looked.
func (k *keeper[T]) fly(ctx context.Context, obtain func(context.Context) (T, time.Time, error)) (landed flight[T], err error) {
	if value, has, err := k.kept(); has || err != nil {
		return flight[T]{value: value}, err
	}
	defer func() {
		if panicked := recover(); panicked != nil { // this goroutine belongs to singleflight, so nobody else can recover
			err = fault.Recovered(panicked)
		}
	}()
	value, until, err := obtain(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.value, k.until, k.has = value, until, err == nil
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Kind == fault.Config {
		k.refused = err
	}
	return flight[T]{value: value, abandoned: err != nil && ctx.Err() != nil}, err
}

// drop forgets the credential, so that the next get obtains a new one.
func (k *keeper[T]) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.has = false
}

// explain returns err as the failure of what (such as "The login"). It is a Config fault unless trying again later may help.
func explain(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return &fault.Error{Kind: fault.Config, Message: what + " failed: " + err.Error() + ". " + checkCredentials, Err: err}
	}
	kind, message := f.Kind, f.Message
	if _, status := errors.AsType[*httpclient.StatusError](err); kind == fault.System && status {
		kind, message = fault.Config, message+" "+checkCredentials
	}
	return &fault.Error{Kind: kind, Message: what + " failed: " + message, Err: err}
}

const checkCredentials = "Check the credentials in the configuration."
