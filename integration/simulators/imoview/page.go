package imoview

import (
	"fmt"
	"maps"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// listing is what a request's filters let through.
type listing struct {
	rows   []int // indices, in the order of the listing
	client int   // whose rows they are; 0: all clients'
	fewer  int   // quantidade is lower by so many
	loose  bool  // the order is another one for each page
	row    func(index int) any

	table *table // from whose rows they are made; nil where each is made when it is asked for
	show  any    // what of them is asked for
}

// written returns a row of the listing as it goes out. The caller holds data.
func (s *Simulator) written(l listing, index int) sim.JSON {
	if l.table == nil {
		return sim.Encode(l.row(index))
	}
	type key struct {
		seed        uint64
		size        int
		today       int64
		codeText    bool
		quiet       bool
		base, index int
		row         sim.Row
		show        any
	}
	o := s.with
	known := key{o.Seed, o.Size, s.today, o.CodeText, o.Quiet, l.table.base, index, l.table.Rows[index], l.show}
	return o.Rendered.Row(known, func() any { return l.row(index) })
}

// Ask is a page that was asked for and answered.
type Ask struct {
	Path   string
	Client int    // codigoCliente; 0: none
	Filter string // the other parameters that select rows, "name=value&" for each; those that stand for all are left out
	Size   int    // numeroRegistros; 0: no pages
	Page   int    // numeroPagina
}

// Asked returns the pages that were answered since New or Forget, and how often each was.
func (s *Simulator) Asked() map[Ask]int {
	s.books.Lock()
	defer s.books.Unlock()
	return maps.Clone(s.asked)
}

// Forget sets the counters of Asked to zero.
func (s *Simulator) Forget() {
	s.books.Lock()
	defer s.books.Unlock()
	clear(s.asked)
}

// askedBy reads which page a request is for.
func (s *Simulator) askedBy(p *params, name string, method path) Ask {
	if method.rows == 0 {
		return Ask{Path: name}
	}
	limit := method.rows
	if n, ok := s.with.Caps[name]; ok {
		limit = n
	} else if name == propertiesPath && (p.truth("retornomapa") || p.truth("retornomapaapp")) {
		limit = 100
	}
	ask := Ask{Path: name, Page: p.place("numeropagina"), Size: p.place("numeroregistros")}
	switch {
	case ask.Page < 1:
		p.refuse("Nº da página não informado!")
	case ask.Size < 1:
		p.refuse("Nº de registros não informado!")
	case ask.Size > limit:
		p.refuse(fmt.Sprintf("Nº de registros não pode ser maior que %d!", limit))
	}
	return ask
}

// page returns the page of a listing that is asked for.
func (s *Simulator) page(name string, method path, p *params) (any, *refusal) {
	ask := s.askedBy(p, name, method)
	s.data.RLock()
	defer s.data.RUnlock()
	l := listing{}
	if p.err == nil {
		l = method.list(p)
	}
	if p.err != nil {
		return nil, p.err
	}
	ask.Client, ask.Filter = l.client, p.used.String()
	shift := s.note(ask, l.loose)
	if cut, ok := s.with.Cuts[name]; ok {
		ask.Size = min(ask.Size, cut)
	}
	from, to := s.bounds(ask, len(l.rows))

	rows := make([]sim.JSON, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, s.written(l, l.rows[(i+shift)%len(l.rows)]))
	}
	return s.envelope(method, l, rows)
}

// envelope returns a page with what stands around its rows.
func (s *Simulator) envelope(method path, l listing, rows []sim.JSON) (any, *refusal) {
	count := max(0, len(l.rows)-l.fewer+s.with.CountOff)
	if s.with.Count == OfPage {
		count = len(rows)
	}
	switch none := len(rows) == 0; {
	case none && len(l.rows) == 0 && l.client != 0 && s.with.Nothing != "":
		return nil, &refusal{status: s.with.NothingAs, text: s.with.Nothing}
	case method.bare, s.with.Count == Bare:
		return rows, nil
	case s.with.Count == Untold:
		return sim.Ordered("lista", rows), nil
	case none && l.client%16 == 3:
		return sim.Ordered("quantidade", count, "lista", nil), nil
	case none && l.client%16 == 5: // it may be missing as well
		return sim.Ordered("quantidade", count), nil
	}
	return sim.Ordered("quantidade", count, "lista", rows), nil
}

// note counts a page and says by how many rows the order of a loose listing is off this time.
func (s *Simulator) note(ask Ask, loose bool) (shift int) {
	s.books.Lock()
	defer s.books.Unlock()
	s.asked[ask]++
	if loose {
		s.ticks++
		shift = s.ticks % 5
	}
	return shift
}

// bounds returns the positions of a page's rows among all of them.
func (s *Simulator) bounds(ask Ask, total int) (from, to int) {
	if ask.Size == 0 {
		return 0, total
	}
	from = min((min(ask.Page, total+2)-1)*max(1, ask.Size-s.with.Repeat), total)
	return from, min(from+ask.Size, total)
}

// matching returns the indices of the rows of a table that fit lets through, in the order of less or, when that is nil, of their codes. What p was
// asked for, and the path, tell one fit and order from another.
func (s *Simulator) matching(t *table, path string, p *params, fit func(index int) bool, less func(a, b int) int) []int {
	s.books.Lock()
	defer s.books.Unlock()
	return t.Matching(path+"?"+p.used.String(), fit, less)
}
