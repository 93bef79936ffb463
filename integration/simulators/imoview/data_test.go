package imoview

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

func TestEverythingComes(t *testing.T) {
	for _, set := range []map[string]string{
		nil,
		{"count-off": "-7", "code-text": "true", "session-uses": "3", "exclusive": "true", "message-key": "message"},
		{"count-off": "500", "caps": usersPath + "=7," + contractsPath + "=5"},
	} {
		opened, err := Open(sim.Options{Size: 300, Seed: 3, Set: set})
		if err != nil {
			t.Fatal(err)
		}
		s := opened.(*Simulator)
		found, expected := streams(t, s), s.Expect()
		for stream, e := range expected {
			if err := e.Full.Compare(counts(found[stream])); err != nil {
				t.Errorf("%v: %s: %v", set, stream, err)
			}
			for key, rows := range found[stream] {
				if len(rows) != 1 {
					t.Errorf("%v: %s %s came %d times", set, stream, key, len(rows))
				}
			}
			if len(e.Full.Must) == 0 {
				t.Errorf("%v: %s is empty", set, stream)
			}
		}
		if len(found) != len(expected) {
			t.Errorf("%v: %d streams, %d expected", set, len(found), len(expected))
		}
	}
}

// The proportions that a connector's cost depends on.
func TestProportions(t *testing.T) {
	s := New(Options{Size: 6000})
	tenants, guarantors := len(s.Tenants()), len(s.Guarantors())
	if tenants < 1800 || tenants > 2200 || guarantors < 240 || guarantors > 360 {
		t.Errorf("%d tenants and %d guarantors of 6000", tenants, guarantors)
	}
	sizes, shared, twice := map[int]int{}, 0, 0
	for _, tenant := range s.Tenants() {
		index, _ := s.users.Index(tenant)
		sizes[min(len(s.contractsOf[index]), 21)]++
	}
	for _, p := range s.leases {
		if p.tenants[1] >= 0 {
			shared++
			if p.tenants[0] == p.tenants[1] {
				twice++
			}
		}
	}
	if sizes[0] < 50 || sizes[1] < 500 || sizes[2] < 200 || sizes[21] < 5 || sizes[21] > 60 || shared < 100 || twice > 0 {
		t.Errorf("tenants by number of contracts: %v; %d contracts of two tenants, %d of twice the same", sizes, shared, twice)
	}
	many := 0
	for _, contracts := range s.guaranteedBy {
		if len(contracts) > 20 {
			many++
		}
	}
	if many == 0 {
		t.Error("no guarantor has more contracts than fit a page")
	}
}

