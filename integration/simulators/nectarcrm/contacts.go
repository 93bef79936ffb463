package nectarcrm

import (
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// contact returns a contact, with everything that has been seen in one.
func (s *Simulator) contact(i int, r row) object {
	company, d := s.company(i), s.forms(s.contacts, i, 6)
	row := object{"id": s.contacts.id(i), "codigo": d.some(strconv.Itoa(183_000 + i)), "nome": versioned(s.contactName(i), r)}
	if company {
		row.Add(object{
			"razaoSocial": d.some(s.contactName(i) + " S/A"), "cnpj": d.some(cnpj(i)), "inscricaoEstadual": d.some("ISENTO"),
			"inscricaoMunicipal": d.some("123.456"), "dataFundacao": d.moment(s.spread(d)),
		})
	} else {
		row.Add(object{"cpf": d.some("123.456.789-09"), "rg": d.some("12.345.678-X"), "dataNascimento": d.some("31/12/1980")})
	}
	row["ativo"] = d.flag(i%17 != 5)
	d.flags(row, "blocked", "sigiloso", "integradoRD")
	row.Add(object{
		"empresa": d.flag(company), "isEmpresa": d.flag(company || i%10 == 4),
		"isJuridico": when(i%20 == 3, func() any { return d.flag(company) }),
		"constante":  d.number([...]int{0, 1, 2, 3, 5, 4}[min(d.N(30), 5)]), "dataCriacao": s.created(d, i),
		"dataAtualizacao": s.contacts.changed(i, r), "autor": s.userRef(d), "autorAtualizacao": s.userRef(d), "responsavel": s.userRef(d),
		"tipoEntidade": entry(1, "Empresa"),
		"departamento": list{"Compras", entry(9, "Compras"), sim.Absent}[min(d.N(6), 2)],
	})
	s.classes(row, d)
	s.contactLists(row, d)
	row.Add(object{
		"emails": texts(d.N(3), i, email), "email": d.some(email(i)), "emailPrincipal": d.some(email(i)),
		"telefones": texts(d.N(3), i, phone), "telefone": d.some(phone(i)), "telefonePrincipal": d.some(phone(i)),
	})
	s.related(row, d, i, r)
	s.places(row, d, i, r)
	row.Add(object{
		"site": d.some("www.exemplo.com.br"), "facebook": d.some("facebook.com/exemplo"), "linkedin": d.some("linkedin.com/in/exemplo"),
		"twitter": d.some("@exemplo"), "skype": d.some("exemplo"), "indicadoPor": d.some("Fulano"), "cargo": d.some("Diretor"),
		"observacao": d.note(), "foto": d.some("1-foto.png"), "receitaAnual": d.revenue(),
		"quantidadeFuncionarios": d.number(d.N(500)), "tarefas": d.number(d.N(4)), "compromissos": d.number(d.N(3)),
		"oportunidades": d.number(d.N(3)), "qtdeQualificacoes": d.number(d.N(3)), "diasSemInteracao": d.number(d.N(300)),
	})
	d.custom(row)
	if s.with.Twins && i%7 == 3 {
		row.Put("não documentada", "razaosocial", "email_principal", "responsavel_nome")
	}
	return row
}

// versioned returns a name that says how often what has it changed.
func versioned(name string, r row) string {
	if r.Version == 0 {
		return name
	}
	return name + " v" + strconv.Itoa(int(r.Version))
}

// revenue returns an amount that is absent more often than others, and here and there as people write it.
func (d *forms) revenue() any {
	switch n := d.N(20); {
	case n < 4:
		return sim.Absent
	case n == 4:
		return "R$ 10.000.000,00"
	}
	return d.amount(100 * d.N(10_000_000))
}

// texts returns n texts, from a number on.
func texts(n, from int, text func(int) string) list {
	all := list{}
	for k := range n {
		all = append(all, text(from+k))
	}
	return all
}

// classes are category, origin and segment: a name and an object beside it.
func (s *Simulator) classes(row object, d *forms) {
	class := func(name string, t *table, names []string) {
		switch k := d.N(t.count + 3); {
		case k == t.count:
			row[name+"Object"] = object{}
		case k < t.count:
			row[name], row[name+"Object"] = named(names, k), entry(t.id(k), named(names, k))
			if d.Once(25) { // the object that it is elsewhere
				row[name] = d.entry(t.id(k), named(names, k))
			}
			if name == "categoria" {
				row[name+"Object"] = d.entry(t.id(k), named(names, k))
			}
		}
	}
	class("categoria", s.lists["categorias"], categories())
	class("origem", s.lists["origens"], origins())
	class("segmento", s.lists["segmentos"], segments())
}

// contactLists are the tags: objects, some without an id, or texts.
func (s *Simulator) contactLists(row object, d *forms) {
	switch d.N(8) {
	case 0:
		row["lista"], row["listas"] = "Lista 1", list{"Lista 1", "Lista 2"}
	case 1, 2, 3:
		row["listas"] = list{}
	default:
		row["listas"] = several(1+d.N(2), func(k int) object {
			if k == 0 {
				return entry(s.lists["listas"].id(k), named(tags(), k))
			}
			return object{"nome": named(tags(), k)}
		})
	}
}

// related are the contacts above and below.
func (s *Simulator) related(row object, d *forms, i int, r row) {
	above := func(k int) any {
		switch d.N(4) {
		case 0:
			return object{}
		case 1:
			return sim.Absent
		}
		o := object{"id": s.relative(i, k), "nome": "Holding " + strconv.Itoa(i), "razaoSocial": d.some("Holding S/A"), "cnpj": "ISENTO"}
		if !d.Once(9) {
			o["cnpj"] = d.some(cnpj(i + k))
		}
		o.Add(object{
			"email": d.some(email(i)), "emailPrincipal": d.some(email(i)), "emails": list{"a@exemplo.com.br", "b@exemplo.com.br"},
			"telefones": d.of(list{}, list{"(11) 90000-0000"}), "empresa": d.flag(d.Once(2)), "isEmpresa": d.flag(d.Once(2)),
			"diasSemInteracao": d.number(d.N(90)),
		})
		return o.Present()
	}
	row["contatoPai"], row["empresaAtual"] = above(5), above(6)
	row["contatos"] = d.inner(s.people(i, r), func(k int) object {
		return object{
			"id": s.relative(i, 1+k), "nome": "Pessoa " + strconv.Itoa(k), "cargo": d.some("Diretor"), "email": d.some(email(k)),
			"emailPrincipal": d.some(email(k)), "emails": d.once(4, list{"p@exemplo.com.br"}), "diasSemInteracao": d.number(d.N(90)),
		}
	})
	link := func(n int) any {
		if n == 0 && d.Once(2) {
			return sim.Absent
		}
		return several(n, func(k int) object {
			return object{
				"contato": object{"id": s.contacts.id(i)}, "empresa": object{"id": s.relative(i, 5+k)}, "empresaPrincipal": d.flag(k == 0),
				"dataAtualizacao": when(!d.Once(6), func() any { return d.moment(s.spread(d)) }),
			}
		})
	}
	row["contatosPai"], row["empresasAtuais"] = link(s.parents(i, r)), link(s.employers(i, r))
}

// places are where a contact lives or works.
func (s *Simulator) places(row object, d *forms, i int, r row) {
	country, state := entry(1, "Brasil"), object{"id": 2, "nome": "São Paulo", "sigla": "SP"}
	city := object{
		"id": 3, "nome": "São Paulo", "estado": state, "latitude": -23.55, "longitude": -46.63, "codigoUnidadeGeografica": 35,
		"codigoMunicipioIbge": 3550308, "isCapital": true,
	}
	either := func(n int, text string) any { // now and then as a number
		if d.Once(15) {
			return n
		}
		return d.some(text)
	}
	row["enderecos"] = d.inner(s.addresses(i, r), func(k int) object {
		return object{
			"id": addressID(i, k), "cep": d.some("01000-000"), "tipo": either(2, "Comercial/Matriz"), "principal": d.flag(k == 0),
			"bairro": d.some("Centro"), "logradouro": d.some("Rua Exemplo"), "endereco": d.some("Rua Exemplo, 1, Centro - São Paulo"),
			"numero": either(10+k, "10 A"), "complemento": d.some(`sala "1"`), "estado": d.some("São Paulo"), "estadoObject": state,
			"pais": d.some("Brasil"), "paisObject": country, "municipio": d.some("São Paulo"), "municipioObject": city,
			"codigoMunicipioIbge": d.number(3_550_308), "searchByCep": d.flag(d.Once(2)),
		}
	})
	row["regiaoPais"] = object{}
	if !d.Once(3) {
		row["regiaoPais"], row["regiaoMunicipio"] = country, city
		row["regiaoEstado"] = object{"id": 2, "nome": "São Paulo", "sigla": "SP", "pais": country}
	}
}
