package snapproperty

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// names returns those of the contract methods.
func names(s *Simulator) []string { return slices.Sorted(maps.Keys(s.methods())) }

// success returns what a method's first order is answered, and what was ordered.
func success(t *testing.T, s *Simulator, method string) (o Order, answer map[string]any, object record) {
	t.Helper()
	orders := s.Orders(method, 1)
	if len(orders) != 1 {
		t.Fatalf("there are no orders for %s", method)
	}
	o = orders[0]
	w := call(t, s, method, envelope(s, o))
	decodeInto(t, w, &answer)
	if w.Code != http.StatusOK || answer["Erro"] != false {
		t.Fatalf("%s: %d %s", method, w.Code, w.Body)
	}
	member := map[bool]string{true: "Imovel", false: "Contrato"}[method == "desocuparImovelIDExterno"]
	object, _ = answer[member].(map[string]any)
	delete(object, "attributes")
	return o, answer, object
}

// is compares an object of an answer with what the vendor's sample shows.
func is(t *testing.T, got record, want map[string]any) {
	t.Helper()
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s is %#v, want %#v", name, got[name], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("the object is %v, want %v", got, want)
	}
}

func newOrganisation() *Simulator {
	c := &clock{time.Date(2026, time.February, 1, 1, 30, 0, 0, time.UTC)} // in São Paulo it is still January
	return New(Options{Size: 500, Now: c.now})
}

const today = "2026-01-31"

func contractOf(t *testing.T, s *Simulator, code string) Contract {
	t.Helper()
	c, ok := s.Contract(code)
	if !ok {
		t.Fatalf("there is no contract %s", code)
	}
	return c
}

func TestCancel(t *testing.T) {
	s := newOrganisation()
	along := map[string]string{}
	for _, o := range s.Orders("cancelar", 20) {
		o.Record[contractNote] = "Desistiu"
		var answer struct{ Contrato record }
		decodeInto(t, call(t, s, "cancelar", envelope(s, o)), &answer)
		delete(answer.Contrato, "attributes")
		c := contractOf(t, s, o.Key)
		is(t, answer.Contrato, map[string]any{
			"snap_brok__Ativo__c": false, contractReason: "Outros", "snap_brok__Faturar__c": false, "snap_brok__Data_encerramento__c": today,
			"snap_brok__Situacao__c": "Cancelado", contractNote: "Desistiu", "snap_brok__Cancelado__c": true, "Id": c.ID,
			"snap_brok__Data_cancelamento__c": today,
		})
		along[c.Kind] = strings.Join(c.Along, " ")
		if c.Situation != "Cancelado" || !c.Cancelled || c.Active || c.Reason != "Outros" || c.Note != "Desistiu" || c.CancelledOn != today {
			t.Errorf("the contract is %+v", c)
		}
	}
	if want := map[string]string{Lease: "locação proposta", Administration: "captação"}; !maps.Equal(along, want) {
		t.Errorf("cancelled along: %v", along)
	}
}

func TestDissolve(t *testing.T) {
	s := newOrganisation()
	o, _, object := success(t, s, "distratarContratoAdministracao")
	c := contractOf(t, s, o.Key)
	is(t, object, map[string]any{
		contractExternal: o.Key, "snap_brok__Ativo__c": false, "snap_brok__Faturar__c": false, "snap_brok__Data_encerramento__c": today,
		"snap_brok__Situacao__c": "Distratado", "Id": c.ID,
	})
	if p, _ := s.Property(c.Properties[0]); p.Situation != "Indisponível" || p.ForRent || c.Situation != "Distratado" || c.Kind != Administration {
		t.Errorf("%+v, %+v", c, p)
	}
}

func TestVacate(t *testing.T) {
	s := newOrganisation()
	o, _, object := success(t, s, "desocuparImovel") // of two properties
	c := contractOf(t, s, o.Key)
	is(t, object, map[string]any{
		contractExternal: o.Key, contractRent: 900.0, "snap_brok__Ativo__c": false, "snap_brok__Faturar__c": false,
		"snap_brok__Data_encerramento__c": today, "snap_brok__Situacao__c": "Encerrado", "Id": c.ID,
	})
	if len(c.Properties) != 2 || c.Situation != "Encerrado" || c.Active || c.Billed || c.Rent != "900.00" || c.Ended != today {
		t.Errorf("%+v", c)
	}
	for _, code := range c.Properties {
		if p, _ := s.Property(code); p.Situation != "Disponivel" || !p.ForRent {
			t.Errorf("%+v", p)
		}
		f := search(t, s, 0, 1, "Id", "AND snap_brok__ID_externo__c = '"+code+"'", "AND LastModifiedDate = TODAY")
		if f.Erro || *f.Total != 1 || f.Imoveis[0].text("snap_brok__Situacao__c") != "Disponivel" {
			t.Errorf("the search does not show it: %v", f)
		}
	}
}

