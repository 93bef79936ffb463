package httpclient

import (
	"context"
	"errors"
	"math"
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
				o.Judge = func(r *Response) Verdict {
					if !r.Body.Exists() && string(r.Text[:3]) == "468" {
						return Expired(errors.New("the session expired"))
					}
					return Verdict{}
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
			wantFault(t, err, fault.Config, `GET localhost/x was refused (401): the API answered "expired". Check the credentials`)
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

// A throttle that answers 401 looks the same as expired credentials: they are renewed if waiting did not help.
func TestThrottledOrExpired(t *testing.T) {
	for name, tt := range map[string]struct {
		throttled int // answers
		handler   http.HandlerFunc
		renewed   int64
	}{
		"expired":           {0, from(1), 1},
		"throttled":         {1, from(0), 0},
		"throttled, longer": {4, from(0), 1},
		"both":              {3, from(1), 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, asked := &token{}, 0
				c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
					if asked++; asked <= tt.throttled {
						answer{status: 401}.write(w)
						return
					}
					tt.handler(w, r)
				}, func(o *Options) {
					o.Auth = s
					o.Judge = func(r *Response) Verdict {
						if r.Status == http.StatusUnauthorized {
							return Throttled(fault.Transientf("too fast"))
						}
						return Verdict{}
					}
				})
				if _, err := c.Do(t.Context(), Request{}); err != nil || s.renewed.Load() != tt.renewed {
					t.Errorf("%v, renewed %d times", err, s.renewed.Load())
				}
			})
		})
	}
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

// worn is a Signer whose tokens work for a number of calls each, and the server that accepts them.
type worn struct {
	uses    int           // how many calls a token works for
	renewal time.Duration // how long renewing goes on after the new token is in use
	slow    time.Duration // how much longer a good answer takes than a refusal
	login   time.Duration // how long signing takes before it reads the token

	mu      sync.Mutex
	token   int
	left    int
	renewed int
}

func (s *worn) Sign(_ context.Context, r *Request) error {
	time.Sleep(s.login)
	s.mu.Lock()
	defer s.mu.Unlock()
	*r = r.With(Header, "Token", s.token)
	return nil
}

func (s *worn) Renew(context.Context) error {
	s.mu.Lock()
	s.token++
	s.left = s.uses
	s.renewed++
	s.mu.Unlock()
	time.Sleep(s.renewal)
	return nil
}

func (s *worn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	admitted := r.Header.Get("Token") == strconv.Itoa(s.token) && s.left > 0
	if admitted {
		s.left--
	}
	s.mu.Unlock()
	if !admitted || r.URL.Path == "/never" {
		answer{status: 401}.write(w)
		return
	}
	time.Sleep(s.slow)
	good.write(w)
}

func TestCredentialsThatAreUsedUp(t *testing.T) {
	tests := map[string]struct {
		uses, parallel int
		slow           time.Duration
		renewal, login time.Duration
	}{
		"answers at once":                {uses: 5, parallel: 8},
		"answers that refusals overtake": {uses: 3, parallel: 8, slow: time.Second},
		"one call each":                  {uses: 1, parallel: 8, slow: time.Second},
		"used before the renewal ends":   {uses: 1, parallel: 8, slow: time.Millisecond, renewal: time.Second},
		"slowly signed":                  {uses: 1, parallel: 8, slow: 7 * time.Millisecond, login: 10 * time.Millisecond},
	}
	for name, tt := range tests {
		for _, once := range []bool{false, true} {
			t.Run(name+", once "+strconv.FormatBool(once), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &worn{uses: tt.uses, slow: tt.slow, renewal: tt.renewal, login: tt.login}
					c, _ := client(t, s.ServeHTTP, func(o *Options) { o.Auth = s })
					var wg sync.WaitGroup
					for range tt.parallel {
						wg.Go(func() {
							for range 5 {
								if _, err := c.Do(t.Context(), Request{Method: "POST", Once: once}); err != nil {
									t.Error(err)
								}
							}
						})
					}
					wg.Wait()
					if least := tt.parallel * 5 / s.uses; s.renewed < least {
						t.Errorf("renewed %d times for calls that need at least %d", s.renewed, least)
					}
				})
			})
		}
	}
}

// A path that is always refused ends with that, although the credentials work for all others, and does not make those fail. Only the newest
// credentials are valid here, so each renewal has the requests in flight refused.
func TestPathsThatAreAlwaysRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		paths int
		slow  time.Duration
	}{"one": {1, 0}, "one, slow answers": {1, time.Second}, "many": {4, 0}, "many, slow answers": {4, time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &worn{uses: math.MaxInt, slow: tt.slow}
				c, _ := client(t, s.ServeHTTP, func(o *Options) { o.Auth = s })
				var others, refused sync.WaitGroup
				ctx, cancel := context.WithCancel(t.Context())
				for range 4 {
					others.Go(func() {
						for ctx.Err() == nil {
							if _, err := c.Do(t.Context(), Request{Path: "/x"}); err != nil {
								t.Error(err)
							}
						}
					})
				}
				for range tt.paths {
					refused.Go(func() {
						_, err := c.Do(t.Context(), Request{Path: "/never"})
						wantFault(t, err, fault.Config, "GET localhost/never was refused (401)")
					})
				}
				refused.Wait()
				cancel()
				others.Wait()
				if s.renewed > 1+2*tt.paths {
					t.Errorf("renewed %d times", s.renewed)
				}
			})
		})
	}
}

