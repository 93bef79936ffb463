package snapproperty

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

func TestRefusals(t *testing.T) {
	s := New(Options{Size: 20})
	const inJSON = "application/json"
	for name, c := range map[string]struct {
		method, target, kind, body string
		status                     int
		want                       string
	}{
		"no such path":       {"GET", "/services/apexrest/snap_brk/imovel/cidades", "", "", 404, `[{"message":"Could not find a match for URL","errorCode":"NOT_FOUND"}]`},
		"no such contract":   {"POST", contractPath + "apagar", inJSON, "{}", 404, "NOT_FOUND"},
		"a slash too many":   {"POST", searchPath + "/", inJSON, "{}", 404, "NOT_FOUND"},
		"GET search":         {"GET", searchPath, "", "", 405, `[{"message":"HTTP Method 'GET' not allowed. Allowed are POST","errorCode":"METHOD_NOT_ALLOWED"}]`},
		"POST cities":        {"POST", citiesPath, inJSON, "{}", 405, "METHOD_NOT_ALLOWED"},
		"GET contract":       {"GET", contractPath + "cancelar", "", "", 405, "METHOD_NOT_ALLOWED"},
		"a form":             {"POST", searchPath, "application/x-www-form-urlencoded", "Offset=0", 415, "UNSUPPORTED_MEDIA_TYPE"},
		"no type":            {"POST", contractPath + "cancelar", "", "{}", 415, "UNSUPPORTED_MEDIA_TYPE"},
		"no object":          {"POST", searchPath, inJSON, "[]", 400, "JSON_PARSER_ERROR"},
		"no JSON":            {"POST", searchPath, inJSON, `{"Offset":0`, 400, "JSON_PARSER_ERROR"},
		"two objects":        {"POST", searchPath, inJSON, "{}{}", 400, "JSON_PARSER_ERROR"},
		"a member too many":  {"POST", searchPath, inJSON, `{"Offset":0,"x":1}`, 400, "Unexpected parameter encountered during deserialization: x"},
		"a member's case":    {"POST", searchPath, inJSON, `{"offset":0}`, 400, "offset"},
		"a member twice":     {"POST", searchPath, inJSON, `{"Offset":0,"Offset":1}`, 400, "Duplicate field: Offset"},
		"a number as a text": {"POST", searchPath, inJSON, `{"Offset":"0","RegistrosPagina":1,"Filtros":[],"Ordenacao":"Id"}`, 400, "Illegal value for primitive: Offset"},
		"filters as a text":  {"POST", searchPath, inJSON, `{"Offset":0,"RegistrosPagina":1,"Filtros":"","Ordenacao":"Id"}`, 400, "Illegal value for primitive: Filtros"},
		"broken UTF-8":       {"POST", searchPath, inJSON, "{\"Ordenacao\":\"\xff\"}", 400, "JSON_PARSER_ERROR"},
		"nothing":            {"POST", searchPath, inJSON + ";charset=utf-8", "{}", 200, `"Erro":true`},
		"no filters":         {"POST", searchPath, inJSON, `{"Offset":0,"RegistrosPagina":1,"Filtros":null,"Ordenacao":"Id"}`, 200, "Attempt to de-reference a null object"},
		"a null filter":      {"POST", searchPath, inJSON, `{"Offset":0,"RegistrosPagina":1,"Filtros":[null],"Ordenacao":"Id"}`, 200, "Attempt to de-reference a null object"},
		"no offset":          {"POST", searchPath, inJSON, `{"RegistrosPagina":1,"Filtros":[],"Ordenacao":"Id"}`, 200, "unexpected token: 'null'"},
		"no order":           {"POST", searchPath, inJSON, `{"Offset":0,"RegistrosPagina":1,"Filtros":[]}`, 200, "unexpected token: 'null'"},
		"negative":           {"POST", searchPath, inJSON, request(-1, 1, "Id"), 200, "NUMBER_OUTSIDE_VALID_RANGE"},
		"negative rows":      {"POST", searchPath, inJSON, request(0, -1, "Id"), 200, "unexpected token: '-'"},
	} {
		w := simtest.Ask(t, s, c.method, c.target, http.Header{"Authorization": {"OAuth " + s.FixedToken()}, "Content-Type": {c.kind}}, c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s, want %d %s", name, w.Code, w.Body, c.status, c.want)
		}
	}
}

