package nectarcrm

import "strconv"

// contact writes a contact, with everything that has been seen in one.
func (s *Simulator) contact(w *writer, i int, r row) {
	company := s.company(i)
	w.d = s.dice(s.contacts, i, 6)
	w.Raw("{")
	w.Int("id", s.contacts.id(i))
	w.some("codigo", strconv.Itoa(183_000+i))
	name := s.contactName(i)
	if r.version > 0 {
		name += " v" + strconv.Itoa(int(r.version))
	}
	w.Text("nome", name)
	if company {
		w.some("razaoSocial", s.contactName(i)+" S/A")
		w.some("cnpj", cnpj(i))
		w.some("inscricaoEstadual", "ISENTO")
		w.some("inscricaoMunicipal", "123.456")
		w.moment("dataFundacao", s.spread(w))
	} else {
		w.some("cpf", "123.456.789-09")
		w.some("rg", "12.345.678-X")
		w.some("dataNascimento", "31/12/1980")
	}
	w.flag("ativo", i%17 != 5)
	w.flags("blocked", "sigiloso", "integradoRD")
	w.flag("empresa", company)
	w.flag("isEmpresa", company || i%10 == 4)
	if i%20 == 3 {
		w.flag("isJuridico", company)
	}
	w.number("constante", [...]int{0, 1, 2, 3, 5, 4}[min(w.d.N(30), 5)])
	s.created(w, i)
	s.contacts.changed(w, "dataAtualizacao", i, r)
	s.userRef(w, "autor")
	s.userRef(w, "autorAtualizacao")
	s.userRef(w, "responsavel")
	switch w.d.N(6) {
	case 0:
		w.Text("departamento", "Compras")
	case 1:
		w.entry("departamento", 9, "Compras", false)
	}
	s.classes(w)
	w.entry("tipoEntidade", 1, "Empresa", false)
	s.contactLists(w)
	s.reach(w, i)
	s.related(w, i, r)
	s.places(w, i, r)
	w.some("site", "www.exemplo.com.br")
	w.some("facebook", "facebook.com/exemplo")
	w.some("linkedin", "linkedin.com/in/exemplo")
	w.some("twitter", "@exemplo")
	w.some("skype", "exemplo")
	w.some("indicadoPor", "Fulano")
	w.some("cargo", "Diretor")
	w.note("observacao")
	w.some("foto", "1-foto.png")
	switch w.d.N(20) {
	case 0, 1, 2, 3:
	case 4:
		w.Text("receitaAnual", "R$ 10.000.000,00")
	default:
		w.amount("receitaAnual", 100*w.d.N(10_000_000))
	}
	w.number("quantidadeFuncionarios", w.d.N(500))
	w.number("tarefas", w.d.N(4))
	w.number("compromissos", w.d.N(3))
	w.number("oportunidades", w.d.N(3))
	w.number("qtdeQualificacoes", w.d.N(3))
	w.number("diasSemInteracao", w.d.N(300))
	w.custom()
	if s.with.Twins && i%7 == 3 {
		w.Text("razaosocial", "não documentada")
		w.Text("email_principal", "não documentada")
		w.Text("responsavel_nome", "não documentada")
	}
	w.Raw("}")
}

// classes are category, origin and segment: a name and an object beside it.
func (s *Simulator) classes(w *writer) {
	class := func(name string, t *table, names []string) {
		k := w.d.N(t.count + 3)
		if k >= t.count {
			if k == t.count {
				w.Is(name+"Object", "{}")
			}
			return
		}
		w.either(name, t.id(k), named(names, k))
		w.entry(name+"Object", t.id(k), named(names, k), name == "categoria")
	}
	class("categoria", s.lists["categorias"], categories())
	class("origem", s.lists["origens"], origins())
	class("segmento", s.lists["segmentos"], segments())
}

// contactLists are the tags: objects, some without an id, or texts.
func (s *Simulator) contactLists(w *writer) {
	switch w.d.N(8) {
	case 0:
		w.Text("lista", "Lista 1")
		w.Is("listas", `["Lista 1","Lista 2"]`)
	case 1, 2, 3:
		w.Is("listas", "[]")
	default:
		w.array("listas", 1+w.d.N(2), func(k int) {
			if k == 0 {
				w.Int("id", s.lists["listas"].id(k))
			}
			w.Text("nome", named(tags(), k))
		})
	}
}

