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
	if q.Header.Action == "LOGIN" {
		s.login(w, q)
		return
	}
	one := s.sessions[q.Header.SessionId]
	if one == nil || s.with.Lifetime > 0 && one.requests >= s.with.Lifetime {
		delete(s.sessions, q.Header.SessionId)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(cmp.Or(s.with.ExpiredStatus, http.StatusOK))
		_, _ = w.Write([]byte("468 - session expired, new login required")) // a reader that went away is its own affair
		return
	}
	one.requests, one.used = one.requests+1, s.now()
	if q.Header.Action == "LOGOUT" {
		delete(s.sessions, q.Header.SessionId)
		s.answer(w, q, object{})
		return
	}
	s.act(w, one, q)
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
func (s *Simulator) login(w http.ResponseWriter, q request) {
	b := *q.Body
	if q.Header.SessionId != "" || len(b) != 3 || b["IMOB_ID"] != company || b["USER_ID"] != user || b["USER_PASS"] != s.digest() {
		s.refuse(w, "LOGIN", problem{"USER_PASS", "Usuário ou senha inválidos"})
		return
	}
	for id, one := range s.sessions {
		if len(s.sessions) >= s.with.Sessions && s.now().Sub(one.used) > abandoned {
			delete(s.sessions, id)
		}
	}
	if len(s.sessions) >= s.with.Sessions {
		s.refuse(w, "LOGIN", problem{"USER_ID", "Limite de sessões simultâneas deste usuário foi atingido"})
		return
	}
	s.logins++
	id := fmt.Sprintf("SESSION-%X", sim.Noise(s.with.Seed, uint64(100+s.logins), 12))
	s.sessions[id], s.learnt = &session{used: s.now()}, append(s.learnt, id)
	q.Header.SessionId = id
	s.answer(w, q, object{
		"NomeImob": "Imobiliária Exemplo", "ImobId": company, "UsuarioId": user, "Versao": "1.0", "CodFilial": 1,
		"MaxSessions": s.with.Sessions, "ServerDateTime": s.now().Format("02/01/2006 15:04:05"),
	})
}

// act does an action in a session.
func (s *Simulator) act(w http.ResponseWriter, one *session, q request) {
	name, body := q.Header.Action, *q.Body
	action, ok := s.known[name]
	switch {
	case !ok || slices.Contains(s.with.Unknown, name):
		s.refuse(w, name, problem{"Action", "Ação não existe neste servidor"})
		return
	case slices.Contains(s.with.Denied, name):
		s.refuse(w, name, problem{"", "Usuário sem permissão para esta ação"})
		return
	}
	if s.with.Most > 0 && whole(body["QtdeLinhas"]) > s.with.Most {
		s.refuse(w, name, problem{"QtdeLinhas", "Quantidade de linhas acima do máximo"})
		return
	}
	if bad := s.check(action, body); bad != nil {
		s.refuse(w, name, *bad)
		return
	}
	if s.with.Undated == Missing && name == "CTAPAG_LANCAMENTO_PESQUISAR" && body["DataInicial"] == nil {
		s.refuse(w, name, problem{"DataInicial", "Informe o período"})
		return
	}
	if body["ProximasLinhas"] == "S" {
		s.further(w, one, q, action)
		return
	}
	if len(one.rows) > 0 && one.action != name {
		s.interrupted++
	}
	one.action, one.rows = "", nil
	rows, found := action.rows(s.data, body)
	if !found {
		s.refuse(w, name, problem{action.required[0].name, "Registro não encontrado"})
		return
	}
	size := whole(body["QtdeLinhas"])
	if action.list == "" {
		s.answer(w, q, s.write(rows[0]))
		return
	}
	if size > 0 {
		if s.with.Cap > 0 {
			size = min(size, s.with.Cap)
		}
		one.action, one.size, one.rows, one.first = name, size, rows, rows[:min(size, len(rows))]
		one.body = asked(body)
		rows = one.next()
	}
	s.list(w, q, action, rows)
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

// further is the segment after the one that the session was given last.
func (s *Simulator) further(w http.ResponseWriter, one *session, q request, action action) {
	if one.action != q.Header.Action || one.body != asked(*q.Body) {
		s.refuse(w, q.Header.Action, problem{"ProximasLinhas", "Não há pesquisa em andamento nesta sessão"})
		return
	}
	rows := one.next()
	switch {
	case len(rows) > 0 || s.with.Past == Empty:
		s.list(w, q, action, rows)
	case s.with.Past == Absent:
		s.answer(w, q, object{})
	case s.with.Past == Begins:
		s.list(w, q, action, one.first)
	default:
		s.refuse(w, q.Header.Action, problem{"ProximasLinhas", "Fim da pesquisa"})
	}
}

func (s *Simulator) list(w http.ResponseWriter, q request, action action, rows []object) {
	if len(rows) == 0 && s.with.Nothing != "" {
		s.refuse(w, q.Header.Action, problem{"", s.with.Nothing})
		return
	}
	written := make([]object, len(rows))
	for i, row := range rows {
		written[i] = s.write(row)
	}
	s.answer(w, q, object{action.list: written})
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
func (s *Simulator) refuse(w http.ResponseWriter, action string, problems ...problem) {
	s.fail(w, cmp.Or(s.with.ErrorStatus, http.StatusOK), action, problems...)
}

// fail answers with what is wrong, under a status.
func (s *Simulator) fail(w http.ResponseWriter, status int, action string, problems ...problem) {
	var erros any = problems
	if s.with.ErrorsObject && len(problems) == 1 {
		erros = problems[0]
	}
	sim.Send(w, status, contentType, object{
		"Header": object{"Action": action, "Status": "Error", "Error": true, "ErrorCode": 1}, "Body": object{"Erros": erros},
	})
}

// Error answers as the service may under a status that is not 200, which is not documented.
func (s *Simulator) Error(w http.ResponseWriter, status int, text string) {
	if text == "" {
		text = http.StatusText(status)
	}
	s.fail(w, status, "", problem{"", text})
}
