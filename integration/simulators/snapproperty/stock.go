package snapproperty

import "fmt"

// named is an object that others refer to by its name.
type named struct{ id, name string }

// hood is a neighbourhood and the index of its city.
type hood struct {
	named
	city int
}

// stock are the parts that properties are made of.
type stock struct {
	cities, condominiums, kinds, uses []named
	hoods                             []hood
	streets, texts, situations        []string
}

func newStock() *stock {
	list := func(prefix string, base int, names ...string) (all []named) {
		for i, name := range names {
			all = append(all, named{salesforceID(prefix, base+i*5), name})
		}
		return all
	}
	s := &stock{
		cities: list(placePrefix, 1000, "São Paulo", "Natal", "Goiânia", "Florianópolis", "Santa Bárbara d'Oeste", "Brasília", "Rio de Janeiro",
			"Maceió", "Belém", "Vitória", "Cuiabá", "Curitiba"),
		kinds: list(kindPrefix, 50, "Apartamento", "Casa", "Box", "Clube", "Sala", "Galpão", "Terreno", "Cobertura", "Kitnet"),
		uses:  list(usePrefix, 7, "Residencial", "Comercial", "Industrial", "Temporada"),
		streets: []string{
			"Rua T-38", "Avenida Paulista", "Rua São João", "Alameda das Acácias", `Rua "Velha"`, "Praça Sant'Ana", "Rod. BR-040, km 5",
		},
		texts: []string{
			"Texto", "Ótimo imóvel, ensolarado.\nPróximo ao metrô.\t2 vagas \"livres\".",
			`Condição especial à vista \o/ <b>10%</b> & brindes`, "Reformado em 2024 🏠",
			"Imóvel amplo, arejado e bem localizado, com acabamento de primeira, lazer completo e vista definitiva para a serra.\r\nAceita permuta.",
		},
		situations: []string{"Disponível", "Indisponível", "Contrato gerado", "Aguardando aprovação"},
	}
	for i := range 60 {
		name := fmt.Sprintf("Bairro Exemplo %d", i)
		if i == 0 {
			name = "Bela Vista"
		}
		s.hoods = append(s.hoods, hood{named{salesforceID(placePrefix, 5000+i*3), name}, i % len(s.cities)})
	}
	for i := range 40 {
		name := fmt.Sprintf("Condomínio Exemplo %d", i)
		if i == 0 {
			name = "Residencial nova alvorada paulista"
		}
		s.condominiums = append(s.condominiums, named{salesforceID(placePrefix, 90_000+i), name})
	}
	return s
}
