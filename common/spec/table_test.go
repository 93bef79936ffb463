package spec

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/imob-data/airbyte-connectors/common/record"
)

const table = `{"properties":{
	"id":{"type":"number","airbyte_type":"integer","title":"id"}, "etapa_nome":{"type":["null","string"],"title":"etapaAtual.nome"},
	"valor":{"type":["null","number"]}, "nome":{"type":["null","string"],"title":"Nome","x-nested-as-text":true},
	"ativo":{"type":["null","boolean"]}, "n":{"type":["null","integer"]}, "dia":{"type":["null","string"],"format":"date"},
	"data":{"type":["null","string"],"format":"date-time"}, "campos":{"type":["null","object"]},
	"listas":{"type":["null","array"],"items":{"type":["null","object"]}}, "misto":{"type":["null","string","integer"]}, "nada":{}}}`

func TestColumns(t *testing.T) {
	columns, err := Columns([]byte(table), "id")
	if err != nil {
		t.Fatal(err)
	}
	want := []record.Edit{
		record.Column{Field: "ativo", Type: record.Boolean}, record.Column{Field: "campos", Type: record.Object},
		record.Column{Field: "data", Type: record.Timestamp}, record.Column{Field: "dia", Type: record.Date},
		record.Column{Field: "etapa_nome", Type: record.Text}, record.Column{Field: "id", Type: record.Integer, Key: true},
		record.Column{Field: "listas", Type: record.List, Of: record.Object}, record.Column{Field: "n", Type: record.Integer},
		record.Column{Field: "nome", Type: record.JSONText}, record.Column{Field: "valor", Type: record.Number},
	}
	if !slices.Equal(columns, want) {
		t.Errorf("got %v, want %v", columns, want)
	}
	hash, err := Columns([]byte(`{"properties":{"linha":{"type":"string","x-row-hash":true}}}`), "linha")
	if want := []record.Edit{record.Column{Field: "linha", Type: record.Digest, Key: true}}; err != nil || !slices.Equal(hash, want) {
		t.Errorf("got %v, %v, want %v", hash, err, want)
	}
	whole, err := Columns([]byte(`{"properties":{"linha":{"type":["null","object"],"x-whole-row":true}}}`))
	if want := []record.Edit{record.Column{Field: "linha", Type: record.Whole}}; err != nil || !slices.Equal(whole, want) {
		t.Errorf("got %v, %v, want %v", whole, err, want)
	}
	for _, schema := range []string{`{`, `{}`, `[]`, ``} {
		if _, err := Columns([]byte(schema)); err == nil {
			t.Errorf("%q has columns", schema)
		}
	}
}

func TestTable(t *testing.T) {
	columns, err := Columns([]byte(table))
	if err != nil {
		t.Fatal(err)
	}
	shape := record.Compile(append(Table(fstest.MapFS{"streams/coisas.json": {Data: []byte(table)}}, "coisas"), columns...)...)
	in := `{"ID":"8","id":"7","valor":"caro","Nome":[1],"ATIVO":"Sim","data":"2016-03-30T10:00:00-0300",` +
		`"campos":{"Cor Favorita":1,"cor favorita":{"x":2}},"listas":[{"a":1}],"etapa":{"Nome":{"n":1}},"extra":{"B":[2]}}`
	want := `{"id":7,"valor":null,"nome":"[1]","ativo":true,"data":"2016-03-30T13:00:00Z",` +
		`"campos":{"Cor Favorita":1,"cor favorita":{"x":2}},"listas":[{"a":1}],"etapa_nome":null,"extra_b":[2]}`
	if got := string(shape.Append(nil, record.Record(in))); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestTableThatIsNone(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"no file":    {},
		"no JSON":    {"streams/coisas.json": {Data: []byte("{")}},
		"no columns": {"streams/coisas.json": {Data: []byte("{}")}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			Table(files, "coisas")
		})
	}
}
