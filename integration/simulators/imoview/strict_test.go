package imoview

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

const (
	wrongKey = `{"mensagem":"Chave inválida!"}`
	noJSON   = `{"mensagem":"Json de entrada não informado!"}`
	expired  = `{"mensagem":"Código de acesso inválido!"}`
	no       = `{"Message":"No HTTP resource was found that matches the request URI 'http://example.com`
)

// commas returns the numbers from 1 to n, each behind a comma.
func commas(n int) (text string) {
	for i := range n {
		text += "," + strconv.Itoa(i+1)
	}
	return text
}

func tooLarge(n string) string {
	return `{"mensagem":"Nº de registros não pode ser maior que ` + n + `!"}`
}

func TestRefusals(t *testing.T) {
	s := New(Options{Size: 100})
	key := func(pairs ...string) http.Header {
		header := http.Header{"Chave": {s.Key()}}
		for i := 0; i < len(pairs); i += 2 {
			header.Set(pairs[i], pairs[i+1])
		}
		return header
	}
	access := token(t, s)
	page, condominiums := "?numeroPagina=1&numeroRegistros=20", "/Imovel/RetornarCondominiosDisponiveis"
	inJSON := key("Content-Type", "application/json")
	for name, c := range map[string]struct {
		method, target string
		header         http.Header
		body           string
		status         int
		want           string
	}{
		"path":                       {"GET", "/Imovel/Inexistente", key(), "", 404, no + `/Imovel/Inexistente'."}`},
		"path, no key":               {"GET", "/Imovel/Inexistente?a=b", nil, "", 404, no + `/Imovel/Inexistente?a=b'."}`},
		"older address":              {"GET", "/api" + usersPath, key(), "", 404, no + "/api" + usersPath + `'."}`},
		"path in another case":       {"GET", "/usuario/retornartipo3" + page, key(), "", 404, no + "/usuario/retornartipo3" + page + `'."}`},
		"method":                     {"POST", usersPath, key(), "{}", 405, `{"Message":"The requested resource does not support http method 'POST'."}`},
		"method of a listing":        {"GET", propertiesPath, key(), "", 405, `{"Message":"The requested resource does not support http method 'GET'."}`},
		"no key":                     {"GET", usersPath + page, nil, "", 401, wrongKey},
		"wrong key":                  {"GET", usersPath + page, http.Header{"Chave": {s.Key() + "x"}}, "", 401, wrongKey},
		"two keys":                   {"GET", usersPath + page, http.Header{"Chave": {s.Key(), s.Key()}}, "", 401, wrongKey},
		"key in the query":           {"GET", usersPath + page + "&chave=" + url.QueryEscape(s.Key()), nil, "", 401, wrongKey},
		"key for a lookup":           {"GET", "/Imovel/RetornarListaFinalidades", nil, "", 401, wrongKey},
		"no size":                    {"GET", usersPath + "?numeroPagina=1", key(), "", 404, `{"mensagem":"Nº de registros não informado!"}`},
		"no page":                    {"GET", usersPath + "?numeroRegistros=5", key(), "", 404, `{"mensagem":"Nº da página não informado!"}`},
		"page 0":                     {"GET", usersPath + "?numeroPagina=0&numeroRegistros=5", key(), "", 404, `{"mensagem":"Nº da página não informado!"}`},
		"size":                       {"GET", usersPath + "?numeroPagina=1&numeroRegistros=101", key(), "", 404, tooLarge("100")},
		"size of contracts":          {"GET", contractsPath + "?numeroPagina=1&numeroRegistros=21&codigoCliente=1001", key(), "", 404, tooLarge("20")},
		"size of leases":             {"GET", "/ContratoAluguel/RetornarContratos?numeroPagina=1&numeroRegistros=51", key(), "", 404, tooLarge("50")},
		"size of properties":         {"POST", propertiesPath, inJSON, `{"finalidade":1,"numeropagina":1,"numeroregistros":21}`, 404, tooLarge("20")},
		"size of maps":               {"POST", propertiesPath, inJSON, `{"finalidade":1,"numeropagina":1,"numeroregistros":101,"retornomapa":true}`, 404, tooLarge("100")},
		"size in words":              {"GET", usersPath + "?numeroPagina=1&numeroRegistros=dez", key(), "", 404, `{"mensagem":"Parâmetro numeroregistros inválido!"}`},
		"no client":                  {"GET", contractsPath + page, key(), "", 404, `{"mensagem":"Código do cliente não informado!"}`},
		"no client of inspections":   {"GET", inspectionsPath + page, key(), "", 404, `{"mensagem":"Código do cliente não informado!"}`},
		"time in ISO":                {"GET", usersPath + page + "&dataHoraInicialUltimaAlteracao=2025-01-01", key(), "", 404, `{"mensagem":"Parâmetro datahorainicialultimaalteracao inválido!"}`},
		"truth":                      {"GET", contractsPath + page + "&codigoCliente=1001&mostrarRescindidos=sim", key(), "", 404, `{"mensagem":"Parâmetro mostrarrescindidos inválido!"}`},
		"query":                      {"GET", usersPath + "?%zz", key(), "", 400, `{"mensagem":"The request is invalid."}`},
		"requests, not all asked":    {"GET", requestsPath + page, key(), "", 404, no + requestsPath + page + `'."}`},
		"users, not all asked":       {"GET", "/Usuario/App_RetornarUsuarios?codigoUsuario=12&finalidade=0&codigoUnidade=0", key("codigoacesso", access), "", 404, no + `/Usuario/App_RetornarUsuarios?codigoUsuario=12&finalidade=0&codigoUnidade=0'."}`},
		"detail without login":       {"GET", "/Imovel/App_RetornarDetalhesImovel?codigoImovel=100&codigoUsuario=12", key(), "", 401, expired},
		"detail of none":             {"GET", "/Imovel/App_RetornarDetalhesImovel?codigoUsuario=12", key("codigoacesso", access), "", 404, `{"mensagem":"Código do imóvel não informado!"}`},
		"detail of another":          {"GET", "/Imovel/App_RetornarDetalhesImovel?codigoImovel=101&codigoUsuario=12", key("codigoacesso", access), "", 404, `{"mensagem":"Imóvel não encontrado!"}`},
		"portals of none":            {"GET", "/Imovel/RetornarPortaisImoveis?codigos=100", key(), "", 404, `{"mensagem":"Códigos dos imóveis não informados!"}`},
		"portals of too many":        {"GET", "/Imovel/RetornarPortaisImoveis?codigosImoveis=0" + commas(200), key(), "", 404, `{"mensagem":"Nº de imóveis não pode ser maior que 200!"}`},
		"bills of nobody":            {"GET", "/Locatario/RetornarBoletosAtivos" + page, key(), "", 404, `{"mensagem":"Código do cliente não informado!"}`},
		"bills, too many":            {"GET", "/Locatario/RetornarBoletosAtivos?numeroPagina=1&numeroRegistros=21&codigoCliente=1001", key(), "", 404, tooLarge("20")},
		"people, too many":           {"GET", "/Cliente/App_RetornarPessoas?numeroPagina=1&numeroRegistros=51&codigoUsuario=12", key("codigoacesso", access), "", 404, tooLarge("50")},
		"catalogue, too many":        {"POST", cataloguePath, inJSON, `{"finalidade":1,"numeropagina":1,"numeroregistros":21}`, 404, tooLarge("20")},
		"catalogue of no purpose":    {"POST", cataloguePath, inJSON, `{"situacao":0,"numeropagina":1,"numeroregistros":20}`, 404, `{"mensagem":"Finalidade não informada!"}`},
		"catalogue, situation":       {"POST", cataloguePath, inJSON, `{"finalidade":1,"situacao":8,"numeropagina":1,"numeroregistros":20}`, 404, `{"mensagem":"Parâmetro situacao inválido!"}`},
		"situation of those offered": {"POST", propertiesPath, inJSON, `{"finalidade":1,"situacao":3,"numeropagina":1,"numeroregistros":20}`, 404, `{"mensagem":"O simulador não conhece o filtro situacao!"}`},
		"cities without a purpose":   {"POST", "/Imovel/RetornarCidadesDisponiveis", inJSON, `{"codigoTipo":0}`, 404, `{"mensagem":"Finalidade não informada!"}`},
		"cities without a body":      {"POST", "/Imovel/RetornarCidadesDisponiveis", inJSON, "", 404, noJSON},
		"cities by GET":              {"GET", "/Imovel/RetornarCidadesDisponiveis?finalidade=1", key(), "", 405, `{"Message":"The requested resource does not support http method 'GET'."}`},
		"regions by GET":             {"GET", regionsPath + "?finalidade=1", key(), "", 405, `{"Message":"The requested resource does not support http method 'GET'."}`},
		"no body":                    {"POST", condominiums, inJSON, "", 404, noJSON},
		"no JSON":                    {"POST", condominiums, inJSON, "numeropagina=1", 404, noJSON},
		"null":                       {"POST", condominiums, inJSON, "null", 404, noJSON},
		"no content type":            {"POST", condominiums, key(), `{"numeropagina":1,"numeroregistros":20}`, 404, noJSON},
		"object in the body":         {"POST", condominiums, inJSON, `{"numeropagina":{},"numeroregistros":20}`, 404, `{"mensagem":"Parâmetro numeropagina inválido!"}`},
		"no purpose":                 {"POST", propertiesPath, inJSON, `{"numeropagina":1,"numeroregistros":20}`, 404, `{"mensagem":"Finalidade não informada!"}`},
		"purpose":                    {"POST", propertiesPath, inJSON, `{"finalidade":3,"numeropagina":1,"numeroregistros":20}`, 404, `{"mensagem":"Parâmetro finalidade inválido!"}`},
		"time without seconds":       {"POST", propertiesPath, inJSON, `{"finalidade":1,"numeropagina":1,"numeroregistros":20,"dataultimaalteracaoinicio":"01/01/2025"}`, 404, `{"mensagem":"Parâmetro dataultimaalteracaoinicio inválido!"}`},
		"codes":                      {"POST", propertiesPath, inJSON, `{"finalidade":1,"numeropagina":1,"numeroregistros":20,"codigosimoveis":"1;2"}`, 404, `{"mensagem":"Parâmetro codigosimoveis inválido!"}`},
		"filter not simulated":       {"POST", propertiesPath, inJSON, `{"finalidade":1,"numeropagina":1,"numeroregistros":20,"piscina":true}`, 404, `{"mensagem":"O simulador não conhece o filtro piscina!"}`},
		"App_ without login":         {"GET", guarantorsPath + page + "&codigoCliente=1004&codigoUsuario=12", key(), "", 401, expired},
		"App_ with a wrong token":    {"GET", guarantorsPath + page + "&codigoCliente=1004&codigoUsuario=12", key("codigoacesso", "x"), "", 401, expired},
		"App_ without user":          {"GET", guarantorsPath + page + "&codigoCliente=1004", key("codigoacesso", access), "", 401, expired},
		"App_ with another user":     {"GET", guarantorsPath + page + "&codigoCliente=1004&codigoUsuario=13", key("codigoacesso", access), "", 401, expired},
		"App_ with user in header":   {"GET", guarantorsPath + page + "&codigoCliente=1004", key("codigoacesso", access, "codigoUsuario", "12"), "", 401, expired},
		"App_ with token in query":   {"GET", guarantorsPath + page + "&codigoCliente=1004&codigoUsuario=12&codigoacesso=" + access, key(), "", 401, expired},
		"App_ with all":              {"GET", guarantorsPath + page + "&codigoCliente=1&codigoUsuario=12", key("codigoacesso", access), "", 200, `{"quantidade":0,"lista":[]}`},
		"page beyond the end":        {"GET", usersPath + "?numeroPagina=999999999999&numeroRegistros=100", key(), "", 200, `{"quantidade":100,"lista":[]}`},
		"client without rows":        {"GET", contractsPath + page + "&codigoCliente=2", key(), "", 200, `{"quantidade":0,"lista":[]}`},
		"list null":                  {"GET", contractsPath + page + "&codigoCliente=3", key(), "", 200, `{"quantidade":0,"lista":null}`},
		"list missing":               {"GET", contractsPath + page + "&codigoCliente=5", key(), "", 200, `{"quantidade":0}`},
		"unknown parameter ignored":  {"GET", contractsPath + page + "&codigoCliente=2&x=y", key(), "", 200, `{"quantidade":0,"lista":[]}`},
		"names in any case":          {"GET", contractsPath + "?NUMEROPAGINA=1&numeroregistros=20&CodigoCliente=2", key(), "", 200, `{"quantidade":0,"lista":[]}`},
	} {
		t.Run(name, func(t *testing.T) {
			header := maps.Clone(c.header)
			if header == nil {
				header = http.Header{}
			}
			w := simtest.Ask(t, s, c.method, c.target, header, c.body)
			if w.Code != c.status || w.Body.String() != c.want {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, c.status, c.want)
			}
			if kind := w.Header().Get("Content-Type"); kind != "application/json; charset=utf-8" {
				t.Errorf("the type is %q", kind)
			}
		})
	}
}

