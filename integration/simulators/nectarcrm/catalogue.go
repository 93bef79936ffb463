package nectarcrm

import "strconv"

func productName(p int) string { return "Produto " + strconv.Itoa(p) + " ação" }
func productCode(p int) string { return "2." + strconv.Itoa(p) }

// product writes a product with those that depend on it.
func (s *Simulator) product(w *writer, i int, _ row) {
	w.d = s.dice(s.products, i, 6)
	w.Raw("{")
	s.productMembers(w, i)
	class := func(name string, id int, text string) {
		if w.d.Once(9) {
			w.Is(name, "{}")
			return
		}
		w.entry(name, id, text, true)
	}
	class("categoria", 601+i%6, "Grupo "+strconv.Itoa(i%6))
	class("subCategoria", 651+i%12, "Subgrupo "+strconv.Itoa(i%12))
	w.flags("isExpiravel", "editarProdutosDependentes")
	if n := s.parts(i); n > 0 || w.d.Once(2) {
		w.array("produtos", n, func(k int) { s.productMembers(w, s.part(i, k)) })
	}
	w.amount("valorBaseComposto", 20_059)
	w.Is("itensDeCusto", [...]string{
		"[]", `[{"id":1,"nome":"Formação 1","valor":300.0,"quantidade":2.0,"valorBase":300.0,"porcentagem":false,"multiplicador":false}]`,
	}[w.d.N(2)])
	w.Is("faixasPreco", [...]string{
		"[]", `[{"quantidadeInicial":0,"quantidadeFinal":10,"valor":300.0},{"quantidadeInicial":11,"quantidadeFinal":20,"valor":270.0}]`,
	}[w.d.N(2)])
	if w.d.Once(3) {
		w.custom()
	}
	w.Raw("}")
}

func (s *Simulator) productMembers(w *writer, i int) {
	w.Int("id", s.products.id(i))
	w.Text("nome", productName(i))
	w.number("contador", 128+i)
	w.flag("ativo", i%11 != 3)
	w.some("codigo", productCode(i))
	w.note("descricao")
	w.some("moeda", [...]string{"BRL", "USD"}[i%2])
	w.number("recorrencia", i%3)
	w.amount("valorBase", 15_000+i)
	s.terms(w)
}

// terms are on what terms a product is sold. The documents call some of them otherwise than the lists do.
func (s *Simulator) terms(w *writer) {
	w.flags("permiteDesconto", "permiteAcrescimo", "acrescimoPercentual", "possuiEstoque", "valorEditavel", "fracionario")
	if w.d.Once(10) {
		w.flags("isDescontoPorcentual", "isComissaoPorcentual")
	} else {
		w.flags("descontoPorcentual", "comissaoPorcentual")
	}
	w.amount("descontoMaximo", 1500)
	w.amount("acrescimoMaximo", w.d.N(20)*100)
	w.amount("comissao", w.d.N(20)*50)
	w.number("quantidadeEstoque", w.d.N(100))
}

// pipeline writes a funnel with its stages.
func (s *Simulator) pipeline(w *writer, i int, r row) {
	w.d = s.dice(s.pipelines, i, 6)
	w.Raw("{")
	w.Int("id", s.pipelines.id(i))
	w.Text("nome", pipelineName(i))
	w.note("descricao")
	w.Int("tipo", pipelineKind(i))
	w.number("modeloVenda", i%2)
	w.number("cascataCicloVida", int(r.version))
	w.number("tipoRecorrenciaValorFunil", i%3)
	w.some("moeda", "BRL")
	w.flag("padrao", i == 0)
	w.flags("ativo", "permitePularEtapa", "iniciarQualquerEtapa", "permiteRetornoEtapa", "propostaObrigatoria", "produtoObrigatorio",
		"permitirRecorrenciaVariavel", "multiplasTabelasPreco", "corresponsabilidade", "ignorarRestricaoEquipes",
		"consideracoesObrigatorioGanhar", "consideracoesObrigatorioPerder", "consideracoesObrigatorioProrrogar",
		"consideracoesObrigatorioDescartar", "permiteTarefasAvulsas", "motivoDescarteObrigatorio", "motivoGanhoPerdaObrigatorio",
		"showCustomCard")
	s.pipelines.changed(w, "ultimaAtualizacao", i, r)
	w.array("sequencias", stages(i), func(k int) { stage(w, i, k) })
	w.Raw("}")
}

// user writes a user.
func (s *Simulator) user(w *writer, i int, r row) {
	w.d = s.dice(s.users, i, 6)
	w.Raw("{")
	s.userMembers(w, i)
	w.number("usuarioMasterId", s.users.id(0))
	if w.d.Once(2) {
		w.number("filialId", 1+i%3)
	}
	w.some("email", userLogin(i))
	w.some("foto", strconv.Itoa(int(r.version))+".png")
	w.flag("ativo", i%9 != 4)
	s.users.changed(w, "dataAtualizacao", i, r)
	w.Is("dataCriacao", [...]string{`"2015-01-19T03:40:25-02:00"`, `"2017-10-30T07:13:31-02:00"`, `"2022-01-24T20:50:19.003Z"`}[w.d.N(3)])
	w.Raw("}")
}
