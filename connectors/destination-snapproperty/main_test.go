package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/connectortest"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/protocol"
)

func TestConform(t *testing.T) { connectortest.ConformDestination(t, destination) }

func TestGolden(t *testing.T) { connectortest.GoldenDestination(t, destination, "testdata/golden") }

// An order that the first version carried out, and of which its journal tells, is known again: the same order is not sent a second time, though
// a note that is missing goes out no more.
func TestJournalOfTheFirstVersion(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s", r.Method, r.URL) }))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "journal")
	journal := fmt.Sprintf(`{"do":"journal","format":1,"target":%q}
{"do":"run","from":1,"sync":1}
{"do":"begin","call":{"n":1,"operation":"cancelar","about":"id_externo C0","stream":{"name":"cancelar"},"identity":"cancelar YZ6vIDTznL+oa7GWe+pIh8JPZJBra9Z395IZ80Z0hAw"}}
{"do":"end","n":1,"outcome":"done"}
`, server.URL)
	if err := os.WriteFile(path, []byte(journal), 0o600); err != nil {
		t.Fatal(err)
	}
	config := fmt.Appendf(nil, `{"org_url":%q,"journal_path":%q,"credentials":{"auth_type":"access_token","access_token":"a-token-for-tests"}}`, server.URL, path)
	sync := int64(1)
	catalog := &protocol.ConfiguredCatalog{Streams: []protocol.ConfiguredStream{{Stream: protocol.Stream{Name: "cancelar"}, SyncID: &sync}}}
	const record = `{"type":"RECORD","record":{"stream":"cancelar","data":{"id_externo":"C0","motivo":"Outros"},"emitted_at":1}}`
	if err := destination.Write(t.Context(), config, catalog, strings.NewReader(record), protocol.NewEmitter(&bytes.Buffer{})); err != nil {
		t.Error(err)
	}
}

// What an answer means for its order: that it was carried out, that it was rejected, that it goes out again with the next sync, or that nobody
// knows. The sentences of rejections are the vendor's own.
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		answer  string
		outcome string // of the receipt
		kind    fault.Kind
		fails   bool
	}{
		"carried out":       {200, `{"Mensagem":"Sucesso","Contrato":{},"Erro":false}`, "carried_out", 0, false},
		"carried out, 403":  {403, `{"Mensagem":"Sucesso","Contrato":{},"Erro":false}`, "unknown", fault.Config, true},
		"carried out, 404":  {404, `{"Mensagem":"Sucesso","Contrato":{},"Erro":false}`, "unknown", fault.Config, true},
		"carried out, 429":  {429, `{"Mensagem":"Sucesso","Contrato":{},"Erro":false}`, "unknown", fault.Config, true},
		"carried out, 503":  {503, `{"Mensagem":"Sucesso","Contrato":{},"Erro":false}`, "unknown", fault.Config, true},
		"gateway":           {503, `<html>upstream went away</html>`, "unknown", fault.Config, true},
		"not there":         {200, `{"Mensagem":"Contrato não localizado.","Contrato":null,"Erro":true}`, "rejected", 0, false},
		"no lease":          {200, `{"Mensagem":"O Contrato deve ser de Locação.","Contrato":null,"Erro":true}`, "rejected", 0, false},
		"not there, 500":    {500, `{"Mensagem":"Contrato não encontrado.","Contrato":null,"Erro":true}`, "rejected", 0, false},
		"locked and caught": {200, `{"Mensagem":"System.DmlException: first error: UNABLE_TO_LOCK_ROW","Contrato":null,"Erro":true}`, "unknown", fault.Transient, true},
		"caught":            {200, `{"Mensagem":"System.NullPointerException: Attempt to de-reference a null object","Contrato":null,"Erro":true}`, "unknown", fault.Config, true},
		"caught, of an update": {
			200, `{"Mensagem":"Update failed. First exception on row 0; first error: FIELD_CUSTOM_VALIDATION_EXCEPTION, Imóvel sem captação: []","Erro":true}`,
			"unknown", fault.Config, true,
		},
		"carried out, and caught": {200, `{"Mensagem":"System.DmlException: Update failed.","Contrato":{},"Erro":false}`, "unknown", fault.Config, true},
		"not caught, so undone":   {400, `[{"errorCode":"APEX_ERROR","message":"System.NullPointerException: x"}]`, "rejected", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			receipt, err := answered(t, "desocuparImovel", `{"id_externo":"CR1|CR1|1"}`, c.status, c.answer)
			if f := fault.Of(err); (err != nil) != c.fails || c.fails && f.Kind != c.kind {
				t.Error(err)
			}
			if strings.Count(receipt, `"outcome":"`+c.outcome+`"`) != 1 {
				t.Error(receipt)
			}
		})
	}
}

