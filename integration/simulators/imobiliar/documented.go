package imobiliar

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// documented returns the fields that the rows of a table are documented to have, and those of the lists in them, as name:type: i is a whole number, n
// an amount, s a text, f a flag, d a day, c a month. Each may be absent.
func documented() map[string]string {
	return map[string]string{
		"people": `CodPessoa:i Nome:s EstadoCivil:s Sexo:s TipoPessoa:s CpfCnpj:s RG:s OrgaoExpedidor:s DataNascimento:d Nacionalidade:s
			CodNacionalidade:i Naturalidade:s CodNaturalidade:i Celular:s Email:s Contato:s Ativo:f TipoEnderCobr:s TipoEnderCorresp:s DataInclusao:d
			NomePai:s NomeMae:s CodConjuge:i PIS:s CodBanco:i CodAgencia:i ContaCorrente:s TipoConta:s Passaporte:s SenhaInternetMD5:s
			CodIntegracaoSist:s CodProfissao:i Classificacao:s Observacao:s DataAlteracao:d Locatario:f Proprietario:f Fiador:f Sindico:f Condomino:f
			Beneficiario:f Procurador:f Assessor:s LocatarioAdicional:f DebitadoLocacao:f DebitadoCondominio:f LocatarioCondominio:f
			AssessorTelefone:s AssessorEmail:s EmailAutomatico:f EmailNfse:f WhatsPrioritario:f PixTipoChave:s PixChave:s`,
		"Enderecos": `TipoEnder:s CEP:i TipoLograd:s Logradouro:s Numero:i Complemento:s Bairro:s Cidade:s UF:s Telefone1:s Telefone2:s`,
		"suppliers": `CodFornecedor:i Nome:s NomeFantasia:s TipoPessoa:s CpfCnpj:s InscricaoInss:s InscricaoMunicipal:s Categoria:s PIS:s TipoConta:s
			CodBanco:i CodAgencia:i ContaCorrente:s Contato:s CargoContato:s CEP:i TipoLograd:s Logradouro:s Numero:i Complemento:s Bairro:s Cidade:s
			UF:s Telefone1:s Celular:s Email:s FormaPagamento:s TipoChavePix:s ChavePix:s TipoDocumento:s EmiteNFSE:f Ativo:f CodPessoaFavorecido:i
			Favorecido:s CodPessoaTitular:i Titular:s MEI:f NIT:s ProdutorRural:f CodigoCBO:s`,
		"administration": `CodContratoAdm:i DataVigInicial:d DataVigFinal:d Observacoes:s CodFilial:s CodPessoaTitular:i DataAssinatura:d Prazo:i
			CodIntegracaoSist:s`,
		"Proprietarios": `CodPessoa:i IsentaTaxaDIMOB:f IsentaJuros:f IsentaTarifaRemessa:f IsentaTaxaPorte:f CalcImpostos:f EmiteNota:f CarneLeao:f
			IsentaCOFINS:f CalcIR:f SubstTributario:f ExpInternet:f ExpGrafica:f FormaCalc:s FormaPagto:s EmiteDemonstrativo:s TipoEnderCorresp:s
			CodPessoaProcurador:i CodPessoaBenef:i CodBanco:i CodAgencia:i ContaCorrente:s TipoConta:s IndiceMonetario:s DimobInternet:f`,
		"leases": `CodImovel:i CodContratoLoc:i CodIntegracaoSist:s CodContratoAdm:i DataAssinatura:d DataDistrato:d ContratoLoc_Ativo:f
			CodPessoaLocat:i DataVigInicial:d DataVigFinal:d DataProxReaj:d DataEntregaChaves:d DataAvisoDesocupacao:d ValorAluguel:n
			DataVencFianca:d DescricaoUso:s CodAgencia:i PeriodoReajAluguel:i Prazo:i PercMulta:n PercJuros:n Carencia:s MesesCarencia:i
			DiasCarencia:i PercCarencia:n DescPontualidade:s PercDescPontualidade:n ValorDescPontualidade:n DiasDescPontualidade:i FormaCalcPagto:s
			DiaPagtoProp:i DiaVenctoDOC:i IsentaIR:f IsentaDescontoValorBaseIR:f DocPorPeriodo:f Locacao_Temporada:f IsentaTaxaPorte:f
			IsentaTarifaDOC:f DOC_Email:f GaranteDOC:f ValorTarifaDOC:n PercReajAluguel:n ValorTxIntermed:n CompetIniIntermed:c NrParcIntermed:i
			TipoAditamento:s IndiceReajAluguel:s TipoFianca:s NomeLocat:s TaxaAdm:n ValorTaxaAdm:n TipoAssinatura:s CodFornecCobr:i
			CodFornecFianca:i HonorariosPerc:n HonorariosPrazoDias:i`,
		"properties": `CodImovel:i TipoImovel:s CodIntegracaoSist:s TipoLograd:s Logradouro:s Numero:i Complemento:s CEP:s Bairro:s Cidade:s UF:s
			Telefone:s DataInclusao:d CodClasseImovel:i Status:s Situacao:s Ativo:f QtdeDormitorios:i QtdeGaragem:i AreaTotal:n AreaPrivativa:n
			Venda:f Locacao:f CodContratoAdm:i CodFilial:s CodContratoLoc:i MesesGarantiaAlug:i MesesGarantiaEnc:i CodAssessor:i Matricula:s
			ZonaRegistro:s ValorVenda:n NomePredio:s Latitude:n Longitude:n ValorAluguel:n ContratoLocAtivo:f Imediacao:s DescrCaracteristicas:s
			DescrReduzida:s ObsIPTU:s ObsJuridico:s ObsAcoes:s ObsSeguros:s ObsCadastro:s ObsCtaPagar:s ObsDOC:s ObsTaxasCond:s LoginAdmCondom:s
			ObsOutras:s ObsInternet:s CodPessoaLocat:i NomeLocat:s ValorCondominio:n ValorIPTU:n NroInscricaoIPTU:i InformativoDOC:s InstrucaoDOC:s
			IncideIRFTxAdm:s DescPontualidade:s FormaCalcPagto:s TaxaIntermediacao:n IncidenciaTaxaAdm:s TaxaAdm:n ValorTaxaAdm:n
			IncidenciaValorMinimoTaxaAdm:s ValorMinimoTaxaAdm:n CobrancaAntecipada:s RamalAgua:s CodAgencia:i OrigemCaptacao:s CodAgenciador:i
			CodFornecCond:i GrupoAnalise:i GaranteAluguel:f GaranteEncargos:f CobraDiferencaCond:f AdmClausVlrMin:s Exclusivo:f DestaqueLoc:f
			DestaqueVenda:f VencMesComp:s CodCondominio:i NomeCondominio:s`,
		"Caracteristicas": `CodCaract:i Descricao:s Quantidade:n Complemento:s`,
		"condominiums": `CodCondominio:i NomeCondominio:s CNPJ:s TotalFracao:n TotaldeBlocos:i DiaVencimentoDoc:i UltimaCompetenciaDoc:c
			CodBlocoBase:s Ativo:f DataInicioAdm:d EnderecoPrincipal:s Cidade:s UF:s Assessor:s AssessorNome:s LojaNome:s BloqueioPagamento:f
			DataDistrato:d Categoria:s Classificacao:s CodAdvogadoInad:i NomeAdvogadoInad:s HonorarioDias:i HonorarioPercentual:n`,
		"Blocos": `CodBloco:s TipoLograd:s Descricao:s Fundo:s CEP:i Endereco:s Bairro:s QtdeEconomias:i OrdemBloco:i BlocoAtivo:f`,
		"units":  `IdEconomia:i CodEconomia:s CodPessoaCondomino:i Nome:s Celular:s Fracao:n Email:s Locatario:s Contato:s CpfCnpj:s`,
		"fees":   `CodTaxa:i Descricao:s Aliquota:n Categoria:s Operacao:s`,
		"payables": `NumeroLancto:i DataVencimento:d CodTaxa:i DescrTaxa:s NomeFavorecido:s ValorLiquido:n ValorBruto:n PrevisaoReal:s Frequencia:s
			Pago:f NumeroDocumento:s UsuarioSuspensao:s DataSuspensao:d MotivoSuspensao:s ValorPagamento:n`,
		"bills": `Bairro:s Cidade:s UF:s CEP:s TipoPessoa:s CpfCnpj:s Email:s Telefone:s Nome:s CodPessoa:i DataVencimento:d Competencia:c
			DataCartaInadimplencia1:d DataCartaInadimplencia2:d DataCartaInadimplencia3:d DataJuridico:d TipoDocumento:s Nossonumero:s DocCapaId:i
			DataGeracao:d BaseJuro:s CodFilial:s PercJuros:n PercMulta:n VlrTaxaPorte:n MsgCalcCorrecao:s CodCondominio:i UsuarioId:s Economia:s
			IdEconomia:i CodBloco:s CodBlocoLancto:s CodImovel:i ExportaLocacao:s DescrClasseImovel:s NomeCondominio:s ValorJuros:n Correcao:n
			VlrDocumento:n Sexo:s DataVencFianca:d DataVigInicial:d DataDistrato:d CodContratoLoc:i Endereco:s TipoFianca:s DiaPagtoProp:i
			DescricaoTaxa:s VlrLancamento:n JurosLancamento:n MultaLancamento:n CorrecaoLancamento:n AdvogadoBoleto:s`,
	}
}

