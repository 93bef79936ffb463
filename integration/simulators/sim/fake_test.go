package sim

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// fake is an API with pages of text.
type fake struct{}

const fakePage = `{"page":"%s","text":"ação <b>"}`

func (fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = fmt.Fprintf(w, fakePage, r.URL.Query().Get("page"))
}

func (fake) Config(baseURL string, _ Quota) map[string]any {
	return map[string]any{"base_url": baseURL}
}
func (fake) Secrets() []string              { return []string{"top+secret/="} }
func (fake) Change(int, int)                {}
func (fake) Expect() map[string]Expectation { return nil }

func (fake) Error(w http.ResponseWriter, status int, text string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "error: "+text)
}

func (fake) Previous(r *http.Request) (*http.Request, bool) {
	if r.URL.Query().Get("page") != "2" {
		return nil, false
	}
	before := r.Clone(r.Context())
	before.URL.RawQuery = "page=1"
	return before, true
}

// ask sends one request to a handler, without a network, and reports whether the handler broke the connection.
func ask(t *testing.T, h http.Handler, target string) (answer *httptest.ResponseRecorder, broken bool) {
	t.Helper()
	answer = httptest.NewRecorder()
	defer func() {
		if reason := recover(); reason != nil {
			if reason != any(http.ErrAbortHandler) {
				panic(reason)
			}
			broken = true
		}
	}()
	h.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
	return answer, false
}
