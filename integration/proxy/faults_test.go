package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Each fault strikes the second request and leaves the others alone, in either way; asked again, the request is answered rightly.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := api(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"page":%q,"rows":[1,2,3]}`, r.URL.Query().Get("page"))
	})
	p := start(t, Options{Target: s.URL})
	whole := func(n int) string { return fmt.Sprintf(`{"page":"%d","rows":[1,2,3]}`, n) }
	refused := func(want string) func(int, string, http.Header, error) bool {
		return func(status int, got string, header http.Header, err error) bool {
			return fmt.Sprint(status, " ", header.Get("Retry-After")) == want && json.Valid([]byte(got)) && err == nil
		}
	}
	html := func(want int) func(int, string, http.Header, error) bool {
		return func(status int, got string, header http.Header, err error) bool {
			return status == want && strings.HasPrefix(got, "<!DOCTYPE html>") && strings.HasPrefix(header.Get("Content-Type"), "text/html") && err == nil
		}
	}
	came := map[string]func(status int, got string, header http.Header, err error) bool{
		"500": refused("500 "), "401": refused("401 "), "502": html(502), "html": html(200),
		"429-seconds": refused("429 1"), "429-none": refused("429 "), "429-negative": refused("429 -1"), "429-text": refused("429 later"), "429-far": refused("429 315360000"),
		"429-date": func(status int, got string, header http.Header, err error) bool {
			until, wrong := http.ParseTime(header.Get("Retry-After"))
			return status == 429 && wrong == nil && time.Since(until) < time.Minute && time.Until(until) < 3*time.Second
		},
		"cut": func(status int, got string, _ http.Header, err error) bool {
			return status == 200 && got == whole(2)[:len(whole(2))/2] && errors.Is(err, io.ErrUnexpectedEOF)
		},
		"half": func(status int, got string, _ http.Header, err error) bool {
			return status == 200 && got == whole(2)[:len(whole(2))/2] && err == nil
		},
		"reset": func(_ int, _ string, _ http.Header, err error) bool { return errors.Is(err, syscall.ECONNRESET) },
		"slow-header": func(status int, got string, _ http.Header, err error) bool {
			return status == 200 && got == whole(2) && err == nil
		},
		"repeated-page": func(status int, got string, _ http.Header, err error) bool {
			return status == 200 && got == whole(1) && err == nil
		},
	}
	for _, f := range Faults() {
		for way, base := range map[string]string{"reverse": p.URL(), "forward": "http://api.example.test", "forward, TLS": "https://api.example.test"} {
			t.Run(f.Name+" "+way, func(t *testing.T) {
				c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
				if way != "reverse" {
					c = client(t, p)
				}
				plan := Plan{Every: -1, Pause: time.Millisecond}
				if f.page {
					plan.First = 1 // the first page has none before it, and cannot be struck
				}
				p.Strike(f, plan)
				for n := 1; n <= 4; n++ {
					address := fmt.Sprintf("%s/list?page=%d&token=hush", base, n)
					if n == 2 {
						// A client that reused its connection would ask a second time by itself after a reset.
						if closing, ok := c.Transport.(*http.Transport); ok {
							closing.CloseIdleConnections()
						}
						status, got, header, err := ask(t, c, "GET", address, "")
						if !came[f.Name](status, got, header, err) {
							t.Errorf("got %d %q %v %v", status, got, header, err)
						}
					}
					if got := get(t, c, address); got != whole(n) {
						t.Errorf("page %d: %s", n, got)
					}
				}
				if got := p.Strikes(); !slices.Equal(got, []Strike{{f.Name, "GET /list?page=2&token=***"}}) {
					t.Errorf("struck: %v", got)
				}
			})
		}
	}
	p.Strike(Fault{}, Plan{})
	for n := range 3 {
		get(t, http.DefaultClient, fmt.Sprintf("%s/list?page=%d", p.URL(), n))
	}
	if got := p.Strikes(); len(got) != 0 {
		t.Errorf("struck without a fault: %v", got)
	}
}

// Every fault is named once, explained, and leaves a run the way to fail that is nobody's fault.
func TestFaultsAreDescribed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range Faults() {
		if seen[f.Name] || f.Means == "" || !slices.Contains(f.Kinds, TransientError) || f.answer == nil {
			t.Errorf("%+v", f)
		}
		seen[f.Name] = true
	}
}

// The plan counts requests that differ, and strikes one as often as it says.
func TestPlan(t *testing.T) {
	t.Parallel()
	s := api(t, func(http.ResponseWriter, *http.Request) {})
	p := start(t, Options{Target: s.URL})
	struck := func(f Fault, plan Plan) (got []string) {
		p.Strike(f, plan)
		for n := 1; n <= 9; n++ {
			for range 3 {
				if status, _, _, err := ask(t, http.DefaultClient, "GET", fmt.Sprintf("%s/%d", p.URL(), n), ""); err != nil || status != http.StatusOK {
					got = append(got, fmt.Sprint(n))
				}
			}
		}
		return got
	}
	named := map[string]Fault{}
	for _, f := range Faults() {
		named[f.Name] = f
	}
	for _, c := range []struct {
		fault string
		plan  Plan
		want  string
	}{
		{"500", Plan{}, "[2 9]"},
		{"500", Plan{First: 4, Every: -1, Times: 2}, "[4 4]"},
		{"500", Plan{First: 1, Every: 3}, "[1 4 7]"},
		{"401", Plan{First: 3, Every: 1}, "[3]"},
		{"repeated-page", Plan{}, "[]"},
	} {
		if got := fmt.Sprint(struck(named[c.fault], c.plan)); got != c.want {
			t.Errorf("%s %+v: struck %s, want %s", c.fault, c.plan, got, c.want)
		}
	}
}

// Only the next page of the same listing is one: not another listing, another filter, or the same page again.
func TestRepeatedPage(t *testing.T) {
	t.Parallel()
	s := api(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s", r.URL.RequestURI(), body)
	})
	p := start(t, Options{Target: s.URL})
	for _, f := range Faults() {
		if f.page {
			p.Strike(f, Plan{First: 1, Every: 1})
		}
	}
	for _, c := range []struct {
		path, body string
		repeated   bool
	}{
		{"/a?status=1", "", false}, {"/b?status=1&page=2", "", false}, {"/a?status=2", "", false}, {"/a?status=2&start_date=1", "", false},
		{"/a?status=2&start_date=1&offset=10", "", true}, {"/a?status=2&start_date=1&offset=10", "", false},
		{"/c", `{"size":2}`, false}, {"/c", `{"size":2,"page":{"n":2}}`, true}, {"/d", "x=1&pagina=1", false}, {"/d", "x=1&pagina=2", true},
	} {
		method := "GET"
		if c.body != "" {
			method = "POST"
		}
		_, got, _, err := ask(t, http.DefaultClient, method, p.URL()+c.path, c.body)
		if own := got == c.path+" "+c.body; err != nil || own == c.repeated {
			t.Errorf("%s %s: got %s, %v", c.path, c.body, got, err)
		}
	}
}

// An answer too large to be held back is cut where there is no more room, and is not kept as a page.
func TestLargeAnswersGoWrong(t *testing.T) {
	t.Parallel()
	s := api(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 3*room)) })
	p := start(t, Options{Target: s.URL})
	for _, f := range Faults() {
		switch f.Name {
		case "cut", "half":
			p.Strike(f, Plan{First: 1})
			if _, got, _, err := ask(t, http.DefaultClient, "GET", p.URL()+"/"+f.Name, ""); err == nil || len(got) == 0 || len(got) > room {
				t.Errorf("%s: %d bytes, %v", f.Name, len(got), err)
			}
		case "repeated-page":
			p.Strike(f, Plan{First: 1})
			for n := range 3 {
				if got := get(t, http.DefaultClient, fmt.Sprintf("%s/list?page=%d", p.URL(), n)); len(got) != 3*room {
					t.Errorf("page %d: %d bytes", n, len(got))
				}
			}
			if got := p.Strikes(); len(got) != 0 {
				t.Errorf("struck: %v", got)
			}
		}
	}
}
