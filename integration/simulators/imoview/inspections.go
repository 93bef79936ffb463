package imoview

import "strconv"

// listInspections returns a tenant's.
func (s *Simulator) listInspections(p *params) listing {
	code, index := s.client(p)
	return listing{rows: s.inspectionsOf[index], client: code, table: s.inspections, row: s.inspection}
}

// unfinished tells whether an inspection has no end: all to come, half of the recent ones until they change, few of the old ones.
func (s *Simulator) unfinished(index int) bool {
	r := s.inspections.Rows[index]
	switch {
	case r.Time == 0 || r.Time >= s.today:
		return true
	case r.Time >= s.today-(recent+1)*day:
		return index%2 == 0 && r.Version == 0
	}
	return index%19 == 6
}

func (s *Simulator) inspection(index int) any {
	t, r, d := s.inspections, s.inspections.Rows[index], s.forms(s.inspections, index)
	situation, code, end := "Concluída", 3, clock(r.Time+60*60, toSecond)
	if s.unfinished(index) {
		situation, code, end = "Agendada", 1, ""
	}
	if r.Version > 0 {
		situation += " (alterada)"
	}
	return object{
		"codigo": s.codigo(t, index), "tipo": d.of("Entrada", "Saída", "Periódica"), "situacao": situation, "situacaocodigo": d.code(code),
		"datahora": s.updated(t, index), "datahorafim": end, "consideracoes": "Revisão " + strconv.Itoa(int(r.Version)),
		"imovelresumo": d.some("Apartamento, Rua X, 10"), "contratoresumo": d.some(""),
		"locatario": s.stock.person(s.visits[index].tenants[0]), "vistoriador": d.some("Vistoriador Exemplo"),
		"ambientes": d.of(list{}, list{object{"nome": "Sala", "itens": list{"Piso", "Teto"}}}),
		"medidores": d.of(list{}, list{object{"tipo": "Água", "leitura": "123,4"}}, nil), "chaves": d.of(list{}, list{"Porta social"}),
	}
}
