package snapproperty

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// The most that a search may skip, and may return.
const (
	maxOffset = 2000
	maxRows   = 2000
)

// query is a search's body.
type query struct {
	Offset    *int      `json:"Offset"`
	Rows      *int      `json:"RegistrosPagina"`
	Filters   []*string `json:"Filtros"`
	Order     *string   `json:"Ordenacao"`
	condition *group
	sorts     []ordering
}

// Search is a search that was asked for, and what came of it.
type Search struct {
	Offset, Rows int
	Filters      []string
	Order        string
	Total        int    // how many properties its filters let through
	Came         int    // how many of them are in the answer
	Failed       string // why there is none
}

// Searches returns all whose bodies could be read, in the order of their answers.
func (s *Simulator) Searches() []Search { return sim.Copied(&s.books, &s.asked) }

// note puts a search into the list of Searches.
func (s *Simulator) note(q *query, total, came int, failed error) {
	one := Search{Offset: sent(q.Offset), Rows: sent(q.Rows), Order: sent(q.Order), Total: total, Came: came}
	for _, f := range q.Filters {
		if f != nil {
			one.Filters = append(one.Filters, *f)
		}
	}
	if failed != nil {
		one.Failed = failed.Error()
	}
	s.books.Lock()
	defer s.books.Unlock()
	s.asked = append(s.asked, one)
}

// sent returns a member of a body; what did not come, or is null, is zero.
func sent[T any](member *T) (value T) {
	if member != nil {
		value = *member
	}
	return value
}

// ordering is one of the fields to order by.
type ordering struct {
	field      *field
	down       bool
	nullsFirst bool
}

func decode(body []byte) (*query, *refusal) {
	found, refused := members(body, "Offset", "RegistrosPagina", "Filtros", "Ordenacao")
	if refused != nil {
		return nil, refused
	}
	q := &query{}
	for name, into := range map[string]any{"Offset": &q.Offset, "RegistrosPagina": &q.Rows, "Filtros": &q.Filters, "Ordenacao": &q.Order} {
		if raw, ok := found[name]; ok && json.Unmarshal(raw, into) != nil {
			return nil, malformed("Illegal value for primitive: %s at [line:1, column:2]", name)
		}
	}
	return q, nil
}

// prepare reads what of a query is text. An error is what the service's message says of it.
func (s *Simulator) prepare(q *query) (err error) {
	switch {
	case q.Filters == nil || slices.Contains(q.Filters, nil):
		return fmt.Errorf("Attempt to de-reference a null object") //nolint:staticcheck // Salesforce's text
	case q.Rows == nil || q.Offset == nil:
		return unexpected(token{'w', "null"})
	case *q.Rows < 0:
		return unexpected(token{'-', "-"})
	case *q.Rows > maxRows:
		return fmt.Errorf("NUMBER_OUTSIDE_VALID_RANGE: Maximum number of rows allowed for apiName snap_brok__Imovel__c is %d", maxRows)
	case *q.Offset < 0:
		return fmt.Errorf("NUMBER_OUTSIDE_VALID_RANGE: SOQL offset must not be negative")
	case *q.Offset > maxOffset:
		return fmt.Errorf("NUMBER_OUTSIDE_VALID_RANGE: Maximum SOQL offset allowed for apiName snap_brok__Imovel__c is %d", maxOffset)
	case q.Order == nil:
		return unexpected(token{'w', "null"})
	}
	if q.condition, err = s.parse(q.Filters); err != nil {
		return err
	}
	q.sorts, err = s.sorts(*q.Order)
	return err
}

