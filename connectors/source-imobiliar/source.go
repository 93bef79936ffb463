package main

import (
	"cmp"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
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
	FeeTypes   []string  `json:"fee_types"`
	Origins    []string  `json:"payable_origins"`
	FeePercent float64   `json:"overdue_fee_percent"`
	Tables     []string  `json:"code_tables"`
}

const day, position = "02/01/2006", "Posicao" // the format of days; the column of a row's place in its array, or among rows with its key

var source = rest.New(imobiliar.Files, describe)

// describe returns the API for c. All requests go to one address. The action in the body says what is asked for.
func describe(c config) rest.API {
	brasilia, _ := time.LoadLocation("America/Sao_Paulo") // the zone of days
	path := cmp.Or(c.Path, "/webservice/Imobiliar2")
	active := map[bool][]string{true: {"S", "N"}, false: {"S"}}[rest.Or(c.Inactive, true)]
	changed := &rest.Cursor{ // rows need not say when they changed, and the filter takes days
		Field: "DataAlteracao", Zone: brasilia, Start: c.Start, Hidden: true, Lookback: 48 * time.Hour,
		Ask: rest.Since(httpclient.Body, "Body.DataAlteracaoInicial", day),
	}
	back := rest.Months(rest.Or(c.Back, 3)) + rest.Months(1) // whole months, and the current one
	due := &rest.Cursor{Field: "DataVencimento", Zone: brasilia, Start: c.Start, Margin: back}
	dues := func(w rest.Windows, s rest.Stream) rest.Stream { // it is unknown whether the answer includes the first and the last day
		w.Oldest, w.First = time.Date(2000, 1, 1, 0, 0, 0, 0, brasilia), time.Date(1900, 1, 1, 0, 0, 0, 0, brasilia)
		s.Cursor, s.Windows, s.Days = due, &w, rest.Between(httpclient.Body, "Body.DataInicial", "Body.DataFinal", day)
		return s
	}
	ever := rest.Windows{Last: time.Date(2099, 12, 31, 0, 0, 0, 0, brasilia), Undated: true} // payables are listed before they are due and need no date
	at := func(key []string) string { return map[bool]string{true: position}[slices.Contains(key, position)] }
	single := func(name, action, records string, body map[string]any, key ...string) rest.Stream {
		return rest.Stream{
			Name: name, Method: http.MethodPost, Path: path, Body: envelope(action, body), Key: key, Pages: pagination.Single{},
			Records: strings.TrimSuffix("Body."+records, "."), Optional: true, Repeats: at(key),
			Refused: says(func(words string) bool { return strings.Contains(words, "(DataAlteracaoInicial)") }), Nothing: says(brazil.Nothing),
		}
	}
	paged := func(name, action, records string, body map[string]any, key ...string) rest.Stream {
		s := single(name, action, records, body, key...)
		s.Pages = pagination.Held{
			In: httpclient.Body, SizeParam: "Body.QtdeLinhas", Size: rest.Or(c.PageSize, 200), Param: "Body.ProximasLinhas", Begin: "N", Further: "S",
		}
		return s
	}
	search := func(name, action, records, keys string, sets ...map[string]any) rest.Stream {
		s := paged(name, action, records, map[string]any{"Texto": ""}, strings.Fields(keys)...)
		s.Unlisted, s.Each, s.Apart = true, sets, action == ""
		return s
	}
	each := func(name, action, records, of string, key ...string) rest.Stream { // one request for each row of a search, by the first part of key
		s := single(name, action, records, map[string]any{}, key...)
		s.Parent = &rest.Parent{
			Of: of, In: httpclient.Body, Params: map[string]string{"Body." + key[0]: key[0]}, Numbers: key[0] != "CodFornecedor",
			Missing: true, Follows: name != "unit_list", Put: rest.Same(key[0]), // a condominium does not say when its units changed
		}
		return s
	}
	detail := func(name, action, of string, key ...string) rest.Stream { // the complete row of a search
		s := each(name, action, "", of, key...)
		s.Nothing, s.Parent.Detail, s.Parent.Put = nil, true, nil
		return s
	}
	part := func(name, of, array string, own int, key ...string) rest.Stream {
		return rest.Stream{Name: name, Key: key, Explode: &rest.Explode{Of: of, Array: array, Put: rest.Same(key[:own]...), Position: at(key)}}
	}
	chosen := map[bool]string{false: "active"}[len(active) == 2] // a mark does not cover rows that were not asked for
	incremental := func(s rest.Stream) rest.Stream { s.Cursor, s.Choice = changed, chosen; return s }
	relet := func(s rest.Stream) rest.Stream {
		s.Parent.Alike = "Imobiliar answers with one lease of each property, and lists no codes by which to ask for others; properties that have several"
		return s
	}
	unlisted := func(s rest.Stream) rest.Stream { s.Unlisted = true; return s }
	sets := func(param string, values []string, s rest.Stream) rest.Stream {
		s.Each, s.Put = rest.Sets("Body."+param, values...), map[string]string{param: "Body." + param}
		s.Choice = strings.Join(values, ",")
		return s
	}
	overdue := dues(rest.Windows{}, paged("overdue_bills", "CTAREC_BOLETO_PESQUISAR_INADIMPLENCIAS", "Pendentes",
		map[string]any{"PercentualHonorarios": json.RawMessage(fmt.Sprintf("%.2f", c.FeePercent))}, "DocCapaId", "CodTaxa", position))
	if c.FeePercent != 0 { // the fee changes the bills, including those already read
		overdue.Choice = fmt.Sprint(c.FeePercent)
	}
	units := incremental(part("condominium_units", "unit_list", "Economias", 0, "IdEconomia"))
	units.Explode.Within, units.Explode.Put = "Blocos", rest.Same(strings.Fields(`CodCondominio NomeCondominio CodBlocoBase CodFilial
		DiaVencimentoDoc Assessor AssessorEmail AssessorAgencia TotaldeEconomias TotaldeBlocos CodBloco NomeBloco QtdeEconomias Endereco Bairro
		CEP NomeSindico EmailSindico CPFSindico ValorGas ValorAgua Conselho`)...)
	contracts, leases := "LOCACAO_CONTRATO_ADM_PESQUISAR", "LOCACAO_CONTRATO_IMOVEL_PESQUISAR"
	flags := func(name string) []map[string]any { return rest.Sets("Body."+name, active...) }
	var either []map[string]any // properties can only be found through their contracts
	for _, is := range active {
		either = append(either, map[string]any{"Header.Action": contracts, "Body.Ativo": is}, map[string]any{"Header.Action": leases, "Body.Ativos": is})
	}
	return rest.API{
		Options: httpclient.Options{
			BaseURL: c.BaseURL, PlainHTTP: true, Auth: c.session(path), Judge: judge, Limit: ratelimit.Spaced(time.Minute, cmp.Or(c.PerMinute, 60)),
			Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		},
		Check: "people", Absent: says(brazil.NoAction), Gone: says(gone), Omits: true, Zone: brasilia, Parallel: cmp.Or(c.Sessions, 1),
		TooLarge: func(r *httpclient.Response) (int, bool) { return 0, strings.Contains(said(r), "(QtdeLinhas)") },
		Streams: finish([]rest.Stream{
			incremental(search("person_search", "CADASTRO_PESSOA_PESQUISAR", "Pessoas", "CodPessoa", flags("Ativo")...)),
			incremental(detail("people", "CADASTRO_PESSOA_CONSULTAR", "person_search", "CodPessoa")),
			incremental(part("people_addresses", "people", "Enderecos", 1, "CodPessoa", position)),
			incremental(search("supplier_search", "CADASTRO_FORNECEDOR_PESQUISAR", "Fornecedores", "CodFornecedor", flags("Ativo")...)),
			incremental(detail("suppliers", "CADASTRO_FORNECEDOR_CONSULTAR", "supplier_search", "CodFornecedor")),
			search("contract_search", contracts, "Contratos", "CodContratoAdm", flags("Ativo")...),
			detail("administration_contracts", "LOCACAO_CONTRATO_ADM_CONSULTAR", "contract_search", "CodContratoAdm"),
			part("administration_contract_owners", "administration_contracts", "Proprietarios", 1, "CodContratoAdm", "CodPessoa"),
			part("administration_contract_properties", "administration_contracts", "Imoveis", 1, "CodContratoAdm", "CodImovel"),
			part("administration_contract_shares", "administration_contracts", "Participacoes", 1, "CodContratoAdm", "CodImovel", "CodPessoa"),
			search("lease_search", leases, "Contratos", "CodImovel NomeLocat Ativo", flags("Ativos")...), // a property may have had several leases
			relet(detail("lease_contracts", "LOCACAO_CONTRATO_IMOVEL_CONSULTAR", "lease_search", "CodImovel", "CodContratoLoc")),
			part("lease_contract_tenants", "lease_contracts", "Locatarios", 2, "CodImovel", "CodContratoLoc", "CodPessoa"),
			part("lease_contract_guarantors", "lease_contracts", "Fiadores", 2, "CodImovel", "CodContratoLoc", "CodPessoa"),
			search("property_search", "", "Contratos", "CodImovel", either...),
			detail("properties", "LOCACAO_IMOVEL_CONSULTAR", "property_search", "CodImovel"),
			part("property_features", "properties", "Caracteristicas", 1, "CodImovel", position),
			search("condominium_search", "CONDOM_CONDOMINIO_PESQUISAR", "Condominios", "CodCondominio",
				map[string]any{"Body.IncluiInativos": map[bool]string{true: "S", false: "N"}[len(active) == 2]}),
			detail("condominiums", "CONDOM_CONDOMINIO_CONSULTAR", "condominium_search", "CodCondominio"),
			part("condominium_blocks", "condominiums", "Blocos", 1, "CodCondominio", "CodBloco"),
			unlisted(incremental(each("unit_list", "CONDOM_LISTA_ECONOMIAS", "", "condominium_search", "CodCondominio"))), units,
			each("condominium_overdue", "CONDOM_LISTA_INADIMPLENCIAS", "Inadimplentes", "condominium_search", "CodCondominio", "Chave"),
			paged("branches", "CADASTRO_FILIAL_PESQUISAR", "Filiais", map[string]any{"Texto": ""}, "CodFilial"),
			paged("shops", "CADASTRO_LOJA_PESQUISAR", "Agencias", map[string]any{"Texto": ""}, "IdLoja"),
			sets("TipoTaxa", rest.Some(c.FeeTypes, "L", "C"),
				paged("fees", "CADASTRO_TAXA_PESQUISAR", "Taxas", map[string]any{"Texto": "", "Ativo": "T"}, "TipoTaxa", "CodTaxa")),
			sets("TipoPesquisa", rest.Some(c.Origins, "C", "I", "A"), dues(ever,
				paged("payables", "CTAPAG_LANCAMENTO_PESQUISAR", "Lancamentos", map[string]any{"TipoPeriodo": "V"}, "NumeroLancto"))),
			overdue,
			unlisted(single("interested_search", "COMERC_INTERESSADO_PESQUISAR", "Interessados", map[string]any{}, "CodInteressado")),
			each("interested_people", "COMERC_INTERESSADO_CONSULTAR", "", "interested_search", "CodInteressado"),
			sets("Tabela", c.Tables, single("code_tables", "TABELA_CONSULTAR", "Itens", map[string]any{}, "Chave")),
			single("notifications", "NOTIFICACAO_CONSULTAR", "Notificacoes", map[string]any{}, "Chave"),
		}),
	}
}

