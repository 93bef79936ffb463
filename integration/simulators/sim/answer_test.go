package sim

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

func TestSend(t *testing.T) {
	for _, test := range []struct {
		status       int
		before       http.Header
		kind, body   string
		wantedHeader http.Header
	}{
		{200, nil, "application/json", `{"a":"é"}`, http.Header{"Content-Type": {"application/json"}, "Content-Length": {"10"}}},
		{405, http.Header{"Allow": {"GET"}}, "text/html", "", http.Header{
			"Allow": {"GET"}, "Content-Type": {"text/html"}, "Content-Length": {"0"},
		}},
	} {
		w := httptest.NewRecorder()
		maps.Copy(w.Header(), test.before)
		sendBytes(w, test.status, test.kind, []byte(test.body))
		if w.Code != test.status || w.Body.String() != test.body || !maps.EqualFunc(w.Header(), test.wantedHeader, slices.Equal) {
			t.Errorf("%+v: %d %v %s", test, w.Code, w.Header(), w.Body)
		}
	}
}
