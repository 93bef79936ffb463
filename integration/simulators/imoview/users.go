package imoview

import (
	"fmt"
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// What a client may be to the agency. Of a client whose row is short nothing is told behind guarantor.
const (
	tenant = iota
	guarantor
	buyer
	landlord
	seller
	partner
)

// roles make a third of the clients tenants and one in twenty a guarantor; the first two see to it that there are some.
func (s *Simulator) roles(index int) (has [partner + 1]bool) {
	d := s.dice(s.users, index, 5)
	for role, in := range [...]int{tenant: 3, guarantor: 20, buyer: 4, landlord: 6, seller: 6, partner: 50} {
		has[role] = d.Once(in)
	}
	has[tenant] = has[tenant] || index == 0
	has[guarantor] = has[guarantor] || index == min(1, s.with.Size-1)
	return has
}

// listUsers returns all clients, or those that changed since a time.
func (s *Simulator) listUsers(p *params) listing {
	since := p.time("datahorainicialultimaalteracao", withSeconds, withMinutes, dayOnly)
	fit := func(i int) bool { return s.changedWithin(usersPath, s.users.Rows[i].Time, since, 0) }
	return listing{rows: s.matching(s.users, "", p, fit, nil), table: s.users, row: s.user}
}

// short tells whether a client's row has few fields, with what is known of people who never rented or bought.
func short(index int) bool { return index%31 == 2 }

// user returns a client. Few of them are short.
func (s *Simulator) user(index int) any {
	t, d, has := s.users, s.forms(s.users, index), s.roles(index)
	u := object{"codigo": s.codigo(t, index), "nome": s.stock.person(index), "dataultimaalteracao": s.updated(t, index)}
	if short(index) {
		u.Add(object{"locatario": d.flag(has[tenant]), "fiador": d.flag(has[guarantor]), "datainclusao": d.included()})
		return u
	}
	u.Add(object{
		"cpfoucnpj": d.some(fmt.Sprintf("%03d.%03d.%03d-%02d", index%1000, d.N(1000), d.N(1000), d.N(100))),
		"telefones": d.some("(31) 9" + strconv.Itoa(8000_0000+index) + " - (31) 3" + strconv.Itoa(200_0000+d.N(700_0000))),
		"email":     d.some([...]string{"cliente" + strconv.Itoa(index) + "@exemplo.com.br", "a@exemplo.com.br b@exemplo.com.br"}[index%2]),
		"endereco":  d.some(sim.Pick(&d.Dice, s.stock.streets) + ", " + strconv.Itoa(d.N(3000))),
		"locatario": d.flag(has[tenant]), "comprador": d.flag(has[buyer]), "locador": d.flag(has[landlord]), "vendedor": d.flag(has[seller]),
		"fiador": d.flag(has[guarantor]), "parceiro": d.flag(has[partner]),
		"quantidadeimoveislocador": d.number(d.N(4)), "quantidadeimoveisvendedor": d.number(d.N(3)),
		"quantidadecontratoslocatario":     d.number(len(s.contractsOf[index])),
		"quantidadeboletosativoslocatario": d.number(int(t.Rows[index].Version)), "datainclusao": d.included(),
	})
	u.Add(d.flags(uint64(d.N(128)), "senhacadastrada", "emailcadastrado", "temvistoria", "temesteira", "naoexigircpf", "temcashgo",
		"naoexibiravisodesocupacao"))
	u.Add(object{
		"anosdisponiveis":            d.of(list{}, list{2024, 2025}, list{"2023", "2024"}, nil),
		"diasminimoavisodesocupacao": d.number(30 * d.N(3)),
		"whatsappbotiniciarConversa": d.of(true, false, "https://wa.me/5531900000000", nil, ""),
	})
	return u
}

// codigo returns a row's own code.
func (s *Simulator) codigo(t *table, index int) any {
	if s.with.CodeText && index%10 == 4 {
		return strconv.Itoa(t.code(index))
	}
	return t.code(index)
}

// updated returns when a row was changed.
func (s *Simulator) updated(t *table, index int) string { return clock(t.written(index)) }

// listCompanies returns those of the CRM. They have no time of change, and nobody changes them.
func (s *Simulator) listCompanies(*params) listing {
	return listing{rows: first(max(25, s.with.Size/50)), row: func(i int) any {
		d := forms{sim.Dice(i)}
		return object{
			"codigo": 300 + i, "nome": s.stock.person(i) + " Ltda.", "telefone": d.some("(31) 3333-" + strconv.Itoa(1000+i%9000)),
			"email1": d.some("empresa" + strconv.Itoa(i) + "@exemplo.com.br"),
		}
	}}
}
