package main

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/auth"
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
	Start       rest.Date `json:"start_date"`
	ProposalsOf string    `json:"proposals_of"`
	BaseURL     string    `json:"base_url"`
	PerMinute   int       `json:"requests_per_minute"`
}

const root = "/crm/api/1/"

var source = rest.New(nectarcrm.Files, func(c config) rest.API {
	// Times come with their offset; days without one, in filters and in the configuration, are those of the vendor's country.
	brazil, _ := time.LoadLocation("America/Sao_Paulo")
	changed := rest.Cursor{Field: "dataAtualizacao", As: "dataatualizacao", Zone: brazil, Start: c.Start}
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
	warnings, ended := expiry(c.Token, time.Now())
	sizes := []int{15, 50, 100} // to which lists are known to cut their pages
	api := rest.API{
		Options: httpclient.Options{
			BaseURL: cmp.Or(c.BaseURL, "https://app.nectarcrm.com.br"),
			Auth:    auth.Header("Access-Token", c.Token),
			Limit:   ratelimit.Spaced(time.Minute, cmp.Or(c.PerMinute, 50)),
			Judge:   judge, Careful: true,
		},
		Check: "contatos",
		// Larger pages are made smaller without a word, by each list to another size.
		Pages:  pagination.Number{Param: "page", Start: 1, SizeParam: "displayLength", Size: 200, Caps: sizes},
		Absent: absent, Refuse: ended, Warn: warnings,
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
				Each: statuses(1, 5), // without one it is only those in progress
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
				Each: append([]map[string]any{{}}, statuses(1, 6)...), Refused: refused,
			},
			{Name: "tarefas", Path: root + "tarefas/", Cursor: &changed},
			{Name: "compromissos", Path: root + "compromissos/", Cursor: &changed, Shape: without("participantes")},
			exploded("compromissos", "participantes", "compromisso_id", of("compromisso", changed), position),
			{Name: "pipelines", Path: root + "pipeline/", Cursor: &funnels, Shape: without("sequencias")},
			exploded("pipelines", "sequencias", "pipeline_id", of("pipeline", funnels), "id"),
			{Name: "produtos", Path: root + "produto/", Shape: without("produtos")},
			exploded("produtos", "produtos", "produto_dependente_id", nil, "id"),
			{Name: "usuarios", Path: root + "usuario/", Cursor: &changed, Optional: true},
			{Name: "origens", Path: root + "origem/", Optional: true},
			{Name: "segmentos", Path: root + "segmento/", Optional: true},
			{Name: "categorias", Path: root + "categoria/", Optional: true},
			{Name: "equipes", Path: root + "equipe/", Optional: true},
			{Name: "listas", Path: root + "lista/", Optional: true},
		},
	}
	for i := range api.Streams {
		s := &api.Streams[i]
		s.Shape = append(s.Shape, spec.Table(nectarcrm.Files, s.Name)...)
		if s.Key == nil {
			s.Key = []string{"id"}
		}
	}
	return api
})

// position is the column of a row's place in its array.
const position = "posicao"

// exploded is the stream of an array in the rows of parent. Its columns begin with the array's name, also those of key, which come after
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

// without leaves out the arrays that are streams of their own.
func without(arrays ...string) (edits []record.Edit) {
	for _, array := range arrays {
		edits = append(edits, record.Drop{Field: array})
	}
	return edits
}

// statuses are the parameters for each status from first to last.
func statuses(first, last int) (each []map[string]any) {
	for status := first; status <= last; status++ {
		each = append(each, map[string]any{"status": status})
	}
	return each
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

// absent is whether NectarCRM does not know the path: an id that it does not know has an answer in JSON.
func absent(r *httpclient.Response) bool { return r.Status == http.StatusNotFound && !r.Body.Exists() }

// refused is whether NectarCRM does not take a status; its documentation says that 401 may mean a wrong parameter.
func refused(r *httpclient.Response) bool {
	return r.Answered && (r.Status == http.StatusBadRequest || r.Status == http.StatusUnauthorized)
}
