package main

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/brazil"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
	"github.com/imob-data/airbyte-connectors/common/spec"
	nectarcrm "github.com/imob-data/airbyte-connectors/specs/source-nectarcrm"
)

type config struct {
	Token       string    `json:"api_token"`
	BigData     string    `json:"big_data_token"`
	Start       rest.Date `json:"start_date"`
	ProposalsOf string    `json:"proposals_of"`
	BaseURL     string    `json:"base_url"`
	PerMinute   int       `json:"requests_per_minute"`
}

const root = "/crm/api/1/"

var source = rest.New(nectarcrm.Files, func(c config) rest.API {
	// Times have an offset. Days without one, in filters and in the configuration, are those of the vendor's country.
	brasilia, _ := time.LoadLocation("America/Sao_Paulo")
	changed := rest.Cursor{Field: "dataAtualizacao", As: "dataatualizacao", Zone: brasilia, Start: c.Start}
	asked := changed
	asked.Ask, asked.Lookback = days, 48*time.Hour // neither the zone of days nor whether the range includes them is known
	funnels := changed
	funnels.Field, funnels.As = "ultimaAtualizacao", "ultimaatualizacao"
	of := func(parent string, cursor rest.Cursor) *rest.Cursor {
		cursor.As = parent + "_dataatualizacao"
		return &cursor
	}
	var always func(record.Record) bool
	if c.ProposalsOf == "open" {
		always = func(opportunity record.Record) bool { return opportunity.Get("status").Text() == "1" }
	}
	warnings, ended := expiry("API Token", c.Token, time.Now())
	more, reportsEnded := expiry("Big Data Token", c.BigData, time.Now())
	whole := pagination.Func(func(r httpclient.Request, _ pagination.Page) (httpclient.Request, bool) { return r, false })
	sizes := []int{10, 15, 50, 100} // sizes to which lists may shorten their pages; as far as is known, to the first
	api := rest.API{
		Options: httpclient.Options{
			BaseURL: cmp.Or(c.BaseURL, "https://app.nectarcrm.com.br"),
			Auth:    newTokens(c.Token, c.BigData),
			Limit:   ratelimit.Spaced(time.Minute, cmp.Or(c.PerMinute, 50)),
			Judge:   judge, Careful: true,
		},
		Check:    "contatos",
		Parallel: 4, // enough for 50 requests a minute while answers take less than five seconds
		// Lists silently shorten larger pages, each to a different size.
		Pages:   pagination.Number{Param: "page", Start: 1, SizeParam: "displayLength", Size: 200, Caps: sizes},
		Records: anywhere, Absent: absent, Refuse: ended, Warn: append(warnings, more...),
		Streams: []rest.Stream{
			{
				Name: "contatos", Path: root + "contatos/", Cursor: &asked,
				Shape: without("contatos", "enderecos", "contatospai", "empresasatuais"),
			},
			exploded("contatos", "contatos", "contato_id", of("contato", asked), "id"),
			exploded("contatos", "enderecos", "contato_id", of("contato", asked), "id"),
			exploded("contatos", "contatosPai", "contato_id", of("contato", asked), "contato_id", "empresa_id"),
			exploded("contatos", "empresasAtuais", "contato_id", of("contato", asked), "contato_id", "empresa_id"),
			{
				Name: "oportunidades", Path: root + "oportunidades/", Cursor: &asked, Shape: without("produtos"),
				Each: statuses(1, 5), // without a status only those in progress are listed
			},
			{
				Name: "oportunidades_produtos", Key: []string{"id"}, Cursor: of("oportunidade", asked),
				Explode: &rest.Explode{Of: "oportunidades", Array: "produtos", Put: map[string]string{"id_oportunidade": "id"}},
			},
			{
				Name: "oportunidades_propostas", Path: root + "proposta/opportunity/{id}", Key: []string{"id"}, Cursor: of("oportunidade", asked),
				Pages: pagination.AtOnce{Number: pagination.Number{Param: "page", Start: 1, Size: 200, Caps: sizes}, All: -1},
				Parent: &rest.Parent{
					Of: "oportunidades", Follows: true, Missing: true, In: httpclient.Path, Params: map[string]string{"id": "id"},
					Put:    map[string]string{"oportunidade_id": "id", "oportunidade_dataatualizacao": "dataAtualizacao"},
					Always: always,
				},
			},
			{
				Name: "qualificacoes", Path: root + "qualificacoes/", Cursor: &asked,
				// The filter is documented for 1 to 4, but records have 1 to 6. It is unknown what is listed without a status.
				Each: append([]map[string]any{{}}, statuses(1, 4)...), Maybe: statuses(5, 6), Refused: refused,
			},
			{Name: "tarefas", Path: root + "tarefas/", Cursor: &changed},
			{Name: "compromissos", Path: root + "compromissos/", Cursor: &changed, Shape: without("participantes")},
			exploded("compromissos", "participantes", "compromisso_id", of("compromisso", changed), position),
			{Name: "pipelines", Path: root + "pipeline/", Cursor: &funnels, Shape: without("sequencias")},
			exploded("pipelines", "sequencias", "pipeline_id", of("pipeline", funnels), "id"),
			{Name: "produtos", Path: root + "produto/", Shape: without("produtos")},
			exploded("produtos", "produtos", "produto_dependente_id", nil, "id"),
			extra("usuarios", "usuario/", &changed),
			extra("origens", "origem/", nil),
			extra("segmentos", "segmento/", nil),
			extra("categorias", "categoria/", nil),
			extra("equipes", "equipe/", nil),
			extra("listas", "lista/", nil),
			extra("custom_fields", "campoPersonalizado/", nil),
			extra("product_categories", "produtoCategoria/", nil),
			extra("product_subcategories", "produtoSubCategoria/", nil),
			{
				// It is unknown whether price tables that have ended are listed by default.
				Name: "price_tables", Path: root + "tabelaPreco/", Each: []map[string]any{{}}, Maybe: []map[string]any{{"active": false}}, Refused: refused,
				Optional: true, Absent: noList,
			},
			extra("appointment_types", "compromissos/tipos/", nil),
			extra("call_types", "ligacao/tipos/", nil),
			extra("feed", "publicacao/", &changed),
			{
				// It is unknown whether a comment moves its publication's time of change. Publications are many, so only those with comments are asked for.
				Name: "feed_comments", Path: root + "publicacao/{id}/comentarios", Key: []string{"publicacao_id", "id"}, Optional: true,
				Parent: &rest.Parent{
					Of: "feed", Missing: true, In: httpclient.Path, Params: map[string]string{"id": "id"}, Where: "qtdeComentarios",
					Put: map[string]string{"publicacao_id": "id"},
				},
				Cursor: &rest.Cursor{Field: "dataCriacao", As: "datacriacao", Zone: brasilia, Start: c.Start},
			},
			extra("forms", "formulario/", &changed),
			extra("queues", "queues/", &changed),
			extra("webhooks", "webhook/", nil, "authpassword", "tokenbearer"), // these fields are secrets
			{Name: "dynamic_tables", Path: root + "table/", Optional: true, Absent: noList},
			{
				Name: "dynamic_table_rows", Path: root + "table/{id}/rows/", Key: []string{"table_id", "row_hash"}, Optional: true,
				Parent: &rest.Parent{
					Of: "dynamic_tables", Missing: true, In: httpclient.Path, Params: map[string]string{"id": "id"},
					Put: map[string]string{"table_id": "id"},
				},
			},
			{
				Name: "opportunity_history", Path: root + bigData + "opportunity-history", Key: []string{"row_hash"},
				Each: quarters(c.Start.Time(brasilia).In(brasilia), time.Now().In(brasilia)), Pages: whole, Optional: true, Absent: noList,
				Needs: message(reportsEnded),
			},
		},
	}
	for i := range api.Streams {
		s := &api.Streams[i]
		s.Shape = append(s.Shape, spec.Table(nectarcrm.Files, s.Name)...)
		if s.Path != "" && s.Name != "feed_comments" { // publications without comments are not asked for
			s.Nothing = nothing
		}
		if s.Key == nil {
			s.Key = []string{"id"}
		}
	}
	return api
})

