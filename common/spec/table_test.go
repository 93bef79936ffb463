package spec

import (
	"testing"
	"testing/fstest"

	"github.com/imob-data/airbyte-connectors/common/record"
)

const table = `{"properties":{
	"id":{"type":"integer","title":"id"}, "etapa_nome":{"type":["null","string"],"title":"etapaAtual.nome"},
	"valor":{"type":["null","number"]}, "valor_text":{"type":["null","string"]}, "nome":{"type":["null","string"],"title":"Nome"},
	"nome_text":{"type":["null","string"]}, "ativo":{"type":["null","boolean"]},
	"data":{"type":["null","string"],"format":"date-time"}, "campos":{"type":["null","object"]}, "listas":{"type":["null","array"]},
	"misto":{"type":["null","string","integer"]}}}`

func TestTable(t *testing.T) {
	shape := record.Compile(Table(fstest.MapFS{"streams/coisas.json": {Data: []byte(table)}}, "coisas")...)
	in := `{"ID":"8","id":"7","valor":"caro","Nome":[1],"nome_text":2,"ATIVO":"true","data":"2016-03-30T10:00:00-0300",` +
		`"campos":{"Cor Favorita":1,"cor favorita":{"x":2}},"listas":[{"a":1}],"misto":{"x":1},"etapa":{"Nome":{"n":1}},"extra":{"B":[2]}}`
	want := `{"id":7,"valor":null,"valor_text":"caro","nome":"[1]","nome_text":"2","ativo":true,"data":"2016-03-30T10:00:00-03:00",` +
		`"campos":{"Cor Favorita":1,"cor favorita":{"x":2}},"listas":[{"a":1}],"misto":{"x":1},"etapa_nome":"{\"n\":1}","extra_b":[2]}`
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
