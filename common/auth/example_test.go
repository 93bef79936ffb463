package auth_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// handler serves each dialled connection in memory.
type handler func(w http.ResponseWriter, r *http.Request)

func (h handler) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() { _ = http.Serve(&single{conn: server}, http.HandlerFunc(h)) }()
	return client, nil
}

// single is a listener for one connection.
type single struct{ conn net.Conn }

func (s *single) Accept() (net.Conn, error) {
	if s.conn == nil {
		return nil, net.ErrClosed
	}
	conn := s.conn
	s.conn = nil
	return conn, nil
}

func (*single) Close() error   { return nil }
func (*single) Addr() net.Addr { return &net.UnixAddr{} }

// vendor answers token requests under /token, printing what it was asked for, and everything else with the credentials that came.
func vendor(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/token" {
		_, _ = fmt.Fprintf(w, `{"authorization":%q}`, r.Header.Get("Authorization"))
		return
	}
	form, _ := io.ReadAll(r.Body)
	fmt.Println("token call:", strings.ReplaceAll(string(form), "&", " "))
	_, _ = io.WriteString(w, `{"access_token":"t-1","expires_in":3600,"refresh_token":"r-2"}`)
}

// ask sends one request, signed with the grant's token.
func ask(grant auth.Grant) {
	c, err := httpclient.New(httpclient.Options{
		BaseURL: "http://localhost", Dial: handler(vendor).dial, Auth: &auth.OAuth2{TokenURL: "http://localhost/token", Grant: grant},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	res, err := c.Do(context.Background(), httpclient.Request{Path: "/me"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("signed with:", res.Body.Get("authorization").Text())
}

func ExampleClientCredentials() {
	ask(auth.ClientCredentials{ID: "my-client", Secret: "my-secret", Scopes: []string{"read"}})
	// Output:
	// token call: client_id=my-client client_secret=my-secret grant_type=client_credentials scope=read
	// signed with: Bearer t-1
}

func ExampleRefresh() {
	ask(&auth.Refresh{ID: "my-client", Token: "r-1", OnRefresh: func(token string) error {
		fmt.Println("to be kept for the next run:", token)
		return nil
	}})
	// Output:
	// token call: client_id=my-client grant_type=refresh_token refresh_token=r-1
	// to be kept for the next run: r-2
	// signed with: Bearer t-1
}
