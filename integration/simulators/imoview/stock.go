package imoview

import (
	"fmt"
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// entry is a code and its name, as the lookups list them.
type entry struct {
	code int
	name string
}

func types() []entry {
	return []entry{
		{1, "Casa"}, {2, "Apartamento"}, {3, "Lote"}, {5, "Loja"}, {6, "Sala"}, {9, "Fazenda"}, {11, "Galpão"}, {14, "Kitnet"},
		{18, "Cobertura"}, {21, `Casa "geminada"`}, {34, "Área privativa"},
	}
}

func branches() []entry {
	return []entry{{1, "Matriz"}, {2, "Filial Savassi"}, {5, "Filial Região Sul"}}
}

func purposes() []entry { return []entry{{rent, "Aluguel"}, {sale, "Venda"}} }

func destinations() []entry {
	return []entry{
		{1, "Residencial"}, {2, "Comercial"}, {3, "Residencial/Comercial"}, {4, "Industrial"}, {5, "Rural"}, {6, "Temporada"},
		{7, "Corporativa"}, {8, "Comercial/Industrial"},
	}
}

// The purposes, finalidade.
const (
	rent = 1
	sale = 2
)

// entryList returns a lookup: no pages, and the codes of short lists are texts.
func entryList(entries []entry) listing {
	return listing{rows: first(len(entries)), row: func(i int) any {
		if len(entries) < 4 {
			return object{"codigo": strconv.Itoa(entries[i].code), "nome": entries[i].name}
		}
		return object{"codigo": entries[i].code, "nome": entries[i].name}
	}}
}

// first returns the first n indices.
func first(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// place is where a property or a condominium lies. The codes are the agency's own.
type place struct {
	hood, city                 string
	hoodCode, cityCode, region int
	state                      string
}

// stock are the parts that rows are made of.
type stock struct {
	names     []string
	places    []*place
	streets   []string
	texts     []string
	amenities []object // members of a property
	comforts  []object // members of a condominium
}

// How many of each there are.
const (
	names     = 400
	amenities = 512
)

func newStock(seed uint64) *stock {
	s := &stock{
		streets: []string{
			"Rua X", "Av. Afonso Pena", "Rua São João", "Alameda das Acácias", "Praça da Liberdade", `Rua "Velha"`, "Rod. BR-040, km 5",
		},
		texts: []string{
			"Texto", "", "Ótimo imóvel, ensolarado.\nPróximo ao metrô.\t2 vagas \"livres\".",
			"Condição especial à vista <b>10%</b> & brindes",
			"Imóvel amplo, arejado e bem localizado, com acabamento de primeira, lazer completo e vista definitiva para a serra.",
		},
	}
	firsts := []string{"Ana", "João", "José", "Conceição", "Cliente", "Ângela", "D'Ávila", "Íris", "Luís", "Fiador"}
	lasts := []string{"Exemplo", "da Silva", "Gonçalves", "Souza & Cia", `"Zeca" Pereira`, "Araújo Muniz", "Brandão", "Exemplo Ltda."}
	for i := range names {
		s.names = append(s.names, fmt.Sprintf("%s %s", firsts[i%len(firsts)], lasts[i/len(firsts)%len(lasts)]))
	}
	cities := []struct{ name, state string }{{"Belo Horizonte", "MG"}, {"São Paulo", "SP"}, {"Nova Lima", "MG"}}
	for i := range 36 {
		city := i % len(cities)
		s.places = append(s.places, &place{
			hood: fmt.Sprintf("Bairro Exemplo %d", i), hoodCode: 42 + i, city: cities[city].name, cityCode: 10 + city, region: i % 5,
			state: cities[city].state,
		})
	}
	d := &forms{sim.Dice(seed ^ 0xa3e)}
	for range amenities {
		s.amenities = append(s.amenities, ready(d, "academia", "alarme", "arealazer", "areaprivativa", "areaservico", "arcondicionado",
			"armariobanheiro", "armariocozinha", "armarioquarto", "boxbanheiro", "boxdespejo", "churrasqueira", "circuitotv", "closet",
			"dce", "despensa", "escritorio", "gascanalizado", "hidromassagem", "interfone", "jardim", "lavabo", "piscina", "playground",
			"portaoeletronico", "portaria24h", "quadraesportiva", "quadratenis", "rouparia", "salaofestas", "salaojogos", "sauna",
			"solmanha", "varanda", "varandagourmet", "vistamar", "wifi"))
		s.comforts = append(s.comforts, ready(d, "aguaindividual", "alarme", "aquecedoreletrico", "aquecedorgas", "aquecedorsolar",
			"boxdespejo", "cercaeletrica", "circuitotv", "gascanalizado", "interfone", "jardim", "lavanderia", "portaoeletronico",
			"portaria24horas", "seguranca24horas", "gramado", "academia", "churrasqueira", "homecinema", "piscina", "playground",
			"quadraesportiva", "quadratenis", "quadrasquash"))
	}
	return s
}

// ready returns members that are true or false by lot.
func ready(d *forms, names ...string) object {
	return d.flags(uint64(d.N(1<<32))<<8|uint64(d.N(256)), names...)
}

// person returns the name of a client.
func (s *stock) person(index int) string { return s.names[(index*7+index/names)%names] }
