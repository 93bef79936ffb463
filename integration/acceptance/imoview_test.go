package acceptance

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/imoview"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

func startImoview(t *testing.T, f fixture, o sim.Options, with sim.Behaviour) (*api, *imoview.Simulator) {
	t.Helper()
	a := f.start(t, o, with)
	s, ok := a.simulator.(*imoview.Simulator)
	if !ok {
		t.Fatalf("the simulator is a %T", a.simulator)
	}
	return a, s
}

// dear returns the streams that take so many requests that a large agency is read without them where others will do.
func dear() []string {
	return []string{
		"tenant_open_bills", "tenant_paid_bills", "tenant_properties", "landlord_contracts", "landlord_properties", "seller_properties",
		"buyer_deals", "property_details", "portals",
	}
}

// cheap returns the other streams.
func (f fixture) cheap() []string {
	return slices.DeleteFunc(f.catalog.Names(), func(name string) bool { return slices.Contains(dear(), name) })
}

// TestImoviewAtSize reads a large agency: every row once, and no more requests than listings and parents make necessary.
func TestImoviewAtSize(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imoview")
	a, s := startImoview(t, f, sim.Options{Size: scaled(20_000, 1500)}, sim.Behaviour{})
	res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, f.cheap()...), nil))
	compare(t, full(a, f.cheap()...), res)
	once(t, res)
	if most := int64(scaled(96, memory>>20)) << 20; res.MaxRSS > most {
		t.Errorf("the read took %.1f MiB, more than %d", float64(res.MaxRSS)/(1<<20), most>>20)
	}
	type listing struct {
		path, filter string
		client       int
	}
	asked, pages, last := 0, map[listing]int{}, map[listing]int{}
	for page, times := range s.Asked() {
		l := listing{page.Path, page.Filter, page.Client}
		asked += times
		pages[l] += times
		last[l] = max(last[l], page.Page)
	}
	parents := map[string]int{}
	for l, times := range pages {
		if l.client != 0 {
			parents[l.path]++
		}
		allowed := 1.0 // a page that is not full, or as many rows as quantidade says
		switch {
		case strings.HasPrefix(l.path, "/Usuario/App_"):
			allowed = 3 // these have no pages, which shows when a second one is asked for, with its number under either name
		case last[l] == 0 && strings.HasSuffix(l.path, "Disponiveis"):
			allowed = 2 // one answer for rent and one for sale, and the first one again: what is for rent may come to be for sale meanwhile
		case last[l] > 1:
			allowed = float64(last[l]) + 2 + 2*math.Log2(float64(last[l])) // for the search of the last page, and the first one again
		}
		if float64(times) > allowed {
			t.Errorf("%+v was asked for %d times, and has %d pages", l, times, last[l])
		}
	}
	tenants, guarantors := len(s.Tenants()), len(s.Guarantors())
	for path, want := range map[string]int{
		"/Locatario/RetornarContratos": tenants, "/Locatario/RetornarVistorias": tenants, "/Fiador/App_RetornarContratos": guarantors,
	} {
		if parents[path] != want {
			t.Errorf("%s was asked for %d parents, of whom there are %d", path, parents[path], want)
		}
	}
	t.Logf("%d rows with %d requests in %v, peak of memory %.1f MiB", len(res.Rows), asked, res.Wall, float64(res.MaxRSS)/(1<<20))
}

// TestImoviewReadsInParallel holds a read over a slow network against one request after the other.
func TestImoviewReadsInParallel(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imoview")
	a, _ := startImoview(t, f, sim.Options{Size: 300}, sim.Behaviour{Latency: 200 * time.Millisecond})
	res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, f.cheap()...), nil))
	compare(t, full(a, f.cheap()...), res)
	if at := a.Stats().MaxConcurrent; at < 8 {
		t.Errorf("at the most %d requests were in flight", at)
	}
}

// TestImoviewAsksEachParentOnce reads what there is of each client and each property: with one request for each that has no more than a page.
func TestImoviewAsksEachParentOnce(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imoview")
	for name, set := range map[string]map[string]string{"as documented": nil, "the other way": {"bare-detail": "true", "regions-get": "true"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, s := startImoview(t, f, sim.Options{Size: 300, Set: set}, sim.Behaviour{})
			a.simulator.Change(0, 5) // so that some properties are sold
			s.Forget()
			res := f.succeed(t, a, f.read(t, a, nil))
			compare(t, full(a), res)
			once(t, res)
			first, properties, asked := map[string]int{}, 0, s.Asked()
			for page, times := range asked {
				second := page
				if second.Page = 2; page.Page == 1 && page.Client != 0 {
					first[page.Path]++
				}
				if page.Path == "/Imovel/App_RetornarDetalhesImovel" {
					properties++
				}
				if times != 1 && asked[second] == 0 && (page.Client != 0 || strings.Contains(page.Path, "App_RetornarDetalhes")) {
					t.Errorf("%+v was asked for %d times", page, times)
				}
			}
			for path, clients := range map[string][]int{
				"/Locatario/RetornarBoletosAtivos": s.Tenants(), "/Locatario/RetornarBoletosQuitados": s.Tenants(), "/Locatario/RetornarImoveis": s.Tenants(),
				"/Locador/RetornarContratos": s.Landlords(), "/Locador/RetornarImoveis": s.Landlords(), "/Vendedor/RetornarImoveis": s.Sellers(),
				"/Comprador/RetornarNegocios": s.Buyers(),
			} {
				if first[path] != len(clients) || len(clients) < 20 {
					t.Errorf("%s was asked for %d clients, of whom there are %d", path, first[path], len(clients))
				}
			}
			if want := len(full(a)["property_details"].Must); properties != want || want == len(full(a)["properties"].Must) {
				t.Errorf("%d details were asked for, of %d properties with %d offers", properties, want, len(full(a)["properties"].Must))
			}
		})
	}
}

