package dwv

import (
	"net/http"

	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// Auth says which credentials a request must carry. Whatever is required, a credential that is sent must be right.
type Auth string

// The ways to require credentials.
const (
	EitherHeader Auth = ""       // token or Authorization: Bearer
	TokenOnly    Auth = "token"  // the header token of 1.0.2
	BearerOnly   Auth = "bearer" // the header Authorization of 1.0.1
	BothHeaders  Auth = "both"
)

// unknown returns the text of the 401 for a request whose credentials do not do, and "" where they do.
func (s *Simulator) unknown(r *http.Request) string {
	token, bearer := r.Header.Values("token"), r.Header.Values("Authorization")
	missing := map[Auth]bool{
		EitherHeader: len(token)+len(bearer) == 0,
		TokenOnly:    len(token) == 0,
		BearerOnly:   len(bearer) == 0,
		BothHeaders:  len(token) == 0 || len(bearer) == 0,
	}
	switch {
	case missing[s.with.Auth]:
		return "Token não fornecido"
	case !same(token, s.with.Token) || !same(bearer, "Bearer "+s.with.Token):
		return "Token que foi fornecido é invalido"
	}
	return ""
}

// same tells whether a header was not sent, or once and with this value.
func same(sent []string, want string) bool {
	return len(sent) == 0 || len(sent) == 1 && sim.Same(sent[0], want)
}
