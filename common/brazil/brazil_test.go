package brazil_test

import (
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/brazil"
	"github.com/imob-data/airbyte-connectors/common/record"
)

func TestPadded(t *testing.T) {
	for row, want := range map[string]string{
		`{"CEP":1310100}`:                  `"01310100"`,
		`{"CEP":"01310-100"}`:              "",
		`{"CEP":""}`:                       "",
		`{"CEP":null}`:                     "",
		`{"CEP":123456789}`:                "",
		`{"T":"F","Tax":191}`:              `"00000000191"`,
		`{"T":" j ","Tax":191}`:            `"00000000000191"`,
		`{"T":"F","Tax":"00000000191"}`:    `"00000000191"`,
		`{"T":"","Tax":191}`:               "",
		`{"Tax":191}`:                      "",
		`{"T":"F","Tax":"1.910.000-00"}`:   "",
		`{"T":"F","Tax":12345678000195.5}`: "",
	} {
		got := ""
		for _, m := range brazil.Padded(record.Record(row).Get, []brazil.Digits{{Name: "CEP", Length: brazil.CEP}}, "Tax", "T") {
			got += string(m.Value)
		}
		if got != want {
			t.Errorf("%s becomes %s, want %s", row, got, want)
		}
	}
}

func TestWordsOfErrors(t *testing.T) {
	for all, want := range map[string]string{
		`[{"M":"Não pode. ","F":"Cod"},{"M":"Outro"}]`: "Não pode (Cod); Outro", `{"M":"Um só","F":""}`: "Um só", `[]`: "", `null`: "", `{}`: "",
	} {
		if got := brazil.Words(record.Record(all).Get(""), "M", "F"); got != want {
			t.Errorf("%s says %q, want %q", all, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for words, want := range map[string]string{
		"Usuário sem permissão para esta ação":                                           "denied",
		"Acesso negado: ação não autorizada":                                             "denied",
		"Ação não permitida para este usuário":                                           "denied",
		"Ação não habilitada para o usuário":                                             "denied",
		"Ação inválida":                                                                  "action",
		"A ação CADASTRO_LOJA não existe (Action)":                                       "action",
		"Unknown action":                                                                 "action",
		"Action is not supported":                                                        "action",
		"Ação informada não existe":                                                      "action",
		"Ação 'CADASTRO_LOJA' inválida":                                                  "action",
		"Método não implementado":                                                        "action",
		"Erro na função CalculaTaxa: valor inválido":                                     "",
		"Falha no serviço: parâmetro inválido":                                           "",
		"Parâmetro inválido na ação":                                                     "",
		"Ação desconhecida":                                                              "action",
		"A ação não pôde ser executada, tente de novo":                                   "passing",
		"Pessoa nao encontrada (CodPessoa)":                                              "row",
		"Registro não foi localizado":                                                    "row",
		"Limite de sessões simultâneas atingido":                                         "session",
		"Número máximo de sessões excedido (USER_ID)":                                    "session",
		"Sessão inválida":                                                                "ended",
		"Sessão não encontrada":                                                          "ended",
		"Sessão inválida para a ação":                                                    "ended",
		"468 - session expired, new login required":                                      "ended",
		"Expirou a sessão":                                                               "ended",
		"Usuário não conectado":                                                          "ended",
		"Login não encontrado":                                                           "ended",
		"Nenhum registro encontrado":                                                     "nothing row",
		"Não foram encontrados registros":                                                "nothing row",
		"Não há mais linhas":                                                             "nothing row",
		"Nenhum contrato encontrado!":                                                    "nothing row",
		"Nenhuma proposta foi encontrada":                                                "nothing row",
		"A oportunidade não possui propostas":                                            "nothing row",
		"O cliente não tem nenhum imóvel":                                                "nothing row",
		"O cliente não possui contratos cadastrados":                                     "nothing row",
		"Não há boletos para o período (Data)":                                           "nothing row",
		"Nenhuma pessoa encontrada":                                                      "nothing row",
		"Nenhum documento pendente":                                                      "nothing row",
		"Nenhuma taxa cadastrada (TipoTaxa)":                                             "nothing row",
		"Condomínio sem inadimplência.":                                                  "nothing row",
		"Nenhuma oportunidade encontrada":                                                "nothing row",
		"Sem documentos para o login":                                                    "",
		"Sem contrato ativo":                                                             "",
		"Nenhuma pessoa informada":                                                       "",
		"O cliente não possui contrato vigente":                                          "",
		"A empresa não tem contrato de suporte":                                          "",
		"Não há contrato ativo com este servidor":                                        "",
		"Nenhum contrato informado":                                                      "",
		"Nenhuma proposta encontrada: acesso negado":                                     "denied",
		"Token expirado":                                                                 "",
		"Token não encontrado":                                                           "",
		"Nenhum dado informado":                                                          "",
		"Requisição sem dados obrigatórios":                                              "",
		"Não há conexão com o banco de dados":                                            "passing",
		"Nenhuma conexão disponível":                                                     "",
		"Erro interno":                                                                   "passing",
		"Serviço indisponível":                                                           "passing",
		"Tempo limite da consulta excedido":                                              "passing",
		"Situação não informada para este documento":                                     "",
		"Nenhum registro encontrado no banco de dados":                                   "nothing row passing",
		"Nenhum contrato de locação encontrado para o período.":                          "nothing row",
		"Nenhum registro encontrado. Verifique os filtros.":                              "nothing row",
		"A pesquisa não retornou resultados":                                             "nothing row",
		"Não há dados que atendam aos critérios":                                         "nothing row",
		"Nenhum imóvel disponível":                                                       "nothing row",
		"Não há registros de boletos":                                                    "nothing row",
		"No records found":                                                               "nothing row",
		"O contrato 1234 não foi localizado no sistema":                                  "row",
		"Cliente não encontrado!":                                                        "row",
		"Nenhum cliente encontrado":                                                      "row",
		"Imóvel de código 7 inexistente":                                                 "row",
		"Banco não cadastrado (CodBanco)":                                                "",
		"Erro interno do banco de dados: tabela temporária não encontrada":               "passing",
		"Servidor de dados não localizado, tente novamente":                              "passing",
		"Não há resultado: tempo limite esgotado":                                        "passing",
		"Não há registro da sessão informada":                                            "",
		"Não existe registro de licença para o módulo":                                   "",
		"Nenhum registro encontrado na tabela de parâmetros do servidor":                 "",
		"Não há linha de comunicação com o servidor":                                     "",
		"Nenhum registro encontrado; Banco não cadastrado (CodBanco)":                    "",
		"Nenhum registro encontrado: tempo limite da consulta esgotado, tente novamente": "passing",
		"Nenhum resultado retornado pelo banco de dados: erro interno":                   "passing",
		"No results: query timeout":                                                      "passing",
		"Empresa não possui contrato com a NectarCRM":                                    "",
		"A imobiliária não possui contrato com o módulo de API":                          "",
		"Sua conta não possui unidade cadastrada":                                        "",
		"Não existe registro de licença ativa para esta conta":                           "",
		"Não existe registro da chave para esta unidade":                                 "",
		"Não há registro de pagamento da fatura. Conta suspensa.":                        "",
		"Não foi encontrado registro de integração para este IP":                         "",
		"Não existem registros de assinatura para o plano atual":                         "",
		"Nenhum registro encontrado para o token informado":                              "",
		"Nenhum dado encontrado na sessão. Faça login novamente":                         "",
		"Não tem título pago: acesso bloqueado":                                          "denied",
		"Usuário não possui pendência":                                                   "",
		"Consulta realizada com sucesso":                                                 "fine",
		"OK":                                                                             "fine",
		"Total de registros: 0":                                                          "fine",
		"Não foi realizada: erro 0x80":                                                   "",
		"no row-level security policy":                                                   "",
		"":                                                                               "",
	} {
		var got []string
		for _, kind := range []struct {
			name string
			is   func(string) bool
		}{
			{"denied", brazil.Denied}, {"session", brazil.NoSession}, {"ended", brazil.Ended}, {"action", brazil.NoAction},
			{"nothing", brazil.Nothing}, {"row", brazil.NoRow}, {"passing", brazil.Passing}, {"fine", brazil.Fine},
		} {
			if kind.is(words) {
				got = append(got, kind.name)
			}
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%q is %q, want %q", words, got, want)
		}
	}
}