func TestVacateAndDissolve(t *testing.T) {
	s := newOrganisation()
	o, _, object := success(t, s, "desocuparImovelComDistratoAdm")
	c := contractOf(t, s, o.Key)
	is(t, object, map[string]any{
		contractExternal: o.Key, "snap_brok__Ativo__c": false, "snap_brok__Faturar__c": false, "snap_brok__Data_encerramento__c": today,
		"snap_brok__Situacao__c": "Encerrado", "Id": c.ID,
	})
	administration := contractOf(t, s, s.Effects()[0].Changed[2])
	if administration.Kind != Administration || administration.Situation != "Distratado" || !slices.Equal(administration.Properties, c.Properties) {
		t.Errorf("%+v", administration)
	}
	if p, _ := s.Property(c.Properties[0]); p.Situation != "Indisponivel" || p.ForRent {
		t.Errorf("%+v", p)
	}
}

func TestVacateProperty(t *testing.T) {
	s := newOrganisation()
	o, _, object := success(t, s, "desocuparImovelIDExterno")
	p, _ := s.Property(o.Key)
	is(t, object, map[string]any{
		"snap_brok__Administrador_outro_sistema__c": true, propertyExternal: o.Key, "snap_brok__Vistoria__c": false,
		"snap_brok__Situacao__c": "Aguardando aprovação", "Id": p.ID, "snap_brok__Disponivel_locacao__c": false,
	})
	lease := contractOf(t, s, o.Key+"|"+o.Key+"|1")
	if p.Situation != "Aguardando aprovação" || p.ForRent || !p.Elsewhere || p.Surveyed || lease.Situation != "Encerrado" || lease.Active || lease.Ended != today {
		t.Errorf("%+v, %+v", p, lease)
	}
}

