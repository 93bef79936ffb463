package imoview

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

// The catalogue goes on listing what left the listings of available properties, changed by that, and says of too few rows that they are all.
func TestCatalogue(t *testing.T) {
	s := New(Options{Size: 400, Now: simtest.At("2026-05-05T15:00:00Z")})
	listed := func(purpose string, pairs ...string) []record {
		return readAll(t, s, cataloguePath, append([]string{"finalidade", purpose, "ordenacao", "codigoasc", "naoconsiderarmeusite", "true"}, pairs...)...)
	}
	before := came(listed("2"))
	s.Change(0, 5)
	after := listed("2")
	if !maps.Equal(before, came(after)) {
		t.Errorf("%d properties became %d", len(before), len(after))
	}
	states := map[any]int{}
	for _, row := range after {
		states[row["situacao"]]++
		if row["situacao"] == "Vendido" && row["datahoraultimaalteracao"] != "05/05/2026 12:00:00" {
			t.Errorf("%s was sold, and changed at %v", row.key(), row["datahoraultimaalteracao"])
		}
	}
	if states["Vendido"] < 5 || states["Vago/Disponível"] < 20 {
		t.Errorf("the situations are %v", states)
	}
	if sold := listed("2", "situacao", "3"); len(sold) != states["Vendido"] {
		t.Errorf("%d are sold, of %d", len(sold), states["Vendido"])
	}
	if n := len(readAll(t, s, propertiesPath, "finalidade", "2", "ordenacao", "codigoasc")); n != len(after)-states["Vendido"] {
		t.Errorf("%d of %d are available", n, len(after))
	}
	if published := readAll(t, s, cataloguePath, "finalidade", "2", "ordenacao", "codigoasc"); len(published) == 0 || len(published) >= len(after) {
		t.Errorf("%d of %d are on the site", len(published), len(after))
	}
	page := send(t, s, cataloguePath, simtest.Set("finalidade", "2", "numeropagina", "1", "numeroregistros", "20", "naoconsiderarmeusite", "true"))
	if e := read(t, page.Body.Bytes()); e.Count >= len(after) || len(e.Rows) != 20 {
		t.Errorf("quantidade is %d for %d rows", e.Count, len(after))
	}
}

func TestDetails(t *testing.T) {
	for _, bare := range []bool{false, true} {
		s := New(Options{Size: 100, BareDetail: bare})
		s.Change(0, 3)
		for i := range s.properties.Rows {
			row := detailOf(t, s, s.properties.key(i))
			if owners, _ := row["proprietarios"].([]any); len(owners) == 0 || row.key() != s.properties.key(i) {
				t.Errorf("the detail of %d has the key %s and %d owners", s.properties.code(i), row.key(), len(owners))
			}
		}
	}
}

func TestPortals(t *testing.T) {
	s := New(Options{Size: 200})
	code := func(index int) string { return s.properties.key(index) }
	for codes, want := range map[string]int{code(0): 0, code(1): 1, code(1) + "," + code(3): 4, "101": 0} {
		if rows := readAll(t, s, "/Imovel/RetornarPortaisImoveis", "codigosImoveis", codes); len(rows) != want {
			t.Errorf("%s: %d rows, want %d", codes, len(rows), want)
		}
	}
}

func TestRegionsByGet(t *testing.T) {
	s := New(Options{RegionsGet: true})
	if w := send(t, s, regionsPath, simtest.Set()); w.Code != http.StatusOK || len(read(t, w.Body.Bytes()).Rows) != 4 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := send(t, s, regionsPath, simtest.Set("finalidade", "1")); len(read(t, w.Body.Bytes()).Rows) != 3 {
		t.Errorf("for rent there are %s", w.Body)
	}
	if w := simtest.Ask(t, s, http.MethodPost, regionsPath, http.Header{"Chave": {s.Key()}}, ""); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST has status %d", w.Code)
	}
}

func TestPlaces(t *testing.T) {
	s := New(Options{})
	for path, all := range map[string]int{"/Imovel/RetornarCidadesDisponiveis": 3, "/Imovel/RetornarBairrosDisponiveis": 36, regionsPath: 4} {
		rent, sale := came(readAll(t, s, path, "finalidade", "1")), came(readAll(t, s, path, "finalidade", "2"))
		both := maps.Clone(rent)
		maps.Copy(both, sale)
		if len(both) != all || len(rent) == all || len(sale) == all || len(rent)+len(sale) == all {
			t.Errorf("%s: %d for rent, %d for sale, %d in all", path, len(rent), len(sale), len(both))
		}
	}
	for _, hood := range readAll(t, s, "/Imovel/RetornarBairrosDisponiveis", "finalidade", "2", "codigoCidade", "11") {
		if hood["cidade"] != "São Paulo" {
			t.Errorf("%v is in %v", hood["nome"], hood["cidade"])
		}
	}
}

// What is denied is denied to those who are logged in too, and to nobody else; all else answers.
func TestDenied(t *testing.T) {
	opened, err := Open(sim.Options{Size: 50, Set: map[string]string{"denied": "/Cliente/App_RetornarPessoas,/Locatario/RetornarBoletosAtivos"}})
	if err != nil {
		t.Fatal(err)
	}
	s := opened.(*Simulator)
	for path, want := range map[string]int{
		"/Cliente/App_RetornarPessoas": 403, "/Locatario/RetornarBoletosAtivos": 403, "/Cliente/App_RetornarEmpresas": 200, "/Locatario/RetornarImoveis": 200,
	} {
		if w := send(t, s, path, simtest.Set("numeroPagina", "1", "numeroRegistros", "20", "codigoCliente", "1001")); w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if _, err := Open(sim.Options{Set: map[string]string{"denied": "/Nowhere"}}); err == nil {
		t.Error("a path that there is not is denied")
	}
}

// Of each client of a role there is what Expect says; those that the listing of clients does not give the role have nothing to be found by it.
func TestHoldings(t *testing.T) {
	s := New(Options{Size: 600})
	expected := s.Expect()
	for name, h := range s.holdings() {
		none, many := 0, 0
		for _, client := range h.clients {
			switch n := len(h.of(client)); {
			case n == 0:
				none++
			case n > 20:
				many++
			}
			if short(client) && name != "tenant_open_bills" && name != "tenant_paid_bills" && name != "tenant_properties" {
				t.Errorf("%s: %d is in no list that tells it", name, client)
			}
		}
		if none == 0 && name != "landlord_properties" && name != "seller_properties" || len(expected[name].Full.Must) < 20 {
			t.Errorf("%s: %d of %d clients have nothing, %d rows in all", name, none, len(h.clients), len(expected[name].Full.Must))
		}
		if name == "tenant_paid_bills" && many == 0 {
			t.Errorf("%s: nobody has more than a page", name)
		}
		if keys := s.holdingKeys(h); len(keys) != len(slices.Compact(slices.Sorted(slices.Values(keys)))) {
			t.Errorf("%s: a key comes twice", name)
		}
	}
}