// parsed returns the documented fields, by table.
func parsed() map[string][]field {
	all := map[string][]field{}
	for table, text := range documented() {
		all[table] = fields(text)
	}
	return all
}

// full returns a row with what it is documented to have besides what it has, some of it absent: the same whenever it is asked for.
func (d *data) full(table string, r *row) object {
	dice := sim.Dice(sim.Mix(d.seed ^ uint64(r.place)))
	o := d.filled(&dice, table, r.object)
	for name, value := range o {
		parts, ok := value.([]object)
		if !ok || d.fields[name] == nil {
			continue
		}
		written := make([]object, len(parts))
		for i, part := range parts {
			written[i] = d.filled(&dice, name, part)
		}
		o[name] = written
	}
	return o
}

// filled returns o with documented fields, of which one in six is absent.
func (d *data) filled(dice *sim.Dice, table string, o object) object {
	o = maps.Clone(o)
	for _, f := range d.fields[table] {
		if _, has := o[f.name]; !has && !dice.Once(6) {
			o[f.name] = d.value(dice, f, o)
		}
	}
	return o
}

// value returns one that a field may have.
func (d *data) value(dice *sim.Dice, f field, o object) any {
	switch n := dice.N(90_000); f.name {
	case "UF":
		return sim.Pick(dice, []string{"RS", "SP", "BA"})
	case "TipoPessoa":
		return sim.Pick(dice, []string{"F", "J"})
	case "CpfCnpj":
		if o["TipoPessoa"] == "J" {
			return fmt.Sprintf("%014d", n*104729)
		}
		return fmt.Sprintf("%011d", n*7919)
	case "CNPJ":
		return fmt.Sprintf("%014d", n*104729)
	case "CEP":
		if f.kind == 's' {
			return fmt.Sprintf("%08d", 1_000_000+n)
		}
		return 1_000_000 + n
	}
	switch f.kind {
	case 'i':
		return dice.N(1000)
	case 'n':
		return sim.Raw(strconv.Itoa(dice.N(5000)) + "." + fmt.Sprintf("%02d", dice.N(100)))
	case 'f':
		return sim.Pick(dice, []string{"S", "N"})
	case 'd':
		return day(d.today.AddDate(0, 0, -dice.N(3000)))
	case 'c':
		return d.today.AddDate(0, -dice.N(30), 0).Format("200601")
	default:
		return strings.ToUpper(f.name) + " " + strconv.Itoa(dice.N(100))
	}
}

// midnight returns the day of t in Brazil, as the time when it began in UTC.
func midnight(t time.Time) time.Time {
	year, month, day := t.In(sim.Brasilia()).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
