package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/connectortest"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/spec"
	snapproperty "github.com/imob-data/airbyte-connectors/specs/source-snapproperty"
)

func TestConform(t *testing.T) { connectortest.Conform(t, source) }

func TestGolden(t *testing.T) { connectortest.Golden(t, source, "testdata/golden") }

// The fields that SnapProperty documents, by stream, with its own words for their types.
func TestEveryDocumentedFieldIsDeclared(t *testing.T) {
	var documented map[string]map[string]string
	data, err := os.ReadFile("testdata/seed_fields.json")
	if err == nil {
		err = json.Unmarshal(data, &documented)
	}
	if err != nil || len(documented) != 3 || len(documented["imoveis"]) != 55 || len(documented["fotos"]) != 7 {
		t.Fatalf("%d streams, %d and %d fields, %v", len(documented), len(documented["imoveis"]), len(documented["fotos"]), err)
	}
	types := map[string]string{
		"String": "string", "Número": "number", "Boolean": "boolean", "Datetime": "string date-time timestamp_with_timezone",
		"Array": "object", // of Salesforce, with the array in it
	}
	count := regexp.MustCompile(`__(Andar|Ar_condicionado_.*|Armarios_embutidos|Banheiros|Dormitorios|Ordem|Suites|Tempo_vacancia|Vagas.*)__c$`)
	schemas := load(t)
	for stream, fields := range documented {
		for name, kind := range fields {
			want := "null " + types[kind]
			if kind == "Número" && count.MatchString(name) {
				want += " integer"
			}
			if name == "Id" {
				want = types[kind]
			}
			if got := schemas(stream).at(name).kind(); got != want {
				t.Errorf("%s.%s is %q, not %q", stream, name, got, want)
			}
		}
	}
}

// A photo is the same thing as a row and inside of its property.
func TestPhotosAreTheSameInBothStreams(t *testing.T) {
	schemas := load(t)
	inside := schemas("imoveis").at("snap_brok__Fotos_de_im_vel__r.records").Items
	row := schemas("fotos")
	if inside == nil || len(row.Properties) != len(inside.Properties)+2 || row.at("LastModifiedDate").kind() == "" {
		t.Fatalf("%d fields as a row, which has LastModifiedDate and _unparsed too", len(row.Properties))
	}
	for name, field := range inside.Properties {
		if as := row.at(name); strings.TrimPrefix(field.kind(), "null ") != strings.TrimSuffix(strings.TrimPrefix(as.kind(), "null "), " integer") {
			t.Errorf("%s is %q inside of the property and %q as a row", name, field.kind(), as.kind())
		}
	}
}

// The rest of a property's photos is asked for again where it is that of another one, which a photo names by an Id of 15 or 18 characters.
func TestPhotosOfAnotherProperty(t *testing.T) {
	const property, other = "a01000000000001AAA", "a01000000000002AAA"
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := `{"Total":1,"Erro":false,"Imoveis":[{"Id":"` + property + `","snap_brok__Fotos_de_im_vel__r":{"totalSize":2,"done":false,` +
			`"nextRecordsUrl":"/rest","records":[{"Id":"p01","snap_brok__Imovel__c":"` + property[:15] + `"}]}}]}`
		if r.URL.Path == "/rest" {
			of := property
			if asked++; asked == 1 {
				of = other
			}
			answer = `{"totalSize":2,"done":true,"records":[{"Id":"p02","snap_brok__Imovel__c":"` + of + `"}]}`
		}
		_, _ = io.WriteString(w, answer) // fails when the connector hangs up
	}))
	defer server.Close()
	var out bytes.Buffer
	emitter := protocol.NewEmitter(&out)
	catalog := &protocol.ConfiguredCatalog{Streams: []protocol.ConfiguredStream{
		{Stream: protocol.Stream{Name: "fotos"}, SyncMode: protocol.FullRefresh},
	}}
	emitter.Configure(catalog)
	config := []byte(`{"org_url":"` + server.URL + `","credentials":{"auth_type":"access_token","access_token":"a-token-for-tests"}}`)
	if err := errors.Join(source.Read(t.Context(), config, catalog, nil, emitter), emitter.Close()); err != nil {
		t.Fatal(err)
	}
	for _, photo := range []string{"p01", "p02"} {
		if !regexp.MustCompile(`"Id":"` + photo + `".*"snap_brok__Imovel__c":"` + property + `"`).Match(out.Bytes()) {
			t.Errorf("%s is not of its property: %s", photo, &out)
		}
	}
	if asked != 2 {
		t.Errorf("the rest was asked for %d times", asked)
	}
}

