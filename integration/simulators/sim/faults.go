package sim

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5" // some APIs accept the MD5 of a secret, so its echo must be redacted as well
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Fault is a way in which an answer goes wrong.
type Fault string

// The faults. After any of them, a reader that asks again gets the right answer (but Unauthorized and EchoRefused should make it give up).
const (
	ServerError  Fault = "500"          // 500 with the API's error body
	BadGateway   Fault = "502"          // 502 with a proxy's HTML page
	CutBody      Fault = "cut"          // a Content-Length larger than what comes before the connection closes
	Reset        Fault = "reset"        // the connection is reset instead of an answer
	Slow         Fault = "slow"         // right, but delayed by Delay before the header and again within the body
	HTMLPage     Fault = "html"         // 200 with an HTML page
	Stall        Fault = "stall"        // not a byte for Faults.Stall, then the connection closes
	StallBody    Fault = "stall-body"   // half of the body, then as for Stall
	WrongPage    Fault = "wrong-page"   // the page before the requested one; right if there is none
	Redirect     Fault = "redirect"     // 302 to another host, see Stats.Strays
	BrokenUTF8   Fault = "utf8"         // right, but a text has bytes that are not UTF-8
	Unauthorized Fault = "401"          // 401 with the API's error body, once per Gate
	Echo         Fault = "echo"         // 500 whose body shows the secrets: plain, URL-encoded, base64, MD5
	EchoRefused  Fault = "echo-refused" // the same with 400
)

// AllFaults returns all faults.
func AllFaults() []Fault {
	return []Fault{ServerError, BadGateway, CutBody, Reset, Slow, HTMLPage, Stall, StallBody, WrongPage, Redirect, BrokenUTF8,
		Unauthorized, Echo, EchoRefused}
}

// PassingFaults returns the faults that a reader overcomes by asking again soon: AllFaults without the stalls, the redirect, the 401 and the 400.
func PassingFaults() []Fault {
	return []Fault{ServerError, BadGateway, CutBody, Reset, Slow, HTMLPage, WrongPage, BrokenUTF8, Echo}
}

// ParseFaults parses names of faults, separated by commas. "all" and "passing" stand for several faults. An unknown name is an error.
func ParseFaults(names string) ([]Fault, error) {
	var faults []Fault
	for name := range strings.SplitSeq(names, ",") {
		switch fault := Fault(strings.TrimSpace(name)); {
		case fault == "all":
			faults = append(faults, AllFaults()...)
		case fault == "passing":
			faults = append(faults, PassingFaults()...)
		case slices.Contains(AllFaults(), fault):
			faults = append(faults, fault)
		default:
			return nil, fmt.Errorf("reading the kinds of faults: %q is none of %v", name, AllFaults())
		}
	}
	return faults, nil
}

// Faults says which requests go wrong, and how. The zero value means none.
type Faults struct {
	// Rate is the share of requests that fail. The choice only depends on Seed, method, URI and the number of the attempt, so that the same requests
	// fail in any order.
	Rate  float64
	Every int     // every Every-th request fails, with the kinds in turn
	Kinds []Fault // empty means PassingFaults
	Seed  uint64
	Skip  int           // the first Skip requests do not fail
	Limit int           // number of faults after which there are no more; 0 means no limit
	Delay time.Duration // of Slow; 0 means 200 ms
	Stall time.Duration // of Stall and StallBody; 0 means 90 s
}

// injector is the state of Faults.
type injector struct {
	faults Faults
	mu     sync.Mutex
	done   int  // faults so far
	turned bool // Unauthorized was used
}

func newInjector(f Faults) *injector {
	if len(f.Kinds) == 0 {
		f.Kinds = PassingFaults()
	}
	f.Delay = cmp.Or(f.Delay, 200*time.Millisecond)
	f.Stall = cmp.Or(f.Stall, 90*time.Second)
	return &injector{faults: f}
}

// choose returns the fault for a request, or an empty one. number is its number among all requests, attempt its number among those for the same URI.
func (i *injector) choose(r *http.Request, number, attempt int) Fault {
	f := i.faults
	if number <= f.Skip || f.Rate <= 0 && f.Every <= 0 {
		return ""
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if f.Limit > 0 && i.done >= f.Limit {
		return ""
	}
	lot := draw(f.Seed, r, attempt)
	var fault Fault
	switch {
	case f.Every > 0 && (number-f.Skip)%f.Every == 0:
		fault = f.Kinds[((number-f.Skip)/f.Every-1)%len(f.Kinds)]
	case f.Rate > 0 && float64(lot>>11)/(1<<53) < f.Rate:
		fault = f.Kinds[int(Mix(lot)%uint64(len(f.Kinds)))]
	}
	if fault == Unauthorized {
		if i.turned {
			return ""
		}
		i.turned = true
	}
	if fault != "" {
		i.done++
	}
	return fault
}

// draw returns a number that only depends on the seed and the request.
func draw(seed uint64, r *http.Request, attempt int) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %s %d", r.Method, r.URL.RequestURI(), attempt) // a hash never fails
	return Mix(seed ^ h.Sum64())
}

