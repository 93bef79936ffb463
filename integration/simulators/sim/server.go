package sim

import (
	"fmt"
	"net"
	"net/http"
)

// Server is a Gate that listens.
type Server struct {
	*Gate
	URL    string // scheme, host and port; the loopback address if it listens on all
	server *http.Server
}

// Start serves a simulator at addr until Close. An empty addr means "127.0.0.1:0": any free port of this machine.
func Start(s Simulator, addr string, with Behaviour) (*Server, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening for the simulator: %w", err)
	}
	gate := NewGate(s, with)
	server := &http.Server{Handler: gate} // without timeouts, because it serves slow answers on purpose, and only to tests
	go func() { _ = server.Serve(listener) }()
	return &Server{Gate: gate, URL: "http://" + reachable(listener.Addr()), server: server}, nil
}

// reachable returns the address of a listener as seen from this machine.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
}

// Config returns the simulator's configuration for reading from this server.
func (s *Server) Config() map[string]any {
	return s.simulator.Config(s.URL, s.with.Quota)
}

// Close stops listening and breaks every connection, including those of stalled requests.
func (s *Server) Close() error {
	return s.server.Close()
}
