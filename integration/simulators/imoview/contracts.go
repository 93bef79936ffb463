package imoview

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// listContracts returns a tenant's.
func (s *Simulator) listContracts(p *params) listing { return s.listOf(p, s.contractsOf) }

// listGuaranteed returns those that a client stands surety for.
func (s *Simulator) listGuaranteed(p *params) listing { return s.listOf(p, s.guaranteedBy) }

// listLet returns a landlord's, in the situation that is asked for: 0 is any.
func (s *Simulator) listLet(p *params) listing {
	p.absent("situacao")
	return s.listOf(p, s.letBy)
}

// listLeases returns all contracts, the rescinded ones too.
func (s *Simulator) listLeases(p *params) listing {
	return listing{rows: s.matching(s.contracts, "", p, func(int) bool { return true }, nil), table: s.contracts, row: s.contract}
}

// client returns the one whose rows are asked for; -1 when there is none of that code.
func (s *Simulator) client(p *params) (code int, index int) {
	code = p.place("codigocliente")
	if code == 0 {
		p.refuse("Código do cliente não informado!")
	}
	i, ok := s.users.Index(code)
	if !ok {
		return code, -1
	}
	return code, i
}

// listOf returns a client's contracts, the rescinded ones only when asked for.
func (s *Simulator) listOf(p *params, of map[int][]int) listing {
	code, index := s.client(p)
	rescinded, only := p.truth("mostrarrescindidos"), p.number("codigocontrato")
	p.absent("endereco")
	rows := of[index]
	if !rescinded || only != 0 {
		rows = slices.DeleteFunc(slices.Clone(rows), func(i int) bool {
			return !rescinded && s.contracts.Rows[i].State == ended || only != 0 && s.contracts.code(i) != only
		})
	}
	return listing{rows: rows, client: code, table: s.contracts, row: s.contract}
}

// contract returns a contract, the same wherever it is listed: its tenant is the first one.
func (s *Simulator) contract(index int) any {
	t, r, d := s.contracts, s.contracts.Rows[index], s.forms(s.contracts, index)
	client := s.leases[index].tenants[0]
	begin := date(2009) + int64(d.N(15*365*day))
	branch, property := sim.Pick(&d.Dice, branches()), s.leased(index)
	owner := d.N(len(s.users.Rows))
	if known := s.leases[index].landlord; known >= 0 {
		owner = known
	}
	row := object{
		"codigo": s.codigo(t, index), "codigoauxiliar": d.some("AUX-" + strconv.Itoa(index)), "unidadecodigo": d.code(branch.code),
		"unidade": branch.name, "locatariocodigo": s.users.code(client), "locatarionome": s.stock.person(client),
		"locatariotelefone1": d.some("(31) 9" + strconv.Itoa(8000_0000+client)), "locatariotelefone2": "",
		"locatarioemail": d.some("cliente" + strconv.Itoa(client) + "@exemplo.com.br"), "locatariocpf": "", "situacao": "Ativo",
		"status": d.of("Atrasado", "Em dia", ""), "motivostatus": "", "valoraluguel": lease(d, index, r),
		"taxaadministracao": decimal(800 + 100*d.N(4)), "tipotaxaadministracao": "%", "taxaintermediacao": decimal(50_000 + d.N(200_000)),
		"tipotaxaintermediacao": "R$", "datainclusao": d.included(), "dataultimaalteracao": s.updated(t, index),
		"dataativacao": d.date(begin), "datainicio": d.date(begin), "datafim": d.date(begin + 30*30*day),
		"dataproximoreajuste": d.date(begin + 365*day), "dataproximoaluguel": d.date(begin + 31*day), "dataproximorepasse": d.date(begin + 40*day),
	}
	if index%47 == 6 {
		row["locatariocodigo"] = ""
	}
	if r.State == ended {
		row.Add(object{
			"situacao": "Rescindido", "dataavisodesocupacao": d.date(begin + 200*day), "dataprevisaorescisao": d.date(begin + 230*day),
			"datarescisao": d.date(begin + 232*day), "motivorescisao": "Mudança de cidade",
		})
	} else {
		if index%33 == 4 {
			row["situacao"] = "Moderação"
		}
		row.Put("", "dataavisodesocupacao", "datarescisao", "motivorescisao")
		row["dataprevisaorescisao"] = list{"", nil, "a combinar"}[index%3]
	}
	row.Add(object{
		"complementomotivo": d.some(""), "diavencimento": d.number(5), "diarepasse": d.number(10), "diavencimentoaluguel": d.of("5", 5, ""),
		"diavencimentorepasse": d.of("10", 10, ""), "formacobranca": d.some("Boleto"), "formarecebimento": d.some("Banco"),
		"comofazerrepasse": d.some("Pix"), "destinacao": "Residencial", "ramoatividade": "", "indicereajuste": "IGP-M", "garantia": "Fiador",
		"garantido": d.flag(d.Once(4)), "tipogarantido": d.some(""), "quantosmesesgarantido": d.number(d.N(13)),
		"responsavel": d.some(s.stock.person(index)), "advogadoresponsavel": "",
		"resumo":            "Contrato de " + s.stock.person(client) + ", CPF 000.000.000-00",
		"contratosassinado": d.of(list{}, list{object{"nome": "contrato.pdf", "url": "https://cdn.imoview.com.br/exemplo/contrato.pdf"}}),
		"vistoriasassinado": d.of(list{}, list{"https://cdn.imoview.com.br/exemplo/vistoria.pdf"}, nil),
		"imoveis": list{object{
			"codigo": s.properties.code(property), "resumo": "Apartamento", "tipoimovel": "Apartamento",
			"endereco": sim.Pick(&d.Dice, s.stock.streets) + ", 10", "valorcondominio": d.of("", 450.5),
			"locadores": list{object{
				"codigo": s.users.code(owner), "nome": "Locador Exemplo", "percentual": 100, "cpfcnpj": "",
				"responsavelfiscalcpfcnpj": "", "resumo": "",
			}},
		}},
		"seguroincendio": d.of(object{"datainicio": "", "datafim": "", "seguradora": ""},
			object{"datainicio": "01/02/2024", "datafim": "01/02/2025", "seguradora": "Seguradora Exemplo"}, nil),
		"garantialocaticia": d.of(object{"forma": "", "seguradora": "", "datafim": ""},
			object{"forma": "Fiador", "seguradora": "", "datafim": "31/07/2026"}),
	})
	return row
}

// lease returns the rent: a JSON number, now and then a text with a dot. It changes with each version.
func lease(d *forms, index int, r sim.Row) any {
	cents := 50_000 + d.N(900_000) + int(r.Version)
	text := fmt.Sprintf("%d.%02d", cents/100, cents%100)
	if index%27 == 8 {
		return text
	}
	return json.Number(text)
}
