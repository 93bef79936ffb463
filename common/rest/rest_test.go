package rest_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/imob-data/airbyte-connectors/common/internal/memnet"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// api is a server that answers from a function and records its requests. It has no sockets, so that it works in a synctest bubble.
type api struct {
	*httptest.Server
	network *memnet.Network
	mu      sync.Mutex
	asked   []string
}

// serve starts an api. answer returns a status and a body.
func serve(t *testing.T, answer func(r *http.Request) (int, string)) *api {
	t.Helper()
	a := &api{network: memnet.New()}
	a.Server = &httptest.Server{Listener: a.network, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.asked = append(a.asked, strings.TrimSuffix(r.URL.Path+"?"+r.URL.RawQuery, "?"))
		a.mu.Unlock()
		status, body := answer(r)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})}}
	a.Start()
	t.Cleanup(a.Close)
	return a
}

func (a *api) requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked)
}

// source returns a source of the API at a.
func (a *api) source(describe func(rest.API) rest.API) *rest.Source { return a.sourceOf(nil, describe) }

// sourceOf returns a source of the API at a. schemas are the schemas of some of its streams.
func (a *api) sourceOf(schemas map[string]string, describe func(rest.API) rest.API) *rest.Source {
	files := fstest.MapFS{"spec.json": {Data: []byte(
		`{"documentationUrl":"https://example.com","connectionSpecification":{"type":"object","properties":{}}}`)}}
	for _, s := range describe(rest.API{}).Streams {
		files["streams/"+s.Name+".json"] = &fstest.MapFile{Data: schema(s)}
	}
	for name, schema := range schemas {
		files["streams/"+name+".json"] = &fstest.MapFile{Data: []byte(schema)}
	}
	return rest.New(files, func(struct{}) rest.API {
		d := rest.API{}
		d.BaseURL, d.Dial = a.URL, a.network.Dial
		return describe(d)
	})
}

// outcome is what a read wrote. A stream in a namespace is called "namespace.name".
type outcome struct {
	err      error
	records  map[string][]string // compact JSON by stream, in order
	metas    map[string][]string // the meta of each record, or ""
	states   map[string][]string
	statuses map[string][]string
	counts   map[string]float64 // of the states
	warnings []string
	failures []string
	lines    []string // "RECORD properties", "STATE properties", … in order
}

// schema returns the schema of a stream with a typed time of change, whose other fields stay as they come.
func schema(s rest.Stream) []byte {
	if s.Cursor != nil {
		return fmt.Appendf(nil, `{"properties":{"id":{},%q:{"type":["null","string"],"format":"date-time"}}}`, cmp.Or(s.Cursor.As, s.Cursor.Field))
	}
	return []byte(`{"properties":{"id":{}}}`)
}

// read reads streams, each given as "name" for full refresh or "name+" for incremental, from the state left by earlier.
func read(ctx context.Context, t *testing.T, source *rest.Source, from *outcome, streams ...string) *outcome {
	t.Helper()
	cat := &protocol.ConfiguredCatalog{}
	for _, s := range streams {
		c := protocol.ConfiguredStream{SyncMode: protocol.FullRefresh}
		c.Stream.Name = strings.TrimSuffix(s, "+")
		if c.Stream.Name != s {
			c.SyncMode = protocol.Incremental
		}
		cat.Streams = append(cat.Streams, c)
	}
	return readCatalog(ctx, t, source, from.state(), cat)
}

func readCatalog(ctx context.Context, t *testing.T, source *rest.Source, state []byte, cat *protocol.ConfiguredCatalog) *outcome {
	t.Helper()
	var buf bytes.Buffer
	out := protocol.NewEmitter(&buf)
	out.Configure(cat)
	ctx = protocol.WithLogger(ctx, slog.New(protocol.NewLogHandler(out, slog.LevelWarn)))
	o := &outcome{records: map[string][]string{}, metas: map[string][]string{}, states: map[string][]string{}, statuses: map[string][]string{}, counts: map[string]float64{}}
	o.err = source.Read(ctx, []byte(`{}`), cat, state, out)
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(buf.Bytes()) {
		o.add(t, line)
	}
	return o
}

