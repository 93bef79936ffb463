package imoview

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// path is one method of the API.
type path struct {
	method string
	app    bool                    // needs a login
	rows   int                     // the most that a page may have; 0 means that there are no pages
	bare   bool                    // the answer is the list alone
	needs  []string                // parameters that must be there, if only empty: without them there is no such method
	list   func(p *params) listing // nil for what is no list
	item   func(p *params) any     // for one row that is asked for
}

// The paths that others speak of.
const (
	loginPath       = "/Usuario/App_ValidarAcesso"
	usersPath       = "/Usuario/RetornarTipo3"
	propertiesPath  = "/Imovel/RetornarImoveisDisponiveis"
	contractsPath   = "/Locatario/RetornarContratos"
	inspectionsPath = "/Locatario/RetornarVistorias"
	guarantorsPath  = "/Fiador/App_RetornarContratos"
	requestsPath    = "/Atendimento/RetornarAtendimentos"
	cataloguePath   = "/Imovel/RetornarImoveis"
	regionsPath     = "/Imovel/RetornarRegioesDisponiveis"
	landlordsPath   = "/Locador/RetornarContratos"
)

func (s *Simulator) routes() map[string]path {
	lookup := func(entries []entry) path {
		return path{method: http.MethodGet, list: func(*params) listing { return entryList(entries) }}
	}
	places := func(list func(p *params) listing) path { return path{method: http.MethodPost, list: list} }
	client := func(list func(p *params) listing) path { return path{method: http.MethodGet, rows: 20, list: list} }
	paths := map[string]path{
		loginPath:                                 {method: http.MethodGet},
		usersPath:                                 {method: http.MethodGet, rows: 100, list: s.listUsers},
		contractsPath:                             {method: http.MethodGet, rows: 20, list: s.listContracts},
		inspectionsPath:                           {method: http.MethodGet, rows: 20, list: s.listInspections},
		guarantorsPath:                            {method: http.MethodGet, rows: 20, app: true, list: s.listGuaranteed},
		"/Cliente/App_RetornarEmpresas":           {method: http.MethodGet, rows: 50, app: true, list: s.listCompanies},
		"/ContratoAluguel/RetornarContratos":      {method: http.MethodGet, rows: 50, list: s.listLeases},
		"/Movimento/RetornarMovimentos":           {method: http.MethodGet, rows: 50, list: s.listMovements},
		requestsPath:                              {method: http.MethodGet, rows: 20, list: s.listRequests, needs: requestParams()},
		"/Imovel/RetornarCondominiosDisponiveis":  {method: http.MethodPost, rows: 20, list: s.listCondominiums},
		propertiesPath:                            {method: http.MethodPost, rows: 20, list: s.listProperties},
		"/Imovel/RetornarTiposImoveisDisponiveis": lookup(types()),
		"/Imovel/RetornarListaUnidades":           lookup(branches()),
		"/Imovel/RetornarListaFinalidades":        lookup(purposes()),
		"/Imovel/RetornarListaDestinacoes":        lookup(destinations()),
		"/Imovel/RetornarListaLocalChaves":        lookup(keyPlaces()),
		"/Imovel/RetornarCamposExtrasDisponiveis": {method: http.MethodGet, bare: true, list: s.listExtraFields},
		"/Imovel/RetornarCidadesDisponiveis":      places(s.listCities),
		"/Imovel/RetornarBairrosDisponiveis":      places(s.listHoods),
		regionsPath:                               places(s.listRegions),
		"/Locatario/RetornarBoletosAtivos":        client(s.held("tenant_open_bills")),
		"/Locatario/RetornarBoletosQuitados":      client(s.held("tenant_paid_bills")),
		"/Locatario/RetornarImoveis":              client(s.held("tenant_properties")),
		landlordsPath:                             client(s.listLet),
		"/Locador/RetornarImoveis":                client(s.listOwned),
		"/Vendedor/RetornarImoveis":               client(s.held("seller_properties")),
		"/Comprador/RetornarNegocios":             client(s.held("buyer_deals")),
		cataloguePath:                             {method: http.MethodPost, rows: 20, list: s.listCatalogue},
		"/Imovel/App_RetornarDetalhesImovel":      {method: http.MethodGet, app: true, item: s.detail},
		"/Imovel/RetornarPortaisImoveis":          {method: http.MethodGet, list: s.listPortals},
		"/Cliente/App_RetornarPessoas":            {method: http.MethodGet, rows: 50, app: true, list: s.listPeople},
		"/Usuario/App_RetornarUsuarios":           {method: http.MethodGet, app: true, needs: teamParams(), list: s.listStaff},
		"/Usuario/App_RetornarCorretores":         {method: http.MethodGet, app: true, needs: teamParams(), list: s.listBrokers},
	}
	if s.with.RegionsGet {
		paths[regionsPath] = path{method: http.MethodGet, list: s.listRegions}
	}
	return paths
}

