package pagination_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// page makes a page of n rows with the envelope's other members.
func page(n int, envelope string, header http.Header) pagination.Page {
	p := pagination.Page{Body: record.Record(envelope).Get(""), Header: header}
	for i := range n {
		p.Records = append(p.Records, record.Record(fmt.Sprintf(`{"Id":"k%d"}`, i)).Get(""))
	}
	return p
}

func link(value string) http.Header { return http.Header{"Link": {value}} }

func TestNext(t *testing.T) {
	offset := pagination.Offset{Param: "offset", SizeParam: "size", Size: 3}
	tests := []struct {
		name     string
		strategy pagination.Strategy
		pages    []pagination.Page
		want     []string // query or body of each request
	}{
		{"offset goes on after what came", offset, []pagination.Page{page(3, `{}`, nil), page(2, `{}`, nil), page(0, `{}`, nil)},
			[]string{"offset=0&size=3", "offset=3&size=3", "offset=5&size=3"}},
		{"token", pagination.Token{Param: "after", Path: "next.token"},
			[]pagination.Page{page(1, `{"next":{"token":"a b"}}`, nil), page(1, `{"next":{"token":""}}`, nil)}, []string{"", "after=a+b"}},
		{"next address", pagination.NextURL{Path: "nextRecordsUrl"},
			[]pagination.Page{page(1, `{"nextRecordsUrl":"/q/2"}`, nil), page(1, `{}`, nil)}, []string{"", "/q/2"}},
		{"link header", pagination.Link{}, []pagination.Page{
			page(1, `[]`, link(`<https://a/1>; rel="prev", <https://a/3?x=1,2>; title="a, b"; rel="last next"`)), page(1, `[]`, link(`<x>; rel=prev`)),
		}, []string{"", "https://a/3?x=1,2"}},
		{"offset up to the last one there is", pagination.Offset{Param: "offset", Max: 4},
			[]pagination.Page{page(3, `{}`, nil), page(3, `{}`, nil), page(3, `{}`, nil)}, []string{"offset=0", "offset=3", "offset=4"}},
		{"keyset", pagination.Keyset{Param: "after", Field: "Id"}, []pagination.Page{page(3, `{}`, nil), page(0, `{}`, nil)},
			[]string{"", "after=k2"}},
		{"keyset with what is left", pagination.Keyset{
			Param: "filter", Field: "Id", SizeParam: "size", Size: 3, Rows: "left", Format: func(key string) string { return "Id>" + key },
		}, []pagination.Page{page(3, `{"left":5}`, nil), page(2, `{"left":2}`, nil)}, []string{"size=3", "filter=Id%3Ek2&size=3"}},
		{"function", pagination.Func(func(r httpclient.Request, p pagination.Page) (httpclient.Request, bool) {
			return r.With(httpclient.Query, "n", len(p.Records)), len(p.Records) > 0
		}), []pagination.Page{page(2, `{}`, nil), page(0, `{}`, nil)}, []string{"", "n=2"}},
		{"not paged", pagination.Single{}, []pagination.Page{page(5, `{}`, nil)}, []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			r := tt.strategy.First(httpclient.Request{Path: "/x"})
			for i, p := range tt.pages {
				got = append(got, asked(r))
				next, more := tt.strategy.Next(r, p)
				if more != (i < len(tt.pages)-1) {
					t.Fatalf("after page %d more is %t", i+1, more)
				}
				r = next
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("asked %q, want %q", got, tt.want)
			}
		})
	}
}

// TestNumbers asks for pages by number: there is always a next page, and the caller decides when to stop.
func TestNumbers(t *testing.T) {
	query := pagination.Number{Param: "page", Start: 1, SizeParam: "limit", Size: 3}
	body := pagination.Number{In: httpclient.Body, Param: "numeropagina", Start: 1, SizeParam: "numeroregistros", Size: 20}
	for n, want := range map[*pagination.Number][]string{
		&query: {"limit=3&page=1", "limit=3&page=2", "limit=3&page=7"},
		&body: {
			"map[numeropagina:1 numeroregistros:20]", "map[numeropagina:2 numeroregistros:20]", "map[numeropagina:7 numeroregistros:20]",
		},
	} {
		first := n.First(httpclient.Request{Path: "/x"})
		next, more := n.Next(first, page(0, `{}`, nil))
		if got := []string{asked(first), asked(next), asked(n.At(first, 6))}; !more || !slices.Equal(got, want) {
			t.Errorf("asked %q, %t, want %q", got, more, want)
		}
	}
}

