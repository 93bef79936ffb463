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

// stock is what the properties are made of: whatever repeats, made once.
type stock struct {
	countries    []state // the states, in the order of the country's list
	cities       []city
	places       []place
	companies    []company
	buildings    []building
	descriptions []sim.Raw
	types        []label
	stages       []stage
	zone         *time.Location
}

// building is a development; its row stands in every unit of it.
type building struct {
	title          string
	place, company int
	row            sim.Object // as the list has it
}

type company struct {
	title string
	row   sim.Object
}

func newStock(seed uint64) *stock {
	st := &stock{types: types(), stages: stages(), zone: sim.Brasilia()}
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
		st.buildings[i].row = st.building(i, false)
	}
	for i, text := range descriptions() {
		st.descriptions = append(st.descriptions, [...]func(string) sim.Raw{unescaped, unescaped, escaped}[i%3](text))
	}
	return st
}

// incorporation returns the registry text of a building.
func (st *stock) incorporation(index int) string {
	if index%11 == 3 {
		return ""
	}
	return fmt.Sprintf("R%d-%d do Registro de Imóveis", 1+index%40, 20_000+index*37)
}

// building returns a development, with all that differs between the schema of the document, its samples and practice: gallery and plans as array,
// object or null, videos as array or (in details) object, delivery_date absent or null.
func (st *stock) building(i int, detail bool) sim.Object {
	b := st.buildings[i]
	video := sim.Object{
		"id": fmt.Sprintf("72e61b4a-6133-4391-a79a-0caf55c3%04x", i), "url": sim.Raw(`"https:\/\/vi.cv\/mez?a=1&b=<2>"`),
		"name": fmt.Sprintf("Vídeo, %d", i),
	}
	row := sim.Object{
		"id": 42 + i*3, "title": b.title,
		"gallery":             []any{image(i, i%8 == 0), []any{image(i, false), image(i+1000, false)}, []any{}, nil}[i%4],
		"architectural_plans": []any{[]any{image(i+2000, false)}, image(i+2000, false), nil}[i%3],
		"video":               nil, "videos": []any{}, "tour_360": []any{nil, "http://vi.cv/tour"}[i%2],
		"description": []any{sim.Object{"title": "Apartamento", "items": []any{
			sim.Object{"item": "01 Suíte (Sendo ela com Hidromassagem e Closet)"}, sim.Object{"item": "Área: 125m²"},
		}}},
		"address": st.places[b.place].row, "text_address": st.places[b.place].text, "incorporation": st.incorporation(i),
		"cover": image(i+3000, i%4 == 1), "features": features(i),
		"delivery_date": either(i%6 == 0, sim.Absent, either(i%6 == 1, nil, fmt.Sprintf("20%d-%02d-17", 24+i%7, 1+i%12))),
	}
	switch {
	case detail:
		row["videos"] = video
	case i%5 == 0:
		row["video"], row["videos"] = "http://vi.cv/mez", []any{video}
	}
	return row.Present()
}

// features returns labels, or codes with labels beside them.
func features(i int) []any {
	tags := func(kind string, tags ...string) sim.Object { return sim.Object{"type": kind, "tags": tags} }
	switch i % 3 {
	case 0:
		return []any{tags("Empreendimento", "Playground", "Academia", "Sala de reuniões"), tags("Apartamento", "Sacada com churrasqueira")}
	case 1:
		building, home := tags("building", "gym", "playground", "elevator"), tags("apartment", "barbecue_grill")
		building["titles"], home["titles"] = []string{"Academia", "Playground", "Elevador"}, []string{"Churrasqueira"}
		return []any{building, home}
	}
	return []any{}
}

// image returns {url, sizes}; few sizes unless it is to be full.
func image(n int, full bool) sim.Object {
	url := fmt.Sprintf("https://dwvimages.sfo2.cdn.digitaloceanspaces.com/upload/2018/07/fachada-%d", n)
	if n%2 == 1 {
		url = fmt.Sprintf("https://dwvimagesv1.b-cdn.net/upload/2026/fachada-%d", n)
	}
	sizes := sim.Object{"small": url + "-small.jpg", "medium": url + "-medium.jpg"}
	if full {
		for _, size := range []string{"large", "circle", "xfullhd", "xlarge", "xmedium", "xmediumhd"} {
			sizes[size] = url + "-" + size + ".jpg"
		}
	}
	return sim.Object{"url": url + ".jpg", "sizes": sizes}
}

func newCompany(i int) company {
	title := fmt.Sprintf("Construtora %s %d", []string{"Cibea", "Água Branca", "J&J", "Ímpar"}[i%4], i)
	row := sim.Object{
		"title": either(i%4 == 1, escaped(title), title),
		"site":  fmt.Sprintf("http://construtora%d.exemplo.com.br", i), "email": fmt.Sprintf("construtora%d@exemplo.com.br", i),
		"whatsapp": []any{"(47) 95559030453", nil}[i%2], "instagram": []any{"@construtora", nil}[i%2],
		"business_contacts":    []any{sim.Object{"responsible": "José da Silva", "phone_number": "(47) 95559030453"}},
		"additionals_contacts": []any{}, "logo": image(9000+i, false),
	}
	if i%3 == 0 { // seen in practice, and beyond what a float64 holds
		row["additionals_contacts"] = []any{sim.Object{"responsible": "Zoë", "whatsapp": "", "construtora_id": 9007199254740993 + 2*i}}
	}
	return company{title, row}
}

// descriptions returns texts as agencies write them: literal \n, line ends, HTML, quotes, emoji, tabs, line separators.
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
