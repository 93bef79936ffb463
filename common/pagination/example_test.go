package pagination_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
)

// follow prints the first request of a listing and the ones after each of its answers.
func follow(strategy pagination.Strategy, pages ...pagination.Page) {
	r := strategy.First(httpclient.Request{Path: "/offers"})
	show(r)
	for _, p := range pages {
		next, more := strategy.Next(r, p)
		if r = next; !more {
			fmt.Println("that was the last page")
			return
		}
		show(r)
	}
}

func show(r httpclient.Request) { fmt.Println(strings.TrimSpace(r.Path + " " + r.Query.Encode())) }

func answer(body string) pagination.Page { return pagination.Page{Body: record.Record(body).Get("")} }

func ExampleToken() {
	follow(pagination.Token{Param: "page_token", Path: "meta.next"},
		answer(`{"offers":[{"id":1}],"meta":{"next":"abc"}}`), answer(`{"offers":[{"id":2}],"meta":{"next":null}}`))
	// Output:
	// /offers
	// /offers page_token=abc
	// that was the last page
}

func ExampleNextURL() {
	follow(pagination.NextURL{Path: "links.next"},
		answer(`{"offers":[{"id":1}],"links":{"next":"/offers?after=1"}}`), answer(`{"offers":[{"id":2}],"links":{}}`))
	// Output:
	// /offers
	// /offers?after=1
	// that was the last page
}

func ExampleLink() {
	first := pagination.Page{Header: http.Header{"Link": {`</offers?page=2>; rel="next", </offers?page=9>; rel="last"`}}}
	follow(pagination.Link{}, first, pagination.Page{})
	// Output:
	// /offers
	// /offers?page=2
	// that was the last page
}

func ExampleWhole() {
	all := pagination.Whole{Rows: "total"}
	follow(all, answer(`{"offers":[{"id":1}],"total":1}`))
	fmt.Println(all.Total(answer(`{"offers":null,"total":0}`), true))
	// Output:
	// /offers
	// that was the last page
	// {0 true  true false true}
}

// An API whose answers say whether there is more, and that wants the last id.
func ExampleFunc() {
	follow(pagination.Func(func(r httpclient.Request, p pagination.Page) (httpclient.Request, bool) {
		last, _ := p.Body.Get("last_id").Int()
		return r.With(httpclient.Query, "after", last), p.Body.Get("has_more").True()
	}), answer(`{"has_more":true,"last_id":7}`), answer(`{"has_more":false,"last_id":9}`))
	// Output:
	// /offers
	// /offers after=7
	// that was the last page
}
