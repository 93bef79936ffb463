package rest_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/imob-data/airbyte-connectors/common/internal/memnet"
	"github.com/imob-data/airbyte-connectors/common/pagination"
	"github.com/imob-data/airbyte-connectors/common/protocol"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// The schemas and the rows of two sources. The rows of one match their schema, except for their times. The rows of the other are taken apart into
// tables.
const (
	plainSchema = `{"properties":{"id":{"type":"integer"},"title":{"type":["null","string"]},"unit":{"type":["null","object"]},
		"rent":{"type":["null","boolean"]},"photos":{"type":["null","array"]},"changed":{"type":["null","string"],"format":"date-time"},
		"_unparsed":{"type":["null","object"]},"_undeclared":{"type":["null","object"]}}}`
	plainRow = `{"id":%d,"title":"Residencial Atl\u00e2ntico, três suítes","unit":{"id":99120,"price":"1250000.00","section":null,"area":"112.50",
		"cover":{"url":"https://images.example.com/units/99120/cover-large.jpg"}},"rent":false,"photos":[{"url":"https://images.example.com/1.jpg"},
		{"url":"https://images.example.com/2.jpg"}],"changed":"2024-03-11 12:24:18"}`
	shapedSchema = `{"properties":{"id":{"type":"integer"},"nome":{"type":["null","string"]},"valor":{"type":["null","number"]},
		"responsavel_id":{"type":["null","integer"]},"responsavel_nome":{"type":["null","string"]},"ativo":{"type":["null","boolean"]},
		"preco":{"type":["null","string"]},"preco_num":{"type":["null","number"]},"changed":{"type":["null","string"],"format":"date-time"},
		"_unparsed":{"type":["null","object"]},"_undeclared":{"type":["null","object"]}}}`
	explodedSchema = `{"properties":{"shaped_id":{"type":"integer"},"item_id":{"type":"integer"},"item_nome":{"type":["null","string"]},
		"item_valor":{"type":["null","number"]},"posicao":{"type":"integer"},"_unparsed":{"type":["null","object"]},
		"_undeclared":{"type":["null","object"]}}}`
	shapedRow = `{"id":%d,"Nome":"João da Silva","valor":"1.234,56","responsavel":{"id":"12","nome":"Maria"},"Ativo":"Sim","preco":"R$ 350.000,00",
		"itens":[{"id":1,"Nome":"Sala","valor":12.5},{"id":2,"Nome":"Quarto","valor":"7,25"}],"changed":"2024-03-11T12:24:18-03:00"}`
)

// benched is a source and the API that it reads.
type benched struct {
	source  *rest.Source
	catalog *protocol.ConfiguredCatalog
	records int // of one read
	bytes   int // of its answers
	network *memnet.Network
}

// sampled serves pages of rows from memory. The server is closed when tb ends.
func sampled(tb testing.TB, name string, pages, size int) *benched {
	tb.Helper()
	s := &benched{catalog: &protocol.ConfiguredCatalog{}, network: memnet.New()}
	row := map[string]string{"plain": plainRow, "shaped": shapedRow}[name]
	row = strings.NewReplacer("\n", "", "\t", "").Replace(row)
	bodies := make([]string, pages)
	for page := range bodies {
		rows := make([]string, size)
		for i := range rows {
			rows[i] = fmt.Sprintf(row, page*size+i+1)
		}
		bodies[page] = fmt.Sprintf(`{"total":%d,"rows":[%s]}`, pages*size, strings.Join(rows, ","))
		s.bytes += len(bodies[page])
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		body := fmt.Sprintf(`{"total":%d,"rows":[]}`, pages*size)
		if page <= pages {
			body = bodies[page-1]
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = io.WriteString(w, body)
	})}
	go func() { _ = server.Serve(s.network) }()
	tb.Cleanup(func() { _ = server.Close() })
	streams := []rest.Stream{{Name: name, Path: "/rows", Records: "rows", Key: []string{"id"}, Cursor: &rest.Cursor{Field: "changed"}}}
	s.records = pages * size
	if name == "shaped" {
		streams[0].Shape = []record.Edit{record.LowerKeys{}, record.Flatten{}, record.Drop{Field: "itens"}, record.Decimal{Field: "preco"}}
		streams = append(streams, rest.Stream{
			Name: "exploded", Key: []string{"shaped_id", "item_id"},
			Explode: &rest.Explode{Of: name, Array: "itens", Put: map[string]string{"shaped_id": "id"}, Position: "posicao"},
			Shape:   []record.Edit{record.LowerKeys{}, record.Prefix{Text: "item_"}},
		})
		s.records *= 3
	}
	files := fstest.MapFS{"spec.json": {Data: []byte(`{"documentationUrl":"https://example.com","connectionSpecification":{"type":"object"}}`)}}
	for file, schema := range map[string]string{"plain": plainSchema, "shaped": shapedSchema, "exploded": explodedSchema} {
		files["streams/"+file+".json"] = &fstest.MapFile{Data: []byte(schema)}
	}
	for _, stream := range streams {
		c := protocol.ConfiguredStream{SyncMode: protocol.FullRefresh}
		c.Stream.Name = stream.Name
		s.catalog.Streams = append(s.catalog.Streams, c)
	}
	s.source = rest.New(files, func(struct{}) rest.API {
		d := rest.API{Streams: streams, Pages: pagination.Number{Param: "page", Start: 1, SizeParam: "size", Size: size, Exact: true, Rows: "total"}}
		d.BaseURL, d.Dial = "http://localhost", s.network.Dial
		return d
	})
	return s
}

// read reads the whole API.
func (s *benched) read(tb testing.TB) {
	tb.Helper()
	out := protocol.NewEmitter(io.Discard)
	out.Configure(s.catalog)
	if err := s.source.Read(tb.Context(), []byte(`{}`), s.catalog, nil, out); err != nil {
		tb.Fatal(err)
	}
	sent := 0
	for _, stream := range out.Stats() {
		sent += int(stream.Records)
	}
	if sent != s.records {
		tb.Fatalf("%d records were sent, want %d", sent, s.records)
	}
}

// BenchmarkRead measures a complete read of an API in memory, from the request to the line.
func BenchmarkRead(b *testing.B) {
	for _, name := range []string{"plain", "shaped"} {
		b.Run(name, func(b *testing.B) {
			s := sampled(b, name, 50, 100)
			b.SetBytes(int64(s.bytes))
			b.ReportAllocs()
			for b.Loop() {
				s.read(b)
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N*s.records)*1e9, "ns/record")
		})
	}
}

// TestAllocationsOfARecord checks that a record costs almost no allocations. It measures what more records in the same number of pages cost,
// including the server.
func TestAllocationsOfARecord(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("under -race a sync.Pool drops a part of what it is given, and that is allocated anew")
	}
	for name, most := range map[string]float64{"plain": 0.1, "shaped": 1} {
		var allocated [2]uint64
		var records [2]int
		for i, size := range []int{100, 1100} {
			s := sampled(t, name, 20, size)
			s.read(t)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s.read(t)
			runtime.ReadMemStats(&after)
			allocated[i], records[i] = after.Mallocs-before.Mallocs, s.records
		}
		if each := float64(allocated[1]-allocated[0]) / float64(records[1]-records[0]); each > most {
			t.Errorf("%s: a record costs %.3f allocations", name, each)
		}
	}
}
