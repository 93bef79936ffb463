package snapproperty

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// By Id every property and every photo comes once, whatever the number.
func TestEverythingOnceByID(t *testing.T) {
	const size = 6000
	s := New(Options{Size: size})
	var all, photos []string
	for after := []string(nil); ; after = []string{"AND Id > '" + all[len(all)-1] + "'"} {
		body := send(t, s, http.MethodPost, searchPath, request(0, 1000, "Id ASC", after...)).Body.String()
		page := ids(body, "a05")
		all, photos = append(all, page...), append(photos, ids(body, "a06")...)
		if len(page) < 1000 {
			break
		}
	}
	expect := s.Expect()
	for stream, rows := range map[string][]string{"imoveis": all, "fotos": photos} {
		came := map[string]int{}
		for _, id := range rows {
			came[id]++
		}
		if err := expect[stream].Full.Compare(came); err != nil || len(came) != len(rows) {
			t.Errorf("%s: %d rows with %d Ids: %v", stream, len(rows), len(came), err)
		}
	}
	if len(all) != size || len(photos) != 2*size {
		t.Errorf("%d properties and %d photos", len(all), len(photos))
	}
	if !slices.IsSorted(all) {
		t.Error("the Ids do not rise")
	}
	if slices.IsSortedFunc(all, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }) {
		t.Error("the Ids rise even where case does not count")
	}
}

// ids returns the Ids of an answer that begin with a prefix, found without decoding it.
func ids(body, prefix string) (all []string) {
	for {
		_, rest, ok := strings.Cut(body, `"Id":"`+prefix)
		if !ok {
			return all
		}
		all, body = append(all, prefix+rest[:18-len(prefix)]), rest
	}
}

// Every field of the vendor's page is in a record, with its kind; some records lack it or have null.
func TestRecords(t *testing.T) {
	s := New(Options{Size: 2000})
	all := every(t, s, 500)
	const p = "snap_brok__"
	for names, kind := range map[string]string{
		"Name ID_externo CreatedDate codigo Endereco Logradouro Numero Complemento Quadra Lote Situacao descricao Iframe_tour_virtual Tipo_uso_3 Tipo_imovel_2": "string",
		"area_privativa area_comum area_total Banheiros Score Dormitorios Localizacao__Latitude__s Localizacao__Longitude__s Suites Vagas_cobertas " +
			"Vagas_descobertas Vagas Valor_Condominio Valor_locacao_total Valor_locacao_por_m2 Valor_IPTU Altura_pe_direito Andar Valor_total_condominio " +
			"Valor_desejado_aluguel Valor_mensal_IPTU_rateado Valor_IPTU_total valor_venda Valor_desejado_aluguel_antigo Tempo_vacancia " +
			"Ar_condicionado_parede Ar_condicionado_Split Armarios_embutidos": "float64",
		"Disponivel_locacao Disponivel_venda Servicos_claro Possui_tour_virtual":                                       "bool",
		"Localizacao Fotos_de_im_vel__r Bairro_2__r Cidade_2__r Cep_2__r condominio__r Tipo_uso_3__r Tipo_imovel_2__r": "map[string]interface {}",
	} {
		for name := range strings.FieldsSeq(names) {
			switch {
			case name == "Name" || name == "CreatedDate":
			case strings.HasSuffix(name, "__r") || strings.HasSuffix(name, "__s"):
				name = p + name
			default:
				name = p + name + "__c"
			}
			has := 0
			for _, r := range all {
				v := r[name]
				if v == nil {
					continue
				}
				if has++; fmt.Sprintf("%T", v) != kind {
					t.Fatalf("%s is %#v", name, v)
				}
			}
			if has < len(all)/20 {
				t.Errorf("only %d of %d have %s", has, len(all), name)
			}
			mandatory := map[string]bool{"Name": true, "CreatedDate": true, p + "codigo__c": true, p + "Situacao__c": true, p + "Cidade_2__r": true}
			if kind != "bool" && has == len(all) && !mandatory[name] && !strings.Contains(name, "Bairro") && !strings.Contains(name, "Tipo_") {
				t.Errorf("all have %s", name)
			}
		}
	}
	body := send(t, s, http.MethodPost, searchPath, request(0, 500, "Id ASC")).Body.String()
	for _, form := range []string{`__c":2,`, `__c":2.0,`, `"snap_brok__Complemento__c":null`, `"snap_brok__Localizacao__c":null`, `"done":true`, `"snap_brok__Ordem__c":0`} {
		if !strings.Contains(body, form) {
			t.Errorf("no record has %s", form)
		}
	}
	if strings.Contains(body, "LastModifiedDate") || strings.Contains(body, "SystemModstamp") {
		t.Error("times of change are returned")
	}
	shown := search(t, New(Options{Size: 5, ShowModified: true}), 0, 5, "Id").Imoveis[0]
	if !strings.HasSuffix(shown.text("LastModifiedDate"), ".000+0000") || shown["SystemModstamp"] != nil {
		t.Errorf("shown: %v", shown)
	}
	relation, want := all[0]["snap_brok__Tipo_uso_3__r"].(map[string]any), []string{"Id", "Name", "attributes"}
	if got := slices.Sorted(maps.Keys(relation)); !slices.Equal(got, want) || relation["Id"] != all[0]["snap_brok__Tipo_uso_3__c"] {
		t.Errorf("an object referred to is %v", relation)
	}
}

