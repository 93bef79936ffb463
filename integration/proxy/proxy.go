package proxy

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
)

// Options say what a proxy stands before and what it does. The zero value forwards, and does nothing else.
type Options struct {
	// Target is the base URL of the API, with a path where all paths begin with it. Without it the proxy can only forward, or replay. While
	// it replays nothing is sent to the target; its path still says which part of a request's path is the recording's.
	Target string

	// Record is the file into which requests and answers are written; see Recording. It appears when the proxy is closed, since only then all
	// secrets are known, and replaces a file that is there. What is kept until then has no name in any folder.
	Record string

	// Replay is a file that was recorded. The proxy answers from it and asks nobody. A request that it does not have is answered with 400 and
	// a text that names the request, and noted; see Proxy.Unknown.
	Replay string

	// Secrets are blanked in the recording, in whatever usual encoding they come, besides those that requests and logins show by themselves:
	// credentials in headers, and in parameters and members with such names. Texts of fewer than four characters cannot be.
	Secrets []string

	// Varying are names of parameters and members of requests whose values differ each time, such as the present time: when a request is
	// looked for in the recording, any value will do.
	Varying []string
}

// Proxy listens on the loopback address from Start to Close. Safe for concurrent use.
type Proxy struct {
	options   Options
	target    *url.URL // nil without one
	url       string
	server    *http.Server
	listener  net.Listener
	tunnels   *tunnels
	authority *authority
	upstream  *httputil.ReverseProxy
	secrets   *secrets
	recorder  *recorder // nil unless recording
	player    *player   // nil unless replaying
	striker   striker
	requests  atomic.Int64
}

// Start starts a proxy. An error names the option that cannot be, or says why the proxy cannot listen.
func Start(o Options) (*Proxy, error) {
	p := &Proxy{options: o, secrets: newSecrets(o.Secrets)}
	if err := p.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the proxy: %w", err), p.Close())
	}
	return p, nil
}

func (p *Proxy) open() (err error) {
	if p.options.Target != "" {
		if p.target, err = url.Parse(p.options.Target); err != nil || p.target.Host == "" {
			return fmt.Errorf("the target %q is not an absolute URL", p.options.Target)
		}
		p.target.Path = strings.TrimRight(p.target.Path, "/")
		p.target.RawQuery, p.target.Fragment = "", ""
	}
	transport, err := p.transport()
	if err != nil {
		return err
	}
	if p.authority, err = newAuthority(); err != nil {
		return err
	}
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	p.url = "http://" + p.listener.Addr().String()
	p.tunnels = newTunnels(p.listener.Addr(), p.authority)
	silent := slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	p.upstream = &httputil.ReverseProxy{
		Rewrite: rewrite, Transport: transport, FlushInterval: -1, ErrorLog: silent,
		ModifyResponse: p.relink, ErrorHandler: p.unanswered,
	}
	p.server = &http.Server{Handler: p, ErrorLog: silent, ConnContext: inTunnel}
	for _, listener := range []net.Listener{p.listener, p.tunnels} {
		go func() { _ = p.server.Serve(listener) }() // it ends when the server is closed
	}
	return nil
}

// transport returns where answers come from: the network, written down or not, or a recording.
func (p *Proxy) transport() (_ http.RoundTripper, err error) {
	if p.options.Replay != "" {
		if p.options.Record != "" {
			return nil, errors.New("a recording cannot be recorded while it is replayed")
		}
		p.player, err = openPlayer(p.options.Replay, p.options.Varying)
		return p.player, err
	}
	network, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, fmt.Errorf("the default transport is a %T", http.DefaultTransport)
	}
	network = network.Clone()
	network.MaxIdleConnsPerHost = 64
	if p.options.Record == "" {
		return network, nil
	}
	p.recorder, err = newRecorder(network, p.secrets)
	return p.recorder, err
}

