package nectarcrm

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

// flat is a record as a table has it: names in lower case, objects flattened with "_"; arrays stay.
func flat(prefix string, r map[string]any, into map[string][]any) {
	for name, value := range r {
		column := prefix + strings.ToLower(name)
		into[column] = append(into[column], value)
		if object, ok := value.(map[string]any); ok {
			flat(column+"_", object, into)
		}
	}
}

// TestColumns finds every column that a table of these records is known to have, and in it values of the type that the column has.
func TestColumns(t *testing.T) {
	body, err := os.ReadFile("testdata/columns.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := reap(t, New(Options{Size: 1500}))
	columns := map[string]map[string][]any{}
	for stream, found := range all {
		prefix := ""
		if _, array, ok := strings.Cut(stream, "_"); ok && stream != "oportunidades_produtos" && stream != "oportunidades_propostas" {
			prefix = array + "_"
		}
		columns[stream] = map[string][]any{}
		for _, r := range found {
			flat(prefix, r, columns[stream])
		}
	}
	lines := strings.Split(strings.TrimSpace(string(body)), "\n")
	for _, line := range lines {
		words := strings.Fields(line)
		stream, column, kind := words[0], words[1], words[2]
		if slices.Contains([]string{"compromisso_id", "contato_id", "pipeline_id", "produto_dependente_id", "id_oportunidade"}, column) {
			continue // the parent's
		}
		fits := func(value any) bool {
			switch v := value.(type) {
			case json.Number:
				return kind == "float"
			case bool:
				return kind == "boolean"
			case string:
				_, err := moment(v)
				return kind == "text" || kind == "timestamp" && err == nil || kind == "float" && strings.Contains(column, "cnpj")
			default:
				return kind == "text"
			}
		}
		if n := len(columns[stream][column]); n == 0 || !slices.ContainsFunc(columns[stream][column], fits) {
			t.Errorf("%s.%s: of %d values none is a %s", stream, column, n, kind)
		}
	}
	if len(lines) != 377 {
		t.Errorf("%d columns", len(lines))
	}
}

// moment reads a time in any of its forms.
func moment(value string) (found time.Time, err error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if found, err = time.Parse(layout, value); err == nil {
			return found, nil
		}
	}
	return found, err
}

// TestForms finds every form in which a value is known to come.
func TestForms(t *testing.T) {
	s := New(Options{Size: 3000})
	var text bytes.Buffer
	contacts, _ := every(t, s, "contatos")
	for _, path := range []string{"contatos", "oportunidades", "compromissos", "tarefas", "produto", "usuario"} {
		for page := range 6 {
			text.Write(get(t, s, path, "page", strconv.Itoa(page+1), "displayLength", "100").Body.Bytes())
		}
	}
	for name, pattern := range map[string]string{
		"ms and Z":                    `"dataAtualizacao":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`,
		"offset":                      `"dataAtualizacao":"[^"]*:\d\d-03:00"`,
		"offset without a colon":      `"dataAtualizacao":"[^"]*-0300"`,
		"Z without a fraction":        `"dataAtualizacao":"[^".]*Z"`,
		"corrupted year":              `"dataCriacao":"002[4-8]-05-01T03:00:00.000Z"`,
		"empty reference":             `"funilVenda":\{\}`,
		"empty user":                  `"responsavel":\{\}`,
		"no temperature":              `"temperatura":""`,
		"labels":                      `"Cor Favorita":[^}]*"cor favorita":`,
		"CNPJ":                        `"cnpj":"\d\d\.\d{3}\.\d{3}/\d{4}-\d\d"`,
		"CNPJ that is none":           `"cnpj":"ISENTO"`,
		"category as an object":       `"categoria":\{("ativo":true,)?"id":3`,
		"category as a text":          `"categoria":"Cliente ativo`,
		"origin as an object":         `"origem":\{"id":1`,
		"origin as a text":            `"origem":"Telefone`,
		"product category as object":  `"produto":\{[^}]*"categoria":\{("ativo":true,)?"id":6`,
		"product category as text":    `"categoria":"Grupo`,
		"number as a text":            `"diasSemInteracao":"\d+"`,
		"amount as a text":            `"receitaAnual":"\d+(\.\d+)?"`,
		"amount as Brazilians write":  `"receitaAnual":"R\$ 10\.000\.000,00"`,
		"summer time":                 `"dataCriacao":"2017-10-30T07:13:31-02:00"`,
		"guest with an id":            `"participantes":\[\{"id":70`,
		"guest without one":           `"participantes":\[\{"(email|contato|usuario)"`,
		"list of texts":               `"listas":\["Lista 1"`,
		"documented names of product": `"isDescontoPorcentual"`,
		"line separator":              "\u2028",
		"control":                     `\\u0001`,
	} {
		if !regexp.MustCompile(pattern).Match(text.Bytes()) {
			t.Errorf("%s: nothing looks like %s", name, pattern)
		}
	}
	absent := 0
	for _, r := range contacts {
		if _, ok := r["dataAtualizacao"]; !ok {
			absent++
		}
		for name, value := range r {
			if value == nil {
				t.Errorf("%s is null", name)
			}
		}
	}
	if absent == 0 || absent > len(contacts)/20 {
		t.Errorf("%d contacts have no time of change", absent)
	}
	if regexp.MustCompile(`razaosocial`).Match(text.Bytes()) {
		t.Error("undocumented twins without the option")
	}
	twins := get(t, New(Options{Twins: true}), "contatos").Body.String()
	if !strings.Contains(twins, `"razaosocial"`) || !strings.Contains(twins, `"responsavel_nome"`) {
		t.Errorf("no twins: %.200s", twins)
	}
}

