package acceptance

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/imob-data/airbyte-connectors/integration/harness"
	"github.com/imob-data/airbyte-connectors/integration/simulators/imobiliar"
	"github.com/imob-data/airbyte-connectors/integration/simulators/sim"
)

// imobiliarAt is a server of a company with own settings.
func imobiliarAt(t *testing.T, f fixture, set map[string]string) (*api, *imobiliar.Simulator) {
	t.Helper()
	a := f.start(t, sim.Options{Size: 45, Set: set}, sim.Behaviour{})
	s, ok := a.simulator.(*imobiliar.Simulator)
	if !ok {
		t.Fatalf("the simulator is a %T", a.simulator)
	}
	return a, s
}

// loggedOut tells that no session is open and no listing was left for another action.
func loggedOut(t *testing.T, s *imobiliar.Simulator) {
	t.Helper()
	if open, logins, interrupted := s.Sessions(); open > 0 || logins == 0 || interrupted > 0 {
		t.Errorf("%d of %d sessions are open, and %d listings were left for another action", open, logins, interrupted)
	}
}

// TestImobiliarAnswers reads whatever form the service gives its answers: every row comes once, and each session is ended.
func TestImobiliarAnswers(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for _, set := range []map[string]string{
		{"past": "absent"}, {"past": "fails"}, {"past": "begins"}, {"cap": "3"}, {"numeric-cpf": "true", "errors-object": "true"},
		{"lifetime": "9"}, {"refused": "DataAlteracaoInicial"},
	} {
		t.Run(fmt.Sprint(set), func(t *testing.T) {
			t.Parallel()
			a, s := imobiliarAt(t, f, set)
			first := f.succeed(t, a, f.read(t, a, nil))
			compare(t, full(a), first)
			once(t, first)
			loggedOut(t, s)
		})
	}
}

// TestImobiliarSessions reads with several sessions: no more are opened than the service allows, and all are ended.
func TestImobiliarSessions(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for most, want := range map[string]int{"5": 4, "2": 2, "1": 1} {
		t.Run("of "+most, func(t *testing.T) {
			t.Parallel()
			a, s := imobiliarAt(t, f, map[string]string{"sessions": most})
			a.config["sessions"] = 4
			res := f.succeed(t, a, f.read(t, a, nil))
			compare(t, full(a), res)
			once(t, res)
			loggedOut(t, s)
			if _, logins, _ := s.Sessions(); logins > want {
				t.Errorf("%d sessions were opened, and %d may be", logins, want)
			}
		})
	}
}

// TestImobiliarStopped stops reads: the session is ended before the process ends. One that is killed leaves its session open, and the next
// read is complete all the same.
func TestImobiliarStopped(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	t.Run("terminated", func(t *testing.T) {
		t.Parallel()
		a, s := imobiliarAt(t, f, nil)
		res, _ := f.ended(t, a, sigterm, some(5), 0)
		if res.Code != 1 {
			t.Errorf("the exit code is not 1: %s", res)
		}
		loggedOut(t, s)
	})
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		a, s := imobiliarAt(t, f, nil)
		first, _ := f.ended(t, a, func(c *harness.Control) error { return c.Signal(os.Kill) }, some(20), 0)
		if open, _, _ := s.Sessions(); open != 1 {
			t.Errorf("%d sessions are open", open)
		}
		second := f.succeed(t, a, f.read(t, a, first.State()))
		compare(t, full(a), first, second)
		if open, _, _ := s.Sessions(); open != 1 {
			t.Errorf("%d sessions are open", open)
		}
	})
}

// TestImobiliarRights tells an action that the server does not know, whose stream is empty with a warning, from one that this user may not
// call, whose stream fails.
func TestImobiliarRights(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	for action, stream := range map[string]string{
		"CADASTRO_LOJA_PESQUISAR": "shops", "LOCACAO_IMOVEL_CONSULTAR": "properties", "CONDOM_LISTA_ECONOMIAS": "condominium_units",
	} {
		a, _ := imobiliarAt(t, f, map[string]string{"unknown": action})
		res := f.succeed(t, a, f.read(t, a, nil))
		warned := slices.ContainsFunc(res.Logs, func(l harness.Log) bool { return l.Level == "WARN" && strings.HasPrefix(l.Message, stream+": ") })
		if len(res.Of(stream)) > 0 || res.Last(stream) != "COMPLETE" || !warned {
			t.Errorf("without %s, %d rows of %s came: %s", action, len(res.Of(stream)), stream, res)
		}
		a, s := imobiliarAt(t, f, map[string]string{"denied": action})
		res = f.run(t, a, f.read(t, a, nil))
		if res.Code != 1 || res.Last(stream) != "INCOMPLETE" || res.Last("branches") != "COMPLETE" || len(res.Failures) == 0 ||
			res.Failures[0].Type != "config_error" || !strings.Contains(res.Failures[0].Message, action) {
			t.Errorf("without the right to %s: %s", action, res)
		}
		loggedOut(t, s)
	}
}

// TestImobiliarDetailsCostOneRequest holds the requests for people and their addresses against those for people alone.
func TestImobiliarDetailsCostOneRequest(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	requests := func(streams ...string) int {
		a, s := imobiliarAt(t, f, nil)
		f.succeed(t, a, harness.Read(a.json(t, nil), f.catalog.Configure(harness.FullRefresh, streams...), nil))
		return s.Actions()["CADASTRO_PESSOA_CONSULTAR"]
	}
	if alone, together := requests("people"), requests("people", "people_addresses"); alone != together || alone == 0 {
		t.Errorf("the people take %d requests, and %d with their addresses", alone, together)
	}
}

// TestImobiliarHidesPasswords tells that what is a password in a row is in no record.
func TestImobiliarHidesPasswords(t *testing.T) {
	t.Parallel()
	f := one(t, "source-imobiliar")
	a, _ := imobiliarAt(t, f, nil)
	a.secrets = append(a.secrets, "0123456789abcdef0123456789abcdef", "login:sindico")
	f.succeed(t, a, f.read(t, a, nil))
}
