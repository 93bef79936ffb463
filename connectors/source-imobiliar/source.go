package main

import (
	"cmp"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"net/http"
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
	"github.com/imob-data/airbyte-connectors/common/spec"
	imobiliar "github.com/imob-data/airbyte-connectors/specs/source-imobiliar"
)

type config struct {
	BaseURL    string    `json:"base_url"`
	Path       string    `json:"path"`
	Company    string    `json:"imob_id"`
	User       string    `json:"user_id"`
	Password   string    `json:"password"`
	Start      rest.Date `json:"start_date"`
	Inactive   *bool     `json:"include_inactive"`
	Back       *int      `json:"competencias_back"`
	PageSize   *int      `json:"page_size"`
	Sessions   int       `json:"sessions"`
	PerMinute  int       `json:"requests_per_minute"`
	FeeTypes   *[]string `json:"fee_types"`
	Origins    *[]string `json:"payable_origins"`
	FeePercent float64   `json:"overdue_fee_percent"`
	Tables     []string  `json:"code_tables"`
}

const day, position = "02/01/2006", "Posicao" // how a day is written; the column of a row's place in its array

var source = rest.New(imobiliar.Files, describe)

// describe is the API as c sees it. All requests go to one address, where the action in the body says what is asked for.
func describe(c config) rest.API {
	brasilia, _ := time.LoadLocation("America/Sao_Paulo") // of days
	layouts := []string{day, day + " 15:04:05", day + " 15:04"}
	path := cmp.Or(c.Path, "/webservice/Imobiliar2")
	active := map[bool][]string{true: {"S", "N"}, false: {"S"}}[rest.Or(c.Inactive, true)]
	changed := &rest.Cursor{
		Field: "DataAlteracao", Zone: brasilia, Layouts: layouts, Start: c.Start, Hidden: true,
		Ask: rest.Since(httpclient.Body, "Body.DataAlteracaoInicial", day), Lookback: 48 * time.Hour,
	}
	back := time.Duration(max(1, 31*rest.Or(c.Back, 3))) * 24 * time.Hour
	due := &rest.Cursor{Field: "DataVencimento", Zone: brasilia, Layouts: layouts, Start: c.Start, Margin: back}
	dues := func(ahead time.Duration) func(s *rest.Stream) {
		w := &rest.Windows{Oldest: time.Date(2000, 1, 1, 0, 0, 0, 0, brasilia), Ahead: ahead}
		w.Ask = rest.Days(httpclient.Body, "Body.DataInicial", "Body.DataFinal", day)
		return func(s *rest.Stream) { s.Cursor, s.Windows = due, w }
	}
	unfiltered := says(func(words string) bool { return strings.Contains(words, "(DataAlteracaoInicial)") })
	single := func(name, action, records string, body map[string]any, key ...string) rest.Stream {
		return rest.Stream{
			Name: name, Method: http.MethodPost, Path: path, Body: envelope(action, body), Key: key, Pages: pagination.Single{},
			Records: strings.TrimSuffix("Body."+records, "."), Optional: true, Refused: unfiltered, RefusedAsk: true,
		}
	}
	paged := func(name, action, records string, body map[string]any, key ...string) rest.Stream {
		s := single(name, action, records, body, key...)
		s.Pages = pagination.Held{
			In: httpclient.Body, SizeParam: "Body.QtdeLinhas", Size: rest.Or(c.PageSize, 200), Param: "Body.ProximasLinhas", Begin: "N", Further: "S",
		}
		return s
	}
	search := func(name, action, records, key, flag string) rest.Stream {
		s := paged(name, action, records, map[string]any{"Texto": ""}, key)
		s.Unlisted, s.Each = true, rest.Sets("Body."+flag, active...)
		return s
	}
	detail := func(name, action, records, of, code string, key ...string) rest.Stream {
		s := single(name, action, records, map[string]any{}, key...)
		put := map[bool]map[string]string{false: rest.Same(code)}
		s.Parent = &rest.Parent{
			Of: of, In: httpclient.Body, Params: map[string]string{"Body." + code: code}, AsText: code == "CodFornecedor",
			Missing: true, Follows: true, Detail: slices.Contains(key, code), Put: put[slices.Contains(key, code)],
		}
		return s
	}
	part := func(name, of, array string, own int, key ...string) rest.Stream {
		at := map[bool]string{true: position}[slices.Contains(key, position)]
		return rest.Stream{Name: name, Key: key, Explode: &rest.Explode{Of: of, Array: array, Put: rest.Same(key[:own]...), Position: at}}
	}
	with := func(s rest.Stream, edits ...func(s *rest.Stream)) rest.Stream {
		for _, edit := range edits {
			edit(&s)
		}
		return s
	}
	incremental := func(s *rest.Stream) { s.Cursor = changed }
	whole := func(s *rest.Stream) { s.Map = rest.Whole("Registro", "Chave") } // the fields of its rows are not documented
	keyed := func(key ...string) func(s *rest.Stream) { return func(s *rest.Stream) { s.Key = key } }
	sets := func(param string, values ...string) func(s *rest.Stream) {
		each, put := rest.Sets("Body."+param, values...), map[string]string{param: "Body." + param}
		return func(s *rest.Stream) { s.Each, s.Put = each, put }
	}
	contracts, leases := "LOCACAO_CONTRATO_ADM_PESQUISAR", "LOCACAO_CONTRATO_IMOVEL_PESQUISAR"
	var either []map[string]any // a property is known by its contracts alone
	for _, flag := range active {
		either = append(either, map[string]any{"Header.Action": contracts, "Body.Ativo": flag})
		either = append(either, map[string]any{"Header.Action": leases, "Body.Ativos": flag})
	}
	return rest.API{
		Options: httpclient.Options{
			BaseURL: c.BaseURL, PlainHTTP: true, Auth: c.session(path), Judge: judge, Limit: ratelimit.Spaced(time.Minute, cmp.Or(c.PerMinute, 60)),
			Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		},
		Check: "people", Absent: says(brazil.NoAction), Gone: says(brazil.NoRow), Omits: true, Parallel: cmp.Or(c.Sessions, 1),
		Streams: finish([]rest.Stream{
			with(search("person_search", "CADASTRO_PESSOA_PESQUISAR", "Pessoas", "CodPessoa", "Ativo"), incremental),
			with(detail("people", "CADASTRO_PESSOA_CONSULTAR", "", "person_search", "CodPessoa", "CodPessoa"), incremental),
			with(part("people_addresses", "people", "Enderecos", 1, "CodPessoa", position), incremental),
			with(search("supplier_search", "CADASTRO_FORNECEDOR_PESQUISAR", "Fornecedores", "CodFornecedor", "Ativo"), incremental),
			with(detail("suppliers", "CADASTRO_FORNECEDOR_CONSULTAR", "", "supplier_search", "CodFornecedor", "CodFornecedor"), incremental),
			search("contract_search", contracts, "Contratos", "CodContratoAdm", "Ativo"),
			detail("administration_contracts", "LOCACAO_CONTRATO_ADM_CONSULTAR", "", "contract_search", "CodContratoAdm", "CodContratoAdm"),
			part("administration_contract_owners", "administration_contracts", "Proprietarios", 1, "CodContratoAdm", "CodPessoa"),
			part("administration_contract_properties", "administration_contracts", "Imoveis", 1, "CodContratoAdm", "CodImovel"),
			part("administration_contract_shares", "administration_contracts", "Participacoes", 1, "CodContratoAdm", "CodImovel", "CodPessoa"),
			search("lease_search", leases, "Contratos", "CodImovel", "Ativos"),
			detail("lease_contracts", "LOCACAO_CONTRATO_IMOVEL_CONSULTAR", "", "lease_search", "CodImovel", "CodImovel", "CodContratoLoc"),
			part("lease_contract_tenants", "lease_contracts", "Locatarios", 2, "CodImovel", "CodContratoLoc", "CodPessoa"),
			part("lease_contract_guarantors", "lease_contracts", "Fiadores", 2, "CodImovel", "CodContratoLoc", "CodPessoa"),
			with(search("property_search", "", "Contratos", "CodImovel", "Ativo"), func(s *rest.Stream) { s.Each = either }),
			detail("properties", "LOCACAO_IMOVEL_CONSULTAR", "", "property_search", "CodImovel", "CodImovel"),
			part("property_features", "properties", "Caracteristicas", 1, "CodImovel", position),
			with(paged("condominium_search", "CONDOM_CONDOMINIO_PESQUISAR", "Condominios", map[string]any{
				"Texto": "", "IncluiInativos": map[bool]string{true: "S", false: "N"}[len(active) == 2],
			}, "CodCondominio"), func(s *rest.Stream) { s.Unlisted = true }),
			detail("condominiums", "CONDOM_CONDOMINIO_CONSULTAR", "", "condominium_search", "CodCondominio", "CodCondominio"),
			part("condominium_blocks", "condominiums", "Blocos", 1, "CodCondominio", "CodBloco"),
			with(detail("condominium_units", "CONDOM_LISTA_ECONOMIAS", "", "condominium_search", "CodCondominio", "IdEconomia"), func(s *rest.Stream) {
				s.Cursor, s.Parent.Follows = changed, false
				s.Explode = &rest.Explode{Within: "Blocos", Array: "Economias", Put: rest.Same(strings.Fields(`NomeCondominio CodBlocoBase
					CodFilial DiaVencimentoDoc Assessor AssessorEmail AssessorAgencia TotaldeEconomias TotaldeBlocos CodBloco NomeBloco QtdeEconomias
					Endereco Bairro CEP NomeSindico EmailSindico CPFSindico ValorGas ValorAgua Conselho`)...)}
			}),
			with(detail("condominium_overdue", "CONDOM_LISTA_INADIMPLENCIAS", "Inadimplentes", "condominium_search", "CodCondominio"), whole, keyed("CodCondominio", "Chave")),
			paged("branches", "CADASTRO_FILIAL_PESQUISAR", "Filiais", map[string]any{"Texto": ""}, "CodFilial"),
			paged("shops", "CADASTRO_LOJA_PESQUISAR", "Agencias", map[string]any{"Texto": ""}, "IdLoja"),
			with(paged("fees", "CADASTRO_TAXA_PESQUISAR", "Taxas", map[string]any{"Texto": "", "Ativo": "T"}, "TipoTaxa", "CodTaxa"),
				sets("TipoTaxa", rest.Or(c.FeeTypes, []string{"L", "C"})...)),
			with(paged("payables", "CTAPAG_LANCAMENTO_PESQUISAR", "Lancamentos", map[string]any{"TipoPeriodo": "V"}, "NumeroLancto"),
				sets("TipoPesquisa", rest.Or(c.Origins, []string{"C", "I", "A"})...), dues(366*24*time.Hour)),
			with(paged("overdue_bills", "CTAREC_BOLETO_PESQUISAR_INADIMPLENCIAS", "Pendentes", map[string]any{
				"PercentualHonorarios": json.RawMessage(strconv.FormatFloat(c.FeePercent, 'f', 2, 64)),
			}, "DocCapaId", "CodTaxa"), dues(0)),
			with(single("interested_search", "COMERC_INTERESSADO_PESQUISAR", "Interessados", map[string]any{}, "CodInteressado"),
				func(s *rest.Stream) { s.Unlisted = true }),
			with(detail("interested_people", "COMERC_INTERESSADO_CONSULTAR", "", "interested_search", "CodInteressado"), whole,
				keyed("CodInteressado")),
			with(single("code_tables", "TABELA_CONSULTAR", "Itens", map[string]any{}), sets("Tabela", c.Tables...), whole, keyed("Chave")),
			with(single("notifications", "NOTIFICACAO_CONSULTAR", "Notificacoes", map[string]any{}), whole, keyed("Chave")),
		}, layouts, brasilia),
	}
}

