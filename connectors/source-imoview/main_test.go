package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/connectortest"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
)

func TestConform(t *testing.T) { connectortest.Conform(t, source) }

func TestGolden(t *testing.T) { connectortest.Golden(t, source, "testdata/golden") }

// The fields that users of the connector which this one replaces know, by stream.
func TestEveryKnownFieldIsDeclared(t *testing.T) {
	var known map[string][]string
	data, err := os.ReadFile("testdata/seed_fields.json")
	if err == nil {
		err = json.Unmarshal(data, &known)
	}
	if err != nil || len(known) != 8 {
		t.Fatalf("%d streams, %v", len(known), err)
	}
	streams := connectortest.Discover(t, source)
	for name, fields := range known {
		declared := properties(t, streams[name])
		for _, field := range fields {
			if declared[field] == nil {
				t.Errorf("%s.%s is not in the schema", name, field)
			}
		}
	}
}

// What an edit makes of a field must be what the schema says of it: a day, a moment, a number beside it.
func TestEditsFitTheSchemas(t *testing.T) {
	for name, stream := range connectortest.Discover(t, source) {
		declared := properties(t, stream)
		for field, p := range declared {
			base, suffix := field, ""
			for _, s := range []string{"_num", "_min", "_max"} {
				if cut, ok := strings.CutSuffix(field, s); ok {
					base, suffix = cut, s
				}
			}
			if types, _ := json.Marshal(p["type"]); suffix != "" && (declared[base] == nil || string(types) != `["null","number"]`) {
				t.Errorf("%s.%s is %s and stands beside %v", name, field, types, declared[base])
			}
			if suffix == "_min" && (declared[base+"_num"] == nil || declared[base+"_max"] == nil) {
				t.Errorf("%s.%s has not all of its siblings", name, base)
			}
			if strings.HasPrefix(field, "data") && p["format"] == nil {
				t.Errorf("%s.%s is neither a day nor a moment", name, field)
			}
		}
	}
}

// The documentation page lists every field that leaves as a day, as a moment, or with numbers beside it.
func TestReadmeListsTheEdits(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| Stream | Days | Moments | With `_num` | With `_num`, `_min` and `_max` |")
	rows := map[string][]string{} // stream: the cells of its row
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 7 {
			continue
		}
		for name := range strings.SplitSeq(cells[1], ",") {
			rows[strings.Trim(name, " `")] = cells[2:6]
		}
	}
	for name, stream := range connectortest.Discover(t, source) {
		declared := properties(t, stream)
		want := [4]int{}
		for field, p := range declared {
			cell := -1
			switch {
			case p["format"] == "date":
				cell = 0
			case p["format"] == "date-time":
				cell = 1
			case declared[field+"_min"] != nil:
				cell = 3
			case declared[field+"_num"] != nil:
				cell = 2
			}
			if cell < 0 {
				continue
			}
			want[cell]++
			if rows[name] == nil || !strings.Contains(rows[name][cell], "`"+field+"`") {
				t.Errorf("README.md does not list %s.%s in column %d of its table of fields", name, field, cell+2)
			}
		}
		for cell, text := range rows[name] {
			if got := strings.Count(text, "`") / 2; got != want[cell] {
				t.Errorf("README.md lists %d fields of %s in column %d, the schema has %d", got, name, cell+2, want[cell])
			}
		}
	}
}

// The table of what of the API is read names every stream.
func TestCoverageNamesEveryStream(t *testing.T) {
	page, err := os.ReadFile("../../docs/coverage/imoview.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range connectortest.Discover(t, source) {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/coverage/imoview.md does not name %s", name)
		}
	}
}

