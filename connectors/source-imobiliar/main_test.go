package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/common/connectortest"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/record"
)

func TestConform(t *testing.T) { connectortest.Conform(t, source) }

func TestGolden(t *testing.T) { connectortest.Golden(t, source, "testdata/golden") }

// A mark of a sync that was configured to ask for fewer rows is none for the others.
func TestChoice(t *testing.T) {
	inactive := false
	choices := func(c config) map[string]string {
		all := map[string]string{}
		for _, s := range describe(c).Streams {
			all[s.Name] = s.Choice
		}
		return all
	}
	before, after := choices(config{Inactive: &inactive, Origins: []string{"C"}, FeePercent: 0.5}), choices(config{})
	for name := range strings.FieldsSeq("people people_addresses suppliers payables overdue_bills") {
		if before[name] == after[name] {
			t.Errorf("the states of %s do not tell which rows were asked for", name)
		}
	}
}

// However many months are asked for, rows are read from before the mark.
func TestMonthsBack(t *testing.T) {
	for _, back := range []int{0, 3, 3443, 5000, 1 << 62} {
		for _, s := range describe(config{Back: &back}).Streams {
			if s.Cursor != nil && (s.Cursor.Margin < 0 || s.Name == "payables" && s.Cursor.Margin < 31*24*time.Hour) {
				t.Errorf("%d months: %s goes back by %v", back, s.Name, s.Cursor.Margin)
			}
		}
	}
}

// A list that was emptied in a form says no more than none: no row is asked for, or sent, without its part of the key.
func TestEmptyLists(t *testing.T) {
	for _, s := range describe(config{FeeTypes: []string{}, Origins: []string{}}).Streams {
		if want := map[string]int{"fees": 2, "payables": 3}[s.Name]; want > 0 && len(s.Each) != want {
			t.Errorf("%s is read in %d sets, want %d", s.Name, len(s.Each), want)
		}
	}
}

// The actions that the connector can send, all of which read. Others of the service write, calculate, or answer with credentials.
func TestActions(t *testing.T) {
	sent := map[string]bool{}
	api := describe(config{Tables: []string{"BANCO"}})
	note := func(action any) {
		if name, _ := action.(string); name != "" {
			sent[name] = true
		}
	}
	for _, s := range api.Streams {
		if s.Body == nil {
			continue // made of another's answers
		}
		header, _ := s.Body["Header"].(map[string]any)
		note(header["Action"])
		for _, set := range s.Each {
			note(set["Header.Action"])
		}
	}
	sessions := config{}.session("/")
	for _, call := range []map[string]any{sessions.Login.Body, sessions.Logout.Body} {
		header, _ := call["Header"].(map[string]any)
		note(header["Action"])
	}
	want := strings.Fields(`LOGIN LOGOUT CADASTRO_PESSOA_PESQUISAR CADASTRO_PESSOA_CONSULTAR CADASTRO_FORNECEDOR_PESQUISAR
		CADASTRO_FORNECEDOR_CONSULTAR LOCACAO_CONTRATO_ADM_PESQUISAR LOCACAO_CONTRATO_ADM_CONSULTAR LOCACAO_CONTRATO_IMOVEL_PESQUISAR
		LOCACAO_CONTRATO_IMOVEL_CONSULTAR LOCACAO_IMOVEL_CONSULTAR CONDOM_CONDOMINIO_PESQUISAR CONDOM_CONDOMINIO_CONSULTAR
		CONDOM_LISTA_ECONOMIAS CONDOM_LISTA_INADIMPLENCIAS CADASTRO_FILIAL_PESQUISAR CADASTRO_LOJA_PESQUISAR CADASTRO_TAXA_PESQUISAR
		CTAPAG_LANCAMENTO_PESQUISAR CTAREC_BOLETO_PESQUISAR_INADIMPLENCIAS COMERC_INTERESSADO_PESQUISAR COMERC_INTERESSADO_CONSULTAR
		TABELA_CONSULTAR NOTIFICACAO_CONSULTAR`)
	for action := range sent {
		if !slices.Contains(want, action) {
			t.Errorf("the connector can send %s, which is not among the actions that it may", action)
		}
	}
	for _, action := range want {
		if !sent[action] {
			t.Errorf("the connector never sends %s", action)
		}
	}
}

// What is told in Erros is a failure whatever the header says, but for words that say that there is nothing.
func TestErrors(t *testing.T) {
	for body, want := range map[string]string{
		`{"Header":{"Error":false},"Body":{"Pessoas":[]}}`:                                      "",
		`{"Header":{"Error":false},"Body":{"Erros":[]}}`:                                        "",
		`{"Header":{"Error":false},"Body":{"Erros":[{"Mensagem":"Falha ao consultar"}]}}`:       "refused an action: Falha ao consultar",
		`{"Header":{"Error":true},"Body":{"Erros":[{"Mensagem":"Falha ao consultar"}]}}`:        "refused an action: Falha ao consultar",
		`{"Header":{"Error":true},"Body":{"Erros":{"Mensagem":"Nenhuma pessoa encontrada"}}}`:   "",
		`{"Header":{"Error":false},"Body":{"Erros":{"Mensagem":"Nenhuma pessoa encontrada"}}}`:  "",
		`{"Header":{"Error":false},"Body":{"Erros":[{"Mensagem":"Usuário sem permissão"}]}}`:    "does not let this user do an action",
		`{"Header":{"Error":false},"Body":{"Erros":[{"Mensagem":"Erro interno no servidor"}]}}`: "failed at an action: Erro interno",
	} {
		err := judge(&httpclient.Response{Status: 200, Text: []byte(body), Body: record.Record(body).Get("")}).Err()
		if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
		if _, ok := errors.AsType[*fault.Error](err); err != nil && !ok {
			t.Errorf("%s: nobody's move", body)
		}
	}
}

// A row is not there where an error says so of the code that was asked for, or of no field.
func TestGone(t *testing.T) {
	for words, want := range map[string]bool{
		"Pessoa não encontrada": true, "Pessoa não cadastrada (CodPessoa)": true, "Código de pessoa inexistente (CodPessoa)": true,
		"Filial não cadastrada (CodFilial)": false, "Banco não cadastrado": false, "Pessoa não encontrada; Banco não cadastrado (CodBanco)": false,
		"Erro interno do banco de dados: tabela temporária não encontrada": false, "Servidor de dados não localizado, tente novamente": false,
	} {
		if gone(words) != want {
			t.Errorf("%q: %v", words, !want)
		}
	}
}
