package httpclient

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// ambiguous is an option for an API whose 401 means a wrong key or too many calls.
func ambiguous(o *Options) {
	o.Careful = true
	o.Judge = func(r *Response) Verdict {
		if r.Status != http.StatusUnauthorized {
			return Verdict{}
		}
		err := fault.Configf("The key is wrong, or there were too many calls.")
		if r.Answered {
			return Throttled(err)
		}
		return Doubt(err)
	}
}

func TestCarefulClientsBeginSingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most, calls atomic.Int64
		c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
			n := now.Add(1)
			defer now.Add(-1)
			if calls.Add(1) <= 2 {
				time.Sleep(time.Second)
				if n > 1 {
					t.Error("two requests before the first good answer")
				}
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			most.Store(max(most.Load(), n))
			time.Sleep(time.Second)
			_, _ = w.Write([]byte(`{}`))
		}, ambiguous)
		var wait sync.WaitGroup
		for range 5 {
			wait.Go(func() {
				if res, err := c.Do(t.Context(), Request{Path: "/"}); err != nil {
					t.Error(err)
				} else if res.Status != http.StatusOK {
					t.Errorf("status %d", res.Status)
				}
			})
		}
		wait.Wait()
		if most.Load() < 4 {
			t.Errorf("after the first good answer there were at most %d at once", most.Load())
		}
	})
}

func TestDoubtEndsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			w.WriteHeader(http.StatusUnauthorized)
		}, ambiguous)
		began := time.Now()
		var wait sync.WaitGroup
		for range 5 {
			wait.Go(func() {
				_, err := c.Do(t.Context(), Request{Path: "/"})
				if f := fault.Of(err); f == nil || f.Kind != fault.Config || f.Message != "The key is wrong, or there were too many calls." {
					t.Errorf("ended with %v", err)
				}
			})
		}
		wait.Wait()
		if took := time.Since(began); took > 5*time.Second || calls.Load() != 1+doubtTries {
			t.Errorf("took %v and %d calls", took, calls.Load())
		}
	})
}

func TestAfterAGoodAnswerItIsTheThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
			if n := calls.Add(1); n > 1 && n < 6 {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = w.Write([]byte(`{}`))
		}, ambiguous)
		for range 2 {
			if _, err := c.Do(t.Context(), Request{Path: "/"}); err != nil {
				t.Fatal(err)
			}
		}
		if calls.Load() != 6 {
			t.Errorf("%d calls", calls.Load())
		}
	})
}

func TestAPanicGivesTheTurnBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var judged atomic.Int64
		c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second)
			good.write(w)
		}, func(o *Options) {
			o.Careful = true
			o.Judge = func(*Response) Verdict {
				if judged.Add(1) == 1 {
					panic("a mistake in a Judge")
				}
				return Verdict{}
			}
		})
		var panics atomic.Int64
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(func() {
				if recovered(func() {
					if _, err := c.Do(t.Context(), Request{}); err != nil {
						t.Error(err)
					}
				}) {
					panics.Add(1)
				}
			})
		}
		wait.Wait()
		if panics.Load() != 1 {
			t.Errorf("%d panicked", panics.Load())
		}
	})
}
