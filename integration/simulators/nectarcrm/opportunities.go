package nectarcrm

import (
	"fmt"
	"strconv"
)

func (s *Simulator) opportunityName(i int) string { return "Oportunidade " + strconv.Itoa(i) }

// opportunity returns an opportunity with its products.
func (s *Simulator) opportunity(i int, r row) object {
	d := s.forms(s.opportunities, i, 6)
	client := s.client(d)
	row := object{
		"id": s.opportunities.id(i), "codigo": d.some(strconv.Itoa(12_000 + i)), "nome": versioned(s.opportunityName(i), r),
		"observacao": d.note(), "consideracoes": d.some("Fechar até o fim do mês"), "status": r.State,
	}
	d.flags(row, "isProrrogada", "bloquearProposta", "bloquearConclusao")
	row.Add(object{
		"vendaBase": d.flag(false), "responsavel": s.userRef(d), "autor": s.userRef(d), "autorAtualizacao": s.userRef(d),
		"autorConclusao": when(r.State != 1, func() any { return s.userRef(d) }),
		"dataConclusao":  when(r.State != 1, func() any { return d.moment(s.spread(d)) }),
		"departamento":   d.once(6, entry(9, "Compras")),
		"cliente":        s.clientRef(d, client), "contato": entry(s.contacts.id(client), s.contactName(client)),
		"contatoPrincipal": s.clientMembers(d, client), "dataCriacao": s.created(d, i), "dataAtualizacao": s.opportunities.changed(i, r),
		"dataLimite": d.moment(s.spread(d)), "stageEntryDate": d.moment(s.spread(d)),
	})
	s.pipelineRef(row, d, d.N(s.pipelines.count))
	row.Add(object{
		"etapaNome": d.some(stageName(d.N(3))), "probabilidade": d.number([...]int{10, 25, 50, 75, 90, 100}[d.N(6)]),
		"temperatura": d.some(d.of("Frio", "Morno", "Quente", "Muito Quente")), "valorAvulso": d.amount(d.N(50_000_000)),
		"valorMensal": d.amount(d.N(500_000)), "valorTotal": d.amount(d.N(60_000_000) + int(r.Version)),
		"valorTotalDescontos": d.amount(d.N(1000) * 10), "produtos": d.inner(s.lines(i, r), func(k int) object { return s.line(d, i, k) }),
		"quantidadeProdutos": d.number(s.lines(i, r)), "tarefas": d.number(d.N(4)), "compromissos": d.number(d.N(3)),
		"atividadesAtrasadas": d.number(d.N(3)), "diasEstagnacaoNaEtapa": d.number(d.N(90)), "diasSemInteracao": d.number(d.N(90)),
	})
	row["origem"] = object{}
	if !d.Once(2) {
		k := d.N(s.lists["origens"].count)
		row["origem"] = d.entry(s.lists["origens"].id(k), named(origins(), k))
	}
	row.Add(object{
		"justificativas":       d.of(list{}, list{object{"id": 10, "nome": "Preço", "descricao": "Caro", "ativo": true}}, list{object{"nome": "Sem id"}}),
		"justificativasOpcoes": d.of(list{}, list{entry(3, "Concorrente")}), "listas": d.of(list{}, list{object{"nome": "VIP"}}),
		"corresponsaveis":        several(d.N(2), func(int) object { return s.userMembers(3) }),
		"equipesCorresponsaveis": d.of(list{}, list{entry(401, "Equipe X")}),
		"motivoDescarte":         when(r.State == 4, func() any { return entry(15, "Lead não qualificado") }),
	})
	d.custom(row)
	if s.with.Twins && i%7 == 4 {
		row.Put("não documentada", "stageentrydate", "cliente_nome")
	}
	return row
}