// sorts reads Ordenacao.
func (s *Simulator) sorts(order string) (all []ordering, err error) {
	tokens, err := scan(order)
	if err != nil {
		return nil, err
	}
	p := &parser{s: s, tokens: tokens}
	for {
		t := p.next()
		if t.kind != 'w' {
			if t.kind == 0 {
				t = token{'w', "LIMIT"} // what comes behind it in the query
			}
			return nil, unexpected(t)
		}
		f, err := s.column(t.text)
		if err != nil {
			return nil, err
		}
		one := ordering{field: f, nullsFirst: true}
		if p.peek().is("ASC") || p.peek().is("DESC") {
			one.down = p.next().is("DESC")
		}
		if p.peek().is("NULLS") {
			p.at++
			switch t := p.next(); {
			case t.is("LAST"):
				one.nullsFirst = false
			case !t.is("FIRST"):
				return nil, unexpected(t)
			}
		}
		all = append(all, one)
		switch t := p.next(); t.kind {
		case 0:
			return all, nil
		case ',':
		default:
			return nil, unexpected(t)
		}
	}
}

// written returns a property as it goes out.
func (s *Simulator) written(p property) sim.JSON {
	type key struct {
		seed             uint64
		size, index      int
		row              row
		modified, noNext bool
		photosAtOnce     int
	}
	o := s.with
	return o.Rendered.Row(key{o.Seed, o.Size, p.index, *p.row, o.ShowModified, o.NoNextPhotos, o.PhotosAtOnce}, func() any { return s.record(p) })
}

// failed is how the service says that a search went wrong: under 200.
func failed(w http.ResponseWriter, err error) {
	text := "Erro na pesquisa de imóveis: Erro na pesquisa de imóveis: " + err.Error() + " - linha: 493 na linha 502"
	answer(w, http.StatusOK, sim.Ordered("Total", nil, "Mensagem", text, "Imoveis", nil, "Erro", true))
}

// search answers a search.
func (s *Simulator) search(w http.ResponseWriter, body []byte) *refusal {
	q, refused := decode(body)
	if refused != nil {
		return refused
	}
	if err := s.prepare(q); err != nil {
		s.note(q, 0, 0, err)
		failed(w, err)
		return nil
	}
	if s.with.Slow > 0 && *q.Rows > s.with.Slow {
		s.note(q, 0, 0, tooLong())
		return tooLong()
	}
	s.data.RLock()
	total, rows := s.matching(q)
	found := make([]sim.JSON, len(rows))
	for i, index := range rows {
		found[i] = s.written(s.property(index))
	}
	s.data.RUnlock()

	out := sim.Encode(sim.Ordered("Total", total, "Mensagem", "Pesquisa realizada com sucesso", "Imoveis", found, "Erro", false))
	if len(out) > s.with.Heap {
		text := fmt.Sprintf("System.LimitException: Apex heap size too large: %d", len(out))
		refused := &refusal{http.StatusInternalServerError, "APEX_ERROR", text}
		s.note(q, total, 0, refused)
		return refused
	}
	s.note(q, total, len(rows), nil)
	answer(w, http.StatusOK, sim.JSON(out))
	s.drift(rows)
	return nil
}

// matching counts the properties that a query lets through, and returns the indices of those of the page. What the order leaves open is
// another way each time. The caller holds data.
func (s *Simulator) matching(q *query) (total int, page []int) {
	from, to, rest := q.condition.span(len(s.rows))
	byID := q.sorts[0].field.name == "Id" && !q.sorts[0].down
	if byID && len(rest.terms) == 0 && s.deleted == 0 { // every page by Id of an account that nobody changes
		first := min(from+*q.Offset, to)
		for i := first; i < min(first+*q.Rows, to); i++ {
			page = append(page, i)
		}
		return to - from, page
	}
	for i := from; i < to; i++ {
		if s.rows[i].gone || !rest.fits(s.property(i)) {
			continue
		}
		if total++; !byID || total > *q.Offset && len(page) < *q.Rows {
			page = append(page, i)
		}
	}
	if byID {
		return total, page
	}
	tick := s.tick()
	type entry struct {
		index  int
		lot    uint64
		values []value
	}
	entries := make([]entry, len(page))
	for k, i := range page {
		e := entry{index: i, lot: sim.Mix(tick<<32 ^ uint64(i))}
		for _, by := range q.sorts {
			e.values = append(e.values, by.field.value(s.property(i)))
		}
		entries[k] = e
	}
	slices.SortFunc(entries, func(a, b entry) int {
		for k, by := range q.sorts {
			if n := by.compare(a.values[k], b.values[k]); n != 0 {
				return n
			}
		}
		return cmp.Compare(a.lot, b.lot)
	})
	page = page[:0]
	for _, e := range entries[min(*q.Offset, total):min(*q.Offset+*q.Rows, total)] {
		page = append(page, e.index)
	}
	return total, page
}

