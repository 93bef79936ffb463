// Package simtest is what the tests of simulators share.
package simtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// At returns a clock that stands still at a time in RFC 3339.
func At(value string) func() time.Time {
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		panic(err)
	}
	return func() time.Time { return t }
}

// Set returns parameters, given as name, value, name, value.
func Set(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}

// Ask returns the answer to a request.
func Ask(t testing.TB, h http.Handler, method, target string, header http.Header, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if header != nil {
		r.Header = header
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Decode parses JSON. Numbers that are decoded into interfaces keep their digits.
func Decode(t testing.TB, body []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v: %.300s", err, body)
	}
}

// Discard is a ResponseWriter that only counts the bytes it gets.
type Discard struct {
	header http.Header
	Bytes  int64
}

// Header returns the answer's header.
func (d *Discard) Header() http.Header {
	if d.header == nil {
		d.header = http.Header{}
	}
	return d.header
}

// WriteHeader does nothing.
func (d *Discard) WriteHeader(int) {}

func (d *Discard) Write(p []byte) (int, error) {
	d.Bytes += int64(len(p))
	return len(p), nil
}