// A check gets a token and asks for the first page of what the filters let through, which may be nothing.
func TestCheck(t *testing.T) {
	const (
		filter   = "AND snap_brok__Situacao__c <> 'Indisponível'"
		found    = `{"Total":0,"Mensagem":"Pesquisa realizada com sucesso","Imoveis":[],"Erro":false}`
		unknown  = `{"Total":null,"Mensagem":"Erro na pesquisa de imóveis: No such column","Imoveis":null,"Erro":true}`
		noAccess = `[{"errorCode":"FORBIDDEN","message":"You do not have access to the Apex class named: ImovelRest"}]`
	)
	for name, tt := range map[string]struct {
		assertion string
		status    int
		answer    string
		want      string // in the sentence; "": it works
	}{
		"nothing found":  {"right", 200, found, ""},
		"wrong token":    {"wrong", 200, found, `Getting an access token failed: the token endpoint refused it (invalid_grant), `},
		"unknown field":  {"right", 200, unknown, "SnapProperty refused the request: Erro na pesquisa de imóveis: No such column. Check"},
		"no package":     {"right", 404, `[{"errorCode":"NOT_FOUND","message":"Could not find a match for URL"}]`, "Check org_url"},
		"no permissions": {"right", 403, noAccess, "is not allowed (403)"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				const search = `{"Filtros":["` + filter + `"],"Offset":0,"Ordenacao":"Id ASC","RegistrosPagina":200}`
				status, answer := tt.status, tt.answer
				switch {
				case r.URL.Path == "/token" && strings.Contains(string(body), "assertion=right"):
					status, answer = 200, `{"access_token":"a-token-for-tests","token_type":"Bearer"}`
				case r.URL.Path == "/token":
					status, answer = 400, `{"error":"invalid_grant","error_description":"invalid assertion"}`
				case r.URL.Path != "/services/apexrest/snap_brok/imovel/pesquisar" || r.Header.Get("Authorization") != "Bearer a-token-for-tests",
					string(body) != search:
					t.Errorf("%s %s %s", r.Method, r.URL, body)
				}
				w.WriteHeader(status)
				_, _ = io.WriteString(w, answer) // fails when the connector hangs up
			}))
			defer server.Close()
			connectortest.Check(t, source, map[string]any{
				"org_url": server.URL, "token_url": server.URL + "/token", "filters": []string{filter},
				"credentials": map[string]string{"auth_type": "assertion", "assertion": tt.assertion},
			}, tt.want)
		})
	}
}