// position is the column of a row's place in its array.
const position = "posicao"

// exploded returns the stream of an array in the rows of parent. The names of its columns have the array's name as a prefix. The primary key is own,
// the column of the parent's id, followed by the columns in key, with the prefix.
func exploded(parent, array, own string, cursor *rest.Cursor, key ...string) rest.Stream {
	name := strings.ToLower(array)
	s := rest.Stream{
		Name: parent + "_" + name, Key: []string{own}, Cursor: cursor,
		Explode: &rest.Explode{Of: parent, Array: array, Put: map[string]string{own: "id"}},
		Shape:   []record.Edit{record.Prefix{Text: name + "_"}},
	}
	for _, column := range key {
		s.Key = append(s.Key, name+"_"+column)
		if column == position {
			s.Explode.Position = name + "_" + column
		}
	}
	return s
}

// anywhere is where rows may be: the answer is the list itself or, though this was not seen, an object that contains it.
const anywhere = "data,items,results,"

// extra returns the stream of a list that not every account has, without the fields in left.
func extra(name, path string, cursor *rest.Cursor, left ...string) rest.Stream {
	return rest.Stream{Name: name, Path: root + path, Cursor: cursor, Optional: true, Absent: noList, Shape: without(left...)}
}

// without returns edits that drop arrays which are streams of their own.
func without(arrays ...string) (edits []record.Edit) {
	for _, array := range arrays {
		edits = append(edits, record.Drop{Field: array})
	}
	return edits
}