func (o *outcome) add(t *testing.T, line []byte) {
	t.Helper()
	type descriptor struct{ Name, Namespace string }
	called := func(d descriptor) string { return strings.TrimPrefix(d.Namespace+"."+d.Name, ".") }
	var m struct {
		Type   string
		Record struct {
			Stream, Namespace string
			Data              json.RawMessage
			Meta              json.RawMessage
		}
		State struct {
			Stream struct {
				Descriptor descriptor      `json:"stream_descriptor"`
				State      json.RawMessage `json:"stream_state"`
			}
			SourceStats struct{ RecordCount float64 }
		}
		Trace struct {
			Type         string
			StreamStatus struct {
				Descriptor descriptor `json:"stream_descriptor"`
				Status     string
			} `json:"stream_status"`
			Error struct {
				Message string
				Type    string `json:"failure_type"`
			}
		}
		Log struct{ Message string }
	}
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	switch {
	case m.Type == "RECORD":
		name := called(descriptor{m.Record.Stream, m.Record.Namespace})
		o.records[name] = append(o.records[name], string(m.Record.Data))
		o.metas[name] = append(o.metas[name], string(m.Record.Meta))
		o.lines = append(o.lines, "RECORD "+m.Record.Stream)
	case m.Type == "STATE":
		name := called(m.State.Stream.Descriptor)
		o.states[name] = append(o.states[name], string(m.State.Stream.State))
		o.counts[name] += m.State.SourceStats.RecordCount
		o.lines = append(o.lines, "STATE "+name)
	case m.Type == "LOG":
		o.warnings = append(o.warnings, m.Log.Message)
	case m.Trace.Type == "STREAM_STATUS":
		name := called(m.Trace.StreamStatus.Descriptor)
		o.statuses[name] = append(o.statuses[name], m.Trace.StreamStatus.Status)
	case m.Trace.Type == "ERROR":
		o.failures = append(o.failures, m.Trace.Error.Type+": "+m.Trace.Error.Message)
	}
}

// state returns the last state of every stream as the platform hands it in, or nil.
func (o *outcome) state() []byte {
	if o == nil {
		return nil
	}
	messages := []any{}
	for called, states := range o.states {
		descriptor := map[string]any{"name": called}
		if namespace, name, ok := strings.Cut(called, "."); ok {
			descriptor = map[string]any{"name": name, "namespace": namespace}
		}
		messages = append(messages, map[string]any{"type": "STREAM", "stream": map[string]any{
			"stream_descriptor": descriptor, "stream_state": json.RawMessage(states[len(states)-1]),
		}})
	}
	raw, err := json.Marshal(messages)
	if err != nil {
		panic(err)
	}
	return raw
}

// ids returns the ids of a stream's records, sorted as numbers if they all have one length.
func (o *outcome) ids(stream string) []string {
	var ids []string
	for _, r := range o.records[stream] {
		var row struct{ ID json.Number }
		if err := json.Unmarshal([]byte(r), &row); err != nil {
			panic(err)
		}
		ids = append(ids, row.ID.String())
	}
	slices.Sort(ids)
	return ids
}

// complete fails the test unless the read is complete: no error, every stream complete, and every record counted by a state.
func (o *outcome) complete(t *testing.T) {
	t.Helper()
	if o.err != nil {
		t.Fatal(o.err)
	}
	for name, statuses := range o.statuses {
		if want := []string{"STARTED", "RUNNING", "COMPLETE"}; !slices.Equal(statuses, want) {
			t.Errorf("%s had the statuses %v", name, statuses)
		}
		if o.counts[name] != float64(len(o.records[name])) {
			t.Errorf("%s: %v records counted, %d sent", name, o.counts[name], len(o.records[name]))
		}
	}
}

// numbers returns the numbers from first to last as text.
func numbers(first, last int) []string {
	var all []string
	for i := first; i <= last; i++ {
		all = append(all, fmt.Sprint(i))
	}
	slices.Sort(all)
	return all
}

func sorted(texts ...string) []string {
	slices.Sort(texts)
	return texts
}