func envelope(action string, body map[string]any) map[string]any {
	return map[string]any{"Header": map[string]any{"Action": action}, "Body": body}
}

// session returns the source of the session id in each request. The password is sent as the MD5 of its upper-case form.
func (c config) session(path string) *auth.Sessions {
	secret := fmt.Sprintf("%x", md5.Sum([]byte(strings.ToUpper(c.Password))))
	user := map[string]any{"IMOB_ID": strings.TrimSpace(c.Company), "USER_ID": strings.TrimSpace(c.User), "USER_PASS": secret}
	call := func(action string, body map[string]any) httpclient.Request {
		return httpclient.Request{Method: http.MethodPost, Path: path, Body: envelope(action, body)}
	}
	login := call("LOGIN", user)
	login.First = func(r *httpclient.Response) httpclient.Verdict { // a refused login is not repeated, because that might lock the account
		if words := said(r); r.Body.Get("Header.Error").True() && !brazil.NoSession(words) {
			return httpclient.Fail(fault.Configf("Imobiliar refused LOGIN: %s.", cmp.Or(words, "it gives no reason")))
		}
		return httpclient.Verdict{}
	}
	id := auth.Part{From: "Header.SessionId", In: httpclient.Body, Key: "Header.SessionId"}
	return &auth.Sessions{
		Login: login, Logout: call("LOGOUT", map[string]any{}), Part: id, Secret: secret, Count: c.Sessions, Most: "Body.MaxSessions",
	}
}

