package nectarcrm

import (
	"fmt"
	"strconv"
)

func (s *Simulator) opportunityName(i int) string { return "Oportunidade " + strconv.Itoa(i) }

// opportunity writes an opportunity with its products.
func (s *Simulator) opportunity(w *writer, i int, r row) {
	w.d = s.dice(s.opportunities, i, 6)
	client := s.client(&w.d)
	w.Raw("{")
	w.Int("id", s.opportunities.id(i))
	w.some("codigo", strconv.Itoa(12_000+i))
	name := s.opportunityName(i)
	if r.version > 0 {
		name += " v" + strconv.Itoa(int(r.version))
	}
	w.Text("nome", name)
	w.note("observacao")
	w.some("consideracoes", "Fechar até o fim do mês")
	w.Int("status", int(r.status))
	w.flags("isProrrogada", "bloquearProposta", "bloquearConclusao")
	w.flag("vendaBase", false)
	s.userRef(w, "responsavel")
	s.userRef(w, "autor")
	s.userRef(w, "autorAtualizacao")
	if r.status != 1 {
		s.userRef(w, "autorConclusao")
		w.moment("dataConclusao", s.spread(w))
	}
	if w.d.Once(6) {
		w.entry("departamento", 9, "Compras", false)
	}
	s.clientRef(w, client)
	w.entry("contato", s.contacts.id(client), s.contactName(client), false)
	w.object("contatoPrincipal", func() {
		w.Int("id", s.contacts.id(client))
		s.clientMembers(w, client)
	})
	s.created(w, i)
	s.opportunities.changed(w, "dataAtualizacao", i, r)
	w.moment("dataLimite", s.spread(w))
	w.moment("stageEntryDate", s.spread(w))
	pipeline := w.d.N(s.pipelines.count)
	s.pipelineRef(w, pipeline)
	w.some("etapaNome", stageName(w.d.N(3)))
	w.number("probabilidade", [...]int{10, 25, 50, 75, 90, 100}[w.d.N(6)])
	w.some("temperatura", [...]string{"Frio", "Morno", "Quente", "Muito Quente"}[w.d.N(4)])
	w.amount("valorAvulso", w.d.N(50_000_000))
	w.amount("valorMensal", w.d.N(500_000))
	w.amount("valorTotal", w.d.N(60_000_000)+int(r.version))
	w.amount("valorTotalDescontos", w.d.N(1000)*10)
	if n := s.lines(i, r); n > 0 || w.d.Once(2) {
		w.array("produtos", n, func(k int) { s.line(w, i, k) })
	}
	w.number("quantidadeProdutos", s.lines(i, r))
	w.number("tarefas", w.d.N(4))
	w.number("compromissos", w.d.N(3))
	w.number("atividadesAtrasadas", w.d.N(3))
	w.number("diasEstagnacaoNaEtapa", w.d.N(90))
	w.number("diasSemInteracao", w.d.N(90))
	if w.d.Once(2) {
		w.Is("origem", "{}")
	} else {
		k := w.d.N(s.lists["origens"].count)
		w.entry("origem", s.lists["origens"].id(k), named(origins(), k), true)
	}
	w.Is("justificativas", [...]string{
		"[]", `[{"id":10,"nome":"Preço","descricao":"Caro","ativo":true}]`, `[{"nome":"Sem id"}]`,
	}[w.d.N(3)])
	w.Is("justificativasOpcoes", [...]string{"[]", `[{"id":3,"nome":"Concorrente"}]`}[w.d.N(2)])
	if r.status == 4 {
		w.entry("motivoDescarte", 15, "Lead não qualificado", false)
	}
	w.Is("listas", [...]string{"[]", `[{"nome":"VIP"}]`}[w.d.N(2)])
	w.array("corresponsaveis", w.d.N(2), func(int) { s.userMembers(w, 3) })
	w.Is("equipesCorresponsaveis", [...]string{"[]", `[{"id":401,"nome":"Equipe X"}]`}[w.d.N(2)])
	w.custom()
	if s.with.Twins && i%7 == 4 {
		w.Text("stageentrydate", "não documentada")
		w.Text("cliente_nome", "não documentada")
	}
	w.Raw("}")
}

