// Package salesforce knows what all services have in common that live in an organisation of Salesforce: how one gets in, and how
// Salesforce itself refuses. The limits and errors are those of Salesforce's REST API Developer Guide.
package salesforce

import (
	"cmp"
	"fmt"
	"regexp"
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

// Error returns the first one in Salesforce's list of errors; code is "" where the answer is no such list.
func Error(res *httpclient.Response) (code, message string) {
	return res.Body.Get("0.errorCode").Text(), res.Body.Get("0.message").Text()
}

// Words returns all codes and messages in Salesforce's list of errors, "" where the answer is no such list.
func Words(res *httpclient.Response) string {
	var all []string
	for one := range res.Body.Elements() {
		all = append(all, one.Get("errorCode").Text()+": "+one.Get("message").Text())
	}
	return strings.Join(all, "; ")
}

// Judge knows the failures of Salesforce itself: of a session, and those that pass. In a list of errors these tell that nothing was done, or
// that all of it was undone: Salesforce rolls back what ends with an exception that nobody caught.
func Judge(res *httpclient.Response) httpclient.Verdict {
	said := Words(res)
	if strings.Contains(said, "INVALID_SESSION_ID") {
		_, message := Error(res)
		return httpclient.Expired(fault.Configf("Salesforce refused the session: %s. Check the credentials and org_url: an access token may have "+
			"run out, the organisation may be another one, or the user may not log in from here.", res.Excerpt(message)))
	}
	return Passing(res, said)
}

// limited is the code of a request over a limit: of those in 24 hours, or of those at the same time, which the message tells apart.
const limited = "REQUEST_LIMIT_EXCEEDED"

// Passing returns the verdict on an answer in which Salesforce says, in the words of an error or of an exception, why nothing was done, where
// that passes by itself, and no opinion otherwise. When the requests of the day are used up, asking again is no use before some hours have passed.
func Passing(res *httpclient.Response, said string) httpclient.Verdict {
	switch {
	case !Passes(said):
		return httpclient.Verdict{}
	case strings.Contains(strings.ToUpper(said), limited) && strings.Contains(said, "Concurrent"):
		return httpclient.Busy(fault.Laterf("Salesforce refuses requests because too many run at the same time."))
	case strings.Contains(strings.ToUpper(said), limited):
		return httpclient.Fail(fault.Transientf("The organisation's daily limit of API requests is used up. Salesforce counts those of the last " +
			"24 hours, so requests become possible again, little by little, within the next 24 hours."))
	}
	return httpclient.Undone(fault.Laterf("Salesforce failed for a reason that passes by itself: %s.",
		strings.TrimSuffix(res.Excerpt(said), ".")))
}

// Passes reports whether Salesforce says, in the words of an error or of an exception, that something failed for a reason that passes by itself,
// such as a row that another process has locked. The codes are those of Salesforce's lists of exception codes and status codes; a lock and a
// query that took too long are also told in sentences alone.
func Passes(said string) bool {
	return said != "" && passing.MatchString(said)
}

// Thrown reports whether the words are those of an exception of Apex, in which services are written, and not a service's own. Who has them to tell
// caught it, and what had been done before stays done.
func Thrown(said string) bool {
	return thrown.MatchString(said)
}

var (
	passing = regexp.MustCompile(
		`(?i)\b(UNABLE_TO_LOCK_ROW|QUERY_TIMEOUT|REQUEST_RUNNING_TOO_LONG|SERVER_UNAVAILABLE|API_CURRENTLY_DISABLED|TOO_MANY_APEX_REQUESTS|` +
			limited + `)\b|exclusive access to this record|record currently unavailable|being modified by another user|acesso exclusivo a|` +
			`running for too long`)
	// Behind the names: what exceptions say that are told without theirs.
	thrown = regexp.MustCompile(
		`(?i)\bSystem\.\w*Exception\b|\bfirst (exception on row|error:)|de-reference a null object|no rows for assignment to SObject`)
	tooMuch = regexp.MustCompile(`LimitException|\b(QUERY_TIMEOUT|REQUEST_RUNNING_TOO_LONG)\b|(?i:running for too long)`)
	quotes  = strings.NewReplacer(`\`, `\\`, `'`, `\'`)
)

// TooMuch reports whether Salesforce says, in the words of an error or an exception, that a request asked for more than it does at once: more
// than Apex, in which services are written, has memory or time for, or a query that takes too long.
func TooMuch(said string) bool {
	return said != "" && tooMuch.MatchString(said)
}

// Usage returns a sentence where more than nine tenths of the organisation's daily limit are used up, or "". Salesforce says it with each answer.
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

// Text returns s as text in a condition of SOQL.
func Text(s string) string {
	return "'" + quotes.Replace(s) + "'"
}
