package nectarcrm

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

// streams is how many the connector has.
const streams = 36

// sources returns the streams that have a time of change of their own, and its name.
func sources() map[string]string {
	return map[string]string{
		"contatos": "dataAtualizacao", "oportunidades": "dataAtualizacao", "qualificacoes": "dataAtualizacao", "tarefas": "dataAtualizacao",
		"compromissos": "dataAtualizacao", "usuarios": "dataAtualizacao", "pipelines": "ultimaAtualizacao",
		"feed": "dataAtualizacao", "forms": "dataAtualizacao", "queues": "dataAtualizacao",
	}
}

// mark returns the newest time of change of a stream's rows, as a moment; rows without one are the others.
func mark(t *testing.T, rows map[string]record, name string) (newest int64, times map[string]int64) {
	t.Helper()
	times = map[string]int64{}
	for key, r := range rows {
		text, ok := r[name].(string)
		if !ok {
			continue
		}
		at, err := moment(text)
		if err != nil {
			t.Fatalf("%q is no time: %v", text, err)
		}
		times[key] = at.UnixMilli()
		newest = max(newest, at.UnixMilli())
	}
	return newest, times
}

func TestChange(t *testing.T) {
	s := New(Options{Size: 600, Now: later()})
	before := reap(t, s)
	s.Change(10, 3)
	after := reap(t, s)
	compare(t, s, after)
	expect := s.Expect()

	for stream, name := range sources() {
		newest, was := mark(t, before[stream], name)
		_, is := mark(t, after[stream], name)
		e := expect[stream]
		deleted, changed := 0, 0
		for key := range before[stream] {
			switch {
			case after[stream][key] == nil:
				deleted++
			case was[key] != is[key]:
				changed++
				if !e.Next.Must[key] || is[key] != later()().UnixMilli() || reflect.DeepEqual(before[stream][key], after[stream][key]) {
					t.Errorf("%s %s changed at %d, expected is %t", stream, key, is[key], e.Next.Must[key])
				}
			default:
				if may := was[key] == 0 || was[key] >= newest; e.Next.Must[key] || e.Next.May[key] != may {
					t.Errorf("%s %s of %d may come: %t", stream, key, was[key], e.Next.May[key])
				}
				delete(before[stream][key], "qtdeComentarios") // a counter, which does
				delete(after[stream][key], "qtdeComentarios")
				if !reflect.DeepEqual(before[stream][key], after[stream][key]) {
					t.Errorf("%s %s changed without a word", stream, key)
				}
			}
		}
		gone := 3
		if slices.Contains([]string{"usuarios", "pipelines", "feed", "forms", "queues"}, stream) {
			gone = 0
		}
		if changed != 10 || deleted != gone || len(e.Next.Must) != 10 || len(e.Next.May) == 0 && stream != "pipelines" || !e.Incremental {
			t.Errorf("%s: %d changed, %d deleted, %d must and %d may come", stream, changed, deleted, len(e.Next.Must), len(e.Next.May))
		}
	}
	moved := 0
	for key, r := range after["oportunidades"] {
		if r["status"] != before["oportunidades"][key]["status"] {
			moved++
		}
	}
	if moved != 3 {
		t.Errorf("%d opportunities have another status", moved)
	}
}

// TestChildren holds the rows within records against those of the changed records.
func TestChildren(t *testing.T) {
	s := New(Options{Size: 600, Now: later()})
	s.Change(10, 3)
	after, expect := reap(t, s), s.Expect()
	parents := map[string]string{
		"contatos_contatos": "contatos", "contatos_enderecos": "contatos", "contatos_contatospai": "contatos", "contatos_empresasatuais": "contatos",
		"compromissos_participantes": "compromissos", "pipelines_sequencias": "pipelines",
	}
	for stream, parent := range parents {
		e := expect[stream]
		for key := range after[stream] {
			id, _, _ := strings.Cut(key, ",")
			if e.Next.Must[key] != expect[parent].Next.Must[id] {
				t.Errorf("%s %s must come: %t", stream, key, e.Next.Must[key])
			}
			if !e.Next.May[key] && expect[parent].Next.May[id] {
				t.Errorf("%s %s may not come", stream, key)
			}
		}
		if len(e.Next.Must) < 10 || !e.Incremental {
			t.Errorf("%s: %d must come", stream, len(e.Next.Must))
		}
	}
	must := sim.Set()
	for id := range expect["oportunidades"].Next.Must {
		all, _ := every(t, s, "proposta/opportunity/"+id)
		for _, r := range all {
			must[r.id()] = true
		}
	}
	if !maps.Equal(must, expect["oportunidades_propostas"].Next.Must) || len(must) < 20 {
		t.Errorf("%d proposals must come, of the changed opportunities there are %d", len(expect["oportunidades_propostas"].Next.Must), len(must))
	}
	whole := []string{
		"produtos", "produtos_produtos", "origens", "segmentos", "categorias", "equipes", "listas", "product_categories", "product_subcategories",
		"appointment_types", "call_types", "custom_fields", "price_tables", "webhooks", "dynamic_tables", "dynamic_table_rows", "opportunity_history",
	}
	for stream, e := range expect {
		if slices.Contains(whole, stream) != (!e.Incremental && maps.Equal(e.Next.Must, e.Full.Must)) {
			t.Errorf("%s is incremental: %t", stream, e.Incremental)
		}
	}
	if len(expect) != streams {
		t.Errorf("%d streams", len(expect))
	}
}