// inject answers r with a fault.
func (g *Gate) inject(fault Fault, w http.ResponseWriter, r *http.Request) {
	delays := g.injector.faults
	switch fault {
	case ServerError:
		g.simulator.Error(w, http.StatusInternalServerError, "Internal Server Error")
	case BadGateway:
		page(w, http.StatusBadGateway, "502 Bad Gateway")
	case HTMLPage:
		page(w, http.StatusOK, "Em manutenção")
	case Unauthorized:
		g.simulator.Error(w, http.StatusUnauthorized, "")
	case Echo:
		g.simulator.Error(w, http.StatusInternalServerError, echo(g.simulator.Secrets(), r, g.injector.count()))
	case EchoRefused:
		g.simulator.Error(w, http.StatusBadRequest, echo(g.simulator.Secrets(), r, g.injector.count()))
	case Redirect:
		http.Redirect(w, r, anotherHost(r), http.StatusFound)
	case Reset:
		Break(w)
	case CutBody:
		a := capture(g.inner, r)
		first, _ := a.halves()
		a.send(r.Context(), w, 0, first)
		panic(http.ErrAbortHandler)
	case Slow:
		a := capture(g.inner, r)
		first, second := a.halves()
		if wait(r.Context(), delays.Delay) {
			a.send(r.Context(), w, delays.Delay, first, second)
		}
	case Stall:
		Hang(r.Context(), delays.Stall)
	case StallBody:
		a := capture(g.inner, r)
		first, _ := a.halves()
		a.send(r.Context(), w, 0, first)
		Hang(r.Context(), delays.Stall)
	case BrokenUTF8:
		a := capture(g.simulator, r)
		spoil(a.body.Bytes())
		a.send(r.Context(), w, 0, a.body.Bytes())
	case WrongPage:
		if pager, ok := g.simulator.(Pager); ok {
			if before, ok := pager.Previous(r); ok {
				r = before
			}
		}
		g.inner.ServeHTTP(w, r)
	}
}

// page answers with an HTML page, as a proxy does.
func page(w http.ResponseWriter, status int, title string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><title>%s</title></head>\n<body><h1>%[1]s</h1></body></html>\n", title)
}

// count returns the number of faults so far.
func (i *injector) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.done
}

// echo returns an error text that shows secrets in all the forms in which they are sent. The first secret is also near the beginning, as the n-th
// encoder in turn writes it. A reader that only shows the beginning of a text shows it too, and another may cut it in two.
func echo(secrets []string, r *http.Request, n int) string {
	var b strings.Builder
	if len(secrets) > 0 {
		forms := encoders()
		_, _ = fmt.Fprintf(&b, "%*s%s ", n%7*45, "", forms[n%len(forms)](secrets[0]))
	}
	_, _ = fmt.Fprintf(&b, "cannot handle %s, authorization %q", r.URL.RequestURI(), r.Header.Get("Authorization"))
	for _, secret := range secrets {
		sum := md5.Sum([]byte(secret))
		_, _ = fmt.Fprintf(&b, ", secret %s %s %s %s", secret, url.QueryEscape(secret),
			base64.StdEncoding.EncodeToString([]byte(secret)), hex.EncodeToString(sum[:]))
	}
	return b.String()
}

// encoders returns functions that write a text as servers do in their error texts.
func encoders() []func(string) string {
	each := func(format string) func(string) string {
		return func(s string) string {
			var b strings.Builder
			for _, c := range s {
				_, _ = fmt.Fprintf(&b, format, c)
			}
			return b.String()
		}
	}
	return []func(string) string{
		each("&#%d;"), each("&#x%04X;"), each(`\u%04X`), each(`\x%02x`), each("%%%02x"), html.EscapeString, url.PathEscape,
		func(s string) string { return strings.ReplaceAll(s, "/", `\/`) },
		func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+s)) },
		func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
		func(s string) string { return fmt.Sprintf("%X", md5.Sum([]byte(s))) },
	}
}

// Hang closes the connection after d, or as soon as the reader goes away.
func Hang(ctx context.Context, d time.Duration) {
	wait(ctx, d)
	panic(http.ErrAbortHandler)
}

// Break closes the connection so that the reader's kernel sees a reset and not an end.
func Break(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0) // what cannot be reset is closed
	}
	_ = conn.Close()
}

// spoil breaks the first character that takes several bytes. It is in a text, because names of fields are ASCII in the simulated APIs.
func spoil(body []byte) {
	if at := bytes.IndexFunc(body, func(c rune) bool { return c >= utf8.RuneSelf }); at >= 0 {
		body[at] = 0xff
	}
}
