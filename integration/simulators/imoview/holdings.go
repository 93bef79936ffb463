package imoview

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// holding is what a client of some role has: rows by their numbers, each with a code of its own among the client's.
type holding struct {
	clients []int
	of      func(client int) []int
	code    func(n int) int
	row     func(n int) any
}

// holdings returns the lists of clients of which nothing but their paths is documented, by the connector's streams. The caller holds data.
func (s *Simulator) holdings() map[string]holding {
	property := func(clients []int, of func(client int) []int, situation string) holding {
		return holding{clients, of, s.properties.code, func(n int) any { return s.summary(n, situation) }}
	}
	bill := func(paid bool) holding {
		return holding{
			s.clients[tenant], func(client int) []int { return s.billsOf(client, paid) }, func(n int) int { return billCode(n, paid) },
			func(n int) any { return s.billOf(n, paid) },
		}
	}
	return map[string]holding{
		"tenant_open_bills":   bill(false),
		"tenant_paid_bills":   bill(true),
		"tenant_properties":   property(s.clients[tenant], s.rentedBy, "Alugado"),
		"landlord_properties": property(s.clients[landlord], func(client int) []int { return s.ownedBy(client, landlord, rent) }, "Alugado"),
		"seller_properties":   property(s.clients[seller], func(client int) []int { return s.ownedBy(client, seller, sale) }, "Vago/Disponível"),
		"buyer_deals":         {s.clients[buyer], dealsOf, func(n int) int { return 60_000 + n }, s.deal},
	}
}

// held lists what a stream of holdings has.
func (s *Simulator) held(stream string) func(p *params) listing {
	return func(p *params) listing { return s.listHeld(p, stream) }
}

// listOwned returns a landlord's properties, in the situation that is asked for: 0 is any.
func (s *Simulator) listOwned(p *params) listing {
	p.absent("situacao")
	return s.listHeld(p, "landlord_properties")
}

// listHeld returns what a client has, if it has the role for it.
func (s *Simulator) listHeld(p *params, stream string) listing {
	code, index := s.client(p)
	h := s.holdings()[stream]
	l := listing{rows: []int{}, client: code, row: h.row}
	if slices.Contains(h.clients, index) {
		l.rows = h.of(index)
	}
	return l
}

func (s *Simulator) holdingKeys(h holding) (keys []string) {
	for _, client := range h.clients {
		for _, n := range h.of(client) {
			keys = append(keys, s.users.key(client)+","+strconv.Itoa(h.code(n)))
		}
	}
	return keys
}

// leased returns the property that a contract is about.
func (s *Simulator) leased(contract int) int {
	return s.dice(s.contracts, contract, 11).N(len(s.properties.Rows))
}

