package imoview

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// path is one method of the API.
type path struct {
	method string                  // empty means GET
	app    bool                    // needs a login
	rows   int                     // the most that a page may have; 0 means that there are no pages
	bare   bool                    // the answer is the list alone
	needs  []string                // parameters that must be there, if only empty: without them there is no such method
	list   func(p *params) listing // nil for what is no list
	item   func(p *params) any     // for one row that is asked for
	stream string                  // the connector's, of a list that is read whole each time
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
	lookup := func(stream string, entries []entry) path {
		return path{stream: stream, list: func(*params) listing { return entryList(entries) }}
	}
	places := func(stream string, list func(p *params) listing) path {
		return path{method: http.MethodPost, stream: stream, list: list}
	}
	client := func(list func(p *params) listing) path { return path{rows: 20, list: list} }
	team := func(stream string, list func(p *params) listing) path {
		return path{app: true, needs: teamParams(), stream: stream, list: list}
	}
	paths := map[string]path{
		loginPath:                                 {},
		usersPath:                                 {rows: 100, list: s.listUsers},
		contractsPath:                             client(s.listContracts),
		inspectionsPath:                           client(s.listInspections),
		guarantorsPath:                            {rows: 20, app: true, list: s.listGuaranteed},
		"/Cliente/App_RetornarEmpresas":           {rows: 50, app: true, stream: "client_companies", list: s.listCompanies},
		"/ContratoAluguel/RetornarContratos":      {rows: 50, list: s.listLeases},
		"/Movimento/RetornarMovimentos":           {rows: 50, list: s.listMovements},
		requestsPath:                              {rows: 20, needs: requestParams(), list: s.listRequests},
		"/Imovel/RetornarCondominiosDisponiveis":  {method: http.MethodPost, rows: 20, list: s.listCondominiums},
		propertiesPath:                            {method: http.MethodPost, rows: 20, list: s.listProperties},
		"/Imovel/RetornarTiposImoveisDisponiveis": lookup("property_types", types()),
		"/Imovel/RetornarListaUnidades":           lookup("branches", branches()),
		"/Imovel/RetornarListaFinalidades":        lookup("purposes", purposes()),
		"/Imovel/RetornarListaDestinacoes":        lookup("destinations", destinations()),
		"/Imovel/RetornarListaLocalChaves":        lookup("key_places", keyPlaces()),
		"/Imovel/RetornarCamposExtrasDisponiveis": {bare: true, stream: "extra_fields", list: s.listExtraFields},
		"/Imovel/RetornarCidadesDisponiveis":      places("cities", s.listCities),
		"/Imovel/RetornarBairrosDisponiveis":      places("neighbourhoods", s.listHoods),
		regionsPath:                               places("regions", s.listRegions),
		"/Locatario/RetornarBoletosAtivos":        client(s.held("tenant_open_bills")),
		"/Locatario/RetornarBoletosQuitados":      client(s.held("tenant_paid_bills")),
		"/Locatario/RetornarImoveis":              client(s.held("tenant_properties")),
		landlordsPath:                             client(s.listLet),
		"/Locador/RetornarImoveis":                client(s.listOwned),
		"/Vendedor/RetornarImoveis":               client(s.held("seller_properties")),
		"/Comprador/RetornarNegocios":             client(s.held("buyer_deals")),
		cataloguePath:                             {method: http.MethodPost, rows: 20, list: s.listCatalogue},
		"/Imovel/App_RetornarDetalhesImovel":      {app: true, item: s.detail},
		"/Imovel/RetornarPortaisImoveis":          {list: s.listPortals},
		"/Cliente/App_RetornarPessoas":            {rows: 50, app: true, stream: "people", list: s.listPeople},
		"/Usuario/App_RetornarUsuarios":           team("crm_users", s.listStaff),
		"/Usuario/App_RetornarCorretores":         team("brokers", s.listBrokers),
	}
	for name, method := range paths {
		method.method = cmp.Or(method.method, http.MethodGet)
		if name == regionsPath && s.with.RegionsGet {
			method.method = http.MethodGet
		}
		paths[name] = method
	}
	return paths
}

