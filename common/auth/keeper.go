package auth

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// keeper keeps one credential: obtained when it is first asked for, by one caller for all who ask meanwhile. The zero value is empty.
type keeper[T any] struct {
	mu      sync.Mutex
	value   T
	has     bool
	until   time.Time // when it runs out; zero for never
	refused error     // a Config fault is final: asking again with the same credentials would only lock the account
	flight  *flight
}

// flight is a call for the credential that is under way.
type flight struct {
	landed    chan struct{}
	err       error
	abandoned bool // because its caller's context ended, which concerns nobody else
}

// get is the credential, obtained if there is none. obtain says also when it runs out, or the zero time.
func (k *keeper[T]) get(ctx context.Context, obtain func(context.Context) (T, time.Time, error)) (T, error) {
	for {
		k.mu.Lock()
		if value, err := k.value, k.refused; err != nil || k.has && (k.until.IsZero() || time.Now().Before(k.until)) {
			k.mu.Unlock()
			return value, err
		}
		f := k.flight
		if f == nil {
			f = &flight{landed: make(chan struct{})}
			k.flight = f
			k.mu.Unlock()
			return k.fly(ctx, f, obtain)
		}
		k.mu.Unlock()
		select {
		case <-ctx.Done():
			return k.none(ctx.Err())
		case <-f.landed:
		}
		if f.err != nil && !f.abandoned {
			return k.none(f.err)
		}
	}
}

func (k *keeper[T]) fly(ctx context.Context, f *flight, obtain func(context.Context) (T, time.Time, error)) (T, error) {
	value, until, err := obtain(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.value, k.until, k.has = value, until, err == nil
	f.err, f.abandoned = err, ctx.Err() != nil
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Kind == fault.Config {
		k.refused = err
	}
	k.flight = nil
	close(f.landed)
	return value, err
}

func (*keeper[T]) none(err error) (none T, _ error) { return none, err }

// drop forgets the credential, so that the next get obtains a new one.
func (k *keeper[T]) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.has = false
}

// explain is err as the failure of what (such as "The login"), which only the configuration can mend unless trying later may help.
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
