package nectarcrm

import "strconv"

// lead writes a qualification.
func (s *Simulator) lead(w *writer, i int, r row) {
	w.d = s.dice(s.leads, i, 6)
	w.Raw("{")
	w.Int("id", s.leads.id(i))
	w.some("codigo", "Q"+strconv.Itoa(i))
	w.Text("nome", "Qualificação "+strconv.Itoa(i)+" v"+strconv.Itoa(int(r.version)))
	w.Int("status", int(r.status))
	s.clientRef(w, s.client(&w.d))
	s.userRef(w, "autor")
	s.userRef(w, "autorAtualizacao")
	if r.status > 2 {
		s.userRef(w, "autorConclusao")
		w.moment("dataConclusao", s.spread(w))
	}
	s.userRef(w, "responsavel")
	s.pipelineRef(w, 2+3*w.d.N(3)) // the second kind of funnel
	s.created(w, i)
	s.leads.changed(w, "dataAtualizacao", i, r)
	w.moment("dataLimite", s.spread(w))
	if r.status == 5 {
		w.moment("dataConversao", s.spread(w))
	}
	w.Is("compromisso", [...]string{"{}", `{"id":610005,"assunto":"Reunião"}`}[w.d.N(2)])
	w.number("compromissos", w.d.N(3))
	w.number("tarefas", w.d.N(3))
	w.number("tarefasAbertas", w.d.N(3))
	w.flags("handRaised")
	w.Is("listas", [...]string{"[]", `[{"nome":"Feira 2024"}]`}[w.d.N(2)])
	w.custom()
	w.Is("camposListagem", [...]string{"[]", `[{"label":"Cor Favorita","value":"Azul"},{"label":"Renda","value":"10"}]`}[w.d.N(2)])
	w.Raw("}")
}

// task writes a task; every sixth is a call.
func (s *Simulator) task(w *writer, i int, r row) {
	w.d = s.dice(s.tasks, i, 6)
	w.Raw("{")
	w.Int("id", s.tasks.id(i))
	w.Text("titulo", "Tarefa "+strconv.Itoa(i)+" v"+strconv.Itoa(int(r.version)))
	w.note("descricao")
	w.number("status", w.d.N(4))
	w.number("prioridade", w.d.N(3))
	kind := w.d.N(6)
	w.Int("tipo", min(kind, 4))
	w.object("tarefaTipo", func() {
		w.Int("id", 1+kind)
		w.Text("nome", "Tarefa")
		w.flag("ativo", true)
		w.number("natureza", kind%2)
	})
	if w.d.Once(2) {
		w.entry("checklist", 5, "Entrada de cliente", false)
	}
	s.clientRef(w, s.client(&w.d))
	if o := w.d.N(s.opportunities.count); w.d.Once(2) {
		w.entry("oportunidade", s.opportunities.id(o), s.opportunityName(o), false)
	}
	s.userRef(w, "responsavel")
	s.userRef(w, "autor")
	s.userRef(w, "autorAtualizacao")
	w.moment("dataLimite", s.spread(w))
	s.created(w, i)
	s.tasks.changed(w, "dataAtualizacao", i, r)
	if w.d.Once(3) {
		w.object("modeloTarefa", func() {
			w.Int("id", 41)
			w.Text("titulo", "Modelo")
			w.Is("tarefaTipo", `{"id":1,"nome":"Tarefa","ativo":true,"natureza":0}`)
			w.flag("blockFieldsEdit", true)
		})
	}
	if kind == 1 {
		w.flags("atendida")
		w.moment("dataInicio", s.spread(w))
		w.moment("dataFim", s.spread(w))
		w.entry([...]string{"contatoQuemAtendeu", "quemAtendeu"}[w.d.N(2)], s.contacts.id(0), s.contactName(0), false)
		w.some("telefone", phone(i))
		w.number("classificacao", 1+w.d.N(5))
		w.some("justificativa", "Caixa postal")
		w.entry("tipoLigacao", 751, "Prospecção", false)
		w.some("resultadoLigacao", "Não atendeu")
	}
	if w.d.Once(4) {
		w.custom()
		w.Is("modeloFormulario", `{"id":1,"nome":"First form"}`)
	}
	w.Raw("}")
}

// appointment writes an appointment with those who take part.
func (s *Simulator) appointment(w *writer, i int, r row) {
	w.d = s.dice(s.appointments, i, 6)
	w.Raw("{")
	w.Int("id", s.appointments.id(i))
	w.Text("assunto", "Reunião "+strconv.Itoa(i)+" v"+strconv.Itoa(int(r.version)))
	w.note("descricao")
	w.some("local", "Sala 2")
	w.some("endereco", "Rua 07, 394  Setor Europa - São Paulo")
	w.some("feedback", "Foi bem")
	if w.d.Once(3) {
		w.Is("latitude", "-23.5505199")
		w.Is("longitude", "-46.6333094")
	}
	w.flags("diaInteiro", "notificarParticipantes")
	w.number("status", w.d.N(4))
	start := s.spread(w)
	w.moment("dataInicio", start)
	w.moment("dataFim", start+3_600_000)
	s.created(w, i)
	s.appointments.changed(w, "dataAtualizacao", i, r)
	if w.d.Once(3) {
		w.moment("dataFeedback", start+7_200_000)
		s.userRef(w, "autorFeedback")
	}
	s.userRef(w, "autor")
	s.userRef(w, "autorAtualizacao")
	s.userRef(w, "responsavel")
	s.clientRef(w, s.client(&w.d))
	if o := w.d.N(s.opportunities.count); !w.d.Once(4) {
		w.object("oportunidade", func() {
			w.Int("id", s.opportunities.id(o))
			w.Text("nome", s.opportunityName(o))
			w.Is("funilVenda", [...]string{"{}", `{"id":1,"nome":"Funil de venda","padrao":true}`}[w.d.N(2)])
			w.some("temperatura", "Quente")
			w.number("diasSemInteracao", w.d.N(90))
			w.number("diasEstagnacaoNaEtapa", w.d.N(90))
			w.number("quantidadeProdutos", w.d.N(3))
			w.amount("valorTotalDescontos", w.d.N(100)*50)
			w.Is("origem", "{}")
		})
	}
	w.entry("tipo", 701+w.d.N(4), "Reunião", false)
	w.some("emailsConvidados", "a@exemplo.com.br;b@exemplo.com.br")
	if n := s.guests(i, r); n > 0 || w.d.Once(2) {
		w.array("participantes", n, func(k int) { s.guest(w, k) })
	}
	if w.d.Once(2) {
		w.custom()
	}
	w.Raw("}")
}

// guest writes one who takes part: a contact, a user or a mere address, with or without an id of its own.
func (s *Simulator) guest(w *writer, k int) {
	switch w.d.N(4) {
	case 0:
		client := s.client(&w.d)
		w.entry("contato", s.contacts.id(client), s.contactName(client), false)
	case 1:
		w.Text("email", "externo"+strconv.Itoa(k)+"@nectar.com.br")
	case 2:
		w.Int("id", 70+k)
		w.Text("nome", named(people(), k))
		w.some("email", email(k))
		w.flag("participar", w.d.Once(2))
	default:
		u := w.d.N(s.users.count)
		w.object("usuario", func() {
			s.userMembers(w, u)
			w.flag("ativo", u%9 != 4)
		})
		w.flag("participar", true)
	}
}
