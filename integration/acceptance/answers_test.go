package acceptance

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/dwv"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// front is an API that answers some requests itself, and lets the simulator behind it answer the others.
type front struct {
	sim.Simulator

	answers func(w http.ResponseWriter, r *http.Request) bool
}

func (f front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !f.answers(w, r) {
		f.Simulator.ServeHTTP(w, r)
	}
}

// Listing returns the simulator's.
func (f front) Listing(r *http.Request) (sim.Listing, bool) {
	if l, ok := f.Simulator.(sim.Lister); ok {
		return l.Listing(r)
	}
	return sim.Listing{}, false
}

// behind puts a front before a simulator of its own.
func (f fixture) behind(t *testing.T, answers func(w http.ResponseWriter, r *http.Request) bool, o sim.Options, with sim.Behaviour) *api {
	t.Helper()
	s, err := f.open(o)
	if err != nil {
		t.Fatal(err)
	}
	return f.serve(t, front{s, answers}, with)
}

// TestDWVIgnoresDeleted reads the properties that were not removed, and those that were, from an API that gives all of them both times.
func TestDWVIgnoresDeleted(t *testing.T) {
	t.Parallel()
	f := one(t, "source-dwv")
	for name, faults := range map[string][]sim.PageFault{"all have keys": nil, "some have none": {sim.Keyless(3)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both := func(_ http.ResponseWriter, r *http.Request) bool {
				query := r.URL.Query()
				query.Del("deleted")
				r.URL.RawQuery = query.Encode()
				return false
			}
			a := f.behind(t, both, sim.Options{Size: 150}, sim.Behaviour{Alter: sim.InPages("GET /integration/properties?", faults...)})
			command := harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, "properties"), nil)
			res := f.run(t, a, command, harness.Options{Keyless: faults != nil})
			once(t, res)
			if missing := (listing{stream: "properties"}).missing(a.Listed("GET"), res); res.Code != 0 || len(missing) > 0 || len(res.Rows) != 150 {
				t.Errorf("%d rows came, %d are missing: %s", len(res.Rows), len(missing), res)
			}
		})
	}
}

// TestImoviewPageParameter reads from an API that takes the page's number from pagina and not from numeroPagina.
func TestImoviewPageParameter(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imoview")
	number := func(pagina any) any {
		if pagina == nil || pagina == "" {
			return 1
		}
		return pagina
	}
	rename := func(_ http.ResponseWriter, r *http.Request) bool {
		if query := r.URL.Query(); query.Has("numeroPagina") || query.Has("pagina") {
			query.Set("numeroPagina", fmt.Sprint(number(query.Get("pagina"))))
			r.URL.RawQuery = query.Encode()
		}
		members := map[string]any{}
		if body, err := io.ReadAll(r.Body); err == nil && json.Unmarshal(body, &members) == nil {
			members["numeroPagina"] = number(members["pagina"])
			changed, _ := json.Marshal(members) // what was read can be written
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(changed)), int64(len(changed))
		}
		return false
	}
	for _, l := range listings() {
		if l.connector != f.connector.Name {
			continue
		}
		t.Run(l.stream, func(t *testing.T) {
			t.Parallel()
			a := f.behind(t, rename, sim.Options{Size: l.size}, sim.Behaviour{})
			options, late := within(patience)
			res := l.read(f, t, a, nil, options)
			if late() {
				t.Fatalf("it did not end in %v: %s", patience, res)
			}
			complete.judge(t, full(a, l.stream), res)
		})
	}
}

// TestSnapPropertyTimeouts reads from an organisation that gives up a search of more than ten properties.
func TestSnapPropertyTimeouts(t *testing.T) {
	t.Parallel()
	f := one(t, sourceSnap)
	for _, form := range []string{
		`[{"errorCode":"QUERY_TIMEOUT","message":"Your query request was running for too long."}]`,
		`{"Total":null,"Mensagem":"Erro na pesquisa de imóveis: System.QueryException: QUERY_TIMEOUT","Imoveis":null,"Erro":true}`,
	} {
		t.Run(form[:9], func(t *testing.T) {
			t.Parallel()
			slow := func(a *sim.Answer) {
				sim.InPages("/imovel/pesquisar", func(a *sim.Answer, p *sim.Page) {
					if p.Size <= 10 {
						return
					}
					if a.Replace(http.StatusBadRequest, form); form[0] == '{' {
						a.Status = http.StatusOK
					}
				})(a)
			}
			a := f.start(t, sim.Options{Size: 60}, sim.Behaviour{Alter: slow})
			options, late := within(patience)
			command := harness.Read(a.json(t, map[string]any{"page_size": 50}), f.catalog.Configure(harness.Incremental, "imoveis"), nil)
			res := f.run(t, a, command, options)
			if late() {
				t.Fatalf("it did not end in %v: %s", patience, res)
			}
			complete.judge(t, full(a, "imoveis"), res)
		})
	}
}

