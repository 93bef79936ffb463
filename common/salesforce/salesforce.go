// Package salesforce knows what all services have in common that live in an organisation of Salesforce: how one gets in, and how
// Salesforce itself refuses. The limits and errors are those of Salesforce's REST API Developer Guide.
package salesforce

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
)

// Login is where production organisations get their tokens; sandboxes have another one.
const Login = "https://login.salesforce.com"

// Credentials are those of a configuration, in one of three forms.
type Credentials struct {
	Type        string `json:"auth_type"` // assertion, private_key or access_token
	Assertion   string `json:"assertion"`
	ClientID    string `json:"client_id"`
	Username    string `json:"username"`
	PrivateKey  string `json:"private_key"`
	Audience    string `json:"audience"` // "" is Login
	AccessToken string `json:"access_token"`
}

// Signer puts a token on requests, behind scheme in the header Authorization: Salesforce knows Bearer and OAuth. tokenURL is the whole
// address at which tokens are got; "" is that of Login.
func (c Credentials) Signer(scheme, tokenURL string) httpclient.Signer {
	if c.Type == "access_token" {
		return auth.Header("Authorization", scheme+" "+strings.TrimSpace(c.AccessToken))
	}
	var grant auth.Grant = auth.Assertion(c.Assertion)
	if c.Type == "private_key" {
		grant = auth.SignedAssertion{
			Issuer: c.ClientID, Subject: c.Username, Key: c.PrivateKey, Audience: cmp.Or(c.Audience, Login), Setting: "credentials.private_key",
		}
	}
	return &auth.OAuth2{TokenURL: cmp.Or(tokenURL, Login+"/services/oauth2/token"), Grant: grant, Scheme: scheme}
}

// Error is the first one in Salesforce's list of errors; code is "" where the answer is no such list.
func Error(res *httpclient.Response) (code, message string) {
	return res.Body.Get("0.errorCode").Text(), res.Body.Get("0.message").Text()
}

// Judge knows the refusals of Salesforce itself, which come before anything runs: of a session, and by the two limits of an organisation.
func Judge(res *httpclient.Response) error {
	switch code, message := Error(res); {
	case code == "INVALID_SESSION_ID":
		return httpclient.Expired(fault.Configf("Salesforce refused the session: %s. Check the credentials and org_url: an access token may have "+
			"run out, the organisation may be another one, or the user may not log in from here.", res.Excerpt(message)))
	case code != "REQUEST_LIMIT_EXCEEDED":
		return nil
	case strings.Contains(message, "TotalRequests"):
		return fault.Transientf("The organisation's daily limit of API requests is used up. Salesforce counts those of the last 24 hours, so " +
			"requests become possible again, little by little, within the next 24 hours.")
	default:
		return httpclient.Busy(fault.Transientf("Salesforce refuses requests because too many run at the same time. Trying again later may help."))
	}
}

// TooMuch is whether a request asked Apex, in which services are written, for more than it does at once.
func TooMuch(res *httpclient.Response) bool {
	_, message := Error(res)
	return res.Status == http.StatusInternalServerError && strings.Contains(message, "LimitException")
}

// Usage is a sentence where more than nine tenths of the organisation's daily limit are used up, or "". Salesforce says it with each answer.
func Usage(res *httpclient.Response) string {
	const header, share = "api-usage=", 0.9
	for part := range strings.FieldsFuncSeq(res.Header.Get("Sforce-Limit-Info"), func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
		usage, ok := strings.CutPrefix(part, header)
		if !ok {
			continue
		}
		first, second, _ := strings.Cut(usage, "/")
		used, err := strconv.ParseInt(first, 10, 64)
		limit, err2 := strconv.ParseInt(second, 10, 64)
		if err == nil && err2 == nil && float64(used) > share*float64(limit) {
			return fmt.Sprintf("The organisation has used up %d of the %d API requests that Salesforce allows it in 24 hours", used, limit)
		}
	}
	return ""
}

// Text is s as text in a condition of SOQL.
func Text(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
