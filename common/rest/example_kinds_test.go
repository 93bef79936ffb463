package rest_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// Gone recognises answers with a status other than 404 that say a row does not exist. It applies if Parent.Missing is set. Omits is for an API that
// omits an empty list or sends null.
func ExampleAPI_gone() {
	sample{
		answers: map[string]string{
			"/clients":          `[{"id":1},{"id":2},{"id":3}]`,
			"/clients/1/leases": `{"leases":[{"id":11}]}`,
			"/clients/2/leases": `{"leases":null}`,
			"/clients/3/leases": `400 {"code":"no such client"}`,
		},
		columns: map[string]string{"clients": `"id":{"type":"integer"}`, "leases": `"id":{"type":"integer"}`},
		describe: func(api rest.API) rest.API {
			api.Omits = true
			api.Gone = func(res *httpclient.Response) bool {
				return res.Status == http.StatusBadRequest && res.Body.Get("code").Text() == "no such client"
			}
			api.Streams = []rest.Stream{
				{Name: "clients", Path: "/clients", Key: []string{"id"}},
				{
					Name: "leases", Path: "/clients/{client}/leases", Records: "leases", Key: []string{"id"},
					Parent: &rest.Parent{Of: "clients", In: httpclient.Path, Params: map[string]string{"client": "id"}, Missing: true},
				},
			}
			return api
		},
	}.full()
	// Output:
	// clients {"id":1}
	// clients {"id":2}
	// clients {"id":3}
	// leases {"id":11}
	// warning: leases: 1 rows of clients were not there when they were asked for, and were skipped
}

// Put adds a parameter of Each to each record of its set. Here the API refuses the filter for changes, which is then left out.
func ExampleStream_put() {
	sample{
		answers: map[string]string{
			"/visits?year=2023":                  `[{"id":1,"at":"2024-03-01T10:00:00Z"}]`,
			"/visits?year=2024":                  `[{"id":1,"at":"2024-03-02T10:00:00Z"}]`,
			"/visits?since=2024-03-02&year=2023": `422 {"error":"since is not known"}`,
			"/visits?since=2024-03-02&year=2024": `422 {"error":"since is not known"}`,
		},
		columns: map[string]string{
			"visits": `"year":{"type":"string"},"id":{"type":"integer"},"at":{"type":["null","string"],"format":"date-time"}`,
		},
		describe: func(api rest.API) rest.API {
			api.Check = "visits"
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Key: []string{"year", "id"},
				Each:    []map[string]any{{"year": "2023"}, {"year": "2024"}},
				Put:     map[string]string{"year": "year"},
				Cursor:  &rest.Cursor{Field: "at", Ask: rest.Since(httpclient.Query, "since", time.DateOnly)},
				Refused: func(res *httpclient.Response) bool { return res.Status == http.StatusUnprocessableEntity },
			}}
			return api
		},
	}.twice()
	// Output:
	// visits {"id":1,"at":"2024-03-01T10:00:00Z","year":"2023"}
	// visits {"id":1,"at":"2024-03-02T10:00:00Z","year":"2024"}
	// — the next sync
	// visits {"id":1,"at":"2024-03-02T10:00:00Z","year":"2024"}
	// warning: visits: the API does not take the filter by time of change; everything is read in each sync
}

// Apart makes the stream readable without the sets of Each that the account does not have, because each set uses a route of its own.
func ExampleStream_apart() {
	sample{
		answers: map[string]string{
			"/people?as=buyer":  `[{"id":1},{"id":2}]`,
			"/people?as=seller": `404 {"error":"no such list"}`,
		},
		columns: map[string]string{"people": `"id":{"type":"integer"}`},
		describe: func(api rest.API) rest.API {
			api.Absent = func(res *httpclient.Response) bool { return res.Status == http.StatusNotFound }
			api.Streams = []rest.Stream{{
				Name: "people", Path: "/people", Key: []string{"id"}, Optional: true, Each: rest.Sets("as", "buyer", "seller"), Apart: true,
			}}
			return api
		},
	}.full()
	// Output:
	// people {"id":1}
	// people {"id":2}
	// warning: people: this account does not have a part of what it is made from (as=seller); it is read without
}

// Repeats numbers the rows that have the rest of their key in common.
func ExampleStream_repeats() {
	sample{
		answers: map[string]string{"/entries": `[{"bill":7,"fee":"water"},{"bill":7,"fee":"water"},{"bill":8,"fee":"gas"}]`},
		columns: map[string]string{
			"entries": `"bill":{"type":"integer"},"fee":{"type":"string"},"place":{"type":"integer"}`,
		},
		describe: func(api rest.API) rest.API {
			api.Check = "entries"
			api.Streams = []rest.Stream{{
				Name: "entries", Path: "/entries", Key: []string{"bill", "fee", "place"}, Repeats: "place", Pages: pagination.Single{},
			}}
			return api
		},
	}.full()
	// Output:
	// entries {"bill":7,"fee":"water","place":0}
	// entries {"bill":7,"fee":"water","place":1}
	// entries {"bill":8,"fee":"gas","place":0}
}