func envelope(action string, body map[string]any) map[string]any {
	return map[string]any{"Header": map[string]any{"Action": action}, "Body": body}
}

// session is what the session id of each request comes from. The password is sent as the MD5 of its capitals.
func (c config) session(path string) *auth.Sessions {
	secret := fmt.Sprintf("%x", md5.Sum([]byte(strings.ToUpper(c.Password))))
	user := map[string]any{"IMOB_ID": strings.TrimSpace(c.Company), "USER_ID": strings.TrimSpace(c.User), "USER_PASS": secret}
	call := httpclient.Request{Method: http.MethodPost, Path: path, Body: envelope("LOGIN", user)}
	end := httpclient.Request{Method: http.MethodPost, Path: path, Body: envelope("LOGOUT", map[string]any{})}
	id := auth.Part{From: "Header.SessionId", In: httpclient.Body, Key: "Header.SessionId"}
	return &auth.Sessions{Login: call, Logout: end, Part: id, Secret: secret, Count: c.Sessions, Most: "Body.MaxSessions"}
}

// finish leaves out of the rows what is secret and what is a table of its own, and brings the rest into the types of the schemas.
func finish(streams []rest.Stream, layouts []string, zone *time.Location) []rest.Stream {
	for i := range streams {
		s := &streams[i]
		s.Shape = append(spec.Typed(imobiliar.Files, s.Name, layouts, zone), record.Drop{Field: "SenhaInternetMD5"}, record.Drop{Field: "LoginAdmCondom"})
		for _, part := range streams {
			if part.Explode != nil && part.Explode.Of == s.Name {
				s.Shape = append(s.Shape, record.Drop{Field: part.Explode.Array})
			}
		}
		if s.Map != nil || s.Unlisted {
			continue
		}
		s.Map = func(row record.Record) (record.Record, error) {
			members := brazil.Padded(row, map[string]int{"CEP": 8, "CPFSindico": 11}, "CpfCnpj", "TipoPessoa")
			if s.Name == "overdue_bills" && row.Get("CodTaxa").Text() == "" { // not one fee of a bill: it is 0 in its key
				members = append(members, record.Member{Name: "CodTaxa", Value: []byte("0")})
			}
			return rest.With(row, members...), nil
		}
	}
	return streams
}

