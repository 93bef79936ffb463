package imoview

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

// wallText returns a wall-clock time as filters take it.
func wallText(t int64) string { return time.Unix(t, 0).UTC().Format(withSeconds) }

// filtered reads what a path answers to a bound on the time of change.
func filtered(t *testing.T, s *Simulator, path, name string, bound int64) []record {
	t.Helper()
	if path == propertiesPath {
		return readAll(t, s, path, "finalidade", "1", "ordenacao", "codigoasc", name, wallText(bound))
	}
	return readAll(t, s, path, name, wallText(bound))
}

// The filters let through what changed since, or at, a bound, by the seconds that the rows may not show; never rows without a time.
func TestFiltersByTime(t *testing.T) {
	for _, exclusive := range []bool{false, true} {
		s := New(Options{Size: 900, Exclusive: exclusive})
		for _, c := range []struct {
			path, from, to string
			table          *table
			fit            func(i int) bool
		}{
			{usersPath, "dataHoraInicialUltimaAlteracao", "", s.users, func(int) bool { return true }},
			{propertiesPath, "dataultimaalteracaoinicio", "dataultimaalteracaofim", s.properties, func(i int) bool { return s.offered(i, rent) }},
			{requestsPath, "datahorainicialultimaalteracao", "datahorafinalultimaalteracao", s.requests, func(int) bool { return true }},
		} {
			bound := int64(0)
			for i, r := range c.table.Rows {
				if i > 10 && r.Time != 0 && c.fit(i) {
					bound = r.Time
					break
				}
			}
			from, to := map[string]int{}, map[string]int{}
			for i, r := range c.table.Rows {
				key := strconv.Itoa(c.table.code(i))
				if r.Time != 0 && c.fit(i) {
					if r.Time > bound || r.Time == bound && !exclusive {
						from[key] = 1
					}
					if r.Time < bound || r.Time == bound && !exclusive {
						to[key] = 1
					}
				}
			}
			if got := came(filtered(t, s, c.path, c.from, bound)); !maps.Equal(got, from) || len(from) < 5 {
				t.Errorf("%s from %s, exclusive %v: %d rows, want %d", c.path, wallText(bound), exclusive, len(got), len(from))
			}
			if c.to != "" {
				if got := came(filtered(t, s, c.path, c.to, bound)); !maps.Equal(got, to) || len(to) < 5 {
					t.Errorf("%s to %s, exclusive %v: %d rows, want %d", c.path, wallText(bound), exclusive, len(got), len(to))
				}
			}
		}
	}
	s := New(Options{Size: 100, Unfiltered: []string{usersPath}})
	future := s.today + 3650*day
	if n := len(filtered(t, s, usersPath, "dataHoraInicialUltimaAlteracao", future)); n != 100 {
		t.Errorf("the filter is not ignored: %d of 100 clients", n)
	}
	if n := len(filtered(t, s, requestsPath, "datahorainicialultimaalteracao", future)); n != 0 {
		t.Errorf("the filter of another path is ignored: %d requests", n)
	}
}

func TestRescindedContracts(t *testing.T) {
	s := New(Options{Size: 300})
	hidden := 0
	for path, codes := range map[string][]int{contractsPath: s.Tenants(), guarantorsPath: s.Guarantors()} {
		for _, code := range codes {
			whole := readAll(t, s, path, "codigoCliente", strconv.Itoa(code), "mostrarRescindidos", "true")
			var running []string
			for _, contract := range whole {
				if contract["situacao"] != "Rescindido" {
					running = append(running, contract.key())
				}
			}
			var shown []string
			for _, contract := range readAll(t, s, path, "codigoCliente", strconv.Itoa(code)) {
				shown = append(shown, contract.key())
			}
			hidden += len(whole) - len(shown)
			if !slices.Equal(shown, running) {
				t.Errorf("%s %d shows %v without the parameter, of which %v run", path, code, shown, running)
			}
			if len(whole) > 1 {
				if one := readAll(t, s, path, "codigoCliente", strconv.Itoa(code), "mostrarRescindidos", "True",
					"codigoContrato", whole[1].key()); len(one) != 1 || one[0].key() != whole[1].key() {
					t.Errorf("%s %d shows %d contracts when asked for one", path, code, len(one))
				}
			}
		}
	}
	if hidden < 10 {
		t.Errorf("only %d contracts were hidden", hidden)
	}
}

