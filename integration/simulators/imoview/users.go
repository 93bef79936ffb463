package imoview

import (
	"fmt"
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

// listUsers are all clients, or those that changed since a time.
func (s *Simulator) listUsers(p *params) listing {
	since := p.time("datahorainicialultimaalteracao", withSeconds, withMinutes, dayOnly)
	fit := func(i int) bool { return s.after(usersPath, s.users.rows[i].time, since) }
	return listing{rows: s.matching(s.users, p, fit, nil), write: s.user}
}

// user writes a client. Few of them are short, with what is known of people who never rented or bought.
func (s *Simulator) user(w *writer, index int) {
	t := s.users
	w.d = s.dice(t, index, 6)
	roles := s.roles(index)
	tenant := int32(index)
	r := t.rows[index]
	short := index%31 == 2
	w.Raw("{")
	s.codigo(w, t, index)
	w.Text("nome", s.stock.person(index))
	if !short {
		w.some("cpfoucnpj", fmt.Sprintf("%03d.%03d.%03d-%02d", index%1000, w.d.N(1000), w.d.N(1000), w.d.N(100)))
		w.some("telefones", "(31) 9"+strconv.Itoa(8000_0000+index)+" - (31) 3"+strconv.Itoa(200_0000+w.d.N(700_0000)))
		w.some("email", [...]string{"cliente" + strconv.Itoa(index) + "@exemplo.com.br", "a@exemplo.com.br b@exemplo.com.br"}[index%2])
		w.some("endereco", sim.Pick(&w.d, s.stock.streets)+", "+strconv.Itoa(w.d.N(3000)))
	}
	w.flag("locatario", roles.tenant)
	if !short {
		w.flag("comprador", roles.buyer)
		w.flag("locador", roles.landlord)
		w.flag("vendedor", roles.seller)
	}
	w.flag("fiador", roles.guarantor)
	if !short {
		w.flag("parceiro", roles.partner)
		w.number("quantidadeimoveislocador", w.d.N(4))
		w.number("quantidadeimoveisvendedor", w.d.N(3))
		w.number("quantidadecontratoslocatario", len(s.contractsOf[tenant]))
		w.number("quantidadeboletosativoslocatario", int(r.version))
	}
	s.included(w, "datainclusao")
	s.updated(w, "dataultimaalteracao", t, index)
	if !short {
		w.flags(uint64(w.d.N(128)), "senhacadastrada", "emailcadastrado", "temvistoria", "temesteira", "naoexigircpf", "temcashgo",
			"naoexibiravisodesocupacao")
		w.Is("anosdisponiveis", [...]string{"[]", "[2024,2025]", `["2023","2024"]`, "null"}[w.d.N(4)])
		w.number("diasminimoavisodesocupacao", 30*w.d.N(3))
		w.Is("whatsappbotiniciarConversa", [...]string{"true", "false", `"https://wa.me/5531900000000"`, "null", `""`}[w.d.N(5)])
	}
	w.Raw("}")
}

// codigo is a row's own code.
func (s *Simulator) codigo(w *writer, t *table, index int) {
	if s.with.CodeText && index%10 == 4 {
		w.quoted("codigo", t.code(index))
		return
	}
	w.Int("codigo", t.code(index))
}

// included is when a row was made: in any year since 2008, so that some times lie in a summer time, and some days began at 01:00.
func (s *Simulator) included(w *writer, name string) {
	w.moment(name, date(2008)+int64(w.d.N(15*365*day)))
}

// updated is when a row was changed.
func (s *Simulator) updated(w *writer, name string, t *table, index int) {
	at, f := t.written(index)
	w.stamp(name, at, f)
}

// listCompanies are those of the CRM. They have no time of change, and nobody changes them.
func (s *Simulator) listCompanies(*params) listing {
	return listing{rows: first(len(s.companyKeys())), write: func(w *writer, i int) {
		w.d = sim.Dice(i)
		w.Raw("{")
		w.Int("codigo", 300+i)
		w.Text("nome", s.stock.person(i)+" Ltda.")
		w.some("telefone", "(31) 3333-"+strconv.Itoa(1000+i%9000))
		w.some("email1", "empresa"+strconv.Itoa(i)+"@exemplo.com.br")
		w.Raw("}")
	}}
}

func (s *Simulator) companyKeys() (keys []string) {
	for i := range max(25, s.with.Size/50) {
		keys = append(keys, strconv.Itoa(300+i))
	}
	return keys
}