// line returns a product of an opportunity.
func (s *Simulator) line(d *forms, i, k int) object {
	p := d.N(s.products.count)
	row := object{
		"id": lineID(i, k), "refId": d.number(s.products.id(p)), "nome": productName(p), "codigo": d.some(productCode(p)), "descricao": d.note(),
		"moeda": d.some([...]string{"BRL", "USD"}[p%2]), "grupoNome": d.some("Grupo " + strconv.Itoa(p%6)),
		"subGrupoNome": d.some("Subgrupo " + strconv.Itoa(p%12)), "valorUnitario": d.amount(d.N(100_000)), "valorTotal": d.amount(d.N(900_000)),
		"desconto": d.amount(d.N(10) * 100), "acrescimo": d.amount(d.N(10) * 100), "comissao": d.amount(d.N(10) * 50),
	}
	d.flags(row, "isDescontoPorcentual", "acrescimoPercentual", "isComissaoPorcentual")
	row.Add(object{
		"quantidade": d.amount(50 * (1 + d.N(20))), "quantidadeRecorrencia": d.number(d.N(12)), "recorrencia": d.number(d.N(3)), "sequencia": k,
	})
	row["produto"] = object{}
	if !d.Once(20) {
		product := object{
			"id": s.products.id(p), "nome": productName(p), "codigo": d.some(productCode(p)), "contador": d.number(128 + p), "ativo": d.flag(true),
			"categoria": d.sometimes(601+p%6, "Grupo "+strconv.Itoa(p%6)), "subCategoria": d.sometimes(651+p%12, "Subgrupo "+strconv.Itoa(p%12)),
			"descricao": d.note(), "moeda": d.some([...]string{"BRL", "USD"}[p%2]), "recorrencia": d.number(p % 3), "valorBase": d.amount(6900 + p),
		}
		d.terms(product)
		row["produto"] = product.Present()
	}
	return row
}

// sometimes returns an entry of a list as its name or as the object that it is elsewhere; which is not known.
func (d *forms) sometimes(id int, text string) any {
	if d.Once(2) {
		return d.entry(id, text)
	}
	return text
}

// statuses returns the labels of a proposal's status.
func statuses() []string {
	return []string{"Rascunho", "Em aprovação", "Aprovada", "Reprovada", "Obsoleta"}
}

// proposalStatus returns that of an opportunity's k-th proposal.
func proposalStatus(i, k int) int { return (i + k) % 5 }

// proposal returns the k-th proposal of an opportunity.
func (s *Simulator) proposal(i, k int) object {
	d, status, id := s.forms(s.opportunities, i, 100+uint64(k)), proposalStatus(i, k), proposalID(i, k)
	code := fmt.Sprintf("%05d/%d", i+1, 2019+k%7)
	row := object{
		"id": id, "status": status, "versao": d.number(1 + k), "numero": d.number(1 + k), "codigo": d.some(code),
		"publicUrl":      d.some("https://app.nectarcrm.com.br/crm/PublicAttachment?data=" + strconv.Itoa(id)),
		"dataProposta":   d.moment(s.spread(d)),
		"modeloProposta": entry(30_423+k%3, "Modelo "+strconv.Itoa(k%3)),
	}
	number, client := d.some(strconv.Itoa(12_000+i)), s.client(d)
	opportunity := object{
		"id": s.opportunities.id(i), "nome": s.opportunityName(i), "codigo": number, "cliente": object{
			"id": s.contacts.id(client), "codigo": d.some(strconv.Itoa(183_000 + client)), "nome": s.contactName(client),
			"emailPrincipal": d.some(email(client)), "email": d.some(email(client)),
		}.Present(), "funilVenda": object{}, "temperatura": "", "valorTotalDescontos": 0, "origem": object{},
	}
	row.Add(object{
		"oportunidade": opportunity.Present(), "autor": s.userRef(d), "dataCriacao": d.moment(s.spread(d)),
		"destinatario": d.some("Maria da Silva"), "codigoFormatado": d.some(code), "statusLabel": statuses()[status],
	})
	return row
}