// The service requests want every parameter, and each in turn.
func TestRequestsWantAllParameters(t *testing.T) {
	s := New(Options{})
	parameters := simtest.Set("numeropagina", "1", "numeroregistros", "20")
	for _, name := range requestParams() {
		if !parameters.Has(name) {
			parameters.Set(name, "")
		}
	}
	if w := send(t, s, requestsPath, parameters); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, name := range requestParams() {
		short := maps.Clone(parameters)
		short.Del(name)
		if w := send(t, s, requestsPath, short); w.Code != http.StatusNotFound || !contains(w, "No HTTP resource was found") {
			t.Errorf("without %s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestLogin(t *testing.T) {
	wrong := `{"codigoacesso":"","codigousuario":0,"nomeusuario":"","mensagem":"Usuário ou senha inválidos!"}`
	for name, c := range map[string]struct {
		with          Options
		email, secret string
		status        int
		want          string // empty: a session
	}{
		"right":             {Options{}, email, digest(), 200, ""},
		"plain password":    {Options{}, email, password, 200, wrong},
		"upper case":        {Options{}, email, strings.ToUpper(digest()), 200, wrong},
		"another password":  {Options{}, email, strings.Repeat("0", 32), 200, wrong},
		"another person":    {Options{}, "x@y.z", digest(), 200, wrong},
		"nothing":           {Options{}, "", "", 200, wrong},
		"another, with 401": {Options{LoginStatus: 401}, email, "x", 401, `{"mensagem":"Usuário ou senha inválidos!"}`},
	} {
		s := New(c.with)
		w := send(t, s, loginPath, simtest.Set("email", c.email, "senha", c.secret))
		if w.Code != c.status || c.want != "" && w.Body.String() != c.want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if opened := len(s.Tokens()) == 1; opened != (c.want == "") || opened && !contains(w, `"codigoacesso":"`+s.Tokens()[0]+`","codigousuario":12`) {
			t.Errorf("%s: sessions %v, answer %s", name, s.Tokens(), w.Body)
		}
	}
}

func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, with := range []Options{
			{SessionUses: 2},
			{SessionUses: 2, SessionStatus: http.StatusForbidden},
			{SessionAge: time.Minute},
		} {
			s := New(with)
			access := token(t, s)
			companies := func(token string) int {
				header := http.Header{"Chave": {s.Key()}, "Codigoacesso": {token}}
				return simtest.Ask(t, s, "GET", "/Cliente/App_RetornarEmpresas?numeroPagina=1&numeroRegistros=50&codigousuario=12", header, "").Code
			}
			for range 2 {
				if status := companies(access); status != http.StatusOK {
					t.Errorf("%+v: status %d", with, status)
				}
			}
			time.Sleep(time.Minute)
			if status := companies(access); (status == http.StatusOK) != (with.SessionUses == 0) {
				t.Errorf("%+v: status %d after its last use or just at its age", with, status)
			}
			time.Sleep(time.Second)
			if status := companies(access); status != s.with.SessionStatus {
				t.Errorf("%+v: status %d after its end", with, status)
			}
			w := send(t, s, loginPath, simtest.Set("email", email, "senha", digest()))
			if tokens := s.Tokens(); len(tokens) != 2 || tokens[0] == tokens[1] || companies(tokens[1]) != http.StatusOK {
				t.Errorf("%+v: a second login brought %s, tokens %v", with, w.Body, tokens)
			}
		}
	})
}

