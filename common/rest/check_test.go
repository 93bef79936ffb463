package rest_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/internal/memnet"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// TestCheckOfADeadHost checks that a check of a host that does not answer ends within the seven seconds that Airbyte's certification demands, and
// names the host, and that a slow host gets its time.
func TestCheckOfADeadHost(t *testing.T) {
	m := memnet.New()
	for name, test := range map[string]struct {
		dial   func(ctx context.Context, network, address string) (net.Conn, error)
		answer func(w http.ResponseWriter, r *http.Request)
		want   string
		within time.Duration
	}{
		"a black hole": {dial: func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }, want: "got no answer in time"},
		"refused": {dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		}, want: "the connection was refused"},
		"one that takes and never answers": {answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, want: "got no answer in time"},
		"one that hangs in the middle": {answer: func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, want: "got no answer in time", within: 30 * time.Second},
		"one that answers slowly": {answer: func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(5 * time.Second)
			_ = http.NewResponseController(w).Flush()
			time.Sleep(15 * time.Second)
			_, _ = w.Write([]byte(`[{"id":1}]`))
		}, within: 30 * time.Second},
		"one that is in trouble": {answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, want: "failed (502)",
			within: 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if test.answer != nil {
					m = memnet.New()
					server := &http.Server{Handler: http.HandlerFunc(test.answer)}
					go func() { _ = server.Serve(m) }()
					defer server.Close()
					test.dial = m.Dial
				}
				files := fstest.MapFS{
					"spec.json":         {Data: []byte(`{"documentationUrl":"https://example.com","connectionSpecification":{"type":"object","properties":{}}}`)},
					"streams/cars.json": {Data: []byte(`{"properties":{"id":{}}}`)},
				}
				source := rest.New(files, func(struct{}) rest.API {
					d := rest.API{Check: "cars", Streams: []rest.Stream{{Name: "cars", Path: "/cars", Key: []string{"id"}}}}
					d.BaseURL, d.Dial = "http://localhost:8080", test.dial
					return d
				})
				began := time.Now()
				err := source.Check(t.Context(), []byte(`{}`))
				took := time.Since(began)
				if within := max(test.within, 7*time.Second); took > within {
					t.Errorf("it took %v", took)
				}
				if f := fault.Of(err); (f == nil) != (test.want == "") ||
					f != nil && (!strings.Contains(f.Message, test.want) || !strings.Contains(f.Message, "localhost:8080/cars")) {
					t.Errorf("after %v: %v; want %q", took, err, test.want)
				}
			})
		})
	}
}

// TestCheckOfAStreamThatTheAccountLacks checks that the user is told the path and the API's message if the account lacks the stream of the check.
func TestCheckOfAStreamThatTheAccountLacks(t *testing.T) {
	a := serve(t, func(*http.Request) (int, string) { return 404, `{"message":"not in your plan"}` })
	source := a.source(func(d rest.API) rest.API {
		d.Check = "extra"
		d.Absent = func(r *httpclient.Response) bool { return r.Status == 404 }
		d.Streams = []rest.Stream{{Name: "extra", Path: "/extra", Optional: true}}
		return d
	})
	f := fault.Of(source.Check(t.Context(), []byte(`{}`)))
	const want = `The account does not have what was asked for at /extra (404): the API answered "not in your plan".`
	if f == nil || f.Kind != fault.Config || f.Message != want {
		t.Errorf("the check ended with %v; want %s", f, want)
	}
}
