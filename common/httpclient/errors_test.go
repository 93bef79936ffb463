package httpclient

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// A redirect to an invalid address is refused at once, and its text is never shown, because it may hold a session.
func TestRedirectToNoAddress(t *testing.T) {
	for _, location := range []string{
		"http://exemplo%zz.invalid/cb?code=a-session", "http://[::1/cb?code=a-session", "/cb?code=a-session\x7f", "ht tp://h/a-session", ":a-session",
		"//user:a-session@h:x/", "a-session:", "a-session://localhost/x", "javascript:a-session", "http:a-session",
		"https://user:a-session@other/?a-session#a-session", "http://h:a-session/",
	} {
		for _, once := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: []answer{{status: 307, header: []string{"Location", location}}}}
				c, _ := client(t, s.ServeHTTP, nil)
				_, err := c.Do(t.Context(), Request{Once: once, Path: "/x"})
				message := wantFault(t, err, fault.Config, "GET localhost/x was redirected ", "which is refused. Check base_url.")
				if strings.Contains(message+err.Error(), "session") || s.count() != 1 || errors.Is(err, ErrUnknownOutcome) {
					t.Errorf("%q: asked %d times: %v", location, s.count(), err)
				}
			})
		}
	}
}

// No text includes the addresses, settings and server texts in the errors of net/http and net/url.
func TestNoAnswerTellsNoAddress(t *testing.T) {
	c, err := New(Options{BaseURL: "https://api.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	_, parsing := url.Parse(fmt.Sprintf("http://user:private@h/%s?private=1", "%zz"))
	for _, err := range []error{
		parsing, &url.Error{Op: "Get", URL: "https://h/?private=1", Err: parsing},
		fmt.Errorf("invalid proxy address %q: %w", "http://user:private@proxy:x", parsing),
		fmt.Errorf("net/http: HTTP/1.x transport connection broken: malformed MIME header line: %q", "Set-Cookie private \" private"),
		errors.New(`malformed HTTP response "private`), errors.New("asking http://user:private@h/private?private and /x?private"),
		&net.OpError{Op: "proxyconnect", Err: fmt.Errorf("unexpected %q: %w", "private", io.EOF)},
	} {
		f := c.noAnswer("POST", err, false)
		for _, got := range []error{c.err("GET /x", f, ""), c.unknownOutcome("GET /x", f), f.because()} {
			if text := got.Error() + fault.Of(got).Message; strings.Contains(text, "private") {
				t.Errorf("%v: told as %s", err, text)
			}
		}
		if errors.Is(err, io.EOF) && !errors.Is(f.because(), io.EOF) {
			t.Errorf("%v: the cause is lost", err)
		}
	}
	f := c.noAnswer("POST", errors.New("a reason that is new"), false)
	wantFault(t, c.err("GET /x", f, ""), fault.Transient, "GET /x got no answer: a reason that is new. ")
	f = c.noAnswer("POST", &net.OpError{Op: "read", Net: "tcp", Err: syscall.EHOSTUNREACH}, true) // the network was lost
	wantFault(t, c.err("GET /x", f, ""), fault.Transient, "GET /x was cut off before the answer was complete. ")
}
