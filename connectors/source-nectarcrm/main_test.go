package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/connectortest"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

func TestConform(t *testing.T) { connectortest.Conform(t, source) }

func TestGolden(t *testing.T) { connectortest.Golden(t, source, "testdata/golden") }

// The tables of the commercial connector that this one takes the place of: every table, every column, every type. Its floats are whole numbers
// here but for those that are amounts.
func TestSeedTables(t *testing.T) {
	data, err := os.ReadFile("testdata/seed_tables.json")
	if err != nil {
		t.Fatal(err)
	}
	var tables map[string]map[string]string
	if err := json.Unmarshal(data, &tables); err != nil {
		t.Fatal(err)
	}
	types := map[string]string{
		"float": "number integer", "text": "string", "boolean": "boolean", "timestamp": "string date-time timestamp_with_timezone",
	}
	amount := regexp.MustCompile(`(^|_)(acrescimo|acrescimomaximo|comissao|desconto|descontomaximo|quantidade|quantidadeestoque|receitaanual)$|(^|_)valor`)
	streams := connectortest.Discover(t, source)
	columns := 0
	for name, table := range tables {
		s, ok := streams[name]
		if !ok {
			t.Errorf("there is no stream %s", name)
			continue
		}
		declared := properties(t, s)
		for column, kind := range table {
			columns++
			want := types[kind]
			if want == "" {
				t.Errorf("%s.%s is %q", name, column, kind)
			}
			if kind == "float" && amount.MatchString(column) {
				want = "number"
			}
			if !slices.Contains(slices.Concat(s.SourceDefinedPrimaryKey...), column) {
				want = "null " + want
			}
			if got := declared[column].kind(); got != want {
				t.Errorf("%s.%s is %q, not %q", name, column, got, want)
			}
		}
	}
	if len(tables) != 16 || columns != 377 {
		t.Errorf("%d columns in %d tables", columns, len(tables))
	}
}

// A column that is not a seed's says what it is: something that a row gets from outside, or a field of the API, whose name in lower case and
// flattened it has.
func TestColumnsAreNamedAfterFields(t *testing.T) {
	for name, s := range connectortest.Discover(t, source) {
		declared := properties(t, s)
		_, array, _ := strings.Cut(name, "_")
		for column, p := range declared {
			own := strings.ToLower(strings.ReplaceAll(p.Title, ".", "_"))
			switch {
			case column == record.Unparsed || column == record.Undeclared:
			case p.Title == "":
				if array == "" {
					t.Errorf("%s.%s has no title", name, column)
				}
			case column != own && column != array+"_"+own:
				t.Errorf("%s.%s stands for %q", name, column, p.Title)
			}
		}
	}
}

// A sentence is taken for an opportunity without proposals only where it says just that.
func TestNothing(t *testing.T) {
	for body, want := range map[string]bool{
		`{"message":"Nenhuma proposta encontrada"}`: true, `{"mensagem":"Proposta não encontrada"}`: true, `{"mensagens":["Nenhum registro encontrado"]}`: true,
		`{"message":"A oportunidade não possui propostas"}`: true, `{"message":"Token expirado"}`: false, `{"message":"Token não encontrado"}`: false,
		`{"message":"Usuário não encontrado"}`: false, `{"message":"Acesso negado: nenhuma proposta encontrada"}`: false, `{"message":""}`: false, `[]`: false,
		`{"data":[{"id":1}]}`: false, `{"message":"Limite de requisições excedido"}`: false, `{"message":"Registro não encontrado"}`: false,
		`{"message":"Oportunidade não encontrada"}`: false,
	} {
		for status, counts := range map[int]bool{200: true, 400: true, 404: true, 401: false, 403: false, 500: false} {
			if got := nothing(&httpclient.Response{Status: status, Body: record.Record(body).Get("")}); got != (want && counts) {
				t.Errorf("%d %s is nothing: %t", status, body, got)
			}
		}
	}
	if !nothing(&httpclient.Response{Status: 204}) || nothing(&httpclient.Response{Status: 200}) {
		t.Error("204 has no body, and 200 has one")
	}
	if nothing(&httpclient.Response{Status: 404}) || nothing(&httpclient.Response{Status: 404, Text: []byte("<html>Nenhum registro encontrado</html>")}) {
		t.Error("a 404 without words of its own says that there is nothing")
	}
}

