package nectarcrm

import (
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// entries is the writer of a list whose rows have an id, a name and a description, and what more adds.
func entries(base int, names []string, more func(w *writer, i int)) func(w *writer, i int, _ row) {
	return func(w *writer, i int, _ row) {
		w.d = sim.Dice(base + i<<8)
		w.Raw("{")
		w.flag("ativo", i%5 != 4)
		w.note("descricao")
		w.Int("id", base+i)
		w.Text("nome", named(names, i))
		if more != nil {
			more(w, i)
		}
		w.Raw("}")
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
	w.Text("cor", "#0080FC")
	w.number("relacionada", i%3)
	w.flags("podeIncluir", "podeVisualizar")
	s.userRef(w, "autor")
	w.moment("dataCriacao", s.spread(w))
}

func group(w *writer, i int) {
	w.array("subcategorias", 2, func(k int) {
		w.Int("id", 651+2*i+k)
		w.Text("nome", "Subgrupo "+strconv.Itoa(2*i+k))
	})
}

func subgroup(w *writer, i int) { w.entry("categoria", 601+i/2, "Grupo "+strconv.Itoa(i/2), false) }

func field(w *writer, i int) {
	w.Text("alias", "campo_extra_"+strconv.Itoa(i))
	w.Int("tipo", i)
	w.flags("obrigatorio", "mostrarFiltro", "escondido")
	w.Text("relacionado", "Contato")
	w.Is("opcoes", "[]")
	w.Is("opcoesPersonalizadas", "[]")
	w.Int("sequencia", i)
	w.Is("secao", `{"id":1,"ativo":true,"nome":"Secao dos campos extras"}`)
}

func (s *Simulator) prices(w *writer, i int) {
	w.moment("dataCriacao", s.spread(w))
	w.number("quantidadeProdutos", 1)
	w.array("produtos", 1, func(int) { s.productMembers(w, i) })
}
