package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing/fstest"
	"time"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// sample is an API with fixed answers, and a connector for it. The examples print what the connector makes of it.
type sample struct {
	// answers maps a request to its answer. A request is its path, a ? and the query, and a space and the body. An answer that begins with three digits
	// has that status. Any other request is not found.
	answers map[string]string
	// columns are the properties of the streams' schemas, as JSON. A stream without columns has a key, a name and a time.
	columns  map[string]string
	describe func(rest.API) rest.API
	requests bool // print the requests, sorted
}

// full prints a full read of all streams.
func (s sample) full() { s.read(nil, protocol.FullRefresh) }

// twice prints two incremental reads of all streams. The second resumes from the states of the first.
func (s sample) twice() {
	state := s.read(nil, protocol.Incremental)
	fmt.Println("— the next sync")
	s.read(state, protocol.Incremental)
}

// read prints a read with its streams in order: the records, and the messages. It returns the states.
func (s sample) read(state []byte, mode protocol.SyncMode) []byte {
	asked, server := s.serve()
	defer server.Close()
	source, names := s.source(server.URL)
	catalog := &protocol.ConfiguredCatalog{}
	for _, name := range names {
		c := protocol.ConfiguredStream{SyncMode: mode}
		c.Stream.Name = name
		catalog.Streams = append(catalog.Streams, c)
	}
	var written bytes.Buffer
	out := protocol.NewEmitter(&written)
	out.Configure(catalog)
	ctx := protocol.WithLogger(context.Background(), slog.New(protocol.NewLogHandler(out, slog.LevelWarn)))
	err := source.Read(ctx, []byte(`{}`), catalog, state, out)
	if err := out.Close(); err != nil {
		panic(err)
	}
	if s.requests {
		for _, request := range slices.Sorted(maps.Keys(asked())) {
			fmt.Println("asked", request)
		}
	}
	states := tell(written.Bytes(), names)
	if err != nil {
		fmt.Println("error:", strings.ReplaceAll(err.Error(), server.URL, "https://api.example.com"))
	}
	return states
}

// serve starts the API. asked returns the requests so far.
func (s sample) serve() (asked func() map[string]bool, server *httptest.Server) {
	var mu sync.Mutex
	all := map[string]bool{}
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		request := strings.TrimSpace(r.URL.RequestURI() + " " + string(body))
		mu.Lock()
		all[request] = true
		mu.Unlock()
		answer, known := s.answers[request]
		if !known {
			answer = `404 {"message":"there is nothing here"}`
		}
		if status, body, found := strings.Cut(answer, " "); found {
			if code, err := strconv.Atoi(status); err == nil {
				w.WriteHeader(code)
				answer = body
			}
		}
		_, _ = io.WriteString(w, answer)
	}))
	return func() map[string]bool {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(all)
	}, server
}

// source returns the connector and the names of its streams.
func (s sample) source(address string) (source *rest.Source, names []string) {
	files := fstest.MapFS{"spec.json": {Data: []byte(
		`{"documentationUrl":"https://example.com","connectionSpecification":{"type":"object","properties":{}}}`)}}
	described := s.describe(rest.API{})
	for _, stream := range described.Streams {
		if stream.Unlisted {
			continue
		}
		columns := s.columns[stream.Name]
		if columns == "" {
			columns = `"id":{"type":"integer"},"name":{"type":["null","string"]},"at":{"type":["null","string"],"format":"date-time"}`
		}
		files["streams/"+stream.Name+".json"] = &fstest.MapFile{Data: []byte(`{"properties":{` + columns + `}}`)}
		names = append(names, stream.Name)
	}
	return rest.New(files, func(struct{}) rest.API {
		var api rest.API
		api.BaseURL = address
		return s.describe(api)
	}), names
}

// tell prints the output of a read with its streams in order, and returns the states.
func tell(written []byte, names []string) []byte {
	lines := map[string][]string{}
	states := map[string]json.RawMessage{}
	for line := range bytes.Lines(written) {
		var m struct {
			Type   string
			Record struct {
				Stream string
				Data   json.RawMessage
			}
			State struct {
				Stream struct {
					Descriptor struct{ Name string } `json:"stream_descriptor"`
				}
			}
			Log struct{ Message string }
		}
		if err := json.Unmarshal(line, &m); err != nil {
			panic(err)
		}
		switch m.Type {
		case "RECORD":
			lines[m.Record.Stream] = append(lines[m.Record.Stream], m.Record.Stream+" "+string(m.Record.Data))
		case "LOG":
			lines[""] = append(lines[""], "warning: "+m.Log.Message)
		case "STATE":
			var whole struct{ State json.RawMessage }
			if err := json.Unmarshal(line, &whole); err != nil {
				panic(err)
			}
			states[m.State.Stream.Descriptor.Name] = whole.State
		}
	}
	for _, name := range append(names, "") {
		for _, line := range lines[name] {
			fmt.Println(line)
		}
	}
	all, err := json.Marshal(slices.Collect(maps.Values(states)))
	if err != nil {
		panic(err)
	}
	return all
}

