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
	const record = `{"type":"RECORD","record":{"stream":"desocuparImovel","data":{"id_externo":"CR1|CR1|1"},"emitted_at":1}}`
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
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			}))
			defer server.Close()
			path := filepath.Join(t.TempDir(), "receipts")
			config := fmt.Appendf(nil, `{"org_url":%q,"receipts_path":%q,"credentials":{"auth_type":"access_token","access_token":"a-token-for-tests"}}`, server.URL, path)
			catalog := &protocol.ConfiguredCatalog{Streams: []protocol.ConfiguredStream{{Stream: protocol.Stream{Name: "desocuparImovel"}}}}
			err := destination.Write(t.Context(), config, catalog, strings.NewReader(record), protocol.NewEmitter(&bytes.Buffer{}))
			if f := fault.Of(err); (err != nil) != c.fails || c.fails && f.Kind != c.kind {
				t.Error(err)
			}
			if receipts, err := os.ReadFile(path); err != nil || strings.Count(string(receipts), `"outcome":"`+c.outcome+`"`) != 1 {
				t.Errorf("%v, %s", err, receipts)
			}
		})
	}
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
