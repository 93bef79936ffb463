package ratelimit_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/ratelimit"
)

// take waits for admission and calls done after latency.
func take(t *testing.T, l *ratelimit.Limiter, latency time.Duration) time.Time {
	t.Helper()
	done, err := l.Wait(t.Context(), nil)
	if err != nil {
		t.Error(err)
		return time.Time{}
	}
	start := time.Now()
	time.Sleep(latency)
	done()
	done() // a second call must not free anything
	return start
}

// run sends n requests with a limited number in flight and returns when the server counted each: at the end of its latency, which is the worst case.
func run(t *testing.T, l *ratelimit.Limiter, n, parallel int, latency func(i int) time.Duration) []time.Time {
	var (
		mu      sync.Mutex
		counted []time.Time
		wg      sync.WaitGroup
		work    = make(chan int)
	)
	for range parallel {
		wg.Go(func() {
			for i := range work {
				start := take(t, l, latency(i))
				mu.Lock()
				counted = append(counted, start.Add(latency(i)*time.Duration(i%2))) // at its beginning or at its end
				mu.Unlock()
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
	slices.SortFunc(counted, time.Time.Compare)
	return counted
}

func TestEveryNeverExceedsAWindow(t *testing.T) {
	for name, latency := range map[string]func(int) time.Duration{
		"fast":   func(int) time.Duration { return time.Millisecond },
		"slow":   func(int) time.Duration { return 90 * time.Second },
		"uneven": func(i int) time.Duration { return time.Duration(i*7919%30000) * time.Millisecond },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const quota = 100
				counted := run(t, ratelimit.Every(time.Minute, quota), 350, 32, latency)
				for i := range counted {
					if j := i + quota - 2; j < len(counted) && counted[j].Sub(counted[i]) < time.Minute {
						t.Fatalf("requests %d to %d were counted within %v", i, j, counted[j].Sub(counted[i]))
					}
				}
			})
		})
	}
}

func TestEveryUsesItsQuota(t *testing.T) {
	tests := []struct {
		quota, n int
		want     time.Duration // at most
	}{
		{100, 98, time.Second}, // all may go at once
		{100, 300, 3 * time.Minute * 103 / 100},
		{100, 3000, 30 * time.Minute * 103 / 100},
		{1000, 10000, 10 * time.Minute * 103 / 100},
		{1, 3, 2*time.Minute + time.Second},
		{0, 2, time.Minute + time.Second}, // counts as 1
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			run(t, ratelimit.Every(time.Minute, tt.quota), tt.n, 8, func(int) time.Duration { return 10 * time.Millisecond })
			if took := time.Since(start); took > tt.want {
				t.Errorf("%d requests at %d a minute took %v, want at most %v", tt.n, tt.quota, took, tt.want)
			}
		})
	}
}

func TestSlotInFlightStaysTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.Every(time.Minute, 1)
		done, err := l.Wait(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		time.AfterFunc(5*time.Minute, done) // a very slow answer
		take(t, l, 0)
		if got := time.Since(begin); got != 6*time.Minute {
			t.Errorf("admitted after %v, want a window after the answer", got)
		}
	})
}

func TestSpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.Spaced(time.Minute, 60)
		time.Sleep(time.Hour) // nothing is saved up
		starts := run(t, l, 10, 4, func(int) time.Duration { return 0 })
		for i := 1; i < len(starts); i++ {
			if gap := starts[i].Sub(starts[i-1]); gap != time.Second+time.Second/50 {
				t.Errorf("gap %d is %v", i, gap)
			}
		}
		if l.Window() != 0 {
			t.Errorf("Window() = %v", l.Window())
		}
	})
}

func TestSpacedIsNotReportedUnlessHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.Spaced(time.Hour, 1)
		var told []time.Time
		waiting := func(until time.Time) { told = append(told, until) }
		for range 2 {
			if _, err := l.Wait(t.Context(), waiting); err != nil {
				t.Fatal(err)
			}
		}
		if len(told) != 0 {
			t.Errorf("even spacing was reported: %v", told)
		}
		until := time.Now().Add(2 * time.Hour)
		l.Hold(until)
		if _, err := l.Wait(t.Context(), waiting); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(told, []time.Time{until}) || !time.Now().Equal(until) {
			t.Errorf("told %v, admitted %v, want %v", told, time.Now(), until)
		}
	})
}