func TestOffsetCeiling(t *testing.T) {
	s := New(Options{Size: 2500})
	if f := search(t, s, 2000, 600, "Id ASC"); f.Erro || len(f.Imoveis) != 500 || *f.Total != 2500 {
		t.Errorf("Offset 2000: %d rows, %v", len(f.Imoveis), f.Mensagem)
	}
	w := send(t, s, http.MethodPost, searchPath, request(2001, 5, "Id ASC"))
	want := `{"Total":null,"Mensagem":"Erro na pesquisa de imóveis: Erro na pesquisa de imóveis: NUMBER_OUTSIDE_VALID_RANGE: Maximum SOQL offset allowed ` +
		`for apiName snap_brok__Imovel__c is 2000 - linha: 493 na linha 502","Imoveis":null,"Erro":true}`
	if w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if f := search(t, s, 0, 2001, "Id ASC"); !f.Erro {
		t.Error("2,001 rows at once")
	}
}

// Where there is no paging by Id, windows of time reach everything but what was created in one second.
func TestWindowsOfCreation(t *testing.T) {
	s := New(Options{Size: 6000, NoIdOrder: true, Burst: 2500})
	if f := search(t, s, 0, 10, "Id ASC", "AND Id > '"+propertyID(5)+"'"); !f.Erro || !strings.Contains(f.Mensagem, "unexpected token: '>'") {
		t.Errorf("a comparison of Id: %v", f.Mensagem)
	}
	if f := search(t, s, 0, 10, "Id ASC", "AND Id = '"+propertyID(5)[:15]+"'"); f.Erro || len(f.Imoveis) != 1 {
		t.Errorf("an equation of Id: %v", f.Mensagem)
	}
	total, far := 0, 0
	for year := 2015; year < 2026; year++ {
		window := []string{fmt.Sprintf("AND CreatedDate >= %d-01-01T00:00:00Z", year), fmt.Sprintf("AND CreatedDate < %d-01-01T00:00:00Z", year+1)}
		n := *search(t, s, 0, 1, "Id", window...).Total
		if total += n; n > 2000 {
			far++
		}
	}
	burst := search(t, s, 0, 1, "Id", "AND Id = '"+propertyID(3000)+"'").Imoveis[0].text("CreatedDate")
	f := search(t, s, 0, 1, "Id", "AND CreatedDate = "+strings.Replace(burst, "+0000", "Z", 1))
	if total != 6000 || far != 1 || *f.Total != 2500 {
		t.Errorf("%d properties, %d years with too many, %d in a second", total, far, *f.Total)
	}
	if f := search(t, New(Options{Size: 20, NoCreated: true}), 0, 10, "Id", "AND CreatedDate > 2020-01-01T00:00:00Z"); !f.Erro {
		t.Error("CreatedDate is accepted")
	}
}

