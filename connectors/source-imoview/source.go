package main

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/brazil"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
	imoview "github.com/imob-data/airbyte-connectors/specs/source-imoview"
)

type config struct {
	APIKey    string    `json:"api_key"`
	Email     string    `json:"email"`
	Password  string    `json:"password"`
	Start     rest.Date `json:"start_date"`
	BaseURL   string    `json:"base_url"`
	PerMinute int       `json:"requests_per_minute"`
}

var source = rest.New(imoview.Files, func(c config) rest.API {
	// Times have no offset. They are in Brasília's time, including the summer time of earlier years.
	brasilia, _ := time.LoadLocation("America/Sao_Paulo")
	const second = "02/01/2006 15:04:05" // the format of times in filters

	decimals := func(fields string, edit record.Decimal) (all []record.Edit) {
		for field := range strings.FieldsSeq(fields) {
			edit.Field = field
			all = append(all, edit)
		}
		return all
	}
	exact, number := record.Decimal{}, record.Decimal{ZeroIsNull: true}
	span := record.Decimal{ZeroIsNull: true, Range: true}
	contract := slices.Concat(decimals("valoraluguel", exact),
		decimals("taxaadministracao taxaintermediacao diavencimento diarepasse diavencimentoaluguel diavencimentorepasse", number))
	condominium := slices.Concat(
		decimals(`arealote areainterna areaexterna numeroquartos numerobanhos numerosuites numerovagas valorcondominio
			valorfundoreserva valoraluguel valoralugado valorvenda valorvendido`, span),
		decimals(`anoconstrucao numerovagavisitante numeroelevador numerotorres numeroandares unidadesporandar totalunidades
			primeiroquartilaluguel medianaquartilaluguel terceiroquartilaluguel primeiroquartilvenda medianaquartilvenda
			terceiroquartilvenda latitude longitude`, number))
	property := slices.Concat(
		decimals(`valor valoranterior valorm2 valorcondominio valoriptu valoriptuanual valoravaliacao valorminimo
			valormaiscondominiomaisiptu areaprincipal areainterna areaexterna arealote numeroquartos numerosuites numerobanhos
			numerovagas numerosalas numerovarandas`, span),
		decimals("taxacomissao taxaadm numeroandar andar numeroelevador anoconstrucao latitude longitude", number))
	key, childKey := []string{"codigo"}, []string{"codigocliente", "codigo"}

	// Imoview refuses a page size that it does not allow, so a page that is not full is the last one, unless quantidade says that there are more rows.
	// If no such refusal has been seen, Imoview may shorten the page instead. quantidade is known to be right for contracts and movements, and known to
	// be wrong for other streams; portals may not have it. It is unknown which streams call the page number pagina, and whether some have pages at all.
	reliable, unsure := pagination.Number{Exact: true}, pagination.Number{Exact: true, Unsure: true}
	unseen, bare := pagination.Number{Likely: true, Unsure: true}, pagination.Number{Exact: true, Unsure: true, Bare: true}
	pages := func(in httpclient.In, size int, number pagination.Number) (ways []rest.Way) {
		number.In, number.Start, number.SizeParam, number.Size, number.Rows = in, 1, "numeroRegistros", size, "quantidade"
		for _, number.Param = range []string{"numeroPagina", "pagina"} {
			ways = append(ways, rest.Way{Pages: number})
		}
		return ways
	}
	changed := func(field string, ask rest.Ask) *rest.Cursor {
		// The filters take seconds, but some rows only show the day. The request starts a day earlier, and rows before the mark are dropped here.
		return &rest.Cursor{Field: field, Zone: brasilia, Start: c.Start, Ask: ask, Lookback: 24 * time.Hour}
	}
	touched := changed("datahoraultimainteracao", rest.Since(httpclient.Query, "dataHoraInicialUltimaAlteracao", second))
	touched.Other = true // a request may change without an interaction, for example when it is closed
	available := changed("datahoraultimaalteracao", nil)
	available.Snapshot = true // a condominium comes, or comes back, when a unit becomes available, without a new time of change
	of := func(role string) *rest.Parent {
		return &rest.Parent{Of: "users", Where: role, Missing: true, In: httpclient.Query,
			Params: map[string]string{"codigoCliente": "codigo"}, Put: map[string]string{"codigocliente": "codigo"}}
	}
	offered := func(name, method string, more map[string]any) rest.Stream {
		body := map[string]any{"ordenacao": "codigoasc", "naoconsiderarmeusite": true, "exibircaptadores": true, "exibiranexos": true}
		maps.Copy(body, more)
		return rest.Stream{
			Name: name, Method: http.MethodPost, Path: "/Imovel/" + method, Key: key, Body: body,
			Cursor: changed("datahoraultimaalteracao", rest.Since(httpclient.Body, "dataultimaalteracaoinicio", second)),
			Ways:   pages(httpclient.Body, 20, unsure), Shape: property,
		}
	}
	purposes := []map[string]any{{"finalidade": 1}, {"finalidade": 2}} // it is unknown whether 0 means both
	catalogue := offered("properties", "RetornarImoveis", map[string]any{"situacao": 0})
	catalogue.Key, catalogue.Each, catalogue.Optional = []string{"codigo", "finalidade"}, purposes, true

	// Imoview ignores parameters that a method does not have. If a parameter is missing, it answers that there is no such method.
	client := func(name, path, role string, query url.Values, shape ...record.Edit) rest.Stream {
		return rest.Stream{
			Name: name, Path: path, Key: childKey, Parent: of(role), Ways: pages(httpclient.Query, 20, unsure), Query: query, Shape: shape,
			Nothing: nothing, Optional: true,
		}
	}
	leased := client("landlord_contracts", "/Locador/RetornarContratos", "locador",
		url.Values{"situacao": {"0"}, "codigoContrato": {"0"}, "mostrarRescindidos": {"true"}, "endereco": {""}}, contract...)
	leased.Cursor = changed("dataultimaalteracao", nil)
	value, bill := decimals("valor", span), decimals("valor saldo", exact)
	lookup := func(name, method string) rest.Stream {
		return rest.Stream{Name: name, Path: "/Imovel/" + method, Key: key, Pages: pagination.Single{}, Optional: true}
	}
	places := func(name, method string, more map[string]any) rest.Stream {
		s := lookup(name, method)
		s.Method, s.Each, s.Body = http.MethodPost, purposes, map[string]any{"codigoTipo": 0, "codigoUnidade": 0, "opcaoImovel": 0}
		maps.Copy(s.Body, more)
		return s
	}
	// Only the name of the list of regions is known. It may take requests like those for cities, or like those for types.
	regions := places("regions", "RetornarRegioesDisponiveis", map[string]any{"codigoCidade": 0})
	regions.Refused = func(r *httpclient.Response) bool {
		return r.Status == http.StatusMethodNotAllowed && r.Method == http.MethodPost
	}
	regions.Ways = []rest.Way{{Pages: pagination.Single{}}, {Pages: pagination.Single{}, Method: http.MethodGet}}

	check, refuse, login := "client_companies", error(nil), func(string) string { return "" } // with a login, the check uses it too
	user, password := strings.TrimSpace(c.Email) != "", strings.TrimSpace(c.Password) != ""
	switch {
	case !user && !password:
		check = "users"
		login = func(stream string) string {
			return stream + " needs the login of an Imoview user: fill in email and password."
		}
	case !user || !password:
		refuse = fault.Configf("email and password belong together: fill in both, or neither.")
	}
	staff := func(name, path string, query url.Values) rest.Stream {
		return rest.Stream{
			Name: name, Path: path, Key: key, Ways: pages(httpclient.Query, 50, unseen), Query: query, Optional: true, Needs: login(name),
		}
	}
	teams := url.Values{"finalidade": {"0"}, "codigoUnidade": {"0"}, "codigoEquipe": {"0"}}
	return rest.API{
		Options: httpclient.Options{
			BaseURL: cmp.Or(c.BaseURL, "https://api.imoview.com.br"),
			Auth:    auth.All(auth.Header("chave", c.APIKey), c.session()),
			Limit:   ratelimit.Spaced(time.Minute, cmp.Or(c.PerMinute, 120)),
			Judge:   judge, Careful: true,
		},
		Records: "lista,dados,empresas,pessoas,usuarios,corretores,resposta.lista,resposta",
		Check:   check, Absent: noRoute, Gone: gone, TooLarge: tooLarge, Refuse: refuse, Parallel: 12,
		Streams: []rest.Stream{
			{
				Name: "users", Path: "/Usuario/RetornarTipo3", Key: key, Ways: pages(httpclient.Query, 100, unseen),
				Cursor: changed("dataultimaalteracao", rest.Since(httpclient.Query, "dataHoraInicialUltimaAlteracao", second)),
				Shape:  []record.Edit{record.Rename{From: "whatsappbotiniciarconversa", To: "whatsappbotiniciarConversa"}},
			},
			{
				Name: "tenant_contracts", Path: "/Locatario/RetornarContratos", Key: childKey,
				Parent: of("locatario"), Nothing: nothing, Ways: pages(httpclient.Query, 20, unsure),
				Query:  url.Values{"codigoContrato": {"0"}, "mostrarRescindidos": {"true"}, "endereco": {""}},
				Cursor: changed("dataultimaalteracao", nil), Shape: contract,
			},
			{
				Name: "tenant_inspections", Path: "/Locatario/RetornarVistorias", Key: childKey,
				Parent: of("locatario"), Nothing: nothing, Ways: pages(httpclient.Query, 20, unseen),
				Cursor: &rest.Cursor{ // the time of an appointment, which stays the same when the inspection changes
					Field: "datahora", Zone: brasilia, Start: c.Start, Margin: 90 * 24 * time.Hour, Open: "datahorafim",
				},
			},
			{
				Name: "guarantor_contracts", Path: "/Fiador/App_RetornarContratos", Key: childKey,
				Parent: of("fiador"), Nothing: nothing, Ways: pages(httpclient.Query, 20, unseen), Query: url.Values{"mostrarRescindidos": {"true"}},
				Cursor: changed("dataultimaalteracao", nil), Shape: contract, Needs: login("guarantor_contracts"),
			},
			{
				Name: "client_companies", Path: "/Cliente/App_RetornarEmpresas", Key: key, Ways: pages(httpclient.Query, 50, unseen),
				Needs: login("client_companies"),
			},
			{
				Name: "condominiums", Method: http.MethodPost, Path: "/Imovel/RetornarCondominiosDisponiveis", Key: key,
				Body: map[string]any{"codigocidade": 0, "codigobairro": 0, "finalidade": 0, "retornoReduzido": false},
				Ways: pages(httpclient.Body, 20, unseen), Cursor: available, Shape: condominium,
			},
			offered("properties_rent", "RetornarImoveisDisponiveis", map[string]any{"finalidade": 1}),
			offered("properties_sale", "RetornarImoveisDisponiveis", map[string]any{"finalidade": 2}),
			{
				Name: "lease_contracts", Path: "/ContratoAluguel/RetornarContratos", Key: key, Optional: true,
				Ways: pages(httpclient.Query, 50, reliable), Cursor: changed("dataultimaalteracao", nil), Shape: contract,
			},
			{
				Name: "movements", Path: "/Movimento/RetornarMovimentos", Key: key, Optional: true,
				Ways: pages(httpclient.Query, 50, reliable), Cursor: changed("datahoraultimaalteracao", nil),
				Shape: decimals("saldo", exact),
			},
			{
				Name: "service_requests", Path: "/Atendimento/RetornarAtendimentos", Key: key, Optional: true,
				Query: url.Values{ // the API requires all of them
					"finalidade": {"0"}, "situacao": {"0"}, "fase": {"0"}, "opcaoAtendimento": {"0"}, "codigoUnidade": {"0"},
					"codigoCliente": {"0"}, "codigoCorretor": {"0"}, "codigoMql": {"0"}, "codigoMidia": {"0"}, "codigoTipo": {"0"},
					"dataInicial": {""}, "dataFinal": {""}, "dataHoraInicialUltimaAlteracao": {""}, "dataHoraFinalUltimaAlteracao": {""},
				},
				Ways: pages(httpclient.Query, 20, unsure), Cursor: touched,
			},
			lookup("property_types", "RetornarTiposImoveisDisponiveis"), lookup("branches", "RetornarListaUnidades"),
			lookup("purposes", "RetornarListaFinalidades"), lookup("destinations", "RetornarListaDestinacoes"),
			client("tenant_open_bills", "/Locatario/RetornarBoletosAtivos", "locatario", nil, bill...),
			client("tenant_paid_bills", "/Locatario/RetornarBoletosQuitados", "locatario", nil, bill...),
			client("tenant_properties", "/Locatario/RetornarImoveis", "locatario", nil, value...),
			leased,
			client("landlord_properties", "/Locador/RetornarImoveis", "locador", url.Values{"situacao": {"0"}}, value...),
			client("seller_properties", "/Vendedor/RetornarImoveis", "vendedor", nil, value...),
			client("buyer_deals", "/Comprador/RetornarNegocios", "comprador", nil),
			catalogue,
			{
				Name: "property_details", Path: detailsPath, Key: key, Records: "imovel,lista,", Pages: pagination.Single{},
				Parent: &rest.Parent{
					Of: "properties", Follows: true, Detail: true, In: httpclient.Query, Params: map[string]string{"codigoImovel": "codigo"},
				},
				Cursor: catalogue.Cursor, Shape: property, Optional: true, Needs: login("property_details"),
			},
			staff("people", "/Cliente/App_RetornarPessoas", nil),
			staff("crm_users", "/Usuario/App_RetornarUsuarios", teams), staff("brokers", "/Usuario/App_RetornarCorretores", teams),
			places("cities", "RetornarCidadesDisponiveis", map[string]any{"estado": ""}),
			places("neighbourhoods", "RetornarBairrosDisponiveis", map[string]any{"codigoCidade": 0, "codigoRegiao": 0, "codigoSubRegiao": 0}),
			regions, lookup("extra_fields", "RetornarCamposExtrasDisponiveis"), lookup("key_places", "RetornarListaLocalChaves"),
			{ // the parameter's name is unknown; one property at a time, because a row need not say which property it belongs to
				Name: "portals", Path: "/Imovel/RetornarPortaisImoveis", Key: []string{"codigoimovel", "codigo"}, Optional: true,
				Parent: &rest.Parent{
					Of: "properties", Missing: true, In: httpclient.Query, Put: map[string]string{"codigoimovel": "codigo"},
					Params: map[string]string{"codigosImoveis": "codigo", "codigoImovel": "codigo", "codigos": "codigo"},
				},
				Ways: pages(httpclient.Query, 20, bare), // a property has few of them
			},
		},
	}
})