// TestChain changes one time after the other, as small data allow.
func TestChain(t *testing.T) {
	s := New(Options{Size: 230})
	for i := range 6 {
		s.Change(5+i, i%2)
		compare(t, s, reap(t, s))
		for stream, e := range s.Expect() {
			if e.Incremental && len(e.Next.Must) < 5+i {
				t.Errorf("%s: %d must come after %d changed", stream, len(e.Next.Must), 5+i)
			}
		}
	}
	s.Change(0, 0)
	for stream, e := range s.Expect() {
		if e.Incremental && len(e.Next.Must) > 0 {
			t.Errorf("%s: %d must come after nothing changed", stream, len(e.Next.Must))
		}
	}
}

func TestPropose(t *testing.T) {
	for _, of := range []string{"", "changed", "open"} {
		s := New(Options{Size: 300, ProposalsOf: of, Now: later()})
		before := reap(t, s)
		ids := s.Propose(4)
		after := reap(t, s)
		compare(t, s, after)
		added := sim.Set()
		for key := range after["oportunidades_propostas"] {
			if before["oportunidades_propostas"][key] == nil {
				added[key] = true
			}
		}
		for _, id := range ids {
			if key := strconv.Itoa(id); !reflect.DeepEqual(before["oportunidades"][key], after["oportunidades"][key]) ||
				after["oportunidades"][key]["status"] != json.Number("1") {
				t.Errorf("%d changed, or is not open", id)
			}
		}
		e := s.Expect()["oportunidades_propostas"].Next
		want := sim.Set()
		if of == "open" {
			want = added
		}
		if len(ids) != 4 || len(added) != 4 || !maps.Equal(e.Must, want) {
			t.Errorf("%q: %d opportunities, %d new proposals, %v must come", of, len(ids), len(added), e.Must)
		}
	}
}

// TestDrift reads lists that change while they are read: rows come more than once, and none is lost.
func TestDrift(t *testing.T) {
	read := func(d Drift) (s *Simulator, rows map[string]record, repeats int) {
		s = New(Options{Size: 1000, Drift: d, Now: later()})
		all, came := every(t, s, "contatos")
		rows = map[string]record{}
		for _, r := range all {
			rows[r.id()] = r
		}
		return s, rows, came - len(all)
	}
	for name, test := range map[string]struct {
		drift   Drift
		repeats bool
		fresh   bool // new rows are seen
	}{
		"move":    {Drift{Move: 3, Pages: 5}, true, false},
		"touch":   {Drift{Move: 3, Touch: true, Pages: 5}, true, false},
		"prepend": {Drift{Prepend: 2, Pages: 5}, true, false},
		"append":  {Drift{Append: 2, Pages: 5}, false, true},
	} {
		s, rows, repeats := read(test.drift)
		counts := harvest{"contatos": rows}.counts("contatos")
		e := s.Expect()["contatos"]
		if err := e.Full.Compare(counts); err != nil || len(e.Full.Must) != 1000 || len(e.Full.May) == 0 {
			t.Errorf("%s: %v", name, err)
		}
		if repeats == 0 && test.repeats || len(rows) > 1000 != test.fresh {
			t.Errorf("%s: %d rows, %d repeats", name, len(rows), repeats)
		}
		touched := 0
		for key, r := range rows {
			if text, _ := r["dataAtualizacao"].(string); strings.HasPrefix(text, "2025-11-10") {
				touched++
				if !e.Next.May[key] || e.Next.Must[key] {
					t.Errorf("%s: %s was touched and may not come", name, key)
				}
			}
		}
		if (touched > 0) != (test.drift.Touch || test.fresh) {
			t.Errorf("%s: %d rows are of the time of reading", name, touched)
		}
	}
	// A row may move twice.
	s := New(Options{Size: 400, Drift: Drift{Move: 20}})
	seen := map[string]int{}
	for page := 1; page <= 4; page++ {
		for _, r := range rows(t, s, "contatos", "displayLength", "50", "page", strconv.Itoa(page)) {
			seen[r.id()]++
		}
	}
	if most := slices.Max(slices.Collect(maps.Values(seen))); most < 3 {
		t.Errorf("no row was seen more than %d times", most)
	}
	s.Settle()
	if e := s.Expect()["contatos"]; len(e.Next.Must) != 0 || len(e.Full.May) != 0 {
		t.Errorf("settled, but %d must come", len(e.Next.Must))
	}
}

func TestChangeBeforeTheClock(t *testing.T) {
	s := New(Options{Size: 90, Now: simtest.At("2001-01-01T00:00:00Z")})
	s.Change(5, 0)
	for _, r := range reap(t, s)["contatos"] {
		if text, _ := r["dataAtualizacao"].(string); strings.HasPrefix(text, "2001") {
			t.Errorf("changed before the data: %s", text)
		}
	}
}