// ServeHTTP answers the methods that the agency has, and refuses all else in this order: a path or a parameter without which there is no
// such method, the HTTP method, the key, the login, the right, the page, a parameter.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.with.Odd {
		odd := &sim.Odd{Seed: s.with.Seed, Exact: exact()}
		defer odd.Send(w)
		w = odd
	}
	s.arrive()
	name := r.URL.Path
	method, ok := s.paths[name]
	if !ok || has(s.with.Off, name) {
		s.noResource(w, r)
		return
	}
	if r.Method != method.method {
		w.Header().Set("Allow", method.method)
		s.send(w, http.StatusMethodNotAllowed, "Message", "The requested resource does not support http method '"+r.Method+"'.")
		return
	}
	if !s.admitted(r) {
		s.Error(w, http.StatusUnauthorized, "")
		return
	}
	p, refused := s.params(r)
	if refused == nil && slices.ContainsFunc(method.needs, func(name string) bool { _, ok := p.values[name]; return !ok }) {
		s.noResource(w, r)
		return
	}
	if refused == nil && method.app {
		refused = s.loggedIn(r, p)
	}
	if refused == nil && slices.Contains(s.with.Denied, name) {
		refused = &refusal{http.StatusForbidden, "Usuário sem permissão!"}
	}
	if refused != nil {
		s.Error(w, refused.status, refused.text)
		return
	}
	if method.list == nil && method.item == nil {
		s.login(w, p)
		return
	}
	found, refused := s.answerTo(name, method, p)
	if refused != nil {
		s.Error(w, refused.status, refused.text)
		return
	}
	answer(w, http.StatusOK, found)
}

// answerTo returns the page, the bare list or the one row that is asked for.
func (s *Simulator) answerTo(name string, method path, p *params) (any, *refusal) {
	if method.item != nil {
		s.data.RLock()
		defer s.data.RUnlock()
		row := method.item(p)
		if p.err == nil {
			s.note(Ask{Path: name, Filter: p.used.String()}, false)
		}
		return row, p.err
	}
	return s.page(name, method, p)
}

// exact returns the fields of rows that are never odd: what rows are told apart and filtered by, and what other streams are made of.
func exact() []string {
	return []string{
		"codigo", "dataultimaalteracao", "datahoraultimaalteracao", "datahora", "datahoraultimainteracao",
		"datahorafim", "locatario", "fiador", "locador", "vendedor", "comprador", "finalidade",
	}
}

func (s *Simulator) params(r *http.Request) (*params, *refusal) {
	if r.Method == http.MethodPost {
		return body(r)
	}
	return query(r.URL.RawQuery)
}

// noResource is how the framework under the API says 404: with the whole address, query included.
func (s *Simulator) noResource(w http.ResponseWriter, r *http.Request) {
	address := "http://" + r.Host + r.URL.RequestURI()
	s.send(w, http.StatusNotFound, "Message", "No HTTP resource was found that matches the request URI '"+address+"'.")
}

// Error answers as Imoview does. A quota that is used up may look like a wrong key, see Options.TooMany.
func (s *Simulator) Error(w http.ResponseWriter, status int, text string) {
	if status == http.StatusTooManyRequests {
		status = s.with.TooMany
	}
	known := map[int]string{401: "Chave inválida!", 429: "Limite de requisições excedido!"}
	s.send(w, status, s.with.MessageKey, cmp.Or(text, known[status], http.StatusText(status)))
}

// send answers with an object of one text.
func (s *Simulator) send(w http.ResponseWriter, status int, member, text string) {
	answer(w, status, object{member: text})
}

func answer(w http.ResponseWriter, status int, v any) {
	sim.Send(w, status, "application/json; charset=utf-8", v)
}
