package httpclient

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

func TestShares(t *testing.T) {
	b := NewBudget(100)
	first, second, third := b.Take(0), b.Take(0), b.Take(0)
	if !second.try(60) || second.try(60) {
		t.Error("the budget is not kept")
	}
	if !first.try(1000) {
		t.Error("the oldest waits")
	}
	child, sibling := b.Take(1), b.Take(1)
	if !child.try(1000) || sibling.try(1) {
		t.Error("another level's oldest waits, or its second does not")
	}
	child.Release()
	child.Release()
	if !sibling.try(1) {
		t.Error("the next in line waits")
	}
	sibling.Release()
	first.Release()
	if b.taken != 60 || !third.try(40) || third.try(1) {
		t.Errorf("%d bytes are taken", b.taken)
	}
	second.Reset()
	if b.taken != 40 || !second.try(1000) {
		t.Error("a share that was reset lost its place")
	}
	second.Release()
	third.Release()
	if b.taken != 0 || len(b.levels[0])+len(b.levels[1]) != 0 {
		t.Errorf("%d bytes are taken by %d shares", b.taken, len(b.levels[0])+len(b.levels[1]))
	}
	_, young := b.Take(0), b.Take(0)
	if !young.try(1000) {
		t.Error("an answer larger than the budget waits although there is none besides")
	}
}

func TestNoBudget(t *testing.T) {
	var none *Budget
	s := none.Take(0)
	s.Reset()
	s.Release()
	s.give(1)
	if s != nil || !s.try(1<<40) {
		t.Error("nothing counts")
	}
}

func TestWhoWaitsForBytesGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100)
		first, second, third := b.Take(0), b.Take(0), b.Take(0)
		first.try(50)
		var got sync.Map
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if err := second.take(ctx, 80); err == nil {
				got.Store("second", true)
			}
		}()
		synctest.Wait()
		go func() {
			if err := third.take(t.Context(), 30); err == nil {
				got.Store("third", true)
			}
		}()
		synctest.Wait()
		if _, ok := got.Load("third"); ok {
			t.Error("a small answer overtook a large one that waits")
		}
		cancel()
		synctest.Wait()
		if _, ok := got.Load("second"); ok {
			t.Error("it did not end with its context")
		}
		if _, ok := got.Load("third"); !ok || b.taken != 80 {
			t.Errorf("whoever gave up is still in the way; %d bytes are taken", b.taken)
		}
	})
}

// sized answers with as many bytes as the path says, with or without a Content-Length.
func sized(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
	if r.URL.Query().Get("chunked") == "" {
		w.Header().Set("Content-Length", strconv.Itoa(n))
	}
	body := `"` + strings.Repeat("x", n-2) + `"`
	for len(body) > 0 {
		part := min(len(body), 10_000)
		if _, err := w.Write([]byte(body[:part])); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		body = body[part:]
	}
}

func TestPagesAndTheirChildrenStayWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bytes, largest, pages, children = 400_000, 300_000, 30, 12
		const reading = 4 * largest // what an answer without a length takes while it is read: see readAll
		b := NewBudget(bytes)
		var most atomic.Int64
		c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
			b.mu.Lock()
			most.Store(max(most.Load(), b.taken))
			b.mu.Unlock()
			sized(w, r)
		}, nil)
		ask := func(s *Share) {
			r := Request{Path: fmt.Sprintf("/%d", 2+rand.IntN(largest-2)), Share: s}
			if rand.IntN(2) == 0 {
				r = r.With(Query, "chunked", "yes")
			}
			if _, err := c.Do(t.Context(), r); err != nil {
				t.Error(err)
			}
		}
		type page struct {
			share *Share
			came  chan struct{}
		}
		ahead := make(chan page, 8)
		go func() {
			defer close(ahead)
			for range pages {
				p := page{b.Take(0), make(chan struct{})}
				go func() {
					ask(p.share)
					close(p.came)
				}()
				ahead <- p
			}
		}()
		for p := range ahead { // in order
			<-p.came
			var wait sync.WaitGroup
			for range children {
				s := b.Take(1)
				wait.Go(func() {
					defer s.Release()
					ask(s)
				})
			}
			wait.Wait()
			p.share.Release()
		}
		if most.Load() > bytes+2*reading || most.Load() < bytes/2 {
			t.Errorf("%d bytes were taken at the most", most.Load())
		}
		if b.taken != 0 {
			t.Errorf("%d bytes were not given back", b.taken)
		}
	})
}

