package httpclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
)

// withinQuota checks that no minute had more than n requests.
func withinQuota(t *testing.T, times []time.Time, n int) {
	t.Helper()
	for i := n; i < len(times); i++ {
		if gap := times[i].Sub(times[i-n]); gap < time.Minute {
			t.Errorf("%d requests in %v", n+1, gap)
		}
	}
}

// The body of a redirect may never end: the redirect is followed all the same. If there is no time left for it, the error says so.
func TestRedirectsThatDoNotEnd(t *testing.T) {
	for within, want := range map[time.Duration]string{time.Minute: "", 500 * time.Millisecond: "GET localhost/x got no answer in time (tried once in "} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/there" {
					good.write(w)
					return
				}
				w.Header().Set("Location", "/there")
				w.WriteHeader(http.StatusFound)
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}, func(o *Options) { o.MaxElapsed = within })
			began := time.Now()
			_, err := c.Do(t.Context(), Request{Path: "/x"})
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
			if want != "" {
				wantFault(t, err, fault.Transient, want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEachHopWaitsForItsTurn(t *testing.T) {
	for _, once := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var told atomic.Int64
			s := &script{}
			for hop := range maxRedirects {
				s.answers = append(s.answers, answer{status: 307, header: []string{"Location", "/x?hop=" + strconv.Itoa(hop)}})
			}
			s.answers = append(s.answers, good)
			c, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
				if body, _ := io.ReadAll(r.Body); string(body) != `{"a":1}` || r.Header.Get("Token") != "abc" || r.Header.Get("Referer") != "" {
					t.Errorf("sent %q with %v", body, r.Header)
				}
				s.ServeHTTP(w, r)
			}, func(o *Options) {
				o.Limit = ratelimit.Every(time.Minute, 2)
				o.MaxElapsed = time.Second // waiting does not count
				o.Auth = signer(func(r *Request) { *r = r.With(Header, "Token", "abc") })
			})
			r := Request{Method: "POST", Body: map[string]any{"a": 1}, Once: once, Waiting: func(time.Time) { told.Add(1) }}
			if _, err := c.Do(t.Context(), r); err != nil {
				t.Error(err)
			}
			if withinQuota(t, s.times, 2); s.count() != maxRedirects+1 || told.Load() != 2 {
				t.Errorf("%d requests, told %d times", s.count(), told.Load())
			}
		})
	}
}

// TestNothingIsSentAgainInSilence has a server that closes a reused connection after it has read a request.
func TestNothingIsSentAgainInSilence(t *testing.T) {
	for name, r := range map[string]Request{
		"GET":            {Path: "/x"},
		"GET with body":  {Path: "/x", Body: map[string]any{"a": 1}},
		"idempotent key": {Method: "POST", Path: "/x", Body: map[string]any{"a": 1}, Header: http.Header{"Idempotency-Key": {"1"}}},
		"OPTIONS":        {Method: "OPTIONS", Path: "/x"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: []answer{good}}
				c, m := client(t, func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					if s.count() < 3 { // all at once, each on a connection of its own
						time.Sleep(time.Second)
					}
					n := s.count()
					s.ServeHTTP(&discarded{ResponseWriter: w, drop: n >= 3 && n < 5}, r)
				}, func(o *Options) { o.Limit = ratelimit.Every(time.Minute, 4) })
				var wait sync.WaitGroup
				for range 3 {
					wait.Go(func() {
						if _, err := c.Do(t.Context(), r); err != nil {
							t.Error(err)
						}
					})
				}
				wait.Wait()
				if _, err := c.Do(t.Context(), r); err != nil {
					t.Error(err)
				}
				if withinQuota(t, s.times, 4); s.count() != 6 || m.Dials() < 3 {
					t.Errorf("%d requests on %d connections", s.count(), m.Dials())
				}
			})
		})
	}
}