// TestImoviewOtherForms reads pages that are cut without a word where no refusal is known, whatever is said of the number of rows, and clients of whom
// a sentence says that there is nothing, or that they are not there.
func TestImoviewOtherForms(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imoview")
	const cuts = "/Usuario/RetornarTipo3=50,/Locatario/RetornarVistorias=3,/Fiador/App_RetornarContratos=2,/Imovel/RetornarCondominiosDisponiveis=7," +
		"/Cliente/App_RetornarPessoas=9"
	streams := []string{"users", "tenant_contracts", "tenant_inspections", "guarantor_contracts", "condominiums", "people", "buyer_deals"}
	for _, set := range []map[string]string{
		{"cuts": cuts}, {"cuts": cuts, "count": "page"}, {"cuts": cuts, "count": "none"}, {"cuts": cuts, "count": "bare"},
		{"nothing": "Nenhum contrato encontrado!"}, {"nothing": "Nenhum registro encontrado.", "nothing-as": "200"},
		{"nothing": "Cliente não encontrado!"}, {"nothing": "Cliente inexistente", "nothing-as": "200"}, // they went meanwhile
	} {
		t.Run(fmt.Sprint(set), func(t *testing.T) {
			t.Parallel()
			a, _ := startImoview(t, f, sim.Options{Size: 300, Set: set}, sim.Behaviour{})
			res := f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, streams...), nil))
			compare(t, full(a, streams...), res)
			once(t, res)
		})
	}
}

// TestImoviewSoldProperties syncs again when properties left the listings of available ones: the catalogue and the details have them still,
// as sold or deactivated.
func TestImoviewSoldProperties(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imoview")
	streams := []string{"properties", "property_details", "properties_sale"}
	a, _ := startImoview(t, f, sim.Options{Size: 300}, sim.Behaviour{})
	catalog := f.catalog.Configure(harness.Incremental, streams...)
	first := f.succeed(t, a, harness.Read(a.json(t, nil), catalog, nil))
	a.simulator.Change(0, 4)
	second := f.succeed(t, a, harness.Read(a.json(t, nil), catalog, first.State()))
	f.following(t, a, first.State(), second, streams...)
	for _, stream := range streams[:2] {
		if must := next(a)[stream].Must; len(must) < 8 {
			t.Errorf("only %d rows of %s had to come", len(must), stream)
		}
	}
}

// TestImoviewUnofferedCondominiums reads condominiums that come to have something to offer, and show a time of change that is long ago.
func TestImoviewUnofferedCondominiums(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imoview")
	a, _ := startImoview(t, f, sim.Options{Size: 300, Set: map[string]string{"unoffered": "12"}}, sim.Behaviour{})
	catalog := f.catalog.Configure(harness.Incremental, "condominiums")
	first := f.succeed(t, a, harness.Read(a.json(t, nil), catalog, nil))
	a.simulator.Change(2, 0)
	f.following(t, a, first.State(), f.succeed(t, a, harness.Read(a.json(t, nil), catalog, first.State())), "condominiums")
	if must := next(a)["condominiums"].Must; len(must) != 14 {
		t.Errorf("%d condominiums had to come", len(must))
	}
}

// TestImoviewQuietRequests reads service requests that changed without an interaction, the time of which is the only one that they show; also where
// the filter that knows of it is ignored, of which the user is told.
func TestImoviewQuietRequests(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imoview")
	for _, set := range []map[string]string{{"quiet": "true"}, {"quiet": "true", "unfiltered": "/Atendimento/RetornarAtendimentos"}} {
		a, _ := startImoview(t, f, sim.Options{Size: 300, Set: set}, sim.Behaviour{})
		catalog := f.catalog.Configure(harness.Incremental, "service_requests")
		first := f.succeed(t, a, harness.Read(a.json(t, nil), catalog, nil))
		a.simulator.Change(5, 0)
		second := f.succeed(t, a, harness.Read(a.json(t, nil), catalog, first.State()))
		f.following(t, a, first.State(), second, "service_requests")
		warned := slices.ContainsFunc(second.Logs, func(l harness.Log) bool {
			return l.Level == "WARN" && strings.Contains(l.Message, "ignores the filter by time of change")
		})
		if must := next(a)["service_requests"].Must; len(must) < 5 || warned != (len(set) > 1) {
			t.Errorf("%d requests had to come, %v: %v", len(must), set, second.Logs)
		}
	}
}

