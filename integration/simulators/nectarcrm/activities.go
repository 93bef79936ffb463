package nectarcrm

import "strconv"

// lead writes a qualification.
func (s *Simulator) lead(w *writer, i int, r row) {
	w.d = s.dice(s.leads, i, 6)
	w.raw("{")
	w.id("id", s.leads.id(i))
	w.some("codigo", "Q"+strconv.Itoa(i))
	w.text("nome", "Qualificação "+strconv.Itoa(i)+" v"+strconv.Itoa(int(r.version)))
	w.id("status", int(r.status))
	s.clientRef(w, s.client(&w.d))
	s.userRef(w, "autor")
	s.userRef(w, "autorAtualizacao")
	if r.status > 2 {
		s.userRef(w, "autorConclusao")
		w.moment("dataConclusao", s.spread(w))
	}
	s.userRef(w, "responsavel")
	s.pipelineRef(w, 2+3*w.d.n(3)) // the second kind of funnel
	s.created(w, i)
	s.leads.changed(w, "dataAtualizacao", i, r)
	w.moment("dataLimite", s.spread(w))
	if r.status == 5 {
		w.moment("dataConversao", s.spread(w))
	}
	w.is("compromisso", [...]string{"{}", `{"id":610005,"assunto":"Reunião"}`}[w.d.n(2)])
	w.number("compromissos", w.d.n(3))
	w.number("tarefas", w.d.n(3))
	w.number("tarefasAbertas", w.d.n(3))
	w.flags("handRaised")
	w.is("listas", [...]string{"[]", `[{"nome":"Feira 2024"}]`}[w.d.n(2)])
	w.custom()
	w.is("camposListagem", [...]string{"[]", `[{"label":"Cor Favorita","value":"Azul"},{"label":"Renda","value":"10"}]`}[w.d.n(2)])
	w.raw("}")
}

// task writes a task; every sixth is a call.
func (s *Simulator) task(w *writer, i int, r row) {
	w.d = s.dice(s.tasks, i, 6)
	w.raw("{")
	w.id("id", s.tasks.id(i))
	w.text("titulo", "Tarefa "+strconv.Itoa(i)+" v"+strconv.Itoa(int(r.version)))
	w.note("descricao")
	w.number("status", w.d.n(4))
	w.number("prioridade", w.d.n(3))
	kind := w.d.n(6)
	w.id("tipo", min(kind, 4))
	w.object("tarefaTipo", func() {
		w.id("id", 1+kind)
		w.text("nome", "Tarefa")
		w.flag("ativo", true)
		w.number("natureza", kind%2)
	})
	if w.d.once(2) {
		w.entry("checklist", 5, "Entrada de cliente", false)
	}
	s.clientRef(w, s.client(&w.d))
	if o := w.d.n(s.opportunities.count); w.d.once(2) {
		w.entry("oportunidade", s.opportunities.id(o), s.opportunityName(o), false)
	}
	s.userRef(w, "responsavel")
	s.userRef(w, "autor")
	s.userRef(w, "autorAtualizacao")
	w.moment("dataLimite", s.spread(w))
	s.created(w, i)
	s.tasks.changed(w, "dataAtualizacao", i, r)
	if w.d.once(3) {
		w.object("modeloTarefa", func() {
			w.id("id", 41)
			w.text("titulo", "Modelo")
			w.is("tarefaTipo", `{"id":1,"nome":"Tarefa","ativo":true,"natureza":0}`)
			w.flag("blockFieldsEdit", true)
		})
	}
	if kind == 1 {
		w.flags("atendida")
		w.moment("dataInicio", s.spread(w))
		w.moment("dataFim", s.spread(w))
		w.entry([...]string{"contatoQuemAtendeu", "quemAtendeu"}[w.d.n(2)], s.contacts.id(0), s.contactName(0), false)
		w.some("telefone", phone(i))
		w.number("classificacao", 1+w.d.n(5))
		w.some("justificativa", "Caixa postal")
		w.entry("tipoLigacao", 751, "Prospecção", false)
		w.some("resultadoLigacao", "Não atendeu")
	}
	if w.d.once(4) {
		w.custom()
		w.is("modeloFormulario", `{"id":1,"nome":"First form"}`)
	}
	w.raw("}")
}

// appointment writes an appointment with those who take part.
func (s *Simulator) appointment(w *writer, i int, r row) {
	w.d = s.dice(s.appointments, i, 6)
	w.raw("{")
	w.id("id", s.appointments.id(i))
	w.text("assunto", "Reunião "+strconv.Itoa(i)+" v"+strconv.Itoa(int(r.version)))
	w.note("descricao")
	w.some("local", "Sala 2")
	w.some("endereco", "Rua 07, 394  Setor Europa - São Paulo")
	w.some("feedback", "Foi bem")
	if w.d.once(3) {
		w.is("latitude", "-23.5505199")
		w.is("longitude", "-46.6333094")
	}
	w.flags("diaInteiro", "notificarParticipantes")
	w.number("status", w.d.n(4))
	start := s.spread(w)
	w.moment("dataInicio", start)
	w.moment("dataFim", start+3_600_000)
	s.created(w, i)
	s.appointments.changed(w, "dataAtualizacao", i, r)
	if w.d.once(3) {
		w.moment("dataFeedback", start+7_200_000)
		s.userRef(w, "autorFeedback")
	}
	s.userRef(w, "autor")
	s.userRef(w, "autorAtualizacao")
	s.userRef(w, "responsavel")
	s.clientRef(w, s.client(&w.d))
	if o := w.d.n(s.opportunities.count); !w.d.once(4) {
		w.object("oportunidade", func() {
			w.id("id", s.opportunities.id(o))
			w.text("nome", s.opportunityName(o))
			w.is("funilVenda", [...]string{"{}", `{"id":1,"nome":"Funil de venda","padrao":true}`}[w.d.n(2)])
			w.some("temperatura", "Quente")
			w.number("diasSemInteracao", w.d.n(90))
			w.number("diasEstagnacaoNaEtapa", w.d.n(90))
			w.number("quantidadeProdutos", w.d.n(3))
			w.amount("valorTotalDescontos", w.d.n(100)*50)
			w.is("origem", "{}")
		})
	}
	w.entry("tipo", 701+w.d.n(4), "Reunião", false)
	w.some("emailsConvidados", "a@exemplo.com.br;b@exemplo.com.br")
	if n := s.guests(i, r); n > 0 || w.d.once(2) {
		w.array("participantes", n, func(k int) { s.guest(w, k) })
	}
	if w.d.once(2) {
		w.custom()
	}
	w.raw("}")
}

// guest writes one who takes part: a contact, a user or a mere address, with or without an id of its own.
func (s *Simulator) guest(w *writer, k int) {
	switch w.d.n(4) {
	case 0:
		client := s.client(&w.d)
		w.entry("contato", s.contacts.id(client), s.contactName(client), false)
	case 1:
		w.text("email", "externo"+strconv.Itoa(k)+"@nectar.com.br")
	case 2:
		w.id("id", 70+k)
		w.text("nome", named(people(), k))
		w.some("email", email(k))
		w.flag("participar", w.d.once(2))
	default:
		u := w.d.n(s.users.count)
		w.object("usuario", func() {
			s.userMembers(w, u)
			w.flag("ativo", u%9 != 4)
		})
		w.flag("participar", true)
	}
}