// Close stops listening, breaks what is open and, if the proxy records, writes the recording. An error says why there is none.
func (p *Proxy) Close() error {
	var all []error
	if p.server != nil {
		all = append(all, p.server.Close(), p.tunnels.Close())
	} else if p.listener != nil {
		all = append(all, p.listener.Close())
	}
	if p.authority != nil {
		all = append(all, p.authority.remove())
	}
	if p.player != nil {
		all = append(all, p.player.close())
	}
	if p.recorder != nil {
		all = append(all, p.recorder.write(p.options.Record))
	}
	return errors.Join(all...)
}

// URL returns the proxy's own, without a path: what stands in a configuration in the place of the target, and in HTTP_PROXY.
func (p *Proxy) URL() string { return p.url }

// CAFile returns the path of the certificate, in PEM, of the authority that signs for the hosts to which the proxy forwards. A container needs
// the file at the same path. It is there until Close.
func (p *Proxy) CAFile() string { return p.authority.file }

// Env returns the environment, as "NAME=value", in which a program sends its requests through the proxy and trusts it.
func (p *Proxy) Env() []string {
	env := []string{"NO_PROXY=", "no_proxy=", "NODE_USE_ENV_PROXY=1"}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		env = append(env, name+"="+p.url)
	}
	for _, name := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"} {
		env = append(env, name+"="+p.CAFile())
	}
	return env
}

// Requests returns how many requests came so far, whatever the answer.
func (p *Proxy) Requests() int { return int(p.requests.Load()) }

// Unknown returns the requests so far that the recording did not have, each once, with secrets blanked.
func (p *Proxy) Unknown() []string {
	if p.player == nil {
		return nil
	}
	var all []string
	for _, request := range p.player.missed() {
		all = append(all, p.secrets.blank(request))
	}
	return all
}

// Rewind begins the recording anew: a request that was recorded several times is answered with the first of the answers again.
func (p *Proxy) Rewind() {
	if p.player != nil {
		p.player.rewind()
	}
}

// ServeHTTP answers the requests of both ways.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		p.tunnels.dig(w, r)
		return
	}
	p.requests.Add(1)
	c, err := p.call(r)
	if err != nil {
		http.Error(w, "proxy: "+err.Error(), http.StatusBadGateway)
		return
	}
	p.striker.serve(c, w, c.within(r), p.upstream)
}

// rewrite sends a request where its call says.
func rewrite(pr *httputil.ProxyRequest) {
	c := callOf(pr.In.Context())
	pr.Out.URL, pr.Out.Host = c.goes, ""
	pr.Out.Header.Del("Accept-Encoding") // the transport asks for gzip itself and undoes it
}

// relink turns links to where a request went into links to where its client sent it.
func (p *Proxy) relink(answer *http.Response) error {
	c := callOf(answer.Request.Context())
	from, to := c.base, origin(c.seen)
	if from == to {
		return nil
	}
	links := links(from, to)
	for _, name := range []string{"Location", "Link", "Content-Location"} {
		for i, value := range answer.Header.Values(name) {
			answer.Header[name][i] = links.text(value)
		}
	}
	if textual(answer.Header.Get("Content-Type")) && answer.Request.Method != http.MethodHead {
		answer.Body = links.body(answer.Body)
		answer.ContentLength = -1
		answer.Header.Del("Content-Length")
	}
	return nil
}

// textual reports whether bodies of a content type are text that may have links.
func textual(contentType string) bool {
	for _, part := range []string{"json", "text/", "xml", "javascript"} {
		if strings.Contains(strings.ToLower(contentType), part) {
			return true
		}
	}
	return contentType == ""
}

// unanswered says why there is no answer.
func (p *Proxy) unanswered(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadGateway
	if errors.Is(err, errUnknown) {
		status = http.StatusBadRequest // not 404, which readers take for nothing there, nor 5xx, which they ask again
	}
	http.Error(w, p.secrets.blank(fmt.Sprintf("proxy: %s: %v", callOf(r.Context()), err)), status)
}

// origin returns the scheme and the host of a URL.
func origin(u *url.URL) string {
	return (&url.URL{Scheme: cmp.Or(u.Scheme, "http"), Host: u.Host}).String()
}
