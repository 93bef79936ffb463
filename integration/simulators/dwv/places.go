package dwv

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// state is a row of the list of cities.
type state struct {
	code, name string
	cities     []city
}

// city is one with its neighbourhoods.
type city struct {
	id             int
	uf, name       string
	neighbourhoods []string
}

// place is an address.
type place struct {
	city int
	text string
	row  sim.Object
}

// homeCities is how many of the cities, the first, most properties lie in.
const homeCities = 5

// geography returns the country: 27 states, so that the list of them has more than one page of 20.
func geography() ([]state, []city) {
	var states []state
	var cities []city
	for _, line := range []string{
		"SC|Santa Catarina|Itapema:Meia Praia,Centro,Morretes;Porto Belo:Perequê,Vila Nova;Balneário Camboriú:Centro,Barra Norte,Pioneiros;" +
			"Itajaí:Praia Brava,Fazenda;Florianópolis:Ingleses,Córrego Grande",
		"AC|Acre|Rio Branco:Bosque", "AL|Alagoas|Maceió:Ponta Verde,Jatiúca", "AP|Amapá|Macapá:Trem", "AM|Amazonas|Manaus:Adrianópolis",
		"BA|Bahia|Salvador:Barra,Itapuã;Porto Seguro:Taperapuã", "CE|Ceará|Fortaleza:Meireles", "DF|Distrito Federal|Brasília:Asa Sul",
		"ES|Espírito Santo|Vitória:Praia do Canto", "GO|Goiás|Goiânia:Setor Bueno", "MA|Maranhão|São Luís:Calhau",
		"MT|Mato Grosso|Cuiabá:Goiabeiras",
		"MS|Mato Grosso do Sul|Campo Grande:Chácara Cachoeira", "MG|Minas Gerais|Belo Horizonte:Savassi,Lourdes", "PA|Pará|Belém:Umarizal",
		"PB|Paraíba|João Pessoa:Cabo Branco", "PR|Paraná|Curitiba:Água Verde,Batel;Guaratuba:Brejatuba", "PE|Pernambuco|Recife:Boa Viagem",
		"PI|Piauí|Teresina:Jóquei", "RJ|Rio de Janeiro|Rio de Janeiro:Leblon,Méier", "RN|Rio Grande do Norte|Natal:Ponta Negra",
		"RS|Rio Grande do Sul|Porto Alegre:Moinhos de Vento;Torres:Praia Grande", "RO|Rondônia|Porto Velho:Olaria",
		"RR|Roraima|Boa Vista:Caçari",
		"SP|São Paulo|São Paulo:Moema,Tatuapé;Santos:Gonzaga", "SE|Sergipe|Aracaju:Atalaia", "TO|Tocantins|Palmas:Plano Diretor Sul",
	} {
		part := strings.Split(line, "|")
		states = append(states, state{code: part[0], name: part[1]})
		for entry := range strings.SplitSeq(part[2], ";") {
			name, neighbourhoods, _ := strings.Cut(entry, ":")
			cities = append(cities, city{id: len(cities) + 1, uf: part[0], name: name, neighbourhoods: strings.Split(neighbourhoods, ",")})
		}
	}
	return states, cities
}

// states returns those with a used city, with their used cities.
func (st *stock) states(used map[int]bool) []state {
	var states []state
	for _, all := range st.countries {
		found := state{code: all.code, name: all.name}
		for i, c := range st.cities {
			if c.uf == all.code && used[i] {
				found.cities = append(found.cities, c)
			}
		}
		if len(found.cities) > 0 {
			states = append(states, found)
		}
	}
	return states
}

// uf returns the key of the row: lower case, as in the document's sample.
func (s state) uf() string { return strings.ToLower(s.code) }

// row returns the state as the list of cities has it.
func (s state) row() sim.Object {
	cities := []any{}
	for _, c := range s.cities {
		hoods := []any{}
		for i, name := range c.neighbourhoods {
			hoods = append(hoods, sim.Object{"id": c.id*10 + i, "name": name})
		}
		cities = append(cities, sim.Object{"id": c.id, "name": c.name, "neighborhoods": hoods})
	}
	return sim.Object{"uf": s.uf(), "name": s.name, "cities": cities}
}

// newPlace makes the n-th address. Coordinates have more digits than a float64 holds, some in other spellings of a JSON number.
func newPlace(n, at int, c city, dice uint64) place {
	number := fmt.Sprintf("%d", 1+dice%999)
	if n%9 == 0 {
		number = "D 1"
	}
	neighbourhood := c.neighbourhoods[int(dice>>10%1024)%len(c.neighbourhoods)]
	street := fmt.Sprintf("Rua %d", 100+dice>>20%200)
	latitude, longitude := any(json.Number(fmt.Sprintf("-%d.%014d", 2+dice%30, dice>>8%1e14))), any(json.Number(fmt.Sprintf("-48.%020d", dice)))
	switch n % 25 {
	case 3:
		latitude, longitude = json.Number("-2.70947471823797600e1"), json.Number("-48.0")
	case 7:
		latitude, longitude = nil, nil
	}
	row := sim.Object{
		"id":          either(n%3 == 0, 7000+n, sim.Absent), // seen in practice
		"street_name": street, "street_number": number, "neighborhood": neighbourhood,
		"complement": []any{nil, "S/ Complemento", sim.Raw(`"S\/ Complemento"`)}[n%3], "zip_code": fmt.Sprintf("%05d-000", 88000+n),
		"city": c.name, "state": c.uf, "country": "Brasil", "latitude": latitude, "longitude": longitude,
	}
	return place{city: at, text: fmt.Sprintf("%s, %s, %s, %s - %s", street, number, neighbourhood, c.name, c.uf), row: row.Present()}
}
