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
	// Times have no offset; they are Brasília's, summer time included where there was one.
	brasilia, _ := time.LoadLocation("America/Sao_Paulo")
	const second = "02/01/2006 15:04:05" // what the filters take

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

	// Imoview refuses a size that it does not allow, so a page that is not full is the last one, unless quantidade says that there are more
	// rows; where no refusal was seen it may as well cut the page. quantidade is known to be right for contracts and movements, and known to be
	// wrong for others; of portals it is not known whether they have it. Which streams know the page's number as pagina is not known, and of some not
	// whether they have pages.
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
		// The filters know seconds, some rows only the day: the question goes a day back, and rows before the mark are dropped here.
		return &rest.Cursor{Field: field, Zone: brasilia, Start: c.Start, Ask: ask, Lookback: 24 * time.Hour}
	}
	touched := changed("datahoraultimainteracao", rest.Since(httpclient.Query, "dataHoraInicialUltimaAlteracao", second))
	touched.Other = true // a request may change, such as be closed, without an interaction
	available := changed("datahoraultimaalteracao", nil)
	available.Snapshot = true // one of whose units becomes available comes, or is back, with a time that nobody moved
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
	purposes := []map[string]any{{"finalidade": 1}, {"finalidade": 2}} // it is not known whether 0 stands for both
	catalogue := offered("properties", "RetornarImoveis", map[string]any{"situacao": 0})
	catalogue.Key, catalogue.Each, catalogue.Optional = []string{"codigo", "finalidade"}, purposes, true

	// Imoview ignores parameters that a method does not have, and answers that there is no such method where one is missing that it has.
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
	// The list of regions is known by its name alone: it may be asked for as those of cities are, or as those of types are.
	regions := places("regions", "RetornarRegioesDisponiveis", map[string]any{"codigoCidade": 0})
	regions.Refused = func(r *httpclient.Response) bool {
		return r.Status == http.StatusMethodNotAllowed && r.Method == http.MethodPost
	}
	regions.Ways = []rest.Way{{Pages: pagination.Single{}}, {Pages: pagination.Single{}, Method: http.MethodGet}}

	check, refuse, login := "client_companies", error(nil), func(string) string { return "" } // a check takes the login too
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
				Cursor: &rest.Cursor{ // an appointment, which does not move when the inspection changes
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
				Query: url.Values{ // the API wants them all
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
			{ // what the parameter is called is not known; one property at a time, since a row need not say which one it is about
				Name: "portals", Path: "/Imovel/RetornarPortaisImoveis", Key: []string{"codigoimovel", "codigo"}, Optional: true,
				Parent: &rest.Parent{
					Of: "properties", Missing: true, In: httpclient.Query, Put: map[string]string{"codigoimovel": "codigo"},
					Params: map[string]string{"codigosImoveis": "codigo", "codigoImovel": "codigo", "codigos": "codigo"},
				},
				Ways: pages(httpclient.Query, 20, bare), // those of one property are few
			},
		},
	}
})

// session returns the login that the paths beginning with App_ want, as a header and a parameter.
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

// denied knows how a login is refused: without an access code, or with a sentence under a status that elsewhere means something else.
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

// judge knows what Imoview means: a throttle that answers as a wrong key does, and refusals that come as 404.
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
	case words == "": // which says of no client that it has gone
		return httpclient.Fail(fault.Configf("%s was not found (404), and Imoview does not say why. Check base_url and what the "+
			"account may access.", r.Path))
	}
	return httpclient.Fail(fault.Systemf("Imoview refused a request: %q.", words))
}

const detailsPath = "/Imovel/App_RetornarDetalhesImovel"

// nothing reports whether Imoview says of what one client has, in the place of a list, that there is none. Other sentences come as 404 too.
func nothing(r *httpclient.Response) bool { return brazil.Nothing(instead(r)) }

// hasGone is what Imoview is likely to say it of, where a client or a property which was listed is not there any more: how it does is not known.
var hasGone = regexp.MustCompile(`(?i)^(o |nenhum )?(c[oó]digo d[eo] )?(cliente|im[oó]vel)`)

// gone reports whether Imoview says so of the one that was asked about. Of a contract or a user that is not found it is no such word.
func gone(r *httpclient.Response) bool {
	words := instead(r)
	return hasGone.MatchString(words) && brazil.NoRow(words)
}

// instead returns Imoview's sentence in the place of a list, or "".
func instead(r *httpclient.Response) string {
	if r.Status == http.StatusNotFound || r.Status == http.StatusOK && r.Body.IsObject() && !r.Body.Get("lista").Exists() {
		return said(r)
	}
	return ""
}

// allowedSize is how Imoview says which size of a page it allows.
var allowedSize = regexp.MustCompile(`(?i)registros não pode ser maior que (\d+)`)

// tooLarge reports whether Imoview refuses the size of a page, and the size that it allows instead.
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

// noRoute reports whether the account does not have a path, or the API has no such path.
func noRoute(r *httpclient.Response) bool {
	return r.Status == http.StatusNotFound && strings.Contains(said(r), "No HTTP resource was found")
}