// A contract is the same whoever it is listed for, and its tenant is the first one.
func TestContractOfTwoTenants(t *testing.T) {
	s := New(Options{Size: 600})
	n := 0
	for i, p := range s.leases {
		if p.tenants[1] < 0 || i%47 == 6 {
			continue
		}
		n++
		for _, tenant := range p.tenants {
			code := strconv.Itoa(s.users.code(tenant))
			rows := readAll(t, s, contractsPath, "codigoCliente", code, "mostrarRescindidos", "true", "codigoContrato", strconv.Itoa(s.contracts.code(i)))
			if first := strconv.Itoa(s.users.code(p.tenants[0])); len(rows) != 1 || first != number(rows[0]["locatariocodigo"]) {
				t.Errorf("contract %d of client %s: %v", i, code, rows)
			}
		}
	}
	if n < 5 {
		t.Errorf("only %d contracts have two tenants", n)
	}
}

func number(v any) string { return record{"codigo": v}.key() }

func TestFilters(t *testing.T) {
	s := New(Options{Size: 1500, SiteOnly: true})
	all := readAll(t, s, propertiesPath, "finalidade", "2", "ordenacao", "codigoasc", "naoconsiderarmeusite", "true")
	published := readAll(t, s, propertiesPath, "finalidade", "2", "ordenacao", "codigoasc")
	if len(published) >= len(all) || len(published) < len(all)*3/4 {
		t.Errorf("%d of %d properties are on the site", len(published), len(all))
	}
	condominium, bill := entry{}, s.bill(1)
	for i := range s.properties.Rows {
		if f := s.facts(i); f.condominium.code != 0 && s.offered(i, sale) {
			condominium = f.condominium
		}
	}
	for name, c := range map[string]struct {
		path, parameter, value string
		fit                    func(r record) bool
	}{
		"type":         {propertiesPath, "codigoTipo", "2,3", func(r record) bool { return r["tipo"] == "Apartamento" || r["tipo"] == "Lote" }},
		"city":         {propertiesPath, "codigocidade", "11", func(r record) bool { return r["cidade"] == "São Paulo" }},
		"hood":         {propertiesPath, "codigosbairros", "43,44", func(r record) bool { return r["bairro"] == "Bairro Exemplo 1" || r["bairro"] == "Bairro Exemplo 2" }},
		"destination":  {propertiesPath, "destinacao", "4", func(r record) bool { return r["destinacao"] == "Industrial" }},
		"branch":       {propertiesPath, "codigounidade", "5", func(r record) bool { return r["nomeunidade"] == "Filial Região Sul" }},
		"launches":     {propertiesPath, "opcaoimovel", "2", func(r record) bool { return yes(r["empreendimento"]) }},
		"single":       {propertiesPath, "opcaoimovel", "1", func(r record) bool { return !yes(r["empreendimento"]) && !yes(r["empreendimentofilho"]) }},
		"units":        {propertiesPath, "opcaoimovel", "3", func(r record) bool { return yes(r["empreendimentofilho"]) }},
		"no units":     {propertiesPath, "opcaoimovel", "4", func(r record) bool { return !yes(r["empreendimentofilho"]) }},
		"codes":        {propertiesPath, "codigosimoveis", all[3].key() + ", " + all[5].key(), func(r record) bool { return r.key() == all[3].key() || r.key() == all[5].key() }},
		"condominium":  {propertiesPath, "codigocondominio", strconv.Itoa(condominium.code), func(r record) bool { return r["nomecondominio"] == condominium.name }},
		"condo's city": {"/Imovel/RetornarCondominiosDisponiveis", "codigocidade", "10", func(r record) bool { return r["cidade"] == "Belo Horizonte" }},
		"condo's hood": {"/Imovel/RetornarCondominiosDisponiveis", "codigobairro", "45", func(r record) bool { return r["bairro"] == "Bairro Exemplo 3" }},
		"paid":         {"/Movimento/RetornarMovimentos", "situacaoConta", "1", func(r record) bool { return r["codigo"] != nil && r["datapagamento"] == "" }},
		"contract":     {"/Movimento/RetornarMovimentos", "codigoContratoAluguel", strconv.Itoa(bill.contract), func(r record) bool { return number(r["codigocontratoaluguel"]) == strconv.Itoa(bill.contract) }},
		"client":       {"/Movimento/RetornarMovimentos", "codigoCliente", strconv.Itoa(bill.client), func(r record) bool { return number(r["codigocliente"]) == strconv.Itoa(bill.client) }},
		"purpose":      {requestsPath, "finalidade", "1", func(r record) bool { return r["finalidade"] == "Aluguel" }},
		"situation":    {requestsPath, "situacao", "2", func(r record) bool { return r["situacao"] == "Fechado" }},
		"phase":        {requestsPath, "fase", "7", func(r record) bool { return r["fase"] == "Fase 7" }},
		"broker":       {requestsPath, "codigocorretor", "3", func(r record) bool { return number(r["corretorcodigo"]) == "3" }},
		"office":       {requestsPath, "codigounidade", "1", func(r record) bool { return r["unidadenome"] == "Matriz" }},
	} {
		pairs := []string{}
		if c.path == propertiesPath {
			pairs = []string{"finalidade", "2", "ordenacao", "codigoasc", "naoconsiderarmeusite", "true"}
		}
		whole := readAll(t, s, c.path, pairs...)
		want := slices.DeleteFunc(slices.Clone(whole), func(r record) bool { return !c.fit(r) })
		got := readAll(t, s, c.path, append(pairs, c.parameter, c.value)...)
		if name == "paid" { // paid ones may have no day of payment
			got = slices.DeleteFunc(got, func(r record) bool { return !c.fit(r) })
			if len(got) == 0 || len(got) > len(want) {
				t.Errorf("%s: %d rows of %d without a day of payment", name, len(got), len(want))
			}
			continue
		}
		if !maps.Equal(came(got), came(want)) || len(want) == 0 || len(want) == len(whole) {
			t.Errorf("%s: %d rows, want %d of %d", name, len(got), len(want), len(whole))
		}
	}
	if rows := readAll(t, s, "/Imovel/RetornarCondominiosDisponiveis", "finalidade", "1"); len(rows) != 25 {
		t.Errorf("%d of 50 condominiums have units for rent", len(rows))
	}
	if rows := readAll(t, s, requestsPath, "codigocliente", "1004"); len(rows) > 20 {
		t.Errorf("%d requests of one client", len(rows))
	}
}