// What the order leaves open is another way each time.
func TestUnstableOrder(t *testing.T) {
	s := New(Options{Size: 500})
	same := func(order string) bool {
		return slices.Equal(search(t, s, 0, 100, order).ids(), search(t, s, 0, 100, order).ids())
	}
	for order, want := range map[string]bool{
		"Id ASC": true, "Id DESC": true, "snap_brok__Banheiros__c ASC": false, "snap_brok__Banheiros__c DESC NULLS LAST, Id": true, "CreatedDate desc , id": true,
	} {
		if same(order) != want {
			t.Errorf("%s: twice the same is %v", order, !want)
		}
	}
	values := search(t, s, 0, 500, "snap_brok__Valor_IPTU__c DESC NULLS LAST").Imoveis
	names := search(t, s, 0, 500, "snap_brok__Disponivel_venda__c DESC, snap_brok__Logradouro__c").Imoveis
	byName := func(a, b record) int {
		if sold := a["snap_brok__Disponivel_venda__c"]; sold != b["snap_brok__Disponivel_venda__c"] {
			return map[any]int{true: -1, false: 1}[sold]
		}
		return strings.Compare(strings.ToLower(a.text("snap_brok__Logradouro__c")), strings.ToLower(b.text("snap_brok__Logradouro__c")))
	}
	if !slices.IsSortedFunc(names, byName) {
		t.Error("truths and texts are not in order, or nulls are not first")
	}
	last := math.Inf(1)
	for _, r := range values {
		v, ok := r["snap_brok__Valor_IPTU__c"].(float64)
		if !ok {
			v = -1
		}
		if v > last {
			t.Fatalf("%v after %v", v, last)
		}
		last = v
	}
}

func TestHeap(t *testing.T) {
	s := New(Options{Size: 5000})
	w := send(t, s, http.MethodPost, searchPath, request(0, 2000, "Id ASC"))
	if w.Code != http.StatusInternalServerError || !strings.HasPrefix(w.Body.String(), `[{"message":"System.LimitException: Apex heap size too large: `) ||
		!strings.HasSuffix(w.Body.String(), `","errorCode":"APEX_ERROR"}]`) {
		t.Errorf("%d %.200s", w.Code, w.Body)
	}
	s = New(Options{Size: 500, Heap: 100_000})
	for rows, want := range map[int]int{200: 500, 100: 500, 10: 200} {
		if w := send(t, s, http.MethodPost, searchPath, request(0, rows, "Id ASC")); w.Code != want {
			t.Errorf("%d rows: %d", rows, w.Code)
		}
	}
}

func TestSlow(t *testing.T) {
	s := New(Options{Size: 50, Slow: 20})
	for rows, want := range map[int]string{20: `"Erro":false`, 21: `[{"message":"Your query request was running for too long.","errorCode":"QUERY_TIMEOUT"}]`} {
		if w := send(t, s, http.MethodPost, searchPath, request(0, rows, "Id ASC")); !strings.Contains(w.Body.String(), want) || (w.Code == 200) != (rows == 20) {
			t.Errorf("%d rows: %d %.200s", rows, w.Code, w.Body)
		}
	}
}

func TestPhotosInParts(t *testing.T) {
	s := New(Options{Size: 100, PhotosAtOnce: 2})
	var photos []record
	for _, r := range every(t, s, 50) {
		for _, photo := range r.photos() {
			if photo.text("snap_brok__Imovel__c") != r.text("Id") {
				t.Errorf("the photo %v is in %s", photo, r.text("Id"))
			}
		}
		list, _ := r["snap_brok__Fotos_de_im_vel__r"].(map[string]any)
		for list != nil {
			photos = append(photos, records(list["records"])...)
			next, more := list["nextRecordsUrl"].(string)
			if more == list["done"].(bool) {
				t.Fatalf("done is %v: %v", list["done"], list)
			}
			if list = nil; more {
				w := send(t, s, http.MethodGet, next, "")
				if w.Code != http.StatusOK {
					t.Fatalf("%s: %d %s", next, w.Code, w.Body)
				}
				decodeInto(t, w, &list)
			}
		}
	}
	if err := s.Expect()["fotos"].Full.Compare(counts(photos)); err != nil || len(photos) != 200 {
		t.Errorf("%d photos: %v", len(photos), err)
	}
	for _, wrong := range []string{queryID(6) + "-3", queryID(6) + "-0", queryID(6), "x-2", queryID(999) + "-2"} {
		if w := send(t, s, http.MethodGet, queryPath+wrong, ""); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "INVALID_QUERY_LOCATOR") {
			t.Errorf("%s: %d %s", wrong, w.Code, w.Body)
		}
	}
	body := send(t, New(Options{Size: 100, PhotosAtOnce: 2, NoNextPhotos: true}), http.MethodPost, searchPath, request(0, 50, "Id")).Body.String()
	if !strings.Contains(body, `"done":false`) || strings.Contains(body, "nextRecordsUrl") {
		t.Error("the way to the other photos is told, or none are left out")
	}
}

