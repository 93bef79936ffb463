package redact

import "testing"

func TestPersonal(t *testing.T) {
	for in, want := range map[string]string{
		// Of people.
		"Usuário ninguem@example.com não encontrado":                                    "Usuário *** não encontrado",
		"joão.d'ávila+x@imóveis.com.br, <maria_1@a.b.example>.":                         "***, <***>.",
		"/x?email=ninguem%40example.com&a=1":                                            "/x?email=***&a=1",
		"CPF 123.456.789-09 bloqueado":                                                  "CPF *** bloqueado",
		"CPF 12345678909 inválido, CPF123.456.789.09":                                   "CPF *** inválido, CPF***",
		"cpf:123 456 789 09; cpf=123456789/09":                                          "cpf:***; cpf=***",
		"CNPJ 12.345.678/0001-95, 12345678000195 e 12.ABC.345/01DE-35":                  "CNPJ ***, *** e ***",
		"CNPJ 12ABC34501DE35, cnpj=12abc34501de35; 12ABC345/01DE-35 12 ABC 345 01DE 35": "CNPJ ***, cnpj=***; *** ***",
		"Telefone (11) 98765-4321 inválido":                                             "Telefone *** inválido",
		"+55 (11) 98765-4321 / 5511987654321 / 11 98765 4321":                           "***",
		"fones: (11)98765-4321, 98765-4321, 3456-7890; 11-9.8765.4321":                  "fones: ***, ***, ***; ***",
		"11.9.8765.4321, (31) 9 8765-4321. 055 31 98765 - 4321; tel. 0800 123 4567.":    "***, ***. ***; tel. ***.",
		"RG 12.345.678-9, PIS 123.45678.90-1, CEP 01310-100, agência 1234-5":            "RG ***, PIS ***, CEP ***, agência 1234-5",
		"nascido em 30/11/1980, CPF 12345678909 (2026-11-30)":                           "nascido em 30/11/1980, CPF *** (2026-11-30)",
		"12345678909 30/11/2026":                                                        "*** 30/11/2026",
		"30/11/2026 12345678909":                                                        "30/11/2026 ***",
		"11-12-2026-4321 98":                                                            "***",
		"The duplicate key value is (Maria, 12345678909).":                              "The duplicate key value is (Maria, ***).",
		// Of machines.
		"Erro 404: a página 12 de 1234567 não existe":               "Erro 404: a página 12 de 1234567 não existe",
		"até 30/11/2026 10:00:00.1234567, 2026-11-30":               "até 30/11/2026 10:00:00.1234567, 2026-11-30",
		"2026-11-30T10:00:00.123-03:00 e 2026-11-30 10:00":          "2026-11-30T10:00:00.123-03:00 e 2026-11-30 10:00",
		"Sat, 28 Nov 2026 21:27:27 GMT; 20261130T100000Z":           "Sat, 28 Nov 2026 21:27:27 GMT; 20261130T100000Z",
		"30.11.2026 às 10:00, 1/2/2026 2:30 e 10:00:00,5":           "30.11.2026 às 10:00, 1/2/2026 2:30 e 10:00:00,5",
		"404 30/11/2026 10:00 404":                                  "404 30/11/2026 10:00 404",
		"contrato 12ABC34501DE36, X12ABC34501DE35, 12ABC34501DE35X": "contrato 12ABC34501DE36, X12ABC34501DE35, 12ABC34501DE35X", // no check digits; longer
		"version 4.0.30319.42000 at 192.168.100.200:8080":           "version 4.0.30319.42000 at 192.168.100.200:8080",
		"ENTITY_IS_DELETED: a0B000000000001AAA":                     "ENTITY_IS_DELETED: a0B000000000001AAA",
		"linha 3, coluna 15. 1234 registros. 5678 recusados":        "linha 3, coluna 15. 1234 registros. 5678 recusados",
		"user@localhost, R$ 1.234,56, [line:1, column:2]":           "user@localhost, R$ 1.234,56, [line:1, column:2]",
		"": "",
	} {
		if got := Personal(in); got != want {
			t.Errorf("%s\nbecame %s\nwant   %s", in, got, want)
		}
	}
}
