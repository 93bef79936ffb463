package httpclient

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
	"github.com/imob-data/airbyte-connectors/common/redact"
)

// cut begins an answer and does not end it.
func cut(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte(`{"half":`))
	panic(http.ErrAbortHandler)
}

func TestRetried(t *testing.T) {
	bad := map[string]func(http.ResponseWriter){
		"reset": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"cut":   cut,
		"chunked": func(w http.ResponseWriter) {
			_, _ = w.Write([]byte(`{"`))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	}
	for name, a := range map[string]answer{
		"408": {status: 408}, "425": {status: 425}, "429": {status: 429}, "500": {status: 500}, "502": {status: 502, body: "<html>"},
		"503": {status: 503}, "504": {status: 504}, "520": {status: 520}, "599": {status: 599},
		"HTML": {status: 200, body: "<html>maintenance</html>"}, "empty": {status: 200}, "204": {status: 204},
		"two": {status: 200, body: "{} {}"}, "a part": {status: 206, body: `{"data":[]}`, header: []string{"Content-Range", "items 0-0/500"}},
	} {
		bad[name] = a.write
	}
	for name, write := range bad {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int64
				c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
					if asked.Add(1) <= 2 {
						write(w)
						return
					}
					good.write(w)
				}, nil)
				start := time.Now()
				if _, err := c.Do(t.Context(), Request{Method: "POST", Path: "/x", Body: map[string]any{}}); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); asked.Load() != 3 || took > 3*time.Second {
					t.Errorf("asked %d times in %v", asked.Load(), took)
				}
			})
		})
	}
}

func TestBackoffIsFullJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const runs = 60
		sums, low := make([]time.Duration, 9), make([]int, 9)
		for range runs {
			s := &script{answers: []answer{{status: 500}, {status: 500}, {status: 500}, {status: 500}, {status: 500}, {status: 500}, {status: 500},
				{status: 500}, {status: 500}, good}}
			c, _ := client(t, s.ServeHTTP, nil)
			if _, err := c.Do(t.Context(), Request{}); err != nil {
				t.Fatal(err)
			}
			for i := range sums {
				wait, limit := s.times[i+1].Sub(s.times[i]), min(firstInterval<<i, maxInterval)
				if wait > limit+time.Millisecond {
					t.Errorf("wait %d was %v, more than %v", i, wait, limit)
				}
				if sums[i] += wait; wait < limit/2 {
					low[i]++
				}
			}
		}
		for i, sum := range sums {
			limit := min(firstInterval<<i, maxInterval)
			if mean := sum / runs; mean < limit/3 || mean > limit*2/3 || low[i] == 0 || low[i] == runs {
				t.Errorf("wait %d was %v on average, and %d of %d in the lower half, which is not uniform up to %v", i, mean, low[i], runs, limit)
			}
		}
	})
}

func TestGivingUp(t *testing.T) {
	for name, elapsed := range map[string]time.Duration{"default": 0, "check": 30 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: []answer{{status: 503, body: `{"message":"down"}`}}}
				c, _ := client(t, s.ServeHTTP, func(o *Options) { o.MaxElapsed = elapsed })
				start := time.Now()
				_, err := c.Do(t.Context(), Request{Path: "/x"})
				took, limit := time.Since(start), max(elapsed, 30*time.Second)
				if elapsed == 0 {
					limit = 10 * time.Minute
				}
				// Not before a wait could have passed the limit: one of 30 seconds in both, and none before the sixth is as long as what is
				// left of 30 seconds.
				if took > limit || took < limit-maxInterval || s.count() < 6 {
					t.Errorf("gave up after %v and %d times", took, s.count())
				}
				wantFault(t, err, fault.Transient, `GET localhost/x failed (503): the API answered "down" (tried `, " times in ", "Trying again later may help.")
			})
		})
	}
}