// line writes a product of an opportunity.
func (s *Simulator) line(w *writer, i, k int) {
	p := w.d.N(s.products.count)
	w.Int("id", lineID(i, k))
	w.number("refId", s.products.id(p))
	w.Text("nome", productName(p))
	w.some("codigo", productCode(p))
	w.note("descricao")
	w.some("moeda", [...]string{"BRL", "USD"}[p%2])
	w.some("grupoNome", "Grupo "+strconv.Itoa(p%6))
	w.some("subGrupoNome", "Subgrupo "+strconv.Itoa(p%12))
	w.amount("valorUnitario", w.d.N(100_000))
	w.amount("valorTotal", w.d.N(900_000))
	w.amount("desconto", w.d.N(10)*100)
	w.amount("acrescimo", w.d.N(10)*100)
	w.amount("comissao", w.d.N(10)*50)
	w.flags("isDescontoPorcentual", "acrescimoPercentual", "isComissaoPorcentual")
	w.amount("quantidade", 50*(1+w.d.N(20)))
	w.number("quantidadeRecorrencia", w.d.N(12))
	w.number("recorrencia", w.d.N(3))
	w.Int("sequencia", k)
	if w.d.Once(20) {
		w.Is("produto", "{}")
		return
	}
	w.object("produto", func() {
		w.Int("id", s.products.id(p))
		w.Text("nome", productName(p))
		w.some("codigo", productCode(p))
		w.number("contador", 128+p)
		w.flag("ativo", true)
		w.sometimes("categoria", 601+p%6, "Grupo "+strconv.Itoa(p%6))
		w.sometimes("subCategoria", 651+p%12, "Subgrupo "+strconv.Itoa(p%12))
		w.note("descricao")
		w.some("moeda", [...]string{"BRL", "USD"}[p%2])
		w.number("recorrencia", p%3)
		w.amount("valorBase", 6900+p)
		s.terms(w)
	})
}

// sometimes writes an entry of a list as its name or as the object that it is elsewhere; which is not known.
func (w *writer) sometimes(name string, id int, text string) {
	if w.d.Once(2) {
		w.entry(name, id, text, true)
		return
	}
	w.Text(name, text)
}

// statuses are the labels of a proposal's status.
func statuses() []string {
	return []string{"Rascunho", "Em aprovação", "Aprovada", "Reprovada", "Obsoleta"}
}

// proposalStatus is that of an opportunity's k-th proposal.
func proposalStatus(i, k int) int { return (i + k) % 5 }

// proposal writes the k-th proposal of an opportunity.
func (s *Simulator) proposal(w *writer, i, k int) {
	w.d = s.dice(s.opportunities, i, 100+uint64(k))
	status := proposalStatus(i, k)
	w.Raw("{")
	w.Int("id", proposalID(i, k))
	w.Int("status", status)
	w.number("versao", 1+k)
	w.number("numero", 1+k)
	code := fmt.Sprintf("%05d/%d", i+1, 2019+k%7)
	w.some("codigo", code)
	w.some("publicUrl", "https://app.nectarcrm.com.br/crm/PublicAttachment?data="+strconv.Itoa(proposalID(i, k)))
	w.moment("dataProposta", s.spread(w))
	w.entry("modeloProposta", 30_423+k%3, "Modelo "+strconv.Itoa(k%3), false)
	w.object("oportunidade", func() {
		w.Int("id", s.opportunities.id(i))
		w.Text("nome", s.opportunityName(i))
		w.some("codigo", strconv.Itoa(12_000+i))
		client := s.client(&w.d)
		w.object("cliente", func() {
			w.Int("id", s.contacts.id(client))
			w.some("codigo", strconv.Itoa(183_000+client))
			w.Text("nome", s.contactName(client))
			w.some("emailPrincipal", email(client))
			w.some("email", email(client))
		})
		w.Is("funilVenda", "{}")
		w.Is("temperatura", `""`)
		w.Is("valorTotalDescontos", "0")
		w.Is("origem", "{}")
	})
	s.userRef(w, "autor")
	w.moment("dataCriacao", s.spread(w))
	w.some("destinatario", "Maria da Silva")
	w.some("codigoFormatado", code)
	w.Text("statusLabel", statuses()[status])
	w.Raw("}")
}