// details returns an Alter for the details of DWV's properties: what fault does to the answer for the property of that id.
func details(fault func(a *sim.Answer, id int)) func(*sim.Answer) {
	return func(a *sim.Answer) {
		if id, err := strconv.Atoi(strings.TrimPrefix(a.Request.URL.Path, "/integration/properties/")); err == nil {
			fault(a, id)
		}
	}
}

// noDetail is DWV's answer for a property that it does not have.
func noDetail(a *sim.Answer) {
	a.Replace(http.StatusNotFound, `{"message":"Propriedade não encontrada"}`)
}

// bare is the detail without its envelope.
func bare(a *sim.Answer) {
	var detail struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(a.Body, &detail); err != nil {
		panic(err) // it is the simulator's own answer
	}
	a.Replace(http.StatusOK, string(detail.Data))
}

// detailTrouble is something that is wrong with details.
type detailTrouble struct {
	name  string
	when  func(a *sim.Answer, first bool) bool // first: it is the detail of the first property
	fault func(a *sim.Answer)
	due   due
	gone  bool // the first property has no detail, whatever is asked
}

func detailTroubles() []detailTrouble {
	all := func(*sim.Answer, bool) bool { return true }
	twice := func(a *sim.Answer, _ bool) bool { return a.Attempt <= 2 }
	one := func(_ *sim.Answer, first bool) bool { return first }
	null := func(a *sim.Answer) { a.Replace(http.StatusOK, `{"data":null}`) }
	html := func(a *sim.Answer) { sim.HTML(http.StatusNotFound)(a, nil) }
	another := ""
	return []detailTrouble{
		{"null, twice", twice, null, honest, false},
		{"null for all", all, null, failing, false},
		{"null for one", one, null, honest, true},
		{"404 for all", all, noDetail, failing, false},
		{"404 in HTML for all", all, html, failing, false},
		{"404 for one", one, noDetail, complete, true},
		{"another's, twice", twice, func(a *sim.Answer) {
			another = cmp.Or(another, string(a.Body)) // the first one that is asked for
			a.Replace(http.StatusOK, another)
		}, honest, false},
		{"without envelope", all, bare, complete, false},
		{"one without envelope", one, bare, complete, false},
	}
}

// TestDWVDetails reads the details of properties from an API that answers something else than the detail that was asked for.
func TestDWVDetails(t *testing.T) {
	t.Parallel()
	const stream, size = "property_details", 40
	f := one(t, "source-dwv")
	for _, test := range detailTroubles() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := dwv.New(dwv.Options{Size: size})
			first := firstOf(s.Expect()[stream].Full.Must)
			a := f.serve(t, s, sim.Behaviour{Alter: details(func(a *sim.Answer, id int) {
				if test.when(a, id == first) {
					test.fault(a)
				}
			})})
			options, late := within(patience)
			res := f.run(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, stream), nil), options)
			if late() {
				t.Fatalf("it did not end in %v: %s", patience, res)
			}
			want := full(a, stream)
			if test.gone {
				delete(want[stream].Must, strconv.Itoa(first))
				if res.Code == 0 && len(warnings(res)) == 0 {
					t.Errorf("nobody was told of the one that is missing: %s", res)
				}
			}
			test.due.judge(t, want, res)
			if n := a.Stats().Requests; test.due == complete && n > size+4 {
				t.Errorf("%d requests for %d details", n, size)
			}
		})
	}
}

// judge holds a read against what is due, and the rows that had to come.
func (d due) judge(t *testing.T, want map[string]sim.Keys, res *harness.Result) {
	t.Helper()
	once(t, res)
	switch {
	case d == failing && res.Code == 0, d == complete && res.Code != 0:
		t.Errorf("exit %d: %s", res.Code, res)
	case res.Code == 0:
		compare(t, want, res)
	default:
		for _, failure := range res.Failures {
			readable(t, failure.Message)
		}
	}
	for stream := range want {
		if d == failing && res.Last(stream) == "COMPLETE" {
			t.Errorf("%s is complete: %s", stream, res)
		}
	}
	if t.Failed() {
		t.Log(res)
	}
}

