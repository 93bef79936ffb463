package snapproperty

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

func BenchmarkSearch(b *testing.B) {
	s := New(Options{Size: 100_000})
	body := request(0, 100, "Id ASC", "AND Id > '"+propertyID(50)+"'")
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, searchPath, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+s.FixedToken())
		r.Header.Set("Content-Type", "application/json")
		s.ServeHTTP(&simtest.Discard{}, r)
	}
}

func BenchmarkExpect(b *testing.B) {
	s := New(Options{Size: 100_000})
	for b.Loop() {
		s.Expect()
	}
}
