package imobiliar

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// request is what is asked.
type request struct {
	Header struct{ SessionId, Action string }
	Body   *object
}

// problem is one thing that is wrong with a request.
type problem struct {
	Campo    string `json:"Campo"`
	Mensagem string `json:"Mensagem"`
}

// abandoned is after how long without a request a session gives way to another one.
const abandoned = 2 * time.Second

// ServeHTTP answers a POST to either path.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/webservice/Imobiliar" && r.URL.Path != "/webservice/Imobiliar2" || r.URL.RawQuery != "" {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	raw, _ := io.ReadAll(r.Body)
	var q request
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(&q); err != nil || q.Body == nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json; charset=utf-8") {
		s.refuse(w, q.Header.Action, problem{"", "Requisição inválida: Header, Body e application/json são obrigatórios"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.actions[q.Header.Action]++
	one := s.sessions[q.Header.SessionId]
	if q.Header.Action != "LOGIN" && (one == nil || s.with.Lifetime > 0 && one.requests >= s.with.Lifetime) {
		delete(s.sessions, q.Header.SessionId)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(cmp.Or(s.with.ExpiredStatus, http.StatusOK))
		_, _ = w.Write([]byte("468 - session expired, new login required")) // a reader that went away is its own affair
		return
	}
	body, bad := s.act(one, &q)
	if bad != nil {
		s.refuse(w, q.Header.Action, *bad)
		return
	}
	s.answer(w, q, body)
}

// Place names the listing of a session that r goes on with.
func (*Simulator) Place(r *http.Request) (listing string, further bool) {
	var q request
	if json.Unmarshal(sim.Body(r), &q) != nil || q.Body == nil || (*q.Body)["QtdeLinhas"] == nil {
		return "", false
	}
	return q.Header.SessionId + " " + q.Header.Action + " " + asked(*q.Body), (*q.Body)["ProximasLinhas"] == "S"
}

// login opens a session, if there may be one more; one whose process died some time ago gives way.
func (s *Simulator) login(q *request) (object, *problem) {
	b := *q.Body
	if q.Header.SessionId != "" || len(b) != 3 || b["IMOB_ID"] != company || b["USER_ID"] != user || b["USER_PASS"] != s.digest() {
		return nil, &problem{"USER_PASS", "Usuário ou senha inválidos"}
	}
	for id, one := range s.sessions {
		if len(s.sessions) >= s.with.Sessions && s.now().Sub(one.used) > abandoned {
			delete(s.sessions, id)
		}
	}
	if len(s.sessions) >= s.with.Sessions {
		return nil, &problem{"USER_ID", "Limite de sessões simultâneas deste usuário foi atingido"}
	}
	s.logins++
	id := fmt.Sprintf("SESSION-%X", sim.Noise(s.with.Seed, uint64(100+s.logins), 12))
	s.sessions[id], s.learnt = &session{used: s.now()}, append(s.learnt, id)
	q.Header.SessionId = id
	return object{
		"NomeImob": "Imobiliária Exemplo", "ImobId": company, "UsuarioId": user, "Versao": "1.0", "CodFilial": 1,
		"MaxSessions": s.with.Sessions, "ServerDateTime": s.now().Format("02/01/2006 15:04:05"),
	}, nil
}

// act does an action in a session, or says what is wrong with it.
func (s *Simulator) act(one *session, q *request) (object, *problem) {
	name, body := q.Header.Action, *q.Body
	if name == "LOGIN" {
		return s.login(q)
	}
	one.requests, one.used = one.requests+1, s.now()
	if name == "LOGOUT" {
		delete(s.sessions, q.Header.SessionId)
		return object{}, nil
	}
	action, ok := s.known[name]
	size := whole(body["QtdeLinhas"])
	switch {
	case !ok || slices.Contains(s.with.Unknown, name):
		return nil, &problem{"Action", "Ação não existe neste servidor"}
	case slices.Contains(s.with.Denied, name):
		return nil, &problem{"", "Usuário sem permissão para esta ação"}
	case s.with.Most > 0 && size > s.with.Most:
		return nil, &problem{"QtdeLinhas", "Quantidade de linhas acima do máximo"}
	}
	if bad := s.check(action, body); bad != nil {
		return nil, bad
	}
	if s.with.Undated == Missing && name == "CTAPAG_LANCAMENTO_PESQUISAR" && body["DataInicial"] == nil {
		return nil, &problem{"DataInicial", "Informe o período"}
	}
	if body["ProximasLinhas"] == "S" {
		return s.further(one, name, body)
	}
	if len(one.rows) > 0 && one.action != name {
		s.interrupted++
	}
	one.action, one.rows = "", nil
	rows, found := action.rows(s.data, body)
	switch {
	case !found:
		return nil, &problem{action.required[0].name, "Registro não encontrado"}
	case action.list == "":
		return s.write(rows[0]), nil
	case size > 0:
		one.size = min(size, cmp.Or(s.with.Cap, size))
		one.action, one.body, one.rows, one.first = name, asked(body), rows, rows[:min(one.size, len(rows))]
		rows = one.next()
	}
	return s.list(action, rows)
}

// asked returns what a listing was asked for, without what says which segment.
func asked(body object) string {
	rest := maps.Clone(body)
	delete(rest, "ProximasLinhas")
	text, _ := json.Marshal(rest)
	return string(text)
}

// next returns the next segment.
func (one *session) next() []object {
	n := min(one.size, len(one.rows))
	rows := one.rows[:n]
	one.rows = one.rows[n:]
	return rows
}

// further returns the segment after the one that the session was given last.
func (s *Simulator) further(one *session, name string, body object) (object, *problem) {
	if one.action != name || one.body != asked(body) {
		return nil, &problem{"ProximasLinhas", "Não há pesquisa em andamento nesta sessão"}
	}
	rows := one.next()
	switch {
	case len(rows) > 0 || s.with.Past == Empty:
	case s.with.Past == Absent:
		return object{}, nil
	case s.with.Past == Begins:
		rows = one.first
	default:
		return nil, &problem{"ProximasLinhas", "Fim da pesquisa"}
	}
	return s.list(s.known[name], rows)
}

// list returns rows as the answer to an action.
func (s *Simulator) list(action action, rows []object) (object, *problem) {
	if len(rows) == 0 && s.with.Nothing != "" {
		return nil, &problem{"", s.with.Nothing}
	}
	written := make([]object, len(rows))
	for i, row := range rows {
		written[i] = s.write(row)
	}
	return object{action.list: written}, nil
}

// write returns a row as this server writes it.
func (s *Simulator) write(row object) object {
	cpf, ok := row["CpfCnpj"].(string)
	if !ok || !s.with.NumericCPF {
		return row
	}
	changed := maps.Clone(row)
	changed["CpfCnpj"] = json.Number(strings.TrimLeft(cpf, "0"))
	return changed
}

const contentType = "application/json; charset=utf-8"

// answer answers with a body. Rows that are known by their bytes alone have no odd values.
func (s *Simulator) answer(w http.ResponseWriter, q request, body object) {
	all := object{
		"Header": object{"SessionId": q.Header.SessionId, "Action": q.Header.Action, "Status": "Success", "Error": false}, "Body": body,
	}
	if !s.with.Odd || slices.Contains(exactActions(), q.Header.Action) {
		sim.Send(w, http.StatusOK, contentType, all)
		return
	}
	odd := &sim.Odd{Seed: s.with.Seed, Row: "Body", Exact: exact()}
	sim.Send(odd, http.StatusOK, contentType, all)
	odd.Send(w)
}

// exactActions returns those whose answers have no odd values.
func exactActions() []string {
	return []string{"LOGIN", "LOGOUT", "CONDOM_LISTA_INADIMPLENCIAS", "TABELA_CONSULTAR", "NOTIFICACAO_CONSULTAR"}
}

// exact returns the fields that have no odd values: keys, days that listings go by, and lists of rows.
func exact() []string {
	return strings.Fields(`CodPessoa CodFornecedor CodContratoAdm CodImovel CodContratoLoc CodCondominio CodBloco IdEconomia CodFilial IdLoja CodTaxa
		NumeroLancto DocCapaId CodInteressado DataVencimento DataAlteracao
		Pessoas Fornecedores Contratos Condominios Filiais Agencias Taxas Interessados Lancamentos Pendentes Enderecos Proprietarios Imoveis
		Participacoes Locatarios Fiadores Caracteristicas Blocos Economias`)
}

// refuse answers with what is wrong with a request.
func (s *Simulator) refuse(w http.ResponseWriter, action string, why problem) {
	s.fail(w, cmp.Or(s.with.ErrorStatus, http.StatusOK), action, why)
}

// fail answers with what is wrong, under a status.
func (s *Simulator) fail(w http.ResponseWriter, status int, action string, why problem) {
	var all any = []problem{why}
	if s.with.ErrorsObject {
		all = why
	}
	sim.Send(w, status, contentType, object{
		"Header": object{"Action": action, "Status": "Error", "Error": true, "ErrorCode": 1}, "Body": object{"Erros": all},
	})
}

// Error answers as the service may under a status that is not 200, which is not documented.
func (s *Simulator) Error(w http.ResponseWriter, status int, text string) {
	s.fail(w, status, "", problem{"", cmp.Or(text, http.StatusText(status))})
}
