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
	p := pagination.Page{Body: record.Record(envelope), Header: header}
	for i := range n {
		p.Records = append(p.Records, record.Record(fmt.Sprintf(`{"Id":"k%d"}`, i)))
	}
	return p
}

func link(value string) http.Header { return http.Header{"Link": {value}} }

func TestNext(t *testing.T) {
	number := pagination.Number{Param: "page", Start: 1, SizeParam: "limit", Size: 3}
	last := number
	last.Last = "lastPage"
	short := number
	short.Short = true
	body := pagination.Number{In: httpclient.Body, Param: "numeropagina", Start: 1, SizeParam: "numeroregistros", Size: 20}
	offset := pagination.Offset{Param: "offset", SizeParam: "size", Size: 3}
	tests := []struct {
		name     string
		strategy pagination.Strategy
		pages    []pagination.Page
		want     []string // query or body of each request
	}{
		{"number until an empty page", number, []pagination.Page{page(3, `{}`, nil), page(1, `{}`, nil), page(0, `{}`, nil)},
			[]string{"limit=3&page=1", "limit=3&page=2", "limit=3&page=3"}},
		{"number until a short page", short, []pagination.Page{page(3, `{}`, nil), page(2, `{}`, nil)},
			[]string{"limit=3&page=1", "limit=3&page=2"}},
		{"number until the last page, whatever comes", last,
			[]pagination.Page{page(3, `{"lastPage":2}`, nil), page(3, `{"lastPage":"2"}`, nil)},
			[]string{"limit=3&page=1", "limit=3&page=2"}},
		{"number without the last page that was promised", last, []pagination.Page{page(3, `{"lastPage":null}`, nil), page(0, `{}`, nil)},
			[]string{"limit=3&page=1", "limit=3&page=2"}},
		{"number in the body", body, []pagination.Page{page(1, `{}`, nil), page(0, `{}`, nil)},
			[]string{"map[numeropagina:1 numeroregistros:20]", "map[numeropagina:2 numeroregistros:20]"}},
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

// asked is what of r varies from page to page.
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
	if rows, ok := n.Total(p, false); rows != 7 || !ok {
		t.Errorf("Total is %d, %t", rows, ok)
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
	if _, ok := n.Total(bare, true); ok {
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
