package nectarcrm

import "strconv"

// lead returns a qualification.
func (s *Simulator) lead(i int, r row) object {
	d := s.forms(s.leads, i, 6)
	row := object{
		"id": s.leads.id(i), "codigo": d.some("Q" + strconv.Itoa(i)), "nome": "Qualificação " + strconv.Itoa(i) + " v" + strconv.Itoa(int(r.Version)),
		"status": r.State, "cliente": s.clientRef(d, s.client(d)), "autor": s.userRef(d), "autorAtualizacao": s.userRef(d),
		"autorConclusao": when(r.State > 2, func() any { return s.userRef(d) }),
		"dataConclusao":  when(r.State > 2, func() any { return d.moment(s.spread(d)) }),
		"responsavel":    s.userRef(d),
	}
	s.pipelineRef(row, d, 2+3*d.N(3)) // the second kind of funnel
	row.Add(object{
		"dataCriacao": s.created(d, i), "dataAtualizacao": s.leads.changed(i, r), "dataLimite": d.moment(s.spread(d)),
		"dataConversao": when(r.State == 5, func() any { return d.moment(s.spread(d)) }),
		"compromisso":   d.of(object{}, object{"id": 610005, "assunto": "Reunião"}), "compromissos": d.number(d.N(3)), "tarefas": d.number(d.N(3)),
		"tarefasAbertas": d.number(d.N(3)), "handRaised": d.flag(d.Once(2)), "listas": d.of(list{}, list{object{"nome": "Feira 2024"}}),
	})
	d.custom(row)
	row["camposListagem"] = d.of(list{}, list{object{"label": "Cor Favorita", "value": "Azul"}, object{"label": "Renda", "value": "10"}})
	return row
}

// task returns a task; every sixth is a call.
func (s *Simulator) task(i int, r row) object {
	d := s.forms(s.tasks, i, 6)
	row := object{
		"id": s.tasks.id(i), "titulo": "Tarefa " + strconv.Itoa(i) + " v" + strconv.Itoa(int(r.Version)), "descricao": d.note(),
		"status": d.number(d.N(4)), "prioridade": d.number(d.N(3)),
	}
	kind := d.N(6)
	row.Add(object{
		"tipo":       min(kind, 4),
		"tarefaTipo": object{"id": 1 + kind, "nome": "Tarefa", "ativo": d.flag(true), "natureza": d.number(kind % 2)}.Present(),
		"checklist":  d.once(2, entry(5, "Entrada de cliente")), "cliente": s.clientRef(d, s.client(d)),
	})
	if o := d.N(s.opportunities.count); d.Once(2) {
		row["oportunidade"] = entry(s.opportunities.id(o), s.opportunityName(o))
	}
	row.Add(object{
		"responsavel": s.userRef(d), "autor": s.userRef(d), "autorAtualizacao": s.userRef(d), "dataLimite": d.moment(s.spread(d)),
		"dataCriacao": s.created(d, i), "dataAtualizacao": s.tasks.changed(i, r),
		"modeloTarefa": when(d.Once(3), func() any {
			kind := object{"id": 1, "nome": "Tarefa", "ativo": true, "natureza": 0}
			return object{"id": 41, "titulo": "Modelo", "tarefaTipo": kind, "blockFieldsEdit": d.flag(true)}.Present()
		}),
	})
	if kind == 1 {
		row.Add(object{
			"atendida": d.flag(d.Once(2)), "dataInicio": d.moment(s.spread(d)), "dataFim": d.moment(s.spread(d)),
			[...]string{"contatoQuemAtendeu", "quemAtendeu"}[d.N(2)]: entry(s.contacts.id(0), s.contactName(0)),
			"telefone": d.some(phone(i)), "classificacao": d.number(1 + d.N(5)), "justificativa": d.some("Caixa postal"),
			"tipoLigacao": entry(751, "Prospecção"), "resultadoLigacao": d.some("Não atendeu"),
		})
	}
	if d.Once(4) {
		d.custom(row)
		row["modeloFormulario"] = entry(1, "First form")
	}
	return row
}

// appointment returns an appointment with those who take part.
func (s *Simulator) appointment(i int, r row) object {
	d := s.forms(s.appointments, i, 6)
	row := object{
		"id": s.appointments.id(i), "assunto": "Reunião " + strconv.Itoa(i) + " v" + strconv.Itoa(int(r.Version)), "descricao": d.note(),
		"local": d.some("Sala 2"), "endereco": d.some("Rua 07, 394  Setor Europa - São Paulo"), "feedback": d.some("Foi bem"),
	}
	if d.Once(3) {
		row["latitude"], row["longitude"] = -23.5505199, -46.6333094
	}
	d.flags(row, "diaInteiro", "notificarParticipantes")
	status, start := d.number(d.N(4)), s.spread(d)
	row.Add(object{
		"status": status, "dataInicio": d.moment(start), "dataFim": d.moment(start + 3_600_000), "dataCriacao": s.created(d, i),
		"dataAtualizacao": s.appointments.changed(i, r),
	})
	if d.Once(3) {
		row["dataFeedback"], row["autorFeedback"] = d.moment(start+7_200_000), s.userRef(d)
	}
	row.Add(object{
		"autor": s.userRef(d), "autorAtualizacao": s.userRef(d), "responsavel": s.userRef(d), "cliente": s.clientRef(d, s.client(d)),
	})
	if o := d.N(s.opportunities.count); !d.Once(4) {
		row["oportunidade"] = object{
			"id": s.opportunities.id(o), "nome": s.opportunityName(o),
			"funilVenda":  d.of(object{}, object{"id": 1, "nome": "Funil de venda", "padrao": true}),
			"temperatura": d.some("Quente"), "diasSemInteracao": d.number(d.N(90)), "diasEstagnacaoNaEtapa": d.number(d.N(90)),
			"quantidadeProdutos": d.number(d.N(3)), "valorTotalDescontos": d.amount(d.N(100) * 50), "origem": object{},
		}.Present()
	}
	row.Add(object{
		"tipo": entry(701+d.N(4), "Reunião"), "emailsConvidados": d.some("a@exemplo.com.br;b@exemplo.com.br"),
		"participantes": d.inner(s.guests(i, r), func(k int) object { return s.guest(d, k) }),
	})
	if d.Once(2) {
		d.custom(row)
	}
	return row
}

// guest returns one who takes part: a contact, a user or a mere address, with or without an id of its own.
func (s *Simulator) guest(d *forms, k int) object {
	switch d.N(4) {
	case 0:
		client := s.client(d)
		return object{"contato": entry(s.contacts.id(client), s.contactName(client))}
	case 1:
		return object{"email": "externo" + strconv.Itoa(k) + "@nectar.com.br"}
	case 2:
		return object{"id": 70 + k, "nome": named(people(), k), "email": d.some(email(k)), "participar": d.flag(d.Once(2))}
	}
	u := d.N(s.users.count)
	user := s.userMembers(u)
	user["ativo"] = d.flag(u%9 != 4)
	return object{"usuario": user.Present(), "participar": d.flag(true)}
}
