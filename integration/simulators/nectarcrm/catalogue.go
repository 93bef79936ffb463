package nectarcrm

import (
	"strconv"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

func productName(p int) string { return "Produto " + strconv.Itoa(p) + " ação" }
func productCode(p int) string { return "2." + strconv.Itoa(p) }

// product returns a product with those that depend on it.
func (s *Simulator) product(i int, r row) object {
	d := s.forms(s.products, i, 6)
	row := s.productMembers(d, i)
	class := func(id int, text string) any {
		if d.Once(9) {
			return object{}
		}
		return d.entry(id, text)
	}
	row["categoria"], row["subCategoria"] = class(601+i%6, "Grupo "+strconv.Itoa(i%6)), class(651+i%12, "Subgrupo "+strconv.Itoa(i%12))
	d.flags(row, "isExpiravel", "editarProdutosDependentes")
	row["produtos"] = d.inner(s.parts(i, r), func(k int) object { return s.productMembers(d, s.part(i, k)) })
	row.Add(object{
		"valorBaseComposto": d.amount(20_059),
		"itensDeCusto": d.of(list{}, sim.Raw(
			`[{"id":1,"nome":"Formação 1","valor":300.0,"quantidade":2.0,"valorBase":300.0,"porcentagem":false,"multiplicador":false}]`)),
		"faixasPreco": d.of(list{}, sim.Raw(
			`[{"quantidadeInicial":0,"quantidadeFinal":10,"valor":300.0},{"quantidadeInicial":11,"quantidadeFinal":20,"valor":270.0}]`)),
	})
	if d.Once(3) {
		d.custom(row)
	}
	return row
}

func (s *Simulator) productMembers(d *forms, i int) object {
	row := object{
		"id": s.products.id(i), "nome": productName(i), "contador": d.number(128 + i), "ativo": d.flag(i%11 != 3), "codigo": d.some(productCode(i)),
		"descricao": d.note(), "moeda": d.some([...]string{"BRL", "USD"}[i%2]), "recorrencia": d.number(i % 3), "valorBase": d.amount(15_000 + i),
	}
	d.terms(row)
	return row
}

// terms are on what terms a product is sold. The documents call some of them otherwise than the lists do.
func (d *forms) terms(row object) {
	d.flags(row, "permiteDesconto", "permiteAcrescimo", "acrescimoPercentual", "possuiEstoque", "valorEditavel", "fracionario")
	if d.Once(10) {
		d.flags(row, "isDescontoPorcentual", "isComissaoPorcentual")
	} else {
		d.flags(row, "descontoPorcentual", "comissaoPorcentual")
	}
	row.Add(object{
		"descontoMaximo": d.amount(1500), "acrescimoMaximo": d.amount(d.N(20) * 100), "comissao": d.amount(d.N(20) * 50),
		"quantidadeEstoque": d.number(d.N(100)),
	})
}

// pipeline returns a funnel with its stages.
func (s *Simulator) pipeline(i int, r row) object {
	d := s.forms(s.pipelines, i, 6)
	row := object{
		"id": s.pipelines.id(i), "nome": pipelineName(i), "descricao": d.note(), "tipo": pipelineKind(i), "modeloVenda": d.number(i % 2),
		"cascataCicloVida": d.number(int(r.Version)), "tipoRecorrenciaValorFunil": d.number(i % 3), "moeda": d.some("BRL"),
		"padrao": d.flag(i == 0), "ultimaAtualizacao": s.pipelines.changed(i, r),
	}
	d.flags(row, "ativo", "permitePularEtapa", "iniciarQualquerEtapa", "permiteRetornoEtapa", "propostaObrigatoria", "produtoObrigatorio",
		"permitirRecorrenciaVariavel", "multiplasTabelasPreco", "corresponsabilidade", "ignorarRestricaoEquipes",
		"consideracoesObrigatorioGanhar", "consideracoesObrigatorioPerder", "consideracoesObrigatorioProrrogar",
		"consideracoesObrigatorioDescartar", "permiteTarefasAvulsas", "motivoDescarteObrigatorio", "motivoGanhoPerdaObrigatorio",
		"showCustomCard")
	row["sequencias"] = several(stages(i), func(k int) object { return d.stage(i, k) })
	return row
}

// user returns a user.
func (s *Simulator) user(i int, r row) object {
	d := s.forms(s.users, i, 6)
	row := s.userMembers(i)
	row.Add(object{
		"usuarioMasterId": d.number(s.users.id(0)), "filialId": when(d.Once(2), func() any { return d.number(1 + i%3) }),
		"email": d.some(userLogin(i)), "foto": d.some(strconv.Itoa(int(r.Version)) + ".png"), "ativo": d.flag(i%9 != 4),
		"dataAtualizacao": s.users.changed(i, r),
		"dataCriacao":     d.of("2015-01-19T03:40:25-02:00", "2017-10-30T07:13:31-02:00", "2022-01-24T20:50:19.003Z"),
	})
	return row
}