// A quota that is used up answers as a wrong key does, byte for byte, and from the very first request if it is to.
func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{TooMany: http.StatusUnauthorized})
		header := http.Header{"Chave": {s.Key()}}
		target := usersPath + "?numeroPagina=1&numeroRegistros=1"
		wrong := simtest.Ask(t, s, "GET", target, http.Header{"Chave": {"x"}}, "")
		for name, c := range map[string]struct {
			quota sim.Quota
			want  []int
		}{
			"in the middle":  {sim.Quota{Requests: 3, Window: time.Minute, Hold: 10 * time.Second}, []int{200, 200, 200, 401, 401}},
			"from the first": {sim.Quota{Early: []int{1}, Hold: 10 * time.Second}, []int{401, 401, 401, 401, 401}},
		} {
			gate := sim.NewGate(s, sim.Behaviour{Quota: c.quota})
			for i, want := range c.want {
				w := simtest.Ask(t, gate, "GET", target, header, "")
				if w.Code != want {
					t.Errorf("%s: request %d has status %d, want %d", name, i+1, w.Code, want)
				}
				if w.Code == 401 && (w.Body.String() != wrong.Body.String() || !maps.EqualFunc(w.Header(), wrong.Header(), slices.Equal)) {
					t.Errorf("%s: it can be told from a wrong key: %v %s", name, w.Header(), w.Body)
				}
			}
			time.Sleep(time.Minute)
			if w := simtest.Ask(t, gate, "GET", target, header, ""); w.Code != http.StatusOK {
				t.Errorf("%s: status %d after a while", name, w.Code)
			}
		}
		plain := sim.NewGate(New(Options{}), sim.Behaviour{Quota: sim.Quota{Early: []int{1}, Hold: time.Second}})
		if w := simtest.Ask(t, plain, "GET", target, header, ""); w.Code != http.StatusTooManyRequests || contains(w, "Chave") {
			t.Errorf("without the option: %d %s", w.Code, w.Body)
		}
	})
}