func TestRetryAfterWins(t *testing.T) {
	for _, status := range []int{408, 429, 500, 503} {
		for _, limit := range []*ratelimit.Limiter{nil, ratelimit.Every(time.Minute, 100), ratelimit.Spaced(time.Minute, 6000)} {
			synctest.Test(t, func(t *testing.T) {
				date := time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
				s := &script{answers: []answer{
					{status: status, header: []string{"Retry-After", "17"}},
					{status: status, header: []string{"Retry-After", date}},
					good,
				}}
				c, _ := client(t, s.ServeHTTP, func(o *Options) { o.Limit = limit })
				if _, err := c.Do(t.Context(), Request{}); err != nil {
					t.Fatal(err)
				}
				if first, second := s.times[1].Sub(s.times[0]), s.times[2].Sub(s.times[0]); first != 17*time.Second || second != 90*time.Second {
					t.Errorf("%d: asked after %v and %v", status, first, second)
				}
			})
		}
	}
}

func TestRetryAfterBeyondTheTimeFailsAtOnce(t *testing.T) {
	for _, status := range []int{429, 503, 500} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{answers: []answer{{status: status, header: []string{"Retry-After", "3600"}}}}
			c, _ := client(t, s.ServeHTTP, nil)
			start := time.Now()
			_, err := c.Do(t.Context(), Request{Path: "/x"})
			wantFault(t, err, fault.Transient, "GET localhost/x failed (", "It may be tried again from 2000-01-01T01:00:0")
			if time.Since(start) > time.Second {
				t.Errorf("failed after %v", time.Since(start))
			}
			if _, err := c.Do(t.Context(), Request{Path: "/y"}); err == nil || time.Since(start) > time.Second {
				t.Errorf("another request: %v after %v", err, time.Since(start))
			}
		})
	}
}

func TestThrottlingHoldsAllRequests(t *testing.T) {
	tests := map[string]struct {
		limit func() *ratelimit.Limiter
		retry string
		want  time.Duration
	}{
		"window":              {func() *ratelimit.Limiter { return ratelimit.Every(time.Minute, 100) }, "", time.Minute},
		"spaced":              {func() *ratelimit.Limiter { return ratelimit.Spaced(time.Second, 1000) }, "", firstThrottle},
		"none":                {func() *ratelimit.Limiter { return nil }, "", firstThrottle},
		"window, Retry-After": {func() *ratelimit.Limiter { return ratelimit.Every(time.Minute, 100) }, "9", 9 * time.Second},
		"none, Retry-After":   {func() *ratelimit.Limiter { return nil }, "9", 9 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var (
					refused time.Time
					early   atomic.Int64
					told    atomic.Int64
				)
				first := true
				c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
					switch {
					case first:
						first, refused = false, time.Now()
						a := answer{status: 429, body: `{"message":"Too Many Attempts"}`}
						if tt.retry != "" {
							a.header = []string{"Retry-After", tt.retry}
						}
						a.write(w)
						return
					case time.Since(refused) < tt.want:
						early.Add(1)
					}
					good.write(w)
				}, func(o *Options) { o.Limit = tt.limit() })
				waiting := func(until time.Time) {
					told.Add(1)
					if d := until.Sub(refused); d < tt.want || d > tt.want+100*time.Millisecond {
						t.Errorf("told %v after the refusal", d)
					}
				}
				var wg sync.WaitGroup
				for i := range 4 {
					wg.Go(func() {
						if _, err := c.Do(t.Context(), Request{Waiting: waiting}); err != nil {
							t.Error(err)
						}
					})
					if i == 0 {
						synctest.Wait() // the first is refused before the others ask
					} else {
						time.Sleep(time.Millisecond)
					}
				}
				wg.Wait()
				if early.Load() != 0 || time.Since(refused) > tt.want+time.Second {
					t.Errorf("%d requests came early; all done after %v", early.Load(), time.Since(refused))
				}
				if told.Load() < 2 { // the refused one, and those that have a second or more to wait
					t.Errorf("%d were told", told.Load())
				}
			})
		})
	}
}

