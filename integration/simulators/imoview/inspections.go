package imoview

import "strconv"

// listInspections are a tenant's.
func (s *Simulator) listInspections(p *params) listing {
	code, index := s.client(p)
	return listing{rows: s.inspectionsOf[index], client: code, write: s.inspection}
}

// unfinished tells whether an inspection has no end: all to come, half of the recent ones until they change, few of the old ones.
func (s *Simulator) unfinished(index int) bool {
	r := s.inspections.rows[index]
	switch {
	case r.time == 0 || r.time >= s.today:
		return true
	case r.time >= s.today-(recent+1)*day:
		return index%2 == 0 && r.version == 0
	}
	return index%19 == 6
}

func (s *Simulator) inspection(w *writer, index int) {
	t, r := s.inspections, s.inspections.rows[index]
	w.d = s.dice(t, index, 6)
	open := s.unfinished(index)
	situation, code := "Concluída", 3
	if open {
		situation, code = "Agendada", 1
	}
	if r.version > 0 {
		situation += " (alterada)"
	}
	tenant := int(s.visits[index].tenants[0])
	w.Raw("{")
	s.codigo(w, t, index)
	w.Text("tipo", [...]string{"Entrada", "Saída", "Periódica"}[w.d.N(3)])
	w.Text("situacao", situation)
	w.code("situacaocodigo", code)
	s.updated(w, "datahora", t, index)
	if open {
		w.empty("datahorafim")
	} else {
		w.stamp("datahorafim", r.time+60*60, toSecond)
	}
	w.Text("consideracoes", "Revisão "+strconv.Itoa(int(r.version)))
	w.some("imovelresumo", "Apartamento, Rua X, 10")
	w.some("contratoresumo", "")
	w.Text("locatario", s.stock.person(tenant))
	w.some("vistoriador", "Vistoriador Exemplo")
	w.Is("ambientes", [...]string{"[]", `[{"nome":"Sala","itens":["Piso","Teto"]}]`}[w.d.N(2)])
	w.Is("medidores", [...]string{"[]", `[{"tipo":"Água","leitura":"123,4"}]`, "null"}[w.d.N(3)])
	w.Is("chaves", [...]string{"[]", `["Porta social"]`}[w.d.N(2)])
	w.Raw("}")
}