// firstOf returns the lowest of keys that are numbers.
func firstOf(keys map[string]bool) (first int) {
	for key := range keys {
		if n, err := strconv.Atoi(key); err == nil && (first == 0 || n < first) {
			first = n
		}
	}
	return first
}

// TestDWVFewDetails syncs again when one property changed whose detail is not there: it has gone where that of another listed one is, and the
// route is wrong where that is not either.
func TestDWVFewDetails(t *testing.T) {
	t.Parallel()
	const stream = "property_details"
	f := one(t, "source-dwv")
	for name, others := range map[string]bool{"the row has gone": true, "the route is wrong": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := dwv.New(dwv.Options{Size: 40})
			a := f.serve(t, s, sim.Behaviour{})
			catalog := f.catalog.Configure(harness.Incremental, stream)
			first := f.succeed(t, a, harness.Read(a.json(t, nil), catalog, nil))
			s.Settle()
			changed := s.Touch(1)[0]
			a = f.serve(t, s, sim.Behaviour{Alter: details(func(a *sim.Answer, id int) {
				if !others || id == changed {
					noDetail(a)
				}
			})})
			res := f.run(t, a, harness.Read(a.json(t, nil), catalog, first.State()))
			if others != (res.Code == 0) || others && len(warnings(res)) == 0 {
				t.Errorf("exit %d, and a warning was due where it is 0: %s", res.Code, res)
			}
		})
	}
}

// TestChildListings reads listings that each belong to a row of another, with something wrong in one or all of them.
func TestChildListings(t *testing.T) {
	t.Parallel()
	sentence := `{"quantidade":30,"mensagem":"Erro interno"}`
	type child struct{ connector, stream, name string }
	tenants := []child{
		{"source-imoview", "tenant_contracts", "/Locatario/RetornarContratos"}, {"source-imoview", "tenant_inspections", "/Locatario/RetornarVistorias"},
		{"source-imoview", "guarantor_contracts", "/Fiador/App_RetornarContratos"},
		{"source-imoview", "tenant_paid_bills", "/Locatario/RetornarBoletosQuitados"},
	}
	proposals := child{"source-nectarcrm", "oportunidades_propostas", "proposta/opportunity/"}
	fixtures := map[string]fixture{"source-imoview": one(t, "source-imoview"), "source-nectarcrm": one(t, "source-nectarcrm")}
	// first lets a fault happen to the first few requests alone: many children would each be waited for.
	first := func(fault sim.PageFault) func() []sim.PageFault {
		return func() []sim.PageFault {
			left := 5
			return []sim.PageFault{func(a *sim.Answer, p *sim.Page) {
				if left--; left >= 0 {
					fault(a, p)
				}
			}}
		}
	}
	for _, test := range []struct {
		name   string
		faults func() []sim.PageFault
		due    due
		of     []child
	}{
		{"a sentence for a while", first(sim.Instead(200, sentence)), honest, tenants},
		{"null for a while", first(sim.Instead(200, "null")), honest, append(slices.Clip(tenants), proposals)},
		{"a list without envelope", first(sim.Instead(200, "[]")), honest, tenants},
		{"the second page empty once", func() []sim.PageFault { return []sim.PageFault{sim.Once(2, sim.Empty())} }, honest, tenants},
		{"pages that are capped lower", func() []sim.PageFault { return []sim.PageFault{sim.Capped(7)} }, complete, append(slices.Clip(tenants), proposals)},
		{"the last page again", func() []sim.PageFault { return []sim.PageFault{sim.LastAgain()} }, complete, append(slices.Clip(tenants), proposals)},
		{"a total that is a text", func() []sim.PageFault { return []sim.PageFault{sim.TextTotal()} }, complete, tenants},
		{"404 past the end", func() []sim.PageFault { return []sim.PageFault{sim.PastEnd(sim.HTML(404))} }, complete, append(slices.Clip(tenants), proposals)},
	} {
		for _, c := range test.of {
			t.Run(c.connector+" "+c.stream+" "+test.name, func(t *testing.T) {
				t.Parallel()
				f := fixtures[c.connector]
				a := f.start(t, sim.Options{Size: 500}, sim.Behaviour{Alter: sim.InPages(c.name, test.faults()...)})
				options, late := within(patience)
				res := f.run(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, c.stream), nil), options)
				if late() {
					t.Fatalf("it did not end in %v: %s", patience, res)
				}
				test.due.judge(t, full(a, c.stream), res)
			})
		}
	}
}

