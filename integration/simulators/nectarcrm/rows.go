package nectarcrm

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// indexed is a row as it was when its page was cut.
type indexed struct {
	index int
	row   row
}

// table is all rows of one resource. A row's time is in Unix milliseconds, its state the status of an opportunity or a qualification, and what is
// extra the proposals that were added to an opportunity. The mutex of the Simulator guards the rows.
type table struct {
	sim.Table
	paths   []string // the names of the resource in the URL, the documented one first
	base    int      // of the ids
	stride  int      // between them; there are larger gaps as well
	limit   int      // rows of a page at the most
	whole   bool     // all rows come when no page is asked for
	unpaged bool     // all rows come whatever page is asked for
	loose   bool     // the form of its answers is not documented, see Options.Enveloped
	timed   bool     // has a time of change
	moving  bool     // Drift moves its rows
	count   int      // of the rows there were at first: what refers to a row refers to one of these
	show    func(index int, r row) object
	pages   int    // pages answered, for Drift
	ticks   uint64 // draws of rows to be changed
}

// id returns that of the row at an index: rising, not contiguous.
func (t *table) id(index int) int { return t.base + t.stride*index + index/50*3 }

func (t *table) key(index int) string { return strconv.Itoa(t.id(index)) }

// written returns a row, or the k-th of those that belong to it, as it goes out; more is what it depends on besides.
func (s *Simulator) written(t *table, found indexed, k int, more any, row func() object) sim.JSON {
	type key struct {
		seed   uint64
		size   int
		newest int64
		twins  bool
		path   string
		found  indexed
		k      int
		more   any
	}
	o := s.with
	return o.Rendered.Row(key{o.Seed, o.Size, o.Newest.UnixMilli(), o.Twins, t.paths[0], found, k, more}, func() any { return row().Present() })
}

// inside returns the k-th of the rows that belong to one. The caller holds the lock.
func (s *Simulator) inside(t *table, found indexed, k int, show func(index, k int) object) sim.JSON {
	var at int64
	if t == s.feed {
		at = s.commentTime(found.index, k)
	}
	return s.written(t, found, k, at, func() object { return show(found.index, k) })
}

// own returns a row of a table as it goes out.
func (s *Simulator) own(t *table, found indexed) sim.JSON {
	comments := 0
	if t == s.feed {
		s.mu.Lock()
		defer s.mu.Unlock()
		comments = s.commentsOf(found.index)
	}
	return s.written(t, found, -1, comments, func() object { return t.show(found.index, found.row) })
}

// form returns how a row's time of change is written: with milliseconds once it has changed here.
func (t *table) form(index int, r row) form {
	switch {
	case r.Version > 0:
		return withMillis
	case index%11 == 3:
		return withColon
	case index%11 == 7:
		return withDigits
	case index%29 == 5:
		return plain
	}
	return withMillis
}

// written returns the time of change that can be read from the row: some forms have no milliseconds.
func (t *table) written(index int, r row) int64 {
	if t.form(index, r) == withMillis {
		return r.Time
	}
	return r.Time / 1000 * 1000
}

// changed returns the time of change.
func (t *table) changed(index int, r row) any {
	if r.Time == 0 {
		return sim.Absent
	}
	return clock(r.Time, t.form(index, r))
}

// dice returns those of a row of a table; each salt gives others.
func (s *Simulator) dice(t *table, index int, salt uint64) *sim.Dice {
	d := sim.Dice(sim.Mix(s.with.Seed ^ sim.Mix(uint64(index)<<28|uint64(t.base)<<4|salt)))
	return &d
}

// forms returns the dice of a row of a table, for its values.
func (s *Simulator) forms(t *table, index int, salt uint64) *forms {
	return &forms{*s.dice(t, index, salt)}
}

