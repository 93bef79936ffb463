package nectarcrm

import "strconv"

// entries is the writer of a list whose rows have an id, a name and a description, and what more adds.
func entries(base int, names []string, more func(w *writer, i int)) func(w *writer, i int, _ row) {
	return func(w *writer, i int, _ row) {
		w.d = dice(base + i<<8)
		w.raw("{")
		w.flag("ativo", i%5 != 4)
		w.note("descricao")
		w.id("id", base+i)
		w.text("nome", named(names, i))
		if more != nil {
			more(w, i)
		}
		w.raw("}")
	}
}

func teams() []string  { return []string{"Desenvolvedores", "Vendas"} }
func groups() []string { return []string{"IT Serviços", "Manutenção"} }
func fields() []string { return []string{"Cor Favorita", "cor favorita", "Data X"} }
func prices() []string { return []string{"Tabela NectarCRM 2016/02"} }

func category(w *writer, _ int) {
	w.flags("isCliente", "isProspect", "isSuspect", "isLead", "isDescarte")
}

func team(w *writer, i int) { w.flag("padrao", i == 0) }

func (s *Simulator) tag(w *writer, i int) {
	w.text("cor", "#0080FC")
	w.number("relacionada", i%3)
	w.flags("podeIncluir", "podeVisualizar")
	s.userRef(w, "autor")
	w.moment("dataCriacao", s.spread(w))
}

func group(w *writer, i int) {
	w.array("subcategorias", 2, func(k int) {
		w.id("id", 651+2*i+k)
		w.text("nome", "Subgrupo "+strconv.Itoa(2*i+k))
	})
}

func subgroup(w *writer, i int) { w.entry("categoria", 601+i/2, "Grupo "+strconv.Itoa(i/2), false) }

func field(w *writer, i int) {
	w.text("alias", "campo_extra_"+strconv.Itoa(i))
	w.id("tipo", i)
	w.flags("obrigatorio", "mostrarFiltro", "escondido")
	w.text("relacionado", "Contato")
	w.is("opcoes", "[]")
	w.is("opcoesPersonalizadas", "[]")
	w.id("sequencia", i)
	w.is("secao", `{"id":1,"ativo":true,"nome":"Secao dos campos extras"}`)
}

func (s *Simulator) prices(w *writer, i int) {
	w.moment("dataCriacao", s.spread(w))
	w.number("quantidadeProdutos", 1)
	w.array("produtos", 1, func(int) { s.productMembers(w, i) })
}