// TestNectarCRMProposalsAtOnce reads proposals from an API that has none on page -1, which is not documented.
func TestNectarCRMProposalsAtOnce(t *testing.T) {
	t.Parallel()
	f := one(t, "source-nectarcrm")
	streams := []string{"oportunidades", "oportunidades_propostas"}
	for name, none := range map[string]func(a *sim.Answer){
		"an empty list": func(a *sim.Answer) { a.Replace(http.StatusOK, "[]") },
		"a bad request": func(a *sim.Answer) { a.Replace(http.StatusBadRequest, `{"message":"page"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := f.start(t, sim.Options{Size: 150}, sim.Behaviour{Alter: func(a *sim.Answer) {
				if strings.Contains(a.Request.URL.Path, "/proposta/") && a.Request.URL.Query().Get("page") == "-1" {
					none(a)
				}
			}})
			options, late := within(patience)
			res := f.run(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, streams...), nil), options)
			if late() {
				t.Fatalf("it did not end in %v: %s", patience, res)
			}
			d := honest
			if name == "an empty list" {
				d = complete
			}
			d.judge(t, full(a, streams...), res)
		})
	}
}

// TestParentsWithoutKey reads children of rows of which some have no key: nothing is asked for these, and somebody is told.
func TestParentsWithoutKey(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ connector, parents, children, route string }{
		{"source-dwv", "deleted=false", "property_details", "/integration/properties/"},
		{"source-nectarcrm", "GET oportunidades", "oportunidades_propostas", "/crm/api/1/proposta/opportunity/"},
		{"source-imoview", "/Usuario/RetornarTipo3", "tenant_contracts", "codigoCliente="},
	} {
		t.Run(test.connector, func(t *testing.T) {
			t.Parallel()
			f := one(t, test.connector)
			a := f.start(t, sim.Options{Size: 150}, sim.Behaviour{Alter: sim.InPages(test.parents, sim.Keyless(4))})
			res := f.run(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, test.children), nil))
			if res.Code != 0 || len(strangeOnPurpose(warnings(res))) == 0 || len(res.Rows) == 0 {
				t.Errorf("the children of the others were due, and a warning: %s", res)
			}
			for _, r := range a.Log() {
				_, rest, asked := strings.Cut(r.URI, test.route)
				id, _, _ := strings.Cut(strings.ReplaceAll(rest, "?", "&"), "&")
				if _, err := strconv.Atoi(id); asked && err != nil && id != "types" && id != "conditions" && id != "cities" {
					t.Errorf("a row without a key was asked for: %s", r.URI)
				}
			}
		})
	}
}

// TestSnapPropertyPhotoLists reads properties of which one has a list of photos that contradicts itself.
func TestSnapPropertyPhotoLists(t *testing.T) {
	t.Parallel()
	const query = "/services/data/v61.0/query/next"
	f := one(t, sourceSnap)
	part := func(total int, done bool, next string, ids ...string) string {
		rows := make([]string, len(ids))
		for i, id := range ids {
			rows[i] = fmt.Sprintf(`{"Id":%q}`, id)
		}
		link := ""
		if next != "" {
			link = fmt.Sprintf(`,"nextRecordsUrl":%q`, next)
		}
		return fmt.Sprintf(`{"totalSize":%d,"done":%v%s,"records":[%s]}`, total, done, link, strings.Join(rows, ","))
	}
	for name, test := range map[string]struct {
		list string
		more func(n int) string // the answer to the n-th link, from 1
	}{
		"without end": {part(9, false, query+"1", "p0"), func(n int) string {
			return part(9, false, query+strconv.Itoa(n+1), "p"+strconv.Itoa(n))
		}},
		"without end, and without photos": {part(9, false, query+"1", "p0"), func(n int) string { return part(9, false, query+strconv.Itoa(n+1)) }},
		"in a circle":                     {part(9, false, query+"1", "p0"), func(int) string { return part(9, false, query+"1", "p1") }},
		"the same photos again":           {part(9, false, query+"1", "p0"), func(n int) string { return part(9, false, query+strconv.Itoa(n+1), "p0") }},
		"fewer than promised":             {part(5, true, "", "p0"), nil},
		"none of those that are promised": {part(5, true, ""), nil},
		"fewer than promised, in parts":   {part(5, false, query+"1", "p0"), func(int) string { return part(5, true, "", "p1") }},
		"done is false and nothing more":  {part(5, false, "", "p0"), nil},
		"null in the place of photos":     {`{"totalSize":5,"done":true,"records":null}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			links := 0
			pages := sim.InPages("/imovel/pesquisar", func(_ *sim.Answer, p *sim.Page) {
				if p.From == 0 && len(p.Rows) > 0 {
					p.Rows[0] = sim.With(p.Rows[0], "snap_brok__Fotos_de_im_vel__r", test.list)
				}
			})
			a := f.start(t, sim.Options{Size: 60}, sim.Behaviour{Alter: func(a *sim.Answer) {
				if test.more != nil && strings.HasPrefix(a.Request.URL.Path, query) {
					links++
					a.Replace(http.StatusOK, test.more(links))
				}
				pages(a)
			}})
			options, late := within(patience)
			res := f.run(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.Incremental, "imoveis", "fotos"), nil), options)
			if late() {
				t.Fatalf("it did not end in %v, after %d links: %s", patience, links, res)
			}
			if res.Code == 0 && len(warnings(res)) == 0 {
				t.Errorf("nobody was told: %s", res)
			}
			if n := a.Stats().Requests; n > 200 {
				t.Errorf("%d requests were made", n)
			}
			if res.Code == 0 {
				compare(t, full(a, "imoveis"), res)
			}
		})
	}
}