// TestAfterADeadConnectionAFreshOneIsUsed has a server that answers one request on each connection, and reads the next one without answering.
func TestAfterADeadConnectionAFreshOneIsUsed(t *testing.T) {
	var (
		all   sync.WaitGroup
		known sync.Map
		asked atomic.Int64
	)
	all.Add(4)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		if _, again := known.LoadOrStore(r.RemoteAddr, true); again {
			panic(http.ErrAbortHandler)
		}
		if n <= 4 { // all at once, each on a connection of its own
			all.Done()
			all.Wait()
		}
		good.write(w)
	}))
	defer server.Close()
	c, err := New(Options{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ask := func() {
		if _, err := c.Do(t.Context(), Request{Path: "/x"}); err != nil {
			t.Error(err)
		}
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(ask)
	}
	wait.Wait()
	if ask(); asked.Load() != 6 {
		t.Errorf("%d requests, and one was sent in vain", asked.Load())
	}
}

// discarded is an answer that is dropped, perhaps by closing the connection.
type discarded struct {
	http.ResponseWriter
	drop bool
}

func (d *discarded) Write(b []byte) (int, error) {
	if d.drop {
		panic(http.ErrAbortHandler)
	}
	return d.ResponseWriter.Write(b)
}

func (d *discarded) WriteHeader(status int) {
	if !d.drop {
		d.ResponseWriter.WriteHeader(status)
	}
}

// TestRefusedStreamsAreSentAgainInTheirTurn has an HTTP/2 server refuse the first requests, which net/http sends again by itself.
func TestRefusedStreamsAreSentAgainInTheirTurn(t *testing.T) {
	for _, once := range []bool{false, true} {
		var streams atomic.Int64
		server := httptest.NewUnstartedServer(nil)
		server.TLS = &tls.Config{NextProtos: []string{"h2"}}
		server.StartTLS()
		config := server.TLS.Clone()
		server.Close()
		listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				go refuse(conn, &streams, 2)
			}
		}()
		ctx, cancel := context.WithCancel(t.Context())
		c, err := New(Options{BaseURL: "https://" + listener.Addr().String(), Limit: ratelimit.Every(time.Hour, 2)})
		if err != nil {
			t.Fatal(err)
		}
		for _, tr := range []*http.Transport{c.pooled, c.single} {
			tr.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}
		}
		_, err = c.Do(ctx, Request{Once: once, Waiting: func(time.Time) { cancel() }}) // both were counted, and the third has to wait
		if cancel(); err == nil || errors.Is(err, ErrUnknownOutcome) || streams.Load() != 2 {
			t.Errorf("once %v: %d streams: %v", once, streams.Load(), err)
		}
		c.Close()
		_ = listener.Close()
	}
}

// refuse is an HTTP/2 server that refuses the first n streams of all connections and answers the others.
func refuse(conn net.Conn, streams *atomic.Int64, n int64) {
	defer conn.Close()
	frame := func(kind, flags byte, stream uint32, payload ...byte) {
		header := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
		_, _ = conn.Write(append(binary.BigEndian.AppendUint32(append(header, flags), stream), payload...))
	}
	const data, headers, reset, settings, endStream, ack, endHeaders, status200 = 0, 1, 3, 4, 1, 1, 4, 0x88
	if _, err := io.CopyN(io.Discard, conn, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	frame(settings, 0, 0)
	for {
		var header [9]byte
		if _, err := io.ReadFull(conn, header[:]); err != nil {
			return
		}
		var payload bytes.Buffer
		if _, err := io.CopyN(&payload, conn, int64(binary.BigEndian.Uint32(header[:4])>>8)); err != nil {
			return
		}
		stream := binary.BigEndian.Uint32(header[5:])
		switch kind, flags := header[3], header[4]; {
		case kind == settings && flags&ack == 0:
			frame(settings, ack, 0)
		case kind == headers && streams.Add(1) <= n:
			frame(reset, 0, stream, 0, 0, 0, 7) // REFUSED_STREAM
		case kind == headers:
			frame(headers, endHeaders, stream, status200)
			frame(data, endStream, stream, '{', '}')
		}
	}
}