func TestFilters(t *testing.T) {
	s, err := spec.Load(snapproperty.Files)
	if err != nil {
		t.Fatal(err)
	}
	validate := func(filters ...string) error {
		config, err := json.Marshal(map[string]any{
			"org_url": "https://example.my.salesforce.com", "filters": filters,
			"credentials": map[string]string{"auth_type": "access_token", "access_token": "a-token-for-tests"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return s.Validate(config)
	}
	for _, filter := range []string{
		// SnapProperty's own examples.
		"AND snap_brok__Disponivel_locacao__c = TRUE",
		"snap_brok__area_privativa__c >= 100",
		"AND snap_brok__Disponivel_venda__c = true",
		"AND snap_brok__Banheiros__c >= 1",
		"AND snap_brok__area_privativa__c >= 40",
		"AND snap_brok__Dormitorios__c >=2",
		"AND snap_brok__Situacao__c <> 'Indisponível'",
		"AND snap_brok__Suites__c >= 1",
		"AND snap_brok__Vagas__c >= 1",
		"AND snap_brok__Valor_Condominio__c <= 500.00",
		"AND snap_brok__Valor_locacao_total__c <= 2000.00",
		"AND snap_brok__Valor_IPTU__c > 20",
		"AND snap_brok__Tipo_uso_3__r.name IN ('Residencial','Comercial')",
		"AND snap_brok__Tipo_imovel_2__r.name NOT IN ('Box','Clube')",
		"AND snap_brok__Bairro_2__r.name = 'Bela Vista'",
		"AND snap_brok__Cidade_2__r.name = 'São Paulo'",
		"AND snap_brok__condominio__r.name = 'Residencial nova alvorada paulista'",
		"AND snap_brok__Valor_desejado_aluguel__c >= 1.000",
		"snap_brok__ID_externo__c = 'CR25000'",
		"snap_brok__codigo__c = 'I-000639'",
		"snap_brok__area_total__c >= 100",
		"snap_brok__Banheiros__c = 1",
		"snap_brok__Localizacao__Latitude__s = -23.567124500000000",
		"snap_brok__Localizacao__Longitude__s = -46.649992300000000",
		"AND snap_brok__Cep_2__r.name = '01310-100'",
		"snap_brok__Situacao__c = 'Contrato gerado'",
		"snap_brok__Valor_Condominio__c = 240.00",
		"snap_brok__Valor_locacao_total__c = 1840.00",
		"snap_brok__Valor_locacao_por_m2__c >= 39.00",
		"snap_brok__Valor_IPTU__c > 50",
		"snap_brok__Andar__c = 3",
		"snap_brok__Valor_desejado_aluguel__c >= 1000.00",
		"snap_brok__valor_venda__c > 250000.00",
		// Operators, names and blanks.
		"OR snap_brok__Banheiros__c = 1",
		"or snap_brok__Banheiros__c < 1",
		" \t And\tsnap_brok__Banheiros__c=1\n",
		"Id > 'a050B00000fnHxDQAU'",
		"and ID<>'a050B00000fnHxDQAU'",
		"Name = 'x'",
		"Owner.Profile.Name = 'x'",
		"AND snap_brok__Tipo_uso_3__r.name not  in('Residencial' , 'Comercial' )",
		"AND_field__c = 1",
		"\u00a0AND\u00a0snap_brok__Banheiros__c\u202f>=\u20071\u00a0",
		"AND snap_brok__Situacao__c = 'Contrato\u00a0gerado'",
		// Values.
		"AND snap_brok__condominio__r.name = null",
		"AND snap_brok__condominio__r.name <> NULL",
		"AND snap_brok__Servicos_claro__c = False",
		"AND snap_brok__Score__c > -1",
		`AND snap_brok__Cidade_2__r.name = 'Santa Bárbara d\'Oeste'`,
		`AND snap_brok__Complemento__c = 'a\\'`,
		"AND snap_brok__Complemento__c = ''",
		"AND snap_brok__Complemento__c = 'Bloco (A); AND 1 = 1 -- \"fundos\"'",
		"AND snap_brok__Data__c > 2026-01-01",
		"AND CreatedDate >= 2026-01-01T00:00:00Z",
		"AND CreatedDate >= 2026-01-01T00:00:00.000+00:00",
		"AND CreatedDate < 2026-12-31T23:59:59-03:00",
		"AND CreatedDate = TODAY",
		"AND CreatedDate = LAST_N_DAYS:7",
		"AND CreatedDate >= N_FISCAL_QUARTERS_AGO:2",
		"AND CreatedDate = LAST_90_DAYS",
		"AND CreatedDate > A_LITERAL_OF_TOMORROW:3", // which ones there are, Salesforce knows
		"AND CreatedDate IN (TODAY, 2026-01-01, THIS_FISCAL_YEAR)",
		"AND snap_brok__Vagas__c IN (1,2.0, -3)",
		// As they are copied from a page.
		"AND\u00a0snap_brok__Cep_2__r.name\u00a0=\u00a0'01310-100'",
		"snap_brok__Situacao__c = 'Contrato\u00a0gerado'",
	} {
		if err := validate(filter); err != nil {
			t.Errorf("%q: %v", filter, err)
		}
	}
	for _, filter := range []string{
		"",
		" ",
		"AND",
		"AND snap_brok__Banheiros__c",
		"snap_brok__Valor_desejado_aluguel__c =", // printed so by SnapProperty
		"snap_brok__Situacao__c = 'Contrato gerado'.",
		"AND = 1",
		"AND AND snap_brok__Banheiros__c = 1",
		"NOT snap_brok__Banheiros__c = 1",
		"ANDsnap_brok__Banheiros__c 1",
		"XOR snap_brok__Banheiros__c = 1",
		"2snap__c = 1",
		"snap-brok = 1",
		".name = 'x'",
		"snap_brok__Cidade_2__r. = 'x'",
		"snap_brok__Cidade_2__r..name = 'x'",
		"snap_brok__Banheiros__c != 1",
		"snap_brok__Banheiros__c == 1",
		"snap_brok__Banheiros__c => 1",
		"snap_brok__Banheiros__c < > 1",
		"snap_brok__Logradouro__c LIKE 'Rua%'",
		"snap_brok__Banheiros__c = um",
		"snap_brok__Banheiros__c = 1,5",
		"snap_brok__Banheiros__c = .5",
		"snap_brok__Banheiros__c = 1.",
		"snap_brok__Banheiros__c = - 1",
		"snap_brok__Cidade_2__r.name = São Paulo",
		"snap_brok__Cidade_2__r.name = \"São Paulo\"",
		"snap_brok__Cidade_2__r.name = ‘São Paulo’",
		"snap_brok__Cidade_2__r.name = 'São Paulo",
		"snap_brok__Cidade_2__r.name = 'Santa Bárbara d'Oeste'",
		`snap_brok__Cidade_2__r.name = 'a\'`,
		`snap_brok__Cidade_2__r.name = 'a\ b'`,
		"CreatedDate > 2026-13-01",
		"CreatedDate > 2026-01-01T00:00:00",
		"CreatedDate > 2026-01-01T25:00:00Z",
		"CreatedDate > 2026-01-01 00:00:00Z",
		"CreatedDate > 01/01/2026",
		"CreatedDate = someday",
		"CreatedDate = LAST_N_DAYS:",
		"CreatedDate = LAST_N_DAYS:x",
		"CreatedDate = LAST N DAYS:7",
		"snap_brok__Tipo_uso_3__r.name IN 'Residencial'",
		"snap_brok__Tipo_uso_3__r.name IN ()",
		"snap_brok__Tipo_uso_3__r.name IN ('a',)",
		"snap_brok__Tipo_uso_3__r.name IN ('a' 'b')",
		"snap_brok__Tipo_uso_3__r.name IN ('a'",
		"snap_brok__Tipo_uso_3__r.name NOT ('a')",
		"snap_brok__Tipo_uso_3__r.name NOTIN ('a')",
		"snap_brok__Tipo_uso_3__r.name = ('a')",
		"NOT IN ('a')",
		"AND\u200bsnap_brok__Banheiros__c 1",
		"snap_brok__Banheiros\u00a0__c = 1",
		"snap_brok__Banheiros__c = 1\u00a02",
		// More than one condition.
		"snap_brok__Banheiros__c = 1 AND snap_brok__Suites__c = 1",
		"AND snap_brok__Banheiros__c = 1 OR snap_brok__Suites__c = 1",
		"snap_brok__Banheiros__c = 1, snap_brok__Suites__c = 1",
		"snap_brok__Banheiros__c = 1;",
		"snap_brok__Banheiros__c = 1 ORDER BY Name",
		"snap_brok__Banheiros__c = 1 LIMIT 1",
		"snap_brok__Banheiros__c = 1 --",
		"AND (snap_brok__Banheiros__c = 1)",
		"(snap_brok__Banheiros__c = 1 OR snap_brok__Suites__c = 1)",
		"snap_brok__Banheiros__c = 1)",
	} {
		const want = `"filters[1]" must look like one condition without parentheses around it: AND field = 'text', `
		err := validate("snap_brok__Banheiros__c = 1", filter)
		if f := fault.Of(err); err == nil || f.Kind != fault.Config || !strings.Contains(f.Message, want) {
			t.Errorf("%q: %v", filter, err)
		}
	}
}

// Where there are no filters, or none that went out, they are not to blame, and what comes after a good answer may pass.
func TestErrorsWithoutFilters(t *testing.T) {
	for _, tt := range []struct {
		filtered, answered bool
		path, want, text   string
	}{
		{true, true, "/imovel/pesquisar", "fail", "Check the filters"},
		{true, true, cities, "fail", "Trying again later may help"},
		{false, true, "/imovel/pesquisar", "fail", "Trying again later may help"},
		{false, false, "/imovel/pesquisar", "fail", "SnapProperty's support can say why"},
	} {
		v := judge(tt.filtered)(&httpclient.Response{
			Status: 200, Path: tt.path, Answered: tt.answered, Body: record.Record(`{"Erro":true,"Mensagem":"Ocorreu um erro."}`).Get(""),
		})
		if says, _, _ := strings.Cut(v.String(), ":"); says != tt.want || !strings.Contains(v.String(), tt.text) {
			t.Errorf("%+v: %v", tt, v)
		}
	}
}

// An answer of which fewer rows may come is asked for again with fewer, whatever the status and whoever says it; one that passes is asked for
// again as it was; the filters are not to blame for either.
func TestJudge(t *testing.T) {
	const timeout = "Your query request was running for too long."
	for body, want := range map[string]string{
		`[{"errorCode":"QUERY_TIMEOUT","message":"` + timeout + `"}]`:                                         "smaller",
		`[{"errorCode":"REQUEST_RUNNING_TOO_LONG","message":"x"}]`:                                            "smaller",
		`[{"errorCode":"APEX_ERROR","message":"System.QueryException: ` + timeout + `"}]`:                     "smaller",
		`[{"errorCode":"APEX_ERROR","message":"System.LimitException: Apex CPU time limit exceeded"}]`:        "smaller",
		`{"Total":null,"Imoveis":null,"Erro":true,"Mensagem":"Erro na pesquisa de imóveis: QUERY_TIMEOUT"}`:   "smaller",
		`{"Total":null,"Imoveis":null,"Erro":true,"Mensagem":"Erro na pesquisa de imóveis: ` + timeout + `"}`: "smaller",
		`[{"errorCode":"SERVER_UNAVAILABLE","message":"x"}]`:                                                  "again",
		`{"Erro":true,"Mensagem":"UNABLE_TO_LOCK_ROW, unable to obtain exclusive access to this record"}`:     "again",
		`{"Erro":true,"Mensagem":"REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded."}`:                    "end",
		`{"Erro":true,"Mensagem":"QUERY_TOO_COMPLICATED"}`:                                                    "refused",
		`[{"errorCode":"MALFORMED_QUERY","message":"unexpected token"}]`:                                      "refused",
		`{"Total":0,"Imoveis":[],"Erro":false,"Mensagem":""}`:                                                 "",
	} {
		for _, status := range []int{200, 400, 500, 503} {
			res := &httpclient.Response{Status: status, Body: record.Record(body).Get("")}
			v := judge(true)(res)
			f, _ := errors.AsType[*fault.Error](v.Err())
			says, _, _ := strings.Cut(v.String(), ":")
			got := map[string]string{"fail": "end", "undone": "again", "no opinion": ""}[says]
			switch {
			case tooMuch(res):
				got = "smaller"
			case f != nil && f.Kind == fault.Config:
				got = "refused"
			}
			if got != want || refused(res) != (want == "refused") {
				t.Errorf("%d %s: %q, refused %t, %v", status, body, got, refused(res), v)
			}
		}
	}
}

// schema is a part of a stream's schema, as far as the tests look at it.
type schema struct {
	Type        any
	Format      string
	AirbyteType string `json:"airbyte_type"`
	Properties  map[string]schema
	Items       *schema
}

// at returns a field, whose name has dots where objects are inside of objects; the zero value where there is none.
func (s schema) at(name string) schema {
	for part := range strings.SplitSeq(name, ".") {
		s = s.Properties[part]
	}
	return s
}

// kind returns the types and the format of a field, in one line.
func (s schema) kind() string {
	var words []string
	switch types := s.Type.(type) {
	case string:
		words = append(words, types)
	case []any:
		for _, one := range types {
			if name, ok := one.(string); ok {
				words = append(words, name)
			}
		}
	}
	return strings.TrimSpace(strings.Join(words, " ") + " " + strings.TrimSpace(s.Format+" "+s.AirbyteType))
}

// load gives the schemas of streams by their names.
func load(t *testing.T) func(stream string) schema {
	t.Helper()
	s, err := spec.Load(snapproperty.Files)
	if err != nil {
		t.Fatal(err)
	}
	return func(stream string) schema {
		t.Helper()
		raw, ok := s.Schema(stream)
		var parsed schema
		if err := json.Unmarshal(raw, &parsed); err != nil || !ok {
			t.Fatalf("%s: %v, %v", stream, ok, err)
		}
		return parsed
	}
}

// Spaces that do not break are what copying from a web page brings; they leave as plain ones, and inside quotes not without a word.
func TestNoBreakSpacesInFilters(t *testing.T) {
	for _, test := range []struct {
		given, want string
		warned      bool
	}{
		{"AND a = 'b c'", "AND a = 'b c'", false},
		{"\u00a0AND\u00a0a\u202f=\u2007'b'", " AND a = 'b'", false},
		{"AND a = 'b\u00a0c'", "AND a = 'b c'", true},
		{`AND a IN ('b\'', 'c` + "\u202f" + `d')`, `AND a IN ('b\'', 'c d')`, true},
		{`AND a = 'b\'c'` + "\u00a0", `AND a = 'b\'c' `, false},
	} {
		got, warnings := spaced([]string{test.given, test.given})
		if len(got) != 2 || got[0] != test.want || got[1] != test.want || (len(warnings) == 1) != test.warned || len(warnings) > 1 {
			t.Errorf("%q became %q with the warnings %q, want %q and a warning: %v", test.given, got, warnings, test.want, test.warned)
		}
	}
}