// TestEverything reads all there is under many ways to answer, and finds what Expect promises.
func TestEverything(t *testing.T) {
	for name, o := range map[string]Options{
		"usual":                   {Size: 600},
		"one":                     {Size: 1},
		"few":                     {Size: 7},
		"last page repeats":       {Size: 350, Repeat: true},
		"short pages":             {Size: 350, Short: 7},
		"short and repeating":     {Size: 333, Short: 3, Repeat: true},
		"caps":                    {Size: 400, Caps: map[string]int{"contatos": 50, "oportunidades": 50}},
		"same scale":              {Size: 400, SameScale: true},
		"same scale, bare all":    {Size: 400, SameScale: true, BareAll: true},
		"same scale, served":      {Size: 400, SameScale: true, HighStatus: HighServed},
		"high statuses are empty": {Size: 400, SameScale: true, HighStatus: HighEmpty},
		"bare all":                {Size: 400, BareAll: true, HighStatus: HighEmpty},
		"moving":                  {Size: 450, Drift: Drift{Move: 3, Pages: 8}},
		"moving and changing":     {Size: 450, Drift: Drift{Move: 3, Touch: true, Pages: 8}},
		"prepending":              {Size: 450, Drift: Drift{Prepend: 2, Pages: 8}},
		"appending":               {Size: 450, Drift: Drift{Append: 2, Pages: 8}},
	} {
		t.Run(name, func(t *testing.T) {
			o.Now = later()
			s := New(o)
			compare(t, s, reap(t, s))
		})
	}
}

func BenchmarkProposals(b *testing.B) { benchmark(b, "proposta/opportunity/", 2) }

func BenchmarkContacts(b *testing.B) { benchmark(b, "contatos?displayLength=100&page=", 1) }

func BenchmarkOpportunities(b *testing.B) { benchmark(b, "oportunidades?displayLength=50&page=", 1) }

// benchmark asks for one page after the other, or for one record.
func benchmark(b *testing.B, path string, stride int) {
	s := New(Options{Size: 20_000})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		n := i%50 + 1
		if stride > 1 {
			n = s.opportunities.id(i % 10_000)
		}
		if w := simtest.Ask(b, s, "GET", root+path+strconv.Itoa(n), map[string][]string{"Access-Token": {s.token}}, ""); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}