// Every list may be said to be empty so, but for the comments of publications: those are asked for that have any.
func TestEmptyLists(t *testing.T) {
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"204": {204, ``}, "200": {200, `{"message":"Nenhum registro encontrado"}`}, "404": {404, `{"message":"Nenhum registro encontrado"}`},
		"400": {400, `{"mensagens":["Nenhum registro encontrado"]}`},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(answer.status)
			_, _ = w.Write([]byte(answer.body))
		}))
		var out bytes.Buffer
		emitter, catalog := protocol.NewEmitter(&out), &protocol.ConfiguredCatalog{}
		for name := range connectortest.Discover(t, source) {
			s := protocol.ConfiguredStream{SyncMode: protocol.FullRefresh}
			s.Stream.Name = name
			catalog.Streams = append(catalog.Streams, s)
		}
		emitter.Configure(catalog)
		config := fmt.Sprintf(`{"api_token":"t","base_url":%q,"start_date":"2026-10-01","requests_per_minute":100000}`, server.URL)
		err := source.Read(t.Context(), []byte(config), catalog, nil, emitter)
		if closed := emitter.Close(); closed != nil {
			t.Fatal(closed)
		}
		server.Close()
		if n := strings.Count(out.String(), `"status":"COMPLETE"`); err != nil || n != len(catalog.Streams) {
			t.Errorf("%s: %d of %d streams are complete: %v", name, n, len(catalog.Streams), err)
		}
	}
}

func TestKeysAndCursors(t *testing.T) {
	whole := []string{
		"produtos", "produtos_produtos", "origens", "segmentos", "categorias", "equipes", "listas", "custom_fields", "product_categories",
		"product_subcategories", "price_tables", "appointment_types", "call_types", "webhooks", "dynamic_tables", "dynamic_table_rows",
		"opportunity_history",
	}
	got := map[string]string{}
	for name, s := range connectortest.Discover(t, source) {
		if key := strings.Join(slices.Concat(s.SourceDefinedPrimaryKey...), ","); key != "id" {
			got[name] = key
		}
		want := ""
		parent, _, child := strings.Cut(name, "_")
		switch {
		case slices.Contains(whole, name):
		case name == "pipelines":
			want = "ultimaatualizacao"
		case name == "feed_comments":
			want = "datacriacao"
		case child:
			want = strings.TrimSuffix(parent, "s") + "_dataatualizacao"
		default:
			want = "dataatualizacao"
		}
		if cursor := strings.Join(s.DefaultCursorField, "."); cursor != want {
			t.Errorf("the cursor of %s is %q, not %q", name, cursor, want)
		}
	}
	want := map[string]string{
		"contatos_contatos":          "contato_id,contatos_id",
		"contatos_enderecos":         "contato_id,enderecos_id",
		"contatos_contatospai":       "contato_id,contatospai_contato_id,contatospai_empresa_id",
		"contatos_empresasatuais":    "contato_id,empresasatuais_contato_id,empresasatuais_empresa_id",
		"pipelines_sequencias":       "pipeline_id,sequencias_id",
		"produtos_produtos":          "produto_dependente_id,produtos_id",
		"compromissos_participantes": "compromisso_id,participantes_posicao",
		"feed_comments":              "publicacao_id,id",
		"dynamic_table_rows":         "table_id,row_hash",
		"opportunity_history":        "row_hash",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("keys other than id: %v", got)
	}
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	token := func(claims string) string {
		return "eyJhbGciOiJIUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2lnbg"
	}
	in := func(d time.Duration) string { return token(fmt.Sprintf(`{"userId":"12","exp":%d}`, now.Add(d).Unix())) }
	for _, test := range []struct {
		name, token string
		ended       bool
		warned      int
	}{
		{"long from now", in(8 * 24 * time.Hour), false, 0},
		{"within a week", in(6 * 24 * time.Hour), false, 1},
		{"a second ago", in(-time.Second), true, 0},
		{"now", in(0), true, 0},
		{"as a text, with white space around", " " + token(fmt.Sprintf(`{"exp":"%d"}`, now.Add(-time.Hour).Unix())) + "\n", true, 0},
		{"without a date", token(`{"userId":"12"}`), false, 0},
		{"with a date that is none", token(`{"exp":"amanhã"}`), false, 0},
		{"with the date 0", token(`{"exp":0}`), false, 0},
		{"not JSON", token(`exp`), false, 0},
		{"not Base64", "a.!.b", false, 0},
		{"of 2021", "0123456789abcdef0123456789abcdef", false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			warnings, ended := expiry("API Token", test.token, now)
			if (ended != nil) != test.ended || len(warnings) != test.warned {
				t.Errorf("%v, %q", ended, warnings)
			}
			if ended != nil && (fault.Of(ended).Kind != fault.Config || !strings.Contains(ended.Error(), "2026-11-21")) {
				t.Errorf("%v", ended)
			}
		})
	}
}