// session returns the login for paths that begin with App_. It adds a header and a parameter.
func (c config) session() *auth.Session {
	digest := md5.Sum([]byte(c.Password))
	return &auth.Session{
		Login: httpclient.Request{
			Path: "/Usuario/App_ValidarAcesso", Header: http.Header{"Chave": {strings.TrimSpace(c.APIKey)}},
			Query: url.Values{"email": {strings.TrimSpace(c.Email)}, "senha": {hex.EncodeToString(digest[:])}},
			First: denied,
		},
		Parts: []auth.Part{
			{From: "codigoacesso", In: httpclient.Header, Key: "codigoacesso"},
			{From: "codigousuario", In: httpclient.Query, Key: "codigoUsuario", Public: true},
		},
		Match: func(r *httpclient.Request) bool { return strings.Contains(r.Path, "/App_") },
		TTL:   50 * time.Minute,
	}
}

// denied interprets a refused login: an answer without an access code, or a sentence with a status that means something else elsewhere.
func denied(r *httpclient.Response) httpclient.Verdict {
	user, _ := r.Body.Get("codigousuario").Int()
	refused := (r.Status == http.StatusForbidden || r.Status == http.StatusNotFound) && said(r) != "" && !noRoute(r)
	switch {
	case r.Status != http.StatusOK && !refused, user != 0:
		return httpclient.Verdict{}
	case said(r) == "":
		return httpclient.Fail(fault.Configf("Imoview gave no access code for this user. Check email and password."))
	}
	return httpclient.Fail(fault.Configf("Imoview answered %q. Check email and password.", said(r)))
}

