// Package memnet is a network in memory, for tests. It has one server and no sockets, so it works in a synctest bubble.
package memnet

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// Network is the net.Listener on which an http.Server serves and the network on which a client dials it. It is safe for concurrent use.
type Network struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	dials  atomic.Int64
}

// New returns a network. The server on it must close it.
func New() *Network {
	return &Network{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Dial connects to the server, whatever the address is. It fails once the network is closed. A transport that connects ahead may only find that out
// when the test is over.
func (n *Network) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	n.dials.Add(1)
	select {
	case n.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Dials returns how often Dial was called.
func (n *Network) Dials() int64 { return n.dials.Load() }

// Accept returns the server's end of a connection.
func (n *Network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close makes Accept and Dial fail from now on.
func (n *Network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

// Addr returns an address that nobody dials.
func (n *Network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }
