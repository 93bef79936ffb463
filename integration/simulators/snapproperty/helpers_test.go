package snapproperty

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim/simtest"
)

// clock stands still until it is set.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newClock() *clock { return &clock{time.Date(2026, time.January, 15, 12, 0, 0, 0, time.UTC)} }

// send sends a request with the administrator's token.
func send(t testing.TB, s *Simulator, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := simtest.Ask(t, s, method, target, http.Header{"Authorization": {"Bearer " + s.FixedToken()}, "Content-Type": {"application/json"}}, body)
	if w.Code == 0 || !json.Valid(w.Body.Bytes()) {
		t.Fatalf("%s %s answers %d %s", method, target, w.Code, w.Body)
	}
	return w
}

// record is an object of an answer.
type record map[string]any

func (r record) text(name string) string { v, _ := r[name].(string); return v }

func (r record) photos() (all []record) {
	list, _ := r["snap_brok__Fotos_de_im_vel__r"].(map[string]any)
	return records(list["records"])
}

func records(list any) (all []record) {
	array, _ := list.([]any)
	for _, one := range array {
		all = append(all, one.(map[string]any))
	}
	return all
}

// found is a search's answer.
type found struct {
	Total    *int     `json:"Total"`
	Mensagem string   `json:"Mensagem"`
	Imoveis  []record `json:"Imoveis"`
	Erro     bool     `json:"Erro"`
}

func (f found) ids() (ids []string) {
	for _, r := range f.Imoveis {
		ids = append(ids, r.text("Id"))
	}
	return ids
}

func request(offset, rows int, order string, filters ...string) string {
	if filters == nil {
		filters = []string{}
	}
	body, err := json.Marshal(map[string]any{"Offset": offset, "RegistrosPagina": rows, "Filtros": filters, "Ordenacao": order})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// search searches, which has to be answered with 200.
func search(t testing.TB, s *Simulator, offset, rows int, order string, filters ...string) (f found) {
	t.Helper()
	w := send(t, s, http.MethodPost, searchPath, request(offset, rows, order, filters...))
	if w.Code != http.StatusOK {
		t.Fatalf("the search answers %d %s", w.Code, w.Body)
	}
	decodeInto(t, w, &f)
	if f.Erro != (f.Total == nil) || f.Erro != (f.Imoveis == nil) {
		t.Fatalf("the answer contradicts itself: %.300s", w.Body)
	}
	return f
}

func decodeInto(t testing.TB, w *httptest.ResponseRecorder, into any) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		t.Fatalf("%v: %.300s", err, w.Body)
	}
}

// every reads all properties by Id.
func every(t testing.TB, s *Simulator, rows int, filters ...string) (all []record) {
	t.Helper()
	after := slices.Clone(filters)
	for {
		page := search(t, s, 0, rows, "Id ASC", after...).Imoveis
		all = append(all, page...)
		if len(page) < rows {
			return all
		}
		after = append(after[:len(filters)], "AND Id > '"+page[len(page)-1].text("Id")+"'")
	}
}

// counts returns how often each Id comes.
func counts(all []record) map[string]int {
	n := map[string]int{}
	for _, r := range all {
		n[r.text("Id")]++
	}
	return n
}

// post asks for a token with a form.
func post(t testing.TB, s *Simulator, form string) *httptest.ResponseRecorder {
	t.Helper()
	return simtest.Ask(t, s, http.MethodPost, tokenPath, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, form)
}

func formOf(assertion string) string {
	return url.Values{"grant_type": {grant}, "assertion": {assertion}}.Encode()
}

// sign makes an assertion as a connector does.
func sign(t testing.TB, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	head := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(body)
	sum := sha256.Sum256([]byte(head))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return head + "." + encode(signature)
}

// call calls a contract method.
func call(t testing.TB, s *Simulator, method, body string) *httptest.ResponseRecorder {
	t.Helper()
	return send(t, s, http.MethodPost, contractPath+method, body)
}

// envelope puts a record into a method's body.
func envelope(s *Simulator, o Order) string {
	body, err := json.Marshal(map[string]any{s.methods()[o.Method].member: o.Record})
	if err != nil {
		panic(err)
	}
	return string(body)
}
