package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// serveOdd returns a handler's answer made odd.
func serveOdd(t *testing.T, status int, body string) string {
	t.Helper()
	w := httptest.NewRecorder()
	odd := &Odd{Seed: 1, Row: "Body", Exact: []string{"id", "parts"}}
	odd.Header().Set("Content-Type", "application/json")
	odd.WriteHeader(status)
	_, _ = odd.Write([]byte(body)) // a buffer never fails
	odd.Send(w)
	if w.Code != status || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
	return w.Body.String()
}

func TestOdd(t *testing.T) {
	t.Parallel()
	var rows []string
	for i := range 1000 {
		rows = append(rows, fmt.Sprintf(`{"id":%d,"day":"13/08/2026","at":"2026-08-13T10:00:00Z","flag":true,"no":false,"n":12,"money":"R$ 1,00",`+
			`"text":"x","list":[1],"o":{"a":1},"parts":[{"id":1,"flag":true,"n":5}],"z":null}`, i))
	}
	list := "[" + strings.Join(rows, ",") + "]"
	body := `{"total":1000,"data":` + list + `}`
	first := serveOdd(t, http.StatusOK, body)
	if first != serveOdd(t, http.StatusOK, body) {
		t.Error("the same answer is odd in another way")
	}
	var got struct {
		Total json.Number
		Data  []map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(first), &got); err != nil || got.Total != "1000" || len(got.Data) != 1000 {
		t.Fatalf("%v, %d rows", err, len(got.Data))
	}
	for _, want := range []string{`"30/02/2026"`, `"a combinar"`, `"Sob consulta"`, `\u0000`, `"0012"`, `"00123"`, `"talvez"`, `"um"`, `0001`, `""`} {
		if !strings.Contains(first, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, row := range got.Data {
		if string(row["id"])[0] == '"' || row["parts"][0] != '[' || len(row) != 12 {
			t.Errorf("row %s", row)
		}
	}
	if sole := serveOdd(t, http.StatusOK, `{"Head":{"a":"x","b":"x","c":"x"},"Body":{"id":1,"parts":`+list+`}}`); !strings.Contains(sole, "a combinar") ||
		!strings.HasPrefix(sole, `{"Head":{"a":"x","b":"x","c":"x"},"Body":{"id":1,"parts":[{"id":0,`) {
		t.Errorf("a row by name became %.200s", sole)
	}
	if !strings.Contains(serveOdd(t, http.StatusOK, list), "a combinar") {
		t.Error("a bare list stays as it is")
	}
	for _, refused := range []struct {
		status int
		body   string
	}{{404, body}, {200, "<html>"}, {200, `"text"`}, {200, ""}} {
		if got := serveOdd(t, refused.status, refused.body); got != refused.body {
			t.Errorf("%d %.20s became %s", refused.status, refused.body, got)
		}
	}
}
