package httpclient

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

func TestOnce(t *testing.T) {
	type want struct {
		asked   int64
		unknown bool
		kind    fault.Kind
		ok      bool
	}
	unknown := want{asked: 1, unknown: true, kind: fault.Config}
	again := want{asked: 2, ok: true}
	refused := want{asked: 1, kind: fault.Config}
	tests := map[string]struct {
		first func(w http.ResponseWriter, r *http.Request)
		judge Judge
		want  want
	}{
		"good":               {good.serve, nil, want{asked: 1, ok: true}},
		"429":                {answer{status: 429}.serve, nil, again},
		"503 with wish":      {answer{status: 503, header: []string{"Retry-After", "3"}}.serve, nil, unknown},
		"503, undone":        {answer{status: 503, header: []string{"Retry-After", "3"}}.serve, onlyBad(Undone(errors.New("busy"))), again},
		"throttled":          {answer{status: 403}.serve, onlyBad(Throttled(errors.New("too many"))), again},
		"undone":             {answer{status: 500}.serve, onlyBad(Undone(errors.New("locked"))), again},
		"undone, 4xx":        {answer{status: 400}.serve, onlyBad(Undone(errors.New("locked"))), again},
		"undone for ever":    {good.serve, always(Undone(fault.Transientf("locked"))), want{asked: undoneTries, kind: fault.Transient}},
		"503":                {answer{status: 503}.serve, nil, unknown},
		"500":                {answer{status: 500}.serve, nil, unknown},
		"500 with wish":      {answer{status: 500, header: []string{"Retry-After", "3"}}.serve, nil, unknown},
		"408":                {answer{status: 408}.serve, nil, unknown},
		"204":                {answer{status: 204}.serve, nil, unknown},
		"204 accepted":       {answer{status: 204}.serve, always(Good()), want{asked: 1, ok: true}},
		"206":                {answer{status: 206, body: `{}`}.serve, nil, unknown},
		"206 accepted":       {answer{status: 206, body: `{}`}.serve, always(Good()), want{asked: 1, ok: true}},
		"HTML":               {answer{status: 200, body: "<html>"}.serve, nil, unknown},
		"judged again":       {good.serve, always(Again(errors.New("odd"))), unknown},
		"judged again, 4xx":  {answer{status: 409}.serve, always(Again(errors.New("odd"))), want{asked: 1, kind: fault.Transient}},
		"judged":             {good.serve, always(Fail(fault.Configf("no"))), want{asked: 1, kind: fault.Config}},
		"400":                {answer{status: 400}.serve, nil, want{asked: 1, kind: fault.System}},
		"401":                {answer{status: 401}.serve, nil, want{asked: 1, kind: fault.Config}},
		"403":                {answer{status: 403}.serve, nil, want{asked: 1, kind: fault.Config}},
		"reset":              {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, unknown},
		"cut":                {func(w http.ResponseWriter, _ *http.Request) { cut(w) }, nil, unknown},
		"no answer in time":  {hang, nil, unknown},
		"too large":          {answer{status: 200, body: strings.Repeat(" ", 2000)}.serve, nil, unknown},
		"redirected":         {answer{status: 307, header: []string{"Location", "https://a.com/"}}.serve, nil, refused},
		"redirected to GET":  {answer{status: 302, header: []string{"Location", "/other"}}.serve, nil, unknown},
		"301":                {answer{status: 301, header: []string{"Location", "/other"}}.serve, nil, unknown},
		"303":                {answer{status: 303, header: []string{"Location", "/other"}}.serve, nil, unknown},
		"303, other host":    {answer{status: 303, header: []string{"Location", "https://a.com/"}}.serve, nil, unknown},
		"303 to no address":  {answer{status: 303, header: []string{"Location", "/other\x7f"}}.serve, nil, unknown},
		"303 to nowhere":     {answer{status: 303}.serve, nil, unknown},
		"303, judged":        {answer{status: 303}.serve, always(Fail(fault.Configf("no"))), want{asked: 1, kind: fault.Config}},
		"307 to nowhere":     {answer{status: 307}.serve, nil, want{asked: 1, kind: fault.System}},
		"redirected as POST": {answer{status: 308, header: []string{"Location", "/other"}}.serve, nil, again},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int64
				c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
					if r.Method != http.MethodPost {
						t.Errorf("method %s", r.Method)
					}
					if asked.Add(1) == 1 {
						tt.first(w, r)
						return
					}
					good.write(w)
				}, func(o *Options) { o.MaxBody = 1000 })
				_, err := c.Do(t.Context(), Request{Method: "POST", Path: "/x", Body: map[string]any{"id": 1}, Once: true, Judge: tt.judge})
				if got := asked.Load(); got != tt.want.asked {
					t.Errorf("asked %d times, want %d", got, tt.want.asked)
				}
				if errors.Is(err, ErrUnknownOutcome) != tt.want.unknown || (err == nil) != tt.want.ok {
					t.Errorf("err = %v", err)
				}
				switch {
				case tt.want.unknown:
					wantFault(t, err, fault.Config, "POST localhost/x ", "It is not known whether it was carried out")
				case err != nil:
					wantFault(t, err, tt.want.kind)
				}
			})
		})
	}
}

func (a answer) serve(w http.ResponseWriter, _ *http.Request) { a.write(w) }

func TestOnceIsRetriedWhileThereIsNoConnection(t *testing.T) {
	for name, refusal := range map[string]error{
		"refused": syscall.ECONNREFUSED, "timeout": context.DeadlineExceeded, "no host": &net.DNSError{Name: "localhost", IsNotFound: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: []answer{good}}
				var dials int
				c, _ := client(t, s.ServeHTTP, func(o *Options) {
					network := o.Dial
					o.Dial = func(ctx context.Context, a, b string) (net.Conn, error) {
						if dials++; dials < 4 {
							return nil, &net.OpError{Op: "dial", Err: refusal}
						}
						return network(ctx, a, b)
					}
				})
				if _, err := c.Do(t.Context(), Request{Method: "POST", Once: true}); err != nil || s.count() != 1 {
					t.Errorf("%v, asked %d times", err, s.count())
				}
			})
		})
	}
}

func TestOnceUsesAFreshConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: []answer{good}}
		c, m := client(t, s.ServeHTTP, nil)
		for range 3 {
			if _, err := c.Do(t.Context(), Request{}); err != nil {
				t.Fatal(err)
			}
		}
		if m.Dials() != 1 {
			t.Errorf("%d connections for 3 requests one after the other", m.Dials())
		}
		for range 3 {
			if _, err := c.Do(t.Context(), Request{Method: "POST", Once: true}); err != nil {
				t.Fatal(err)
			}
		}
		if m.Dials() != 4 {
			t.Errorf("%d connections", m.Dials())
		}
	})
}

func TestOnceThatIsCancelledIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := client(t, hang, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Do(ctx, Request{Method: "POST", Path: "/x", Once: true})
		if !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
	})
}

// A gateway in front of the server may throttle a request that the server has executed. Then the place that the server keeps has moved, and asking
// again would skip a segment.
func TestBoundIsNotSentAgainAfterARefusal(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		synctest.Test(t, func(t *testing.T) {
			var asked atomic.Int64
			c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(status)
			}, func(*Options) {})
			_, err := c.Do(t.Context(), Request{Method: "POST", Path: "/x", Once: true, Bound: true})
			if !errors.Is(err, ErrUnknownOutcome) || asked.Load() != 1 {
				t.Errorf("%d: asked %d times: %v", status, asked.Load(), err)
			}
		})
	}
}
