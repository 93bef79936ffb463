package dwv

import (
	"fmt"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// How many there are of each; indices into the stock are below them.
const (
	buildings = 256
	companies = 40
	places    = 512
)

// stock is what the properties are made of: whatever repeats, rendered once.
type stock struct {
	countries    []state // the states, in the order of the country's list
	cities       []city
	places       []place
	companies    []company
	buildings    []building
	descriptions [][]byte // JSON strings
	types        []label
	stages       []stage
	zone         *time.Location
}

// building is a development; its JSON stands in every unit of it.
type building struct {
	title          string
	place, company int
	json           []byte // as the list writes it
}

type company struct {
	title string
	json  []byte
}

func newStock(seed uint64) *stock {
	st := &stock{types: types(), stages: stages(), zone: saoPaulo()}
	st.countries, st.cities = geography()
	dice := func(kind, n, sides int) int {
		return int(sim.Mix(seed^sim.Mix(uint64(kind)<<32|uint64(n))) % uint64(sides))
	}
	for i := range places {
		at := dice(1, i, len(st.cities))
		if dice(2, i, 10) < 6 {
			at = dice(3, i, homeCities)
		}
		st.places = append(st.places, newPlace(i, at, st.cities[at], sim.Mix(seed+uint64(i))))
	}
	for i := range companies {
		st.companies = append(st.companies, newCompany(i))
	}
	names := []string{
		"Green Coast", "Morada do Sol", "Ilha das Canárias", "Edifício São João", "Torre D'Água", "Vista & Mar", "Ático", "Jardim Açores",
	}
	for i := range buildings {
		b := building{
			title: fmt.Sprintf("%s %d", names[dice(4, i, len(names))], 1+i/4), place: dice(5, i, places), company: dice(6, i, companies),
		}
		st.buildings = append(st.buildings, b)
		st.buildings[i].json = st.building(i, false)
	}
	for i, text := range descriptions() {
		var w writer
		if i%3 == 2 {
			w.escaped(text)
		} else {
			w.Quote(text)
		}
		st.descriptions = append(st.descriptions, w.B)
	}
	return st
}

// incorporation is the registry text of a building.
func (st *stock) incorporation(index int) string {
	if index%11 == 3 {
		return ""
	}
	return fmt.Sprintf("R%d-%d do Registro de Imóveis", 1+index%40, 20_000+index*37)
}

// building renders a development, with all that differs between the schema of the document, its samples and practice: gallery and
// plans as array, object or null, videos as array or (in details) object, delivery_date absent or null.
func (st *stock) building(i int, detail bool) []byte {
	b := st.buildings[i]
	var w writer
	w.Raw(`{"id":`)
	w.Whole(42 + i*3)
	w.Raw(`,"title":`)
	w.Quote(b.title)
	w.Raw(`,"gallery":`)
	switch i % 4 {
	case 0:
		image(&w, i, i%8 == 0)
	case 1:
		w.Raw("[")
		image(&w, i, false)
		w.Raw(",")
		image(&w, i+1000, false)
		w.Raw("]")
	case 2:
		w.Raw("[]")
	case 3:
		w.Raw("null")
	}
	w.Raw(`,"architectural_plans":`)
	switch i % 3 {
	case 0:
		w.Raw("[")
		image(&w, i+2000, false)
		w.Raw("]")
	case 1:
		image(&w, i+2000, false)
	case 2:
		w.Raw("null")
	}
	video := fmt.Sprintf(`{"id":"72e61b4a-6133-4391-a79a-0caf55c3%04x","url":"https:\/\/vi.cv\/mez?a=1&b=<2>","name":"Vídeo, %d"}`, i, i)
	switch {
	case detail:
		w.Raw(`,"video":null,"videos":` + video)
	case i%5 == 0:
		w.Raw(`,"video":"http://vi.cv/mez","videos":[` + video + `]`)
	default:
		w.Raw(`,"video":null,"videos":[]`)
	}
	w.Raw([]string{`,"tour_360":null`, `,"tour_360":"http://vi.cv/tour"`}[i%2])
	w.Raw(`,"description":[{"title":"Apartamento",` +
		`"items":[{"item":"01 Suíte (Sendo ela com Hidromassagem e Closet)"},{"item":"Área: 125m²"}]}]`)
	w.Raw(`,"address":`)
	w.bytes(st.places[b.place].json)
	w.Raw(`,"text_address":`)
	w.Quote(st.places[b.place].text)
	w.Raw(`,"incorporation":`)
	w.Quote(st.incorporation(i))
	w.Raw(`,"cover":`)
	image(&w, i+3000, i%4 == 1)
	w.Raw(`,"features":`)
	features(&w, i)
	switch i % 6 {
	case 0:
	case 1:
		w.Raw(`,"delivery_date":null`)
	default:
		w.Raw(fmt.Sprintf(`,"delivery_date":"20%d-%02d-17"`, 24+i%7, 1+i%12))
	}
	w.Raw("}")
	return w.B
}

// features writes labels, or codes with labels beside them.
func features(w *writer, i int) {
	w.Raw([]string{
		`[{"type":"Empreendimento","tags":["Playground","Academia","Sala de reuniões"]},` +
			`{"type":"Apartamento","tags":["Sacada com churrasqueira"]}]`,
		`[{"type":"building","tags":["gym","playground","elevator"],"titles":["Academia","Playground","Elevador"]},` +
			`{"type":"apartment","tags":["barbecue_grill"],"titles":["Churrasqueira"]}]`,
		`[]`,
	}[i%3])
}

// image writes {url, sizes}; few sizes unless it is to be full.
func image(w *writer, n int, full bool) {
	url := fmt.Sprintf("https://dwvimages.sfo2.cdn.digitaloceanspaces.com/upload/2018/07/fachada-%d", n)
	if n%2 == 1 {
		url = fmt.Sprintf("https://dwvimagesv1.b-cdn.net/upload/2026/fachada-%d", n)
	}
	sizes := []string{"small", "medium"}
	if full {
		sizes = append(sizes, "large", "circle", "xfullhd", "xlarge", "xmedium", "xmediumhd")
	}
	w.Raw(`{"url":"` + url + `.jpg","sizes":{`)
	for i, size := range sizes {
		if i > 0 {
			w.Raw(",")
		}
		w.Raw(`"` + size + `":"` + url + "-" + size + `.jpg"`)
	}
	w.Raw("}}")
}

func newCompany(i int) company {
	c := company{title: fmt.Sprintf("Construtora %s %d", []string{"Cibea", "Água Branca", "J&J", "Ímpar"}[i%4], i)}
	var w writer
	w.Raw(`{"title":`)
	if i%4 == 1 {
		w.escaped(c.title)
	} else {
		w.Quote(c.title)
	}
	w.Raw(fmt.Sprintf(`,"site":"http://construtora%d.exemplo.com.br","email":"construtora%d@exemplo.com.br"`, i, i))
	w.Raw([]string{`,"whatsapp":"(47) 95559030453","instagram":"@construtora"`, `,"whatsapp":null,"instagram":null`}[i%2])
	w.Raw(`,"business_contacts":[{"responsible":"José da Silva","phone_number":"(47) 95559030453"}]`)
	if i%3 == 0 { // seen in practice, and beyond what a float64 holds
		w.Raw(fmt.Sprintf(`,"additionals_contacts":[{"responsible":"Zoë","whatsapp":"","construtora_id":%d}]`, 9007199254740993+2*i))
	} else {
		w.Raw(`,"additionals_contacts":[]`)
	}
	w.Raw(`,"logo":`)
	image(&w, 9000+i, false)
	w.Raw("}")
	c.json = w.B
	return c
}

// descriptions are texts as agencies write them: literal \n, line ends, HTML, quotes, emoji, tabs, line separators.
func descriptions() []string {
	return []string{
		`Empreendimento\nExcelente localização\n2 Apartamentos por andar\nHall de entrada decorado\n` +
			`Som ambiente no hall de lazer\nRevestimento 100% pastilhado\nPiso em porcelanato` + "\n",
		"<figure class=\"table\"><table><tbody><tr><td><p>APARTAMENTO</p><ul><li>\n" +
			"<span style=\"font-family:Arial, Helvetica, sans-serif;\">Ótima localização,\ncom vista para o mar;</span>" +
			"</li></ul></td></tr></tbody></table></figure><p>&nbsp;</p>",
		"Pé na areia 🏖️🌊 a 50 m da praia — ½ do valor na planta!\n\t• 3 suítes\n\t• 2 vagas\nC:\\fotos\\mar",
		"<p><strong>R$ 1.490.000,00</strong></p>\n<p>Entrada 40% + Saldo em 60x</p>\\n\\n" +
			"<p>Valor IPTU: R$ 2.979,56 & condomínio</p><script>alert(\"x\")</script>",
		"Linha um\u2028linha dois\u2029fim\u00a0😀👨‍👩‍👧 العربية 中文 e um controle: \u0001.",
		"Sem acentos: casa ampla / terreno de 300m2 / aceita permuta.",
		"",
		strings.Repeat("Living integrado, sacada com churrasqueira e fechamento em \"Reiki\"; área privativa 156,66m². ", 12),
	}
}
