package main

import (
	"bytes"
	"fmt"
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