// TestImoviewTenantWithANewContract reads a new contract of a tenant whose own row did not change.
func TestImoviewTenantWithANewContract(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imoview")
	a, s := startImoview(t, f, sim.Options{Size: scaled(400, 120)}, sim.Behaviour{})
	first := f.succeed(t, a, f.read(t, a, nil))
	a.simulator.Change(0, 0)
	if n := len(s.Sign(5)); n != 5 {
		t.Fatalf("%d contracts were signed", n)
	}
	f.following(t, a, first.State(), f.succeed(t, a, f.read(t, a, first.State())))
}

// TestImoviewRefusals tells whether each of the ways in which Imoview refuses ends with its sentence, and with what could be read.
func TestImoviewRefusals(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imoview")
	tests := []struct {
		name     string
		set      map[string]string
		with     sim.Behaviour
		config   map[string]any
		kind     string   // of the read's error; "" for none
		words    []string // in its sentence
		complete []string // streams that are complete all the same
		absent   []string // streams that are empty, with a warning
	}{
		{name: "wrong key", config: map[string]any{"api_key": "wrong-key-of-nobody"}, kind: "config_error", words: []string{"api_key", "too many requests"}},
		{name: "throttled from the first request", set: map[string]string{"too-many": "401"},
			with: sim.Behaviour{Quota: sim.Quota{Early: []int{1}, Hold: time.Hour}}, kind: "config_error", words: []string{"api_key", "too many requests"}},
		{name: "throttled in the middle", set: map[string]string{"too-many": "401"},
			with: sim.Behaviour{Quota: sim.Quota{Early: []int{20, 60}, Hold: 1500 * time.Millisecond}}, complete: f.catalog.Names()},
		{name: "wrong password", config: map[string]any{"password": "not-the-password"}, kind: "config_error", words: []string{"email", "password"},
			complete: []string{"users", "tenant_contracts", "properties_rent"}},
		{name: "no login", config: map[string]any{"email": nil, "password": nil}, kind: "config_error", words: []string{"email", "password"},
			complete: []string{"users", "tenant_contracts", "tenant_inspections", "properties_sale", "movements"}},
		{name: "half a login", config: map[string]any{"password": nil}, kind: "config_error", words: []string{"email", "password"}},
		{name: "wrong address", set: map[string]string{"off": "all"}, kind: "config_error", words: []string{"404"}},
		{name: "extras that an account lacks", set: map[string]string{"off": "/Movimento/RetornarMovimentos,/Imovel/RetornarListaUnidades"},
			complete: []string{"users", "movements", "branches", "lease_contracts"}},
		{name: "tables that an account lacks", set: map[string]string{
			"off": "/Imovel/RetornarImoveis,/Locatario/RetornarBoletosAtivos,/Cliente/App_RetornarPessoas,/Imovel/RetornarRegioesDisponiveis"},
			complete: f.catalog.Names(), absent: []string{"properties", "property_details", "portals", "tenant_open_bills", "people", "regions"}},
		{name: "rights that are missing", set: map[string]string{"denied": "/Cliente/App_RetornarPessoas,/Locador/RetornarImoveis"},
			kind: "config_error", words: []string{"403", "sem permissão", "/"},
			complete: []string{"users", "crm_users", "landlord_contracts", "tenant_open_bills", "property_details", "properties", "client_companies"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := f.start(t, sim.Options{Size: 60, Set: tt.set}, tt.with)
			res := f.run(t, a, harness.Read(a.json(t, tt.config), f.catalog.Configure(harness.Incremental), nil))
			if tt.kind == "" && res.Code != 0 {
				t.Errorf("the read failed: %s", res)
			}
			if tt.kind != "" && (res.Code != 1 || len(res.Failures) == 0 || res.Failures[0].Type != tt.kind) {
				t.Errorf("the read did not end with a %s: %s", tt.kind, res)
			}
			for _, failure := range res.Failures {
				readable(t, failure.Message)
				for _, word := range tt.words {
					if !strings.Contains(failure.Message, word) {
						t.Errorf("%q is not in: %s", word, failure.Message)
					}
				}
			}
			for _, stream := range tt.complete {
				if res.Last(stream) != "COMPLETE" {
					t.Errorf("the status of %s is %q", stream, res.Last(stream))
				}
			}
			for _, stream := range tt.absent {
				if n := len(res.Keys(stream)); n > 0 || !warned(res, stream+": this account does not have") {
					t.Errorf("%s has %d rows, or nobody was told why it is empty: %v", stream, n, warnings(res))
				}
			}
		})
	}
}

// warned tells whether a warning begins so.
func warned(res *harness.Result, beginning string) bool {
	return slices.ContainsFunc(warnings(res), func(w string) bool { return strings.HasPrefix(w, beginning) })
}