// TestMain lets more tests run at a time than there are cores: those that take long wait.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// A check takes the login where there is one: a wrong password must not wait for the first sync to be found out.
func TestCheck(t *testing.T) {
	const (
		key   = "chave-de-teste"
		right = "e8d95a51f3af4a3b134bf6bb680a213a" // the MD5 of "senha"
		wrong = `{"codigoacesso":"","codigousuario":0,"mensagem":"Senha inválida!"}`
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("chave") != key:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"mensagem":"Chave inválida!"}`))
		case r.URL.Path == "/Usuario/App_ValidarAcesso" && r.URL.Query().Get("email") == "404@b.example":
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"mensagem":"Usuário ou senha inválidos"}`))
		case r.URL.Path == "/Usuario/App_ValidarAcesso" && r.URL.Query().Get("email") == "nobody@b.example":
			_, _ = w.Write([]byte(`{"codigoacesso":"","codigousuario":0,"mensagem":""}`))
		case r.URL.Path == "/Usuario/App_ValidarAcesso" && r.URL.Query().Get("senha") != right:
			_, _ = w.Write([]byte(wrong))
		case r.URL.Path == "/Usuario/App_ValidarAcesso":
			_, _ = w.Write([]byte(`{"codigoacesso":"a","codigousuario":7}`))
		case r.URL.Path == "/Cliente/App_RetornarEmpresas" && r.Header.Get("codigoacesso") == "a" && r.URL.Query().Get("codigoUsuario") == "7",
			r.URL.Path == "/Usuario/RetornarTipo3":
			_, _ = w.Write([]byte(`{"quantidade":0,"lista":[]}`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	for name, tt := range map[string]struct {
		config map[string]any
		want   string // in the sentence; "": it works
	}{
		"key alone":      {map[string]any{"api_key": " " + key + "\n"}, ""},
		"login":          {map[string]any{"api_key": key, "email": "a@b.example", "password": "senha"}, ""},
		"wrong password": {map[string]any{"api_key": key, "email": "a@b.example", "password": "outra"}, "Senha inválida!"},
		"wrong, as 404":  {map[string]any{"api_key": key, "email": "404@b.example", "password": "outra"}, `"Usuário ou senha inválidos". Check email and password`},
		"wrong, no word": {map[string]any{"api_key": key, "email": "nobody@b.example", "password": "outra"}, "no access code for this user. Check email"},
		"half a login":   {map[string]any{"api_key": key, "password": "senha"}, "fill in both, or neither"},
		"a blank user":   {map[string]any{"api_key": key, "email": " \u00a0", "password": "senha"}, "fill in both, or neither"},
		"a blank login":  {map[string]any{"api_key": key, "email": " ", "password": " "}, ""},
		"a pasted key":   {map[string]any{"api_key": "\ufeffBearer " + key + "\u200b", "email": "a@b.example", "password": "senha"}, ""},
		"a blank key":    {map[string]any{"api_key": "\u00a0"}, `"api_key" is empty`},
	} {
		t.Run(name, func(t *testing.T) {
			tt.config["base_url"], tt.config["requests_per_minute"] = server.URL, 60_000
			connectortest.Check(t, source, tt.config, tt.want)
		})
	}
}

// A sentence is taken for a client who has nothing only where it says just that.
func TestNothing(t *testing.T) {
	for body, want := range map[string]bool{
		`{"mensagem":"Nenhum contrato encontrado!"}`: true, `{"Message":"Nenhum imóvel foi encontrado"}`: true, `{"mensagem":"Cliente não encontrado!"}`: false,
		`{"mensagem":"Nº de registros não pode ser maior que 20!"}`: false, `{"Message":"No HTTP resource was found that matches the request URI 'x'."}`: false,
		`{"mensagem":"Chave inválida!"}`: false, `{"mensagem":"Nenhum registro encontrado: usuário sem permissão"}`: false,
	} {
		for status, counts := range map[int]bool{200: true, 404: true, 401: false, 403: false, 500: false} {
			if got := nothing(&httpclient.Response{Status: status, Body: record.Record(body).Get("")}); got != (want && counts) {
				t.Errorf("%d %s is nothing: %t", status, body, got)
			}
		}
	}
	if nothing(&httpclient.Response{Status: 200, Body: record.Record(`{"mensagem":"Nenhum contrato encontrado","lista":[{"codigo":1}]}`).Get("")}) {
		t.Error("there is a list")
	}
}

// A client or a property has gone only where Imoview says so of it, in words.
func TestGone(t *testing.T) {
	for body, want := range map[string]bool{
		`{"mensagem":"Cliente não encontrado!"}`: true, `{"Message":"Cliente inexistente"}`: true, `{"mensagem":"O cliente 15 não foi localizado."}`: true,
		`{"mensagem":"Nenhum cliente encontrado"}`: true, `{"mensagem":"Imóvel não encontrado!"}`: true, `{"mensagem":"Código do cliente não existe"}`: true,
		`{"mensagem":"Cliente não encontrado: usuário sem permissão"}`: false, `{"mensagem":"Contrato não encontrado!"}`: false,
		`{"mensagem":"Código do cliente não informado!"}`: false, `{"mensagem":"Usuário não encontrado!"}`: false, `{"mensagem":"Cliente: chave inexistente"}`: false,
		`{"Message":"No HTTP resource was found that matches the request URI 'http://x/Cliente'."}`: false, `{"mensagem":""}`: false, `{}`: false,
	} {
		for status, counts := range map[int]bool{200: true, 404: true, 401: false, 403: false, 500: false} {
			if got := gone(&httpclient.Response{Status: status, Body: record.Record(body).Get("")}); got != (want && counts) {
				t.Errorf("%d %s has gone: %t", status, body, got)
			}
		}
	}
	if gone(&httpclient.Response{Status: 404, Text: []byte("<html>Cliente não encontrado</html>")}) ||
		gone(&httpclient.Response{Status: 200, Body: record.Record(`{"mensagem":"Cliente não encontrado","lista":[{"codigo":1}]}`).Get("")}) {
		t.Error("a page in HTML, or a list, says that a client has gone")
	}
}

// TestClientThatHasGone reads the contracts of clients of whom one goes after the listing: the others' come. An answer that does not say so in words
// fails the stream, as a route that there is not.
func TestClientThatHasGone(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		want   string // in the sentence of the failure; "": there is none
	}{
		"404":      {404, `{"mensagem":"Cliente não encontrado!"}`, ""},
		"200":      {200, `{"mensagem":"Cliente não encontrado!"}`, ""},
		"no words": {404, ``, "/Locatario/RetornarContratos was not found (404)"},
		"HTML":     {404, `<html><body>Cliente não encontrado</body></html>`, "/Locatario/RetornarContratos was not found (404)"},
		"no route": {404, `{"Message":"No HTTP resource was found that matches the request URI 'http://x'."}`, "was not found (404)"},
		"another":  {404, `{"mensagem":"Contrato não encontrado!"}`, `refused a request: "Contrato não encontrado!"`},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			client := r.URL.Query().Get("codigoCliente")
			switch {
			case r.URL.Path == "/Usuario/RetornarTipo3":
				_, _ = w.Write([]byte(`{"quantidade":3,"lista":[{"codigo":1,"locatario":true},{"codigo":2,"locatario":true},{"codigo":3,"locatario":true}]}`))
			case client == "2":
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			default:
				_, _ = w.Write([]byte(`{"quantidade":1,"lista":[{"codigo":` + client + `}]}`))
			}
		}))
		var out bytes.Buffer
		emitter := protocol.NewEmitter(&out)
		s := protocol.ConfiguredStream{SyncMode: protocol.Incremental}
		s.Stream.Name = "tenant_contracts"
		catalog := &protocol.ConfiguredCatalog{Streams: []protocol.ConfiguredStream{s}}
		emitter.Configure(catalog)
		ctx := protocol.WithLogger(t.Context(), slog.New(protocol.NewLogHandler(emitter, slog.LevelInfo)))
		err := source.Read(ctx, []byte(`{"api_key":"chave","requests_per_minute":60000,"base_url":"`+server.URL+`"}`), catalog, nil, emitter)
		if closed := emitter.Close(); closed != nil {
			t.Fatal(closed)
		}
		server.Close()
		warned := strings.Contains(out.String(), "1 rows of users were not there when they were asked for, and were skipped")
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || warned != (err == nil) ||
			strings.Count(out.String(), `"type":"RECORD"`) != 2 && err == nil {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
	}
}

func properties(t *testing.T, s protocol.Stream) map[string]map[string]any {
	t.Helper()
	var schema struct{ Properties map[string]map[string]any }
	if err := json.Unmarshal(s.JSONSchema, &schema); err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	return schema.Properties
}
