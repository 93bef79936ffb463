package main

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	dest "github.com/imob-data/airbyte-connectors/common/destination"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
	"github.com/imob-data/airbyte-connectors/common/salesforce"
	snapproperty "github.com/imob-data/airbyte-connectors/specs/destination-snapproperty"
)

type config struct {
	dest.Settings

	OrgURL      string                 `json:"org_url"`
	Credentials salesforce.Credentials `json:"credentials"`
	TokenURL    string                 `json:"token_url"`
	PerMinute   int                    `json:"requests_per_minute"`
}

const (
	methods = "/services/apexrest/snap_brok/contrato/v1/"

	// scheme goes before the token as the page of the contract methods has it; the search service has Bearer.
	scheme = "OAuth"
)

var destination = dest.New(snapproperty.Files, func(c config) dest.API {
	var limit *ratelimit.Limiter
	if c.PerMinute > 0 {
		limit = ratelimit.Every(time.Minute, c.PerMinute)
	}
	return dest.API{
		Options: httpclient.Options{
			BaseURL: c.OrgURL, Setting: "org_url", Auth: c.Credentials.Signer(scheme, c.TokenURL), Limit: limit, Judge: salesforce.Judge,
		},
		Settings: c.Settings,
		Outcome:  outcome,
		// A method that takes POST alone refuses GET before it runs, and only those who may call it learn that much.
		Check:      httpclient.Request{Path: methods + "cancelar", Judge: reachable},
		Operations: operations(),
		Spellings:  []string{"snap_brok__*__c", "snap_brk__*__c", "*__c", "*__r"},
		Told: []string{
			"Contrato.Id", "Contrato.snap_brok__Id_externo__c", "Contrato.snap_brok__Situacao__c",
			"Imovel.Id", "Imovel.snap_brok__ID_externo__c", "Imovel.snap_brok__Situacao__c",
		},
	}
})

// operations returns the six contract methods. Names and fields are those of the vendor's page "Integração com Imobiliar".
func operations() []dest.Operation {
	externalID := dest.Field{
		Name: "id_externo", As: "snap_brok__Id_externo__c", Kind: dest.Text(), Key: true,
		Description: "Code of the contract in the system that asks, such as CR123456|CR123456|1.",
	}
	isID := dest.Matching(`^[0-9A-Za-z]{15}([0-9A-Za-z]{3})?$`, "a Salesforce Id, which has 15 or 18 letters and digits")
	isID.Same = salesforce.SameID
	id := dest.Field{
		Name: "id", As: "Id", Key: true, Description: "Salesforce Id of the contract.", Kind: isID,
	}
	reason := dest.Field{
		Name: "motivo", As: "snap_brok__Motivo_do_cancelamento_op__c", Description: "Why the contract is cancelled.",
		Kind: dest.OneOf("Optou por outro imóvel", "Alteração de contratantes", "Alteração de garantia",
			"Alteração de condições contratuais", "Cadastro duplicado", "Outros"),
	}
	note := dest.Field{
		Name: "observacao", As: "snap_brok__Motivo_cancelamento__c", SameAsBlank: true, Kind: dest.Text(), Description: "A note, in free text.",
	}
	rent := dest.Field{
		Name: "valor_aluguel_corrigido", As: "snap_brok__Valor_aluguel_corrigido__c", Kind: dest.Money(),
		Description: "Adjusted rent in reais, with a point before the cents: 1200.40.",
	}
	contract := func(name, description, look string, fields ...dest.Field) dest.Operation {
		return dest.Operation{
			Name: name, Description: description, Path: methods + name, Wrap: "contrato", One: []string{"id_externo", "id"},
			Fields: append([]dest.Field{externalID, id}, fields...), Look: look, Gives: "Contrato",
		}
	}
	property := dest.Field{
		Name: "id_externo", As: "snap_brok__ID_externo__c", Required: true, Key: true, Kind: dest.Text(),
		Description: "Code of the property, with the base as its prefix, such as CR12345.",
	}
	manager := func(name, description string) dest.Field {
		return dest.Field{
			Name: name, As: name, Description: description, Kind: dest.Text(), Key: true, Blank: true, Required: name == "gerente_novo",
		}
	}
	return []dest.Operation{
		contract("cancelar", "Cancels a contract of administration or a lease that is not signed yet.",
			`in SnapProperty whether the contract is "Cancelado"`, reason, note),
		contract("distratarContratoAdministracao", "Ends a contract of administration that has no lease.",
			`in SnapProperty whether the contract is "Distratado"`),
		contract("desocuparImovel", "The tenant leaves: ends a lease and makes its properties available.",
			`in SnapProperty whether the lease is "Encerrado"`, rent),
		contract("desocuparImovelComDistratoAdm", "The tenant leaves: ends a lease and the contracts of administration of its properties.",
			`in SnapProperty whether the lease is "Encerrado" and the contracts of administration are "Distratado"`, rent),
		{
			Name: "desocuparImovelIDExterno", Path: methods + "desocuparImovelIDExterno", Wrap: "imovel", Fields: []dest.Field{property},
			Description: "The tenant leaves: ends the leases of a property, which then waits for approval.",
			Look:        `in SnapProperty whether the property is "Aguardando aprovação" and its lease "Encerrado"`,
			Gives:       "Imovel",
		},
		{
			Name: "trocarGerente", Path: methods + "trocarGerente", Wrap: "troca", Serial: true,
			Description: "Puts another manager in the place of one, in contracts and properties.",
			Look:        "in SnapProperty who manages the properties and their contracts",
			Some:        []string{"gerente_antigo", "id_imovel", "id_proprietario"},
			Fields: []dest.Field{
				manager("gerente_novo", "Code of the new manager."),
				manager("gerente_antigo", "Code of the manager until now; without it, whoever that is."),
				manager("id_imovel", "Code of the one property that is meant; without it, all of the manager or owner."),
				manager("id_proprietario", "Code of the owner whose properties are meant."),
			},
		},
	}
}

