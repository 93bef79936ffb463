package auth_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
)

// door is an API with sessions: /in opens one and tells how many sessions a user may have, and /out ends one.
type door struct {
	refuse bool                 // it refuses all logins
	slow   time.Duration        // how long a login takes
	answer func(session string) // called for each other request; nil: not called
	forget map[string]bool      // sessions that it no longer knows

	mu   sync.Mutex
	ins  int
	outs []string
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	session := r.URL.Query().Get("s")
	d.mu.Lock()
	forgotten := d.forget[session]
	switch r.URL.Path {
	case "/in":
		d.ins++
	case "/out":
		d.outs = append(d.outs, session)
	}
	name := "s" + string(rune('0'+d.ins))
	d.mu.Unlock()
	switch {
	case r.URL.Path == "/in" && d.refuse:
		reply(w, http.StatusForbidden, `{"message":"wrong password"}`)
	case r.URL.Path == "/in":
		time.Sleep(d.slow)
		reply(w, http.StatusOK, `{"session":"`+name+`","most":2}`)
	case forgotten:
		reply(w, http.StatusUnauthorized, `{}`)
	default:
		if d.answer != nil {
			d.answer(session)
		}
		reply(w, http.StatusOK, `{}`)
	}
}

// sessions returns the sessions of a door.
func sessions(count int) *auth.Sessions {
	return &auth.Sessions{
		Login: httpclient.Request{Path: "/in"}, Logout: httpclient.Request{Path: "/out"}, Count: count, Most: "most",
		Part: auth.Part{From: "session", In: httpclient.Query, Key: "s"}, Secret: "hash",
	}
}

// A session that the server no longer knows is replaced, and none that is already gone is logged out.
func TestSessionsThatAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{forget: map[string]bool{"s1": true}}
		c, a := start(t, sessions(1), d.ServeHTTP, nil)
		if _, err := c.Do(t.Context(), httpclient.Request{Path: "/thing"}); err != nil {
			t.Fatal(err)
		}
		if d.ins != 2 || a.count("/thing") != 2 {
			t.Errorf("%d logins, and the thing was asked for %d times", d.ins, a.count("/thing"))
		}
		d.forget["s2"] = true
		if err := c.SignOff(t.Context(), false); err != nil || len(d.outs) != 1 {
			t.Errorf("the logout of a session that is gone: %v, %v", d.outs, err)
		}
		d.forget = map[string]bool{"s3": true, "s4": true, "s5": true}
		_, err := c.Do(t.Context(), httpclient.Request{Path: "/thing"})
		wantFault(t, err, fault.Config)
		if d.ins != 5 {
			t.Errorf("%d logins", d.ins)
		}
	})
}

// A request that continues what its session holds is not sent in another session.
func TestBoundRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{forget: map[string]bool{"s1": true}}
		c, a := start(t, sessions(1), d.ServeHTTP, nil)
		_, err := c.Do(t.Context(), httpclient.Request{Path: "/thing", Bound: true})
		wantFault(t, err, fault.Transient, "session")
		if a.count("/thing") != 1 {
			t.Errorf("it was sent %d times", a.count("/thing"))
		}
		if _, err := c.Do(t.Context(), httpclient.Request{Path: "/thing"}); err != nil || d.ins != 2 {
			t.Errorf("%d logins: %v", d.ins, err)
		}
	})
}

// Each session has one request at a time, whoever sends it, and no more sessions are opened than are allowed.
func TestSessionsDoOneThingAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := map[string]bool{}
		d := &door{}
		d.answer = func(session string) {
			d.mu.Lock()
			if busy[session] {
				t.Errorf("%s has two requests at a time", session)
			}
			busy[session] = true
			d.mu.Unlock()
			time.Sleep(time.Second)
			d.mu.Lock()
			busy[session] = false
			d.mu.Unlock()
		}
		c, _ := start(t, sessions(5), d.ServeHTTP, nil)
		var wait sync.WaitGroup
		for range 10 {
			wait.Go(func() {
				if _, err := c.Do(t.Context(), httpclient.Request{Path: "/thing"}); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if err := c.SignOff(t.Context(), false); err != nil || d.ins != 2 || len(d.outs) != 2 {
			t.Errorf("%d logins, logouts %v: %v", d.ins, d.outs, err)
		}
	})
}

// A refused login is not retried.
func TestSessionsThatAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{refuse: true}
		c, _ := start(t, sessions(2), d.ServeHTTP, nil)
		for range 3 {
			_, err := c.Do(t.Context(), httpclient.Request{Path: "/thing"})
			wantFault(t, err, fault.Config, "The login failed")
		}
		if err := c.SignOff(t.Context(), false); err != nil || d.ins != 1 || len(d.outs) > 0 {
			t.Errorf("%d logins, logouts %v: %v", d.ins, d.outs, err)
		}
	})
}

// A run that is stopped while it logs in still learns the session, so that it can end it. It then does not wait for the quota.
func TestSessionsOfAStoppedRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{slow: 300 * time.Millisecond}
		c, a := start(t, sessions(1), d.ServeHTTP, func(o *httpclient.Options) { o.Limit = ratelimit.Spaced(time.Minute, 1) })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		if _, err := c.Do(ctx, httpclient.Request{Path: "/thing"}); !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
		before := time.Now()
		if err := c.SignOff(context.WithoutCancel(ctx), true); err != nil || len(d.outs) != 1 || d.outs[0] != "s1" {
			t.Errorf("logouts %v: %v", d.outs, err)
		}
		if took := time.Since(before); took > time.Second || a.count("/thing") != 0 {
			t.Errorf("the logout took %v", took)
		}
	})
}
