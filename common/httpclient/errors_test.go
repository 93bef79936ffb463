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
	"github.com/imob-data/airbyte-connectors/common/redact"
)

// A text is redacted before it is cut, or loses what may be the beginning of a secret, wherever in it a secret stands.
func TestExcerptCutsNoSecretInTwo(t *testing.T) {
	const secret = "dwv-segredo-de-teste-7Q"
	c, err := New(Options{BaseURL: "https://api.example.com", Redact: redact.New(secret)})
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{256, maxExcerpt, 512, 1 << 10, minExcerptSource, 2 * minExcerptSource, 4 * minExcerptSource, maxExcerptSource} {
		for _, shown := range []int{4, 9, 15, len(secret)} {
			for _, filler := range []string{" ", "é \n", "x"} {
				before := strings.Repeat(filler, max(0, limit-shown)/len(filler))
				for name, res := range map[string]*Response{"body": {Text: []byte(before + secret + " and more")}} {
					got := c.Words(res)
					if strings.Contains(got, secret[:4]) || len([]rune(got)) > maxExcerpt+30 {
						t.Fatalf("%s of %d %q before: %s", name, limit-shown, filler, got)
					}
				}
			}
		}
	}
	c.Secret("correct horse battery staple")
	for name, body := range map[string]string{
		"in lines":                        "your password correct\nhorse\n\tbattery\u00a0staple is wrong",
		"in lines, where it is cut":       strings.Repeat("x", maxExcerpt-20) + " correct\nhorse\nbattery\nstaple is wrong",
		"in lines, where no more is read": strings.Repeat("x ", maxExcerptSource/2-500) + "correct horse" + strings.Repeat("\n", 2000) + "battery staple",
	} {
		if got := c.excerpt([]byte(body)); strings.Contains(got, "horse") {
			t.Errorf("%s: %s", name, got)
		}
	}
	latin := "S3nh@/a+\xe7!o=(9)*x"
	c.Secret("S3nh@/a+ç!o=(9)*x")
	if got := c.excerpt([]byte("\xff " + latin + ".")); got != "\uFFFD ****." {
		t.Errorf("Latin-1: %q", got)
	}
}

func TestResponseExcerpt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const secret = "s3cr3t-t0ken-value"
		c, _ := client(t, answer{status: 400, body: strings.Repeat("a ", 200) + secret}.serve, func(o *Options) { o.Redact = redact.New(secret) })
		_, err := c.Do(t.Context(), Request{Judge: func(res *Response) Verdict {
			return Fail(fault.Configf("it said %s and %s", res.Excerpt(secret+"\n"+secret), res.Excerpt(string(res.Text))))
		}})
		wantFault(t, err, fault.Config, "it said **** **** and a a", "…")
	})
	if got := (&Response{}).Excerpt(" a\n b "); got != "a b" {
		t.Errorf("of a Response that nobody sent: %q", got)
	}
}

// TestExcerptOfARow quotes rows, whole and cut off, with what is known as a secret by its name alone.
func TestExcerptOfARow(t *testing.T) {
	r := redact.New()
	r.Hide("Login")
	const row = `{"Nome":"Ana","Senha":"x9y8z7","Login":"ana"}`
	for body, want := range map[string]string{
		row:                                `{"Nome":"Ana","Senha":****,"Login":****}`,
		row[:len(row)-20]:                  `{"Nome":"Ana","Senha":****`,
		strings.Repeat(row, 200):           `"Senha":****`,
		"could not write [" + row + "]":    `"Senha":****`,
		`{"error":"A Senha está errada."}`: "A Senha está errada.",
	} {
		got := excerpt(r, []byte(body))
		if strings.Contains(got, "x9") || strings.Contains(got, `"ana`) || !strings.Contains(got, want) {
			t.Errorf("of %.100s is quoted %s", body, got)
		}
	}
}

// A redirect to what is no address is refused at once, and nothing of it is told: there may be a session in it.
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

// What net/http and net/url say of an address, of a setting or of what a server sent never leaves with it.
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
	f = c.noAnswer("POST", &net.OpError{Op: "read", Net: "tcp", Err: syscall.EHOSTUNREACH}, true) // the network went away
	wantFault(t, c.err("GET /x", f, ""), fault.Transient, "GET /x was cut off before the answer was complete. ")
}
