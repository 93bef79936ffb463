package main

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/common/auth"
	dest "github.com/imob-data/airbyte-connectors/common/destination"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/ratelimit"
	snapproperty "github.com/imob-data/airbyte-connectors/specs/destination-snapproperty"
)

type config struct {
	dest.Settings

	OrgURL      string      `json:"org_url"`
	Credentials credentials `json:"credentials"`
	TokenURL    string      `json:"token_url"`
	PerMinute   int         `json:"requests_per_minute"`
}

type credentials struct {
	Type        string `json:"auth_type"`
	Assertion   string `json:"assertion"`
	ClientID    string `json:"client_id"`
	Username    string `json:"username"`
	PrivateKey  string `json:"private_key"`
	Audience    string `json:"audience"`
	AccessToken string `json:"access_token"`
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
		Options:  httpclient.Options{BaseURL: c.OrgURL, Setting: "org_url", Auth: c.auth(), Limit: limit, Judge: overLimit},
		Settings: c.Settings,
		Outcome:  outcome,
		// A method that takes POST alone refuses GET before it runs, and only those who may call it learn that much.
		Check:      httpclient.Request{Path: methods + "cancelar", Judge: reachable},
		Operations: operations(),
	}
})

func (c config) auth() httpclient.Signer {
	if c.Credentials.Type == "access_token" {
		return auth.Header("Authorization", scheme+" "+strings.TrimSpace(c.Credentials.AccessToken))
	}
	var grant auth.Grant = auth.Assertion(c.Credentials.Assertion)
	if c.Credentials.Type == "private_key" {
		grant = auth.SignedAssertion{
			Issuer: c.Credentials.ClientID, Subject: c.Credentials.Username, Key: c.Credentials.PrivateKey,
			Audience: cmp.Or(c.Credentials.Audience, "https://login.salesforce.com"), Setting: "credentials.private_key",
		}
	}
	return &auth.OAuth2{
		TokenURL: cmp.Or(c.TokenURL, "https://login.salesforce.com/services/oauth2/token"), Grant: grant, Scheme: scheme,
	}
}

// operations is the six contract methods. Names and fields are those of the vendor's page "Integração com Imobiliar".
func operations() []dest.Operation {
	externalID := dest.Field{
		Name: "id_externo", As: "snap_brok__Id_externo__c", Kind: dest.Text(), Key: true,
		Description: "Code of the contract in the system that asks, such as CR123456|CR123456|1.",
	}
	id := dest.Field{
		Name: "id", As: "Id", Key: true, Description: "Salesforce Id of the contract.",
		Kind: dest.Matching(`^[0-9A-Za-z]{15}([0-9A-Za-z]{3})?$`, "a Salesforce Id, which has 15 or 18 letters and digits"),
	}
	reason := dest.Field{
		Name: "motivo", As: "snap_brok__Motivo_do_cancelamento_op__c", Required: true, Description: "Why the contract is cancelled.",
		Kind: dest.OneOf("Optou por outro imóvel", "Alteração de contratantes", "Alteração de garantia",
			"Alteração de condições contratuais", "Cadastro duplicado", "Outros"),
	}
	note := dest.Field{
		Name: "observacao", As: "snap_brok__Motivo_cancelamento__c", Blank: true, Kind: dest.Text(), Description: "A note, in free text.",
	}
	rent := dest.Field{
		Name: "valor_aluguel_corrigido", As: "snap_brok__Valor_aluguel_corrigido__c", Required: true, Kind: dest.Money(),
		Description: "Adjusted rent in reais, with a point before the cents: 1200.40.",
	}
	contract := func(name, description, look string, fields ...dest.Field) dest.Operation {
		return dest.Operation{
			Name: name, Description: description, Path: methods + name, Wrap: "contrato", One: []string{"id_externo", "id"},
			Fields: append([]dest.Field{externalID, id}, fields...), Look: look,
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

// outcome reads a method's answer: its own, whose Erro says how it went whatever the status is, or Salesforce's list of errors.
func outcome(res *httpclient.Response) error {
	failed, said := res.Body.Get("Erro").Bool()
	switch {
	case said && failed:
		return dest.Rejected(cmp.Or(res.Body.Get("Mensagem").Text(), "SnapProperty gave no reason"))
	case said && res.Status/100 == 2:
		return nil
	case res.Status == http.StatusBadRequest && salesforce(res, "errorCode") != "":
		return dest.Rejected(salesforce(res, "errorCode") + ": " + salesforce(res, "message"))
	case res.Status/100 == 2:
		return httpclient.Again(errors.New("SnapProperty's answer does not say whether it was carried out"))
	}
	return nil
}

// overLimit knows the two limits of Salesforce, which refuses before a method runs.
func overLimit(res *httpclient.Response) error {
	switch {
	case salesforce(res, "errorCode") != "REQUEST_LIMIT_EXCEEDED":
		return nil
	case strings.Contains(salesforce(res, "message"), "TotalRequests"):
		return fault.Transientf("The organisation's daily limit of API requests is used up. Salesforce counts those of the last 24 hours, so " +
			"requests become possible again, little by little, within the next 24 hours.")
	default:
		return httpclient.Throttled(fault.Transientf("Salesforce refuses requests because too many run at the same time. Trying again later may help."))
	}
}

// salesforce is a member of the first error in Salesforce's list of errors, "" where the answer is none.
func salesforce(res *httpclient.Response, member string) string {
	return res.Body.Get("0." + member).Text()
}

// reachable is for the request of a check: 405 is the answer of a method that is there and may be called.
func reachable(res *httpclient.Response) error {
	if res.Status == http.StatusMethodNotAllowed {
		return httpclient.Accept
	}
	return nil
}