// An API says where it is and what its listings have in common. A stream adds its own settings. Check is the stream whose first page shows that a
// configuration works. Parallel is the number of requests in flight.
func Example() {
	sample{
		requests: true,
		answers: map[string]string{
			"/visits?page=1&size=2": `{"rows":[{"id":1,"name":"Ana"},{"id":2,"name":"Rui"}],"total":3}`,
			"/visits?page=2&size=2": `{"rows":[{"id":3,"name":"Eva"}],"total":3}`,
		},
		describe: func(api rest.API) rest.API {
			api.Records = "rows"
			api.Pages = pagination.Number{Param: "page", Start: 1, SizeParam: "size", Size: 2, Rows: "total"}
			api.Check = "visits"
			api.Parallel = 4
			api.Streams = []rest.Stream{{Name: "visits", Path: "/visits", Key: []string{"id"}}}
			return api
		},
	}.full()
	// Output:
	// asked /visits?page=1&size=2
	// asked /visits?page=2&size=2
	// visits {"id":1,"name":"Ana"}
	// visits {"id":2,"name":"Rui"}
	// visits {"id":3,"name":"Eva"}
}

// Options configure the transport: the address of the API (BaseURL, and Setting, its name in the form), the credentials (Auth), the quota (Limit),
// headers of every request, the maximum length of an answer (MaxBody), and how long a request may take with its retries, in general (MaxElapsed) and
// while its host is silent (Silence).
func ExampleAPI_options() {
	sample{
		answers: map[string]string{"/visits": `[{"id":1,"name":"Ana"}]`},
		describe: func(api rest.API) rest.API {
			api.Options = httpclient.Options{
				BaseURL:    api.BaseURL,
				Setting:    "org_url",
				Auth:       auth.Bearer("a-token"),
				Limit:      ratelimit.Every(time.Minute, 60),
				Header:     http.Header{"Accept-Language": {"pt-BR"}},
				MaxBody:    16 << 20,
				MaxElapsed: time.Minute,
				Silence:    20 * time.Second,
			}
			api.Streams = []rest.Stream{{Name: "visits", Path: "/visits", Key: []string{"id"}}}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1,"name":"Ana"}
}

// PlainHTTP is for an API whose vendor has no HTTPS. Careful sends one request at a time until the first good answer, for an API that answers alike
// to too many requests and to a wrong key.
func ExampleAPI_plain() {
	sample{
		answers: map[string]string{"/visits": `[{"id":1,"name":"Ana"}]`},
		describe: func(api rest.API) rest.API {
			api.PlainHTTP, api.Careful = true, true
			api.Streams = []rest.Stream{{Name: "visits", Path: "/visits", Key: []string{"id"}}}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1,"name":"Ana"}
}

// A Judge says what answers mean if their status does not: here a 200 that is a failure.
func ExampleAPI_judge() {
	sample{
		answers: map[string]string{"/visits": `{"ok":false,"why":"The account is closed"}`},
		describe: func(api rest.API) rest.API {
			api.Judge = func(res *httpclient.Response) httpclient.Verdict {
				if ok, said := res.Body.Get("ok").Bool(); !said || ok {
					return httpclient.Verdict{}
				}
				return httpclient.Fail(fault.Configf("The API refused the request: %s.", res.Excerpt(res.Body.Get("why").Text())))
			}
			api.Streams = []rest.Stream{{Name: "visits", Path: "/visits", Records: "rows", Key: []string{"id"}}}
			return api
		},
	}.full()
	// Output:
	// error: The API refused the request: The account is closed.
}

// Not every account has an Optional stream. It is empty if Absent finds that the API does not know it, and the API knows another one.
func ExampleAPI_absent() {
	sample{
		answers: map[string]string{"/visits": `[{"id":1,"name":"Ana"}]`, "/keys": `400 {"code":"no such module"}`},
		describe: func(api rest.API) rest.API {
			api.Absent = func(res *httpclient.Response) bool {
				return res.Status == http.StatusBadRequest && res.Body.Get("code").Text() == "no such module"
			}
			api.Streams = []rest.Stream{
				{Name: "visits", Path: "/visits", Key: []string{"id"}},
				{Name: "keys", Path: "/keys", Key: []string{"id"}, Optional: true},
			}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1,"name":"Ana"}
	// warning: keys: this account does not have it; it is read as empty
}

// A page that is TooLarge is asked for again in smaller pages, of the size that the answer names, or half as large.
func ExampleAPI_tooLarge() {
	sample{
		requests: true,
		answers: map[string]string{
			"/visits?page=1&size=9": `400 {"error":"at most 2 rows"}`,
			"/visits?page=1&size=2": `{"rows":[{"id":1},{"id":2}],"total":3}`,
			"/visits?page=2&size=2": `{"rows":[{"id":3}],"total":3}`,
		},
		describe: func(api rest.API) rest.API {
			api.TooLarge = func(res *httpclient.Response) (most int, tooLarge bool) {
				n, err := fmt.Sscanf(res.Body.Get("error").Text(), "at most %d rows", &most)
				return most, n == 1 && err == nil
			}
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Records: "rows", Key: []string{"id"},
				Pages: pagination.Number{Param: "page", Start: 1, SizeParam: "size", Size: 9, Rows: "total"},
			}}
			return api
		},
	}.full()
	// Output:
	// asked /visits?page=1&size=2
	// asked /visits?page=1&size=9
	// asked /visits?page=2&size=2
	// visits {"id":1}
	// visits {"id":2}
	// visits {"id":3}
}

// Notice is what the user should know about an answer. Warn is what the user should know about the configuration.
func ExampleAPI_notice() {
	sample{
		answers: map[string]string{"/visits": `{"rows":[{"id":1}],"left":3}`},
		describe: func(api rest.API) rest.API {
			api.Warn = []string{"A start date has no effect on visits."}
			api.Notice = func(res *httpclient.Response) string {
				if left, ok := res.Body.Get("left").Int(); ok && left < 10 {
					return "The day's quota is nearly used up"
				}
				return ""
			}
			api.Streams = []rest.Stream{{Name: "visits", Path: "/visits", Records: "rows", Key: []string{"id"}}}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1}
	// warning: A start date has no effect on visits.
	// warning: The day's quota is nearly used up
}

// Refuse is the reason why a configuration cannot work, if that is known without a request.
func ExampleAPI_refuse() {
	sample{
		describe: func(api rest.API) rest.API {
			api.Refuse = fault.Configf("email and password belong together: fill in both, or neither.")
			api.Streams = []rest.Stream{{Name: "visits", Path: "/visits", Key: []string{"id"}}}
			return api
		},
	}.full()
	// Output:
	// error: email and password belong together: fill in both, or neither.
}

// A listing may have its own Method, Query or Body. Needs says what must be configured before the stream can be read.
func ExampleStream_request() {
	sample{
		answers: map[string]string{
			"/visits?kind=all":                   `[{"id":1}]`,
			`/search {"kind":"sale","limit":50}`: `[{"id":2}]`,
		},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{
				{Name: "visits", Path: "/visits", Query: url.Values{"kind": {"all"}}, Key: []string{"id"}},
				{Name: "sales", Method: http.MethodPost, Path: "/search", Body: map[string]any{"kind": "sale", "limit": 50}, Key: []string{"id"}},
				{Name: "keys", Path: "/keys", Key: []string{"id"}, Needs: "keys needs the login of a user: fill in email and password."},
			}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1}
	// sales {"id":2}
	// error: keys needs the login of a user: fill in email and password.
}

// Each reads a listing once for each set of parameters. Maybe is for sets that the API need not know: one that is Refused is read as empty if the API
// answers another.
func ExampleStream_each() {
	sample{
		answers: map[string]string{
			"/visits?status=open":   `[{"id":1}]`,
			"/visits?status=closed": `[{"id":2}]`,
			"/visits?status=other":  `422 {"error":"there is no such status"}`,
		},
		describe: func(api rest.API) rest.API {
			api.Check = "visits"
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Key: []string{"id"},
				Each: []map[string]any{{"status": "open"}, {"status": "closed"}}, Maybe: []map[string]any{{"status": "other"}},
				Refused: func(res *httpclient.Response) bool { return res.Status == http.StatusUnprocessableEntity },
			}}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1}
	// visits {"id":2}
}

// If it is unknown how a listing can be read, Ways are tried in order. Body is what a way adds to the request. Warn is the warning if a way is taken
// because earlier ones were refused, and Beyond is the message if it does not reach all rows.
func ExampleWay() {
	sample{
		answers: map[string]string{
			`/search {"order":"id"}`: `400 {"error":"order is not known"}`,
			`/search {}`:             `{"rows":[{"id":1},{"id":2}]}`,
		},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{{
				Name: "visits", Method: http.MethodPost, Path: "/search", Body: map[string]any{}, Records: "rows", Key: []string{"id"},
				Refused: func(res *httpclient.Response) bool { return res.Status == http.StatusBadRequest },
				Ways: []rest.Way{
					{Pages: pagination.Single{}, Body: map[string]any{"order": "id"}},
					{Pages: pagination.Single{}, Warn: "the API does not sort; rows come as they lie", Beyond: "Read the rest with filters."},
				},
			}}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1}
	// visits {"id":2}
	// warning: visits: the API does not sort; rows come as they lie
}

// Shape is what a row needs besides the types of its columns: here one member is flattened, and another is dropped.
func ExampleStream_shape() {
	sample{
		answers: map[string]string{"/visits": `[{"id":1,"Client":{"name":"Ana","secret":"x"}}]`},
		columns: map[string]string{"visits": `"id":{"type":"integer"},"client_name":{"type":["null","string"]}`},
		describe: func(api rest.API) rest.API {
			api.Streams = []rest.Stream{{
				Name: "visits", Path: "/visits", Key: []string{"id"},
				Shape: []record.Edit{record.LowerKeys{}, record.Flatten{}, record.Drop{Field: "client_secret"}},
			}}
			return api
		},
	}.full()
	// Output:
	// visits {"id":1,"client_name":"Ana"}
}