// finish removes secrets and arrays that are streams of their own from the rows, and restores the leading zeros of numbers.
func finish(streams []rest.Stream) []rest.Stream {
	padded := []brazil.Digits{{Name: "CEP", Length: brazil.CEP}, {Name: "CPFSindico", Length: brazil.CPF}, {Name: "CNPJ", Length: brazil.CNPJ}}
	for i := range streams {
		s := &streams[i]
		s.Shape = []record.Edit{record.Hide{Names: []string{"SenhaInternetMD5", "LoginAdmCondom"}}}
		for _, part := range streams {
			if part.Explode != nil && part.Explode.Of == s.Name {
				s.Shape = append(s.Shape, record.Drop{Field: part.Explode.Array})
			}
		}
		s.Derive = func(get func(string) record.Value) []record.Member { return derive(get, padded, s.Key) }
	}
	return streams
}

// derive returns the members of a row that have leading zeros: those of padded, and the CPF or CNPJ. A bill without a fee, which stands for the whole
// bill, and a lease without a code get the code 0.
func derive(get func(string) record.Value, padded []brazil.Digits, key []string) []record.Member {
	members := brazil.Padded(get, padded, "CpfCnpj", "TipoPessoa")
	for _, code := range []string{"CodTaxa", "CodContratoLoc"} {
		if slices.Contains(key, code) && get(code).Text() == "" {
			members = append(members, record.Member{Name: code, Value: []byte("0")})
		}
	}
	return members
}