// Windows divides a listing into ranges of days, for an API that wants a first and a last day: from Oldest to today, in steps of Months. Each range
// is a day longer at both ends.
func ExampleWindows() {
	sample{
		answers: map[string]string{"/visits": `[{"id":1,"at":"2024-03-01"}]`},
		columns: map[string]string{"visits": `"id":{"type":"integer"},"at":{"type":["null","string"],"format":"date-time"}`},
		describe: func(api rest.API) rest.API {
			first := true
			api.Check, api.Parallel = "visits", 1
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Key: []string{"id"}, Cursor: &rest.Cursor{Field: "at"},
				Windows: &rest.Windows{Oldest: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Months: 1200},
				Days: func(r httpclient.Request, from, _ time.Time) httpclient.Request {
					if first {
						fmt.Println("asked from", from.Format(time.DateOnly))
					}
					first = false
					return r
				},
			}}
			return api
		},
	}.full()
	// Output:
	// asked from 2023-12-31
	// visits {"id":1,"at":"2024-03-01T00:00:00Z"}
}

// First and Last extend the range to rows before Oldest and after today. Undated is for rows without a date.
func ExampleWindows_undated() {
	sample{
		answers: map[string]string{"/bills": `[{"id":1,"due":null}]`},
		columns: map[string]string{"bills": `"id":{"type":"integer"},"due":{"type":["null","string"],"format":"date-time"}`},
		describe: func(api rest.API) rest.API {
			api.Check, api.Parallel = "bills", 1
			api.Streams = []rest.Stream{{
				Name: "bills", Path: "/bills", Key: []string{"id"}, Cursor: &rest.Cursor{Field: "due"},
				Windows: &rest.Windows{
					Oldest: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Months: 1200, Undated: true,
					First: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), Last: time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC),
				},
				Days: func(r httpclient.Request, first, last time.Time) httpclient.Request {
					fmt.Println("asked from", first.Format(time.DateOnly), "until", last.Format(time.DateOnly))
					return r
				},
			}}
			return api
		},
	}.full()
	// Output:
	// asked from 1900-01-01 until 2099-12-31
	// bills {"id":1,"due":null}
}

// Alike is a warning for rows that share the parameters of their request, so that only one of them can be read.
func ExampleParent_alike() {
	sample{
		answers: map[string]string{
			"/leases":        `[{"house":7,"tenant":"Ana"},{"house":7,"tenant":"Rui"},{"house":8,"tenant":"Eva"}]`,
			"/lease?house=7": `{"house":7,"rent":900}`, "/lease?house=8": `{"house":8,"rent":700}`,
		},
		columns: map[string]string{"rents": `"house":{"type":"integer"},"rent":{"type":["null","integer"]}`},
		describe: func(api rest.API) rest.API {
			api.Check, api.Parallel = "rents", 1
			api.Streams = []rest.Stream{{Name: "leases", Path: "/leases", Key: []string{"house", "tenant"}, Unlisted: true}, {
				Name: "rents", Path: "/lease", Key: []string{"house"}, Parent: &rest.Parent{
					Of: "leases", Detail: true, Params: map[string]string{"house": "house"}, Alike: "the last lease of a house is read; houses that have several",
				},
			}}
			return api
		},
	}.full()
	// Output:
	// rents {"house":7,"rent":900}
	// rents {"house":8,"rent":700}
	// warning: rents: the last lease of a house is read; houses that have several: 1
}

// Nothing is for an API that says in a sentence that there are no rows.
func ExampleStream_nothing() {
	sample{
		answers: map[string]string{
			"/houses": `[{"id":7},{"id":8}]`, "/houses/7/keys": `[{"key":1}]`, "/houses/8/keys": `404 {"message":"this house has no keys"}`,
		},
		columns: map[string]string{"keys": `"id":{"type":"integer"},"key":{"type":"integer"}`},
		describe: func(api rest.API) rest.API {
			api.Check = "keys"
			api.Streams = []rest.Stream{{Name: "houses", Path: "/houses", Key: []string{"id"}, Unlisted: true}, {
				Name: "keys", Path: "/houses/{id}/keys", Key: []string{"id", "key"},
				Parent: &rest.Parent{Of: "houses", In: httpclient.Path, Params: map[string]string{"id": "id"}, Put: rest.Same("id")},
				Nothing: func(r *httpclient.Response) bool {
					return strings.HasSuffix(r.Body.Get("message").Text(), "has no keys")
				},
			}}
			return api
		},
	}.full()
	// Output:
	// keys {"key":1,"id":7}
}