// reach is how a contact can be reached.
func (s *Simulator) reach(w *writer, i int) {
	several := func(name string, n int, value func(int) string) {
		w.Name(name)
		w.Raw("[")
		for k := range n {
			w.Next()
			w.Quote(value(i + k))
		}
		w.Raw("]")
	}
	several("emails", w.d.N(3), email)
	w.some("email", email(i))
	w.some("emailPrincipal", email(i))
	several("telefones", w.d.N(3), phone)
	w.some("telefone", phone(i))
	w.some("telefonePrincipal", phone(i))
}

// related are the contacts above and below.
func (s *Simulator) related(w *writer, i int, r row) {
	above := func(name string, k int) {
		switch w.d.N(4) {
		case 0:
			w.Is(name, "{}")
		case 1:
		default:
			w.object(name, func() {
				w.Int("id", s.relative(i, k))
				w.Text("nome", "Holding "+strconv.Itoa(i))
				w.some("razaoSocial", "Holding S/A")
				if w.d.Once(9) {
					w.Text("cnpj", "ISENTO")
				} else {
					w.some("cnpj", cnpj(i+k))
				}
				w.some("email", email(i))
				w.some("emailPrincipal", email(i))
				w.Is("emails", `["a@exemplo.com.br","b@exemplo.com.br"]`)
				w.Is("telefones", [...]string{"[]", `["(11) 90000-0000"]`}[w.d.N(2)])
				w.flags("empresa", "isEmpresa")
				w.number("diasSemInteracao", w.d.N(90))
			})
		}
	}
	above("contatoPai", 5)
	above("empresaAtual", 6)
	if n := s.people(i, r); n > 0 || w.d.Once(2) {
		w.array("contatos", n, func(k int) {
			w.Int("id", s.relative(i, 1+k))
			w.Text("nome", "Pessoa "+strconv.Itoa(k))
			w.some("cargo", "Diretor")
			w.some("email", email(k))
			w.some("emailPrincipal", email(k))
			if w.d.Once(4) {
				w.Is("emails", `["p@exemplo.com.br"]`)
			}
			w.number("diasSemInteracao", w.d.N(90))
		})
	}
	link := func(name string, n int) {
		if n == 0 && w.d.Once(2) {
			return
		}
		w.array(name, n, func(k int) {
			w.object("contato", func() { w.Int("id", s.contacts.id(i)) })
			w.object("empresa", func() { w.Int("id", s.relative(i, 5+k)) })
			w.flag("empresaPrincipal", k == 0)
			if !w.d.Once(6) {
				w.moment("dataAtualizacao", s.spread(w))
			}
		})
	}
	link("contatosPai", s.parents(i))
	link("empresasAtuais", s.employers(i))
}

// places are where a contact lives or works.
func (s *Simulator) places(w *writer, i int, r row) {
	const state = `{"id":2,"nome":"São Paulo","sigla":"SP"}`
	const city = `{"id":3,"nome":"São Paulo","estado":` + state + `,"latitude":-23.55,"longitude":-46.63,"codigoUnidadeGeografica":35,` +
		`"codigoMunicipioIbge":3550308,"isCapital":true}`
	if n := s.addresses(i, r); n > 0 || w.d.Once(2) {
		w.array("enderecos", n, func(k int) {
			w.Int("id", addressID(i, k))
			w.some("cep", "01000-000")
			if w.d.Once(15) {
				w.Int("tipo", 2)
			} else {
				w.some("tipo", "Comercial/Matriz")
			}
			w.flag("principal", k == 0)
			w.some("bairro", "Centro")
			w.some("logradouro", "Rua Exemplo")
			w.some("endereco", "Rua Exemplo, 1, Centro - São Paulo")
			if w.d.Once(15) {
				w.Int("numero", 10+k)
			} else {
				w.some("numero", "10 A")
			}
			w.some("complemento", "sala \"1\"")
			w.some("estado", "São Paulo")
			w.Is("estadoObject", state)
			w.some("pais", "Brasil")
			w.Is("paisObject", `{"id":1,"nome":"Brasil"}`)
			w.some("municipio", "São Paulo")
			w.Is("municipioObject", city)
			w.number("codigoMunicipioIbge", 3_550_308)
			w.flag("searchByCep", w.d.Once(2))
		})
	}
	if w.d.Once(3) {
		w.Is("regiaoPais", "{}")
		return
	}
	w.Is("regiaoPais", `{"id":1,"nome":"Brasil"}`)
	w.Is("regiaoEstado", `{"id":2,"nome":"São Paulo","sigla":"SP","pais":{"id":1,"nome":"Brasil"}}`)
	w.Is("regiaoMunicipio", city)
}
