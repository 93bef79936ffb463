package rest_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// A Cursor names the Field with the time of change, and the Zone of times without one. Ask asks the API for changes. Here the API ignores that, and
// rows that did not change are still left out. Rows that changed within 15 minutes before the mark come again.
func ExampleCursor() {
	sample{
		answers: map[string]string{
			"/visits":                  `[{"id":1,"at":"2024-03-01 10:00"},{"id":2,"at":"2024-03-01 11:00"}]`,
			"/visits?since=2024-03-01": `[{"id":1,"at":"2024-03-01 10:00"},{"id":2,"at":"2024-03-01 11:00"},{"id":3,"at":"2024-03-02 08:00"}]`,
		},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Key: []string{"id"},
				Cursor: &rest.Cursor{
					Field: "at", Zone: time.FixedZone("Brasília", -3*60*60), Ask: rest.Since(httpclient.Query, "since", time.DateOnly),
				},
			}}
			return api
		},
	}.twice()
	// Output:
	// visits {"id":1,"at":"2024-03-01T13:00:00Z"}
	// visits {"id":2,"at":"2024-03-01T14:00:00Z"}
	// — the next sync
	// visits {"id":2,"at":"2024-03-01T14:00:00Z"}
	// visits {"id":3,"at":"2024-03-02T11:00:00Z"}
}

// The API's Zone applies to times in rows without a Cursor. Layouts are formats that are not recognised automatically. As is the name of the time in
// records, if it differs from Field.
func ExampleCursor_as() {
	sample{
		answers: map[string]string{"/visits": `[{"id":1,"meta":{"changed":"01|03|2024"}}]`},
		columns: map[string]string{
			"visits": `"id":{"type":"integer"},"meta_changed":{"type":["null","string"],"format":"date-time"}`,
		},
		describe: func(api rest.API) rest.API {
			api.Zone = time.FixedZone("Brasília", -3*60*60)
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Key: []string{"id"}, Shape: []record.Edit{record.Flatten{}},
				Cursor: &rest.Cursor{Field: "meta.changed", As: "meta_changed", Layouts: []string{"02|01|2006"}, Zone: api.Zone},
			}}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1,"meta_changed":"2024-03-01T03:00:00Z"}
}

// Rows before Start are not sent in either mode. Lookback makes the request start earlier, for an API that filters by days of another zone. Margin is
// how much older than the mark a row may be to come again.
func ExampleCursor_start() {
	sample{
		requests: true,
		answers: map[string]string{
			"/visits?since=2024-02-28": `[{"id":1,"at":"2024-02-29T10:00:00Z"},{"id":2,"at":"2024-03-01T10:00:00Z"},{"id":3,"at":"2024-03-01T12:00:00Z"}]`,
		},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Key: []string{"id"},
				Cursor: &rest.Cursor{
					Field: "at", Start: "2024-03-01", Lookback: 48 * time.Hour, Margin: 3 * time.Hour,
					Ask: rest.Since(httpclient.Query, "since", time.DateOnly),
				},
			}}
			return api
		},
	}.twice()
	// Output:
	// asked /visits?since=2024-02-28
	// visits {"id":2,"at":"2024-03-01T10:00:00Z"}
	// visits {"id":3,"at":"2024-03-01T12:00:00Z"}
	// — the next sync
	// asked /visits?since=2024-02-28
	// visits {"id":2,"at":"2024-03-01T10:00:00Z"}
	// visits {"id":3,"at":"2024-03-01T12:00:00Z"}
}