// A token that ended is named before NectarCRM is asked anything.
func TestEndedTokenIsNotSent(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"exp":1}`))
	config := fmt.Sprintf(`{"api_token":"e30.%s.c2lnbg","base_url":%q}`, claims, server.URL)
	err := source.Check(t.Context(), []byte(config))
	if f := fault.Of(err); f == nil || f.Kind != fault.Config || !strings.Contains(f.Message, "API Token ended on 1970-01-01") || asked {
		t.Errorf("%v, asked %v", err, asked)
	}
}

func TestDays(t *testing.T) {
	from := time.Date(2024, 2, 29, 22, 0, 0, 0, time.UTC)
	q := days(httpclient.Request{}, from, from.AddDate(0, 0, 1)).Query
	if q.Get("dataInicioAtualizacao") != "29/02/2024" || q.Get("dataFimAtualizacao") != "03/03/2024" {
		t.Errorf("asked for %v", q)
	}
}

// property is a column of a schema, as far as the tests look at it.
type property struct {
	Type         any
	Format, Zone string
	Title        string
}

// kind returns the types and the format of a column, in one line.
func (p property) kind() string {
	types, ok := p.Type.([]any)
	if !ok {
		types = []any{p.Type}
	}
	return strings.TrimSpace(strings.Trim(fmt.Sprint(types), "[]") + " " + strings.TrimSpace(p.Format+" "+p.Zone))
}

func properties(t *testing.T, s protocol.Stream) map[string]property {
	t.Helper()
	var schema struct {
		Properties map[string]struct {
			property
			AirbyteType string `json:"airbyte_type"`
		}
	}
	if err := json.Unmarshal(s.JSONSchema, &schema); err != nil {
		t.Fatal(err)
	}
	columns := map[string]property{}
	for name, p := range schema.Properties {
		p.Zone = p.AirbyteType
		columns[name] = p.property
	}
	return columns
}

// What is asked for of the history is all since the start, without a gap, and with a day more at each end.
func TestQuarters(t *testing.T) {
	brazil, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 26, 1, 0, 0, 0, brazil)
	for start, want := range map[string]struct {
		parts       int
		first, last string
	}{
		"":                          {68, "2009-12-31 2010-04-01", "2026-09-30 2027-01-01"},
		"2014-05-05":                {51, "2014-05-04 2014-07-01", "2026-09-30 2027-01-01"},
		"2026-09-30":                {2, "2026-09-29 2026-10-01", "2026-09-30 2027-01-01"},
		"2026-10-01":                {1, "2026-09-30 2027-01-01", "2026-09-30 2027-01-01"},
		"2026-10-15T23:00:00-06:00": {1, "2026-10-15 2027-01-01", "2026-10-15 2027-01-01"},
		"2027-02-01":                {1, "2027-01-31 2027-04-01", "2027-01-31 2027-04-01"},
	} {
		each := quarters(rest.Date(start).Time(brazil).In(brazil), now)
		days := func(i int) string { return fmt.Sprint(each[i]["initialDate"], " ", each[i]["endDate"]) }
		if len(each) != want.parts || days(0) != want.first || days(len(each)-1) != want.last {
			t.Errorf("since %q: %d parts, %v", start, len(each), each)
		}
		for i := 1; i < len(each); i++ {
			if each[i]["initialDate"].(string) >= each[i-1]["endDate"].(string) || each[i]["aggregator"] != 3 {
				t.Errorf("since %q: %s, then %s", start, days(i-1), days(i))
			}
		}
	}
}

// Reports are asked for with the token that is for them, which says nothing of the other.
func TestBigDataToken(t *testing.T) {
	ended := "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":1}`)) + ".c2lnbg"
	for _, test := range []struct {
		reports, wanted, message string // the token configured, the one wanted, a part of what is said of the stream
	}{
		{"", "of-all", ""}, {"of-reports", "of-reports", ""}, {"of-reports", "other", "Big Data Token (401)"}, {ended, "other", "Big Data Token ended on"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			want := "of-all"
			if strings.Contains(r.URL.Path, "/big-data/") {
				want = test.wanted
			}
			if r.Header.Get("Access-Token") != want {
				w.WriteHeader(http.StatusUnauthorized)
			}
			_, _ = w.Write([]byte("[]"))
		}))
		config := fmt.Sprintf(`{"api_token":"of-all","big_data_token":%q,"base_url":%q,"start_date":"2026-10-01","requests_per_minute":100000}`,
			test.reports, server.URL)
		var out bytes.Buffer
		emitter := protocol.NewEmitter(&out)
		catalog := &protocol.ConfiguredCatalog{}
		for _, name := range []string{"origens", "opportunity_history"} {
			s := protocol.ConfiguredStream{SyncMode: protocol.FullRefresh}
			s.Stream.Name = name
			catalog.Streams = append(catalog.Streams, s)
		}
		emitter.Configure(catalog)
		err := source.Read(t.Context(), []byte(config), catalog, nil, emitter)
		if closed := emitter.Close(); closed != nil {
			t.Fatal(closed)
		}
		server.Close()
		if (err == nil) != (test.message == "") || err != nil && !strings.Contains(err.Error(), test.message) ||
			!strings.Contains(out.String(), `{"name":"origens"},"status":"COMPLETE"`) {
			t.Errorf("%q: %v, %s", test.reports, err, out.String())
		}
	}
}
