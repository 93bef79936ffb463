package imoview

import (
	"slices"
	"strconv"
)

// listContracts are a tenant's.
func (s *Simulator) listContracts(p *params) listing { return s.listOf(p, s.contractsOf) }

// listGuaranteed are those that a client stands surety for.
func (s *Simulator) listGuaranteed(p *params) listing { return s.listOf(p, s.guaranteedBy) }

// listLeases are all contracts, the rescinded ones too.
func (s *Simulator) listLeases(p *params) listing {
	return listing{rows: s.matching(s.contracts, p, func(int) bool { return true }, nil), write: s.contract}
}

// client is the one whose rows are asked for; -1 when there is none of that code.
func (s *Simulator) client(p *params) (code int, index int32) {
	code = p.place("codigocliente")
	if code == 0 {
		p.refuse("Código do cliente não informado!")
	}
	i, ok := s.users.index(code)
	if !ok {
		return code, -1
	}
	return code, int32(i)
}

// listOf are a client's contracts, the rescinded ones only when asked for.
func (s *Simulator) listOf(p *params, of map[int32][]int32) listing {
	code, index := s.client(p)
	rescinded, only := p.truth("mostrarrescindidos"), p.number("codigocontrato")
	p.absent("endereco")
	rows := of[index]
	if !rescinded || only != 0 {
		rows = slices.DeleteFunc(slices.Clone(rows), func(i int32) bool {
			return !rescinded && s.contracts.rows[i].ended || only != 0 && s.contracts.code(int(i)) != only
		})
	}
	return listing{rows: rows, client: code, write: s.contract}
}

// contract writes a contract, the same wherever it is listed: its tenant is the first one.
func (s *Simulator) contract(w *writer, index int) {
	t, r := s.contracts, s.contracts.rows[index]
	w.d = s.dice(t, index, 6)
	tenant := int(s.leases[index].tenants[0])
	begin := date(2009) + int64(w.d.n(15*365*day))
	branch := pick(&w.d, branches())
	property := w.d.n(len(s.properties.rows))
	w.raw("{")
	s.codigo(w, t, index)
	w.some("codigoauxiliar", "AUX-"+strconv.Itoa(index))
	w.code("unidadecodigo", branch.code)
	w.text("unidade", branch.name)
	if index%47 == 6 {
		w.empty("locatariocodigo")
	} else {
		w.int("locatariocodigo", s.users.code(tenant))
	}
	w.text("locatarionome", s.stock.person(tenant))
	w.some("locatariotelefone1", "(31) 9"+strconv.Itoa(8000_0000+tenant))
	w.empty("locatariotelefone2")
	w.some("locatarioemail", "cliente"+strconv.Itoa(tenant)+"@exemplo.com.br")
	w.empty("locatariocpf")
	switch {
	case r.ended:
		w.text("situacao", "Rescindido")
	case index%33 == 4:
		w.text("situacao", "Moderação")
	default:
		w.text("situacao", "Ativo")
	}
	w.text("status", [...]string{"Atrasado", "Em dia", ""}[w.d.n(3)])
	w.empty("motivostatus")
	s.lease(w, index, r)
	w.rate("taxaadministracao", 800+100*w.d.n(4))
	w.text("tipotaxaadministracao", "%")
	w.rate("taxaintermediacao", 50_000+w.d.n(200_000))
	w.text("tipotaxaintermediacao", "R$")
	s.included(w, "datainclusao")
	s.updated(w, "dataultimaalteracao", t, index)
	w.date("dataativacao", begin)
	w.date("datainicio", begin)
	w.date("datafim", begin+30*30*day)
	w.date("dataproximoreajuste", begin+365*day)
	w.date("dataproximoaluguel", begin+31*day)
	w.date("dataproximorepasse", begin+40*day)
	if r.ended {
		w.date("dataavisodesocupacao", begin+200*day)
		w.date("dataprevisaorescisao", begin+230*day)
		w.date("datarescisao", begin+232*day)
		w.text("motivorescisao", "Mudança de cidade")
	} else {
		w.empty("dataavisodesocupacao")
		w.is("dataprevisaorescisao", [...]string{`""`, "null", `"a combinar"`}[index%3])
		w.empty("datarescisao", "motivorescisao")
	}
	w.some("complementomotivo", "")
	w.number("diavencimento", 5)
	w.number("diarepasse", 10)
	w.is("diavencimentoaluguel", [...]string{`"5"`, "5", `""`}[w.d.n(3)])
	w.is("diavencimentorepasse", [...]string{`"10"`, "10", `""`}[w.d.n(3)])
	w.some("formacobranca", "Boleto")
	w.some("formarecebimento", "Banco")
	w.some("comofazerrepasse", "Pix")
	w.text("destinacao", "Residencial")
	w.empty("ramoatividade")
	w.text("indicereajuste", "IGP-M")
	w.text("garantia", "Fiador")
	w.flag("garantido", w.d.once(4))
	w.some("tipogarantido", "")
	w.number("quantosmesesgarantido", w.d.n(13))
	w.some("responsavel", s.stock.person(index))
	w.empty("advogadoresponsavel")
	w.text("resumo", "Contrato de "+s.stock.person(tenant)+", CPF 000.000.000-00")
	w.is("contratosassinado", [...]string{"[]", `[{"nome":"contrato.pdf","url":"https://cdn.imoview.com.br/exemplo/contrato.pdf"}]`}[w.d.n(2)])
	w.is("vistoriasassinado", [...]string{"[]", `["https://cdn.imoview.com.br/exemplo/vistoria.pdf"]`, "null"}[w.d.n(3)])
	w.name("imoveis")
	w.raw("[{")
	w.int("codigo", s.properties.code(property))
	w.text("resumo", "Apartamento")
	w.text("tipoimovel", "Apartamento")
	w.text("endereco", pick(&w.d, s.stock.streets)+", 10")
	w.is("valorcondominio", [...]string{`""`, "450.5"}[w.d.n(2)])
	w.name("locadores")
	w.raw("[{")
	w.int("codigo", s.users.code(w.d.n(len(s.users.rows))))
	w.raw(`,"nome":"Locador Exemplo","percentual":100,"cpfcnpj":"","responsavelfiscalcpfcnpj":"","resumo":""}]}]`)
	w.raw(`,"seguroincendio":`)
	w.raw([...]string{
		`{"datainicio":"","datafim":"","seguradora":""}`,
		`{"datainicio":"01/02/2024","datafim":"01/02/2025","seguradora":"Seguradora Exemplo"}`, "null",
	}[w.d.n(3)])
	w.raw(`,"garantialocaticia":`)
	w.raw([...]string{`{"forma":"","seguradora":"","datafim":""}`, `{"forma":"Fiador","seguradora":"","datafim":"31/07/2026"}`}[w.d.n(2)])
	w.raw("}")
}

// lease is the rent: a JSON number, now and then a text with a dot. It changes with each version.
func (s *Simulator) lease(w *writer, index int, r row) {
	cents := 50_000 + w.d.n(900_000) + int(r.version)
	text := index%27 == 8
	w.name("valoraluguel")
	if text {
		w.raw(`"`)
	}
	w.b = strconv.AppendInt(w.b, int64(cents/100), 10)
	w.b = append(w.b, '.', byte('0'+cents/10%10), byte('0'+cents%10))
	if text {
		w.raw(`"`)
	}
}