// Snapshot is for rows that may become visible with an old time of change: after the changes, everything is read, to find new rows.
func ExampleCursor_snapshot() {
	sample{
		requests: true,
		answers: map[string]string{
			"/visits":                  `[{"id":1,"at":"2024-03-01 10:00"},{"id":2,"at":"2024-03-03 11:00"}]`,
			"/visits?since=2024-03-03": `[{"id":2,"at":"2024-03-03 11:00"}]`,
		},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Key: []string{"id"},
				Cursor: &rest.Cursor{Field: "at", Snapshot: true, Ask: rest.Since(httpclient.Query, "since", time.DateOnly)},
			}}
			return api
		},
	}.twice()
	// Output:
	// asked /visits
	// visits {"id":1,"at":"2024-03-01T10:00:00Z"}
	// visits {"id":2,"at":"2024-03-03T11:00:00Z"}
	// — the next sync
	// asked /visits
	// asked /visits?since=2024-03-03
	// visits {"id":2,"at":"2024-03-03T11:00:00Z"}
}

// A row without a value at Open may still change without its time moving, and comes in every sync.
func ExampleCursor_open() {
	sample{
		answers: map[string]string{"/visits": `[{"id":1,"at":"2024-03-01T10:00:00Z","end":null},{"id":2,"at":"2024-03-03T10:00:00Z","end":"x"}]`},
		columns: map[string]string{
			"visits": `"id":{"type":"integer"},"at":{"type":["null","string"],"format":"date-time"},"end":{"type":["null","string"]}`,
		},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Key: []string{"id"}, Cursor: &rest.Cursor{Field: "at", Open: "end"},
			}}
			return api
		},
	}.twice()
	// Output:
	// visits {"id":1,"at":"2024-03-01T10:00:00Z","end":null}
	// visits {"id":2,"at":"2024-03-03T10:00:00Z","end":"x"}
	// — the next sync
	// visits {"id":1,"at":"2024-03-01T10:00:00Z","end":null}
	// visits {"id":2,"at":"2024-03-03T10:00:00Z","end":"x"}
}

// Hidden is for an API that filters by a time which its rows do not show. The mark is then the start of the read.
func ExampleCursor_hidden() {
	sample{
		answers: map[string]string{"/visits": `[{"id":1}]`},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Key: []string{"id"},
				Cursor: &rest.Cursor{Field: "at", Hidden: true, Ask: func(r httpclient.Request, from, _ time.Time) httpclient.Request {
					if time.Since(from) < time.Hour {
						fmt.Println("asked for what changed since the read before")
					}
					return r
				}},
			}}
			return api
		},
	}.twice()
	// Output:
	// visits {"id":1}
	// — the next sync
	// asked for what changed since the read before
	// visits {"id":1}
}

// Other is for an API that filters by a time which its rows do not show, while they show another one. All rows that the API says have changed are
// sent, however old.
func ExampleCursor_other() {
	sample{
		answers: map[string]string{
			"/visits":                  `[{"id":1,"met":"2024-03-01T10:00:00Z"},{"id":2,"met":"2024-03-03T10:00:00Z"}]`,
			"/visits?since=2024-03-03": `[{"id":1,"met":"2024-03-01T10:00:00Z","closed":true},{"id":2,"met":"2024-03-03T10:00:00Z"}]`,
		},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Key: []string{"id"},
				Cursor: &rest.Cursor{Field: "met", Other: true, Ask: rest.Since(httpclient.Query, "since", time.DateOnly)},
			}}
			return api
		},
	}.twice()
	// Output:
	// visits {"id":1,"met":"2024-03-01T10:00:00Z"}
	// visits {"id":2,"met":"2024-03-03T10:00:00Z"}
	// — the next sync
	// visits {"id":1,"met":"2024-03-01T10:00:00Z","closed":true}
	// visits {"id":2,"met":"2024-03-03T10:00:00Z"}
}

// Removed lists removed rows. That listing is read completely in every sync, and a row in it is sent once, when it is new there.
func ExampleStream_removed() {
	sample{
		answers: map[string]string{
			"/visits?removed=no":  `[{"id":1,"at":"2024-03-03T10:00:00Z"}]`,
			"/visits?removed=yes": `[{"id":2,"at":"2024-03-01T10:00:00Z"}]`,
		},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Query: url.Values{"removed": {"no"}}, Key: []string{"id"},
				Cursor:  &rest.Cursor{Field: "at"},
				Removed: url.Values{"removed": {"yes"}},
			}}
			return api
		},
	}.twice()
	// Output:
	// visits {"id":1,"at":"2024-03-03T10:00:00Z"}
	// visits {"id":2,"at":"2024-03-01T10:00:00Z"}
	// — the next sync
	// visits {"id":1,"at":"2024-03-03T10:00:00Z"}
}

