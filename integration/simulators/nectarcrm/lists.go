package nectarcrm

import (
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// entries returns a list whose rows have an id, a name and a description, and what more adds.
func entries(base int, names []string, more func(row object, d *forms, i int)) func(i int, _ row) object {
	return func(i int, _ row) object {
		d := &forms{sim.Dice(base + i<<8)}
		row := object{"ativo": d.flag(i%5 != 4), "descricao": d.note(), "id": base + i, "nome": named(names, i)}
		if more != nil {
			more(row, d, i)
		}
		return row
	}
}

func groups() []string { return []string{"IT Serviços", "Manutenção"} }

func category(row object, d *forms, _ int) {
	d.flags(row, "isCliente", "isProspect", "isSuspect", "isLead", "isDescarte")
}

func team(row object, d *forms, i int) { row["padrao"] = d.flag(i == 0) }

func (s *Simulator) tag(row object, d *forms, i int) {
	row["cor"], row["relacionada"] = "#0080FC", d.number(i%3)
	d.flags(row, "podeIncluir", "podeVisualizar")
	row["autor"], row["dataCriacao"] = s.userRef(d), d.moment(s.spread(d))
}

func group(row object, _ *forms, i int) {
	row["subcategorias"] = several(2, func(k int) object { return entry(651+2*i+k, "Subgrupo "+strconv.Itoa(2*i+k)) })
}

func subgroup(row object, _ *forms, i int) {
	row["categoria"] = entry(601+i/2, "Grupo "+strconv.Itoa(i/2))
}

func field(row object, d *forms, i int) {
	d.flags(row, "obrigatorio", "mostrarFiltro", "escondido")
	row.Add(object{
		"alias": "campo_extra_" + strconv.Itoa(i), "tipo": i, "relacionado": "Contato", "opcoes": list{}, "opcoesPersonalizadas": list{},
		"sequencia": i, "secao": object{"id": 1, "ativo": true, "nome": "Secao dos campos extras"},
	})
}

// inUse tells whether the price table at an index is.
func inUse(index int) bool { return index%5 < 3 }

func (s *Simulator) price(row object, d *forms, i int) {
	row["ativo"] = inUse(i)
	row["dataCriacao"], row["quantidadeProdutos"] = d.moment(s.spread(d)), d.number(1)
	row["produtos"] = several(1, func(int) object { return s.productMembers(d, i) })
}
