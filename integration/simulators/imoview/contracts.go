package imoview

import (
	"slices"
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
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
	begin := date(2009) + int64(w.d.N(15*365*day))
	branch := sim.Pick(&w.d, branches())
	property := w.d.N(len(s.properties.rows))
	w.Raw("{")
	s.codigo(w, t, index)
	w.some("codigoauxiliar", "AUX-"+strconv.Itoa(index))
	w.code("unidadecodigo", branch.code)
	w.Text("unidade", branch.name)
	if index%47 == 6 {
		w.empty("locatariocodigo")
	} else {
		w.Int("locatariocodigo", s.users.code(tenant))
	}
	w.Text("locatarionome", s.stock.person(tenant))
	w.some("locatariotelefone1", "(31) 9"+strconv.Itoa(8000_0000+tenant))
	w.empty("locatariotelefone2")
	w.some("locatarioemail", "cliente"+strconv.Itoa(tenant)+"@exemplo.com.br")
	w.empty("locatariocpf")
	switch {
	case r.ended:
		w.Text("situacao", "Rescindido")
	case index%33 == 4:
		w.Text("situacao", "Moderação")
	default:
		w.Text("situacao", "Ativo")
	}
	w.Text("status", [...]string{"Atrasado", "Em dia", ""}[w.d.N(3)])
	w.empty("motivostatus")
	s.lease(w, index, r)
	w.rate("taxaadministracao", 800+100*w.d.N(4))
	w.Text("tipotaxaadministracao", "%")
	w.rate("taxaintermediacao", 50_000+w.d.N(200_000))
	w.Text("tipotaxaintermediacao", "R$")
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
		w.Text("motivorescisao", "Mudança de cidade")
	} else {
		w.empty("dataavisodesocupacao")
		w.Is("dataprevisaorescisao", [...]string{`""`, "null", `"a combinar"`}[index%3])
		w.empty("datarescisao", "motivorescisao")
	}
	w.some("complementomotivo", "")
	w.number("diavencimento", 5)
	w.number("diarepasse", 10)
	w.Is("diavencimentoaluguel", [...]string{`"5"`, "5", `""`}[w.d.N(3)])
	w.Is("diavencimentorepasse", [...]string{`"10"`, "10", `""`}[w.d.N(3)])
	w.some("formacobranca", "Boleto")
	w.some("formarecebimento", "Banco")
	w.some("comofazerrepasse", "Pix")
	w.Text("destinacao", "Residencial")
	w.empty("ramoatividade")
	w.Text("indicereajuste", "IGP-M")
	w.Text("garantia", "Fiador")
	w.flag("garantido", w.d.Once(4))
	w.some("tipogarantido", "")
	w.number("quantosmesesgarantido", w.d.N(13))
	w.some("responsavel", s.stock.person(index))
	w.empty("advogadoresponsavel")
	w.Text("resumo", "Contrato de "+s.stock.person(tenant)+", CPF 000.000.000-00")
	w.Is("contratosassinado", [...]string{"[]", `[{"nome":"contrato.pdf","url":"https://cdn.imoview.com.br/exemplo/contrato.pdf"}]`}[w.d.N(2)])
	w.Is("vistoriasassinado", [...]string{"[]", `["https://cdn.imoview.com.br/exemplo/vistoria.pdf"]`, "null"}[w.d.N(3)])
	w.Name("imoveis")
	w.Raw("[{")
	w.Int("codigo", s.properties.code(property))
	w.Text("resumo", "Apartamento")
	w.Text("tipoimovel", "Apartamento")
	w.Text("endereco", sim.Pick(&w.d, s.stock.streets)+", 10")
	w.Is("valorcondominio", [...]string{`""`, "450.5"}[w.d.N(2)])
	w.Name("locadores")
	w.Raw("[{")
	w.Int("codigo", s.users.code(w.d.N(len(s.users.rows))))
	w.Raw(`,"nome":"Locador Exemplo","percentual":100,"cpfcnpj":"","responsavelfiscalcpfcnpj":"","resumo":""}]}]`)
	w.Raw(`,"seguroincendio":`)
	w.Raw([...]string{
		`{"datainicio":"","datafim":"","seguradora":""}`,
		`{"datainicio":"01/02/2024","datafim":"01/02/2025","seguradora":"Seguradora Exemplo"}`, "null",
	}[w.d.N(3)])
	w.Raw(`,"garantialocaticia":`)
	w.Raw([...]string{`{"forma":"","seguradora":"","datafim":""}`, `{"forma":"Fiador","seguradora":"","datafim":"31/07/2026"}`}[w.d.N(2)])
	w.Raw("}")
}

// lease is the rent: a JSON number, now and then a text with a dot. It changes with each version.
func (s *Simulator) lease(w *writer, index int, r row) {
	cents := 50_000 + w.d.N(900_000) + int(r.version)
	text := index%27 == 8
	w.Name("valoraluguel")
	if text {
		w.Raw(`"`)
	}
	w.Whole(cents / 100)
	w.B = append(w.B, '.', byte('0'+cents/10%10), byte('0'+cents%10))
	if text {
		w.Raw(`"`)
	}
}
