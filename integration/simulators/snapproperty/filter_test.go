package snapproperty

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Filters let through the properties that they are read to, judged by what is in the records.
func TestFilters(t *testing.T) {
	c := newClock()
	s := New(Options{Size: 3000, Now: c.now})
	all := every(t, s, 1000)
	const p = "snap_brok__"
	num := func(r record, name string) (float64, bool) { v, ok := r[p+name].(float64); return v, ok }
	name := func(r record, relation string) string {
		object, _ := r[p+relation].(map[string]any)
		return record(object).text("Name")
	}
	created := func(r record) time.Time {
		v, err := time.Parse("2006-01-02T15:04:05.000-0700", r.text("CreatedDate"))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	at := func(text string) time.Time { v, _ := time.Parse(time.RFC3339, text); return v }
	middle := all[1500].text("Id")
	for _, c := range []struct {
		filters []string
		fits    func(r record) bool
	}{
		{nil, func(record) bool { return true }},
		{[]string{""}, func(record) bool { return true }},
		{[]string{"AND snap_brok__Disponivel_venda__c = true"}, func(r record) bool { return r[p+"Disponivel_venda__c"] == true }},
		{[]string{"AND snap_brok__Disponivel_venda__c <> TRUE"}, func(r record) bool { return r[p+"Disponivel_venda__c"] == false }},
		{[]string{"AND snap_brok__area_privativa__c >= 40"}, func(r record) bool { v, ok := num(r, "area_privativa__c"); return ok && v >= 40 }},
		{[]string{"and snap_brok__dormitorios__c >=2", "AND snap_brok__Suites__c < 2.0"}, func(r record) bool {
			a, ok := num(r, "Dormitorios__c")
			b, ok2 := num(r, "Suites__c")
			return ok && ok2 && a >= 2 && b < 2
		}},
		{[]string{"AND snap_brok__Situacao__c <> 'Indisponível'"}, func(r record) bool { return r.text(p+"Situacao__c") != "Indisponível" }},
		{[]string{"AND snap_brok__Valor_Condominio__c <= 500.00"}, func(r record) bool { v, ok := num(r, "Valor_Condominio__c"); return ok && v <= 500 }},
		{[]string{"AND snap_brok__Tipo_uso_3__r.name IN ('Residencial','Comercial')"}, func(r record) bool {
			return slices.Contains([]string{"Residencial", "Comercial"}, name(r, "Tipo_uso_3__r"))
		}},
		{[]string{"AND snap_brok__Tipo_imovel_2__r.Name NOT IN ( 'Box' , 'Clube' )"}, func(r record) bool {
			return !slices.Contains([]string{"Box", "Clube"}, name(r, "Tipo_imovel_2__r"))
		}},
		{[]string{`AND snap_brok__Cidade_2__r.name = 'santa bárbara D\'oeste'`}, func(r record) bool { return name(r, "Cidade_2__r") == "Santa Bárbara d'Oeste" }},
		{[]string{"AND snap_brok__condominio__r.name = null"}, func(r record) bool { return name(r, "condominio__r") == "" }},
		{[]string{"AND snap_brok__condominio__r.name <> null"}, func(r record) bool { return name(r, "condominio__r") != "" }},
		{[]string{"AND snap_brok__condominio__r.name <> 'Residencial nova alvorada paulista'"}, func(r record) bool {
			return name(r, "condominio__r") != "Residencial nova alvorada paulista"
		}},
		{[]string{"AND snap_brok__Cep_2__r.name = '01310-100'"}, func(r record) bool { return name(r, "Cep_2__r") == "01310-100" }},
		{[]string{"AND snap_brok__ID_externo__c = 'CR10400'"}, func(r record) bool { return r.text(p+"ID_externo__c") == "CR10400" }},
		{[]string{"AND snap_brok__codigo__c = 'I-000639'"}, func(r record) bool { return r.text(p+"codigo__c") == "I-000639" }},
		{[]string{"AND snap_brok__Tipo_uso_3__c = '" + all[0].text(p+"Tipo_uso_3__c") + "'"}, func(r record) bool {
			return r.text(p+"Tipo_uso_3__c") == all[0].text(p+"Tipo_uso_3__c")
		}},
		{[]string{"AND ID > '" + middle + "'"}, func(r record) bool { return r.text("Id") > middle }},
		{[]string{"AND Id >= '" + middle[:15] + "'"}, func(r record) bool { return r.text("Id") >= middle }},
		{[]string{"AND Id <= '" + middle + "'", "AND Id > 'a050B0000000000'"}, func(r record) bool { return r.text("Id") <= middle }},
		{[]string{"AND Id > 'a060B0000000000'"}, func(record) bool { return false }},
		{[]string{"AND CreatedDate >= 2024-01-01T00:00:00Z", "AND CreatedDate < 2024-07-01T00:00:00-03:00"}, func(r record) bool {
			return !created(r).Before(at("2024-01-01T00:00:00Z")) && created(r).Before(at("2024-07-01T03:00:00Z"))
		}},
		{[]string{"AND CreatedDate = LAST_N_DAYS:200"}, func(r record) bool { return !created(r).Before(at("2025-06-29T03:00:00Z")) }},
		{[]string{"AND CreatedDate > TODAY"}, func(record) bool { return false }},
		{[]string{"AND CreatedDate < LAST_N_DAYS:200"}, func(r record) bool { return created(r).Before(at("2025-06-29T03:00:00Z")) }},
		{[]string{"AND (snap_brok__Banheiros__c = 1 OR snap_brok__Banheiros__c = 3)", "AND snap_brok__Vagas__c <> 0"}, func(r record) bool {
			a, _ := num(r, "Banheiros__c")
			b, ok := num(r, "Vagas__c")
			return (a == 1 || a == 3) && (!ok || b != 0)
		}},
		{[]string{"AND (snap_brok__Banheiros__c = 1 OR (snap_brok__Banheiros__c = 3 AND snap_brok__Disponivel_venda__c = true))"}, func(r record) bool {
			a, _ := num(r, "Banheiros__c")
			return a == 1 || a == 3 && r[p+"Disponivel_venda__c"] == true
		}},
		// What stands before the filters is true, so beside an OR nothing else matters.
		{[]string{"OR snap_brok__Banheiros__c = 1", "OR snap_brok__Banheiros__c = 2"}, func(record) bool { return true }},
		{[]string{"AND snap_brok__Banheiros__c = 1 AND snap_brok__Suites__c = 1"}, func(r record) bool {
			a, _ := num(r, "Banheiros__c")
			b, ok := num(r, "Suites__c")
			return a == 1 && ok && b == 1
		}},
	} {
		want := 0
		for _, r := range all {
			if c.fits(r) {
				want++
			}
		}
		f := search(t, s, 0, 1, "Id", c.filters...)
		if f.Erro || *f.Total != want {
			t.Errorf("%q: %v %s, want %d", c.filters, f.Total, f.Mensagem, want)
		}
		if len(c.filters) > 0 && want == len(all) && !strings.HasPrefix(c.filters[0], "OR") && c.filters[0] != "" {
			t.Errorf("%q excludes nothing", c.filters)
		}
	}
	if n := *search(t, s, 0, 1, "Id", "AND snap_brok__Localizacao__Latitude__s < -23.5").Total; n == 0 || n == 3000 {
		t.Errorf("%d are in the south", n)
	}
}

func TestFiltersRefused(t *testing.T) {
	open, closed := New(Options{Size: 20}), New(Options{Size: 20, NoGroups: true, NoModified: true})
	const double = "value of filter criterion for field 'snap_brok__Banheiros__c' must be of type double and should not be enclosed in quotes"
	const dateTime = "value of filter criterion for field 'CreatedDate' must be of type dateTime and should not be enclosed in quotes"
	for _, c := range []struct {
		s       *Simulator
		filters []string
		want    string
	}{
		{open, []string{"snap_brok__area_privativa__c >= 100"}, "unexpected token: '100'"}, // the vendor's own example
		{open, []string{"AND snap_brok__Banheiros__c = 1", "snap_brok__Suites__c = 7"}, "unexpected token: '7'"},
		{open, []string{"AND snap_brok__Banheiros__c = 1", "OR snap_brok__Banheiros__c = 2"}, "unexpected token: 'OR'"},
		{open, []string{"OR snap_brok__Banheiros__c = 1", "AND Id > 'a050B0000000000'"}, "unexpected token: 'AND'"},
		{open, []string{"AND (snap_brok__Banheiros__c = 1 OR snap_brok__Suites__c = 1 AND snap_brok__Vagas__c = 1)"}, "unexpected token: 'AND'"},
		{open, []string{"AND (snap_brok__Banheiros__c = 1"}, "unexpected token: <EOF>"},
		{open, []string{"AND snap_brok__Banheiros__c = 1)"}, "unexpected token: ')'"},
		{open, []string{"AND ()"}, "unexpected token: ')'"},
		{open, []string{"AND"}, "unexpected token: <EOF>"},
		{open, []string{"AND AND snap_brok__Banheiros__c = 1"}, "No such column 'AND'"},
		{open, []string{"AND snap_brok__Banheiros__c"}, "unexpected token: <EOF>"},
		{open, []string{"AND snap_brok__Banheiros__c ="}, "unexpected token: <EOF>"},
		{open, []string{"AND snap_brok__Banheiros__c != 1"}, "no viable alternative at character '!'"},
		{open, []string{"AND snap_brok__Logradouro__c LIKE 'Rua%'"}, "unexpected token: 'LIKE'"},
		{open, []string{"AND snap_brok__Banheiros__c = 1 LIMIT 1"}, "unexpected token: 'LIMIT'"},
		{open, []string{"AND snap_brok__Banheiros__c = '1'"}, double},
		{open, []string{"AND snap_brok__Banheiros__c = um"}, double},
		{open, []string{"AND snap_brok__Banheiros__c > null"}, "unexpected token: 'null'"},
		{open, []string{"AND snap_brok__Disponivel_venda__c > true"}, "invalid operator on boolean field"},
		{open, []string{"AND snap_brok__Disponivel_venda__c = 1"}, "must be of type boolean"},
		{open, []string{"AND snap_brok__Numero__c = 12"}, "must be of type string and should be enclosed in quotes"},
		{open, []string{"AND snap_brok__Cidade_2__r.name = 'Santa Bárbara d'Oeste'"}, "mismatched character '<EOF>' expecting '''"},
		{open, []string{"AND snap_brok__Cidade_2__r.name = 'São Paulo"}, "mismatched character '<EOF>' expecting '''"},
		{open, []string{`AND snap_brok__Cidade_2__r.name = 'São\ Paulo'`}, "invalid string escape sequence"},
		{open, []string{"AND snap_brok__Tipo_uso_3__r.name IN 'Residencial'"}, "unexpected token: 'Residencial'"},
		{open, []string{"AND snap_brok__Tipo_uso_3__r.name IN ()"}, "unexpected token: ')'"},
		{open, []string{"AND snap_brok__Tipo_uso_3__r.name IN ('a' 'b')"}, "unexpected token: 'b'"},
		{open, []string{"AND snap_brok__Tipo_uso_3__r.name NOT LIKE 'a'"}, "unexpected token: 'NOT'"},
		{open, []string{"AND Id > 'abc'"}, "invalid ID field: abc"},
		{open, []string{"AND Id > '" + strings.ToLower(propertyID(15)) + "'"}, "invalid ID field: "},
		{open, []string{"AND Id > a050B0000000000"}, "must be of type id"},
		{open, []string{"AND CreatedDate > '2024-01-01T00:00:00Z'"}, dateTime},
		{open, []string{"AND CreatedDate > 2024-01-01"}, dateTime},
		{open, []string{"AND CreatedDate > 2024-01-01T00:00:00"}, dateTime},
		{open, []string{"AND CreatedDate = LAST_N_DAYS:x"}, dateTime},
		{open, []string{"AND snap_brok__Fotos_de_im_vel__r = null"}, "No such column 'snap_brok__Fotos_de_im_vel__r' on entity"},
		{open, []string{"AND snap_brok__Localizacao__c = null"}, "No such column"},
		{closed, []string{"AND (snap_brok__Banheiros__c = 1)"}, "unexpected token: '('"},
		{closed, []string{"AND LastModifiedDate >= 2024-01-01T00:00:00Z"}, "No such column 'LastModifiedDate' on entity 'snap_brok__Imovel__c'"},
		{closed, []string{"AND SystemModstamp >= 2024-01-01T00:00:00Z"}, "No such column 'SystemModstamp'"},
	} {
		f := search(t, c.s, 0, 10, "Id ASC", c.filters...)
		if !f.Erro || !strings.HasPrefix(f.Mensagem, "Erro na pesquisa de imóveis: Erro na pesquisa de imóveis: ") || !strings.Contains(f.Mensagem, c.want) {
			t.Errorf("%q: %s, want %s", c.filters, f.Mensagem, c.want)
		}
	}
	if f := search(t, closed, 0, 10, "Id ASC", "AND snap_brok__Tipo_uso_3__r.name IN ('Residencial')"); f.Erro {
		t.Errorf("IN without groups: %s", f.Mensagem)
	}
	for order, want := range map[string]string{
		"": "unexpected token: 'LIMIT'", "x": "No such column 'x'", "Id ASCENDING": "unexpected token: 'ASCENDING'", "Id,": "unexpected token: 'LIMIT'",
		"Id NULLS": "unexpected token: <EOF>", "Id ASC; DELETE": "no viable alternative",
	} {
		if f := search(t, open, 0, 10, order); !f.Erro || !strings.Contains(f.Mensagem, want) {
			t.Errorf("order %q: %s", order, f.Mensagem)
		}
	}
}
