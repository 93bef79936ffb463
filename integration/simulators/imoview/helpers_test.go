package imoview

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

// send asks for a path with parameters, in the query or as JSON, with the agency's key and, where it needs one, a login.
func send(t testing.TB, s *Simulator, path string, parameters url.Values) *httptest.ResponseRecorder {
	t.Helper()
	method, target, body := http.MethodGet, path, ""
	header := http.Header{"Chave": {s.Key()}}
	if s.paths[path].app {
		header["Codigoacesso"] = []string{token(t, s)}
		parameters.Set("codigoUsuario", strconv.Itoa(userCode))
	}
	if s.paths[path].method == http.MethodPost {
		members := map[string]any{}
		for name := range parameters {
			members[name] = parameters.Get(name)
			if n, err := strconv.Atoi(parameters.Get(name)); err == nil {
				members[name] = n
			}
		}
		text, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		method, body = http.MethodPost, string(text)
		header.Set("Content-Type", "application/json; charset=utf-8")
	} else {
		target += "?" + parameters.Encode()
	}
	w := simtest.Ask(t, s, method, target, header, body)
	if w.Code == s.with.SessionStatus && s.paths[path].app && s.with.SessionUses > 0 {
		return send(t, s, path, parameters) // the session has expired; the one of the next request is new
	}
	return w
}