// rentedBy returns the properties of a tenant's contracts.
func (s *Simulator) rentedBy(client int) []int {
	found := map[int]bool{}
	for _, contract := range s.contractsOf[client] {
		found[s.leased(contract)] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// ownedBy returns the properties of a client of a role that are offered for a purpose: every so many belong to one of them.
func (s *Simulator) ownedBy(client, role, purpose int) (rows []int) {
	owners := s.clients[role]
	for i := slices.Index(owners, client); i < len(s.properties.Rows); i += len(owners) {
		if s.offered(i, purpose) {
			rows = append(rows, i)
		}
	}
	return rows
}

// How bills are numbered: those of contract c are perContract·c, and up.
const perContract = 8

// billsOf returns the bills of a tenant's contracts: none to three that are open, or none to six that were paid.
func (s *Simulator) billsOf(client int, paid bool) (rows []int) {
	for _, contract := range s.contractsOf[client] {
		n := contract % 4
		if paid {
			n = contract % 7
		}
		for i := range n {
			rows = append(rows, perContract*contract+i)
		}
	}
	return rows
}

func billCode(n int, paid bool) int {
	if paid {
		return 400_000 + n
	}
	return 300_000 + n
}

// billOf returns a bill. What it has is not documented: some of it is called as in movements, some is not.
func (s *Simulator) billOf(n int, paid bool) any {
	d := forms{*s.dice(s.contracts, n, 13)}
	due := date(2025) + int64(d.N(365))*day
	row := object{
		"codigo": billCode(n, paid), "codigocontratoaluguel": d.code(s.contracts.code(n / perContract)), "numerodocumento": d.some(strconv.Itoa(100 + n)),
		"datavencimento": d.date(due), "historico": "Aluguel " + time.Unix(due, 0).UTC().Format("01/2006"), "valor": d.money(50_000 + d.N(500_000)),
		"linhadigitavel": d.some("00190.00009 01234.567890 12345.678901 2 00000000150000"), "multa": d.money(0), "juros": "0,00",
		"itens": list{object{"descricao": "Aluguel", "valor": "R$ 1.500,00"}},
	}
	if paid {
		row["datapagamento"] = d.date(due + int64(d.N(10))*day)
	}
	return row
}

// dealsOf returns a buyer's, none to two.
func dealsOf(client int) (rows []int) {
	for i := range client % 3 {
		rows = append(rows, 3*client+i)
	}
	return rows
}

func (s *Simulator) deal(n int) any {
	d := forms{*s.dice(s.users, n, 14)}
	return object{
		"codigo": 60_000 + n, "codigoimovel": d.code(s.properties.code(d.N(len(s.properties.Rows)))), "situacao": d.of("Fechado", "Em andamento"),
		"valornegocio": json.Number(fmt.Sprintf("%d.50", 100_000+d.N(900_000))), "datanegocio": d.date(date(2024) + int64(d.N(365))*day),
		"corretores": list{object{"codigo": 7, "nome": "Corretor Exemplo", "percentual": "50,00"}}, "comissao": d.of("6,00%", ""),
	}
}

// listPeople returns the natural persons of the CRM, who have no time of change, and whom nobody changes.
func (s *Simulator) listPeople(*params) listing {
	return listing{rows: first(max(30, s.with.Size/10)), row: func(i int) any {
		d := forms{sim.Dice(i) ^ 0x9e0}
		return object{
			"codigo": 70_001 + 2*i, "nome": s.stock.person(i), "telefone": d.some("(31) 9" + strconv.Itoa(8000_0000+i)),
			"email1": d.some("pessoa" + strconv.Itoa(i) + "@exemplo.com.br"), "datanascimento": d.date(date(1980) + int64(i)*day),
			"enderecos": list{object{"logradouro": "Rua X", "numero": "10"}},
		}
	}}
}

// teamParams returns those that the users and brokers are asked for by, 0 where it does not matter: without them there is no such method.
func teamParams() []string { return []string{"finalidade", "codigounidade", "codigoequipe"} }

// staff is how many users the CRM has: more than a page of lists that have pages.
const staff = 73

// listStaff returns the users of the CRM, the one of the login among them.
func (s *Simulator) listStaff(p *params) listing {
	p.absent(teamParams()...)
	return listing{rows: first(staff), row: func(i int) any {
		return object{
			"codigo": 1 + i, "nome": s.stock.person(i), "email": "usuario" + strconv.Itoa(i) + "@imobiliaria.example", "perfil": "Corretor",
			"ativo": i%7 != 3,
		}
	}}
}

// listBrokers returns those of the users who are brokers, as all are here.
func (s *Simulator) listBrokers(p *params) listing {
	p.absent(teamParams()...)
	return listing{rows: first(staff), row: func(i int) any {
		return object{
			"codigo": 1 + i, "nome": s.stock.person(i), "telefone": "(31) 3333-" + strconv.Itoa(1000+i), "creci": "MG " + strconv.Itoa(10_000+i),
			"equipe": object{"codigo": 1, "nome": "Equipe Exemplo"},
		}
	}}
}