// judge interprets Imoview's answers: a throttle looks like a wrong key, and refusals come as 404.
func judge(r *httpclient.Response) httpclient.Verdict {
	words := said(r)
	wrongKey := r.Status == http.StatusUnauthorized && strings.HasPrefix(words, "Chave inválida")
	switch {
	case wrongKey && r.Answered:
		return httpclient.Throttled(fault.Transientf("Imoview throttles: it goes on refusing an API key (%q) that it took before. "+
			"Lower requests_per_minute.", words))
	case wrongKey:
		return httpclient.Doubt(fault.Configf("Imoview refused the API key (%q), which means either that api_key is wrong or that the "+
			"account has just made too many requests: check the key, or try again in some minutes with a lower requests_per_minute.", words))
	case r.Status == http.StatusForbidden:
		return httpclient.Expired(fault.Configf("Imoview denied access to %s (403): %q. Check what the key and the user may read.", r.Path, words))
	case r.Status != http.StatusNotFound, noRoute(r), r.Path == detailsPath && (words == "" || brazil.NoRow(words)):
		return httpclient.Verdict{}
	case words == "": // this does not say that a client is gone
		return httpclient.Fail(fault.Configf("%s was not found (404), and Imoview does not say why. Check base_url and what the "+
			"account may access.", r.Path))
	}
	return httpclient.Fail(fault.Systemf("Imoview refused a request: %q.", words))
}