// statuses returns the parameters for each status from first to last.
func statuses(first, last int) (each []map[string]any) {
	for status := first; status <= last; status++ {
		each = append(each, map[string]any{"status": status})
	}
	return each
}

// quarters returns the parameters for what was updated in each quarter of a year, from start or 2010, whichever is later, to now or start, whichever
// is later. Each range begins a day early and ends a day late, because it is unknown whether the answer includes those days. Rows that come twice are
// sent once.
func quarters(start, now time.Time) (each []map[string]any) {
	const updated = 3 // selects the time of the last update
	from := time.Date(2010, time.January, 1, 0, 0, 0, 0, now.Location())
	for !from.After(now) || !from.After(start) {
		to := from.AddDate(0, 3, 0)
		if start.After(from) {
			from = start
		}
		if from.Before(to) {
			each = append(each, map[string]any{
				"aggregator": updated, "initialDate": from.AddDate(0, 0, -1).Format(time.DateOnly), "endDate": to.Format(time.DateOnly),
			})
		}
		from = to
	}
	return each
}

// message returns the text of an error, or "" for nil.
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// days asks for what was updated from the day of from to two days after that of until, because the last day may be excluded or be in another zone.
func days(r httpclient.Request, from, until time.Time) httpclient.Request {
	if !until.IsZero() {
		until = until.AddDate(0, 0, 2)
	}
	return rest.Between(httpclient.Query, "dataInicioAtualizacao", "dataFimAtualizacao", "02/01/2006")(r, from, until)
}

// judge interprets the answers of NectarCRM whose status is ambiguous.
func judge(r *httpclient.Response) httpclient.Verdict {
	switch {
	case r.Status == http.StatusUnauthorized && r.Answered:
		return httpclient.Fail(fault.Configf("NectarCRM refused a request (401) after it had answered others: either the API Token (api_token) has ended " +
			"or was revoked meanwhile, or NectarCRM does not take a parameter of the request, such as page, displayLength, status or " +
			"the days of start_date."))
	case r.Status == http.StatusUnauthorized:
		return httpclient.Fail(fault.Configf("NectarCRM does not accept the API Token (401). Generate a new one (Configurações, Integrações, Gerar " +
			"Token) as an administrator, and put it into the configuration as api_token."))
	}
	return httpclient.Verdict{}
}

// absent reports whether NectarCRM does not know the path. For an unknown id it answers in JSON instead.
func absent(r *httpclient.Response) bool { return r.Status == http.StatusNotFound && !r.Body.Exists() }

// noList reports whether NectarCRM does not know the path of a list, which contains no id that could be unknown.
func noList(r *httpclient.Response) bool { return r.Status == http.StatusNotFound }

// nothing reports whether NectarCRM says, in place of a list, that there is nothing: by 204, or in a sentence, as it does with 200 for a search by a
// telephone number. Which status it uses for other lists is unknown. Other sentences are errors.
func nothing(r *httpclient.Response) bool {
	switch r.Status {
	case http.StatusNoContent:
		return true
	case http.StatusOK, http.StatusBadRequest, http.StatusNotFound:
	default:
		return false
	}
	if !r.Body.IsObject() {
		return false
	}
	words := cmp.Or(r.Body.Get("message").Text(), r.Body.Get("mensagem").Text(), r.Body.Get("mensagens.0").Text())
	return brazil.Nothing(words) || brazil.NoRow(words) && strings.Contains(strings.ToLower(words), "propos")
}

// refused reports whether NectarCRM refuses a status. According to its documentation, 401 may mean a wrong parameter.
func refused(r *httpclient.Response) bool {
	return r.Answered && (r.Status == http.StatusBadRequest || r.Status == http.StatusUnauthorized)
}
