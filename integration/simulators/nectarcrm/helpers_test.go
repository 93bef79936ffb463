package nectarcrm

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

// later returns a clock after the newest time of the data.
func later() func() time.Time { return simtest.At("2025-11-10T12:00:00.123Z") }

// get asks for a path below the root with query parameters, given as name, value, name, value.
func get(t testing.TB, s *Simulator, path string, query ...string) *httptest.ResponseRecorder {
	t.Helper()
	return simtest.Ask(t, s, http.MethodGet, root+path+"?"+simtest.Set(query...).Encode(), http.Header{"Access-Token": {s.token}}, "")
}

// record is one record; its numbers keep their digits.
type record map[string]any

func (r record) id() string { return fmt.Sprint(r["id"]) }

// list returns an array of objects in a record.
func (r record) list(name string) (rows []record) {
	items, _ := r[name].([]any)
	for _, item := range items {
		rows = append(rows, item.(map[string]any))
	}
	return rows
}

// rows reads a page.
func rows(t testing.TB, s *Simulator, path string, query ...string) (found []record) {
	t.Helper()
	w := get(t, s, path, query...)
	if w.Code != http.StatusOK {
		t.Fatalf("%s %v: status %d: %s", path, query, w.Code, w.Body)
	}
	simtest.Decode(t, w.Body.Bytes(), &found)
	return found
}

// every reads a list to its end: an empty page, or one without a new id. It gives each row as it came last, in the order of the first
// coming, and how many came.
func every(t testing.TB, s *Simulator, path string, query ...string) (found []record, came int) {
	t.Helper()
	at := map[string]int{}
	for page := 1; ; page++ {
		batch := rows(t, s, path, append([]string{"page", strconv.Itoa(page), "displayLength", "200"}, query...)...)
		fresh := 0
		for _, r := range batch {
			i, old := at[r.id()]
			if !old {
				fresh++
				i = len(found)
				at[r.id()] = i
				found = append(found, nil)
			}
			found[i] = r
		}
		came += len(batch)
		if fresh == 0 {
			return found, came
		}
	}
}

// harvest is what a connector's streams bring, each row under its key.
type harvest map[string]map[string]record

func (h harvest) add(stream, key string, r record) {
	if h[stream] == nil {
		h[stream] = map[string]record{}
	}
	h[stream][key] = r
}

// inner adds the rows of an array.
func (h harvest) inner(stream, parent string, array []record, key func(k int, r record) string) {
	for k, r := range array {
		h.add(stream, strings.TrimPrefix(parent+","+key(k, r), ","), r)
	}
}

func byID(_ int, r record) string { return r.id() }

func byPlace(k int, _ record) string { return strconv.Itoa(k) }

func byLink(_ int, r record) string {
	of := func(name string) string { return record(r[name].(map[string]any)).id() }
	return of("contato") + "," + of("empresa")
}

// reap reads everything there is.
func reap(t testing.TB, s *Simulator) harvest {
	t.Helper()
	h := harvest{}
	read := func(stream, path string, query ...string) (all []record) {
		all, _ = every(t, s, path, query...)
		for _, r := range all {
			h.add(stream, r.id(), r)
		}
		return all
	}
	for _, r := range read("contatos", "contatos") {
		h.inner("contatos_contatos", r.id(), r.list("contatos"), byID)
		h.inner("contatos_enderecos", r.id(), r.list("enderecos"), byID)
		h.inner("contatos_contatospai", r.id(), r.list("contatosPai"), byLink)
		h.inner("contatos_empresasatuais", r.id(), r.list("empresasAtuais"), byLink)
	}
	for status := 1; status <= 5; status++ {
		for _, r := range read("oportunidades", "oportunidades", "status", strconv.Itoa(status)) {
			h.inner("oportunidades_produtos", "", r.list("produtos"), byID)
			proposals, _ := every(t, s, "proposta/opportunity/"+r.id())
			h.inner("oportunidades_propostas", "", proposals, byID)
		}
	}
	read("qualificacoes", "qualificacoes")
	for status := 1; status <= 6; status++ {
		if get(t, s, "qualificacoes", "status", strconv.Itoa(status)).Code == http.StatusOK {
			read("qualificacoes", "qualificacoes", "status", strconv.Itoa(status))
		}
	}
	for _, r := range read("compromissos", "compromissos") {
		h.inner("compromissos_participantes", r.id(), r.list("participantes"), byPlace)
	}
	read("tarefas", "tarefas")
	for _, r := range read("produtos", "produto") {
		h.inner("produtos_produtos", r.id(), r.list("produtos"), byID)
	}
	for _, r := range read("pipelines", "pipelines") {
		h.inner("pipelines_sequencias", r.id(), r.list("sequencias"), byID)
	}
	for stream, path := range map[string]string{
		"usuarios": "usuarios", "origens": "origem", "segmentos": "segmento", "categorias": "categoria", "equipes": "equipe", "listas": "lista",
		"product_categories": "produtoCategoria", "product_subcategories": "produtoSubCategoria", "appointment_types": "compromissos/tipos",
		"call_types": "ligacao/tipos", "custom_fields": "campoPersonalizado", "webhooks": "webhook", "forms": "formulario", "queues": "queues",
	} {
		read(stream, path)
	}
	for _, active := range []string{"true", "false"} {
		read("price_tables", "tabelaPreco", "active", active)
	}
	for _, r := range read("feed", "publicacao") {
		comments, _ := every(t, s, "publicacao/"+r.id()+"/comentarios")
		h.inner("feed_comments", r.id(), comments, byID)
	}
	byHash := func(_ int, r record) string { return rowHash(sim.Encode(r)) }
	for _, r := range read("dynamic_tables", "table") {
		inner, _ := every(t, s, "table/"+r.id()+"/rows/")
		h.inner("dynamic_table_rows", r.id(), inner, byHash)
	}
	report := rows(t, s, historyPath, "aggregator", "3", "initialDate", "2000-01-01", "endDate", "2100-01-01")
	h.inner("opportunity_history", "", report, byHash)
	return h
}

// counts returns a stream's keys.
func (h harvest) counts(stream string) map[string]int {
	n := map[string]int{}
	for key := range h[stream] {
		n[key] = 1
	}
	return n
}

// compare holds everything that can be read against what has to.
func compare(t testing.TB, s *Simulator, h harvest) {
	t.Helper()
	for stream, e := range s.Expect() {
		if err := e.Full.Compare(h.counts(stream)); err != nil {
			t.Errorf("%s: %v", stream, err)
		}
	}
}
