package imobiliar_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/simulators/imobiliar"
)

// ask returns the answer to an action in a session.
func ask(t *testing.T, s *imobiliar.Simulator, session, action, body string) string {
	t.Helper()
	text := fmt.Sprintf(`{"Header":{"SessionId":%q,"Action":%q},"Body":%s}`, session, action, body)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webservice/Imobiliar2", strings.NewReader(text))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Body.String()
}

// login returns the id of a new session, or "".
func login(t *testing.T, s *imobiliar.Simulator) string {
	t.Helper()
	answer := ask(t, s, "", "LOGIN", fmt.Sprintf(`{"IMOB_ID":"EXEMPLO","USER_ID":"INTEGRA","USER_PASS":%q}`, s.Learnt()[0]))
	var said struct{ Header struct{ SessionId string } }
	if err := json.Unmarshal([]byte(answer), &said); err != nil {
		t.Fatal(err)
	}
	return said.Header.SessionId
}

func TestSessions(t *testing.T) {
	s := imobiliar.New(imobiliar.Options{Sessions: 2, Lifetime: 2})
	first, second := login(t, s), login(t, s)
	if first == "" || second == "" || first == second || login(t, s) != "" {
		t.Errorf("the sessions are %q and %q, and there may be two", first, second)
	}
	if answer := ask(t, s, first, "LOGOUT", `{}`); !strings.Contains(answer, `"Error":false`) || login(t, s) == "" {
		t.Errorf("a session that was ended holds its place: %s", answer)
	}
	for range 2 {
		ask(t, s, second, "CADASTRO_FILIAL_PESQUISAR", `{}`)
	}
	for _, id := range []string{first, second, "none"} {
		if answer := ask(t, s, id, "CADASTRO_FILIAL_PESQUISAR", `{}`); answer != "468 - session expired, new login required" {
			t.Errorf("session %s answers %s", id, answer)
		}
	}
}

// A session goes on with its listing, unless it was asked for anything else.
func TestSegments(t *testing.T) {
	s := imobiliar.New(imobiliar.Options{})
	id := login(t, s)
	segment := func(which string) string {
		return ask(t, s, id, "CADASTRO_FILIAL_PESQUISAR", `{"QtdeLinhas":2,"ProximasLinhas":"`+which+`"}`)
	}
	for i, want := range []string{`"CodFilial":1`, `"CodFilial":3`, `"Filiais":[]`, `"Filiais":[]`} {
		if answer := segment([]string{"N", "S", "S", "S"}[i]); !strings.Contains(answer, want) {
			t.Errorf("segment %d has no %s: %s", i, want, answer)
		}
	}
	segment("N")
	ask(t, s, id, "CADASTRO_LOJA_PESQUISAR", `{}`)
	if answer := segment("S"); !strings.Contains(answer, `"Error":true`) {
		t.Errorf("a session goes on after another action: %s", answer)
	}
	if _, _, interrupted := s.Sessions(); interrupted != 1 {
		t.Errorf("%d listings were interrupted", interrupted)
	}
}

// What is not documented is refused.
func TestStrict(t *testing.T) {
	s := imobiliar.New(imobiliar.Options{Denied: []string{"NOTIFICACAO_CONSULTAR"}})
	id := login(t, s)
	for _, tt := range [][3]string{
		{"CADASTRO_PESSOA_CONSULTAR", `{"CodPessoa":"1000"}`, "CodPessoa"}, {"CADASTRO_PESSOA_CONSULTAR", `{}`, "CodPessoa"},
		{"CADASTRO_PESSOA_CONSULTAR", `{"CodPessoa":1}`, "encontrado"}, {"CADASTRO_PESSOA_PESQUISAR", `{"Ativos":"S"}`, "Ativos"},
		{"CADASTRO_PESSOA_PESQUISAR", `{"DataAlteracaoInicial":"2026-01-31"}`, "DataAlteracaoInicial"},
		{"CTAREC_BOLETO_PESQUISAR_INADIMPLENCIAS", `{"DataInicial":"01/01/2026","DataFinal":"31/01/2026"}`, "PercentualHonorarios"},
		{"CADASTRO_PESSOA_INCLUIR", `{}`, "existe"}, {"NOTIFICACAO_CONSULTAR", `{}`, "permiss"}, {"CADASTRO_FILIAL_PESQUISAR", `null`, "Body"},
		{"CADASTRO_FORNECEDOR_CONSULTAR", `{"CodFornecedor":200}`, "CodFornecedor"},
	} {
		if answer := ask(t, s, id, tt[0], tt[1]); !strings.Contains(answer, `"Error":true`) || !strings.Contains(answer, tt[2]) {
			t.Errorf("%s %s is answered with %s", tt[0], tt[1], answer)
		}
	}
	if answer := ask(t, s, id, "CADASTRO_PESSOA_CONSULTAR", `{"CodPessoa":1000}`); !strings.Contains(answer, `"CodPessoa":1000`) {
		t.Errorf("a person is %s", answer)
	}
}
