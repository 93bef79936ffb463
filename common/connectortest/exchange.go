package connectortest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// exchange is a request and its answer, one element of exchanges.json. A request gets the answer of the first exchange that fits it and is not used
// up.
type exchange struct {
	Request struct {
		Method string            `json:"method"` // "" is GET
		Path   string            `json:"path"`
		Query  map[string]string `json:"query"`  // must be in the request; a value /between slashes/ is a regular expression
		Header map[string]string `json:"header"` // must be in the request
		Body   any               `json:"body"`   // must be in the request's JSON or form, which may have more members
	} `json:"request"`
	Response struct {
		Status   int               `json:"status"` // 0 is 200
		Header   map[string]string `json:"header"` // the Content-Type is application/json unless set here
		Body     json.RawMessage   `json:"body"`   // JSON, as it stands in the file
		BodyFile string            `json:"body_file"`
	} `json:"response"`
	Times int `json:"times"` // exactly how often it is used; 0: once or more, -1: any number of times, if that depends on which answer comes first

	used int
}

// api is a server with the answers of a case.
type api struct {
	dir    string
	server *httptest.Server

	mu         sync.Mutex
	exchanges  []exchange
	served     [][]byte // the bodies of its answers
	unexpected []string
}

// serve starts a server with the answers of dir/exchanges.json.
func serve(t *testing.T, dir string) *api {
	t.Helper()
	a := &api{dir: dir}
	if !readJSON(t, dir, "exchanges.json", &a.exchanges) {
		t.Fatalf("%s has no exchanges.json", dir)
	}
	a.server = httptest.NewServer(a)
	t.Cleanup(a.server.Close)
	return a
}

// faults returns the requests that were not expected and the expected ones that did not come. It may only be called after the server was closed.
func (a *api) faults() (faults findings) {
	for _, request := range a.unexpected {
		faults.addf("no exchange is for %s", request)
	}
	for i, e := range a.exchanges {
		if e.used == 0 && e.Times >= 0 || e.Times > 0 && e.used != e.Times {
			faults.addf("exchange %d (%s %v) was used %d times, expected were %d (0 is once or more)",
				i, e.Request.Path, e.Request.Query, e.used, e.Times)
		}
	}
	return faults
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return // the connector hung up
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.exchanges {
		e := &a.exchanges[i]
		if e.Times > 0 && e.used == e.Times || !e.fits(r, sent) {
			continue
		}
		e.used++
		body, err := a.body(e)
		if err != nil {
			a.unexpected = append(a.unexpected, err.Error())
		}
		a.served = append(a.served, body)
		w.Header().Set("Content-Type", "application/json")
		for name, value := range e.Response.Header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(cmp.Or(e.Response.Status, http.StatusOK))
		_, _ = w.Write(body) // fails if the connector hangs up, which is allowed
		return
	}
	// Headers and body are not repeated, because they may hold credentials.
	a.unexpected = append(a.unexpected, fmt.Sprintf("%s %s", r.Method, r.URL))
	http.Error(w, `{"message":"unexpected request"}`, http.StatusBadRequest)
}

func (a *api) body(e *exchange) ([]byte, error) {
	if e.Response.BodyFile != "" {
		return os.ReadFile(filepath.Join(a.dir, e.Response.BodyFile))
	}
	return e.Response.Body, nil
}

// anonymous returns text without the address of the server.
func (a *api) anonymous(text string) string {
	return strings.ReplaceAll(text, a.server.Listener.Addr().String(), "api.example")
}

// fits reports whether the exchange is for the request.
func (e *exchange) fits(r *http.Request, sent []byte) bool {
	want := e.Request
	if r.Method != cmp.Or(want.Method, http.MethodGet) || r.URL.Path != want.Path {
		return false
	}
	query := r.URL.Query()
	for name, value := range want.Query {
		if !query.Has(name) || !means(value, query.Get(name)) {
			return false
		}
	}
	for name, value := range want.Header {
		if r.Header.Get(name) != value {
			return false
		}
	}
	if want.Body == nil {
		return true
	}
	var body any
	if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(string(sent))
		fields := map[string]any{}
		for name := range form {
			fields[name] = form.Get(name)
		}
		return err == nil && within(want.Body, fields)
	}
	return json.NewDecoder(bytes.NewReader(sent)).Decode(&body) == nil && within(want.Body, body)
}

// means reports whether got is the wanted text, or matches it if it is a regular expression between slashes.
func means(want, got string) bool {
	if len(want) > 2 && strings.HasPrefix(want, "/") && strings.HasSuffix(want, "/") {
		return regexp.MustCompile(want[1 : len(want)-1]).MatchString(got)
	}
	return want == got
}

// within reports whether the JSON value got has all that want has.
func within(want, got any) bool {
	members, isObject := want.(map[string]any)
	if !isObject {
		return reflect.DeepEqual(want, got)
	}
	others, isObject := got.(map[string]any)
	if !isObject {
		return false
	}
	for name, value := range members {
		if other, has := others[name]; !has || !within(value, other) {
			return false
		}
	}
	return true
}
