package imoview

import (
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// listCatalogue returns all properties, sold and taken back ones too: what of them is on the agency's site, unless all are asked for. Its
// quantidade is known to be too low.
func (s *Simulator) listCatalogue(p *params) listing {
	wanted := situations()[p.choice("situacao", len(situations())-1)]
	l := s.offers(cataloguePath, p, func(i int) bool { return wanted == "" || s.situation(i) == wanted })
	l.fewer = len(l.rows) / 5
	return l
}

// situations returns what situacao stands for; 0 is any.
func situations() []string {
	return []string{"", "Vago/Disponível", "Alugado", "Vendido", "Em reforma", "Em moderação", "Desativado", "Em desocupação"}
}

// situation returns that of a property. One that is in no listing of available ones any more was sold, if it was for sale.
func (s *Simulator) situation(index int) string {
	switch d := s.dice(s.properties, index, 12); {
	case s.properties.Rows[index].State != ended:
		return situations()[[...]int{1, 1, 1, 1, 1, 1, 1, 7, 2, 4}[d.N(10)]]
	case s.offered(index, sale):
		return situations()[3]
	}
	return situations()[6]
}

// offerKeys returns the keys of a property in the catalogue, one for each purpose that it is offered for.
func (s *Simulator) offerKeys(index int) (keys []string) {
	for _, purpose := range []int{rent, sale} {
		if s.offered(index, purpose) {
			keys = append(keys, s.properties.key(index)+","+purposes()[purpose-1].name)
		}
	}
	return keys
}

// detail returns a property with its owners, whatever its situation.
func (s *Simulator) detail(p *params) any {
	code := p.number("codigoimovel")
	index, ok := s.properties.Index(code)
	switch {
	case code == 0:
		p.refuse("Código do imóvel não informado!")
		return nil
	case !ok:
		p.refuse("Imóvel não encontrado!")
		return nil
	}
	purpose := rent
	if !s.offered(index, rent) {
		purpose = sale
	}
	row := s.property(index, shown{purpose: purpose, captors: true, files: true})
	owners := list{}
	for n := range 1 + index%2 {
		owners = append(owners, object{
			"codigo": s.users.code((index + n) % max(1, len(s.users.Rows))), "nome": s.stock.person(index + n), "percentual": "100,00",
			"telefone1": "(31) 98000-0000",
		})
	}
	row["proprietarios"] = owners
	if s.with.BareDetail {
		return row
	}
	return object{"imovel": row}
}

// listPortals returns the portals on which up to 200 properties are advertised. A row does not say which of them it is about.
func (s *Simulator) listPortals(p *params) listing {
	const most = 200
	codes := p.numbers("codigosimoveis")
	switch {
	case len(codes) == 0:
		p.refuse("Códigos dos imóveis não informados!")
	case len(codes) > most:
		p.refuse("Nº de imóveis não pode ser maior que 200!")
	}
	rows := []int{}
	for i := range s.properties.Rows {
		if codes[s.properties.code(i)] {
			rows = append(rows, first(portalsOf(i))...)
		}
	}
	return listing{rows: rows, row: func(portal int) any {
		return object{
			"codigo": portalCode(portal), "nome": "Portal Exemplo " + strconv.Itoa(portal), "situacao": "Publicado",
			"url": "https://portal.example/" + strconv.Itoa(portal) + "?a=1&b=2",
		}
	}}
}

// portalsOf returns how many portals have a property, none to three.
func portalsOf(index int) int { return index % 4 }

func portalCode(portal int) int { return 4 + 3*portal }

func (s *Simulator) portalKeys() (keys []string) {
	for i := range s.properties.Rows {
		for portal := range portalsOf(i) {
			keys = append(keys, s.properties.key(i)+","+strconv.Itoa(portalCode(portal)))
		}
	}
	return keys
}

// summary returns a property as a client's listings have it, of which nothing is documented but that it is there.
func (s *Simulator) summary(index int, situation string) object {
	f, d := s.facts(index), s.forms(s.properties, index)
	at := s.placeOf(s.properties, index)
	return object{
		"codigo": s.codigo(s.properties, index), "resumo": d.some(f.kind.name + ", Rua X, 10"), "tipo": f.kind.name, "situacao": situation,
		"endereco": sim.Pick(&d.Dice, s.stock.streets), "numero": d.of("10", "S/N", ""), "bairro": at.hood, "cidade": at.city, "estado": at.state,
		"valor": d.money(60_000 + d.N(1_000_000)), "administrador": object{"codigo": d.code(7), "nome": "Corretor Exemplo"},
	}
}
