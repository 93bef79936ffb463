package imoview

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// session is what a login opens.
type session struct {
	begun time.Time
	uses  int
}

// admitted tells whether a request carries the agency's key, once.
func (s *Simulator) admitted(r *http.Request) bool {
	sent := r.Header.Values("chave")
	return len(sent) == 1 && sim.Same(sent[0], s.key)
}

// welcome is what a login gets.
type welcome struct {
	Token   string `json:"codigoacesso"`
	User    int    `json:"codigousuario"`
	Name    string `json:"nomeusuario"`
	Message string `json:"mensagem"`
}

// login answers with a new codigoacesso when the password's lower-case MD5 is right. The ones before stay good.
func (s *Simulator) login(p *params) (any, *refusal) {
	const wrong = "Usuário ou senha inválidos!"
	switch {
	case p.values["email"] == email && p.values["senha"] == digest():
		return welcome{s.open(), userCode, "Ana Leitura", ""}, nil
	case s.with.LoginStatus == http.StatusOK:
		return welcome{Message: wrong}, nil
	}
	return nil, &refusal{status: s.with.LoginStatus, text: wrong}
}

// open begins a session.
func (s *Simulator) open() (token string) {
	s.books.Lock()
	defer s.books.Unlock()
	n := uint64(len(s.tokens))
	token = fmt.Sprintf("ACESSO%016x%016x", sim.Mix(s.with.Seed^sim.Mix(n)), sim.Mix(s.with.Seed+sim.Mix(n+1)))
	s.sessions[token] = &session{begun: s.with.Now()}
	s.tokens = append(s.tokens, token)
	return token
}

// Tokens returns the values of codigoacesso that logins brought so far. No output may show them.
func (s *Simulator) Tokens() []string { return sim.Copied(&s.books, &s.tokens) }

// Learnt returns the Tokens.
func (s *Simulator) Learnt() []string { return s.Tokens() }

// loggedIn judges the header codigoacesso and the parameter codigoUsuario of a request for an App_ path.
func (s *Simulator) loggedIn(r *http.Request, p *params) *refusal {
	refused := &refusal{status: s.with.SessionStatus, text: "Código de acesso inválido!"}
	sent := r.Header.Values("codigoacesso")
	if len(sent) != 1 || p.values["codigousuario"] != strconv.Itoa(userCode) {
		return refused
	}
	s.books.Lock()
	defer s.books.Unlock()
	session, ok := s.sessions[sent[0]]
	if !ok {
		return refused
	}
	session.uses++
	used := s.with.SessionUses > 0 && session.uses > s.with.SessionUses
	if used || s.with.SessionAge > 0 && s.with.Now().Sub(session.begun) > s.with.SessionAge {
		delete(s.sessions, sent[0])
		return refused
	}
	return nil
}
