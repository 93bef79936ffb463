package salesforce_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/fault"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/record"
	"github.com/imob-data/airbyte-connectors/common/salesforce"
)

func answer(status int, body string) *httpclient.Response {
	return &httpclient.Response{Status: status, Header: http.Header{}, Body: record.Record(body).Get("")}
}

func TestSigner(t *testing.T) {
	for name, tt := range map[string]struct {
		credentials salesforce.Credentials
		tokenURL    string
		want        *auth.OAuth2
	}{
		"assertion": {salesforce.Credentials{Type: "assertion", Assertion: "a.b.c"}, "", &auth.OAuth2{
			TokenURL: "https://login.salesforce.com/services/oauth2/token", Grant: auth.Assertion("a.b.c"), Scheme: "Bearer",
		}},
		"private key": {salesforce.Credentials{Type: "private_key", ClientID: "i", Username: "u", PrivateKey: "k"}, "https://test.example/t", &auth.OAuth2{
			TokenURL: "https://test.example/t", Scheme: "Bearer", Grant: auth.SignedAssertion{
				Issuer: "i", Subject: "u", Key: "k", Audience: "https://login.salesforce.com", Setting: "credentials.private_key",
			},
		}},
	} {
		got, ok := tt.credentials.Signer("Bearer", tt.tokenURL).(*auth.OAuth2)
		if !ok || got.TokenURL != tt.want.TokenURL || got.Grant != tt.want.Grant || got.Scheme != tt.want.Scheme {
			t.Errorf("%s: %+v", name, got)
		}
	}
	r := httpclient.Request{}
	if err := (salesforce.Credentials{Type: "access_token", AccessToken: " t "}).Signer("OAuth", "").Sign(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if got := r.Header.Get("Authorization"); got != "OAuth t" {
		t.Errorf("signed with %q", got)
	}
}

func TestJudge(t *testing.T) {
	daily := salesforce.Judge(answer(403, `[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`))
	if f := fault.Of(daily.Err()); f.Kind != fault.Transient || !strings.Contains(f.Message, "24 hours") {
		t.Errorf("the daily limit is %v", daily)
	}
	busy := salesforce.Judge(answer(403, `[{"message":"ConcurrentRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`))
	if !strings.HasPrefix(busy.String(), "busy: ") {
		t.Errorf("the limit of what runs at the same time is %v, which is not to be asked again", busy)
	}
	expired := salesforce.Judge(answer(401, `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`))
	if f := fault.Of(expired.Err()); f.Kind != fault.Config || !strings.Contains(f.Message, "run out") || !strings.HasPrefix(expired.String(), "expired: ") {
		t.Errorf("a session that is not good is %v", expired)
	}
	for _, other := range []string{`[{"errorCode":"FORBIDDEN","message":"no"}]`, `{"Erro":false}`, `[]`, `null`} {
		if v := salesforce.Judge(answer(403, other)); v != (httpclient.Verdict{}) {
			t.Errorf("%s is %v", other, v)
		}
	}
}

// TestJudgeKnowsWhatPasses checks that a failure in a list of errors that passes by itself was undone, under any status, so even an order is sent
// again.
func TestJudgeKnowsWhatPasses(t *testing.T) {
	for body, undone := range map[string]bool{
		`[{"errorCode":"UNABLE_TO_LOCK_ROW","message":"unable to obtain exclusive access to this record"}]`:                                           true,
		`[{"errorCode":"APEX_ERROR","message":"System.DmlException: Update failed. First exception on row 0; first error: UNABLE_TO_LOCK_ROW, x"}]`:   true,
		`[{"errorCode":"APEX_ERROR","message":"System.QueryException: Record Currently Unavailable: The record you are attempting to edit, …"}]`:      true,
		`[{"errorCode":"INVALID_FIELD","message":"no"},{"message":"x","errorCode":"UNABLE_TO_LOCK_ROW"}]`:                                             true,
		`[{"errorCode":"SERVER_UNAVAILABLE","message":"Server is too busy. Please try again later."}]`:                                                true,
		`[{"errorCode":"APEX_ERROR","message":"update failed: unable_to_lock_row"}]`:                                                                  true,
		`[{"errorCode":"API_CURRENTLY_DISABLED","message":"Because of a system problem, API functionality is temporarily unavailable."}]`:             true,
		`[{"errorCode":"QUERY_TIMEOUT","message":"Your query request was running for too long."}]`:                                                    true,
		`[{"errorCode":"REQUEST_RUNNING_TOO_LONG","message":"Your request was running for too long, and has been stopped."}]`:                         true,
		`[{"errorCode":"TOO_MANY_APEX_REQUESTS","message":"x"}]`:                                                                                      true,
		`[{"errorCode":"QUERY_TOO_COMPLICATED","message":"Query is either selecting too many fields or the filter conditions are too complicated."}]`: false,
		`[{"errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","message":"Contrato assinado"}]`:                                                           false,
		`[{"errorCode":"ENTITY_IS_LOCKED","message":"the entity is locked for editing"}]`:                                                             false,
		`[{"errorCode":"NOT_UNABLE_TO_LOCK_ROW_AT_ALL","message":"x"}]`:                                                                               false,
		`[{"errorCode":"UNKNOWN_EXCEPTION","message":"An unexpected error occurred"}]`:                                                                false,
		`{"Erro":true,"Mensagem":"UNABLE_TO_LOCK_ROW"}`:                                                                                               false, // the service caught it
	} {
		for _, status := range []int{200, 400, 403, 500, 503} {
			v := salesforce.Judge(answer(status, body))
			if (v != httpclient.Verdict{}) != undone || undone && (fault.Of(v.Err()).Kind != fault.Transient || !strings.HasPrefix(v.String(), "undone: ")) {
				t.Errorf("%d %s: %v", status, body, v)
			}
		}
	}
}

func TestJudgeEndsAtTheDailyLimit(t *testing.T) {
	for _, body := range []string{
		`[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"x"}]`,
		`[{"errorCode":"APEX_ERROR","message":"REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded."}]`,
	} {
		for _, status := range []int{403, 503} {
			v := salesforce.Judge(answer(status, body))
			if f := fault.Of(v.Err()); f == nil || f.Kind != fault.Transient || !strings.HasPrefix(v.String(), "fail: ") { // it is not sent again
				t.Errorf("%d %s: %v", status, body, v)
			}
		}
	}
}

func TestTooMuch(t *testing.T) {
	for said, want := range map[string]bool{
		"APEX_ERROR: System.LimitException: Apex heap size too large: 7":      true,
		"QUERY_TIMEOUT: Your query request was running for too long.":         true,
		"System.QueryException: Your query request was running for too long.": true,
		"REQUEST_RUNNING_TOO_LONG: stopped":                                   true,
		"APEX_ERROR: System.NullPointerException":                             false,
		"QUERY_TOO_COMPLICATED: too many fields":                              false,
		"REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.":               false,
		"": false,
	} {
		if got := salesforce.TooMuch(said); got != want {
			t.Errorf("%s: %t", said, got)
		}
	}
}

func TestThrown(t *testing.T) {
	for said, want := range map[string]bool{
		"System.DmlException: Update failed. First exception on row 0 with id a1B1; first error: FIELD_CUSTOM_VALIDATION_EXCEPTION, Imóvel sem captação: []": true,
		"Update failed. First exception on row 0; first error: CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY, ImovelTrigger":                                          true,
		"System.NullPointerException: Attempt to de-reference a null object":                                                                                 true,
		"Attempt to de-reference a null object":                true,
		"List has no rows for assignment to SObject":           true,
		"System.JSONException: Unexpected character":           true,
		"Erro ao atualizar (system.queryexception: x)":         true,
		"Contrato não localizado.":                             false,
		"Contrato não foi localizado":                          false,
		"O Contrato deve ser de Locação.":                      false,
		"O Imóvel não possui contrato de Locação.":             false,
		"Não encontrado Id do novo gerente":                    false,
		"Exceção: contrato já cancelado pelo System. Exceção.": false,
		"": false,
	} {
		if got := salesforce.Thrown(said); got != want {
			t.Errorf("%s: %t", said, got)
		}
	}
}

func TestWords(t *testing.T) {
	for body, want := range map[string]string{
		`[{"errorCode":"A","message":"a"},{"message":"b"}]`: "A: a; : b", `[]`: "", `{"errorCode":"A"}`: "", ``: "",
	} {
		if got := salesforce.Words(answer(500, body)); got != want {
			t.Errorf("%s: %q", body, got)
		}
	}
}

func TestUsage(t *testing.T) {
	for header, warns := range map[string]bool{
		"api-usage=90001/100000":                             true,
		"api-usage=90000/100000":                             false,
		"api-usage=18/5000":                                  false,
		"per-app-api-usage=17/250(appName=x)":                false,
		"api-usage=99/100; per-app-api-usage=17/250(app=x)":  true,
		"per-app-api-usage=17/250(app=x), api-usage=120/100": true,
		"api-usage=many/100":                                 false,
		"":                                                   false,
	} {
		res := answer(200, `{}`)
		res.Header.Set("Sforce-Limit-Info", header)
		if got := salesforce.Usage(res); (got != "") != warns {
			t.Errorf("%q: %q", header, got)
		}
	}
}

func TestText(t *testing.T) {
	if got := salesforce.Text(`D'Água \ x`); got != `'D\'Água \\ x'` {
		t.Errorf("got %s", got)
	}
}
