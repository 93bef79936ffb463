// Package salesforce implements what all services in a Salesforce organisation have in common: authentication, and Salesforce's own errors. The
// limits and errors are those of Salesforce's REST API Developer Guide.
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

// Login is where production organisations get their tokens. Sandboxes use another address.
const Login = "https://login.salesforce.com"

// Credentials are the credentials of a configuration, in one of three forms.
type Credentials struct {
	Type        string `json:"auth_type"` // assertion, private_key or access_token
	Assertion   string `json:"assertion"`
	ClientID    string `json:"client_id"`
	Username    string `json:"username"`
	PrivateKey  string `json:"private_key"`
	Audience    string `json:"audience"` // "" is Login
	AccessToken string `json:"access_token"`
}

// Signer returns a signer that puts a token on requests, behind scheme in the header Authorization. Salesforce accepts the schemes Bearer and OAuth.
// tokenURL is the whole address that issues tokens; "" means that of Login.
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

// Error returns the first error in Salesforce's list of errors. code is "" if the answer is not such a list.
func Error(res *httpclient.Response) (code, message string) {
	return res.Body.Get("0.errorCode").Text(), res.Body.Get("0.message").Text()
}

// Words returns all codes and messages in Salesforce's list of errors, or "" if the answer is not such a list.
func Words(res *httpclient.Response) string {
	var all []string
	for one := range res.Body.Elements() {
		all = append(all, one.Get("errorCode").Text()+": "+one.Get("message").Text())
	}
	return strings.Join(all, "; ")
}

// Judge judges Salesforce's own failures: those of a session, and those that pass. Such a list of errors says that nothing was done, or that
// everything was undone, because Salesforce rolls back what ends with an uncaught exception.
func Judge(res *httpclient.Response) httpclient.Verdict {
	said := Words(res)
	if strings.Contains(said, "INVALID_SESSION_ID") {
		_, message := Error(res)
		return httpclient.Expired(fault.Configf("Salesforce refused the session: %s. Check the credentials and org_url: an access token may have "+
			"run out, the organisation may be another one, or the user may not log in from here.", res.Excerpt(message)))
	}
	return Passing(res, said)
}

// limited is the error code of a request over a limit: of requests in 24 hours, or of concurrent requests. The message tells which.
const limited = "REQUEST_LIMIT_EXCEEDED"

// Passing returns the verdict on an answer in which Salesforce says, in the words of an error or an exception, why nothing was done, if the reason
// passes by itself. Otherwise it has no opinion. If the requests of the day are used up, a retry is no use for some hours.
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

// Passes reports whether Salesforce says, in the words of an error or an exception, that something failed for a reason that passes by itself, such as
// a row locked by another process. The codes are those of Salesforce's lists of exception codes and status codes. A lock and a query that took too
// long are also reported in sentences without a code.
func Passes(said string) bool {
	return said != "" && passing.MatchString(said)
}

// Thrown reports whether the words are those of an exception of Apex, in which services are written, and not a service's own. A service that reports
// them has caught the exception, and what was done before it stays done.
func Thrown(said string) bool {
	return thrown.MatchString(said)
}

var (
	passing = regexp.MustCompile(
		`(?i)\b(UNABLE_TO_LOCK_ROW|QUERY_TIMEOUT|REQUEST_RUNNING_TOO_LONG|SERVER_UNAVAILABLE|API_CURRENTLY_DISABLED|TOO_MANY_APEX_REQUESTS|` +
			limited + `)\b|exclusive access to this record|record currently unavailable|being modified by another user|acesso exclusivo a|` +
			`running for too long`)
	// Behind the names: what exceptions say if they are reported without their names.
	thrown = regexp.MustCompile(
		`(?i)\bSystem\.\w*Exception\b|\bfirst (exception on row|error:)|de-reference a null object|no rows for assignment to SObject`)
	tooMuch = regexp.MustCompile(`LimitException|\b(QUERY_TIMEOUT|REQUEST_RUNNING_TOO_LONG)\b|(?i:running for too long)`)
	quotes  = strings.NewReplacer(`\`, `\\`, `'`, `\'`)
)

// TooMuch reports whether Salesforce says, in the words of an error or an exception, that a request asked for more than it does at once: more than
// Apex, in which services are written, has memory or time for, or a query that takes too long.
func TooMuch(said string) bool {
	return said != "" && tooMuch.MatchString(said)
}

// Usage returns a sentence if more than nine tenths of the organisation's daily limit are used up, and "" otherwise. Each answer of Salesforce says
// it.
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

// Text returns s as a text literal for a SOQL condition.
func Text(s string) string {
	return "'" + quotes.Replace(s) + "'"
}