// The fields that existing users of this API know, and those of the records seen in practice.
func TestFields(t *testing.T) {
	contract := `codigo codigoauxiliar unidadecodigo unidade locatariocodigo locatarionome locatariotelefone1 locatariotelefone2 locatarioemail
		locatariocpf situacao status motivostatus valoraluguel taxaadministracao tipotaxaadministracao taxaintermediacao tipotaxaintermediacao
		datainclusao dataultimaalteracao dataativacao datainicio datafim dataproximoreajuste dataproximoaluguel dataproximorepasse
		diavencimento diarepasse diavencimentoaluguel diavencimentorepasse dataavisodesocupacao dataprevisaorescisao datarescisao
		motivorescisao complementomotivo formacobranca formarecebimento comofazerrepasse destinacao ramoatividade indicereajuste garantido
		tipogarantido quantosmesesgarantido responsavel advogadoresponsavel resumo contratosassinado vistoriasassinado imoveis seguroincendio
		garantialocaticia garantia`
	property := `codigo codigomae emdesocupacao empreendimento empreendimentofilho nomeempreendimento siteempreendimento codigocondominio
		nomecondominio titulo metadescription codigoauxiliar unidade nomeunidade telefoneunidade emaileunidade finalidade codigodestinacao
		destinacao codigotipo tipo codigotipo2 tipo2 situacao valor valoranterior valorm2 valorcondominio valoriptu codigobairro bairro
		codigocidade cidade estado codigoregiao regiao cep endereco numero complemento numeroquartos numerobanhos numerovagas numerosuites
		areaprincipal areainterna areaexterna arealote tipomedida areaprivativa areaservico latitude longitude descricao aceitafinanciamento
		aceitapermuta datahoracadastro datahoraultimaalteracao datahoraultimavalidacao urlfotoprincipal urlpublica anexos proprietarios
		fotos captadores extras2 piscina academia`
	fields := map[string]string{
		"users": `codigo nome cpfoucnpj telefones email endereco locatario comprador locador vendedor fiador parceiro quantidadeimoveislocador
			quantidadeimoveisvendedor quantidadecontratoslocatario quantidadeboletosativoslocatario datainclusao dataultimaalteracao
			senhacadastrada emailcadastrado temvistoria temesteira naoexigircpf temcashgo naoexibiravisodesocupacao anosdisponiveis
			diasminimoavisodesocupacao whatsappbotiniciarConversa`,
		"tenant_contracts": contract, "guarantor_contracts": contract, "landlord_contracts": contract, "lease_contracts": contract,
		"tenant_inspections": `codigo tipo situacao situacaocodigo datahora datahorafim consideracoes imovelresumo contratoresumo locatario
			vistoriador ambientes medidores chaves`,
		"client_companies": "codigo nome telefone email1",
		"condominiums": `codigo nome codigodestinacao destinacao tipo formacobranca construtora anoconstrucao arealote datahoracadastro
			datahoraultimaalteracao descricao codigobairro bairro codigocidade cidade estado codigoregiao regiao codigosubregiao subregiao cep
			endereco numero complemento pontoreferencia melhoracesso latitude longitude numerovagavisitante tipovagavisitante numeroelevador
			numerotorres numeroandares unidadesporandar totalunidades cartorio matriculacartorio livrocartorio folhacartorio valorcondominio
			valorfundoreserva valoraluguel valoralugado valorvenda valorvendido areainterna areaexterna numeroquartos numerobanhos
			numerosuites numerovagas primeiroquartilaluguel medianaquartilaluguel terceiroquartilaluguel primeiroquartilvenda
			medianaquartilvenda terceiroquartilvenda aguaindividual alarme piscina academia churrasqueira portaria24horas urlfotoprincipal
			urlvideo fotos fotos360 extras extras2 unidadesaluguel unidadesvenda`,
		"properties_rent": property, "properties_sale": property, "properties": property, "property_details": property,
		"buyer_deals": "codigo valornegocio datanegocio", "cities": "codigo nome estado",
		"neighbourhoods": "codigo nome cidade estado regiao subregiao", "key_places": "codigo nome",
		"movements": `codigo codigoauxiliar unidadecodigo unidade modulo tipocliente codigocliente nomecliente codigocontratoaluguel
			codigocontratovenda codigoimovel numerodocumento historico linhadigitavel datahorainclusao datahoraultimaalteracao datavencimento
			datapagamento saldo detalhes repasses`,
		"service_requests": `codigo situacao finalidade fase funil corretor corretorcodigo unidadenome midia campanha tipo termometro
			datahorainclusao datahoraentradalead datahoraultimainteracao datafechamento lead perfil interacoes imoveiscarrinho imoveisvisita
			imoveisproposta imoveisnegocio`,
		"property_types": "codigo nome", "branches": "codigo nome", "purposes": "codigo nome", "destinations": "codigo nome",
	}
	found := streams(t, New(Options{Size: 200}))
	for stream, rows := range found {
		for key, row := range rows {
			if stream == "users" && row[0]["cpfoucnpj"] == nil && len(row[0]) < 10 {
				continue // the short form
			}
			for field := range strings.FieldsSeq(fields[stream]) {
				if _, ok := row[0][field]; !ok {
					t.Errorf("%s %s has no %s", stream, key, field)
				}
			}
		}
	}
}

