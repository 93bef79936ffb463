package nectarcrm

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// stream is one of the connector's, made from a table's rows.
type stream struct {
	name  string
	table *table
	keys  func(index int) []string // under which what the row brings comes
}

// streams returns all of the connector's, by its names and keys of them.
func (s *Simulator) streams() []stream {
	related := func(from int) func(i, k int) int { return func(i, k int) int { return s.relative(i, from+k) } }
	link := func(i, k int) string { return s.contacts.key(i) + "," + strconv.Itoa(s.relative(i, 5+k)) }
	ofPipeline := func(i int, _ row) int { return stages(i) }
	ofTable := func(i int, _ row) int {
		if slices.Contains(s.with.Missing, rowsPath) {
			return 0
		}
		return dynamicRows(i)
	}
	all := []stream{
		{"contatos", s.contacts, s.contacts.keys},
		{"contatos_contatos", s.contacts, below(s.contacts, s.people, related(1))},
		{"contatos_enderecos", s.contacts, below(s.contacts, s.addresses, addressID)},
		{"contatos_contatospai", s.contacts, below(s.contacts, s.parents, link)},
		{"contatos_empresasatuais", s.contacts, below(s.contacts, s.employers, link)},
		{"oportunidades", s.opportunities, s.opportunities.keys},
		{"oportunidades_produtos", s.opportunities, within(s.opportunities, s.lines, lineID)},
		{"oportunidades_propostas", s.opportunities, within(s.opportunities, s.proposals, proposalID)},
		{"qualificacoes", s.leads, s.leads.keys},
		{"tarefas", s.tasks, s.tasks.keys},
		{"compromissos", s.appointments, s.appointments.keys},
		{"compromissos_participantes", s.appointments, below(s.appointments, s.guests, func(_, k int) int { return k })},
		{"pipelines", s.pipelines, s.pipelines.keys},
		{"pipelines_sequencias", s.pipelines, below(s.pipelines, ofPipeline, stageID)},
		{"produtos", s.products, s.products.keys},
		{"produtos_produtos", s.products, below(s.products, s.parts, func(i, k int) int { return s.products.id(s.part(i, k)) })},
		{"usuarios", s.users, s.users.keys},
		{"dynamic_table_rows", s.dynamic, below(s.dynamic, ofTable, func(i, k int) string {
			return rowHash(s.inside(s.dynamic, indexed{i, s.dynamic.Rows[i]}, k, s.dynamicRow))
		})},
	}
	for name, t := range s.lists {
		all = append(all, stream{name, t, t.keys})
	}
	for n, stream := range all {
		all[n].keys = func(i int) []string {
			if !s.shown(stream.table, i) {
				return nil
			}
			return stream.keys(i)
		}
	}
	return all
}

// keys returns the key of the row at an index alone.
func (t *table) keys(index int) []string { return []string{t.key(index)} }

// within returns the keys of the rows within those of t: n of them, each with a key of its own.
func within[K any](t *table, n func(i int, r row) int, key func(i, k int) K) func(index int) []string {
	return func(i int) (keys []string) {
		for k := range n(i, t.Rows[i]) {
			keys = append(keys, fmt.Sprint(key(i, k)))
		}
		return keys
	}
}

// below returns the keys of within after their parent's.
func below[K any](t *table, n func(i int, r row) int, key func(i, k int) K) func(index int) []string {
	return within(t, n, func(i, k int) string { return t.key(i) + "," + fmt.Sprint(key(i, k)) })
}

// expectComments returns the expectation of the comments, which have times of their own. The caller holds the lock.
func (s *Simulator) expectComments(mark int64) sim.Expectation {
	e := sim.Incremental()
	for i := range s.feed.Rows {
		if !s.shown(s.feed, i) || slices.Contains(s.with.Missing, commentsPath) {
			continue
		}
		fresh := s.commentsOf(i) - len(s.comments[i]) + len(s.since.commented[i])
		for k := range s.commentsOf(i) {
			next := sim.Never
			switch at := s.commentTime(i, k); {
			case s.since.begun && k >= fresh:
				next = sim.Must
			case at == 0, at >= mark, s.with.Odd: // then it may be no time that can be read
				next = sim.May
			}
			e.Put(s.feed.key(i)+","+strconv.Itoa(commentID(i, k)), sim.Must, next)
		}
	}
	return e
}

// expectProposed lets proposals be expected that came without their opportunity's changing: its last one.
func (s *Simulator) expectProposed(e sim.Expectation, proposals stream) {
	for i := range s.since.proposed {
		if keys := proposals.keys(i); len(keys) > 0 && !proposals.table.Fresh[i] {
			e.Put(keys[len(keys)-1], sim.Must, sim.Must)
			delete(e.Next.May, keys[len(keys)-1])
		}
	}
}

// expectHistory returns the expectation of the stages that opportunities went through. Of those that Drift touched nobody knows how many came. The
// caller holds the lock.
func (s *Simulator) expectHistory() sim.Expectation {
	e := sim.Expectation{Full: sim.Keys{Must: sim.Set(), May: sim.Set()}}
	for i, r := range s.opportunities.Rows {
		if r.Gone || s.reports.has(s.with.Missing) || s.reports.has(s.with.Gated) {
			continue
		}
		for k := range s.passed(i, r) {
			if key := rowHash(s.passage(i, k)); s.opportunities.Touched[i] {
				e.Full.May[key] = true
			} else {
				e.Full.Must[key] = true
			}
		}
	}
	return e.Always()
}

// shown tells whether a row is in any list.
func (s *Simulator) shown(t *table, index int) bool {
	return !t.Rows[index].Gone && !t.has(s.with.Missing) && !t.has(s.with.Gated) && (t != s.leads || s.reachable(index))
}

// marks returns the newest times of change that can be read, per stream, Drift's aside. The caller holds the lock.
func (s *Simulator) marks() map[string]int64 {
	marks := map[string]int64{}
	for _, stream := range s.streams() {
		t := stream.table
		marks[stream.name] = t.Newest(func(i int) int64 {
			if len(stream.keys(i)) == 0 {
				return 0
			}
			return t.written(i, t.Rows[i])
		})
	}
	for i := range s.feed.Rows {
		for k := range s.commentsOf(i) {
			marks["feed_comments"] = max(marks["feed_comments"], s.commentTime(i, k))
		}
	}
	return marks
}

// Expect says what the connector's streams must bring. Of a changed record these are all rows that are in it now. Proposals that came
// without their opportunity's changing are expected where Options.ProposalsOf is "open", and those of all open opportunities may then come.
func (s *Simulator) Expect() map[string]sim.Expectation {
	s.mu.Lock()
	defer s.mu.Unlock()
	marks := s.since.marks
	if !s.since.begun {
		marks = s.marks()
	}
	expect := map[string]sim.Expectation{}
	for _, stream := range s.streams() {
		t := stream.table
		open := stream.name == "oportunidades_propostas" && s.with.ProposalsOf == "open"
		e := t.Expect(marks[stream.name], func(i int) int64 {
			if open && t.Rows[i].State == 1 {
				return 0
			}
			return t.written(i, t.Rows[i])
		}, stream.keys)
		if open {
			s.expectProposed(e, stream)
		}
		if !t.timed {
			e = e.Always()
		}
		expect[stream.name] = e
	}
	expect["feed_comments"], expect["opportunity_history"] = s.expectComments(marks["feed_comments"]), s.expectHistory()
	return expect
}