func TestCities(t *testing.T) {
	s := New(Options{Size: 300})
	var answer struct {
		Total    int
		Mensagem string
		Erro     bool
		Cidades  []record `json:"cidades"`
	}
	decodeInto(t, send(t, s, http.MethodGet, citiesPath, ""), &answer)
	want := map[string]bool{}
	for _, r := range every(t, s, 200, "AND snap_brok__Disponivel_locacao__c = true") {
		want[record(r["snap_brok__Cidade_2__r"].(map[string]any)).text("Id")] = true
	}
	if err := s.Expect()["cidades"].Full.Compare(counts(answer.Cidades)); err != nil || answer.Total != len(want) || answer.Erro {
		t.Errorf("%v, %v; %d cities have properties for rent", answer, err, len(want))
	}
}

func TestPrevious(t *testing.T) {
	s := New(Options{Size: 100})
	ask := func(body string) (found, bool) {
		r := httptest.NewRequest(http.MethodPost, searchPath, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+s.FixedToken())
		r.Header.Set("Content-Type", "application/json")
		before, ok := s.Previous(r)
		if !ok {
			before = r // whose body must still be there
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, before)
		var f found
		decodeInto(t, w, &f)
		return f, ok
	}
	first := search(t, s, 0, 10, "Id").ids()
	second := search(t, s, 0, 10, "Id", "AND Id > '"+first[9]+"'").ids()
	for body, want := range map[string][]string{
		request(0, 10, "Id"):                                  nil,
		request(10, 10, "Id"):                                 nil,
		request(0, 10, "Id", "AND Id > '"+first[9]+"'"):       first,
		request(0, 10, "Id", "AND Id > '"+second[9]+"'"):      second,
		request(0, 10, "Id", "AND Id > '"+first[9][:15]+"' "): first,
	} {
		f, ok := ask(body)
		if ok != (want != nil) || f.Imoveis == nil || ok && !slices.Equal(f.ids(), want) {
			t.Errorf("%s: %v %v", body, ok, f.ids())
		}
	}
}

// Properties that come and go while they are read may be missing, and all others come.
func TestDrift(t *testing.T) {
	s := New(Options{Size: 300, Append: 2, Vanish: 1, DriftPages: 5})
	came := counts(every(t, s, 30))
	if err := s.Expect()["imoveis"].Full.Compare(came); err != nil {
		t.Error(err)
	}
	if n := len(s.Expect()["imoveis"].Full.May); n != 15 {
		t.Errorf("%d properties may come", n)
	}
	if n := len(every(t, s, 100)); n != 305 {
		t.Errorf("%d properties at last", n)
	}
}

func TestSearches(t *testing.T) {
	s := New(Options{Size: 100, Heap: 40_000})
	for _, body := range []string{request(5, 2, "Id ASC", "AND Id <> null"), request(2001, 2, "Id ASC"), request(0, 90, "Id")} {
		send(t, s, http.MethodPost, searchPath, body)
	}
	want := []Search{
		{Offset: 5, Rows: 2, Filters: []string{"AND Id <> null"}, Order: "Id ASC", Total: 100, Came: 2},
		{Offset: 2001, Rows: 2, Order: "Id ASC"}, {Rows: 90, Order: "Id", Total: 100},
	}
	for i, got := range s.Searches() {
		if failed := got.Failed != ""; failed != (i > 0) {
			t.Errorf("search %d: %q", i, got.Failed)
		}
		if got.Failed = ""; !reflect.DeepEqual(got, want[i]) {
			t.Errorf("search %d: %+v, want %+v", i, got, want[i])
		}
	}
}

func TestFitting(t *testing.T) {
	s := New(Options{Size: 300})
	const condition = "AND (snap_brok__Disponivel_venda__c = true OR snap_brok__Dormitorios__c >= 4)"
	fitting := s.Fitting(condition)
	came := every(t, s, 200, condition)
	var photos []record
	for _, r := range came {
		photos = append(photos, r.photos()...)
	}
	if err := fitting["imoveis"].Compare(counts(came)); err != nil || len(came) == 0 || len(came) == 300 {
		t.Errorf("%d properties: %v", len(came), err)
	}
	if err := fitting["fotos"].Compare(counts(photos)); err != nil {
		t.Error(err)
	}
}