func TestManyRequestsWithAWrongCredentialRenewOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		good int64         // how many requests the credential works for before it is wrong
		slow time.Duration // how much longer each refusal takes than the one before
	}{
		"together": {}, "one after the other": {slow: time.Second},
		"good once": {good: 1}, "good once, one after the other": {good: 1, slow: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &token{}
				var asked, refused atomic.Int64
				c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
					if asked.Add(1) <= tt.good {
						good.write(w)
						return
					}
					time.Sleep(time.Duration(refused.Add(1)) * tt.slow)
					answer{status: 401}.write(w)
				}, func(o *Options) { o.Auth = s })
				for range tt.good {
					if _, err := c.Do(t.Context(), Request{}); err != nil {
						t.Fatal(err)
					}
				}
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						_, err := c.Do(t.Context(), Request{Path: "/x"})
						wantFault(t, err, fault.Config, "GET localhost/x was refused (401)")
					})
				}
				wg.Wait()
				if s.renewed.Load() != 1 || refused.Load() != 16 {
					t.Errorf("renewed %d times, refused %d times", s.renewed.Load(), refused.Load())
				}
			})
		})
	}
}

// A request whose credentials were replaced by another while it was in flight is not to blame, whether or not they ever worked.
func TestReplacedWhileUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &worn{uses: math.MaxInt}
		c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				time.Sleep(2 * time.Second) // and read the token only then
			}
			s.ServeHTTP(w, r)
		}, func(o *Options) { o.Auth = s })
		var wg sync.WaitGroup
		wg.Go(func() {
			time.Sleep(3 * time.Second) // the slow one has renewed by then
			_, err := c.Do(t.Context(), Request{Path: "/never"})
			wantFault(t, err, fault.Config, "GET localhost/never was refused (401)")
		})
		if _, err := c.Do(t.Context(), Request{Path: "/slow"}); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if s.renewed != 2 {
			t.Errorf("renewed %d times", s.renewed)
		}
	})
}

// TestTheWaitForOthersEnds checks that the wait ends with the request's own context and time.
func TestTheWaitForOthersEnds(t *testing.T) {
	for name, stopped := range map[string]bool{"stopped": true, "time over": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
					switch fresh := r.Header.Get("Token") == "1"; {
					case fresh && r.URL.Path == "/hangs":
						hang(w, r)
						return
					case fresh:
						time.Sleep(time.Second) // so that the other is in flight
					}
					answer{status: 401}.write(w)
				}, func(o *Options) { o.Auth, o.MaxElapsed = &token{}, 30*time.Second })
				var wg sync.WaitGroup
				wg.Go(func() {
					time.Sleep(time.Second / 2) // while the first is renewing, so that this one's time is over later
					if _, err := c.Do(t.Context(), Request{Path: "/hangs"}); err == nil {
						t.Error("no error")
					}
				})
				began, want := time.Now(), 30*time.Second
				ctx := t.Context()
				if stopped {
					want = 10 * time.Second
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, want)
					defer cancel()
				}
				_, err := c.Do(ctx, Request{Path: "/x"})
				if took := time.Since(began); took != want || stopped != errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("after %v: %v", took, err)
				}
				if !stopped {
					wantFault(t, err, fault.Config, "GET localhost/x was refused (401)")
				}
				wg.Wait()
			})
		})
	}
}

// clumsy is a Signer that panics when it signs or renews for the nth time, counting down.
type clumsy struct {
	worn
	signs, renews atomic.Int64
}

func (s *clumsy) Sign(ctx context.Context, r *Request) error {
	if s.signs.Add(-1) == 0 {
		time.Sleep(time.Second)
		panic("a mistake in a Signer")
	}
	return s.worn.Sign(ctx, r)
}

func (s *clumsy) Renew(ctx context.Context) error {
	if s.renews.Add(-1) == 0 {
		time.Sleep(time.Second)
		panic("a mistake in a Renewer")
	}
	return s.worn.Renew(ctx)
}

// recovered calls its argument and reports whether that panicked.
func recovered(do func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	do()
	return false
}

func TestAPanicLeavesNobodyWaiting(t *testing.T) {
	for name, tt := range map[string]struct{ signs, renews, uses int64 }{
		"in a Signer":  {signs: 1, uses: 6},
		"in a Renewer": {renews: 1, uses: 6},
		"in a Renewer, for credentials that were used up": {renews: 2, uses: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &clumsy{worn: worn{uses: int(tt.uses)}}
				s.signs.Store(tt.signs)
				s.renews.Store(tt.renews)
				c, _ := client(t, s.ServeHTTP, func(o *Options) { o.Auth = s })
				var panics, failures atomic.Int64
				var wg sync.WaitGroup
				for range 6 {
					wg.Go(func() {
						if recovered(func() {
							if _, err := c.Do(t.Context(), Request{Path: "/x"}); err != nil {
								failures.Add(1)
								t.Error(err)
							}
						}) {
							panics.Add(1)
						}
					})
				}
				wg.Wait()
				if panics.Load() != 1 || failures.Load() != 0 {
					t.Errorf("%d panicked and %d failed", panics.Load(), failures.Load())
				}
			})
		})
	}
}