func (by ordering) compare(a, b value) int {
	switch {
	case a.null != b.null && a.null == by.nullsFirst:
		return -1
	case a.null != b.null:
		return 1
	case by.down:
		a, b = b, a
	}
	return by.field.compare(a, b)
}

// tick returns another number each time.
func (s *Simulator) tick() uint64 {
	s.books.Lock()
	defer s.books.Unlock()
	s.ticks++
	return s.ticks
}

// record returns a property: null fields as null, or not at all; whole numbers with a decimal point now and then.
func (s *Simulator) record(p property) object {
	row := object{}
	for i := range s.fields {
		f := &s.fields[i]
		if f.name == "Id" || f.hidden && (f.name != "LastModifiedDate" || !s.with.ShowModified) {
			continue
		}
		lot := sim.Dice(sim.Mix(s.with.Seed ^ uint64(p.index)<<8 ^ uint64(f.number)))
		name, related := f.relation()
		if !related {
			row[f.name] = f.written(f.value(p), lot)
			continue
		}
		switch to := f.target(p); {
		case to.id != "":
			row[name] = sobject(version, f.object, to.id, object{"Name": to.name})
		case lot.Once(2):
			row[name] = nil
		}
	}
	row["snap_brok__Localizacao__c"] = nil // most have no compound of latitude and longitude
	if p.index%4 == 1 && p.located() {
		row["snap_brok__Localizacao__c"] = object{
			"latitude": p.location(-235_671_245).decimal(), "longitude": p.location(-466_499_923).decimal(),
		}
	}
	s.addPhotos(row, p.index)
	return sobject(version, "snap_brok__Imovel__c", propertyID(p.index), row.Present())
}

// written returns how a value stands in a record.
func (f *field) written(v value, lot sim.Dice) any {
	switch {
	case v.null && lot.Once(2):
		return nil
	case v.null:
		return sim.Absent
	case f.kind == identity:
		return v.text + string(suffix([]byte(v.text)))
	case f.kind == text:
		return v.text
	case f.kind == truth:
		return v.number == 1
	case f.kind == moment:
		return timestamp(int64(v.number))
	case v.scale == 0 && lot.Once(6):
		v.scale = 1
	case v.scale == 2:
		return json.Number(strings.TrimSuffix(strings.TrimRight(string(v.decimal()), "0"), "."))
	}
	return v.decimal()
}

// Previous returns the search of the page before, where the pages go by Id: a reader can tell it by Ids that it had. Of a page by Offset nobody
// can tell which one it is.
func (s *Simulator) Previous(r *http.Request) (*http.Request, bool) {
	if r.URL.Path != searchPath || r.Method != http.MethodPost {
		return nil, false
	}
	q, refused := decode(sim.Body(r))
	if refused != nil || q.Rows == nil {
		return nil, false
	}
	last := ""
	i := slices.IndexFunc(q.Filters, func(f *string) (ok bool) {
		last, ok = behind(sent(f))
		return ok
	})
	s.data.RLock()
	index, ok := find(len(s.rows), propertyID, last)
	s.data.RUnlock()
	if i < 0 || !ok {
		return nil, false
	}
	if index -= *q.Rows; index >= 0 {
		*q.Filters[i] = "AND Id > '" + propertyID(index) + "'"
	} else {
		q.Filters = slices.Delete(q.Filters, i, i+1)
	}
	return sim.WithBody(r, sim.Encode(q)), true
}