func TestTheWaitForBytesTakesNoTime(t *testing.T) {
	for _, chunked := range []string{"", "yes"} {
		synctest.Test(t, func(t *testing.T) {
			b := NewBudget(100_000)
			held := b.Take(0)
			held.try(60_000)
			c, _ := client(t, sized, func(o *Options) { o.MaxElapsed = 2 * time.Minute })
			share := b.Take(0)
			done := make(chan struct{})
			began := time.Now()
			go func() {
				defer close(done)
				r := Request{Path: "/90000", Share: share}
				if chunked != "" {
					r = r.With(Query, "chunked", chunked)
				}
				res, err := c.Do(t.Context(), r)
				if err != nil || len(res.Body.Raw()) != 90_000 || time.Since(began) != time.Hour {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
			}()
			time.Sleep(time.Hour)
			held.Release()
			<-done
			if b.taken != 90_000 {
				t.Errorf("%d bytes are taken", b.taken)
			}
			share.Release()
			if b.taken != 0 {
				t.Errorf("%d bytes were not given back", b.taken)
			}
		})
	}
}

func TestTheWaitForBytesEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100_000)
		b.Take(0).try(60_000)
		c, _ := client(t, sized, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute+1)
		defer cancel()
		share := b.Take(0)
		_, err := c.Do(ctx, Request{Path: "/90000", Share: share})
		if !errors.Is(err, context.DeadlineExceeded) || b.taken != 60_000 {
			t.Errorf("%v; %d bytes are taken", err, b.taken)
		}
		share.Release()
	})
}

func TestWhatIsNotKeptIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100)
		s := &script{answers: []answer{
			{status: 500, body: strings.Repeat("x", 99)}, {status: 200, body: strings.Repeat("x", 98)}, {status: 200, body: `"0123456789"`},
			{status: 404, body: strings.Repeat("x", 97)},
		}}
		c, _ := client(t, s.ServeHTTP, nil)
		share := b.Take(0)
		if _, err := c.Do(t.Context(), Request{Share: share}); err != nil || b.taken != 12 {
			t.Errorf("after a good answer %d bytes are taken: %v", b.taken, err)
		}
		_, err := c.Do(t.Context(), Request{Share: share})
		if wantFault(t, err, fault.Config, "404"); b.taken != 12 {
			t.Errorf("after a failure %d bytes are taken", b.taken)
		}
		share.Release()
		if _, err := c.Do(t.Context(), Request{Share: share, Judge: func(*Response) Verdict { return Good() }}); err != nil || b.taken != 0 {
			t.Errorf("after the release %d bytes are taken: %v", b.taken, err)
		}
	})
}

// TestWhoWaitsForBytesHoldsNoCredentials has the oldest share refused while a younger one, signed with the same credentials, waits for the bytes that
// the oldest share would give back.
func TestWhoWaitsForBytesHoldsNoCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(100)
		oldest, used, waiting := b.Take(0), b.Take(0), b.Take(0)
		used.try(90)
		var refusals atomic.Int64
		s := &token{}
		c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/oldest" && refusals.Add(1) <= 2 {
				time.Sleep(10 * time.Second)
				answer{status: 401}.write(w)
				return
			}
			if r.URL.Path == "/oldest" {
				good.write(w)
				return
			}
			sized(w, r)
		}, func(o *Options) { o.Auth = s })
		var wait sync.WaitGroup
		wait.Go(func() {
			if _, err := c.Do(t.Context(), Request{Path: "/oldest", Share: oldest}); err != nil {
				t.Error(err)
			}
			oldest.Release()
			used.Release()
		})
		time.Sleep(15 * time.Second) // the second attempt is in flight, with new credentials
		wait.Go(func() {
			if _, err := c.Do(t.Context(), Request{Path: "/50", Share: waiting}); err != nil {
				t.Error(err)
			}
		})
		began := time.Now()
		wait.Wait()
		if took := time.Since(began); took > time.Minute {
			t.Errorf("took %v", took)
		}
	})
}