// TestSizes checks which pages may have been cut off, by what is known of their sizes.
func TestSizes(t *testing.T) {
	for _, tt := range []struct {
		number   pagination.Number
		cut, not []int
		fewest   int
		sure     bool
	}{
		{pagination.Number{Size: 20, Exact: true}, []int{20, 21}, []int{0, 19}, 20, true},
		{pagination.Number{Size: 200, Caps: []int{50, 15}}, []int{15, 50, 200, 300}, []int{0, 14, 16, 199}, 15, false},
		{pagination.Number{Size: 20}, []int{0, 1, 20}, nil, 0, false},
		{pagination.Number{Size: 20, Likely: true}, []int{20, 21}, []int{0, 1, 19}, 1, false},
	} {
		for _, rows := range tt.cut {
			if !tt.number.Cut(rows) {
				t.Errorf("a page of %d rows of %+v may be cut off", rows, tt.number)
			}
		}
		for _, rows := range tt.not {
			if tt.number.Cut(rows) {
				t.Errorf("a page of %d rows of %+v is whole", rows, tt.number)
			}
		}
		if rows, sure := tt.number.Fewest(); rows != tt.fewest || sure != tt.sure {
			t.Errorf("the fewest of %+v are %d, %t", tt.number, rows, sure)
		}
	}
}

// asked returns the parts of r that vary from page to page.
func asked(r httpclient.Request) string {
	switch {
	case r.Body != nil:
		return fmt.Sprint(r.Body)
	case r.Path != "/x":
		return r.Path
	default:
		return r.Query.Encode()
	}
}

func TestNumberCounts(t *testing.T) {
	n := pagination.Number{Param: "page", Start: 1, Last: "lastPage", Echo: "page", Rows: "total"}
	p := page(2, `{"total":"7","page":"2","lastPage":"4"}`, nil)
	if pages, ok := n.Count(p); pages != 4 || !ok {
		t.Errorf("Count is %d, %t", pages, ok)
	}
	if total := n.Total(p, false); total != (pagination.Total{Rows: 7, Told: true, Documented: true, Reliable: true}) {
		t.Errorf("Total is %+v", total)
	}
	if total := n.Total(page(2, `{"total":" "}`, nil), false); total.Bad != "" || total.Told {
		t.Errorf("a blank Total is %+v", total)
	}
	if total := n.Total(page(2, `{"total":"many"}`, nil), false); total.Bad != "total" {
		t.Errorf("Total is %+v", total)
	}
	for unsure, told := range map[bool]bool{false: true, true: false} {
		counted := pagination.Number{Rows: "total", Unsure: unsure}
		if of := page(3, `{"total":3}`, nil); !counted.Total(of, true).Told || counted.Total(of, false).Told != told {
			t.Errorf("a later page that says it has its own rows, unsure %t: %+v", unsure, counted.Total(of, false))
		}
	}
	second := n.At(httpclient.Request{Query: url.Values{"deleted": {"false"}}}, 1)
	if got := second.Query.Encode(); got != "deleted=false&page=2" {
		t.Errorf("At(1) asks %q", got)
	}
	if !n.Echoes(second, p) || n.Echoes(n.At(second, 2), p) {
		t.Error("Echoes does not compare the page with the request")
	}
	bare := page(2, `[]`, nil)
	if _, ok := n.Count(bare); ok {
		t.Error("Count of an answer that does not tell")
	}
	if n.Total(bare, true).Told {
		t.Error("Total of an answer that does not tell")
	}
	if !n.Echoes(second, bare) {
		t.Error("an answer that does not say its number cannot be the wrong one")
	}
}

func TestFirstLeavesTheRequestAlone(t *testing.T) {
	r := httpclient.Request{Query: url.Values{"a": {"1"}}}
	pagination.Number{Param: "page"}.First(r)
	if r.Query.Encode() != "a=1" {
		t.Errorf("the request became %v", r.Query)
	}
}