// judge knows what Imobiliar's answers mean: their status says nothing, and that a session has ended is told as plain text.
func judge(r *httpclient.Response) error {
	text := strings.ToLower(strings.TrimLeft(string(r.Text[:min(len(r.Text), 200)]), "\ufeff\" \r\n\t"))
	failed, ok := r.Body.Get("Header.Error").Bool()
	action := r.Excerpt(cmp.Or(r.Body.Get("Header.Action").Text(), "an action"))
	words := said(r)
	switch {
	case r.Status == 468, strings.HasPrefix(text, "468"), r.Body == nil && strings.Contains(text, "session expired"):
		return &httpclient.SessionLost{Err: fault.Transientf("Imobiliar ends each session as soon as it is opened. Trying again later may help.")}
	case failed && brazil.Denied(words):
		return fault.Configf("Imobiliar does not let this user do %s: %s. Have the right given to the user, or leave out the stream.", action, words)
	case r.Body == nil, ok && !failed, r.Status >= 500 || r.Status == http.StatusTooManyRequests || r.Status == http.StatusRequestTimeout:
		return nil
	case !ok:
		return httpclient.Again(fault.Transientf("Imobiliar answered without Header.Error. Check base_url and path in the configuration."))
	case words == "":
		return httpclient.Again(fault.Transientf("Imobiliar failed at %s without a reason. Trying again later may help.", action))
	}
	return fault.Configf("Imobiliar refused %s: %s.", action, words)
}

// says is a test of the words of answers that are failures.
func says(is func(words string) bool) func(r *httpclient.Response) bool {
	return func(r *httpclient.Response) bool { return r.Body.Get("Header.Error").True() && is(said(r)) }
}

// said is the words of an answer that is a failure, with the fields they are about, or "". Erros is a list, or one alone.
func said(r *httpclient.Response) string {
	all := r.Body.Get("Body.Erros").Array()
	if all == nil {
		all = []record.Record{record.Record(r.Body.Get("Body.Erros").Raw())}
	}
	var words []string
	for _, one := range all {
		text := strings.TrimSuffix(strings.TrimSpace(one.Get("Mensagem").Text()), ".") + " (" + one.Get("Campo").Text() + ")"
		words = append(words, strings.TrimSpace(strings.TrimSuffix(text, "()")))
	}
	return r.Excerpt(strings.Join(words, "; "))
}
