package rest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/common/auth"
	"github.com/imob-data/airbyte-connectors/common/httpclient"
	"github.com/imob-data/airbyte-connectors/common/redact"
	"github.com/imob-data/airbyte-connectors/common/rest"
)

// TestWhatASourceLearnsIsKnownToTheRun checks that the run's Redactor knows a session that a source gets at run time, and removes it from the output.
func TestWhatASourceLearnsIsKnownToTheRun(t *testing.T) {
	a := serve(t, func(r *http.Request) (int, string) {
		if r.URL.Path == "/login" {
			return 200, `{"session":"a-session-of-today"}`
		}
		return 400, fmt.Sprintf(`{"message":"what is %s?"}`, r.Header.Get("Session"))
	})
	source := a.source(func(d rest.API) rest.API {
		d.Auth = &auth.Session{
			Login: httpclient.Request{Path: "/login"}, Parts: []auth.Part{{From: "session", In: httpclient.Header, Key: "Session"}},
		}
		d.Check, d.Streams = "rows", []rest.Stream{{Name: "rows", Path: "/rows", Key: []string{"id"}}}
		return d
	})
	redactor := redact.New()
	err := source.Check(redact.With(t.Context(), redactor), []byte(`{}`))
	if err == nil || strings.Contains(err.Error(), "of-today") || !strings.Contains(err.Error(), "what is ****?") {
		t.Errorf("check: %v", err)
	}
	if got := redactor.String("a panic with a-session-of-today"); got != "a panic with "+redact.Blank {
		t.Errorf("the run does not know it: %s", got)
	}
}