func TestExchange(t *testing.T) {
	s := newOrganisation()
	o, answer, _ := success(t, s, "trocarGerente")
	if want := map[string]any{"Mensagem": "Troca de gerência realizada com sucesso", "Erro": false}; !maps.Equal(answer, want) {
		t.Errorf("the answer is %v", answer)
	}
	if p, _ := s.Property(o.Record["id_imovel"]); p.Manager != o.Record["gerente_novo"] {
		t.Errorf("%+v after %v", p, o)
	}
	exchange := func(before, after, property, owner string) string {
		body, err := json.Marshal(map[string]any{"troca": map[string]string{
			"gerente_antigo": before, "gerente_novo": after, "id_imovel": property, "id_proprietario": owner,
		}})
		if err != nil {
			t.Fatal(err)
		}
		return call(t, s, "trocarGerente", string(body)).Body.String()
	}
	managed := func(by string) (properties, contracts int) {
		for _, c := range s.Contracts() {
			if c.Manager == by {
				contracts++
			}
		}
		for i := range 500 {
			if p, ok := s.Property(externalCode(i)); ok && p.Manager == by {
				properties++
			}
		}
		return properties, contracts
	}
	all := s.Managers()
	exchange("", all[3], "", owner(60)) // three properties of one owner
	for _, code := range []string{externalCode(60), externalCode(61), externalCode(62)} {
		if p, _ := s.Property(code); p.Manager != all[3] {
			t.Errorf("%+v", p)
		}
	}
	if c := contractOf(t, s, "CR10060|CR10060|1"); c.Manager != all[3] {
		t.Errorf("the lease is %+v", c)
	}
	before, beforeContracts := managed(all[0])
	after, afterContracts := managed(all[1])
	exchange(all[0], all[1], "", "")
	properties, contracts := managed(all[0])
	if properties != 0 || contracts != 0 || before < 50 || beforeContracts < 20 {
		t.Errorf("the old one has %d properties and %d contracts, and had %d and %d", properties, contracts, before, beforeContracts)
	}
	if properties, contracts := managed(all[1]); properties != before+after || contracts != beforeContracts+afterContracts {
		t.Errorf("the new one has %d properties and %d contracts, not %d and %d", properties, contracts, before+after, beforeContracts+afterContracts)
	}
	for got, want := range map[string]string{
		exchange(all[2], "0", "", ""):         `{"Mensagem":"Não encontrado Id do novo gerente","Imovel":null,"Erro":true}`,
		exchange("", all[2], "", ""):          `{"Mensagem":"Informe ao menos um parâmetro além do novo gerente","Imovel":null,"Erro":true}`,
		exchange("", all[2], "CR1", ""):       `{"Mensagem":"Imóvel não localizado.","Imovel":null,"Erro":true}`,
		exchange(all[0], all[2], "", ""):      `{"Mensagem":"Imóvel não localizado.","Imovel":null,"Erro":true}`,
		exchange("", all[2], "", owner(9999)): `{"Mensagem":"Imóvel não localizado.","Imovel":null,"Erro":true}`,
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestFailures(t *testing.T) {
	s := newOrganisation()
	var signed, unsigned, lease, administration Contract
	for _, c := range s.Contracts() {
		switch {
		case c.Cancelled:
		case !c.Signed:
			unsigned = c
		default:
			signed = c
			if c.Kind == Lease {
				lease = c
			} else {
				administration = c
			}
		}
	}
	contract := func(code, more string) string {
		return `{"contrato":{"snap_brok__Id_externo__c":"` + code + `"` + more + `}}`
	}
	const outros = `,"snap_brok__Motivo_do_cancelamento_op__c":"Outros","snap_brok__Motivo_cancelamento__c":""`
	const rent = `,"snap_brok__Valor_aluguel_corrigido__c":"350.15"`
	if w := call(t, s, "cancelar", contract(unsigned.External, outros)); !strings.Contains(w.Body.String(), `"Erro":false`) {
		t.Fatalf("%s", w.Body)
	}
	for _, c := range []struct{ method, body, want string }{
		{"cancelar", contract("x", outros), "Contrato não localizado."},
		{"cancelar", `{"contrato":{"Id":"` + strings.ToLower(lease.ID[:15]) + `"` + outros + `}}`, "Contrato não localizado."},
		{"cancelar", contract(unsigned.External, outros), "O contrato já consta como cancelado."},
		{"cancelar", contract(signed.External, outros), "O contrato já consta como assinado."},
		{"cancelar", contract(signed.External, strings.ReplaceAll(outros, "Outros", "outros")), "bad value for restricted picklist field: outros"},
		{"distratarContratoAdministracao", contract("CR10001|CR10001|1", ""), "Contrato não encontrado."},
		{"distratarContratoAdministracao", contract(lease.External, ""), "O Contrato deve ser de Administração."},
		{"desocuparImovel", contract("", rent), "Contrato não localizado."},
		{"desocuparImovel", contract(administration.External, rent), "O Contrato deve ser de Locação."},
		{"desocuparImovelComDistratoAdm", contract("CR10004|CR10004|2", rent), "Contrato não localizado."},
		{"desocuparImovelComDistratoAdm", contract(administration.External, rent), "Contrato não localizado."},
		{"desocuparImovelIDExterno", `{"imovel":{"snap_brok__ID_externo__c":"10000"}}`, "Imóvel não localizado."},
		{"desocuparImovelIDExterno", `{"imovel":{"snap_brok__ID_externo__c":"CR10003"}}`, "O Imóvel não possui contrato de Locação."},
	} {
		effects := len(s.Effects())
		member := "Contrato"
		if strings.Contains(c.body, "imovel") {
			member = "Imovel"
		}
		want := `{"Mensagem":"` + c.want + `","` + member + `":null,"Erro":true}`
		if w := call(t, s, c.method, c.body); w.Code != http.StatusOK || w.Body.String() != want || len(s.Effects()) != effects {
			t.Errorf("%s %s: %d %s, want %s", c.method, c.body, w.Code, w.Body, want)
		}
	}
	if got := s.Refusals()[Run{"desocuparImovel", administration.External}]; got != "O Contrato deve ser de Locação." {
		t.Errorf("the refusal is %q", got)
	}
	s = New(Options{Size: 20, QuietFailures: true})
	if w := call(t, s, "distratarContratoAdministracao", contract("x", "")); w.Body.String() != `{"Mensagem":"Contrato não encontrado.","Contrato":null,"Erro":false}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s = New(Options{Size: 20, FailureStatus: 400})
	if w := call(t, s, "distratarContratoAdministracao", contract("x", "")); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"Erro":true`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// By its Id, of 15 or of 18 characters, a contract is the same.
func TestByID(t *testing.T) {
	s := newOrganisation()
	for i, o := range s.Orders("distratarContratoAdministracao", 2) {
		id := contractOf(t, s, o.Key).ID
		w := call(t, s, o.Method, `{"contrato":{"Id":"`+id[:18-3*i]+`"}}`)
		if !strings.Contains(w.Body.String(), `"Id":"`+id+`"`) || s.Runs()[o.Run] != 1 {
			t.Errorf("%s, %v", w.Body, s.Runs())
		}
	}
}

func TestBodies(t *testing.T) {
	s := newOrganisation()
	for _, c := range []struct{ method, body string }{
		{"cancelar", `{"contrato":[{"snap_brok__Id_externo__c":"1"}]}`},
		{"cancelar", `{"contratos":{"snap_brok__Id_externo__c":"1"}}`},
		{"cancelar", `{"contrato":{"snap_brok__Motivo_do_cancelamento_op__c":"Outros"}}`},
		{"cancelar", `{"contrato":{"snap_brok__ID_externo__c":"1","snap_brok__Motivo_do_cancelamento_op__c":"Outros"}}`},
		{"distratarContratoAdministracao", `{"contrato":{"snap_brok__Id_externo__c":"1"},"imovel":{}}`},
		{"distratarContratoAdministracao", `{"contrato":{"snap_brok__Id_externo__c":"1","Id":"a"}}`},
		{"distratarContratoAdministracao", `{"contrato":{"snap_brok__Id_externo__c":1}}`},
		{"distratarContratoAdministracao", `{"contrato":{"snap_brok__Id_externo__c":null}}`},
		{"distratarContratoAdministracao", `{"contrato":{"snap_brok__Id_externo__c":"1","snap_brok__Valor_aluguel_corrigido__c":"1.00"}}`},
		{"desocuparImovel", `{"contrato":{"snap_brok__Id_externo__c":"1","snap_brok__Valor_aluguel_corrigido__c":""}}`},
		{"desocuparImovel", `{"contrato":{"snap_brok__Id_externo__c":"1","snap_brok__Valor_aluguel_corrigido__c":null}}`},
		{"desocuparImovel", `{"contrato":{"snap_brok__Id_externo__c":"1","snap_brok__Valor_aluguel_corrigido__c":350.15}}`},
		{"desocuparImovel", `{"contrato":{"snap_brok__Id_externo__c":"1","snap_brok__Valor_aluguel_corrigido__c":"1.200,40"}}`},
		{"desocuparImovel", `{"contrato":{"snap_brok__Id_externo__c":"1","snap_brok__Valor_aluguel_corrigido__c":"1,200.40"}}`},
		{"desocuparImovelComDistratoAdm", `{"contrato":{"snap_brok__Id_externo__c":"1","snap_brok__Valor_aluguel_corrigido__c":"1200"}}`},
		{"desocuparImovelIDExterno", `{"imovel":{"snap_brok__Id_externo__c":"CR10000"}}`},
		{"desocuparImovelIDExterno", `{"imovel":{}}`},
		{"trocarGerente", `{"troca":{"gerente_novo":"174918","id_imovel":"CR10000"}}`},
		{"trocarGerente", `{"gerente_antigo":"","gerente_novo":"174918","id_imovel":"CR10000","id_proprietario":""}`},
	} {
		if w := call(t, s, c.method, c.body); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "JSON_PARSER_ERROR") {
			t.Errorf("%s %s: %d %s", c.method, c.body, w.Code, w.Body)
		}
	}
	if n := len(s.Effects()); n != 0 {
		t.Errorf("%d effects", n)
	}
}

// A reason and a rent need not be given; a reason that is given is one of the list.
func TestOptionalFields(t *testing.T) {
	s := newOrganisation()
	orders := s.Orders("cancelar", 2)
	for i, c := range []struct{ body, want string }{
		{`{"contrato":{"snap_brok__Id_externo__c":"` + orders[0].Key + `"}}`, `"Erro":false`},
		{`{"contrato":{"snap_brok__Id_externo__c":"` + orders[1].Key + `","snap_brok__Motivo_do_cancelamento_op__c":""}}`, "bad value for restricted picklist"},
	} {
		w := call(t, s, "cancelar", c.body)
		if got := contractOf(t, s, orders[i].Key); !strings.Contains(w.Body.String(), c.want) || strings.Contains(w.Body.String(), contractReason) ||
			got.Cancelled != (i == 0) || got.Reason != "" {
			t.Errorf("%s: %s, %+v", c.body, w.Body, got)
		}
	}
	for _, method := range []string{"desocuparImovel", "desocuparImovelComDistratoAdm"} {
		o := s.Orders(method, 1)[0]
		w := call(t, s, method, `{"contrato":{"snap_brok__Id_externo__c":"`+o.Key+`"}}`)
		if got := contractOf(t, s, o.Key); !strings.Contains(w.Body.String(), `"Erro":false`) || strings.Contains(w.Body.String(), contractRent) ||
			got.Situation != "Encerrado" || got.Rent != "" {
			t.Errorf("%s: %s, %+v", method, w.Body, got)
		}
	}
}

// All orders of all methods can be carried out together, and each takes effect once.
func TestOrders(t *testing.T) {
	s := newOrganisation()
	var orders []Order
	for _, method := range names(s) {
		some := s.Orders(method, 1000)
		if len(some) < 20 {
			t.Errorf("%s has %d orders", method, len(some))
		}
		orders = append(orders, some...)
	}
	touched := map[string]string{}
	for _, o := range orders {
		if w := call(t, s, o.Method, envelope(s, o)); !strings.Contains(w.Body.String(), `"Erro":false`) {
			t.Errorf("%v: %s", o, w.Body)
		}
	}
	for _, e := range s.Effects() {
		for _, code := range e.Changed {
			if by, ok := touched[code]; ok {
				t.Errorf("%s was changed by %s and %s %s", code, by, e.Method, e.Key)
			}
			touched[code] = e.Method
		}
	}
	runs := s.Runs()
	for _, o := range orders {
		if runs[o.Run] != 1 {
			t.Errorf("%v took effect %d times", o, runs[o.Run])
		}
	}
	if len(s.Orders("desocuparImovel", 1)) != 0 {
		t.Error("what was carried out is ordered again")
	}
	call(t, s, orders[len(orders)-1].Method, envelope(s, orders[len(orders)-1]))
	if n := s.Runs()[orders[len(orders)-1].Run]; n != 2 {
		t.Errorf("the second time is counted as %d", n)
	}
}

// A call that is lost took effect or did not, as its kind says, and the caller cannot tell.
func TestLosses(t *testing.T) {
	for _, loss := range AllLosses() {
		s := New(Options{Size: 500, Losses: Losses{Kinds: []Loss{loss}, Every: 2, Limit: 1, Stall: 20 * time.Millisecond}})
		server, err := sim.Start(s, "", sim.Behaviour{})
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		var answers []string
		orders := s.Orders("desocuparImovelIDExterno", 4)
		for _, o := range orders {
			answers = append(answers, sendTo(t, client, server.URL, s, o))
		}
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		runs := s.Runs()
		for i, o := range orders {
			want := 1
			if i == 1 && !loss.Ran() {
				want = 0
			}
			if answered := strings.HasPrefix(answers[i], "200 ") && strings.Count(answers[i], `"Erro":`) == 1 && strings.Contains(answers[i], `"Imovel":{`); runs[o.Run] != want || answered != (i != 1) {
				t.Errorf("%s, call %d: %d times, answer %s", loss, i+1, runs[o.Run], answers[i])
			}
		}
	}
}

// sendTo returns the answer to an order, or the error.
func sendTo(t *testing.T, client *http.Client, address string, s *Simulator, o Order) string {
	t.Helper()
	target, err := url.JoinPath(address, contractPath, o.Method)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(envelope(s, o)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "OAuth "+s.FixedToken())
	r.Header.Set("Content-Type", "application/json")
	res, err := client.Do(r)
	if err != nil {
		return err.Error()
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return err.Error()
	}
	return res.Status + " " + string(body)
}

func TestSetLosses(t *testing.T) {
	s := newOrganisation()
	s.SetLosses(Losses{Kinds: []Loss{RanFailure, Unavailable}})
	orders := s.Orders("trocarGerente", 3)
	first, second := call(t, s, "trocarGerente", envelope(s, orders[0])), call(t, s, "trocarGerente", envelope(s, orders[1]))
	if first.Code != 500 || second.Code != 503 || second.Header().Get("Retry-After") != "1" {
		t.Errorf("%d %s, %d %s", first.Code, first.Body, second.Code, second.Body)
	}
	s.SetLosses(Losses{})
	if w := call(t, s, "trocarGerente", envelope(s, orders[2])); w.Code != 200 || len(s.Effects()) != 2 {
		t.Errorf("%d %s, %v", w.Code, w.Body, s.Effects())
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown loss is taken")
		}
	}()
	s.SetLosses(Losses{Kinds: []Loss{"x"}})
}
