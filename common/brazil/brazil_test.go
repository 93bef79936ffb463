package brazil_test

import (
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
		for _, m := range brazil.Padded(record.Record(row), map[string]int{"CEP": brazil.CEP}, "Tax", "T") {
			got += string(m.Value)
		}
		if got != want {
			t.Errorf("%s becomes %s, want %s", row, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for words, want := range map[string]string{
		"Usuário sem permissão para esta ação":         "denied",
		"Acesso negado: ação não autorizada":           "denied",
		"Ação não permitida para este usuário":         "denied",
		"Ação não habilitada para o usuário":           "denied",
		"Ação inválida":                                "action",
		"A ação CADASTRO_LOJA não existe (Action)":     "action",
		"Unknown action":                               "action",
		"Ação desconhecida":                            "action",
		"A ação não pôde ser executada, tente de novo": "",
		"Pessoa nao encontrada (CodPessoa)":            "row",
		"Registro não foi localizado":                  "row",
		"Limite de sessões simultâneas atingido":       "session",
		"Número máximo de sessões excedido (USER_ID)":  "session",
		"Sessão inválida":                              "",
		"Erro interno":                                 "",
		"Situação não informada para este documento":   "",
		"": "",
	} {
		got := ""
		for name, is := range map[string]func(string) bool{
			"denied": brazil.Denied, "session": brazil.NoSession, "action": brazil.NoAction, "row": brazil.NoRow,
		} {
			if is(words) {
				got += name
			}
		}
		if got != want {
			t.Errorf("%q is %q, want %q", words, got, want)
		}
	}
}