// token returns that of a session, a new one if there is none.
func token(t testing.TB, s *Simulator) string {
	t.Helper()
	s.books.Lock()
	for token := range s.sessions {
		s.books.Unlock()
		return token
	}
	s.books.Unlock()
	w := send(t, s, loginPath, simtest.Set("email", email, "senha", digest()))
	var access struct {
		Token string `json:"codigoacesso"`
		User  int    `json:"codigousuario"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &access); err != nil || access.Token == "" || access.User != userCode {
		t.Fatalf("logging in: %d %s", w.Code, w.Body)
	}
	return access.Token
}

// record is one row as the tests look at it: numbers as they came.
type record map[string]any

// key returns the codigo, number or text.
func (r record) key() string { return fmt.Sprint(r["codigo"]) }

// envelope is a page.
type envelope struct {
	Count int      `json:"quantidade"`
	Rows  []record `json:"lista"`
}

func read(t testing.TB, body []byte) (e envelope) {
	t.Helper()
	into := any(&e)
	if bytes.HasPrefix(body, []byte("[")) {
		into = &e.Rows
	}
	simtest.Decode(t, body, into)
	return e
}

// readAll reads every page of a listing as a client does: until one is shorter than asked.
func readAll(t testing.TB, s *Simulator, path string, pairs ...string) (rows []record) {
	t.Helper()
	size := s.paths[path].rows
	if n, ok := s.with.Caps[path]; ok {
		size = n
	}
	for page := 1; ; page++ {
		parameters := simtest.Set(pairs...)
		for _, name := range s.paths[path].needs {
			if !parameters.Has(name) {
				parameters.Set(name, "")
			}
		}
		if size > 0 {
			parameters.Set("numeroPagina", strconv.Itoa(page))
			parameters.Set("numeroRegistros", strconv.Itoa(size))
			parameters.Del("numeropagina")
			parameters.Del("numeroregistros")
		}
		w := send(t, s, path, parameters)
		if w.Code != http.StatusOK {
			t.Fatalf("%s %v: %d %s", path, parameters, w.Code, w.Body)
		}
		e := read(t, w.Body.Bytes())
		rows = append(rows, e.Rows...)
		if size == 0 || len(e.Rows) < size {
			return rows
		}
	}
}

// came counts how often each key is there.
func came(rows []record) map[string]int {
	n := map[string]int{}
	for _, row := range rows {
		n[row.key()]++
	}
	return n
}

// yes tells whether a truth in any of its forms is true.
func yes(v any) bool {
	return slices.Contains([]string{"true", "Sim", "1"}, fmt.Sprint(v))
}

// latest returns the last second that the text of a time may stand for: without seconds it is a whole minute, without hours a day.
func latest(t testing.TB, v any) int64 {
	t.Helper()
	at := stamp(t, v)
	switch text, _ := v.(string); {
	case at == 0:
	case len(text) == len(dayOnly):
		at += day - 1
	case len(text) == len(withMinutes):
		at += 59
	}
	return at
}

// stamp reads a time, in seconds of the wall clock; 0 for the empty text.
func stamp(t testing.TB, v any) int64 {
	t.Helper()
	text, ok := v.(string)
	if !ok {
		t.Fatalf("%v is no time", v)
	}
	if text == "" {
		return 0
	}
	for _, layout := range []string{withSeconds, withMinutes, dayOnly} {
		if moment, err := time.Parse(layout, text); err == nil {
			return moment.Unix()
		}
	}
	t.Fatalf("%q is no time", text)
	return 0
}

// streams reads everything there is, or these streams alone, by the connector's names, each row under its key.
func streams(t testing.TB, s *Simulator, only ...string) map[string]map[string][]record {
	t.Helper()
	found := map[string]map[string][]record{}
	add := func(stream, prefix string, read func() []record) {
		if len(only) > 0 && !slices.Contains(only, stream) {
			return
		}
		if found[stream] == nil {
			found[stream] = map[string][]record{}
		}
		for _, row := range read() {
			key := prefix + row.key()
			found[stream][key] = append(found[stream][key], row)
		}
	}
	all := func(path string, pairs ...string) func() []record {
		return func() []record { return readAll(t, s, path, pairs...) }
	}
	users := readAll(t, s, usersPath)
	add("users", "", func() []record { return users })
	for _, user := range users {
		for role, lists := range clientLists() {
			for stream, path := range lists {
				if yes(user[role]) {
					add(stream, user.key()+",", all(path, "codigoCliente", user.key(), "mostrarRescindidos", "true"))
				}
			}
		}
	}
	for stream, path := range map[string]string{
		"people": "/Cliente/App_RetornarPessoas", "crm_users": "/Usuario/App_RetornarUsuarios", "brokers": "/Usuario/App_RetornarCorretores",
		"extra_fields": "/Imovel/RetornarCamposExtrasDisponiveis", "key_places": "/Imovel/RetornarListaLocalChaves",
		"client_companies": "/Cliente/App_RetornarEmpresas", "condominiums": "/Imovel/RetornarCondominiosDisponiveis",
		"lease_contracts": "/ContratoAluguel/RetornarContratos", "movements": "/Movimento/RetornarMovimentos", "service_requests": requestsPath,
		"property_types": "/Imovel/RetornarTiposImoveisDisponiveis", "branches": "/Imovel/RetornarListaUnidades",
		"purposes": "/Imovel/RetornarListaFinalidades", "destinations": "/Imovel/RetornarListaDestinacoes",
	} {
		add(stream, "", all(path))
	}
	add("properties_rent", "", all(propertiesPath, "finalidade", "1", "ordenacao", "codigoasc"))
	add("properties_sale", "", all(propertiesPath, "finalidade", "2", "ordenacao", "codigoasc"))
	if len(only) == 0 {
		addCatalogue(t, s, add)
	}
	return found
}

// clientLists returns the lists that clients of a role have, by the connector's names.
func clientLists() map[string]map[string]string {
	return map[string]map[string]string{
		"locatario": {
			"tenant_contracts": contractsPath, "tenant_inspections": inspectionsPath, "tenant_open_bills": "/Locatario/RetornarBoletosAtivos",
			"tenant_paid_bills": "/Locatario/RetornarBoletosQuitados", "tenant_properties": "/Locatario/RetornarImoveis",
		},
		"fiador":    {"guarantor_contracts": guarantorsPath},
		"locador":   {"landlord_contracts": landlordsPath, "landlord_properties": "/Locador/RetornarImoveis"},
		"vendedor":  {"seller_properties": "/Vendedor/RetornarImoveis"},
		"comprador": {"buyer_deals": "/Comprador/RetornarNegocios"},
	}
}

// addCatalogue adds what is read by purpose, and what is read of each property.
func addCatalogue(t testing.TB, s *Simulator, add func(stream, prefix string, read func() []record)) {
	t.Helper()
	places := map[string]string{
		"cities": "/Imovel/RetornarCidadesDisponiveis", "neighbourhoods": "/Imovel/RetornarBairrosDisponiveis", "regions": regionsPath,
	}
	seen := map[string]bool{}
	isNew := func(stream string, row record) bool {
		before := seen[stream+row.key()]
		seen[stream+row.key()] = true
		return !before
	}
	for _, purpose := range []string{"1", "2"} {
		for stream, path := range places {
			add(stream, "", func() []record {
				return slices.DeleteFunc(readAll(t, s, path, "finalidade", purpose), func(row record) bool { return !isNew(stream, row) })
			})
		}
		for _, row := range readAll(t, s, cataloguePath, "finalidade", purpose, "ordenacao", "codigoasc", "naoconsiderarmeusite", "true") {
			code := row.key()
			if isNew("properties", row) {
				add("property_details", "", func() []record { return []record{detailOf(t, s, code)} })
				add("portals", code+",", func() []record { return readAll(t, s, "/Imovel/RetornarPortaisImoveis", "codigosImoveis", code) })
			}
			offer := maps.Clone(row)
			offer["codigo"] = fmt.Sprintf("%s,%s", code, row["finalidade"])
			add("properties", "", func() []record { return []record{offer} })
		}
	}
}

// detailOf returns the answer about one property.
func detailOf(t testing.TB, s *Simulator, code string) record {
	t.Helper()
	w := send(t, s, "/Imovel/App_RetornarDetalhesImovel", simtest.Set("codigoImovel", code))
	var wrapped struct {
		Property record `json:"imovel"`
	}
	into := any(&wrapped)
	if s.with.BareDetail {
		into = &wrapped.Property
	}
	if simtest.Decode(t, w.Body.Bytes(), into); w.Code != http.StatusOK {
		t.Fatalf("the detail of %s: %d", code, w.Code)
	}
	return wrapped.Property
}

// counts returns how often each key of a stream came.
func counts(rows map[string][]record) map[string]int {
	n := map[string]int{}
	for key, rows := range rows {
		n[key] = len(rows)
	}
	return n
}

func contains(body *httptest.ResponseRecorder, text string) bool {
	return strings.Contains(body.Body.String(), text)
}