func TestHold(t *testing.T) {
	limiters := map[string]func() *ratelimit.Limiter{
		"every":     func() *ratelimit.Limiter { return ratelimit.Every(time.Minute, 100) },
		"spaced":    func() *ratelimit.Limiter { return ratelimit.Spaced(time.Minute, 60) },
		"unlimited": ratelimit.Unlimited,
		"no window": func() *ratelimit.Limiter { return ratelimit.Every(0, 5) },
	}
	for name, limiter := range limiters {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := limiter()
				begin := time.Now()
				l.Hold(begin.Add(10 * time.Second))
				l.Hold(begin.Add(5 * time.Second)) // must not shorten it
				var wg sync.WaitGroup
				for range 5 {
					wg.Go(func() {
						if start := take(t, l, 0); start.Before(begin.Add(30 * time.Second)) {
							t.Errorf("admitted after %v", start.Sub(begin))
						}
					})
				}
				time.Sleep(time.Second)
				l.Hold(begin.Add(30 * time.Second)) // requests that already wait, too
				wg.Wait()
				if took := time.Since(begin); took > 34*time.Second+5*time.Second/50 {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestHoldGivesNoSlotBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.Every(time.Minute, 1)
		begin := time.Now()
		take(t, l, 0)
		l.Hold(begin.Add(5 * time.Second))
		take(t, l, 0)
		if got := time.Since(begin); got != time.Minute {
			t.Errorf("admitted after %v, want the window", got)
		}
	})
}

func TestEveryWaiterIsToldOnceOutsideLocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.Every(time.Minute, 2)
		begin := time.Now()
		take(t, l, 0)
		take(t, l, 0)
		var (
			mu   sync.Mutex
			told []time.Duration
			wg   sync.WaitGroup
		)
		for range 5 {
			wg.Go(func() {
				done, err := l.Wait(t.Context(), func(until time.Time) {
					l.Hold(time.Time{}) // would deadlock under the lock
					mu.Lock()
					defer mu.Unlock()
					told = append(told, until.Sub(begin))
				})
				if err != nil {
					t.Error(err)
					return
				}
				done()
			})
			synctest.Wait() // they enter the queue one after another
		}
		const m = time.Minute
		if want := []time.Duration{m, m, 2 * m, 2 * m, 3 * m}; !slices.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
		l.Hold(begin.Add(10 * m)) // already told: not told again
		wg.Wait()
		if len(told) != 5 {
			t.Errorf("told again: %v", told)
		}
	})
}

func TestShortWaitIsNotReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.Every(900*time.Millisecond, 1)
		take(t, l, 0)
		if _, err := l.Wait(t.Context(), func(time.Time) { t.Error("a wait of less than a second was reported") }); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.Every(time.Minute, 2)
		take(t, l, 0)
		take(t, l, 0)
		var (
			mu    sync.Mutex
			order []int
			wg    sync.WaitGroup
		)
		for i := range 20 {
			wg.Go(func() {
				done, err := l.Wait(t.Context(), nil)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				time.Sleep(time.Second)
				done()
			})
			synctest.Wait()
		}
		wg.Wait()
		for i := range order {
			if order[i]/2 != i/2 { // two are admitted at the same instant
				t.Fatalf("order %v", order)
			}
		}
	})
}

func TestCancelledWaitTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.Every(time.Minute, 1)
		begin := time.Now()
		take(t, l, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() { // the first of the queue gives up
			if _, err := l.Wait(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("err = %v", err)
			}
			if got := time.Since(begin); got != time.Second {
				t.Errorf("gave up after %v", got)
			}
		})
		synctest.Wait()
		wg.Go(func() { // the second moves up
			if got := take(t, l, 0).Sub(begin); got != time.Minute {
				t.Errorf("admitted after %v", got)
			}
		})
		wg.Wait()
		if _, err := l.Wait(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a context that had ended: %v", err)
		}
		if _, err := ratelimit.Unlimited().Wait(ctx, nil); err == nil {
			t.Error("a context that had ended was admitted")
		}
	})
}

func TestNil(t *testing.T) {
	var l *ratelimit.Limiter
	l.Hold(time.Now().Add(time.Hour))
	done, err := l.Wait(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	done()
	if l.Window() != 0 {
		t.Error("a nil Limiter has a window")
	}
	if got := ratelimit.Every(time.Minute, 5).Window(); got != time.Minute {
		t.Errorf("Window() = %v", got)
	}
}

func TestAPanicLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ratelimit.Unlimited()
		l.Hold(time.Now().Add(time.Minute))
		func() {
			defer func() { _ = recover() }()
			_, _ = l.Wait(t.Context(), func(time.Time) { panic("a mistake") })
			t.Error("it did not panic")
		}()
		if _, err := l.Wait(t.Context(), nil); err != nil {
			t.Error(err)
		}
	})
}
