package httpclient

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// token is a Signer whose credentials are a number that Renew raises.
type token struct {
	n       atomic.Int64
	renewed atomic.Int64
	fail    error
}

func (s *token) Sign(_ context.Context, r *Request) error {
	*r = r.With(Body, "Header.SessionId", s.n.Load()).With(Header, "Token", s.n.Load())
	r.Header.Set("Mine", "yes") // the attempt's own maps
	return nil
}

func (s *token) Renew(ctx context.Context) error {
	s.renewed.Add(1)
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.fail != nil {
		return s.fail
	}
	s.n.Add(1)
	return nil
}

// from accepts tokens from n on.
func from(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if got, err := strconv.Atoi(r.Header.Get("Token")); err != nil || got < n {
			answer{status: 401, body: `{"message":"expired"}`}.write(w)
			return
		}
		good.write(w)
	}
}

func TestRenewOnce(t *testing.T) {
	t.Run("401", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &token{}
			c, _ := client(t, from(1), func(o *Options) { o.Auth = s })
			r := Request{Path: "/x", Body: map[string]any{"Header": map[string]any{"Action": "A"}}, Once: true, Method: "POST"}
			if _, err := c.Do(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if s.renewed.Load() != 1 || len(r.Header) != 0 || len(r.Body["Header"].(map[string]any)) != 1 {
				t.Errorf("renewed %d times; the request is now %+v", s.renewed.Load(), r)
			}
		})
	})
	t.Run("expired", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &token{}
			c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Token") == "0" {
					answer{status: 200, body: "468 - session expired, new login required"}.write(w)
					return
				}
				good.write(w)
			}, func(o *Options) {
				o.Auth = s
				o.Judge = func(r *Response) error {
					if r.Body == nil && string(r.Text[:3]) == "468" {
						return Expired(errors.New("the session expired"))
					}
					return nil
				}
			})
			if _, err := c.Do(t.Context(), Request{Method: "POST", Once: true}); err != nil || s.renewed.Load() != 1 {
				t.Errorf("%v, renewed %d times", err, s.renewed.Load())
			}
		})
	})
	t.Run("in vain", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &token{}
			c, _ := client(t, from(99), func(o *Options) { o.Auth = s })
			_, err := c.Do(t.Context(), Request{Path: "/x"})
			wantFault(t, err, fault.Config, `GET /x was refused (401): the API answered "expired". Check the credentials`)
			if s.renewed.Load() != 1 {
				t.Errorf("renewed %d times", s.renewed.Load())
			}
		})
	})
	t.Run("unsigned", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &token{}
			c, _ := client(t, from(0), func(o *Options) { o.Auth = s })
			_, err := c.Do(t.Context(), Request{Path: "/login", Unsigned: true})
			wantFault(t, err, fault.Config, `(401)`)
			if s.renewed.Load() != 0 {
				t.Error("a login was renewed")
			}
		})
	})
	t.Run("not renewable", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &script{answers: []answer{{status: 401}}}
			c, _ := client(t, s.ServeHTTP, func(o *Options) { o.Auth = signer(func(*Request) {}) })
			_, err := c.Do(t.Context(), Request{})
			wantFault(t, err, fault.Config, "(401)")
			if s.count() != 1 {
				t.Errorf("asked %d times", s.count())
			}
		})
	})
}

func TestManyRequestsRenewTogether(t *testing.T) {
	for name, fail := range map[string]error{"well": nil, "badly": fault.Configf("The password is wrong.")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &token{fail: fail}
				c, _ := client(t, from(1), func(o *Options) { o.Auth = s })
				var wg sync.WaitGroup
				for range 20 {
					wg.Go(func() {
						_, err := c.Do(t.Context(), Request{})
						if fail == nil && err != nil {
							t.Error(err)
						}
						if fail != nil && !errors.Is(err, fail) {
							t.Errorf("err = %v", err)
						}
					})
				}
				wg.Wait()
				if s.renewed.Load() != 1 {
					t.Errorf("renewed %d times", s.renewed.Load())
				}
			})
		})
	}
}

func TestRenewalThatIsAbandonedPassesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &token{}
		c, _ := client(t, from(1), func(o *Options) { o.Auth = s })
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Do(ctx, Request{}); !errors.Is(err, context.Canceled) {
				t.Errorf("the cancelled one: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := c.Do(t.Context(), Request{}); err != nil {
				t.Errorf("the other: %v", err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		if s.renewed.Load() != 2 {
			t.Errorf("renewed %d times", s.renewed.Load())
		}
	})
}