// fill makes all tables and rows.
func (s *Simulator) fill() {
	n := s.with.Size
	s.routes = map[string]*table{}
	add := func(rows int, t *table) *table {
		s.tables = append(s.tables, t)
		for _, path := range t.paths {
			s.routes[path] = t
		}
		t.count = rows
		t.ID = t.id
		t.Settle()
		for i := range rows {
			t.Order = append(t.Order, t.Add(row{Time: s.begun(t, i, rows)}))
		}
		return t
	}
	// moving makes a table whose rows have a time of change and are moved by Drift, timed one of which Drift knows nothing.
	moving := func(rows int, path string, base, stride, limit int, show func(index int, r row) object) *table {
		return add(rows, &table{paths: strings.Fields(path), base: base, stride: stride, limit: limit, timed: true, moving: true, show: show})
	}
	timed := func(rows int, path string, base, stride, limit int, show func(index int, r row) object) *table {
		return add(rows, &table{paths: strings.Fields(path), base: base, stride: stride, limit: limit, timed: true, show: show})
	}
	list := func(rows int, path string, base int, names []string, more func(row object, d *forms, i int)) *table {
		return add(rows, &table{paths: strings.Fields(path), base: base, stride: 1, limit: 50, show: entries(base, names, more)})
	}
	s.contacts = moving(n, "contatos", 32_000_002, 3, 100, s.contact)
	s.opportunities = moving(max(60, n/2), "oportunidades", 1_826_618, 2, 200, s.opportunity)
	s.leads = moving(max(60, n/10), "qualificacoes qualificacao", 400_001, 3, 15, s.lead)
	s.tasks = moving(max(60, n/4), "tarefas", 7_000_003, 2, 100, s.task)
	s.appointments = moving(max(60, n/10), "compromissos", 610_000, 5, 50, s.appointment)
	s.products = add(60+min(n/50, 400), &table{paths: []string{"produto", "produtos"}, base: 8435, stride: 2, limit: 100, show: s.product})
	s.pipelines = timed(13, "pipeline pipelines", 1, 4, 50, s.pipeline)
	s.users = timed(40, "usuario usuarios", 12, 7, 100, s.user)
	s.feed = timed(max(60, n/20), "publicacao", 900_000, 2, 100, s.publication)
	s.filledForms = timed(max(60, n/50), "formulario", 30_001, 2, 50, s.filled)
	s.queues = timed(24, "queues", 12, 1, 50, s.queue)
	s.dynamic = add(3, &table{
		paths: []string{"table", "tabela", "tables", "tabelas"}, base: 3, stride: 2, limit: allRows, loose: true, show: s.dynamicTable,
	})
	s.reports = &table{paths: []string{historyPath}, unpaged: true, loose: true}
	s.routes[historyPath] = s.reports
	s.prices = list(5, "tabelaPreco", 851, []string{"Tabela NectarCRM 2016/02"}, s.price)
	s.lists = map[string]*table{
		"origens":               list(23, "origem", 101, origins(), nil),
		"segmentos":             list(9, "segmento", 201, segments(), nil),
		"categorias":            list(8, "categoria", 301, categories(), category),
		"equipes":               list(5, "equipe", 401, []string{"Desenvolvedores", "Vendas"}, team),
		"listas":                list(31, "lista", 501, tags(), s.tag),
		"product_categories":    list(6, "produtoCategoria", 601, groups(), group),
		"product_subcategories": list(12, "produtoSubCategoria", 651, groups(), subgroup),
		"appointment_types":     list(4, "compromissos/tipos", 701, kinds(), nil),
		"call_types":            list(3, "ligacao/tipos", 751, kinds(), nil),
		"custom_fields": list(5, "campoPersonalizado camposPersonalizados customField customFields", 801,
			[]string{"Cor Favorita", "cor favorita", "Data X"}, field),
		"price_tables": s.prices,
		"webhooks":     list(7, "webhook", 10_060, []string{"Webhook teste", "Integração"}, webhook),
		"feed":         s.feed, "forms": s.filledForms, "queues": s.queues, "dynamic_tables": s.dynamic,
	}
	s.pipelines.whole, s.users.whole, s.queues.unpaged, s.lists["equipes"].unpaged = true, true, true, true

	for i := range s.opportunities.Rows {
		s.opportunities.Rows[i].State = [...]uint8{1, 2, 1, 3, 1, 4, 2, 1, 5, 3}[i/2%10]
	}
	for i := range s.leads.Rows {
		s.leads.Rows[i].State = [...]uint8{1, 1, 2, 3, 4, 1, 5, 6, 2, 3, 4, 6}[i%12]
	}
}

// begun returns when a row was last changed, at first: mostly in the two years before the newest time, some in years with summer time, a few
// at no known time; the newest one is shared by some.
func (s *Simulator) begun(t *table, index, rows int) int64 {
	const day = 24 * 60 * 60
	d := s.dice(t, index, 1)
	newest := s.with.Newest.UnixMilli()
	switch {
	case !t.timed, index%41 == 17:
		return 0
	case index%max(rows/4, 2) == 1:
		return newest
	case index%37 == 9:
		return time.Date(2014, time.January, 1, 0, 0, 0, 0, time.UTC).UnixMilli() + int64(d.N(5*365*day))*1000 + int64(d.N(1000))
	}
	return newest - 1 - int64(d.N(2*365*day))*1000 - int64(d.N(1000))
}

// one returns a row of a table as it is now; not ok when there is none of that id.
func (s *Simulator) one(t *table, id string) (found indexed, ok bool) {
	n, err := strconv.Atoi(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := t.Index(n)
	if err != nil || !ok || t.Rows[i].Gone {
		return indexed{}, false
	}
	return indexed{i, t.Rows[i]}, true
}

// has tells whether a path is in a list of them under any of the names of its table.
func (t *table) has(paths []string) bool {
	return slices.ContainsFunc(paths, func(path string) bool { return slices.Contains(t.paths, path) })
}