// The filter by the day when a movement is due lets some days more through.
func TestLooseFilter(t *testing.T) {
	s := New(Options{Size: 2000})
	from, to := date(2019), date(2020)
	outside, inside := 0, 0
	for _, row := range readAll(t, s, "/Movimento/RetornarMovimentos", "dataVencimentoInicial", "01/01/2019", "dataVencimentoFinal", "01/01/2020") {
		switch due := stamp(t, row["datavencimento"]); {
		case due == 0:
		case due < from-4*day || due > to+4*day:
			t.Errorf("%v is due far outside", row["datavencimento"])
		case due < from || due > to:
			outside++
		default:
			inside++
		}
	}
	if outside == 0 || inside < 50 {
		t.Errorf("%d outside and %d inside", outside, inside)
	}
}

func TestPropertyParameters(t *testing.T) {
	s := New(Options{Size: 300})
	plain := read(t, send(t, s, propertiesPath, simtest.Set("finalidade", "1", "numeropagina", "1", "numeroregistros", "5", "ordenacao", "codigoasc")).Body.Bytes())
	full := read(t, send(t, s, propertiesPath, simtest.Set("finalidade", "1", "numeropagina", "1", "numeroregistros", "5", "ordenacao", "codigoasc",
		"exibircaptadores", "true", "exibiranexos", "true")).Body.Bytes())
	reduced := read(t, send(t, s, propertiesPath, simtest.Set("finalidade", "1", "numeropagina", "1", "numeroregistros", "100", "retornomapa", "true")).Body.Bytes())
	for i := range plain.Rows {
		for _, field := range []string{"captadores", "anexos"} {
			if a, b := plain.Rows[i][field].([]any), full.Rows[i][field].([]any); len(a) != 0 || len(b) != 1 {
				t.Errorf("%s has %d and %d elements", field, len(a), len(b))
			}
		}
	}
	if len(reduced.Rows) <= 20 || len(reduced.Rows[0]) > 20 || len(plain.Rows[0]) < 100 {
		t.Errorf("%d rows of %d fields, as many as %d otherwise", len(reduced.Rows), len(reduced.Rows[0]), len(plain.Rows[0]))
	}
	both, sale := came(readAll(t, s, propertiesPath, "finalidade", "1", "ordenacao", "codigoasc")), readAll(t, s, propertiesPath, "finalidade", "2", "ordenacao", "codigoasc")
	shared := 0
	for _, row := range sale {
		shared += both[row.key()]
		if row["finalidade"] != "Venda" {
			t.Errorf("%s is for %v", row.key(), row["finalidade"])
		}
	}
	if shared < 5 || shared == len(sale) {
		t.Errorf("%d properties are offered for both", shared)
	}
}

