package imoview

import (
	"fmt"
	"maps"
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// roles are what a client is to the agency.
type roles struct{ tenant, guarantor, buyer, landlord, seller, partner bool }

// roles make a third of the clients tenants and one in twenty a guarantor; the first two see to it that there are some.
func (s *Simulator) roles(index int) roles {
	d := s.dice(s.users, index, 5)
	return roles{
		tenant:    d.Once(3) || index == 0,
		guarantor: d.Once(20) || index == min(1, s.with.Size-1),
		buyer:     d.Once(4),
		landlord:  d.Once(6),
		seller:    d.Once(6),
		partner:   d.Once(50),
	}
}

// listUsers returns all clients, or those that changed since a time.
func (s *Simulator) listUsers(p *params) listing {
	since := p.time("datahorainicialultimaalteracao", withSeconds, withMinutes, dayOnly)
	fit := func(i int) bool { return s.after(usersPath, s.users.Rows[i].Time, since) }
	return listing{rows: s.matching(s.users, "", p, fit, nil), table: s.users, row: s.user}
}

// short tells whether a client's row has few fields, with what is known of people who never rented or bought.
func short(index int) bool { return index%31 == 2 }

// user returns a client. Few of them are short.
func (s *Simulator) user(index int) any {
	t, d, roles := s.users, s.forms(s.users, index), s.roles(index)
	u := object{"codigo": s.codigo(t, index), "nome": s.stock.person(index), "dataultimaalteracao": s.updated(t, index)}
	if short(index) {
		maps.Copy(u, object{"locatario": d.flag(roles.tenant), "fiador": d.flag(roles.guarantor), "datainclusao": d.included()})
		return u
	}
	maps.Copy(u, object{
		"cpfoucnpj": d.some(fmt.Sprintf("%03d.%03d.%03d-%02d", index%1000, d.N(1000), d.N(1000), d.N(100))),
		"telefones": d.some("(31) 9" + strconv.Itoa(8000_0000+index) + " - (31) 3" + strconv.Itoa(200_0000+d.N(700_0000))),
		"email":     d.some([...]string{"cliente" + strconv.Itoa(index) + "@exemplo.com.br", "a@exemplo.com.br b@exemplo.com.br"}[index%2]),
		"endereco":  d.some(sim.Pick(&d.Dice, s.stock.streets) + ", " + strconv.Itoa(d.N(3000))),
		"locatario": d.flag(roles.tenant), "comprador": d.flag(roles.buyer), "locador": d.flag(roles.landlord), "vendedor": d.flag(roles.seller),
		"fiador": d.flag(roles.guarantor), "parceiro": d.flag(roles.partner),
		"quantidadeimoveislocador": d.number(d.N(4)), "quantidadeimoveisvendedor": d.number(d.N(3)),
		"quantidadecontratoslocatario":     d.number(len(s.contractsOf[index])),
		"quantidadeboletosativoslocatario": d.number(int(t.Rows[index].Version)), "datainclusao": d.included(),
	})
	maps.Copy(u, d.flags(uint64(d.N(128)), "senhacadastrada", "emailcadastrado", "temvistoria", "temesteira", "naoexigircpf", "temcashgo",
		"naoexibiravisodesocupacao"))
	maps.Copy(u, object{
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