// Value is the member that receives plain values in a list. Derive makes members that no edit of Shape can make.
func ExampleStream_value() {
	sample{
		answers: map[string]string{"/kinds": `["sale","rent"]`},
		columns: map[string]string{"kinds": `"name":{"type":"string"},"letters":{"type":["null","integer"]}`},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{{
				Name: "kinds", Path: "/kinds", Value: "name", Key: []string{"name"},
				Derive: func(get func(string) record.Value) []record.Member {
					return []record.Member{{Name: "letters", Value: fmt.Append(nil, len(get("name").Text()))}}
				},
			}}
			return api
		},
	}.full()
	// Output:
	// kinds {"name":"sale","letters":4}
	// kinds {"name":"rent","letters":4}
}

// An Unlisted stream only exists for others to be made from. Numbers sends whole numbers in a body as numbers. Absent, of an Optional stream,
// recognises that an account does not have this stream.
func ExampleStream_unlisted() {
	sample{
		answers: map[string]string{
			"/clients":            `[{"id":1}]`,
			`/bills {"client":1}`: `[{"id":11}]`,
			"/keys":               `403 {"code":"keys are not in your plan"}`,
		},
		columns: map[string]string{"bills": `"id":{"type":"integer"}`, "keys": `"id":{"type":"integer"}`},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{
				{Name: "clients", Path: "/clients", Key: []string{"id"}, Unlisted: true},
				{
					Name: "bills", Method: http.MethodPost, Path: "/bills", Key: []string{"id"},
					Parent: &rest.Parent{Of: "clients", In: httpclient.Body, Params: map[string]string{"client": "id"}, Numbers: true},
				},
				{
					Name: "keys", Path: "/keys", Key: []string{"id"}, Optional: true,
					Absent: func(res *httpclient.Response) bool {
						return res.Status == http.StatusForbidden && res.Body.Get("code").Text() == "keys are not in your plan"
					},
				},
			}
			return api
		},
	}.full()
	// Output:
	// bills {"id":11}
	// warning: keys: this account does not have it; it is read as empty
}

// Without is the columns that the configuration leaves out. Choice identifies what it chose: if the choice changes, the next sync reads all rows
// again.
func ExampleStream_choice() {
	sample{
		answers: map[string]string{"/visits?fields=id": `[{"id":1,"name":"Ana"}]`},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Query: map[string][]string{"fields": {"id"}}, Key: []string{"id"},
				Without: []string{"name", "at"}, Choice: "id", Pages: pagination.Single{},
			}}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1}
}

// An Array may lie Within the elements of another array.
func ExampleExplode_within() {
	sample{
		answers: map[string]string{"/visits": `[{"id":1,"rooms":[{"name":"kitchen","photos":[{"url":"a"},{"url":"b"}]},{"name":"bath","photos":[{"url":"c"}]}]}]`},
		columns: map[string]string{
			"visits": `"id":{"type":"integer"},"rooms":{"type":["null","array"]}`,
			"photos": `"visit":{"type":"integer"},"room":{"type":"string"},"url":{"type":"string"}`,
		},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{
				{Name: "visits", Path: "/visits", Key: []string{"id"}},
				{
					Name: "photos", Key: []string{"visit", "url"},
					Explode: &rest.Explode{Of: "visits", Within: "rooms", Array: "photos", Put: map[string]string{"room": "name", "visit": "id"}},
				},
			}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1,"rooms":[{"name":"kitchen","photos":[{"url":"a"},{"url":"b"}]},{"name":"bath","photos":[{"url":"c"}]}]}
	// photos {"url":"a","room":"kitchen","visit":1}
	// photos {"url":"b","room":"kitchen","visit":1}
	// photos {"url":"c","room":"bath","visit":1}
}

// A way may have a Method of its own.
func ExampleWay_method() {
	sample{
		answers: map[string]string{`/search {"kind":"sale"}`: `405 {}`, "/search?kind=sale": `[{"id":1}]`},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{{
				Name: "visits", Method: http.MethodPost, Path: "/search", Body: map[string]any{"kind": "sale"}, Key: []string{"id"},
				Refused: func(res *httpclient.Response) bool { return res.Status == http.StatusMethodNotAllowed },
				Ways:    []rest.Way{{Pages: pagination.Single{}}, {Pages: pagination.Single{}, Method: http.MethodGet}},
			}}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1}
}