// ServeHTTP answers the methods that the agency has, and refuses all else.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.with.Odd {
		odd := &sim.Odd{Seed: s.with.Seed, Exact: exact()}
		defer odd.Send(w)
		w = odd
	}
	s.arrive()
	found, refused := s.answerTo(r)
	if refused != nil {
		s.refuse(w, *refused)
		return
	}
	answer(w, http.StatusOK, found)
}

// answerTo returns the answer to a request. It refuses in this order: a path or a parameter without which there is no such method, the HTTP
// method, the key, the login, the right, the page, a parameter.
func (s *Simulator) answerTo(r *http.Request) (any, *refusal) {
	name := r.URL.Path
	method, ok := s.paths[name]
	switch {
	case !ok || has(s.with.Off, name):
		return nil, noResource(r)
	case r.Method != method.method:
		text := "The requested resource does not support http method '" + r.Method + "'."
		return nil, &refusal{status: http.StatusMethodNotAllowed, text: text, member: "Message", allow: method.method}
	case !s.admitted(r):
		return nil, &refusal{status: http.StatusUnauthorized}
	}
	p, refused := paramsOf(r)
	if refused == nil && slices.ContainsFunc(method.needs, func(name string) bool { _, ok := p.values[name]; return !ok }) {
		refused = noResource(r)
	}
	if refused == nil && method.app {
		refused = s.loggedIn(r, p)
	}
	switch {
	case refused != nil:
		return nil, refused
	case slices.Contains(s.with.Denied, name):
		return nil, &refusal{status: http.StatusForbidden, text: "Usuário sem permissão!"}
	case method.list != nil:
		return s.page(name, method, p)
	case method.item != nil:
		return s.one(name, method, p)
	}
	return s.login(p)
}

// one returns the one row that is asked for.
func (s *Simulator) one(name string, method path, p *params) (any, *refusal) {
	s.data.RLock()
	defer s.data.RUnlock()
	row := method.item(p)
	if p.err == nil {
		s.note(Ask{Path: name, Filter: p.used.String()}, false)
	}
	return row, p.err
}

// exact returns the fields of rows that are never odd: what rows are told apart and filtered by, and what other streams are made of.
func exact() []string {
	return []string{
		"codigo", "dataultimaalteracao", "datahoraultimaalteracao", "datahora", "datahoraultimainteracao",
		"datahorafim", "locatario", "fiador", "locador", "vendedor", "comprador", "finalidade",
	}
}

// noResource is how the framework under the API says 404: with the whole address, query included.
func noResource(r *http.Request) *refusal {
	text := "No HTTP resource was found that matches the request URI 'http://" + r.Host + r.URL.RequestURI() + "'."
	return &refusal{status: http.StatusNotFound, text: text, member: "Message"}
}

// refuse answers with an object of one text.
func (s *Simulator) refuse(w http.ResponseWriter, why refusal) {
	if why.allow != "" {
		w.Header().Set("Allow", why.allow)
	}
	known := map[int]string{http.StatusUnauthorized: "Chave inválida!", http.StatusTooManyRequests: "Limite de requisições excedido!"}
	text := cmp.Or(why.text, known[why.status], http.StatusText(why.status))
	answer(w, why.status, object{cmp.Or(why.member, s.with.MessageKey): text})
}

// Error answers as Imoview does. A quota that is used up may look like a wrong key, see Options.TooMany.
func (s *Simulator) Error(w http.ResponseWriter, status int, text string) {
	if status == http.StatusTooManyRequests {
		status = s.with.TooMany
	}
	s.refuse(w, refusal{status: status, text: text})
}

func answer(w http.ResponseWriter, status int, v any) {
	sim.Send(w, status, "application/json; charset=utf-8", v)
}