func TestOrders(t *testing.T) {
	s := New(Options{Size: 600})
	listed := func(order string) (codes []int) {
		for _, row := range readAll(t, s, propertiesPath, "finalidade", "1", "ordenacao", order) {
			code, err := strconv.Atoi(row.key())
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, code)
		}
		return codes
	}
	rows := func(code int) sim.Row {
		i, _ := s.properties.Index(code)
		return s.properties.Rows[i]
	}
	facts := func(code int) facts {
		i, _ := s.properties.Index(code)
		return s.facts(i)
	}
	for order, key := range map[string]func(code int) int64{
		"codigo":          func(code int) int64 { return int64(code) },
		"dataatualizacao": func(code int) int64 { return rows(code).Time },
		"datainclusao":    func(code int) int64 { return facts(code).included },
		"valor":           func(code int) int64 { return int64(facts(code).cents[rent]) },
	} {
		ascending, descending := listed(order+"asc"), listed(order+"desc")
		by := func(a, b int) int { return cmp.Compare(key(a), key(b)) }
		if !slices.IsSortedFunc(ascending, by) || !slices.IsSortedFunc(descending, func(a, b int) int { return by(b, a) }) || len(ascending) < 50 {
			t.Errorf("%s: %v and %v", order, ascending[:5], descending[:5])
		}
	}
	// Without an order, or with one that is not applied, rows come twice and others do not come.
	for _, order := range []string{"", "destaque", "datahoraultimasituacaodesc", "nenhuma"} {
		seen := map[int]bool{}
		loose := listed(order)
		for _, code := range loose {
			seen[code] = true
		}
		if len(seen) == len(loose) {
			t.Errorf("the order %q is stable", order)
		}
	}
}

func TestPages(t *testing.T) {
	t.Run("caps", func(t *testing.T) {
		s := New(Options{Size: 300, Caps: map[string]int{usersPath: 30}})
		if w := send(t, s, usersPath, simtest.Set("numeroPagina", "1", "numeroRegistros", "31")); w.Code != http.StatusNotFound || w.Body.String() != tooLarge("30") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if n := len(readAll(t, s, usersPath)); n != 300 {
			t.Errorf("%d of 300 clients", n)
		}
	})
	t.Run("quantidade", func(t *testing.T) {
		for off, want := range map[int]int{0: 300, -20: 280, 15: 315, -1000: 0} {
			e := read(t, send(t, New(Options{Size: 300, CountOff: off}), usersPath, simtest.Set("numeroPagina", "2", "numeroRegistros", "10")).Body.Bytes())
			if e.Count != want || len(e.Rows) != 10 {
				t.Errorf("off by %d: quantidade is %d with %d rows", off, e.Count, len(e.Rows))
			}
		}
	})
	t.Run("rows that repeat", func(t *testing.T) {
		s := New(Options{Size: 300, Repeat: 3})
		n := came(readAll(t, s, usersPath))
		twice := 0
		for key, times := range n {
			if times > 2 {
				t.Errorf("%s came %d times", key, times)
			}
			if times == 2 {
				twice++
			}
		}
		if len(n) != 300 || twice != 9 {
			t.Errorf("%d clients, %d of them twice", len(n), twice)
		}
	})
	t.Run("switched off", func(t *testing.T) {
		s := New(Options{Size: 50, Off: []string{requestsPath}})
		if w := send(t, s, requestsPath, simtest.Set("a", "b")); w.Code != http.StatusNotFound || w.Body.String() != no+requestsPath+`?a=b'."}` {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		readAll(t, s, usersPath)
		none := New(Options{Size: 50, Off: []string{all}})
		for path, method := range s.paths {
			if w := simtest.Ask(t, none, method.method, path, http.Header{}, ""); w.Code != http.StatusNotFound || !contains(w, "No HTTP resource") {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	})
}

func TestAsked(t *testing.T) {
	s := New(Options{Size: 150})
	streams(t, s)
	asked := s.Asked()
	parents := map[string]int{}
	for ask, n := range asked {
		if n != 1 {
			t.Errorf("%+v was answered %d times", ask, n)
		}
		if ask.Client != 0 && ask.Page == 1 {
			parents[ask.Path]++
		}
	}
	want, known := map[string]int{}, map[string]int{
		"locatario": len(s.Tenants()), "fiador": len(s.Guarantors()), "locador": len(s.Landlords()), "vendedor": len(s.Sellers()),
		"comprador": len(s.Buyers()),
	}
	for role, lists := range clientLists() {
		for _, path := range lists {
			want[path] = known[role]
		}
	}
	if !maps.Equal(parents, want) {
		t.Errorf("parents were asked for %v, want %v", parents, want)
	}
	if n := asked[Ask{Path: usersPath, Size: 100, Page: 2}]; n != 1 {
		t.Errorf("the second page of the clients was asked for %d times", n)
	}
	if n := asked[Ask{Path: propertiesPath, Filter: "finalidade=2&ordenacao=codigoasc&", Size: 20, Page: 1}]; n != 1 {
		t.Errorf("the first page of the properties for sale was asked for %d times: %v", n, asked)
	}
	s.Forget()
	send(t, s, usersPath, simtest.Set("numeroPagina", "1", "numeroRegistros", "1000")) // refused
	if n := len(s.Asked()); n != 0 {
		t.Errorf("%d pages are left", n)
	}
}
