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
	// Times come with their offset; days without one, in filters and in the configuration, are those of the vendor's country.
	brasilia, _ := time.LoadLocation("America/Sao_Paulo")
	changed := rest.Cursor{Field: "dataAtualizacao", As: "dataatualizacao", Zone: brasilia, Start: c.Start}
	asked := changed
	asked.Ask, asked.Lookback = days, 48*time.Hour // neither the days' zone nor whether they are inclusive is known
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
	sizes := []int{10, 15, 50, 100} // to which lists cut their pages, the first of them for all that is known
	api := rest.API{
		Options: httpclient.Options{
			BaseURL: cmp.Or(c.BaseURL, "https://app.nectarcrm.com.br"),
			Auth:    newTokens(c.Token, c.BigData),
			Limit:   ratelimit.Spaced(time.Minute, cmp.Or(c.PerMinute, 50)),
			Judge:   judge, Careful: true,
		},
		Check:    "contatos",
		Parallel: 4, // at 50 requests a minute that is enough while answers take less than five seconds
		// Larger pages are made smaller without a word, by each list to another size.
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
				Each: statuses(1, 5), // without a status it is only those in progress
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
				// The filter is documented to know 1 to 4, the records know 1 to 6, and what comes without it is not known.
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
				// Whether those that ended come without being asked for is not known.
				Name: "price_tables", Path: root + "tabelaPreco/", Each: []map[string]any{{}}, Maybe: []map[string]any{{"active": false}}, Refused: refused,
				Optional: true, Absent: noList,
			},
			extra("appointment_types", "compromissos/tipos/", nil),
			extra("call_types", "ligacao/tipos/", nil),
			extra("feed", "publicacao/", &changed),
			{
				// That a comment moves its publication's time of change is not known, and publications are many: those are asked for that have any.
				Name: "feed_comments", Path: root + "publicacao/{id}/comentarios", Key: []string{"publicacao_id", "id"}, Optional: true,
				Parent: &rest.Parent{
					Of: "feed", Missing: true, In: httpclient.Path, Params: map[string]string{"id": "id"}, Where: "qtdeComentarios",
					Put: map[string]string{"publicacao_id": "id"},
				},
				Cursor: &rest.Cursor{Field: "dataCriacao", As: "datacriacao", Zone: brasilia, Start: c.Start},
			},
			extra("forms", "formulario/", &changed),
			extra("queues", "queues/", &changed),
			extra("webhooks", "webhook/", nil, "authpassword", "tokenbearer"), // which are secrets
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
		if s.Path != "" && s.Name != "feed_comments" { // publications without comments are not asked for theirs
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

// exploded returns the stream of an array in the rows of parent. Its columns begin with the array's name, also those of key, which come after
// own in the primary key; own is the column of the parent's id.
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

// anywhere is where rows may be: the answer is the list or, which was not seen, an object that has it.
const anywhere = "data,items,results,"

// extra returns a list that not every account has, without the fields left out.
func extra(name, path string, cursor *rest.Cursor, left ...string) rest.Stream {
	return rest.Stream{Name: name, Path: root + path, Cursor: cursor, Optional: true, Absent: noList, Shape: without(left...)}
}

// without leaves out the arrays that are streams of their own.
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

// quarters returns the parameters for what was updated in each quarter of a year since start, or since 2010, up to now or start, whichever is later.
// Whether the days at their ends are in the answer is not known, so that they reach a day further: what comes twice is sent once.
func quarters(start, now time.Time) (each []map[string]any) {
	const updated = 3 // the aggregator by the time of the last update
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

// message returns what an error says, "" where there is none.
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// days asks for what was updated on days from the one to some days after the other, which may be excluded or another zone's.
func days(r httpclient.Request, from, until time.Time) httpclient.Request {
	if !until.IsZero() {
		until = until.AddDate(0, 0, 2)
	}
	return rest.Between(httpclient.Query, "dataInicioAtualizacao", "dataFimAtualizacao", "02/01/2006")(r, from, until)
}

// judge knows what NectarCRM's answers mean that do not say it by their status.
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

// absent reports whether NectarCRM does not know the path: an id that it does not know has an answer in JSON.
func absent(r *httpclient.Response) bool { return r.Status == http.StatusNotFound && !r.Body.Exists() }

// noList reports whether NectarCRM does not know the path of a list: there is no id in it that could be unknown.
func noList(r *httpclient.Response) bool { return r.Status == http.StatusNotFound }

// nothing reports whether NectarCRM says in the place of a list that what was asked for is not there: in a sentence, as it says of a search by a
// telephone number with 200, or by 204. With which status it says so of other lists is not known. Other sentences are errors.
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

// refused reports whether NectarCRM does not take a status; its documentation says that 401 may mean a wrong parameter.
func refused(r *httpclient.Response) bool {
	return r.Answered && (r.Status == http.StatusBadRequest || r.Status == http.StatusUnauthorized)
}