// judge interprets Imobiliar's answers. Their status means nothing, and the end of a session is reported as plain text.
func judge(r *httpclient.Response) httpclient.Verdict {
	flag, ok := r.Body.Get("Header.Error").Bool()
	words := said(r)
	failed := flag || words != ""
	if ok && !failed || brazil.Nothing(words) { // that is not a failure
		return httpclient.Verdict{}
	}
	text := strings.ToLower(strings.TrimLeft(string(r.Text[:min(len(r.Text), 200)]), "\ufeff\" \r\n\t"))
	action := r.Excerpt(cmp.Or(r.Body.Get("Header.Action").Text(), "an action"))
	switch {
	case r.Status == 468, strings.HasPrefix(text, "468"), !r.Body.Exists() && strings.Contains(text, "session expired"),
		failed && (r.Body.Get("Header.ErrorCode").Text() == "468" || brazil.Ended(words)):
		return httpclient.Expired(fault.Laterf("Imobiliar ends each session as soon as it is opened."))
	case brazil.NoSession(words):
		return httpclient.Again(fault.Transientf("Imobiliar has no session left for this user: %s. Those that were left open end by themselves.", words))
	case brazil.Denied(words):
		return httpclient.Fail(fault.Configf("Imobiliar does not let this user do %s: %s. Give it the right, or leave out the stream.", action, words))
	case !ok && r.Status/100 == 2: // the unexpected text may contain personal data
		return httpclient.Again(fault.Transientf("The answer is none of Imobiliar's. Check base_url and path in the configuration."))
	case !ok, action != "LOGIN" && slices.Contains([]int{408, 429, 500, 502, 503, 504}, r.Status): // repeating a login may lock the account
		return httpclient.Verdict{}
	case (words == "" || brazil.Passing(words)) && action != "LOGIN":
		return httpclient.Again(fault.Laterf("Imobiliar failed at %s: %s.", action, cmp.Or(words, "it gives no reason")))
	}
	return httpclient.Fail(fault.Configf("Imobiliar refused %s: %s.", action, cmp.Or(words, "it gives no reason")))
}

// says returns a test for answers that report a failure in words, whatever their Header says.
func says(is func(words string) bool) func(r *httpclient.Response) bool {
	return func(r *httpclient.Response) bool { words := said(r); return words != "" && is(words) }
}

// byCode matches the end of an error that names no field, or the code of the requested row.
var byCode = regexp.MustCompile(`[^)]$|\(Cod(Pessoa|Fornecedor|ContratoAdm|ContratoLoc|Imovel|Condominio|Interessado)\)$`)

// gone reports whether an error says that the requested row does not exist, rather than something that the row refers to.
func gone(words string) bool { return brazil.NoRow(words) && byCode.MatchString(words) }

// said returns the words of an answer that reports a failure, with the fields they are about, or "". Erros is a list or a single error.
func said(r *httpclient.Response) string {
	return r.Excerpt(brazil.Words(r.Body.Get("Body.Erros"), "Mensagem", "Campo"))
}