// An answer under Erro: false is held against what the vendor's page has for the method: a sentence of failure, words that are none of success beside no
// contract, or another contract is no success; what an answer leaves out is not held against it.
func TestAnswersOfSuccess(t *testing.T) {
	const (
		code, other = `{"id_externo":"CR1|cr1|1"}`, `"snap_brok__Id_externo__c":"CR1|CR1|2"`
		id, manager = `{"id":"a0l0B00001JoA23"}`, `{"gerente_novo":"1","id_imovel":"2"}`
		fine, doubt = "carried_out", "unknown"
	)
	contract := func(words, contract string) string {
		return fmt.Sprintf(`{"Mensagem":%q,"Contrato":%s,"Erro":false}`, words, contract)
	}
	property := func(words, property string) string {
		return fmt.Sprintf(`{"Mensagem":%q,"Imovel":%s,"Erro":false}`, words, property)
	}
	for i, c := range []struct{ operation, order, answer, outcome, says string }{
		{"cancelar", code, contract("Sucesso", `{"Id":"a3w0b000003DSNFAA4","snap_brok__Situacao__c":"Cancelado"}`), fine, ""},
		{"cancelar", code, contract("Sucesso", `{"snap_brok__Id_externo__c":"CR1|CR1|1"}`), fine, ""},
		{"cancelar", code, contract("Contrato cancelado", `{}`), fine, ""},
		{"cancelar", id, contract("Sucesso", `{"Id":"a0l0B00001JoA23QAF",`+other+`}`), fine, ""},
		{"cancelar", id, contract("Sucesso", `{"Id":"a0l0B00001Joa23QAF"}`), fine, ""}, // of 18 letters, of which capitals say nothing
		{"cancelar", id, contract("Sucesso", `{"Id":"a0l0B00001Joa23"}`), doubt, `Id in Contrato is \"a0l0B00001Joa23\"`},
		{"cancelar", code, contract("Sucesso", `{`+other+`}`), doubt, `snap_brok__Id_externo__c in Contrato is \"CR1|CR1|2\"`},
		{"distratarContratoAdministracao", code, contract("Sucesso", `{"snap_brok__Situacao__c":"Distratado"}`), fine, ""},
		{"desocuparImovel", code, contract("Sucesso", `{"snap_brok__Situacao__c":"encerrado"}`), fine, ""},
		{"desocuparImovelComDistratoAdm", code, contract("Sucesso", `{"snap_brok__Situacao__c":"Encerrado"}`), fine, ""},
		{"desocuparImovelIDExterno", `{"id_externo":"CR1"}`, property("Sucesso", `{"snap_brok__ID_externo__c":"CR1","snap_brok__Situacao__c":"Aguardando aprovacao"}`), fine, ""},
		{"desocuparImovelIDExterno", `{"id_externo":"CR1"}`, property("Sucesso", `{"snap_brok__ID_externo__c":"CR2"}`), doubt, `in Imovel is \"CR2\"`},
		{"trocarGerente", manager, `{"Mensagem":"Troca de gerência realizada com sucesso","Erro":false}`, fine, ""},
		{"trocarGerente", manager, property("Troca de gerência realizada com sucesso", `null`), fine, ""},
		{"trocarGerente", manager, `{"Mensagem":"Gerente trocado","Erro":false}`, fine, ""},
		{"trocarGerente", manager, `{"Erro":false}`, fine, ""},

		{"cancelar", code, contract("Sucesso", `null`), fine, ""},
		{"cancelar", code, `{"Mensagem":"Sucesso","Erro":false}`, fine, ""},
		{"cancelar", code, `{"Erro":false}`, fine, ""},
		{"cancelar", code, `{"Mensagem":"Em análise","Erro":false}`, doubt, `no error and why it was not carried out: Em análise`},
		{"cancelar", code, contract("O contrato já consta como assinado.", `null`), doubt, `já consta como assinado`},
		{"cancelar", code, contract("Contrato não localizado.", `null`), "rejected", `"message":"Contrato não localizado."`},
		{"cancelar", code, contract("Contrato não foi localizado", `null`), "rejected", `não foi localizado`},
		{"distratarContratoAdministracao", code, contract("Contrato não encontrado.", `null`), "rejected", `não encontrado`},
		{"desocuparImovel", code, contract("O Contrato deve ser de Locação.", `null`), "rejected", `deve ser de Locação`},
		{"desocuparImovelComDistratoAdm", code, contract("Contrato não localizado.", `null`), "rejected", `não localizado`},
		{"desocuparImovel", code, contract("Contrato não localizado.", `{}`), doubt, `no error and why it was not carried out: Contrato não localizado.`},
		{"desocuparImovel", code, `{"Mensagem":"Contrato não localizado.","Erro":false}`, doubt, `no error and why`},
		{"desocuparImovelIDExterno", `{"id_externo":"CR1"}`, property("O Imóvel não possui contrato de Locação.", `null`), doubt, `no error and why`},
		{"desocuparImovelIDExterno", `{"id_externo":"CR1"}`, property("Imóvel não localizado.", `null`), doubt, `Imóvel não localizado.`},
		{"trocarGerente", manager, property("Não encontrado Id do novo gerente", `null`), doubt, `no error and why`},
		{"trocarGerente", manager, `{"Mensagem":"Não encontrado Id do novo gerente","Erro":false}`, doubt, `no error and why`},
		{"trocarGerente", manager, property("Imóvel não localizado.", `null`), doubt, `no error and why it was not carried out: Imóvel não localizado.`},
	} {
		t.Run(fmt.Sprint(i, c.operation), func(t *testing.T) {
			receipt, err := answered(t, c.operation, c.order, http.StatusOK, c.answer)
			if f := fault.Of(err); (err != nil) != (c.outcome == doubt) || err != nil && f.Kind != fault.Config {
				t.Error(err)
			}
			if strings.Count(receipt, `"outcome":"`+c.outcome+`"`) != 1 || !strings.Contains(receipt, c.says) {
				t.Errorf("%s: %s", c.answer, receipt)
			}
		})
	}
}