// A stream with a Parent is read with requests for each row of another stream. Params go In the path, the query or the body. Put adds members of the
// parent's row. Where names a flag without which a row is not asked for. With Missing, a row that is not found is skipped.
func ExampleParent() {
	sample{
		answers: map[string]string{
			"/clients":          `[{"id":1,"tenant":true},{"id":2,"tenant":false},{"id":3,"tenant":true}]`,
			"/clients/1/leases": `[{"id":11}]`,
		},
		columns: map[string]string{
			"clients": `"id":{"type":"integer"},"tenant":{"type":["null","boolean"]}`,
			"leases":  `"client":{"type":"integer"},"id":{"type":"integer"}`,
		},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{
				{Name: "clients", Path: "/clients", Key: []string{"id"}},
				{
					Name: "leases", Path: "/clients/{client}/leases", Key: []string{"client", "id"},
					Parent: &rest.Parent{
						Of: "clients", In: httpclient.Path, Params: map[string]string{"client": "id"}, Put: map[string]string{"client": "id"},
						Where: "tenant", Missing: true,
					},
				},
			}
			return api
		},
	}.full()
	// Output:
	// clients {"id":1,"tenant":true}
	// clients {"id":2,"tenant":false}
	// clients {"id":3,"tenant":true}
	// leases {"id":11,"client":1}
	// warning: leases: 1 rows of clients were not there when they were asked for, and were skipped
}

// Detail says that the answer is the parent's row itself. Follows says that it changes when the parent's row does, so that a later sync only asks for
// rows that changed, and for those that Always selects.
func ExampleParent_follows() {
	sample{
		requests: true,
		answers: map[string]string{
			"/visits":   `[{"id":1,"at":"2024-03-01T10:00:00Z"},{"id":2,"at":"2024-03-02T10:00:00Z","open":true},{"id":3,"at":"2024-03-03T10:00:00Z"}]`,
			"/visits/1": `{"id":1,"name":"Ana"}`, "/visits/2": `{"id":2,"name":"Rui"}`, "/visits/3": `{"id":3,"name":"Eva"}`,
		},
		describe: func(api rest.API) rest.API {
			changed := &rest.Cursor{Field: "at"}
			api.Parallel = 1
			api.Streams = []rest.Stream{
				{Name: "visits", Path: "/visits", Key: []string{"id"}, Cursor: changed},
				{
					Name: "details", Path: "/visits/{id}", Key: []string{"id"}, Cursor: changed,
					Parent: &rest.Parent{
						Of: "visits", In: httpclient.Path, Params: map[string]string{"id": "id"}, Detail: true, Follows: true,
						Always: func(visit record.Record) bool { return visit.Get("open").True() },
					},
				},
			}
			return api
		},
	}.twice()
	// Output:
	// asked /visits
	// asked /visits/1
	// asked /visits/2
	// asked /visits/3
	// visits {"id":1,"at":"2024-03-01T10:00:00Z"}
	// visits {"id":2,"at":"2024-03-02T10:00:00Z","open":true}
	// visits {"id":3,"at":"2024-03-03T10:00:00Z"}
	// details {"id":1,"name":"Ana"}
	// details {"id":2,"name":"Rui"}
	// details {"id":3,"name":"Eva"}
	// — the next sync
	// asked /visits
	// asked /visits/2
	// asked /visits/3
	// visits {"id":3,"at":"2024-03-03T10:00:00Z"}
	// details {"id":2,"name":"Rui"}
	// details {"id":3,"name":"Eva"}
}

