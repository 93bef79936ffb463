package snapproperty

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// discard is a ResponseWriter that keeps nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkSearch(b *testing.B) {
	s := New(Options{Size: 100_000})
	body := request(0, 100, "Id ASC", "AND Id > '"+propertyID(50)+"'")
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, searchPath, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+s.FixedToken())
		r.Header.Set("Content-Type", "application/json")
		s.ServeHTTP(discard{http.Header{}}, r)
	}
}

func BenchmarkExpect(b *testing.B) {
	s := New(Options{Size: 100_000})
	for b.Loop() {
		s.Expect()
	}
}