func TestThrottleGrowsTogetherAndResets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu    sync.Mutex
			waves []time.Time // of requests
		)
		c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if len(waves) == 0 || time.Since(waves[len(waves)-1]) > 100*time.Millisecond {
				waves = append(waves, time.Now())
			}
			if len(waves) <= 8 {
				answer{status: 429}.write(w)
				return
			}
			good.write(w)
		}, nil)
		var wg sync.WaitGroup
		for range 5 { // in flight together, so they count once
			wg.Go(func() {
				if _, err := c.Do(t.Context(), Request{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i, want := range []float64{1, 2, 4, 8, 16, 32, 60, 60} {
			if got := waves[i+1].Sub(waves[i]).Seconds(); got != want {
				t.Errorf("wait %d is %v s, want %v s", i, got, want)
			}
		}
		s := &script{answers: []answer{{status: 429}, good}}
		again, _ := client(t, s.ServeHTTP, nil)
		again.throttle.wait = maxThrottle
		again.throttle.reset(time.Now()) // a success
		if _, err := again.Do(t.Context(), Request{}); err != nil {
			t.Fatal(err)
		}
		if got := s.times[1].Sub(s.times[0]); got != firstThrottle {
			t.Errorf("after a success the wait is %v", got)
		}
	})
}

func TestEndless429EndsInTime(t *testing.T) {
	for name, limit := range map[string]*ratelimit.Limiter{"none": nil, "window": ratelimit.Every(time.Minute, 1000)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: []answer{{status: 429, body: `{"message":"slow down"}`}}}
				c, _ := client(t, s.ServeHTTP, func(o *Options) { o.Limit = limit })
				start := time.Now()
				_, err := c.Do(t.Context(), Request{Path: "/x"})
				wantFault(t, err, fault.Transient, `GET localhost/x failed (429): the API answered "slow down". It may be tried again from 2000-01-01T00:`)
				if took := time.Since(start); took > 10*time.Minute || took < 8*time.Minute {
					t.Errorf("ended after %v", took)
				}
			})
		})
	}
}

func TestQuotaDoesNotUseUpARequestsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bad atomic.Int64
		c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
			if bad.Add(1)%2 == 1 { // each is tried twice, with half an hour in the queue before the second attempt
				answer{status: 500}.write(w)
				return
			}
			good.write(w)
		}, func(o *Options) { o.Limit = ratelimit.Every(30*time.Minute, 1) })
		start := time.Now()
		for range 2 {
			if _, err := c.Do(t.Context(), Request{}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < 90*time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

func TestSigningMayAskWhereTheQuotaIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{good}}
		asks := &asking{}
		c, _ := client(t, s.ServeHTTP, func(o *Options) { o.Limit, o.Auth = ratelimit.Every(time.Minute, 1), asks })
		if _, err := c.Do(t.Context(), Request{Path: "/x"}); err != nil {
			t.Fatal(err)
		}
		if s.count() != 2 {
			t.Errorf("asked %d times", s.count())
		}
	})
}

// asking is a Signer that sends a request.
type asking struct{ c *Client }

func (a *asking) Bind(c *Client) { a.c = c }

func (a *asking) Sign(ctx context.Context, _ *Request) error {
	_, err := a.c.Do(ctx, Request{Path: "/login", Unsigned: true})
	return err
}

func TestCancelling(t *testing.T) {
	tests := map[string]func(w http.ResponseWriter, r *http.Request){
		"while the server thinks": hang,
		"in the middle of a body": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("["))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"while backing off": func(w http.ResponseWriter, _ *http.Request) {
			answer{status: 500, header: []string{"Retry-After", "300"}}.write(w)
		},
		"while being held":   func(w http.ResponseWriter, _ *http.Request) { answer{status: 429}.write(w) },
		"while it is queued": nil,
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := client(t, handler, func(o *Options) { o.Limit = ratelimit.Every(time.Minute, 100) })
				if handler == nil {
					c.o.Limit.Hold(time.Now().Add(time.Hour))
				}
				ctx, cancel := context.WithCancel(t.Context())
				const after = 7 * time.Second
				time.AfterFunc(after, cancel)
				start := time.Now()
				_, err := c.Do(ctx, Request{Path: "/x", Method: "POST"})
				if !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnknownOutcome) || time.Since(start) != after {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
				wantFault(t, err, fault.Transient, "stopped")
			})
		})
	}
}

func TestDeadlineOfTheCallerNamesTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{{status: 500, body: `{"message":"down"}`}}}
		c, _ := client(t, s.ServeHTTP, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_, err := c.Do(ctx, Request{Path: "/x"})
		wantFault(t, err, fault.Transient, `GET localhost/x failed (500): the API answered "down" (tried`)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestQuotaCountsFromTheFirstByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(" "))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(40 * time.Second)
			good.write(w)
		}, func(o *Options) { o.Limit = ratelimit.Every(time.Minute, 1) })
		start := time.Now()
		for range 2 {
			if _, err := c.Do(t.Context(), Request{}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 100*time.Second { // a window since the first byte of the first, and the second
			t.Errorf("took %v", took)
		}
	})
}

// The user is told why a request is being retried, once a minute, but not if it waits for half a minute or less.
func TestRetriesAreTold(t *testing.T) {
	down := answer{status: 500, body: `{"message":"s3cr3t-t0ken-value is down"}`}
	long := answer{status: 500, header: []string{"Retry-After", "400"}}
	judged := func(err error) Judge { return func(*Response) Verdict { return Again(err) } }
	for name, tt := range map[string]struct {
		answer answer
		judge  Judge
		want   string
	}{
		"500":       {down, nil, `GET localhost/x failed (500): the API answered "**** is down" (tried `},
		"corrupt":   {answer{status: 200, body: `{"rows":[`}, nil, "GET localhost/x was cut off before the answer was complete (tried "},
		"long wait": {long, nil, "GET localhost/x failed (500): the API gave no reason (tried once in 30s). It is tried again until 2000-01-01T00:10:29Z."},
		"judged":    {good, judged(errors.New("closed for today")), "GET localhost/x failed: closed for today (tried "},
		"fault":     {good, judged(fault.Transientf("The API is closed.")), "GET localhost/x: The API is closed (tried "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				handler := tt.answer.serve
				if name == "corrupt" {
					handler = func(w http.ResponseWriter, _ *http.Request) { cut(w) }
				}
				c, _ := client(t, handler, func(o *Options) {
					o.Judge, o.Redact, o.Log = tt.judge, redact.New("s3cr3t-t0ken-value"), slog.New(slog.NewTextHandler(&log, nil))
				})
				for _, within := range []time.Duration{firstNews - time.Second, 5 * time.Minute} {
					ctx, cancel := context.WithTimeout(t.Context(), within)
					if _, err := c.Do(ctx, Request{Path: "/x", Query: url.Values{"private": {"1"}}}); err == nil {
						t.Fatal("it came to an end")
					}
					cancel()
					lines := strings.Count(log.String(), "level=INFO")
					if within < firstNews && log.Len() > 0 || within > firstNews && lines != 5 || strings.Contains(log.String(), "private") {
						t.Errorf("%v: %d lines:\n%s", within, lines, log.String())
					}
				}
				if text := strings.ReplaceAll(log.String(), `\"`, `"`); !strings.Contains(text, tt.want) {
					t.Errorf("not told: %s\n%s", tt.want, text)
				}
			})
		})
	}
}

func TestHealedIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &script{answers: []answer{{status: 500}, {status: 500}, {status: 500}, good}}
		c, _ := client(t, s.ServeHTTP, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		if _, err := c.Do(t.Context(), Request{}); err != nil || log.Len() > 0 {
			t.Errorf("%v, log %q", err, log.String())
		}
	})
}