const detailsPath = "/Imovel/App_RetornarDetalhesImovel"

// nothing reports whether Imoview says, in place of a list, that a client has no rows. Other sentences come with a 404 too.
func nothing(r *httpclient.Response) bool { return brazil.Nothing(instead(r)) }

// hasGone matches how Imoview probably refers to a listed client or property that no longer exists. Its actual wording is unknown.
var hasGone = regexp.MustCompile(`(?i)^(o |nenhum )?(c[oó]digo d[eo] )?(cliente|im[oó]vel)`)

// gone reports whether Imoview says that the requested client or property does not exist. A contract or user that is not found does not count.
func gone(r *httpclient.Response) bool {
	words := instead(r)
	return hasGone.MatchString(words) && brazil.NoRow(words)
}

// instead returns Imoview's sentence in place of a list, or "".
func instead(r *httpclient.Response) string {
	if r.Status == http.StatusNotFound || r.Status == http.StatusOK && r.Body.IsObject() && !r.Body.Get("lista").Exists() {
		return said(r)
	}
	return ""
}

// allowedSize matches the sentence in which Imoview says which page size it allows.
var allowedSize = regexp.MustCompile(`(?i)registros não pode ser maior que (\d+)`)

// tooLarge reports whether Imoview refuses the page size, and the size that it allows.
func tooLarge(r *httpclient.Response) (most int, refused bool) {
	if r.Status != http.StatusNotFound {
		return 0, false
	}
	allowed := allowedSize.FindStringSubmatch(said(r))
	if allowed == nil {
		return 0, false
	}
	most, _ = strconv.Atoi(allowed[1])
	return most, true
}

// said returns Imoview's sentence in an answer, or "".
func said(r *httpclient.Response) string {
	text := func(name string) string { return strings.TrimSpace(r.Body.Get(name).Text()) }
	return r.Excerpt(cmp.Or(text("mensagem"), text("Mensagem"), text("message"), text("Message")))
}

// noRoute reports whether the account does not have a path or the API does not know it.
func noRoute(r *httpclient.Response) bool {
	return r.Status == http.StatusNotFound && strings.Contains(said(r), "No HTTP resource was found")
}
