package imoview

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

func BenchmarkTenantContracts(b *testing.B) { benchmarkChild(b, contractsPath) }

func BenchmarkTenantInspections(b *testing.B) { benchmarkChild(b, inspectionsPath) }

// benchmarkChild asks for the first page of one tenant after the other.
func benchmarkChild(b *testing.B, path string) {
	s := New(Options{Size: 60_000})
	tenants := s.Tenants()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		target := path + "?codigoCliente=" + strconv.Itoa(tenants[i%len(tenants)]) + "&mostrarRescindidos=true&numeroPagina=1&numeroRegistros=20"
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("chave", s.Key())
		s.ServeHTTP(&simtest.Discard{}, r)
	}
}

func BenchmarkUsersPage(b *testing.B) {
	s := New(Options{Size: 60_000})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r := httptest.NewRequest(http.MethodGet, usersPath+"?numeroPagina="+strconv.Itoa(1+i%600)+"&numeroRegistros=100", nil)
		r.Header.Set("chave", s.Key())
		s.ServeHTTP(&simtest.Discard{}, r)
	}
}

func BenchmarkPropertiesPage(b *testing.B) {
	s := New(Options{Size: 60_000})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		page := simtest.Set("finalidade", "1", "numeropagina", strconv.Itoa(1+i%700), "numeroregistros", "20", "ordenacao", "codigoasc")
		send(b, s, propertiesPath, page)
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		New(Options{Size: 60_000})
	}
}
