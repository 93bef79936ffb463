package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
)

// tunnel is a connection over which a client speaks to a host that it named with CONNECT.
type tunnel struct {
	net.Conn
	buffered *bufio.Reader
	host     string // with its port, as the client said it
}

func (t *tunnel) Read(p []byte) (int, error) { return t.buffered.Read(p) }

type tunnelKey struct{}

// inTunnel tells the requests of a tunnel that they come from there. It is an http.Server's ConnContext.
func inTunnel(ctx context.Context, c net.Conn) context.Context {
	if secured, ok := c.(*tls.Conn); ok {
		c = secured.NetConn()
	}
	if t, ok := c.(*tunnel); ok {
		return context.WithValue(ctx, tunnelKey{}, t)
	}
	return ctx
}

// tunnels is a listener that accepts the near ends of tunnels, as if they were the hosts' own: so one server answers everybody.
type tunnels struct {
	addr      net.Addr
	authority *authority
	ready     chan net.Conn
	closed    chan struct{}
	close     sync.Once
	mu        sync.Mutex
	opening   map[net.Conn]bool // no byte came yet
}

func newTunnels(addr net.Addr, a *authority) *tunnels {
	return &tunnels{addr: addr, authority: a, ready: make(chan net.Conn), closed: make(chan struct{}), opening: map[net.Conn]bool{}}
}

// Accept waits for a tunnel.
func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case c := <-t.ready:
		return c, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

// Addr returns the proxy's own.
func (t *tunnels) Addr() net.Addr { return t.addr }

// Close breaks what waits.
func (t *tunnels) Close() error {
	t.close.Do(func() { close(t.closed) })
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.opening {
		_ = c.Close() // nobody hears of it
	}
	return nil
}

// dig answers CONNECT, and hands the connection to Accept as soon as its first byte shows whether it is TLS.
func (t *tunnels) dig(w http.ResponseWriter, r *http.Request) {
	conn, buffers, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "proxy: no tunnel through this connection", http.StatusInternalServerError)
		return
	}
	t.note(conn, true)
	defer t.note(conn, false)
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		_ = conn.Close()
		return
	}
	near := net.Conn(&tunnel{Conn: conn, buffered: buffers.Reader, host: r.Host})
	first, err := buffers.Peek(1)
	if err != nil {
		_ = conn.Close()
		return
	}
	if first[0] == 22 { // a record of the type handshake; RFC 8446, 5.1
		near = tls.Server(near, &tls.Config{
			NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12,
			GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				host := hello.ServerName
				if host == "" { // an address
					host, _, _ = net.SplitHostPort(r.Host)
				}
				return t.authority.sign(host)
			},
		})
	}
	select {
	case t.ready <- near:
	case <-t.closed:
		_ = conn.Close()
	}
}

// note keeps book of the connections that Accept does not have yet.
func (t *tunnels) note(c net.Conn, opening bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if opening {
		t.opening[c] = true
	} else {
		delete(t.opening, c)
	}
}