// The sentences with which the vendor's page has methods fail. Those of the contract methods stand there alone, without an answer around them, and
// come before anything is done. The others come with Erro: true; what a property's method does before it looks for a lease is done by then.
var (
	contractFailure = regexp.MustCompile(`(?i)^(Contrato não (foi )?localizado|Contrato não encontrado|O Contrato deve ser de Locação)\.?$`)
	otherFailure    = regexp.MustCompile(`(?i)^(O Imóvel não possui contrato de Locação|Não encontrado Id do novo gerente)\.?$`)
)

// failing reports whether an answer, which says that there was no error, has a sentence of failure, or words that tell of no success beside null in
// the place of the contract or property, or beside none, which only trocarGerente does not give back.
func failing(res *httpclient.Response, words string) bool {
	contract, property := res.Body.Get("Contrato"), res.Body.Get("Imovel")
	given := contract.IsObject() || property.IsObject()
	missing := contract.Exists() || property.Exists() || !strings.HasSuffix(res.Path, "/trocarGerente")
	return contractFailure.MatchString(words) || otherFailure.MatchString(words) ||
		words != "" && !given && missing && !strings.Contains(strings.ToLower(words), "sucesso")
}

// outcome reads a method's answer: its own, whose Erro says how it went, a failure whatever the status is, or Salesforce's list of errors. A
// method that tells of an exception has caught it, and nothing is known of what it had done before; only its own sentences are refusals. Whether
// an answer of success is about another contract or property is looked at behind it.
func outcome(res *httpclient.Response) httpclient.Verdict {
	failed, said := res.Body.Get("Erro").Bool()
	words, contract := strings.TrimSpace(res.Body.Get("Mensagem").Text()), res.Body.Get("Contrato")
	code, message := salesforce.Error(res)
	switch {
	case said && failed && salesforce.Passes(words):
		return dest.Interrupted(words)
	case said && failed && salesforce.Thrown(words):
		return dest.Unknown("SnapProperty met an exception that it caught: " + strings.TrimSuffix(words, "."))
	case said && failed:
		return dest.Rejected(cmp.Or(words, "SnapProperty gave no reason"))
	case said && (salesforce.Passes(words) || salesforce.Thrown(words)):
		return dest.Unknown("SnapProperty says both that it was carried out and why it was not")
	case said && res.Status/100 != 2:
		return dest.Unknown(fmt.Sprintf("SnapProperty says that it was carried out, under a status of failure (%d)", res.Status))
	case said && contract.Exists() && contract.IsNull() && contractFailure.MatchString(words):
		return dest.Rejected(words)
	case said && failing(res, words):
		return dest.Unknown("SnapProperty says both that there was no error and why it was not carried out: " + strings.TrimSuffix(words, "."))
	case said:
		return httpclient.Verdict{}
	case res.Status == http.StatusBadRequest && code != "":
		return dest.Rejected(code + ": " + message)
	case res.Status/100 == 2:
		return dest.Unknown("SnapProperty's answer does not say whether it was carried out")
	}
	return httpclient.Verdict{}
}

// reachable is for the request of a check: 405 is the answer of a method that is there and may be called.
func reachable(res *httpclient.Response) httpclient.Verdict {
	if res.Status == http.StatusMethodNotAllowed {
		return httpclient.Good()
	}
	return httpclient.Verdict{}
}