// answered carries out one order, which is answered with that status and text, and returns its receipt.
func answered(t *testing.T, operation, order string, status int, answer string) (receipt string, err error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "receipts")
	config := fmt.Appendf(nil, `{"org_url":%q,"receipts_path":%q,"credentials":{"auth_type":"access_token","access_token":"a-token-for-tests"}}`, server.URL, path)
	catalog := &protocol.ConfiguredCatalog{Streams: []protocol.ConfiguredStream{{Stream: protocol.Stream{Name: operation}}}}
	record := fmt.Sprintf(`{"type":"RECORD","record":{"stream":%q,"data":%s,"emitted_at":1}}`, operation, order)
	err = destination.Write(t.Context(), config, catalog, strings.NewReader(record), protocol.NewEmitter(&bytes.Buffer{}))
	receipts, failed := os.ReadFile(path)
	if failed != nil {
		t.Fatal(failed)
	}
	return string(receipts), err
}

// A field of an operation is not ignored, however it is written.
func TestIgnoreFields(t *testing.T) {
	for name, known := range map[string]bool{
		"snap_brok__Id_externo__c": true, "id externo": true, "Id-Imovel": true, "idImovel": true, "IDIMÓVEL": true, "snap_brok__id_imovel__c": true,
		"Motivo_do_cancelamento_op": true, "motivo cancelamento": true, "Valor_Aluguel_Corrigido__c": true, "ID": true, "gerênte-novo": true,
		"snap_brk__Motivo__c": true, "cidade": false, "snap_brok__Situacao__c": false, "imovel": false, "valor": false,
	} {
		config := fmt.Appendf(nil, `{"org_url":"https://example.my.salesforce.com","ignore_fields":[%q],`+
			`"credentials":{"auth_type":"access_token","access_token":"a-token-for-tests"}}`, name)
		_, err := destination.Discover(t.Context(), config)
		if f := fault.Of(err); (err != nil) != known || known && (f.Kind != fault.Config || !strings.Contains(f.Message, `"ignore_fields[0]"`)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
