package snapproperty

import (
	"net/http"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Listing returns the search that r asks for. One with a condition "AND Id > 'Id'" of its own is a page behind that Id.
func (s *Simulator) Listing(r *http.Request) (sim.Listing, bool) {
	if r.URL.Path != searchPath || r.Method != http.MethodPost {
		return sim.Listing{}, false
	}
	q, refused := decode(sim.Body(r))
	if refused != nil || q.Rows == nil || q.Offset == nil || q.Order == nil || *q.Rows < 1 {
		return sim.Listing{}, false
	}
	l := sim.Listing{
		Name: r.Method + " " + r.URL.Path + "?" + *q.Order, From: *q.Offset, Size: *q.Rows, Key: "Id",
		Form: sim.Form{List: "Imoveis", Total: "Total"},
	}
	filters := []*string{}
	for _, f := range q.Filters {
		if f == nil {
			return sim.Listing{}, false
		}
		if after, ok := behind(*f); ok {
			l.After = after
			continue
		}
		filters, l.Name = append(filters, f), l.Name+"&"+*f
	}
	l.At = func(page int) *http.Request {
		offset := (page - 1) * l.Size
		return sim.WithBody(r, sim.Encode(query{Offset: &offset, Rows: q.Rows, Filters: filters, Order: q.Order}))
	}
	return l, true
}

// behind returns the Id behind which a filter lets properties through that asks for nothing else, as those of pages do.
func behind(filter string) (id string, ok bool) {
	id, ok = strings.CutPrefix(strings.TrimSpace(filter), "AND Id > '")
	id, closed := strings.CutSuffix(id, "'")
	return id, ok && closed
}
