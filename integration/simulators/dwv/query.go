package dwv

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// query is what a request asks of a list.
type query struct {
	limit, page int
	tests       []test
	fields      *selection // nil is all
	key         string     // equal for queries that let the same rows through
}

// test tells whether the row at an index is let through.
type test func(index int, r sim.Row) bool

// parameter reads the value of one query parameter. An error is what the 400 says, in the API's language.
type parameter func(q *query, value string) error

// parse reads a query string. A parameter that is not known, comes twice, is empty or malformed is an error.
func (s *Simulator) parse(raw string, known map[string]parameter) (query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return query{}, fmt.Errorf("parâmetros inválidos")
	}
	q := query{limit: 20, page: 1}
	filtering := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if name == "per_page" && known["limit"] != nil {
			continue // seen in practice: ignored
		}
		read, ok := known[name]
		if !ok {
			return query{}, fmt.Errorf("parâmetro desconhecido: %s", name)
		}
		if len(values[name]) != 1 || values.Get(name) == "" {
			return query{}, fmt.Errorf("parâmetro repetido ou vazio: %s", name)
		}
		if err := read(&q, values.Get(name)); err != nil {
			return query{}, fmt.Errorf("parâmetro inválido: %s: %w", name, err)
		}
		if name != "limit" && name != "page" && name != "fields" {
			filtering.Set(name, values.Get(name))
		}
	}
	q.limit = min(q.limit, s.with.MaxLimit)
	q.key = filtering.Encode()
	return q, nil
}

// paged returns the parameters of every list with pages.
func paged() map[string]parameter {
	number := func(set func(q *query, n int)) parameter {
		return func(q *query, value string) error {
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil || n < 1 || value[0] == '+' {
				return errors.New("deve ser um número inteiro positivo")
			}
			set(q, int(n))
			return nil
		}
	}
	return map[string]parameter{
		"limit": number(func(q *query, n int) { q.limit = n }),
		"page":  number(func(q *query, n int) { q.page = n }),
	}
}

// text lets rows through of which one of some texts matches.
func text(matches func(text, value string) bool, of func(index int) []string) parameter {
	return func(q *query, value string) error {
		q.tests = append(q.tests, func(index int, _ sim.Row) bool {
			return slices.ContainsFunc(of(index), func(text string) bool { return matches(text, value) })
		})
		return nil
	}
}

// oneOf lets rows through by one of the values that are documented.
func oneOf(of func(index int, r sim.Row) string, values ...string) parameter {
	return func(q *query, value string) error {
		if !slices.Contains(values, value) {
			return fmt.Errorf("deve ser um de %s", strings.Join(values, ", "))
		}
		q.tests = append(q.tests, func(index int, r sim.Row) bool { return of(index, r) == value })
		return nil
	}
}

// one is oneOf for what is a fact of a property.
func (s *Simulator) one(of func(f facts) string, values ...string) parameter {
	return oneOf(func(index int, _ sim.Row) string { return of(s.facts(index)) }, values...)
}

// quantity lets rows through by a number: "1,3+" is one, or three and more. A number that is not known (negative) is none of them.
func (s *Simulator) quantity(of func(f facts) int) parameter {
	syntax := regexp.MustCompile(`^\d{1,4}\+?(,\d{1,4}\+?)*$`)
	return func(q *query, value string) error {
		if !syntax.MatchString(value) {
			return errors.New("deve ser como 1,3+")
		}
		q.tests = append(q.tests, func(index int, _ sim.Row) bool {
			n := of(s.facts(index))
			return n >= 0 && slices.ContainsFunc(strings.Split(value, ","), func(part string) bool {
				least, more := strings.CutSuffix(part, "+")
				m, _ := strconv.Atoi(least) // the syntax was checked
				return n == m || more && n > m
			})
		})
		return nil
	}
}

// updates lets rows through whose time of change lies on one of the days from,to: whole days in São Paulo, both included. Rows
// without a time are on none. The document's sentence says 22/10/2020, its example 2020-10-25,2020-10-28; all readers known to work
// send the latter.
func (s *Simulator) updates(q *query, value string) error {
	first, last, ok := strings.Cut(value, ",")
	from, bad := time.ParseInLocation(time.DateOnly, first, sim.Brasilia())
	to, worse := time.ParseInLocation(time.DateOnly, last, sim.Brasilia())
	if !ok || bad != nil || worse != nil || to.Before(from) {
		return errors.New("deve ser como 2020-10-25,2020-10-28")
	}
	begin, end := from.Unix(), to.AddDate(0, 0, 1).Unix()
	if !s.with.NoUpdates {
		q.tests = append(q.tests, func(_ int, r sim.Row) bool { return r.Time != 0 && begin <= r.Time && r.Time < end })
	}
	return nil
}