// Each kind of value comes in every form that is known of it, and in no other.
func TestForms(t *testing.T) {
	const (
		money  = `R\$ \d{1,3}(\.\d{3})*,\d\d`
		number = `\d{1,3}(\.\d{3})*,\d\d`
		clock  = `\d\d/\d\d/\d{4} \d\d:\d\d:\d\d`
		minute = `\d\d/\d\d/\d{4} \d\d:\d\d`
		date   = `\d\d/\d\d/\d{4}`
		midday = `\d\d/\d\d/\d{4} 00:00:00`
	)
	truth := []string{"true", `"true"`, `"Sim"`, "1", "false", `"false"`, `"Não"`, "0"}
	forms := map[string]map[string][]string{
		"users": {
			"locatario": truth, "fiador": truth, "temvistoria": truth,
			"dataultimaalteracao":          {`"` + clock + `"`, `"` + minute + `"`, `"` + date + `"`, `""`},
			"datainclusao":                 {`"` + clock + `"`, `"` + minute + `"`, `"` + date + `"`, `""`},
			"quantidadecontratoslocatario": {`\d+`, `"\d+"`, "null"},
			"email":                        {`"\S+@\S+"`, `"\S+@\S+ \S+@\S+"`, `""`, "null"},
		},
		"lease_contracts": {
			"valoraluguel": {`\d+\.\d\d`, `"\d+\.\d\d"`}, "taxaadministracao": {`"` + number + `"`}, "locatariocodigo": {`\d+`, `""`},
			"datainicio":           {`"` + date + `"`, `"` + midday + `"`, `""`},
			"dataprevisaorescisao": {`"` + date + `"`, `"` + midday + `"`, `""`, "null", `"a combinar"`},
			"diavencimentoaluguel": {`5`, `"5"`, `""`},
			"situacao":             {`"Ativo"`, `"Rescindido"`, `"Moderação"`},
			"seguroincendio":       {`\{.*\}`, "null"},
		},
		"properties_sale": {
			"valor":         {`"` + money + `"`, `"` + money + " até " + money + `"`, `"Sob consulta"`, `""`, `"` + number + `"`},
			"valoriptu":     {`"` + money + `"`, `"R\$ 0,00"`, `""`, `"` + number + `"`},
			"numeroquartos": {`"\d"`, `"0"`, `"\d até \d"`, `""`},
			"areaprincipal": {`"` + number + `"`, `"` + number + " até " + number + `"`, `"` + number + " até " + number + ` m²"`},
			"areainterna":   {`"` + number + `"`}, "areaservico": truth, "latitude": {`"-19.93"`, `"-19,93"`, `""`},
			"codigocondominio": {`\d+`, "0", `"\d+"`, `""`},
			"taxaadm":          {`"10,00%"`, `"0,00"`, `"0"`},
			"numero":           {`"\d+"`, `"S/N"`, `"1.204"`, `""`},
		},
		"condominiums": {
			"anoconstrucao": {`"\d+"`, `\d+`, `""`}, "unidadesvenda": {`\{.*\}`, `\[\]`}, "numeroelevador": {`"\d+"`, `\d+`, `""`},
			"valoralugado": {`"R\$ 0,00 até R\$ 0,00"`},
		},
		"tenant_inspections": {
			"datahora":    {`"` + clock + `"`, `"` + minute + `"`, `"` + date + `"`, `""`},
			"datahorafim": {`"` + clock + `"`, `""`},
		},
		"movements": {"datapagamento": {`"` + date + `"`, `"` + midday + `"`, `""`}, "saldo": {`"` + number + `"`}},
		"purposes":  {"codigo": {`"[12]"`}}, "property_types": {"codigo": {`\d+`}},
	}
	found := streams(t, New(Options{Size: 4000}), slices.Collect(maps.Keys(forms))...)
	for stream, fields := range forms {
		for field, patterns := range fields {
			exact := make([]*regexp.Regexp, len(patterns))
			for i, pattern := range patterns {
				exact[i] = regexp.MustCompile("^" + pattern + "$")
			}
			seen := make([]bool, len(exact))
			for key, row := range found[stream] {
				value, ok := row[0][field]
				if !ok {
					continue
				}
				text, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				known := false
				for i, form := range exact {
					if form.Match(text) {
						seen[i], known = true, true
					}
				}
				if !known {
					t.Errorf("%s %s: %s is %s", stream, key, field, text)
				}
			}
			for i, seen := range seen {
				if !seen {
					t.Errorf("%s: %s never is %s", stream, field, patterns[i])
				}
			}
		}
	}
}