// TestLateRows syncs once while a row that changed ten minutes before the newest one cannot be seen yet, and once when it can.
func TestLateRows(t *testing.T) {
	t.Parallel()
	member := map[string]struct{ name, layout string }{
		"properties": {"last_updated_at", time.DateTime}, "users": {"dataultimaalteracao", "02/01/2006 15:04:05"},
		"lease_contracts": {"dataultimaalteracao", "02/01/2006 15:04:05"}, "condominiums": {"datahoraultimaalteracao", "02/01/2006 15:04:05"},
		"tarefas": {"dataAtualizacao", "2006-01-02T15:04:05.000-0700"}, "contatos": {"dataAtualizacao", "2006-01-02T15:04:05.000-0700"},
	}
	eachListing(t, func(t *testing.T, f fixture, l listing) {
		column, ok := member[l.stream]
		if !ok {
			return // what is asked for next follows from the clock, not from a row
		}
		a := f.start(t, sim.Options{Size: l.size, Set: l.set}, sim.Behaviour{})
		var newest []string
		rows := l.read(f, t, a, nil).Of(l.stream)
		var top time.Time
		for _, row := range rows {
			switch at, _ := moment(row.Mark); {
			case at.After(top):
				top, newest = at, []string{row.Key}
			case at.Equal(top):
				newest = append(newest, row.Key)
			}
		}
		if len(newest) < 2 {
			t.Fatalf("only %d rows have the newest time", len(newest))
		}
		// The newest time of all simulators, less ten minutes.
		before := time.Date(2025, time.November, 3, 18, 20, 0, 0, time.FixedZone("", -3*60*60)).Format(column.layout)
		late := newest[0]

		hide := func(json.RawMessage) json.RawMessage { return nil }
		show := func(row json.RawMessage) json.RawMessage { return sim.With(row, column.name, strconv.Quote(before)) }
		a = f.serve(t, a.simulator, sim.Behaviour{Alter: sim.InPages(l.name, change(late, hide))})
		first := l.read(f, t, a, nil)
		whole(t, l, a.Listed(l.name), first)
		if first.Keys(l.stream)[late] > 0 {
			t.Fatal("the row was seen")
		}
		a = f.serve(t, a.simulator, sim.Behaviour{Alter: sim.InPages(l.name, change(late, show))})
		second := l.read(f, t, a, first.State())
		if second.Code != 0 || second.Keys(l.stream)[late] == 0 {
			t.Errorf("the row did not come: %s", second)
		}
	})
}

// change returns a fault that changes the row of a key in the whole listing, before its first page goes out; nil takes it out.
func change(key string, to func(row json.RawMessage) json.RawMessage) sim.PageFault {
	return func(_ *sim.Answer, p *sim.Page) {
		at := p.All.Find(key)
		if p.Asked > 1 || at < 0 {
			return
		}
		if row := to(p.All.Rows[at]); row != nil {
			p.All.Rows[at] = row
		} else {
			p.All.Remove(at)
		}
		p.Recount()
	}
}