func TestOpen(t *testing.T) {
	for name, value := range map[string]string{
		"off": "/Nowhere", "unfiltered": "/Nowhere", "caps": usersPath + "=0", "count-off": "x", "login-status": "403", "session-status": "404",
		"too-many": "200", "session-uses": "-1", "session-age": "-1s", "repeat": "-1", "key": "x",
	} {
		s, err := Open(sim.Options{Set: map[string]string{name: value}})
		if err == nil || s != nil {
			t.Errorf("%s=%s is taken", name, value)
		}
	}
	if _, err := Open(sim.Options{Size: -1}); err == nil {
		t.Error("a negative size is taken")
	}
	if _, err := Open(sim.Options{Set: map[string]string{"repeat": "5", "caps": usersPath + "=5"}}); err == nil {
		t.Error("pages that only repeat are taken")
	}
	if s, err := Open(sim.Options{Size: 10, Set: map[string]string{
		"off": "all", "unfiltered": usersPath + "," + requestsPath, "caps": usersPath + "=10," + contractsPath + "=5", "repeat": "2",
	}}); err != nil {
		t.Error(err)
	} else if o := s.(*Simulator).with; len(o.Unfiltered) != 2 || o.Caps[contractsPath] != 5 || o.Repeat != 2 || o.Off[0] != all {
		t.Errorf("the options are %+v", o)
	}
	defer func() {
		if recover() == nil {
			t.Error("New takes what cannot be")
		}
	}()
	New(Options{TooMany: 500})
}

func TestConfig(t *testing.T) {
	s := New(Options{})
	config := s.Config("http://127.0.0.1:1", sim.Quota{Requests: 10, Window: 30 * time.Second})
	if config["requests_per_minute"] != 20 || config["base_url"] != "http://127.0.0.1:1" || config["api_key"] != s.Key() || len(s.Key()) != 44 {
		t.Errorf("the configuration is %v", config)
	}
	for _, secret := range s.Secrets() {
		if !slices.Contains(slices.Collect(maps.Values(config)), any(secret)) || url.QueryEscape(secret) == secret {
			t.Errorf("the secret %s is not in the configuration, or looks the same in a URL", secret)
		}
	}
	if fast := s.Config("", sim.Quota{})["requests_per_minute"].(int); fast < 100_000 {
		t.Errorf("without a quota it asks %d a minute", fast)
	}
	if New(Options{Seed: 1}).Key() == New(Options{Seed: 2}).Key() {
		t.Error("two agencies have one key: " + strconv.Quote(s.Key()))
	}
}