func TestLimits(t *testing.T) {
	c := newClock()
	s := New(Options{Size: 20, Daily: 100, Used: 97, Now: c.now})
	for i, want := range []struct {
		status int
		info   string
	}{{200, "api-usage=98/100"}, {200, "api-usage=99/100"}, {200, "api-usage=100/100"}, {403, "api-usage=100/100"}} {
		w := send(t, s, http.MethodGet, citiesPath, "")
		if w.Code != want.status || w.Header().Get("Sforce-Limit-Info") != want.info {
			t.Errorf("call %d: %d %s", i+1, w.Code, w.Header().Get("Sforce-Limit-Info"))
		}
	}
	if w := send(t, s, http.MethodGet, citiesPath, ""); w.Body.String() != `[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]` {
		t.Errorf("%s", w.Body)
	}
	if w := post(t, s, formOf(s.ReadyAssertion())); w.Code != http.StatusOK {
		t.Errorf("logging in counts: %d", w.Code)
	}
	c.t = c.t.Add(24 * time.Hour)
	post(t, s, formOf(s.ReadyAssertion()))
	if code, _ := status(t, s, "Bearer "+s.Tokens()[1]); code != http.StatusOK {
		t.Errorf("a day later: %d", code)
	}

	s = New(Options{Size: 20, BusyEvery: 3})
	for i := range 9 {
		w := send(t, s, http.MethodGet, citiesPath, "")
		busy := w.Body.String() == `[{"message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`
		if busy != (i%3 == 2) || busy != (w.Code == http.StatusForbidden) {
			t.Errorf("call %d: %d %s", i+1, w.Code, w.Body)
		}
	}
}

func TestWithoutThePackage(t *testing.T) {
	for want, o := range map[int]Options{404: {Size: 20, NoPackage: true}, 403: {Size: 20, NoAccess: true}} {
		s := New(o)
		for _, w := range []*httptest.ResponseRecorder{
			send(t, s, http.MethodGet, citiesPath, ""), send(t, s, http.MethodPost, searchPath, request(0, 1, "Id")), call(t, s, "cancelar", "{}"),
		} {
			if w.Code != want {
				t.Errorf("%d %s, want %d", w.Code, w.Body, want)
			}
		}
	}
}

func TestError(t *testing.T) {
	s := New(Options{Size: 20, TooMany: 403})
	for status, want := range map[int]struct {
		status int
		code   string
	}{
		400: {400, "JSON_PARSER_ERROR"}, 401: {401, "INVALID_SESSION_ID"}, 429: {403, "REQUEST_LIMIT_EXCEEDED"},
		500: {500, "UNKNOWN_EXCEPTION"}, 503: {503, "SERVER_UNAVAILABLE"},
	} {
		w := httptest.NewRecorder()
		s.Error(w, status, "um \"texto\"")
		if body := `[{"message":"um \"texto\"","errorCode":"` + want.code + `"}]`; w.Code != want.status || w.Body.String() != body {
			t.Errorf("%d: %d %s", status, w.Code, w.Body)
		}
	}
}

func TestOpen(t *testing.T) {
	set := map[string]string{
		"login": "private_key", "refuse": "locked", "session-uses": "3", "session-idle": "1m", "no-id-order": "true", "no-groups": "true",
		"no-modified": "true", "no-created": "true", "show-modified": "true", "burst": "2", "heap": "9", "photos-at-once": "2",
		"no-next-photos": "true", "append": "1", "vanish": "1", "drift-pages": "4", "daily": "7", "used": "1", "busy-every": "5", "too-many": "503",
		"no-package": "true", "no-access": "true", "failure-status": "400", "losses": "cut,ran-502", "loss-every": "3", "loss-stall": "1s",
	}
	s, err := Open(sim.Options{Size: 20, Set: set})
	if err != nil {
		t.Fatal(err)
	}
	if o := s.(*Simulator).with; o.Login != PrivateKey || o.TooMany != 503 || len(o.Losses.Kinds) != 2 || o.Losses.Stall != time.Second || !o.NoNextPhotos {
		t.Errorf("the options are %+v", o)
	}
	for name, value := range map[string]string{
		"x": "1", "login": "x", "refuse": "x", "burst": "-1", "busy-every": "1", "too-many": "500", "failure-status": "500", "losses": "x", "daily": "x",
	} {
		if s, err := Open(sim.Options{Size: 20, Set: map[string]string{name: value}}); err == nil || s != nil {
			t.Errorf("%s=%s is taken", name, value)
		}
	}
}