// An Explode is an Array in the rows of another stream. Put adds members of these rows, and Position is the index in the array.
func ExampleExplode() {
	sample{
		answers: map[string]string{"/visits": `[{"id":1,"guests":[{"name":"Ana"},{"name":"Rui"}]}]`},
		columns: map[string]string{
			"visits": `"id":{"type":"integer"},"guests":{"type":["null","array"]}`,
			"guests": `"visit":{"type":"integer"},"place":{"type":"integer"},"name":{"type":["null","string"]}`,
		},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{
				{Name: "visits", Path: "/visits", Key: []string{"id"}},
				{
					Name: "guests", Key: []string{"visit", "place"},
					Explode: &rest.Explode{Of: "visits", Array: "guests", Put: map[string]string{"visit": "id"}, Position: "place"},
				},
			}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1,"guests":[{"name":"Ana"},{"name":"Rui"}]}
	// guests {"name":"Ana","visit":1,"place":0}
	// guests {"name":"Rui","visit":1,"place":1}
}

// A list inside a row may be partial. Member is the object that holds it, with its Rows, whether it is complete (Done), where the rest is (Next) and
// how many there are (Total). Elements that name their row (Of) must match the row's Key. Same compares two forms of a key.
func ExamplePartial() {
	sample{
		answers: map[string]string{
			"/visits":        `[{"id":1,"guests":{"list":[{"n":1,"visit":"1"},{"n":2,"visit":"1"}],"done":false,"next":"/guests?from=3","total":3}}]`,
			"/guests?from=3": `{"list":[{"n":3,"visit":"01"}],"done":true,"total":3}`,
		},
		columns: map[string]string{"visits": `"id":{"type":"integer"},"guests":{"type":["null","object"]}`},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Key: []string{"id"},
				Partial: &rest.Partial{
					Member: "guests", Rows: "list", Done: "done", Next: "next", Total: "total",
					Of: "visit", Same: func(id string) string { return strings.TrimLeft(id, "0") },
				},
			}}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1,"guests":{"list":[{"n":1,"visit":"1"},{"n":2,"visit":"1"},{"n":3,"visit":"01"}],"done":true,"total":3}}
}

// Every field of a description must be in one of the examples of this package.
func TestEveryFieldHasAnExample(t *testing.T) {
	files, err := filepath.Glob("example*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool { return note(shown, n) })
	}
	engine := map[string]bool{"Dial": true, "Redact": true, "Log": true, "Silence": true, "Options": true} // not set by connectors, or embedded
	for of, value := range map[string]any{
		"API": rest.API{}, "Options": httpclient.Options{}, "Stream": rest.Stream{}, "Cursor": rest.Cursor{},
		"Parent": rest.Parent{}, "Explode": rest.Explode{}, "Way": rest.Way{}, "Partial": rest.Partial{}, "Windows": rest.Windows{},
	} {
		for f := range reflect.TypeOf(value).Fields() {
			if !shown[of+"."+f.Name] && !engine[f.Name] && (!shown["api."+f.Name] || of != "API" && of != "Options") {
				t.Errorf("no example has the field %s of %T", f.Name, value)
			}
		}
	}
}

// note notes the fields that a piece of code sets: Type.Field in a literal, and api.Field in an assignment to a field of an API.
func note(shown map[string]bool, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CompositeLit:
		of := n.Type
		if list, ok := of.(*ast.ArrayType); ok { // elements may omit their type
			for _, e := range n.Elts {
				if element, ok := e.(*ast.CompositeLit); ok && element.Type == nil {
					element.Type = list.Elt
				}
			}
		}
		named, ok := of.(*ast.SelectorExpr)
		for _, e := range n.Elts {
			if pair, is := e.(*ast.KeyValueExpr); is && ok {
				shown[named.Sel.Name+"."+fmt.Sprint(pair.Key)] = true
			}
		}
	case *ast.AssignStmt:
		for _, target := range n.Lhs {
			if field, ok := target.(*ast.SelectorExpr); ok {
				shown["api."+field.Sel.Name] = true
			}
		}
	}
	return true
}