// Days on which the clocks went forward at midnight, so that there was none: readers must get by.
func TestDaysWithoutMidnight(t *testing.T) {
	days := []string{"19/10/2008", "18/10/2009", "17/10/2010", "16/10/2011", "21/10/2012", "20/10/2013", "19/10/2014", "18/10/2015",
		"16/10/2016", "15/10/2017", "04/11/2018"}
	n := 0
	for _, contract := range readAll(t, New(Options{Size: 6000}), "/ContratoAluguel/RetornarContratos") {
		for _, field := range []string{"datainclusao", "datainicio", "dataativacao"} {
			if value := fmt.Sprint(contract[field]); len(value) >= 10 && slices.Contains(days, value[:10]) {
				n++
			}
		}
	}
	if n == 0 {
		t.Error("there is no such day")
	}
}

func TestAppointments(t *testing.T) {
	now := simtest.At("2026-05-05T15:00:00Z")
	s := New(Options{Size: 3000, Now: now})
	today := s.wall(now()) / day * day
	future, recentOpen, recentDone, oldOpen, oldDone, none := 0, 0, 0, 0, 0, 0
	for key, rows := range streams(t, s, "tenant_inspections")["tenant_inspections"] {
		when, open := stamp(t, rows[0]["datahora"]), rows[0]["datahorafim"] == ""
		switch {
		case when == 0:
			none++
		case when >= today+day:
			future++
			if !open {
				t.Errorf("%s is to come and has an end", key)
			}
		case when >= today-90*day && open:
			recentOpen++
		case when >= today-90*day:
			recentDone++
		case open:
			oldOpen++
		default:
			oldDone++
		}
	}
	for _, n := range []int{future, recentOpen, recentDone, oldOpen, oldDone, none} {
		if n < 10 {
			t.Errorf("to come %d, recent %d and %d, old %d and %d, without a time %d", future, recentOpen, recentDone, oldOpen, oldDone, none)
		}
	}
}

func TestLookups(t *testing.T) {
	s := New(Options{})
	w := send(t, s, "/Imovel/RetornarListaFinalidades", simtest.Set())
	if want := `{"quantidade":2,"lista":[{"codigo":"1","nome":"Aluguel"},{"codigo":"2","nome":"Venda"}]}`; w.Body.String() != want {
		t.Errorf("the purposes are %s", w.Body)
	}
	if e := read(t, send(t, s, "/Imovel/RetornarListaDestinacoes", simtest.Set()).Body.Bytes()); e.Count != 8 || e.Rows[3]["nome"] != "Industrial" {
		t.Errorf("the destinations are %v", e)
	}
}

func TestCodes(t *testing.T) {
	s := New(Options{Size: 50, CodeText: true})
	texts := 0
	for i, user := range readAll(t, s, usersPath) {
		if user.key() != strconv.Itoa(s.users.code(i)) {
			t.Errorf("user %d is %s", i, user.key())
		}
		if _, ok := user["codigo"].(string); ok {
			texts++
		}
	}
	if texts != 5 {
		t.Errorf("%d of 50 codes are texts", texts)
	}
	for code, want := range map[int]bool{1001: true, 1004: true, 1002: false, 998: false, 0: false, -5: false, 1001 + 3*50: false} {
		if _, ok := s.users.Index(code); ok != want {
			t.Errorf("there is a client %d: %v", code, ok)
		}
	}
}
